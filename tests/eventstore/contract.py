"""What every back end of the event store must do. Subclasses give ``place`` and ``open``.

The same cases run on SQLite and on PostgreSQL.
"""

import asyncio
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import EventStore, IntegrityError, StoredEvent

from domain.area import Area
from domain.unit import Unit
from eventstore.errors import CommandIdReused, FactsUnsealed, StoreClosed
from eventstore.outcomes import Receipt, Refused
from eventstore.store import Store
from tests.eventstore.support import (
    envelope,
    found_town,
    loaded,
    named,
    new_codes,
    new_household,
    new_unit,
    off_duty,
    officer,
    on_duty,
    put,
    send,
)
from tests.id_numbers import id_number

Open = Callable[[], Store]


class LogContract:
    """Cases for the fixtures ``place`` (where a store lives) and ``open`` (opens it)."""

    @pytest.fixture
    def store(self, open: Open) -> Iterator[Store]:
        store = found_town(open())
        yield store
        store.close()

    # -- facts and their places ---------------------------------------------------------------

    def test_facts_are_read_in_the_order_of_their_commits_without_gaps(self, store: Store) -> None:
        before = store.head()
        receipts = [send(store, new_unit(f"u{n}"), by="dispatcher") for n in range(5)]
        assert [r.position for r in receipts] == list(range(before + 1, before + 6))
        facts = store.read(0, 10_000)
        assert [f.position for f in facts] == list(range(1, store.head() + 1))
        assert [f.event.originator_id for f in facts[-5:]] == [
            named(f"unit/u{n}") for n in range(5)
        ]
        assert [f.position for f in store.read(2, 3)] == [3, 4, 5]
        assert [f.position for f in store.read(2, 10, upto=4)] == [3, 4]

    def test_a_version_can_be_stored_once_only(self, store: Store) -> None:
        send(store, new_unit("once"), by="dispatcher")
        (row,) = store.log.stream_rows(named("unit/once"))
        head = store.head()
        with pytest.raises(IntegrityError):
            put(store, StoredEvent(UUID(bytes=row[1]), 1, row[3], row[4]))
        assert store.head() == head

    def test_a_stream_is_read_at_any_version_and_at_any_position(self, store: Store) -> None:
        unit = named("unit/past")
        at = [send(store, new_unit("past"), by="dispatcher").position]
        at.append(send(store, off_duty("past"), by="dispatcher").position)
        at.append(send(store, on_duty("past"), by="dispatcher").position)
        for version, duty in ((1, True), (2, False), (3, True)):
            then: Unit = loaded(store, unit, version=version)
            assert (then.version, then.on_duty) == (version, duty)
            assert loaded(store, unit, position=at[version - 1]).on_duty is duty
            assert store.log.version_at(unit, at[version - 1]) == version
        assert store.load(unit, position=at[0] - 1) is None
        assert store.log.version_at(unit, at[0] - 1) == 0
        assert loaded(store, unit).version == 3
        assert [f.position for f in store.history(unit)] == at

    def test_the_librarys_own_event_store_works_on_it(self, store: Store) -> None:
        unit = named("unit/library")
        send(store, new_unit("library"), by="dispatcher")
        send(store, off_duty("library"), by="dispatcher")
        library: EventStore[UUID] = EventStore(store.mapper, store.log)
        events = list(library.get(unit))
        assert [e.originator_version for e in events] == [1, 2]
        assert [e.originator_version for e in library.get(unit, desc=True, limit=1)] == [2]
        assert [e.originator_version for e in library.get(unit, gt=1)] == [2]
        (last,) = events[1:]
        with pytest.raises((FactsUnsealed, IntegrityError)):  # it knows of no seals either
            library.put([last])
        notes = store.log.select_notifications(start=1, limit=10_000)
        assert [n.id for n in notes] == list(range(1, store.head() + 1))
        assert store.log.max_notification_id() == store.head()
        topic = Unit.Registered.topic()
        found = store.log.select_notifications(start=1, limit=10, topics=[topic])
        assert [n.originator_id for n in found] == [unit]

    # -- idempotence --------------------------------------------------------------------------

    def test_a_repeated_command_gets_its_first_answer_and_adds_nothing(
        self, store: Store, open: Open
    ) -> None:
        key = uuid4()
        first = send(store, new_unit("again"), by="dispatcher", id=key)
        send(store, off_duty("again"), by="dispatcher")
        head = store.head()
        for asked in (store, open()):
            again = send(asked, new_unit("again"), by="dispatcher", id=key)
            assert (again.position, again.result, again.facts) == (first.position, {}, 1)
            assert again.repeated and not first.repeated
            assert asked.head() == head
            if asked is not store:
                asked.close()

    def test_the_first_answer_and_its_repeat_are_equal_in_every_figure(self, store: Store) -> None:
        key, wish = uuid4(), new_household("周全", id_number(8))
        first = send(store, wish, by="reporter", id=key)
        again = send(store, wish, by="reporter", id=key)
        assert first.result == again.result and first.result["persons"]

    def test_a_refusal_is_stored_and_repeated_though_it_would_pass_now(self, store: Store) -> None:
        key = uuid4()
        send(store, new_unit("late"), by="dispatcher")
        with pytest.raises(Refused) as first:
            send(store, on_duty("late"), by="dispatcher", id=key)
        send(store, off_duty("late"), by="dispatcher")
        with pytest.raises(Refused) as again:
            send(store, on_duty("late"), by="dispatcher", id=key)
        assert again.value.problem == first.value.problem
        assert first.value.problem.code == "unit-on-duty"
        assert first.value.problem.zh and first.value.problem.en
        assert loaded(store, named("unit/late")).on_duty is False

    def test_a_command_id_serves_one_wish_of_one_actor(self, store: Store) -> None:
        key = uuid4()
        send(store, new_unit("mine"), by="dispatcher", id=key)
        head = store.head()
        with pytest.raises(CommandIdReused):
            send(store, new_unit("mine", size=6), by="dispatcher", id=key)
        with pytest.raises(CommandIdReused):
            send(store, off_duty("mine"), by="dispatcher", id=key)
        with pytest.raises(CommandIdReused):
            send(store, new_unit("mine"), by="dispatcher2", id=key)
        assert store.head() == head

    def test_a_repeat_within_one_batch_takes_effect_once(self, store: Store) -> None:
        head, key = store.head(), uuid4()
        wish = envelope(new_unit("twin"), by="dispatcher", id=key)
        other = envelope(new_unit("twin", size=9), by="dispatcher", id=key)
        first, again, changed = store.run_many([wish, wish, other])
        assert isinstance(first, Receipt) and isinstance(again, Receipt)
        assert again.repeated and again.position == first.position
        assert isinstance(changed, CommandIdReused)
        assert store.head() == head + 1

    def test_a_repeat_by_an_officer_who_lost_the_post_is_refused(self, store: Store) -> None:
        from domain.commands.officers import SuspendOfficer

        key = uuid4()
        send(store, new_unit("lost"), by="dispatcher", id=key)
        send(store, SuspendOfficer(officer=officer("dispatcher"), reason="调查"), by="admin")
        with pytest.raises(Refused) as refused:
            send(store, new_unit("lost"), by="dispatcher", id=key)
        assert refused.value.problem.code == "officer-suspended"

    # -- batches ------------------------------------------------------------------------------

    def test_a_refused_command_fails_alone(self, store: Store) -> None:
        answers = store.run_many(
            [
                envelope(new_unit("a"), by="dispatcher"),
                envelope(on_duty("a"), by="dispatcher"),
                envelope(off_duty("a"), by="dispatcher"),
                envelope(new_unit("b"), by="reporter"),
                envelope(new_unit("b"), by="dispatcher"),
            ]
        )
        kinds = [type(answer) for answer in answers]
        assert kinds == [Receipt, Refused, Receipt, Refused, Receipt]
        assert loaded(store, named("unit/a")).version == 2
        assert loaded(store, named("unit/b")).version == 1

    def test_what_a_command_began_before_its_refusal_is_undone(self, store: Store) -> None:
        """Two areas had their new code already when the third was refused."""
        head = store.head()
        good = [("village", "340882101301"), ("village2", "340882101302")]
        answers = store.run_many(
            [
                envelope(new_codes(("village", "340882101201"))),
                envelope(new_codes(*good, ("township", "no code"))),
                envelope(new_codes(("village", "340882101401"))),
                envelope(new_codes(("village2", "340882101402"))),
            ]
        )
        assert isinstance(answers[1], Refused) and store.head() == head + 3
        village: Area = loaded(store, named("village"))
        assert (village.code, village.version) == ("340882101401", 3)
        assert loaded(store, named("village2")).code == "340882101402"
        assert loaded(store, named("township")).version == 1

    @pytest.mark.parametrize("fault", [False, True])
    def test_what_is_undone_is_undone_without_reading_its_history(
        self, store: Store, monkeypatch: pytest.MonkeyPatch, fault: bool
    ) -> None:
        """Under the order lock, where every other process waits: 812 ms for 20,229 facts once."""
        for n in range(40):
            send(store, new_codes(("village", f"3408821012{n:02d}")))
        good = ("village", "340882101301")
        refused = new_codes(good, ("village2" if fault else "township", "no code"))
        accepted = new_codes(("village2", "340882101302"))
        send(store, accepted)
        decoded: list[str] = []
        decode = store.mapper.decode

        def counted(topic: str, state: bytes) -> Any:
            decoded.append(topic)
            return decode(topic, state)

        monkeypatch.setattr(store.mapper, "decode", counted)
        if fault:
            monkeypatch.setattr(store.mapper, "encode", lambda event: 1 / 0)
            refused = new_codes(good)
        kind = ZeroDivisionError if fault else Refused
        with pytest.raises(kind):
            send(store, refused)
        monkeypatch.undo()
        assert decoded == []
        assert send(store, new_codes(good)).facts == 1
        assert loaded(store, named("village")).version == 42

    def test_a_fault_of_ours_fails_one_command_and_keeps_no_half_of_it(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        head, real, count = store.head(), store.mapper.encode, [0]

        def failing(event: Any) -> bytes:
            count[0] += 1
            if count[0] == 3:
                raise TypeError("cannot be stored")
            return real(event)

        monkeypatch.setattr(store.mapper, "encode", failing)
        answers = store.run_many(
            [
                envelope(new_unit("before"), by="dispatcher"),
                envelope(new_codes(("village", "340882101201"), ("village2", "340882101202"))),
                envelope(new_codes(("village", "340882101301"))),
            ]
        )
        assert [type(answer) for answer in answers] == [Receipt, TypeError, Receipt]
        assert store.head() == head + 2
        assert loaded(store, named("village")).code == "340882101301"
        assert loaded(store, named("village2")).version == 1

    def test_nobody_stands_on_the_id_of_a_person_in_no_household(self, store: Store) -> None:
        """An officer's person is shown; whoever opened a unit under it locked them out."""
        from domain.commands.officers import RegisterOfficer

        number = id_number(83)
        register = RegisterOfficer(
            person=uuid4(), full_name="欧阳在编", area=named("county"), id_number=number
        )
        person = UUID(str(send(store, register).result["person"]))
        unit = replace(new_unit("a"), unit=person)
        again = replace(register, person=person, id_number=None)
        for command, by in ((unit, "dispatcher"), (again, "admin")):
            with pytest.raises(Refused) as refused:
                send(store, command, by=by)
            assert refused.value.problem.code == "id-not-fresh"
        home = send(store, new_household("欧阳在编", number, key="his"), by="reporter")
        assert home.result["persons"] == [str(person)]

    def test_a_client_made_id_taken_by_another_kind_is_refused_alone(self, store: Store) -> None:
        """A unique violation at the insert would have failed everybody's batch, for ever."""
        clash = new_unit("clash")
        object.__setattr__(clash, "unit", named("village"))
        bad, good = store.run_many(
            [envelope(clash, by="dispatcher"), envelope(new_unit("fine"), by="dispatcher")]
        )
        assert isinstance(bad, Refused) and bad.problem.code == "already-exists"
        assert isinstance(good, Receipt)

    def test_concurrent_commands_share_transactions(self, store: Store) -> None:
        transactions = 0
        real = store.log.transaction

        def counted() -> Any:
            nonlocal transactions
            transactions += 1
            return real()

        store.log.transaction = counted  # type: ignore[method-assign]
        with ThreadPoolExecutor(16) as pool:
            receipts = list(
                pool.map(lambda n: send(store, new_unit(f"c{n}"), by="dispatcher"), range(160))
            )
        assert sorted(r.position for r in receipts) == list(
            range(store.head() - 159, store.head() + 1)
        )
        assert transactions < 160 / 2, transactions

    def test_hot_streams_take_concurrent_commands_without_conflicts(self, store: Store) -> None:
        send(store, new_unit("hot"), by="dispatcher")

        def toggle(n: int) -> str:
            try:
                send(store, off_duty("hot") if n % 2 else on_duty("hot"), by="dispatcher")
            except Refused as refusal:
                return refusal.problem.code
            return "done"

        with ThreadPoolExecutor(8) as pool:
            said = list(pool.map(toggle, range(80)))
        done = said.count("done")
        assert set(said) <= {"done", "unit-on-duty", "unit-off-duty"} and done
        assert loaded(store, named("unit/hot")).version == 1 + done

    def test_bulk_work_answers_in_order_over_many_transactions(self, store: Store) -> None:
        wishes = [envelope(new_unit(f"m{n}"), by="dispatcher") for n in range(600)]
        answers = store.run_many(wishes)
        assert all(isinstance(answer, Receipt) for answer in answers)
        assert [a.command for a in answers if isinstance(a, Receipt)] == [w.id for w in wishes]
        again = store.run_many(wishes)
        assert all(isinstance(a, Receipt) and a.repeated for a in again)

    def test_a_single_command_is_not_starved_by_bulk_work_of_its_own_process(
        self, store: Store
    ) -> None:
        stop = threading.Event()
        turns: list[float] = []

        def bulk() -> None:
            n = 0
            while not stop.is_set():
                began = time.perf_counter()
                store.run_many(
                    [envelope(new_unit(f"b{n + k}"), by="dispatcher") for k in range(64)]
                )
                turns.append(time.perf_counter() - began)
                n += 64

        thread = threading.Thread(target=bulk)
        thread.start()
        waits = []
        try:
            for n in range(20):
                began, done = time.perf_counter(), len(turns)
                send(store, new_unit(f"single{n}"), by="dispatcher")
                waits.append((time.perf_counter() - began, len(turns) - done))
        finally:
            stop.set()
            thread.join()
        assert statistics.median(batches for _, batches in waits) <= 2, waits

    def test_an_event_loop_can_ask(self, store: Store) -> None:
        async def ask() -> list[Receipt]:
            wishes = [envelope(new_unit(f"a{n}"), by="dispatcher") for n in range(40)]
            return await asyncio.gather(*[store.arun(wish) for wish in wishes])

        receipts = asyncio.run(ask())
        assert len({r.position for r in receipts}) == 40

        async def refused() -> None:
            await store.arun(envelope(on_duty("a1"), by="dispatcher"))

        with pytest.raises(Refused):
            asyncio.run(refused())

    def test_who_left_before_the_answer_stops_nobody_else(self, store: Store) -> None:
        async def leave() -> None:
            task = asyncio.ensure_future(store.arun(envelope(new_unit("left"), by="dispatcher")))
            await asyncio.sleep(0)
            task.cancel()

        for _ in range(3):
            asyncio.run(leave())
        assert send(store, new_unit("stayed"), by="dispatcher").facts == 1

    def test_a_closed_store_says_so(self, open: Open) -> None:
        store = found_town(open())
        store.close()
        with pytest.raises(StoreClosed):
            send(store, new_unit("x"), by="dispatcher")
