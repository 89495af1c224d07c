"""The views of one store: which generation of each is live, folding batches, switching.

A view's tables exist in numbered generations (``stock__g3``); queries read an SQL view of the
plain name. A rebuild fills the next generation beside the live one and switches both names and
position in one transaction. Views can always be rebuilt, so they are not fsynced per batch.
"""

import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.base import Event
from eventstore.faults import reached
from eventstore.sql import explain
from eventstore.sqlite import check_schema, connect
from projections.base import Row, Rows, TableWriter, View, create_statements, physical, routed

SCHEMA = 1
CHECKPOINT_PAGES = 8192
"""32 MiB: a checkpoint is the only time when a view's batch waits for the disk."""
TABLES = """
CREATE TABLE IF NOT EXISTS generations (
    view TEXT PRIMARY KEY, version INTEGER NOT NULL, generation INTEGER NOT NULL,
    position INTEGER NOT NULL
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Live:
    """A view's live generation and how far it has come."""

    view: str
    version: int
    generation: int
    position: int


@dataclass(frozen=True, slots=True)
class Applied:
    """What a batch changed: for boards. ``position`` is that of its last fact."""

    position: int
    changed: dict[str, list[Row]]


class ViewsDatabase:
    """One SQLite file with all views of a store."""

    def __init__(self, path: Path, views: Sequence[View]) -> None:
        self.path = path
        self.views = tuple(views)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.db = connect(path, synchronous="NORMAL")
        self.db.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        check_schema(self.db, path, SCHEMA, TABLES)
        self.lock = threading.RLock()
        self._handlers = routed(self.views)
        self._generations: dict[str, int] = {}
        self._writers: dict[str, TableWriter] = {}
        self._ensure()

    def _ensure(self) -> None:
        """Every view has a live generation of this program's version, possibly an empty one."""
        with self.lock, _Immediate(self.db):
            live = {entry.view: entry for entry in self.live()}
            for view in self.views:
                known = live.get(view.name)
                if known is None or known.version != view.version:
                    generation = known.generation + 1 if known else 1
                    make_tables(self.db, view, generation, indexes=True)
                    self.switch(view, generation, position=0)
        self._use()

    def live(self) -> list[Live]:
        sql = "SELECT view, version, generation, position FROM generations ORDER BY view"
        return [Live(*row) for row in self.db.execute(sql)]

    def _use(self) -> None:
        generations = {entry.view: entry.generation for entry in self.live()}
        if generations != self._generations:
            self._generations = generations
            self._writers = {
                table.name: TableWriter(table, generations[view.name])
                for view in self.views
                for table in view.tables
            }

    def position(self) -> int:
        """How far all views have come: the lowest of their positions."""
        with self.lock:
            found = self.db.execute("SELECT coalesce(min(position), 0) FROM generations").fetchone()
        return int(found[0])

    def apply(self, batch: Sequence[tuple[int, Event]]) -> Applied:
        """Fold a batch into all views and write rows and positions in one transaction.

        Facts at or below a view's position have been applied already and are skipped, so that
        a repeated batch has no effect. Raises what a handler raised; then nothing is written.
        """
        try:
            with self.lock, _Immediate(self.db):
                self._use()
                at = {entry.view: entry.position for entry in self.live()}
                rows = Rows(self.db, self._writers)
                lowest = min(at.values(), default=0)
                if all(p == lowest for p in at.values()):
                    fold(rows, self._handlers, [f for f in batch if f[0] > lowest])
                else:
                    for view in self.views:
                        fresh = [f for f in batch if f[0] > at[view.name]]
                        fold(rows, routed([view]), fresh)
                changed = rows.write()
                reached("in-view")
                last = batch[-1][0]
                self.db.execute("UPDATE generations SET position = max(position, ?)", (last,))
        except sqlite3.Error as problem:
            raise explain(problem) from problem
        return Applied(last, changed)

    def switch(self, view: View, generation: int, position: int) -> None:
        """Make a generation the live one and drop the older. Call inside a transaction."""
        old = self.db.execute(
            "SELECT generation FROM generations WHERE view=?", (view.name,)
        ).fetchone()
        self.db.execute(
            "INSERT OR REPLACE INTO generations VALUES (?,?,?,?)",
            (view.name, view.version, generation, position),
        )
        for table in view.tables:
            name = physical(table, generation)
            self.db.execute(f"DROP VIEW IF EXISTS {table.name}")
            self.db.execute(f"CREATE VIEW {table.name} AS SELECT * FROM {name}")  # noqa: S608
            if old is not None and old[0] != generation:
                self.db.execute(f"DROP TABLE IF EXISTS {physical(table, old[0])}")

    def close(self) -> None:
        with self.lock:
            self.db.close()


def fold(rows: Rows, handlers: dict[type[Event], list[Any]], batch: Sequence[Any]) -> None:
    """Run the handlers over a batch, in order."""
    for position, event in batch:
        for handler in handlers.get(type(event), ()):
            handler(rows, position, event)


def make_tables(db: sqlite3.Connection, view: View, generation: int, *, indexes: bool) -> None:
    """Create a generation's tables, empty. Leftovers of a broken rebuild are dropped."""
    for table in view.tables:
        create, made = create_statements(table, generation)
        db.execute(f"DROP TABLE IF EXISTS {physical(table, generation)}")
        db.execute(create)
        if indexes:
            for statement in made:
                db.execute(statement)


class _Immediate:
    """``BEGIN IMMEDIATE`` … ``COMMIT``, or ``ROLLBACK`` on any exception."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: Any, *_: object) -> None:
        if kind is None:
            self._db.execute("COMMIT")
        elif self._db.in_transaction:
            self._db.execute("ROLLBACK")


immediate = _Immediate
