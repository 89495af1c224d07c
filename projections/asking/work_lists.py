"""What waits on village lists whose amounts are set, and on lists that are drawn up.

What holds a household up is asked here as `domain.paying` asks it, of the present moment: after the
county's decision, or a card that was recorded, the payer has the list again.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import CTE, ColumnElement, Select, and_, case, exists, func, or_, select

from domain.area import AreaLevel
from domain.lateness import HeldTime
from domain.season import EMERGENCY
from domain.world import Role
from projections.areas import AREAS
from projections.asking.case_states import HELD
from projections.asking.report_sums import reported
from projections.asking.scope import Scope
from projections.asking.vacancies import nobody_reports
from projections.asking.work_sources import ended, row, said, village_or_township, whole
from projections.households import HOUSEHOLDS, MEMBERS
from projections.ledger import LEDGER
from projections.lists import LISTS
from projections.seasons import SEASONS
from projections.sections.grants import GRANTS
from projections.sections.review_lists import LISTS as REVIEWED
from projections.sections.review_lists import SEASONS as TERMS

H, M = HOUSEHOLDS.c, MEMBERS.c
GRANTED = LISTS.c.status.in_(["allocated", "closed"])
"""Lists with amounts. What bounced after its list was closed is owed still."""


class Waiting(NamedTuple):
    """One step of delivery: ``number`` of the cases or grants behind it."""

    matter: str
    role: Role
    where: ColumnElement[bool]
    number: Any
    since: Any


def _stopped(held: HeldTime, at: datetime) -> ColumnElement[Any]:
    """1 where a household may get nothing now: merged, contested, or with a loss to decide upon;
    `domain.paying.check_household`."""
    claimed = exists().where(
        M.household == H.id,
        M.contested,
        or_(M.held_until.is_(None), ~ended(M.held_until, held, at)),
    )
    waits = and_(SEASONS.c.programme != EMERGENCY, claimed)
    return case((or_(H.merged_into.is_not(None), waits, HELD), 1), else_=0)


NO_CARD = and_(H.card_holder.is_(None), SEASONS.c.programme != EMERGENCY)
"""Money has nowhere to go: `domain.paying.NoCard`."""


def outstanding(scope: Scope, *, exercise: bool, held: HeldTime, at: datetime) -> CTE:
    """Of each list what nobody has yet: ``cash``, ``goods`` and ``failed`` grants that can go out
    now, ``held`` cases that the county decides upon, and ``left``, all of its open grants. Added up
    once in a statement, however many steps ask for it."""
    g = GRANTS.c
    free = _stopped(held, at) == 0

    def counted(*conditions: ColumnElement[bool]) -> ColumnElement[Any]:
        return func.sum(case((and_(*conditions), 1), else_=0))

    granted = g.status == "granted"
    return (
        select(
            LEDGER.c.village_list,
            counted(granted, g.cash_fen > 0, free, ~NO_CARD).label("cash"),
            counted(granted, g.units > 0, free).label("goods"),
            counted(g.status == "failed", free, ~NO_CARD).label("failed"),
            func.count(case((HELD, LEDGER.c.id)).distinct()).label("held"),
            func.count().label("left"),
            func.min(g.failed_at).label("failed_at"),
        )
        .join(LEDGER, LEDGER.c.id == g.relief_case)
        .join(HOUSEHOLDS, H.id == LEDGER.c.household)
        .join(SEASONS, SEASONS.c.id == LEDGER.c.season)
        .where(
            scope.covers(g.area),
            g.status.in_(["granted", "failed"]),
            LEDGER.c.exercise.is_(exercise),
            LEDGER.c.village_list.is_not(None),
        )
        .group_by(LEDGER.c.village_list)
        .cte("outstanding")
    )


def deliveries(
    scope: Scope,
    *,
    exercise: bool,
    held: HeldTime,
    at: datetime,
    matters: Collection[str] | None = None,
) -> list[Select[Any]]:
    """Lists whose amounts are set: to pay, to hand goods out, to pay again what bounced, to decide
    what a loss holds, and to close when nobody waits any more. ``matters``: these of them only."""
    found = outstanding(scope, exercise=exercise, held=held, at=at)
    names = ("cash", "goods", "failed", "held", "left")
    cash, goods, failed, lost, left = (func.coalesce(found.c[name], 0) for name in names)
    running = LISTS.c.status == "allocated"
    hung = and_(
        LISTS.c.open_objections == 0,
        or_(
            TERMS.c.second_notice.is_(False),
            ended(func.coalesce(LISTS.c.second_ends_at, "never"), held, at),
        ),
    )
    due = and_(running, hung)
    ready = func.coalesce(LISTS.c.second_ends_at, LISTS.c.allocated_at)
    bounced = func.coalesce(found.c.failed_at, ready)
    payer, approver = Role.COUNTY_PAYER, Role.COUNTY_APPROVER
    kinds = (
        Waiting("village_list_pay", payer, and_(due, cash > 0), cash, ready),
        Waiting("village_list_sign", Role.STOREKEEPER, and_(due, goods > 0), goods, ready),
        Waiting("grant_retry", payer, and_(GRANTED, hung, failed > 0), failed, bounced),
        Waiting("grant_decide", approver, and_(GRANTED, lost > 0), lost, LISTS.c.allocated_at),
        Waiting("village_list_close", approver, and_(due, left == 0), whole(1), ready),
    )
    return [
        select(
            *row(
                matter=said(one.matter),
                subject=LISTS.c.id,
                area=LISTS.c.area,
                role=said(one.role),
                since=one.since,
                due_at=LISTS.c.deliver_by,
                number=one.number,
                label=TERMS.c.programme,
                year=func.coalesce(TERMS.c.year, 0),
            )
        )
        .join(TERMS, TERMS.c.id == LISTS.c.season)
        .join(SEASONS, SEASONS.c.id == LISTS.c.season)
        .outerjoin(found, found.c.village_list == LISTS.c.id)
        .where(
            scope.covers(LISTS.c.area),
            LISTS.c.exercise.is_(exercise),
            SEASONS.c.closed_at.is_(None),
            one.where,
        )
        for one in kinds
        if matters is None or one.matter in matters
    ]


def cards(scope: Scope, *, exercise: bool, at: datetime) -> Select[Any]:
    """Households that money waits for and that have no card: it is recorded where they live."""
    g = GRANTS.c
    waits = NO_CARD, g.cash_fen > 0, g.status.in_(["granted", "failed"])
    homes = _of_homes("household_card", g.granted_at, scope, exercise=exercise, at=at)
    return homes.where(*waits)


def bounced(scope: Scope, *, exercise: bool, at: datetime) -> Select[Any]:
    """Households whose money came back from the bank and whose card nobody has recorded anew since:
    the payer can send it again, but where they live somebody knows what is wrong with the card."""
    g = GRANTS.c
    homes = _of_homes("household_bounced", g.failed_at, scope, exercise=exercise, at=at)
    return homes.where(H.card_holder.is_not(None), H.card_at <= g.failed_at, g.status == "failed")


def _of_homes(
    matter: str, since: ColumnElement[Any], scope: Scope, *, exercise: bool, at: datetime
) -> Select[Any]:
    """Households with grants of seasons that are open, for who works where they live."""
    return (
        select(
            *row(
                matter=said(matter),
                subject=H.id,
                area=H.area,
                role=village_or_township(H.area, at),
                since=func.min(since),
                due_at=func.min(LISTS.c.deliver_by),
                label=H.head_masked,
            )
        )
        .join(LEDGER, LEDGER.c.household == H.id)
        .join(GRANTS, GRANTS.c.relief_case == LEDGER.c.id)
        .join(LISTS, LISTS.c.id == LEDGER.c.village_list)
        .join(SEASONS, SEASONS.c.id == LEDGER.c.season)
        .where(
            scope.covers(H.area),
            H.exercise.is_(exercise),
            H.merged_into.is_(None),
            GRANTED,
            SEASONS.c.closed_at.is_(None),
        )
        .group_by(H.id, H.area, H.head_masked)
    )


def applied(scope: Scope, *, exercise: bool) -> CTE:
    """Of each season and village the cases that wait to be appraised: what several questions of
    one statement ask for (``told``)."""
    return (
        select(
            LEDGER.c.season,
            LEDGER.c.area,
            func.count().label("cases"),
            func.min(LEDGER.c.applied_at).label("since"),
        )
        .where(
            scope.covers(LEDGER.c.area),
            LEDGER.c.status == "applied",
            LEDGER.c.exercise.is_(exercise),
        )
        .group_by(LEDGER.c.season, LEDGER.c.area)
        .cte("told")
    )


def applications(scope: Scope, told: CTE, *, exercise: bool, at: datetime) -> list[Select[Any]]:
    """Lists that are drawn up: households to be put down for them, and those put down to be
    appraised; and cases that no open list of their village takes up. Where nobody is in post the
    township does it on the village's behalf."""
    same = and_(told.c.season == LISTS.c.season, told.c.area == LISTS.c.area)
    draft = and_(
        scope.covers(LISTS.c.area),
        LISTS.c.exercise.is_(exercise),
        LISTS.c.status == "draft",
        LISTS.c.first_ends_at.is_(None),
        LISTS.c.open_objections == 0,
        SEASONS.c.closed_at.is_(None),
    )
    taken_up = exists().where(
        LISTS.c.season == told.c.season, LISTS.c.area == told.c.area, LISTS.c.status == "draft"
    )
    vacant = nobody_reports(LISTS.c.area, at)
    about = {
        "due_at": SEASONS.c.assess_by,
        "label": SEASONS.c.programme,
        "year": SEASONS.c.year,
    }
    of_list = {
        "subject": LISTS.c.id,
        "area": LISTS.c.area,
        "role": village_or_township(LISTS.c.area, at),
        **about,
    }

    def matter(name: str) -> ColumnElement[Any]:
        return case((vacant, said(f"{name}_for")), else_=said(name))

    appraise = row(
        matter=matter("village_list_appraise"),
        since=told.c.since,
        number=told.c.cases,
        **of_list,
    )
    apply = row(matter=matter("village_list_apply"), since=LISTS.c.opened_at, **of_list)
    begin = row(
        matter=said("village_list_open"),
        subject=told.c.season,
        area=told.c.area,
        role=village_or_township(told.c.area, at),
        since=told.c.since,
        number=told.c.cases,
        **about,
    )
    return [
        select(*appraise)
        .join(SEASONS, SEASONS.c.id == LISTS.c.season)
        .join(told, same)
        .where(draft),
        select(*apply)
        .join(SEASONS, SEASONS.c.id == LISTS.c.season)
        .join(REVIEWED, REVIEWED.c.id == LISTS.c.id)
        .outerjoin(told, same)
        .where(draft, REVIEWED.c.listed == 0, told.c.season.is_(None)),
        select(*begin)
        .select_from(told)
        .join(SEASONS, SEASONS.c.id == told.c.season)
        .where(~taken_up, SEASONS.c.closed_at.is_(None)),
    ]


