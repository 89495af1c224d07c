"""The second half of a rebuild: from part files into the next generation, then the switch."""

import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

import psycopg
from psycopg import errors as pg
from sqlalchemy import Boolean, Float, Integer, Table

from eventstore.errors import StoreLocked
from eventstore.source import head_of
from eventstore.sql import Sql
from projections.base import Rows, TableWriter, View, physical, routed
from projections.databases import SWITCH_LOCK, PostgresDatabase
from projections.engine import Applied, ViewsDatabase, announcement, fold, immediate
from projections.parts import PART, facts_of

CACHE_KIB = 256 * 1024
REBUILD_LOCK = 4_210_011
SMALL_GAP = 2_000
"""Facts that are folded while workers wait."""
PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.3
COPIED = 2_000

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
    """Where part files may lie."""
    if isinstance(views.place, PostgresDatabase):
        return Path(tempfile.gettempdir()) / f"relief-rebuilds-{os.getuid()}"
    return views.path.parent


class Later(Protocol):
    """What is done with the facts that came after the parts were folded."""

    def catch_up(self, views: ViewsDatabase, to: Mapping[str, int], after: int, upto: int) -> None:
        """Fold them into these generations, by view. Inside a transaction."""

    def switched(self, views: ViewsDatabase) -> None:
        """The generations are live. Inside the transaction that made them so."""


class Strictly:
    """All of them are folded, but what has been dropped."""

    def __init__(self, source: str | Path) -> None:
        self._source = source

    def catch_up(self, views: ViewsDatabase, to: Mapping[str, int], after: int, upto: int) -> None:
        handlers = routed(views.views)
        dropped = {position for _, position in views.dropped}
        for facts in facts_of(self._source, views.views, after, upto):
            late = Rows(views.db, views.writers(to))
            for fact in facts:
                if fact[0] in dropped:
                    some = [v for v in views.views if (v.name, fact[0]) not in views.dropped]
                    fold(late, routed(some), (fact,))
                else:
                    fold(late, handlers, (fact,))
            late.write()

    def switched(self, views: ViewsDatabase) -> None:
        """Nothing is left."""


def take_over(
    source: str | Path,
    views: ViewsDatabase,
    made: Made,
    upto: int,
    hands: int,
    later: Later | None = None,
) -> None:
    """Make the parts, which hold all facts up to a position, the live generation of all views.

    The positions become the log's head, or stay where they are if they are beyond.
    """
    later = later or Strictly(source)
    if isinstance(views.place, PostgresDatabase):
        with closing(ViewsDatabase.on(views.place.source, views.views, views.partitions)) as own:
            own.dropped = views.dropped
            _on_postgres(source, own, made, upto, hands, later)
    else:
        with views.lock:
            _on_sqlite(views, made, upto, later)


# -- SQLite: one file, one transaction ------------------------------------------------------------


def _on_sqlite(views: ViewsDatabase, made: Made, upto: int, later: Later) -> None:
    usual = views.db.execute("PRAGMA cache_size").fetchone()[0]
    views.db.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    try:
        with attached(views.db, made) as sources, immediate(views.db):
            next_of = _next(views)
            target = max([upto, *(entry.position for entry in views.live())])
            for view in views.views:
                for table in view.tables:
                    create, indexes = views.place.create(table, next_of[view.name])
                    name = physical(table, next_of[view.name])
                    views.db.execute(f"DROP TABLE IF EXISTS {name}")
                    views.db.execute(create)
                    rows = rows_in_parts(table, sources[view.name])
                    views.db.execute(f"INSERT INTO {name} {rows}")
                    for statement in indexes:
                        views.db.execute(statement)
            later.catch_up(views, next_of, upto, target)
            for view in views.views:
                old = views.switch(view, next_of[view.name], {0: target})
                views.drop_tables(view, old)
            later.switched(views)
    finally:
        views.db.execute(f"PRAGMA cache_size={usual}")


def _next(views: ViewsDatabase) -> dict[str, int]:
    return {entry.view: entry.generation + 1 for entry in views.live()}


# -- PostgreSQL: beside workers and readers -------------------------------------------------------


def _on_postgres(
    source: str | Path, views: ViewsDatabase, made: Made, upto: int, hands: int, later: Later
) -> None:
    got = views.db.execute("SELECT pg_try_advisory_lock(?)", (REBUILD_LOCK,)).fetchone()[0]
    if not got:
        raise StoreLocked("another rebuild is running")
    _drop_unused(views)
    next_of = _next(views)
    _copy_in(views, made, next_of, hands)
    done = upto
    while (head := head_of(source)) - done > SMALL_GAP:
        with immediate(views.db):
            later.catch_up(views, next_of, done, head)
        done = head
    deadline = time.monotonic() + PATIENCE_SECONDS
    live = False
    while not live:
        done, live = _switched(source, views, next_of, done, later)
        if not live and time.monotonic() > deadline:
            raise StoreLocked("queries are running all the time: the rebuilt views cannot go live")
        if not live:
            time.sleep(PAUSE_SECONDS)
    _drop_unused(views)


