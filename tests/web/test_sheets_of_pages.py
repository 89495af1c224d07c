"""Every page with rows has a sheet: the rows of the page's filter, all of them."""

import csv
import io
import re
from html import unescape

import pytest
from fastapi.testclient import TestClient

from tests.web.test_relief_pages import enter


def sheet_of(page: str) -> str:
    found = re.search(r'data-sheet href="([^"]+)"', page)
    assert found is not None, "a page with rows offers no sheet"
    return unescape(found[1])


def table(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


ROW = r"<tr data-row|<li data-row"

PAGES = (
    ("county-approver", "/lists", ROW),
    ("county-approver", "/lists?status=closed", ROW),
    ("county-approver", "/lists?status=draft", ROW),
    ("auditor", "/findings", ROW),
    ("auditor", "/findings?kind=over_standard", ROW),
    ("county-storekeeper", "/stock", r'<tr data-row[^>]*id="stockpile-'),
    ("county-storekeeper", "/stock/consignments", ROW),
    ("county-storekeeper", "/stock/consignments?status=closed", ROW),
    ("auditor", "/funds", ROW),
    ("dispatcher", "/dispatch/past", ROW),
    ("county-approver", "/notices", ROW),
)


@pytest.mark.parametrize(("login", "path", "row"), PAGES)
def test_a_sheet_has_the_rows_of_its_page(
    server: TestClient, login: str, path: str, row: str
) -> None:
    enter(server, login)
    address, rows = path, 0
    sheet = ""
    while True:
        page = server.get(address).text
        rows += len(re.findall(row, page))
        sheet = sheet or sheet_of(page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        if following is None:
            break
        address = unescape(following[1])
    answer = server.get(sheet)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    head, *said = table(answer.text)
    assert len(head) > 3 and len(said) == rows


@pytest.mark.parametrize(
    ("path", "link", "row"),
    [
        ("/lists", "/lists/", r'data-row[^>]* id="case-'),
        ("/stock", "/stock/stockpiles/", r"<tr><td data-label"),
        ("/timeline", "/timeline/", r"<li data-row"),
    ],
)
def test_a_thing_has_a_sheet_of_what_belongs_to_it(
    server: TestClient, path: str, link: str, row: str
) -> None:
    enter(server, "county-approver")
    found = re.search(rf'href="({link}[0-9a-f-]{{36}})"', server.get(path).text)
    assert found is not None
    address, rows, sheet = found[1], 0, ""
    while True:
        page = server.get(address).text
        rows += len(re.findall(row, page))
        sheet = sheet or sheet_of(page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        if following is None:
            break
        address = unescape(following[1])
    _, *said = table(server.get(sheet).text)
    assert len(said) == rows > 0


def test_a_timeline_on_a_sheet_is_in_words(server: TestClient) -> None:
    enter(server, "county-approver")
    head, *rows = table(server.get(sheet_of(server.get("/timeline").text)).text)
    assert head[:4] == ["时间", "事件", "对象", "区划"]
    text = " ".join(cell for row in rows for cell in row)
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}|[A-Z][a-z]+\.[A-Z]|\b[a-z]+_[a-z]+\b", text)


def test_a_sheet_takes_no_filter_that_its_page_has_not(server: TestClient) -> None:
    enter(server, "auditor")
    assert server.get("/sheets/funds?status=closed").status_code == 404
    assert server.get("/sheets/nothing").status_code == 404


def test_a_sheet_is_for_who_may_see_the_page(server: TestClient) -> None:
    enter(server, "city-reviewer")
    server.cookies.clear()
    answer = server.get("/sheets/lists", follow_redirects=False)
    assert answer.status_code in (303, 401)
