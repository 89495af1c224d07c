"""The second half of a rebuild: the next generation is completed, brought up to date and live."""

import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from stat import S_ISDIR

import psycopg
from psycopg import errors as pg
from sqlalchemy import Table

from eventstore.errors import StoreUnreachable
from eventstore.source import head_of
from eventstore.sql import Sql, begun, explain
from projections.folding.base import TableWriter, physical
from projections.folding.databases import SWITCH_LOCK, PostgresDatabase
from projections.folding.engine import Applied, ViewsDatabase, announcement
from projections.folding.errors import AnotherRebuild, ReadersInTheWay, ScratchUnsafe
from projections.folding.facts import PartitionOf, Takes
from projections.folding.fold import Folding, Routing
from projections.folding.parking import park
from projections.folding.part_files import PART, Target, oids_of, refuse_others, writing
from projections.folding.parts import facts_of

CACHE_KIB = 256 * 1024
REBUILD_LOCK = 4_210_011
SMALL_GAP = 2_000
"""With no more facts than this to fold, the switch begins; workers wait while they are folded."""
MOST_TOGETHER = 20_000
"""Positions that are folded in one transaction beside workers."""
PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.3
FINISHING = (
    "SET synchronous_commit = on; SET maintenance_work_mem = '128MB';"
    " SET max_parallel_maintenance_workers = 0"
)
"""One index a connection; there are as many connections as processors."""
IN_THE_WAY = (pg.LockNotAvailable, pg.DeadlockDetected)
"""Raised by a statement that would drop or lock tables that somebody is reading."""

Made = Mapping[str, list[Path]]
"""The part files that hold a view, by its name."""


@contextmanager
def attached(db: Sql, made: Made) -> Iterator[dict[str, list[str]]]:
    """The part files attached to a connection; which schemas hold a view, by its name."""
    files = {f: f"part{n}" for n, f in enumerate(sorted({f for fs in made.values() for f in fs}))}
    for file, name in files.items():
        db.execute(f"ATTACH ? AS {name}", (str(file),))
    try:
        yield {view: [files[f] for f in found] for view, found in made.items()}
    finally:
        for name in files.values():
            db.execute(f"DETACH {name}")


def rows_in_parts(table: Table, schemas: Sequence[str]) -> str:
    """All rows of a table from the parts that hold some, in the order of its key."""
    writer = TableWriter(table, PART)
    each = [f"SELECT {writer.names} FROM {schema}.{writer.name}" for schema in schemas]  # noqa: S608
    return f"{' UNION ALL '.join(each)} ORDER BY {writer.key_names}"


def scratch_of(views: ViewsDatabase) -> Path:
    """A folder for part files. Raises `ScratchUnsafe` when others may enter the one in ``/tmp``."""
    if not isinstance(views.place, PostgresDatabase):
        return views.path.parent
    folder = Path(tempfile.gettempdir()) / f"relief-rebuilds-{os.getuid()}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise ScratchUnsafe(str(folder))
    return folder


@dataclass(frozen=True)
class Later:
    """The facts that came after those of the part files (all, where there are none): they are
    folded straight into the next generation."""

    source: str | Path
    folding: Folding
    partition_of: PartitionOf = lambda _: 0

    def catch_up(self, views: ViewsDatabase, to: Mapping[str, int], after: int, upto: int) -> None:
        """Fold them into these generations, by view. Inside a transaction."""
        writers = views.writers(to)
        mapper, partition_of = views.mapper, self.partition_of
        for facts in facts_of(self.source, mapper, views.views, after, upto, partition_of):
            self.folding.fold(views.db, writers, facts)


def strictly(source: str | Path, views: ViewsDatabase) -> Later:
    """All of them are folded, but what has been dropped."""
    return Later(source, Folding(Routing(views.views), Takes(without=views.dropped)))


