"""The desk for situation reports 灾情报告: file, follow up, phone in, make up, verify.

Who files: the officer whose role belongs to the level of the area (`FILERS`);
a telephone call is taken down by anybody at or above it. Filing a 初报 or 续报 is never refused for
who reviewed before, so that a report that saves lives gets through: the review is refused instead.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.area import Area, AreaLevel, check_text
from domain.commands.disasters import attach_if_possible, detach
from domain.commands.filing import (
    Call,
    Occasion,
    OnReport,
    Told,
    check_hazard,
    check_moment,
    compose,
    repeat,
)
from domain.commands.relief_cases import check_nobody_in_post
from domain.exercise import AS_THE_STORE
from domain.ids import NewId
from domain.refusal import Malformed, MovedOn, NotFound, NotYourRole
from domain.report_filing import Filing, Kind
from domain.rules.base import china_day
from domain.rules.deadlines import Deadlines
from domain.rules.hazards import Hazards
from domain.seat import seat_of
from domain.separation import separate
from domain.situation_report import SituationReport
from domain.world import Command, Result, Role, World

FILERS: dict[AreaLevel, frozenset[Role]] = {
    AreaLevel.VILLAGE: frozenset({Role.VILLAGE_REPORTER}),
    # A farm or forest farm of township rank reports with its own staff.
    AreaLevel.TOWNSHIP: frozenset({Role.TOWNSHIP_REVIEWER, Role.VILLAGE_REPORTER}),
    AreaLevel.COUNTY: frozenset({Role.COUNTY_APPROVER}),
    AreaLevel.CITY: frozenset({Role.CITY_REVIEWER}),
    AreaLevel.PROVINCE: frozenset({Role.PROVINCE_REVIEWER}),
}
# A county is the first that reports on its townships; a township is counted (domain.md §1.2).
FIRST_FILERS = frozenset(
    role
    for level, roles in FILERS.items()
    if level not in (AreaLevel.VILLAGE, AreaLevel.TOWNSHIP)
    for role in roles
)
ANY_FILER = frozenset(role for roles in FILERS.values() for role in roles)
ANY_LISTENER = ANY_FILER | {Role.DISPATCHER}


def _must_file(world: World, area: Area, call: Call | None) -> None:
    """By telephone anybody at or above the area takes it down; else the area's own level."""
    needed = FILERS.get(area.level, frozenset())
    if call is None and world.actor.role not in needed:
        raise NotYourRole(needed=", ".join(sorted(needed)))


def _answer(report: UUID, filed: Filing) -> Result:
    """What the reporter is told: the version, and the questions it raises."""
    return {
        "report": str(report),
        "version": filed.number,
        "flags": msgspec.to_builtins(filed.flags),
        "needs_reason": list(filed.wants_reason),
        "due_at": filed.due_at.isoformat() if filed.due_at else None,
        "late_minutes": filed.late_minutes,
        "also_to": list(filed.also_to),
    }


@dataclass(frozen=True, kw_only=True)
class Occurred:
    """What happened, where and when: said once, when the report begins.

    ``received_at``: when the report of the level below came in (a city's clock starts there).
    ``disaster``: attach it there at once if that is possible; the report is kept in any case.
    """

    area: UUID
    occurred_at: datetime
    hazard: str
    sub_hazard: str = ""
    exercise: bool = AS_THE_STORE
    received_at: datetime | None = None
    disaster: UUID | None = None


def _begin(world: World, told: Told, occurred: Occurred, call: Call | None) -> Result:
    area = world.get(Area, occurred.area)
    _must_file(world, area, call)
    occurred_at = check_moment("occurred_at", occurred.occurred_at, world)
    received_at = occurred.received_at
    if received_at is not None:
        received_at = check_moment("received_at", received_at, world, occurred_at)
    hazards = check_hazard(world, area.id, occurred_at, occurred.hazard, occurred.sub_hazard)
    occasion = Occasion(
        area,
        occurred_at,
        Kind.INITIAL,
        received_at=received_at,
        call=call,
        used=(hazards.ref,),
        disaster=occurred.disaster,
    )
    filed = compose(world, occasion, told)
    report = SituationReport.begin(
        id=told.report,
        area=area.id,
        area_code=area.code_at(china_day(occurred_at)),
        occurred_at=occurred_at,
        hazard=occurred.hazard,
        sub_hazard=occurred.sub_hazard,
        exercise=occurred.exercise,
        filed=filed,
    )
    world.add(report)
    start_duty(world, report, hazards.rule, filed.reported_at)
    result = _answer(report.id, filed)
    if occurred.disaster is not None:
        result["not_attached"] = attach_if_possible(world, report, occurred.disaster)
    return result


def start_duty(world: World, report: SituationReport, hazards: Hazards, start: datetime) -> None:
    area = world.get(Area, report.area)
    deadlines = world.rules(Deadlines, area.id, report.occurred_at)
    drought = hazards.is_drought(report.hazard)
    duty = deadlines.rule.follow_up_duty(area.level, start, drought)
    report.start_duty(duty, deadlines.ref, owed=deadlines.rule.owes_follow_ups(area.level))


