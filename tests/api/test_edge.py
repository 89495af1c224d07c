"""Log-in, CSRF, lock-out, errors, headers, health."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
import structlog
from fastapi import APIRouter

from api.app import MAX_LAG
from api.auth import COOKIE
from domain.world import Role
from eventstore.clock import machine_now
from eventstore.errors import StoreLocked
from eventstore.patience import FREE_TRIES
from tests.api.edge import PASSWORD, Edge, write_headers
from tests.api.seed import name_of
from tests.api.test_writes import REPORTS, code, report

VILLAGE = name_of(Role.VILLAGE_REPORTER, "yuantan_1")


@pytest.fixture
def login(edge: Edge) -> dict[str, str]:
    """Credentials of the village officer."""
    edge.token(Role.VILLAGE_REPORTER, "yuantan_1")
    return {"login": VILLAGE, "password": PASSWORD}


@pytest.fixture
def page(anonymous: httpx.Client, login: dict[str, str]) -> Iterator[tuple[httpx.Client, str]]:
    """A browser with a session cookie, and its CSRF token."""
    answer = anonymous.post("/v1/sessions", json=login)
    assert answer.status_code == 200
    yield anonymous, answer.json()["csrf"]


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(
    anonymous: httpx.Client, login: dict[str, str]
) -> None:
    cookie = anonymous.post("/v1/sessions", json=login).headers["set-cookie"]
    assert cookie.startswith(COOKIE)
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Max-Age" in cookie


def test_who_i_am(page: tuple[httpx.Client, str]) -> None:
    client, _ = page
    me = client.get("/v1/me").json()
    assert me["login"] == VILLAGE and me["posts"][0]["role"] == "village_reporter"


def test_a_cookie_writes_only_with_its_csrf_token(page: tuple[httpx.Client, str]) -> None:
    client, csrf = page
    for given in ({}, {"X-CSRF-Token": "x"}, {"X-CSRF-Token": ""}):
        answer = client.post(REPORTS, json=report(), headers=write_headers() | given)
        assert (answer.status_code, code(answer)) == (403, "csrf-token-missing")
    headers = write_headers() | {"X-CSRF-Token": csrf}
    assert client.post(REPORTS, json=report(), headers=headers).status_code == 200


def test_a_form_of_another_site_changes_nothing(edge: Edge, page: tuple[httpx.Client, str]) -> None:
    client, _ = page
    head = edge.system.store.head()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        headers = {"Content-Type": kind, "Origin": "https://evil.example"}
        answer = client.post(REPORTS, content=b"{}", headers=headers)
        assert answer.status_code in (400, 403, 415)
    assert edge.system.store.head() == head


def test_log_in_takes_json_only(anonymous: httpx.Client, login: dict[str, str]) -> None:
    """Else a form on another site could log a browser in to somebody else's account."""
    assert anonymous.post("/v1/sessions", data=login).status_code == 415
    body, headers = json.dumps(login), {"Content-Type": "text/plain"}
    answer = anonymous.post("/v1/sessions", content=body, headers=headers)
    assert answer.status_code == 415 and "set-cookie" not in answer.headers


def test_a_session_is_no_token_and_a_token_no_session(
    page: tuple[httpx.Client, str], edge: Edge
) -> None:
    client, _ = page
    secret = client.cookies[COOKIE]
    with edge.client() as other:
        headers = {"Authorization": f"Bearer {secret}"}
        assert other.get("/v1/me", headers=headers).status_code == 401
        other.cookies.set(COOKIE, edge.token(Role.VILLAGE_REPORTER, "yuantan_1"))
        assert other.get("/v1/me").status_code == 401


@pytest.mark.parametrize("given", ["", "Bearer", "Basic abc", "Bearer ✓", "bearer x y"])
def test_odd_authorization_headers_are_401(anonymous: httpx.Client, given: str) -> None:
    raw: Any = {"Authorization": given.encode()}
    assert anonymous.get("/v1/me", headers=raw).status_code == 401


def test_log_out_ends_the_session(page: tuple[httpx.Client, str]) -> None:
    client, csrf = page
    cookie = client.cookies[COOKIE]
    headers = {"X-CSRF-Token": csrf}
    assert client.delete("/v1/sessions/current", headers=headers).status_code == 200
    client.cookies.set(COOKIE, cookie)
    assert client.get("/v1/me").status_code == 401


