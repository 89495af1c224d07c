"""Goods on the road: request, order by document, ship, arrive with differences, close."""

from datetime import timedelta
from typing import Any

import pytest

from domain.area import AreaAbolished
from domain.commands.areas import AbolishArea
from domain.commands.consignments import (
    ArriveConsignment,
    CancelConsignment,
    CloseConsignment,
    GoodsLine,
    LotArrival,
    TurnBackConsignment,
    WriteOffDamaged,
)
from domain.conservation import conserved
from domain.consignment import (
    ArrivalDoesNotAddUp,
    Consignment,
    ConsignmentNotReady,
    DamagedGoodsOpen,
    NothingDamaged,
    Phase,
)
from domain.goods import ItemUnknown
from domain.not_enough import NotEnough
from domain.refusal import AlreadyExists, Malformed, NotFound, NotYourRole
from domain.rules.base import china_day
from domain.separation import SamePersonTwice
from domain.stockpile import Stockpile
from domain.world import Role
from tests.domain.county import appoint, appointment, make_county
from tests.domain.goods import (
    NOW,
    came,
    on_the_road,
    order,
    receive,
    request,
    ship,
    stockpile,
)
from tests.domain.scenario import Scenario


@pytest.fixture
def county() -> Scenario:
    return make_county()


def load(scenario: Scenario) -> Consignment:
    found: Consignment = scenario.load(Consignment, scenario.id("load"))
    return found


def arrive(scenario: Scenario, *counts: LotArrival, **changed: Any) -> ArriveConsignment:
    fields: dict[str, Any] = {"remark": "", "arrived_at": NOW}
    return ArriveConsignment(consignment=scenario.id("load"), counts=counts, **(fields | changed))


def turn_back(scenario: Scenario, *counts: LotArrival, **changed: Any) -> TurnBackConsignment:
    fields: dict[str, Any] = {"remark": "道路塌方", "arrived_at": NOW}
    return TurnBackConsignment(consignment=scenario.id("load"), counts=counts, **(fields | changed))


def damage(scenario: Scenario, **changed: Any) -> WriteOffDamaged:
    fields: dict[str, Any] = {"document_no": "报废〔2018〕2号", "reason": "雨淋"}
    return WriteOffDamaged(consignment=scenario.id("load"), **(fields | changed))


def close(scenario: Scenario) -> CloseConsignment:
    return CloseConsignment(consignment=scenario.id("load"))


def cancel(scenario: Scenario, reason: str = "已由他处解决") -> CancelConsignment:
    return CancelConsignment(consignment=scenario.id("load"), reason=reason)


def in_order(scenario: Scenario) -> bool:
    """Whether all goods of this log are somewhere, in units and in fen."""
    kinds = {Stockpile: [], Consignment: []}  # type: ignore[var-annotated]
    for id, stream in scenario.streams.items():
        for kind, found in kinds.items():
            if stream[0][0].topic().startswith(kind.__name__ + "."):
                found.append(scenario.load(kind, id))
    return not conserved(kinds[Stockpile], kinds[Consignment], exercise=False).broken


def test_a_load_goes_from_request_to_the_file(county: Scenario) -> None:
    county.given(receive(county), by="storekeeper")
    county.when(request(county), by="township").then("Consignment.Requested")
    county.when(order(county), by="county").then("Consignment.Ordered", "Stockpile.Reserved")
    county.when(ship(county), by="storekeeper").then("Consignment.Shipped", "Stockpile.Shipped")
    assert (stockpile(county).on_hand, county.result) == (60, {"units": 40})
    facts = county.when(arrive(county, came(county, 40)), by="township_storekeeper").then(
        "Consignment.Arrived", "Stockpile.Opened", "Stockpile.Received"
    )
    assert facts[2].lots[0] == replace_quantity(stockpile(county).lots[county.id("lot/a")], 40)
    assert stockpile(county, "yuantan").free == 40
    county.when(close(county), by="township").then("Consignment.Closed")
    assert in_order(county)


def replace_quantity(lot: Any, quantity: int) -> Any:
    return type(lot)(
        lot.lot, lot.document_no, lot.owner, lot.received_on, quantity, lot.unit_value_fen
    )


