"""Stock 物资: what every depot holds, the proof that it adds up, lots and moves."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from domain.commands.consignments import RequestConsignment
from domain.commands.stock import ReceiveGoods
from domain.consignment import Phase
from domain.rules.base import china_day
from projections.asking.stock_books import (
    IN,
    OUT,
    stock_lots,
    stock_moves,
    stock_proof,
    stockpile,
    stockpiles,
)
from projections.sections.consignments import consignments
from web.acting import acts_of, begin_of
from web.paging import ROWS, Turned, book_of
from web.parts import MOST_STOCKPILES, AtDesk, Desk, parsed

router = APIRouter(include_in_schema=False)

MOST_LOTS = 2000
SOON = timedelta(days=180)
"""Lots whose term ends within it are told with those whose term has ended."""

HELD = ("available", "reserved", "in_transit")


async def _board(desk: Desk) -> dict[str, Any]:
    proof = await desk.ask(stock_proof)
    found, more = await desk.ask_all(stockpiles, most=MOST_STOCKPILES)
    depots: dict[str, list[dict[str, Any]]] = {}
    for row in found:
        depots.setdefault(row["item"], []).append(row)
    items = [
        {
            **one,
            "left": _terms(one["units"], IN),
            "right": _terms(one["units"], OUT),
            "depots": depots.get(one["item"], []),
        }
        for one in proof["items"]
    ]
    return {
        "proof": proof,
        "items": items,
        "fen_left": _terms(proof["fen"], IN),
        "fen_right": _terms(proof["fen"], OUT),
        "more": more,
        "asked": await _asked(desk, found),
        "lots": (await desk.ask_all(stock_lots, most=MOST_LOTS))[0],
        "soon": china_day(desk.now) + SOON,
        "today": china_day(desk.now),
    }


async def _asked(desk: Desk, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is asked for and not ordered yet against what is free in all these depots, by item."""
    open_requests, _ = await desk.ask_all(
        consignments, most=MOST_STOCKPILES, status=Phase.REQUESTED, at=desk.now
    )
    asked: dict[str, dict[str, int]] = {}
    for line in (line for one in open_requests for line in parsed(one["lines"])):
        sums = asked.setdefault(line["item"], {"requests": 0, "units": 0})
        sums["requests"] += 1
        sums["units"] += line["quantity"]
    for item, sums in asked.items():
        sums["free"] = sum(row["available"] for row in rows if row["item"] == item)
    return [{"item": item, **sums} for item, sums in sorted(asked.items())]


def _terms(sides: dict[str, int], names: tuple[str, ...]) -> list[tuple[str, int]]:
    """The terms of one side of the equation that are not zero; the first stands in any case."""
    said = [(name, sides[name]) for name in names if sides[name]]
    return said or [(names[0], 0)]


@router.get("/stock")
async def stock(request: Request, desk: AtDesk) -> Response:
    caller = desk.caller
    return await desk.show(
        request,
        "stock.html",
        receives=bool(caller.areas(ReceiveGoods.roles)),
        asks=bool(caller.areas(RequestConsignment.roles)),
        **await _board(desk),
    )


@router.get("/stock/receive")
async def receive(request: Request, desk: AtDesk) -> Response:
    made = await begin_of(request, desk, ReceiveGoods)
    return await desk.show(request, "begin.html", made=made, back="/stock")


@router.get("/stock/board")
async def stock_board(request: Request, desk: AtDesk) -> Response:
    return await desk.show(request, "stock_board.html", **await _board(desk))


@router.get("/stock/stockpiles/{id}")
async def one_stockpile(request: Request, desk: AtDesk, id: UUID, turn: Turned) -> Response:
    found = await desk.ask(stockpile, stockpile=id)
    moves = await desk.ask(stock_moves, stockpile=id, cursor=turn.cursor, limit=ROWS)
    leaf = turn.leaf(
        moves,
        f"/stock/stockpiles/{id}",
        book=book_of("moves", stockpile=id),
        anchor="rows-title",
    )
    made = await acts_of(request, desk, "stockpiles", id, one=found)
    held = [(name, found[name]) for name in HELD]
    return await desk.show(
        request,
        "stockpile.html",
        one=found,
        held=held,
        moves=moves,
        leaf=leaf,
        made=made,
        today=china_day(desk.now),
    )
