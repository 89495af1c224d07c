"""Review queue: what waits for whom. A row is there as long as the step waits, then it is gone.

Reports wait for the level above (or, returned and phoned in, for their own area; at the seat of
the store, above which nobody is in post, for a second person there to issue 签发 them), village
lists for each of their steps, consignments to be ordered, shipped, received and closed.
"""

from typing import Any

import msgspec
from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Select,
    String,
    Table,
    and_,
    case,
    func,
    or_,
    select,
)

from domain.area import AreaLevel
from domain.commands.reviews import REVIEWERS
from domain.consignment import Consignment, Line
from domain.season import Season
from domain.situation_report import SituationReport
from domain.village_list import VillageList
from domain.world import Role
from projections.areas import AREAS, at_seat
from projections.asking.paging import Page, page
from projections.asking.scope import Scope
from projections.folding.base import LOGICAL, Row, Rows, View, as_json, text_of, when
from projections.sections.review_lists import (
    LISTS,
    SEASONS,
    TERMS,
    WAITING,
    allocated,
    cases_listed,
    list_closed,
    list_opened,
    list_returned,
    list_reviewed,
    notice_voided,
    objection_raised,
    objection_settled,
    paid,
    posted,
    season_opened,
    standard_changed,
    waits,
    withdrawn,
)

REPORTS = Table(
    "review_reports",
    LOGICAL,
    Column("id", String(36), primary_key=True),
    Column("area", String(36), nullable=False),
    Column("exercise", Boolean, nullable=False),
    Column("hazard", String, nullable=False),
)

CONSIGNMENTS = Table(
    "review_consignments",
    LOGICAL,
    Column("id", String(36), primary_key=True),
    Column("area", String(36), nullable=False),
    Column("source", String(36)),
    Column("exercise", Boolean, nullable=False),
    Column("needed_by", String),
    Column("lines", String, nullable=False),
    Column("step", String),
)

MAKES_UP = SituationReport.MadeUp | SituationReport.Verified | SituationReport.Resubmitted

# reports


def report_filed(rows: Rows, at: int, e: Any) -> None:
    """A version waits for the level above; one taken down by telephone also for its own area."""
    report, filed = text_of(e.originator_id), e.filed
    if isinstance(e, SituationReport.InitialReported | SituationReport.PhonedIn):
        area = text_of(e.area)
        about = {"id": report, "area": area, "exercise": e.exercise, "hazard": e.hazard}
        rows.put(REPORTS, about)
    else:
        about = rows.need(REPORTS, report)
    summary = {
        "hazard": about["hazard"],
        "kind": str(filed.kind),
        "figures": filed.figures,
        "flags": len(filed.flags),
        "wants_reason": filed.wants_reason,
        "late_minutes": filed.late_minutes,
        "phoned": filed.phoned,
    }
    row = {
        "subject": report,
        "kind": "report",
        "area": about["area"],
        "number": filed.number,
        "since": when(e.meta.recorded_at),
        "exercise": about["exercise"],
        "summary": as_json(summary),
    }
    rows.put(WAITING, row | {"step": "review"})
    _gone(rows, report, "correct")
    if filed.phoned:
        rows.put(WAITING, row | {"step": "make_up"})
    elif isinstance(e, MAKES_UP):
        _gone(rows, report, "make_up")


def _gone(rows: Rows, subject: str, step: str) -> None:
    if rows.get(WAITING, subject, step) is not None:
        rows.delete(WAITING, subject, step)


def report_official(
    rows: Rows, at: int, e: SituationReport.Accepted | SituationReport.Issued
) -> None:
    rows.delete(WAITING, text_of(e.originator_id), "review")


def report_returned(rows: Rows, at: int, e: SituationReport.Returned) -> None:
    report = text_of(e.originator_id)
    row = rows.need(WAITING, report, "review")
    rows.delete(WAITING, report, "review")
    summary = msgspec.json.decode(row["summary"]) | {"reason": e.reason}
    since = when(e.meta.recorded_at)
    rows.put(WAITING, row | {"step": "correct", "since": since, "summary": as_json(summary)})


