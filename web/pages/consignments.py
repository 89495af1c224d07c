"""Consignments 调拨: the list, one with what a person needs to see to decide, and its two papers.

The waybill 出库单 goes with the driver; the receipt 验收单 is filled in at the tailboard: before an
arrival is booked it is printed with empty columns for the pen, afterwards with the figures.
"""

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from domain.commands.consignments import ORDERERS, RequestConsignment
from domain.consignment import Phase
from domain.refusal import NotFound
from domain.rules.base import china_day
from projections.asking.stock_books import stockpiles
from projections.officers import APPOINTMENTS
from projections.sections.consignments import consignment, consignments
from web.acting import acts_of, begin_of
from web.officials import name_officials
from web.paging import ROWS, Turned, book_of
from web.parts import MOST_STOCKPILES, AtDesk, Desk, parsed
from web.reporting import place_of

router = APIRouter(include_in_schema=False)

CAME: Final = ("good", "damaged", "missing")
SENT: Final = frozenset({Phase.SHIPPED, Phase.ARRIVED, Phase.CLOSED})
"""Phases in which there is a load with lots: only then are there papers to print."""


@router.get("/stock/consignments")
async def all_consignments(
    request: Request, desk: AtDesk, turn: Turned, status: str | None = None
) -> Response:
    found = await desk.ask(
        consignments, status=status or None, at=desk.now, cursor=turn.cursor, limit=ROWS
    )
    asked = sorted(found.items, key=lambda row: row["destination_code"] or "")
    asked.sort(key=lambda row: row["requested_at"], reverse=True)  # at one time: down the tree
    rows = [{**row, "lines": parsed(row["lines"])} for row in asked]
    leaf = turn.leaf(
        found,
        "/stock/consignments",
        book=book_of("consignments", status=status),
        status=status,
    )
    asks = bool(desk.caller.areas(RequestConsignment.roles))
    return await desk.show(
        request, "consignments.html", rows=rows, chosen=status or "", leaf=leaf, asks=asks
    )


@router.get("/stock/consignments/new")
async def new(request: Request, desk: AtDesk) -> Response:
    made = await begin_of(request, desk, RequestConsignment)
    return await desk.show(request, "begin.html", made=made, back="/stock/consignments")


@router.get("/stock/consignments/{id}")
async def one_consignment(request: Request, desk: AtDesk, id: UUID) -> Response:
    one = await _found(desk, id)
    depots = await _depots(desk, one) if one["status"] == Phase.REQUESTED else []
    made = await acts_of(request, desk, "consignments", id, one=one, depots=depots)
    return await desk.show(
        request,
        "consignment.html",
        one=one,
        made=made,
        steps=_steps(one),
        goods_of=_by_item(one),
        depots=depots,
        sees_all=_sees_all(desk, one),
        beyond=await run_in_threadpool(_beyond, desk, one, depots),
        held=await _held(desk, one) if one["status"] == Phase.ORDERED else [],
    )


@router.get("/stock/consignments/{id}/waybill")
async def waybill(request: Request, desk: AtDesk, id: UUID) -> Response:
    return await _paper(request, desk, id, "waybill.html")


@router.get("/stock/consignments/{id}/receipt")
async def receipt(request: Request, desk: AtDesk, id: UUID) -> Response:
    return await _paper(request, desk, id, "goods_receipt.html")


async def _paper(request: Request, desk: Desk, id: UUID, template: str) -> Response:
    one = await _found(desk, id)
    if one["status"] not in SENT:
        raise NotFound(kind="Form", id=id)
    return await desk.show(request, template, one=one, goods_of=_by_item(one))


async def _found(desk: Desk, id: UUID) -> dict[str, Any]:
    one: dict[str, Any] = await desk.ask(consignment, consignment=id, at=desk.now)
    await run_in_threadpool(name_officials, desk.caller, [one])
    return {**one, "lines": parsed(one["lines"]), "asked": parsed(one["asked"])}


def _steps(one: dict[str, Any]) -> list[dict[str, Any]]:
    """The steps done and to come, in order: key of its words, when, by whom, and whether it is the
    one that is waited for. What was called off has no steps to come."""
    names = ["requested", "ordered", "shipped", "arrived", "ended"]
    if one["status"] == Phase.CANCELLED:
        names = [name for name in names if one[f"{name}_at"]]
    keys = {"ended": "cancelled" if one["status"] == Phase.CANCELLED else "ended"}
    if one["turned_back"]:
        keys["arrived"] = "turned_back"
    steps = [
        {
            "key": keys.get(name, name),
            "at": one[f"{name}_at"],
            "by": one[f"{name}_by_name"],
            "done": one[f"{name}_at"] is not None,
        }
        for name in names
    ]
    waited = next((step for step in steps if not step["done"]), None)
    return [{**step, "now": step is waited} for step in steps]