def _copy_in(views: ViewsDatabase, made: Made, next_of: Mapping[str, int], hands: int) -> None:
    """Make and fill the tables, on as many connections as there are processors."""
    tables = [(view, table) for view in views.views for table in view.tables]

    def fill(view: View, table: Table) -> None:
        create, indexes = views.place.create(table, next_of[view.name])
        name = physical(table, next_of[view.name])
        with closing(PostgresDatabase(views.place.source)) as own:
            own.db.execute(f"DROP TABLE IF EXISTS {name}")
            own.db.execute(create)
            with closing(sqlite3.connect(":memory:", check_same_thread=False)) as here:
                only = {view.name: made[view.name]}
                with attached(here, only) as sources:
                    lines = here.execute(lines_in_parts(table, sources[view.name]))
                    names = TableWriter(table, PART).names
                    own.session.copy_text(f"{name} ({names})", _chunks(lines))
            for statement in indexes:
                own.db.execute(statement)
            own.db.execute(f"ANALYZE {name}")

    with ThreadPoolExecutor(max_workers=max(1, hands)) as pool:
        for job in [pool.submit(fill, view, table) for view, table in tables]:
            job.result()


def _chunks(lines: sqlite3.Cursor) -> Iterator[bytes]:
    while some := lines.fetchmany(COPIED):
        yield "".join([line for (line,) in some]).encode()


def lines_in_parts(table: Table, schemas: Sequence[str]) -> str:
    """The same rows as lines of COPY's text format; SQLite makes them faster than Python."""
    tab, newline = "char(9)", "char(10)"
    columns = f" || {tab} || ".join(_as_copied(c.name, c.type) for c in table.columns)
    rows = rows_in_parts(table, schemas)
    return f"SELECT {columns} || {newline} FROM ({rows})"  # noqa: S608


def _as_copied(name: str, kind: object) -> str:
    if isinstance(kind, Integer | Boolean):
        return f"coalesce(\"{name}\", '\\N')"
    if isinstance(kind, Float):
        return f"coalesce(printf('%!.17g', \"{name}\"), '\\N')"
    escaped = f"replace(\"{name}\", '\\', '\\\\')"
    for code, letter in ((9, "t"), (10, "n"), (13, "r")):
        escaped = f"replace({escaped}, char({code}), '\\{letter}')"
    return f"coalesce({escaped}, '\\N')"


def _switched(
    source: str | Path, views: ViewsDatabase, next_of: Mapping[str, int], done: int, later: Later
) -> tuple[int, bool]:
    """Fold what is left and switch, while no worker applies.

    Answers how far the next generation has come, and whether it is live: not when readers were in
    the way. One that began before would find the new tables as empty as they were then, so the
    switch waits for readers: not for long, lest others queue behind it, or the server take it
    for a deadlock and end a reader.
    """
    try:
        views.db.execute("SELECT pg_advisory_lock(?)", (SWITCH_LOCK,))
    except pg.LockNotAvailable:
        return done, False
    try:
        head = max([head_of(source), *_positions(views)])
        with immediate(views.db):
            later.catch_up(views, next_of, done, head)
        done = head
        with immediate(views.db):
            names = ",".join(table.name for view in views.views for table in view.tables)
            views.db.execute("SET LOCAL lock_timeout = '300ms'")
            views.db.execute(f"LOCK TABLE positions,generations,{names} IN ACCESS EXCLUSIVE MODE")
            for view in views.views:
                views.switch(view, next_of[view.name], dict.fromkeys(range(views.partitions), head))
            later.switched(views)
            for partition in range(views.partitions):
                views.place.announce(announcement(Applied(head, {}, partition)))
    except (pg.LockNotAvailable, pg.DeadlockDetected):
        return done, False
    finally:
        views.db.execute("SELECT pg_advisory_unlock(?)", (SWITCH_LOCK,))
    return done, True


def _positions(views: ViewsDatabase) -> list[int]:
    return [at for by in views.positions().values() for at in by.values()]


def _drop_unused(views: ViewsDatabase) -> None:
    """Drop these views' tables of other generations than the live ones, unless they are read."""
    live = {entry.view: entry.generation for entry in views.live()}
    keep = {table.name: live[view.name] for view in views.views for table in view.tables}
    sql = (
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
        " AND tablename ~ '__g[0-9]+$'"
    )
    for (name,) in views.db.execute(sql).fetchall():
        logical, _, generation = name.rpartition("__g")
        if logical in keep and int(generation) != keep[logical]:
            try:
                views.db.execute(f"DROP TABLE IF EXISTS {name}")
            except psycopg.errors.LockNotAvailable:
                continue