def test_repeated_failures_lock_the_account_and_no_other(
    edge: Edge, anonymous: httpx.Client
) -> None:
    edge.token(Role.DISPATCHER, "foreign_county")
    target = name_of(Role.DISPATCHER, "foreign_county")
    wrong = {"login": target, "password": "wrong password"}
    spoofed = [{"X-Forwarded-For": f"10.0.0.{n}"} for n in range(FREE_TRIES)]
    statuses = [
        anonymous.post("/v1/tokens", json=wrong, headers=headers).status_code for headers in spoofed
    ]
    assert statuses == [401] * FREE_TRIES
    locked = anonymous.post("/v1/tokens", json=wrong | {"password": PASSWORD})
    assert (locked.status_code, code(locked)) == (429, "login-locked")
    assert 0 < int(locked.headers["retry-after"]) <= 61
    edge.token(Role.VILLAGE_REPORTER, "yuantan_1")
    other = anonymous.post("/v1/tokens", json={"login": VILLAGE, "password": PASSWORD})
    assert other.status_code == 200


def test_wrong_name_and_wrong_password_read_the_same(
    anonymous: httpx.Client, login: dict[str, str]
) -> None:
    unknown = anonymous.post("/v1/tokens", json={"login": "nobody", "password": PASSWORD})
    wrong = anonymous.post("/v1/tokens", json=login | {"password": "wrong password"})
    assert unknown.status_code == wrong.status_code == 401
    assert unknown.json() == wrong.json()


