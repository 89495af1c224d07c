"""Lineage of funds 资金流向: a document's (文号) money on all its ways down."""

from typing import Any

from sqlalchemy import Connection, select

from projections.asking.fund_books import funds_of, shaped, spent
from projections.asking.scope import Scope
from projections.funds import FUND_FLOWS, FUNDS

MOST_FUNDS = 2000


def fund_lineage(db: Connection, scope: Scope, *, document_no: str | None = None) -> dict[str, Any]:
    """Where the money of a document went: from appropriation down to lists and payment batches.

    Without a number: of all money in these areas.

    ``roots`` are the funds that bear the number (or came by it) and were not received from another
    one of them; each has ``children`` (what was passed down), ``commitments`` and ``payments``.
    """
    query = funds_of(scope).order_by(FUNDS.c.id).limit(MOST_FUNDS)
    if document_no is not None:
        query = query.where(
            (FUNDS.c.document_no == document_no) | (FUNDS.c.source_document_no == document_no)
        )
    nodes = {row["id"]: shaped(row) for row in db.execute(query).mappings()}
    roots = list(nodes)
    edge = FUND_FLOWS.c
    waiting = list(nodes)
    below: set[str] = set()
    while waiting and len(nodes) <= MOST_FUNDS:
        down = (
            select(FUND_FLOWS)
            .where(edge.fund.in_(waiting), edge.kind.in_(("passed_down", "got_back")))
            .where(scope.covers(edge.area))
            .order_by(edge.position)
        )
        flows = [dict(row) for row in db.execute(down).mappings()]
        children = sorted({flow["counterpart"] for flow in flows})
        found = db.execute(funds_of(scope).where(FUNDS.c.id.in_(children))).mappings()
        fresh = {row["id"]: shaped(row) for row in found if row["id"] not in nodes}
        nodes |= fresh
        waiting = list(fresh)
        for flow in flows:
            below.add(flow["counterpart"])
            node = nodes[flow["fund"]].setdefault("children", {})
            entry = node.setdefault(
                flow["counterpart"], {"fund": flow["counterpart"], "passed_fen": 0, "back_fen": 0}
            )
            side = "passed_fen" if flow["kind"] == "passed_down" else "back_fen"
            entry[side] += flow["amount_fen"]
            entry["document_no"] = flow["document_no"]
    for id, node in nodes.items():
        node.update(spent(db, scope, id))
        node["children"] = list(node.get("children", {}).values())
    return {
        "document_no": document_no,
        "roots": [id for id in roots if id not in below],
        "funds": [nodes[id] for id in sorted(nodes)],
    }
