"""The store when PostgreSQL, a session or another process of ours does not do what it should."""

import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from cli.trial.postgres import PostgresServer
from eventstore import following, postgres
from eventstore.accounts import Accounts
from eventstore.errors import StoreError, StoreLocked, StoreUnreachable
from eventstore.log import Row
from eventstore.outcomes import Receipt
from eventstore.postgres import MOST_READERS, PostgresLog
from eventstore.store import Store
from tests.clusters import Founded, founded
from tests.eventstore.support import (
    elsewhere,
    found_town,
    loaded,
    named,
    new_household,
    new_unit,
    off_duty,
    officer,
    on_duty,
    open_store,
    send,
)
from tests.faults import PATIENCE_SECONDS, Told, count
from tests.id_numbers import id_number
from tests.proxy import CutProxy

CUTS = count(12, 100)
HELD_SECONDS = count(9.0, 20.0)


@pytest.fixture
def town(cluster: Founded) -> Iterator[Store]:
    store = found_town(open_store(cluster.place))
    yield store
    store.close()


def log_of(store: Store) -> PostgresLog:
    assert isinstance(store.log, PostgresLog)
    return store.log


def end_sessions(admin: str, like: str) -> int:
    """End the sessions whose last statement is like this; how many there were."""
    with psycopg.connect(admin) as there:
        asked = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database() AND query LIKE %s"
        )
        return len(there.execute(asked, (like,)).fetchall())


def until_accepted(store: Store, name: str) -> float:
    """Send one command until it is accepted; how long that took."""
    began, key = time.monotonic(), uuid4()
    while True:
        try:
            send(store, new_unit(name), by="dispatcher", id=key)
        except StoreError:
            assert time.monotonic() - began < PATIENCE_SECONDS
        else:
            return time.monotonic() - began


# -- other processes ------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["idle", "copy"])
def test_a_stopped_writer_lets_the_others_go_on(town: Store, cluster: Founded, where: str) -> None:
    """No timeout of the server ends a session that waits for the rest of a COPY: we do."""
    head = town.head()
    with elsewhere("stand", cluster.place, where):
        with psycopg.connect(cluster.admin, autocommit=True) as there:
            held = (
                "SELECT count(*) FROM pg_locks WHERE relation = 'log.turn'::regclass"
                " AND mode = 'ExclusiveLock' AND granted"
            )
            while there.execute(held).fetchone() != (1,):
                time.sleep(0.01)
        took = until_accepted(town, "after it")
    print(f"{where}: {took:.1f} s")
    assert town.head() == head + 1, "and nothing of the stopped one is stored"


def test_a_listener_wakes_faster_than_the_poll(
    town: Store, cluster: Founded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "POLL_SECONDS", 30.0)
    with elsewhere("write", cluster.place) as other:
        took = _arrivals(town, other, 8)
    print([round(t, 3) for t in took])
    assert statistics.median(took) < 15, "woken, not by the poll of half a minute"


def test_the_poll_backs_up_a_listener_that_was_cut_off(
    town: Store, cluster: Founded, monkeypatch: pytest.MonkeyPatch
) -> None:
    _arrivals_of_own(town)
    monkeypatch.setattr(postgres, "LISTEN_AGAIN_SECONDS", 600.0)
    assert end_sessions(cluster.admin, "LISTEN%") == 1
    with elsewhere("write", cluster.place) as other:
        took = _arrivals(town, other, 4)
    assert max(took) < postgres.LISTEN_AGAIN_SECONDS, "by the poll, not by listening again"


def test_a_listener_that_was_cut_off_listens_again(
    town: Store, cluster: Founded, monkeypatch: pytest.MonkeyPatch
) -> None:
    _arrivals_of_own(town)
    assert end_sessions(cluster.admin, "LISTEN%") == 1
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not end_sessions(cluster.admin, "LISTEN%"):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_forged_note_makes_nobody_believe_in_facts(town: Store, cluster: Founded) -> None:
    """Any role may NOTIFY; a reader that took its word would ask the database without pause."""
    _arrivals_of_own(town)
    asked = 0
    real = town.log.head

    def counted() -> int:
        nonlocal asked
        asked += 1
        return real()

    town.log.head = counted  # type: ignore[method-assign]
    with psycopg.connect(cluster.urls.vault, autocommit=True) as there:
        there.execute("NOTIFY relief_log, '999999999'")
        there.execute("NOTIFY relief_log, 'no number'")
    head = real()
    assert town.watch.wait(head, 1.0) == head
    assert asked < 20
    listener = log_of(town)._listener
    assert listener is not None and listener.is_alive()


def _arrivals_of_own(town: Store) -> None:
    """Have a follower, so that somebody listens."""
    town.watch.wait(town.head(), 0.6)


