"""The desk for moves between counties: offered by the one, accepted or declined by the other.

What stays behind is named in the offer: the open cases, which the old county still decides and
pays, and the card they are paid to. Within a county see `MoveHousehold`.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar
from uuid import UUID

from domain.area import Area, AreaLevel
from domain.case_checks import Stage
from domain.commands.households import OfHousehold, check_village
from domain.commands.sealing import not_future, seal_text
from domain.commands.village_groups import group_referred_to
from domain.household import Household
from domain.household_move import MoveEnd, MoveOffer, OpenCase, OpenCasesLeftOut, SameCounty
from domain.reach import in_reach
from domain.refusal import NotFound, Refusal, refusal_of
from domain.relief_case import ReliefCase
from domain.rules.household_kinds import HouseholdKinds
from domain.world import Result, Role, World

TAKERS = frozenset({Role.TOWNSHIP_REVIEWER, Role.COUNTY_APPROVER})


def _county(world: World, village: UUID) -> UUID | None:
    for step in world.lineage(village):
        area = world.find(Area, step)
        if area is not None and area.level == AreaLevel.COUNTY:
            return step
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferHouseholdMove(OfHousehold):
    """Offer a household to the county it goes to, with its open cases, card and promised goods."""

    roles: ClassVar[frozenset[Role]] = frozenset({Role.COUNTY_APPROVER})
    village: UUID
    group: str = ""
    group_code: str = ""
    address: str | None = None
    cases: tuple[UUID, ...] = ()
    """Its open relief cases, as the ledger shows them."""

    def wants_cases_of(self) -> UUID | None:
        return self.household

    @classmethod
    def closed(cls, world: World, subject: Household) -> Refusal | None:
        return refusal_of(subject.must_not_wait, world.counting)

    def decide(self, world: World) -> Result | None:
        household = self.of(world)
        household.must_not_wait(world.counting)
        check_village(world, self.village)
        if _county(world, household.village) == _county(world, self.village):
            raise SameCounty(household=household.id, head=household.head_masked)
        days = world.rules(HouseholdKinds, household.village, world.now).rule.move_offer_days
        owner = household.head or world.vault.new_person()
        group, code = group_referred_to(world, self.village, self.group, self.group_code)
        offer = MoveOffer(
            village=self.village,
            group=group,
            group_code=code,
            address=seal_text(world, household.id, owner, "address", self.address),
            due_at=world.now + timedelta(days=days),
            cases=tuple(_open_case(world, household, case) for case in self.cases),
            card=household.card.masked if household.card is not None else None,
        )
        _all_named(world, household, self.cases)
        household.offer_move(offer, world.counting, self.reason)
        return {"due_at": offer.due_at, "cases": len(offer.cases)}


def _all_named(world: World, household: Household, named: tuple[UUID, ...]) -> None:
    """`OpenCasesLeftOut` unless the offer names every open case that the actor's post reaches."""
    looked = (world.look(ReliefCase, id) for id in sorted(world.cases) if id not in named)
    left = tuple(
        case.id
        for case in looked
        if case is not None
        and case.household == household.id
        and not _settled(case)
        and in_reach(world, case.village)
    )
    if left:
        raise OpenCasesLeftOut(
            household=household.id, head=household.head_masked, count=len(left), cases=left
        )


def _settled(case: ReliefCase) -> bool:
    """Nothing more comes of it: a payment that bounced after a case was closed is still owed."""
    return case.stage in (Stage.REFUSED, Stage.CLOSED) and not case.open_grants


def _open_case(world: World, household: Household, id: UUID) -> OpenCase:
    """What a case of this household still promises. `NotFound` for another one's, or a closed."""
    case = world.get(ReliefCase, id)
    if case.household != household.id or _settled(case):
        raise NotFound(kind="ReliefCase", id=id)
    goods: dict[str, int] = {}
    cash_fen = 0
    for number in case.open_grants:
        grant = case.grants[number]
        cash_fen += grant.cash_fen
        if grant.item:
            goods[grant.item] = goods.get(grant.item, 0) + grant.units
    return OpenCase(case=id, stage=str(case.stage), cash_fen=cash_fen, goods=goods)


@dataclass(frozen=True, slots=True, kw_only=True)
class _AnswerMove(OfHousehold):
    """Answers of the county that the household is offered to: its jurisdiction governs."""

    roles: ClassVar[frozenset[Role]] = TAKERS

    @classmethod
    def lies_in(cls, world: World, subject: Household) -> UUID:
        return subject.village if subject.offer is None else subject.offer.village

    @classmethod
    def closed(cls, world: World, subject: Household) -> Refusal | None:
        return refusal_of(subject.must_offer)


def _must_have_room(world: World, household: Household) -> MoveOffer:
    """The offer, if it may be accepted yet and its village is still there."""
    offer = household.must_offer_still(world.counting)
    check_village(world, offer.village)
    return offer


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptHouseholdMove(_AnswerMove):
    """Take in a household that another county offers; from then on it lives here."""

    on: date

    @classmethod
    def closed(cls, world: World, subject: Household) -> Refusal | None:
        return refusal_of(_must_have_room, world, subject)

    def decide(self, world: World) -> Result | None:
        household = self.of(world)
        not_future(world, "on", self.on)
        offer = _must_have_room(world, household)
        there = world.get(Area, offer.village).groups.get(offer.group_code)
        group_code = "" if there is None or not there.living else offer.group_code
        household.accept_move(self.on, world.counting, self.reason, group_code)
        return {"village": household.village}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineHouseholdMove(_AnswerMove):
    """Not take in a household that another county offers, with the reason."""

    def decide(self, world: World) -> Result | None:
        self.of(world).end_move(MoveEnd.DECLINED, self.reason)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawHouseholdMove(OfHousehold):
    """Take an offer back that has not been answered yet."""

    roles: ClassVar[frozenset[Role]] = frozenset({Role.COUNTY_APPROVER})

    @classmethod
    def closed(cls, world: World, subject: Household) -> Refusal | None:
        return refusal_of(subject.must_offer)

    def decide(self, world: World) -> Result | None:
        self.of(world).end_move(MoveEnd.WITHDRAWN, self.reason)
        return None
