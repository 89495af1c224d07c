"""What is due, overdue, missing or late at a given time, from the rows of `projections.deadlines`.

Kept beside the view for its length: it has no table of its own. Each source of rows is read in the
order of a page and no further than the page wants.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    Connection,
    and_,
    case,
    func,
    or_,
    select,
)

from domain.lateness import NEVER_HELD, HeldTime
from domain.report_filing import Review
from projections.areas import AREAS
from projections.asking.counted import over
from projections.asking.deadline_rows import (
    FOLLOW_UP,
    ORDER,
    Asked,
    named,
    paged,
    plain,
    shaped,
)
from projections.asking.follow_ups import follow_ups
from projections.asking.paging import Page, allowed, cut
from projections.asking.scope import Scope
from projections.deadlines import DUE, FORWARD
from projections.disasters import absorbed_into
from projections.folding.base import Row
from projections.situation import REPORTS, VERSIONS


def deadlines(
    db: Connection,
    scope: Scope,
    *,
    at: datetime,
    held: HeldTime = NEVER_HELD,
    kind: str | None = None,
    disaster: UUID | None = None,
    itself: UUID | None = None,
    overdue_only: bool = False,
    done: bool = False,
    exercise: bool = False,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """What is due at a time (now, unless ``at`` is given), by when; what was done with ``done``.

    ``state``: open, overdue, missing (a follow-up nobody sent and nobody can send any more: later
    ones were, or the situation is stable), ended (a notice that hung its days: the next step may
    be taken), done, done_late, or closed (a follow-up that the area above has answered for by one
    of its own). ``disaster``: only what its reports owe; ``itself``: only what that area owes, not
    those below it. ``level`` is that of the ``area`` that owes it to the one above. ``kind``:
    initial_report, follow_up, verified_report, forward_report, send_upward, notice_end,
    season_assessment, season_delivery, list_delivery, goods_needed, goods_arrival.
    Its pages are turned onward only: ``previous`` is None.
    In ``detail``: ``unconfirmed``, ``plain_weekends``: what is amiss with how the time was set.
    """
    within = None if disaster is None else tuple(absorbed_into(db, disaster))
    asked = Asked(
        at,
        kind,
        overdue_only,
        done,
        exercise,
        cursor,
        allowed(limit),
        within,
        itself,
        held,
    )
    scope = scope.on(db)
    found: list[Row] = []
    if kind not in (FOLLOW_UP, FORWARD):
        found += _once(db, scope, asked)
    if kind in (None, FORWARD):
        found += _forwards(db, scope, asked)
    if kind in (None, FOLLOW_UP):
        found += follow_ups(db, scope, asked)
    # Duties are counted onward from their beginning: there is no way back to offer.
    return replace(cut(found, ORDER, cursor=cursor, limit=limit), previous=None)


def _once(db: Connection, scope: Scope, asked: Asked) -> Iterator[Row]:
    """What waits by the day it is due; what was done, or was done after the time asked about."""
    d, now = DUE.c, asked.now
    columns = [c for c in DUE.columns if c is not d.waits]
    query = named(select(*columns), d.area).outerjoin(REPORTS, REPORTS.c.report == d.subject)
    query = query.where(
        scope.covers(d.area),
        plain(scope, d.exercise).is_(asked.exercise),
        d.kind != FORWARD,
        d.since <= now,
        asked.about(REPORTS),
        asked.owed_by(d.area),
    )
    if asked.kind is not None:
        query = query.where(plain(scope, d.kind) == asked.kind)
    late = and_(over(d.due_at, asked.held, asked.at), d.kind != "notice_end")
    waiting = query.where(d.waits.is_(True))
    past = query.where(d.waits.is_(False))
    if not asked.done:
        past = past.where(plain(scope, d.done_at) > now)
    if asked.overdue_only:
        waiting = waiting.where(late)
        past = past.where(or_(d.done_at <= now, late))
    for one in (waiting, past):
        for row in db.execute(paged(one, asked)).mappings():
            yield shaped(row, asked)


def _forwards(db: Connection, scope: Scope, asked: Asked) -> Iterator[Row]:
    """Accepted reports that the area above passes on by a report of its own on that occurrence."""
    below, above = AREAS.alias("below"), REPORTS.alias("above")
    d, now = DUE.c, asked.now
    first = (
        select(VERSIONS)
        .join(above, above.c.report == VERSIONS.c.report)
        .where(
            VERSIONS.c.area == below.c.parent,
            above.c.exercise == d.exercise,
            above.c.review != str(Review.WITHDRAWN),
            or_(
                above.c.occurrence == REPORTS.c.occurrence,
                and_(  # one of the two stands on its disaster, the other not yet
                    or_(above.c.disaster.is_(None), REPORTS.c.disaster.is_(None)),
                    above.c.hazard == REPORTS.c.hazard,
                    above.c.year == REPORTS.c.year,
                ),
            ),
            VERSIONS.c.recorded_at >= d.since,
        )
        .order_by(VERSIONS.c.recorded_at, VERSIONS.c.position)
        .limit(1)
        .correlate(DUE, REPORTS, below)
    )
    told = first.with_only_columns(VERSIONS.c.recorded_at).scalar_subquery()
    told_held = first.with_only_columns(VERSIONS.c.clock_held).scalar_subquery()
    counts = and_(d.counts, or_(told.is_(None), told > now, told_held.is_(False)))
    columns = [c for c in DUE.columns if c.name not in ("area", "done_at", "waits", "counts")]
    query = (
        select(
            *columns,
            below.c.parent.label("area"),
            told.label("done_at"),
            case((counts, True), else_=False).label("counts"),
        )
        .join(REPORTS, REPORTS.c.report == d.subject)
        .join(below, below.c.id == d.area)
    )
    query = named(query, below.c.parent).where(
        scope.covers(below.c.parent),
        plain(scope, d.exercise).is_(asked.exercise),
        d.waits.is_(False),
        plain(scope, d.kind) == FORWARD,
        d.since <= now,
        asked.about(REPORTS),
        asked.owed_by(below.c.parent),
    )
    if not asked.done:
        query = query.where(func.coalesce(told, "never") > now)
    if asked.overdue_only:
        late = and_(over(d.due_at, asked.held, asked.at), d.counts)
        query = query.where(or_(told <= now, late) if asked.done else late)
    for row in db.execute(paged(query, asked)).mappings():
        yield shaped(row, asked)
