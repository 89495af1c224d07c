"""The library's default way to save on PostgreSQL: every command in a transaction of its own.

Its application, mapper and recorder (``LOCK TABLE``, then insert) as they come. The domain decides
as it does for the store. To its favor, areas, officers and rulebooks are kept in memory, no
outcomes are stored, and nothing is sealed.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from eventsourcing.application import AggregateNotFoundError
from eventsourcing.persistence import IntegrityError, PersistenceError

from bench.library import Library
from domain.base import Aggregate, Meta, stamp
from domain.refusal import Refusal
from eventstore.deciding import DecisionWorld, Memo, decide
from eventstore.outcomes import Envelope, Outcome, Receipt, Refused, problem_of
from eventstore.store import Store

OPENINGS = 5


def application(url: str) -> Library:
    """The default application on a PostgreSQL database.

    It makes tables and functions as it opens; of several that do so at once all but one may fail.
    """
    parts = urlsplit(url)
    env = {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": parts.path.lstrip("/"),
        "POSTGRES_HOST": parts.hostname or "",
        "POSTGRES_PORT": str(parts.port),
        "POSTGRES_USER": parts.username or "",
        "POSTGRES_PASSWORD": parts.password or "",
    }
    for left in reversed(range(OPENINGS)):
        try:
            return Library(env=env)
        except PersistenceError:
            if not left:
                raise
            time.sleep(0.2)
    raise AssertionError


class EachByItself:
    """Runs commands on the library's application. ``mine``: kinds of aggregates that change."""

    def __init__(self, store: Store, app: Library, mine: tuple[type[Aggregate], ...]) -> None:
        self.store, self.app, self.mine = store, app, mine
        self.memo = Memo()
        self.kept: dict[UUID, Any] = {}
        self.retries = 0

    def load(self, kind: type[Any], id: UUID) -> Any:
        if kind in self.mine:
            try:
                return self.app.repository.get(id)
            except AggregateNotFoundError:
                return None
        if id not in self.kept:
            self.kept[id] = self.store.load(id)
        return self.kept[id]

    def run(self, envelope: Envelope) -> Receipt:
        """Decide and save. Raises the library's `IntegrityError` when another was faster."""
        now = self.store.clock.now()
        world = DecisionWorld(self.load, self.store.vault, now, envelope.id, self.memo)
        try:
            decide(world, envelope.command, envelope.officer)
        except Refusal as refusal:
            raise Refused(Outcome(0, problem=problem_of(refusal))) from refusal
        changed = [one for one in world.touched.values() if one.pending_events]
        actor = world.actor
        for one in changed:
            meta = Meta(
                actor=actor.officer,
                role=actor.role,
                command=envelope.id,
                correlation=envelope.id,
                division=one.division,
                recorded_at=now,
                area=actor.area,
                post=actor.post,
            )
            for fact in one.pending_events:
                stamp(fact, meta)  # type: ignore[arg-type]
        count = sum(len(one.pending_events) for one in changed)
        saved = self.app.save(*changed)
        return Receipt(envelope.id, saved[-1].notification.id, {}, count)

    def until_saved(self, envelope: Envelope, going_on: Callable[[], bool]) -> Receipt | None:
        """Optimistic retry: load, decide and save again until nobody was faster."""
        while going_on():
            try:
                return self.run(envelope)
            except IntegrityError:
                self.retries += 1
        return None

    async def arun(self, envelope: Envelope) -> Receipt:
        """In place of `Store.arun`."""
        return await asyncio.to_thread(self.run, envelope)