def report_withdrawn(rows: Rows, at: int, e: SituationReport.Withdrawn) -> None:
    for step in ("review", "correct", "make_up"):
        _gone(rows, text_of(e.originator_id), step)


def jump_explained(rows: Rows, at: int, e: SituationReport.JumpExplained) -> None:
    report = text_of(e.originator_id)
    row = rows.get(WAITING, report, "review")
    if row is not None:
        summary = msgspec.json.decode(row["summary"]) | {"wants_reason": [], "reason": e.reason}
        rows.put(WAITING, row | {"summary": as_json(summary)})


def occurrence_corrected(rows: Rows, at: int, e: SituationReport.OccurrenceCorrected) -> None:
    report = text_of(e.originator_id)
    rows.change(REPORTS, report, hazard=e.hazard)
    for step in ("review", "correct", "make_up"):
        row = rows.get(WAITING, report, step)
        if row is not None:
            summary = msgspec.json.decode(row["summary"]) | {"hazard": e.hazard}
            rows.put(WAITING, row | {"summary": as_json(summary)})


# consignments


def requested(rows: Rows, at: int, e: Consignment.Requested) -> None:
    row = {
        "id": text_of(e.originator_id),
        "area": text_of(e.destination),
        "exercise": e.exercise,
        "needed_by": e.needed_by.isoformat() if e.needed_by else None,
        "lines": _lines(e.lines),
    }
    rows.put(CONSIGNMENTS, row)
    _goes_on(rows, e, "order", {"reason": e.reason})


def _lines(lines: tuple[Line, ...]) -> str:
    return as_json({line.item: line.quantity for line in lines})


def _goes_on(rows: Rows, e: Any, step: str | None, more: Row, due_at: str | None = None) -> None:
    """The step waits in the warehouse that must take it: shipping in the source's."""
    row = rows.need(CONSIGNMENTS, text_of(e.originator_id))
    if row["step"] is not None:
        rows.delete(WAITING, row["id"], row["step"])
    row = rows.change(CONSIGNMENTS, row["id"], step=step)
    if step is None:
        return
    summary = {"goods": msgspec.json.decode(row["lines"]), "source": row["source"]} | more
    in_source = step == "ship" or more.get("turned_back")
    rows.put(
        WAITING,
        {
            "subject": row["id"],
            "step": step,
            "kind": "consignment",
            "area": row["source"] if in_source else row["area"],
            "role": None if step == "order" else str(Role.STOREKEEPER),
            "since": when(e.meta.recorded_at),
            "due_at": due_at or row["needed_by"],
            "exercise": row["exercise"],
            "summary": as_json(summary | {"destination": row["area"]}),
        },
    )


def ordered(rows: Rows, at: int, e: Consignment.Ordered) -> None:
    source, lines = text_of(e.source), _lines(e.lines)
    rows.change(CONSIGNMENTS, text_of(e.originator_id), source=source, lines=lines)
    _goes_on(rows, e, "ship", {"document_no": e.document_no})


def shipped(rows: Rows, at: int, e: Consignment.Shipped) -> None:
    _goes_on(rows, e, "receive", {"vehicle": e.vehicle}, when(e.eta) if e.eta else None)


def arrived(rows: Rows, at: int, e: Consignment.Arrived | Consignment.TurnedBack) -> None:
    damaged = sum(count.damaged for count in e.counts)
    missing = sum(count.missing for count in e.counts)
    back = isinstance(e, Consignment.TurnedBack)
    more = {"damaged": damaged, "missing": missing, "turned_back": back}
    _goes_on(rows, e, "write_off" if damaged else "close", more)