@contextmanager
def next_generation(
    views: ViewsDatabase, processes: int, later: Later
) -> Iterator["InOneFile | BesideOthers"]:
    """The next generation of these views, for one rebuild alone, which fills it.

    What has not been taken over is dropped at the end.
    """
    if not isinstance(views.place, PostgresDatabase):
        yield InOneFile(views, later)
        return
    with closing(views.beside()) as own:
        try:
            got = own.db.execute("SELECT pg_try_advisory_lock(?)", (REBUILD_LOCK,)).fetchone()[0]
            if not got:
                raise AnotherRebuild
            _drop_unused(own)
            yield BesideOthers(own, processes, later)
        except psycopg.Error as problem:
            raise explain(problem) from problem
        finally:
            with suppress(psycopg.Error):
                if _alone(own.db):
                    _drop_unused(own)


def _alone(db: Sql) -> bool:
    """Whether this session still holds the lock of a rebuild. A connection that was lost and opened
    again does not: another rebuild may have begun meanwhile."""
    sql = (
        "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'"
        " AND granted AND classid = 0 AND objid = ? AND objsubid = 1"
    )
    return bool(db.execute(sql, (REBUILD_LOCK,)).fetchone()[0])


def _stay_alone(db: Sql) -> None:
    if not _alone(db):
        raise StoreUnreachable("the session of the rebuild was lost")


def _next(views: ViewsDatabase) -> dict[str, int]:
    return {entry.view: entry.generation + 1 for entry in views.live()}


def _farthest(source: str | Path, views: ViewsDatabase) -> int:
    """The log's head, or where one of these views stands if that is beyond it already."""
    found = [at for by in views.positions().values() for at in by.values()]
    return max([head_of(source), *found])


# -- SQLite: one file, one transaction ------------------------------------------------------------


class InOneFile:
    """Readers see the old generation until the commit."""

    target = None

    def __init__(self, views: ViewsDatabase, later: Later) -> None:
        self._views, self._later = views, later

    def take_over(self, made: Made, upto: int) -> None:
        """Make it live. The parts hold all facts up to this position: for 0, none are needed."""
        with self._views.lock:
            db = self._views.db
            usual = db.execute("PRAGMA cache_size").fetchone()[0]
            db.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
            try:
                with attached(db, made) as schemas, begun(db):
                    self._switch(schemas, upto)
            finally:
                db.execute(f"PRAGMA cache_size={usual}")

    def _switch(self, schemas: Mapping[str, Sequence[str]], upto: int) -> None:
        views, later, next_of = self._views, self._later, _next(self._views)
        for view in views.views:
            held_by = schemas.get(view.name, ())
            rows = {table.name: rows_in_parts(table, held_by) for table in view.tables if held_by}
            views.make_tables(view, next_of[view.name], rows)
        head = _farthest(later.source, views)
        later.catch_up(views, next_of, upto, head)
        for view in views.views:
            views.drop_tables(view, views.switch(view, next_of[view.name], {0: head}))
        park(views.db, later.folding.parked)


# -- PostgreSQL: beside workers and readers -------------------------------------------------------


