"""Rebuilding views from the log, beside the live ones, on all cores; and proving them equal.

`projections.parts` folds them into files, which are then copied into the next generation, brought
up to the live position and switched, in one transaction. ``check`` hashes instead of switching.
"""

import hashlib
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Table

from eventstore.sql import Sql
from eventstore.sqlite import connect
from projections.base import (
    Rows,
    TableWriter,
    View,
    create_statements,
    physical,
    routed,
)
from projections.engine import ViewsDatabase, fold, immediate
from projections.parts import BATCH as BATCH
from projections.parts import PART, Progress, facts_of, parts

TAKE_OVER_CACHE_KIB = 256 * 1024

Sources = Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class TableHash:
    """A table's rows in the order of their key: how many, and their SHA-256."""

    view: str
    name: str
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Compared:
    name: str
    rows: int
    sha256: str
    equal: bool


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did. ``views`` compares table by table when it was a check."""

    events: int
    seconds: float
    views: tuple[Compared, ...]

    @property
    def events_per_second(self) -> int:
        return round(self.events / self.seconds) if self.seconds else 0

    @property
    def equal(self) -> bool:
        return all(view.equal for view in self.views)


def hash_table(db: Sql, view: View, writer: TableWriter, logical: str) -> TableHash:
    """SHA-256 over all rows in key order."""
    return _hash(writer.rows(db), view, logical)


def _hash(rows: Iterable[Sequence[Any]], view: View, logical: str) -> TableHash:
    digest = hashlib.sha256()
    encode = msgspec.json.Encoder().encode
    count = 0
    for row in rows:
        digest.update(encode(row))
        count += 1
    return TableHash(view.name, logical, count, digest.hexdigest())


@contextmanager
def _attached(db: Sql, made: Mapping[str, list[Path]]) -> Iterator[Sources]:
    """The part files attached to a connection; which schemas hold a view, by its name."""
    files = {f: f"part{n}" for n, f in enumerate(sorted({f for fs in made.values() for f in fs}))}
    for file, name in files.items():
        db.execute(f"ATTACH ? AS {name}", (str(file),))
    try:
        yield {view: [files[f] for f in found] for view, found in made.items()}
    finally:
        for name in files.values():
            db.execute(f"DETACH {name}")


def _everything(table: Table, schemas: Sequence[str]) -> str:
    """All rows of a table from the parts that hold some, in the order of its key."""
    writer = TableWriter(table, PART)
    columns, key = writer.names, writer.key_names
    each = [f"SELECT {columns} FROM {schema}.{writer.name}" for schema in schemas]  # noqa: S608
    return f"{' UNION ALL '.join(each)} ORDER BY {key}"


def check(
    log: Path, views: ViewsDatabase, *, workers: int | None = None, batch: int = BATCH
) -> Rebuilt:
    """Rebuild to the live position and compare every table's hash with the live one."""
    began = time.perf_counter()
    live = connect(views.path)
    try:
        live.execute("BEGIN")
        state = {
            name: (generation, position)
            for name, generation, position in live.execute(
                "SELECT view, generation, position FROM generations JOIN positions USING (view)"
            )
        }
        upto = min(position for _, position in state.values())
        compared: list[Compared] = []
        count = workers if workers is not None else os.cpu_count() or 1
        with parts(log, views.path.parent, views.views, upto, workers=count, batch=batch) as made:
            db = sqlite3.connect(":memory:")
            with closing(db), _attached(db, made) as sources:
                for view in views.views:
                    generation = state[view.name][0]
                    for table in view.tables:
                        rows = _everything(table, sources[view.name])
                        fresh = _hash(db.execute(rows), view, table.name)
                        old = hash_table(live, view, TableWriter(table, generation), table.name)
                        same = fresh.sha256 == old.sha256
                        compared.append(Compared(table.name, fresh.rows, fresh.sha256, same))
        return Rebuilt(_count(log, upto), time.perf_counter() - began, tuple(compared))
    finally:
        live.close()


def rebuild(
    log: Path, views: ViewsDatabase, *, workers: int | None = None, batch: int = BATCH,
    progress: Progress | None = None,
) -> Rebuilt:  # fmt: skip
    """Rebuild all views beside the live ones and switch. The old ones answer until then."""
    began = time.perf_counter()
    upto = _head(log)
    count = workers if workers is not None else os.cpu_count() or 1
    folder = views.path.parent
    made_parts = parts(
        log, folder, views.views, upto, workers=count, batch=batch, progress=progress
    )
    with made_parts as made, views.lock, _attached(views.db, made) as sources:
        usual = views.db.execute("PRAGMA cache_size").fetchone()[0]
        views.db.execute(f"PRAGMA cache_size=-{TAKE_OVER_CACHE_KIB}")
        try:
            with immediate(views.db):
                _take_over(log, views, sources, upto)
        finally:
            views.db.execute(f"PRAGMA cache_size={usual}")
    return Rebuilt(_count(log, upto), time.perf_counter() - began, ())


def _take_over(log: Path, views: ViewsDatabase, sources: Sources, upto: int) -> None:
    """Copy the parts into the next generations, catch up with the live position, switch."""
    live = {entry.view: entry for entry in views.live()}
    target = max([upto, *(entry.position for entry in live.values())])
    writers: dict[str, TableWriter] = {}
    for view in views.views:
        generation = live[view.name].generation + 1
        for table in view.tables:
            create, indexes = create_statements(table, generation)
            name = physical(table, generation)
            views.db.execute(f"DROP TABLE IF EXISTS {name}")
            views.db.execute(create)
            rows = _everything(table, sources[view.name])
            views.db.execute(f"INSERT INTO {name} {rows}")
            for statement in indexes:
                views.db.execute(statement)
            writers[table.name] = TableWriter(table, generation)
    late = Rows(views.db, writers)
    for facts in facts_of(log, views.views, upto, target):
        fold(late, routed(views.views), facts)
    late.write()
    for view in views.views:
        old = views.switch(view, live[view.name].generation + 1, {0: target})
        views.drop_tables(view, old)


def _head(log: Path) -> int:
    db = connect(log)
    try:
        return int(db.execute("SELECT coalesce(max(position), 0) FROM events").fetchone()[0])
    finally:
        db.close()


def _count(log: Path, upto: int) -> int:
    db = connect(log)
    try:
        sql = "SELECT count(*) FROM events WHERE position <= ?"
        return int(db.execute(sql, (upto,)).fetchone()[0])
    finally:
        db.close()
