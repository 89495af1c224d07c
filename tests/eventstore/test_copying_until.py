"""`relief log copy --until`: the store as it was at a position, which then goes its own way."""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from cli.asof_command import QUESTIONS, _answer
from cli.main import program
from domain.person import Person
from domain.store import Cause
from eventstore.checkpoints import origin_of
from eventstore.copying import Copied, NoSuchPosition, Place, copy
from eventstore.errors import CopyRefused, StoreUnfinished
from eventstore.lineage import begun_by, settle_epoch
from eventstore.log import Row
from eventstore.moments import recorded
from eventstore.outcomes import Envelope, Outcome, Refused
from eventstore.store import Store
from projections.areas import AREAS
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase
from projections.folding.past import KNOWN_AT, PastReader, PastViews
from projections.folding.reader import ViewsReader
from tests.clusters import Founded
from tests.eventstore import support
from tests.eventstore.support import ROOT, Cluster, open_store
from tests.everything import copy_of_everything, sent

BOARDS = [name for name in QUESTIONS if name not in ("case", "household")]
YEARS = {name: 2018 if name == "situation" else 2017 for name in BOARDS}
CODE = """
import sys
from eventstore import copying
from tests.eventstore.test_copying import place
copying.CHUNK = 100
copying.copy(place(sys.argv[1]), place(sys.argv[2]), until=int(sys.argv[3]))
"""


def place(where: support.Place) -> Place:
    if isinstance(where, Cluster):
        return Place(where.log, where.vault, where.folder / "vault.key")
    return Place.folder(where)


@dataclass
class Ends:
    """Where a store stands in which everything happened, where a copy of it goes, and its facts."""

    source: support.Place
    target: support.Place
    folder: Path
    rows: list[Row]
    outcomes: list[tuple[bytes, Outcome]]

    def copy(self, until: int | None) -> Copied:
        return copy(place(self.source), place(self.target), until=until)

    @property
    def within(self) -> int:
        """A position that ends no command: between two facts of one."""
        several = [one for _, one in self.outcomes if one.facts > 2]
        return max(one.position for one in several if one.position < 0.8 * len(self.rows)) - 1


@pytest.fixture(params=["folders", "to PostgreSQL", "from PostgreSQL"])
def ends(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ends]:
    folder = copy_of_everything(tmp_path / "of")
    source: support.Place = folder
    target: support.Place = tmp_path / "target"
    if request.param != "folders":
        made: Founded = request.getfixturevalue("cluster")
        there = Cluster(made.urls.database, made.urls.vault, tmp_path / "cluster")
        if request.param == "to PostgreSQL":
            target = there
        else:
            copy(place(folder), place(there))
            source = there
    store = open_store(folder)
    rows = store.log.rows(0, 100_000)
    stored = store.log.fetch("SELECT command, outcome FROM outcomes")
    store.close()
    outcomes = [(bytes(id), msgspec.json.decode(state, type=Outcome)) for id, state in stored]
    yield Ends(source, target, folder, rows, outcomes)


def answers(db: Any, store: Store, position: int) -> dict[str, Any]:
    """What the boards say, as JSON."""
    at = recorded(store.log, position)
    named = select(AREAS.c.id).where(AREAS.c.name.in_(("潜山县", "潜山市")))
    county = UUID(db.execute(named).scalars().one())
    given = {"at": at, "exercise": False, "held": store.clock.held_time}
    given["county"] = county
    found = {
        name: _answer(db, QUESTIONS[name], None, {**given, "year": YEARS[name]}) for name in BOARDS
    }
    return json.loads(msgspec.json.encode(found, enc_hook=str))  # type: ignore[no-any-return]


def test_totals_of_a_copy_are_what_the_original_knew_at_that_position(
    ends: Ends, tmp_path: Path
) -> None:
    """Asked of the original's past, and of views that the copy's own log makes."""
    original = open_store(ends.folder)
    past = PastViews(tmp_path / "past.sqlite", VIEWS)
    past.apply_frame(0, 0, len(ends.rows), ends.rows)
    past.close()
    position = ends.within
    told = ends.copy(position)
    assert told.events == position
    copied = open_store(ends.target)
    settle_epoch(copied)
    made = copied.log.rows(0, 100_000)
    assert made[:position] == ends.rows[:position]
    assert {row[3].partition(".")[0] for row in made[position:]} == {"Store"}
    views = ViewsDatabase(tmp_path / "ended.sqlite", VIEWS)
    views.apply_frame(0, 0, len(made), made)
    reader, then = ViewsReader(tmp_path / "ended.sqlite"), PastReader(tmp_path / "past.sqlite")
    KNOWN_AT.set(position)
    with reader() as there, then() as known:
        said, wanted = answers(there, copied, position), answers(known, original, position)
    assert said == wanted
    nothing = [
        name for name in ("situation", "stock", "funds", "ledger totals") if not wanted[name]
    ]
    assert nothing == []
    for closing in (reader, then, views, copied, original):
        closing.close()


