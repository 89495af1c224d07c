"""What the page of a season needs to say whose turn it is in the villages that it shows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, and_, func, select

from domain.lateness import HeldTime
from projections.areas import AREAS
from projections.asking.scope import Scope
from projections.asking.vacancies import nobody_reports
from projections.asking.work_lists import outstanding
from projections.lists import LISTS


class Standing(NamedTuple):
    """``last``: village → its latest round; ``left``: list → what of it has not gone out, as
    `outstanding` counts it, without lists of which nothing is left; ``vacant``: the villages in
    which nobody is in post."""

    last: dict[str, int]
    left: dict[str, dict[str, Any]]
    vacant: frozenset[str] = frozenset()


def season_standing(
    db: Connection,
    scope: Scope,
    *,
    season: UUID,
    villages: Sequence[UUID],
    exercise: bool,
    held: HeldTime,
    at: datetime,
) -> Standing:
    """How the lists of these villages stand."""
    ids = [str(one) for one in villages]
    rounds = (
        select(LISTS.c.area, func.max(LISTS.c.round).label("last"))
        .where(scope.covers(LISTS.c.area), LISTS.c.season == str(season), LISTS.c.area.in_(ids))
        .group_by(LISTS.c.area)
    )
    last = {row.area: int(row.last) for row in db.execute(rounds)}
    here = and_(scope.covers(AREAS.c.id), AREAS.c.id.in_(ids))
    empty = select(AREAS.c.id).where(here, nobody_reports(AREAS.c.id, at))
    vacant = frozenset(row.id for row in db.execute(empty))
    if not last:
        return Standing({}, {}, vacant)
    shown = Scope(tuple(UUID(area) for area in last))
    found = outstanding(shown.on(db), exercise=exercise, held=held, at=at)
    left = {row["village_list"]: dict(row) for row in db.execute(select(found)).mappings()}
    return Standing(last, left, vacant)
