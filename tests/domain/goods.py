"""Short ways to goods and money for the domain tests: commands with the boring fields filled in."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from domain.commands.consignments import (
    GoodsLine,
    LotArrival,
    OrderConsignment,
    RequestConsignment,
    ShipConsignment,
)
from domain.commands.funds import AppropriateFund
from domain.commands.stock import ReceiveGoods
from domain.money import Source
from domain.stockpile import Stockpile
from tests.domain.scenario import Scenario

NOW = datetime(2018, 7, 4, 8, tzinfo=UTC)
WINTER = ("winter_spring",)


def receive(scenario: Scenario, lot: str = "a", **changed: Any) -> ReceiveGoods:
    """100 quilts at 120 yuan for the county's depot, received on 1 June."""
    fields: dict[str, Any] = {
        "warehouse": scenario.id("county"),
        "item": "quilt",
        "lot": scenario.id(f"lot/{lot}"),
        "document_no": "入库〔2018〕1号",
        "owner": "潜山市应急管理局",
        "received_on": date(2018, 6, 1),
        "quantity": 100,
        "unit_value_fen": 12_000,
    }
    return ReceiveGoods(**(fields | changed))


def stockpile(
    scenario: Scenario, warehouse: str = "county", item: str = "quilt", exercise: bool = False
) -> Stockpile:
    """The stockpile as the log has it."""
    id = Stockpile.id_of(scenario.id(warehouse), item, exercise)
    found: Stockpile = scenario.load(Stockpile, id)
    return found


def quilts(scenario: Scenario, warehouse: str = "county") -> UUID:
    """The id of a warehouse's quilts."""
    return Stockpile.id_of(scenario.id(warehouse), "quilt", False)


def request(scenario: Scenario, **changed: Any) -> RequestConsignment:
    """源潭镇 asks for 40 quilts."""
    fields: dict[str, Any] = {
        "consignment": scenario.id("load"),
        "destination": scenario.id("yuantan"),
        "lines": (GoodsLine(item="quilt", quantity=40),),
        "reason": "转移安置群众缺被褥",
    }
    return RequestConsignment(**(fields | changed))


def order(scenario: Scenario, **changed: Any) -> OrderConsignment:
    """The county orders it out of its own depot."""
    fields: dict[str, Any] = {
        "consignment": scenario.id("load"),
        "source": scenario.id("county"),
        "document_no": "潜应急调〔2018〕3号",
    }
    return OrderConsignment(**(fields | changed))


def ship(scenario: Scenario, **changed: Any) -> ShipConsignment:
    """It leaves on a truck."""
    fields: dict[str, Any] = {"consignment": scenario.id("load"), "vehicle": "皖H00001"}
    return ShipConsignment(**(fields | changed))


def on_the_road(scenario: Scenario) -> Scenario:
    """100 quilts in the depot, 40 of them ordered by ``county``, shipped by ``storekeeper``."""
    scenario.given(receive(scenario), by="storekeeper").given(request(scenario), by="township")
    scenario.given(order(scenario), by="county")
    return scenario.given(ship(scenario), by="storekeeper")


def came(scenario: Scenario, good: int, damaged: int = 0, missing: int = 0) -> LotArrival:
    """What came of lot a."""
    return LotArrival(lot=scenario.id("lot/a"), good=good, damaged=damaged, missing=missing)


def appropriate(scenario: Scenario, holder: str = "city", **changed: Any) -> AppropriateFund:
    """1,000 yuan of the nation for winter and spring."""
    fields: dict[str, Any] = {
        "holder": scenario.id(holder),
        "document_no": "宜财社〔2018〕9号",
        "amount_fen": 100_000,
        "source": Source.NATION,
        "source_document_no": "财建〔2018〕1号",
        "earmark": WINTER,
    }
    return AppropriateFund(**(fields | changed))
