"""Where views are kept: one SQLite file, or the schema ``views`` of a PostgreSQL database.

Both give one connection and two kinds of transaction: one that applies facts of a partition, and
one that changes which tables are live, with which no other runs at the same time.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, ClassVar, Self

import msgspec
from sqlalchemy import Boolean, Float, Integer, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect

import projections.folding.dialects  # noqa: F401  # how PostgreSQL is spoken
from eventstore.modes import private_folder
from eventstore.postgres import PostgresConnection
from eventstore.sql import Sql, begun
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
"""``failing``: how many streams were parked in a row since the view last folded a fact. The value
`projections.folding.errors.STOPPED` says that the view stands still before the next one."""
LINEAGE = "ALTER TABLE generations ADD COLUMN lineage TEXT NOT NULL DEFAULT '';"
ANEW = "ALTER TABLE generations DROP COLUMN position; UPDATE generations SET version = 0;"
UPGRADES = {1: ANEW + LINEAGE, 2: LINEAGE}
"""From older schemas of a file. Schema 1 had no partitions: its views begin anew."""
SWITCH_LOCK = 4_210_010
PARTITION_LOCK = 42_100
CHANNEL = "relief_views"
FETCHED = 4096
WORTH_A_COPY = 100
"""From so many rows on, COPY into a temporary table is faster than rows as JSON."""

_to_json = msgspec.json.Encoder().encode


class Database:
    """A place for views. ``db`` is its one connection, for whoever holds the lock on it.

    What is said here is enough where one process writes, as in a file.
    """

    db: Sql
    source: str
    far: ClassVar[bool] = False
    """Whether each statement is a journey to a server."""
    for_update: ClassVar[str] = ""
    table: ClassVar[type[TableWriter]] = TableWriter
    """How rows of a physical table are written."""
    dialect: ClassVar[Dialect] = sqlite.dialect()

    def set_up(self) -> None:
        """Make the tables about the views. Call inside `switching`."""

    def is_set_up(self) -> bool:
        return True

    def again(self) -> Self:
        """The same place on another connection."""
        raise NotImplementedError

    @contextmanager
    def applying(self, partition: int) -> Iterator[None]:
        """A transaction that applies facts of one partition; the only one of this partition."""
        del partition
        with begun(self.db):
            yield

    def switching(self) -> AbstractContextManager[None]:
        """A transaction that changes which tables are live; nobody applies meanwhile."""
        return begun(self.db)

    def looking(self) -> AbstractContextManager[None]:
        """A transaction that sees one state and changes nothing."""
        return begun(self.db, "BEGIN")

    def create(self, table: Table, generation: int) -> tuple[str, tuple[str, ...]]:
        """The DDL of a physical table and of its indexes."""
        return create_statements(table, generation, self.dialect)

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
        self.db = db = connect(path, synchronous="NORMAL")
        db.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        schema = db.execute("PRAGMA user_version").fetchone()[0]
        check_schema(db, path, SCHEMA, UPGRADES.get(schema, "") + TABLES.format(bytes="BLOB"))

    def again(self) -> Self:
        return type(self)(self.path)


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
        typed = {c: f'"{c}" {t}' for c, t in zip(self.columns, self.types, strict=True)}
        of_key = ", ".join(typed[k] for k in self.key)
        given = "json_to_recordset(?::json) AS given"
        match = " AND ".join(f'gone."{k}" = given."{k}"' for k in self.key)
        self._find = (
            f"SELECT {self.names} FROM {given} ({of_key})"  # noqa: S608
            f" JOIN {self.name} USING ({self.key_names})"
        )
        self._remove = f"DELETE FROM {self.name} gone USING {given} ({of_key}) WHERE {match}"  # noqa: S608
        shown = ",".join(
            f'"{c}"::int4' if t == "bool" else f'"{c}"'
            for c, t in zip(self.columns, self.types, strict=True)
        )
        self._all = f"SELECT {shown} FROM {self.name} ORDER BY {self.key_names}"  # noqa: S608
        self._heap = f"given_{table.name}"
        self._make_heap = f"CREATE TEMPORARY TABLE IF NOT EXISTS {self._heap} (LIKE {self.name})"
        into = f"INSERT INTO {self.name} ({self.names}) SELECT * FROM"
        action = self.upsert[self.upsert.index(" ON CONFLICT ") :]
        self._put = f"{into} {given} ({', '.join(typed.values())}){action}"
        self._put_heap = f"{into} {self._heap}{action}"

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
            db.execute(self._put, (as_records(self.columns, values),))
            return
        assert isinstance(db, PostgresConnection)
        db.execute(self._make_heap)
        db.copy(self._heap, values, self.types)
        db.execute(self._put_heap)
        db.execute(f"TRUNCATE {self._heap}")

    def add(self, db: Sql, values: Iterable[Sequence[Any]]) -> None:
        assert isinstance(db, PostgresConnection)
        db.copy(f"{self.name} ({self.names})", values, self.types)

    def remove(self, db: Sql, keys: Sequence[Key]) -> None:
        db.execute(self._remove, (as_records(self.key, keys),))


class PostgresDatabase(Database):
    """Schema ``views``, any number of processes.

    A commit does not wait for the disk. If the server crashes, the last commits may be lost, rows
    and positions together; the next frame then shows a gap, which is read from the log.
    """

    db: PostgresConnection
    far = True
    for_update = " FOR UPDATE OF p"
    table = PostgresTable
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]

    def __init__(self, url: str) -> None:
        self.source = url
        self.db = PostgresConnection(url, "views", first="SET synchronous_commit = off")

    def set_up(self) -> None:
        for statement in TABLES.format(bytes="BYTEA").split(";"):
            if statement.strip():
                self.db.execute(statement)
        self.db.execute(LINEAGE.replace("COLUMN", "COLUMN IF NOT EXISTS"))

    def is_set_up(self) -> bool:
        found = self.db.execute(
            "SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass('generations')"
            " AND attname = 'lineage' AND NOT attisdropped"
        ).fetchone()
        return bool(found[0])

    @contextmanager
    def applying(self, partition: int) -> Iterator[None]:
        """Two workers that both hold a partition apply one after the other, and nobody applies
        while tables are switched.

        The locks are taken before the first query, so that this transaction sees all that their
        last holder has committed.
        """
        with begun(self.db):
            self.db.execute(
                "SELECT pg_advisory_xact_lock_shared(?), pg_advisory_xact_lock(?::int4, ?::int4)",
                (SWITCH_LOCK, PARTITION_LOCK, partition),
            )
            yield

    @contextmanager
    def switching(self) -> Iterator[None]:
        with begun(self.db):
            self.db.execute("SELECT pg_advisory_xact_lock(?)", (SWITCH_LOCK,))
            yield

    def again(self) -> Self:
        return type(self)(self.source)

    def looking(self) -> AbstractContextManager[None]:
        return begun(self.db, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def announce(self, text: str) -> None:
        self.db.execute("SELECT pg_notify(?, ?)", (CHANNEL, text))


def opened(place: Path | str | Database) -> Database:
    """A place by its file, by its address (``postgresql://…``), or as it is."""
    if isinstance(place, Path):
        return SQLiteDatabase(place)
    return PostgresDatabase(place) if isinstance(place, str) else place
