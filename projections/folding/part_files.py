"""What one process of a rebuild folds into: a file without journal or keys.

On PostgreSQL, what the file holds at the end is copied into the next generation's tables, which
have no keys or indexes yet.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from eventstore.sql import Sql, begun
from projections.folding.base import Rows, TableWriter, View, bulk_statement
from projections.folding.databases import PostgresDatabase, PostgresTable
from projections.folding.errors import AnotherRebuild

HELD_ROWS = 300_000
PART = 0
"""The generation under which a part file has its tables."""
DURABLE = "SET LOCAL synchronous_commit = on"
"""Rows that workers fold may be lost in a crash together with their position, and are then folded
again. Rows of a rebuild have no position yet that would tell that they are missing."""

Oids = Mapping[str, int | None]
"""Of tables on PostgreSQL, by physical name; None for what is not there."""


class Target(msgspec.Struct, frozen=True):
    """Tables on PostgreSQL that one rebuild has made for itself: where, and generation by view."""

    url: str
    oids: dict[str, int | None]
    generations: dict[str, int]


def oids_of(db: Sql, names: Sequence[str]) -> dict[str, int | None]:
    sql = "SELECT name, to_regclass(name)::oid::int8 FROM unnest(?::text[]) AS name"
    return dict(db.execute(sql, (names,)).fetchall())


def refuse_others(db: Sql, oids: Oids) -> None:
    """Raise `AnotherRebuild` unless these tables, which the transaction has locked, are still those
    that were made: a rebuild that was taken for dead must not write into its successor's."""
    found = oids_of(db, list(oids))
    replaced = [name for name in oids if found[name] != oids[name]]
    if replaced:
        raise AnotherRebuild(f"It has replaced {', '.join(replaced)}.")


@contextmanager
def writing(db: Sql, oids: Oids) -> Iterator[None]:
    """A transaction in which none of these tables of a rebuild can be dropped or replaced."""
    with begun(db):
        db.execute(DURABLE)
        db.execute(f"LOCK TABLE {','.join(oids)} IN ROW EXCLUSIVE MODE")
        refuse_others(db, oids)
        yield


class PartFile:
    """A new file for some views' rows, which are held in memory while there are not too many."""

    def __init__(self, file: str | Path, views: Sequence[View]) -> None:
        self._db = db = sqlite3.connect(file, isolation_level=None)
        for pragma in (
            "journal_mode=OFF",
            "synchronous=OFF",
            "cache_size=-65536",
            "locking_mode=EXCLUSIVE",
        ):
            db.execute(f"PRAGMA {pragma}")
        self._views = views
        tables = [table for view in views for table in view.tables]
        self._writers = {table.name: TableWriter(table, PART) for table in tables}
        for table in tables:
            db.execute(bulk_statement(table))
        self.rows = Rows(db, self._writers, fresh=True)
        self._keyed = False
        db.execute("BEGIN")

    def relieve(self) -> None:
        """Call between two batches: keeps the number of rows in memory bounded."""
        self.rows.write_appended()
        if self.rows.held() > HELD_ROWS:
            self.rows.write()
            if not self._keyed:
                self._index_keys()
            self.rows.forget()

    def _index_keys(self) -> None:
        """From now on rows are looked up in the file and replaced there, which needs its keys."""
        for writer in self._writers.values():
            name = writer.name
            self._db.execute(f"CREATE UNIQUE INDEX key_{name} ON {name} ({writer.key_names})")
        self._keyed = True

    def finish(self, target: Target | None = None) -> None:
        """All rows are in the file or, on PostgreSQL, in these tables."""
        if target is None or self._keyed:
            self.rows.write()
        self._db.execute("COMMIT")
        if target is not None:
            self._copy_to(target)

    def _copy_to(self, target: Target) -> None:
        into = {
            table.name: PostgresTable(table, target.generations[view.name])
            for view in self._views
            for table in view.tables
        }
        oids = {table.name: target.oids[table.name] for table in into.values()}
        with closing(PostgresDatabase(target.url)) as place, writing(place.db, oids):
            for name, writer in self._writers.items():
                rows = self._db.execute(f"SELECT {writer.names} FROM {writer.name}")  # noqa: S608
                into[name].add(place.db, rows)
            self.rows.turn_to(place.db, into)
            self.rows.write()

    def close(self) -> None:
        self._db.close()
