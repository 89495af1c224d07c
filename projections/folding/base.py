"""What a view is: tables, handlers, a routing table; and the rows a batch folds into.

A handler gets the working rows, the position and the fact, reads and changes rows of its own view
and nothing else: no clock, no file, no other view, so that a rebuild gives the same rows. A row
belongs to one division (the county where its stream was born); ids are stored as text.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, Self, cast
from uuid import UUID

import msgspec
from sqlalchemy import Column, Index, Integer, MetaData, Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import CreateIndex, CreateTable

from domain.base import Event
from eventstore.sql import Sql

Row = dict[str, Any]
Key = tuple[Any, ...]
Handler = Callable[["Rows", int, Any], None]
Handlers = dict[type[Event], list[Handler]]

LOGICAL = MetaData()
"""The tables as queries see them: each is an SQL view on the physical table that is live."""


@dataclass(frozen=True)
class View:
    """One read model. ``version`` changes whenever tables or handlers mean something new.

    ``by_stream``: what a fact changes depends on facts of its own stream alone, so that a rebuild
    may fold the streams in several processes.
    """

    name: str
    version: int
    tables: tuple[Table, ...]
    routes: Mapping[type[Event], Handler]
    ignored: Mapping[type[Event], str] = field(default_factory=dict)
    by_stream: bool = False


def text_of(id: UUID) -> str:
    """An id as views store it."""
    return str(id)


@lru_cache(maxsize=256)
def when(at: datetime) -> str:
    """A moment as views store it: UTC, milliseconds, sortable as text.

    Several views store the moment of each fact, and the facts of a command have the same.
    """
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    return at.isoformat(timespec="milliseconds")


_to_json = msgspec.json.Encoder(enc_hook=str, order="sorted").encode


def as_json(value: Any) -> str:
    """Structured detail of a row, deterministic: keys sorted, ids as text."""
    return _to_json(msgspec.to_builtins(value, str_keys=True, enc_hook=str)).decode()


def physical(table: Table, generation: int) -> str:
    return f"{table.name}__g{generation}"


def _taking(names: Sequence[str]) -> Callable[[Row], tuple[Any, ...]]:
    """The values of these columns, always as a tuple."""
    if len(names) > 1:
        return cast("Callable[[Row], tuple[Any, ...]]", itemgetter(*names))
    (name,) = names
    return lambda row: (row[name],)


class TableWriter:
    """The statements for one physical table, and how rows go in. Here on SQLite."""

    def __init__(self, table: Table, generation: int) -> None:
        name = physical(table, generation)
        self.name = name
        self.columns = [c.name for c in table.columns]
        self.key = [c.name for c in table.primary_key.columns]
        marks = ",".join("?" * len(self.columns))
        self.names = columns = ",".join(f'"{c}"' for c in self.columns)
        self.key_names = key = ",".join(f'"{k}"' for k in self.key)
        match = " AND ".join(f'"{k}"=?' for k in self.key)
        rest = [c for c in self.columns if c not in self.key]
        change = ",".join(f'"{c}"=excluded."{c}"' for c in rest)
        action = f"DO UPDATE SET {change}" if rest else "DO NOTHING"
        self.insert = f"INSERT INTO {name} ({columns}) VALUES ({marks})"  # noqa: S608
        self.upsert = f"{self.insert} ON CONFLICT ({key}) {action}"
        self.select = f"SELECT {columns} FROM {name} WHERE {match}"  # noqa: S608
        self.delete = f"DELETE FROM {name} WHERE {match}"  # noqa: S608
        self.everything = f"SELECT {columns} FROM {name} ORDER BY {key}"  # noqa: S608
        self.empty = dict.fromkeys(self.columns)
        self.key_of: Callable[[Row], Key] = _taking(self.key)
        self.values_of: Callable[[Row], Sequence[Any]] = _taking(self.columns)

    @classmethod
    @lru_cache(maxsize=1024)
    def of(cls, table: Table, generation: int) -> Self:
        """The writer of a table, which is the same for every connection of the process."""
        return cls(table, generation)

    def rows(self, db: Sql) -> Iterable[tuple[Any, ...]]:
        """All rows in the order of their keys, a boolean as 0 or 1. Inside a transaction."""
        return db.execute(self.everything)

    def find(self, db: Sql, keys: Sequence[Key]) -> Iterable[tuple[Any, ...]]:
        """The rows with these keys that are there, in any order."""
        return (row for key in keys for row in db.execute(self.select, key))

    def put(self, db: Sql, values: Sequence[Sequence[Any]]) -> None:
        """Insert rows or replace those with the same keys: values in column order."""
        db.executemany(self.upsert, values)

    def add(self, db: Sql, values: Iterable[Sequence[Any]]) -> None:
        """Insert rows whose keys are not there."""
        db.executemany(self.insert, values)

    def remove(self, db: Sql, keys: Sequence[Key]) -> None:
        db.executemany(self.delete, keys)


LONGEST_NAME = 63
"""Bytes that PostgreSQL takes for a name."""


def index_name(physical_table: str, index: Index) -> str:
    """The name of a table's index, not too long for any database."""
    columns = "_".join(column.name for column in index.columns)
    return f"ix_{physical_table}_{columns}"[:LONGEST_NAME]


