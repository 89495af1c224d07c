"""Log and vault on PostgreSQL 15 to 18: the same statements, a lock on a table for the order.

The application's role may INSERT and SELECT on events and outcomes and nothing more. To lock them
it would need UPDATE, so the order lock is that of a table without rows, `turn`. No advisory lock
does: every role that may connect can take one, and hold up all writers. The library's
``POSTGRES_ENABLE_DB_FUNCTIONS`` inserts without that lock and loses facts for readers: refused.
The tables are made by `eventstore.founding`.
"""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from eventsourcing.persistence import IntegrityError
from psycopg import pq

from domain.store import FIRST_EPOCH
from eventstore.errors import (
    CommitUnknown,
    StoreForbidden,
    StoreLocked,
    StoreTooNew,
    StoreTooOld,
    StoreUnsafe,
)
from eventstore.faults import reached
from eventstore.log import (
    NEWEST,
    NEWEST_SEAL,
    NEWS,
    PUT_SEAL,
    PUT_SNAPSHOT,
    SNAPSHOT,
    Log,
    OutcomeRow,
    Piece,
    Row,
    SealRow,
    Seen,
    SnapshotRow,
    Wanted,
)
from eventstore.modes import private_folder
from eventstore.postgres_journey import (
    BYTEA,
    Statement,
    array,
    int4_of,
    int8,
    int8_of,
    rows_of,
)
from eventstore.postgres_putting import (
    CHANNEL,
    PUT,
    PUT_OUTCOMES,
    PUT_SEALED,
    PUT_SEALED_OUTCOMES,
    columns_of,
    sealed_values,
)
from eventstore.postgres_readers import Readers
from eventstore.postgres_session import LOCK_MS
from eventstore.postgres_session import PostgresConnection as PostgresConnection
from eventstore.postgres_session import connect as connect
from eventstore.sql import Sql, explain, transaction
from eventstore.vault import Vault

REVISION = "0009"
"""Of the tables that this program knows: the newest of `eventstore.migrations`."""
MOST_READERS = 8
MOST_SEARCHING = 4
LOG_SESSIONS = MOST_READERS + 3
"""Most that a `PostgresLog` holds: its readers, the writer, snapshots, and who listens."""
VAULT_SESSIONS = MOST_SEARCHING + 2
"""Most that a `PostgresVault` holds: its readers, the writer, and effects."""
LISTEN_AGAIN_SECONDS = 0.5
FEW = 1_000
"""Rows that go with the COMMIT in one journey; more are copied, in journeys of their own."""

