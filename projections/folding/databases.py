"""Where views are kept: one SQLite file, or the schema ``views`` of a PostgreSQL database.

Both give one connection and two kinds of transaction: one that applies facts of a partition, and
one that changes which tables are live, with which no other runs at the same time.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, ClassVar, Self

import msgspec
import psycopg
from sqlalchemy import Boolean, Float, Integer, Table
from sqlalchemy.dialects import postgresql

import projections.folding.dialects  # noqa: F401  # how PostgreSQL is spoken
from eventstore.modes import private_folder
from eventstore.postgres import PostgresConnection
from eventstore.sql import Sql
from eventstore.sqlite import check_schema, connect
from projections.folding.base import Key, TableWriter, create_statements

SCHEMA = 3
CHECKPOINT_PAGES = 8192
"""32 MiB: a checkpoint is the only time when a view's batch waits for the disk."""
TABLES = """
CREATE TABLE IF NOT EXISTS generations (
    view TEXT PRIMARY KEY, version INTEGER NOT NULL, generation INTEGER NOT NULL,
    lineage TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS positions (
    view TEXT NOT NULL, partition INTEGER NOT NULL, position BIGINT NOT NULL,
    failing INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (view, partition)
);
CREATE TABLE IF NOT EXISTS parked (
    view TEXT NOT NULL, partition INTEGER NOT NULL, position BIGINT NOT NULL,
    stream {bytes} NOT NULL, topic TEXT NOT NULL, state {bytes} NOT NULL,
    reason TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (view, position)
);
"""
"""``failing``: how many streams have been parked in a row since a fact was folded; one more than
may be when the view stands before the next (`projections.folding.errors.STOPPED`)."""
FROM_1 = """
CREATE TABLE positions AS SELECT view, 0 AS partition, position, 0 AS failing FROM generations;
CREATE UNIQUE INDEX positions_by_view ON positions (view, partition);
CREATE TABLE kept AS SELECT view, version, generation FROM generations;
DROP TABLE generations;
"""
FROM_1_AFTER = "INSERT INTO generations SELECT *, '' FROM kept; DROP TABLE kept;"
FROM_2 = "ALTER TABLE generations ADD COLUMN lineage TEXT NOT NULL DEFAULT '';"
SWITCH_LOCK = 4_210_010
PARTITION_LOCK = 42_100
CHANNEL = "relief_views"
FETCHED = 4096
WORTH_A_COPY = 100
"""From so many rows on, COPY into a temporary table is faster than rows as JSON."""

_to_json = msgspec.json.Encoder().encode


class Database(ABC):
    """A place for views. ``db`` is its one connection, for whoever holds the lock on it."""

    db: Sql
    source: str
    far: ClassVar[bool] = False
    """Whether each statement is a journey to a server."""
    for_update: ClassVar[str] = ""

    @abstractmethod
    def set_up(self) -> None:
        """Make the tables about the views. Call inside `switching`."""

    @abstractmethod
    def is_set_up(self) -> bool: ...

    @abstractmethod
    def applying(self, partition: int) -> AbstractContextManager[None]:
        """A transaction that applies facts of one partition; the only one of this partition."""

    @abstractmethod
    def switching(self) -> AbstractContextManager[None]:
        """A transaction that changes which tables are live; nobody applies meanwhile."""

    @abstractmethod
    def again(self) -> Self:
        """The same place on another connection."""

    @abstractmethod
    def looking(self) -> AbstractContextManager[None]:
        """A transaction that sees one state and changes nothing."""

    @abstractmethod
    def table(self, table: Table, generation: int) -> TableWriter:
        """How rows of a physical table are written."""

    @abstractmethod
    def create(self, table: Table, generation: int) -> tuple[str, list[str]]:
        """The DDL of a physical table and of its indexes."""

    @abstractmethod
    def announce(self, text: str) -> None:
        """Tell other processes, when the transaction commits."""

    def close(self) -> None:
        self.db.close()


