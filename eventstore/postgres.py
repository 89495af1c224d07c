"""Log and vault on PostgreSQL 15 to 18: the same statements, an advisory lock for the order.

The application's role may INSERT and SELECT on events and outcomes and nothing more, so the order
lock is `pg_advisory_xact_lock`, not ``LOCK TABLE`` (which would need UPDATE). The library's
``POSTGRES_ENABLE_DB_FUNCTIONS`` inserts without that lock and loses facts for readers: refused.
"""

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import psycopg
from eventsourcing.persistence import IntegrityError
from psycopg import pq
from psycopg_pool import ConnectionPool

from eventstore.errors import CommitUnknown, StoreUnsafe
from eventstore.log import Log, OutcomeRow, Row
from eventstore.sql import Found, Sql, explain
from eventstore.vault import Vault

ORDER_LOCK = 4_210_001
CHANNEL = "relief_log"
LOCK_MS = 4_000
STOPPED_MS = 5_000
"""A process that stands still in a transaction loses it, and the order lock, after this time."""
MOST_READERS = 8
PASSES_BEFORE_GIVING_UP = 3
IN_COMMAND = (pq.TransactionStatus.INTRANS, pq.TransactionStatus.INERROR)

TABLES = """
CREATE TABLE events (
    position bigint PRIMARY KEY,
    stream   bytea NOT NULL,
    version  integer NOT NULL,
    topic    text COLLATE "C" NOT NULL,
    state    bytea NOT NULL,
    UNIQUE (stream, version)
);
CREATE TABLE outcomes (
    command     bytea PRIMARY KEY,
    actor       bytea NOT NULL,
    fingerprint bytea NOT NULL,
    outcome     bytea NOT NULL
);
CREATE TABLE marks (key text PRIMARY KEY, value text NOT NULL);
"""
VAULT_TABLES = """
CREATE TABLE keys (person bytea PRIMARY KEY, wrapped bytea NOT NULL);
CREATE TABLE tokens (token bytea PRIMARY KEY, person bytea NOT NULL);
CREATE INDEX tokens_by_person ON tokens (person);
CREATE TABLE names (
    person bytea PRIMARY KEY, name text COLLATE "C" NOT NULL, pinyin text COLLATE "C" NOT NULL,
    initials text COLLATE "C" NOT NULL
);
CREATE INDEX names_by_name ON names (name);
CREATE INDEX names_by_pinyin ON names (pinyin);
CREATE INDEX names_by_initials ON names (initials);
CREATE TABLE secrets (name text PRIMARY KEY, value bytea NOT NULL);
CREATE TABLE accounts (
    login text COLLATE "C" PRIMARY KEY, officer bytea NOT NULL, password text NOT NULL,
    failures integer NOT NULL DEFAULT 0, locked_until double precision NOT NULL DEFAULT 0
);
CREATE TABLE sessions (
    token bytea PRIMARY KEY, officer bytea NOT NULL, login text NOT NULL, kind text NOT NULL,
    csrf text NOT NULL, expires double precision NOT NULL
);
CREATE TABLE erasures (n bigint NOT NULL);
INSERT INTO erasures VALUES (0);
"""


def options_of(schema: str) -> str:
    """Connection options of every session of ours: where its tables are, and what it waits for."""
    given = {
        "search_path": schema,
        "lock_timeout": LOCK_MS,
        "idle_in_transaction_session_timeout": STOPPED_MS,
        "timezone": "UTC",
    }
    return " ".join(f"-c {name}={value}" for name, value in given.items())


def connect(url: str, schema: str, **given: Any) -> psycopg.Connection[Any]:
    """A session on PostgreSQL, each statement its own transaction unless one is begun."""
    return psycopg.connect(
        url,
        autocommit=True,
        options=options_of(schema),
        connect_timeout=4,
        keepalives_idle=5,
        tcp_user_timeout=10_000,
        **given,
    )


