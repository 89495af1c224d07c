"""What waits on disasters: responses 响应, stability, the verified reports 核报, and the end.

Which thresholds 响应条件 the figures reach is for the rulebooks to say, which views do not read:
the figures are asked for here (`response_figures`), and `graver` are the places where a rulebook
was found to ask for more than runs there.
"""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, and_, case, exists, func, select

from domain.area import AreaLevel
from domain.disaster import DisasterStage
from domain.report_filing import OFFICIAL, Kind, Review
from domain.world import Role
from projections.areas import AREAS
from projections.asking.figures import Held, official_by_area
from projections.asking.report_sums import HOSTS, hosted
from projections.asking.scope import Scope
from projections.asking.situation_board import asked_for, held_by, tree_of
from projections.asking.vacancies import nobody_reports
from projections.asking.work_sources import grave, row, said, whole
from projections.deadlines import SUBJECTS
from projections.disasters import DISASTERS, RUNNING
from projections.folding.base import Row
from projections.situation import REPORTS

D, R = DISASTERS.c, REPORTS.c
NO_LEVEL = 5
"""Below the lowest level of a response: none runs."""
OPEN, STABILIZED = str(DisasterStage.OPEN), str(DisasterStage.STABILIZED)
STANDS = R.review != str(Review.WITHDRAWN)
VERIFIED = and_(R.kind == str(Kind.VERIFIED), R.review.in_([str(one) for one in OFFICIAL]))
"""`SituationReport.is_verified`."""


class Responding(NamedTuple):
    """An area in which a disaster is responded to at ``level``, or could be (`NO_LEVEL`), with its
    accepted figures: the ``own`` ones, those of its ``parts``, and what counts of ``both``."""

    disaster: str
    area: str
    level: int
    occurred_at: str
    exercise: bool
    own: dict[str, Decimal]
    parts: dict[str, Decimal]
    both: dict[str, Decimal]


def decides(level: Any) -> ColumnElement[Any]:
    """Whose step it is in an area of this level that county, city or province decides upon."""
    return case(
        (level == str(AreaLevel.CITY), said(Role.CITY_REVIEWER)),
        (level == str(AreaLevel.PROVINCE), said(Role.PROVINCE_REVIEWER)),
        else_=said(Role.COUNTY_APPROVER),
    )


def reports_for(level: Any) -> ColumnElement[Any]:
    """Who first of all files the reports of an area of this level (`domain.commands.reports`)."""
    return case(
        (level == str(AreaLevel.VILLAGE), said(Role.VILLAGE_REPORTER)),
        (level == str(AreaLevel.TOWNSHIP), said(Role.TOWNSHIP_REVIEWER)),
        else_=decides(level),
    )


def verified_for(level: Any) -> ColumnElement[Any]:
    """Who declares areas of this level stable and waits for their 核报: nobody does it for their
    own level here, which the level above does."""
    above = {
        AreaLevel.VILLAGE: Role.COUNTY_APPROVER,
        AreaLevel.TOWNSHIP: Role.COUNTY_APPROVER,
        AreaLevel.COUNTY: Role.CITY_REVIEWER,
        AreaLevel.CITY: Role.PROVINCE_REVIEWER,
    }
    return case(*[(level == str(one), said(role)) for one, role in above.items()], else_=said(""))


def response_figures(db: Connection, scope: Scope, *, exercise: bool) -> list[Responding]:
    """Of the open disasters here: where a response runs, and the disaster's own area where none
    does, each with what the area had accepted (`domain.commands.parts.Official`)."""
    found = _responding(db, scope, exercise)
    if not found:
        return []
    hosts = _hosts_of(db, sorted({one["id"] for one in found}))
    conditions = [*asked_for(scope, exercise, None, None), R.disaster.in_(list(hosts))]
    held = held_by(db, conditions, hosts)
    parents = {id: one["parent"] for id, one in tree_of(db, conditions).items()}
    return [_with_figures(one, held, parents) for one in found]


def _responding(db: Connection, scope: Scope, exercise: bool) -> list[Row]:
    """Disasters and areas: of the disaster's own area the level is `NO_LEVEL` if nothing runs."""
    here = and_(D.stage == OPEN, D.exercise.is_(exercise))
    columns = (D.id, D.occurred_at, D.exercise)
    running = (
        select(*columns, RUNNING.c.area, RUNNING.c.level)
        .join(RUNNING, RUNNING.c.disaster == D.id)
        .where(scope.covers(RUNNING.c.area), here)
    )
    runs = exists().where(RUNNING.c.disaster == D.id, RUNNING.c.area == D.area)
    idle = select(*columns, D.area, whole(NO_LEVEL).label("level"))
    idle = idle.where(scope.covers(D.area), here, ~runs)
    return [dict(one) for query in (running, idle) for one in db.execute(query).mappings()]


def _hosts_of(db: Connection, disasters: list[str]) -> dict[str, str]:
    """These disasters and those merged into one of them, by the one they count under."""
    merged = select(HOSTS.c.id, HOSTS.c.host).where(HOSTS.c.host.in_(disasters))
    found = {one.id: str(one.host) for one in db.execute(merged)}
    return found | {one: one for one in disasters}