def test_a_request_names_known_goods_and_says_why(county: Scenario) -> None:
    gold, none = GoodsLine(item="gold", quantity=1), GoodsLine(item="quilt", quantity=0)
    county.when(request(county, lines=(gold,)), by="village").then(NotFound)
    county.when(request(county, lines=(gold,)), by="township").then(ItemUnknown)
    county.when(request(county, lines=(none,)), by="township").then(Malformed)
    county.when(request(county, lines=()), by="township").then(Malformed)
    county.when(request(county, lines=(gold, gold)), by="township").then(Malformed)
    county.when(request(county, reason=" "), by="township").then(Malformed)
    county.when(request(county), by="dispatcher").then(NotYourRole)
    county.given(request(county), by="township")
    county.when(request(county), by="township").then(AlreadyExists)


def test_nothing_is_sent_to_an_area_that_is_no_more(county: Scenario) -> None:
    gone = AbolishArea(
        area=county.id("yuantan_2"), effective_on=NOW.date(), document_no="民函〔2018〕1号"
    )
    county.given(gone)
    wrong = request(county, destination=county.id("yuantan_2"))
    county.when(wrong, by="township").then(AreaAbolished)


def test_an_order_bears_a_document_and_names_another_warehouse(county: Scenario) -> None:
    county.given(receive(county), by="storekeeper").given(request(county), by="township")
    county.when(order(county, document_no=""), by="county").then(Malformed)
    county.when(order(county, source=county.id("yuantan")), by="county").then(Malformed)
    county.when(order(county), by="township").then(NotFound)
    county.when(order(county), by="storekeeper").then(NotYourRole)


def test_an_order_takes_no_more_than_the_depot_has(county: Scenario) -> None:
    county.given(request(county), by="township")
    (short,) = county.when(order(county), by="county").then(NotEnough).short
    assert (short.wanted, short.available) == (40, 0)
    county.given(receive(county, quantity=39), by="storekeeper")
    (short,) = county.when(order(county), by="county").then(NotEnough).short
    assert short.available == 39
    less = order(county, lines=(GoodsLine(item="quilt", quantity=39),))
    county.when(less, by="county").then("Consignment.Ordered", "Stockpile.Reserved")


def test_an_order_is_told_of_every_kind_that_is_short(county: Scenario) -> None:
    county.given(request(county), by="township")
    lines = (GoodsLine(item="quilt", quantity=2), GoodsLine(item="coat", quantity=3))
    refusal = county.when(order(county, lines=lines), by="county").then(NotEnough)
    assert [(one.field, one.row, one.zh) for one in refusal.short] == [
        ("lines[0].quantity", 1, "棉被"),
        ("lines[1].quantity", 2, "棉衣"),
    ]
    assert "棉衣可用 0 件，本次要用 3 件，差 3 件" in refusal.sentence("zh")


def test_goods_of_another_county_are_ordered_by_the_city_above_both(county: Scenario) -> None:
    there = county.id("foreign_county")
    county.given(receive(county, warehouse=there), by="foreign_storekeeper")
    county.given(request(county), by="township")
    county.when(order(county, source=there), by="county").then(NotFound)
    county.when(order(county, source=there), by="city").then(
        "Consignment.Ordered", "Stockpile.Reserved"
    )
    county.when(ship(county), by="storekeeper").then(NotFound)
    facts = county.when(ship(county), by="foreign_storekeeper").then(
        "Consignment.Shipped", "Stockpile.Shipped"
    )
    assert [fact.meta.division for fact in facts] == [county.id("county"), there]


def test_exercise_goods_are_never_ordered_for_a_real_need(county: Scenario) -> None:
    county.given(receive(county, exercise=True), by="storekeeper")
    county.given(request(county), by="township")
    county.when(order(county), by="county").then(NotEnough)
    drill = {"consignment": county.id("drill")}
    county.given(request(county, exercise=True, **drill), by="township")
    county.when(order(county, **drill), by="county").then(
        "Consignment.Ordered", "Stockpile.Reserved"
    )


def test_the_driver_is_sealed(county: Scenario) -> None:
    county.given(receive(county), by="storekeeper").given(request(county), by="township")
    county.given(order(county), by="county")
    short = ship(county, driver_name="王师傅", driver_phone="12")
    assert county.when(short, by="storekeeper").then(Malformed).field == "driver_phone"
    command = ship(county, driver_name="王师傅", driver_phone="138 0000 0000", eta=county.now)
    shipped = county.when(command, by="storekeeper").then(
        "Consignment.Shipped", "Stockpile.Shipped"
    )[0]
    assert "13800000000" not in repr(shipped)
    phone = county.vault.unseal(shipped.driver_phone, county.id("load"), "driver_phone")
    assert phone == "13800000000"


