"""The desk for village lists 村级名册: 村评, notices, objections, 乡审, 县定, closing.

Each command moves one whole list in one commit. Amounts and payments: `domain.commands.payments`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from uuid import UUID

from domain.area import check_text
from domain.commands.households import check_village
from domain.commands.relief_cases import (
    STEP_OF,
    check_nobody_in_post,
    hands_for,
    season_over,
)
from domain.commands.sealing import check_sha256, not_future, seal_text
from domain.exercise import keep_apart
from domain.goods import positive
from domain.grants import GrantsOpen, NothingGranted, PartsLeft
from domain.household import Household
from domain.ids import NewId
from domain.list_checks import UNDECIDED
from domain.moments import day_not_before
from domain.need import Tier
from domain.notice import Notice, NoticeNotPosted, ObjectionKind
from domain.notice_rules import check_notice_rules
from domain.reach import within
from domain.refusal import Malformed, NotFound, Refusal, refusal_of
from domain.relief_case import ReliefCase
from domain.roster import ListStage, Minutes
from domain.season import Season
from domain.separation import separate
from domain.village_list import VillageList
from domain.world import About, Command, Result, Role, World

VILLAGE_LIST = About("village-lists", VillageList, "village_list")
REPORTERS = frozenset({Role.VILLAGE_REPORTER})
REVIEWERS = frozenset({Role.TOWNSHIP_REVIEWER})
APPROVERS = frozenset({Role.COUNTY_APPROVER})


@dataclass(frozen=True, slots=True, kw_only=True)
class MinutesInput:
    """The record of the 民主评议: day, villagers present, SHA-256 of the signed paper."""

    held_on: date
    attendees: int
    document_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictInput:
    """What the meeting held of one case; ``reason`` is required where it was not accepted."""

    case: UUID
    accepted: bool = True
    tier: Tier = Tier.GENERAL
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StrikeInput:
    """A case that does not pass a review, and why."""

    case: UUID
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfList(Command):
    """What all commands on one list share: its village's jurisdiction, its open season."""

    about: ClassVar[About] = VILLAGE_LIST
    village_list: UUID

    @classmethod
    def closed(cls, world: World, subject: VillageList) -> Refusal | None:
        season = world.look(Season, subject.season)
        if season is None:
            return NotFound(kind="Season", id=subject.season)
        return refusal_of(season.check_open) or refusal_of(cls.check, world, subject, season)

    @classmethod
    def check(cls, world: World, found: VillageList, season: Season) -> None:
        """Refuses what the list's state forbids, and the hands on it, whatever else is said."""

    def of(self, world: World) -> tuple[VillageList, Season]:
        found = world.get(VillageList, self.village_list)
        season = world.get(Season, found.season)
        season.check_open()
        return found, season


def cases_of(world: World, cases: Iterable[UUID]) -> list[ReliefCase]:
    return [world.get(ReliefCase, case) for case in cases]


def cases_on(world: World, found: VillageList, cases: Iterable[UUID]) -> list[ReliefCase]:
    """Cases that a command names. One that is not on the list is `NotOnList`, wherever it is."""
    named = tuple(cases)
    for case in named:
        found.must_hold(case)
    return cases_of(world, named)


def strike(world: World, struck: tuple[StrikeInput, ...], step: str) -> tuple[UUID, ...]:
    """Refuse single cases in a review, each with its reason. Answers their ids."""
    for one in struck:
        case = world.get(ReliefCase, one.case)
        case.check_reason(one.reason)
        case.refuse(step, one.reason)
    return tuple(one.case for one in struck)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenVillageList(Command):
    """Open a village's list of one round of a season. Its id follows from the three."""

    roles: ClassVar[frozenset[Role]] = REPORTERS | REVIEWERS | APPROVERS
    season: UUID
    village: UUID
    round: int = 1

    def scope(self, world: World) -> UUID:
        return self.village

    def decide(self, world: World) -> Result | None:
        positive("round", self.round)
        check_village(world, self.village)
        season = season_over(world, self.season, self.village)
        made = world.add(
            VillageList(
                id=VillageList.id_of(season.id, self.village, self.round),
                season=season.id,
                village=self.village,
                round=self.round,
                exercise=season.exercise,
            )
        )
        season.list_opened(village_list=made.id, village=self.village)
        return {"village_list": made.id}


