"""Stories of goods, money and incidents, and views of them, for the tests of those views."""

from collections.abc import Sequence
from pathlib import Path

from domain.commands.consignments import (
    ArriveConsignment,
    CloseConsignment,
    GoodsLine,
    LotArrival,
    TurnBackConsignment,
    WriteOffDamaged,
)
from domain.commands.stock import LotFound, RecountStock, WriteOffGoods
from projections import areas
from projections.asking.scope import Scope
from projections.folding.base import View
from tests.domain import goods
from tests.domain.county import make_county
from tests.domain.scenario import Scenario
from tests.projections.folding import Folded


def fold(path: Path, scenario: Scenario, views: Sequence[View], batch: int = 10_000) -> Folded:
    """The scenario's facts in the tree and these views."""
    return Folded(path / f"views-{batch}.sqlite", (areas.VIEW, *views), scenario.facts, batch)


def same_for_all_batches(path: Path, scenario: Scenario, views: Sequence[View]) -> None:
    """One fact, seven facts, all facts at a time: the same rows."""
    found = []
    for batch in (1, 7, 10_000):
        folded = fold(path, scenario, views, batch)
        found.append(folded.hashes())
        folded.close()
    assert found[0] == found[1] == found[2]
    empty = {name for name, (rows, _) in found[0].items() if not rows}
    rare = {"erased_persons", "household_moves", "areas_seat", "area_groups"} | {
        "officer_recoveries",
        "ledger_moves",
    }
    assert empty <= rare, (
        "most stories erase nobody, move nobody away, know no seat, no groups and no payment"
    )


def over(scenario: Scenario, *names: str) -> Scope:
    return Scope(tuple(scenario.id(name) for name in names))


def goods_on_all_ways() -> Scenario:
    """100 quilts: 40 to 源潭 (5 damaged, 2 missing), 20 turned back, 10 on the road, 7 gone."""
    s = goods.on_the_road(make_county())
    came = goods.came(s, 33, 5, 2)
    s.given(
        ArriveConsignment(
            consignment=s.id("load"), counts=(came,), remark="雨淋", arrived_at=s.now
        ),
        by="township_storekeeper",
    )
    s.given(
        WriteOffDamaged(consignment=s.id("load"), document_no="报废1号", reason="霉变"),
        by="storekeeper",
    )
    s.given(CloseConsignment(consignment=s.id("load")), by="township")
    for name, units in (("back", 20), ("late", 10)):
        lines = (GoodsLine(item="quilt", quantity=units),)
        s.given(
            goods.request(s, consignment=s.id(name), destination=s.id("shuihou"), lines=lines),
            by="township2",
        )
        s.given(goods.order(s, consignment=s.id(name), document_no=f"调{name}"), by="county")
        s.given(goods.ship(s, consignment=s.id(name)), by="storekeeper")
    s.given(
        TurnBackConsignment(
            consignment=s.id("back"),
            counts=(LotArrival(lot=s.id("lot/a"), good=20, damaged=0, missing=0),),
            remark="道路中断",
            arrived_at=s.now,
        ),
        by="city_storekeeper",
    )
    counted = (LotFound(lot=s.id("lot/a"), found=47),)
    s.given(
        RecountStock(stockpile=goods.quilts(s), counts=counted, reason="年终盘点"), by="storekeeper"
    )
    s.given(
        WriteOffGoods(
            stockpile=goods.quilts(s),
            lot=s.id("lot/a"),
            quantity=4,
            reason="虫蛀",
            document_no="报废2号",
        ),
        by="storekeeper",
    )
    return s
