"""Deadlines: what is due, what is overdue, what came late, at a time that is always given.

What falls due once is a row with its ``due_at`` from the fact. The duty to follow up is stored as
rule, start and end; what it asked for up to the time of the question is enumerated by the query,
so that a daily report which nobody sent is seen although it left no fact (`deadlines_at`).
"""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Boolean, Column, Index, Integer, String, Table

from domain.consignment import Consignment
from domain.notice import Notice
from domain.report_filing import Filing, Kind
from domain.rules.base import china_moment
from domain.rules.deadlines import next_occurrence
from domain.season import Season
from domain.situation_report import SituationReport
from domain.village_list import VillageList
from projections.folding.base import LOGICAL, Row, Rows, View, as_json, text_of, when
from projections.sections.duties import marks_of, rule_of

DUE = Table(
    "deadlines",
    LOGICAL,
    Column("kind", String, primary_key=True),
    Column("subject", String(36), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("area", String(36), nullable=False),
    Column("due_at", String, nullable=False),
    Column("since", String, nullable=False),
    Column("done_at", String),
    Column("exercise", Boolean, nullable=False),
    Column("detail", String, nullable=False),
    Column("waits", Boolean, nullable=False),
    Column("counts", Boolean, nullable=False),
    Index("deadlines_by_area", "area", "waits", "kind"),
    Index("deadlines_by_day", "exercise", "waits", "due_at", "kind", "subject", "number"),
    Index("deadlines_by_done", "done_at"),
)
"""``waits``: for a fact that says it is done. A report to be passed on is answered by another.
``late`` in the detail: by how many minutes, where the fact that says it is done says that too; 0
where a clock that was held has stamped it. ``counts``: False where the due time itself was counted
from such a stamp: nobody is late by it (`domain.lateness`)."""

DUTIES = Table(
    "deadline_duties",
    LOGICAL,
    Column("report", String(36), primary_key=True),
    Column("start", String, primary_key=True),
    Column("area", String(36), nullable=False),
    Column("exercise", Boolean, nullable=False),
    Column("duty_level", String, nullable=False),
    Column("unconfirmed", Boolean, nullable=False),  # the deadlines that it goes by
    Column("due", String, nullable=False),  # wall time in China
    Column("every_days", Integer, nullable=False),
    Column("end", String),
    Column("first_due", String, nullable=False),
    Column("owed_from", String, nullable=False),
    Column("answered", Integer, nullable=False),
    Column("answered_at", String),
    Index("deadline_duties_by_area", "area"),
    Index("deadline_duties_by_day", "exercise", "owed_from", "report", "start"),
    Index("deadline_duties_by_answer", "answered_at"),
)
"""``answered``: the first so many reports are there, each filed in its turn, the last of them at
``answered_at``; ``owed_from``: when the next is due, `NEVER` if none was when the duty ended."""

ANSWERS = Table(
    "deadline_answers",
    LOGICAL,
    Column("report", String(36), primary_key=True),
    Column("start", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("reported_at", String, nullable=False),
    Column("late", Integer),
)

SUBJECTS = Table(
    "deadline_subjects",
    LOGICAL,
    Column("id", String(36), primary_key=True),
    Column("area", String(36), nullable=False),
    Column("exercise", Boolean, nullable=False),
    Column("duty_start", String),
)

NUMBER = {Notice.FIRST: 1, Notice.SECOND: 2}
FORWARD = "forward_report"
UPWARD = "send_upward"
NEVER = "never"
"""After all days."""


# handlers


def _begin(rows: Rows, e: Any, area: UUID) -> Row:
    row = {"id": text_of(e.originator_id), "area": text_of(area), "exercise": e.exercise}
    return rows.put(SUBJECTS, row)


def _due(rows: Rows, e: Any, kind: str, due_at: datetime, number: int = 0, **more: Any) -> None:
    """A row for what falls due. ``more``: done_at and late, or plain values for the detail."""
    subject = rows.need(SUBJECTS, text_of(e.originator_id))
    done_at = more.pop("done_at", None)
    rows.put(
        DUE,
        {
            "counts": not (kind == FORWARD and e.meta.clock_held),
            "kind": kind,
            "subject": subject["id"],
            "number": number,
            "area": subject["area"],
            "due_at": when(due_at),
            "since": when(e.meta.recorded_at),
            "done_at": when(done_at) if done_at else None,
            "exercise": subject["exercise"],
            "detail": as_json(more | marks_of(e)),
            "waits": done_at is None and kind != FORWARD,
        },
    )


def _done(
    rows: Rows,
    e: Any,
    kind: str,
    done_at: datetime | None,
    number: int = 0,
    late: int | None = None,
) -> None:
    """Mark it done at that time (None: not done any more), if it ever fell due.

    ``late``: as the command decided it; None: as the two times say, if the clock was not held.
    """
    key = (kind, text_of(e.originator_id), number)
    row = rows.get(DUE, *key)
    if row is not None and (done_at is None or row["done_at"] is None):
        told = when(done_at) if done_at else None
        if late is None and e.meta.clock_held:
            late = 0
        detail = as_json(msgspec.json.decode(row["detail"]) | {"late": late})
        rows.change(DUE, *key, done_at=told, waits=done_at is None, detail=detail)


def _late(filed: Filing) -> int | None:
    """By how many minutes a report was late, as the command decided it: the times alone do not tell
    whether the machine's clock was held, and then nobody is late by it (decision 0022)."""
    return None if filed.due_at is None else filed.late_minutes


def _drop(rows: Rows, e: Any, kind: str, number: int = 0) -> None:
    key = (kind, text_of(e.originator_id), number)
    if rows.get(DUE, *key) is not None:
        rows.delete(DUE, *key)


def _day_end(day: date) -> datetime:
    return china_moment(day + timedelta(days=1))


def begun(
    rows: Rows, at: int, e: SituationReport.InitialReported | SituationReport.PhonedIn
) -> None:
    _begin(rows, e, e.area)
    if e.filed.due_at is not None:
        done_at, late = e.filed.reported_at, _late(e.filed)
        _due(rows, e, "initial_report", e.filed.due_at, done_at=done_at, late=late)


def filed(rows: Rows, at: int, e: Any) -> None:
    """A further version answers the duty, or is the 核报."""
    if e.filed.kind == Kind.VERIFIED:
        _done(rows, e, "verified_report", e.filed.reported_at, late=_late(e.filed))
    if e.filed.duty_number is None:
        return
    report = text_of(e.originator_id)
    start = rows.need(SUBJECTS, report)["duty_start"]
    if start is not None and rows.get(ANSWERS, report, start, e.filed.duty_number) is None:
        _answered(rows, report, start, e.filed)
        rows.put(
            ANSWERS,
            {
                "report": report,
                "start": start,
                "number": e.filed.duty_number,
                "version": e.filed.number,
                "reported_at": when(e.filed.reported_at),
                "late": _late(e.filed),
            },
        )


def _answered(rows: Rows, report: str, start: str, filed: Filing) -> None:
    """The report that the duty has waited for longest is there: it waits for the next."""
    duty = rows.need(DUTIES, report, start)
    if filed.duty_number == duty["answered"] + 1:
        rows.change(
            DUTIES,
            report,
            start,
            owed_from=_due_after(duty, datetime.fromisoformat(duty["owed_from"])),
            answered=filed.duty_number,
            answered_at=max(duty["answered_at"] or "", when(filed.reported_at)),
        )


def _due_after(duty: Row, at: datetime) -> str:
    """When the duty next asks for a report, whenever it ends."""
    found = next_occurrence(rule_of(duty | {"end": None}), at)
    assert found is not None, "a duty without an end always asks for one more"
    return when(found.due_at)


def accepted(rows: Rows, at: int, e: SituationReport.Accepted) -> None:
    if e.forward_due_at is not None:
        _due(rows, e, FORWARD, e.forward_due_at, e.number, report_kind=str(e.kind))


def issued(rows: Rows, at: int, e: SituationReport.Issued) -> None:
    """To report is to tell the level above, which does not look in here: signing is not enough."""
    if e.upward_due_at is not None:
        _due(rows, e, UPWARD, e.upward_due_at, e.number, report_kind=str(e.kind))


def sent_upward(rows: Rows, at: int, e: SituationReport.SentUpward) -> None:
    """It tells all that earlier versions told. Said again it corrects when it was."""
    _done(rows, e, UPWARD, None, e.number)
    for number in range(1, e.number + 1):
        _done(rows, e, UPWARD, e.sent_at, number)


def returned(rows: Rows, at: int, e: SituationReport.Returned) -> None:
    """A returned 核报 is still owed."""
    if e.kind == Kind.VERIFIED:
        _done(rows, e, "verified_report", None)


def duty_started(rows: Rows, at: int, e: SituationReport.FollowUpDutyStarted) -> None:
    """It is asked for if the rulebook makes this level owe it."""
    _drop(rows, e, "verified_report")
    if not e.owed:
        return
    report, start = text_of(e.originator_id), when(e.duty.start)
    subject = rows.change(SUBJECTS, report, duty_start=start)
    duty = {
        "report": report,
        "start": start,
        "area": subject["area"],
        "exercise": subject["exercise"],
        "duty_level": e.duty.level,
        "due": e.duty.due.isoformat(),
        "every_days": e.duty.every_days,
        "unconfirmed": e.rule.unconfirmed,
        "end": when(e.duty.end) if e.duty.end else None,
    }
    due = _due_after(duty, e.duty.start)
    rows.put(DUTIES, {**duty, "first_due": due, "owed_from": due, "answered": 0})


def duty_ended(rows: Rows, at: int, e: SituationReport.FollowUpDutyEnded) -> None:
    report = text_of(e.originator_id)
    start = rows.need(SUBJECTS, report)["duty_start"]
    if start is not None:
        duty = rows.change(DUTIES, report, start, end=when(e.stable_at))
        if duty["owed_from"] > duty["end"]:
            rows.change(DUTIES, report, start, owed_from=NEVER)
        rows.change(SUBJECTS, report, duty_start=None)
    if e.verified_due_at is not None:
        _due(rows, e, "verified_report", e.verified_due_at)


def duties_passed_on(rows: Rows, at: int, e: SituationReport.DutiesPassedOn) -> None:
    """Its village was merged: daily reports and the 核报 are asked of the successor."""
    report, to = text_of(e.originator_id), text_of(e.to)
    start = rows.change(SUBJECTS, report, area=to)["duty_start"]
    if start is not None:
        rows.change(DUTIES, report, start, area=to)
    if rows.get(DUE, "verified_report", report, 0) is not None:
        rows.change(DUE, "verified_report", report, 0, area=to)


def report_withdrawn(rows: Rows, at: int, e: SituationReport.Withdrawn) -> None:
    """Nothing is asked of a void report, and nothing was."""
    report = text_of(e.originator_id)
    _drop(rows, e, "initial_report")
    _drop(rows, e, "verified_report")
    for number in range(1, e.number + 1):
        _drop(rows, e, FORWARD, number)
        _drop(rows, e, UPWARD, number)
    start = rows.need(SUBJECTS, report)["duty_start"]
    if start is not None:
        rows.delete(DUTIES, report, start)
        rows.change(SUBJECTS, report, duty_start=None)


def season_opened(rows: Rows, at: int, e: Season.Opened) -> None:
    _begin(rows, e, e.area)
    if e.assess_by is not None:
        _due(rows, e, "season_assessment", _day_end(e.assess_by), programme=e.programme)
    if e.deliver_by is not None:
        _due(rows, e, "season_delivery", _day_end(e.deliver_by), programme=e.programme)


def standard_changed(rows: Rows, at: int, e: Season.StandardChanged) -> None:
    _drop(rows, e, "season_delivery")
    if e.deliver_by is not None:
        _due(rows, e, "season_delivery", _day_end(e.deliver_by), programme=e.terms.key)


def season_closed(rows: Rows, at: int, e: Season.Closed) -> None:
    for kind in ("season_assessment", "season_delivery"):
        _done(rows, e, kind, e.meta.recorded_at)


def list_opened(rows: Rows, at: int, e: VillageList.Opened) -> None:
    _begin(rows, e, e.village)


def posted(rows: Rows, at: int, e: VillageList.Posted) -> None:
    number, households = NUMBER[e.notice], e.households
    _due(rows, e, "notice_end", e.ends_at, number, notice=str(e.notice), households=households)


def withdrawn(rows: Rows, at: int, e: VillageList.Withdrawn) -> None:
    number = NUMBER[e.notice]
    if e.early:
        _drop(rows, e, "notice_end", number)
    else:
        _done(rows, e, "notice_end", e.meta.recorded_at, number)


def notices_voided(rows: Rows, at: int, e: Any) -> None:
    """What was shown has changed: both notices must be posted again."""
    for number in NUMBER.values():
        _drop(rows, e, "notice_end", number)


def second_voided(rows: Rows, at: int, e: VillageList.NoticeVoided) -> None:
    _drop(rows, e, "notice_end", NUMBER[Notice.SECOND])


def objection_settled(rows: Rows, at: int, e: VillageList.ObjectionSettled) -> None:
    if e.added is not None:
        notices_voided(rows, at, e)


def list_reviewed(rows: Rows, at: int, e: VillageList.Reviewed | VillageList.Approved) -> None:
    _done(rows, e, "notice_end", e.meta.recorded_at, NUMBER[Notice.FIRST])


def allocated(rows: Rows, at: int, e: VillageList.Allocated) -> None:
    _drop(rows, e, "notice_end", NUMBER[Notice.SECOND])
    _drop(rows, e, "list_delivery")
    if e.deliver_by is not None:
        _due(rows, e, "list_delivery", _day_end(e.deliver_by), document_no=e.document_no)


def paid(rows: Rows, at: int, e: VillageList.PaymentMade | VillageList.GoodsHandedOut) -> None:
    _done(rows, e, "notice_end", e.meta.recorded_at, NUMBER[Notice.SECOND])


def list_closed(rows: Rows, at: int, e: VillageList.Closed) -> None:
    _done(rows, e, "list_delivery", e.meta.recorded_at)
    for number in NUMBER.values():
        _done(rows, e, "notice_end", e.meta.recorded_at, number)


def requested(rows: Rows, at: int, e: Consignment.Requested) -> None:
    _begin(rows, e, e.destination)
    if e.needed_by is not None:
        _due(rows, e, "goods_needed", _day_end(e.needed_by))


def shipped(rows: Rows, at: int, e: Consignment.Shipped) -> None:
    if e.eta is not None:
        _due(rows, e, "goods_arrival", e.eta, vehicle=e.vehicle)


def arrived(rows: Rows, at: int, e: Consignment.Arrived) -> None:
    _done(rows, e, "goods_needed", e.arrived_at)
    _done(rows, e, "goods_arrival", e.arrived_at)


def turned_back(rows: Rows, at: int, e: Consignment.TurnedBack) -> None:
    """The load did not come: it is still needed, and no longer expected."""
    _drop(rows, e, "goods_arrival")


def cancelled(rows: Rows, at: int, e: Consignment.Cancelled) -> None:
    _drop(rows, e, "goods_needed")


def consignment_closed(rows: Rows, at: int, e: Consignment.Closed) -> None:
    """A load that was turned back is over: it is not waited for any more."""
    row = rows.get(DUE, "goods_needed", text_of(e.originator_id), 0)
    if row is not None and row["done_at"] is None:
        _drop(rows, e, "goods_needed")


VIEW = View(
    name="deadlines",
    version=8,
    tables=(DUE, DUTIES, ANSWERS, SUBJECTS),
    routes={
        SituationReport.InitialReported: begun,
        SituationReport.PhonedIn: begun,
        SituationReport.MadeUp: filed,
        SituationReport.FollowedUp: filed,
        SituationReport.ZeroReported: filed,
        SituationReport.Verified: filed,
        SituationReport.Resubmitted: filed,
        SituationReport.Accepted: accepted,
        SituationReport.Issued: issued,
        SituationReport.SentUpward: sent_upward,
        SituationReport.Returned: returned,
        SituationReport.Withdrawn: report_withdrawn,
        SituationReport.FollowUpDutyStarted: duty_started,
        SituationReport.FollowUpDutyEnded: duty_ended,
        SituationReport.DutiesPassedOn: duties_passed_on,
        Season.Opened: season_opened,
        Season.StandardChanged: standard_changed,
        Season.Closed: season_closed,
        VillageList.Opened: list_opened,
        VillageList.Posted: posted,
        VillageList.Withdrawn: withdrawn,
        VillageList.CasesListed: notices_voided,
        VillageList.Returned: notices_voided,
        VillageList.NoticeVoided: second_voided,
        VillageList.ObjectionSettled: objection_settled,
        VillageList.Reviewed: list_reviewed,
        VillageList.Approved: list_reviewed,
        VillageList.Allocated: allocated,
        VillageList.PaymentMade: paid,
        VillageList.GoodsHandedOut: paid,
        VillageList.Closed: list_closed,
        Consignment.Requested: requested,
        Consignment.Shipped: shipped,
        Consignment.Arrived: arrived,
        Consignment.TurnedBack: turned_back,
        Consignment.Closed: consignment_closed,
        Consignment.Cancelled: cancelled,
    },
)