@lru_cache(maxsize=1024)
def create_statements(
    table: Table, generation: int, dialect: Dialect
) -> tuple[str, tuple[str, ...]]:
    """DDL of the physical table, and of its indexes (made after a bulk load)."""
    copy = table.to_metadata(MetaData(), name=physical(table, generation))
    indexes = [
        Index(index_name(copy.name, i), *[copy.c[c.name] for c in i.columns]) for i in table.indexes
    ]
    compiled = str(CreateTable(copy).compile(dialect=dialect))
    made = tuple(str(CreateIndex(i).compile(dialect=dialect)) for i in indexes)
    return compiled, made


def bulk_statement(table: Table) -> str:
    """DDL of a part file's table: without keys, because each row is written once.

    An integer key is kept: in SQLite it is the row's own number and costs nothing.
    """
    keys = list(table.primary_key.columns)
    kept = len(keys) == 1 and isinstance(keys[0].type, Integer)
    columns = [
        Column(c.name, c.type, primary_key=kept and c.primary_key, autoincrement=False)
        for c in table.columns
    ]
    heap = Table(physical(table, 0), MetaData(), *columns)
    return str(CreateTable(heap).compile(dialect=sqlite.dialect()))


ANYWHERE: Row = {"area": None}
"""Stands for a changed row whose area is not known: every board has to look again."""


UNREAD: Row = {}


