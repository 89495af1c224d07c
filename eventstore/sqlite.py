"""The log on SQLite: WAL, ``synchronous=FULL``, one row a fact, positions without gaps."""

import errno
import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from eventsourcing.persistence import IntegrityError
from sqlalchemy.exc import TimeoutError
from sqlalchemy.pool import QueuePool

from domain.store import FIRST_EPOCH
from eventstore.errors import (
    ReadersBusy,
    StoreClosed,
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreLocked,
    StoreOutOfHandles,
    StoreReadOnly,
    StoreReplaced,
    StoreTooNew,
)
from eventstore.faults import reached
from eventstore.log import (
    PUT_SEAL,
    PUT_SNAPSHOT,
    SNAPSHOT,
    Log,
    OutcomeRow,
    Piece,
    Row,
    SealRow,
    SnapshotRow,
)
from eventstore.modes import make_private, private_folder
from eventstore.sql import NO_HANDLES, UNSEALED, Sql, explain, transaction

SCHEMA = 2
LOCK_SECONDS = 4.0
VAULT_SECONDS = LOCK_SECONDS / 2
"""The vault is waited for while the log's order lock is held: for half as long as others wait for
that, so that they do not fail with who needs the vault."""
GATE_POLL_SECONDS = 0.001
MOST_READERS = 16
"""Reading connections of a process, two handles each. More would be no quicker, and closing one
gives no handle back while others are open: SQLite keeps it, as POSIX locks want it."""

TABLES = """
CREATE TABLE IF NOT EXISTS events (
    position INTEGER PRIMARY KEY,
    stream   BLOB NOT NULL,
    version  INTEGER NOT NULL,
    topic    TEXT NOT NULL,
    state    BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS events_by_stream ON events (stream, version);
CREATE TABLE IF NOT EXISTS outcomes (
    command     BLOB PRIMARY KEY,
    actor       BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    outcome     BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS marks (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seals (
    n        INTEGER PRIMARY KEY,
    first    INTEGER NOT NULL,
    last     INTEGER NOT NULL,
    commands BLOB NOT NULL,
    outcomes BLOB NOT NULL,
    marks    TEXT NOT NULL,
    mac      BLOB NOT NULL,
    leaves   BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS seals_by_last ON seals (last);
"""
GUARD = f"""
CREATE TRIGGER IF NOT EXISTS events_are_sealed BEFORE INSERT ON events
WHEN NEW.position > (SELECT last FROM seals ORDER BY n DESC LIMIT 1)
BEGIN
    SELECT RAISE(ABORT, '{UNSEALED} are refused 账本只收有封印的记录：请用新版程序写入');
END;
"""  # noqa: S608
"""Once a store seals its batches. An older program that still has the file open is turned away."""


SNAPSHOT_SCHEMA = 1
SNAPSHOT_TABLES = """
CREATE TABLE IF NOT EXISTS snapshots (
    stream  BLOB PRIMARY KEY,
    version INTEGER NOT NULL,
    epoch   TEXT NOT NULL,
    program BLOB NOT NULL,
    fact    BLOB NOT NULL,
    mac     BLOB NOT NULL,
    state   BLOB NOT NULL
);
"""


