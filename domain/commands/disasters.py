"""The desk for disasters 灾害过程: declare, attach reports, respond, stabilize, close, merge.

A disaster closes only when every attached report has an accepted 核报 and no response runs.
Stabilizing a disaster is a fact of the whole; the follow-up duty of each report ends by
`StabilizeReport`, area by area, because areas become stable at different times.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.area import Area, check_text, common
from domain.commands.filing import OnReport, check_hazard, check_moment
from domain.commands.parts import ReportTree
from domain.disaster import (
    ENDED,
    GOES_ON,
    Disaster,
    DisasterStage,
    NoResponseRuns,
    OutsideDisaster,
    against_leaving,
)
from domain.exercise import AS_THE_STORE
from domain.ids import NewId
from domain.reach import in_reach, seen, within
from domain.refusal import Malformed, NotFound, Refusal, refusal_of
from domain.report_refusals import AlreadyAttached
from domain.rulebook import require_confirmed
from domain.rules.base import china_day
from domain.rules.thresholds import BOTH, OWN, PARTS, Reached, Thresholds
from domain.situation_report import SituationReport
from domain.world import About, Command, Result, Role, RuleRef, World

DISASTER = About("disasters", Disaster, "disaster")
DECIDERS = frozenset({Role.COUNTY_APPROVER, Role.CITY_REVIEWER, Role.PROVINCE_REVIEWER})
DECLARERS = DECIDERS | {Role.DISPATCHER}
MOST_REPORTS = 200
"""Reports that a disaster can be declared from at once; more are attached afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclareDisaster(Command):
    """Declare a disaster 灾害过程 in an area, from reports 灾情报告 that are about it.

    They are attached in the same commit: at most `MOST_REPORTS`, one of each area, on no disaster.
    """

    disaster: NewId
    name: str
    hazard: str
    sub_hazard: str = ""
    occurred_at: datetime
    area: UUID
    reports: tuple[UUID, ...] = ()
    exercise: bool = AS_THE_STORE
    roles: ClassVar[frozenset[Role]] = DECLARERS

    def scope(self, world: World) -> UUID:
        return self.area

    def decide(self, world: World) -> Result:
        check_text("name", self.name)
        _check_reports(self.reports)
        area = world.get(Area, self.area)
        occurred_at = check_moment("occurred_at", self.occurred_at, world)
        hazards = check_hazard(world, area.id, occurred_at, self.hazard, self.sub_hazard)
        disaster = Disaster(
            id=self.disaster,
            name=self.name.strip(),
            hazard=self.hazard,
            sub_hazard=self.sub_hazard,
            occurred_at=occurred_at,
            area=area.id,
            area_code=area.code_at(china_day(occurred_at)),
            exercise=self.exercise,
            rule=hazards.ref,
        )
        world.add(disaster)
        for id in dict.fromkeys(self.reports):
            report = within(world, SituationReport, id)
            report.must_stand()
            attach(world, report, disaster)
        return {"disaster": str(disaster.id)}


def _check_reports(reports: tuple[UUID, ...]) -> None:
    if len(reports) > MOST_REPORTS:
        raise Malformed(
            field="reports",
            value=str(len(reports)),
            rule_zh=f"一次最多 {MOST_REPORTS} 份",
            rule_en=f"{MOST_REPORTS} at most at once",
        )


def attach(world: World, report: SituationReport, disaster: Disaster) -> None:
    """A fact in both streams, in one commit. Raises the disaster's refusals."""
    disaster.attach(report.id, report.area, world.lineage(report.area), report.exercise)
    report.attach(disaster.id)


def attach_if_possible(world: World, report: SituationReport, disaster: UUID) -> str | None:
    """Attach a report that is just being filed; the rule that forbids it, or None.

    A report is worth more than its place: it is kept although it cannot be attached.
    """
    try:
        attach(world, report, seen(world, Disaster, disaster))
    except Refusal as refusal:
        return refusal.code()
    return None


def detach(world: World, report: SituationReport, reason: str) -> None:
    """Leave the disaster, and every disaster that has absorbed it since."""
    holder: UUID | None = report.detach(reason)
    while holder is not None:
        disaster = world.get(Disaster, holder)
        disaster.detach(report.id, report.area, reason)
        holder = disaster.merged_into


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachReport(OnReport):
    """Attach a report to a disaster; it leaves the one it hangs on in the same commit."""

    report: UUID
    disaster: UUID
    reason: str = ""
    roles: ClassVar[frozenset[Role]] = DECLARERS

    def decide(self, world: World) -> None:
        report = world.get(SituationReport, self.report)
        disaster = seen(world, Disaster, self.disaster)
        if report.disaster == disaster.id:
            raise AlreadyAttached(report=report.id, disaster=disaster.id)
        if report.disaster is not None:
            check_text("reason", self.reason)
            detach(world, report, self.reason.strip())
        attach(world, report, disaster)


