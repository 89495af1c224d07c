"""Funds 资金: every document's money, one fund with its facts, and its way down as a picture."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from domain.commands.funds import AppropriateFund
from projections.asking.fund_books import fund, fund_flows, funds
from projections.asking.fund_lineage import fund_lineage
from projections.lists import village_lists
from web.acting import acts_of, begin_of
from web.flows import Bar, Flow, Picture, picture_of
from web.formats import Formats
from web.i18n import catalog
from web.paging import ROWS, Turned, book_of
from web.parts import AtDesk, Desk, url
from web.render import language_of

router = APIRouter(include_in_schema=False)

MOST_LISTS: Final = 1000
DRAWN: Final = 8
"""Village lists of one fund that get a bar of their own; the rest are one bar together."""

Say = Callable[..., str]


@router.get("/funds")
async def all_funds(request: Request, desk: AtDesk, turn: Turned) -> Response:
    found = await desk.ask(funds, cursor=turn.cursor, limit=ROWS)
    leaf = turn.leaf(found, "/funds", book=book_of("funds"))
    may = bool(desk.caller.areas(AppropriateFund.roles))
    return await desk.show(request, "funds.html", rows=found.items, leaf=leaf, appropriates=may)


@router.get("/funds/new")
async def new(request: Request, desk: AtDesk) -> Response:
    made = await begin_of(request, desk, AppropriateFund)
    return await desk.show(request, "begin.html", made=made, back="/funds")


@router.get("/funds/lineage")
async def lineage(request: Request, desk: AtDesk, document_no: str) -> Response:
    found = await desk.ask(fund_lineage, document_no=document_no)
    nodes = {one["id"]: one for one in found["funds"]}
    tree = [_branch(nodes, root, {}, set()) for root in found["roots"]]
    lists = await _lists(desk)
    return await desk.show(
        request,
        "lineage.html",
        document_no=document_no,
        tree=tree,
        lists=lists,
        picture=drawn(tree, lists, catalog(language_of(request)).t),
    )


@router.get("/funds/{id}")
async def one_fund(
    request: Request,
    desk: AtDesk,
    id: UUID,
    turn: Turned,
    kind: str | None = None,
    subject: UUID | None = None,
) -> Response:
    """One fund: its sums, what it was promised for and paid, and its facts, the newest first."""
    one = await desk.ask(fund, fund=id)
    said: dict[str, Any] = {"kind": kind or None, "subject": subject}
    flows = await desk.ask(fund_flows, fund=id, cursor=turn.cursor, limit=ROWS, **said)
    book = book_of("fund-flows", fund=id, **said)
    leaf = turn.leaf(flows, f"/funds/{id}", book=book, anchor="rows-title", **said)
    fen = Formats(catalog(language_of(request))).fen
    left = {"left": fen(one["available_fen"]), "matching": fen(one["matching_fen"])}
    made = await acts_of(request, desk, "funds", id, one=one, said=left, fen=fen)
    return await desk.show(
        request,
        "fund.html",
        one=one,
        made=made,
        came_fen=one["appropriated_fen"] + one["received_fen"],
        failed_fen=sum(line["failed_fen"] for line in one["commitments"]),
        lists=await _lists(desk),
        flows=flows.items,
        open_funds=await desk.reached(fund, (row["counterpart"] for row in flows.items)),
        leaf=leaf,
        chosen=kind or "",
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


# The picture


def drawn(tree: list[dict[str, Any]], lists: Mapping[str, Any], t: Say) -> Picture:
    """The money of a document as bars and bands: source, funds, village lists, what came of it.

    What was given back to the fund above is taken off what was passed down, so that all that
    enters a bar also leaves it or lies in it.
    """
    way = _Way(lists, t)
    for one in tree:
        way.fund(one, 1, received_fen=one["received_fen"] - one["returned_fen"])
    return picture_of(way.bars.values(), way.flows)


class _Way:
    """Bars and flows of a lineage while it is walked, in the order in which they are drawn."""

    def __init__(self, lists: Mapping[str, Any], t: Say) -> None:
        self.bars: dict[str, Bar] = {}
        self.flows: list[Flow] = []
        self._lists = lists
        self._t = t

    def _bar(self, key: str, column: int, label: str, kind: str, href: str) -> str:
        self.bars.setdefault(key, Bar(key, column, label, kind, href))
        return key

    def _flow(self, source: str, target: str, amount_fen: int, href: str) -> None:
        self.flows.append(Flow(source, target, amount_fen, href))

    def fund(self, one: dict[str, Any], column: int, *, received_fen: int = 0) -> None:
        """``received_fen``: net of what came from a fund that is not in the picture."""
        t, page = self._t, f"/funds/{one['id']}"
        facts = {kind: url(page, kind=kind) for kind in KINDS}
        here = self._bar(one["id"], column, one["holder_name"] or "", "fund", page)
        if one["appropriated_fen"]:
            named = f"{t('funds.source_' + one['source'])} {one['source_document_no']}"
            source = self._bar(f"from-{named}", column - 1, named, "source", facts["appropriated"])
            self._flow(source, here, one["appropriated_fen"], facts["appropriated"])
        if received_fen > 0:
            source = self._bar("above", column - 1, t("funds.from_above"), "source", page)
            self._flow(source, here, received_fen, facts["received"])
        if one["refunded_fen"]:
            source = self._bar("refunds", column - 1, t("funds.refunds"), "source", page)
            self._flow(source, here, one["refunded_fen"], facts["refunded"])
        for child in one["below"]:
            net_fen = child["way"]["passed_fen"] - child["way"]["back_fen"]
            self.fund(child, column + 1)
            self._flow(here, child["id"], net_fen, url(f"/funds/{child['id']}", kind="received"))
        self._promised(one, here, column + 1)
        left = self._bar(f"left-{here}", column + 1, t("funds.available"), "left", page)
        self._flow(here, left, one["available_fen"], page)

    def _promised(self, one: dict[str, Any], here: str, column: int) -> None:
        """Village lists by what they were promised; behind them what is paid and what is not."""
        t, page = self._t, f"/funds/{one['id']}"
        lines = sorted(one["commitments"], key=lambda line: -(line["paid_fen"] + line["open_fen"]))
        for number, line in enumerate(lines):
            facts = url(page, kind="committed", subject=line["subject"])
            if number < DRAWN:
                known = self._lists.get(line["subject"])
                named = known["village_name"] if known else t("stock.purpose_list")
                key = self._bar(f"{here}-{line['subject']}", column, named, "list", facts)
            else:
                more = t("funds.other_lists", n=len(lines) - DRAWN)
                facts = url(page, kind="committed")
                key = self._bar(f"more-{here}", column, more, "list", facts)
            self._flow(here, key, line["paid_fen"] + line["open_fen"], facts)
            paid = self._bar("paid", LAST, t("funds.paid"), "paid", url(page, kind="paid"))
            self._flow(key, paid, line["paid_fen"], url(page, kind="paid"))
            open_ = self._bar("open", LAST, t("funds.committed"), "open", facts)
            self._flow(key, open_, line["open_fen"], facts)


LAST: Final = 99
KINDS: Final = (
    "appropriated",
    "received",
    "passed_down",
    "got_back",
    "committed",
    "released",
    "paid",
    "failed",
    "refunded",
    "returned",
)
"""What moves the money of a fund, in the order of its life."""