def connect(
    path: Path, *, synchronous: str = "FULL", wait: float = LOCK_SECONDS
) -> sqlite3.Connection:
    """A connection in WAL mode. Raises a `StoreError` that says what is wrong with the file."""
    db: sqlite3.Connection | None = None
    make_private(path)
    try:
        db = sqlite3.connect(path, timeout=wait, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute(f"PRAGMA synchronous={synchronous}")
        db.execute("PRAGMA cache_size=-32768")
    except sqlite3.Error as problem:
        named = explain(problem)
        if db is not None:
            db.close()
        raise named from problem
    return db


def check_schema(db: sqlite3.Connection, path: Path, schema: int, tables: str) -> None:
    """Make the tables of a new file; refuse a newer, a foreign or a truncated one."""
    try:
        found = db.execute("PRAGMA user_version").fetchone()[0]
        if found > schema:
            raise StoreTooNew(f"{path.name}: schema {found}, this program knows {schema}")
        pages, size = (db.execute(f"PRAGMA {p}").fetchone()[0] for p in ("page_count", "page_size"))
        on_disk = path.stat().st_size
        wal = path.with_name(path.name + "-wal")
        in_wal = wal.exists() and wal.stat().st_size > 0
        if found and on_disk < pages * size and not in_wal:
            raise StoreDamaged(f"{path.name}: {on_disk} bytes on disk, {pages * size} expected")
        if found < schema:
            db.executescript(f"BEGIN IMMEDIATE;{tables}PRAGMA user_version={schema};COMMIT;")
    except sqlite3.Error as problem:
        raise explain(problem) from problem


def _of_system(problem: OSError) -> type[StoreError]:
    if problem.errno in NO_HANDLES:
        return StoreOutOfHandles
    return StoreFull if problem.errno in (errno.ENOSPC, errno.EDQUOT) else StoreReadOnly


class Gate:
    """Lets whoever waits write next: a bulk writer that comes again queues behind them.

    SQLite's own busy handler sleeps and retries, so that a process which commits in a loop
    starves one that waits. Holding a file lock from asking until the write lock is had makes
    the wait at most one transaction of the other process.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as problem:
            raise _of_system(problem)(str(problem)) from problem

    @contextmanager
    def __call__(self) -> Iterator[None]:
        deadline = time.monotonic() + LOCK_SECONDS
        while not self._take():
            if time.monotonic() > deadline:
                raise StoreLocked("another process has been waiting to write for too long")
            time.sleep(GATE_POLL_SECONDS)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _take(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        os.close(self._file)


class OpenedFile:
    """Which file was opened: SQLite goes on with it also when another one lies in its place."""

    def __init__(self, path: Path) -> None:
        self._path, self._was = path, _number_of(path)

    def check(self) -> None:
        """Raises `StoreReplaced`."""
        if _number_of(self._path) != self._was:
            raise StoreReplaced(self._path.name)


def _number_of(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


class Readers:
    """Reading connections to one file, for any thread: in WAL mode no writer waits for them."""

    def __init__(self, path: Path, opened: OpenedFile | None = None) -> None:
        """``opened``: the file that it must still be at each query."""
        self._path, self._opened = path, opened
        self._closed = False
        self._pool = QueuePool(
            cast(Any, self._reader),  # its stubs know the methods of DBAPI as protocols only
            pool_size=MOST_READERS,
            max_overflow=0,
            timeout=LOCK_SECONDS,
            use_lifo=True,
            reset_on_return=None,
        )

    def _reader(self) -> sqlite3.Connection:
        db = connect(self._path)
        db.execute("PRAGMA query_only=ON")
        return db

    def fetch(self, sql: str, args: Sequence[Any] = ()) -> list[Any]:
        if self._closed:
            raise StoreClosed
        if self._opened is not None:
            self._opened.check()
        try:
            reader = self._pool.connect()
        except TimeoutError as problem:  # of the pool
            raise ReadersBusy(self._path.name) from problem
        try:
            db = reader.driver_connection
            assert isinstance(db, sqlite3.Connection)
            return db.execute(sql, args).fetchall()
        except sqlite3.Error as problem:
            raise explain(problem) from problem
        finally:
            if self._closed:  # meanwhile: the pool would keep it
                reader.invalidate()
            reader.close()

    def close(self) -> None:
        self._closed = True
        self._pool.dispose()


STATES = "snapshots.sqlite"
FACTS_SINCE = (
    "SELECT stream, version, topic, state FROM events WHERE stream = ? AND version >= ?"
    " AND position > 0"
    " ORDER BY version"
)


class KeptStates:
    """Snapshots, in a file of their own: the log is not locked while one is written.

    It is a cache: what cannot be read is not there, and a power cut may lose it. It is made when
    the first state is kept.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = threading.Lock()
        self._db: sqlite3.Connection | None = None
        self._reading = Readers(path)

    def of(self, streams: Sequence[bytes], program: bytes) -> dict[bytes, Piece]:
        """The snapshots of those of these streams that have one by this program."""
        if not program or not self._path.exists():
            return {}
        marks = ",".join("?" * len(streams))
        sql = (
            "SELECT stream, version, epoch, fact, mac, state FROM snapshots"  # noqa: S608
            f" WHERE stream IN ({marks}) AND program = ?"
        )
        try:
            rows = self._reading.fetch(sql, (*streams, program))
            return {
                stream: (stream, version, f"{SNAPSHOT}{epoch}", mac + fact + state)
                for stream, version, epoch, fact, mac, state in rows
            }
        except (StoreError, TypeError):  # not a file of ours, or no bytes in it
            return {}

    def put(self, row: SnapshotRow) -> None:
        with self._writing() as db:
            db.execute(PUT_SNAPSHOT, row)
            reached("in-snapshot")

    def drop(self, persons: Sequence[UUID]) -> None:
        if not persons or not self._path.exists():
            return
        with self._writing() as db:
            for person in persons:
                name = str(person).encode()
                db.execute("DELETE FROM snapshots WHERE instr(state, ?) > 0", (name,))

    @contextmanager
    def _writing(self) -> Iterator[Sql]:
        with self._turn:
            if self._db is None:
                db = connect(self._path, synchronous="NORMAL")
                db.execute("PRAGMA secure_delete=ON")
                check_schema(db, self._path, SNAPSHOT_SCHEMA, SNAPSHOT_TABLES)
                self._db = db
            with transaction(self._db) as held:
                yield held

    def close(self) -> None:
        self._reading.close()
        with self._turn:
            if self._db is not None:
                self._db.close()
                self._db = None


class SQLiteLog(Log):
    """One file of facts and outcomes. Readers share a pool; the writer has its connection."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.source = str(path.absolute())
        self._gate: Gate | None = None
        self._turn = threading.Lock()
        private_folder(path.parent)
        db = connect(path)
        check_schema(db, path, SCHEMA, TABLES + GUARD)
        self.writer = db
        self._opened = OpenedFile(path)
        self._reading = Readers(path, self._opened)
        self._kept = KeptStates(path.with_name(STATES))

    # -- reading ------------------------------------------------------------------------------

    def fetch(self, sql: str, args: Sequence[Any] = ()) -> list[Any]:
        return self._reading.fetch(sql, args)

    def pieces(
        self, streams: Sequence[bytes], program: bytes = b"", db: Sql | None = None
    ) -> list[Piece]:
        kept = self._kept.of(streams, program)
        if not kept:
            return self._whole(streams, db)
        found = self._whole([stream for stream in streams if stream not in kept], db)
        epochs = self._ask(db, "SELECT value FROM marks WHERE key = 'epoch'", ())
        of_now = f"{SNAPSHOT}{epochs[0][0] if epochs else FIRST_EPOCH}"
        for stream, piece in kept.items():
            _, version, epoch, _ = piece
            if epoch != of_now:
                version = 1
            else:
                found.append(piece)
            found += self._ask(db, FACTS_SINCE, (stream, version))
        return found

    def put_snapshot(self, row: SnapshotRow) -> None:
        self._kept.put(row)

    def drop_snapshots(self, persons: Sequence[UUID]) -> None:
        self._kept.drop(persons)

    # -- writing ------------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[Sql]:
        if not self._turn.acquire(timeout=LOCK_SECONDS):
            raise StoreLocked("another thread of this process is writing")
        try:
            yield from self._locked()
        finally:
            self._turn.release()

    def _locked(self) -> Iterator[Sql]:
        if self._gate is None:
            self._gate = Gate(self.path.with_name(self.path.name + ".gate"))
        db = self.writer
        try:
            with self._gate():
                db.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as problem:
            raise explain(problem) from problem
        try:
            self._opened.check()
            yield db
            db.execute("COMMIT")
        except BaseException as problem:
            if db.in_transaction:
                db.execute("ROLLBACK")
            if isinstance(problem, sqlite3.IntegrityError) and UNSEALED not in str(problem):
                raise IntegrityError(problem) from problem
            if isinstance(problem, sqlite3.Error):
                raise explain(problem) from problem
            raise

    def append(
        self,
        db: Sql,
        rows: Sequence[Row],
        outcomes: Sequence[OutcomeRow] = (),
        seal: SealRow | None = None,
    ) -> None:
        if not db.in_transaction:  # SQLite gave it up after an error: rows would commit one by one
            raise StoreDamaged("the transaction was lost")
        if seal is not None:  # first: the guard of the facts looks for it
            db.execute(PUT_SEAL, seal)
            reached("between-seal-and-facts")
        db.executemany("INSERT INTO events VALUES (?,?,?,?,?)", rows)
        db.executemany("INSERT INTO outcomes VALUES (?,?,?,?)", outcomes)

    def close(self) -> None:
        self._reading.close()
        self._kept.close()
        self.writer.close()
        if self._gate is not None:
            self._gate.close()
            self._gate = None
