"""May this be paid now? The one question that every way to pay or to hand out asks.

A list's payment order, a retry of a bounced payment, goods signed for: each asks `check_payable`
for each grant just before it goes out, however it came to be open. What holds one household up
(and not its whole list) is asked by `check_household`.
"""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.casualty_record import CasualtyRecord, Fate
from domain.grants import OPEN, Grant, GrantStatus
from domain.house_damage import HouseDamage
from domain.household import Household
from domain.need import Need, NotAmongTheDead, RateForOtherDamage
from domain.notice_rules import check_notice_rules
from domain.refusal import Refusal
from domain.relief_case import ReliefCase
from domain.season import Season
from domain.village_list import VillageList
from domain.world import World


@dataclass(eq=False)
class MemberContested(Refusal):
    """A member is claimed by another household too: no payment until a superior decides.

    The household that claimed first waits for the days of the rulebook at most
    (`Household.contest`).
    """

    zh: ClassVar[str] = "{head}户有 {contested} 名成员归属待上级裁定，暂不能发放"
    en: ClassVar[str] = (
        "{contested} {contested:member|members} of the household of {head} "
        "{contested:is|are} contested: "
        "nothing is paid or handed out until a superior decides."
    )
    household: UUID
    head: str
    contested: int


@dataclass(eq=False)
class NoCard(Refusal):
    """Money goes to a card of the household (domain.md §2.3); it has none, or its holder left."""

    zh: ClassVar[str] = "{head}户没有登记有效的一卡通账号，暂不能发放"
    en: ClassVar[str] = "The household of {head} has no valid card: nothing can be paid yet."
    household: UUID
    head: str


@dataclass(eq=False)
class HeldAfterLoss(Refusal):
    """Nothing is paid for the dead: who was counted when the amounts were set is no longer there.

    The county decides (`DecideHeldGrants`): less, the same with a reason, or nothing.
    """

    zh: ClassVar[str] = (
        "{head}户在核定款物之后有 {died} 人死亡、{gone} 人离户，款物暂停发放，"
        "须由县级审定员决定：核减、说明理由后照发，或撤销"
    )
    en: ClassVar[str] = (
        "Since the amounts were set, {died} of the household of {head} {died:has|have} died and "
        "{gone} {gone:has|have} left it: the grants are held until the county reduces, "
        "confirms or withdraws them."
    )
    household: UUID
    case: UUID
    head: str
    died: int
    gone: int


def check_list(world: World, season: Season, found: VillageList) -> None:
    """What `VillageList.check_payable` says, and whether its notices hung by confirmed rules."""
    found.check_payable(season.terms, world.counting)
    check_notice_rules(world, found)


def check_payable(world: World, season: Season, case: ReliefCase, grant: Grant) -> UUID | None:
    """Whose card ``grant`` of ``case`` goes to if it may go out now; None: in cash, or goods.

    Refuses with the first of these that holds it back: `SeasonClosed`, `WrongGrantStatus`, what
    `check_list` says of the list it was set on (no notice standing, an objection
    open), what `check_household` says of the household and `check_rows` of the rosters, and
    `NoCard` for cash.
    """
    season.check_open()
    case.must_have(grant.number, *(OPEN if grant.is_cash else (GrantStatus.GRANTED,)))
    check_list(world, season, world.get(VillageList, case.lists[grant.number]))
    household = check_household(world, season, case)
    check_rows(world, season, case.need)
    if not grant.is_cash:
        return None
    if household.card is None and not season.pays_contested:
        raise NoCard(household=household.id, head=household.head_masked)
    return household.card.holder if household.card is not None else None


def check_household(world: World, season: Season, case: ReliefCase) -> Household:
    """The case's household, if nothing about its people holds its grants back.

    Refuses `HouseholdMerged`, `MemberContested` (emergency relief does not wait for that, design
    §4) and `HeldAfterLoss` (for the dead nothing is paid in an emergency either).
    """
    household = world.get(Household, case.household)
    household.check_open()
    contested = household.held_by_contests(world.counting)
    if contested and not season.pays_contested:
        raise MemberContested(
            household=household.id, head=household.head_masked, contested=contested
        )
    check_losses(case, household)
    return household


def check_rows(world: World, season: Season, need: Need) -> None:
    """The rows of the rosters that a need names still say what it is granted for.

    Refuses `NotAmongTheDead`, `DamageWithdrawn`, `RateForOtherDamage`: who was found alive, or a
    home that was graded again, is not paid for by what the roster said before.
    """
    for id in need.dead:
        person = world.get(CasualtyRecord, id)
        if person.fate is not Fate.DEAD:
            raise NotAmongTheDead(masked=person.masked_name)
    if need.house is None:
        return
    home, rate = world.get(HouseDamage, need.house), season.terms.rate(need.rate)
    home.must_stand()
    if rate is not None and rate.grades and home.grade not in rate.grades:
        raise RateForOtherDamage(masked=home.masked_name, grade=home.grade)


def check_losses(case: ReliefCase, household: Household) -> None:
    """`HeldAfterLoss` if open grants of the case wait for a decision since somebody died or left.

    New amounts beside them would hide that: an allocation asks this too.
    """
    lost = case.lost_since(household)
    if lost is not None:
        raise HeldAfterLoss(
            household=household.id,
            case=case.id,
            head=household.head_masked,
            died=lost.died,
            gone=lost.gone,
        )
