"""Pages of the past: marked on every page, nothing to press, and back to now by one press."""

import re
import time
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import pytest
from fastapi.testclient import TestClient

from api.changes import TABLES
from api.known_at import COOKIE
from api.words import Words
from domain.area import Area
from domain.village_list import VillageList
from tests.web.relief_desk import PASSWORD, RunningDemo
from tests.web.test_crawl import EMPTY, kind_of, seen
from tests.web.test_relief_pages import enter
from web.pages.changes import _said

PATIENCE_SECONDS = 120.0
BAR = "notice-bar past"


@pytest.fixture(autouse=True)
def somebody(server: TestClient) -> Iterator[None]:
    enter(server, "county-approver")
    yield
    server.cookies.clear()


def opened(server: TestClient, path: str) -> httpx.Response:
    """The page, once its past is kept."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (answer := server.get(path)).status_code == 503:
        assert time.monotonic() < deadline
        assert answer.headers["Refresh"]
    return answer


def test_every_page_that_is_led_to_in_the_past_opens_is_marked_and_offers_nothing_to_do(
    server: TestClient, demo: RunningDemo
) -> None:
    head = demo.system.store.head()
    answer = server.get("/known-at", params={"at": str(head - 3), "next": "/situation"})
    assert answer.url.path == "/situation"
    waiting, met, pages = ["/", "/situation"], {"/", "/situation"}, 0
    while waiting and pages < 80:
        path = waiting.pop(0)
        answer = opened(server, path)
        is_page = answer.headers.get("content-type", "").startswith("text/html")
        assert answer.status_code in (200, 404, 409), path  # 409: nothing but a form
        if answer.status_code != 200 or not is_page:
            continue  # a link to what was begun later, on a page that is of no moment
        if "<!doctype" in answer.text:
            pages += 1
            assert BAR in answer.text and "data-known-at" in answer.text, path
            assert "data-acts" not in answer.text, path
            assert "/v1/live" not in answer.text, f"{path} would go on by itself"
        for link in seen(answer.text).links:
            known = kind_of(link) in met or EMPTY.search(link) or "lang=" in link
            if not known and not link.startswith(("/static/", "/known-at", "/docs", "/login")):
                met.add(kind_of(link))
                waiting.append(link)
    assert pages > 60
    assert demo.system.store.head() == head

    back = server.get("/known-at/now", params={"next": "/situation"})
    assert back.url.path == "/situation" and BAR not in back.text
    assert COOKIE not in server.cookies


def test_a_county_bears_the_name_it_had_then(server: TestClient, demo: RunningDemo) -> None:
    facts = demo.system.store.read(0, demo.system.store.head())
    renamed = next(f for f in facts if isinstance(f.event, Area.Renamed))
    new = renamed.event.name
    server.get("/known-at", params={"at": str(renamed.position - 1)})
    before = opened(server, "/divisions").text
    server.get("/known-at", params={"at": str(renamed.position)})
    after = opened(server, "/divisions").text
    main = re.compile(r"<main.*</main>", re.DOTALL)
    assert new not in main.findall(before)[0] and new in main.findall(after)[0]


def test_what_cannot_be_meant_is_told_beside_the_field(server: TestClient) -> None:
    for language, said in (("zh", "还没有到"), ("en", "has not come yet")):
        page = server.get("/known-at", params={"at": "2090-01-01T09:00", "lang": language})
        assert page.status_code == 200 and said in page.text and COOKIE not in server.cookies
        assert 'value="2090-01-01T09:00"' in page.text, "what was typed stays"
    page = server.get("/known-at", params={"at": "12", "next": "https://example.org/"})
    assert page.url.path == "/" and page.url.host == "testserver"


@pytest.mark.parametrize("sign", ["时", "\n", "\x00", ";", "，"])
def test_a_moment_that_no_cookie_could_hold_is_told_as_unreadable(
    server: TestClient, sign: str
) -> None:
    page = server.get("/known-at", params={"at": f"2018-01-05{sign}09:00"})
    assert page.status_code == 200 and "2018-01-05 09:00" in page.text
    assert COOKIE not in server.cookies


@pytest.mark.parametrize(
    ("who", "path", "in_parts"),
    [
        ("county-payer", "/waiting/village_list_pay", False),
        ("yuantan-shuangfeng-a", "/zero-reports", False),
        ("administrator", "/officers/year-end", False),
        ("administrator", "/officers/invitations", False),
        ("administrator", "/system/checkups", False),
        ("administrator", "/divisions/list/run", True),
        ("administrator", "/officers/list/slips", True),
        ("yuantan-shuangfeng-a", "/me/sessions", False),
    ],
)
def test_a_form_of_another_window_does_nothing_while_a_moment_is_chosen(
    server: TestClient, demo: RunningDemo, who: str, path: str, in_parts: bool
) -> None:
    """Its page was opened before the moment was chosen; it would have acted on what is now."""
    server.cookies.clear()
    enter(server, who)
    token = re.search(r'name="csrf-token" content="([^"]+)"', server.get("/help").text)
    assert token is not None
    sent = {"csrf_token": token[1], "key": str(uuid4())}
    server.get("/known-at", params={"at": "5", "next": "/help"})
    head = demo.system.store.head()
    if in_parts:
        answer = server.post(path, data=sent, files={"file": ("a.csv", b"a,b")})
    else:
        answer = server.post(path, data=sent)
    assert answer.status_code == 409 and "先回到现在" in answer.text, answer.text[:300]
    assert "/known-at/now" in answer.text, "and leads there"
    assert demo.system.store.head() == head


def test_a_notice_is_told_as_of_the_moment(server: TestClient, demo: RunningDemo) -> None:
    """One that was posted, and taken down, later than the moment is not known on its page yet; nor
    is the later name of a division in what happened to it."""
    store = demo.system.store
    facts = store.read(0, store.head())
    posted = [one for one in facts if isinstance(one.event, VillageList.Posted)]
    for at in {one.event.notice: one for one in posted}.values():  # type: ignore[attr-defined]
        event: Any = at.event
        path = f"/lists/{event.originator_id}/notice/{event.notice}"
        server.get("/known-at", params={"at": str(at.position - 1)})
        earlier = [one for one in posted if one.event.originator_id == event.originator_id]
        first = earlier[0].position == at.position
        assert opened(server, path).status_code == (404 if first else 200), path
        server.get("/known-at", params={"at": str(at.position)})
        assert opened(server, path).status_code == 200, path
    renamed = next(one for one in facts if isinstance(one.event, Area.Renamed))
    path = f"/divisions/{renamed.event.originator_id}"
    server.get("/known-at", params={"at": str(renamed.position - 1)})
    before = opened(server, path).text
    server.get("/known-at", params={"at": str(renamed.position)})
    what_happened = re.compile(r'aria-labelledby="history-title".*?</section>', re.DOTALL)
    name = renamed.event.name  # type: ignore[attr-defined]
    assert name not in what_happened.findall(before)[0]
    assert name in what_happened.findall(opened(server, path).text)[0]


def test_who_logs_in_next_begins_in_the_present(server: TestClient) -> None:
    server.get("/known-at", params={"at": "5", "next": "/help"})
    assert server.cookies[COOKIE] == "5"
    page = opened(server, "/help").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    out = server.post("/logout", data={"csrf_token": token[1]})
    assert out.url.path == "/login" and COOKIE not in server.cookies
    server.cookies.set(COOKIE, "5", domain="testserver.local", path="/")
    page = server.get("/login").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    fields = {"csrf_token": token[1], "name": "dispatcher", "password": PASSWORD, "next": "/help"}
    assert server.post("/login", data=fields).url.path == "/help"
    assert COOKIE not in server.cookies


def test_no_value_of_a_change_is_said_as_the_program_keeps_it(
    server: TestClient, demo: RunningDemo
) -> None:
    """Lists were shown with brackets and quotes, and states by their English keys."""
    cell, shown = re.compile(r'<td class="figure"[^>]*>(.*?)</td>', re.DOTALL), 0
    raw = set()
    for board in TABLES:
        cursor: str | None = ""
        while cursor is not None:
            asked = {"view": board, "since": "1", "upto": str(demo.system.store.head())}
            asked |= {"cursor": cursor} if cursor else {}
            page = opened(server, f"/changes?{urlencode(asked)}")
            main = re.findall(r"<main.*</main>", page.text, re.DOTALL)[0]
            for value in cell.findall(main):
                said = unescape(re.sub(r"<[^>]+>", "", value)).strip()
                if re.search(r'[\[\]{}"]|[a-z]{2,}_|^[a-z]{3,}$', said):
                    raw.add((board, said))
                shown += 1
            found = re.search(r"cursor=([^&\"]+)", main)
            cursor = found[1] if found else None
    assert shown > 1_000 and raw == set()


def test_the_page_of_changes_says_figures_in_words(server: TestClient, demo: RunningDemo) -> None:
    for board in TABLES:
        cursor: str | None = ""
        while cursor is not None:
            asked = {"view": board, "since": "1", "upto": str(demo.system.store.head())}
            asked |= {"cursor": cursor} if cursor else {}
            page = opened(server, f"/changes?{urlencode(asked)}")
            if page.status_code == 403:
                break
            assert page.status_code == 200, (board, page.text[:500])
            main = re.findall(r"<main.*</main>", page.text, re.DOTALL)[0]
            assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", re.sub(r'"[^"]*"', "", main)), board
            found = re.search(r"cursor=([^&\"]+)", main)
            cursor = found[1] if found and board == "ledger" else None
    wrong = server.get("/changes", params={"view": "ledger", "since": "5", "upto": "3"})
    assert wrong.status_code == 200 and "早于" in wrong.text
    assert "变化" in server.get("/changes").text


def test_one_press_goes_a_day_or_an_hour_on_and_never_into_the_future(
    server: TestClient, demo: RunningDemo
) -> None:
    server.get("/known-at", params={"at": "2018-07-02T09:00", "next": "/help"})
    page = opened(server, "/help")
    assert "2018-07-02 09:00" in page.text
    steps = dict(re.findall(r'href="/known-at\?at=([^&"]+)&amp;next=/help">([^<]+)<', page.text))
    assert sorted(steps) == [
        "2018-07-01T09:00:00",
        "2018-07-02T08:00:00",
        "2018-07-02T10:00:00",
        "2018-07-03T09:00:00",
    ]
    server.get("/known-at", params={"at": next(iter(steps)), "next": "/help"})
    assert f"{next(iter(steps))[:10]} 0" in opened(server, "/help").text
    server.get("/known-at", params={"at": str(demo.system.store.head()), "next": "/help"})
    text = opened(server, "/help").text
    assert "前一天" in text and "后一天" not in text


def test_words_that_begin_like_a_list_are_said_as_they_are(demo: RunningDemo) -> None:
    """Somebody's remark "[urgent" made the whole page fail."""
    words = Words(None, None, None, "zh")
    for text, said in (("[急]水库", "[急]水库"), ('["甲","乙"]', "甲、乙"), ("{", "{"), ("[", "[")):
        assert _said({"table": "incidents", "column": "place"}, text, words, "zh") == said