LOCK: Statement = ("LOCK TABLE turn IN EXCLUSIVE MODE", ())
"""Excludes other writers, and neither ``pg_dump`` nor anybody who only reads."""
NEWS_SINCE = NEWS.replace("?", "$1::int8")
OUTCOMES = (
    "SELECT command, actor, fingerprint, outcome FROM outcomes WHERE command = ANY($1::bytea[])"
)
PIECES = f"""
WITH kept AS (
    SELECT * FROM snapshots WHERE stream = ANY($1::bytea[]) AND program = $2::bytea
       AND epoch = coalesce((SELECT value FROM marks WHERE key = 'epoch'), '{FIRST_EPOCH}')
)
SELECT stream, version, '{SNAPSHOT}' || epoch AS topic, mac || fact || state AS state FROM kept
UNION ALL
SELECT asked.stream, facts.version, facts.topic, facts.state
  FROM unnest($1::bytea[]) AS asked (stream) LEFT JOIN kept ON kept.stream = asked.stream
 CROSS JOIN LATERAL (
    SELECT version, topic, state FROM events
     WHERE events.stream = asked.stream AND events.version >= coalesce(kept.version, 1)
       AND events.position > 0
     OFFSET 0
 ) AS facts
 ORDER BY 1, 2, 3
"""  # noqa: S608
"""In one statement, so that a snapshot and the facts behind it are of one moment. A snapshot comes
before the fact of its version: no topic of a fact begins with a sign that sorts before it."""
STANDING_STILL = """
SELECT pg_terminate_backend(s.pid)
FROM pg_locks AS l JOIN pg_stat_activity AS s ON s.pid = l.pid
WHERE l.locktype = 'relation' AND l.granted AND l.relation = 'turn'::regclass
  AND l.mode = 'ExclusiveLock'
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND s.usename = current_user AND s.wait_event = 'ClientRead'
  AND s.state_change < clock_timestamp() - make_interval(secs => ?)
"""
TIMELINE = (
    "SELECT CASE WHEN pg_is_in_recovery() THEN ''"
    " ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END"
)
"""From the name of the current WAL file: the control file's is as old as a checkpoint. A stand-by
that follows another server has none of its own."""
SERVER_TIME = "SELECT extract(epoch FROM clock_timestamp())::float8"
POWERS = """
SELECT 'a superuser' FROM pg_roles
 WHERE rolsuper AND pg_has_role(session_user, oid, 'MEMBER')
UNION ALL
SELECT 'one that makes roles' FROM pg_roles
 WHERE rolcreaterole AND pg_has_role(session_user, oid, 'MEMBER')
UNION ALL
SELECT 'the owner of ' || relname FROM pg_class
 WHERE oid IN (to_regclass('events'), to_regclass('outcomes'), to_regclass('seals'))
   AND pg_has_role(session_user, relowner, 'MEMBER')
UNION ALL
SELECT 'the owner of its schema' FROM pg_namespace
 WHERE nspname = 'log' AND pg_has_role(session_user, nspowner, 'MEMBER')
UNION ALL
SELECT 'one with the right to ' || might || ' ' || relname
  FROM pg_class, unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) AS might
 WHERE oid IN (to_regclass('events'), to_regclass('outcomes'), to_regclass('seals'))
   AND has_table_privilege(session_user, oid, might)
UNION ALL
SELECT 'one with the right to UPDATE a column of ' || relname FROM pg_class
 WHERE oid IN (to_regclass('events'), to_regclass('outcomes'), to_regclass('seals'))
   AND has_any_column_privilege(session_user, oid, 'UPDATE')
"""
"""What this log-in could do to facts beyond INSERT and SELECT, as itself or by another role."""


def timeline_of(session: Any) -> str:
    """Of the server of this session; "" where the role may not ask for it."""
    with suppress(psycopg.errors.InsufficientPrivilege):
        return str(session.execute(TIMELINE).fetchone()[0])
    return ""


def time_of(session: Any) -> datetime:
    """What the clock of this session's server says, in UTC."""
    (now,) = session.execute(SERVER_TIME).fetchone()
    return datetime.fromtimestamp(now, UTC)