def _arrivals(town: Store, other: object, count: int) -> list[float]:
    """Seconds from a commit of the other process to its arrival here."""
    stdin, stdout = other.stdin, other.stdout  # type: ignore[attr-defined]
    took = []
    for n in range(count):
        name = f"far{n}"
        send(town, new_unit(name), by="dispatcher")
        head = town.head()
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(_arrival, town, head)
            time.sleep(0.05)
            stdin.write(name + "\n")
            stdin.flush()
            written = float(stdout.readline().split()[0])
            took.append(max(0.0, waiting.result(40) - written))
    return took


def _arrival(town: Store, head: int) -> float:
    assert town.watch.wait(head, 35) > head
    return time.time()


# -- lost sessions --------------------------------------------------------------------------------


def test_after_a_kill_of_the_server_all_goes_on_by_itself(tmp_path: Path) -> None:
    with PostgresServer(tmp_path / "server") as server, founded(server, tmp_path) as made:
        store = found_town(open_store(made.place))
        accounts = Accounts(store.vault)
        accounts.set_password("dispatcher", officer("dispatcher"), "correct horse")
        token, session = accounts.log_in("dispatcher", "correct horse")
        send(store, new_household("孙一", id_number(1)), by="reporter")
        head = store.head()
        with ThreadPoolExecutor(MOST_READERS) as pool:
            assert set(pool.map(lambda _: store.head(), range(64))) == {head}
            server.kill()
            with pytest.raises(StoreUnreachable):
                send(store, new_unit("while it is away"), by="dispatcher")
            with pytest.raises(StoreUnreachable):
                store.head()
            server.start()
            assert send(store, new_unit("first"), by="dispatcher").position == head + 1
            assert set(pool.map(lambda _: store.head(), range(64))) == {head + 1}
        assert accounts.session(token, "session") == session
        assert accounts.log_in("dispatcher", "correct horse")[1].officer == session.officer
        household = loaded(store, named("household/孙一"))
        (member,) = household.members.values()
        assert store.vault.reveal(member.name, household.id, "name") == "孙一"
        send(store, new_household("孙二", id_number(2)), by="reporter")
        store.close()


def test_a_transaction_whose_session_was_lost_writes_nothing(town: Store, cluster: Founded) -> None:
    """It once went on in a new session, where each row committed by itself, without the lock."""
    log, head = log_of(town), town.head()
    row: Row = (head + 1, uuid4().bytes, 1, "none", b"{}")
    for step in ("append", "commit"):
        with pytest.raises(StoreUnreachable), log.transaction() as db:
            if step == "commit":
                log.append(db, [row])
            assert end_sessions(cluster.admin, "LOCK TABLE%") == 1
            with suppress(psycopg.Error):
                db.execute("SELECT 1")
            if step == "append":
                log.append(db, [row])
    assert town.head() == head
    assert send(town, new_unit("next"), by="dispatcher").position == head + 1


def test_a_commit_that_the_server_turned_into_a_rollback_is_no_commit(town: Store) -> None:
    """PostgreSQL says ROLLBACK to the COMMIT of a failed transaction, and calls it a success."""
    log, head = log_of(town), town.head()
    with pytest.raises(StoreUnreachable), log.transaction() as db:
        town.seals.put(db, [(head + 1, uuid4().bytes, 1, "none", b"{}")])
        with suppress(psycopg.Error):
            db.execute("SELECT 1 / 0")
    assert town.head() == head
    assert send(town, new_unit("next"), by="dispatcher").position == head + 1


def test_two_threads_do_not_share_a_transaction(town: Store) -> None:
    head = town.head()
    send(town, new_unit("warm"), by="dispatcher")

    def work(n: int) -> None:
        town.log.set_mark(f"mark{n}", "there")
        send(town, new_unit(f"w{n}"), by="dispatcher")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(40)))
    assert town.head() == head + 41
    assert [town.log.mark(f"mark{n}") for n in range(40)] == ["there"] * 40


