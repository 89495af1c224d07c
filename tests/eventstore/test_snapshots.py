"""A snapshot is a cache: with it everything is as without it, and a wrong one is passed over."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from domain.base import Aggregate
from domain.catalog import AGGREGATES
from domain.person import Person
from domain.store import Cause
from domain.unit import Unit
from eventstore import snapshots
from eventstore.faults import SNAPSHOT_POINTS
from eventstore.lineage import begin_epoch
from eventstore.log import SNAPSHOT
from eventstore.outcomes import Refused
from eventstore.sqlite import SQLiteLog
from eventstore.states import packed, unpacked
from eventstore.store import Store
from tests.clusters import Founded
from tests.eventstore.erasing import erase_person, town_with_a_leaver
from tests.eventstore.support import (
    ROOT,
    Place,
    found_town,
    loaded,
    named,
    new_unit,
    off_duty,
    on_duty,
    open_store,
    send,
)
from tests.everything import copy_of_everything

UNIT = named("unit/u")


@pytest.fixture
def town(place: Place) -> Iterator[Store]:
    """A unit of seven facts, and snapshots after five."""
    store = found_town(open_store(place))
    store.snapshots.every = 5
    send(store, new_unit("u"), by="dispatcher")
    work(store, 3)
    yield store
    store.close()


def work(store: Store, times: int) -> None:
    """Two facts of the unit each time."""
    for _ in range(times):
        send(store, off_duty("u"), by="dispatcher")
        send(store, on_duty("u"), by="dispatcher")


def make(store: Store) -> None:
    """All snapshots that are due."""
    while store.snapshots.step():
        pass


def kept(store: Store, stream: UUID = UNIT) -> bool:
    """Whether there is a snapshot that this program would look at."""
    pieces = store.log.pieces([stream.bytes], store.snapshots.program)
    return any(topic.startswith(SNAPSHOT) for _, _, topic, _ in pieces)


def used(store: Store, stream: UUID = UNIT) -> bool:
    """Whether a stream is rebuilt from its snapshot. By both ways in which the writer loads it, and
    as pages load it, it is as replayed, whatever the snapshot."""
    store.writer.cache.forget()
    cache, by_facts = store.writer.cache, replayed(store, stream)
    pieces = store.log.pieces([stream.bytes], store.snapshots.program)
    counts = kept(store, stream)
    with suppress(Exception):
        store.snapshots.rebuilt(pieces)
        cache.read_ahead([stream.bytes], pieces)
    counts = counts and stream in cache.kept
    with store.log.transaction():
        assert state_of(cache.get(Unit, stream)) == state_of(by_facts)
        assert state_of(cache.load(stream)) == state_of(by_facts)
    assert state_of(store.load(stream)) == state_of(by_facts), "what pages look at"
    cache.forget()
    return counts


def replayed(store: Store, stream: UUID, position: int = 2**53) -> Aggregate | None:
    """The aggregate of its facts alone, from the first to the last that stood at a position."""
    found: Any = None
    for fact in store.history(stream):
        if fact.position <= position:
            found = fact.event.mutate(found)
    return found


def state_of(aggregate: Aggregate | None) -> dict[str, Any] | None:
    return None if aggregate is None else vars(aggregate)


def change(store: Store, sql: str, *args: Any) -> None:
    """As whoever holds the database might."""
    log = store.log
    with log._kept._writing() if isinstance(log, SQLiteLog) else log._keeping() as db:  # type: ignore[attr-defined]
        db.execute(sql, args)


# -- equal --------------------------------------------------------------------------------------


def test_every_aggregate_is_the_same_by_snapshot_and_by_replay(tmp_path: Path) -> None:
    store = Store.at(copy_of_everything(tmp_path), AGGREGATES)
    store.snapshots.every = 1
    streams = dict.fromkeys(fact.event.originator_id for fact in store.read(0, 1_000_000))
    make(store)
    seen: set[type[Aggregate]] = set()
    for stream in streams:
        assert used(store, stream), store.load(stream)
        seen.add(type(replayed(store, stream)))
    assert seen == set(AGGREGATES)
    store.close()


def test_pages_see_every_aggregate_as_of_a_position_the_same_by_snapshot_and_by_replay(
    tmp_path: Path,
) -> None:
    store = Store.at(copy_of_everything(tmp_path), AGGREGATES)
    store.snapshots.every = 2
    of_each: dict[UUID, list[int]] = {}
    for fact in store.read(0, 1_000_000):
        of_each.setdefault(fact.event.originator_id, []).append(fact.position)
    make(store)
    by_snapshot = 0
    for stream, facts in of_each.items():
        for position in {facts[-1], facts[-1] - 1, facts[len(facts) // 2], facts[0] - 1}:
            by_facts = replayed(store, stream, position)
            assert state_of(store.load(stream, position=position)) == state_of(by_facts)
            version = store.log.version_at(stream, position)
            if version:
                assert state_of(store.load(stream, version=version)) == state_of(by_facts)
        by_snapshot += kept(store, stream)
    assert by_snapshot > 100
    store.close()


def test_a_page_reads_no_more_facts_of_a_long_stream_than_came_since_its_snapshot(
    town: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stockpile of 20,000 facts was replayed for every look at what may be done with it."""
    decoded: list[str] = []
    decode = town.mapper.decode

    def counted(topic: str, state: bytes) -> Any:
        if topic.startswith("Unit."):
            decoded.append(topic)
        return decode(topic, state)

    work(town, 40)
    make(town)
    work(town, 2)
    by_facts = replayed(town, UNIT)
    monkeypatch.setattr(town.mapper, "decode", counted)
    world = town.world(town.head())
    found = world.look(Unit, UNIT)
    assert state_of(found) == state_of(by_facts) and found is world.look(Unit, UNIT)
    assert found is not None and found.version > 80
    assert len(decoded) <= 2 * town.snapshots.every


