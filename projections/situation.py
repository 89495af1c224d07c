"""Situation 灾情: what was reported, what was accepted, version by version, area by area.

A report has its latest reported version (未审 until the level above has spoken) beside its latest
accepted one, each with who, when and on what basis. Official totals use figures only that the level
above has accepted, or that the seat of the store has issued 签发 (``accepted_how``): an area's own
official report counts, else the sum of its children, never both; dead and missing are never fewer
than the children's (`projections.asking.figures`). A figure nobody knows is null, which is not
zero; a sum over some unknowns is marked partial. Real and exercise reports never meet in one row or
total.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    String,
    Table,
)

from domain.base import Meta
from domain.report_filing import LIKELY_SAME, Filing, Review, is_about_parts
from domain.rules.base import china_day
from domain.situation_report import SituationReport
from projections.folding.base import LOGICAL, Row, Rows, View, as_json, text_of, when

REPORTS = Table(
    "situation_reports",
    LOGICAL,
    Column("report", String(36), primary_key=True),
    Column("area", String(36), nullable=False),
    Column("area_code", String(12), nullable=False),  # of the day of the occurrence
    Column("hazard", String, nullable=False),
    Column("sub_hazard", String, nullable=False),
    Column("occurred_at", String, nullable=False),
    Column("exercise", Boolean, nullable=False),
    Column("disaster", String(36)),
    Column("year", Integer, nullable=False),  # of the occurrence, in China
    Column("occurrence", String, nullable=False),  # what it is counted with: `counted_with`
    Column("same_until", String, nullable=False),  # the latest of what is likely the same
    Column("number", Integer, nullable=False),  # the latest reported version …
    Column("kind", String, nullable=False),
    Column("review", String, nullable=False),
    Column("as_of", String, nullable=False),
    Column("reported_at", String, nullable=False),
    Column("recorded_at", String, nullable=False),
    Column("reported_by", String(36), nullable=False),
    Column("reporter_role", String, nullable=False),
    Column("due_at", String),
    Column("late_minutes", Integer, nullable=False),
    Column("phoned", Boolean, nullable=False),
    Column("to_make_up", Boolean, nullable=False),
    Column("figures", String, nullable=False),
    Column("flags", String, nullable=False),
    Column("wants_reason", String, nullable=False),
    Column("questions", String, nullable=False),  # flags, and jumps nobody has explained
    Column("accepted_number", Integer),  # … and the latest accepted one
    Column("accepted_kind", String),
    Column("accepted_as_of", String),
    Column("accepted_how", String),  # accepted by the level above, or issued by the seat
    Column("accepted_at", String),
    Column("accepted_by", String(36)),
    Column("accepted_role", String),
    Column("accepted_figures", String),
    Column("official_figures", String),  # … with what was adjudicated in place of them
    Column("accepted_questions", String),
    Column("set_aside", String),  # own dead and missing that count although parts have more
    Column("sent_number", Integer),  # the version that was last sent upward, by hand …
    Column("sent_at", String),
    Column("receipt_no", String),
    Column("withdrawn", String),  # at, by, role, reason
    Column("adjudicated", String),  # 核定: see `adjudicated`
    Column("rosters", String),  # rows on the rosters 台账 behind the figures
    Column("stable_at", String),
    Column("verified_due_at", String),
    Index("situation_reports_by_area", "area"),
    Index("situation_reports_by_disaster", "disaster"),
    Index("situation_reports_by_occurrence", "area", "occurrence"),
)

VERSIONS = Table(
    "situation_versions",
    LOGICAL,
    Column("report", String(36), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("area", String(36), nullable=False),
    Column("kind", String, nullable=False),
    Column("review", String, nullable=False),
    Column("as_of", String, nullable=False),
    Column("reported_at", String, nullable=False),
    Column("recorded_at", String, nullable=False),
    Column("reported_by", String(36), nullable=False),
    Column("reporter_role", String, nullable=False),
    Column("reporter_area", String(36)),
    Column("due_at", String),
    Column("late_minutes", Integer, nullable=False),
    Column("figures", String, nullable=False),
    Column("split", String, nullable=False),
    Column("flags", String, nullable=False),
    Column("jumps", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("narrative", String, nullable=False),
    Column("basis", String, nullable=False),  # rulebooks with version and 文号
    Column("also_to", String, nullable=False),
    Column("phoned", Boolean, nullable=False),
    Column("after_verified", Boolean, nullable=False),
    Column("reviewed_at", String),
    Column("reviewed_by", String(36)),
    Column("reviewer_role", String),
    Column("return_reason", String),
    Column("forward_due_at", String),
    Column("upward_due_at", String),
    Column("sent_at", String),
    Column("receipt_no", String),
    Column("position", Integer, nullable=False),
    Column("clock_held", Boolean, nullable=False),
    Index("situation_versions_by_area", "area", "recorded_at"),
)
"""``clock_held``: it was stamped by a clock that was held: nothing is late by ``recorded_at``."""

# handlers


def counted_with(disaster: str | None, hazard: str, year: int) -> str:
    """Reports with the same answer are about one occurrence: of areas above each other one counts.

    It is their disaster. Of reports on none it is the hazard and the calendar year: a flood of
    this year never stands with the floods of years past.
    """
    return disaster if disaster is not None else f"{hazard}/{year}"


def _happened(occurred_at: datetime, disaster: str | None, hazard: str) -> Row:
    """The columns that say when it was, and with which other reports it is counted."""
    year = china_day(occurred_at).year
    return {
        "occurred_at": when(occurred_at),
        "hazard": hazard,
        "year": year,
        "occurrence": counted_with(disaster, hazard, year),
        "same_until": when(occurred_at + LIKELY_SAME),
    }


def _latest(filed: Filing, meta: Meta) -> Row:
    """The columns of the latest reported version."""
    return {
        "number": filed.number,
        "kind": str(filed.kind),
        "review": str(Review.PENDING),
        "as_of": when(filed.as_of),
        "reported_at": when(filed.reported_at),
        "recorded_at": when(meta.recorded_at),
        "reported_by": text_of(meta.actor),
        "reporter_role": meta.role,
        "due_at": when(filed.due_at) if filed.due_at else None,
        "late_minutes": filed.late_minutes,
        "phoned": filed.phoned,
        "figures": as_json(filed.figures),
        "flags": as_json(filed.flags),
    }


def _questions(filed: Filing) -> str:
    """What is still asked about a version. What parts say is compared anew at each question."""
    flags = [flag for flag in filed.flags if not is_about_parts(flag)]
    return as_json([*flags, *(filed.jumps if filed.wants_reason else ())])


def _version(rows: Rows, at: int, report: str, area: str, latest: Row, e: Any) -> None:
    filed: Filing = e.filed
    row = {
        "report": report,
        "area": area,
        "reporter_area": text_of(e.meta.area) if e.meta.area else None,
        "split": as_json(filed.split),
        "jumps": as_json(filed.jumps),
        "reason": filed.reason,
        "narrative": filed.narrative,
        "basis": as_json(filed.rules),
        "also_to": as_json(filed.also_to),
        "after_verified": filed.after_verified,
        "position": at,
        "clock_held": e.meta.clock_held,
    }
    rows.put(VERSIONS, {**row, **latest})


def begun(
    rows: Rows, at: int, e: SituationReport.InitialReported | SituationReport.PhonedIn
) -> None:
    report, area = text_of(e.originator_id), text_of(e.area)
    latest = _latest(e.filed, e.meta)
    rows.put(
        REPORTS,
        {
            "report": report,
            "area": area,
            "area_code": e.area_code,
            "sub_hazard": e.sub_hazard,
            **_happened(e.occurred_at, None, e.hazard),
            "exercise": e.exercise,
            "to_make_up": e.filed.phoned,
            "wants_reason": as_json(e.filed.wants_reason),
            "questions": _questions(e.filed),
            **latest,
        },
    )
    _version(rows, at, report, area, latest, e)


def filed(rows: Rows, at: int, e: Any) -> None:
    """A further version: made up, followed up, zero, verified or resubmitted."""
    report = text_of(e.originator_id)
    row = rows.need(REPORTS, report)
    latest = _latest(e.filed, e.meta)
    made_up = not isinstance(e, SituationReport.FollowedUp | SituationReport.ZeroReported)
    to_make_up = not made_up and (row["to_make_up"] or e.filed.phoned)
    asked = {"wants_reason": as_json(e.filed.wants_reason), "questions": _questions(e.filed)}
    if isinstance(e, SituationReport.ZeroReported) and row["adjudicated"]:
        decided = msgspec.json.decode(row["adjudicated"])
        if decided["through"] == row["number"]:  # nothing new is said, so that it goes on
            asked["adjudicated"] = as_json(decided | {"through": e.filed.number})
    rows.change(REPORTS, report, to_make_up=to_make_up, **asked, **latest)
    _version(rows, at, report, row["area"], latest, e)


def jump_explained(rows: Rows, at: int, e: SituationReport.JumpExplained) -> None:
    report = text_of(e.originator_id)
    row = rows.change(REPORTS, report, wants_reason="[]")
    answered = {"questions": _without_jumps(row["questions"])}
    if row["accepted_number"] == e.number:
        answered["accepted_questions"] = _without_jumps(row["accepted_questions"])
    rows.change(REPORTS, report, **answered)
    rows.change(VERSIONS, report, e.number, reason=e.reason)


def _without_jumps(questions: str) -> str:
    asked = msgspec.json.decode(questions)
    return as_json([one for one in asked if not one["rule"].startswith("jump-")])


def occurrence_corrected(rows: Rows, at: int, e: SituationReport.OccurrenceCorrected) -> None:
    report = text_of(e.originator_id)
    happened = _happened(e.occurred_at, rows.need(REPORTS, report)["disaster"], e.hazard)
    rows.change(REPORTS, report, sub_hazard=e.sub_hazard, **happened)


def accepted(rows: Rows, at: int, e: SituationReport.Accepted) -> None:
    due = when(e.forward_due_at) if e.forward_due_at else None
    _became_official(rows, e, Review.ACCEPTED, forward_due_at=due)


def issued(rows: Rows, at: int, e: SituationReport.Issued) -> None:
    """签发 by the seat: as official as what a level above has accepted."""
    due = when(e.upward_due_at) if e.upward_due_at else None
    _became_official(rows, e, Review.ISSUED, upward_due_at=due)


def _became_official(rows: Rows, e: Any, how: Review, **due: str | None) -> None:
    report = text_of(e.originator_id)
    row = rows.need(REPORTS, report)
    by, moment = text_of(e.meta.actor), when(e.meta.recorded_at)
    rows.change(
        REPORTS,
        report,
        review=str(how),
        accepted_how=str(how),
        accepted_number=e.number,
        accepted_kind=row["kind"],
        accepted_as_of=row["as_of"],
        accepted_at=moment,
        accepted_by=by,
        accepted_role=e.meta.role,
        accepted_figures=row["figures"],
        official_figures=_decided(row["figures"], row["adjudicated"], e.number),
        accepted_questions=row["questions"],
    )
    rows.change(
        VERSIONS,
        report,
        e.number,
        review=str(how),
        reviewed_at=moment,
        reviewed_by=by,
        reviewer_role=e.meta.role,
        **due,
    )


def sent_upward(rows: Rows, at: int, e: SituationReport.SentUpward) -> None:
    report = text_of(e.originator_id)
    told = {"sent_at": when(e.sent_at), "receipt_no": e.receipt_no}
    rows.change(VERSIONS, report, e.number, **told)
    if e.number >= (rows.need(REPORTS, report)["sent_number"] or 0):
        rows.change(REPORTS, report, sent_number=e.number, **told)


def returned(rows: Rows, at: int, e: SituationReport.Returned) -> None:
    report = text_of(e.originator_id)
    rows.change(REPORTS, report, review=str(Review.RETURNED))
    rows.change(
        VERSIONS,
        report,
        e.number,
        review=str(Review.RETURNED),
        reviewed_at=when(e.meta.recorded_at),
        reviewed_by=text_of(e.meta.actor),
        reviewer_role=e.meta.role,
        return_reason=e.reason,
    )


def adjudicated(rows: Rows, at: int, e: SituationReport.Adjudicated) -> None:
    """``through``: the version up to which it counts. ``earlier``: what was decided before of the
    same version; its figures are among ``figures``, unless they were decided again."""
    report = text_of(e.originator_id)
    row = rows.need(REPORTS, report)
    before = msgspec.json.decode(row["adjudicated"]) if row["adjudicated"] else None
    if before is not None and before["through"] != e.number:
        before = None
    decision = {
        "number": e.number,
        "document_no": e.document_no,
        "reason": e.reason,
        "at": when(e.meta.recorded_at),
        "by": text_of(e.meta.actor),
    }
    told = {key: before[key] for key in decision} if before is not None else None
    found = decision | {
        "through": e.number,
        "figures": (before["figures"] if before is not None else {}) | e.figures,
        "earlier": [] if before is None else [*before["earlier"], told],
    }
    text = as_json(found)
    changes = {"adjudicated": text}
    if row["accepted_figures"] is not None:
        changes["official_figures"] = _decided(row["accepted_figures"], text, e.number)
    rows.change(REPORTS, report, **changes)


def _decided(figures: str, adjudicated: str | None, number: int) -> str:
    """The figures of that version, with what was adjudicated in place of them while it counts."""
    found = msgspec.json.decode(adjudicated) if adjudicated else None
    if found is None or found["through"] < number:
        return figures
    return as_json(msgspec.json.decode(figures) | found["figures"])


def parts_set_aside(rows: Rows, at: int, e: SituationReport.PartsSetAside) -> None:
    report = text_of(e.originator_id)
    known = rows.need(REPORTS, report)["set_aside"]
    about = {
        "number": e.number,
        "document_no": e.document_no,
        "reason": e.reason,
        "at": when(e.meta.recorded_at),
        "by": text_of(e.meta.actor),
        "role": e.meta.role,
    }
    decided = msgspec.to_builtins(e.decided, enc_hook=str)
    found = {key: one | about for key, one in decided.items()}
    both = (msgspec.json.decode(known) if known else {}) | found
    rows.change(REPORTS, report, set_aside=as_json(both))


def withdrawn(rows: Rows, at: int, e: SituationReport.Withdrawn) -> None:
    """The whole report is void: no board counts it any more, its versions stay to be read."""
    about = {
        "at": when(e.meta.recorded_at),
        "by": text_of(e.meta.actor),
        "role": e.meta.role,
        "reason": e.reason,
    }
    rows.change(
        REPORTS,
        text_of(e.originator_id),
        review=str(Review.WITHDRAWN),
        withdrawn=as_json(about),
        to_make_up=False,
        wants_reason="[]",
        questions="[]",
    )


def duty_started(rows: Rows, at: int, e: SituationReport.FollowUpDutyStarted) -> None:
    rows.change(REPORTS, text_of(e.originator_id), stable_at=None, verified_due_at=None)


def duty_ended(rows: Rows, at: int, e: SituationReport.FollowUpDutyEnded) -> None:
    due = when(e.verified_due_at) if e.verified_due_at else None
    rows.change(REPORTS, text_of(e.originator_id), stable_at=when(e.stable_at), verified_due_at=due)


def attached(rows: Rows, at: int, e: SituationReport.Attached) -> None:
    _belongs(rows, e, e.disaster)


def detached(rows: Rows, at: int, e: SituationReport.Detached) -> None:
    _belongs(rows, e, None)


def _belongs(rows: Rows, e: Any, disaster: UUID | None) -> None:
    report, belongs = text_of(e.originator_id), text_of(disaster) if disaster else None
    row = rows.need(REPORTS, report)
    occurrence = counted_with(belongs, row["hazard"], row["year"])
    rows.change(REPORTS, report, disaster=belongs, occurrence=occurrence)


def roster_counted(rows: Rows, at: int, e: SituationReport.RosterCounted) -> None:
    rows.change(REPORTS, text_of(e.originator_id), rosters=as_json(e.rows))


VIEW = View(
    name="situation",
    version=7,
    tables=(REPORTS, VERSIONS),
    routes={
        SituationReport.InitialReported: begun,
        SituationReport.PhonedIn: begun,
        SituationReport.MadeUp: filed,
        SituationReport.FollowedUp: filed,
        SituationReport.ZeroReported: filed,
        SituationReport.Verified: filed,
        SituationReport.Resubmitted: filed,
        SituationReport.JumpExplained: jump_explained,
        SituationReport.OccurrenceCorrected: occurrence_corrected,
        SituationReport.Accepted: accepted,
        SituationReport.Issued: issued,
        SituationReport.SentUpward: sent_upward,
        SituationReport.Returned: returned,
        SituationReport.Adjudicated: adjudicated,
        SituationReport.PartsSetAside: parts_set_aside,
        SituationReport.Withdrawn: withdrawn,
        SituationReport.FollowUpDutyStarted: duty_started,
        SituationReport.FollowUpDutyEnded: duty_ended,
        SituationReport.Attached: attached,
        SituationReport.Detached: detached,
        SituationReport.RosterCounted: roster_counted,
    },
)
