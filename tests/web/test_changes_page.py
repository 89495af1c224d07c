"""The page of changes on a sheet: all rows, in words, yuan and China time."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import datetime
from html import unescape
from typing import Any

import pytest
from fastapi.testclient import TestClient

from domain.rules.base import CHINA
from eventstore.log import recorded_at
from tests.web.relief_desk import RunningDemo
from tests.web.test_known_at import opened
from tests.web.test_relief_pages import enter
from tests.web.test_sheets_of_pages import HAN, book, same

ROW = re.compile(r'<tr data-row><th scope="row">.*?</tr>', re.DOTALL)


@pytest.fixture(autouse=True)
def somebody(server: TestClient) -> Iterator[None]:
    enter(server, "county-approver")
    yield
    server.cookies.clear()


def asked(demo: RunningDemo, board: str) -> dict[str, str]:
    return {"view": board, "since": "1", "upto": str(demo.system.store.head())}


def table(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def texts(row: str) -> list[str]:
    cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
    return [" ".join(unescape(re.sub(r"<[^>]+>", " ", one)).split()) for one in cells]


def pages(server: TestClient, said: dict[str, str]) -> list[list[str]]:
    """The rows of the page and of all that follow it."""
    rows: list[list[str]] = []
    while True:
        page = opened(server, "/changes?" + "&".join(f"{k}={v}" for k, v in said.items())).text
        rows += [texts(row) for row in ROW.findall(page)]
        following = re.search(r'href="/changes[^"]*cursor=([^&"]+)"', page.partition("<main")[2])
        if following is None:
            return rows
        said = {**said, "cursor": following[1]}


@pytest.mark.parametrize("board", ["ledger", "funds", "stock", "situation"])
def test_the_sheet_of_changes_has_all_rows_of_the_page(
    server: TestClient, demo: RunningDemo, board: str
) -> None:
    said = asked(demo, board)
    page = opened(server, "/changes?" + "&".join(f"{k}={v}" for k, v in said.items())).text
    link = re.search(r'data-sheet href="([^"]+)"', page)
    assert link is not None
    head, *rows = table(server.get(unescape(link[1])).text)
    assert head == [
        "对象",
        "区划",
        "项目",
        "原来",
        "后来",
        "何时",
        "谁",
        "记录条数",
        "最后一条记录",
    ]
    shown = pages(server, said)
    assert len(rows) == len(shown) > 10
    for row, on_page in zip(rows, shown, strict=True):
        thing, area, column, before, now, at, by, number, last = row
        assert on_page[0] == " ".join(one for one in (thing, area) if one)
        assert on_page[1] == column
        assert [one or "—" for one in (before, now)] == on_page[2:4], row
        assert at in on_page[4] and all(one in on_page[4] for one in by.split("、"))
        assert int(number) >= 1 and f"{int(last):,}" in on_page[4]
    text = " ".join(cell for row in rows for cell in row)
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-|\b[a-z]+_[a-z]+\b|\+00:00", text)


def test_moments_on_the_sheet_are_those_of_the_log_in_china_time(
    server: TestClient, demo: RunningDemo
) -> None:
    said = asked(demo, "funds")
    _, *rows = table(server.get("/sheets/changes/funds", params=said_of(said)).text)
    for row in rows:
        (fact,) = demo.system.store.log.rows(int(row[-1]) - 1, 1)
        wanted = recorded_at(bytes(fact[4])).astimezone(CHINA)
        assert datetime.strptime(row[5], "%Y-%m-%d %H:%M").replace(tzinfo=CHINA) == wanted.replace(
            second=0, microsecond=0
        )


def said_of(said: dict[str, str]) -> dict[str, str]:
    return {"since": said["since"], "upto": said["upto"]}


def test_figures_are_numbers_in_the_workbook_and_fen_are_yuan(
    server: TestClient, demo: RunningDemo
) -> None:
    said = said_of(asked(demo, "funds"))
    head, *texts_ = table(server.get("/sheets/changes/funds", params=said).text)
    names, *cells = book(
        server.get("/sheets/changes/funds", params={**said, "form": "xlsx"}).content
    )
    assert names == head and len(cells) == len(texts_)
    for row, text in zip(cells, texts_, strict=True):
        assert [b for a, b in zip(row, text, strict=True) if not same(a, b)] == []
    money = [row for row in cells if str(row[2]).endswith("（元）")]
    assert money and all(not isinstance(row[4], str) or row[4] == "" for row in money)
    fen: dict[str, Any] = server.get(
        "/v1/changes", params={"view": "funds", "from": "1", "to": said["upto"], "limit": "200"}
    ).json()
    wanted = sorted(one["now"] for one in fen["items"] if one["column"] == "appropriated_fen")
    found = sorted(round(row[4] * 100) for row in money if row[2] == "拨入（元）")
    assert wanted and found == wanted


def test_the_sheet_of_changes_is_told_in_english_and_asks_as_the_page_does(
    server: TestClient, demo: RunningDemo
) -> None:
    said = said_of(asked(demo, "stock"))
    server.cookies.set("lang", "en")
    head, *rows = table(server.get("/sheets/changes/stock", params=said).text)
    server.cookies.delete("lang")
    assert rows and not re.search(f"[{HAN}]", "".join(head))
    for more, status in (
        ({"upto": str(demo.system.store.head() + 1)}, 422),
        ({"since": "", "upto": ""}, 422),
        ({"form": "pdf"}, 422),
        ({"since": said["upto"], "upto": "1"}, 422),
    ):
        answer = server.get("/sheets/changes/stock", params={**said, **more})
        assert answer.status_code == status, more
    assert server.get("/sheets/changes/weather", params=said).status_code == 422
    empty = server.get("/sheets/changes/stock", params={"since": "1", "upto": "1"})
    assert len(table(empty.text)) == 1, "the heading alone"
    server.cookies.clear()
    asking = server.get("/sheets/changes/stock", params=said, follow_redirects=False)
    assert asking.status_code in (303, 401)