@pytest.mark.parametrize("lost", ["replies", "requests"])
def test_a_command_is_stored_once_however_its_commit_was_lost(
    cluster: Founded, lost: str, record_property: Told
) -> None:
    """The library told its caller "conflict" though the events were stored."""
    with CutProxy(cluster.database.server.port) as proxy:
        store = found_town(cluster.place.open(proxy.through(cluster.place.log)))
        send(store, new_unit("hot"), by="dispatcher")
        head = store.head()
        for n in range(CUTS):
            getattr(proxy, f"cut_{lost}")(1)
            unit = send(store, new_unit(f"cut{n}"), by="dispatcher")
            assert (unit.position, unit.facts, unit.repeated) == (head + 1, 1, False)
            getattr(proxy, f"cut_{lost}")(1)
            hot = send(store, off_duty("hot") if n % 2 == 0 else on_duty("hot"), by="dispatcher")
            head = hot.position
            assert (hot.facts, hot.repeated, head) == (1, False, unit.position + 1)
        assert proxy.cuts == 2 * CUTS
        rows = store.log.rows(0, 100_000)
        assert [row[0] for row in rows] == list(range(1, head + 1))
        assert loaded(store, named("unit/hot")).version == 1 + CUTS
        store.close()
    told = f"{proxy.cuts} {lost} of COMMIT lost, {2 * CUTS} commands: each stored and answered once"
    record_property("A2", told)


def test_many_commands_over_a_line_that_breaks_anywhere(cluster: Founded) -> None:
    """Each is sent until it is answered; stored once, and in an order without gaps."""
    with CutProxy(cluster.database.server.port) as proxy:
        store = found_town(cluster.place.open(proxy.through(cluster.place.log)))
        head = store.head()
        proxy.cut_randomly(0.1, 7)

        def work(n: int) -> int:
            key = uuid4()
            while True:
                with suppress(StoreError):
                    return send(store, new_unit(f"r{n}"), by="dispatcher", id=key).position

        with ThreadPoolExecutor(4) as pool:
            positions = list(pool.map(work, range(10 * CUTS)))
        proxy.heal()
        assert proxy.cuts > CUTS / 4
        assert sorted(positions) == list(range(head + 1, head + 1 + 10 * CUTS))
        assert store.head() == head + 10 * CUTS
        store.close()


# -- A15: locks and pools -------------------------------------------------------------------------


@contextmanager
def holding(admin: str) -> Iterator[Callable[[], object]]:
    """The order lock, held by somebody who is awake; call to let go."""
    with psycopg.connect(admin) as there:
        there.execute("LOCK TABLE log.turn IN EXCLUSIVE MODE")
        yield there.rollback


def test_a_held_lock_is_told_within_five_seconds_and_leaves_nothing_behind(
    town: Store, cluster: Founded, record_property: Told
) -> None:
    send(town, new_unit("warm"), by="dispatcher")
    threads = threading.active_count()
    answers: list[tuple[float, object]] = []

    def ask(n: int) -> None:
        began = time.monotonic()
        try:
            said: object = send(town, new_unit(f"held{n}"), by="dispatcher")
        except StoreError as problem:
            said = problem
        answers.append((time.monotonic() - began, said))

    with holding(cluster.admin) as let_go:
        began, askers = time.monotonic(), list[threading.Thread]()
        while time.monotonic() - began < HELD_SECONDS:
            askers.append(threading.Thread(target=ask, args=(len(askers),)))
            askers[-1].start()
            time.sleep(0.5)
        assert town.head() > 0, "reading goes on"
        let_go()
        for asker in askers:
            asker.join(10)
        recovered = until_accepted(town, "after it")
    told = [took for took, said in answers if isinstance(said, StoreLocked)]
    assert len(told) > 8 and all(isinstance(said, Receipt | StoreLocked) for _, said in answers)
    record_property(
        "A15",
        f"order lock held {HELD_SECONDS:g} s, {len(answers)} commands: {len(told)} told 503 within "
        f"{max(told):.1f} s, recovered in {recovered:.2f} s",
    )
    assert max(told) < HELD_SECONDS, "told while the lock was held, not when it came free"
    assert threading.active_count() <= threads


def test_a_pool_without_a_free_session_is_told_and_recovers(town: Store) -> None:
    log = log_of(town)
    with ThreadPoolExecutor(MOST_READERS) as pool:
        busy = [pool.submit(log.fetch, "SELECT pg_sleep(6)") for _ in range(MOST_READERS)]
        time.sleep(1)
        with pytest.raises(StoreLocked):
            town.head()
        assert send(town, new_unit("writing goes on"), by="dispatcher").facts == 1
        for work in busy:
            work.result()
        assert town.head() > 0


def test_statements_that_somebody_deallocated_are_prepared_again(town: Store) -> None:
    """psycopg does so by itself after a ROLLBACK that it sees."""
    log, head = log_of(town), town.head()
    send(town, new_unit("before"), by="dispatcher")
    with pytest.raises(RuntimeError), log.transaction() as db:
        for _ in range(10):  # psycopg prepares what comes often
            db.execute("SELECT 1")
        raise RuntimeError
    send(town, new_unit("after a rollback"), by="dispatcher")
    log.session.execute("DEALLOCATE ALL")
    assert send(town, new_unit("after all"), by="dispatcher").position == head + 3
