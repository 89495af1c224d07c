"""The desk for grants held after a death or a departure: reduce them, confirm them, withdraw them.

Who was counted when the amounts were set is no longer there, so nothing goes out (`domain.paying`)
until the county has decided, in writing, what the household gets now.
"""

from dataclasses import dataclass
from typing import ClassVar

from msgspec.structs import replace

from domain.area import check_text
from domain.case_checks import Stage
from domain.commands.grant_corrections import release_spare
from domain.commands.relief_cases import OfCase, single_hands
from domain.goods import not_negative
from domain.grants import OPEN, Grant, HoldDecision, NothingHeld, first_units
from domain.household import Household
from domain.refusal import Malformed
from domain.relief_case import ReliefCase
from domain.roster import Hands
from domain.season import Season
from domain.world import Result, Role, World


@dataclass(frozen=True, slots=True, kw_only=True)
class ReducedInput:
    """What is left of one open grant: ``cash_fen`` of a cash grant, ``units`` of goods."""

    number: int
    cash_fen: int = 0
    units: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideHeldGrants(OfCase):
    """Decide what becomes of a household's open grants after a member died or left.

    ``reduced``: smaller amounts, by grant; what is not named stays. ``confirmed``: all as they
    are, for the reason given. ``withdrawn``: none of them goes out. Money and goods that are no
    longer needed are free again at once; smaller amounts need no new notice.
    """

    roles: ClassVar[frozenset[Role]] = frozenset({Role.COUNTY_APPROVER})
    decision: HoldDecision
    reason: str
    reduced: tuple[ReducedInput, ...] = ()
    persons: int | None = None
    """How many persons the reduced amounts are for; None: as many as the household has now."""

    @classmethod
    def check(cls, world: World, subject: ReliefCase) -> None:
        world.get(Season, subject.season).check_open()
        household = world.get(Household, subject.household)
        if subject.lost_since(household) is None:
            raise NothingHeld(case=subject.id, head=household.head_masked)
        single_hands(world, subject, "approve")

    def decide(self, world: World) -> Result | None:
        check_text("reason", self.reason)
        case = self.checked(world)
        season = world.get(Season, case.season)
        household = world.get(Household, case.household)
        hands = single_hands(world, case, "approve")
        if self.decision is HoldDecision.REDUCED:
            self._fewer_persons(case, household, hands)
        changed = self._change(world, case, hands)
        if self.decision is HoldDecision.REDUCED:
            left = [case.grants[number] for number in case.open_grants]
            case.check_standard(left, season.terms, season.rate(case.need.rate), None)
        case.decide_hold(self.decision, household, self.reason, hands)
        return {
            "changed": changed,
            "cash_fen": sum(case.grants[number].cash_fen for number in case.open_grants),
            "units": sum(case.grants[number].units for number in case.open_grants),
        }

    def _fewer_persons(self, case: ReliefCase, household: Household, hands: Hands) -> None:
        """The need is reckoned anew, for those who are there; a closed case keeps what it says."""
        persons = min(case.need.persons, household.size) if self.persons is None else self.persons
        if not 0 < persons <= min(case.need.persons, household.size):
            raise Malformed(
                field="persons",
                value=str(persons),
                rule_zh="应为1至本户现有人数，且不多于原救助人数；无人可救助的请撤销",
                rule_en="1 to the members there are now, and no more than before; else withdraw",
            )
        if case.stage is Stage.APPROVED and persons < case.need.persons:
            case.correct(replace(case.need, persons=persons), self.reason, "approve", hands)

    def _change(self, world: World, case: ReliefCase, hands: Hands) -> int:
        """Correct the grants that change. Answers how many do."""
        wanted = self._wanted(case)
        for grant, corrected in wanted:
            release_spare(world, grant, corrected, self.reason)
            case.correct_grant(corrected, self.reason, hands)
        return len(wanted)

    def _wanted(self, case: ReliefCase) -> list[tuple[Grant, Grant]]:
        """Each grant that changes, as it was and as it will be."""
        if self.reduced and self.decision is not HoldDecision.REDUCED:
            raise _not_reduced("只有核减时才填写新的数额", "new amounts are for a reduction only")
        if self.decision is HoldDecision.CONFIRMED:
            return []
        if self.decision is HoldDecision.WITHDRAWN:
            grants = [case.grants[number] for number in case.open_grants]
            return [(grant, replace(grant, cash_fen=0, picks=())) for grant in grants]
        if not self.reduced or len({one.number for one in self.reduced}) < len(self.reduced):
            raise _not_reduced("至少核减一笔，每笔只填一次", "one grant at least, and each once")
        wanted = []
        for one in self.reduced:
            grant = case.must_have(one.number, *OPEN)
            less = one.cash_fen if grant.is_cash else one.units
            not_negative("reduced", less)
            if less >= (grant.cash_fen if grant.is_cash else grant.units):
                raise _not_reduced("须少于原数额", "less than it was")
            corrected = (
                replace(grant, cash_fen=less)
                if grant.is_cash
                else replace(grant, picks=first_units(grant.picks, less))
            )
            wanted.append((grant, corrected))
        return wanted


def _not_reduced(rule_zh: str, rule_en: str) -> Malformed:
    return Malformed(field="reduced", value="", rule_zh=rule_zh, rule_en=rule_en)
