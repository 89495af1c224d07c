"""The desk for goods handed out: who signed for what, household by household or a whole list."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from uuid import UUID

from domain.area import check_text
from domain.commands.relief_cases import hands_for
from domain.commands.sealing import check_sha256, not_future
from domain.commands.stock import reserved_in
from domain.commands.village_lists import OfList, cases_of, cases_on
from domain.grants import Grant, GrantStatus, NothingToGrant, grant_id
from domain.masking import mask_name
from domain.paying import check_list, check_payable
from domain.relief_case import ReliefCase
from domain.roster import Hands
from domain.season import Season
from domain.separation import separate
from domain.village_list import VillageList
from domain.world import Result, Role, World

GIVERS = frozenset({Role.COUNTY_PAYER, Role.STOREKEEPER})


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureInput:
    """Who signed for the goods of one case: masked before it is kept."""

    case: UUID
    signed_by: str
    relation: str = ""
    photo_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignGoods(OfList):
    """Record that households received and signed for their goods, one or a whole list at once."""

    roles: ClassVar[frozenset[Role]] = GIVERS
    signatures: tuple[SignatureInput, ...]
    signed_on: date | None = None
    """The day on the paper that was signed; left out, the day of the record stands for it."""

    @classmethod
    def check(cls, world: World, found: VillageList, season: Season) -> None:
        check_list(world, season, found)
        separate(world, found.id, found.steps, "pay")
        if not any(_unsigned(case) for case in cases_of(world, found.cases)):
            raise NothingToGrant(village_list=found.id)

    def decide(self, world: World) -> Result | None:
        not_future(world, "signed_on", self.signed_on)
        found, season = self.of(world)
        check_list(world, season, found)
        cases = cases_on(world, found, (one.case for one in self.signatures))
        hands = hands_for(world, found, cases, "pay")
        units = 0
        for at, (case, signature) in enumerate(zip(cases, self.signatures, strict=True)):
            check_text(f"signatures[{at}].signed_by", signature.signed_by)
            check_sha256(f"signatures[{at}].photo_sha256", signature.photo_sha256)
            waiting = _unsigned(case)
            if not waiting:
                raise NothingToGrant(village_list=found.id)
            for grant in waiting:
                check_payable(world, season, case, grant)
            units += sum(self._hand_over(world, case, one, signature, hands) for one in waiting)
        found.handed_out(households=len(cases), units=units, hands=hands)
        return {"households": len(cases), "units": units}

    def _hand_over(
        self,
        world: World,
        case: ReliefCase,
        grant: Grant,
        signature: SignatureInput,
        hands: Hands,
    ) -> int:
        """Out of the reservation into the household's hands, by the lots that were set aside."""
        assert grant.stockpile is not None
        stockpile = reserved_in(world, grant.stockpile, grant.source)
        kept = stockpile.reserved.get(grant.source, {})
        same = all(kept.get(pick.lot, 0) >= pick.quantity for pick in grant.picks)
        picks = stockpile.give(
            grant.source,
            grant.units,
            case=case.id,
            grant=grant_id(case.id, grant.number),
            picks=grant.picks if same else None,
        )
        case.sign(
            grant.number,
            picks,
            mask_name(signature.signed_by),
            signature.relation,
            signature.photo_sha256,
            self.signed_on,
            hands,
        )
        return grant.units


def _unsigned(case: ReliefCase) -> list[Grant]:
    """Goods of the case that nobody has signed for yet."""
    return [
        grant
        for number, grant in case.grants.items()
        if not grant.is_cash and case.status[number] is GrantStatus.GRANTED
    ]
