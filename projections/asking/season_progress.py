"""How far a season has come: village by village, and township by township."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, and_, case, distinct, func, or_, select

from domain.area import AreaLevel
from domain.roster import ListStage
from projections.areas import AREAS
from projections.asking.paging import Page, page
from projections.asking.scope import Scope
from projections.households import TOWNSHIPS
from projections.ledger import LEDGER
from projections.lists import LISTS
from projections.seasons import SEASONS

SUMS = ("cash_fen", "paid_fen", "open_objections")
FOUND_OTHERWISE = ("area", "season", "goods", "minutes_sha256")
"""Columns of a list that its row here does not need."""


def season_villages(
    db: Connection,
    scope: Scope,
    *,
    season: UUID,
    parent: UUID | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> Page | None:
    """The villages in which a season runs, by code, one row a list; a village without one has a row
    whose ``id`` is None. None if the season does not run in these areas. ``parent``: of one
    township.

    ``households``: on the list; ``applied``: in the village, and on no list yet.
    """
    running = _running(db, scope, season)
    if running is None:
        return None
    listed = _counted(scope, season, LEDGER.c.village_list, LEDGER.c.village_list.is_not(None))
    waiting = and_(LEDGER.c.village_list.is_(None), LEDGER.c.status == "applied")
    applied = _counted(scope, season, LEDGER.c.area, waiting)
    row = func.coalesce(LISTS.c.id, AREAS.c.id).label("row")
    query = (
        running.add_columns(
            row,
            AREAS.c.id.label("village"),
            AREAS.c.name.label("village_name"),
            AREAS.c.code,
            AREAS.c.parent.label("township"),
            TOWNSHIPS.c.name.label("township_name"),
            *(column for column in LISTS.c if column.name not in FOUND_OTHERWISE),
            func.coalesce(listed.c.number, 0).label("households"),
            func.coalesce(applied.c.number, 0).label("applied"),
        )
        .outerjoin(listed, listed.c.subject == LISTS.c.id)
        .outerjoin(applied, applied.c.subject == AREAS.c.id)
    )
    if parent is not None:
        query = query.where(AREAS.c.parent == str(parent))
    return page(db, query, [AREAS.c.code, row], cursor=cursor, limit=limit)


def season_townships(
    db: Connection,
    scope: Scope,
    *,
    season: UUID,
    cursor: str | None = None,
    limit: int = 100,
) -> Page | None:
    """The townships in which a season runs, by code: their villages, those with a list, how many
    lists stand at each stage, and sums over them (fen). None if it does not run in these areas."""
    running = _running(db, scope, season)
    if running is None:
        return None
    stages = [
        func.count(case((LISTS.c.status == str(stage), LISTS.c.id))).label(str(stage))
        for stage in ListStage
    ]
    query = running.add_columns(
        TOWNSHIPS.c.code,
        TOWNSHIPS.c.id.label("township"),
        TOWNSHIPS.c.name.label("township_name"),
        func.count(distinct(AREAS.c.id)).label("villages"),
        func.count(distinct(LISTS.c.area)).label("with_list"),
        *stages,
        *(func.coalesce(func.sum(LISTS.c[name]), 0).label(name) for name in SUMS),
    ).group_by(TOWNSHIPS.c.code, TOWNSHIPS.c.id, TOWNSHIPS.c.name)
    return page(db, query, [TOWNSHIPS.c.code], cursor=cursor, limit=limit)


def _running(db: Connection, scope: Scope, season: UUID) -> Select[Any] | None:
    """The villages of these areas in which the season runs, with their townships and the season's
    lists. A village that is no more stays while it has a list."""
    found = select(SEASONS.c.area).where(SEASONS.c.id == str(season), scope.reaches(SEASONS.c.area))
    area = db.execute(found).scalar()
    if area is None:
        return None
    here = and_(LISTS.c.area == AREAS.c.id, LISTS.c.season == str(season))
    return (
        select()
        .select_from(AREAS)
        .join(TOWNSHIPS, TOWNSHIPS.c.id == AREAS.c.parent)
        .outerjoin(LISTS, here)
        .where(
            AREAS.c.level == str(AreaLevel.VILLAGE),
            scope.covers(AREAS.c.id),
            Scope((UUID(area),)).covers(AREAS.c.id),
            or_(AREAS.c.abolished_on.is_(None), LISTS.c.id.is_not(None)),
        )
    )


def _counted(scope: Scope, season: UUID, subject: Any, condition: Any) -> Any:
    """How many cases of the season there are of each ``subject``."""
    return (
        select(subject.label("subject"), func.count().label("number"))
        .where(scope.covers(LEDGER.c.area), LEDGER.c.season == str(season), condition)
        .group_by(subject)
        .subquery()
    )
