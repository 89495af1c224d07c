"""From what an officer sends to a `Filing`: parsed, checked against the rulebooks, never refused
for what it says. Only values that cannot be figures or times are malformed (422), all at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.area import Area
from domain.commands.checked import Checked
from domain.commands.parts import against_parts
from domain.lateness import whole_minutes
from domain.officer import Officer
from domain.plurals import counted
from domain.reach import in_reach, seen
from domain.reasons import says_something
from domain.refusal import Malformed
from domain.report_filing import Filing, Kind, is_about_parts
from domain.rules.base import china_day
from domain.rules.deadlines import Deadlines, FollowUpDuty, occurrences
from domain.rules.figures import (
    SPLIT,
    FigureProblem,
    FiguresMalformed,
    figures_malformed,
    parse_figures,
)
from domain.rules.hazards import Hazards
from domain.rules.indicators import Figures, Finding, Indicators
from domain.rules.working_days import WorkingDays
from domain.situation_report import SituationReport
from domain.world import About, InForce, RuleRef, World

RawFigures = dict[str, int | float | str | None]
"""Figures as forms and programs send them: null or "" is not known yet, which is not zero."""

LONG_AGO_DAYS = 31
"""A 初报 of something longer ago is asked about: mostly the year or the month is wrong."""

CLOCK_SKEW = timedelta(minutes=5)
"""How far a phone's clock may be ahead of the server's before its time is called wrong."""

REPORT = About("situation-reports", SituationReport, "report")

MUST_SPLIT = frozenset({"county"})
"""A county's total carries the figures of its townships (domain.md §1.6)."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What every version says, as it arrives in a command.

    ``split`` maps the id of an area directly below to its figures. ``reason`` explains big jumps,
    or why an accepted 核报 is corrected; words that explain nothing ("x") stop no report: they are
    kept with the narrative, and the reason is still owed.
    """

    idle_reason_refused: ClassVar[bool] = False
    report: UUID
    as_of: datetime
    figures: RawFigures
    split: dict[str, RawFigures] = field(default_factory=dict)
    reason: str = ""
    narrative: str = ""


class OnReport(Checked):
    """What every step of a report shares: nothing is done to one that was withdrawn.

    A step says in `check` what its report and the actor must be like.
    """

    __slots__ = ()
    about: ClassVar[About] = REPORT

    @classmethod
    def check(cls, world: World, report: SituationReport) -> None:
        report.must_stand()

    @classmethod
    def path_fields(cls, subject: SituationReport) -> dict[str, object]:
        return {"version": subject.current.number}


@dataclass(frozen=True, kw_only=True)
class Call:
    """A telephone call: when it came, and which officer rang (None: somebody else)."""

    called_at: datetime
    caller: UUID | None = None


@dataclass(frozen=True, slots=True)
class Occasion:
    """Where and why a version is filed: what the rulebooks are asked for."""

    area: Area
    occurred_at: datetime
    kind: Kind
    before: SituationReport | None = None
    received_at: datetime | None = None
    call: Call | None = None
    asked: bool = True
    used: tuple[RuleRef, ...] = ()
    disaster: UUID | None = None

    @property
    def told_in(self) -> UUID | None:
        """The disaster through which the parts of the area are known."""
        return self.before.disaster if self.before is not None else self.disaster


def check_moment(
    name: str, moment: datetime, world: World, occurred_at: datetime | None = None
) -> datetime:
    """The moment in UTC. `Malformed` if it has no zone, is to come, or is before it happened."""
    if moment.tzinfo is None:
        zh, en = "必须带时区", "it needs a time zone"
    elif moment > world.now + CLOCK_SKEW:
        zh, en = "不能晚于现在", "it lies in the future"
    elif occurred_at is not None and moment < occurred_at:
        zh = f"不能早于发生时间 {occurred_at}"
        en = f"it lies before the time of occurrence, {occurred_at}"
    else:
        return moment.astimezone(UTC)
    raise Malformed(field=name, value=str(moment), rule_zh=zh, rule_en=en)


def check_hazard(
    world: World, area: UUID, at: datetime, hazard: str, sub_hazard: str
) -> InForce[Hazards]:
    """`Malformed` unless the kind 灾种 (and sub-kind 亚灾种, if given) is in the list in force."""
    hazards = world.rules(Hazards, area, at)
    if not hazards.rule.knows(hazard, ""):
        raise Malformed(
            field="hazard",
            value=hazard,
            rule_zh="不在灾种目录中",
            rule_en="it is not in the list of hazard kinds",
        )
    if not hazards.rule.knows(hazard, sub_hazard):
        raise Malformed(
            field="sub_hazard",
            value=sub_hazard,
            rule_zh="不是所选灾种的亚灾种",
            rule_en="it is no sub-kind of that kind of hazard",
        )
    return hazards


def compose(world: World, occasion: Occasion, told: Told) -> Filing:
    """The version that these words make. Raises only for what cannot be read."""
    area, before = occasion.area, occasion.before
    call = occasion.call
    as_of = check_moment("as_of", told.as_of, world, occasion.occurred_at)
    indicators = world.rules(Indicators, area.id, occasion.occurred_at)
    figures, split = read(world, indicators.rule, area, told.figures, told.split)
    previous = before.baseline.figures if before and before.baseline else None
    verifying = occasion.kind is Kind.VERIFIED
    flags = indicators.rule.check(
        figures,
        previous=None if verifying else previous,
        children=tuple(split.values()) if split or area.level in MUST_SPLIT else None,
        verifying=verifying,
    )
    flags += asked_about(world, occasion, nearest=indicators.nearest)
    deadlines = world.rules(Deadlines, area.id, occasion.occurred_at)
    reported_at = world.now if call is None else check_moment("called_at", call.called_at, world)
    due_at, duty_number = _due(occasion, deadlines.rule, as_of)
    reason, narrative = _words(told)
    filed = Filing(
        number=before.current.number + 1 if before else 1,
        kind=occasion.kind,
        as_of=as_of,
        reported_at=reported_at,
        figures=figures,
        schema_version=indicators.rule.schema_version,
        rules=(indicators.ref, deadlines.ref, *occasion.used),
        hands=_hands(world, call),
        split=split,
        flags=flags,
        jumps=_jumps(indicators.rule, previous, figures),
        reason=reason,
        narrative=narrative,
        due_at=due_at,
        late_minutes=_late(world, due_at, reported_at),
        duty_number=duty_number,
        also_to=deadlines.rule.recipients(area.level, figures),
        after_verified=before is not None and before.is_verified,
        phoned=call is not None,
        caller=call.caller if call else None,
    )
    beside = against_parts(world, occasion.told_in, area, indicators.rule, filed, before)
    return msgspec.structs.replace(filed, flags=worst_first(flags + beside))


def _words(told: Told) -> tuple[str, str]:
    """Reason and narrative. What explains nothing is no reason: it is kept with the narrative."""
    reason, narrative = told.reason.strip(), told.narrative.strip()
    if says_something(reason):
        return reason, narrative
    return "", "\n".join(part for part in (narrative, reason) if part)


def asked_about(world: World, occasion: Occasion, *, nearest: bool) -> tuple[Finding, ...]:
    """Days and places that look mistaken. The report is kept: it may save lives."""
    asked: list[tuple[str, str, str]] = []
    day = china_day(occasion.occurred_at)
    if nearest:
        zh = f"发生日期 {day} 没有当时生效的规则，按最近的规则核对：请核对年份"
        en = f"No rulebook was in force on {day}; the nearest one is used. Is the year right?"
        asked.append(("rules-nearest", zh, en))
    days = (world.now - occasion.occurred_at).days
    if occasion.kind is Kind.INITIAL and days > LONG_AGO_DAYS and not world.clock_held:
        zh, en = (
            f"发生时间距今已 {days} 天：请核对日期",
            f"It happened {counted(days, 'day|days')} ago: is that right?",
        )
        asked.append(("long-ago", zh, en))
    area = occasion.area
    if area.abolished_on is not None and china_day(world.now) >= area.abolished_on:
        heir = world.look(Area, area.merged_into) if area.merged_into is not None else None
        zh = f"{area.name}已撤销" + (
            f"，并入{heir.name}：请改由{heir.name}填报" if heir else "：请核对区划"
        )
        en = f"{area.name} is abolished" + (
            f": report for {heir.name}." if heir else ": is it right?"
        )
        asked.append(("area-abolished", zh, en))
    return tuple(Finding(rule, "warning", (), (), zh, en) for rule, zh, en in asked)


def worst_first(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Errors before warnings."""
    return tuple(sorted(findings, key=lambda finding: finding.severity))


