"""Posts whose last day is near: what a year's end leaves without anybody."""

from datetime import date
from typing import Final

from sqlalchemy import ColumnElement, Connection, exists, func, not_, or_, select

from projections.areas import AREAS
from projections.asking.paging import Page, page
from projections.asking.scope import Scope
from projections.officers import APPOINTMENTS, OFFICERS

SOON_DAYS: Final = 45
"""How long before its last day a post is told as ending: from the middle of November on, those of
a calendar year."""


def ending_posts(
    db: Connection,
    scope: Scope,
    *,
    since: date | None = None,
    until: date | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """Posts in an area and below that have a last day (in these days, both counted) and that the
    same officer does not hold any longer."""
    query = (
        select(
            APPOINTMENTS,
            OFFICERS.c.masked_name,
            OFFICERS.c.suspended,
            OFFICERS.c.certificate.label("trained"),
            OFFICERS.c.certified_until,
            AREAS.c.name.label("area_name"),
            AREAS.c.code.label("area_code"),
        )
        .join(OFFICERS, OFFICERS.c.id == APPOINTMENTS.c.officer)
        .join(AREAS, AREAS.c.id == APPOINTMENTS.c.area)
        .where(scope.covers(APPOINTMENTS.c.area), *_ending(since, until))
    )
    order = [APPOINTMENTS.c.ends_on, AREAS.c.code.label("area_code"), APPOINTMENTS.c.appointment]
    return page(db, query, order, cursor=cursor, limit=limit)


def ending_post_counts(
    db: Connection, scope: Scope, *, since: date | None = None, until: date | None = None
) -> dict[str, int]:
    """How many of those ``posts`` end by their term alone: that nobody comes after may have been
    overlooked. Whoever took an officer out of a post knows it, and said why."""
    query = (
        select(func.count())
        .select_from(APPOINTMENTS)
        .where(
            scope.covers(APPOINTMENTS.c.area),
            APPOINTMENTS.c.end_reason.is_(None),
            *_ending(since, until),
        )
    )
    return {"posts": db.execute(query).scalar_one()}


def _ending(since: date | None, until: date | None) -> list[ColumnElement[bool]]:
    """A post with a last day in these days that its officer does not hold any longer."""
    further = APPOINTMENTS.alias("further")
    goes_on = exists().where(
        further.c.officer == APPOINTMENTS.c.officer,
        further.c.role == APPOINTMENTS.c.role,
        further.c.area == APPOINTMENTS.c.area,
        further.c.handed_to.is_(None),
        or_(further.c.ends_on.is_(None), further.c.ends_on > APPOINTMENTS.c.ends_on),
    )
    found = [
        APPOINTMENTS.c.handed_to.is_(None),
        APPOINTMENTS.c.ends_on.is_not(None),
        not_(goes_on),
    ]
    if since is not None:
        found.append(APPOINTMENTS.c.ends_on >= since.isoformat())
    if until is not None:
        found.append(APPOINTMENTS.c.ends_on <= until.isoformat())
    return found