class PostgresLog(Log):
    """Facts and outcomes in schema ``log``. Readers share a pool; the writer has its session.

    Raises `StoreUnsafe` when the role could change the log, unless ``allow_power``; another
    `StoreError` when the database cannot be reached, was not made, or is newer than the program.
    """

    def __init__(self, url: str, *, allow_power: bool = False) -> None:
        if os.environ.get("POSTGRES_ENABLE_DB_FUNCTIONS", "").lower() in ("y", "yes", "true", "1"):
            raise StoreUnsafe("POSTGRES_ENABLE_DB_FUNCTIONS loses facts for readers; unset it.")
        self.source = url
        self.session = PostgresConnection(url, "log")
        self.writer = self.session
        self._kept = PostgresConnection(url, "log")
        self._keeping_turn = threading.Lock()
        self._turn = threading.Lock()
        self._told: list[Callable[[int], None]] = []
        self._listener: threading.Thread | None = None
        self._closed = threading.Event()
        try:
            _check(self.session, allow_power=allow_power)
        except psycopg.Error as problem:
            raise explain(problem) from problem
        finally:
            self.session.close()  # opened again by the first write
        self._reading = Readers(url, "log", MOST_READERS)

    # -- reading ------------------------------------------------------------------------------

    def fetch(self, sql: str, args: Sequence[Any] = ()) -> list[Any]:
        return self._reading.fetch(sql, args)

    def pieces(
        self, streams: Sequence[bytes], program: bytes = b"", db: Sql | None = None
    ) -> list[Piece]:
        sql = PIECES.replace("$1", "?", 1).replace("$2", "?").replace("$1", "?")
        return self._ask(db, sql, (list(streams), program, list(streams)))

    def timeline(self) -> str:
        try:
            return str(self.fetch(TIMELINE)[0][0])
        except StoreForbidden:
            return ""

    def server_time(self) -> datetime:
        return datetime.fromtimestamp(self.fetch(SERVER_TIME)[0][0], UTC)

    def listen(self, told: Callable[[int], None]) -> None:
        self._told.append(told)
        if self._listener is None:
            self._listener = threading.Thread(target=self._listen, name="listen", daemon=True)
            self._listener.start()

    def _listen(self) -> None:
        """Tell of commits as they are announced; a lost session is opened again."""
        while not self._closed.is_set():
            with suppress(psycopg.Error), connect(self.source, "log") as session:
                session.execute(f"LISTEN {CHANNEL}".encode())
                while not self._closed.is_set():
                    for note in session.notifies(timeout=LISTEN_AGAIN_SECONDS):
                        if note.payload.isdecimal():
                            for told in self._told:
                                told(int(note.payload))
            self._closed.wait(LISTEN_AGAIN_SECONDS)

    # -- writing ------------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[Sql]:
        with self._transaction(()) as (db, _):
            yield db

    @contextmanager
    def batch(self, wanted: Wanted) -> Iterator[tuple[Sql, Seen]]:
        with self._transaction(_questions(wanted)) as (db, found):
            yield db, _seen(wanted, found)

    @contextmanager
    def _transaction(
        self, questions: Sequence[Statement]
    ) -> Iterator[tuple[Sql, list[pq.abc.PGresult]]]:
        """The order lock, and what these ask once it is had: all in one journey."""
        if not self._turn.acquire(timeout=LOCK_MS / 1000):
            raise StoreLocked("another thread of this process is writing")
        try:
            yield from self._locked(questions)
        finally:
            self._turn.release()

    def _locked(
        self, questions: Sequence[Statement]
    ) -> Iterator[tuple[Sql, list[pq.abc.PGresult]]]:
        db = self.session
        try:
            _, *found = db.begin([LOCK, *questions])
        except psycopg.errors.LockNotAvailable as problem:
            db.roll_back()
            self._end_who_stands_still()
            raise StoreLocked("the order lock was held for too long") from problem
        except psycopg.Error as problem:
            db.roll_back()
            raise explain(problem) from problem
        try:
            yield db, found
        except BaseException as problem:
            db.roll_back()
            if isinstance(problem, psycopg.IntegrityError):
                raise IntegrityError(problem) from problem
            if isinstance(problem, psycopg.Error):
                raise explain(problem) from problem
            raise
        try:
            db.commit()
        except psycopg.Error as problem:
            known = problem.sqlstate is not None and db.usable
            db.roll_back()
            if isinstance(problem, psycopg.IntegrityError):
                raise IntegrityError(problem) from problem
            if known:  # what was sent before the COMMIT failed, and the COMMIT with it
                raise explain(problem) from problem
            raise CommitUnknown(str(problem)) from problem

    def _end_who_stands_still(self) -> None:
        """End a session of ours that holds the order lock while its process has stopped.

        ``idle_in_transaction_session_timeout`` ends most of them, but not one that stopped in the
        middle of sending rows: the server waits for the rest without end.
        """
        with suppress(psycopg.Error):
            self.session.execute(STANDING_STILL, (LOCK_MS / 1000,))

    def append(
        self,
        db: Sql,
        rows: Sequence[Row],
        outcomes: Sequence[OutcomeRow] = (),
        seal: SealRow | None = None,
    ) -> None:
        assert db is self.session
        if len(rows) + len(outcomes) <= FEW:
            answers = [array(BYTEA, column) for column in zip(*outcomes, strict=True)]
            answers = answers or [array(BYTEA, ())] * 4
            sealed = sealed_values(seal) if seal is not None else []
            if rows:
                told = str(rows[-1][0]).encode()
                given = [*answers, *columns_of(rows), told, *sealed]
                self.session.send([(PUT_SEALED if sealed else PUT, given)])
            elif sealed:
                self.session.send([(PUT_SEALED_OUTCOMES, [*answers, *sealed])])
            elif outcomes:
                self.session.send([(PUT_OUTCOMES, answers)])
            return
        if seal is not None:  # first: the guard of the facts looks for it
            db.execute(PUT_SEAL, seal)
        if rows:
            self.session.copy("events", rows, ("int8", "bytea", "int4", "text", "bytea"))
            db.execute("SELECT pg_notify(?, ?)", (CHANNEL, str(rows[-1][0])))
        if outcomes:
            self.session.copy("outcomes", outcomes, ("bytea",) * 4)

    @contextmanager
    def _keeping(self) -> Iterator[Sql]:
        """A transaction beside the order lock, for snapshots."""
        with self._keeping_turn, transaction(self._kept) as db:
            yield db

    def put_snapshot(self, row: SnapshotRow) -> None:
        with self._keeping() as db:
            db.execute(PUT_SNAPSHOT, row)
            reached("in-snapshot")

    def drop_snapshots(self, persons: Sequence[UUID]) -> None:
        if not persons:
            return
        with self._keeping() as db:
            for person in persons:
                sql = "DELETE FROM snapshots WHERE position(?::bytea IN state) > 0"
                db.execute(sql, (str(person).encode(),))

    def close(self) -> None:
        self._closed.set()
        self._reading.close()
        self._kept.close()
        self.session.close()
        if self._listener is not None:
            self._listener.join(timeout=2)