def unlisted(scope: Scope, told: CTE, *, exercise: bool, at: datetime) -> Select[Any]:
    """Villages in which an open season has no list and nobody has applied: the sweep from house to
    house has not begun. A season for a disaster waits only for villages that reported it: what
    happened in the others nobody knows."""
    village, township, county, city = (AREAS.alias(f"{one}_there") for one in "vtcp")
    listed = exists().where(LISTS.c.season == SEASONS.c.id, LISTS.c.area == village.c.id)
    there = and_(told.c.season == SEASONS.c.id, told.c.area == village.c.id)
    struck = reported(village, SEASONS.c.disaster, SEASONS)
    runs_in = (village.c.id, township.c.id, county.c.id, city.c.id, city.c.parent)
    return (
        select(
            *row(
                matter=said("village_list_begin"),
                subject=SEASONS.c.id,
                area=village.c.id,
                role=village_or_township(village.c.id, at),
                since=SEASONS.c.opened_at,
                due_at=SEASONS.c.assess_by,
                label=SEASONS.c.programme,
                year=SEASONS.c.year,
            )
        )
        .select_from(village)
        .join(township, township.c.id == village.c.parent)
        .join(county, county.c.id == township.c.parent)
        .outerjoin(city, city.c.id == county.c.parent)
        .join(SEASONS, SEASONS.c.area.in_(runs_in))
        .outerjoin(told, there)
        .where(
            scope.covers(village.c.id),
            village.c.level == str(AreaLevel.VILLAGE),
            village.c.abolished_on.is_(None),
            SEASONS.c.exercise.is_(exercise),
            SEASONS.c.closed_at.is_(None),
            ~listed,
            told.c.season.is_(None),
            or_(SEASONS.c.disaster.is_(None), struck),
        )
    )