def test_outcomes_of_commands_that_ended_by_then_are_there_and_no_others(ends: Ends) -> None:
    position = ends.within
    ends.copy(position)
    copied = open_store(ends.target)
    known = {bytes(row[0]) for row in copied.log.fetch("SELECT command FROM outcomes")}
    assert known == {id for id, one in ends.outcomes if one.position <= position}
    cut = next(id for id, one in ends.outcomes if one.position == position + 1)
    assert cut not in known, "a command of which a part is there has not ended"
    chance = random.Random(5)
    by_id = {one.id.bytes: one for one in sent(ends.folder)}
    again = [by_id[id] for id in sorted(known & by_id.keys())]
    for envelope in chance.sample(again, 20):
        answer = _answered(copied, envelope)
        assert answer.position <= position, "as the original answered"
    assert copied.head() == position, "nothing is done twice"
    copied.close()


def _answered(store: Store, envelope: Envelope) -> Outcome:
    plain = Envelope(id=envelope.id, officer=envelope.officer, command=envelope.command)
    try:
        receipt = store.run(plain)
    except Refused as refused:
        return refused.outcome
    assert receipt.repeated
    return Outcome(receipt.position)


def test_a_copy_says_that_it_is_one_and_goes_its_own_way(ends: Ends) -> None:
    position = ends.within
    original = open_store(ends.source)
    before = original.log.rows(0, 100_000)
    ends.copy(position)
    copied = open_store(ends.target)
    settle_epoch(copied)
    begun = begun_by(copied.log)
    assert begun is not None and (begun.cause, begun.head) == (Cause.COPY, position)
    reason = copied.texts.opened({"reason": begun.reason})["reason"]
    assert f"第 {position} 条" in reason and f"record {position}" in reason
    assert origin_of(copied) != origin_of(original) and origin_of(copied).endswith("/simulated")
    assert copied.log.mark("born") == original.log.mark("born")
    ended, now = recorded(copied.log, position), copied.clock.now()
    assert ended is not None and ended <= now < ended + timedelta(hours=1), "its time goes on"
    settled = copied.head()
    settle_epoch(copied)
    assert copied.head() == settled, "once"
    assert original.log.rows(0, 100_000) == before and original.clock.now() > now
    for store in (original, copied):
        store.close()


def test_whoever_was_erased_since_stays_erased(ends: Ends) -> None:
    original = open_store(ends.folder)
    erased = [f for f in original.read(0, len(ends.rows)) if isinstance(f.event, Person.Erased)]
    original.close()
    fact = erased[0]
    ends.copy(fact.position - 1)
    copied = open_store(ends.target)
    person: Any = copied.load(fact.event.originator_id)
    assert person is None or not copied.erased(person.id), "its log does not know it yet"
    keys = copied.vault.fetch(
        "SELECT count(*) FROM keys WHERE person = ?",
        (fact.event.person.bytes,),  # type: ignore[attr-defined]
    )
    assert keys[0][0] == 0
    copied.close()


def test_a_copy_killed_anywhere_goes_on_and_is_no_store_meanwhile(ends: Ends) -> None:
    position = ends.within
    for point in (1, 2, 4):
        env = {**os.environ, "RELIEF_KILL_AT": f"copying:{point}"}
        said = [str(ends.source), str(ends.target), str(position)]
        command = [sys.executable, "-c", CODE, *said]
        done = subprocess.run(command, cwd=ROOT, env=env, timeout=60)
        assert done.returncode == -signal.SIGKILL
        with pytest.raises(StoreUnfinished):
            open_store(ends.target).close()
    told = ends.copy(position)
    assert told.events == position
    for other in (position + 1, None):
        with pytest.raises(CopyRefused, match=f"record {position}"):
            ends.copy(other)
    with pytest.raises(CopyRefused):
        ends.copy(position - 1)
    store = open_store(ends.target)
    assert store.head() == position
    store.close()


def test_the_first_and_the_last_position_are_stores_too(ends: Ends, tmp_path: Path) -> None:
    head = len(ends.rows)
    for until in (1, head):
        target = tmp_path / f"until-{until}"
        assert copy(place(ends.source), Place.folder(target), until=until).events == until
        copied = open_store(target)
        settle_epoch(copied)
        assert copied.head() > until and begun_by(copied.log) is not None
        copied.close()
    for until in (-1, 0, head + 1):
        with pytest.raises(NoSuchPosition) as wrong:
            ends.copy(until)
        assert wrong.value.head == head


def test_the_command_says_up_to_where_and_what_cannot_be(tmp_path: Path) -> None:
    source, target = copy_of_everything(tmp_path / "of"), tmp_path / "target"

    def run(*words: str) -> Any:
        said = ["log", "copy", "--from", str(source), "--to", str(target), *words]
        return CliRunner().invoke(program(), said, env={"RELIEF_DATA": str(tmp_path)})

    for until in ("0", "99999999"):
        refused = run("--until", until)
        assert refused.exit_code == 1 and "--until 应为 1 至" in refused.output
        assert "--until is between 1 and" in refused.output
    done = run("--until", "900")
    assert done.exit_code == 0 and "截至第 900 条记录 · up to record 900" in done.output
    told = json.loads(run("--until", "900", "--json").stdout)
    assert told["events"] == 900
    assert isinstance(run().exception, CopyRefused)
    store = open_store(target)  # seals it anew: no seal of the original covers what ends earlier
    settle_epoch(store)
    facts = store.head()
    store.close()
    verify = ["audit", "verify", "--json"]
    verified = CliRunner().invoke(program(), verify, env={"RELIEF_DATA": str(target)})
    said = json.loads(verified.stdout)
    assert (said["ok"], said["facts"], said["unsealed_batches"]) == (True, facts, 0)
