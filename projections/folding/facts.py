"""Facts as they are folded: a row of the log with its event, or with why it cannot be read."""

import sqlite3
from collections.abc import Callable, Iterable
from typing import NamedTuple

import psycopg

from domain.base import Event
from eventstore.errors import StoreError
from eventstore.log import Row as LogRow
from eventstore.mapper import TypedMapper

Dropped = frozenset[tuple[str, int]]
"""Views and positions that an operator has given up: folded as if they had not been written."""

PartitionOf = Callable[[LogRow], int]


class Unreadable(ValueError):
    """The bytes of a fact are none that this program knows."""


class Fact(NamedTuple):
    """A row of the log, its event or None and why there is none, and its type if that is known."""

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


def in_partition_0(row: LogRow) -> int:
    """Of an embedded store, and of whoever does not ask."""
    del row
    return 0


def decoded(
    mapper: TypedMapper, rows: Iterable[LogRow], partition_of: PartitionOf = in_partition_0
) -> list[Fact]:
    """The facts of rows of the log."""
    return [fact_of(mapper, row[0], row[3], row[4], partition_of(row), row[1]) for row in rows]


def told(problem: Exception) -> str:
    return f"{type(problem).__name__}: {problem}"


def is_poison(problem: Exception) -> bool:
    """Whether it is the fact's or the handler's fault, and not the database's or the machine's."""
    if isinstance(problem, sqlite3.Error):
        return isinstance(problem, sqlite3.DataError | sqlite3.IntegrityError)
    if isinstance(problem, psycopg.Error):
        return isinstance(problem, psycopg.DataError | psycopg.IntegrityError)
    return not isinstance(problem, StoreError | OSError | MemoryError)
