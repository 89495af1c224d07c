"""Goods under any order of moves, against a toy model: never negative, nothing lost in the books.

Two warehouses, one item, loads between them. The toy knows only how many units are free in each
house, reserved under each name, and gone.
"""

from collections import Counter
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
)

from domain.base import Aggregate
from domain.conservation import conserved
from domain.consignment import Cargo, Consignment, Line
from domain.goods import (
    Flow,
    Lot,
    LotExhausted,
    LotPick,
    Purpose,
    ReservationExhausted,
    ReturnSource,
    StockExhausted,
    units_of,
)
from domain.ids import seeded_id
from domain.stockpile import Stockpile
from domain.world import RuleRef

AT = datetime(2018, 7, 4, tzinfo=UTC)
RULE = RuleRef("items", "1", "测试")
HOUSES = ("county", "township")
house = st.sampled_from(HOUSES)
few = st.integers(1, 30)


def named(*parts: object) -> UUID:
    return seeded_id(*parts)


def replayed(aggregate: Any) -> Any:
    """The same aggregate made again from its facts, as they are read back from the log."""
    again: Aggregate | None = None
    for fact in aggregate.pending_events:
        body = msgspec.json.encode(fact)
        again = msgspec.json.decode(body, type=type(fact)).mutate(again)
    return again


