"""Stockpile 库存: one item in one warehouse, in lots. Never negative (domain.md §3.2, §7.6)."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from uuid import UUID, uuid5

import msgspec
from eventsourcing.domain import event

from domain.base import NAMESPACE, Aggregate
from domain.refusal import Refusal


class Lot(msgspec.Struct, frozen=True):
    """A batch as it came in. ``unit_value_fen`` gives the 折款 of one unit."""

    lot: UUID
    document_no: str
    owner: str
    received_on: date
    quantity: int
    unit_value_fen: int


@dataclass(eq=False)
class StockExhausted(Refusal):
    zh: ClassVar[str] = "{item} 可用库存只有 {available}，不足 {wanted}"
    en: ClassVar[str] = "Only {available} of {item} are available; {wanted} were asked for."
    stockpile: UUID
    item: str
    wanted: int
    available: int


class Stockpile(Aggregate):
    """EXAMPLE of the shape; the goods desk completes it (reserve, ship, recount, write off…)."""

    @event("Opened")
    def __init__(self, id: UUID, warehouse: UUID, item: str, exercise: bool) -> None:
        self.warehouse = warehouse
        self.item = item
        self.exercise = exercise
        self.lots: dict[UUID, Lot] = {}
        self.on_hand = 0

    @staticmethod
    def id_of(warehouse: UUID, item: str, exercise: bool) -> UUID:
        return uuid5(NAMESPACE, f"stockpile/{warehouse}/{item}/{exercise}")

    @property
    def home(self) -> UUID:
        return self.warehouse

    def receive(self, lot: Lot) -> None:
        self._received(lot=lot)

    @event("Received")
    def _received(self, lot: Lot) -> None:
        self.lots[lot.lot] = lot
        self.on_hand += lot.quantity
