"""Where the rows of a work list come from: one question a kind of thing, all with the same columns.

``matter`` is a key of `projections.asking.work.MATTERS`; ``role`` whose step it is first of all;
``area`` where the thing lies for the command; ``desk`` where it is dealt with; ``rank`` 0 where
people are dead, missing or at stake; ``number`` how many cases or grants are behind it; ``label``,
``detail`` and ``year`` are what a reader knows it by: hazard, programme, place, the head's mask.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
)

from domain.consignment import Consignment
from domain.incident import Stage
from domain.lateness import HeldTime
from domain.situation_report import SituationReport
from domain.village_list import VillageList
from domain.world import Role
from projections.areas import AREAS
from projections.asking.counted import over
from projections.asking.scope import Scope
from projections.asking.vacancies import nobody_reports
from projections.dispatch import INCIDENTS, RANK
from projections.findings import CLAIMS, CONTESTS
from projections.folding.dialects import JsonMember
from projections.households import HOUSEHOLDS, MOVES
from projections.proposals import open_ones
from projections.reviews import ABOVE, CONSIGNMENTS, NEEDED, STEP
from projections.sections.review_lists import SEASONS as TERMS
from projections.sections.review_lists import WAITING, waits
from projections.situation import REPORTS
from projections.timeline import TIMELINE

NOTHING: ColumnElement[Any] = cast(null(), String)
AT_ONCE = timedelta(milliseconds=1)
"""The finest that views tell apart."""
GRAVE = ("dead", "missing")
URGENT = 3
"""From which rank of the dispatch board on life is at stake."""

_ORDERED, _SHIPPED = (Consignment.Ordered,), (Consignment.Shipped,)
_DRAWN_UP, _REVIEWED = (VillageList.CasesListed,), (VillageList.Reviewed,)
_APPROVED = (VillageList.Approved, VillageList.Allocated)
_LOOKED_OVER = (SituationReport.Accepted, SituationReport.Returned)
APART: dict[str, list[str]] = {
    matter: [fact.topic() for fact in facts]
    for matter, facts in {
        "report_verify": _LOOKED_OVER,
        "report_verify_for": _LOOKED_OVER,
        "consignment_ship": _ORDERED,
        "consignment_receive": (*_ORDERED, *_SHIPPED),
        "village_list_review": _DRAWN_UP,
        "village_list_approve": (*_DRAWN_UP, *_REVIEWED),
        "village_list_allocate": (*_DRAWN_UP, *_REVIEWED),
        "village_list_pay": (*_DRAWN_UP, *_REVIEWED, *_APPROVED),
        "village_list_sign": (*_DRAWN_UP, *_REVIEWED, *_APPROVED),
    }.items()
}
"""What of a matter one has not done oneself who does its next step (`domain.separation`)."""
OWN_REPORT = ("report_review", "report_issue")
"""Nobody looks over what they reported."""


def said(text: str) -> ColumnElement[Any]:
    return type_coerce(literal(text), String)


def whole(number: int) -> ColumnElement[Any]:
    return type_coerce(literal(number), Integer)


def row(
    *,
    matter: Any,
    subject: Any,
    area: Any,
    role: Any,
    desk: Any = None,
    since: Any,
    due_at: Any = NOTHING,
    rank: Any = None,
    number: Any = None,
    label: Any = NOTHING,
    detail: Any = NOTHING,
    year: Any = None,
) -> list[Any]:
    """The columns of one source, in the one order that a union needs."""
    return [
        matter.label("matter"),
        subject.label("subject"),
        area.label("area"),
        role.label("role"),
        (area if desk is None else desk).label("desk"),
        since.label("since"),
        due_at.label("due_at"),
        (whole(1) if rank is None else rank).label("rank"),
        (whole(1) if number is None else number).label("number"),
        label.label("label"),
        detail.label("detail"),
        (whole(0) if year is None else year).label("year"),
    ]


def village_or_township(area: Any, at: datetime) -> ColumnElement[Any]:
    """Whose step it is that a village takes itself: the township's where nobody is in post."""
    vacant = nobody_reports(area, at)
    return case((vacant, said(Role.TOWNSHIP_REVIEWER)), else_=said(Role.VILLAGE_REPORTER))


