"""The desk for single relief cases 救助对象: applications, corrections, reopening.

What moves a whole village list lies in `domain.commands.village_lists` and `…payments`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from uuid import UUID

from domain.access import posts_at
from domain.area import check_text
from domain.commands.checked import Checked
from domain.commands.households import check_village
from domain.commands.named_rows import check_named, claim
from domain.commands.sealing import not_future, seal_text
from domain.disaster import Disaster
from domain.exercise import keep_apart
from domain.goods import positive
from domain.household import Household
from domain.login_name import LoginName
from domain.moments import day_not_before
from domain.need import (
    Cause,
    DuplicateApplication,
    Need,
    NeedKind,
    NotForThisKind,
    NotTenDays,
    PersonsExceedHousehold,
    TooManyDays,
)
from domain.officer import Officer
from domain.posts import post_of
from domain.reach import seen
from domain.refusal import NotFound, Refusal
from domain.relief_case import ReliefCase
from domain.roster import Hands
from domain.rules.base import china_day
from domain.rules.standards import BY_DAYS, TEN_DAYS
from domain.season import OutsideSeason, Season
from domain.separation import separate
from domain.village_list import VillageList
from domain.world import About, Command, Result, Role, World

RELIEF_CASE = About("relief-cases", ReliefCase, "case")
REPORTERS = frozenset({Role.VILLAGE_REPORTER})
STEP_OF: dict[Role, str] = {
    Role.VILLAGE_REPORTER: "report",
    Role.TOWNSHIP_REVIEWER: "review",
    Role.COUNTY_APPROVER: "approve",
    Role.COUNTY_PAYER: "pay",
    Role.STOREKEEPER: "pay",
}
"""Which of the four separated steps an act counts as that several posts may do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedInput:
    """What a household needs: how many persons, what kinds, why; see `domain.need.Need`."""

    persons: int
    kinds: tuple[NeedKind, ...] = ()
    cause: Cause = Cause.OTHER
    rate: str = ""
    days: int = 1
    count: int = 1
    dead: tuple[UUID, ...] = ()
    """Rows of the roster of people, where the programme goes by it: ``count`` is their number."""
    house: UUID | None = None
    """A row of the roster of homes, where the programme goes by it."""
    another: bool = False
    """The dead are others than those of the same name on other rosters, about which was asked."""

    def checked(self, season: Season) -> Need:
        """As a value of the event. `Malformed` if a number or the rate is impossible."""
        positive("persons", self.persons)
        positive("days", self.days)
        positive("count", self.count)
        rate = season.rate(self.rate)
        if rate.basis in BY_DAYS and self.days > rate.max_days:
            raise TooManyDays(days=self.days, most=rate.max_days)
        if rate.basis == "person_ten_days" and self.days % TEN_DAYS:
            raise NotTenDays(days=self.days)
        need = Need(
            persons=self.persons,
            kinds=self.kinds,
            cause=self.cause,
            rate=rate.key,
            days=self.days,
            count=len(self.dead) or self.count,
            dead=self.dead,
            house=self.house,
        )
        check_named(season, need)
        return need


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationInput:
    """One household's application on a village's list of applications."""

    household: UUID
    need: NeedInput
    applied_on: date
    note: str | None = None
    nominated: bool = False


def hands_for(
    world: World, village_list: VillageList | None, cases: Iterable[ReliefCase], step: str
) -> Hands:
    """Reporter ≠ reviewer ≠ approver ≠ payer, for the list and for each of its cases.

    One look at the list; a case is looked at only if somebody acted on it alone.
    """
    done = village_list.steps if village_list is not None else {}
    hands = world.actor.persons
    if village_list is not None:
        hands = separate(world, village_list.id, done, step)
    for case in cases:
        alone = case.steps
        if alone and any(persons != done.get(one) for one, persons in alone.items()):
            hands = separate(world, case.id, alone, step)
    return hands


def single_hands(world: World, case: ReliefCase, step: str) -> Hands:
    """The same for an act on one case: checked against the case and the list it stands on."""
    village_list = world.get(VillageList, case.village_list) if case.village_list else None
    return hands_for(world, village_list, (case,), step)