def written_off(rows: Rows, at: int, e: Consignment.DamagedWrittenOff) -> None:
    row = rows.need(CONSIGNMENTS, text_of(e.originator_id))
    waiting = rows.need(WAITING, row["id"], "write_off")
    back = waiting["area"] == row["source"]
    _goes_on(rows, e, "close", {"document_no": e.document_no, "turned_back": back})


def consignment_over(rows: Rows, at: int, e: Consignment.Closed | Consignment.Cancelled) -> None:
    _goes_on(rows, e, None, {})


# queries

_ORDERERS = {
    AreaLevel.VILLAGE: Role.COUNTY_APPROVER,
    AreaLevel.TOWNSHIP: Role.COUNTY_APPROVER,
    AreaLevel.COUNTY: Role.CITY_REVIEWER,
    AreaLevel.CITY: Role.PROVINCE_REVIEWER,
    AreaLevel.PROVINCE: Role.PROVINCE_REVIEWER,
}
"""Who answers a request for goods, by the level that they are for: a superior who may order."""
_FILERS = {
    AreaLevel.VILLAGE: Role.VILLAGE_REPORTER,
    AreaLevel.TOWNSHIP: Role.TOWNSHIP_REVIEWER,
    AreaLevel.COUNTY: Role.COUNTY_APPROVER,
    AreaLevel.CITY: Role.CITY_REVIEWER,
    AreaLevel.PROVINCE: Role.PROVINCE_REVIEWER,
}


ABOVE = AREAS.alias("above")


def _by_level(roles: dict[AreaLevel, Role], areas: Any = AREAS) -> Any:
    return case(*[(areas.c.level == str(level), str(role)) for level, role in roles.items()])


LOOKED_OVER = and_(WAITING.c.kind == "report", WAITING.c.step == "review")
ISSUED = and_(LOOKED_OVER, at_seat(WAITING.c.area))
STEP: ColumnElement[Any] = case((ISSUED, "issue"), else_=WAITING.c.step)
"""Whether a report is accepted above or issued where it is depends on the seat as it is now."""

ASKED_AT_SEAT = and_(
    WAITING.c.kind == "consignment", WAITING.c.step == "order", at_seat(WAITING.c.area)
)
"""Nobody above the seat of a store is in it: who asks there for goods orders them as well."""

NEEDED: ColumnElement[Any] = func.coalesce(
    WAITING.c.role,
    case(
        (ISSUED, _by_level(REVIEWERS)),
        (LOOKED_OVER, _by_level(REVIEWERS, ABOVE)),
        (or_(WAITING.c.kind == "report", ASKED_AT_SEAT), _by_level(_FILERS)),
        else_=_by_level(_ORDERERS),
    ),
)

RANK = case((LOOKED_OVER, 0), else_=1).label("rank")


def _waiting_for(scope: Scope, *, exercise: bool, role: str | None) -> Select[Any]:
    """The steps that wait, with who takes each. ``role``: one, or several with commas between."""
    query = (
        select(
            *[column for column in WAITING.columns if column is not WAITING.c.step],
            STEP.label("step"),
            NEEDED.label("role_needed"),
            AREAS.c.name.label("area_name"),
            AREAS.c.code.label("area_code"),
            AREAS.c.level.label("level"),
            SEASONS.c.programme,
            SEASONS.c.year,
        )
        .join(AREAS, AREAS.c.id == WAITING.c.area)
        .outerjoin(ABOVE, ABOVE.c.id == AREAS.c.parent)
        .outerjoin(SEASONS, SEASONS.c.id == WAITING.c.season)
        .where(scope.covers(WAITING.c.area), WAITING.c.exercise == exercise)
        .where(NEEDED.is_not(None), waits())
    )
    return query if role is None else query.where(NEEDED.in_(role.split(",")))


