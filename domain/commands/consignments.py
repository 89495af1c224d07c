"""The desk for goods on the road 调拨: request, order, ship, arrive or turn back, close.

A consignment's stream belongs to the needing area; what leaves and enters a warehouse is
recorded in that warehouse's stockpile in the same commit. Orderer, shipper and receiver of one
consignment are three persons.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.area import Area, check_text, common, successor
from domain.commands.stock import catalogue, holding, stocked, stockpile_at
from domain.consignment import (
    NOT_SHIPPED,
    Cargo,
    Consignment,
    Count,
    Line,
    Phase,
    checked_lines,
)
from domain.exercise import AS_THE_STORE
from domain.goods import Lot, Purpose, ReturnSource, StockExhausted
from domain.ids import NewId
from domain.moments import day_not_before, day_not_over, not_in_future, not_over
from domain.not_enough import Short, of_stock, refuse
from domain.phone_number import checked_phone
from domain.refusal import Malformed, NotYourRole, Refusal, refusal_of
from domain.rules.base import china_day
from domain.rules.items import Items
from domain.separation import separate
from domain.stockpile import Stockpile
from domain.world import About, Command, Result, Role, Sealed, World

CONSIGNMENT = About("consignments", Consignment, "consignment")
ORDERERS = frozenset({Role.COUNTY_APPROVER, Role.CITY_REVIEWER, Role.PROVINCE_REVIEWER})
REQUESTERS = frozenset({Role.VILLAGE_REPORTER, Role.TOWNSHIP_REVIEWER, Role.STOREKEEPER})
RECEIVERS = REQUESTERS
NOT_BEFORE_RECEIPT = (
    "发出不能早于这批物资入库",
    "goods do not leave before they came into the depot",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsLine:
    """So many units of a catalogue item."""

    item: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LotArrival:
    """What came of one lot; the three add up to what was shipped of it."""

    lot: UUID
    good: int
    damaged: int = 0
    missing: int = 0


def _lines(lines: tuple[GoodsLine, ...]) -> tuple[Line, ...]:
    return checked_lines(tuple(Line(line.item, line.quantity) for line in lines))


def _counts(counts: tuple[LotArrival, ...]) -> dict[UUID, tuple[int, int, int]]:
    by_lot = {count.lot: (count.good, count.damaged, count.missing) for count in counts}
    if len(by_lot) < len(counts):
        raise Malformed(
            field="counts",
            value=str(len(counts)),
            rule_zh="同一批次只列一次",
            rule_en="each lot once",
        )
    return by_lot


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestConsignment(Command):
    """Ask for goods for an area that needs them."""

    roles: ClassVar[frozenset[Role]] = REQUESTERS | ORDERERS
    consignment: NewId
    destination: UUID
    lines: tuple[GoodsLine, ...]
    reason: str
    needed_by: date | None = None
    exercise: bool = AS_THE_STORE

    def scope(self, world: World) -> UUID:
        return self.destination

    def decide(self, world: World) -> Result | None:
        check_text("reason", self.reason)
        lines = _lines(self.lines)
        if self.needed_by is not None:
            day_not_over("needed_by", self.needed_by, world.now)
        world.get(Area, self.destination).require_living()
        books = catalogue(world, self.destination, (line.item for line in lines))
        world.add(
            Consignment(
                id=self.consignment,
                destination=self.destination,
                lines=lines,
                reason=self.reason,
                needed_by=self.needed_by,
                exercise=self.exercise,
                rule=books.ref,
            )
        )
        return {"consignment": self.consignment}


@dataclass(frozen=True, slots=True, kw_only=True)
class _OnConsignment(Command):
    """What the steps on a consignment share. Of those with ``step`` one person does one only."""

    about: ClassVar[About] = CONSIGNMENT
    phase: ClassVar[Phase] = Phase.ARRIVED
    step: ClassVar[str] = ""
    consignment: UUID

    @classmethod
    def closed(cls, world: World, subject: Consignment) -> Refusal | None:
        refusal = refusal_of(subject.need, cls.phase)
        if refusal is None and cls.step:
            refusal = refusal_of(separate, world, subject.id, subject.steps, cls.step)
        return refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderConsignment(_OnConsignment):
    """Order goods out of a warehouse by document (调拨令); they are reserved at once."""

    roles: ClassVar[frozenset[Role]] = ORDERERS
    phase: ClassVar[Phase] = Phase.REQUESTED
    step: ClassVar[str] = "order"
    source: UUID
    document_no: str
    lines: tuple[GoodsLine, ...] | None = None
    """What to send instead of what was requested; None sends what was requested."""

    def scope(self, world: World) -> UUID:
        destination = world.get(Consignment, self.consignment).destination
        return common(world, (self.source, destination))

    def decide(self, world: World) -> Result | None:
        consignment = world.get(Consignment, self.consignment)
        lines = consignment.lines if self.lines is None else _lines(self.lines)
        hands = separate(world, consignment.id, consignment.steps, "order")
        consignment.order(self.source, lines, document_no=self.document_no, hands=hands)
        short: list[Short] = []
        for at, line in enumerate(lines):
            try:
                stocked(
                    world, self.source, line.item, line.quantity, exercise=consignment.exercise
                ).reserve(
                    consignment.id,
                    line.quantity,
                    purpose=Purpose.CONSIGNMENT,
                    subject=consignment.id,
                    exercise=consignment.exercise,
                )
            except StockExhausted as refusal:
                items = world.rules(Items, self.source, world.now).rule
                short.append(of_stock(refusal, (f"lines[{at}].quantity", at + 1), items))
        refuse(short)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipConsignment(_OnConsignment):
    """Send an ordered consignment on its way (出库单), oldest lots first."""

    roles: ClassVar[frozenset[Role]] = frozenset({Role.STOREKEEPER})
    phase: ClassVar[Phase] = Phase.ORDERED
    step: ClassVar[str] = "ship"
    vehicle: str
    driver_name: str = ""
    driver_phone: str = ""
    eta: datetime | None = None
    shipped_at: datetime | None = None
    """When the goods left, for what is keyed later; None: now."""

    @classmethod
    def lies_in(cls, world: World, subject: Consignment) -> UUID:
        return subject.source or subject.destination

    def decide(self, world: World) -> Result | None:
        consignment = world.get(Consignment, self.consignment)
        consignment.need(Phase.ORDERED)
        check_text("vehicle", self.vehicle)
        if self.eta is not None:
            not_over("eta", self.eta, world.now)
        left_at = self.shipped_at or world.now
        not_in_future("shipped_at", left_at, world.now)
        hands = separate(world, consignment.id, consignment.steps, "ship")
        cargo: list[Cargo] = []
        for stockpile in _sources(world, consignment):
            shipped = stockpile.ship(consignment.id)
            cargo.extend(Cargo(stockpile.item, lot) for lot in shipped)
        came_on = max(one.lot.received_on for one in cargo)
        day_not_before("shipped_at", china_day(left_at), came_on, NOT_BEFORE_RECEIPT)
        name, phone = self._driver(world)
        consignment.ship(
            tuple(cargo),
            vehicle=self.vehicle,
            driver_name=name,
            driver_phone=phone,
            eta=self.eta,
            shipped_at=left_at,
            hands=hands,
        )
        return {"units": sum(one.lot.quantity for one in cargo)}

    def _driver(self, world: World) -> tuple[Sealed | None, Sealed | None]:
        number = checked_phone("driver_phone", self.driver_phone)
        if not (self.driver_name or number):
            return None, None
        person = world.vault.new_person()
        name = world.vault.seal(person, self.consignment, "driver_name", self.driver_name)
        phone = world.vault.seal(person, self.consignment, "driver_phone", number)
        return name, phone


def _sources(world: World, consignment: Consignment) -> list[Stockpile]:
    """The stockpiles a consignment was ordered from, one for each line: where its goods are
    reserved, or their lots came from, also since a merger."""
    assert consignment.source is not None
    ids = (
        Stockpile.id_of(consignment.source, line.item, consignment.exercise)
        for line in consignment.lines
    )

    def fits(stockpile: Stockpile) -> bool:
        shipped = consignment.cargo.keys() & stockpile.lots.keys()
        return bool(stockpile.reserved_for(consignment.id) or shipped)

    return [holding(world, id, fits) for id in ids]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArriveConsignment(_OnConsignment):
    """Accept a consignment (验收): good, damaged and missing units of every lot."""

    roles: ClassVar[frozenset[Role]] = RECEIVERS
    phase: ClassVar[Phase] = Phase.SHIPPED
    step: ClassVar[str] = "receive"
    counts: tuple[LotArrival, ...]
    arrived_at: datetime
    remark: str = ""
    write_off_document_no: str = ""
    """The document that writes damaged units off at once; empty leaves them waiting for one."""

    def decide(self, world: World) -> Result | None:
        not_in_future("arrived_at", self.arrived_at, world.now)
        consignment = world.get(Consignment, self.consignment)
        hands = separate(world, consignment.id, consignment.steps, "receive")
        counts = consignment.arrive(
            _counts(self.counts), remark=self.remark, arrived_at=self.arrived_at, hands=hands
        )
        here = successor(world, world.get(Area, consignment.destination))
        for item, lots in _good(consignment, counts).items():
            stockpile = stockpile_at(world, here.id, item, consignment.exercise)
            stockpile.receive(lots, consignment=consignment.id)
        if self.write_off_document_no:
            consignment.write_off_damaged(
                document_no=self.write_off_document_no, reason=self.remark
            )
        return _tally(counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnBackConsignment(_OnConsignment):
    """Take a consignment back in at its source: it could not get through."""

    roles: ClassVar[frozenset[Role]] = frozenset({Role.STOREKEEPER})
    phase: ClassVar[Phase] = Phase.SHIPPED
    step: ClassVar[str] = "receive"
    counts: tuple[LotArrival, ...]
    arrived_at: datetime
    remark: str

    @classmethod
    def lies_in(cls, world: World, subject: Consignment) -> UUID:
        return subject.source or subject.destination

    def decide(self, world: World) -> Result | None:
        not_in_future("arrived_at", self.arrived_at, world.now)
        consignment = world.get(Consignment, self.consignment)
        hands = separate(world, consignment.id, consignment.steps, "receive")
        counts = consignment.turn_back(
            _counts(self.counts), remark=self.remark, arrived_at=self.arrived_at, hands=hands
        )
        by_item = {stockpile.item: stockpile for stockpile in _sources(world, consignment)}
        for count in counts:
            if count.good:
                by_item[count.item].return_in(
                    count.lot,
                    count.good,
                    source=ReturnSource.CONSIGNMENT,
                    subject=consignment.id,
                    reason=self.remark,
                )
        return _tally(counts)


def _good(consignment: Consignment, counts: tuple[Count, ...]) -> dict[str, tuple[Lot, ...]]:
    """The lots that go on the shelf, by item, as they were but for the quantity."""
    lots: dict[str, tuple[Lot, ...]] = {}
    for count in counts:
        if count.good:
            shipped = consignment.cargo[count.lot].lot
            lot = msgspec.structs.replace(shipped, quantity=count.good)
            lots[count.item] = (*lots.get(count.item, ()), lot)
    return lots


def _tally(counts: tuple[Count, ...]) -> Result:
    return {
        "good": sum(count.good for count in counts),
        "damaged": sum(count.damaged for count in counts),
        "missing": sum(count.missing for count in counts),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOffDamaged(_OnConsignment):
    """Write off by document what arrived damaged."""

    roles: ClassVar[frozenset[Role]] = frozenset({Role.STOREKEEPER}) | ORDERERS
    document_no: str
    reason: str

    @classmethod
    def lies_in(cls, world: World, subject: Consignment) -> UUID:
        return subject.keeper

    @classmethod
    def closed(cls, world: World, subject: Consignment) -> Refusal | None:
        return refusal_of(subject.check_damaged)

    def decide(self, world: World) -> Result | None:
        consignment = world.get(Consignment, self.consignment)
        consignment.write_off_damaged(document_no=self.document_no, reason=self.reason)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseConsignment(_OnConsignment):
    """File a consignment of which nothing is open."""

    roles: ClassVar[frozenset[Role]] = RECEIVERS | ORDERERS

    @classmethod
    def lies_in(cls, world: World, subject: Consignment) -> UUID:
        return subject.keeper

    @classmethod
    def closed(cls, world: World, subject: Consignment) -> Refusal | None:
        return refusal_of(subject.check_closable)

    def decide(self, world: World) -> Result | None:
        world.get(Consignment, self.consignment).close()
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelConsignment(_OnConsignment):
    """Call a consignment off before it ships; what was reserved is free again."""

    roles: ClassVar[frozenset[Role]] = REQUESTERS | ORDERERS
    reason: str

    @classmethod
    def lies_in(cls, world: World, subject: Consignment) -> UUID:
        if subject.source is None:
            return subject.destination
        return common(world, (subject.source, subject.destination))

    @classmethod
    def closed(cls, world: World, subject: Consignment) -> Refusal | None:
        return refusal_of(_check_cancellable, world, subject)

    def decide(self, world: World) -> Result | None:
        consignment = world.get(Consignment, self.consignment)
        _check_cancellable(world, consignment)
        ordered = consignment.phase is Phase.ORDERED
        consignment.cancel(reason=self.reason)
        if ordered:
            for stockpile in _sources(world, consignment):
                stockpile.release(consignment.id, reason=self.reason)
        return None


def _check_cancellable(world: World, consignment: Consignment) -> None:
    """Refuses `ConsignmentNotReady`; what was ordered is called off by those who order."""
    consignment.need(*NOT_SHIPPED)
    if consignment.phase is Phase.ORDERED and world.actor.role not in ORDERERS:
        raise NotYourRole(needed=", ".join(sorted(ORDERERS)))
