"""Stockpile 库存: one item in one warehouse, in lots. Never negative (domain.md §3.2, §7.6).

What another desk calls, in the same commit as its own facts::

    picks = stockpile.reserve(village_list, 40, purpose=Purpose.VILLAGE_LIST,
                              subject=village_list, exercise=False)
    parts = split(picks, [2, 1, 1, …])     # of domain/goods.py: one part a household
    stockpile.give(village_list, case=…, grant=…, picks=parts[0])          # signed for
    stockpile.give(village_list, case=…, grant=…, quantity=2)              # or first in, first out
    stockpile.release(village_list, reason="…")                            # all that is left of it
    stockpile.return_in(lot, 1, source=ReturnSource.HOUSEHOLD, subject=case, reason="…")

Every method answers what it moved as `LotPick`s, so that a caller can record lot and 折款.
"""

from collections.abc import Iterable
from uuid import UUID, uuid5

import msgspec
from eventsourcing.domain import event

from domain.base import NAMESPACE, Aggregate
from domain.exercise import keep_apart
from domain.goods import (
    AlreadyReserved,
    Flow,
    Lot,
    LotAlreadyReceived,
    LotCount,
    LotExhausted,
    LotPick,
    LotUnknown,
    NothingFree,
    Purpose,
    RecountBelowReserved,
    Reservation,
    ReservationExhausted,
    ReturnSource,
    StockExhausted,
    not_negative,
    positive,
    same_lot,
    units_of,
    value_of,
)
from domain.world import RuleRef