@lru_cache(maxsize=2048)
def translated(sql: str) -> str:
    """Our portable SQL in psycopg's: its marks, and PostgreSQL's word for BEGIN."""
    if sql == "BEGIN IMMEDIATE":
        return "BEGIN"
    return sql.replace("%", "%%").replace("?", "%s")


class PostgresConnection:
    """An `Sql` on PostgreSQL. A session that broke while idle is opened again at the next use."""

    def __init__(self, url: str, schema: str, *, first: str = "") -> None:
        self._url, self._schema, self._first = url, schema, first
        self._lock = threading.RLock()
        self._session: psycopg.Connection[Any] | None = None

    @property
    def in_transaction(self) -> bool:
        session = self._session
        return session is not None and session.info.transaction_status in IN_COMMAND

    def _open(self) -> psycopg.Connection[Any]:
        if self._session is None or self._session.closed:
            self._session = connect(self._url, self._schema)
            if self._first:
                self._session.execute(self._first)
        return self._session

    def execute(self, sql: str, args: Sequence[Any] = (), /) -> Found:
        with self._lock:
            asks = not self.in_transaction and sql.startswith(("SELECT", "BEGIN"))
            try:
                return self._execute(sql, args)
            except (psycopg.OperationalError, psycopg.InterfaceError):
                if not asks or (self._session is not None and not self._session.closed):
                    raise
                return self._execute(sql, args)

    def _execute(self, sql: str, args: Sequence[Any]) -> Found:
        cursor = self._open().cursor(binary=True)
        return cursor.execute(translated(sql), args or None)

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], /) -> Any:
        with self._lock:
            cursor = self._open().cursor(binary=True)
            cursor.executemany(translated(sql), rows)
            return cursor

    def run(self, sql: str) -> None:
        """Several statements at once, without arguments: one journey to the server."""
        with self._lock:
            self._open().execute(sql.encode())

    def copy(self, table: str, rows: Iterable[Sequence[Any]], types: Sequence[str] = ()) -> None:
        """Append rows by COPY, in binary when the columns' types are named."""
        binary = " (FORMAT BINARY)" if types else ""
        with (
            self._lock,
            self._open().cursor() as cursor,
            cursor.copy(f"COPY {table} FROM STDIN{binary}".encode()) as into,
        ):
            if types:
                into.set_types(types)
            for row in rows:
                into.write_row(row)

    def close(self) -> None:
        with self._lock:
            if self._session is not None:
                self._session.close()


