"""Fund 专项资金: one document's (文号) money in one division's hands. Never overdrawn.

What another desk calls, in the same commit as its own facts::

    fund.commit(village_list, 1_240_000, programme="winter_spring", subject=village_list,
                exercise=False)                              # once a village list and fund
    fund.release(village_list, reason="…")                   # what is left of it, or amount_fen=…
    fund.pay(village_list, batch, 310_000, payments=23)      # one batch by 一卡通, many households
    fund.fail(batch, 20_000, payments=1, reason="…")         # back under its commitment
    fund.refund(batch, 13_000, subject=case, reason="…")     # a household paid back: free again

Who was paid how much, and whose card failed, stands in the relief cases: the fund keeps sums, so
that one fund of a county stays small. All amounts are integer fen above zero.
"""

from typing import Any
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.base import NAMESPACE, Aggregate, grown
from domain.exercise import keep_apart
from domain.goods import not_negative, positive
from domain.money import (
    AlreadyCommitted,
    AlreadyPaid,
    CommitmentExhausted,
    EarmarkViolated,
    FundEmpty,
    FundOverdrawn,
    MatchingShareExceeded,
    MatchingShareKept,
    MatchingShareNotFromThere,
    MatchingShareOverSum,
    NothingToReturn,
    NotPassedDownFrom,
    Passed,
    PaymentExceeded,
    Source,
)