@dataclass(frozen=True, slots=True, kw_only=True)
class AppraiseList(OfList):
    """Record the appraisal 村评 and draw the list up; again after it was returned or changed."""

    roles: ClassVar[frozenset[Role]] = REPORTERS
    verdicts: tuple[VerdictInput, ...]
    minutes: MinutesInput | None = None
    """Required where the programme has an appraisal, once for each time the list is drawn up."""
    expected_version: int | None = None

    @classmethod
    def check(cls, world: World, found: VillageList, season: Season) -> None:
        found.must_be(ListStage.DRAFT)
        separate(world, found.id, found.steps, "report")

    def decide(self, world: World) -> Result | None:
        found, season = self.of(world)
        cases = [_belonging(world, found, verdict.case) for verdict in self.verdicts]
        if self.minutes is not None:
            found.record_minutes(_minutes(world, self.minutes, cases))
        hands = hands_for(world, found, cases, "report")
        appraised = season.terms.requires("appraisal")
        on: list[UUID] = []
        off: list[UUID] = []
        for case, verdict in zip(cases, self.verdicts, strict=True):
            case.check_list(found.id)
            if verdict.accepted:
                on.append(case.id)
            else:
                off.append(case.id)
        found.put_on(on, off, season.terms, hands)
        for case, verdict in zip(cases, self.verdicts, strict=True):
            if verdict.accepted:
                if appraised:
                    case.appraise(found.id, verdict.tier)
                case.put_on(found.id)
            else:
                case.check_reason(verdict.reason)
                case.refuse("report", verdict.reason)
        return {"listed": len(found.cases), "refused": len(off)}


