"""The views as they stood at any position of the log: each version of each row, from and to.

A file of its own holds the tables of all views once more, but no row is ever changed there: the
one that was valid is ended at a fact's position and the new one begins there. Queries stay as they
are: the file has SQL views of the plain names that show what was valid at `known_at`, which is a
function of the connection that reads. So nothing is replayed when somebody asks.

The same handlers fold the same facts, one by one instead of in batches; facts that could not be
folded are parked here as in the live views, and views of another program or log begin anew.
"""

from collections.abc import Sequence
from contextvars import ContextVar
from operator import itemgetter
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Column, Index, Integer, MetaData, Table, event
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import CreateIndex, CreateTable

from eventstore.sql import Sql
from projections.folding.base import Row, TableWriter, View, index_name, physical
from projections.folding.databases import SQLiteDatabase
from projections.folding.engine import ViewsDatabase
from projections.folding.facts import Fact
from projections.folding.fold import Folding
from projections.folding.reader import ViewsReader

FROM, TO = "from_position", "to_position"
KNOWN_AT: ContextVar[int] = ContextVar("known_at")
"""The position at which the past is read, of whoever reads just now."""


class PastTable(TableWriter):
    """How versions of rows are written: none is replaced, each is ended and followed.

    ``known_at()`` is the position of the fact that is being folded.
    """

    def __init__(self, table: Table, generation: int) -> None:
        super().__init__(table, generation)
        marks = ",".join("?" * len(self.columns))
        match = " AND ".join(f'"{k}"=?' for k in self.key)
        valid = f"{match} AND {TO} IS NULL"
        self.insert = f"INSERT INTO {self.name} ({self.names}, {FROM}) VALUES ({marks}, known_at())"  # noqa: S608
        self.select = f"SELECT {self.names} FROM {self.name} WHERE {valid}"  # noqa: S608
        self.delete = f"UPDATE {self.name} SET {TO} = known_at() WHERE {valid}"  # noqa: S608
        self.everything = (
            f"SELECT {self.names} FROM {self.name} WHERE {TO} IS NULL ORDER BY {self.key_names}"  # noqa: S608
        )
        places = [self.columns.index(key) for key in self.key]
        first = itemgetter(*places)
        self._key_in = first if len(places) > 1 else lambda values: (first(values),)

    def put(self, db: Sql, values: Sequence[Sequence[Any]]) -> None:
        db.executemany(self.delete, [self._key_in(row) for row in values])
        db.executemany(self.insert, values)


class PastFile(SQLiteDatabase):
    """The file of the past."""

    table = PastTable

    def create(self, table: Table, generation: int) -> tuple[str, tuple[str, ...]]:
        return _statements(table, generation, self.dialect)


def _statements(table: Table, generation: int, dialect: Dialect) -> tuple[str, tuple[str, ...]]:
    """DDL of a table of row versions, and of its indexes."""
    name = physical(table, generation)
    columns = [Column(c.name, c.type, nullable=c.nullable) for c in table.columns]
    bounds = [Column(FROM, Integer, nullable=False), Column(TO, Integer)]
    made = Table(name, MetaData(), *columns, *bounds)
    key = [made.c[c.name] for c in table.primary_key.columns]
    indexes = [
        Index(f"of_{name}", *key, made.c[FROM], unique=True),
        Index(f"now_{name}", *key, unique=True, sqlite_where=made.c[TO].is_(None)),
        *(
            Index(index_name(name, one), *[made.c[c.name] for c in one.columns])
            for one in table.indexes
        ),
    ]
    return (
        str(CreateTable(made).compile(dialect=dialect)),
        tuple(str(CreateIndex(one).compile(dialect=dialect)) for one in indexes),
    )


class PastViews(ViewsDatabase):
    """All versions of all rows of the views, from the first fact on. One process writes."""

    def __init__(self, path: Path, views: Sequence[View]) -> None:
        self._at = 0
        super().__init__(PastFile(path), views)
        self.db.create_function("known_at", 0, lambda: self._at)  # type: ignore[attr-defined]

    def beside(self) -> Self:
        other = type(self)(self.path, self.views)
        other.dropped, other.lineage = self.dropped, self.lineage
        return other

    def forget(self) -> None:
        """Begin anew, with the first fact."""
        known = {entry.view: entry.generation for entry in self.live()}
        with self.lock, self.place.switching():
            for view in self.views:
                self.begin_anew(view, known[view.name] + 1)
        self.use()

    def _fold_into(self, folding: Folding, facts: Sequence[Fact]) -> dict[str, list[Row]]:
        """Each fact's rows are written before the next one is folded. No board is told."""
        for fact in facts:
            self._at = fact.position
            folding.fold(self.db, self._writers, [fact])
        return {}

    def show(self, table: Table, generation: int) -> None:
        """What was valid at ``known_at()``, under the plain name that queries know."""
        columns = ", ".join(f'"{c.name}"' for c in table.columns)
        self.db.execute(
            f"CREATE VIEW {table.name} AS SELECT {columns} FROM {physical(table, generation)}"  # noqa: S608
            f" WHERE {FROM} <= known_at() AND ({TO} IS NULL OR {TO} > known_at())"
        )


class PastReader(ViewsReader):
    """Connections for queries about the past: who asks says when by `KNOWN_AT`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)

        @event.listens_for(self._engine, "connect")
        def _moment(connection: Any, _: object) -> None:
            connection.create_function("known_at", 0, KNOWN_AT.get, deterministic=True)