def taken_by(at: datetime) -> ColumnElement[Any]:
    """Who takes a step of the review queue: `NEEDED`, or the township for a village of nobody."""
    of_village = and_(WAITING.c.kind == "village_list", NEEDED.in_([str(Role.VILLAGE_REPORTER)]))
    return case((of_village, village_or_township(WAITING.c.area, at)), else_=NEEDED)


def grave(figures: Any) -> ColumnElement[bool]:
    """Whether figures of a report name a dead or missing person."""
    counted = [cast(JsonMember(figures, said(key)), String) for key in GRAVE]
    return or_(*(and_(one.is_not(None), one != "0") for one in counted))


def ended(column: Any, held: HeldTime, at: datetime) -> ColumnElement[bool]:
    """Whether a notice that hangs until the moment in ``column`` has hung its days: at that very
    moment it has (`domain.list_checks`)."""
    return over(column, held, at, after=-AT_ONCE)


def did_before(found: Any, who: tuple[UUID, ...]) -> ColumnElement[bool]:
    """Whether one of these did another step of the matter of a row. ``who``: the officer, and in a
    post taken over from somebody absent that one too: reporter, reviewer, approver and payer are
    different persons."""
    me = [str(one) for one in who]
    facts = [
        and_(found.c.matter == matter, TIMELINE.c.topic.in_(topics))
        for matter, topics in APART.items()
    ]
    done = exists().where(
        TIMELINE.c.stream == found.c.subject, TIMELINE.c.actor.in_(me), or_(*facts)
    )
    reported = exists().where(REPORTS.c.report == found.c.subject, REPORTS.c.reported_by.in_(me))
    return or_(
        and_(found.c.matter.in_(APART), done), and_(found.c.matter.in_(OWN_REPORT), reported)
    )


def steps(scope: Scope, *, exercise: bool, held: HeldTime, at: datetime) -> Select[Any]:
    """What the review queue holds and can be done now: a notice that still runs is not passed by,
    and money, goods and closing go by what is outstanding (`deliveries`).
    """
    matter = WAITING.c.kind + said("_") + STEP
    ready = or_(WAITING.c.ready_at.is_(None), ended(WAITING.c.ready_at, held, at))
    delivered = and_(WAITING.c.kind == "village_list", WAITING.c.step.in_(["pay", "close"]))
    return (
        select(
            *row(
                matter=matter,
                subject=WAITING.c.subject,
                area=WAITING.c.area,
                role=taken_by(at),
                since=WAITING.c.since,
                due_at=WAITING.c.due_at,
                rank=case((grave(func.coalesce(REPORTS.c.figures, "{}")), 0), else_=1),
                label=func.coalesce(REPORTS.c.hazard, TERMS.c.programme, CONSIGNMENTS.c.lines),
                detail=REPORTS.c.sub_hazard,
                year=func.coalesce(TERMS.c.year, 0),
            )
        )
        .join(AREAS, AREAS.c.id == WAITING.c.area)
        .outerjoin(ABOVE, ABOVE.c.id == AREAS.c.parent)
        .outerjoin(TERMS, TERMS.c.id == WAITING.c.season)
        .outerjoin(REPORTS, REPORTS.c.report == WAITING.c.subject)
        .outerjoin(CONSIGNMENTS, CONSIGNMENTS.c.id == WAITING.c.subject)
        .where(
            scope.covers(WAITING.c.area),
            WAITING.c.exercise.is_(exercise),
            NEEDED.is_not(None),
            waits(),
            ready,
            ~delivered,
        )
    )


INCIDENT_STEPS = {
    Stage.OPEN: "incident_triage",
    Stage.TRIAGED: "incident_assign",
    Stage.ASSIGNED: "incident_acknowledge",
    Stage.RESOLVED: "incident_close",
}


