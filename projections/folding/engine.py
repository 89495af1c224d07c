"""The views of one store: which generation of each is live, folding batches, switching.

A view's tables exist in numbered generations (``stock__g3``); queries read an SQL view of the
plain name. A rebuild fills the next generation beside the live one and switches both names and
positions in one transaction. Facts are folded partition by partition (embedded: partition 0);
each view's position in each partition moves in the same transaction as its rows.
"""

import threading
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Self

import msgspec
from sqlalchemy import Table

from domain.catalog import AGGREGATES
from eventstore.errors import StoreError
from eventstore.faults import reached
from eventstore.log import Row as LogRow
from eventstore.mapper import TypedMapper
from eventstore.sql import DATABASE_ERRORS, explain
from projections.folding.base import Row, TableWriter, View, physical
from projections.folding.databases import Database, SQLiteDatabase, opened
from projections.folding.errors import (
    MOST_PARKED_IN_A_ROW,
    STOPPED,
    CannotFold,
    PartitionsDiffer,
    TooManyParked,
    ViewsNewer,
    ViewsOfAnotherVersion,
)
from projections.folding.facts import Dropped, Fact, Takes, decoded
from projections.folding.fold import ISOLATE, STRICT, Folding, Policy, Routing
from projections.folding.foresight import Foresight
from projections.folding.lineage import UNKNOWN, Live, live, refuse_foreign
from projections.folding.parking import Parked, all_parked, park, parked_streams

MOST_ANNOUNCED = 7_900
"""Bytes: a notification of PostgreSQL holds less than 8,000."""
FAILING = "UPDATE positions SET failing = ? WHERE view = ? AND partition = ?"


@dataclass(frozen=True, slots=True)
class Applied:
    """What a batch changed: for boards. ``position`` is how far its partition has come."""

    position: int
    changed: dict[str, list[Row]]
    partition: int = 0


@dataclass(frozen=True, slots=True)
class Gap:
    """Nothing was applied: first the partition's facts at positions > ``after`` and ≤ ``upto`` have
    to be read from the log."""

    partition: int
    after: int
    upto: int


class Standing(NamedTuple):
    """Where a view stands in a partition, locked for the transaction."""

    view: str
    position: int
    failing: int
    generation: int
    version: int
    """Version of the view that made the rows of the generation."""
    lineage: str
    """The log whose facts were folded; "" in generations that are older than this column."""
    parked: int