class Goods(RuleBasedStateMachine):
    reservations = Bundle("reservations")
    roads = Bundle("roads")

    def __init__(self) -> None:
        super().__init__()
        self.number = 0
        self.houses = {
            name: Stockpile(id=named(name), warehouse=named(name), item="quilt", exercise=False)
            for name in HOUSES
        }
        self.loads: list[Consignment] = []
        # The toy.
        self.free: Counter[str] = Counter()
        self.kept: Counter[UUID] = Counter()
        self.road = 0
        self.given: Counter[str] = Counter()
        self.gone = 0
        self.came = 0

    def fresh(self, what: str) -> UUID:
        self.number += 1
        return named(what, self.number)

    @initialize(target=reservations, at=house)
    def begin(self, at: str) -> tuple[str, UUID]:
        """Two lots in the house, and a village list's goods given in part."""
        self.receive(at, 40, 2, 110)
        self.receive(at, 40, 1, 100)
        held = at, self.fresh("list")
        assert self._reserve(*held, 50, Purpose.VILLAGE_LIST)
        self.give(held, 30)
        return held

    @rule(at=house, quantity=few, day=st.integers(1, 28), value_fen=st.integers(1, 300))
    def receive(self, at: str, quantity: int, day: int, value_fen: int) -> None:
        lot = Lot(self.fresh("lot"), "单", "市", date(2018, 1, day), quantity, value_fen)
        self.houses[at].receive((lot,), rule=RULE)
        self.free[at] += quantity
        self.came += quantity

    @rule(target=reservations, at=house, quantity=few)
    def reserve(self, at: str, quantity: int) -> tuple[str, UUID]:
        name = self.fresh("list")
        self._reserve(at, name, quantity, Purpose.VILLAGE_LIST)
        return at, name

    def _reserve(self, at: str, name: UUID, quantity: int, purpose: Purpose) -> bool:
        def attempt() -> tuple[LotPick, ...]:
            return self.houses[at].reserve(
                name, quantity, purpose=purpose, subject=name, exercise=False
            )

        if quantity > self.free[at]:
            with pytest.raises(StockExhausted):
                attempt()
            return False
        assert units_of(attempt()) == quantity
        self.free[at] -= quantity
        self.kept[name] += quantity
        return True

    @rule(held=reservations, quantity=few)
    def give(self, held: tuple[str, UUID], quantity: int) -> None:
        at, name = held
        if quantity > self.kept[name]:
            with pytest.raises(ReservationExhausted):
                self.houses[at].give(name, quantity, case=name, grant=name)
            return
        self.houses[at].give(name, quantity, case=name, grant=name)
        self.kept[name] -= quantity
        self.given[at] += quantity

    @rule(held=reservations, quantity=st.none() | few)
    def release(self, held: tuple[str, UUID], quantity: int | None) -> None:
        at, name = held
        if quantity is not None and quantity > self.kept[name]:
            with pytest.raises(ReservationExhausted):
                self.houses[at].release(name, quantity, reason="余额")
            return
        freed = units_of(self.houses[at].release(name, quantity, reason="余额"))
        self.kept[name] -= freed
        self.free[at] += freed

    @rule(at=house, which=st.integers(0, 9), quantity=few)
    def bring_back(self, at: str, which: int, quantity: int) -> None:
        made = self.houses[at]
        lots = list(made.given) or list(made.lots)
        if not lots:
            return
        lot = lots[which % len(lots)]
        try:
            made.return_in(lot, quantity, source=ReturnSource.HOUSEHOLD, subject=lot, reason="退回")
        except LotExhausted as refused:
            assert quantity > refused.available
            return
        assert self.given[at] >= quantity
        self.given[at] -= quantity
        self.free[at] += quantity

    @rule(at=house, which=st.integers(0, 9), change=st.integers(-5, 5), strike=st.booleans())
    def recount_or_write_off(self, at: str, which: int, change: int, strike: bool) -> None:
        made = self.houses[at]
        free = [lot for lot in made.available if made.available[lot] > 5]
        if not free:
            return
        lot = free[which % len(free)]
        if strike and change:
            made.write_off(lot, abs(change), reason="霉变", document_no="废1")
            change = -abs(change)
        else:
            booked = made.available[lot] + made.reserved_of(lot)
            made.recount({lot: booked + change}, reason="盘点")
        self.free[at] += change
        self.came += max(change, 0)
        self.gone += max(-change, 0)

    @rule(target=roads, source=house, quantity=few)
    def ship(self, source: str, quantity: int) -> Consignment | None:
        (target,) = set(HOUSES) - {source}
        load = Consignment(
            id=self.fresh("load"),
            destination=named(target),
            lines=(Line("quilt", quantity),),
            reason="短缺",
            needed_by=None,
            exercise=False,
            rule=RULE,
        )
        load.order(named(source), load.lines, document_no="调1", hands=())
        self.loads.append(load)
        if not self._reserve(source, load.id, quantity, Purpose.CONSIGNMENT):
            return None
        cargo = tuple(Cargo("quilt", lot) for lot in self.houses[source].ship(load.id))
        nobody = {"driver_name": None, "driver_phone": None, "eta": None}
        load.ship(cargo, vehicle="车", shipped_at=AT, hands=(), **nobody)
        self.kept[load.id] -= quantity
        self.road += quantity
        return load

    @rule(load=consumes(roads), back=st.booleans(), bad=st.integers(0, 3), lost=st.integers(0, 3))
    def arrive(self, load: Consignment | None, back: bool, bad: int, lost: int) -> None:
        if load is None:
            return
        counts = {}
        for lot, cargo in load.cargo.items():
            damaged = min(bad, cargo.lot.quantity)
            missing = min(lost, cargo.lot.quantity - damaged)
            counts[lot] = (cargo.lot.quantity - damaged - missing, damaged, missing)
        step = load.turn_back if back else load.arrive
        for count in step(counts, remark="差异", arrived_at=AT, hands=()):
            self._shelve(load, count.lot, count.good, back)
            self.road -= count.good + count.missing
            self.gone += count.missing
        if load.damaged and bad % 2:
            self.road -= load.damaged
            self.gone += load.damaged
            load.write_off_damaged(document_no="废2", reason="损坏")
            load.close()

    def _shelve(self, load: Consignment, lot: UUID, good: int, back: bool) -> None:
        place = next(name for name in HOUSES if named(name) == load.keeper)
        if good == 0:
            return
        self.free[place] += good
        if back:
            self.houses[place].return_in(
                lot, good, source=ReturnSource.CONSIGNMENT, subject=load.id, reason="塌方"
            )
            return
        shipped = msgspec.structs.replace(load.cargo[lot].lot, quantity=good)
        self.houses[place].receive((shipped,), consignment=load.id)

    @invariant()
    def the_books_are_those_of_the_toy(self) -> None:
        for name, made in self.houses.items():
            assert made.free == self.free[name]
            assert all(quantity > 0 for quantity in made.available.values())
            for reservation in made.reserved:
                assert made.reserved_for(reservation) == self.kept[reservation]
            assert sum(made.given.values()) == self.given[name]
        there = sum(self.free.values()) + sum(self.kept.values()) + self.road
        assert self.came == there + sum(self.given.values()) + self.gone

    @invariant()
    def everything_that_came_in_is_somewhere(self) -> None:
        books = conserved(self.houses.values(), self.loads, exercise=False)
        assert books.broken == ()
        assert books.units["quilt"].in_transit == self.road
        gained = sum(made.flow_units[Flow.GAINED] for made in self.houses.values())
        assert books.units["quilt"].gained == gained

    def teardown(self) -> None:
        for made in (*self.houses.values(), *self.loads):
            again = replayed(made)
            assert vars(again).keys() == vars(made).keys()
            for name in ("available", "reserved", "given", "flow_fen", "counts", "phase"):
                assert getattr(again, name, None) == getattr(made, name, None)


Goods.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestGoods = Goods.TestCase
