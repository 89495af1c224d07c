"""Consignment 调拨: goods on the road between two warehouses; transit is an account.

Two authorities: the emergency office (应急) orders by document, the grain and reserves bureau
(粮食和储备) ships (国粮应急规〔2023〕24号, domain.md §3.2). Who orders, who ships and who receives
are three persons. The chain: request → order (文号) → ship → arrive, with differences → close.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from eventsourcing.domain import event

from domain.area import check_text
from domain.base import Aggregate, grown
from domain.goods import Lot, not_negative, positive
from domain.moments import CLOCK_SLACK, not_before
from domain.refusal import Malformed, Refusal
from domain.world import RuleRef, Sealed


class Line(msgspec.Struct, frozen=True):
    """So many units of a catalogue item."""

    item: str
    quantity: int


class Cargo(msgspec.Struct, frozen=True):
    """A lot of an item on the road; the lot's quantity is what travels of it."""

    item: str
    lot: Lot


class Count(msgspec.Struct, frozen=True):
    """What came of one lot: ``good + damaged + missing`` is what was shipped of it."""

    item: str
    lot: UUID
    good: int
    damaged: int
    missing: int
    unit_value_fen: int


class Phase(StrEnum):
    """Where a consignment is. ARRIVED also after it was turned back to its source."""

    REQUESTED = "requested"
    ORDERED = "ordered"
    SHIPPED = "shipped"
    ARRIVED = "arrived"
    CLOSED = "closed"
    CANCELLED = "cancelled"


NOT_SHIPPED = (Phase.REQUESTED, Phase.ORDERED)
"""When it can still be called off."""


@dataclass(eq=False)
class ConsignmentNotReady(Refusal):
    """The chain has its order: nothing arrives that was not shipped, or ships unordered."""

    zh: ClassVar[str] = "调拨 {consignment} 现为“{phase}”，此步骤须在“{needed}”时办理"
    en: ClassVar[str] = (
        "Consignment {consignment} is {phase}; this step takes one that is {needed}."
    )
    consignment: UUID
    phase: str
    needed: str


@dataclass(eq=False)
class ArrivalDoesNotAddUp(Refusal):
    """Good, damaged and missing units of a lot must be what was shipped of it (0: no such lot)."""

    zh: ClassVar[str] = "批次 {lot} 发出 {shipped}，验收合计 {counted}，不相符"
    en: ClassVar[str] = (
        "{shipped} of lot {lot} {shipped:was|were} shipped; {counted} {counted:is|are} accounted "
        "for."
    )
    consignment: UUID
    item: str
    lot: UUID
    shipped: int
    counted: int


@dataclass(eq=False)
class DamagedGoodsOpen(Refusal):
    """A consignment closes when its damaged goods are written off by a document."""

    zh: ClassVar[str] = "调拨 {consignment} 尚有 {damaged} 件损坏物资未处理，不能办结"
    en: ClassVar[str] = (
        "Consignment {consignment} has {damaged} damaged {damaged:unit|units} to write off first."
    )
    consignment: UUID
    damaged: int


@dataclass(eq=False)
class NothingDamaged(Refusal):
    zh: ClassVar[str] = "调拨 {consignment} 没有待处理的损坏物资"
    en: ClassVar[str] = "Consignment {consignment} has no damaged units waiting."
    consignment: UUID


