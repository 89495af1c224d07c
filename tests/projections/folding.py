"""Facts of a scenario folded into real views, in batches, and asked by the real queries."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection

from domain.base import Event
from domain.catalog import AGGREGATES
from eventstore.log import Row
from eventstore.mapper import TypedMapper
from projections.folding.base import Rows, TableWriter, View
from projections.folding.engine import ViewsDatabase
from projections.folding.facts import Fact, Takes
from projections.folding.fold import STRICT, Folding, Routing
from projections.folding.reader import ViewsReader
from projections.folding.rebuild import hashed

MAPPER = TypedMapper(AGGREGATES)


def run(rows: Rows, views: Sequence[View], facts: Iterable[tuple[int, Event]]) -> None:
    """The handlers of these views, over facts with their positions."""
    folding = Folding(Routing(views), Takes())
    folding.run(rows, [Fact(at, fact, type(fact)) for at, fact in facts])


def stored(position: int, fact: Event) -> Row:
    """A fact as the log has it."""
    topic = MAPPER.topic_of(fact)
    return position, fact.originator_id.bytes, fact.originator_version, topic, MAPPER.encode(fact)


def unread(row: Row) -> Fact:
    """A row of the log as a fact that could not be read."""
    position, stream, _, topic, state = row
    return Fact(position, None, MAPPER.class_of(topic), 0, stream, topic, state)


class Folded:
    """Views of some facts. Positions are 1, 2, … in the order of the facts."""

    def __init__(
        self, path: Path, views: Sequence[View], facts: Iterable[Event], batch: int = 10_000
    ) -> None:
        self.views = ViewsDatabase(path, views)
        rows = [stored(position, fact) for position, fact in enumerate(facts, start=1)]
        for start in range(0, len(rows), batch):
            some = rows[start : start + batch]
            self.views.apply_frame(0, start, some[-1][0], some, STRICT)
        self._reader = ViewsReader(path)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self._reader() as db:
            yield db

    def hashes(self) -> dict[str, tuple[int, str]]:
        """Rows and SHA-256 of every table."""
        generations = {live.view: live.generation for live in self.views.live()}
        found = {}
        for view in self.views.views:
            for table in view.tables:
                writer = TableWriter(table, generations[view.name])
                found[table.name] = tuple(hashed(writer.rows(self.views.db)))
        return found

    def close(self) -> None:
        self._reader.close()
        self.views.close()
