"""Rebuilding views from the log, beside the live ones, on all cores; and proving them equal.

`projections.folding.parts` folds them into files or into the next generation's tables;
`projections.folding.takeover` completes that generation, brings it up to date and switches.
``check`` hashes instead of switching.
"""

import hashlib
import os
import sqlite3
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from eventstore.source import head_of, open_source
from projections.folding.engine import ViewsDatabase
from projections.folding.facts import Takes
from projections.folding.parking import dropped_in
from projections.folding.parts import BATCH as BATCH
from projections.folding.parts import Progress, helpers, parts
from projections.folding.takeover import (
    attached,
    next_generation,
    rows_in_parts,
    scratch_of,
    strictly,
)


class TableHash(NamedTuple):
    """A table's rows in the order of their key: how many, and their SHA-256."""

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


def hashed(rows: Iterable[Sequence[Any]]) -> TableHash:
    digest = hashlib.sha256()
    encode = msgspec.json.Encoder().encode
    count = 0
    for row in rows:
        digest.update(encode(row))
        count += 1
    return TableHash(count, digest.hexdigest())


def check(
    source: str | Path, views: ViewsDatabase, *, workers: int | None = None, batch: int = BATCH
) -> Rebuilt:
    """Rebuild to the live positions and compare every table's hash with the live one.

    What is parked or dropped is left out, as it is in the live tables.
    """
    began = time.perf_counter()
    views.dropped |= dropped_in(source, views.views, {at for _, at in views.dropped})
    takes, live = _live(views)
    compared: list[Compared] = []
    with (
        helpers(source, _wanted(workers)) as others,
        parts(source, scratch_of(views), views.views, takes, others=others, batch=batch) as made,
        closing(sqlite3.connect(":memory:")) as db,
        attached(db, made) as schemas,
    ):
        for view in views.views:
            for table in view.tables:
                fresh = hashed(db.execute(rows_in_parts(table, schemas[view.name])))
                compared.append(Compared(table.name, *fresh, fresh == live[table.name]))
    return Rebuilt(_count(source, takes.lowest()), time.perf_counter() - began, tuple(compared))


def _live(views: ViewsDatabase) -> tuple[Takes, dict[str, TableHash]]:
    """One state of the live views: which facts they have taken, and their tables' hashes.

    On a connection of its own, so that folding goes on.
    """
    with closing(views.beside()) as own, own.place.looking():
        without = views.dropped | {(one.view, one.position) for one in own.parked()}
        writers = own.writers({entry.view: entry.generation for entry in own.live()})
        hashes = {name: hashed(writer.rows(own.db)) for name, writer in writers.items()}
        return Takes(upto=own.positions(), without=without), hashes


def rebuild(
    source: str | Path,
    views: ViewsDatabase,
    *,
    workers: int | None = None,
    batch: int = BATCH,
    progress: Progress | None = None,
) -> Rebuilt:
    """Rebuild all views beside the live ones and switch. The old ones answer until then.

    ``source``: the log, as `Log.source` gives it. What is parked is folded again, and what is
    dropped (`ViewsDatabase.dropped`) left out; raises `CannotFold` at a fact that still cannot be
    folded, and then nothing has changed.
    """
    began = time.perf_counter()
    views.dropped |= dropped_in(source, views.views, {at for _, at in views.dropped})
    head = head_of(source)
    takes = Takes(upto={view.name: {0: head} for view in views.views}, without=views.dropped)
    with (
        helpers(source, _wanted(workers)) as others,
        next_generation(views, _wanted(workers), strictly(source, views)) as coming,
        parts(
            source,
            scratch_of(views),
            views.views,
            takes,
            others=others,
            batch=batch,
            progress=progress,
            target=coming.target,
        ) as made,
    ):
        coming.take_over(made, head)
    return Rebuilt(_count(source, head), time.perf_counter() - began, ())


def _wanted(workers: int | None) -> int:
    return workers if workers is not None else os.cpu_count() or 1


def _count(source: str | Path, upto: int) -> int:
    with closing(open_source(source)) as db:
        sql = "SELECT count(*) FROM events WHERE position <= ?"
        return int(db.execute(sql, (upto,)).fetchone()[0])
