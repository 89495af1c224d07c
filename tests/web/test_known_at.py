"""Pages of the past: marked on every page, nothing to press, and back to now by one press."""

import re
import time
from collections.abc import Iterator
from urllib.parse import urlencode

import httpx
import pytest
from fastapi.testclient import TestClient

from api.changes import TABLES
from api.known_at import COOKIE
from domain.area import Area
from tests.web.relief_desk import PASSWORD, RunningDemo
from tests.web.test_crawl import EMPTY, kind_of, seen
from tests.web.test_relief_pages import enter

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
    while waiting:
        path = waiting.pop(0)
        answer = opened(server, path)
        is_page = answer.headers.get("content-type", "").startswith("text/html")
        assert answer.status_code in (200, 404), path
        if answer.status_code == 404 or not is_page:
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
            found = re.search(r"cursor=([0-9a-f]+)", main)
            cursor = found[1] if found and board == "ledger" else None
    wrong = server.get("/changes", params={"view": "ledger", "since": "5", "upto": "3"})
    assert wrong.status_code == 200 and "早于" in wrong.text
    assert "变化" in server.get("/changes").text
