"""Seasons as they were opened: by whom, for which dates, by which rules, and whether anybody had
compared these with their document. For who keeps the house, not for who does business in it."""

from sqlalchemy import Connection, select

from projections.areas import AREAS
from projections.asking.paging import Page, page
from projections.asking.scope import Scope
from projections.officers import OFFICERS
from projections.seasons import SEASONS


def season_openings(
    db: Connection,
    scope: Scope,
    *,
    closed: bool | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """Seasons opened in an area and below, exercises among them, the newest first. ``unconfirmed``:
    nobody had confirmed the standards that it goes by."""
    s = SEASONS.c
    query = (
        select(
            s.id,
            s.area,
            AREAS.c.name.label("area_name"),
            s.programme,
            s.year,
            s.name_zh,
            s.name_en,
            s.exercise,
            s.opened_at,
            s.opened_by,
            OFFICERS.c.masked_name.label("opened_by_name"),
            s.assess_by,
            s.deliver_by,
            s.closed_at,
            s.standards_version,
            s.standards_document_no,
            s.unconfirmed,
        )
        .outerjoin(AREAS, AREAS.c.id == s.area)
        .outerjoin(OFFICERS, OFFICERS.c.id == s.opened_by)
        .where(scope.covers(s.area))
    )
    if closed is not None:
        query = query.where(s.closed_at.is_not(None) if closed else s.closed_at.is_(None))
    return page(db, query, [s.opened_at, s.id], cursor=cursor, limit=limit, descending=True)