def test_one_that_has_gone_on_since_goes_on_from_its_snapshot(town: Store) -> None:
    make(town)
    assert used(town)
    work(town, 1)
    assert used(town)
    work(town, 3)
    before = town.log.pieces([UNIT.bytes], town.snapshots.program)
    make(town)
    after = town.log.pieces([UNIT.bytes], town.snapshots.program)
    assert before[0][1] < after[0][1] and used(town)
    send(town, off_duty("u"), by="dispatcher")
    with pytest.raises(Refused):
        send(town, off_duty("u"), by="dispatcher")


def test_a_short_stream_has_none(town: Store) -> None:
    send(town, new_unit("short"), by="dispatcher")
    make(town)
    assert not kept(town, named("unit/short")) and kept(town)


@pytest.mark.parametrize(
    "value",
    [
        {},
        {uuid4(): {"a": (1, Decimal("1.50"), None)}},
        [datetime(2018, 1, 1, 1, tzinfo=timezone(timedelta(hours=8))), None],
        {"x": (), "y": (uuid4(),), "z": (uuid4(), uuid4())},
        {date(2018, 1, 1): {1, 2}, date(2018, 1, 2): set()},
        {"a": {"b": {}}, "c": {"d": {"e": True}}},
        1.0,
    ],
)
def test_a_state_comes_back_type_by_type(value: Any) -> None:
    unit = Unit.__new__(Unit)
    vars(unit).update(held=value, _pending_events=[])
    state = packed(unit)
    assert state is not None
    back = unpacked(state, {"Unit": Unit}).held  # type: ignore[attr-defined]
    assert repr(back) == repr(value)


@pytest.mark.parametrize("value", [[1, "1", uuid4(), date(2018, 1, 1)], object(), {1: 2, "1": 3}])
def test_a_state_that_would_not_come_back_is_not_kept(value: Any) -> None:
    unit = Unit.__new__(Unit)
    vars(unit).update(held=value, _pending_events=[])
    assert packed(unit) is None


# -- wrong ones ---------------------------------------------------------------------------------