def _power(db: Sql) -> str | None:
    """What this role may do to the log beyond INSERT and SELECT, or None."""
    (superuser,) = db.execute(
        "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    if superuser:
        return "a superuser"
    for table in ("events", "outcomes"):
        (owner,) = db.execute(
            "SELECT pg_has_role(current_user, relowner, 'MEMBER') FROM pg_class"
            " WHERE oid = to_regclass(?)",
            (table,),
        ).fetchone() or (False,)
        if owner:
            return f"the owner of {table}"
        for right in ("UPDATE", "DELETE", "TRUNCATE"):
            sql = "SELECT to_regclass(?) IS NOT NULL AND has_table_privilege(to_regclass(?), ?)"
            if db.execute(sql, (table, table, right)).fetchone()[0]:
                return f"{right} on {table}"
    return None


class PostgresLog(Log):
    """Facts and outcomes in schema ``log``. Readers share a pool; the writer has its session."""

    def __init__(self, url: str, *, allow_power: bool = False) -> None:
        if os.environ.get("POSTGRES_ENABLE_DB_FUNCTIONS", "").lower() in ("y", "yes", "true", "1"):
            raise StoreUnsafe("POSTGRES_ENABLE_DB_FUNCTIONS loses facts for readers; unset it.")
        self.source = url
        self.session = PostgresConnection(url, "log")
        self.writer = self.session
        self._told: list[Callable[[int], None]] = []
        self._listener: threading.Thread | None = None
        self._closed = threading.Event()
        try:
            power = None if allow_power else _power(self.session)
            self.session.execute("SELECT 1 FROM events, outcomes, marks LIMIT 0")
        except psycopg.Error as problem:
            self.session.close()
            raise explain(problem) from problem
        if power is not None:
            self.session.close()
            raise StoreUnsafe(f"The database role is {power}.")
        self._pool = ConnectionPool(
            url,
            min_size=0,
            max_size=MOST_READERS,
            timeout=LOCK_MS / 1000,
            reconnect_timeout=LOCK_MS / 1000,
            kwargs={"autocommit": True, "options": options_of("log"), "connect_timeout": 4},
            open=True,
            name="log",
        )

    # -- reading ------------------------------------------------------------------------------

    def fetch(self, sql: str, args: Sequence[Any] = ()) -> list[Any]:
        for left in reversed(range(PASSES_BEFORE_GIVING_UP)):
            try:
                with self._pool.connection() as session:
                    cursor = session.cursor(binary=True)
                    return cursor.execute(translated(sql), args or None).fetchall()
            except psycopg.OperationalError as problem:  # a session of before a restart
                if not left:
                    raise explain(problem) from problem
            except psycopg.Error as problem:
                raise explain(problem) from problem
        raise AssertionError

    def listen(self, told: Callable[[int], None]) -> None:
        self._told.append(told)
        if self._listener is None:
            self._listener = threading.Thread(target=self._listen, name="listen", daemon=True)
            self._listener.start()

    def _listen(self) -> None:
        while not self._closed.is_set():
            with suppress(psycopg.Error), connect(self.source, "log") as session:
                session.execute(f"LISTEN {CHANNEL}".encode())
                while not self._closed.is_set():
                    for note in session.notifies(timeout=0.5):
                        for told in self._told:
                            told(int(note.payload))
            self._closed.wait(0.5)

    # -- writing ------------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[Sql]:
        db = self.session
        try:
            db.execute("BEGIN")
            db.execute("SELECT pg_advisory_xact_lock(?)", (ORDER_LOCK,))
        except psycopg.Error as problem:
            self._give_up()
            raise explain(problem) from problem
        try:
            yield db
        except BaseException as problem:
            self._give_up()
            if isinstance(problem, psycopg.IntegrityError):
                raise IntegrityError(problem) from problem
            if isinstance(problem, psycopg.Error):
                raise explain(problem) from problem
            raise
        try:
            db.execute("COMMIT")
        except psycopg.Error as problem:
            self._give_up()
            raise CommitUnknown(str(problem)) from problem

    def _give_up(self) -> None:
        try:
            if self.session.in_transaction:
                self.session.execute("ROLLBACK")
        except psycopg.Error:
            self.session.close()

    def append(self, db: Sql, rows: Sequence[Row], outcomes: Sequence[OutcomeRow] = ()) -> None:
        assert db is self.session
        if rows:
            self.session.copy("events", rows, ("int8", "bytea", "int4", "text", "bytea"))
            db.execute("SELECT pg_notify(?, ?)", (CHANNEL, str(rows[-1][0])))
        if outcomes:
            self.session.copy("outcomes", outcomes, ("bytea",) * 4)

    def close(self) -> None:
        self._closed.set()
        self._pool.close()
        self.session.close()
        if self._listener is not None:
            self._listener.join(timeout=2)


class PostgresVault(Vault):
    """The vault in schema ``vault``, under credentials of its own; the master key is a file."""

    def __init__(self, url: str, key: Path) -> None:
        self.url = url
        try:
            super().__init__(PostgresConnection(url, "vault"), key)
        except psycopg.Error as problem:
            raise explain(problem) from problem

    def _version(self) -> int:
        return int(self._db.execute("SELECT n FROM erasures").fetchone()[0])

    def _announce(self) -> None:
        self._db.execute("UPDATE erasures SET n = n + 1")
