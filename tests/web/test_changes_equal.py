"""The page, the answer and the sheet of two figures that ought to be equal."""

import re
from collections.abc import Iterator
from datetime import datetime
from html import unescape
from itertools import pairwise
from typing import Any

import pytest
from fastapi.testclient import TestClient

from domain.fund import Fund
from domain.relief_case import ReliefCase
from streams.past_equal import PAIRS
from tests.web.relief_desk import RunningDemo
from tests.web.test_changes_page import table
from tests.web.test_known_at import opened
from tests.web.test_relief_pages import enter
from tests.web.test_sheets_of_pages import HAN, book


@pytest.fixture(autouse=True)
def somebody(server: TestClient) -> Iterator[None]:
    enter(server, "county-approver")
    yield
    server.cookies.clear()


def told(server: TestClient, demo: RunningDemo, pair: str, **more: Any) -> dict[str, Any]:
    said = {"pair": pair, "from": "1", "to": str(demo.system.store.head()), **more}
    opened(server, "/changes/equal?pair=money&since=1&upto=2")
    answer = server.get("/v1/changes/equal", params=said)
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def test_they_part_at_a_record_of_one_book_and_meet_at_one_of_the_other(
    server: TestClient, demo: RunningDemo
) -> None:
    body = told(server, demo, "paid", passing="true", limit=200)
    assert body["begin"]["equal"] and body["items"]
    facts = {f.position: f.event for f in demo.system.store.read(0, demo.system.store.head())}
    for n, one in enumerate(body["items"]):
        assert one["equal"] == (n % 2 == 1) == (one["left"] == one["right"])
        assert one["difference"] == one["left"] - one["right"]
        event: Any = facts[one["position"]]
        assert type(event).__qualname__.partition(".")[0] in (
            ReliefCase.__name__,
            Fund.__name__,
        )
        assert one["actors"][0]["officer"] == str(event.meta.actor)
        assert datetime.fromisoformat(one["at"]) == event.meta.recorded_at
    lasting = told(server, demo, "paid", limit=200)["items"]
    places = [one["position"] for one in body["items"]]
    passing = {
        at
        for a, b in pairwise(places)
        if facts[a].meta.command == facts[b].meta.command  # type: ignore[attr-defined]
        for at in (a, b)
    }
    assert passing, "one command writes both books"
    assert [one["position"] for one in lasting] == [at for at in places if at not in passing]


def test_all_are_read_page_by_page_and_within_the_jurisdiction(
    server: TestClient, demo: RunningDemo
) -> None:
    whole = told(server, demo, "given", passing="true", limit=200)["items"]
    assert len(whole) > 4
    some, cursor = [], None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = told(server, demo, "given", passing="true", limit=3, **more)
        some += page["items"]
        if (cursor := page["next"]) is None:
            break
        last = cursor
    assert some == whole
    head = str(demo.system.store.head())
    good = {"pair": "given", "from": "1", "to": head, "passing": "true"}
    for more, status in (
        ({"pair": "weather"}, 422),
        ({"from": head, "to": "1"}, 422),
        ({"to": str(int(head) + 1)}, 422),
        ({"limit": "0"}, 422),
        ({"limit": "201"}, 422),
        ({"cursor": "zz"}, 400),
        ({"cursor": last, "passing": "false"}, 400),
    ):
        assert server.get("/v1/changes/equal", params={**good, **more}).status_code == status, more
    enter(server, "taihu-approver")
    assert told(server, demo, "given", passing="true")["items"] == []
    server.cookies.clear()
    assert server.get("/v1/changes/equal", params=good).status_code == 401


@pytest.mark.parametrize("pair", PAIRS)
def test_every_pair_is_told_in_words_and_on_a_sheet(
    server: TestClient, demo: RunningDemo, pair: str
) -> None:
    upto = f"since=1&upto={demo.system.store.head()}&passing=true"
    address = f"/changes/equal?pair={pair}&{upto}"
    sheet = f"/sheets/equal/{pair}?{upto}"
    for language in ("en", "zh"):  # the last one asked for is kept
        main = opened(server, f"{address}&lang={language}").text.partition("<main")[2]
        said = unescape(re.sub(r"<[^>]+>", " ", main))
        assert ("开始时两数相等" if language == "zh" else "At the beginning they are equal") in said
        assert not re.search(r"\bequal\.|[0-9a-f]{8}-[0-9a-f]{4}", said)
        head, *rows = table(server.get(sheet).text)
        foreign = "[A-Za-z]{3}" if language == "zh" else f"[{HAN}]"
        assert len(head) == 8 and not re.search(foreign, "".join(head))
        assert len(rows) == main.count("<tr data-row>")
    names, *cells = book(server.get(f"{sheet}&form=xlsx").content)
    assert names == head and len(cells) == len(rows)


def test_what_cannot_be_compared_is_told(server: TestClient) -> None:
    page = server.get("/changes/equal", params={"pair": "money", "since": "5", "upto": "3"})
    assert page.status_code == 200 and "早于" in page.text
    assert (
        server.get("/sheets/equal/weather", params={"since": "1", "upto": "2"}).status_code == 422
    )
