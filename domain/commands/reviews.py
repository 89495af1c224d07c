"""The desk of the level above: accept 通过, return 退回, adjudicate 核定, declare stable 稳定.

The role of the level directly above an area reviews it (`REVIEWERS`). It edits no figure of the
level below: it returns the version, or adjudicates by a document of its own.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.area import Area, AreaLevel, check_text
from domain.casualties import CASUALTIES
from domain.commands.disasters import detach
from domain.commands.filing import OnReport, RawFigures, check_moment, read, verified_due
from domain.commands.parts import ReportTree, against_parts
from domain.commands.reports import start_duty
from domain.disaster import Disaster
from domain.refusal import Malformed, NotFound, NotYourRole
from domain.report_filing import Hands, Kind
from domain.report_refusals import IssuesOwnReport, PartsSayMore
from domain.rules.deadlines import Deadlines
from domain.rules.hazards import Hazards
from domain.rules.indicators import Finding, Indicators
from domain.seat import seat_of
from domain.separation import separate
from domain.situation_report import SituationReport
from domain.world import Result, Role, RuleRef, World

REVIEWERS: dict[AreaLevel, Role] = {
    AreaLevel.TOWNSHIP: Role.TOWNSHIP_REVIEWER,
    AreaLevel.COUNTY: Role.COUNTY_APPROVER,
    AreaLevel.CITY: Role.CITY_REVIEWER,
    AreaLevel.PROVINCE: Role.PROVINCE_REVIEWER,
}
"""By the level of the area above: a county right under a province is reviewed there."""

ANY_REVIEWER = frozenset(REVIEWERS.values())
STABILIZERS = frozenset({Role.COUNTY_APPROVER, Role.CITY_REVIEWER, Role.PROVINCE_REVIEWER})
"""County level and above assess and publish a stable situation (条例 art.17, domain.md §1.3)."""


def _above(world: World, report: SituationReport) -> UUID:
    """The area above the report's: its people review it. Nobody is above a root."""
    parent = world.get(Area, report.area).parent
    if parent is None:
        raise NotFound(kind="SituationReport", id=report.id)
    return parent


def must_be_reviewer(world: World, area: UUID) -> None:
    """`NotYourRole` unless the actor has the post that looks over reports for that area."""
    needed = REVIEWERS.get(world.get(Area, area).level)
    if world.actor.role != needed:
        raise NotYourRole(needed=needed or "")


def _desk(world: World, report: SituationReport) -> UUID:
    """Whose people look over a report: the area above it, at the store's seat its own."""
    return report.area if report.area == seat_of(world) else _above(world, report)


def _hands(world: World, report: SituationReport) -> Hands:
    """The persons who look over a report, by their post and by what they did before."""
    must_be_reviewer(world, _desk(world, report))
    report.must_stand()
    if report.area == seat_of(world):
        return second_person(world, report)
    return separate(world, report.id, report.steps, "review")


def second_person(world: World, report: SituationReport) -> Hands:
    """At the seat two persons take turns: neither looks over the version that they filed.

    Nobody above could grant a dispensation, so that there is none.
    """
    if set(world.actor.persons) & set(report.current.hands):
        raise IssuesOwnReport(report=report.id, officer=world.actor.officer)
    return world.actor.persons


def _by_whom(world: World, report: SituationReport, step: str) -> Hands:
    """The persons of the level above who do this step."""
    must_be_reviewer(world, _above(world, report))
    report.must_stand()
    return separate(world, report.id, report.steps, step)


class _FromAbove(OnReport):
    """A step of the area above: nobody of the report's own takes it."""

    __slots__ = ()

    @classmethod
    def lies_in(cls, world: World, subject: SituationReport) -> UUID:
        return _above(world, subject)


class _AtTheDesk(OnReport):
    """A step of whoever looks over the report."""

    __slots__ = ()

    @classmethod
    def lies_in(cls, world: World, subject: SituationReport) -> UUID:
        return _desk(world, subject)

    @classmethod
    def check(cls, world: World, report: SituationReport) -> None:
        _hands(world, report)


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptReport(_FromAbove):
    """Accept the version of a report that was seen; a 核报 only if it is right in every rule."""

    report: UUID
    version: int
    roles: ClassVar[frozenset[Role]] = ANY_REVIEWER

    @classmethod
    def check(cls, world: World, report: SituationReport) -> None:
        _by_whom(world, report, "review")
        report.must_be_pending()
        must_be_right(world, report)

    def decide(self, world: World) -> Result:
        report = world.get(SituationReport, self.report)
        hands = _by_whom(world, report, "review")
        forward_due_at, rules = _forward_due(world, report)
        gaps, beside, used = compared(world, report)
        rules += used
        report.accept(self.version, hands, forward_due_at, gaps, rules, beside)
        return {
            "report": str(report.id),
            "version": self.version,
            "forward_due_at": forward_due_at.isoformat() if forward_due_at else None,
            "flags": msgspec.to_builtins(beside),
        }


