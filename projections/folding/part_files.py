"""What one process of a rebuild folds into: a file without journal or keys, or PostgreSQL itself.

On PostgreSQL finished rows are copied straight into the next generation's tables, which have no
keys or indexes yet. The file then takes only rows that may still change and do not fit into memory.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Table

from eventstore.sql import Sql
from projections.folding.base import Rows, TableWriter, View, bulk_statement
from projections.folding.databases import PostgresDatabase, PostgresTable, transaction
from projections.folding.errors import AnotherRebuild

HELD_ROWS = 300_000
PART = 0
FETCHED = 4096
DURABLE = "SET LOCAL synchronous_commit = on"
"""Rows of a rebuild have no position beside them that would be lost with them."""


class Target(msgspec.Struct, frozen=True):
    """Tables on PostgreSQL that one rebuild has made for itself: address, OIDs by physical name,
    generation by view."""

    url: str
    oids: dict[str, int | None]
    generations: dict[str, int]


def refuse_others(db: Sql, oids: Mapping[str, int | None]) -> None:
    """Raise `AnotherRebuild` unless these tables, which the transaction has locked, are still those
    that were made: a rebuild that was taken for dead must not write into its successor's."""
    found = oids_of(db, list(oids))
    replaced = [name for name in oids if found[name] != oids[name]]
    if replaced:
        raise AnotherRebuild(f"It has replaced {', '.join(replaced)}.")


def oids_of(db: Sql, names: Sequence[str]) -> dict[str, int | None]:
    """The OIDs of tables on PostgreSQL; None for what is not there."""
    sql = "SELECT name, to_regclass(name)::oid::int8 FROM unnest(?::text[]) AS name"
    return dict(db.execute(sql, (names,)).fetchall())


class Straight:
    """A session that copies rows into the tables of a `Target`."""

    def __init__(self, target: Target, views: Sequence[View]) -> None:
        self._writers = {
            table.name: PostgresTable(table, target.generations[view.name])
            for view in views
            for table in view.tables
        }
        self._oids = {writer.name: target.oids[writer.name] for writer in self._writers.values()}
        self._place = PostgresDatabase(target.url)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction, in which none of the tables can be dropped."""
        db = self._place.db
        with transaction(db):
            db.execute(DURABLE)
            db.execute(f"LOCK TABLE {','.join(self._oids)} IN ROW EXCLUSIVE MODE")
            refuse_others(db, self._oids)
            yield

    def add(self, name: str, values: Any) -> None:
        """Rows of a table, in column order. Inside `writing`."""
        self._writers[name].add(self._place.db, values)

    def close(self) -> None:
        self._place.close()


class Adding(TableWriter):
    """A table of the file whose finished rows, while ``straight`` is set, go there instead."""

    straight: Straight | None = None

    def __init__(self, table: Table) -> None:
        super().__init__(table, PART)
        self._logical = table.name

    def add(self, db: Sql, values: Sequence[Sequence[Any]]) -> None:
        if self.straight is not None:
            self.straight.add(self._logical, values)
        else:
            super().add(db, values)


class PartFile:
    """A new file for some views' rows, which are held in memory while there are not too many."""

    def __init__(
        self, file: str | Path, views: Sequence[View], target: Target | None = None
    ) -> None:
        self._db = db = sqlite3.connect(file, isolation_level=None)
        for pragma in (
            "journal_mode=OFF",
            "synchronous=OFF",
            "cache_size=-65536",
            "locking_mode=EXCLUSIVE",
        ):
            db.execute(f"PRAGMA {pragma}")
        tables = [table for view in views for table in view.tables]
        self._writers = {table.name: Adding(table) for table in tables}
        for table in tables:
            db.execute(bulk_statement(table))
        self.rows = Rows(db, self._writers, fresh=True)
        self._keyed = False
        self._straight = Straight(target, views) if target is not None else None
        db.execute("BEGIN")

    def relieve(self) -> None:
        """Between two batches: write what need not be held any longer."""
        with self._writing_straight():
            self.rows.write_appended()
        if self.rows.held() > HELD_ROWS:
            self.rows.write()
            if not self._keyed:
                _index_keys(self._db, self._writers)
                self._keyed = True
            self.rows.forget()

    def finish(self) -> None:
        if self._keyed:
            self.rows.write()
        with self._writing_straight() as straight:
            self.rows.write()
            if straight is not None and self._keyed:
                for name, writer in self._writers.items():
                    straight.add(name, self._db.execute(writer.everything))
        self._db.execute("COMMIT")

    @contextmanager
    def _writing_straight(self) -> Iterator[Straight | None]:
        """Rows that are added go to PostgreSQL, if that is where they belong."""
        if self._straight is None:
            yield None
            return
        with self._straight.writing():
            self._switch(self._straight)
            try:
                yield self._straight
            finally:
                self._switch(None)

    def _switch(self, straight: Straight | None) -> None:
        for writer in self._writers.values():
            writer.straight = straight

    def close(self) -> None:
        self._db.close()
        if self._straight is not None:
            self._straight.close()


def _index_keys(db: sqlite3.Connection, writers: Mapping[str, TableWriter]) -> None:
    """Give the heaps their keys: rows will be found and replaced from now on."""
    for writer in writers.values():
        db.execute(f"CREATE UNIQUE INDEX key_{writer.name} ON {writer.name} ({writer.key_names})")
