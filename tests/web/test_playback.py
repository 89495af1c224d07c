"""Playback: each picture is the board as it was known there, with a script and without."""

import json
import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient

from api.known_at import COOKIE
from eventstore.log import recorded_at
from tests.web.relief_desk import RunningDemo
from tests.web.test_known_at import BAR, opened
from tests.web.test_past_forms import acting
from tests.web.test_relief_pages import enter
from web.pages.playback import TICKS

VIEWS = ("situation", "dispatch")


@pytest.fixture(autouse=True)
def somebody(server: TestClient) -> Iterator[None]:
    server.cookies.clear()
    enter(server, "county-approver")
    yield
    server.cookies.clear()


def main_of(page: str) -> str:
    return page.partition("<main")[2]


def film(server: TestClient, view: str, since: int, upto: int, **more: object) -> str:
    said = {"since": since, "upto": upto, **more}
    return opened(server, f"/playback/{view}?{urlencode(said)}").text


def board(server: TestClient, view: str, at: int) -> str:
    return opened(server, f"/{view}/board?known_at={at}").text.strip()


def picture(page: str) -> tuple[int, str]:
    """Which record the picture of a page shows, and what stands in it."""
    found = re.search(r'<div data-picture="(\d+)"[^>]*>(.*)', page, re.DOTALL)
    assert found is not None
    return int(found[1]), found[2].strip()


@pytest.mark.parametrize("view", VIEWS)
def test_each_picture_is_the_board_as_it_was_known_at_that_record(
    server: TestClient, demo: RunningDemo, view: str
) -> None:
    head, shown = demo.system.store.head(), set()
    for at in range(head // 10, head, head // 10):
        part = opened(server, f"/playback/{view}/board?known_at={at}").text
        there = picture(part)
        assert there[0] == at and there[1].startswith(board(server, view, at))
        assert server.cookies[COOKIE] == str(at), "what is led to is of that moment, too"
        shown.add(re.sub(r'data-position="\d+"', "", there[1]))
    assert len(shown) > 2, "the board moved"


@pytest.mark.parametrize("view", VIEWS)
def test_without_a_script_the_steps_lead_through_it(
    server: TestClient, demo: RunningDemo, view: str
) -> None:
    first, last = demo.system.store.head() // 2, demo.system.store.head() - 3
    page = film(server, view, first, last)
    assert picture(page)[0] == first, "it begins at the first record"
    met = []
    for step in ("on", "far_on", "far_back", "back", "end", "on", "begin", "back"):
        link = re.search(rf'data-step="{step}" href="([^"]+)"', page)
        assert link is not None
        page = opened(server, unescape(link[1])).text
        assert BAR in page and "/v1/live" not in page and acting(page) == set()
        met.append(picture(page)[0])
        assert f"{met[-1]:,} 条记录" in page
    far = (last - first) // 20
    there = first + 1 + far
    assert met == [first + 1, there, first + 1, first, last, last, first, first]
    slider = re.search(r'<input id="playback-at"[^>]*>', page)
    assert slider is not None and f'min="{first}" max="{last}"' in slider[0]
    assert 'name="known_at"' in slider[0], "its form is sent without a script, too"


def test_what_lies_outside_the_film_begins_it(server: TestClient, demo: RunningDemo) -> None:
    first, last = 900, demo.system.store.head()
    for at in (first - 1, 1):
        assert picture(film(server, "situation", first, last, known_at=at))[0] == first
    server.cookies.set(COOKIE, "950")
    assert picture(film(server, "situation", first, last))[0] == first, "not where one was before"
    assert "Playback of the situation" in film(server, "situation", first, last, lang="en")


def test_time_runs_by_the_records_of_the_log(server: TestClient, demo: RunningDemo) -> None:
    first, last = 2, demo.system.store.head()
    page = film(server, "dispatch", first, last)
    ticks = json.loads(unescape(re.findall(r'data-ticks="([^"]+)"', page)[0]))
    assert len(ticks) == TICKS + 1 and ticks[0][0] == first and ticks[-1][0] == last
    assert ticks == sorted(ticks)
    made = [recorded_at(bytes(row[4])) for row in demo.system.store.log.rows(0, last)]
    assert [at for _, at in ticks] == [int(made[one - 1].timestamp()) for one, _ in ticks]


def test_what_cannot_be_played_is_told(server: TestClient, demo: RunningDemo) -> None:
    head = demo.system.store.head()
    for since, upto, said in (
        (5, 3, "早于"),
        (1, head + 1, "没有这个位置"),
        ("gestern", 5, "应为日期"),
        ("2018-07-01T09:00" + "0" * 200, 5, "应为日期"),
    ):
        page = server.get("/playback/situation", params={"since": since, "upto": upto})
        assert page.status_code == 200 and said in main_of(page.text), (since, upto)
        assert "data-playback" not in page.text
    assert server.get("/playback/dispatch").status_code == 200
    assert server.get("/playback/weather").status_code == 422
    assert server.get("/playback/dispatch/board").status_code == 422
    server.cookies.clear()
    asked = server.get("/playback/dispatch", follow_redirects=False)
    assert asked.status_code == 303 and "/login" in asked.headers["location"]


def test_both_boards_lead_to_their_playback(server: TestClient) -> None:
    for view in VIEWS:
        assert f'href="/playback/{view}"' in server.get(f"/{view}").text
