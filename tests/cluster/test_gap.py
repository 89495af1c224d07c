"""A reader that follows the log misses nothing, whatever commits beside it (A14).

With its teeth: the library's own recorder, told to insert by functions of the database, lets
positions become visible out of order, and a reader passes over what commits late.
"""

import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

from cli.trial.postgres import PostgresServer
from eventstore.postgres import PostgresLog
from tests.clusters import Founded
from tests.faults import Told, count
from tests.servers import fresh_database

SECONDS = count(5.0, 15.0)
TEETH_SECONDS = 30.0
WRITERS = 8
READERS = 2
LARGEST_BATCH = 1000

Write = Callable[[Sequence[StoredEvent]], object]
Read = Callable[[int], list[int]]
"""The next positions after one, as a reader sees them now."""


def batch_of(chance: random.Random) -> list[StoredEvent]:
    """One to a thousand first facts of new streams; small batches are as frequent as large ones."""
    size = int(LARGEST_BATCH ** chance.random())
    return [StoredEvent(uuid4(), 1, "none", b"x" * 60) for _ in range(size)]


def race(writers: Sequence[Write], readers: Sequence[Read], seconds: float) -> list[set[int]]:
    """Write and read side by side, then read to the end; what each reader saw."""
    stop, ended = threading.Event(), threading.Event()
    seen: list[set[int]] = [set() for _ in readers]
    problems: list[BaseException] = []

    def write(n: int, insert: Write) -> None:
        chance = random.Random(n)
        while not stop.is_set():
            insert(batch_of(chance))

    def follow(read: Read, into: set[int]) -> None:
        after = 0
        while True:
            last_pass = ended.is_set()
            found = read(after)
            into.update(found)
            after = found[-1] if found else after
            if last_pass and not found:
                return

    def guarded(work: Callable[..., None], *args: object) -> None:
        try:
            work(*args)
        except BaseException as problem:
            problems.append(problem)
            stop.set()

    writing = [
        threading.Thread(target=guarded, args=(write, n, insert))
        for n, insert in enumerate(writers)
    ]
    reading = [
        threading.Thread(target=guarded, args=(follow, read, into))
        for read, into in zip(readers, seen, strict=True)
    ]
    for thread in [*writing, *reading]:
        thread.start()
    stop.wait(seconds)
    stop.set()
    for thread in writing:
        thread.join()
    ended.set()
    for thread in reading:
        thread.join()
    assert not problems, problems
    return seen


def test_a_reader_misses_nothing_while_eight_write(cluster: Founded, record_property: Told) -> None:
    with ExitStack() as stack:
        logs = [PostgresLog(cluster.urls.database) for _ in range(WRITERS + READERS)]
        for log in logs:
            stack.callback(log.close)

        def reader(log: PostgresLog) -> Read:
            return lambda after: [row[0] for row in log.rows(after, 5000)]

        seen = race(
            [log.insert_events for log in logs[:WRITERS]],
            [reader(log) for log in logs[WRITERS:]],
            SECONDS,
        )
        head = logs[0].head()
        stored = {row[0] for row in logs[0].fetch("SELECT position FROM events")}
    missed = [len(stored - there) for there in seen]
    record_property("A14", f"{head} facts of {WRITERS} writers in {SECONDS:g} s: {missed} missed")
    assert stored == set(range(1, head + 1)), "positions have no gaps"
    assert head > 2000
    assert missed == [0] * READERS


def test_the_librarys_functions_do_let_a_reader_miss_facts(
    postgres: PostgresServer, record_property: Told
) -> None:
    """What the gap test can see, and why `PostgresLog` refuses POSTGRES_ENABLE_DB_FUNCTIONS."""
    deadline = time.monotonic() + TEETH_SECONDS
    missed = 0
    while not missed and time.monotonic() < deadline:
        with fresh_database(postgres) as database:
            there = urlsplit(database.url())
            store = PostgresDatastore(
                dbname=database.name,
                host="127.0.0.1",
                port=there.port or 0,
                user=there.username or "",
                password=unquote(there.password or ""),
                pool_size=WRITERS + READERS,
                enable_db_functions=True,
            )
            try:
                recorder = PostgresApplicationRecorder(store)
                recorder.create_table()

                def read(after: int, recorder: PostgresApplicationRecorder = recorder) -> list[int]:
                    found = recorder.select_notifications(after + 1, 5000)
                    return [note.id for note in found]

                seen = race([recorder.insert_events] * WRITERS, [read] * READERS, 3.0)
                stored = set[int]()
                while found := read(max(stored, default=0)):
                    stored.update(found)
            finally:
                store.close()
        missed = sum(len(stored - there) for there in seen)
    record_property("A14", f"with functions of the database: {missed} missed")
    assert missed