@pytest.mark.parametrize(
    "body",
    [
        b'{"login":"\\ud800","password":"x"}',
        b'{"login":"a\\u0000","password":"x"}',
        b'{"login":1,"password":"x"}',
        b"[" * 10_000,
        b"",
        b"null",
        b'{"login":"a"}',
        b'{"login":"a","password":"x","role":"administrator"}',
        b"\xff",
        b'{"login":"a","password":' + b"9" * 5000 + b"}",
    ],
    ids=range(10),
)
def test_odd_credentials_are_refused_not_failed(anonymous: httpx.Client, body: bytes) -> None:
    for path in ("/v1/tokens", "/v1/sessions"):
        answer = anonymous.post(path, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in (401, 413, 422), answer.text


def test_an_unexpected_error_says_nothing_but_its_incident(own_edge: Edge) -> None:
    async def broken() -> None:
        raise RuntimeError("SELECT secret FROM vault")

    router = APIRouter()
    router.add_api_route("/v1/broken", broken)
    own_edge.app.router.routes.extend(router.routes)
    with structlog.testing.capture_logs() as logs, own_edge.client() as client:
        answer = client.get("/v1/broken")
    assert (answer.status_code, code(answer)) == (500, "internal-error")
    assert "secret" not in answer.text and "Traceback" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    incident = answer.json()["incident"]
    assert [entry["incident"] for entry in logs if entry["event"] == "unexpected"] == [incident]


def test_problems_speak_the_readers_language(anonymous: httpx.Client) -> None:
    for accept, key in (("en-US,en", "en"), ("zh-CN", "zh"), ("", "zh")):
        answer = anonymous.get("/v1/me", headers={"Accept-Language": accept})
        assert answer.json()["title"] == answer.json()[key]


def test_unknown_addresses_and_methods_are_problems(anonymous: httpx.Client) -> None:
    assert code(anonymous.get("/v1/nothing")) == "not-found"
    answer = anonymous.put("/v1/me")
    assert (answer.status_code, code(answer)) == (405, "method-not-allowed")


def test_health_and_readiness(anonymous: httpx.Client) -> None:
    assert anonymous.get("/health").json() == {"status": "ok"}
    ready = anonymous.get("/ready")
    assert ready.status_code == 200
    assert ready.json()["status"] == "ready"
    assert ready.json()["lag"] == ready.json()["head"] - ready.json()["position"]


def test_readiness_is_asked_beside_the_event_loop(
    own_edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that did not answer `/ready` once stopped the whole process."""
    monkeypatch.setattr("api.app.READY_SECONDS", 0.5)
    goes_on, real = threading.Event(), own_edge.system.store.log.head

    def head() -> int:
        goes_on.wait(10)
        return real()

    monkeypatch.setattr(own_edge.system.store.log, "head", head)
    with own_edge.client() as client, ThreadPoolExecutor(20) as many:
        asked = [many.submit(client.get, "/ready") for _ in range(20)]
        assert client.get("/health", timeout=5).status_code == 200
        assert {one.result().status_code for one in asked} == {503}
        goes_on.set()
        assert client.get("/ready").status_code == 200


def test_a_stopped_follower_is_not_ready(own_edge: Edge) -> None:
    own_edge.system.boards.failure = RuntimeError("a handler raised")
    with own_edge.client() as client:
        answer = client.get("/ready")
        assert answer.status_code == 503 and answer.json()["status"] == "stopped"
        assert client.get("/health").status_code == 200


def test_views_far_behind_the_log_are_not_ready(own_edge: Edge) -> None:
    follower = own_edge.system.boards
    follower.stop()
    with own_edge.client() as client:
        follower.position = own_edge.system.store.head() - MAX_LAG
        assert client.get("/ready").json()["status"] == "ready"
        follower.position -= 1
        answer = client.get("/ready")
        assert (answer.status_code, answer.json()["status"]) == (503, "catching-up")
        assert answer.json()["lag"] == MAX_LAG + 1


def test_views_that_have_folded_nothing_are_not_ready(own_edge: Edge) -> None:
    """After one had begun anew, `/ready` once said ready at position 0, 7,329 facts behind."""
    follower = own_edge.system.boards
    follower.stop()
    follower.position = 0
    with own_edge.client() as client:
        answer = client.get("/ready")
        assert (answer.status_code, answer.json()["status"]) == (503, "catching-up")
        assert 0 < answer.json()["lag"] < MAX_LAG


@pytest.mark.parametrize("waited, status", [(59.0, "ready"), (61.0, "catching-up")])
def test_views_are_not_ready_when_a_fact_has_waited_too_long(
    own_edge: Edge, monkeypatch: pytest.MonkeyPatch, waited: float, status: str
) -> None:
    follower = own_edge.system.boards
    follower.stop()
    follower.position = own_edge.system.store.head() - 1
    monkeypatch.setattr("api.app.waiting_seconds", lambda *_: {follower.position: waited})
    with own_edge.client() as client:
        found = client.get("/ready").json()
        assert (found["status"], found["waiting_seconds"]) == (status, waited)


def test_nothing_is_overdue_by_a_clock_that_is_held(own_edge: Edge) -> None:
    """F3: while it is held, lateness is counted up to the last moment at which it was right."""
    store, year = own_edge.system.store, timedelta(days=400)
    store.run_clock()
    later = (store.clock.now() + year).isoformat()
    with own_edge.client(Role.COUNTY_APPROVER, "county") as client:

        def overdue(**more: str) -> int:
            asked = {"overdue_only": "true", "limit": "1000", **more}
            return len(client.get("/v1/deadlines", params=asked).json()["items"])

        now, then = overdue(), overdue(at=later)
        assert then > now
        store.real.machine = replace(store.real.machine, wall=lambda: machine_now() + year)
        assert store.clock.held is not None
        assert overdue(at=later) == now


def test_views_that_cannot_be_written_just_now_are_not_ready(own_edge: Edge) -> None:
    follower = own_edge.system.boards
    follower.stop()
    follower.trouble = StoreLocked("views")
    with own_edge.client() as client:
        answer = client.get("/ready")
        assert (answer.status_code, answer.json()["status"]) == (503, "catching-up")


def test_others_are_answered_while_a_password_is_checked(edge: Edge) -> None:
    """argon2 runs beside the event loop: others are answered meanwhile."""
    edge.token(Role.VILLAGE_REPORTER, "yuantan_1")
    body = json.dumps({"login": VILLAGE, "password": PASSWORD}).encode()
    order: list[str] = []
    slow = edge.system.accounts._verify

    def slowly(hashed: str, password: str) -> bool:
        time.sleep(0.3)
        return slow(hashed, password)

    async def ask() -> None:
        async def log_in() -> None:
            headers = {"Content-Type": "application/json"}
            answer = await edge.ask("POST", "/v1/tokens", headers=headers, body=body)
            assert answer.status == 200
            order.append("log-in")

        async def health() -> None:
            await asyncio.sleep(0.05)
            assert (await edge.ask("GET", "/health")).status == 200
            order.append("health")

        await asyncio.gather(log_in(), health())

    edge.system.accounts._verify = slowly  # type: ignore[method-assign]
    try:
        asyncio.run(ask())
    finally:
        edge.system.accounts._verify = slow  # type: ignore[method-assign]
    assert order == ["health", "log-in"]
