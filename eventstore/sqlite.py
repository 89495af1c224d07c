"""The log on SQLite: WAL, ``synchronous=FULL``, one row a fact, positions without gaps.

Implements the library's `ApplicationRecorder`, so that its `EventStore`, repositories and our own
contract suite work on it, and adds what the writer needs: one transaction for the facts and the
outcomes of a batch of commands.
"""

import errno
import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    Notification,
    StoredEvent,
    Subscription,
)

from eventstore.errors import (
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreLocked,
    StoreReadOnly,
    StoreTooNew,
)

SCHEMA = 1
LOCK_SECONDS = 4.0
GATE_POLL_SECONDS = 0.001

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
"""

Row = tuple[int, bytes, int, str, bytes]
"""position, stream (16 bytes), version, topic, state"""


def explain(problem: sqlite3.Error) -> StoreError:
    """Our named error for what SQLite says."""
    text = str(problem)
    code = getattr(problem, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreLocked(text)
    if code == sqlite3.SQLITE_FULL or "No space left" in text:
        return StoreFull(text)
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
        return StoreReadOnly(text)
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StoreDamaged(text)
    if code == sqlite3.SQLITE_IOERR:
        return StoreFull(text)
    return StoreError(text)


def connect(path: Path, *, synchronous: str = "FULL") -> sqlite3.Connection:
    """A connection in WAL mode. Raises a `StoreError` that says what is wrong with the file."""
    try:
        db = sqlite3.connect(
            path, timeout=LOCK_SECONDS, isolation_level=None, check_same_thread=False
        )
        db.execute("PRAGMA journal_mode=WAL")
        db.execute(f"PRAGMA synchronous={synchronous}")
        db.execute("PRAGMA cache_size=-32768")
    except sqlite3.Error as problem:
        raise explain(problem) from problem
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
            full = problem.errno in (errno.ENOSPC, errno.EDQUOT)
            raise (StoreFull if full else StoreReadOnly)(str(problem)) from problem

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


class SQLiteLog(ApplicationRecorder):
    """One file of facts and outcomes. Readers have a connection a thread, the writer its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._gate: Gate | None = None
        path.parent.mkdir(parents=True, exist_ok=True)
        self.writer = connect(path)
        check_schema(self.writer, path, SCHEMA, TABLES)

    # -- reading ------------------------------------------------------------------------------

    def reader(self) -> sqlite3.Connection:
        """This thread's reading connection."""
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            db = connect(self.path)
            db.execute("PRAGMA query_only=ON")
            self._local.db = db
            with self._lock:
                self._readers.append(db)
        return db

    def rows(self, after: int, limit: int, upto: int | None = None) -> list[Row]:
        """Up to ``limit`` rows with positions > ``after`` (and ≤ ``upto``), in order."""
        sql = "SELECT position, stream, version, topic, state FROM events WHERE position > ?"
        args: tuple[int, ...] = (after,)
        if upto is not None:
            sql, args = sql + " AND position <= ?", (after, upto)
        return self._fetch(f"{sql} ORDER BY position LIMIT {int(limit)}", args)

    def stream_rows(
        self, stream: UUID, *, upto_version: int | None = None, upto_position: int | None = None
    ) -> list[Row]:
        """A stream's rows in order, whole or up to a version or a position."""
        sql = "SELECT position, stream, version, topic, state FROM events WHERE stream = ?"
        args: list[Any] = [stream.bytes]
        if upto_version is not None:
            sql += " AND version <= ?"
            args.append(upto_version)
        if upto_position is not None:
            sql += " AND position <= ?"
            args.append(upto_position)
        return self._fetch(sql + " ORDER BY version", tuple(args))

    def begun(self, streams: Sequence[UUID]) -> set[UUID]:
        """Which of these streams (at most some hundreds) have a first fact."""
        marks = ",".join("?" * len(streams))
        sql = f"SELECT stream FROM events WHERE version = 1 AND stream IN ({marks})"  # noqa: S608
        found = self._fetch(sql, tuple(stream.bytes for stream in streams))
        return {UUID(bytes=stream) for (stream,) in found}

    def head(self) -> int:
        """The position of the newest fact, 0 when there is none."""
        return int(self._fetch("SELECT coalesce(max(position), 0) FROM events", ())[0][0])

    def stats(self) -> dict[str, Any]:
        """``events, streams, head, bytes, by_topic``; bytes are those of the states."""
        by_topic = dict(
            self._fetch("SELECT topic, count(*) FROM events GROUP BY topic ORDER BY topic", ())
        )
        size, streams = self._fetch(
            "SELECT coalesce(sum(length(state)), 0), count(DISTINCT stream) FROM events", ()
        )[0]
        return {
            "events": sum(by_topic.values()),
            "streams": streams,
            "head": self.head(),
            "bytes": size,
            "by_topic": by_topic,
        }

    def mark(self, key: str) -> str | None:
        found = self._fetch("SELECT value FROM marks WHERE key = ?", (key,))
        return found[0][0] if found else None

    def _fetch(self, sql: str, args: tuple[Any, ...]) -> list[Any]:
        try:
            return self.reader().execute(sql, args).fetchall()
        except sqlite3.Error as problem:
            raise explain(problem) from problem

    # -- writing ------------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The write lock, for one batch. Commits at the end; rolls back on any exception."""
        if self._gate is None:
            self._gate = Gate(self.path.with_name(self.path.name + ".gate"))
        db = self.writer
        try:
            with self._gate():
                db.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as problem:
            raise explain(problem) from problem
        try:
            yield db
            db.execute("COMMIT")
        except BaseException as problem:
            if db.in_transaction:
                db.execute("ROLLBACK")
            if isinstance(problem, sqlite3.IntegrityError):
                raise IntegrityError(problem) from problem
            if isinstance(problem, sqlite3.Error):
                raise explain(problem) from problem
            raise

    @staticmethod
    def append(db: sqlite3.Connection, rows: Sequence[Row]) -> None:
        if not db.in_transaction:  # SQLite gave it up after an error: rows would commit one by one
            raise StoreDamaged("the transaction was lost")
        db.executemany("INSERT INTO events VALUES (?,?,?,?,?)", rows)

    def set_mark(self, key: str, value: str, *, keep: bool = False) -> None:
        """Set a mark; with ``keep`` only if there is none yet."""
        how = "IGNORE" if keep else "REPLACE"
        with self.transaction() as db:
            db.execute(f"INSERT OR {how} INTO marks VALUES (?,?)", (key, value))  # noqa: S608

    def close(self) -> None:
        with self._lock:
            for db in [*self._readers, self.writer]:
                db.close()
            self._readers.clear()
        if self._gate is not None:
            self._gate.close()
            self._gate = None

    # -- the library's interface --------------------------------------------------------------

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        with self.transaction() as db:
            head = db.execute("SELECT coalesce(max(position), 0) FROM events").fetchone()[0]
            rows: list[Row] = []
            for n, e in enumerate(stored_events, start=head + 1):
                assert isinstance(e.originator_id, UUID)
                rows.append((n, e.originator_id.bytes, e.originator_version, e.topic, e.state))
            self.append(db, rows)
        return [row[0] for row in rows]

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        assert isinstance(originator_id, UUID)
        rows = [r for r in self.stream_rows(originator_id, upto_version=lte) if r[2] > (gt or 0)]
        if desc:
            rows.reverse()
        return [StoredEvent(UUID(bytes=r[1]), r[2], r[3], r[4]) for r in rows[:limit]]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        after = (start or 0) - 1 if inclusive_of_start else (start or 0)
        found: list[Notification] = []
        while len(found) < limit:
            rows = self.rows(after, limit, stop)
            found += [
                Notification(UUID(bytes=r[1]), r[2], r[3], r[4], id=r[0])
                for r in rows
                if not topics or r[3] in topics
            ]
            if len(rows) < limit:
                break
            after = rows[-1][0]
        return found[:limit]

    def max_notification_id(self) -> int | None:
        return self.head() or None

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        raise NotImplementedError("SQLite has no notifications; use Store.follow()")
