"""What every back end must do about time, foreign topics, and other processes.

The second half of the contract; see `tests.eventstore.contract`.
"""

import functools
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from eventsourcing.persistence import StoredEvent

from domain.base import NOBODY, Meta
from eventstore import following
from eventstore.clock import Clock, SimulatedClock
from eventstore.errors import UnknownTopic
from eventstore.log import Log
from eventstore.outcomes import Receipt, Refused
from eventstore.postgres import PostgresLog
from eventstore.sqlite import SQLiteLog
from eventstore.store import Store
from tests.eventstore.support import (
    Place,
    elsewhere,
    envelope,
    found_town,
    loaded,
    named,
    new_unit,
    off_duty,
    officer,
    on_duty,
    put,
    send,
)

Open = Callable[[], Store]
LONG_POLL_SECONDS = 30.0
"""Who is not woken waits visibly long."""


class SteppedClock(Clock):
    """Tells what a test says."""

    def __init__(self, at: datetime) -> None:
        super().__init__()
        self.at = at

    def now(self) -> datetime:
        return self.at


class ProcessContract:
    """Cases for the fixtures ``place`` (where a store lives) and ``open`` (opens it)."""

    @pytest.fixture
    def store(self, open: Open) -> Iterator[Store]:
        store = found_town(open())
        yield store
        store.close()

    # -- time ---------------------------------------------------------------------------------

    def test_recorded_at_never_goes_back_though_the_clock_does(self, open: Open) -> None:
        store = found_town(open())
        noon = datetime.now(UTC) + timedelta(days=1)
        clock = store.writer.clock = SteppedClock(noon)
        send(store, new_unit("noon"), by="dispatcher")
        clock.at = noon - timedelta(hours=5)
        send(store, new_unit("jumped back"), by="dispatcher")
        store.close()
        again = open()
        again.writer.clock = SteppedClock(noon - timedelta(hours=9))
        send(again, new_unit("after a restart"), by="dispatcher")
        stamps = [f.event.meta.recorded_at for f in again.read(0, 10_000)]
        assert stamps == sorted(stamps)
        assert stamps[-3:] == [noon, noon, noon]
        again.close()

    def test_a_simulated_store_is_marked_from_birth_and_for_good(self, open: Open) -> None:
        began = datetime(2018, 7, 4, 0, tzinfo=UTC)
        store = open()
        store.begin_simulated(began)
        found_town(store)
        later = began + timedelta(days=3)
        wish = envelope(new_unit("simulated"), by="dispatcher")
        object.__setattr__(wish, "at", later)
        store.run(wish)
        assert store.read(store.head() - 1)[0].event.meta.recorded_at == later
        store.run_clock()
        store.close()
        again = open()
        assert again.simulated and isinstance(again.clock, SimulatedClock)
        assert timedelta(0) <= again.clock.now() - later < timedelta(minutes=1)
        again.begin_simulated(datetime(2030, 1, 1, tzinfo=UTC))
        assert again.clock.now() < datetime(2019, 1, 1, tzinfo=UTC)
        again.close()

    def test_a_simulated_load_that_broke_off_goes_on_at_its_last_moment(self, open: Open) -> None:
        """The clock of a demo finished by a second start once stood at its first day."""
        began = datetime(2018, 7, 4, 0, tzinfo=UTC)
        store = open()
        store.begin_simulated(began)
        found_town(store)
        later = began + timedelta(days=3)
        wish = envelope(new_unit("the last one"), by="dispatcher")
        object.__setattr__(wish, "at", later)
        store.run(wish)
        store.close()
        again = open()
        assert again.clock.now() == later
        again.close()

    def test_a_store_that_another_process_makes_just_now_is_no_damaged_one(
        self, open: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Between the looks at log and vault another process had given both their mark."""
        real = Log.mark
        made: list[Any] = []

        def mark(log: Log, key: str) -> str | None:
            found = real(log, key)
            if key == "born" and not made:
                made.append(None)
                made.append(open())
            return found

        for kind in (SQLiteLog, PostgresLog):
            monkeypatch.setattr(kind, "mark", mark)
        late = open()
        late.close()
        made[1].close()

    def test_processes_that_were_there_before_a_load_go_on_with_its_clock(self, open: Open) -> None:
        """An API process started on an empty store once wrote real time into a simulated one."""
        began = datetime(2018, 7, 4, 0, tzinfo=UTC)
        early, loader = open(), open()
        loader.begin_simulated(began)
        found_town(loader)
        during = open()
        assert early.simulated and early.clock.now() == began
        loader.run_clock()
        for other in (early, during):
            send(other, new_unit(f"by {id(other)}"), by="dispatcher")
            stamped = other.read(other.head() - 1)[0].event.meta.recorded_at
            assert timedelta(0) < stamped - began < timedelta(minutes=1)
            assert abs(other.clock.now() - loader.clock.now()) < timedelta(seconds=5)
        for store in (early, loader, during):
            store.close()

    def test_a_store_with_real_facts_cannot_become_simulated(self, store: Store) -> None:
        with pytest.raises(ValueError):
            store.begin_simulated(datetime(2018, 7, 4, tzinfo=UTC))
        wish = envelope(new_unit("told the time"), by="dispatcher")
        object.__setattr__(wish, "at", datetime(2018, 7, 4, tzinfo=UTC))
        with pytest.raises(ValueError):
            store.run(wish)

    def test_every_fact_says_who_where_and_by_which_command(self, store: Store) -> None:
        key = uuid4()
        receipt = send(store, new_unit("meta"), by="dispatcher", id=key)
        meta: Meta = store.read(receipt.position - 1)[0].event.meta
        assert (meta.actor, meta.role, meta.area) == (
            officer("dispatcher"),
            "dispatcher",
            named("county"),
        )
        assert (meta.command, meta.correlation, meta.division) == (key, key, named("county"))
        assert store.read(0, 1)[0].event.meta.actor == NOBODY

    # -- topics -------------------------------------------------------------------------------

    @pytest.mark.parametrize(
        "topic", ["os:system", "tests.eventstore.trap:Trap", "domain.unit:Unit.Registered", "Unit"]
    )
    def test_an_unknown_topic_is_refused_and_never_imported(self, store: Store, topic: str) -> None:
        import sys

        send(store, new_unit("trap"), by="dispatcher")
        row = store.log.stream_rows(named("unit/trap"))[0]
        stream = uuid4()
        position = put(store, StoredEvent(stream, 1, topic, row[4]))
        for read in (
            lambda: store.read(position[0] - 1),
            lambda: store.load(stream),
            lambda: store.history(stream),
        ):
            with pytest.raises(UnknownTopic):
                read()
        assert "tests.eventstore.trap" not in sys.modules
        again = send(store, new_unit("after the trap"), by="dispatcher")
        assert again.facts == 1, "who did not ask for that stream goes on"

    def test_the_streams_of_a_batch_are_read_together(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        send(store, new_unit("known"), by="dispatcher")
        store.writer.cache.forget()
        load, loaded_alone = store.writer.cache.load, []
        monkeypatch.setattr(
            store.writer.cache, "load", lambda stream: loaded_alone.append(stream) or load(stream)
        )
        units = [new_unit(f"new{n}") for n in range(5)]
        answers = store.run_many(
            [envelope(command, "dispatcher") for command in [*units, off_duty("known")]]
        )
        assert all(isinstance(answer, Receipt) for answer in answers), answers
        assert loaded_alone, "the officer is not named by the commands"
        read_ahead = {named(f"unit/new{n}") for n in range(5)} | {named("unit/known")}
        assert read_ahead.isdisjoint(loaded_alone)
        assert not loaded(store, named("unit/known")).on_duty

    def test_a_stream_that_cannot_be_read_fails_only_who_asks_for_it(self, store: Store) -> None:
        send(store, new_unit("spoiled"), by="dispatcher")
        row = store.log.stream_rows(named("unit/spoiled"))[0]
        put(store, StoredEvent(named("unit/spoiled"), 2, "Unit.Unheard", row[4]))
        send(store, new_unit("between"), by="dispatcher")
        store.writer.cache.forget()
        commands = [new_unit("one"), off_duty("spoiled"), new_unit("two")]
        answers = store.run_many([envelope(command, "dispatcher") for command in commands])
        assert [type(answer) for answer in answers] == [Receipt, UnknownTopic, Receipt], answers

    # -- other processes ----------------------------------------------------------------------

    def test_what_another_process_wrote_is_decided_upon(self, store: Store, place: Place) -> None:
        for n in range(3):
            send(store, new_unit(f"shared{n}"), by="dispatcher")
        with elsewhere("write", place) as other:
            for n in range(3):
                send(store, new_unit(f"own{n}"), by="dispatcher")
                other.stdin.write(f"shared{n}\n")
                other.stdin.flush()
                other.stdout.readline()
                with pytest.raises(Refused) as refused:
                    send(store, off_duty(f"shared{n}"), by="dispatcher")
                assert refused.value.problem.code == "unit-off-duty"
                send(store, on_duty(f"shared{n}"), by="dispatcher")
        assert [f.position for f in store.read(0, 9999)] == list(range(1, store.head() + 1))

    def test_a_follower_is_woken_by_its_own_process(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(following, "POLL_SECONDS", LONG_POLL_SECONDS)
        writes = [functools.partial(self._own, store, n) for n in range(20)]
        took = self._follow(store, writes, timeout=LONG_POLL_SECONDS)
        assert statistics.median(took) < LONG_POLL_SECONDS / 2, "woken, not by the poll"

    def test_a_follower_sees_what_another_process_wrote(self, store: Store, place: Place) -> None:
        for n in range(8):
            send(store, new_unit(f"far{n}"), by="dispatcher")
        with elsewhere("write", place) as other:

            def write(n: int) -> float:
                other.stdin.write(f"far{n}\n")
                other.stdin.flush()
                return float(other.stdout.readline().split()[0])

            took = self._follow(store, [functools.partial(write, n) for n in range(8)])
        assert len(took) == 8, "each came, by the poll at the latest"

    @staticmethod
    def _own(store: Store, n: int) -> float:
        send(store, new_unit(f"near{n}"), by="dispatcher")
        return time.time()

    @staticmethod
    def _follow(
        store: Store, writes: list[Callable[[], float]], timeout: float = 0.5
    ) -> list[float]:
        """Seconds from the end of each write to its arrival at a follower."""
        arrived: dict[int, float] = {}
        came = threading.Condition()
        first = store.head()
        last = first + len(writes)

        def follow() -> None:
            for batch in store.follow(first, timeout=timeout):
                with came:
                    for fact in batch:
                        arrived[fact.position] = time.time()
                    came.notify_all()
                if batch and batch[-1].position >= last:
                    return

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        took = []
        for n, write in enumerate(writes, start=first + 1):
            written = write()
            with came:
                assert came.wait_for(functools.partial(arrived.__contains__, n), timeout=60)
            took.append(max(0.0, arrived[n] - written))
        thread.join(timeout=60)
        return took
