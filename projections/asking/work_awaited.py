"""What an officer has sent or decided that now waits for somebody else, and what one did lately."""

from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    func,
    or_,
    select,
    union_all,
)

from domain.area import AreaLevel
from domain.commands.consignments import ORDERERS, REQUESTERS
from domain.commands.reports import ANY_FILER
from domain.commands.reviews import STABILIZERS
from domain.world import Role
from projections.areas import AREAS
from projections.asking.counted import over
from projections.asking.scope import Scope
from projections.asking.vacancies import nobody_reports
from projections.asking.work import Asked, Post
from projections.asking.work_disasters import awaited_verified, reports_for, verified_for
from projections.asking.work_lists import applied, deliveries, unlisted
from projections.asking.work_sources import NOTHING, ended, said, taken_by
from projections.deadlines import SUBJECTS
from projections.households import HOUSEHOLDS, MOVES
from projections.proposals import open_ones
from projections.reviews import ABOVE, CONSIGNMENTS, NEEDED, STEP
from projections.reviews import REPORTS as REVIEWED
from projections.sections.review_lists import SEASONS as TERMS
from projections.sections.review_lists import WAITING, waits
from projections.situation import REPORTS
from projections.timeline import STREAMS, TIMELINE

AFTERWARDS: dict[Role, tuple[str, ...]] = {
    Role.VILLAGE_REPORTER: ("settle", "review", "approve", "allocate", "pay"),
    Role.TOWNSHIP_REVIEWER: ("approve", "allocate", "post_second", "pay"),
    Role.COUNTY_APPROVER: ("post_second", "pay"),
}
"""Steps of a list behind those of a post: who has done theirs waits for these."""

WAIT_FOR_LISTS = frozenset({Role.TOWNSHIP_REVIEWER, Role.COUNTY_APPROVER})
"""Who looks over and decides upon the lists that villages have not begun."""

WAIT_FOR_MONEY = frozenset({Role.VILLAGE_REPORTER, Role.TOWNSHIP_REVIEWER, Role.COUNTY_APPROVER})
"""Whose households get again what came back from the bank."""

ON_THE_WAY = {"order": REQUESTERS, "ship": REQUESTERS | ORDERERS, "receive": ORDERERS}
"""Who waits for these steps of a consignment: who asked for it, and who ordered it."""

DESK = {
    Role.VILLAGE_REPORTER: AreaLevel.VILLAGE,
    Role.TOWNSHIP_REVIEWER: AreaLevel.TOWNSHIP,
    Role.COUNTY_APPROVER: AreaLevel.COUNTY,
    Role.COUNTY_PAYER: AreaLevel.COUNTY,
    Role.CITY_REVIEWER: AreaLevel.CITY,
    Role.PROVINCE_REVIEWER: AreaLevel.PROVINCE,
}
"""At which level a post is held; others are where the thing lies."""

GRAND = AREAS.alias("grand")

LOOKED_BACK = 50_000
"""Facts from the newest on among which an officer's last ones are looked for."""


def work_awaited(
    db: Connection, scope: Scope, *, asked: Asked, each: int = 3
) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """How many wait, by matter, and the first ``each`` of every matter, the longest first.

    ``who_role`` and ``who_area``: whose step it is. ``ready_at``: a notice hangs until then and
    nobody can do the step before; then it may be the officer's own.
    """
    queries = [_steps(scope, asked), _offers(scope, asked), _proposed(scope, asked)]
    if not asked.roles.isdisjoint(STABILIZERS):
        queries.append(_verified(scope, asked))
    if not asked.roles.isdisjoint(WAIT_FOR_MONEY):
        queries.append(_bounced(scope, asked))
    if not asked.roles.isdisjoint(WAIT_FOR_LISTS):
        queries.append(_unlisted(scope, asked))
    found = union_all(*queries).subquery("found")
    counted = select(found.c.matter, func.count().label("many")).group_by(found.c.matter)
    counts = {one.matter: int(one.many) for one in db.execute(counted)}
    order = (found.c.since, found.c.subject)
    place = func.row_number().over(partition_by=found.c.matter, order_by=order).label("place")
    ranked = select(found, place).subquery("ranked")
    first = select(ranked).where(ranked.c.place <= each).order_by(ranked.c.since, ranked.c.subject)
    return counts, [dict(one) for one in db.execute(first).mappings()]


def _columns(**said_of: Any) -> list[Any]:
    """Columns of a source, in one order."""
    names = (
        "matter",
        "subject",
        "area",
        "area_name",
        "who_role",
        "who_area",
        "since",
        "ready_at",
        "label",
        "detail",
    )
    return [said_of.get(name, NOTHING).label(name) for name in names]


