"""Facts folded in orders that a log never has, and rows that remember whose facts touched them."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from itertools import islice
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import Table
from sqlalchemy.dialects import sqlite

from domain.base import Event
from eventstore.store import Recorded
from projections.folding.base import Key, Row, Rows, TableWriter, View, create_statements, routed
from projections.folding.rebuild import hashed
from tests.projections.folding import run

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
            for table in view.tables:
                self.db.execute(create_statements(table, GENERATION, sqlite.dialect())[0])
        self.writers = {
            table.name: TableWriter(table, GENERATION) for view in views for table in view.tables
        }

    def fold(self, facts: Facts, dice: Random) -> None:
        """In batches of any size, each read, changed and written on its own."""
        left = iter(facts)
        while batch := list(islice(left, dice.choice((1, 7, 100, 1000)))):
            rows = Rows(self.db, self.writers)
            run(rows, self.views, batch)
            rows.write()

    def take(self, other: "Tables") -> None:
        """Add the rows of other tables; a row that both have is an error."""
        for name, writer in self.writers.items():
            self.db.executemany(writer.insert, other.db.execute(other.writers[name].everything))

    def hashes(self) -> dict[str, str]:
        """SHA-256 of every table."""
        return {name: hashed(writer.rows(self.db)).sha256 for name, writer in self.writers.items()}


def hashes_of(views: Sequence[View], facts: Facts, seed: int = 0) -> dict[str, str]:
    """SHA-256 of every table after folding the facts in this order."""
    tables = Tables(views)
    with closing(tables.db):
        tables.fold(facts, Random(seed))
        return tables.hashes()


class OwnedRows(Rows):
    """Rows that note whose facts (of which division, or stream) read, changed or missed them."""

    def __init__(self, db: sqlite3.Connection, writers: dict[str, TableWriter]) -> None:
        super().__init__(db, writers, fresh=True)
        self.owner = UUID(int=0)
        self.topic = ""
        self.touched: dict[tuple[str, Key], dict[UUID, str]] = {}

    def _note(self, table: Table, key: Key) -> None:
        known = self.touched.setdefault((table.name, key), {})
        known.setdefault(self.owner, self.topic)

    def get(self, table: Table, *key: Any) -> Row | None:
        self._note(table, key)
        return super().get(table, *key)

    def put(self, table: Table, row: Row) -> Row:
        self._note(table, self._writers[table.name].key_of(row))
        return super().put(table, row)

    def delete(self, table: Table, *key: Any) -> None:
        self._note(table, key)
        super().delete(table, *key)


def division_of(fact: Event) -> UUID:
    return fact.meta.division


def stream_of(fact: Event) -> UUID:
    return fact.originator_id


def shared_rows(
    views: Sequence[View], facts: Facts, owner_of: Callable[[Event], UUID] = division_of
) -> dict[str, set[str]]:
    """Tables with rows that facts of several owners touched, and which facts these are."""
    tables = Tables(views)
    with closing(tables.db):
        rows = OwnedRows(tables.db, tables.writers)
        handlers = routed(views)
        for position, fact in facts:
            rows.owner, rows.topic = owner_of(fact), fact.topic()
            for handler in handlers.get(type(fact), ()):
                handler(rows, position, fact)
    found: dict[str, set[str]] = {}
    for (name, _), touched in rows.touched.items():
        if len(touched) > 1:
            found.setdefault(name, set()).update(touched.values())
    return found
