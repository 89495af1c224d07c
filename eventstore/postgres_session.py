"""One session on PostgreSQL that looks like an `Sql`: marks translated, opened again when lost.

A statement that would begin something (outside a transaction) finds a session that lives; inside
a transaction a lost session is an error, for what was done in it is gone.
"""

import select
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import pq

from eventstore.postgres_journey import Journeys, Statement
from eventstore.sql import Found

LOCK_MS = 4_000
STOPPED_MS = 5_000
"""A process that stands still in a transaction loses it, and the order lock, after this time."""
PROGRAM = "relief-"
"""Begins the name of a program's sessions, where they are `called`."""
IDLE = pq.TransactionStatus.IDLE


def options_of(schema: str) -> str:
    """Connection options of every session of ours: where its tables are, and what it waits for.

    The vault is waited for while the log's order lock is held: for half as long as others wait
    for that, so that they do not fail with who needs the vault.
    """
    given = {
        "search_path": schema,
        "lock_timeout": LOCK_MS // 2 if schema == "vault" else LOCK_MS,
        "idle_in_transaction_session_timeout": STOPPED_MS,
        "timezone": "UTC",
        # whoever waits for a lock must then see what its holder committed
        "default_transaction_isolation": r"read\ committed",
    }
    return " ".join(f"-c {name}={value}" for name, value in given.items())


def arguments(schema: str) -> dict[str, Any]:
    """How every session of ours connects: a server that is gone is noticed in seconds."""
    return {
        "autocommit": True,
        "options": options_of(schema),
        "connect_timeout": 4,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 10_000,
    }


def connect(url: str, schema: str, **given: Any) -> psycopg.Connection[Any]:
    """A session on PostgreSQL, each statement its own transaction unless one is begun."""
    return psycopg.connect(url, **{**arguments(schema), **given})


def called(url: str, program: str) -> str:
    """The address, for sessions that PostgreSQL lists as those of this program of ours."""
    return f"{url}{'&' if '?' in url else '?'}application_name={PROGRAM}{program}"


def usable(session: psycopg.Connection[Any]) -> None:
    """That the server has not ended this idle session; OperationalError if it has.

    Asks the socket, not the server: what an ended session sent last waits there to be read.
    """
    try:
        while _readable(session.fileno()):
            session.pgconn.consume_input()
    except psycopg.Error:
        session.close()
    if session.closed:
        raise psycopg.OperationalError("the session was ended")


def _readable(socket: int) -> bool:
    asked = select.poll()
    asked.register(socket, select.POLLIN)
    return bool(asked.poll(0))


@lru_cache(maxsize=2048)
def translated(sql: str) -> str:
    """Our portable SQL in psycopg's: its marks, and PostgreSQL's word for BEGIN."""
    if sql == "BEGIN IMMEDIATE":
        return "BEGIN"
    return sql.replace("%", "%%").replace("?", "%s")


class PostgresConnection:
    """An `Sql` on PostgreSQL, for one thread at a time. ``first`` runs in each new session."""

    def __init__(self, url: str, schema: str, *, first: str = "") -> None:
        self._url, self._schema, self._first = url, schema, first
        self._lock = threading.RLock()
        self._session: psycopg.Connection[Any] | None = None
        self._journeys: Journeys | None = None
        self._begun = False

    @property
    def in_transaction(self) -> bool:
        """Whether one was begun and not ended, also when its session is lost since."""
        return self._begun

    @property
    def usable(self) -> bool:
        """Whether the session lives, as far as is known."""
        return self._session is not None and not self._session.closed

    def _open(self) -> psycopg.Connection[Any]:
        """The session to use next: in a transaction that one's, else one that lives."""
        session = self._session
        if self._journeys is not None and self._journeys.under_way:
            self._journeys.finish()
        if session is not None and not self._begun:
            with suppress(psycopg.OperationalError):
                usable(session)
        if session is None or session.closed:
            if self._begun:
                raise psycopg.OperationalError("the session was lost, and its transaction with it")
            session = self._session = connect(self._url, self._schema)
            self._journeys = Journeys(session)
            if self._first:
                session.execute(self._first.encode())
        return session

    def execute(self, sql: str, args: Sequence[Any] = (), /) -> Any:
        """A cursor with the rows; None for COMMIT and ROLLBACK."""
        with self._lock:
            if sql == "COMMIT":
                return self.commit()
            if sql == "ROLLBACK":
                return self.roll_back()
            return self._execute(sql, args)

    def _execute(self, sql: str, args: Sequence[Any]) -> Found:
        begins = sql.startswith("BEGIN")
        session = self._open()
        again = not self._begun and (begins or sql.startswith("SELECT"))
        try:
            found = session.cursor(binary=True).execute(translated(sql), args)
        except psycopg.Error:
            if not again or not session.closed:
                raise
            found = self._open().cursor(binary=True).execute(translated(sql), args)
        self._begun = self._begun or begins
        return found

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], /) -> Any:
        with self._lock:
            cursor = self._open().cursor(binary=True)
            cursor.executemany(translated(sql), rows)
            return cursor

    def run(self, sql: str) -> None:
        """Several statements at once, without arguments: one journey to the server."""
        with self._lock:
            session = self._open()
            session.execute(sql.encode())
            self._begun = session.info.transaction_status != IDLE

    def begin(self, statements: Sequence[Statement]) -> list[pq.abc.PGresult]:
        """BEGIN, and these statements' answers, in one journey."""
        with self._lock:
            self._open()
            try:
                found = self._begin(statements)
            except psycopg.Error:
                if self.usable:
                    raise
                self._open()
                found = self._begin(statements)
            self._begun = True
            return found

    def _begin(self, statements: Sequence[Statement]) -> list[pq.abc.PGresult]:
        assert self._journeys is not None
        self._journeys.send([("BEGIN", ()), *statements])
        return self._journeys.finish()[1:]

    def send(self, statements: Sequence[Statement]) -> None:
        """Let these run with what comes next in the transaction, which tells what fails."""
        with self._lock:
            self._open()
            assert self._journeys is not None
            self._journeys.send(statements)

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

    def commit(self) -> None:
        """End the transaction. OperationalError too when the server rolled it back instead."""
        with self._lock:
            if self._journeys is not None and self._journeys.under_way:
                self._journeys.send([("COMMIT", ())])
                said = (self._journeys.finish()[-1].command_status or b"").decode()
            else:
                said = self._open().execute("COMMIT").statusmessage or ""
            if said != "COMMIT":
                raise psycopg.OperationalError(f"the transaction had failed: {said}")
            self._begun = False

    def roll_back(self) -> None:
        """End the transaction, whatever became of its session. Never raises."""
        with self._lock:
            session, self._begun = self._session, False
            if session is None or session.closed:
                self._journeys = None
                return
            try:
                assert self._journeys is not None
                if self._journeys.under_way:
                    with suppress(psycopg.Error):
                        self._journeys.finish()
                if session.info.transaction_status != IDLE:
                    # seen by psycopg, it would make it deallocate all that is prepared
                    self._journeys.send([("ROLLBACK", ())])
                    self._journeys.finish()
            except psycopg.Error:
                session.close()
                self._journeys = None

    def close(self) -> None:
        with self._lock:
            self._begun, self._journeys = False, None
            if self._session is not None:
                self._session.close()
