"""What other rules would have decided of facts that are there: pure, by the rules' own functions.

A fact keeps what was decided, by the rules of its day. Here the same is asked of another rulebook,
and told where the answer differs. Nothing is decided: no fact comes of it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from domain.base import Event
from domain.incident import Incident
from domain.lateness import whole_minutes
from domain.plurals import counted
from domain.report_filing import Filing, Kind, is_about_parts, sentences
from domain.rules.base import CHINA
from domain.rules.deadlines import Deadlines, FollowUpDuty
from domain.rules.dispatch import Dispatch
from domain.rules.hazards import Hazards
from domain.rules.indicators import Given, Indicators
from domain.rules.thresholds import Reached, Thresholds
from domain.rules.working_days import WorkingDays
from domain.situation_report import SituationReport

Said = tuple[str, str]
"""Chinese and English."""

OF_DAYS_AND_PLACES = frozenset({"rules-nearest", "long-ago", "area-abolished"})
"""Questions about a version that its figures have no part in."""

NONE: Said = ("无", "none")
STAGES: dict[str, Said] = {
    Kind.INITIAL: ("初报", "initial report"),
    Kind.FOLLOW_UP: ("续报", "follow-up"),
    Kind.ZERO: ("零报告", "zero report"),
    Kind.VERIFIED: ("核报", "verified report"),
}


class Difference(msgspec.Struct, frozen=True):
    """One decision that would differ: of what, what was decided, what would be, and when it was."""

    what: Said
    before: Said
    after: Said
    at: datetime


class Circumstances(NamedTuple):
    """What a report's rules are asked with: levels of its area and of the one above, the deadlines
    that were in force, and the calendar."""

    level: str
    above: str
    deadlines: Deadlines
    calendar: WorkingDays
    must_split: bool


def report_differences(
    facts: Iterable[Event],
    rule: Indicators | Deadlines | WorkingDays | Hazards,
    given: Circumstances,
) -> Iterator[Difference]:
    """Of one report, fact by fact, as it stood when each was decided."""
    report: SituationReport | None = None
    for fact in facts:
        if isinstance(rule, Indicators):
            yield from _of_figures(report, fact, rule, given)
        elif isinstance(rule, Hazards):
            yield from _of_hazard(fact, rule)
        else:
            yield from _of_deadlines(report, fact, rule, given)
        report = fact.mutate(report)


def _of_figures(
    report: SituationReport | None, fact: Any, rule: Indicators, given: Circumstances
) -> Iterator[Difference]:
    filed: Filing | None = getattr(fact, "filed", None)
    if filed is None or filed.kind is Kind.ZERO:
        return
    previous = report.baseline.figures if report is not None and report.baseline else None
    verifying = filed.kind is Kind.VERIFIED
    flags = rule.check(
        filed.figures,
        previous=None if verifying else previous,
        children=tuple(filed.split.values()) if filed.split or given.must_split else None,
        verifying=verifying,
    )
    if previous is not None:
        flags += rule.big_jumps(previous, filed.figures)
    then = [one for one in filed.flags if not is_about_parts(one)]
    then = [one for one in then if one.rule not in OF_DAYS_AND_PLACES] + list(filed.jumps)
    old = {(one.rule, one.severity): one for one in then}
    new = {(one.rule, one.severity): one for one in flags}
    gone = tuple(one for key, one in old.items() if key not in new)
    come = tuple(one for key, one in new.items() if key not in old)
    unknown = [key for key in filed.figures if rule.find(key) is None]
    after = sentences(come) if come else NONE
    if unknown:
        more = (
            f"{len(unknown)} 个指标不在目录中",
            f"{counted(len(unknown), 'figure is|figures are')} not in the list",
        )
        after = more if after == NONE else (f"{after[0]}；{more[0]}", f"{after[1]} {more[1]}")
    if gone or come or unknown:
        before = sentences(gone) if gone else NONE
        yield Difference(_version(filed), before, after, filed.reported_at)


def _version(filed: Filing) -> Said:
    zh, en = STAGES[filed.kind]
    return f"{zh}第 {filed.number} 版：提示的问题", f"{en}, version {filed.number}: questions asked"


def _of_hazard(fact: Any, rule: Hazards) -> Iterator[Difference]:
    hazard = getattr(fact, "hazard", None)
    if hazard is None or rule.knows(hazard, fact.sub_hazard):
        return
    what = ("填报的灾种", "the hazard it is reported as")
    after = ("不在灾种目录中，不能填报", "not in the list: it would be refused")
    yield Difference(what, ("在目录中", "in the list"), after, fact.meta.recorded_at)


def _of_deadlines(
    report: SituationReport | None, fact: Any, rule: Deadlines | WorkingDays, given: Circumstances
) -> Iterator[Difference]:
    at = fact.meta.recorded_at
    deadlines = rule if isinstance(rule, Deadlines) else given.deadlines
    calendar = rule if isinstance(rule, WorkingDays) else given.calendar
    if isinstance(fact, SituationReport.FollowUpDutyEnded):
        due = deadlines.due_verified(given.level, fact.stable_at, calendar)
        yield from moved(("核报时限", "the verified report is due"), fact.verified_due_at, due, at)
    if isinstance(rule, WorkingDays):
        return
    filed: Filing | None = getattr(fact, "filed", None)
    if filed is not None:
        yield from _of_filing(report, fact, filed, rule, given)
    elif isinstance(fact, SituationReport.FollowUpDutyStarted):
        duty = rule.follow_up_duty(given.level, fact.duty.start, fact.duty.every_days > 1)
        old = _duty(fact.duty, owed=fact.owed)
        new = _duty(duty, owed=rule.owes_follow_ups(given.level))
        if old != new:
            yield Difference(("续报时限", "follow-ups are due"), old, new, at)
    elif isinstance(fact, SituationReport.Accepted) and fact.forward_due_at and report is not None:
        due = rule.due_initial(given.above, report.occurred_at, at)
        what = ("上一级转报时限", "the level above passes it on by")
        yield from moved(what, fact.forward_due_at, due, at)


def _of_filing(
    report: SituationReport | None, fact: Any, filed: Filing, rule: Deadlines, given: Circumstances
) -> Iterator[Difference]:
    occurred_at = report.occurred_at if report is not None else fact.occurred_at
    if filed.kind is Kind.INITIAL and filed.due_at is not None:
        received = _received(given, occurred_at, filed.due_at)
        due = rule.due_initial(given.level, occurred_at, received)
        zh, en = STAGES[filed.kind]
        what = (f"{zh}时限", f"the {en} is due")
        yield from moved(what, filed.due_at, due, filed.reported_at, filed.reported_at)
    also = rule.recipients(given.level, filed.figures)
    if also != filed.also_to:
        what = (f"第 {filed.number} 版须同时上报", f"version {filed.number} is also told to")
        yield Difference(what, _levels(filed.also_to), _levels(also), filed.reported_at)


def _received(given: Circumstances, occurred_at: datetime, due_at: datetime) -> datetime | None:
    """When the report of the level below came in, as the recorded due time has it."""
    minutes = given.deadlines.due_initial(given.level, occurred_at) - occurred_at
    return due_at - minutes if due_at - minutes > occurred_at else None


def _levels(levels: tuple[str, ...]) -> Said:
    names = {"nation": "国家", "province": "省", "city": "市", "county": "县"}
    if not levels:
        return NONE
    return "、".join(names.get(one, one) for one in levels), ", ".join(levels)


def _duty(duty: FollowUpDuty, *, owed: bool) -> Said:
    if not owed:
        return "不要求", "not asked for"
    at = f"{duty.due:%H:%M}"
    if duty.every_days == 1:
        return f"每日 {at}", f"daily at {at}"
    return f"每 {duty.every_days} 天 {at}", f"every {counted(duty.every_days, 'day|days')} at {at}"


def said_at(moment: datetime | None) -> Said:
    """A moment in China time."""
    if moment is None:
        return "无时限", "no limit"
    text = f"{moment.astimezone(CHINA):%Y-%m-%d %H:%M}"
    return text, text


def moved(
    what: Said,
    old: datetime | None,
    new: datetime | None,
    at: datetime,
    done_at: datetime | None = None,
) -> Iterator[Difference]:
    """A due time that would lie elsewhere, and how late what was done would be."""
    if old != new:
        yield Difference(what, _due(old, done_at), _due(new, done_at), at)


def _due(due: datetime | None, done_at: datetime | None) -> Said:
    zh, en = said_at(due)
    late = whole_minutes(done_at - due) if due and done_at and done_at > due else 0
    return (f"{zh}，迟 {late} 分钟", f"{en}, {late} min late") if late else (zh, en)


def incident_differences(facts: Iterable[Event], rule: Dispatch) -> Iterator[Difference]:
    """Of one incident: until when a unit had to acknowledge, each time the clock was started."""
    incident: Incident | None = None
    limits: dict[datetime, datetime | None] = {}
    priorities: dict[datetime, int] = {}
    for fact in facts:
        known = incident.priority if incident is not None else None
        incident = fact.mutate(incident)
        at = fact.meta.recorded_at
        if isinstance(fact, Incident.AcknowledgementDue):
            limits[at] = fact.due_at
        elif incident.waits and known != incident.priority:
            limits.setdefault(at, None)
        priorities[at] = incident.priority
    for at, due_at in limits.items():
        what = ("接令时限", "a unit acknowledges by")
        yield from moved(what, due_at, rule.acknowledge_by(priorities[at], at), at)


Measured = Mapping[Said, Given]
"""Figures of one area, each under what they are called, as `Thresholds.reached_by` takes them."""


def gravest(rule: Thresholds | None, figures: Measured) -> int | None:
    found = rule.reached_by(figures) if rule is not None else ()
    return found[0].level if found else None


def level_said(rule: Thresholds | None, figures: Measured) -> Said:
    """The gravest level that the figures reach, and by which condition."""
    if rule is None:
        return "没有响应条件", "no conditions"
    return grounds_said(rule.reached_by(figures))


def grounds_said(found: Sequence[Reached]) -> Said:
    if not found:
        return "未达到任何级别", "no level reached"
    return found[0].zh, found[0].en