def check_size(household: Household, persons: int) -> None:
    """`PersonsExceedHousehold` if more persons are in need than there are members now."""
    if persons > household.size:
        raise PersonsExceedHousehold(household=household.id, persons=persons, size=household.size)


def apply(
    world: World,
    season: Season,
    given: ApplicationInput,
    village: UUID,
    hands: Hands,
    *,
    on_behalf: bool = False,
) -> ReliefCase:
    """户报 of one household of that village. Refuses duplicates and impossible needs."""
    household = world.get(Household, given.household)
    if household.village != village:
        raise NotFound(kind="Household", id=household.id)
    household.check_open()
    keep_apart("Household", household.id, exercise=household.exercise, wanted=season.exercise)
    not_future(world, "applied_on", given.applied_on)
    _after_the_disaster(world, season, given.applied_on)
    id = ReliefCase.id_of(season.id, household.id)
    if world.find(ReliefCase, id) is not None:
        raise DuplicateApplication(household=household.id, case=id)
    if not season.terms.is_for(household.category):
        raise NotForThisKind(household=household.id, category=household.category)
    need = given.need.checked(season)
    check_size(household, need.persons)
    claim(world, season, household, need, id, another=given.need.another)
    owner = household.head or world.vault.new_person()
    return world.add(
        ReliefCase(
            id=id,
            season=season.id,
            household=household.id,
            village=village,
            need=need,
            note=seal_text(world, id, owner, "note", given.note),
            nominated=given.nominated,
            applied_on=given.applied_on,
            exercise=season.exercise,
            hands=hands,
            on_behalf=on_behalf,
        )
    )


def _after_the_disaster(world: World, season: Season, applied_on: date) -> None:
    """`Malformed` for an application dated before the disaster that the relief is for."""
    disaster = world.look(Disaster, season.disaster) if season.disaster else None
    if disaster is not None:
        order = ("申请不能早于受灾", "nobody applies before the disaster came")
        day_not_before("applied_on", applied_on, china_day(disaster.occurred_at), order)


def season_over(world: World, season: UUID, village: UUID) -> Season:
    """The season, open, with the village in its area."""
    found = seen(world, Season, season)
    found.check_open()
    if found.area not in world.lineage(village):
        raise OutsideSeason(season=season, village=village)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyForRelief(Command):
    """File a household's application 户报 for a season's relief."""

    roles: ClassVar[frozenset[Role]] = REPORTERS
    season: UUID
    household: UUID
    need: NeedInput
    applied_on: date
    note: str | None = None
    """Free text of the form, kept sealed."""
    nominated: bool = False
    """True when the villagers' group nominated the household 村民小组提名."""

    def scope(self, world: World) -> UUID:
        return world.get(Household, self.household).village

    def decide(self, world: World) -> Result | None:
        village = self.scope(world)
        season = season_over(world, self.season, village)
        given = ApplicationInput(
            household=self.household,
            need=self.need,
            applied_on=self.applied_on,
            note=self.note,
            nominated=self.nominated,
        )
        case = apply(world, season, given, village, world.actor.persons)
        return {"case": case.id}


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyVillage(Command):
    """File the applications of many households of one village in one commit."""

    roles: ClassVar[frozenset[Role]] = REPORTERS
    season: UUID
    village: UUID
    applications: tuple[ApplicationInput, ...]

    def scope(self, world: World) -> UUID:
        return self.village

    def decide(self, world: World) -> Result | None:
        season = season_over(world, self.season, self.village)
        hands = world.actor.persons
        cases = [apply(world, season, one, self.village, hands) for one in self.applications]
        return {"cases": [case.id for case in cases]}


@dataclass(eq=False)
class VillageInPost(Refusal):
    """Only for a village without anybody does the township report and appraise."""

    zh: ClassVar[str] = (
        "该村（{village}）有在岗的村级信息员（{officer}），由村里自己办理，乡镇不能代办"
    )
    en: ClassVar[str] = (
        "This village ({village}) has a reporter in post ({officer}): what a village"
        " does itself, the township does not do on its behalf."
    )
    village: UUID
    officer: UUID