class SQLiteDatabase(Database):
    """One file, one process that writes. A batch is not forced to disk: views can be rebuilt."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.source = str(path.absolute())
        private_folder(path.parent)
        db = connect(path, synchronous="NORMAL")
        db.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        tables = TABLES.format(bytes="BLOB")
        schema = db.execute("PRAGMA user_version").fetchone()[0]
        if schema == 1:
            tables = "".join((FROM_1, tables, FROM_1_AFTER))
        elif schema == 2:
            tables = FROM_2 + tables
        check_schema(db, path, SCHEMA, tables)
        self.db = db

    def set_up(self) -> None:
        """Made as the file was opened."""

    def is_set_up(self) -> bool:
        return True

    @contextmanager
    def applying(self, partition: int) -> Iterator[None]:
        del partition
        with transaction(self.db):
            yield

    def switching(self) -> AbstractContextManager[None]:
        return transaction(self.db)

    def again(self) -> Self:
        return type(self)(self.path)

    def looking(self) -> AbstractContextManager[None]:
        return transaction(self.db, "BEGIN")

    def table(self, table: Table, generation: int) -> TableWriter:
        return TableWriter(table, generation)

    def create(self, table: Table, generation: int) -> tuple[str, list[str]]:
        return create_statements(table, generation)

    def announce(self, text: str) -> None:
        """There is nobody else."""


class PostgresDatabase(Database):
    """Schema ``views``, any number of processes. A commit does not wait for the disk: one that is
    lost takes rows and position with it, and the next frame shows a gap.
    """

    far = True
    for_update = " FOR UPDATE OF p"

    def __init__(self, url: str) -> None:
        self.source = url
        self.session = PostgresConnection(url, "views", first="SET synchronous_commit = off")
        self.db = self.session

    def set_up(self) -> None:
        for statement in TABLES.format(bytes="BYTEA").split(";"):
            if statement.strip():
                self.db.execute(statement)
        self.db.execute(FROM_2.replace("COLUMN", "COLUMN IF NOT EXISTS"))

    def is_set_up(self) -> bool:
        found = self.db.execute(
            "SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass('generations')"
            " AND attname = 'lineage' AND NOT attisdropped"
        ).fetchone()
        return bool(found[0])

    @contextmanager
    def applying(self, partition: int) -> Iterator[None]:
        """Two owners of a partition come one after the other; a switch waits, and is waited for.

        The locks are had before the first look at the tables, so that it sees what was committed
        by whoever held them.
        """
        with transaction(self.db):
            self.db.execute(
                "SELECT pg_advisory_xact_lock_shared(?), pg_advisory_xact_lock(?::int4, ?::int4)",
                (SWITCH_LOCK, PARTITION_LOCK, partition),
            )
            yield

    @contextmanager
    def switching(self) -> Iterator[None]:
        with transaction(self.db):
            self.db.execute("SELECT pg_advisory_xact_lock(?)", (SWITCH_LOCK,))
            yield

    def again(self) -> Self:
        return type(self)(self.source)

    def looking(self) -> AbstractContextManager[None]:
        return transaction(self.db, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def table(self, table: Table, generation: int) -> TableWriter:
        return PostgresTable(table, generation)

    def create(self, table: Table, generation: int) -> tuple[str, list[str]]:
        return create_statements(table, generation, postgresql.dialect())  # type: ignore[no-untyped-call]

    def announce(self, text: str) -> None:
        self.db.execute("SELECT pg_notify(?, ?)", (CHANNEL, text))


def _types(table: Table) -> list[str]:
    """PostgreSQL's names for the columns' types, as `projections.folding.dialects` makes them."""
    names: list[tuple[type[Any], str]] = [(Boolean, "bool"), (Integer, "int8"), (Float, "float8")]
    return [
        next((name for kind, name in names if isinstance(column.type, kind)), "text")
        for column in table.columns
    ]


def as_records(columns: Sequence[str], values: Sequence[Sequence[Any]]) -> str:
    """Rows as a JSON array of objects."""
    return _to_json([dict(zip(columns, row, strict=True)) for row in values]).decode()


class PostgresTable(TableWriter):
    """Many rows in one statement: as JSON while they are few, by COPY when they are many."""

    def __init__(self, table: Table, generation: int) -> None:
        super().__init__(table, generation)
        self.types = _types(table)
        self._into = f"INSERT INTO {self.name} ({self.names})"
        self._action = self.upsert[self.upsert.index(" ON CONFLICT ") :]
        typed_columns = [f'"{c}" {t}' for c, t in zip(self.columns, self.types, strict=True)]
        typed = ", ".join(typed_columns)
        self._from_json = f" SELECT * FROM json_to_recordset(?::json) AS given ({typed})"  # noqa: S608
        of_key = [t for c, t in zip(self.columns, typed_columns, strict=True) if c in self.key]
        match = " AND ".join(f'gone."{k}" = given."{k}"' for k in self.key)
        self._find = (
            f"SELECT {self.names} FROM json_to_recordset(?::json)"  # noqa: S608
            f" AS given ({', '.join(of_key)}) JOIN {self.name} USING ({self.key_names})"
        )
        self._remove = (
            f"DELETE FROM {self.name} gone USING json_to_recordset(?::json)"  # noqa: S608
            f" AS given ({', '.join(of_key)}) WHERE {match}"
        )
        shown = [
            f'"{c}"::int4' if t == "bool" else f'"{c}"'
            for c, t in zip(self.columns, self.types, strict=True)
        ]
        self._all = f"SELECT {','.join(shown)} FROM {self.name} ORDER BY {self.key_names}"  # noqa: S608
        self._heap = f"given_{table.name}"
        self._make_heap = f"CREATE TEMPORARY TABLE IF NOT EXISTS {self._heap} (LIKE {self.name})"
        self._from_heap = f" SELECT * FROM {self._heap}"  # noqa: S608

    def rows(self, db: Sql) -> Iterator[tuple[Any, ...]]:
        db.execute(f"DECLARE all_rows NO SCROLL CURSOR FOR {self._all}")
        while found := db.execute(f"FETCH {FETCHED} FROM all_rows").fetchall():
            yield from found
        db.execute("CLOSE all_rows")

    def find(self, db: Sql, keys: Sequence[Key]) -> list[tuple[Any, ...]]:
        if not keys:
            return []
        found: list[tuple[Any, ...]] = db.execute(
            self._find, (as_records(self.key, keys),)
        ).fetchall()
        return found

    def put(self, db: Sql, values: Sequence[Sequence[Any]]) -> None:
        if len(values) < WORTH_A_COPY:
            if values:
                given = (as_records(self.columns, values),)
                db.execute(self._into + self._from_json + self._action, given)
            return
        assert isinstance(db, PostgresConnection)
        db.execute(self._make_heap)
        db.copy(self._heap, values, self.types)
        db.execute(self._into + self._from_heap + self._action)
        db.execute(f"TRUNCATE {self._heap}")

    def add(self, db: Sql, values: Sequence[Sequence[Any]]) -> None:
        assert isinstance(db, PostgresConnection)
        db.copy(f"{self.name} ({self.names})", values, self.types)

    def remove(self, db: Sql, keys: Sequence[Key]) -> None:
        db.execute(self._remove, (as_records(self.key, keys),))


def opened(place: Path | str | Database) -> Database:
    """A place by its file, by its address (``postgresql://…``), or as it is."""
    if isinstance(place, Path):
        return SQLiteDatabase(place)
    return PostgresDatabase(place) if isinstance(place, str) else place


@contextmanager
def transaction(db: Sql, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    """``BEGIN IMMEDIATE`` … ``COMMIT``, or ``ROLLBACK`` on any exception."""
    db.execute(begin)
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        try:
            if db.in_transaction:
                db.execute("ROLLBACK")
        except psycopg.Error:
            db.close()
        raise