class ViewsDatabase:
    """All views of a store, in one SQLite file or in a schema of PostgreSQL.

    One object is used by one thread at a time (`lock`). Any number of objects and processes may
    stand on one PostgreSQL database.
    """

    def __init__(
        self, place: Path | str | Database, views: Sequence[View], partitions: int = 1
    ) -> None:
        """Over the SQLite file of the views, or PostgreSQL's schema ``views`` at an address.

        ``partitions``: of a cluster the log's own mark.
        """
        self.place = opened(place)
        self.db = self.place.db
        self.views = tuple(views)
        self.partitions = partitions
        self.dropped: Dropped = frozenset()
        """What operators have given up. Set by whoever opens the views, from `dropped_in`."""
        self.lineage = UNKNOWN
        """The log whose facts are folded; set by `projections.folding.lineage.belong`."""
        self.lock = threading.RLock()
        self._routing = Routing(self.views)
        self._foresight = Foresight() if self.place.far else None
        self._generations: Mapping[str, int] = {}
        self._writers: dict[str, TableWriter] = {}
        try:
            self._ensure()
        except DATABASE_ERRORS as problem:
            self.close()
            raise explain(problem) from problem
        except StoreError:
            self.close()
            raise

    def beside(self) -> Self:
        """The same views on a connection of its own, for another thread."""
        other = type(self)(self.place.again(), self.views, self.partitions)
        other.dropped, other.lineage = self.dropped, self.lineage
        return other

    @property
    def path(self) -> Path:
        """The file of an embedded store's views."""
        assert isinstance(self.place, SQLiteDatabase)
        return self.place.path

    @cached_property
    def mapper(self) -> TypedMapper:
        """Decodes the rows of frames."""
        return TypedMapper(AGGREGATES, text_ids=True)

    # -- what is live -------------------------------------------------------------------------

    def _ensure(self) -> None:
        """Every view has a live generation of this program's version, possibly an empty one.

        Processes that start together wait for each other; only the first has anything to do.
        """
        if not (self.place.is_set_up() and self._is_ready()):
            with self.lock, self.place.switching():
                self.place.set_up()
                if not self._is_ready():
                    self._make_ready()
        wrong = {n for at in self.positions().values() for n in at} ^ {*range(self.partitions)}
        if wrong:
            raise PartitionsDiffer(f"expected {self.partitions}")
        self.use()

    def _is_ready(self) -> bool:
        known = {live.view: live.version for live in self.live()}
        return all(known.get(view.name) == view.version for view in self.views)

    def _make_ready(self) -> None:
        live = {entry.view: entry for entry in self.live()}
        for view in self.views:
            known = live.get(view.name)
            if known is None or known.version != view.version:
                self.begin_anew(view, known.generation + 1 if known else 1)

    def live(self) -> list[Live]:
        """Of every view, also of those that only a newer program knows."""
        return live(self.db)

    def use(self) -> None:
        """From now on, the tables that are live."""
        self._use_these(dict(self.db.execute("SELECT view, generation FROM generations")))

    def _use_these(self, generations: Mapping[str, int]) -> None:
        if generations != self._generations:
            self._generations = generations
            self._writers = self.writers(generations)

    def writers(self, generations: Mapping[str, int]) -> dict[str, TableWriter]:
        """How rows of the tables of these generations are written, by table."""
        return {
            table.name: self.place.table.of(table, generations[view.name])
            for view in self.views
            for table in view.tables
        }

    def positions(self) -> dict[str, dict[int, int]]:
        """How far each view has come, by partition."""
        found: dict[str, dict[int, int]] = {view.name: {} for view in self.views}
        with self.lock:
            sql = "SELECT view, partition, position FROM positions ORDER BY view, partition"
            for view, partition, position in self.db.execute(sql):
                if view in found:
                    found[view][partition] = position
        return found

    def position(self, partition: int | None = None) -> int:
        """How far all views have come, in one partition or in all: the lowest of the positions."""
        found = [
            position
            for at in self.positions().values()
            for n, position in at.items()
            if partition in (None, n)
        ]
        return min(found, default=0)

    # -- folding ------------------------------------------------------------------------------

    def apply_frame(
        self,
        partition: int,
        previous: int,
        last: int,
        rows: Sequence[LogRow],
        policy: Policy = ISOLATE,
        forged: Container[int] = (),
    ) -> Applied | Gap:
        """Fold the partition's rows of the log at positions > ``previous`` and ≤ ``last``: all of
        them, in order, as stored. Without rows it is a watermark.

        Conditional on the stored positions, in one transaction: when ``previous`` is beyond
        the lowest, nothing is written and the answer is the `Gap` to fetch from the log first;
        what a view has applied already is skipped. So a frame may come again, late, too early,
        or to two workers at once. A fact that a view cannot fold, or that is ``forged`` by its
        position, is treated as ``policy`` says.

        Raises `TooManyParked` (what came before its position is written) or another `StoreError`;
        try again when its ``retry_after`` is not None.
        """
        try:
            with self.lock:
                try:
                    return self._frame(partition, previous, last, rows, STRICT, forged)
                except CannotFold:
                    if policy is STRICT:
                        raise
                    return self._frame(partition, previous, last, rows, policy, forged)
        except TooManyParked as stop:
            before = [row for row in rows if row[0] < stop.position]
            self.apply_frame(partition, previous, stop.position - 1, before, policy, forged)
            self._say_stopped(partition, stop)
            raise
        except DATABASE_ERRORS as problem:
            raise explain(problem) from problem

    def _frame(
        self,
        partition: int,
        previous: int,
        last: int,
        rows: Sequence[LogRow],
        policy: Policy,
        forged: Container[int],
    ) -> Applied | Gap:
        with self.place.applying(partition):
            standing = self._stand(partition)
            lowest = min(view.position for view in standing)
            if previous > lowest:
                return Gap(partition, lowest, previous)
            if last <= lowest:
                return Applied(lowest, {}, partition)
            new = [row for row in rows if row[0] > lowest]
            facts = decoded(self.mapper, new, lambda _: partition, forged)
            return self._fold(partition, standing, last, facts, policy)

    def _fold(
        self,
        partition: int,
        standing: Sequence[Standing],
        last: int,
        facts: Sequence[Fact],
        policy: Policy,
    ) -> Applied:
        folding = self._folding(partition, standing, policy)
        changed = self._fold_into(folding, facts)
        self._settle_parked(partition, standing, folding)
        return self._moved(partition, last, changed)

    def _fold_into(self, folding: Folding, facts: Sequence[Fact]) -> dict[str, list[Row]]:
        """Fold and write a batch; the changed rows by table."""
        return folding.fold(self.db, self._writers, facts)

    def _folding(self, partition: int, standing: Sequence[Standing], policy: Policy) -> Folding:
        return Folding(
            self._routing,
            Takes({view.view: view.position for view in standing}, without=self.dropped),
            policy,
            held={
                view.view: parked_streams(self.db, view.view, partition)
                for view in standing
                if view.parked
            },
            failing={(view.view, partition): view.failing for view in standing if view.failing},
            foresight=self._foresight if policy is STRICT else None,
        )

    def _settle_parked(
        self, partition: int, standing: Sequence[Standing], folding: Folding
    ) -> None:
        """Write down what could not be folded, and how often in a row."""
        park(self.db, folding.parked)
        for view in standing:
            failing = folding.failing[view.view, partition]
            if failing != view.failing:
                self.db.execute(FAILING, (failing, view.view, partition))

    def _say_stopped(self, partition: int, stop: TooManyParked) -> None:
        """Mark the view as standing still, for all who look at the positions. The mark is gone when
        the view has been folded or replayed past that fact."""
        with self.lock, self.place.applying(partition):
            still = (STOPPED, stop.view, partition, stop.position)
            self.db.execute(f"{FAILING} AND position < ?", still)

    def _stand(self, partition: int) -> list[Standing]:
        """Lock the partition's positions of all views, and use the live tables."""
        sql = (
            "SELECT p.view, p.position, p.failing, g.generation, g.version, g.lineage,"
            " (SELECT count(*) FROM parked k"
            " WHERE k.view = p.view AND k.partition = p.partition) FROM positions p"
            " JOIN generations g ON g.view = p.view WHERE p.partition = ?"
        )
        rows = self.db.execute(sql + self.place.for_update, (partition,))
        known = {row[0]: Standing(*row) for row in rows}
        wrong = [
            view.name
            for view in self.views
            if view.name not in known or known[view.name].version != view.version
        ]
        if wrong:
            raise ViewsOfAnotherVersion(", ".join(wrong))
        refuse_foreign((known[view.name].lineage for view in self.views), self.lineage)
        self._use_these({name: standing.generation for name, standing in known.items()})
        return [known[view.name] for view in self.views]

    def _moved(self, partition: int, last: int, changed: dict[str, list[Row]]) -> Applied:
        reached("in-view")
        mine = [view.name for view in self.views]  # a newer program may have begun others
        marks = ",".join("?" * len(mine))
        move = "UPDATE positions SET position = ? WHERE partition = ? AND position < ?"
        self.db.execute(f"{move} AND view IN ({marks})", (last, partition, last, *mine))
        applied = Applied(last, changed, partition)
        self.place.announce(announcement(applied))
        return applied

    def parked(self) -> list[Parked]:
        """What could not be folded and waits for somebody, by view and position."""
        with self.lock:
            return all_parked(self.db)

    def stopped(self) -> list[str]:
        """The views that stand before a fact of a tenth stream in a row; see `TooManyParked`."""
        with self.lock:
            sql = "SELECT DISTINCT view FROM positions WHERE failing >= ? ORDER BY view"
            mine = {view.name for view in self.views}
            return [view for (view,) in self.db.execute(sql, (STOPPED,)) if view in mine]

    def let_go_on(self) -> None:
        """An operator lets views that stand still try again. The next failure stops them anew."""
        with self.lock, self.place.switching():
            sql = "UPDATE positions SET failing = ? WHERE failing >= ?"
            self.db.execute(sql, (MOST_PARKED_IN_A_ROW, STOPPED))

    # -- generations --------------------------------------------------------------------------

    def make_tables(self, view: View, generation: int, rows: Mapping[str, str]) -> None:
        """Create a generation's tables, each with the rows of a query (by table) or empty.

        Leftovers of a broken rebuild are dropped.
        """
        for table in view.tables:
            name = physical(table, generation)
            create, indexes = self.place.create(table, generation)
            filling = [f"INSERT INTO {name} {rows[table.name]}"] if table.name in rows else []
            for statement in (f"DROP TABLE IF EXISTS {name}", create, *filling, *indexes):
                self.db.execute(statement)

    def begin_anew(self, view: View, generation: int) -> None:
        """Make an empty generation live, to be filled from the log. Inside `switching`."""
        self.make_tables(view, generation, {})
        start = dict.fromkeys(range(self.partitions), 0)
        self.drop_tables(view, self.switch(view, generation, start))

    def switch(self, view: View, generation: int, positions: Mapping[int, int]) -> int | None:
        """Make a generation the live one, at these positions by partition. Inside `switching`.

        The list of parked facts is emptied: the new generation was made from all facts.
        Answers the generation before, whose tables may be dropped. Raises `ViewsNewer` rather than
        replace the tables of a newer version of the view.
        """
        db, name = self.db, view.name
        sql = "SELECT generation, version FROM generations WHERE view = ?"
        old = db.execute(sql, (name,)).fetchone()
        if old is not None and old[1] > view.version:
            raise ViewsNewer(f"{name}: {old[1]} > {view.version}")
        db.execute("DELETE FROM generations WHERE view = ?", (name,))
        row = (name, view.version, generation, self.lineage)
        db.execute("INSERT INTO generations VALUES (?,?,?,?)", row)
        db.execute("DELETE FROM positions WHERE view = ?", (name,))
        db.executemany(
            "INSERT INTO positions (view, partition, position) VALUES (?,?,?)",
            [(name, partition, position) for partition, position in positions.items()],
        )
        db.execute("DELETE FROM parked WHERE view = ?", (name,))
        for table in view.tables:
            db.execute(f"DROP VIEW IF EXISTS {table.name}")
            self.show(table, generation)
        return old[0] if old is not None else None

    def show(self, table: Table, generation: int) -> None:
        """Let queries find a generation's table under its plain name."""
        sql = f"CREATE VIEW {table.name} AS SELECT * FROM {physical(table, generation)}"  # noqa: S608
        self.db.execute(sql)

    def drop_tables(self, view: View, generation: int | None) -> None:
        if generation is not None:
            for table in view.tables:
                self.db.execute(f"DROP TABLE IF EXISTS {physical(table, generation)}")

    def close(self) -> None:
        with self.lock:
            self.place.close()


def announcement(applied: Applied) -> str:
    """What other processes are told: partition, position, and by table the areas of the rows.

    ``{"partition": 3, "position": 812, "tables": {"stock": ["<area>"], "areas": null}}``: null
    when rows are of no one area, or when there were too many to name; without ``tables`` when
    even their names were too many.
    """
    short = {"partition": applied.partition, "position": applied.position}
    tables = {name: _areas(rows) for name, rows in applied.changed.items()}
    for body in ({**short, "tables": tables}, {**short, "tables": dict.fromkeys(tables)}):
        text = msgspec.json.encode(body)
        if len(text) <= MOST_ANNOUNCED:
            return text.decode()
    return msgspec.json.encode(short).decode()


def _areas(rows: Sequence[Row]) -> list[str] | None:
    areas = {row.get("area") for row in rows}
    return None if not areas or None in areas else sorted(str(area) for area in areas)