def _forward_due(
    world: World, report: SituationReport
) -> tuple[datetime | None, tuple[RuleRef, ...]]:
    """When the level above must pass it on: its own clock starts with its receipt.

    Only a 初报, or figures so grave that further levels must be told, is passed on at once;
    later versions go up at the fixed hours of the level above. A township is counted, and the
    county is the first that reports (domain.md §1.2): what a township has accepted stands before
    the county in that moment, so that its review is the passing on.
    """
    if report.current.kind is not Kind.INITIAL and not report.current.also_to:
        return None, ()
    above = world.get(Area, _above(world, report))
    if above.level in (AreaLevel.NATION, AreaLevel.TOWNSHIP):
        return None, ()
    deadlines = world.rules(Deadlines, above.id, report.occurred_at)
    due_at = deadlines.rule.due_initial(above.level, report.occurred_at, world.now)
    return due_at, (deadlines.ref,)


Compared = tuple[tuple[Finding, ...], tuple[Finding, ...], tuple[RuleRef, ...]]


def compared(world: World, report: SituationReport) -> Compared:
    """Where a version differs from the rosters (only a 核报 must not), where from what its parts
    say now, and by which rulebook that was found of a 核报."""
    indicators = world.rules(Indicators, report.area, report.occurred_at)
    area = world.get(Area, report.area)
    beside = against_parts(world, report.disaster, area, indicators.rule, report.current, report)
    if report.current.kind is not Kind.VERIFIED:
        return (), beside, ()
    return _roster_gaps(world, report, indicators.rule), beside, (indicators.ref,)


def must_be_right(world: World, report: SituationReport) -> None:
    """A 核报 is made official only if it is right in every rule."""
    if report.current.kind is Kind.VERIFIED:
        gaps, beside, _ = compared(world, report)
        report.must_be_right(gaps, beside)


def _roster_gaps(
    world: World, report: SituationReport, indicators: Indicators
) -> tuple[Finding, ...]:
    """Where the figures differ from the rosters 台账 of this report and of those below it."""
    counted = dict.fromkeys((rule.roster for rule in indicators.rosters), 0)
    counted |= roster_rows(world, report)
    ids = {rule.id for rule in indicators.rosters}
    found = indicators.check(report.current.figures, rosters=counted)
    return tuple(one for one in found if one.rule in ids and one.severity == "error")


def roster_rows(world: World, report: SituationReport) -> dict[str, int]:
    """By figure what the rosters 台账 of a report and of those below it come to."""
    counted: dict[str, int] = {}
    for one in (report, *_reports_below(world, report)):
        for name, rows in one.rows.items():
            counted[name] = counted.get(name, 0) + rows
    return counted