class Stockpile(Aggregate):
    """One item in one warehouse. ``warehouse`` is the area whose depot it is (a village's too)."""

    @event("Opened")
    def __init__(self, id: UUID, warehouse: UUID, item: str, exercise: bool) -> None:
        self.warehouse = warehouse
        self.item = item
        self.exercise = exercise
        self.lots: dict[UUID, Lot] = {}
        self.available: dict[UUID, int] = {}
        self.reserved: dict[UUID, dict[UUID, int]] = {}
        self.reserved_as: dict[UUID, tuple[Purpose, UUID]] = {}
        self.given: dict[UUID, int] = {}
        self.flow_units: dict[Flow, int] = dict.fromkeys(Flow, 0)
        self.flow_fen: dict[Flow, int] = dict.fromkeys(Flow, 0)

    @staticmethod
    def id_of(warehouse: UUID, item: str, exercise: bool) -> UUID:
        return uuid5(NAMESPACE, f"stockpile/{warehouse}/{item}/{exercise}")

    def derived_id(self) -> UUID:
        return self.id_of(self.warehouse, self.item, self.exercise)

    @property
    def home(self) -> UUID:
        return self.warehouse

    @property
    def free(self) -> int:
        """Units that nobody has reserved."""
        return sum(self.available.values())

    @property
    def on_hand(self) -> int:
        """Units in the house, free or reserved."""
        return self.free + sum(sum(kept.values()) for kept in self.reserved.values())

    @property
    def reservations(self) -> tuple[Reservation, ...]:
        """What is set aside, and for whom."""
        return tuple(
            Reservation(id, *self.reserved_as[id], self._picks_of(id, sum(kept.values()), None))
            for id, kept in self.reserved.items()
            if kept
        )

    def receive(
        self,
        lots: tuple[Lot, ...],
        *,
        consignment: UUID | None = None,
        rule: RuleRef | None = None,
    ) -> None:
        """Take lots in: from outside, or (with ``consignment``) out of transit.

        ``rule`` is the catalogue by which goods from outside were taken in. Refuses
        `Malformed` (quantity), `LotAlreadyReceived`.
        """
        for lot in lots:
            positive("quantity", lot.quantity)
            known = self.lots.get(lot.lot)
            if known is not None and (consignment is None or not same_lot(known, lot)):
                raise LotAlreadyReceived(stockpile=self.id, lot=lot.lot)
        self._received(lots=lots, consignment=consignment, rule=rule)

    @event("Received")
    def _received(
        self, lots: tuple[Lot, ...], consignment: UUID | None, rule: RuleRef | None
    ) -> None:
        for lot in lots:
            self.lots.setdefault(lot.lot, lot)
            self._free(LotPick(lot.lot, lot.quantity, lot.unit_value_fen))
        picks = [LotPick(lot.lot, lot.quantity, lot.unit_value_fen) for lot in lots]
        self._book(Flow.RECEIVED if consignment is None else Flow.ARRIVED, picks)

    def reserve(
        self,
        reservation: UUID,
        wanted: int | tuple[LotPick, ...],
        *,
        purpose: Purpose,
        subject: UUID,
        exercise: bool,
    ) -> tuple[LotPick, ...]:
        """Set units aside: exactly these lots, or so many units, oldest lots first.
        ``subject`` is the consignment or village list.

        One reservation id is used once in a stockpile; a whole village list is one reservation.
        Refuses `Malformed`, `ExerciseMixed`, `AlreadyReserved`, `StockExhausted`.
        """
        quantity = wanted if isinstance(wanted, int) else units_of(wanted)
        positive("quantity", quantity)
        keep_apart("Stockpile", self.id, exercise=self.exercise, wanted=exercise)
        if reservation in self.reserved:
            raise AlreadyReserved(stockpile=self.id, reservation=reservation)
        if quantity > self.free:
            raise StockExhausted(
                stockpile=self.id, item=self.item, wanted=quantity, available=self.free
            )
        if isinstance(wanted, int):
            picks = self._oldest(self.available, quantity)
        else:
            picks = self._checked(wanted, self.available)
        self._reserved(reservation=reservation, purpose=purpose, subject=subject, picks=picks)
        return picks

    @event("Reserved")
    def _reserved(
        self, reservation: UUID, purpose: Purpose, subject: UUID, picks: tuple[LotPick, ...]
    ) -> None:
        kept = self.reserved.setdefault(reservation, {})
        self.reserved_as[reservation] = (purpose, subject)
        for pick in picks:
            self._take(self.available, pick)
            kept[pick.lot] = kept.get(pick.lot, 0) + pick.quantity

    def release(
        self, reservation: UUID, quantity: int | None = None, *, reason: str
    ) -> tuple[LotPick, ...]:
        """Set free what a reservation no longer needs: ``quantity``, or all that is left of it.

        Nothing left and no quantity asked: no event. Refuses `Malformed`, `ReservationExhausted`.
        """
        if quantity is None:
            quantity = self.reserved_for(reservation)
            if quantity == 0:
                return ()
        picks = self._picks_of(reservation, quantity, None)
        self._released(reservation=reservation, picks=picks, reason=reason)
        return picks

    @event("Released")
    def _released(self, reservation: UUID, picks: tuple[LotPick, ...], reason: str) -> None:
        for pick in picks:
            self._take(self.reserved[reservation], pick)
            self._free(pick)

    def ship(self, consignment: UUID) -> tuple[Lot, ...]:
        """Send out all that is reserved for a consignment (the reservation bears its id).

        Answers the cargo as lots with the shipped quantities. Refuses `ReservationExhausted`.
        """
        quantity = self.reserved_for(consignment)
        picks = self._picks_of(consignment, max(quantity, 1), None)
        self._shipped(consignment=consignment, picks=picks)
        return tuple(
            msgspec.structs.replace(self.lots[pick.lot], quantity=pick.quantity) for pick in picks
        )

    @event("Shipped")
    def _shipped(self, consignment: UUID, picks: tuple[LotPick, ...]) -> None:
        for pick in picks:
            self._take(self.reserved[consignment], pick)
        self._book(Flow.SHIPPED, picks)

    def give(
        self,
        reservation: UUID,
        quantity: int = 0,
        *,
        case: UUID,
        grant: UUID,
        picks: tuple[LotPick, ...] | None = None,
    ) -> tuple[LotPick, ...]:
        """Hand units of a reservation to a household that signed for them.

        With ``picks`` exactly those (a part of what `reserve` answered), else ``quantity`` of the
        oldest. ``case`` is the relief case, ``grant`` its numbered grant's id.
        Refuses `Malformed`, `ReservationExhausted`, `LotExhausted`.
        """
        chosen = self._picks_of(reservation, quantity, picks)
        self._gave(
            reservation=reservation,
            case=case,
            grant=grant,
            picks=chosen,
            value_fen=value_of(chosen),
        )
        return chosen

    @event("Given")
    def _gave(
        self,
        reservation: UUID,
        case: UUID,
        grant: UUID,
        picks: tuple[LotPick, ...],
        value_fen: int,
    ) -> None:
        for pick in picks:
            self._take(self.reserved[reservation], pick)
            self.given[pick.lot] = self.given.get(pick.lot, 0) + pick.quantity
        self._book(Flow.GIVEN, picks)

    def return_in(
        self, lot: UUID, quantity: int, *, source: ReturnSource, subject: UUID, reason: str
    ) -> tuple[LotPick, ...]:
        """Take back units of a lot of this house. ``subject`` is the relief case or consignment.

        A household cannot bring back more of a lot than this house gave out.
        Refuses `Malformed`, `LotUnknown`, `LotExhausted`.
        """
        positive("quantity", quantity)
        known = self._lot(lot)
        if source is ReturnSource.HOUSEHOLD and quantity > self.given.get(lot, 0):
            raise LotExhausted(
                stockpile=self.id, lot=lot, wanted=quantity, available=self.given.get(lot, 0)
            )
        picks = (LotPick(lot, quantity, known.unit_value_fen),)
        self._returned_in(source=source, subject=subject, picks=picks, reason=reason)
        return picks

    @event("ReturnedIn")
    def _returned_in(
        self, source: ReturnSource, subject: UUID, picks: tuple[LotPick, ...], reason: str
    ) -> None:
        for pick in picks:
            self._free(pick)
            if source == ReturnSource.HOUSEHOLD:
                self._take(self.given, pick)
        household = source == ReturnSource.HOUSEHOLD
        self._book(Flow.RETURNED_IN if household else Flow.TURNED_BACK, picks)

    def recount(self, found: dict[UUID, int], *, reason: str) -> tuple[LotCount, ...]:
        """Book what was found of each counted lot, free and reserved together.

        Lots that are not named were not counted. Answers the lots whose figure changed; if none
        did, the count is still a fact. Refuses `Malformed`, `LotUnknown`, `RecountBelowReserved`.
        """
        counts = []
        for at, (lot, number) in enumerate(found.items()):
            value_fen = self._lot(lot).unit_value_fen
            not_negative(f"counts[{at}].found", number)
            kept = self.reserved_of(lot)
            if number < kept:
                raise RecountBelowReserved(stockpile=self.id, lot=lot, found=number, reserved=kept)
            counts.append(LotCount(lot, kept + self.available.get(lot, 0), number, value_fen))
        self._recounted(counts=tuple(counts), reason=reason)
        return tuple(count for count in counts if count.found != count.booked)

    @event("Recounted")
    def _recounted(self, counts: tuple[LotCount, ...], reason: str) -> None:
        for count in counts:
            difference = count.found - count.booked
            pick = LotPick(count.lot, abs(difference), count.unit_value_fen)
            if difference > 0:
                self._free(pick)
            elif difference < 0:
                self._take(self.available, pick)
            self._book(Flow.GAINED if difference > 0 else Flow.LOST, [pick])

    def check_free(self) -> None:
        """Refuses `NothingFree` if no unit could be struck or set aside."""
        if not self.free:
            raise NothingFree(stockpile=self.id, item=self.item)

    def write_off(self, lot: UUID, quantity: int, *, reason: str, document_no: str) -> None:
        """Strike units of a lot that nobody has reserved (报废). Needs a reason and its document.

        Refuses `NothingFree`, `Malformed`, `LotUnknown`, `LotExhausted`.
        """
        self.check_free()
        positive("quantity", quantity)
        known = self._lot(lot)
        free = self.available.get(lot, 0)
        if quantity > free:
            raise LotExhausted(stockpile=self.id, lot=lot, wanted=quantity, available=free)
        picks = (LotPick(lot, quantity, known.unit_value_fen),)
        self._written_off(picks=picks, reason=reason, document_no=document_no)

    @event("WrittenOff")
    def _written_off(self, picks: tuple[LotPick, ...], reason: str, document_no: str) -> None:
        for pick in picks:
            self._take(self.available, pick)
        self._book(Flow.WRITTEN_OFF, picks)

    def reserved_for(self, reservation: UUID) -> int:
        """Units still held under a reservation (0 if there is none)."""
        return sum(self.reserved.get(reservation, {}).values())

    def reserved_of(self, lot: UUID) -> int:
        """Units of one lot that are reserved, for whatever purpose."""
        return sum(kept.get(lot, 0) for kept in self.reserved.values())

    def _lot(self, lot: UUID) -> Lot:
        known = self.lots.get(lot)
        if known is None:
            raise LotUnknown(stockpile=self.id, lot=lot)
        return known

    def _oldest(self, held: dict[UUID, int], quantity: int) -> tuple[LotPick, ...]:
        """The first so many units of ``held``: by day of receipt, then in the order of arrival."""
        picks = []
        for lot in sorted(self.lots.values(), key=lambda one: one.received_on):
            taken = min(quantity, held.get(lot.lot, 0))
            if taken:
                picks.append(LotPick(lot.lot, taken, lot.unit_value_fen))
                quantity -= taken
        assert quantity == 0
        return tuple(picks)

    def _picks_of(
        self, reservation: UUID, quantity: int, picks: tuple[LotPick, ...] | None
    ) -> tuple[LotPick, ...]:
        """Picks out of a reservation: the named ones, or the oldest ``quantity`` units."""
        wanted = quantity if picks is None else units_of(picks)
        positive("quantity", wanted)
        kept = self.reserved.get(reservation, {})
        if wanted > sum(kept.values()):
            raise ReservationExhausted(
                stockpile=self.id,
                reservation=reservation,
                wanted=wanted,
                reserved=sum(kept.values()),
            )
        if picks is None:
            return self._oldest(kept, quantity)
        return self._checked(picks, kept)

    def _checked(self, picks: tuple[LotPick, ...], kept: dict[UUID, int]) -> tuple[LotPick, ...]:
        wanted: dict[UUID, int] = {}
        for pick in picks:
            positive("quantity", pick.quantity)
            wanted[pick.lot] = wanted.get(pick.lot, 0) + pick.quantity
        for lot, quantity in wanted.items():
            held = kept.get(lot, 0)
            if quantity > held:
                raise LotExhausted(stockpile=self.id, lot=lot, wanted=quantity, available=held)
        return tuple(LotPick(lot, n, self.lots[lot].unit_value_fen) for lot, n in wanted.items())

    def _free(self, pick: LotPick) -> None:
        self.available[pick.lot] = self.available.get(pick.lot, 0) + pick.quantity

    @staticmethod
    def _take(held: dict[UUID, int], pick: LotPick) -> None:
        left = held[pick.lot] - pick.quantity
        if left:
            held[pick.lot] = left
        else:
            del held[pick.lot]

    def _book(self, flow: Flow, picks: Iterable[LotPick]) -> None:
        for pick in picks:
            self.flow_units[flow] += pick.quantity
            self.flow_fen[flow] += pick.quantity * pick.unit_value_fen
