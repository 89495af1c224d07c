"""Nothing is done in the past: no page draws a form that acts, and no address takes one."""

import re
from collections.abc import Iterator
from datetime import date
from uuid import uuid4

import httpx
import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from api.known_at import COOKIE, HEADER
from domain.commands.officers import EndAppointment
from domain.rulebook import Rulebook
from tests.web.relief_desk import RunningDemo
from tests.web.test_crawl import EMPTY, kind_of, seen
from tests.web.test_known_at import BAR, opened
from tests.web.test_relief_pages import enter

FORM = re.compile(r'<form[^>]*method="(?:post|dialog)"[^>]*>')
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
ASKING = {
    "/logout": "ends the look at the past, too",
    "/search": "asks",
    "/officers": "asks",
    "/officers/…": "asks",
    "/households/…": "asks",
    "/ledger": "asks",
    "/timeline": "asks",
    "/design": "shows what forms look like; nothing on it is sent",
}
"""Forms that pages of the past draw, and why."""

ALSO = (
    "/me",
    "/zero-reports",
    "/officers/year-end?until=2030-12-31",
    "/officers?state=never",
    "/me/second-factor",
)

TAKEN = {
    "/v1/sessions": "somebody logs in",
    "/v1/sessions/current": "somebody logs out",
    "/v1/tokens": "a program logs in",
    "/v1/invitations/{code}/acceptances": "somebody without a log-in",
    "/v1/setup/sessions": "a store that has not begun",
    "/v1/setup/beginnings": "a store that has not begun",
    "/v1/setup/invitations": "a store that has not begun",
}
"""Addresses that take something without being told no in the past, and why."""


@pytest.fixture(scope="module", autouse=True)
def a_post_ends(demo: RunningDemo) -> None:
    """So that the page of the year's end has something to renew."""
    who = demo.officers["yuantan-storekeeper"]
    (post,) = demo.system.store.load(who).appointments
    ends_on = date(2030, 12, 31)
    demo.run(
        EndAppointment(officer=who, appointment=post, ends_on=ends_on, reason="任期届满"),
        by="administrator",
    )


@pytest.fixture(autouse=True)
def nobody(server: TestClient) -> Iterator[None]:
    server.cookies.clear()
    yield
    server.cookies.clear()


def acting(page: str) -> set[str]:
    """Where the forms of a page are sent that do more than ask."""
    found = set()
    for form in FORM.findall(page):
        where = re.search(r'action="([^"?]*)', form)
        found.add(ID.sub("…", where[1]) if where else form)
    return found - set(ASKING)


@pytest.mark.parametrize("who", ["administrator", "county-approver", "yuantan-shuangfeng-a"])
def test_no_page_of_the_past_draws_a_form_that_acts(
    server: TestClient, demo: RunningDemo, who: str
) -> None:
    enter(server, who)
    server.get("/known-at", params={"at": str(demo.system.store.head()), "next": "/help"})
    waiting, met, pages = ["/", *ALSO], set(ALSO), 0
    while waiting and pages < 70:
        path = waiting.pop(0)
        answer = opened(server, path)
        if not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        assert answer.status_code in (200, 403, 404, 409), path
        assert acting(answer.text) == set(), path
        if answer.status_code == 409:  # a page that is nothing but a form leads back
            assert "先回到现在" in answer.text and "/known-at/now" in answer.text, path
        pages += BAR in answer.text
        for link in seen(answer.text).links:
            known = kind_of(link) in met or EMPTY.search(link) or "lang=" in link
            if not known and not link.startswith(
                ("/static/", "/known-at", "/docs", "/sheets", "/login")
            ):
                met.add(kind_of(link))
                waiting.append(link)
    assert pages > 40


def test_the_same_pages_draw_them_now(server: TestClient) -> None:
    """Else the test above could not fail."""
    enter(server, "administrator")
    drawn = set[str]().union(*(acting(server.get(path).text) for path in ALSO))
    assert {"/me/password", "/officers/year-end", "/officers/invitations"} <= drawn
    assert "/me/second-factor" in drawn


def test_every_address_that_takes_something_refuses_it_in_the_past(
    server: TestClient, demo: RunningDemo
) -> None:
    """The second factor and the identity provider were changed while a moment was chosen."""
    enter(server, "administrator")
    token = re.search(r'name="csrf-token" content="([^"]+)"', server.get("/help").text)
    assert token is not None
    server.cookies.set(COOKIE, "5")
    head, asked = demo.system.store.head(), 0
    routes = [one for one in demo.app().routes if isinstance(one, APIRoute)]
    for route in routes:
        for method in route.methods - {"GET", "HEAD"}:
            if not route.path.startswith("/v1/") or route.path in TAKEN:
                continue
            address = re.sub(r"{[^}]*}", str(uuid4()), route.path)
            said = {"X-CSRF-Token": token[1], "Idempotency-Key": str(uuid4())}
            answer: httpx.Response = server.request(method, address, json={}, headers=said)
            assert answer.status_code == 409, (method, route.path, answer.text)
            assert answer.json()["type"].endswith("past-is-read-only"), route.path
            asked += 1
    assert asked > 150 and demo.system.store.head() == head


def test_a_rulebook_is_named_once_it_was_adopted(server: TestClient, demo: RunningDemo) -> None:
    enter(server, "county-approver")
    facts = demo.system.store.read(0, demo.system.store.head())
    adopted = [one for one in facts if isinstance(one.event, Rulebook.Adopted)][-1]
    number = adopted.event.document_no  # type: ignore[attr-defined]
    kind = demo.system.store.load(adopted.event.originator_id).kind
    for page in ("/rulebooks", f"/rulebooks/{kind}", "/v1/rulebooks"):
        for at, known in ((adopted.position - 1, False), (adopted.position, True)):
            server.get("/known-at", params={"at": str(at), "next": "/help"})
            assert (number in opened(server, page).text) == known, (page, at)
    server.get("/known-at/now", params={"next": "/help"})
    own = f"/v1/rulebooks/{adopted.event.originator_id}"
    for at, known in ((adopted.position - 1, False), (adopted.position, True)):
        answer = server.get("/v1/rulebooks", params={"known_at": str(at)})
        assert answer.headers[HEADER] == str(at) and answer.json()["known_at"]["position"] == at
        assert (number in answer.text) == known
        assert (number in server.get(own, params={"known_at": str(at)}).text) == known
    assert HEADER not in server.get(own).headers
