"""Rebuilding views from the log, beside the live ones, on all cores; and proving them equal.

The views are dealt out to processes by how many facts they route. Each process reads the log,
decodes only what its views route, folds into a file of its own without journal; the files are
then copied into the next generation, brought up to the live position and switched, in one
transaction. ``check`` hashes instead of switching.
"""

import hashlib
import multiprocessing
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from domain.catalog import AGGREGATES
from eventstore.mapper import TypedMapper
from eventstore.sqlite import connect
from projections.base import Rows, TableWriter, View, create_statements, physical, routed
from projections.catalog import VIEWS
from projections.engine import ViewsDatabase, fold, immediate, make_tables

BATCH = 4096
HELD_ROWS = 300_000
PART = 0

Progress = Callable[[int], None]


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


def hash_table(db: sqlite3.Connection, view: View, writer: TableWriter, logical: str) -> TableHash:
    """SHA-256 over all rows in key order."""
    digest = hashlib.sha256()
    encode = msgspec.json.Encoder().encode
    count = 0
    for row in db.execute(writer.everything):
        digest.update(encode(row))
        count += 1
    return TableHash(view.name, logical, count, digest.hexdigest())


def fold_part(
    log: Path,
    part: Path,
    names: Sequence[str],
    upto: int,
    batch: int,
    views: Sequence[View] = VIEWS,
) -> int:
    """Fold the named views from the log's begin to ``upto`` into a new file. Answers the facts."""
    mine = [view for view in views if view.name in names]
    db = sqlite3.connect(part, isolation_level=None)
    for pragma in (
        "journal_mode=OFF",
        "synchronous=OFF",
        "cache_size=-65536",
        "locking_mode=EXCLUSIVE",
    ):
        db.execute(f"PRAGMA {pragma}")
    writers = {table.name: TableWriter(table, PART) for view in mine for table in view.tables}
    for view in mine:
        make_tables(db, view, PART, indexes=False)
    rows = Rows(db, writers, fresh=True)
    handlers = routed(mine)
    count = 0
    db.execute("BEGIN")
    for facts in _facts(log, mine, upto, batch):
        fold(rows, handlers, facts)
        count += len(facts)
        if max(rows.size, rows.held()) > HELD_ROWS:  # appended rows are in size alone
            rows.write()
        if rows.held() > HELD_ROWS:
            rows.forget()
    rows.write()
    db.execute("COMMIT")
    db.close()
    return count


def _facts(
    log: Path, views: Sequence[View], upto: int, batch: int, after: int = 0
) -> Iterator[list[tuple[int, object]]]:
    """The log's facts that these views route, in order, in batches."""
    mapper = TypedMapper(AGGREGATES)
    wanted = {event_class for view in views for event_class in view.routes}
    topics = {topic for topic in mapper.topics() if mapper.class_of(topic) in wanted}
    db = connect(log)
    db.execute("PRAGMA query_only=ON")
    decode = mapper.decode
    cursor = db.execute(
        "SELECT position, topic, state FROM events WHERE position > ? AND position <= ?"
        " ORDER BY position",
        (after, upto),
    )
    try:
        while rows := cursor.fetchmany(batch):
            yield [(p, decode(topic, state)) for p, topic, state in rows if topic in topics]
    finally:
        db.close()


def deal(log: Path, views: Sequence[View], hands: int) -> list[list[str]]:
    """Views for each process: the one that routes most facts first, to the least loaded."""
    mapper = TypedMapper(AGGREGATES)
    db = connect(log)
    counts = dict(db.execute("SELECT topic, count(*) FROM events GROUP BY topic"))
    db.close()
    weight = {
        view.name: sum(n for topic, n in counts.items() if mapper.class_of(topic) in view.routes)
        for view in views
    }
    loads = [0] * hands
    dealt: list[list[str]] = [[] for _ in range(hands)]
    for name in sorted(weight, key=lambda n: -weight[n]):
        least = loads.index(min(loads))
        dealt[least].append(name)
        loads[least] += weight[name]
    return [names for names in dealt if names]


@contextmanager
def parts(
    log: Path, folder: Path, views: Sequence[View], upto: int, *, workers: int, batch: int,
    progress: Progress | None = None,
) -> Iterator[dict[str, Path]]:  # fmt: skip
    """Files with the rebuilt views, by view name; removed at the end."""
    _sweep(folder)
    with tempfile.TemporaryDirectory(prefix=f"rebuild-{os.getpid()}-", dir=folder) as scratch:
        dealt = deal(log, views, max(1, workers))
        made: dict[str, Path] = {}
        files = [Path(scratch) / f"part{n}.sqlite" for n in range(len(dealt))]
        for names, file in zip(dealt, files, strict=True):
            made.update(dict.fromkeys(names, file))
        if workers <= 1:
            for names, file in zip(dealt, files, strict=True):
                fold_part(log, file, names, upto, batch, views)
        else:
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(len(dealt), mp_context=context) as pool:
                running: list[Future[int]] = [
                    pool.submit(fold_part, log, file, names, upto, batch)
                    for names, file in zip(dealt, files, strict=True)
                ]
                for done in as_completed(running):
                    done.result()
                    if progress is not None:
                        progress(len(dealt))
        yield made


def _sweep(folder: Path) -> None:
    """Remove what a killed rebuild has left behind; those of living processes stay."""
    for left in folder.glob("rebuild-*-*"):
        pid = left.name.split("-")[1]
        if pid.isdigit() and not _alive(int(pid)):
            shutil.rmtree(left, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True


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
                "SELECT view, generation, position FROM generations"
            )
        }
        upto = min(position for _, position in state.values())
        compared: list[Compared] = []
        count = workers if workers is not None else os.cpu_count() or 1
        with parts(log, views.path.parent, views.views, upto, workers=count, batch=batch) as made:
            for view in views.views:
                db = sqlite3.connect(made[view.name])
                for table in view.tables:
                    fresh = hash_table(db, view, TableWriter(table, PART), table.name)
                    generation = state[view.name][0]
                    old = hash_table(live, view, TableWriter(table, generation), table.name)
                    compared.append(
                        Compared(table.name, fresh.rows, fresh.sha256, fresh.sha256 == old.sha256)
                    )
                db.close()
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
    with parts(
        log, folder, views.views, upto, workers=count, batch=batch, progress=progress
    ) as made:
        files = {file: n for n, file in enumerate(dict.fromkeys(made.values()))}
        with views.lock:
            for file, n in files.items():
                views.db.execute(f"ATTACH ? AS part{n}", (str(file),))
            try:
                with immediate(views.db):
                    _take_over(log, views, {name: files[f] for name, f in made.items()}, upto)
            finally:
                for n in files.values():
                    views.db.execute(f"DETACH part{n}")
    return Rebuilt(_count(log, upto), time.perf_counter() - began, ())


def _take_over(log: Path, views: ViewsDatabase, source: dict[str, int], upto: int) -> None:
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
            copied = f"part{source[view.name]}.{physical(table, PART)}"
            views.db.execute(f"INSERT INTO {name} SELECT * FROM {copied}")  # noqa: S608
            for statement in indexes:
                views.db.execute(statement)
            writers[table.name] = TableWriter(table, generation)
    rows = Rows(views.db, writers)
    for facts in _facts(log, views.views, target, BATCH, after=upto):
        fold(rows, routed(views.views), facts)
    rows.write()
    for view in views.views:
        views.switch(view, live[view.name].generation + 1, target)


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