@dataclass(frozen=True, slots=True, kw_only=True)
class AppraiseOnBehalf(AppraiseList):
    """Record the appraisal for a village that has nobody in post.

    Who does it has reported: another person reviews at the township.
    """

    roles: ClassVar[frozenset[Role]] = REVIEWERS
    village: UUID
    """The list's own: of this village it is asked who is in post there."""

    def wants_posts_in(self) -> UUID | None:
        return self.village

    @classmethod
    def check(cls, world: World, found: VillageList, season: Season) -> None:
        check_nobody_in_post(world, found.village)
        AppraiseList.check(world, found, season)

    def decide(self, world: World) -> Result | None:
        found, _ = self.of(world)
        if found.village != self.village:
            raise NotFound(kind="Area", id=self.village)
        check_nobody_in_post(world, found.village)
        return AppraiseList.decide(self, world)


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseObjection(OfList):
    """Record an objection 异议 to a notice, also "why am I not on it?". Its text is sealed."""

    roles: ClassVar[frozenset[Role]] = REPORTERS | REVIEWERS | APPROVERS | {Role.AUDITOR}
    id: NewId
    kind: ObjectionKind
    text: str
    household: UUID | None = None
    """The household it is about, if it is known."""

    @classmethod
    def check(cls, world: World, found: VillageList, season: Season) -> None:
        found.check_showing()

    def decide(self, world: World) -> Result | None:
        check_text("text", self.text)
        found, _ = self.of(world)
        if self.household is not None:
            about = within(world, Household, self.household)
            keep_apart("Household", about.id, exercise=about.exercise, wanted=found.exercise)
        sealed = seal_text(world, found.id, world.vault.new_person(), "objection", self.text)
        assert sealed is not None
        found.raise_objection(self.id, self.kind, self.household, sealed, world.now)
        return {"objection": self.id, "open": found.open_objections}


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleObjection(OfList):
    """Settle an objection with a reason; upheld, it may add an omitted case or strike one."""

    roles: ClassVar[frozenset[Role]] = REVIEWERS | APPROVERS
    objection: UUID
    upheld: bool
    reason: str
    add: UUID | None = None
    """A case that was applied for and belongs on the list: the notice is then posted again."""
    strike: UUID | None = None

    @classmethod
    def check(cls, world: World, found: VillageList, season: Season) -> None:
        found.check_disputed()
        separate(world, found.id, found.steps, STEP_OF[world.actor.role])

    def decide(self, world: World) -> Result | None:
        check_text("reason", self.reason)
        if not self.upheld and (self.add or self.strike):
            raise Malformed(
                field="upheld",
                value="false",
                rule_zh="异议不成立时不能增减对象",
                rule_en="an objection that is not upheld changes nothing on the list",
            )
        found, season = self.of(world)
        step = STEP_OF[world.actor.role]
        struck = cases_on(world, found, (self.strike,) if self.strike else ())
        struck = [_belonging(world, found, case.id) for case in struck]
        added = [_belonging(world, found, self.add)] if self.add else []
        touched = added + struck
        hands = hands_for(world, found, touched, step)
        found.settle_objection(
            self.objection, self.upheld, self.reason, self.add, self.strike, step, hands
        )
        for case in touched:
            if case.id == self.strike:
                case.refuse(step, self.reason)
                continue
            if season.terms.requires("appraisal"):
                case.appraise(found.id, Tier.GENERAL)
            case.put_on(found.id)
        return {"open": found.open_objections}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewList(OfList):
    """The township's review 乡审 of a list, whose first notice is over; may strike single cases."""

    roles: ClassVar[frozenset[Role]] = REVIEWERS
    opinion: str = ""
    struck: tuple[StrikeInput, ...] = ()
    expected_version: int | None = None

    @classmethod
    def check(cls, world: World, found: VillageList, season: Season) -> None:
        found.check_reviewable(season.terms, world.counting)
        check_notice_rules(world, found)
        hands_for(world, found, cases_of(world, found.cases), "review")

    def decide(self, world: World) -> Result | None:
        found, season = self.of(world)
        cases = cases_of(world, found.cases)
        hands = hands_for(world, found, cases, "review")
        check_notice_rules(world, found)
        struck = {one.case for one in self.struck}
        found.review(tuple(struck), season.terms, world.counting, self.opinion, hands)
        strike(world, self.struck, "review")
        for case in cases:
            if case.id not in struck:
                case.review()
        return {"reviewed": len(found.cases), "struck": len(struck)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnList(OfList):
    """Return a list to the village 退回, with a reason: it appraises and posts again."""

    roles: ClassVar[frozenset[Role]] = REVIEWERS | APPROVERS
    reason: str

    @classmethod
    def check(cls, world: World, found: VillageList, season: Season) -> None:
        found.must_be(*UNDECIDED)
        step = STEP_OF[world.actor.role]
        hands_for(world, found, cases_of(world, found.cases), step)

    def decide(self, world: World) -> Result | None:
        check_text("reason", self.reason)
        found, _ = self.of(world)
        step = STEP_OF[world.actor.role]
        hands = hands_for(world, found, cases_of(world, found.cases), step)
        found.send_back(self.reason, step, hands)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveList(OfList):
    """The county's decision 县定 on a list, by document; may strike single cases."""

    roles: ClassVar[frozenset[Role]] = APPROVERS
    document_no: str
    struck: tuple[StrikeInput, ...] = ()
    expected_version: int | None = None

    @classmethod
    def check(cls, world: World, found: VillageList, season: Season) -> None:
        found.check_approvable(season.terms, world.counting)
        check_notice_rules(world, found)
        hands_for(world, found, cases_of(world, found.cases), "approve")

    def decide(self, world: World) -> Result | None:
        check_text("document_no", self.document_no)
        found, season = self.of(world)
        cases = cases_of(world, found.cases)
        hands = hands_for(world, found, cases, "approve")
        check_notice_rules(world, found)
        struck = {one.case for one in self.struck}
        found.approve(
            tuple(struck), season.terms, world.counting, self.document_no, season.standards, hands
        )
        strike(world, self.struck, "approve")
        for case in cases:
            if case.id not in struck:
                case.approve(self.document_no)
        return {"approved": len(found.cases), "struck": len(struck)}


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseList(OfList):
    """Close a list on which everything granted was paid or signed for. Who was approved and granted
    nothing, or not all parts, is left out for good: that takes a reason."""

    roles: ClassVar[frozenset[Role]] = APPROVERS | {Role.COUNTY_PAYER}
    reason: str = ""

    @classmethod
    def check(cls, world: World, found: VillageList, season: Season) -> None:
        found.check_closable()
        cases = [world.get(ReliefCase, case) for case in found.cases]
        waiting = [case.still_open() for case in cases if case.open_grants]
        if waiting:
            second = season.terms.requires("second_notice")
            shown = refusal_of(found.check_notice, Notice.SECOND, world.counting)
            raise GrantsOpen(
                subject=found.id,
                count=sum(one.count for one in waiting),
                cash=sum(one.cash for one in waiting),
                unposted=second and isinstance(shown, NoticeNotPosted),
            )
        for case in cases:
            case.check_closable()

    def decide(self, world: World) -> Result | None:
        found, season = self.of(world)
        cases = cases_of(world, found.cases)
        if not self.reason.strip():
            self._check_nobody_left_out(found, cases, season)
        found.close(self.reason)
        for case in cases:
            case.close()
        season.list_closed(village_list=found.id)
        return {"closed": len(cases)}

    @staticmethod
    def _check_nobody_left_out(found: VillageList, cases: list[ReliefCase], season: Season) -> None:
        """Refuses `NothingGranted`, `PartsLeft`."""
        nothing = sum(1 for case in cases if not case.grants)
        if nothing:
            raise NothingGranted(village_list=found.id, count=nothing)
        left = sum(1 for case in cases if case.parts_left(season.terms.rate(case.need.rate)))
        if left:
            raise PartsLeft(village_list=found.id, count=left)


def _minutes(world: World, given: MinutesInput, cases: Iterable[ReliefCase]) -> Minutes:
    """The record of a meeting, which is not held before the last of its households applied."""
    positive("minutes.attendees", given.attendees)
    not_future(world, "minutes.held_on", given.held_on)
    order = ("评议会不能早于户报", "a meeting is not held before a household on its list applied")
    for case in cases:
        day_not_before("minutes.held_on", given.held_on, case.applied_on, order)
    check_sha256("minutes.document_sha256", given.document_sha256)
    return Minutes(given.held_on, given.attendees, given.document_sha256)


def _belonging(world: World, found: VillageList, id: UUID) -> ReliefCase:
    """A case goes on a list of its own season and village; another one is not found there.

    One that stands on no list yet follows its household to the village where it lives now.
    """
    case = world.get(ReliefCase, id)
    unlisted = case.season == found.season and case.village_list is None
    if unlisted and world.get(Household, case.household).village == found.village:
        case.change_village(found.village)
    if (case.season, case.village) != (found.season, found.village):
        raise NotFound(kind="ReliefCase", id=case.id)
    return case