def _questions(wanted: Wanted) -> list[Statement]:
    asked: list[Statement] = [
        (NEWS_SINCE, [int8(wanted.since)]) if wanted.since >= 0 else (NEWEST, ())
    ]
    asked.append((OUTCOMES, [array(BYTEA, wanted.commands)]))
    asked.append((NEWEST_SEAL, ()))
    if wanted.streams:
        asked.append((PIECES, [array(BYTEA, wanted.streams), wanted.program]))
    return asked


def _seen(wanted: Wanted, found: Sequence[pq.abc.PGresult]) -> Seen:
    news = [
        (int8_of(at), stream, topic.decode(), state)
        for at, stream, topic, state in rows_of(found[0])
    ]
    pieces = [
        (stream, int4_of(version), topic.decode(), state)
        for stream, version, topic, state in (rows_of(found[3]) if wanted.streams else ())
    ]
    ((seal,),) = rows_of(found[2])
    return Seen(news, rows_of(found[1]), pieces, int8_of(seal))


def _check(db: Sql, *, allow_power: bool) -> None:
    """That the tables are there and those of this program, and the role not too mighty."""
    power = None if allow_power else db.execute(POWERS).fetchone()
    if power is not None:
        raise StoreUnsafe(f"The database role is {power[0]}.")
    db.execute("SELECT 1 FROM events, marks LIMIT 0")
    there = db.execute("SELECT coalesce(max(version_num), '') FROM alembic_version").fetchone()[0]
    if there > REVISION:
        raise StoreTooNew(f"tables of revision {there}, this program knows {REVISION}")
    if there < REVISION:
        raise StoreTooOld(f"tables of revision {there}, this program needs {REVISION}")


class PostgresVault(Vault):
    """The vault in schema ``vault``, under credentials of its own; the master key is a file."""

    def __init__(self, url: str, key: Path) -> None:
        self.url = url
        self._reading = Readers(url, "vault", MOST_SEARCHING)
        self._beside = PostgresConnection(url, "vault")
        self._aside_turn = threading.Lock()
        db = PostgresConnection(url, "vault")
        private_folder(key.parent)
        try:
            db.execute("SELECT 1 FROM effects, name_terms, invitations LIMIT 0")
            super().__init__(db, key)
        except BaseException as problem:
            self._reading.close()
            db.close()
            if isinstance(problem, psycopg.Error):
                raise explain(problem) from problem
            raise

    def fetch(self, sql: str, args: Sequence[Any] = ()) -> list[Any]:
        return self._reading.fetch(sql, args)

    @contextmanager
    def aside(self) -> Iterator[Sql]:
        """On a session of its own; a lock on their table keeps effects of all processes in turn."""
        with self._aside_turn, transaction(self._beside) as db:
            db.execute("LOCK TABLE effects IN EXCLUSIVE MODE")
            yield db

    def close(self) -> None:
        self._reading.close()
        self._beside.close()
        super().close()
