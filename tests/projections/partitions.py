"""Facts folded in orders that a log never has, and rows that remember whose facts touched them."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from itertools import islice
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import Table

from eventstore.store import Recorded
from projections.base import Key, Row, Rows, TableWriter, View, routed
from projections.engine import fold, make_tables
from projections.rebuild import hash_table

GENERATION = 1
Facts = Sequence[Recorded]


def by_division(facts: Facts) -> dict[UUID, list[Recorded]]:
    """The facts of each division, in the order of the log."""
    found: dict[UUID, list[Recorded]] = {}
    for fact in facts:
        found.setdefault(fact.event.meta.division, []).append(fact)
    return found


def interleaved(parts: Iterable[Sequence[Recorded]], dice: Random) -> list[Recorded]:
    """All facts in an order drawn by lot, which keeps the order within each part.

    Some parts go fast and some lag far behind.
    """
    speeds = {iter(part): dice.random() ** 4 for part in parts}
    found: list[Recorded] = []
    while speeds:
        (source,) = dice.choices(list(speeds), list(speeds.values()))
        run = list(islice(source, dice.randint(1, 40)))
        found += run
        if not run:
            del speeds[source]
    return found


class Tables:
    """The tables of some views in memory."""

    def __init__(self, views: Sequence[View]) -> None:
        self.views = views
        self.db = sqlite3.connect(":memory:", isolation_level=None)
        for view in views:
            make_tables(self.db, view, GENERATION, indexes=False)
        self.writers = {
            table.name: TableWriter(table, GENERATION) for view in views for table in view.tables
        }

    def fold(self, facts: Facts, dice: Random) -> None:
        """In batches of any size, each read, changed and written on its own."""
        handlers, left = routed(self.views), iter(facts)
        while batch := list(islice(left, dice.choice((1, 7, 100, 1000)))):
            rows = Rows(self.db, self.writers)
            fold(rows, handlers, batch)
            rows.write()

    def take(self, other: "Tables") -> None:
        """Add the rows of other tables; a row that both have is an error."""
        for name, writer in self.writers.items():
            self.db.executemany(writer.insert, other.db.execute(other.writers[name].everything))

    def hashes(self) -> dict[str, str]:
        """SHA-256 of every table."""
        return {
            table.name: hash_table(self.db, view, self.writers[table.name], table.name).sha256
            for view in self.views
            for table in view.tables
        }


def hashes_of(views: Sequence[View], facts: Facts, seed: int = 0) -> dict[str, str]:
    """SHA-256 of every table after folding the facts in this order."""
    tables = Tables(views)
    with closing(tables.db):
        tables.fold(facts, Random(seed))
        return tables.hashes()


class OwnedRows(Rows):
    """Rows that note the divisions whose facts read, changed or missed each of them."""

    def __init__(self, db: sqlite3.Connection, writers: dict[str, TableWriter]) -> None:
        super().__init__(db, writers, fresh=True)
        self.division = UUID(int=0)
        self.handler = ""
        self.touched: dict[tuple[str, Key], dict[UUID, str]] = {}

    def _note(self, table: Table, key: Key) -> None:
        known = self.touched.setdefault((table.name, key), {})
        known.setdefault(self.division, self.handler)

    def get(self, table: Table, *key: Any) -> Row | None:
        self._note(table, key)
        return super().get(table, *key)

    def put(self, table: Table, row: Row) -> Row:
        self._note(table, self._writers[table.name].key_of(row))
        return super().put(table, row)

    def delete(self, table: Table, *key: Any) -> None:
        self._note(table, key)
        super().delete(table, *key)


def shared_rows(views: Sequence[View], facts: Facts) -> dict[str, set[str]]:
    """Tables with rows that facts of several divisions touched, and by which handlers."""
    tables = Tables(views)
    with closing(tables.db):
        rows = OwnedRows(tables.db, tables.writers)
        handlers = routed(views)
        for position, fact in facts:
            rows.division, rows.handler = fact.meta.division, fact.topic()
            for handler in handlers.get(type(fact), ()):
                handler(rows, position, fact)
    found: dict[str, set[str]] = {}
    for (name, _), touched in rows.touched.items():
        if len(touched) > 1:
            found.setdefault(name, set()).update(touched.values())
    return found
