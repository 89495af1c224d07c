"""Replaying one view: as a rebuild of it, but what still cannot be folded stays parked.

A rebuild is strict and stops at the first fact that a view cannot take. After a program has been
repaired in part, or a fact been dropped, that would keep everything else parked: so here each fact
is tried by itself, and what fails is parked again with all later facts of its stream.
"""

import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Table

from eventstore.log import Row as LogRow
from eventstore.source import head_of, open_source, pages
from projections.folding.base import Row, Rows, View, routed
from projections.folding.dropped import dropped_in
from projections.folding.engine import ViewsDatabase
from projections.folding.errors import MOST_PARKED_IN_A_ROW, CannotFold, TooManyParked, ViewsError
from projections.folding.parking import BEHIND, Fact, Unreadable, decoded, is_poison, park, told
from projections.folding.part_files import PartFile, Target
from projections.folding.parts import BATCH
from projections.folding.takeover import next_generation, scratch_of

LARGEST = 2**63

PartitionOf = Callable[[LogRow], int]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay of a view did: how many of its facts wait now, and how many did before."""

    view: str
    position: int
    seconds: float
    parked_before: int
    parked: int


class Attempt(Rows):
    """What one fact changes, on top of other rows: kept, or as if it had not been."""

    def __init__(self, under: Rows) -> None:
        super().__init__(under._db, under._writers)
        self._under = under

    def get(self, table: Table, *key: Any) -> Row | None:
        """A copy of the row below: a handler that fails halfway may have changed it."""
        rows = self._rows[table.name]
        if key not in rows:
            found = self._under.get(table, *key)
            rows[key] = dict(found) if found is not None else None
        return rows[key]

    def keep(self) -> None:
        """Pass the changes on. Raises `ValueError` if no database of ours can store a value."""
        changed = [(name, key) for name, keys in self._dirty.items() for key in keys]
        for name, key in changed:
            for value in (self._rows[name][key] or {}).values():
                refuse_unstorable(value)
        for rows in self._appended.values():
            for row in rows:
                for value in row:
                    refuse_unstorable(value)
        under = self._under
        for name, key in changed:
            under._rows[name][key] = self._rows[name][key]
            under._dirty[name].setdefault(key, False)
        for name, rows in self._appended.items():
            under._appended[name].extend(rows)
        under.size += self.size

    def clear(self) -> None:
        for name in self._rows:
            self._rows[name], self._dirty[name], self._appended[name] = {}, {}, []
        self.size = 0


def refuse_unstorable(value: Any) -> None:
    """PostgreSQL has no NUL in text; neither it nor SQLite has half a surrogate pair or more than
    64 bits."""
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("text with a NUL")
        value.encode()
    elif isinstance(value, int) and not -LARGEST <= value < LARGEST:
        raise ValueError("a number of more than 64 bits")


class Replaying:
    """Folds the log into one view, fact by fact, and knows what it could not fold."""

    def __init__(
        self, source: str | Path, views: ViewsDatabase, view: View, partition_of: PartitionOf
    ) -> None:
        self._source = source
        self._view = view
        self._mapper = views.mapper
        self._partition_of = partition_of
        self._dropped = {at for name, at in views.dropped if name == view.name}
        self._handlers = routed([view])
        self._streams: set[bytes] = set()
        self._failing: Counter[int] = Counter()
        self.left: list[tuple[int, Fact, str]] = []
        """Partition, fact and reason of what stays parked."""

    def into_file(self, file: Path, upto: int, target: Target | None) -> None:
        with closing(PartFile(file, [self._view], target)) as part:
            for found in self._pages(0, upto):
                self._fold(part.rows, found)
                part.relieve()
            part.finish()

    def catch_up(self, views: ViewsDatabase, to: Mapping[str, int], after: int, upto: int) -> None:
        for found in self._pages(after, upto):
            rows = Rows(views.db, views.writers({self._view.name: to[self._view.name]}))
            self._fold(rows, found)
            rows.write()

    def switched(self, views: ViewsDatabase) -> None:
        park(views.db, self._view.name, self.left)

    def _pages(self, after: int, upto: int) -> Iterator[list[LogRow]]:
        """Rows of the types that the view reads, and of those that nobody knows."""
        others = [
            topic
            for topic in self._mapper.topics()
            if self._mapper.class_of(topic) not in self._view.routes
        ]
        unread = f"AND topic NOT IN ({','.join('?' * len(others))})" if others else ""
        with closing(open_source(self._source)) as db:
            yield from pages(
                db,
                after,
                upto,
                BATCH,
                columns="position, stream, version, topic, state",
                where=unread,
                bound=others,
            )

    def _fold(self, rows: Rows, found: Sequence[LogRow]) -> None:
        attempt = Attempt(rows)
        for row, fact in zip(found, decoded(self._mapper, found), strict=True):
            if fact.position in self._dropped:
                continue
            if fact.stream in self._streams:
                self.left.append((self._partition_of(row), fact, BEHIND))
                continue
            try:
                self._try(attempt, fact)
            except Exception as problem:
                if not is_poison(problem):
                    raise
                self._give_up(row, fact, problem)
            else:
                if self._failing:
                    self._failing.pop(self._partition_of(row), None)
            attempt.clear()

    def _try(self, attempt: Attempt, fact: Fact) -> None:
        if fact.event is None:
            raise Unreadable(fact.problem)
        for handler in self._handlers[type(fact.event)]:
            handler(attempt, fact.position, fact.event)
        attempt.keep()

    def _give_up(self, row: LogRow, fact: Fact, problem: Exception) -> None:
        partition, reason = self._partition_of(row), fact.problem or told(problem)
        if self._failing[partition] >= MOST_PARKED_IN_A_ROW:
            where = f"{self._view.name}, {fact.topic} at {fact.position}"
            raise TooManyParked(f"{where}: {reason}") from problem
        self._failing[partition] += 1
        self._streams.add(fact.stream)
        self.left.append((partition, fact, reason))


def replay(
    source: str | Path, views: ViewsDatabase, view: View, partition_of: PartitionOf
) -> Replayed:
    """Rebuild one view beside the live one and switch; readers and workers go on meanwhile.

    What can be folded now is not parked any more, and what is dropped is left out. In an
    embedded store nothing is ever parked: there a fact that cannot be folded raises `CannotFold`.
    Raises `TooManyParked` when ten streams in a row cannot be folded; then nothing has changed.
    """
    began = time.perf_counter()
    views.dropped |= dropped_in(source, views.views)
    before = sum(one.view == view.name for one in views.parked())
    head = head_of(source)
    folding = Replaying(source, views, view, partition_of)
    folder = scratch_of(views)
    with (
        tempfile.TemporaryDirectory(prefix=f"rebuild-{os.getpid()}-", dir=folder) as scratch,
        closing(ViewsDatabase(views.place.again(), [view], views.partitions)) as own,
    ):
        own.dropped = views.dropped
        file = Path(scratch) / "part0.sqlite"
        try:
            with next_generation(source, own, 1, folding) as coming:
                folding.into_file(file, head, coming.target)
                if folding.left and not views.place.far:
                    _, fact, reason = folding.left[0]
                    raise CannotFold(f"{view.name}, {fact.topic} at {fact.position}: {reason}")
                coming.take_over({view.name: [file]}, head)
        except Exception as problem:
            if isinstance(problem, ViewsError) or not is_poison(problem):
                raise
            raise CannotFold(f"{view.name}: {told(problem)}") from problem
        position = max(own.positions()[view.name].values())
    return Replayed(view.name, position, time.perf_counter() - began, before, len(folding.left))