def repeat(world: World, report: SituationReport, as_of: datetime, narrative: str) -> Filing:
    """A zero report 零报告: the current figures, said again at a later time."""
    area = world.get(Area, report.area)
    as_of = check_moment("as_of", as_of, world, report.occurred_at)
    deadlines = world.rules(Deadlines, area.id, report.occurred_at)
    now = report.current
    occasion = Occasion(area, report.occurred_at, Kind.ZERO, report)
    due_at, duty_number = _due(occasion, deadlines.rule, as_of)
    filed = Filing(
        number=now.number + 1,
        kind=Kind.ZERO,
        as_of=as_of,
        reported_at=world.now,
        figures=now.figures,
        schema_version=now.schema_version,
        rules=(now.rules[0], deadlines.ref),
        hands=world.actor.persons,
        split=now.split,
        jumps=now.jumps,
        reason=now.reason,
        narrative=narrative.strip(),
        due_at=due_at,
        late_minutes=_late(world, due_at, world.now),
        duty_number=duty_number,
        also_to=deadlines.rule.recipients(area.level, now.figures),
    )
    indicators = world.rules(Indicators, area.id, report.occurred_at)
    beside = against_parts(world, report.disaster, area, indicators.rule, filed, report)
    own = tuple(flag for flag in now.flags if not is_about_parts(flag))
    return msgspec.structs.replace(filed, flags=worst_first(own + beside))


