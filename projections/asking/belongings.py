"""What hangs on a village, and moves between counties: asked before a merger and during its run."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, and_, case, func, or_, select

from domain.lateness import NEVER_HELD, HeldTime
from domain.report_filing import OFFICIAL
from domain.rules.base import china_day
from projections.areas import AREAS, GROUPS
from projections.asking.counted import over
from projections.asking.paging import Page, page
from projections.asking.scope import Scope
from projections.asking.village_groups import changed_codes
from projections.deadlines import DUTIES, SUBJECTS
from projections.households import HOUSEHOLDS, MOVES
from projections.ledger import LEDGER
from projections.lists import LISTS
from projections.officers import APPOINTMENTS
from projections.reviews import CONSIGNMENTS
from projections.situation import REPORTS
from projections.stock import STOCK_BALANCES

H, L, V, A, S = HOUSEHOLDS.c, LEDGER.c, LISTS.c, APPOINTMENTS.c, STOCK_BALANCES.c
R = REPORTS.c


def _moving(scope: Scope, area: UUID, today: str) -> dict[str, Select[Any]]:
    """The things that move with a village, by kind: their ids, and of posts whose they are. Of
    groups their sub-codes: they go with the first step, without being named."""
    here = str(area)
    return {
        "groups": select(GROUPS.c.code)
        .where(
            GROUPS.c.village == here, GROUPS.c.ended_on.is_(None), scope.covers(GROUPS.c.village)
        )
        .order_by(GROUPS.c.code),
        "households": select(H.id)
        .where(H.area == here, H.merged_into.is_(None), scope.covers(H.area))
        .order_by(H.id),
        "cases": select(L.id)
        .where(L.area == here, L.status.not_in(("closed", "refused")), scope.covers(L.area))
        .order_by(L.id),
        "village_lists": select(V.id)
        .where(V.area == here, V.status != "closed", scope.covers(V.area))
        .order_by(V.id),
        "reports": select(R.report)
        .join(SUBJECTS, SUBJECTS.c.id == R.report)
        .where(
            SUBJECTS.c.area == here,
            R.review != "withdrawn",
            or_(
                R.stable_at.is_(None),
                and_(
                    R.verified_due_at.is_not(None),
                    or_(R.kind != "verified", R.review.not_in(OFFICIAL)),
                ),
            ),
            scope.covers(SUBJECTS.c.area),
        )
        .order_by(R.report),
        "stockpiles": select(S.stockpile)
        .where(S.area == here, S.available + S.reserved > 0, scope.covers(S.area))
        .order_by(S.stockpile),
        "posts": select(A.officer, A.appointment)
        .where(
            A.area == here,
            or_(A.ends_on.is_(None), A.ends_on >= today),
            A.handed_to.is_(None),
            scope.covers(A.area),
        )
        .order_by(A.officer, A.appointment),
    }


def still_there(
    db: Connection, scope: Scope, area: UUID, at: datetime, *, limit: int = 100
) -> dict[str, list[Any]]:
    """At most so many things of each kind that are still to move, as `FollowMerger` names them."""
    today = china_day(at).isoformat()
    found: dict[str, list[Any]] = {}
    for kind, query in _moving(scope, area, today).items():
        rows = db.execute(query.limit(limit)).all()
        found[kind] = [
            {"officer": row[0], "appointment": row[1]} if kind == "posts" else row[0]
            for row in rows
        ]
    return found


def belongings(
    db: Connection,
    scope: Scope,
    *,
    village: UUID,
    at: datetime,
    into: UUID | None = None,
) -> dict[str, Any] | None:
    """How many groups, households, persons, open cases, lists, units, posts and duties hang on it.

    What a merger would move. Of ``reports`` more is to come, daily (``duties`` are asked for) or a
    核报: the successor answers for them. ``consignments`` are open, to or from it: what is on the
    road arrives at the successor's depot. ``changed_groups``: those whose sub-code is taken in
    ``into``, with the one they would get there ("": none is left). None if a village of the two is
    out of reach.
    """
    a = AREAS.c
    place = db.execute(
        select(a.name, a.code, a.merged_into).where(a.id == str(village), scope.covers(a.id))
    ).first()
    goal = select(a.id).where(a.id == str(into), scope.covers(a.id))
    if place is None or (into is not None and db.execute(goal).first() is None):
        return None
    kinds = _moving(scope, village, china_day(at).isoformat())
    counts = {
        kind: db.execute(select(func.count()).select_from(query.order_by(None).subquery())).scalar()
        for kind, query in kinds.items()
    }
    persons = select(func.coalesce(func.sum(H.size), 0)).where(
        H.area == str(village), H.merged_into.is_(None), scope.covers(H.area)
    )
    units = select(
        func.coalesce(func.sum(S.available), 0), func.coalesce(func.sum(S.reserved), 0)
    ).where(S.area == str(village), scope.covers(S.area))
    free, reserved = db.execute(units).one()
    duties = select(func.count()).where(
        DUTIES.c.area == str(village), DUTIES.c.end.is_(None), scope.covers(DUTIES.c.area)
    )
    g = CONSIGNMENTS.c
    consignments = select(func.count()).where(
        or_(g.area == str(village), g.source == str(village)),
        g.step.is_not(None),
        or_(scope.covers(g.area), scope.covers(g.source)),
    )
    return {
        "name": place.name,
        "code": place.code,
        "merged_into": place.merged_into,
        **counts,
        "changed_groups": [
            {"code": group.code, "name": group.name, "new_code": code}
            for group, code in changed_codes(db, scope, village, [into]).get(into, [])
        ]
        if into is not None
        else [],
        "persons": db.execute(persons).scalar(),
        "free_units": free,
        "reserved_units": reserved,
        "duties": db.execute(duties).scalar(),
        "consignments": db.execute(consignments).scalar(),
    }


def household_moves(
    db: Connection,
    scope: Scope,
    *,
    household: UUID | None = None,
    status: str | None = None,
    exercise: bool = False,
    at: datetime,
    held: HeldTime = NEVER_HELD,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """Moves between counties, from and to these areas, the newest first; ``household``: of one.

    ``status``: offered, expired (nobody answered in time), accepted, declined, withdrawn.
    """
    m = MOVES.c
    expired = and_(m.status == "offered", over(m.due_at, held, at))
    shown = case((expired, "expired"), else_=m.status)
    columns = [column for column in MOVES.columns if column is not m.status]
    origin, goal = AREAS.alias("origins"), AREAS.alias("goals")
    query = (
        select(
            *columns,
            shown.label("status"),
            H.head_masked,
            H.size,
            origin.c.name.label("origin_name"),
            goal.c.name.label("village_name"),
        )
        .join(HOUSEHOLDS, H.id == m.household)
        .outerjoin(origin, origin.c.id == m.origin)
        .outerjoin(goal, goal.c.id == m.area)
        .where(or_(scope.covers(m.area), scope.covers(m.origin)), H.exercise.is_(exercise))
    )
    if household is not None:
        query = query.where(m.household == str(household))
    if status is not None:
        query = query.where(shown == status)
    order: list[Any] = [m.offered_at, m.household]
    found = page(db, query, order, cursor=cursor, limit=limit, descending=True)
    return found.of([{**row, "cases": json.loads(row["cases"])} for row in found.items])
