"""Every page with rows has a sheet: the rows of the page's filter, all of them."""

import csv
import io
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from openpyxl import load_workbook  # type: ignore[import-untyped]

import web
from api.sheets import Sheet
from api.words import Words
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
ROW_OF = {
    "/stock": r'<tr data-row[^>]*id="stockpile-',
    "/stock/stockpiles/…": r"<tr><td data-label",
    "/ledger": r'data-row id="case-',
    "/lists/…": r'data-row[^>]* id="case-',
    "/review": r'data-row id="[rw]-',
}
"""What is a row of the sheet, where a page shows rows of other things too."""

NO_SHEET = {
    "/design": "what pages are made of; its rows are examples",
    "/dispatch": "what goes on now; past incidents have theirs",
    "/households/new": "the members of a form, not rows of a list",
    "/rulebooks": "a dozen documents, each saved as its own text",
    "/stock/consignments/…": "one load, whose lots stand on its printed papers",
    "/stock/consignments/new": "the lines of a form, not rows of a list",
    "/search": "a few of each kind; their lists have sheets",
    "/situation": "disasters side by side, which have no common rows",
}
"""Pages with rows and without a sheet, and why."""


UNKEPT = (
    "design.html",  # what pages are made of; its rows are examples
    "applying_village.html",  # a form with a row for each household that has not applied
    "work.html",  # what waits is gone when it is done; each matter's own list has its sheet
    "system_sessions.html",  # nobody keeps who is logged in
    "work.html",  # what waits just now; the lists of these things have their sheets
)
"""Templates with pages and without a sheet, and why."""


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
        rows += len(re.findall(ROW_OF.get(path, ROW), page))
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
        assert not re.search("[A-Za-z]{3}", "".join(head)), where
        read_in_english(server, sheet, len(said))
        on_paper(page, sheet)
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


def read_in_english(server: TestClient, sheet: str, rows: int) -> None:
    """Whoever reads English pages gets English headings and words, and the same rows."""
    server.cookies.set("lang", "en")
    head, *said = table(server.get(sheet).text)
    server.cookies.delete("lang")
    assert not re.search(f"[{HAN}]", "".join(head)), (sheet, head)
    assert len(said) == rows
    for column in STATES & set(head):
        cells = {row[head.index(column)] for row in said}
        assert not re.search(f"[{HAN}]", "".join(cells)), (sheet, column, cells)


def on_paper(page: str, sheet: str) -> None:
    """A page of a longer list says on paper which rows these are and where all of them stand."""
    told = re.search(r'<p class="paper-only" data-paper>(.*?) <a href="([^"]+)">下载 Excel', page)
    assert (told is not None) == ('class="pages ' in page), sheet
    if told is not None:
        assert re.search(r"只印第 [\d,]+–[\d,]+ 行，(共 [\d,]+ 行|后面还有)", told[1]), told[1]
        assert "工作簿" in told[1] and "下载 Excel</a>" in page.replace(told[0], "")
        book = unescape(told[2])
        assert book.replace("/ledger/xlsx", "/ledger/csv").split("form=")[0].rstrip("?&") == sheet


HAN = "\u4e00-\u9fff"
STATES = {"State", "Status", "Kind", "Step", "Post", "Level", "Programme"}
"""Columns of the program's own words."""


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


def test_every_list_with_pages_says_on_paper_what_is_missing() -> None:
    """One macro tells the way through a list; no template makes a pager of its own."""
    for template in sorted((Path(web.__file__).parent / "templates").glob("*.html")):
        text = template.read_text(encoding="utf-8")
        if template.name == "macros.html":
            continue
        assert 'rel="next"' not in text, template.name
        if "pages(leaf)" in text and template.name not in UNKEPT:
            assert "downloads(leaf.sheet)" in text or "ledger" in template.name, template.name


def test_the_sheet_of_officers_has_their_posts_and_no_secret(server: TestClient) -> None:
    enter(server, "county-approver")
    head, *rows = table(server.get("/sheets/officers?role=village_reporter").text)
    assert head == ["姓名", "区划", "区划代码", "岗位", "登录名", "停用时间"]
    assert rows and all("灾害信息员" in row[3] for row in rows)
    page = server.get("/officers?role=village_reporter").text
    names = re.findall(r'<tr data-row><th scope="row"><a [^>]*>([^<]+)<', page)
    assert names == [row[0] for row in rows[: len(names)]], "masked as on the page"
    text = server.get("/sheets/officers").text
    assert not re.search(r"\d{17}[\dX]|[0-9a-f]{8}-[0-9a-f]{4}-", text)


def test_a_sheet_takes_no_filter_that_its_page_has_not(server: TestClient) -> None:
    enter(server, "auditor")
    assert server.get("/sheets/funds?status=closed").status_code == 404
    assert server.get("/sheets/nothing").status_code == 404


def test_a_sheet_is_for_who_may_see_the_page(server: TestClient) -> None:
    enter(server, "city-reviewer")
    server.cookies.clear()
    answer = server.get("/sheets/lists", follow_redirects=False)
    assert answer.status_code in (303, 401)


def test_the_sheet_of_deadlines_says_by_what_rules_a_time_was_set() -> None:
    """As each line of a page does; a row without a mark says nothing."""
    sheet = Sheet("deadlines", Words(None, None, None, "en"), language="en")
    marked = {"detail": {"unconfirmed": True, "plain_weekends": True}}
    told = dict(zip(sheet.headings(), (sheet.cell(marked, c) for c in sheet.columns), strict=True))
    assert told["By rules nobody confirmed"] == "yes"
    assert told["By plain weekends (no calendar of that year)"] == "yes"
    assert sheet.cell({"detail": {}}, "detail.plain_weekends") == ""
