"""Conservation of goods and money, as a checked invariant: what came in is somewhere
(domain.md §7.6).

received + returned in + recount gains
= available + reserved + in transit + given + lost + written off + recount losses

in units for each item and in fen overall, real and exercise apart. Damaged goods count as in
transit until a document writes them off.

Over all funds: what one passed down another received, what one returned another got back, and the
matching share (配套) that was appropriated is held by somebody.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from domain.consignment import Consignment
from domain.fund import Fund
from domain.goods import Flow
from domain.stockpile import Stockpile


@dataclass
class Books:
    """One side each of the equation, in one unit (units of an item, or fen)."""

    received: int = 0
    returned_in: int = 0
    gained: int = 0
    available: int = 0
    reserved: int = 0
    in_transit: int = 0
    given: int = 0
    lost: int = 0
    written_off: int = 0
    recount_lost: int = 0

    @property
    def came_in(self) -> int:
        return self.received + self.returned_in + self.gained

    @property
    def accounted_for(self) -> int:
        there = self.available + self.reserved + self.in_transit
        return there + self.given + self.lost + self.written_off + self.recount_lost

    @property
    def balanced(self) -> bool:
        return self.came_in == self.accounted_for


def money_broken(funds: Iterable[Fund], *, exercise: bool) -> tuple[str, ...]:
    """Which equations over these funds, complete if they are all there are, do not hold."""
    mine = [fund for fund in funds if fund.exercise is exercise]
    totals = {
        "passed_down": (lambda fund: fund.passed_down_fen, lambda fund: fund.received_fen),
        "returned": (lambda fund: fund.returned_fen, lambda fund: fund.got_back_fen),
        "matching": (lambda fund: fund.appropriated_matching_fen, lambda fund: fund.matching_fen),
    }
    broken = [
        name
        for name, (one, other) in totals.items()
        if sum(map(one, mine)) != sum(map(other, mine))
    ]
    return (*(fund.document_no for fund in mine if not fund.balanced()), *broken)


@dataclass
class Conservation:
    """``units`` by item, and ``fen`` over all items."""

    units: dict[str, Books] = field(default_factory=lambda: defaultdict(Books))
    fen: Books = field(default_factory=Books)

    @property
    def broken(self) -> tuple[str, ...]:
        """The items that do not balance, and ``fen`` if the value does not."""
        items = tuple(item for item, books in sorted(self.units.items()) if not books.balanced)
        return items if self.fen.balanced else (*items, "fen")


def conserved(
    stockpiles: Iterable[Stockpile], consignments: Iterable[Consignment], *, exercise: bool
) -> Conservation:
    """The books over all these stockpiles and consignments; complete if they are all there are."""
    books = Conservation()
    for stockpile in stockpiles:
        if stockpile.exercise is exercise:
            _add_stockpile(books, stockpile)
    for consignment in consignments:
        if consignment.exercise is exercise:
            _add_consignment(books, consignment)
    return books


def _add_stockpile(books: Conservation, stockpile: Stockpile) -> None:
    units, fen = books.units[stockpile.item], books.fen
    for side, flow in _FLOWS.items():
        setattr(units, side, getattr(units, side) + stockpile.flow_units[flow])
        setattr(fen, side, getattr(fen, side) + stockpile.flow_fen[flow])
    for lot, quantity in stockpile.available.items():
        units.available += quantity
        fen.available += quantity * stockpile.lots[lot].unit_value_fen
    for kept in stockpile.reserved.values():
        for lot, quantity in kept.items():
            units.reserved += quantity
            fen.reserved += quantity * stockpile.lots[lot].unit_value_fen


_FLOWS = {
    "received": Flow.RECEIVED,
    "returned_in": Flow.RETURNED_IN,
    "gained": Flow.GAINED,
    "given": Flow.GIVEN,
    "written_off": Flow.WRITTEN_OFF,
    "recount_lost": Flow.LOST,
}


def _add_consignment(books: Conservation, consignment: Consignment) -> None:
    counted = {count.lot: count for count in consignment.counts}
    for cargo in consignment.cargo.values():
        count = counted.get(cargo.lot.lot)
        good, damaged, missing = (count.good, count.damaged, count.missing) if count else (0, 0, 0)
        struck = damaged if consignment.damaged_written_off else 0
        on_the_road = cargo.lot.quantity - good - missing - struck
        units = books.units[cargo.item]
        for each, value in ((units, 1), (books.fen, cargo.lot.unit_value_fen)):
            each.in_transit += on_the_road * value
            each.lost += missing * value
            each.written_off += struck * value