@dataclass(frozen=True, slots=True, kw_only=True)
class DetachReport(OnReport):
    """Detach a report from its disaster, with the reason."""

    report: UUID
    reason: str
    roles: ClassVar[frozenset[Role]] = DECLARERS

    @classmethod
    def check(cls, world: World, report: SituationReport) -> None:
        report.must_stand()
        report.must_be_attached()

    def decide(self, world: World) -> None:
        check_text("reason", self.reason)
        detach(world, world.get(SituationReport, self.report), self.reason.strip())


def thresholds_reached(
    world: World, disaster: Disaster, area: UUID, farming_population: int | None = None
) -> tuple[tuple[Reached, ...], RuleRef | None]:
    """Which thresholds the accepted figures reach, by the table in force (None: there is none).

    The own report and the sum of the parts are both looked at; each ground names which it is.
    """
    try:
        table = world.rules(Thresholds, area, disaster.occurred_at)
    except NotFound:
        return (), None
    found = ReportTree.of(world, disaster.id, area).official(area, whole=True)
    own = found.own.figures if found.own is not None else {}
    by = {OWN: own, PARTS: found.parts, BOTH: found.figures}
    return table.rule.reached_by(by, farming_population), table.ref


def _grounds(
    world: World,
    disaster: Disaster,
    area: UUID,
    farming_population: int | None,
    otherwise: str,
) -> tuple[tuple[Reached, ...], RuleRef | None]:
    """What an area's response stands on. An unconfirmed table is no ground: there must be another
    one (``otherwise``, a forecast or reason in writing), else `RulesUnconfirmed`."""
    reached, ref = thresholds_reached(world, disaster, area, farming_population)
    if ref is not None and ref.unconfirmed and not disaster.exercise:
        if not otherwise.strip():
            require_confirmed(ref, exercise=False)
        return (), None
    return reached, ref


def _check_level(level: int) -> None:
    if level not in (1, 2, 3, 4):
        raise Malformed(
            field="level", value=str(level), rule_zh="应为一至四级", rule_en="it is one of 1 to 4"
        )


def _must_lie_in(world: World, disaster: Disaster, area: UUID) -> None:
    if disaster.area not in world.lineage(area):
        raise OutsideDisaster(disaster=disaster.id, area=area)


def _without_response(world: World, disaster: Disaster) -> Refusal | None:
    """`NoResponseRuns` if none runs where the actor's post reaches."""
    if any(in_reach(world, area) for area in disaster.responses):
        return None
    return NoResponseRuns(disaster=disaster.id, area=world.actor.area or disaster.area)


