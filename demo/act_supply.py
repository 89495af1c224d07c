"""Commands for money and goods."""

from collections.abc import Iterator
from datetime import timedelta

from demo.naming import PROGRAMME, Acts, Names
from demo.people import PHONE_PREFIX
from demo.steps import (
    Appropriate,
    ArriveGoods,
    CloseConsignment,
    OrderGoods,
    PassDown,
    ReceiveLot,
    Recount,
    RequestGoods,
    ReturnMoney,
    ShipGoods,
    WriteOff,
    WriteOffDamaged,
)
from domain.commands import consignments, funds, stock
from domain.money import Source
from domain.world import Command


def appropriate(names: Names, step: Appropriate) -> Iterator[Command]:
    amount_fen = step.amount_yuan * 100
    yield funds.AppropriateFund(
        holder=names.area(step.holder),
        document_no=step.document_no,
        amount_fen=amount_fen,
        source=Source(step.source),
        source_document_no=step.source_document_no,
        earmark=(PROGRAMME,),
        matching_fen=amount_fen if step.matching else 0,
    )


def pass_down(names: Names, step: PassDown) -> Iterator[Command]:
    yield funds.PassDownFund(
        fund=names.fund(step.document_no, step.holder),
        to=names.area(step.to_holder),
        document_no=step.to_document_no,
        amount_fen=step.amount_yuan * 100,
    )


def return_money(names: Names, step: ReturnMoney) -> Iterator[Command]:
    yield funds.ReturnFund(
        fund=names.fund(step.document_no, step.holder),
        to_fund=names.fund(step.to_document_no, step.to_holder),
        amount_fen=step.amount_yuan * 100,
        document_no=step.letter_no,
        reason=step.reason,
    )


def receive_lot(names: Names, step: ReceiveLot) -> Iterator[Command]:
    lot, day = names.id("lot", step.key), step.at.date()
    names.shelves.receive(step.depot, step.item, lot, day, step.quantity)
    yield stock.ReceiveGoods(
        warehouse=names.area(step.depot),
        item=step.item,
        lot=lot,
        document_no=step.document_no,
        owner=step.owner,
        received_on=day,
        quantity=step.quantity,
        unit_value_fen=step.unit_value_yuan * 100,
    )


def request(names: Names, step: RequestGoods) -> Iterator[Command]:
    names.shelves.request(step.consignment, step.origin, step.target, step.item, step.quantity)
    yield consignments.RequestConsignment(
        consignment=names.id("consignment", step.consignment),
        destination=names.area(step.target),
        lines=(consignments.GoodsLine(item=step.item, quantity=step.quantity),),
        reason=step.reason,
    )


def order(names: Names, step: OrderGoods) -> Iterator[Command]:
    origin = names.shelves.order(step.consignment)
    yield consignments.OrderConsignment(
        consignment=names.id("consignment", step.consignment),
        source=names.area(origin),
        document_no=step.document_no,
    )


def ship(names: Names, step: ShipGoods) -> Iterator[Command]:
    yield consignments.ShipConsignment(
        consignment=names.id("consignment", step.consignment),
        vehicle=step.vehicle,
        driver_name=step.driver,
        driver_phone=f"{PHONE_PREFIX}0000",
        eta=step.at + timedelta(days=2),
    )


def arrive(names: Names, step: ArriveGoods) -> Iterator[Command]:
    counts = names.shelves.arrive(step.consignment, step.damaged, step.missing)
    assert sum(good for _, good, _, _ in counts) == step.good
    yield consignments.ArriveConsignment(
        consignment=names.id("consignment", step.consignment),
        counts=tuple(
            consignments.LotArrival(lot=lot, good=good, damaged=damaged, missing=missing)
            for lot, good, damaged, missing in counts
        ),
        arrived_at=step.at,
        remark=step.note,
    )


def write_off_damaged(names: Names, step: WriteOffDamaged) -> Iterator[Command]:
    yield consignments.WriteOffDamaged(
        consignment=names.id("consignment", step.consignment),
        document_no=step.document_no,
        reason=step.reason,
    )


def close(names: Names, step: CloseConsignment) -> Iterator[Command]:
    yield consignments.CloseConsignment(consignment=names.id("consignment", step.consignment))


def recount(names: Names, step: Recount) -> Iterator[Command]:
    lot, found = names.shelves.oldest(step.depot, step.item, step.difference)
    yield stock.RecountStock(
        stockpile=names.stockpile(step.depot, step.item),
        counts=(stock.LotFound(lot=lot, found=found),),
        reason=step.reason,
    )


def write_off(names: Names, step: WriteOff) -> Iterator[Command]:
    lot, _ = names.shelves.oldest(step.depot, step.item, -step.quantity)
    yield stock.WriteOffGoods(
        stockpile=names.stockpile(step.depot, step.item),
        lot=lot,
        quantity=step.quantity,
        reason=step.reason,
        document_no=step.document_no,
    )


ACTS: Acts = {
    Appropriate: appropriate,
    PassDown: pass_down,
    ReturnMoney: return_money,
    ReceiveLot: receive_lot,
    RequestGoods: request,
    OrderGoods: order,
    ShipGoods: ship,
    ArriveGoods: arrive,
    WriteOffDamaged: write_off_damaged,
    CloseConsignment: close,
    Recount: recount,
    WriteOff: write_off,
}
