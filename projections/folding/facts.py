"""Facts as they are folded: a row of the log with its event, or with why it cannot be read; and
which facts the views take."""

import sqlite3
from collections.abc import Callable, Container, Iterable, Sequence
from typing import NamedTuple

import msgspec
import psycopg

from domain.base import Event
from eventstore.errors import StoreError
from eventstore.log import Row as LogRow
from eventstore.mapper import TypedMapper
from projections.folding.partitions import partition_of

Dropped = frozenset[tuple[str, int]]
"""Views and positions that an operator has given up: folded as if they had not been written."""

PartitionOf = Callable[[LogRow], int]


FORGED = "the program has not written this fact 不是程序写入的记录（没有封印）"


class Unreadable(ValueError):
    """The bytes of a fact are none that this program knows."""


class Fact(NamedTuple):
    """A row of the log. ``event`` is None if it cannot be decoded: ``problem`` then says why, and
    ``kind`` is its type if at least that is known."""

    position: int
    event: Event | None
    kind: type[Event] | None
    partition: int = 0
    stream: bytes = b""
    topic: str = ""
    state: bytes = b""
    problem: str = ""

    @property
    def name(self) -> str:
        return self.topic or (self.kind.topic() if self.kind else "?")


def fact_of(
    mapper: TypedMapper,
    position: int,
    topic: str,
    state: bytes,
    partition: int = 0,
    stream: bytes = b"",
) -> Fact:
    """The fact of a row of the log. One that cannot be decoded keeps its bytes and says why."""
    try:
        event = mapper.decode(topic, state)
    except Exception as problem:
        kind = mapper.class_of(topic)
        return Fact(position, None, kind, partition, stream, topic, state, told(problem))
    return Fact(position, event, type(event), partition, stream, topic, state)


def decoded(
    mapper: TypedMapper,
    rows: Iterable[LogRow],
    of: PartitionOf,
    forged: Container[int] = (),
) -> list[Fact]:
    """The facts of rows of the log, with the partitions that ``of`` gives them. Those at positions
    that are ``forged`` keep their bytes, and are none."""
    return [
        fact_of(mapper, row[0], row[3], row[4], of(row), row[1])
        if row[0] not in forged
        else Fact(row[0], None, mapper.class_of(row[3]), of(row), row[1], row[3], row[4], FORGED)
        for row in rows
    ]


class Takes(msgspec.Struct, frozen=True):
    """Which facts the views take, of those that they route: all, unless it is said here.

    ``after``: only those after a position, by view. ``upto``: only those up to a position, by view
    and partition. ``without``: not these, by view and position; they are dropped, or parked.
    """

    after: dict[str, int] = {}
    upto: dict[str, dict[int, int]] = {}
    without: Dropped = frozenset()

    def by_all(self, facts: Sequence[Fact]) -> bool:
        """Whether every view takes each of these facts."""
        if facts and facts[0].position <= max(self.after.values(), default=0):
            return False
        if facts and self.upto and facts[-1].position > self.lowest():
            return False
        left_out = {position for _, position in self.without}
        return not left_out or left_out.isdisjoint([fact.position for fact in facts])

    def by(self, view: str, fact: Fact) -> bool:
        """Whether this view takes it."""
        if fact.position <= self.after.get(view, 0) or (view, fact.position) in self.without:
            return False
        if not self.upto or fact.event is None:
            return True
        upto = self.upto[view]
        return fact.position <= upto[partition_of(fact.event.meta.division, len(upto))]

    def lowest(self) -> int:
        """Of the positions of ``upto``: as far as it goes, every view takes every fact."""
        return min((at for by in self.upto.values() for at in by.values()), default=0)

    def highest(self) -> int:
        """Of the positions of ``upto``: no view takes any fact beyond it."""
        return max((at for by in self.upto.values() for at in by.values()), default=0)


def told(problem: Exception) -> str:
    return f"{type(problem).__name__}: {problem}"


def is_poison(problem: Exception) -> bool:
    """Whether it is the fact's or the handler's fault, and not the database's or the machine's."""
    if isinstance(problem, sqlite3.Error):
        return isinstance(problem, sqlite3.DataError | sqlite3.IntegrityError)
    if isinstance(problem, psycopg.Error):
        return isinstance(problem, psycopg.DataError | psycopg.IntegrityError)
    return not isinstance(problem, StoreError | OSError | MemoryError)
