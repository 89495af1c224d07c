"""What the store asks of a database connection, and our names for what a database says.

`Sql` is the part of `sqlite3.Connection` that is used, so that the same portable statements (marks
``?``, ``ON CONFLICT``) run on SQLite and, through `eventstore.postgres`, on PostgreSQL.
"""

import errno
import os
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import psycopg
from psycopg import errors as pg
from psycopg_pool import PoolTimeout

from eventstore.errors import (
    FactsUnsealed,
    ReadersBusy,
    StoreAddressWrong,
    StoreDamaged,
    StoreDatabaseMissing,
    StoreError,
    StoreForbidden,
    StoreFull,
    StoreLocked,
    StoreNotAdmitted,
    StoreNotMade,
    StoreNotTrusted,
    StoreOutOfHandles,
    StorePasswordWrong,
    StoreReadOnly,
    StoreUnreachable,
)

UNSEALED = "relief: facts without a seal"
"""How the database begins to say that it takes no facts that nobody has sealed."""
DATABASE_ERRORS = (sqlite3.Error, psycopg.Error)
NO_HANDLES = (errno.EMFILE, errno.ENFILE)
UNIQUE_ERRORS = (sqlite3.IntegrityError, psycopg.IntegrityError)


class Found(Protocol):
    """The rows of a query."""

    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def fetchmany(self, size: int = ...) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Sql(Protocol):
    """One connection. Statements outside ``BEGIN`` … ``COMMIT`` commit by themselves."""

    @property
    def in_transaction(self) -> bool: ...
    def execute(self, sql: str, args: Sequence[Any] = ..., /) -> Found: ...
    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], /) -> Any: ...
    def close(self) -> None: ...


@contextmanager
def begun(db: Sql, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    """A transaction: committed, or rolled back on any exception, which stays what it was."""
    db.execute(begin)
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


@contextmanager
def transaction(db: Sql) -> Iterator[Sql]:
    """As `begun`, but raises a `StoreError` for what the database says."""
    try:
        with begun(db):
            yield db
    except DATABASE_ERRORS as problem:
        raise explain(problem) from problem


def explain(problem: BaseException) -> StoreError:
    """Our named error for what the database says."""
    if UNSEALED in str(problem):
        return FactsUnsealed()
    if isinstance(problem, sqlite3.Error):
        return _of_sqlite(problem)
    assert isinstance(problem, psycopg.Error)
    return _of_postgres(problem)


def out_of_handles() -> bool:
    """Whether this process, or the machine, can open no file more.

    Asked after a failure whose cause SQLite does not tell: it says "unable to open database file"
    for a missing folder, a missing right, and a used-up limit alike.
    """
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as problem:
        return problem.errno in NO_HANDLES
    return False


def _of_sqlite(problem: sqlite3.Error) -> StoreError:
    text = str(problem)
    code = getattr(problem, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreLocked(text)
    if code == sqlite3.SQLITE_FULL or "No space left" in text:
        return StoreFull(text)
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR) and out_of_handles():
        return StoreOutOfHandles(text)
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
        return StoreReadOnly(text)
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StoreDamaged(text)
    if code == sqlite3.SQLITE_IOERR:
        return StoreFull(text)
    return StoreError(text)


POSTGRES: tuple[tuple[tuple[type[BaseException], ...], type[StoreError]], ...] = (
    ((PoolTimeout,), ReadersBusy),
    ((pg.LockNotAvailable, pg.QueryCanceled, pg.DeadlockDetected), StoreLocked),
    ((pg.DiskFull, pg.OutOfMemory), StoreFull),
    ((pg.ReadOnlySqlTransaction,), StoreReadOnly),
    ((pg.InsufficientPrivilege,), StoreForbidden),
    ((pg.InvalidPassword, pg.InvalidAuthorizationSpecification), StorePasswordWrong),
    ((pg.DataCorrupted, pg.IndexCorrupted), StoreDamaged),
    ((pg.UndefinedTable, pg.InvalidSchemaName, pg.InvalidCatalogName), StoreNotMade),
    ((pg.IdleInTransactionSessionTimeout, pg.InFailedSqlTransaction), StoreUnreachable),
    ((psycopg.OperationalError, psycopg.InterfaceError), StoreUnreachable),
)


SAID: tuple[tuple[tuple[str, ...], type[StoreError]], ...] = (
    (
        ("password authentication failed", "Password 认证失败", "no password supplied"),
        StorePasswordWrong,
    ),
    (
        (
            "certificate verify failed",
            "server certificate for ",
            "root certificate file",
            "does not support SSL",
        ),
        StoreNotTrusted,
    ),
    (("pg_hba.conf",), StoreNotAdmitted),
    ((r'database ".*" does not exist', '数据库 ".*" 不存在'), StoreDatabaseMissing),
    (("connection is bad: invalid ",), StoreAddressWrong),
)
"""What libpq says when it cannot connect: there is no code of the error then, only its words, in
the server's language where the server says them."""
ADDRESS = r"connection info string|\bURI\b|percent-encoded|invalid connection option"
"""What psycopg says of an address that it cannot read. It quotes all of it then, with the password,
but for what begins so:"""
QUOTES_NO_MORE = r"invalid (URI query parameter|connection option)"


def _of_postgres(problem: psycopg.Error) -> StoreError:
    text = str(problem).strip().partition("\n")[0]
    if isinstance(problem, psycopg.DataError):  # it would quote the value
        text = f"{type(problem).__name__} {problem.sqlstate or ''}".strip()
    if any(os.strerror(number) in text for number in NO_HANDLES):  # of ours, or of the server
        return StoreOutOfHandles(text)
    if isinstance(problem, psycopg.OperationalError):
        for words, named in SAID:
            if any(re.search(said, str(problem)) for said in words):
                return named(text)
    if isinstance(problem, psycopg.ProgrammingError) and re.search(ADDRESS, text):
        return StoreAddressWrong(text if re.match(QUOTES_NO_MORE, text) else "")
    for kinds, named in POSTGRES:
        if isinstance(problem, kinds):
            return named(text)
    return StoreError(text)