@dataclass(frozen=True, slots=True, kw_only=True)
class FileInitialReport(Told, Occurred, Command):
    """File the initial report 初报 of an area about an occurrence."""

    report: NewId

    roles: ClassVar[frozenset[Role]] = ANY_FILER

    def scope(self, world: World) -> UUID:
        return self.area

    def decide(self, world: World) -> Result:
        return _begin(world, self, self, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneInReport(Told, Occurred, Call, Command):
    """Take down a first report by telephone 电话报告, to be made up 待补报 in the system later."""

    report: NewId

    roles: ClassVar[frozenset[Role]] = ANY_LISTENER

    def scope(self, world: World) -> UUID:
        return self.area

    def decide(self, world: World) -> Result:
        return _begin(world, self, self, self)


def _as_its_level(world: World, report: SituationReport) -> None:
    _must_file(world, world.get(Area, report.area), None)
    report.must_stand()


class _OfItsLevel(OnReport):
    """A step of those who report for the area themselves."""

    __slots__ = ()

    @classmethod
    def check(cls, world: World, report: SituationReport) -> None:
        _as_its_level(world, report)


def _must_not_have_reviewed(world: World, report: SituationReport) -> None:
    """Of the seat two persons take turns, and one issues."""
    if report.area != seat_of(world):
        separate(world, report.id, report.steps, "report")


def _next(
    world: World,
    told: Told,
    kind: Kind,
    expected_version: int | None,
    call: Call | None = None,
    asked: bool = True,
    on_behalf: bool = False,
) -> tuple[SituationReport, Filing]:
    """The report and its next version. ``asked``: a deadline applies to it. ``on_behalf``: another
    level files it, for nobody is in post there."""
    report = world.get(SituationReport, told.report)
    area = world.get(Area, report.area)
    if not on_behalf:
        _must_file(world, area, call)
    report.expect(expected_version)
    occasion = Occasion(area, report.occurred_at, kind, report, call=call, asked=asked)
    return report, compose(world, occasion, told)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFollowUp(Told, _OfItsLevel):
    """File a follow-up report 续报. After an accepted 核报 it opens the report again."""

    expected_version: int | None = None
    roles: ClassVar[frozenset[Role]] = ANY_FILER

    def decide(self, world: World) -> Result:
        report, filed = _next(world, self, Kind.FOLLOW_UP, self.expected_version)
        return _follow_up(world, report, filed)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneInFollowUp(Told, Call, OnReport):
    """Take down a follow-up 续报 by telephone, to be made up later."""

    expected_version: int | None = None
    roles: ClassVar[frozenset[Role]] = ANY_LISTENER

    def decide(self, world: World) -> Result:
        report, filed = _next(world, self, Kind.FOLLOW_UP, self.expected_version, call=self)
        return _follow_up(world, report, filed)


def _follow_up(world: World, report: SituationReport, filed: Filing) -> Result:
    report.follow_up(filed)
    if filed.after_verified and report.duty is None:
        hazards = world.rules(Hazards, report.area, report.occurred_at).rule
        start_duty(world, report, hazards, filed.reported_at)
    return _answer(report.id, filed)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileZeroReport(_OfItsLevel):
    """File a zero report 零报告: as of this time nothing has changed."""

    report: UUID
    as_of: datetime
    narrative: str = ""
    expected_version: int | None = None
    roles: ClassVar[frozenset[Role]] = ANY_FILER

    @classmethod
    def check(cls, world: World, report: SituationReport) -> None:
        _as_its_level(world, report)
        report.must_owe_zero_report()

    def decide(self, world: World) -> Result:
        report = world.get(SituationReport, self.report)
        _as_its_level(world, report)
        report.expect(self.expected_version)
        filed = repeat(world, report, self.as_of, self.narrative)
        report.zero_report(filed)
        return _answer(report.id, filed)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileVerifiedReport(Told, _OfItsLevel):
    """File the verified report 核报 after the full survey, once the situation is stable."""

    expected_version: int | None = None
    roles: ClassVar[frozenset[Role]] = ANY_FILER

    @classmethod
    def check(cls, world: World, report: SituationReport) -> None:
        _as_its_level(world, report)
        _must_not_have_reviewed(world, report)
        report.must_be_stable()

    def decide(self, world: World) -> Result:
        report, filed = _next(world, self, Kind.VERIFIED, self.expected_version)
        _must_not_have_reviewed(world, report)
        report.verify(filed)
        return _answer(report.id, filed)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileVerifiedOnBehalf(FileVerifiedReport):
    """File the verified report 核报 of a village that has nobody in post.

    Who does it has reported: another person reviews at the township.
    """

    village: UUID
    """The report's own: of this village it is asked who is in post there."""
    roles: ClassVar[frozenset[Role]] = frozenset({Role.TOWNSHIP_REVIEWER})

    def wants_posts_in(self) -> UUID | None:
        return self.village

    @classmethod
    def check(cls, world: World, report: SituationReport) -> None:
        report.must_stand()
        area = world.get(Area, report.area)
        if area.level != AreaLevel.VILLAGE:
            raise Malformed(
                field="village",
                value=area.name,
                rule_zh="代报只用于村（社区）",
                rule_en="only a village or community is reported for",
            )
        check_nobody_in_post(world, report.area)
        _must_not_have_reviewed(world, report)
        report.must_be_stable()

    def decide(self, world: World) -> Result:
        found = world.get(SituationReport, self.report)
        if found.area != self.village:
            raise NotFound(kind="Area", id=self.village)
        self.check(world, found)
        report, filed = _next(world, self, Kind.VERIFIED, self.expected_version, on_behalf=True)
        report.verify(filed)
        return _answer(report.id, filed)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResubmitReport(Told, _OfItsLevel):
    """File a returned version again, corrected. A returned zero report becomes a follow-up."""

    expected_version: int | None = None
    roles: ClassVar[frozenset[Role]] = ANY_FILER

    @classmethod
    def check(cls, world: World, report: SituationReport) -> None:
        _as_its_level(world, report)
        report.must_be_returned()

    def decide(self, world: World) -> Result:
        returned = world.get(SituationReport, self.report).current.kind
        kind = Kind.FOLLOW_UP if returned is Kind.ZERO else returned
        report, filed = _next(world, self, kind, self.expected_version, asked=False)
        report.resubmit(filed)
        return _answer(report.id, filed)


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeUpReport(Told, _OfItsLevel):
    """File in full 补报 what had been reported by telephone."""

    expected_version: int | None = None
    roles: ClassVar[frozenset[Role]] = ANY_FILER

    @classmethod
    def check(cls, world: World, report: SituationReport) -> None:
        _as_its_level(world, report)
        report.must_be_to_make_up()

    def decide(self, world: World) -> Result:
        first = world.get(SituationReport, self.report).current.kind is Kind.INITIAL
        kind = Kind.INITIAL if first else Kind.FOLLOW_UP
        report, filed = _next(world, self, kind, self.expected_version, asked=False)
        report.make_up(filed)
        return _answer(report.id, filed)


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawReport(_OfItsLevel):
    """Withdraw 撤回 one's own report, with the reason, as long as no version is accepted."""

    report: UUID
    reason: str
    expected_version: int | None = None
    roles: ClassVar[frozenset[Role]] = ANY_FILER

    @classmethod
    def check(cls, world: World, report: SituationReport) -> None:
        _as_its_level(world, report)
        report.must_be_void(from_above=False)

    def decide(self, world: World) -> None:
        check_text("reason", self.reason)
        report = world.get(SituationReport, self.report)
        _as_its_level(world, report)
        report.expect(self.expected_version)
        if report.disaster is not None:
            detach(world, report, self.reason.strip())
        report.withdraw(self.reason.strip(), world.actor.persons, from_above=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainJump(_OfItsLevel):
    """Give the reason of the big changes in the current version."""

    report: UUID
    version: int
    reason: str
    roles: ClassVar[frozenset[Role]] = ANY_FILER

    @classmethod
    def check(cls, world: World, report: SituationReport) -> None:
        _as_its_level(world, report)
        report.must_want_a_reason()

    def decide(self, world: World) -> None:
        check_text("reason", self.reason)
        report = world.get(SituationReport, self.report)
        _as_its_level(world, report)
        report.explain_jump(self.version, self.reason.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectOccurrence(_OfItsLevel):
    """Correct 更正 when a report's occurrence happened and of what kind it is, with the reason.

    A correction files no new version: who says beside ``expected_version`` what it said when they
    looked is refused if somebody corrected it since, whose correction this one would undo.
    """

    report: UUID
    occurred_at: datetime
    hazard: str
    sub_hazard: str = ""
    reason: str
    expected_version: int | None = None
    seen_occurred_at: datetime | None = None
    seen_hazard: str | None = None
    roles: ClassVar[frozenset[Role]] = ANY_FILER

    def decide(self, world: World) -> None:
        check_text("reason", self.reason)
        report = world.get(SituationReport, self.report)
        _as_its_level(world, report)
        report.expect(self.expected_version)
        self._expect_seen(report)
        occurred_at = check_moment("occurred_at", self.occurred_at, world)
        hazards = check_hazard(world, report.area, occurred_at, self.hazard, self.sub_hazard)
        report.correct_occurrence(
            occurred_at, self.hazard, self.sub_hazard, self.reason.strip(), hazards.ref
        )

    def _expect_seen(self, report: SituationReport) -> None:
        """`MovedOn` if the occurrence is not told any more as it was when somebody looked."""
        is_same = self.seen_occurred_at in (None, report.occurred_at)
        if not is_same or self.seen_hazard not in (None, report.hazard):
            raise MovedOn(kind="SituationReport", id=report.id)