def _never_came(world: World, officer: Officer) -> bool:
    """Whether all log-in names of the officer still wait for whoever was invited to open them.

    One that nobody was invited to was opened by the keeper of the machine, or before invitations.
    """
    names = [world.look(LoginName, LoginName.id_of(login)) for login in officer.logins]
    found = [name for name in names if name is not None]
    return bool(found) and all(name.awaited for name in found)


def check_nobody_in_post(world: World, village: UUID) -> None:
    """`VillageInPost` if somebody can report for this village today, in their own post or in an
    absent officer's place. Who is suspended cannot, nor who was invited and never came."""
    for id in world.officers:
        officer = world.look(Officer, id)
        if officer is None or officer.suspended is not None or _never_came(world, officer):
            continue
        for post in map(post_of, posts_at(officer, world.now)):
            if (post.area, post.role) == (village, Role.VILLAGE_REPORTER):
                raise VillageInPost(village=village, officer=id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyOnBehalf(Command):
    """File applications 户报 on behalf of a village that has nobody in post; one commit.

    Who does it has reported: another person reviews at the township.
    """

    roles: ClassVar[frozenset[Role]] = frozenset({Role.TOWNSHIP_REVIEWER})
    season: UUID
    village: UUID
    applications: tuple[ApplicationInput, ...]

    def scope(self, world: World) -> UUID:
        return self.village

    def wants_posts_in(self) -> UUID | None:
        return self.village

    def decide(self, world: World) -> Result | None:
        check_village(world, self.village)
        check_nobody_in_post(world, self.village)
        season = season_over(world, self.season, self.village)
        hands = world.actor.persons
        cases = [
            apply(world, season, one, self.village, hands, on_behalf=True)
            for one in self.applications
        ]
        return {"cases": [case.id for case in cases]}


@dataclass(frozen=True, slots=True, kw_only=True)
class OfCase(Checked):
    """What every step of a single case shares: its village's jurisdiction."""

    about: ClassVar[About] = RELIEF_CASE
    case: UUID

    def checked(self, world: World) -> ReliefCase:
        """The case, if the step is open."""
        case = world.get(ReliefCase, self.case)
        self.check(world, case)
        return case


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectApplication(OfCase):
    """Correct what was applied for, with a reason; after the township's review only downwards."""

    roles: ClassVar[frozenset[Role]] = frozenset({Role.VILLAGE_REPORTER, Role.TOWNSHIP_REVIEWER})
    need: NeedInput
    reason: str
    expected_version: int | None = None

    @classmethod
    def check(cls, world: World, subject: ReliefCase) -> None:
        season_over(world, subject.season, subject.village)
        subject.check_correctable()
        single_hands(world, subject, STEP_OF[world.actor.role])

    def decide(self, world: World) -> Result | None:
        check_text("reason", self.reason)
        case = self.checked(world)
        season = world.get(Season, case.season)
        need = self.need.checked(season)
        household = world.get(Household, case.household)
        check_size(household, need.persons)
        step = STEP_OF[world.actor.role]
        claim(world, season, household, need, case.id, another=self.need.another)
        case.correct(need, self.reason, step, single_hands(world, case, step))
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenCase(OfCase):
    """Reopen a refused or closed case: it may go on a list of a further round."""

    roles: ClassVar[frozenset[Role]] = frozenset({Role.TOWNSHIP_REVIEWER, Role.COUNTY_APPROVER})
    reason: str

    @classmethod
    def check(cls, world: World, subject: ReliefCase) -> None:
        season_over(world, subject.season, subject.village)
        subject.check_reopenable()
        single_hands(world, subject, STEP_OF[world.actor.role])

    def decide(self, world: World) -> Result | None:
        check_text("reason", self.reason)
        case = self.checked(world)
        step = STEP_OF[world.actor.role]
        season = world.get(Season, case.season)
        home = world.get(Household, case.household)
        claim(world, season, home, case.need, case.id, another=True)
        case.reopen(self.reason, step, single_hands(world, case, step))
        return None
