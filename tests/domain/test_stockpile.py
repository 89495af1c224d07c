"""Stock: lots, first in first out, reservations, recounts, write-offs. Never negative."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from domain.commands.stock import LotFound, RecountStock, WriteOffGoods
from domain.exercise import ExerciseMixed
from domain.goods import (
    AlreadyReserved,
    Flow,
    ItemUnknown,
    Lot,
    LotAlreadyReceived,
    LotExhausted,
    LotPick,
    LotUnknown,
    Purpose,
    RecountBelowReserved,
    ReservationExhausted,
    ReturnSource,
    StockExhausted,
    split,
    units_of,
    value_of,
)
from domain.refusal import Malformed, NotFound, NotYourRole
from domain.stockpile import Stockpile
from tests.domain.county import make_county
from tests.domain.goods import order, quilts, receive, request, stockpile
from tests.domain.scenario import Scenario

OLD, NEW = uuid4(), uuid4()


@pytest.fixture
def county() -> Scenario:
    return make_county()


def two_lots() -> Stockpile:
    """30 older units at 100 fen, received after 50 newer ones at 130 fen."""
    made = Stockpile(id=uuid4(), warehouse=uuid4(), item="quilt", exercise=False)
    made.receive((Lot(NEW, "二号", "市", date(2018, 5, 1), 50, 130),))
    made.receive((Lot(OLD, "一号", "市", date(2018, 1, 1), 30, 100),))
    return made


def reserved(made: Stockpile, quantity: int) -> tuple[LotPick, ...]:
    return made.reserve(
        made.warehouse,
        quantity,
        purpose=Purpose.VILLAGE_LIST,
        subject=made.warehouse,
        exercise=False,
    )


def test_goods_from_outside_open_the_stockpile_and_are_free(county: Scenario) -> None:
    county.when(receive(county), by="storekeeper").then("Stockpile.Opened", "Stockpile.Received")
    assert stockpile(county).free == 100
    county.when(receive(county, "b"), by="storekeeper").then("Stockpile.Received")
    assert county.result == {"stockpile": quilts(county), "on_hand": 200}


def test_a_receipt_records_the_catalogue_it_was_judged_by(county: Scenario) -> None:
    (_, received) = county.when(receive(county), by="storekeeper").then(
        "Stockpile.Opened", "Stockpile.Received"
    )
    assert received.rule.kind == "items"


def test_a_lot_comes_in_from_outside_once(county: Scenario) -> None:
    county.given(receive(county), by="storekeeper")
    refusal = county.when(receive(county), by="storekeeper").then(LotAlreadyReceived)
    assert refusal.lot == county.id("lot/a")


def test_goods_that_are_not_in_the_catalogue_are_refused(county: Scenario) -> None:
    assert county.when(receive(county, item="gold"), by="storekeeper").then(ItemUnknown).item


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("quantity", 0),
        ("unit_value_fen", 0),
        ("document_no", " "),
        ("owner", ""),
        ("received_on", date(2018, 7, 5)),
    ],
)
def test_a_receipt_with_an_impossible_value_is_refused(
    county: Scenario, field: str, value: Any
) -> None:
    wrong = receive(county, **{field: value})
    assert county.when(wrong, by="storekeeper").then(Malformed).field == field


def test_without_a_value_of_its_own_a_lot_takes_the_catalogue_s_if_there_is_one(
    county: Scenario,
) -> None:
    county.given(receive(county, unit_value_fen=None), by="storekeeper")
    (lot,) = stockpile(county).lots.values()
    assert lot.unit_value_fen > 0  # the county's own catalogue knows it; the national one does not
    unknown = receive(county, warehouse=county.id("city"), unit_value_fen=None)
    refusal = county.when(unknown, by="city_storekeeper").then(Malformed)
    assert refusal.field == "unit_value_fen"
    assert "目录里没有这一品名的单价" in refusal.rule_zh, (
        "it said that 0.00 yuan must be above zero"
    )


def test_only_a_storekeeper_of_the_place_takes_goods_in(county: Scenario) -> None:
    county.when(receive(county), by="payer").then(NotYourRole)
    county.when(receive(county), by="foreign_storekeeper").then(NotFound)
    county.when(receive(county), by="township_storekeeper").then(NotFound)


def test_exercise_goods_lie_in_a_stockpile_of_their_own(county: Scenario) -> None:
    county.given(receive(county), by="storekeeper")
    county.given(receive(county, "b", exercise=True), by="storekeeper")
    assert stockpile(county).free == 100
    assert stockpile(county, exercise=True).free == 100


def test_a_recount_books_gain_and_loss_with_its_reason(county: Scenario) -> None:
    county.given(receive(county), receive(county, "b"), by="storekeeper")
    counts = (
        LotFound(lot=county.id("lot/a"), found=97),
        LotFound(lot=county.id("lot/b"), found=101),
    )
    recount = RecountStock(stockpile=quilts(county), counts=counts, reason="半年盘点")
    county.when(recount, by="storekeeper").then("Stockpile.Recounted")
    assert county.result == {"difference": -2, "on_hand": 198}
    made = stockpile(county)
    assert (made.flow_units[Flow.LOST], made.flow_units[Flow.GAINED]) == (3, 1)
    assert made.flow_fen[Flow.LOST] == 36_000


def test_a_recount_names_lots_of_the_house_once_and_has_a_reason(county: Scenario) -> None:
    county.given(receive(county), by="storekeeper")
    one = LotFound(lot=county.id("lot/a"), found=1)

    def recount(*counts: LotFound, reason: str = "盘点") -> RecountStock:
        return RecountStock(stockpile=quilts(county), counts=counts, reason=reason)

    county.when(recount(), by="storekeeper").then(Malformed)
    county.when(recount(one, one), by="storekeeper").then(Malformed)
    county.when(recount(one, reason=""), by="storekeeper").then(Malformed)
    county.when(recount(LotFound(lot=county.id("lot/a"), found=-1)), by="storekeeper").then(
        Malformed
    )
    county.when(recount(LotFound(lot=county.id("x"), found=1)), by="storekeeper").then(LotUnknown)
    county.when(recount(one), by="county").then(NotYourRole)


def test_a_recount_cannot_go_below_what_is_promised(county: Scenario) -> None:
    county.given(receive(county), by="storekeeper").given(request(county), by="township")
    county.given(order(county), by="county")
    short = (LotFound(lot=county.id("lot/a"), found=39),)
    command = RecountStock(stockpile=quilts(county), counts=short, reason="盘点")
    refusal = county.when(command, by="storekeeper").then(RecountBelowReserved)
    assert (refusal.found, refusal.reserved) == (39, 40)


def test_goods_are_written_off_by_document(county: Scenario) -> None:
    county.given(receive(county), by="storekeeper")

    def strike(**changed: Any) -> WriteOffGoods:
        fields: dict[str, Any] = {
            "stockpile": quilts(county),
            "lot": county.id("lot/a"),
            "quantity": 7,
            "reason": "受潮霉变",
            "document_no": "报废〔2018〕1号",
        }
        return WriteOffGoods(**(fields | changed))

    county.when(strike(), by="storekeeper").then("Stockpile.WrittenOff")
    assert stockpile(county).on_hand == 93
    refusal = county.when(strike(quantity=94), by="storekeeper").then(LotExhausted)
    assert (refusal.wanted, refusal.available) == (94, 93)
    county.when(strike(document_no=""), by="storekeeper").then(Malformed)
    county.when(strike(reason=""), by="storekeeper").then(Malformed)
    county.when(strike(quantity=0), by="storekeeper").then(Malformed)
    county.when(strike(lot=county.id("x")), by="storekeeper").then(LotUnknown)
    county.when(strike(stockpile=county.id("x")), by="storekeeper").then(NotFound)
    county.when(strike(), by="dispatcher").then(NotYourRole)


def test_the_oldest_lot_goes_first_whatever_came_in_last() -> None:
    assert reserved(two_lots(), 40) == (LotPick(OLD, 30, 100), LotPick(NEW, 10, 130))


def test_what_is_reserved_is_not_free_but_on_hand() -> None:
    made = two_lots()
    reserved(made, 40)
    assert (made.free, made.on_hand) == (40, 80)


def test_a_village_list_is_one_reservation_given_in_parts() -> None:
    made = two_lots()
    parts = split(reserved(made, 33), [29, 0, 2, 2])
    assert parts[2] == (LotPick(OLD, 1, 100), LotPick(NEW, 1, 130))
    given = made.give(made.warehouse, case=uuid4(), grant=uuid4(), picks=parts[2])
    assert (units_of(given), value_of(given)) == (2, 230)
    oldest = made.give(made.warehouse, 1, case=uuid4(), grant=uuid4())
    assert oldest == (LotPick(OLD, 1, 100),)
    assert units_of(made.release(made.warehouse, reason="一户迁出")) == 30
    assert made.release(made.warehouse, reason="再来一次") == ()
    assert (made.free, made.on_hand) == (77, 77)


def test_a_part_of_a_reservation_can_be_released() -> None:
    made = two_lots()
    reserved(made, 40)
    made.release(made.warehouse, 15, reason="少报")
    assert (made.reserved_for(made.warehouse), made.free) == (25, 55)


def test_nothing_is_promised_twice_or_beyond_what_there_is() -> None:
    made = two_lots()
    with pytest.raises(StockExhausted) as refused:
        reserved(made, 81)
    assert (refused.value.wanted, refused.value.available) == (81, 80)
    reserved(made, 80)
    with pytest.raises(AlreadyReserved):
        reserved(made, 1)
    with pytest.raises(Malformed):
        reserved(two_lots(), 0)


def test_nothing_is_given_shipped_or_released_beyond_its_reservation() -> None:
    made = two_lots()
    reserved(made, 40)
    with pytest.raises(ReservationExhausted):
        made.give(made.warehouse, 41, case=uuid4(), grant=uuid4())
    with pytest.raises(LotExhausted):
        made.give(made.warehouse, case=uuid4(), grant=uuid4(), picks=(LotPick(NEW, 11, 130),))
    with pytest.raises(ReservationExhausted):
        made.release(uuid4(), 1, reason="没有")
    with pytest.raises(ReservationExhausted):
        made.ship(uuid4())


def test_a_pick_is_worth_what_its_lot_says() -> None:
    made = two_lots()
    reserved(made, 40)
    claimed = (LotPick(OLD, 1, 99_999),)
    given = made.give(made.warehouse, case=uuid4(), grant=uuid4(), picks=claimed)
    assert value_of(given) == 100


def test_a_household_brings_back_no_more_than_was_given() -> None:
    made = two_lots()
    reserved(made, 5)
    made.give(made.warehouse, 5, case=uuid4(), grant=uuid4())
    case = uuid4()
    made.return_in(OLD, 2, source=ReturnSource.HOUSEHOLD, subject=case, reason="重复领取")
    assert (made.free, made.flow_units[Flow.RETURNED_IN]) == (77, 2)
    with pytest.raises(LotExhausted) as refused:
        made.return_in(OLD, 4, source=ReturnSource.HOUSEHOLD, subject=case, reason="重复领取")
    assert refused.value.available == 3
    with pytest.raises(LotUnknown):
        made.return_in(uuid4(), 1, source=ReturnSource.HOUSEHOLD, subject=case, reason="错发")


def test_an_exercise_reserves_nothing_real() -> None:
    made = two_lots()
    with pytest.raises(ExerciseMixed) as refused:
        made.reserve(
            uuid4(), 1, purpose=Purpose.VILLAGE_LIST, subject=made.warehouse, exercise=True
        )
    assert refused.value.exercise is False


def test_a_lot_that_travels_must_stay_the_same_lot() -> None:
    made = two_lots()
    load = uuid4()
    made.receive((Lot(OLD, "一号", "市", date(2018, 1, 1), 4, 100),), consignment=load)
    assert made.free == 84
    with pytest.raises(LotAlreadyReceived):
        made.receive((Lot(OLD, "一号", "市", date(2018, 1, 1), 4, 101),), consignment=load)
