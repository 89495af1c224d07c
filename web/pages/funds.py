"""Funds 资金: every document's money, and its way down as a tree people can look at."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from projections.asking.fund_books import funds
from projections.asking.fund_lineage import fund_lineage
from projections.lists import village_lists
from web.paging import ROWS, Turned
from web.parts import AtDesk, Desk

router = APIRouter(include_in_schema=False)

MOST_LISTS = 1000


@router.get("/funds")
async def all_funds(request: Request, desk: AtDesk, turn: Turned) -> Response:
    found = await desk.ask(funds, cursor=turn.cursor, limit=ROWS)
    leaf = turn.leaf(found, "/funds")
    return await desk.show(request, "funds.html", rows=found.items, leaf=leaf)


@router.get("/funds/lineage")
async def lineage(request: Request, desk: AtDesk, document_no: str) -> Response:
    found = await desk.ask(fund_lineage, document_no=document_no)
    nodes = {one["id"]: one for one in found["funds"]}
    tree = [_branch(nodes, root, {}, set()) for root in found["roots"]]
    return await desk.show(
        request, "lineage.html", document_no=document_no, tree=tree, lists=await _lists(desk)
    )


def _branch(nodes: dict[str, Any], id: str, way: dict[str, Any], seen: set[str]) -> dict[str, Any]:
    """A fund, the way its money came, and what was passed down; a ring is cut where it closes."""
    node = nodes[id]
    below = [
        _branch(nodes, child["fund"], child, seen | {id})
        for child in node["children"]
        if child["fund"] in nodes and child["fund"] not in seen
    ]
    return {**node, "way": way, "below": below}


async def _lists(desk: Desk) -> dict[str, dict[str, Any]]:
    """Village lists by id, as far as the caller may see them."""
    if not desk.may_ask(village_lists):
        return {}
    rows: dict[str, dict[str, Any]] = {}
    cursor = None
    while True:
        found = await desk.ask(village_lists, cursor=cursor, limit=MOST_LISTS)
        rows |= {str(UUID(row["id"])): row for row in found.items}
        cursor = found.next
        if cursor is None:
            return rows
