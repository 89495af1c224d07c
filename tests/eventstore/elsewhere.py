"""Tasks for a second process on the same store: real ones, since caches and locks are a process's.

``python -m tests.eventstore.elsewhere TASK PLACE …`` prints ``ready`` and then does one step for
each line on its standard input, printing the result.
"""

import os
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

from eventstore.log import Row
from eventstore.postgres import PostgresLog
from tests.eventstore.support import (
    Cluster,
    Place,
    destroy_person,
    envelope,
    found_town,
    new_unit,
    off_duty,
    open_store,
    place_of,
    send,
)


def say(text: object) -> None:
    print(text, flush=True)


def write(folder: Place) -> None:
    """Each line ``name``: takes that unit off duty. Answers time of the commit and position."""
    store = open_store(folder)
    say("ready")
    for line in sys.stdin:
        receipt = send(store, off_duty(line.strip()), by="dispatcher")
        say(f"{time.time()} {receipt.position}")
    store.close()


def bulk(folder: Place, size: str) -> None:
    """Writes batches of ``size`` commands in a loop until it is killed."""
    store = open_store(folder)
    say("ready")
    for turn in range(1_000_000):
        store.run_many(
            [envelope(new_unit(f"bulk/{turn}/{n}"), by="dispatcher2") for n in range(int(size))]
        )


def hold(file: Path) -> None:
    """Holds the write lock of an SQLite file until a line comes."""
    db = sqlite3.connect(file, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    say("ready")
    sys.stdin.readline()
    db.execute("ROLLBACK")


def erase(folder: Place) -> None:
    """Each line: erases that person from the vault."""
    store = open_store(folder)
    say("ready")
    for line in sys.stdin:
        destroy_person(store, UUID(line.strip()))
        say("erased")


def full(folder: Place, kib: str) -> None:
    """On a disk that fills up: writes until it is refused, reads, and writes again after a line."""
    from eventstore.errors import StoreFull
    from eventstore.outcomes import Refused

    store = found_town(open_store(folder))
    send(store, new_unit("first"), by="dispatcher")
    say("ready")
    refused = 0
    assert isinstance(folder, Path)
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            pass
    for n in range(int(kib)):
        try:
            send(store, new_unit(f"filler/{n}", size=7), by="dispatcher")
        except StoreFull:
            refused += 1
            if refused == 3:
                break
    head = store.head()
    seen = len(store.read(0, 100_000))
    say(f"{refused} {head} {seen}")
    sys.stdin.readline()
    ballast.unlink()
    receipt = send(store, new_unit("after"), by="dispatcher")
    send(store, off_duty("first"), by="dispatcher")
    try:
        send(store, off_duty("first"), by="dispatcher")
        again = "accepted"
    except Refused as refusal:
        again = refusal.problem.code
    say(f"{receipt.position - head} {again}")
    store.close()


def read_only(folder: Place) -> None:
    """Opens a store on a read-only disk: says by which named error it fails, opening or writing."""
    from eventstore.errors import StoreError

    try:
        store = open_store(folder)
        try:
            send(store, new_unit("second"), by="dispatcher")
            said = "written"
        except StoreError as problem:
            said = type(problem).__name__
    except StoreError as problem:
        said = type(problem).__name__
    say("ready")
    say(said)


def stand(place: Cluster, where: str) -> None:
    """Stops itself (SIGSTOP) while it holds the order lock: ``idle``, or in the middle of COPY."""
    log = PostgresLog(place.log)
    say("ready")
    with log.transaction():
        if where == "idle":
            os.kill(os.getpid(), signal.SIGSTOP)
        log.session.copy("events", _stopping(), ("int8", "bytea", "int4", "text", "bytea"))


def _stopping() -> Iterator[Row]:
    for n in range(100_000):
        yield 1_000_000 + n, uuid4().bytes, 1, "none", b"x" * 100
        if n == 50_000:
            os.kill(os.getpid(), signal.SIGSTOP)


if __name__ == "__main__":
    task, path, *rest = sys.argv[1:]
    globals()[task](place_of(path), *rest)
