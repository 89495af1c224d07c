"""`relief audit disown`: a fund that somebody has put in by hand, from the alarm to its end."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest
from typer.testing import CliRunner, Result

from cli.audit_watch import look
from cli.main import program
from domain.catalog import AGGREGATES
from eventstore.backup import LOG
from eventstore.store import Store
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase
from streams.embedded import Follower
from tests.eventstore.test_seals import PUT, owner_of
from tests.eventstore.test_trust import next_of
from tests.everything import copy_of_everything

FUNDS = "SELECT * FROM funds ORDER BY 1"
REASON = "审计局夜间核对，库里多出一笔拨款"


@pytest.fixture(scope="module")
def forged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int, list[object]]]:
    """A served ledger into which somebody has written an appropriation, that is parked; where it
    stands, and the funds as they were."""
    folder = copy_of_everything(tmp_path_factory.mktemp("forged"))
    with (
        closing(Store.at(folder, AGGREGATES)) as store,
        closing(ViewsDatabase(folder / "views.sqlite", VIEWS)) as views,
    ):
        follower = Follower(store, views)
        while follower.step():
            pass
        funds = views.db.execute(FUNDS).fetchall()
        like = next(r for r in store.log.rows(0, 10**6) if r[3].startswith("Fund.Appropriated"))
        row = next_of(store, UUID(bytes=like[1]), like, amount_fen=10**11)
        owner_of(folder)(PUT, *row)
        while follower.step():
            pass
        assert any(one.position == row[0] for one in views.parked())
        assert look(store, folder / "watch") is not None
    yield folder, row[0], funds


def relief(folder: Path, *words: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(program(), words, env={"RELIEF_DATA": str(folder)}, input=answer)


def handed_on(folder: Path, name: str) -> str:
    """All facts, as another system gets them."""
    file = folder / name
    assert relief(folder, "events", "snapshot", str(file)).exit_code == 0
    return file.read_text(encoding="utf-8")


def test_it_is_told_asked_and_gone(forged: tuple[Path, int, list[object]]) -> None:
    folder, at, funds = forged
    assert relief(folder, "audit", "verify").exit_code == 1
    for wrong, said in ((1, "程序写入"), (at + 1, f"没有第 {at + 1} 条")):
        refused = relief(folder, "audit", "disown", str(wrong), "--reason", REASON)
        assert refused.exit_code == 1 and said in refused.stderr, refused.stderr

    assert str(10**11) not in handed_on(folder, "before.jsonl")
    asked = relief(folder, "audit", "disown", str(at), "--reason", REASON, answer="n\n")
    assert asked.exit_code == 1
    assert all(one in asked.stdout for one in (str(at), "资金", "Fund.Appropriated", "20"))
    assert relief(folder, "audit", "verify").exit_code == 1, "who says no has changed nothing"

    done = relief(folder, "audit", "disown", str(at), "--reason", REASON, answer="y\n")
    assert done.exit_code == 0, done.output
    again = relief(folder, "audit", "disown", str(at), "--reason", REASON, "--yes")
    assert again.exit_code == 1 and "已经登记" in again.stderr

    verified = relief(folder, "audit", "verify", "--json")
    report = json.loads(verified.stdout)
    assert verified.exit_code == 0 and report["ok"] and report["unsealed_batches"] == 0
    (one,) = report["disowned"]
    assert one["position"] == at and one["topic"] == "Fund.Appropriated"
    assert one["said_at"] > at and f"第 {at} 条" in one["zh"]
    assert f"第 {at} 条不是程序写入的" in relief(folder, "audit", "verify").stdout

    assert str(10**11) not in handed_on(folder, "after.jsonl")
    status = json.loads(relief(folder, "status", "--json").stdout)
    assert status["parked"] == 0 and [one["position"] for one in status["disowned"]] == [at]
    checks = json.loads(relief(folder, "doctor", "--json").stdout)["checks"]
    assert [c["ok"] for c in checks if c["name"] == "disowned"] == [True]

    assert json.loads(relief(folder, "views", "rebuild", "--check", "--json").stdout)["equal"]
    assert relief(folder, "views", "rebuild", "--workers", "1").exit_code == 0
    with closing(sqlite3.connect(folder / "views.sqlite")) as views:
        assert views.execute(FUNDS).fetchall() == funds
    with closing(Store.at(folder, AGGREGATES)) as store:
        assert look(store, folder / "watch") is None
        assert not (folder / "watch" / "alarm.json").exists()


def test_a_fact_that_was_changed_is_restored_and_not_disowned(tmp_path: Path) -> None:
    folder = copy_of_everything(tmp_path)
    with closing(sqlite3.connect(folder / LOG)) as db, db:
        (at,) = db.execute(
            "SELECT max(position) FROM events WHERE topic LIKE 'Fund.Appropriated%'"
        ).fetchone()
        db.execute("UPDATE events SET state = state || ' ' WHERE position = ?", (at,))
    with closing(Store.at(folder, AGGREGATES)) as store:
        if at not in store.trust.forged:  # it was looked at before
            store.trust.begins_anew(0)
            store.trust.look(store.head())
            store.trust.keep(-store.head())
    refused = relief(folder, "audit", "disown", str(at), "--reason", REASON, "--yes")
    assert refused.exit_code == 1 and "relief restore" in refused.stderr