def _with_figures(one: Row, held: list[Held], parents: dict[str, str | None]) -> Responding:
    area = one["area"]
    of_it = [each for each in held if each.group == one["id"]]
    parts = [each for each in of_it if each.area != area]

    def known(reports: list[Held]) -> dict[str, Decimal]:
        totals = official_by_area(reports, parents).get(area, [])
        return totals[0].known if totals else {}

    own = known([each for each in of_it if each.area == area])
    about = (one["id"], area, one["level"], one["occurred_at"], one["exercise"])
    return Responding(*about, own, known(parts), known(of_it))


def disasters_waiting(
    scope: Scope, *, exercise: bool, graver: Collection[tuple[UUID, UUID]]
) -> list[Select[Any]]:
    """Responses to start or to raise (``graver``: disasters and areas where the figures ask for
    more than runs), to end once the disaster is stable, and stable disasters that can be closed."""
    here = D.exercise.is_(exercise)
    reached = and_(
        D.id.in_([str(one) for one, _ in graver]),
        AREAS.c.id.in_([str(area) for _, area in graver]),
        (D.id + ":" + AREAS.c.id).in_([f"{one}:{area}" for one, area in graver]),
    )
    running = RUNNING.c.disaster.is_not(None)
    raise_ = (
        select(
            *row(
                matter=case((running, said("response_change")), else_=said("response_start")),
                subject=D.id,
                area=AREAS.c.id,
                role=decides(AREAS.c.level),
                since=func.coalesce(RUNNING.c.since, D.declared_at),
                label=D.name,
            )
        )
        .select_from(DISASTERS)
        .join(AREAS, reached)
        .outerjoin(RUNNING, and_(RUNNING.c.disaster == D.id, RUNNING.c.area == AREAS.c.id))
        .where(scope.covers(AREAS.c.id), here, D.stage == OPEN)
    )
    end = (
        select(
            *row(
                matter=said("response_end"),
                subject=D.id,
                area=RUNNING.c.area,
                role=decides(AREAS.c.level),
                since=D.stable_at,
                label=D.name,
            )
        )
        .join(RUNNING, RUNNING.c.disaster == D.id)
        .join(AREAS, AREAS.c.id == RUNNING.c.area)
        .where(scope.covers(RUNNING.c.area), here, D.stage == STABILIZED)
    )
    source, host = hosted(REPORTS)
    unverified = select(host.label("host")).select_from(source)
    unverified = unverified.where(scope.covers(R.area), STANDS, ~VERIFIED)
    close = (
        select(
            *row(
                matter=said("disaster_close"),
                subject=D.id,
                area=D.area,
                role=decides(AREAS.c.level),
                since=D.stable_at,
                label=D.name,
            )
        )
        .join(AREAS, AREAS.c.id == D.area)
        .where(
            scope.covers(D.area),
            here,
            D.stage == STABILIZED,
            D.id.not_in(select(RUNNING.c.disaster)),
            D.id.not_in(unverified),
        )
    )
    return [raise_, end, close]


def unstable(scope: Scope, *, exercise: bool) -> Select[Any]:
    """Reports that still owe daily reports although their disaster was declared stable: each is
    declared stable by itself, and only then owes its 核报."""
    source, host = hosted(REPORTS)
    return (
        select(
            *row(
                matter=said("report_stabilize"),
                subject=R.report,
                area=R.area,
                role=decides(AREAS.c.level),
                since=D.stable_at,
                rank=case((grave(R.figures), 0), else_=1),
                label=R.hazard,
                detail=R.sub_hazard,
            )
        )
        .select_from(source)
        .join(DISASTERS, D.id == host)
        .join(AREAS, AREAS.c.id == R.area)
        .where(
            scope.covers(R.area),
            R.exercise.is_(exercise),
            STANDS,
            R.stable_at.is_(None),
            D.stage == STABILIZED,
        )
    )


def awaited_verified(scope: Scope, exercise: bool) -> tuple[Any, ColumnElement[bool]]:
    """Reports with the area that answers for them, and which of them owe a 核报 that nobody has
    filed: one that waits for its reviewer, or was sent back, is another step."""
    source = REPORTS.join(SUBJECTS, SUBJECTS.c.id == R.report)
    owed = and_(
        scope.covers(SUBJECTS.c.area),
        R.exercise.is_(exercise),
        STANDS,
        R.stable_at.is_not(None),
        R.kind != str(Kind.VERIFIED),
    )
    return source, owed


def unverified(scope: Scope, *, exercise: bool, at: datetime) -> Select[Any]:
    """The 核报 that are owed once the situation is stable, due where a rulebook sets a limit. That
    of a village with nobody in post is the township's to file."""
    source, owed = awaited_verified(scope, exercise)
    vacant = and_(AREAS.c.level == str(AreaLevel.VILLAGE), nobody_reports(SUBJECTS.c.area, at))
    return (
        select(
            *row(
                matter=case((vacant, said("report_verify_for")), else_=said("report_verify")),
                subject=R.report,
                area=SUBJECTS.c.area,
                role=case((vacant, said(Role.TOWNSHIP_REVIEWER)), else_=reports_for(AREAS.c.level)),
                since=R.stable_at,
                due_at=R.verified_due_at,
                rank=case((grave(R.figures), 0), else_=1),
                label=R.hazard,
                detail=R.sub_hazard,
            )
        )
        .select_from(source)
        .join(AREAS, AREAS.c.id == SUBJECTS.c.area)
        .where(owed)
    )
