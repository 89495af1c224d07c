"""The part of the tree a reader may see. Only `api.access` hands out a `Scope`.

Every query function of a view takes one and limits its rows with ``scope.covers(column)``; a
test walks the query functions and fails for one that selects from a scoped table without it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Connection, or_, select

from projections.areas import AREAS
from projections.folding.dialects import IsOneOf

WIDE = ("nation", "province")
"""Levels whose areas hold so much of a store that it is read as a whole."""
LOCAL = ("township", "village")
"""Levels whose areas hold so little that what is rare in the store is looked for right there."""


@dataclass(frozen=True)
class Scope:
    """Areas and all below them. ``roots`` None is the whole store (the system itself)."""

    roots: tuple[UUID, ...] | None
    wide: bool = field(default=False, repr=False)
    """Rows are read in whatever order serves a question and each is asked where it lies, instead
    of area by area; see `on`."""
    local: bool = field(default=False, repr=False)
    """Only townships and villages are named; see `of_few`."""
    training: bool = False
    """Whether the store is for training: there exercises are what sums and findings are about."""

    def on(self, db: Connection) -> "Scope":
        """The same areas, wide if they are a nation's, a province's or the whole store's."""
        named = select(AREAS.c.level).where(AREAS.c.id.in_(self._named))
        levels = db.execute(named).scalars().all()
        wide = self.roots is None or any(level in WIDE for level in levels)
        local = bool(levels) and all(level in LOCAL for level in levels)
        return replace(self, wide=wide, local=local)

    @cached_property
    def by_rows(self) -> "Scope":
        """The same areas for a question whose rows are found by something else, and are few: each
        is asked where it lies."""
        return self if self.wide else replace(self, wide=True)

    @property
    def of_few(self) -> "Scope":
        """The same areas for what is rare wherever it lies, as contests between households are. In
        a county it is quicker to ask each of them where it lies than to look in every area for
        what is hardly ever there; in a village or township the other way round."""
        return self if self.local else self.by_rows

    @cached_property
    def _below(self) -> CTE:
        """The areas of this scope, found once in a statement however often it is named.

        A village that was merged lies in its successor's scope, and still in that of those it was
        under: both read what it left behind.
        """
        below = select(AREAS.c.id).where(AREAS.c.id.in_(self._named)).cte(recursive=True)
        under = or_(AREAS.c.parent == below.c.id, AREAS.c.merged_into == below.c.id)
        return below.union(select(AREAS.c.id).join(below, under))

    @property
    def _named(self) -> list[str]:
        return [str(root) for root in self.roots or ()]

    def covers(self, column: Any) -> ColumnElement[bool]:
        """True for rows whose area column lies in this scope.

        The column's index is looked up area by area, so that a county's question does not read
        what is of others.
        """
        found: ColumnElement[bool]
        if self.roots is None:
            found = column.is_not(None)
        elif self.wide:
            found = column.in_(select(self._below.c.id)).is_(True)
        else:
            found = IsOneOf(column, select(self._below.c.id).scalar_subquery())
        return found

    def contains(self, area: str, parents: Mapping[str, str | None]) -> bool:
        """Whether an area lies in this scope, by what is known of the tree."""
        roots, at = set(self._named), area if self.roots is not None else None
        while at is not None and at not in roots:
            at = parents.get(at)
        return self.roots is None or at is not None

    def reaches(self, column: Any) -> ColumnElement[bool]:
        """True for what is set for an area above this scope too (a season, never a person's)."""
        if self.roots is None:
            found: ColumnElement[bool] = column.is_not(None)
            return found
        above = select(AREAS.c.id, AREAS.c.parent).where(AREAS.c.id.in_(self._named))
        above_all = above.cte(recursive=True)
        step = select(AREAS.c.id, AREAS.c.parent).join(above_all, AREAS.c.id == above_all.c.parent)
        above_all = above_all.union(step)
        return or_(self.covers(column), column.in_(select(above_all.c.id)))


EVERYTHING = Scope(None)