def test_a_forged_state_is_passed_over(town: Store) -> None:
    """Whoever can write to the database makes no unit that is on duty out of one that is not."""
    send(town, off_duty("u"), by="dispatcher")
    make(town)
    assert used(town)
    change(
        town,
        "UPDATE snapshots SET state = ?",
        _state(town).replace(b'"on_duty":false', b'"on_duty":true'),
    )
    assert kept(town) and not used(town)
    with pytest.raises(Refused):
        send(town, off_duty("u"), by="dispatcher")
    make_again(town)
    assert used(town), "it is made anew"


def _state(store: Store) -> bytes:
    state: bytes = store.log.pieces([UNIT.bytes], store.snapshots.program)[0][3][64:]
    assert b'"on_duty":false' in state
    return state


def make_again(store: Store) -> None:
    store.snapshots.take(UNIT)


@pytest.mark.parametrize("column", ["version", "fact", "mac", "state", "stream"])
def test_a_snapshot_that_was_changed_anywhere_is_passed_over(town: Store, column: str) -> None:
    send(town, new_unit("other"), by="dispatcher")
    make(town)
    if column == "version":
        change(town, "UPDATE snapshots SET version = version - 1")
    elif column == "stream":
        change(
            town,
            "UPDATE snapshots SET stream = ? WHERE stream = ?",
            named("unit/other").bytes,
            UNIT.bytes,
        )
    else:
        change(town, f"UPDATE snapshots SET {column} = ?", b"x" * 40)
    stream = named("unit/other") if column == "stream" else UNIT
    assert not used(town, stream)


