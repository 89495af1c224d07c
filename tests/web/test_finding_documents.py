"""Numbers of documents lead to what they decided, paid or moved, within one's own county."""

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import ColumnElement, Connection, select

from projections.asking.scope import Scope
from projections.disasters import RESPONSES
from projections.funds import FUND_FLOWS, FUNDS
from projections.ledger import LEDGER
from projections.lists import LISTS
from projections.sections.consignments import CONSIGNMENTS
from projections.sections.grants import GRANTS
from projections.stock import STOCK_LOTS, STOCK_MOVES
from tests.web.relief_desk import RunningDemo
from tests.web.test_relief_pages import enter
from tests.web.test_searching import ask

PAID = LEDGER.join(GRANTS, GRANTS.c.relief_case == LEDGER.c.id)
DEPOT = STOCK_MOVES.c.credit

BORNE = {
    "a decision": (LISTS, LISTS.c.document_no, LISTS.c.id, "/lists/"),
    "an allocation": (LISTS, LISTS.c.allocation_document_no, LISTS.c.id, "/lists/"),
    "an earlier allocation": (PAID, GRANTS.c.document_no, LEDGER.c.village_list, "/lists/"),
    "a payment": (PAID, GRANTS.c.payment_document_no, LEDGER.c.village_list, "/lists/"),
    "an appropriation": (FUNDS, FUNDS.c.document_no, FUNDS.c.id, "/funds/"),
    "its source": (FUNDS, FUNDS.c.source_document_no, FUNDS.c.id, "/funds/"),
    "a movement of money": (FUND_FLOWS, FUND_FLOWS.c.document_no, FUND_FLOWS.c.fund, "/funds/"),
    "a response": (RESPONSES, RESPONSES.c.document_no, RESPONSES.c.disaster, "/disasters/"),
    "an order": (
        CONSIGNMENTS,
        CONSIGNMENTS.c.document_no,
        CONSIGNMENTS.c.id,
        "/stock/consignments/",
    ),
    "a lot": (STOCK_LOTS, STOCK_LOTS.c.document_no, STOCK_LOTS.c.stockpile, "/stock/stockpiles/"),
    "a move of goods": (STOCK_MOVES, STOCK_MOVES.c.document_no, DEPOT, "/stock/stockpiles/"),
}


def borne(
    db: Connection, scope: Scope, table: Any, number: Any, whose: ColumnElement[str]
) -> tuple[str, str]:
    """A number that few things of these areas bear, and one that does."""
    query = select(number, whose).select_from(table)
    query = query.where(
        scope.covers(number.table.c.area), number.is_not(None), number != "", whose.is_not(None)
    )
    if whose is DEPOT:
        query = query.where(whose.like("depot:%"))
    rows = {(row[0], row[1].removeprefix("depot:")) for row in db.execute(query)}
    numbers = [row[0] for row in rows]
    return min(rows, key=lambda row: (numbers.count(row[0]), row))


@pytest.mark.parametrize("what", BORNE)
def test_a_document_is_found_as_it_is_written_and_as_people_type_it(
    what: str, server: TestClient, demo: RunningDemo
) -> None:
    table, number, whose, href = BORNE[what]
    officer = demo.system.officer(demo.officers["county-approver"])
    assert officer is not None
    scope = Scope(tuple(post.area for post in officer.appointments.values()))
    with demo.system.reader() as db:
        said, id = borne(db, scope, table, number, whose)
    enter(server, "county-approver")
    typed = said.replace("〔", "[").replace("〕", "]").replace("号", " 号")
    for one in (said, typed):
        page = ask(server, "/search", q=one)
        assert f'href="{href}{id}"' in page, f"{one} ({said})"
        assert server.get(f"{href}{id}").status_code == 200
    enter(server, "taihu-approver")
    assert f'href="{href}{id}"' not in ask(server, "/search", q=said)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_everything_found_is_called_something_and_opens(
    lang: str, server: TestClient, demo: RunningDemo
) -> None:
    """Of all kinds there are, each with its page; no key of the program stands on the page."""
    enter(server, "county-approver")
    kinds = set()
    for typed in ("源潭", "洪涝", "冬春", "棉被", "潜山", "2018"):
        page = ask(server, "/search", q=typed, lang=lang)
        kinds |= set(re.findall(r'id="kind-(\w+)"', page))
        shown = re.findall(r'<li data-row[^>]*><span><a href="([^"]+)">([^<]*)</a>', page)
        assert shown, typed
        for href, name in shown:
            assert name.strip(), href
            assert not re.search(r"\b[a-z]+_[a-z_]+\b|None|\{", name), name
            assert server.get(href).status_code == 200, href
    assert kinds >= {"area", "disaster", "report", "incident", "village_list", "season"}
    assert kinds >= {"consignment", "stockpile", "fund", "officer", "household"}