def read(
    world: World,
    rules: Indicators,
    area: Area,
    raw: RawFigures,
    raw_split: Mapping[str, RawFigures],
) -> tuple[Figures, dict[UUID, Figures]]:
    """Total and split as figures; `FiguresMalformed` names every mistake of all of them."""
    problems: list[FigureProblem] = []
    total = _try(rules, raw, "", problems)
    split: dict[UUID, Figures] = {}
    places: dict[str, str] = {}
    for text, part in raw_split.items():
        below = _below(world, area, text)
        if below is None:
            zh, en = f"不是{area.name}的下级区划", f"it is no area directly below {area.name}"
            problems.append(FigureProblem(SPLIT, text[:60], zh, en))
        else:
            places[text] = world.get(Area, below).name
            split[below] = _try(rules, part, f"{SPLIT}.{text}.", problems)
    if problems:
        raise figures_malformed(rules, problems, places)
    return total, dict(sorted(split.items()))


def _try(rules: Indicators, raw: RawFigures, prefix: str, problems: list[FigureProblem]) -> Figures:
    try:
        return parse_figures(rules, raw)
    except FiguresMalformed as refusal:
        problems += [
            FigureProblem(f"{prefix}{p.key}", p.value, p.zh, p.en) for p in refusal.problems
        ]
        return {}


def _below(world: World, area: Area, text: str) -> UUID | None:
    try:
        id = UUID(text)
    except ValueError:
        return None
    found = world.find(Area, id)
    return id if found is not None and found.parent == area.id else None


def _jumps(rules: Indicators, previous: Figures | None, figures: Figures) -> tuple[Finding, ...]:
    return () if previous is None else rules.big_jumps(previous, figures)


def _due(
    occasion: Occasion, deadlines: Deadlines, as_of: datetime
) -> tuple[datetime | None, int | None]:
    """When this version was due, and which occurrence of the follow-up duty it answers."""
    before = occasion.before
    if not occasion.asked:
        return None, None
    if occasion.kind is Kind.INITIAL:
        level = occasion.area.level
        return deadlines.due_initial(level, occasion.occurred_at, occasion.received_at), None
    if before is None:
        return None, None
    if occasion.kind is Kind.VERIFIED:
        return before.verified_due_at, None
    if before.duty is None or not before.owed:
        return None, None
    return _answered(before.duty, before.duty_answered, as_of)


def _answered(
    duty: FollowUpDuty, answered: int, as_of: datetime
) -> tuple[datetime | None, int | None]:
    """The latest occurrence this as-of time covers, unless it was answered before."""
    horizon = as_of + timedelta(days=1)
    covered = [one for one in occurrences(duty, horizon) if one.as_of <= as_of]
    if not covered or covered[-1].number <= answered:
        return None, None
    return covered[-1].due_at, covered[-1].number


def _late(world: World, due_at: datetime | None, reported_at: datetime) -> int:
    """Whole minutes after the due time, rounded up; 0 in time, or when nobody knows the time."""
    if due_at is None:
        return 0
    return 0 if world.clock_held else whole_minutes(world.held.late_by(due_at, reported_at))


def _hands(world: World, call: Call | None) -> tuple[UUID, ...]:
    """Who counts as reporter: the actor, and then the officer who rang (see `Filing.scribes`).

    Where one person counts in both (one took the other's post over, or stands in) the actor
    writes down what is in substance their own report: then the officer who rang comes first, and
    nobody is a mere scribe.
    """
    hands = world.actor.persons
    if call is not None and call.caller is not None:
        rang = _caller(world, call.caller).persons
        hands = (*rang, *hands) if set(rang) & set(hands) else (*hands, *rang)
    return tuple(dict.fromkeys(hands))


def _caller(world: World, id: UUID) -> Officer:
    """Who rang: somebody in post here, or of an area above. `NotFound` for anybody else."""
    known = world.find(Officer, id)
    if known is not None and any(
        in_reach(world, post.area) for post in known.appointments.values()
    ):
        return known
    return seen(world, Officer, id)


def verified_due(
    world: World, report: SituationReport, area: Area, stable_at: datetime
) -> tuple[datetime | None, tuple[RuleRef, ...]]:
    """When the 核报 is due after the situation became stable, and the rulebooks that say so.

    None where no limit has been adopted.
    """
    deadlines = world.rules(Deadlines, area.id, report.occurred_at)
    calendar = world.rules(WorkingDays, area.id, stable_at)
    due_at = deadlines.rule.due_verified(area.level, stable_at, calendar.rule)
    counted = calendar.ref
    if due_at is not None and not calendar.rule.covers_all(
        china_day(stable_at), china_day(due_at - timedelta(days=1))
    ):
        counted = msgspec.structs.replace(counted, plain_weekends=True)
    return due_at, (deadlines.ref, counted)