def incidents(scope: Scope, *, exercise: bool) -> Select[Any]:
    """Incidents that wait for the dispatcher: to be triaged, without a unit, with a unit that has
    not answered, done with. While a unit works nobody waits for the desk."""
    i = INCIDENTS.c
    matter = case(
        *[(i.status == str(stage), name) for stage, name in INCIDENT_STEPS.items()], else_="-"
    )
    pressing = and_(i.status != str(Stage.RESOLVED), RANK <= URGENT)
    return select(
        *row(
            matter=matter,
            subject=i.id,
            area=i.area,
            role=said(Role.DISPATCHER),
            desk=i.in_charge,
            since=i.opened_at,
            due_at=i.acknowledge_by,
            rank=case((pressing, 0), else_=1),
            label=i.place,
            detail=i.kind,
        )
    ).where(
        scope.covers(i.area),
        i.exercise.is_(exercise),
        i.status.in_([str(stage) for stage in INCIDENT_STEPS]),
    )


def contests(scope: Scope, *, exercise: bool) -> Select[Any]:
    """Persons whom several households claim, all of them here: who stands above them decides."""
    township, county = AREAS.alias("claim_township"), AREAS.alias("claim_county")
    claims = CLAIMS.c.status == "open"
    all_claims = (
        select(func.count())
        .select_from(CLAIMS)
        .where(CLAIMS.c.person == CONTESTS.c.person, claims)
        .correlate(CONTESTS)
        .scalar_subquery()
    )
    counties = func.count(county.c.parent.distinct())
    return (
        select(
            *row(
                matter=said("contest_resolve"),
                subject=CONTESTS.c.person,
                area=func.min(HOUSEHOLDS.c.area),
                role=case(
                    (counties == 1, said(Role.COUNTY_APPROVER)), else_=said(Role.CITY_REVIEWER)
                ),
                since=CONTESTS.c.since,
                label=func.min(HOUSEHOLDS.c.head_masked),
            )
        )
        .join(CLAIMS, and_(CLAIMS.c.person == CONTESTS.c.person, claims))
        .join(HOUSEHOLDS, HOUSEHOLDS.c.id == CLAIMS.c.household)
        .join(township, township.c.id == HOUSEHOLDS.c.area)
        .join(county, county.c.id == township.c.parent)
        .where(
            CONTESTS.c.status == "open",
            scope.covers(HOUSEHOLDS.c.area),
            HOUSEHOLDS.c.exercise.is_(exercise),
        )
        .group_by(CONTESTS.c.person, CONTESTS.c.since)
        .having(func.count() == all_claims)
    )


def moves(scope: Scope, *, exercise: bool, held: HeldTime, at: datetime) -> Select[Any]:
    """Households that another county offers: to take in or to decline, while the offer stands."""
    return (
        select(
            *row(
                matter=said("household_move"),
                subject=MOVES.c.household,
                area=MOVES.c.area,
                role=said(Role.TOWNSHIP_REVIEWER),
                since=MOVES.c.offered_at,
                due_at=MOVES.c.due_at,
                label=HOUSEHOLDS.c.head_masked,
            )
        )
        .join(HOUSEHOLDS, HOUSEHOLDS.c.id == MOVES.c.household)
        .where(
            scope.covers(MOVES.c.area),
            MOVES.c.status == "offered",
            ~over(MOVES.c.due_at, held, at),
            HOUSEHOLDS.c.exercise.is_(exercise),
        )
    )


def proposals(scope: Scope, *, asker: UUID, held: HeldTime, at: datetime) -> Select[Any]:
    """Proposals about posts that the administrator takes or declines."""
    p = open_ones(scope, asker, held, at).subquery("proposed")
    return select(
        *row(
            matter=said("proposal_decide"),
            subject=p.c.id,
            area=p.c.area,
            role=said(Role.ADMINISTRATOR),
            since=p.c.proposed_at,
            due_at=p.c.lapses_at,
            label=p.c.officer_name,
            detail=p.c.kind,
        )
    )