def test_a_sealed_snapshot_of_another_epoch_or_program_is_not_even_looked_at(
    town: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(town)
    program = town.snapshots.program
    town.snapshots.program = b"another"
    assert not kept(town) and not used(town)
    change(town, "UPDATE snapshots SET program = ?", b"another")
    assert kept(town) and not used(town), "its seal tells by which program it was made"
    town.snapshots.program = program
    make_again(town)
    assert used(town)
    begin_epoch(town, Cause.OPERATOR)
    assert not kept(town) and not used(town)
    change(town, "UPDATE snapshots SET epoch = ?", town.log.mark("epoch"))
    assert kept(town) and not used(town)


def test_another_program_has_another_print(tmp_path: Path) -> None:
    for room in ("domain", "eventstore"):
        shutil.copytree(ROOT / room, tmp_path / room)
    ask = [sys.executable, "-c", "from eventstore.snapshots import program; print(program().hex())"]

    def told() -> str:
        return subprocess.run(ask, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    before = told()
    assert before == told() == f"{snapshots.program().hex()}\n"
    for file in ("domain/unit.py", "eventstore/mapper.py", "eventstore/states.py"):
        (tmp_path / file).write_text((tmp_path / file).read_text() + "\nX = 1\n")
        assert told() != before
        before = told()


def test_a_log_that_lost_its_end_is_replayed_and_not_gone_on_with(tmp_path: Path) -> None:
    """An older log put back by hand, beside newer snapshots, with the vault that made them."""
    here, saved = tmp_path / "here", tmp_path / "saved.sqlite"
    store = found_town(open_store(here))
    send(store, new_unit("u"), by="dispatcher")
    work(store, 2)
    with (
        closing(sqlite3.connect(here / "log.sqlite")) as live,
        closing(sqlite3.connect(saved)) as to,
    ):
        live.backup(to)
    send(store, off_duty("u"), by="dispatcher")
    store.snapshots.every = 1
    make(store)
    assert used(store) and not loaded(store, UNIT).on_duty
    store.close()
    for path in here.glob("log.sqlite*"):
        path.unlink()
    shutil.copyfile(saved, here / "log.sqlite")
    again = open_store(here)
    assert kept(again) and not used(again)
    send(again, off_duty("u", reason="another fact at the very version"), by="dispatcher")
    assert not used(again)
    again.close()


def test_the_file_may_be_anything_and_may_go(tmp_path: Path) -> None:
    store = found_town(open_store(tmp_path))
    send(store, new_unit("u"), by="dispatcher")
    store.snapshots.every = 1
    make(store)
    assert used(store)
    store.close()
    for content in (b"no database", b""):
        for path in tmp_path.glob("snapshots.sqlite*"):
            path.unlink()
        (tmp_path / "snapshots.sqlite").write_bytes(content)
        again = open_store(tmp_path)
        assert not used(again)
        send(again, off_duty("u"), by="dispatcher")
        send(again, on_duty("u"), by="dispatcher")
        again.close()


# -- when it is made ----------------------------------------------------------------------------


def test_it_is_made_of_stored_facts_and_past_the_order_lock(town: Store) -> None:
    """What the writer holds may be plainer than what it stored; and nobody waits for a snapshot."""
    town.run_many([])
    send(town, off_duty("u"), by="dispatcher")
    cached = town.writer.cache.kept[UNIT]
    assert cached is not None
    vars(cached)["note"] = "said in clear"
    with town.log.transaction():
        make(town)
        assert kept(town)
    pieces = town.log.pieces([UNIT.bytes], town.snapshots.program)
    assert b"in clear" not in pieces[0][3]
    town.writer.cache.forget()
    assert used(town)


def test_nothing_in_a_snapshot_is_plainer_than_in_the_log(tmp_path: Path) -> None:
    """No name of a person stands in a state that does not stand so in a fact."""
    folder = copy_of_everything(tmp_path)
    store = Store.at(folder, AGGREGATES)
    store.snapshots.every = 1
    make(store)
    store.effects.until(store.head(), 60)
    names = [name for (name,) in store.vault.fetch("SELECT name FROM name_entries")]
    assert len(names) > 50
    with closing(sqlite3.connect(folder / "snapshots.sqlite")) as db:
        whole = b"".join(state for (state,) in db.execute("SELECT state FROM snapshots"))
    facts = b"".join(row[4] for row in store.log.rows(0, 1_000_000))
    for name in names:
        assert (name.encode() in whole) <= (name.encode() in facts), name
    store.close()


def test_what_is_running_makes_them_by_itself(town: Store) -> None:
    town.snapshots.start(town.watch.wait)
    work(town, 2)
    deadline = datetime.now(UTC) + timedelta(seconds=30)
    while not kept(town) and datetime.now(UTC) < deadline:
        town.watch.wait(town.head(), 0.05)
    assert used(town)


def test_who_is_erased_is_dropped(place: Place) -> None:
    store = open_store(place)
    person = town_with_a_leaver(store)
    store.snapshots.every = 1
    make(store)
    of_them, other = Person.id_of(person, False), named("county")
    assert kept(store, of_them) and kept(store, other)
    erase_person(store, person)
    store.effects.erase()
    assert not kept(store, of_them) and kept(store, other)
    store.close()


@pytest.mark.parametrize("point", SNAPSHOT_POINTS)
def test_a_process_killed_while_it_keeps_one_has_lost_nothing(place: Place, point: str) -> None:
    store = found_town(open_store(place))
    send(store, new_unit("u"), by="dispatcher")
    work(store, 2)
    store.close()
    command = [sys.executable, "-m", "tests.eventstore.keeping_snapshots", str(place)]
    env = {**os.environ, "RELIEF_KILL_AT": f"{point}:2"}
    killed = subprocess.run(command, cwd=ROOT, env=env, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    again = open_store(place)
    again.snapshots.every = 1
    streams = dict.fromkeys(fact.event.originator_id for fact in again.read(0, 9_999))
    there = [stream for stream in streams if kept(again, stream)]
    assert len(there) == (2 if point == "after-snapshot" else 1)
    assert all(used(again, stream) for stream in there)
    make(again)
    assert all(used(again, stream) for stream in streams)
    again.close()


def test_the_programs_role_may_do_no_more_with_the_log_for_it(cluster: Founded) -> None:
    """It may change snapshots; facts stay what can only be added to."""
    with psycopg.connect(cluster.urls.database, autocommit=True) as session:
        session.execute("SET search_path TO log")
        session.execute("DELETE FROM snapshots")
        for sql in ("DELETE FROM events", "UPDATE events SET state = ''"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(sql.encode())
    with (
        psycopg.connect(cluster.urls.views) as session,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        session.execute("SELECT * FROM log.snapshots")
