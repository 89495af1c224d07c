"""The storekeeper's desk 库管: goods in from outside, recounts, write-offs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from uuid import UUID

from domain.area import Area, check_text
from domain.exercise import AS_THE_STORE
from domain.goods import ItemUnknown, Lot, StockExhausted, positive
from domain.ids import NewId
from domain.refusal import Malformed, Refusal, refusal_of
from domain.rules.base import china_day
from domain.rules.items import Items
from domain.stockpile import Stockpile
from domain.world import About, Command, InForce, Result, Role, World

STOCKPILE = About("stockpiles", Stockpile, "stockpile")
KEEPERS = frozenset({Role.STOREKEEPER})


def catalogue(world: World, area: UUID, items: Iterable[str]) -> InForce[Items]:
    """The catalogue in force there. Refuses with `ItemUnknown` an item that is not in it."""
    in_force = world.rules(Items, area, world.now)
    for item in items:
        if not in_force.rule.knows(item):
            raise ItemUnknown(item=item, catalogue=in_force.ref.version)
    return in_force


def stockpile_at(world: World, warehouse: UUID, item: str, exercise: bool) -> Stockpile:
    """The stockpile of an item in a warehouse, opened if this is its first use."""
    id = Stockpile.id_of(warehouse, item, exercise)
    known = world.find(Stockpile, id)
    if known is not None:
        return known
    world.get(Area, warehouse).require_living()
    return world.add(Stockpile(id=id, warehouse=warehouse, item=item, exercise=exercise))


def stocked(world: World, warehouse: UUID, item: str, wanted: int, *, exercise: bool) -> Stockpile:
    """The stockpile to take so many of an item from. `StockExhausted` where none was opened."""
    id = Stockpile.id_of(warehouse, item, exercise)
    known = world.find(Stockpile, id)
    if known is None:
        raise StockExhausted(stockpile=id, item=item, wanted=wanted, available=0)
    return known


def holding(world: World, id: UUID, fits: Callable[[Stockpile], bool]) -> Stockpile:
    """The stockpile in which something is now that was in this one: this one, or since its village
    was merged, the one of that item in the village it has become part of."""
    first = world.get(Stockpile, id)
    area = world.look(Area, first.warehouse)
    found = [first]
    while area is not None and area.merged_into is not None:
        area = world.look(Area, area.merged_into)
        assert area is not None, "a village is merged into one that is there"
        there = Stockpile.id_of(area.id, first.item, first.exercise)
        found += [pile for pile in (world.find(Stockpile, there),) if pile is not None]
    return next((pile for pile in reversed(found) if fits(pile)), first)


def reserved_in(world: World, id: UUID, reservation: UUID) -> Stockpile:
    """The stockpile that holds what was reserved in this one."""
    return holding(world, id, lambda pile: pile.reserved_for(reservation) > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LotFound:
    """What a recount found of one lot, reserved units included."""

    lot: UUID
    found: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveGoods(Command):
    """Take a lot of goods from outside into a warehouse (入库单)."""

    roles: ClassVar[frozenset[Role]] = KEEPERS
    warehouse: UUID
    item: str
    lot: NewId
    document_no: str
    owner: str
    received_on: date
    quantity: int
    unit_value_fen: int | None = None
    """Value of a unit 折款; None takes the catalogue's, if it has one."""
    exercise: bool = AS_THE_STORE

    def scope(self, world: World) -> UUID:
        return self.warehouse

    def decide(self, world: World) -> Result | None:
        check_text("document_no", self.document_no)
        check_text("owner", self.owner)
        if self.received_on > china_day(world.now):
            raise Malformed(
                field="received_on",
                value=self.received_on.isoformat(),
                rule_zh="不能晚于今天",
                rule_en="it lies in the future",
            )
        books = catalogue(world, self.warehouse, (self.item,))
        value_fen = self._unit_value_fen(books.rule)
        lot = Lot(
            lot=self.lot,
            document_no=self.document_no,
            owner=self.owner,
            received_on=self.received_on,
            quantity=self.quantity,
            unit_value_fen=value_fen,
        )
        stockpile = stockpile_at(world, self.warehouse, self.item, self.exercise)
        stockpile.receive((lot,), rule=books.ref)
        return {"stockpile": stockpile.id, "on_hand": stockpile.on_hand}

    def _unit_value_fen(self, items: Items) -> int:
        """Without a value no 折款 could ever be booked: `Malformed` if nobody gives one."""
        if self.unit_value_fen is not None:
            positive("unit_value_fen", self.unit_value_fen)
            return self.unit_value_fen
        entry = items.find(self.item)
        if entry is None or entry.unit_value_fen <= 0:
            raise Malformed(
                field="unit_value_fen",
                value="",
                rule_zh="物资目录里没有这一品名的单价，须填写",
                rule_en="the catalogue has no value for this item: fill it in",
            )
        return entry.unit_value_fen


@dataclass(frozen=True, slots=True, kw_only=True)
class RecountStock(Command):
    """Book a recount (盘点) lot by lot, with the reason for gains and losses."""

    about: ClassVar[About] = STOCKPILE
    roles: ClassVar[frozenset[Role]] = KEEPERS
    stockpile: UUID
    counts: tuple[LotFound, ...]
    reason: str
    expected_version: int | None = None
    """Facts of the stock when it was counted: what came or went since would be booked away."""

    def decide(self, world: World) -> Result | None:
        check_text("reason", self.reason)
        found = {count.lot: count.found for count in self.counts}
        if not found or len(found) < len(self.counts):
            raise Malformed(
                field="counts",
                value=str(len(self.counts)),
                rule_zh="至少一个批次，且同一批次只列一次",
                rule_en="at least one lot, and each lot once",
            )
        stockpile = world.get(Stockpile, self.stockpile)
        changed = stockpile.recount(found, reason=self.reason)
        difference = sum(count.found - count.booked for count in changed)
        return {"difference": difference, "on_hand": stockpile.on_hand}


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOffGoods(Command):
    """Write goods off (报废) by document, with the reason."""

    about: ClassVar[About] = STOCKPILE
    roles: ClassVar[frozenset[Role]] = KEEPERS
    stockpile: UUID
    lot: UUID
    quantity: int
    reason: str
    document_no: str

    @classmethod
    def closed(cls, world: World, subject: Stockpile) -> Refusal | None:
        return refusal_of(subject.check_free)

    def decide(self, world: World) -> Result | None:
        check_text("reason", self.reason)
        check_text("document_no", self.document_no)
        stockpile = world.get(Stockpile, self.stockpile)
        stockpile.write_off(
            self.lot, self.quantity, reason=self.reason, document_no=self.document_no
        )
        return {"on_hand": stockpile.on_hand}