def _by_item(one: dict[str, Any]) -> list[dict[str, Any]]:
    """A row an item: asked for, ordered, shipped, and what came of it. None is not known yet."""
    asked = _sums(one["asked"])
    ordered = _sums(one["lines"]) if one["ordered_at"] else {}
    rows = []
    for item in dict.fromkeys([*asked, *ordered, *(row["item"] for row in one["cargo"])]):
        cargo = [row for row in one["cargo"] if row["item"] == item]
        came = {name: sum(row[name] for row in cargo) for name in CAME}
        rows.append(
            {
                "item": item,
                "asked": asked.get(item, 0),
                "ordered": ordered.get(item, 0) if one["ordered_at"] else None,
                "shipped": sum(row["units"] for row in cargo) if one["shipped_at"] else None,
                "value_fen": sum(row["units"] * row["unit_value_fen"] for row in cargo),
                **{name: came[name] if one["arrived_at"] else None for name in CAME},
            }
        )
    return rows


def _sums(lines: Iterable[dict[str, Any]]) -> dict[str, int]:
    return {line["item"]: line["quantity"] for line in lines}


async def _depots(desk: Desk, one: dict[str, Any]) -> list[dict[str, Any]]:
    """What is asked against what is there: the depots the reader sees, with what is free of every
    item asked for. Who could send all of it comes first, then who holds most of it; last those that
    lie ``below`` who asks: what they have is there already, and an order only brings it back."""
    lineage, asks = desk.caller.system.tree.lineage, UUID(one["area"])
    wanted = _sums(one["lines"])
    free: dict[str, dict[str, Any]] = {}
    for item in wanted:
        rows, _ = await desk.ask_all(
            stockpiles, most=MOST_STOCKPILES, item=item, exercise=one["exercise"]
        )
        for row in rows:
            if row["available"] and row["area"] != one["area"]:
                depot = free.setdefault(
                    row["area"], {"area": row["area"], "name": row["warehouse_name"], "free": {}}
                )
                depot["free"][item] = row["available"]
    for depot in free.values():
        covered = {item: min(depot["free"].get(item, 0), n) for item, n in wanted.items()}
        depot["short"] = {n: wanted[n] - units for n, units in covered.items() if units < wanted[n]}
        depot["covered"] = sum(covered.values())
        depot["below"] = asks in lineage(UUID(depot["area"]))[1:]
    order = sorted(free.values(), key=lambda one: (len(one["short"]), -one["covered"]))
    return sorted(order, key=lambda one: one["below"])


def _sees_all(desk: Desk, one: dict[str, Any]) -> bool:
    """Whether the reader stands above who asks, and so sees depots beside and above it."""
    above = desk.caller.system.tree.lineage(UUID(one["area"]))[1:]
    return not set(desk.caller.areas()).isdisjoint(above)


def _beyond(desk: Desk, one: dict[str, Any], depots: list[dict[str, Any]]) -> str:
    """Who can order from depots that the reader does not see: the level above whoever could order
    it here, where none of those seen has all that is asked for. Empty if nobody of it works in
    this store."""
    if one["status"] != Phase.REQUESTED or not all(depot["short"] for depot in depots):
        return ""
    lineage = desk.caller.system.tree.lineage(UUID(one["area"]))
    mine = set(desk.caller.areas(ORDERERS))
    above = next((lineage[at + 1 :] for at, area in enumerate(lineage) if area in mine), ())
    if not above:
        return ""
    post = select(APPOINTMENTS.c.area).where(
        APPOINTMENTS.c.area == str(above[0]),
        APPOINTMENTS.c.role.in_(ORDERERS),
        APPOINTMENTS.c.ends_on.is_(None) | (APPOINTMENTS.c.ends_on >= str(china_day(desk.now))),
    )
    with desk.caller.system.reader() as db:
        orders = db.scalar(post.limit(1)) is not None
    return place_of(desk.caller, above[0]).name if orders else ""


async def _held(desk: Desk, one: dict[str, Any]) -> list[dict[str, Any]]:
    """What lies at the source of what was ordered: free there, and set aside for whom it may be.

    Empty for a reader who does not see that depot.
    """
    rows, _ = await desk.ask_all(
        stockpiles, most=MOST_STOCKPILES, warehouse=UUID(one["source"]), exercise=one["exercise"]
    )
    ordered = _sums(one["lines"])
    return [row for row in rows if row["item"] in ordered]