class _OfResponse(Command):
    """A step of an area's response 响应 to a disaster: the command names the area."""

    __slots__ = ()
    about: ClassVar[About] = DISASTER

    @classmethod
    def lies_in(cls, world: World, subject: Disaster) -> UUID | None:
        return None

    @classmethod
    def closed(cls, world: World, subject: Disaster) -> Refusal | None:
        return _without_response(world, subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartResponse(_OfResponse):
    """Start a response 启动响应 in an area, on figures that reach its level or on a forecast.

    ``farming_population`` 农牧业人口 is the base of drought shares.
    """

    disaster: UUID
    area: UUID
    level: int
    document_no: str
    forecast: str = ""
    farming_population: int | None = None
    roles: ClassVar[frozenset[Role]] = DECIDERS

    @classmethod
    def closed(cls, world: World, subject: Disaster) -> Refusal | None:
        return refusal_of(subject.must_be, DisasterStage.OPEN)

    def scope(self, world: World) -> UUID:
        return self.area

    def decide(self, world: World) -> Result:
        _check_level(self.level)
        check_text("document_no", self.document_no)
        disaster = seen(world, Disaster, self.disaster)
        _must_lie_in(world, disaster, self.area)
        grounds, rule = _grounds(world, disaster, self.area, self.farming_population, self.forecast)
        disaster.start_response(
            area=self.area,
            level=self.level,
            document_no=self.document_no.strip(),
            grounds=grounds,
            forecast=self.forecast.strip(),
            rule=rule,
        )
        return {"grounds": [{"level": one.level, "zh": one.zh, "en": one.en} for one in grounds]}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeResponse(_OfResponse):
    """Change the level 调整响应 of a running response; a forecast may be the reason."""

    disaster: UUID
    area: UUID
    level: int
    document_no: str
    reason: str = ""
    farming_population: int | None = None
    roles: ClassVar[frozenset[Role]] = DECIDERS

    def scope(self, world: World) -> UUID:
        return self.area

    def decide(self, world: World) -> Result:
        _check_level(self.level)
        check_text("document_no", self.document_no)
        disaster = seen(world, Disaster, self.disaster)
        grounds, rule = _grounds(world, disaster, self.area, self.farming_population, self.reason)
        disaster.change_response(
            area=self.area,
            level=self.level,
            document_no=self.document_no.strip(),
            grounds=grounds,
            reason=self.reason.strip(),
            rule=rule,
        )
        return {"grounds": [{"level": one.level, "zh": one.zh, "en": one.en} for one in grounds]}


@dataclass(frozen=True, slots=True, kw_only=True)
class EndResponse(_OfResponse):
    """End a response 终止响应 by its document."""

    disaster: UUID
    area: UUID
    document_no: str
    reason: str
    roles: ClassVar[frozenset[Role]] = DECIDERS

    def scope(self, world: World) -> UUID:
        return self.area

    def decide(self, world: World) -> None:
        check_text("document_no", self.document_no)
        check_text("reason", self.reason)
        disaster = seen(world, Disaster, self.disaster)
        disaster.end_response(self.area, self.document_no.strip(), self.reason.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class StabilizeDisaster(Command):
    """Declare a disaster stable 灾情稳定."""

    disaster: UUID
    stable_at: datetime
    reason: str
    roles: ClassVar[frozenset[Role]] = DECIDERS
    about: ClassVar[About] = DISASTER

    @classmethod
    def closed(cls, world: World, subject: Disaster) -> Refusal | None:
        return refusal_of(subject.must_be, DisasterStage.OPEN)

    def decide(self, world: World) -> None:
        check_text("reason", self.reason)
        disaster = world.get(Disaster, self.disaster)
        stable_at = check_moment("stable_at", self.stable_at, world, disaster.occurred_at)
        disaster.stabilize(stable_at, self.reason.strip())


def _unverified(world: World, disaster: Disaster) -> tuple[tuple[UUID, ...], int]:
    """Its reports without an accepted 核报, and how many of them are not declared stable."""
    held = [world.get(SituationReport, one) for one in disaster.all_reports().values()]
    lacking = [one for one in held if not one.is_verified]
    return tuple(one.id for one in lacking), sum(one.stable_at is None for one in lacking)


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseDisaster(Command):
    """Close a stable disaster whose attached reports all have an accepted 核报."""

    disaster: UUID
    reason: str
    roles: ClassVar[frozenset[Role]] = DECIDERS
    about: ClassVar[About] = DISASTER

    @classmethod
    def closed(cls, world: World, subject: Disaster) -> Refusal | None:
        return refusal_of(subject.check_closable, *_unverified(world, subject))

    def decide(self, world: World) -> None:
        check_text("reason", self.reason)
        disaster = world.get(Disaster, self.disaster)
        disaster.close(*_unverified(world, disaster), self.reason.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenDisaster(Command):
    """Open a stable or closed disaster again: the same process goes on."""

    disaster: UUID
    reason: str
    roles: ClassVar[frozenset[Role]] = DECIDERS
    about: ClassVar[About] = DISASTER

    @classmethod
    def closed(cls, world: World, subject: Disaster) -> Refusal | None:
        return refusal_of(subject.must_be, *ENDED)

    def decide(self, world: World) -> None:
        check_text("reason", self.reason)
        world.get(Disaster, self.disaster).reopen(self.reason.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeDisaster(Command):
    """Merge a disaster into another of which it turned out to be a part."""

    disaster: UUID
    into: UUID
    reason: str
    roles: ClassVar[frozenset[Role]] = DECIDERS
    about: ClassVar[About] = DISASTER

    @classmethod
    def closed(cls, world: World, subject: Disaster) -> Refusal | None:
        return next(against_leaving(subject.merging()), None)

    def scope(self, world: World) -> UUID:
        areas = [world.get(Disaster, id).area for id in (self.disaster, self.into)]
        return common(world, areas)

    def decide(self, world: World) -> None:
        check_text("reason", self.reason)
        disaster = world.get(Disaster, self.disaster)
        into = world.get(Disaster, self.into)
        disaster.merge_into(into, self.reason.strip())


def _check_splittable(world: World, disaster: Disaster) -> None:
    """Refuses `NotMergedInto`, and `DisasterNotOpen` of the one that it was merged into."""
    world.get(Disaster, disaster.host()).must_be(*GOES_ON)


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitDisaster(Command):
    """Split a merged disaster back out, with the reports still held for it."""

    disaster: UUID
    reason: str
    roles: ClassVar[frozenset[Role]] = DECIDERS
    about: ClassVar[About] = DISASTER

    @classmethod
    def lies_in(cls, world: World, subject: Disaster) -> UUID:
        if subject.merged_into is None:
            return subject.area
        return common(world, [subject.area, world.get(Disaster, subject.merged_into).area])

    @classmethod
    def closed(cls, world: World, subject: Disaster) -> Refusal | None:
        return refusal_of(_check_splittable, world, subject)

    def decide(self, world: World) -> None:
        check_text("reason", self.reason)
        disaster = world.get(Disaster, self.disaster)
        host = disaster.host()
        disaster.split_back(world.get(Disaster, host), self.reason.strip())
