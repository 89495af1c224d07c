"""What a relief case must be before a step is taken: which stage, which grants, what standard."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from domain.grants import (
    OPEN,
    Grant,
    GrantsOpen,
    GrantStatus,
    NoCashThere,
    NoGrantThere,
    NoSuchGrant,
    NoSuchPart,
    PartGranted,
    PartNotNext,
    WrongGrantStatus,
    check_guide,
    check_standard,
)
from domain.household import Household
from domain.household_members import Losses
from domain.need import Need
from domain.refusal import Refusal
from domain.rules.parts import Part, parts_of
from domain.rules.standards import Programme, Rate


class Stage(StrEnum):
    APPLIED = "applied"  # 户报
    APPRAISED = "appraised"  # 村评
    ON_LIST = "on_list"
    REVIEWED = "reviewed"  # 乡审
    APPROVED = "approved"  # 县定
    REFUSED = "refused"
    CLOSED = "closed"


@dataclass(eq=False)
class NoReasonGiven(Refusal):
    """One of several cases that a list leaves out, without saying why."""

    zh: ClassVar[str] = "户 {household} 不列入名册，须写明理由"
    en: ClassVar[str] = "Say why household {household} is left off the list."
    household: UUID


@dataclass(eq=False)
class WrongStage(Refusal):
    zh: ClassVar[str] = "救助对象 {case} 处于“{stage}”阶段，此步骤需要“{needed}”"
    en: ClassVar[str] = "Case {case} is at stage “{stage}”; this step is taken at “{needed}”."
    case: UUID
    stage: str
    needed: str


@dataclass(eq=False)
class OnAnotherList(Refusal):
    zh: ClassVar[str] = "救助对象 {case} 已列入另一名册（{village_list}）"
    en: ClassVar[str] = "Case {case} stands on another list ({village_list})."
    case: UUID
    village_list: UUID


@dataclass(eq=False)
class OnlyLess(Refusal):
    """Once the list was reviewed nobody gets more on it: more takes an application of its own."""

    zh: ClassVar[str] = (
        "乡审以后只能核减：人数不能多于 {persons} 人，天数不能多于 {days}，"
        "间数或人数（按间、按遇难人数核定的）不能多于 {count}，标准档次不能更改"
    )
    en: ClassVar[str] = (
        "After the township's review an application is only reduced: no more than {persons} "
        "{persons:person|persons}, {days} {days:day|days} and {count} {count:room|rooms} or "
        "{count:death|deaths}, and the same rate."
    )
    case: UUID
    persons: int
    days: int
    count: int


DECIDED = (Stage.REVIEWED, Stage.APPROVED)
ENDED = (Stage.REFUSED, Stage.CLOSED)


class CaseChecks:
    """What `ReliefCase` is asked before it triggers a fact. A check that fails raises its refusal.

    No aggregate: of a base that is one the library takes the fields for those of the first fact.
    """

    if TYPE_CHECKING:

        @property
        def id(self) -> UUID: ...

        stage: Stage
        need: Need
        village_list: UUID | None
        grants: dict[int, Grant]
        status: dict[int, GrantStatus]
        known_losses: Losses | None

    @property
    def open_grants(self) -> list[int]:
        return [number for number, status in self.status.items() if status in OPEN]

    def still_open(self) -> GrantsOpen:
        """What is said of the grants that are open."""
        cash = sum(self.grants[number].is_cash for number in self.open_grants)
        return GrantsOpen(subject=self.id, count=len(self.open_grants), cash=cash)

    def must_be(self, *stages: Stage) -> None:
        if self.stage not in stages:
            raise WrongStage(case=self.id, stage=self.stage, needed=" / ".join(stages))

    def check_list(self, village_list: UUID) -> None:
        if self.village_list not in (None, village_list):
            assert self.village_list is not None
            raise OnAnotherList(case=self.id, village_list=self.village_list)

    def check_correctable(self) -> None:
        """It goes on: what was asked for can be corrected, after the review downwards only."""
        self.must_be(*(stage for stage in Stage if stage not in ENDED))

    def check_reopenable(self) -> None:
        """It ended, and no payment has bounced since. Refuses `WrongStage`, `GrantsOpen`."""
        self.must_be(*ENDED)
        if self.open_grants:
            raise self.still_open()

    def grants_at(self, *statuses: GrantStatus, cash: bool = False) -> list[int]:
        """Numbers of the grants in one of these states; with ``cash`` of money only."""
        return [
            number
            for number, status in self.status.items()
            if status in statuses and (self.grants[number].is_cash or not cash)
        ]

    def check_some(self, *statuses: GrantStatus, cash: bool = False) -> None:
        """`NoGrantThere` (or `NoCashThere`) if no grant is in one of these states."""
        if not self.grants_at(*statuses, cash=cash):
            refusal = NoCashThere if cash else NoGrantThere
            raise refusal(case=self.id, needed=" / ".join(statuses))

    def lost_since(self, household: Household) -> Losses | None:
        """What the household has lost since the amounts were set, if that holds open grants.

        A death always does. Who left, or was given to another household, does if fewer are there
        now than the amounts were reckoned for; so does any loss if it is not known what was known.
        """
        known, short = self.known_losses, self.need.persons > household.size
        if not self.open_grants:
            return None
        if known is None:
            return household.losses if short else None
        died = household.losses.died - known.died
        gone = household.losses.gone - known.gone
        return Losses(died, gone) if died or (gone and short) else None

    @property
    def next_number(self) -> int:
        return len(self.grants) + 1

    @property
    def parts_granted(self) -> frozenset[int]:
        """The parts that stand, paid or not. What was made void or all given back is to come."""
        ended = (GrantStatus.VOID, GrantStatus.REFUNDED)
        return frozenset(
            grant.part
            for number, grant in self.grants.items()
            if grant.part and self.status[number] not in ended
        )

    def parts_left(self, rate: Rate | None) -> tuple[Part, ...]:
        """The parts that have not been granted, the next one first; none where all is paid at
        once, or where the standard has no such rate any more."""
        if rate is None:
            return ()
        granted = self.parts_granted
        return tuple(one for one in parts_of(rate, self.need.days) if one.number not in granted)

    def check_parts(self, grants: Sequence[Grant], rate: Rate) -> None:
        """New cash names the part that comes next. Refuses `NoSuchPart`, `PartGranted`,
        `PartNotNext`."""
        known = parts_of(rate, self.need.days)
        left = self.parts_left(rate)
        for part in (grant.part for grant in grants if grant.is_cash):
            if part in self.parts_granted:
                raise PartGranted(case=self.id, part=part)
            if bool(part) != bool(known) or part > len(known):
                raise NoSuchPart(case=self.id, part=part, parts=len(known))
            if left and part != left[0].number:
                raise PartNotNext(case=self.id, part=part, next=left[0].number)

    def check_standard(
        self, grants: Sequence[Grant], terms: Programme, rate: Rate, reason: str | None
    ) -> None:
        """Whether these, in place of or beside what stands, keep within the standard."""
        numbers = {grant.number for grant in grants}
        standing = [one for one in self.grants.values() if one.number not in numbers]
        check_standard(self.id, self.need, standing, grants, terms, rate, reason)

    def check_guide(
        self, grants: Sequence[Grant], terms: Programme, rate: Rate, reason: str | None
    ) -> None:
        """Whether these come to what the standard gives, where it leaves no range."""
        standing = list(self.grants.values())
        check_guide(self.id, self.need, standing, grants, terms, rate, reason)

    def check_closable(self) -> None:
        """Everything granted has arrived. Refuses `WrongStage`, `GrantsOpen`."""
        self.must_be(Stage.APPROVED)
        if self.open_grants:
            raise self.still_open()

    def must_have(self, number: int, *statuses: GrantStatus) -> Grant:
        """The grant of that number in one of these states."""
        grant = self.grants.get(number)
        if grant is None:
            raise NoSuchGrant(case=self.id, number=number)
        if self.status[number] not in statuses:
            raise WrongGrantStatus(case=self.id, number=number, state=self.status[number])
        return grant
