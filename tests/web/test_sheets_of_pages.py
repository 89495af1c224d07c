"""Every page with rows has a sheet: the rows of the page's filter, all of them."""

import csv
import io
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from fastapi.testclient import TestClient
from openpyxl import load_workbook  # type: ignore[import-untyped]

from api.workbooks import XLSX
from tests.web.test_crawl import Seen, kind_of
from tests.web.test_relief_pages import enter


def sheet_of(page: str) -> str:
    found = re.search(r'data-sheet [^>]*?href="([^"]+)"', page)
    assert found is not None, "a page with rows offers no sheet"
    return unescape(found[1])


def table(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


OFFICERS = ("county-approver", "county-storekeeper", "dispatcher", "auditor")

ROW = r"<tr data-row|<li data-row"
ROWS = {
    "/stock": r'<tr data-row[^>]*id="stockpile-',
    "/stock/stockpiles/…": r"<tr><td data-label",
    "/ledger": r'data-row id="case-',
    "/lists/…": r'data-row[^>]* id="case-',
}
"""What is a row of the sheet, where a page shows rows of other things too."""

NO_SHEET = {
    "/dispatch": "what goes on now; past incidents have theirs",
    "/officers": "their posts have no column yet",
    "/rulebooks": "a dozen documents, each saved as its own text",
    "/situation": "disasters side by side, which have no common rows",
}
"""Pages with rows and without a sheet, and why."""


def opened(server: TestClient) -> Iterator[tuple[str, str, str]]:
    """Officer, address and text of every page with rows, one of each kind."""
    met: set[str] = set()
    for officer in OFFICERS:
        enter(server, officer)
        waiting = ["/"]
        met.discard("/")
        while waiting:
            address = waiting.pop(0)
            if (kind := kind_of(address)) in met or "whole=" in address:
                continue
            met.add(kind)
            answer = server.get(address)
            if not answer.headers.get("content-type", "").startswith("text/html"):
                continue
            if "data-rows" in answer.text or "<li data-row" in answer.text:
                yield officer, address, answer.text
            links = (link for link in Seen(answer.text).links if "lang=" not in link)
            waiting += [link for link in links if not NO_PAGE.search(link)]


NO_PAGE = re.compile(r"cursor=|before=|^/static/|^/sheets/|^/ledger/(csv|xlsx|rows)|/board")


def path_of(address: str) -> str:
    return kind_of(address).partition("?")[0]


def rows_of(server: TestClient, address: str) -> int:
    """Of a page and all that follow it."""
    rows, path = 0, path_of(address)
    while True:
        page = server.get(address).text
        rows += len(re.findall(ROWS.get(path, ROW), page))
        following = re.search(r'rel="next" href="([^"]+)"', page)
        if following is None:
            return rows
        address = unescape(following[1])


def book(content: bytes) -> list[list[Any]]:
    sheet = load_workbook(io.BytesIO(content)).active
    return [["" if cell is None else cell for cell in row] for row in sheet.values]


def number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", text) is not None


def same(cell: Any, text: str) -> bool:
    """Whether a workbook says what the CSV says, where a cell that runs as a formula is quoted."""
    if isinstance(cell, str):
        return cell in (text, text.removeprefix("'"))
    return number(text) and float(text) == float(cell)


def test_every_page_with_rows_has_their_sheet_or_a_reason(server: TestClient) -> None:
    """All rows of the page and of those behind it, as CSV and as a workbook that say the same."""
    without, with_sheet = set(), set()
    for officer, address, page in opened(server):
        path = path_of(address)
        if "data-sheet" not in page:
            without.add(path)
            continue
        with_sheet.add(path)
        where, sheet = f"{officer} {address}", sheet_of(page)
        answer = server.get(sheet)
        assert answer.headers["content-type"].startswith("text/csv"), where
        assert "attachment" in answer.headers["content-disposition"]
        head, *said = table(answer.text)
        assert len(head) > 3 and len(said) == rows_of(server, address), where
        link = re.search(r'data-book [^>]*href="([^"]+)"|data-book href="([^"]+)"', page)
        assert link is not None, where
        kept = server.get(unescape(link[1] or link[2]))
        assert kept.headers["content-type"] == XLSX and kept.headers["cache-control"] == "no-store"
        assert kept.headers["content-disposition"].endswith('.xlsx"')
        names, *cells = book(kept.content)
        assert names == head and len(cells) == len(said), where
        for row, texts in zip(cells, said, strict=True):
            wrong = [(a, b) for a, b in zip(row, texts, strict=True) if not same(a, b)]
            assert not wrong, (where, wrong)
            codes = [a for a, name in zip(row, head, strict=True) if "代码" in name or "号" in name]
            assert all(isinstance(one, str) for one in codes), "ids are text"
            money = [a for a, name in zip(row, head, strict=True) if name.endswith("（元）")]
            assert all(one == "" or not isinstance(one, str) for one in money), "money is a number"
    assert without - with_sheet == set(NO_SHEET)
    assert len(with_sheet) > 9


@pytest.mark.parametrize(
    "address",
    ["/sheets/lists?status=draft", "/sheets/consignments?status=cancelled", "/sheets/notices"],
)
def test_a_sheet_of_nothing_has_its_heading(server: TestClient, address: str) -> None:
    enter(server, "county-approver")
    head, *rows = table(server.get(address).text)
    joint = "&" if "?" in address else "?"
    names, *cells = book(server.get(f"{address}{joint}form=xlsx").content)
    assert names == head and len(cells) == len(rows) and all(isinstance(one, str) for one in names)


def test_a_timeline_on_a_sheet_is_in_words(server: TestClient) -> None:
    enter(server, "county-approver")
    head, *rows = table(server.get(sheet_of(server.get("/timeline").text)).text)
    assert head[:4] == ["时间", "事件", "对象", "区划"]
    text = " ".join(cell for row in rows for cell in row)
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}|[A-Z][a-z]+\.[A-Z]|\b[a-z]+_[a-z]+\b", text)


def test_what_one_sheet_does_not_hold_stands_on_the_next(
    server: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A spreadsheet holds 1,048,576 rows, and its writer drops the others without a word."""
    enter(server, "county-approver")
    address = sheet_of(server.get("/timeline").text)
    head, *rows = table(server.get(address).text)
    most = len(rows) // 2 + 1
    monkeypatch.setattr("api.workbooks.MOST_ROWS", most)
    joint = "&" if "?" in address else "?"
    sheets = load_workbook(io.BytesIO(server.get(f"{address}{joint}form=xlsx").content))
    pages = [list(page.values) for page in sheets.worksheets]
    assert [len(page) - 1 for page in pages] == [most, len(rows) - most]
    assert all(list(page[0]) == head for page in pages)


def test_a_sheet_takes_no_filter_that_its_page_has_not(server: TestClient) -> None:
    enter(server, "auditor")
    assert server.get("/sheets/funds?status=closed").status_code == 404
    assert server.get("/sheets/nothing").status_code == 404


def test_a_sheet_is_for_who_may_see_the_page(server: TestClient) -> None:
    enter(server, "city-reviewer")
    server.cookies.clear()
    answer = server.get("/sheets/lists", follow_redirects=False)
    assert answer.status_code in (303, 401)