def _reports_below(world: World, report: SituationReport) -> list[SituationReport]:
    """The current reports of the same disaster from areas below this one's."""
    if report.disaster is None:
        return []
    held = world.get(Disaster, report.disaster).all_reports()
    return [
        world.get(SituationReport, other)
        for area, other in held.items()
        if area != report.area and report.area in world.lineage(area)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnReport(_AtTheDesk):
    """Return 退回 the version of a report that was seen, with the reason."""

    report: UUID
    version: int
    reason: str
    roles: ClassVar[frozenset[Role]] = ANY_REVIEWER

    @classmethod
    def check(cls, world: World, report: SituationReport) -> None:
        _hands(world, report)
        report.must_be_pending()

    def decide(self, world: World) -> None:
        check_text("reason", self.reason)
        report = world.get(SituationReport, self.report)
        hands = _hands(world, report)
        report.return_version(self.version, self.reason.strip(), hands)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjudicateReport(_FromAbove):
    """Adjudicate 核定 figures of a report by a document; the reported figures stay as they are."""

    report: UUID
    version: int
    figures: RawFigures
    document_no: str
    reason: str
    roles: ClassVar[frozenset[Role]] = ANY_REVIEWER

    @classmethod
    def check(cls, world: World, report: SituationReport) -> None:
        _by_whom(world, report, "adjudicate")

    def decide(self, world: World) -> None:
        check_text("document_no", self.document_no)
        check_text("reason", self.reason)
        report = world.get(SituationReport, self.report)
        area = world.get(Area, report.area)
        hands = _by_whom(world, report, "adjudicate")
        report.expect(self.version)
        indicators = world.rules(Indicators, area.id, report.occurred_at)
        figures, _ = read(world, indicators.rule, area, self.figures, {})
        if not figures:
            raise Malformed(
                field="figures", value="{}", rule_zh="至少一项", rule_en="at least one is needed"
            )
        whole = report.current.figures | figures
        broken = tuple(f for f in indicators.rule.check(whole) if f.severity == "error")
        report.adjudicate(
            figures=figures,
            document_no=self.document_no.strip(),
            reason=self.reason.strip(),
            rules=(indicators.ref,),
            hands=hands,
            broken=broken,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPartsAside(_AtTheDesk):
    """Decide in writing that a version's dead and missing count although its parts have more.

    ``parts``: the sums of the parts that the person saw who decides. The decision ends when the
    parts have more accepted than that.
    """

    report: UUID
    version: int
    parts: RawFigures
    document_no: str
    reason: str
    roles: ClassVar[frozenset[Role]] = ANY_REVIEWER

    def decide(self, world: World) -> None:
        check_text("document_no", self.document_no)
        check_text("reason", self.reason)
        report = world.get(SituationReport, self.report)
        area = world.get(Area, report.area)
        hands = _hands(world, report)
        indicators = world.rules(Indicators, area.id, report.occurred_at).rule
        seen, _ = read(world, indicators, area, self.parts, {})
        known = ReportTree.of(world, report.disaster, area.id).official(area.id, whole=True).parts
        for key in CASUALTIES:
            value, named = known.get(key) or Decimal(0), indicators.find(key)
            if named is not None and value > (seen.get(key) or 0) and key in seen:
                raise PartsSayMore(
                    report=report.id,
                    indicator=key,
                    name_zh=named.zh,
                    name_en=named.en,
                    seen=seen.get(key) or Decimal(0),
                    parts=value,
                )
        report.set_parts_aside(
            self.version, seen, self.document_no.strip(), self.reason.strip(), hands
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StrikeReport(_AtTheDesk):
    """Strike 撤销 a report of the level below, with the reason: it is void from then on."""

    report: UUID
    version: int
    reason: str
    roles: ClassVar[frozenset[Role]] = ANY_REVIEWER

    @classmethod
    def check(cls, world: World, report: SituationReport) -> None:
        _hands(world, report)
        report.must_be_void(from_above=True)

    def decide(self, world: World) -> None:
        check_text("reason", self.reason)
        report = world.get(SituationReport, self.report)
        hands = _hands(world, report)
        report.expect(self.version)
        if report.disaster is not None:
            detach(world, report, self.reason.strip())
        report.withdraw(self.reason.strip(), hands, from_above=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class StabilizeReport(OnReport):
    """Declare the situation of a report stable 灾情稳定: follow-ups end, the 核报 falls due."""

    report: UUID
    stable_at: datetime
    roles: ClassVar[frozenset[Role]] = STABILIZERS

    @classmethod
    def check(cls, world: World, report: SituationReport) -> None:
        report.must_stand()
        report.must_be_unstable()

    def decide(self, world: World) -> Result:
        report = world.get(SituationReport, self.report)
        stable_at = check_moment("stable_at", self.stable_at, world, report.occurred_at)
        area = world.get(Area, report.area)
        due_at, rules = verified_due(world, report, area, stable_at)
        report.stabilize(stable_at, due_at, rules)
        return {"verified_due_at": due_at.isoformat() if due_at else None}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeFollowUps(OnReport):
    """Start the duty to follow up again: the situation is not stable after all."""

    report: UUID
    roles: ClassVar[frozenset[Role]] = STABILIZERS

    @classmethod
    def check(cls, world: World, report: SituationReport) -> None:
        report.must_stand()
        report.must_owe_nothing()

    def decide(self, world: World) -> None:
        report = world.get(SituationReport, self.report)
        hazards = world.rules(Hazards, report.area, report.occurred_at).rule
        start_duty(world, report, hazards, world.now)
