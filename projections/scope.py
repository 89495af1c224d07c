"""The part of the tree a reader may see. Only `api.access` hands out a `Scope`.

Every query function of a view takes one and limits its rows with ``scope.covers(column)``; a
test walks the query functions and fails for one that selects from a scoped table without it.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select

from projections.areas import AREAS


@dataclass(frozen=True, slots=True)
class Scope:
    """Areas and all below them. ``roots`` None is the whole store (the system itself)."""

    roots: tuple[UUID, ...] | None

    def covers(self, column: Any) -> ColumnElement[bool]:
        """True for rows whose area column lies in this scope."""
        if self.roots is None:
            found: ColumnElement[bool] = column.is_not(None)
            return found
        roots = [str(root) for root in self.roots]
        below = select(AREAS.c.id).where(AREAS.c.id.in_(roots)).cte(recursive=True)
        step = select(AREAS.c.id).join(below, AREAS.c.parent == below.c.id)
        below = below.union(step)
        inside: ColumnElement[bool] = column.in_(select(below.c.id))
        return inside

    def reaches(self, column: Any) -> ColumnElement[bool]:
        """True for what is set for an area above this scope too (a season, never a person's)."""
        if self.roots is None:
            found: ColumnElement[bool] = column.is_not(None)
            return found
        roots = [str(root) for root in self.roots]
        above = select(AREAS.c.id, AREAS.c.parent).where(AREAS.c.id.in_(roots))
        above_all = above.cte(recursive=True)
        step = select(AREAS.c.id, AREAS.c.parent).join(above_all, AREAS.c.id == above_all.c.parent)
        above_all = above_all.union(step)
        return or_(self.covers(column), column.in_(select(above_all.c.id)))


EVERYTHING = Scope(None)
