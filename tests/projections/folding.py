"""Facts of a scenario folded into real views, in batches, and asked by the real queries."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection

from domain.base import Event
from projections.folding.base import TableWriter, View
from projections.folding.engine import ViewsDatabase
from projections.folding.reader import ViewsReader
from projections.folding.rebuild import hash_table


class Folded:
    """Views of some facts. Positions are 1, 2, … in the order of the facts."""

    def __init__(
        self, path: Path, views: Sequence[View], facts: Iterable[Event], batch: int = 10_000
    ) -> None:
        self.views = ViewsDatabase(path, views)
        numbered = list(enumerate(facts, start=1))
        for start in range(0, len(numbered), batch):
            self.views.apply(numbered[start : start + batch])
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
                one = hash_table(self.views.db, view, writer, table.name)
                found[table.name] = (one.rows, one.sha256)
        return found

    def close(self) -> None:
        self._reader.close()
        self.views.close()
