"""A fact that somebody has put into the log by hand is decided on by nobody, and stands nowhere."""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from domain.catalog import AGGREGATES
from domain.commands.funds import AppropriateFund
from domain.fund import Fund
from domain.money import Source
from eventstore.backup import LOG
from eventstore.errors import StreamForged
from eventstore.log import Row
from eventstore.outcomes import Envelope, Receipt
from eventstore.seals import Seal
from eventstore.store import Store
from eventstore.trust import CHECKED, Seen, Told, Trust
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase
from projections.folding.parking import left_out
from projections.folding.rebuild import rebuild
from streams.embedded import Follower
from tests.eventstore.conftest import place
from tests.eventstore.support import (
    Place,
    envelope,
    loaded,
    named,
    new_unit,
    off_duty,
    on_duty,
    open_store,
    send,
)
from tests.eventstore.test_seals import PUT, Do, owner
from tests.everything import copy_of_everything

__all__ = ["owner", "place"]


def next_of(store: Store, stream: UUID, like: Row, **changed: object) -> Row:
    """A fact like another, made well: at the next position, as the next version of its stream."""
    version = store.log.version_at(stream, store.head()) + 1
    body = json.loads(bytes(like[4])) | {"originator_id": str(stream)} | changed
    body["originator_version"] = version
    state = json.dumps(body, ensure_ascii=False).encode()
    return store.head() + 1, stream.bytes, version, like[3], state


def forge(store: Store, owner: Do, name: str = "0队") -> int:
    """Put a unit off duty as who may write the table; the position."""
    send(store, off_duty("1队"), "dispatcher")
    (*_, like) = store.log.rows(0, 10_000)
    row = next_of(store, named(f"unit/{name}"), like)
    owner(PUT, *row)
    return row[0]


def test_nothing_is_decided_on_a_stream_with_a_forged_fact_and_all_else_goes_on(
    town: Store, owner: Do, place: Place
) -> None:
    at = forge(town, owner)
    commands = [new_unit("new"), on_duty("0队"), on_duty("1队")]
    for _ in range(2):
        answers = town.run_many([envelope(command, "dispatcher") for command in commands])
        assert [type(one) for one in answers[1:]] == [StreamForged, Receipt], answers
        commands = [new_unit("newer"), on_duty("0队"), off_duty("1队")]
    assert isinstance(answers[1], StreamForged) and answers[1].detail == str(at)
    assert "管理员" in answers[1].zh
    assert loaded(town, named("unit/0队")).on_duty, "it is shown as it was before"
    with closing(open_store(place)) as another:
        with pytest.raises(StreamForged):
            send(another, on_duty("0队"), "dispatcher")
        assert loaded(another, named("unit/0队")).on_duty