class Fund(Aggregate):
    """Balances in fen: ``appropriated + received + refunded + got_back`` always equals
    ``available + committed + paid + passed_down + returned`` (see `balanced`).

    ``paid`` is gross of refunds and net of failures; ``earmark`` lists the programmes it may serve.
    """

    @event("Opened")
    def __init__(
        self,
        id: UUID,
        document_no: str,
        holder: UUID,
        earmark: tuple[str, ...],
        exercise: bool,
    ) -> None:
        self.document_no = document_no
        self.holder = holder
        self.earmark = earmark
        self.exercise = exercise
        self.available_fen = 0
        self.matching_fen = 0
        self.appropriated_fen = 0
        self.received_fen = 0
        self.refunded_fen = 0
        self.got_back_fen = 0
        self.paid_fen = 0
        self.passed_down_fen = 0
        self.returned_fen = 0
        self.appropriated_matching_fen = 0
        self.net_from: dict[UUID, Passed] = {}
        self.net_to: dict[UUID, Passed] = {}
        self.commitments: dict[UUID, int] = {}
        self.payments: dict[UUID, tuple[UUID, int]] = {}

    @staticmethod
    def id_of(document_no: str, holder: UUID, exercise: bool) -> UUID:
        return uuid5(NAMESPACE, f"fund/{document_no}/{holder}/{exercise}")

    def derived_id(self) -> UUID:
        return self.id_of(self.document_no, self.holder, self.exercise)

    @property
    def home(self) -> UUID:
        return self.holder

    @property
    def committed_fen(self) -> int:
        """Promised and not yet paid."""
        return sum(self.commitments.values())

    def balanced(self) -> bool:
        """Whether what came in equals what is there and what went out, and nothing is below 0."""
        came = self.appropriated_fen + self.received_fen + self.refunded_fen + self.got_back_fen
        there = self.available_fen + self.committed_fen
        went = self.paid_fen + self.passed_down_fen + self.returned_fen
        parts = (self.available_fen, self.paid_fen, *self.commitments.values())
        return came == there + went and all(part >= 0 for part in parts)

    def appropriate(
        self, amount_fen: int, *, source: Source, matching_fen: int, source_document_no: str
    ) -> None:
        """Money enters the ledger here. ``matching_fen`` of it is the local matching share (配套).

        ``source_document_no`` is the document by which the source gave it. Refuses `Malformed`,
        `MatchingShareOverSum`.
        """
        positive("amount_fen", amount_fen)
        self._check_share(matching_fen, amount_fen)
        self._appropriated(
            amount_fen=amount_fen,
            source=source,
            matching_fen=matching_fen,
            source_document_no=source_document_no,
        )

    @event("Appropriated")
    def _appropriated(
        self, amount_fen: int, source: Source, matching_fen: int, source_document_no: str
    ) -> None:
        self.appropriated_fen += amount_fen
        self.available_fen += amount_fen
        self.matching_fen += matching_fen
        self.appropriated_matching_fen += matching_fen

    def check_some_left(self) -> None:
        """Refuses `FundEmpty`."""
        if not self.available_fen:
            raise FundEmpty(fund=self.id, document_no=self.document_no)

    def check_returnable(self) -> None:
        """Refuses `NothingToReturn`, `FundEmpty`."""
        if not any(net.amount_fen for net in self.net_from.values()):
            raise NothingToReturn(fund=self.id, document_no=self.document_no)
        self.check_some_left()

    def pass_down(self, child: "Fund", amount_fen: int, *, matching_fen: int) -> None:
        """Move money to a lower division's fund: `PassedDown` here and `Received` there.

        The child's ``document_no`` is the document that passes it down. Its earmark must lie
        within this one. Refuses `Malformed`, `ExerciseMixed`, `EarmarkViolated`,
        `MatchingShareOverSum`, `MatchingShareExceeded`, `FundEmpty`, `FundOverdrawn`.
        """
        self.check_some_left()
        positive("amount_fen", amount_fen)
        keep_apart("Fund", child.id, exercise=child.exercise, wanted=self.exercise)
        for programme in child.earmark:
            self.check_earmark(programme)
        self._check_share(matching_fen, amount_fen)
        self._check_matching(matching_fen)
        self._check_available(amount_fen)
        self._passed_down(
            child=child.id,
            holder=child.holder,
            document_no=child.document_no,
            amount_fen=amount_fen,
            matching_fen=matching_fen,
        )
        child._received(
            parent=self.id, holder=self.holder, amount_fen=amount_fen, matching_fen=matching_fen
        )

    @event("PassedDown")
    def _passed_down(
        self, child: UUID, holder: UUID, document_no: str, amount_fen: int, matching_fen: int
    ) -> None:
        self.available_fen -= amount_fen
        self.matching_fen -= matching_fen
        self.passed_down_fen += amount_fen
        self.net_to[child] = self.net_to.get(child, Passed()).plus(amount_fen, matching_fen)

    @event("Received")
    def _received(self, parent: UUID, holder: UUID, amount_fen: int, matching_fen: int) -> None:
        self.available_fen += amount_fen
        self.matching_fen += matching_fen
        self.received_fen += amount_fen
        self.net_from[parent] = self.net_from.get(parent, Passed()).plus(amount_fen, matching_fen)

    def return_up(
        self,
        parent: "Fund",
        amount_fen: int,
        *,
        matching_fen: int | None = None,
        document_no: str,
        reason: str,
    ) -> int:
        """Give money back to the fund it came from: `Returned` here and `GotBack` there.

        ``matching_fen`` of it is the matching share that came with it; None: in proportion.
        Answers the share. Refuses `NothingToReturn`, `FundEmpty`, `Malformed`,
        `NotPassedDownFrom`, `FundOverdrawn`,
        `MatchingShareOverSum`, `MatchingShareNotFromThere`, `MatchingShareExceeded`,
        `MatchingShareKept`.
        """
        self.check_returnable()
        positive("amount_fen", amount_fen)
        net = self.net_from.get(parent.id, Passed())
        if amount_fen > net.amount_fen:
            raise NotPassedDownFrom(
                fund=self.id, parent=parent.id, wanted_fen=amount_fen, net_fen=net.amount_fen
            )
        self._check_available(amount_fen)
        matching_fen = self._share_returned(net, amount_fen, matching_fen)
        self._returned(
            parent=parent.id,
            amount_fen=amount_fen,
            document_no=document_no,
            reason=reason,
            matching_fen=matching_fen,
        )
        parent._got_back(
            child=self.id,
            amount_fen=amount_fen,
            document_no=document_no,
            matching_fen=matching_fen,
        )
        return matching_fen

    def _share_returned(self, net: Passed, amount_fen: int, wanted_fen: int | None) -> int:
        """How much of what is given back is matching share; what was passed on is not here."""
        here = min(net.matching_fen, self.matching_fen)
        if wanted_fen is None:
            return min(net.share_of(amount_fen), here)
        self._check_share(wanted_fen, amount_fen)
        if wanted_fen > net.matching_fen:
            raise MatchingShareNotFromThere(
                fund=self.id,
                document_no=self.document_no,
                wanted_fen=wanted_fen,
                matching_fen=net.matching_fen,
            )
        self._check_matching(wanted_fen)
        least_fen = min(amount_fen - (net.amount_fen - net.matching_fen), here)
        if wanted_fen < least_fen:
            raise MatchingShareKept(
                fund=self.id,
                document_no=self.document_no,
                wanted_fen=amount_fen,
                matching_fen=wanted_fen,
                least_fen=least_fen,
            )
        return wanted_fen

    @event("Returned")
    def _returned(
        self, parent: UUID, amount_fen: int, document_no: str, reason: str, matching_fen: int | None
    ) -> None:
        net = self.net_from[parent]
        share_fen = net.share_of(amount_fen) if matching_fen is None else matching_fen
        self.available_fen -= amount_fen
        self.returned_fen += amount_fen
        self.matching_fen -= share_fen
        self.net_from[parent] = net.plus(-amount_fen, -share_fen)

    @event("GotBack")
    def _got_back(
        self, child: UUID, amount_fen: int, document_no: str, matching_fen: int | None
    ) -> None:
        net = self.net_to.get(child, Passed())
        share_fen = net.share_of(amount_fen) if matching_fen is None else matching_fen
        self.available_fen += amount_fen
        self.got_back_fen += amount_fen
        self.matching_fen += share_fen
        self.net_to[child] = net.plus(-amount_fen, -share_fen)

    def commit(
        self, commitment: UUID, amount_fen: int, *, programme: str, subject: UUID, exercise: bool
    ) -> None:
        """Promise money to a village list (``subject``); one commitment id is used once a fund.

        Refuses `Malformed`, `ExerciseMixed`, `EarmarkViolated`, `AlreadyCommitted`,
        `FundOverdrawn`.
        """
        positive("amount_fen", amount_fen)
        keep_apart("Fund", self.id, exercise=self.exercise, wanted=exercise)
        self.check_earmark(programme)
        if commitment in self.commitments:
            raise AlreadyCommitted(fund=self.id, commitment=commitment)
        self._check_available(amount_fen)
        self._committed(
            commitment=commitment, amount_fen=amount_fen, programme=str(programme), subject=subject
        )

    @event("Committed")
    def _committed(self, commitment: UUID, amount_fen: int, programme: str, subject: UUID) -> None:
        self.available_fen -= amount_fen
        self.commitments[commitment] = amount_fen

    def release(self, commitment: UUID, amount_fen: int | None = None, *, reason: str) -> int:
        """Set free what a commitment no longer needs: ``amount_fen``, or all that is left of it.

        Answers the amount; nothing left and no amount asked: no event and 0.
        Refuses `Malformed`, `CommitmentExhausted`.
        """
        if amount_fen is None:
            amount_fen = self.commitments.get(commitment, 0)
            if amount_fen == 0:
                return 0
        self._check_committed(commitment, amount_fen)
        self._released(commitment=commitment, amount_fen=amount_fen, reason=reason)
        return amount_fen

    @event("Released")
    def _released(self, commitment: UUID, amount_fen: int, reason: str) -> None:
        self.commitments[commitment] -= amount_fen
        self.available_fen += amount_fen

    def pay(self, commitment: UUID, payment: UUID, amount_fen: int, *, payments: int) -> None:
        """Pay one batch out of a commitment: ``payments`` households, ``amount_fen`` together.

        ``payment`` is the batch's id, used once. The single results stand in the relief cases.
        Refuses `Malformed`, `AlreadyPaid`, `CommitmentExhausted`.
        """
        positive("payments", payments)
        if payment in self.payments:
            raise AlreadyPaid(fund=self.id, payment=payment)
        self._check_committed(commitment, amount_fen)
        self._paid(commitment=commitment, payment=payment, amount_fen=amount_fen, payments=payments)

    @event("Paid")
    def _paid(self, commitment: UUID, payment: UUID, amount_fen: int, payments: int) -> None:
        self.commitments[commitment] -= amount_fen
        self.paid_fen += amount_fen
        self.payments[payment] = (commitment, amount_fen)

    def fail(self, payment: UUID, amount_fen: int, *, payments: int, reason: str) -> None:
        """Payments of a batch bounced: the money stands under its commitment again.

        Refuses `Malformed`, `PaymentExceeded`.
        """
        positive("payments", payments)
        commitment = self._check_paid(payment, amount_fen)
        self._failed(
            payment=payment,
            commitment=commitment,
            amount_fen=amount_fen,
            payments=payments,
            reason=reason,
        )

    @event("Failed")
    def _failed(
        self, payment: UUID, commitment: UUID, amount_fen: int, payments: int, reason: str
    ) -> None:
        self.payments[payment] = (commitment, self.payments[payment][1] - amount_fen)
        self.paid_fen -= amount_fen
        self.commitments[commitment] += amount_fen

    def refund(self, payment: UUID, amount_fen: int, *, subject: UUID, reason: str) -> None:
        """A household (``subject``: its relief case) paid back what it had got: free again.

        Refuses `Malformed`, `PaymentExceeded`.
        """
        self._check_paid(payment, amount_fen)
        self._refunded(payment=payment, amount_fen=amount_fen, subject=subject, reason=reason)

    @event("Refunded")
    def _refunded(self, payment: UUID, amount_fen: int, subject: UUID, reason: str) -> None:
        commitment, paid_fen = self.payments[payment]
        self.payments[payment] = (commitment, paid_fen - amount_fen)
        self.refunded_fen += amount_fen
        self.available_fen += amount_fen

    def check_earmark(self, programme: str) -> None:
        """Refuse with `EarmarkViolated` a programme this money is not for."""
        if programme not in self.earmark:
            raise EarmarkViolated(
                fund=self.id,
                document_no=self.document_no,
                earmark="、".join(self.earmark),
                programme=str(programme),
            )

    def _check_available(self, amount_fen: int) -> None:
        if amount_fen > self.available_fen:
            raise FundOverdrawn(
                fund=self.id,
                document_no=self.document_no,
                wanted_fen=amount_fen,
                available_fen=self.available_fen,
            )

    def _check_share(self, wanted_fen: int, amount_fen: int) -> None:
        """A matching share is a part of its sum."""
        not_negative("matching_fen", wanted_fen)
        if wanted_fen > amount_fen:
            raise MatchingShareOverSum(
                fund=self.id,
                document_no=self.document_no,
                wanted_fen=wanted_fen,
                amount_fen=amount_fen,
            )

    def _check_matching(self, wanted_fen: int) -> None:
        """It is taken from what this fund holds of matching money."""
        if wanted_fen > self.matching_fen:
            raise MatchingShareExceeded(
                fund=self.id,
                document_no=self.document_no,
                wanted_fen=wanted_fen,
                matching_fen=self.matching_fen,
            )

    def _check_committed(self, commitment: UUID, amount_fen: int) -> None:
        positive("amount_fen", amount_fen)
        committed_fen = self.commitments.get(commitment, 0)
        if amount_fen > committed_fen:
            raise CommitmentExhausted(
                fund=self.id,
                commitment=commitment,
                wanted_fen=amount_fen,
                committed_fen=committed_fen,
            )

    def _check_paid(self, payment: UUID, amount_fen: int) -> UUID:
        positive("amount_fen", amount_fen)
        commitment, paid_fen = self.payments.get(payment, (payment, 0))
        if amount_fen > paid_fen:
            raise PaymentExceeded(
                fund=self.id, payment=payment, wanted_fen=amount_fen, paid_fen=paid_fen
            )
        return commitment


def _returned_without_share(values: dict[str, Any]) -> None:
    """The first facts did not say what matching share went back: its part in proportion, then."""
    values["matching_fen"] = None


grown(Fund.Returned, _returned_without_share)
grown(Fund.GotBack, _returned_without_share)
