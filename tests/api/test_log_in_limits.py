"""Log-ins at their limits: nobody floods the reads, and nobody keeps another officer out."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.auth import COOKIE
from api.login import DEVICE
from domain.world import Role
from eventstore.patience import FREE_TRIES
from tests.api.edge import PASSWORD, Edge, serving
from tests.api.seed import name_of
from tests.api.test_limits import told
from tests.api.test_writes import code

NAME = name_of(Role.STOREKEEPER, "county")


def log_in(client: httpx.Client, login: str, password: str = PASSWORD) -> httpx.Response:
    return client.post("/v1/sessions", json={"login": login, "password": password})


def test_a_browser_that_logged_in_before_is_not_kept_out_by_strangers(own_edge: Edge) -> None:
    own_edge.token(Role.STOREKEEPER, "county")
    with own_edge.client() as owner, own_edge.client() as stranger:
        first = log_in(owner, NAME)
        assert first.status_code == 200
        cookie = next(one for one in first.headers.get_list("set-cookie") if DEVICE in one)
        assert "HttpOnly" in cookie and "SameSite=strict" in cookie
        for _ in range(FREE_TRIES):
            assert log_in(stranger, NAME, "wrong password").status_code == 401
        assert log_in(stranger, NAME).status_code == 429
        again = log_in(owner, NAME)
        assert again.status_code == 200
        assert DEVICE not in str(again.headers.get_list("set-cookie")), "it has one already"


def test_failures_of_an_address(tmp_path: Path) -> None:
    with serving(tmp_path, address_failures=2) as edge, edge.client() as us:
        # the test's accounts are cheap ones, so they are told the limit themselves
        edge.system.accounts._addresses = limited(edge, 2)
        for n in range(2):
            assert log_in(us, f"nobody{n}").status_code == 401
        answer = log_in(us, "nobody3")
        assert (answer.status_code, code(answer)) == (429, "login-locked")
        assert int(answer.headers["retry-after"]) >= 1
        spoofed = us.post(
            "/v1/sessions",
            json={"login": "nobody4", "password": PASSWORD},
            headers={"X-Forwarded-For": "10.1.2.3"},
        )
        assert spoofed.status_code == 429, "only a trusted proxy may say whom it speaks for"
    assert told(tmp_path) == {"address_failures": 2}


def limited(edge: Edge, amount: int) -> Any:
    from dataclasses import replace

    from eventstore.limiter import Limiter

    return Limiter(replace(edge.system.accounts._addresses.limit, amount=amount))


def test_a_trusted_proxy_says_whom_it_speaks_for(tmp_path: Path) -> None:
    with serving(tmp_path, trusted_proxies="127.0.0.1") as edge, edge.client() as us:
        edge.system.accounts._addresses = limited(edge, 1)
        for n, status in enumerate((401, 401, 429)):
            headers = {"X-Forwarded-For": f"10.1.2.{min(n, 1)}"}
            body = {"login": f"nobody{n}", "password": PASSWORD}
            assert us.post("/v1/sessions", json=body, headers=headers).status_code == status


def test_a_flood_of_log_ins_takes_nothing_from_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """80 log-ins with invented names once made everybody's reads wait five seconds."""
    with (
        serving(tmp_path, log_ins_waiting=8) as edge,
        edge.client(Role.COUNTY_APPROVER, "county") as us,
        ThreadPoolExecutor(80) as many,
    ):
        go_on = threading.Event()
        real = edge.system.accounts._verify

        def slowly(hashed: str, password: str) -> bool:
            go_on.wait(20)
            return real(hashed, password)

        monkeypatch.setattr(edge.system.accounts, "_verify", slowly)
        with edge.client() as stranger:
            asked = [many.submit(log_in, stranger, f"invented{n}") for n in range(80)]
            assert us.get("/v1/disasters").status_code == 200
            while sum(one.done() for one in asked) < 76:  # four of one address may wait
                assert us.get("/health").status_code == 200
            refused = [one.result() for one in asked if one.done()]
            assert {(one.status_code, code(one)) for one in refused} == {(429, "log-ins-busy")}
            go_on.set()
            assert {one.result().status_code for one in asked} == {401, 429}


def test_logging_out_by_token_leaves_the_cookie_of_somebody_else(own_edge: Edge) -> None:
    """With bearer A and cookie B the session of B was once ended, which A had not proved."""
    own_edge.token(Role.STOREKEEPER, "county")
    headers = own_edge.headers(Role.DISPATCHER, "county")
    with own_edge.client() as browser:
        assert log_in(browser, NAME).status_code == 200
        answer = browser.delete("/v1/sessions/current", headers=headers)
        assert answer.status_code == 200
        assert COOKIE not in answer.headers.get("set-cookie", "")
        assert browser.get("/v1/me").status_code == 200, "the cookie's session goes on"
        assert browser.get("/v1/me", headers=headers).status_code == 401, "the token's has ended"