class BesideOthers:
    """Tables without keys, which other processes fill, while workers keep the live ones."""

    def __init__(self, views: ViewsDatabase, processes: int, later: Later) -> None:
        self._views, self._processes, self._later = views, processes, later
        self._next_of = _next(views)
        self.target = _heaps(views, self._next_of)
        _ = views.mapper  # made here, because it takes a moment, and others wait for transactions

    def take_over(self, made: Made, upto: int) -> None:
        """Make it live. The tables hold all facts up to this position; what the parts hold has
        come by itself."""
        del made
        _stay_alone(self._views.db)
        _add_keys(self._views, self._next_of, self._processes)
        done = upto
        while (head := head_of(self._later.source)) - done > SMALL_GAP:
            done = self._caught_up(done, min(head, done + MOST_TOGETHER))
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            done, live = self._switched(done)
            if live:
                return
            if time.monotonic() > deadline:
                raise ReadersInTheWay
            time.sleep(PAUSE_SECONDS)

    def _caught_up(self, done: int, upto: int) -> int:
        with writing(self._views.db, self.target.oids):
            _stay_alone(self._views.db)
            self._later.catch_up(self._views, self._next_of, done, upto)
        return upto

    def _switched(self, done: int) -> tuple[int, bool]:
        """Fold what is left and switch, while no worker applies.

        Answers how far the next generation has come, and whether it is live. A reader whose
        transaction began earlier would see the new tables empty, so the switch has to wait for
        readers; only shortly, because later readers queue behind it and PostgreSQL may take it for
        a deadlock. If readers are still there, the answer is False and the caller tries again.
        """
        views = self._views
        try:
            views.db.execute("SELECT pg_advisory_lock(?)", (SWITCH_LOCK,))
        except pg.LockNotAvailable:
            return done, False
        try:
            done = self._caught_up(done, _farthest(self._later.source, views))
            with begun(views.db):
                own = [table.name for view in views.views for table in view.tables]
                names = ",".join(["positions", "generations", *own, *self.target.oids])
                views.db.execute("SET LOCAL lock_timeout = '300ms'")
                views.db.execute(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
                _stay_alone(views.db)
                refuse_others(views.db, self.target.oids)
                self._go_live(done)
        except IN_THE_WAY:
            return done, False
        finally:
            views.db.execute("SELECT pg_advisory_unlock(?)", (SWITCH_LOCK,))
        return done, True

    def _go_live(self, head: int) -> None:
        views = self._views
        for view in views.views:
            at = dict.fromkeys(range(views.partitions), head)
            views.switch(view, self._next_of[view.name], at)
        park(views.db, self._later.folding.parked)
        for partition in range(views.partitions):
            views.place.announce(announcement(Applied(head, {}, partition)))


def _heaps(views: ViewsDatabase, next_of: dict[str, int]) -> Target:
    """Make the tables, without keys and indexes."""
    assert isinstance(views.place, PostgresDatabase)
    statements, names = [], []
    for view in views.views:
        for table in view.tables:
            name = physical(table, next_of[view.name])
            create, _ = views.place.create(table, next_of[view.name])
            drop_key = f"ALTER TABLE {name} DROP CONSTRAINT {name}_pkey"
            statements += [f"DROP TABLE IF EXISTS {name}", create, drop_key]
            names.append(name)
    views.place.db.run("; ".join(statements))
    return Target(views.place.source, oids_of(views.db, names), next_of)


def _add_keys(views: ViewsDatabase, next_of: Mapping[str, int], processes: int) -> None:
    """Give the tables keys, indexes and statistics, the largest first, on several connections."""
    names = {
        physical(table, next_of[view.name]): table for view in views.views for table in view.tables
    }
    sql = (
        "SELECT name FROM unnest(?::text[]) AS name ORDER BY pg_relation_size(name::regclass) DESC"
    )
    todo: SimpleQueue[str] = SimpleQueue()
    for (name,) in views.db.execute(sql, (list(names),)):
        todo.put(name)

    def work() -> None:
        with closing(PostgresDatabase(views.place.source)) as own:
            own.db.run(FINISHING)
            with suppress(Empty):
                while True:
                    name = todo.get_nowait()
                    _, indexes = own.create(names[name], int(name.rpartition("__g")[2]))
                    key = TableWriter(names[name], PART).key_names
                    add = f"ALTER TABLE {name} ADD CONSTRAINT {name}_pkey PRIMARY KEY ({key})"
                    own.db.run("; ".join([add, *indexes, f"ANALYZE {name}"]))

    with ThreadPoolExecutor(max_workers=max(1, processes)) as pool:
        for job in [pool.submit(work) for _ in range(max(1, processes))]:
            job.result()


def _drop_unused(views: ViewsDatabase) -> None:
    """Drop the tables of these views' other generations, but for those that somebody is reading."""
    live = {entry.view: entry.generation for entry in views.live()}
    keep = {table.name: live[view.name] for view in views.views for table in view.tables}
    sql = (
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
        " AND tablename ~ '__g[0-9]+$'"
    )
    for (name,) in views.db.execute(sql).fetchall():
        logical, _, generation = name.rpartition("__g")
        if logical in keep and int(generation) != keep[logical]:
            with suppress(*IN_THE_WAY):
                views.db.execute(f"DROP TABLE IF EXISTS {name}")