def test_a_load_ships_only_as_ordered(county: Scenario) -> None:
    county.given(receive(county), by="storekeeper").given(request(county), by="township")
    county.when(ship(county), by="township_storekeeper").then(ConsignmentNotReady)
    county.given(order(county), by="county")
    county.when(ship(county, vehicle=""), by="storekeeper").then(Malformed)
    naive = NOW.replace(tzinfo=None)
    refusal = county.when(ship(county, eta=naive), by="storekeeper").then(Malformed)
    assert refusal.field == "eta"
    over = county.now - timedelta(hours=1)
    refusal = county.when(ship(county, eta=over), by="storekeeper").then(Malformed)
    assert refusal.field == "eta", "what is due before it leaves would be late at once"
    county.when(ship(county), by="county").then(NotYourRole)


def test_orderer_shipper_and_receiver_are_three_persons(county: Scenario) -> None:
    appoint_too(county, "storekeeper", Role.COUNTY_APPROVER)
    county.given(receive(county), by="storekeeper").given(request(county), by="township")
    county.given(order(county), by="storekeeper")
    county.when(ship(county), by="storekeeper").then(SamePersonTwice)
    appoint(county, "storekeeper_b", Role.STOREKEEPER, "county")
    county.given(ship(county), by="storekeeper_b")
    counts = came(county, 40)
    for hand, other in (("storekeeper", "order"), ("storekeeper_b", "ship")):
        refusal = county.when(arrive(county, counts), by=hand).then(SamePersonTwice)
        assert refusal.other == other
    county.when(arrive(county, counts), by="township").then(
        "Consignment.Arrived", "Stockpile.Opened", "Stockpile.Received"
    )


def appoint_too(scenario: Scenario, name: str, role: Role) -> None:
    scenario.given(appointment(scenario, name, role, "county", nth="/too"))


def test_an_arrival_accounts_for_every_unit_of_every_lot(county: Scenario) -> None:
    on_the_road(county)

    def then(*counts: LotArrival, **changed: Any) -> Any:
        return county.when(arrive(county, *counts, **changed), by="township").then

    refusal = then(came(county, 39))(ArrivalDoesNotAddUp)
    assert (refusal.shipped, refusal.counted) == (40, 39)
    then()(Malformed)
    stranger = LotArrival(lot=county.id("x"), good=1)
    assert then(came(county, 40), stranger)(ArrivalDoesNotAddUp).lot == county.id("x")
    then(came(county, 41, -1))(Malformed)
    then(came(county, 40), came(county, 40))(Malformed)
    assert then(came(county, 39, 1))(Malformed).field == "remark"
    then(came(county, 40), arrived_at=NOW + timedelta(hours=1))(Malformed)
    then(came(county, 40), arrived_at=NOW.replace(tzinfo=None))(Malformed)


def test_differences_are_recorded_and_damage_is_struck_by_document(county: Scenario) -> None:
    on_the_road(county)
    counts = came(county, 36, 3, 1)
    command = arrive(county, counts, remark="车厢漏雨")
    county.when(command, by="township").then(
        "Consignment.Arrived", "Stockpile.Opened", "Stockpile.Received"
    )
    assert county.result == {"good": 36, "damaged": 3, "missing": 1}
    assert in_order(county)
    assert county.when(close(county), by="township").then(DamagedGoodsOpen).damaged == 3
    county.when(damage(county, document_no=""), by="township_storekeeper").then(Malformed)
    county.when(damage(county, reason=""), by="township_storekeeper").then(Malformed)
    county.when(damage(county), by="township").then(NotYourRole)
    county.when(damage(county), by="township_storekeeper").then("Consignment.DamagedWrittenOff")
    assert in_order(county)
    county.when(damage(county), by="township_storekeeper").then(NothingDamaged)
    county.when(close(county), by="township").then("Consignment.Closed")
    county.when(close(county), by="township").then(ConsignmentNotReady)


def test_damage_may_be_struck_as_it_arrives(county: Scenario) -> None:
    on_the_road(county)
    counts = came(county, 38, 2)
    command = arrive(county, counts, remark="雨淋", write_off_document_no="报废〔2018〕2号")
    county.when(command, by="township").then(
        "Consignment.Arrived",
        "Consignment.DamagedWrittenOff",
        "Stockpile.Opened",
        "Stockpile.Received",
    )
    assert in_order(county)


def test_a_load_that_lost_everything_opens_no_stockpile(county: Scenario) -> None:
    on_the_road(county)
    lost = arrive(county, came(county, 0, 0, 40), remark="车辆落水")
    county.when(lost, by="township").then("Consignment.Arrived")
    assert in_order(county)


