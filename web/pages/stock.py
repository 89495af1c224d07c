"""Stock 物资: what every depot holds, the proof that it adds up, lots, moves, consignments."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from projections.asking.stock_books import IN, OUT, stock_moves, stock_proof, stockpile, stockpiles
from projections.sections.consignments import consignment, consignments
from web.paging import ROWS, Turned
from web.parts import AtDesk, Desk, parsed

router = APIRouter(include_in_schema=False)

MOST_STOCKPILES = 500
HELD = ("available", "reserved", "in_transit")


async def _board(desk: Desk) -> dict[str, Any]:
    proof = await desk.ask(stock_proof)
    found = await desk.ask(stockpiles, limit=MOST_STOCKPILES)
    depots: dict[str, list[dict[str, Any]]] = {}
    for row in found.items:
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
        "more": found.next,
    }


def _terms(sides: dict[str, int], names: tuple[str, ...]) -> list[tuple[str, int]]:
    """The terms of one side of the equation that are not zero; the first stands in any case."""
    said = [(name, sides[name]) for name in names if sides[name]]
    return said or [(names[0], 0)]


@router.get("/stock")
async def stock(request: Request, desk: AtDesk) -> Response:
    return await desk.show(request, "stock.html", **await _board(desk))


@router.get("/stock/board")
async def stock_board(request: Request, desk: AtDesk) -> Response:
    return await desk.show(request, "stock_board.html", **await _board(desk))


@router.get("/stock/stockpiles/{id}")
async def one_stockpile(request: Request, desk: AtDesk, id: UUID, turn: Turned) -> Response:
    found = await desk.ask(stockpile, stockpile=id)
    moves = await desk.ask(stock_moves, stockpile=id, cursor=turn.cursor, limit=ROWS)
    leaf = turn.leaf(moves, f"/stock/stockpiles/{id}", anchor="rows-title")
    held = [(name, found[name]) for name in HELD]
    return await desk.show(request, "stockpile.html", one=found, held=held, moves=moves, leaf=leaf)


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
    leaf = turn.leaf(found, "/stock/consignments", status=status)
    return await desk.show(request, "consignments.html", rows=rows, chosen=status or "", leaf=leaf)


@router.get("/stock/consignments/{id}")
async def one_consignment(request: Request, desk: AtDesk, id: UUID) -> Response:
    found = await desk.ask(consignment, consignment=id, at=desk.now)
    found["lines"] = parsed(found["lines"])
    return await desk.show(request, "consignment.html", one=found)
