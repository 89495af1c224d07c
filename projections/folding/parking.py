"""Facts that a view could not fold: kept with their bytes and the reason, for somebody to look at.

Later facts of the same stream park behind the first, so that the view never folds a stream with
a hole in it. Other streams and other views go on. What a parked fact had begun is not kept.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

import psycopg

from domain.base import Event
from eventstore.errors import StoreError
from eventstore.log import Row as LogRow
from eventstore.mapper import TypedMapper
from eventstore.sql import Sql
from projections.folding.base import Row, Rows, TableWriter, View, routed
from projections.folding.errors import MOST_PARKED_IN_A_ROW, TooManyParked

BEHIND = "behind"
"""The reason of a fact that is parked only because an earlier one of its stream is."""
LONGEST_REASON = 500

Dropped = frozenset[tuple[str, int]]
"""Views and positions that an operator has given up: folded as if they had not been written."""


class Unreadable(ValueError):
    """The bytes of a fact are none that this program knows."""


class Fact(NamedTuple):
    """A row of the log, and its event or why there is none."""

    position: int
    stream: bytes
    topic: str
    state: bytes
    event: Event | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Parked:
    view: str
    partition: int
    position: int
    stream: UUID
    topic: str
    state: bytes
    reason: str
    at: datetime


def decoded(mapper: TypedMapper, rows: Sequence[LogRow]) -> list[Fact]:
    """The facts of rows of the log. A row that cannot be decoded keeps its bytes and says why."""
    facts: list[Fact] = []
    decode = mapper.decode
    for position, stream, _, topic, state in rows:
        try:
            facts.append(Fact(position, stream, topic, state, decode(topic, state)))
        except Exception as problem:
            facts.append(Fact(position, stream, topic, state, None, told(problem)))
    return facts


def told(problem: Exception) -> str:
    return f"{type(problem).__name__}: {problem}"


def is_poison(problem: Exception) -> bool:
    """Whether it is the fact's or the handler's fault, and not the database's or the place's."""
    if isinstance(problem, sqlite3.Error):
        return isinstance(problem, sqlite3.DataError | sqlite3.IntegrityError)
    if isinstance(problem, psycopg.Error):
        return isinstance(problem, psycopg.DataError | psycopg.IntegrityError)
    return not isinstance(problem, StoreError | OSError | MemoryError)


@dataclass
class Isolating:
    """Folds a batch view by view; what fails is narrowed down to its facts, and those are parked.

    Inside a transaction of the partition. Raises `TooManyParked`.
    """

    db: Sql
    writers: Mapping[str, TableWriter]
    mapper: TypedMapper
    partition: int
    changed: dict[str, list[Row]] = field(default_factory=dict)

    def fold(self, view: View, facts: Sequence[Fact], failing: int) -> None:
        """Fold the facts that the view routes. ``failing``: streams parked in a row until now."""
        self._view = view
        self._failing = before = failing
        self._handlers = routed([view])
        self._streams = parked_streams(self.db, view.name, self.partition)
        self._writers = {table.name: self.writers[table.name] for table in view.tables}
        mine = [fact for fact in facts if self._concerned(fact)]
        if mine:
            self._narrow(mine)
        if self._failing != before:
            self.db.execute(
                "UPDATE positions SET failing = ? WHERE view = ? AND partition = ?",
                (self._failing, view.name, self.partition),
            )

    def _concerned(self, fact: Fact) -> bool:
        """An unknown topic may concern every view."""
        known = self.mapper.class_of(fact.topic)
        return known is None or known in self._view.routes

    def _narrow(self, facts: Sequence[Fact]) -> None:
        free = [fact for fact in facts if fact.stream not in self._streams]
        if len(free) < len(facts):
            self._park([(f, BEHIND) for f in facts if f.stream in self._streams])
        if not free:
            return
        try:
            changed = self._attempt(free)
        except Exception as problem:
            if not is_poison(problem):
                raise
            if len(free) > 1:
                self._narrow(free[: len(free) // 2])
                self._narrow(free[len(free) // 2 :])
                return
            self._give_up(free[0], problem)
        else:
            self._failing = 0
            for name, rows in changed.items():
                self.changed.setdefault(name, []).extend(rows)

    def _attempt(self, facts: Sequence[Fact]) -> dict[str, list[Row]]:
        with _savepoint(self.db):
            rows = Rows(self.db, self._writers)
            rows.trusting = False
            for fact in facts:
                if fact.event is None:
                    raise Unreadable(fact.problem)
                for handler in self._handlers[type(fact.event)]:
                    handler(rows, fact.position, fact.event)
            return rows.write()

    def _give_up(self, fact: Fact, problem: Exception) -> None:
        reason = (fact.problem or told(problem))[:LONGEST_REASON]
        if self._failing >= MOST_PARKED_IN_A_ROW:
            where = f"{self._view.name}, {fact.topic} at {fact.position}"
            detail = f"{where}: {reason}"
            raise TooManyParked(detail, view=self._view.name, position=fact.position) from problem
        self._failing += 1
        self._streams.add(fact.stream)
        self._park([(fact, reason)])

    def _park(self, facts: Sequence[tuple[Fact, str]]) -> None:
        park(self.db, self._view.name, [(self.partition, fact, reason) for fact, reason in facts])


def park(db: Sql, view: str, facts: Sequence[tuple[int, Fact, str]]) -> None:
    """Keep facts that a view could not fold, each with its partition and the reason."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    db.executemany(
        "INSERT INTO parked (view, partition, position, stream, topic, state, reason, at)"
        " VALUES (?,?,?,?,?,?,?,?) ON CONFLICT (view, position) DO NOTHING",
        [
            (
                view,
                partition,
                f.position,
                f.stream,
                f.topic,
                f.state,
                reason[:LONGEST_REASON].replace("\0", "\\0"),
                at,
            )
            for partition, f, reason in facts
        ],
    )


@contextmanager
def _savepoint(db: Sql) -> Iterator[None]:
    db.execute("SAVEPOINT attempt")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK TO SAVEPOINT attempt")
        raise
    db.execute("RELEASE SAVEPOINT attempt")


def parked_streams(db: Sql, view: str, partition: int) -> set[bytes]:
    sql = "SELECT DISTINCT stream FROM parked WHERE view = ? AND partition = ?"
    return {bytes(stream) for (stream,) in db.execute(sql, (view, partition))}


def all_parked(db: Sql) -> list[Parked]:
    """Everything parked, in the order of views and positions."""
    sql = (
        "SELECT view, partition, position, stream, topic, state, reason, at FROM parked"
        " ORDER BY view, position"
    )
    return [
        Parked(
            view,
            partition,
            position,
            UUID(bytes=bytes(stream)),
            topic,
            bytes(state),
            reason,
            datetime.fromisoformat(at),
        )
        for view, partition, position, stream, topic, state, reason, at in db.execute(sql)
    ]