def test_a_start_looks_at_what_is_new_alone_and_remembers_what_it_found(
    town: Store, owner: Do, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = forge(town, owner)
    send(town, new_unit("later"), "dispatcher")
    town.close()
    with closing(open_store(place)) as again:
        assert again.trust.forged == {at: named("unit/0队")} and again.trust.upto == again.head()
    asked: list[int] = []
    unsealed = "eventstore.seals.Seals.unsealed"
    monkeypatch.setattr(unsealed, lambda _, rows: asked.extend(row[0] for row in rows) or set())
    with closing(open_store(place)) as again:
        assert asked == [] and again.trust.forged == {at: named("unit/0队")}


def test_what_another_process_of_ours_has_seen_is_not_looked_at_again(
    town: Store, owner: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A follower was to pay for each fact that its own server had written: an eighth."""
    at = forge(town, owner)
    send(town, new_unit("later"), "dispatcher")
    rows = town.log.rows(0, 10_000)
    follower = Trust.of(town.log, Told(town.seals.key.hex(), Seen(0)))
    asked: list[int] = []
    unsealed = Seal.unsealed

    def asking(seal: Seal, rows: Sequence[Row]) -> set[int]:
        asked.extend(row[0] for row in rows)
        return unsealed(seal, rows)

    monkeypatch.setattr(Seal, "unsealed", asking)
    follower.hold(rows[:2])
    assert asked == [1, 2]
    follower.hear(town.trust.seen())
    follower.hold(rows)
    assert asked == [1, 2] and follower.forged == {at: named("unit/0队")}
    follower.hear(Seen(1))
    assert follower.upto == town.head(), "what was told late takes nothing back"


@pytest.mark.parametrize("place", ["SQLite"], indirect=True)
@pytest.mark.parametrize("change", ["position = position + 100", "fact = '{}'", "fact = 'x'"])
def test_what_is_written_down_is_believed_as_the_vault_sealed_it_alone(
    town: Store, owner: Do, place: Place, change: str
) -> None:
    at = forge(town, owner)
    town.close()
    assert isinstance(place, Path)
    with closing(sqlite3.connect(place / "vault.sqlite")) as db, db:
        done = db.execute(f"UPDATE effects SET {change} WHERE name = ?", (CHECKED,))
        assert done.rowcount == 1
    with closing(open_store(place)) as again:
        assert at in again.trust.forged


def test_a_forged_time_moves_nobodys_clock(town: Store, owner: Do) -> None:
    (*_, like) = town.log.rows(0, 10_000)
    body = json.loads(bytes(like[4]))
    body["meta"]["recorded_at"] = "2999-01-01T00:00:00Z"
    owner(PUT, *next_of(town, uuid4(), like, meta=body["meta"]))
    send(town, new_unit("after"), "dispatcher")
    (*_, newest) = town.read(town.head() - 1)
    assert newest.event.meta.recorded_at.year < 2999
    town.writer.cache.forget()
    send(town, new_unit("after that"), "dispatcher")
    (*_, newest) = town.read(town.head() - 1)
    assert newest.event.meta.recorded_at.year < 2999


def test_a_fact_before_the_first_position_is_none(town: Store, owner: Do, place: Place) -> None:
    """Who reads the log in order never meets it; who reads its stream did."""
    send(town, off_duty("1队"), "dispatcher")
    (*_, like) = town.log.rows(0, 10_000)
    owner(PUT, -1, *next_of(town, named("unit/0队"), like)[1:])
    with closing(open_store(place)) as another:
        assert loaded(another, named("unit/0队")).on_duty
        assert another.writer.cache.load(named("unit/0队")).on_duty  # type: ignore[union-attr]


def test_batches_of_another_process_count(town: Store, place: Place) -> None:
    with closing(open_store(place)) as other:
        send(other, off_duty("0队"), "dispatcher")
        send(town, off_duty("1队"), "dispatcher")
        send(other, on_duty("1队"), "dispatcher")
        assert not other.trust.forged and not town.trust.forged
        assert town.trust.upto == town.head() - 1 and other.trust.upto == other.head()


# -- money -------------------------------------------------------------------------------------


def test_a_forged_appropriation_is_parked_and_cannot_be_spent(tmp_path: Path) -> None:
    """G8: it was on the boards and could be spent six seconds after it was put in."""
    folder = copy_of_everything(tmp_path)
    with (
        closing(Store.at(folder, AGGREGATES)) as store,
        closing(ViewsDatabase(folder / "views.sqlite", VIEWS)) as views,
    ):
        follower = Follower(store, views)
        while follower.step():
            pass
        like = next(r for r in store.log.rows(0, 10**6) if r[3].startswith("Fund.Appropriated"))
        fund = UUID(bytes=like[1])
        before: Fund = loaded(store, fund)
        row = next_of(store, fund, like, amount_fen=10**11)
        with closing(sqlite3.connect(folder / LOG)) as db, db:
            db.execute("DROP TRIGGER events_are_sealed")
            db.execute(PUT, row)
        while follower.step():
            pass
        parked = {one.view for one in views.parked() if one.position == row[0]}
        assert "funds" in parked
        assert loaded(store, fund).available_fen == before.available_fen
        command = AppropriateFund(
            holder=before.holder,
            document_no=before.document_no,
            amount_fen=1,
            source=Source.NATION,
            source_document_no="财〔2018〕9号",
            earmark=tuple(before.earmark),
            exercise=before.exercise,
        )
        spender = next(
            one.event.meta.actor for one in store.read(0, 10**6) if one.position == like[0]
        )
        with pytest.raises(StreamForged):
            store.run(Envelope(id=uuid4(), officer=spender, command=command))
        views.dropped |= left_out(store.trust.forged, views.views)
        sql = "SELECT * FROM funds ORDER BY 1"
        known = views.db.execute(sql).fetchall()
        rebuild(store.log.source, views, workers=1)
        assert views.db.execute(sql).fetchall() == known