def test_a_load_that_cannot_get_through_goes_back_on_its_shelf(county: Scenario) -> None:
    on_the_road(county)
    county.when(turn_back(county, came(county, 40)), by="storekeeper").then(SamePersonTwice)
    appoint(county, "storekeeper_b", Role.STOREKEEPER, "county")
    county.when(turn_back(county, came(county, 40), remark=""), by="storekeeper_b").then(Malformed)
    back = turn_back(county, came(county, 37, 2, 1))
    county.when(back, by="storekeeper_b").then("Consignment.TurnedBack", "Stockpile.ReturnedIn")
    assert stockpile(county).free == 97
    assert in_order(county)
    county.when(damage(county), by="township_storekeeper").then(NotFound)
    county.given(damage(county), by="storekeeper_b")
    county.when(close(county), by="county").then("Consignment.Closed")
    assert in_order(county)


def test_a_load_is_called_off_before_it_ships_and_frees_its_goods(county: Scenario) -> None:
    county.given(receive(county), by="storekeeper").given(request(county), by="township")
    county.given(order(county), by="county")
    county.when(cancel(county), by="township").then(NotFound)
    county.when(cancel(county), by="storekeeper").then(NotYourRole)
    county.when(cancel(county, ""), by="county").then(Malformed)
    county.when(cancel(county), by="county").then("Consignment.Cancelled", "Stockpile.Released")
    assert stockpile(county).free == 100
    assert load(county).phase is Phase.CANCELLED
    county.when(ship(county), by="storekeeper").then(ConsignmentNotReady)


def test_who_asked_may_withdraw_before_it_is_ordered(county: Scenario) -> None:
    county.given(request(county), by="township")
    county.when(cancel(county), by="township").then("Consignment.Cancelled")


def test_what_is_on_the_road_cannot_be_called_off(county: Scenario) -> None:
    on_the_road(county)
    refusal = county.when(cancel(county), by="county").then(ConsignmentNotReady)
    assert refusal.phase == "shipped"


def test_two_items_travel_together_and_arrive_lot_by_lot(county: Scenario) -> None:
    county.given(receive(county), receive(county, "b", item="coat"), by="storekeeper")
    lines = (GoodsLine(item="quilt", quantity=5), GoodsLine(item="coat", quantity=2))
    county.given(request(county, lines=lines), by="township").given(order(county), by="county")
    county.given(ship(county), by="storekeeper")
    coats = LotArrival(lot=county.id("lot/b"), good=2)
    county.given(arrive(county, came(county, 5), coats), by="township")
    assert stockpile(county, "yuantan", "coat").free == 2
    assert in_order(county)


def test_two_items_cannot_travel_under_one_lot(county: Scenario) -> None:
    county.given(receive(county), receive(county, item="coat"), by="storekeeper")
    lines = (GoodsLine(item="quilt", quantity=5), GoodsLine(item="coat", quantity=2))
    county.given(request(county, lines=lines), by="township").given(order(county), by="county")
    assert county.when(ship(county), by="storekeeper").then(Malformed).field == "lot"


def test_the_check_of_conservation_can_fail(county: Scenario) -> None:
    on_the_road(county)
    made = stockpile(county)
    made.available[county.id("lot/a")] -= 1
    assert conserved([made], [load(county)], exercise=False).broken == ("quilt", "fen")
    assert conserved([made], [load(county)], exercise=True).broken == ()


def test_a_consignment_that_was_never_requested_is_not_found(county: Scenario) -> None:
    county.when(order(county), by="county").then(NotFound)
    county.when(ship(county), by="storekeeper").then(NotFound)
    county.when(arrive(county), by="township").then(NotFound)
    county.when(turn_back(county), by="storekeeper").then(NotFound)
    county.when(damage(county), by="storekeeper").then(NotFound)
    county.when(close(county), by="county").then(NotFound)
    county.when(cancel(county), by="county").then(NotFound)


def test_goods_are_needed_by_a_day_that_is_not_over(county: Scenario) -> None:
    """What was asked for by yesterday stood on every list as late as soon as it was asked for."""
    today = china_day(county.now)
    refusal = county.when(request(county, needed_by=today - timedelta(days=1)), by="township").then(
        Malformed
    )
    assert (refusal.field, refusal.rule_zh) == ("needed_by", "这个时间已经过去")
    county.when(request(county, needed_by=today), by="township").then("Consignment.Requested")
