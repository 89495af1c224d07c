"""Goods 救灾物资 as values: lots, picks of lots, what moves them, and how stock says no.

Units are integer units of a catalogue item (床, 件, 顶), values integer fen (domain.md §3.2).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar, NamedTuple
from uuid import UUID

import msgspec

from domain.refusal import Malformed, Refusal


class Lot(msgspec.Struct, frozen=True):
    """A batch as it came in. ``unit_value_fen`` gives the 折款 of one unit.

    A lot keeps its id, document, owner, value and date of first receipt wherever it travels:
    first in, first out goes by the age of the goods, not by their stay in one warehouse.
    """

    lot: UUID
    document_no: str
    owner: str
    received_on: date
    quantity: int
    unit_value_fen: int


class LotPick(msgspec.Struct, frozen=True):
    """So many units out of one lot, and what one of them is worth."""

    lot: UUID
    quantity: int
    unit_value_fen: int


class LotCount(msgspec.Struct, frozen=True):
    """What a recount found of one lot, against what the book said. ``found`` ≥ 0."""

    lot: UUID
    booked: int
    found: int
    unit_value_fen: int


class Purpose(StrEnum):
    """What a reservation is for."""

    CONSIGNMENT = "consignment"
    VILLAGE_LIST = "village_list"


class ReturnSource(StrEnum):
    """Who brought goods back."""

    HOUSEHOLD = "household"
    CONSIGNMENT = "consignment"


class Reservation(NamedTuple):
    """Units set aside: for which list or order, and of which lots."""

    id: UUID
    purpose: Purpose
    subject: UUID
    picks: tuple[LotPick, ...]


class Flow(StrEnum):
    """The ways in and out of a warehouse, for the books. ARRIVED and TURNED_BACK leave transit."""

    RECEIVED = "received"
    ARRIVED = "arrived"
    RETURNED_IN = "returned_in"
    TURNED_BACK = "turned_back"
    GAINED = "gained"
    SHIPPED = "shipped"
    GIVEN = "given"
    WRITTEN_OFF = "written_off"
    LOST = "lost"


def units_of(picks: Iterable[LotPick]) -> int:
    """How many units the picks hold together."""
    return sum(pick.quantity for pick in picks)


def value_of(picks: Iterable[LotPick]) -> int:
    """折款 of the picks, in fen."""
    return sum(pick.quantity * pick.unit_value_fen for pick in picks)


def split(picks: Sequence[LotPick], quantities: Sequence[int]) -> list[tuple[LotPick, ...]]:
    """Deal picks out in order, one part for each quantity (0 gives an empty part).

    The quantities must not add up to more than the picks hold.
    """
    assert sum(quantities) <= units_of(picks)
    parts: list[tuple[LotPick, ...]] = []
    at, used = 0, 0
    for quantity in quantities:
        part: list[LotPick] = []
        while quantity:
            pick = picks[at]
            taken = min(quantity, pick.quantity - used)
            if taken:
                part.append(LotPick(pick.lot, taken, pick.unit_value_fen))
            quantity -= taken
            used += taken
            if used == pick.quantity:
                at, used = at + 1, 0
        parts.append(tuple(part))
    return parts


@dataclass(eq=False)
class ItemUnknown(Refusal):
    """Goods are items of the catalogue in force (the ``items`` rulebook)."""

    zh: ClassVar[str] = "物资目录（{catalogue} 版）中没有“{item}”"
    en: ClassVar[str] = "The catalogue of items (version {catalogue}) has no {item}."
    item: str
    catalogue: str


@dataclass(eq=False)
class StockExhausted(Refusal):
    zh: ClassVar[str] = "{item} 可用库存 {available}，本次要用 {wanted}，库存不够"
    en: ClassVar[str] = (
        "Only {available} of {item} {available:is|are} available; {wanted} {wanted:was|were} "
        "asked for."
    )
    stockpile: UUID
    item: str
    wanted: int
    available: int


@dataclass(eq=False)
class NothingFree(Refusal):
    """All that is in the house is promised to somebody, or nothing is there."""

    zh: ClassVar[str] = "库存 {stockpile} 没有可用的 {item}：都已预留，或已全部发出"
    en: ClassVar[str] = "Stockpile {stockpile} has no {item} free: all is reserved or has left."
    stockpile: UUID
    item: str


@dataclass(eq=False)
class LotExhausted(Refusal):
    """More was asked of one lot than is free in it (or reserved of it, or given out of it)."""

    zh: ClassVar[str] = "批次 {lot} 现有 {available}，本次要用 {wanted}，不够"
    en: ClassVar[str] = "Lot {lot} has only {available}; {wanted} {wanted:was|were} asked for."
    stockpile: UUID
    lot: UUID
    wanted: int
    available: int


@dataclass(eq=False)
class LotUnknown(Refusal):
    zh: ClassVar[str] = "库存 {stockpile} 中没有批次 {lot}"
    en: ClassVar[str] = "Stockpile {stockpile} has no lot {lot}."
    stockpile: UUID
    lot: UUID


@dataclass(eq=False)
class LotAlreadyReceived(Refusal):
    """A lot comes in from outside once; and what travels under its id must be that very lot."""

    zh: ClassVar[str] = "批次 {lot} 已入库，或与已入库的同号批次不一致"
    en: ClassVar[str] = "Lot {lot} is in the books already, or differs from the one that is."
    stockpile: UUID
    lot: UUID


@dataclass(eq=False)
class AlreadyReserved(Refusal):
    zh: ClassVar[str] = "预留 {reservation} 已在库存 {stockpile} 登记"
    en: ClassVar[str] = "Reservation {reservation} was made in stockpile {stockpile} already."
    stockpile: UUID
    reservation: UUID


@dataclass(eq=False)
class ReservationExhausted(Refusal):
    """Nothing, or not enough, is left under that reservation."""

    zh: ClassVar[str] = "预留 {reservation} 还剩 {reserved}，本次要用 {wanted}，不够"
    en: ClassVar[str] = (
        "Reservation {reservation} holds only {reserved}; {wanted} {wanted:was|were} asked for."
    )
    stockpile: UUID
    reservation: UUID
    wanted: int
    reserved: int


@dataclass(eq=False)
class RecountBelowReserved(Refusal):
    """Fewer units were found than are promised: release reservations first, by name."""

    zh: ClassVar[str] = "批次 {lot} 盘点数 {found} 少于已预留数 {reserved}，请先解除预留"
    en: ClassVar[str] = (
        "{found} of lot {lot} {found:was|were} found but {reserved} {reserved:is|are} "
        "reserved: release first."
    )
    stockpile: UUID
    lot: UUID
    found: int
    reserved: int


def positive(field: str, quantity: int) -> None:
    """Refuse with `Malformed` a number of units (or fen) that is not above zero."""
    if quantity <= 0:
        raise Malformed(
            field=field, value=str(quantity), rule_zh="须为正整数", rule_en="it must be above zero"
        )


def not_negative(field: str, quantity: int) -> None:
    """Refuse with `Malformed` a number below zero."""
    if quantity < 0:
        raise Malformed(
            field=field,
            value=str(quantity),
            rule_zh="不得小于零",
            rule_en="it must not be negative",
        )


def same_lot(one: Lot, other: Lot) -> bool:
    """Whether both are the same batch: everything but the quantity is equal."""
    return msgspec.structs.replace(one, quantity=other.quantity) == other