def review_counts(
    db: Connection, scope: Scope, *, role: str | None = None, exercise: bool = False
) -> dict[str, Any]:
    """How many steps wait, by kind and step, and since when the longest of each.

    ``role``: only what that role has to do, or one of several (with commas between).
    ``counts``: ``kind``, ``step``, ``count``, ``since``. Counted, however many there are.
    """
    waiting = _waiting_for(scope, exercise=exercise, role=role).subquery("waiting")
    query = (
        select(
            waiting.c.kind,
            waiting.c.step,
            func.count().label("count"),
            func.min(waiting.c.since).label("since"),
        )
        .group_by(waiting.c.kind, waiting.c.step)
        .order_by(waiting.c.kind, waiting.c.step)
    )
    return {"counts": [dict(row) for row in db.execute(query).mappings()]}


def review_queue(
    db: Connection,
    scope: Scope,
    *,
    role: str | None = None,
    kind: str | None = None,
    step: str | None = None,
    reports_first: bool = False,
    exercise: bool = False,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """What waits, the longest first; ``reports_first``: reports to review before all else.

    ``role``: only what that role has to do, or one of several (with commas between).
    ``kind``: report, village_list or consignment. ``role_needed`` says who takes the ``step``;
    ``ready_at`` is when it can be taken at the earliest (a notice still runs until then). What
    nobody can take is not there: above a province there is nobody to review its reports.
    ``issue``: the seat's own report waits for a second person there, not for who filed it.
    """
    query = _waiting_for(scope, exercise=exercise, role=role)
    if kind is not None:
        query = query.where(WAITING.c.kind == kind)
    if step is not None:
        query = query.where(STEP.in_([step]))
    order: list[ColumnElement[Any]] = [WAITING.c.since, WAITING.c.subject, STEP.label("step")]
    if reports_first:
        query, order = query.add_columns(RANK), [RANK, *order]
    found = page(db, query, order, cursor=cursor, limit=limit)
    for row in found.items:
        row.pop("rank", None)
        season = {"programme": row.pop("programme"), "year": row.pop("year")}
        row["summary"] = msgspec.json.decode(row["summary"])
        if row.pop("season") is not None:
            row["summary"] |= season
        for name in TERMS:
            del row[name]
        row["role"] = row.pop("role_needed")
    return found


VIEW = View(
    name="reviews",
    version=4,
    tables=(WAITING, REPORTS, LISTS, CONSIGNMENTS, SEASONS),
    routes={
        SituationReport.InitialReported: report_filed,
        SituationReport.PhonedIn: report_filed,
        SituationReport.MadeUp: report_filed,
        SituationReport.FollowedUp: report_filed,
        SituationReport.ZeroReported: report_filed,
        SituationReport.Verified: report_filed,
        SituationReport.Resubmitted: report_filed,
        SituationReport.Accepted: report_official,
        SituationReport.Issued: report_official,
        SituationReport.Returned: report_returned,
        SituationReport.Withdrawn: report_withdrawn,
        SituationReport.JumpExplained: jump_explained,
        SituationReport.OccurrenceCorrected: occurrence_corrected,
        Season.Opened: season_opened,
        Season.StandardChanged: standard_changed,
        VillageList.Opened: list_opened,
        VillageList.CasesListed: cases_listed,
        VillageList.Posted: posted,
        VillageList.Withdrawn: withdrawn,
        VillageList.NoticeVoided: notice_voided,
        VillageList.ObjectionRaised: objection_raised,
        VillageList.ObjectionSettled: objection_settled,
        VillageList.Reviewed: list_reviewed,
        VillageList.Approved: list_reviewed,
        VillageList.Returned: list_returned,
        VillageList.Allocated: allocated,
        VillageList.PaymentMade: paid,
        VillageList.GoodsHandedOut: paid,
        VillageList.Closed: list_closed,
        Consignment.Requested: requested,
        Consignment.Ordered: ordered,
        Consignment.Shipped: shipped,
        Consignment.Arrived: arrived,
        Consignment.TurnedBack: arrived,
        Consignment.DamagedWrittenOff: written_off,
        Consignment.Closed: consignment_over,
        Consignment.Cancelled: consignment_over,
    },
)