def _steps(scope: Scope, asked: Asked) -> Select[Any]:
    """What the review queue holds for others, or for nobody yet."""
    needed = taken_by(asked.at)
    running = and_(
        WAITING.c.ready_at.is_not(None), ~ended(WAITING.c.ready_at, asked.held, asked.at)
    )
    level: ColumnElement[Any] = case(
        *[(needed == str(role), str(level)) for role, level in DESK.items()],
        else_=AREAS.c.level,
    )
    desk = case(
        (AREAS.c.level == level, AREAS.c.name),
        (ABOVE.c.level == level, ABOVE.c.name),
        (GRAND.c.level == level, GRAND.c.name),
        else_=AREAS.c.name,
    )
    waiting = [
        _waits(post, where, running) for post, where in zip(asked.posts, asked.scopes, strict=True)
    ]
    mine = [str(post.role) for post in asked.posts]
    return (
        select(
            *_columns(
                matter=WAITING.c.kind + said("_") + STEP,
                subject=WAITING.c.subject,
                area=WAITING.c.area,
                area_name=AREAS.c.name,
                who_role=needed,
                who_area=desk,
                since=WAITING.c.since,
                ready_at=case((running, WAITING.c.ready_at), else_=NOTHING),
                label=func.coalesce(REVIEWED.c.hazard, TERMS.c.programme, CONSIGNMENTS.c.lines),
            )
        )
        .join(AREAS, AREAS.c.id == WAITING.c.area)
        .outerjoin(ABOVE, ABOVE.c.id == AREAS.c.parent)
        .outerjoin(GRAND, GRAND.c.id == ABOVE.c.parent)
        .outerjoin(TERMS, TERMS.c.id == WAITING.c.season)
        .outerjoin(REVIEWED, REVIEWED.c.id == WAITING.c.subject)
        .outerjoin(CONSIGNMENTS, CONSIGNMENTS.c.id == WAITING.c.subject)
        .where(
            or_(scope.covers(WAITING.c.area), scope.covers(CONSIGNMENTS.c.area)),
            WAITING.c.exercise.is_(asked.exercise),
            NEEDED.is_not(None),
            waits(),
            or_(needed.not_in(mine), running, WAITING.c.kind == "report"),
            or_(*waiting) if waiting else WAITING.c.step == "",
        )
    )


