"""ReliefCase 救助对象: one household in one season, from 户报 to the last signature.

One life fits all six programmes: which steps a case must pass is said by the season's terms. A
step taken for a whole list leaves its hands in the list; a step on this case alone leaves them
here. Corrections are events with a reason; nothing is edited.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any
from uuid import UUID, uuid5

from eventsourcing.domain import event
from msgspec.structs import replace

from domain.base import NAMESPACE, Aggregate, grown
from domain.case_checks import DECIDED, ENDED, CaseChecks, NoReasonGiven, OnlyLess, Stage
from domain.goods import LotPick
from domain.grants import (
    OPEN,
    Grant,
    GrantStatus,
    HoldDecision,
    less,
)
from domain.household import Household
from domain.household_members import Losses
from domain.moments import day_not_before
from domain.need import Need, Tier
from domain.roster import Hands
from domain.rules.standards import Programme, Rate
from domain.separation import join
from domain.world import Sealed

AFTER_APPLYING = ("发放不能早于户报", "nothing goes out before the household applied")


class ReliefCase(CaseChecks, Aggregate):
    """Stages as in `Stage`; ``grants`` by number, each with a life of its own in ``status``."""

    @event("Applied")
    def __init__(
        self,
        id: UUID,
        season: UUID,
        household: UUID,
        village: UUID,
        need: Need,
        note: Sealed | None,
        nominated: bool,
        applied_on: date,
        exercise: bool,
        hands: Hands,
        on_behalf: bool = False,
    ) -> None:
        """``on_behalf``: the township took it, for the village had nobody in post."""
        self.season = season
        self.household = household
        self.village = village
        self.need = need
        self.applied_on = applied_on
        self.exercise = exercise
        self.stage = Stage.APPLIED
        self.village_list: UUID | None = None
        self.grants: dict[int, Grant] = {}
        self.status: dict[int, GrantStatus] = {}
        self.batches: dict[int, UUID] = {}
        self.lists: dict[int, UUID] = {}
        self.known_losses: Losses | None = None
        self.steps: dict[str, Hands] = {"report": hands} if hands else {}

    @staticmethod
    def id_of(season: UUID, household: UUID) -> UUID:
        return uuid5(NAMESPACE, f"relief-case/{season}/{household}")

    def derived_id(self) -> UUID:
        return self.id_of(self.season, self.household)

    @property
    def home(self) -> UUID:
        return self.village

    def change_village(self, village: UUID) -> None:
        """The household lives there now, or its village was merged: the case goes on there."""
        if village != self.village:
            self._village_changed(origin=self.village, village=village, grants=len(self.grants))

    @event("VillageChanged")
    def _village_changed(self, origin: UUID, village: UUID, grants: int) -> None:
        self.village = village

    # Up to the county's decision

    def correct(self, need: Need, reason: str, step: str, hands: Hands) -> None:
        """What was applied for is corrected; after the township's review downwards only."""
        self.check_correctable()
        if self.stage in DECIDED and need.exceeds(self.need):
            old = self.need
            raise OnlyLess(case=self.id, persons=old.persons, days=old.days, count=old.count)
        self._corrected(need=need, reason=reason, step=step, hands=hands)

    @event("Corrected")
    def _corrected(self, need: Need, reason: str, step: str, hands: Hands) -> None:
        self.need = need
        join(self.steps, step, hands)

    def appraise(self, village_list: UUID, tier: Tier) -> None:
        """村评: the meeting holds that this household is to be helped, first or in general."""
        self.must_be(Stage.APPLIED, Stage.ON_LIST, Stage.REVIEWED)
        self.check_list(village_list)
        self._appraised(village_list=village_list, tier=tier)

    @event("Appraised")
    def _appraised(self, village_list: UUID, tier: Tier) -> None:
        self.stage = Stage.APPRAISED

    def put_on(self, village_list: UUID) -> None:
        self.must_be(Stage.APPLIED, Stage.APPRAISED)
        self.check_list(village_list)
        self._listed(village_list=village_list)

    @event("Listed")
    def _listed(self, village_list: UUID) -> None:
        self.stage = Stage.ON_LIST
        self.village_list = village_list

    def review(self) -> None:
        self.must_be(Stage.ON_LIST, Stage.REVIEWED)
        self._reviewed()

    @event("Reviewed")
    def _reviewed(self) -> None:
        self.stage = Stage.REVIEWED

    def approve(self, document_no: str) -> None:
        self.must_be(Stage.ON_LIST, Stage.REVIEWED)
        self._approved(document_no=document_no)

    @event("Approved")
    def _approved(self, document_no: str) -> None:
        self.stage = Stage.APPROVED

    def check_reason(self, reason: str) -> None:
        """Whoever decides about several cases says of each why it is left out."""
        if not reason.strip():
            raise NoReasonGiven(household=self.household)

    def refuse(self, step: str, reason: str) -> None:
        """Not to be helped, and why: by the village, the township, the county or an objection."""
        self.must_be(*(stage for stage in Stage if stage not in ENDED))
        if self.open_grants:
            raise self.still_open()
        self._refused(step=step, reason=reason)

    @event("Refused")
    def _refused(self, step: str, reason: str) -> None:
        self.stage = Stage.REFUSED
        self.village_list = None

    def reopen(self, reason: str, step: str, hands: Hands) -> None:
        """A refused or closed case is looked at again, on a list of its own round."""
        self.check_reopenable()
        self._reopened(reason=reason, step=step, hands=hands)

    @event("Reopened")
    def _reopened(self, reason: str, step: str, hands: Hands) -> None:
        self.stage = Stage.APPLIED
        self.village_list = None
        join(self.steps, step, hands)

    # Grants

    def grant(
        self,
        grants: Sequence[Grant],
        terms: Programme,
        rate: Rate,
        reason: str | None,
        losses: Losses,
    ) -> None:
        """Grant cash and goods, in numbers that follow. Over the standard only with a reason.

        ``losses``: what the household had lost by now; what it loses later holds the grants.

        Refuses `WrongStage`, `NoSuchPart`, `PartGranted`, `PartNotNext`, `OverStandard`,
        `UnderStandard`, `OffGuide`, `OverAllowance`, `ItemNotInProgramme`.
        """
        self.must_be(Stage.APPROVED)
        self.check_parts(grants, rate)
        self.check_standard(grants, terms, rate, reason)
        self.check_guide(grants, terms, rate, reason)
        for grant in grants:
            assert grant.number == self.next_number
            self._granted(grant=grant, reason=reason, losses=losses)

    @event("Granted")
    def _granted(self, grant: Grant, reason: str | None, losses: Losses | None) -> None:
        self.grants[grant.number] = grant
        self.status[grant.number] = GrantStatus.GRANTED
        if self.village_list is not None:
            self.lists[grant.number] = self.village_list
        if losses is not None:
            self.known_losses = losses

    def decide_hold(
        self, decision: HoldDecision, household: Household, reason: str, hands: Hands
    ) -> None:
        """The county has decided what becomes of the grants that a loss holds."""
        self._hold_decided(decision=decision, losses=household.losses, reason=reason, hands=hands)

    @event("HoldDecided")
    def _hold_decided(
        self, decision: HoldDecision, losses: Losses, reason: str, hands: Hands
    ) -> None:
        self.known_losses = losses
        join(self.steps, "approve", hands)

    def correct_grant(self, grant: Grant, reason: str, hands: Hands) -> None:
        """An unpaid grant is corrected before it goes out; to nothing makes it void."""
        self.must_have(grant.number, *OPEN)
        self._grant_corrected(grant=grant, reason=reason, hands=hands)

    @event("GrantCorrected")
    def _grant_corrected(self, grant: Grant, reason: str, hands: Hands) -> None:
        self.grants[grant.number] = grant
        if grant.is_empty:
            self.status[grant.number] = GrantStatus.VOID
        join(self.steps, "approve", hands)

    def pay(
        self,
        number: int,
        document_no: str,
        batch: UUID,
        holder: UUID | None,
        value_date: date | None,
        hands: Hands,
    ) -> None:
        """Money went to the card of ``holder`` (None: in cash). The list has checked the notice.

        ``value_date``: the day on which the bank put it there, if it said so.
        """
        if value_date is not None:
            day_not_before("value_date", value_date, self.applied_on, AFTER_APPLYING)
        grant = self.must_have(number, *OPEN)
        assert grant.is_cash
        self._paid(
            number=number,
            amount_fen=grant.cash_fen,
            document_no=document_no,
            batch=batch,
            holder=holder,
            value_date=value_date,
            hands=hands,
        )

    @event("Paid")
    def _paid(
        self,
        number: int,
        amount_fen: int,
        document_no: str,
        batch: UUID,
        holder: UUID | None,
        value_date: date | None,
        hands: Hands,
    ) -> None:
        self.status[number] = GrantStatus.PAID
        self.batches[number] = batch
        join(self.steps, "pay", hands)

    def fail(self, number: int, batch: UUID, reason: str, hands: Hands) -> None:
        """The bank sent it back, at once or later: the grant waits for a retry."""
        grant = self.must_have(number, *OPEN, GrantStatus.PAID)
        self._payment_failed(
            number=number, amount_fen=grant.cash_fen, batch=batch, reason=reason, hands=hands
        )

    @event("PaymentFailed")
    def _payment_failed(
        self, number: int, amount_fen: int, batch: UUID, reason: str, hands: Hands
    ) -> None:
        self.status[number] = GrantStatus.FAILED
        join(self.steps, "pay", hands)

    def sign(
        self,
        number: int,
        picks: tuple[LotPick, ...],
        signed_by: str,
        relation: str,
        photo_sha256: str | None,
        signed_on: date | None,
        hands: Hands,
    ) -> None:
        """Goods were received and signed for by ``signed_by`` (masked). ``picks``: what went;
        ``signed_on``: the day on the paper, if it was said."""
        if signed_on is not None:
            day_not_before("signed_on", signed_on, self.applied_on, AFTER_APPLYING)
        grant = self.must_have(number, GrantStatus.GRANTED)
        assert not grant.is_cash and sum(pick.quantity for pick in picks) == grant.units
        self._goods_signed(
            number=number,
            item=grant.item,
            picks=picks,
            signed_by=signed_by,
            relation=relation,
            photo_sha256=photo_sha256,
            signed_on=signed_on,
            hands=hands,
        )

    @event("GoodsSigned")
    def _goods_signed(
        self,
        number: int,
        item: str,
        picks: tuple[LotPick, ...],
        signed_by: str,
        relation: str,
        photo_sha256: str | None,
        signed_on: date | None,
        hands: Hands,
    ) -> None:
        self.grants[number] = replace(self.grants[number], picks=picks)
        self.status[number] = GrantStatus.SIGNED
        join(self.steps, "pay", hands)

    def refund(
        self,
        number: int,
        amount_fen: int,
        picks: tuple[LotPick, ...],
        reason: str,
        document_no: str,
        hands: Hands,
    ) -> None:
        """The household gave money or goods back (退回); ``amount_fen`` is their value.

        `less` has made sure that no more comes back than it holds.
        """
        self.must_have(number, GrantStatus.PAID, GrantStatus.SIGNED)
        self._refund(
            number=number,
            amount_fen=amount_fen,
            picks=picks,
            reason=reason,
            document_no=document_no,
            hands=hands,
        )

    @event("Refunded")
    def _refund(
        self,
        number: int,
        amount_fen: int,
        picks: tuple[LotPick, ...],
        reason: str,
        document_no: str,
        hands: Hands,
    ) -> None:
        grant = less(self.grants[number], amount_fen, picks)
        self.grants[number] = grant
        if grant.is_empty:
            self.status[number] = GrantStatus.REFUNDED
        join(self.steps, "pay", hands)

    def close(self) -> None:
        self.check_closable()
        self._closed()

    @event("Closed")
    def _closed(self) -> None:
        self.stage = Stage.CLOSED


def _granted_without_losses(values: dict[str, Any]) -> None:
    """The first facts did not say what the household had lost by then."""
    values["losses"] = None


grown(ReliefCase.Granted, _granted_without_losses)


def _by_the_village(values: dict[str, Any]) -> None:
    """Before townships could take an application, each village took its own."""
    values["on_behalf"] = False


grown(ReliefCase.Applied, _by_the_village)


def _without(day: str) -> Callable[[dict[str, Any]], None]:
    """The first facts did not say on which day it went out: when it was recorded is known."""

    def upcast(values: dict[str, Any]) -> None:
        values[day] = None

    return upcast


grown(ReliefCase.Paid, _without("value_date"))
grown(ReliefCase.GoodsSigned, _without("signed_on"))
