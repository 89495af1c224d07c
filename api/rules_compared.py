"""What rules would have decided otherwise in the last 12 months, part by part; nothing is written.

Subjects (reports, disasters, grants …) are read from the views in the order of their ids, each is
replayed or looked at by itself, and the answer stops after a second: ``next`` goes on from there.
So no answer takes long or grows large, whatever the store holds, and the server keeps nothing.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Select, func, select

from api.auth import Caller
from api.comparing_sources import SOURCES, Found
from domain.rulebook import BINDING, Rulebook
from domain.rules.base import china_day
from domain.rules.loading import RuleContent
from eventstore.deciding import DecisionWorld
from eventstore.store import Store
from projections.areas import AREAS
from projections.asking.scope import Scope

LOOKED_BACK = timedelta(days=365)
SECONDS = 1.0
SUBJECTS = 200
"""Of one answer at most: so many seconds (and the subject at hand), so many subjects."""


class Part(NamedTuple):
    """One part of a comparison. ``next``: where to go on, None at the end."""

    found: list[Found]
    done: int
    total: int
    next: str | None


@dataclass
class Comparison:
    """What the comparing functions ask: the rule, its place, the store, the window, and the part
    of the tree that the caller may compare."""

    caller: Caller
    area: UUID
    rule: RuleContent
    now: datetime
    scope: Scope

    @property
    def store(self) -> Store:
        return self.caller.system.store

    @property
    def since(self) -> datetime:
        return self.now - LOOKED_BACK

    @cached_property
    def _governed(self) -> dict[UUID, bool]:
        return {}

    def governs(self, area: UUID) -> bool:
        """Whether the rule would be the one in force there: no nearer area has its own."""
        known = self._governed.get(area)
        if known is None:
            line = self.caller.system.tree.lineage(area)
            nearer = line[: line.index(self.area)] if self.area in line else line[:0]
            known = self.area in line and not any(self._has_own(one) for one in nearer)
            self._governed[area] = known
        return known

    def _has_own(self, area: UUID) -> bool:
        book = self.store.load(Rulebook.id_of(area, self.rule.KIND))
        if not isinstance(book, Rulebook):
            return False
        binding = self.rule.KIND in BINDING
        return book.covering(china_day(self.now), confirmed=binding) is not None

    def world(self, position: int | None = None) -> DecisionWorld:
        """The world as of a position of the log, for looking at only."""
        return self.store.world(position)

    @cached_property
    def _levels(self) -> dict[UUID, str]:
        return {}

    def level(self, db: Connection, area: UUID) -> str:
        """The level of an area; "" if there is no such area."""
        if area not in self._levels:
            asked = select(AREAS.c.level).where(AREAS.c.id == str(area))
            self._levels[area] = db.execute(asked).scalar_one_or_none() or ""
        return self._levels[area]


def compared(comparison: Comparison, cursor: str | None) -> Part:
    """The next part. ``cursor``: what the part before said in ``next``."""
    sources = SOURCES[comparison.rule.KIND]
    at, after = _opened(cursor)
    deadline = time.monotonic() + SECONDS
    found: list[Found] = []
    looked = 0
    with comparison.caller.system.reader() as db:
        total, passed = _counts(db, comparison, at, after)
        while at < len(sources):
            source = sources[at]
            rows = db.execute(_following(source.subjects(comparison), after)).all()
            for (id,) in rows:
                found += source.compare(comparison, db, UUID(id))
                after, looked = id, looked + 1
                if looked >= SUBJECTS or time.monotonic() > deadline:
                    return Part(found, passed + looked, total, f"{at}:{after}")
            if len(rows) < SUBJECTS:
                at, after = at + 1, ""
    return Part(found, total, total, None)


def _opened(cursor: str | None) -> tuple[int, str]:
    at, _, after = (cursor or "0:").partition(":")
    return int(at), after


def _following(subjects: Select[Any], after: str) -> Select[Any]:
    (id,) = subjects.selected_columns
    return subjects.where(id > after).distinct().order_by(id).limit(SUBJECTS)


def _counts(db: Connection, comparison: Comparison, at: int, after: str) -> tuple[int, int]:
    """How many subjects there are, and how many of them have been looked at."""
    total = passed = 0
    for n, source in enumerate(SOURCES[comparison.rule.KIND]):
        subjects = source.subjects(comparison)
        (id,) = subjects.selected_columns
        total += _count(db, subjects)
        passed += _count(db, subjects if n < at else subjects.where(id <= after)) if n <= at else 0
    return total, passed


def _count(db: Connection, subjects: Select[Any]) -> int:
    return db.execute(select(func.count()).select_from(subjects.distinct().subquery())).scalar_one()