def checked_lines(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """The lines, if there are any, each above zero and each item once. Else `Malformed`."""
    items = [line.item for line in lines]
    if not items or len(set(items)) < len(items):
        raise Malformed(
            field="lines",
            value=", ".join(items),
            rule_zh="至少一项，且同一物资只列一次",
            rule_en="at least one line, and each item once",
        )
    for at, line in enumerate(lines):
        positive(f"lines[{at}].quantity", line.quantity)
    return lines


class Consignment(Aggregate):
    """One load for one destination. It lives with the division that needs it."""

    @event("Requested")
    def __init__(
        self,
        id: UUID,
        destination: UUID,
        lines: tuple[Line, ...],
        reason: str,
        needed_by: date | None,
        exercise: bool,
        rule: RuleRef,
    ) -> None:
        self.destination = destination
        self.lines = lines
        self.exercise = exercise
        self.source: UUID | None = None
        self.phase = Phase.REQUESTED
        self.shipped_at: datetime | None = None
        self.turned_back = False
        self.steps: dict[str, tuple[UUID, ...]] = {}
        self.cargo: dict[UUID, Cargo] = {}
        self.counts: tuple[Count, ...] = ()
        self.damaged_written_off = False

    @property
    def home(self) -> UUID:
        return self.destination

    @property
    def damaged(self) -> int:
        """Damaged units that still wait for their document."""
        if self.damaged_written_off:
            return 0
        return sum(count.damaged for count in self.counts)

    @property
    def keeper(self) -> UUID:
        """The area in whose hands the goods are, or are expected."""
        return self.source if self.turned_back and self.source else self.destination

    def need(self, *phases: Phase) -> None:
        """Refuse with `ConsignmentNotReady` unless it is in one of these phases."""
        if self.phase not in phases:
            raise ConsignmentNotReady(
                consignment=self.id, phase=self.phase, needed=" / ".join(phases)
            )

    def check_damaged(self) -> None:
        """Refuses `ConsignmentNotReady`, `NothingDamaged`."""
        self.need(Phase.ARRIVED)
        if not self.damaged:
            raise NothingDamaged(consignment=self.id)

    def check_closable(self) -> None:
        """Refuses `ConsignmentNotReady`, `DamagedGoodsOpen`."""
        self.need(Phase.ARRIVED)
        if self.damaged:
            raise DamagedGoodsOpen(consignment=self.id, damaged=self.damaged)

    def order(
        self, source: UUID, lines: tuple[Line, ...], *, document_no: str, hands: tuple[UUID, ...]
    ) -> None:
        """The order 调拨令 names source, lines (they may differ from the request) and 文号."""
        self.need(Phase.REQUESTED)
        check_text("document_no", document_no)
        if source == self.destination:
            raise Malformed(
                field="source",
                value=str(source),
                rule_zh="调出与调入不能是同一仓库",
                rule_en="source and destination must differ",
            )
        self._ordered(
            source=source, lines=checked_lines(lines), document_no=document_no, hands=hands
        )

    @event("Ordered")
    def _ordered(
        self, source: UUID, lines: tuple[Line, ...], document_no: str, hands: tuple[UUID, ...]
    ) -> None:
        self.source = source
        self.lines = lines
        self.phase = Phase.ORDERED
        self.steps["order"] = hands

    def ship(
        self,
        cargo: tuple[Cargo, ...],
        *,
        vehicle: str,
        driver_name: Sealed | None,
        driver_phone: Sealed | None,
        eta: datetime | None,
        shipped_at: datetime,
        hands: tuple[UUID, ...],
    ) -> None:
        """The load leaves with its lots (出库单). The driver's name and phone are sealed.

        Refuses `ConsignmentNotReady`, and `Malformed` if two items came under one lot id.
        """
        self.need(Phase.ORDERED)
        lots = [one.lot.lot for one in cargo]
        for lot in lots:
            if lots.count(lot) > 1:
                raise Malformed(
                    field="lot",
                    value=str(lot),
                    rule_zh="不同物资不能共用批次号",
                    rule_en="two items cannot share a lot",
                )
        self._shipped(
            cargo=cargo,
            vehicle=vehicle,
            driver_name=driver_name,
            driver_phone=driver_phone,
            eta=eta,
            shipped_at=shipped_at,
            hands=hands,
        )

    @event("Shipped")
    def _shipped(
        self,
        cargo: tuple[Cargo, ...],
        vehicle: str,
        driver_name: Sealed | None,
        driver_phone: Sealed | None,
        eta: datetime | None,
        shipped_at: datetime,
        hands: tuple[UUID, ...],
    ) -> None:
        self.shipped_at = shipped_at
        self.cargo = {one.lot.lot: one for one in cargo}
        self.phase = Phase.SHIPPED
        self.steps["ship"] = hands

    def arrive(
        self,
        counts: Mapping[UUID, tuple[int, int, int]],
        *,
        remark: str,
        arrived_at: datetime,
        hands: tuple[UUID, ...],
    ) -> tuple[Count, ...]:
        """Acceptance 验收 at the destination: lot → (good, damaged, missing) for every lot shipped.

        A difference needs a remark. Refuses `ConsignmentNotReady`, `ArrivalDoesNotAddUp`,
        `Malformed`, also for an arrival that is dated before the goods left.
        """
        self.need(Phase.SHIPPED)
        self._after_shipping(
            arrived_at, ("到达不能早于发出", "goods do not arrive before they left")
        )
        checked = self._checked(counts, remark)
        self._arrived(counts=checked, remark=remark, arrived_at=arrived_at, hands=hands)
        return checked

    @event("Arrived")
    def _arrived(
        self,
        counts: tuple[Count, ...],
        remark: str,
        arrived_at: datetime,
        hands: tuple[UUID, ...],
    ) -> None:
        self.counts = counts
        self.phase = Phase.ARRIVED
        self.steps["receive"] = hands

    def turn_back(
        self,
        counts: Mapping[UUID, tuple[int, int, int]],
        *,
        remark: str,
        arrived_at: datetime,
        hands: tuple[UUID, ...],
    ) -> tuple[Count, ...]:
        """The load came back to its source (a road was cut): counted like an arrival.

        The remark says why. Refuses as `arrive` does.
        """
        self.need(Phase.SHIPPED)
        check_text("remark", remark)
        self._after_shipping(
            arrived_at, ("退回不能早于发出", "goods do not come back before they left")
        )
        checked = self._checked(counts, remark)
        self._turned_back(counts=checked, remark=remark, arrived_at=arrived_at, hands=hands)
        return checked

    @event("TurnedBack")
    def _turned_back(
        self,
        counts: tuple[Count, ...],
        remark: str,
        arrived_at: datetime,
        hands: tuple[UUID, ...],
    ) -> None:
        self.counts = counts
        self.turned_back = True
        self.phase = Phase.ARRIVED
        self.steps["receive"] = hands

    def write_off_damaged(self, *, document_no: str, reason: str) -> None:
        """Strike the damaged units that arrived (报废), by document. Refuses `NothingDamaged`."""
        self.check_damaged()
        check_text("document_no", document_no)
        check_text("reason", reason)
        lost = tuple(count for count in self.counts if count.damaged)
        self._damaged_written_off(counts=lost, document_no=document_no, reason=reason)

    @event("DamagedWrittenOff")
    def _damaged_written_off(
        self, counts: tuple[Count, ...], document_no: str, reason: str
    ) -> None:
        self.damaged_written_off = True

    def close(self) -> None:
        """Nothing of it is open any more. Refuses `ConsignmentNotReady`, `DamagedGoodsOpen`."""
        self.check_closable()
        self._closed()

    @event("Closed")
    def _closed(self) -> None:
        self.phase = Phase.CLOSED

    def cancel(self, *, reason: str) -> None:
        """Called off before it was shipped. Refuses `ConsignmentNotReady`."""
        self.need(*NOT_SHIPPED)
        check_text("reason", reason)
        self._cancelled(reason=reason)

    @event("Cancelled")
    def _cancelled(self, reason: str) -> None:
        self.phase = Phase.CANCELLED

    def _after_shipping(self, arrived_at: datetime, order: tuple[str, str]) -> None:
        """`Malformed` for a time before the goods were sent: a typing error, or another load's."""
        if self.shipped_at is not None:
            not_before("arrived_at", arrived_at, self.shipped_at, order, CLOCK_SLACK)

    def _checked(
        self, counts: Mapping[UUID, tuple[int, int, int]], remark: str
    ) -> tuple[Count, ...]:
        checked = []
        for lot in (*self.cargo, *_others(counts, self.cargo)):
            good, damaged, missing = counts.get(lot, (0, 0, 0))
            for field, number in (("good", good), ("damaged", damaged), ("missing", missing)):
                not_negative(field, number)
            shipped = self.cargo.get(lot)
            quantity = shipped.lot.quantity if shipped else 0
            if shipped is None or good + damaged + missing != quantity:
                raise ArrivalDoesNotAddUp(
                    consignment=self.id,
                    item=shipped.item if shipped else "",
                    lot=lot,
                    shipped=quantity,
                    counted=good + damaged + missing,
                )
            if damaged or missing:
                check_text("remark", remark)
            value_fen = shipped.lot.unit_value_fen
            checked.append(Count(shipped.item, lot, good, damaged, missing, value_fen))
        return tuple(checked)


def _shipped_when_recorded(values: dict[str, Any]) -> None:
    """The first facts did not say when the goods left: when it was recorded, then."""
    values["shipped_at"] = values["meta"]["recorded_at"]


grown(Consignment.Shipped, _shipped_when_recorded)


def _others(counts: Iterable[UUID], known: Mapping[UUID, Cargo]) -> list[UUID]:
    return [lot for lot in counts if lot not in known]