class Rows:
    """The working rows of a batch: read once, changed in memory, written once.

    All row changes of all views pass here. ``fresh``: the tables are empty, as in a rebuild, so
    that a row that is not in memory need not be looked for in the database.
    """

    def __init__(self, db: Sql, writers: Mapping[str, TableWriter], *, fresh: bool = False) -> None:
        self._db = db
        self._writers = writers
        self._fresh = fresh
        self._rows: dict[str, dict[Key, Row | None]] = {name: {} for name in writers}
        self._dirty: dict[str, dict[Key, bool]] = {name: {} for name in writers}
        """Changed keys, and whether the database surely has no row of that key yet."""
        self._appended: dict[str, list[tuple[Any, ...]]] = {name: [] for name in writers}
        self._left: dict[str, list[Row]] = {name: [] for name in writers}
        """By table: areas whose boards lost a row, because it was deleted or moved elsewhere."""
        self.trusting = True
        """Whether `begin` may insert without looking. Not while faults are narrowed down: a handler
        that begins a row twice would fail there."""
        self.missed: Callable[[str, Key], None] | None = None
        """Called with table and key before a row is read by a query of its own."""

    def get(self, table: Table, *key: Any) -> Row | None:
        """The row, or None. Changing it takes effect only with `put`."""
        rows = self._rows[table.name]
        if key in rows:
            return rows[key]
        if self._fresh:
            return None
        if self.missed is not None:
            self.missed(table.name, key)
            if key in rows:
                return rows[key]
        writer = self._writers[table.name]
        found = self._db.execute(writer.select, key).fetchone()
        row = dict(zip(writer.columns, found, strict=True)) if found is not None else None
        rows[key] = row
        return row

    def read(self, name: str, keys: Sequence[Key]) -> None:
        """Read several rows of a table at once; those that are not there are known to be absent."""
        rows, writer = self._rows[name], self._writers[name]
        missing = [key for key in keys if key not in rows]
        rows.update(dict.fromkeys(missing))
        for values in writer.find(self._db, missing):
            row = dict(zip(writer.columns, values, strict=True))
            rows[writer.key_of(row)] = row

    def need(self, table: Table, *key: Any) -> Row:
        """The row, which an earlier fact of the same stream has made."""
        row = self.get(table, *key)
        assert row is not None, f"{table.name} {key} has not begun"
        return row

    def put(self, table: Table, row: Row) -> Row:
        """Insert or replace a row. Columns left out are NULL."""
        name = table.name
        writer = self._writers[name]
        if len(row) != len(writer.columns):
            row = {**writer.empty, **row}
        key = writer.key_of(row)
        rows, dirty = self._rows[name], self._dirty[name]
        if key not in dirty:
            dirty[key] = rows.get(key, UNREAD) is None
        rows[key] = row
        return row

    def begin(self, table: Table, row: Row) -> Row:
        """Insert a row that no earlier fact can have made: its key is an id that this one begins.

        Columns left out are NULL.
        """
        if self.trusting:
            writer = self._writers[table.name]
            if len(row) != len(writer.columns):
                row = {**writer.empty, **row}
            self._dirty[table.name].setdefault(writer.key_of(row), True)
        return self.put(table, row)

    def change(self, table: Table, *key: Any, **values: Any) -> Row:
        """Change columns of a row that must be there."""
        row = self.need(table, *key)
        if "area" in values and row["area"] not in (None, values["area"]):
            self._left[table.name].append({"area": row["area"]})
        row.update(values)
        self._dirty[table.name].setdefault(key, False)
        return row

    def append(self, table: Table, row: tuple[Any, ...]) -> None:
        """A row that is never read or changed by a handler: values in column order."""
        self._appended[table.name].append(row)

    def delete(self, table: Table, *key: Any) -> None:
        known = self._rows[table.name].get(key)
        self._left[table.name].append({"area": known.get("area")} if known else ANYWHERE)
        self._rows[table.name][key] = None
        self._dirty[table.name].setdefault(key, False)

    def write(self) -> dict[str, list[Row]]:
        """Write what changed, once. Answers the changed rows by table (for live boards): of one
        that is gone the area it had, of one that was appended `ANYWHERE`."""
        changed: dict[str, list[Row]] = {}
        for name, keys in self._dirty.items():
            if keys:
                changed[name] = self._write(name, keys) + self._left[name]
            if self._appended[name]:
                changed.setdefault(name, []).append(ANYWHERE)
            self._dirty[name], self._left[name] = {}, []
        self.write_appended()
        return changed

    def _write(self, name: str, keys: Mapping[Key, bool]) -> list[Row]:
        """Write the changed rows of a table; answers those that are there."""
        writer, rows, values_of = (
            self._writers[name],
            self._rows[name],
            self._writers[name].values_of,
        )
        there = {key: row for key in keys if (row := rows[key]) is not None}
        if len(there) < len(keys) and not self._fresh:
            writer.remove(self._db, [key for key in keys if key not in there])
        new: list[Sequence[Any]] = []
        old: list[Sequence[Any]] = []
        for key, row in there.items():
            (new if self._fresh or keys[key] else old).append(values_of(row))
        if old:
            writer.put(self._db, old)
        if new:
            writer.add(self._db, new)
        return list(there.values())

    def turn_to(self, db: Sql, writers: Mapping[str, TableWriter]) -> None:
        """From now on, write into other tables, which have none of these rows."""
        self._db, self._writers = db, writers

    def write_appended(self) -> None:
        """Write only what was appended, to bound memory in a rebuild."""
        for name, appended in self._appended.items():
            if appended:
                self._writers[name].add(self._db, appended)
                self._appended[name] = []

    def forget(self) -> None:
        """After a `write`: drop the read rows to bound memory; from now on misses are queried."""
        assert not any(self._dirty.values()), "write first"
        for rows in self._rows.values():
            rows.clear()
        self._fresh = False

    def held(self) -> int:
        return sum(len(rows) for rows in self._rows.values())


def routed(views: Iterable[View]) -> Handlers:
    """Event class → handlers of all views, in the order of the views."""
    table: Handlers = {}
    for view in views:
        for event_class, handler in view.routes.items():
            table.setdefault(event_class, []).append(handler)
    return table