def _waits(post: Post, where: Scope, running: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether whoever holds this post waits for a step."""
    kind, step = WAITING.c.kind, WAITING.c.step
    told: list[ColumnElement[bool]] = []
    if post.role in ANY_FILER:
        told.append(and_(kind == "report", step == "review", WAITING.c.area == str(post.area)))
    behind = AFTERWARDS.get(post.role, ())
    told.append(and_(kind == "village_list", step.in_(behind), where.covers(WAITING.c.area)))
    own = and_(running, NEEDED.in_([str(post.role)]), where.covers(WAITING.c.area))
    told.append(and_(kind == "village_list", own))
    awaited = [name for name, roles in ON_THE_WAY.items() if post.role in roles]
    asked_for = and_(
        where.covers(CONSIGNMENTS.c.area), post.near(CONSIGNMENTS.c.area, AREAS.c.level)
    )
    told.append(and_(kind == "consignment", step.in_(awaited), asked_for))
    if post.role in ORDERERS:
        for_them = CONSIGNMENTS.c.area == str(post.area)
        told.append(and_(kind == "consignment", step == "order", for_them))
    return or_(*told)


def _offers(scope: Scope, asked: Asked) -> Select[Any]:
    """Households offered to another county that has not answered."""
    h, m = HOUSEHOLDS.c, MOVES.c
    offering = [
        where.covers(m.origin)
        for post, where in zip(asked.posts, asked.scopes, strict=True)
        if post.role is Role.COUNTY_APPROVER
    ]
    return (
        select(
            *_columns(
                matter=said("household_move"),
                subject=m.household,
                area=m.area,
                area_name=AREAS.c.name,
                who_role=said(Role.TOWNSHIP_REVIEWER),
                who_area=ABOVE.c.name,
                since=m.offered_at,
                label=h.head_masked,
            )
        )
        .join(AREAS, AREAS.c.id == m.area)
        .join(HOUSEHOLDS, h.id == m.household)
        .outerjoin(ABOVE, ABOVE.c.id == AREAS.c.parent)
        .where(
            scope.covers(m.origin),
            m.status == "offered",
            ~over(m.due_at, asked.held, asked.at),
            h.exercise.is_(asked.exercise),
            or_(*offering) if offering else m.status == "",
        )
    )


def _proposed(scope: Scope, asked: Asked) -> Select[Any]:
    """What the officer has proposed about posts and nobody has answered."""
    p = open_ones(scope, None, asked.held, asked.at).subquery("proposed")
    return (
        select(
            *_columns(
                matter=said("proposal_decide"),
                subject=p.c.id,
                area=p.c.area,
                area_name=AREAS.c.name,
                who_role=said(Role.ADMINISTRATOR),
                who_area=AREAS.c.name,
                since=p.c.proposed_at,
                label=p.c.officer_name,
                detail=p.c.kind,
            )
        )
        .join(AREAS, AREAS.c.id == p.c.area)
        .where(p.c.proposed_by == str(asked.officer))
    )


def _verified(scope: Scope, asked: Asked) -> Select[Any]:
    """The 核报 of areas below that are stable: who declared them stable waits for them."""
    source, owed = awaited_verified(scope, asked.exercise)
    who, waits = reports_for(AREAS.c.level), verified_for(AREAS.c.level)
    vacant = and_(
        AREAS.c.level == str(AreaLevel.VILLAGE), nobody_reports(SUBJECTS.c.area, asked.at)
    )
    told = [
        and_(waits == str(post.role), where.covers(SUBJECTS.c.area))
        for post, where in zip(asked.posts, asked.scopes, strict=True)
    ]
    return (
        select(
            *_columns(
                matter=said("report_verify"),
                subject=REPORTS.c.report,
                area=SUBJECTS.c.area,
                area_name=AREAS.c.name,
                who_role=case((vacant, said(Role.TOWNSHIP_REVIEWER)), else_=who),
                who_area=case((vacant, ABOVE.c.name), else_=AREAS.c.name),
                since=REPORTS.c.stable_at,
                label=REPORTS.c.hazard,
                detail=REPORTS.c.sub_hazard,
            )
        )
        .select_from(source)
        .join(AREAS, AREAS.c.id == SUBJECTS.c.area)
        .outerjoin(ABOVE, ABOVE.c.id == AREAS.c.parent)
        .where(owed, or_(*told))
    )


def _bounced(scope: Scope, asked: Asked) -> Select[Any]:
    """Lists of which something came back from the bank: the payer sends it again."""
    (found,) = (
        one.subquery("bounced")
        for one in deliveries(
            scope,
            exercise=asked.exercise,
            held=asked.held,
            at=asked.at,
            matters=frozenset({"grant_retry"}),
        )
    )
    told = [
        where.covers(found.c.area)
        for post, where in zip(asked.posts, asked.scopes, strict=True)
        if post.role in WAIT_FOR_MONEY
    ]
    county = case((ABOVE.c.level == str(AreaLevel.COUNTY), ABOVE.c.name), else_=GRAND.c.name)
    return (
        select(
            *_columns(
                matter=found.c.matter,
                subject=found.c.subject,
                area=found.c.area,
                area_name=AREAS.c.name,
                who_role=found.c.role,
                who_area=county,
                since=found.c.since,
                label=found.c.label,
            )
        )
        .join(AREAS, AREAS.c.id == found.c.area)
        .outerjoin(ABOVE, ABOVE.c.id == AREAS.c.parent)
        .outerjoin(GRAND, GRAND.c.id == ABOVE.c.parent)
        .where(or_(*told))
    )


def _unlisted(scope: Scope, asked: Asked) -> Select[Any]:
    """Villages whose list a township and its county wait for."""
    cases = applied(scope, exercise=asked.exercise)
    u = unlisted(scope, cases, exercise=asked.exercise, at=asked.at).subquery("unlisted")
    told = [
        where.covers(u.c.area)
        for post, where in zip(asked.posts, asked.scopes, strict=True)
        if post.role in WAIT_FOR_LISTS
    ]
    mine = [str(post.role) for post in asked.posts]
    vacant = u.c.role == str(Role.TOWNSHIP_REVIEWER)
    return (
        select(
            *_columns(
                matter=u.c.matter,
                subject=u.c.subject,
                area=u.c.area,
                area_name=AREAS.c.name,
                who_role=u.c.role,
                who_area=case((vacant, ABOVE.c.name), else_=AREAS.c.name),
                since=u.c.since,
                label=u.c.label,
            )
        )
        .join(AREAS, AREAS.c.id == u.c.area)
        .outerjoin(ABOVE, ABOVE.c.id == AREAS.c.parent)
        .where(u.c.role.not_in(mine), or_(*told))
    )


def done_lately(
    db: Connection, scope: Scope, *, asked: Asked, limit: int = 10
) -> list[dict[str, Any]]:
    """The last facts of the officer, a line a fact, the newest first: what, of which thing, where,
    when. What has left the officer's areas is not told."""
    newest = select(func.max(TIMELINE.c.position)).scalar_subquery()
    query = (
        select(
            TIMELINE.c.position,
            TIMELINE.c.stream,
            TIMELINE.c.topic,
            TIMELINE.c.at,
            TIMELINE.c.detail,
            STREAMS.c.kind,
            STREAMS.c.area,
            AREAS.c.name.label("area_name"),
        )
        .join(STREAMS, STREAMS.c.id == TIMELINE.c.stream)
        .join(AREAS, AREAS.c.id == STREAMS.c.area)
        .where(
            TIMELINE.c.actor == str(asked.officer),
            TIMELINE.c.position > newest - LOOKED_BACK,
            scope.covers(STREAMS.c.area),
        )
        .order_by(TIMELINE.c.position.desc())
        .limit(limit)
    )
    found = [dict(one) for one in db.execute(query).mappings()]
    for one in found:
        one["detail"] = msgspec.json.decode(one["detail"])
    return found
