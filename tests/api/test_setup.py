"""`/v1/setup`: one code, ten tries, one session, and nothing any more once somebody is in post."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response

from api.app import create_app
from api.rehearsing import rehearse, rehearsed
from api.setup import Setup
from api.setup_door import TRIES
from domain.area import AreaLevel
from domain.commands.officers import OpenAccount
from domain.situation_report import SituationReport
from eventstore import copying
from eventstore.invitations import Invitations
from eventstore.outcomes import Envelope
from tests.api.beginnings import REGISTER, Own, own_store
from tests.api.edge import Edge
from tests.clusters import Founded

PASSWORD = "correct horse battery"
BEGIN = {"county": "621224", "login": "admin", "full_name": "张三"}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Own]:
    with own_store(tmp_path / "own") as found:
        yield found


@pytest.fixture
def app(own: Own) -> FastAPI:
    return create_app(own.system)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app) as found:
        yield found


def setup_of(client: TestClient) -> Setup:
    found: Setup = client.app.state.setup  # type: ignore[attr-defined]
    return found


def enter(client: TestClient) -> dict[str, str]:
    """The headers of the one session."""
    answer = client.post("/v1/setup/sessions", json={"code": setup_of(client).code})
    assert answer.status_code == 200, answer.text
    return {"X-CSRF-Token": answer.json()["csrf"]}


def settled(client: TestClient) -> dict[str, Any]:
    deadline = time.monotonic() + 120
    while True:
        state: dict[str, Any] = client.get("/v1/setup").json()
        if not state["running"]:
            return state
        assert time.monotonic() < deadline
        time.sleep(0.05)


def problem(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


def test_a_parameter_that_setting_up_does_not_have_is_refused(client: TestClient) -> None:
    headers = enter(client)
    for method, path in (
        ("GET", "/v1/setup"),
        ("GET", "/v1/setup/divisions"),
        ("POST", "/v1/setup/beginnings"),
        ("POST", "/v1/setup/invitations"),
    ):
        body = BEGIN if method == "POST" else None
        answer = client.request(method, f"{path}?foo=1", json=body, headers=headers)
        assert problem(answer) == (422, "malformed") and "foo" in answer.text, path
    assert client.get("/v1/setup").json()["county"] is None


def test_from_the_code_to_the_administrators_log_in(own: Own, client: TestClient) -> None:
    assert client.get("/ready").json()["status"] == "not-set-up"
    assert client.get("/ready").status_code == 503 and client.get("/health").status_code == 200
    assert problem(client.get("/v1/setup")) == (401, "setup-code-missing")
    headers = enter(client)
    assert client.get("/v1/setup").json()["county"] is None
    (found,) = client.get("/v1/setup/divisions", params={"q": "kangxian"}).json()["items"]
    assert (found["code"], found["path"], found["begins"]) == ("621224", "甘肃省 陇南市 康县", True)
    under = client.get("/v1/setup/divisions", params={"under": "621224"}).json()["items"]
    assert len(under) == 21
    assert client.post("/v1/setup/beginnings", json=BEGIN, headers=headers).status_code == 202
    state = settled(client)
    assert state["ready"] and state["failed"] is None, state
    assert (state["done"], state["of"]) == (380, 380)
    assert state["areas"] == {"townships": 21, "villages": 355}
    assert all(step["done"] for step in state["steps"]) and len(state["steps"]) == 6
    assert state["keys"]["fingerprint"] and state["keys"]["sealing_fingerprint"]
    assert state["rehearsal"]["head"] > 380
    code = state["admin"]["invitation"]
    assert state["admin"]["path"] == f"/invitations/{code.replace('-', '')}"
    assert own.system.boards.wait_for(own.system.store.head(), 20)
    assert client.get("/ready").json()["status"] == "ready"
    renewed = client.post("/v1/setup/invitations", json={}, headers=headers).json()
    assert renewed["invitation"] != code and renewed["login"] == "admin"
    accepted = client.post(
        f"/v1/invitations/{renewed['invitation']}/acceptances", json={"password": PASSWORD}
    )
    assert accepted.status_code == 200, accepted.text
    given = {"login": "admin", "password": PASSWORD}
    assert client.post("/v1/sessions", json=given).status_code == 200
    for answer in (
        client.get("/v1/setup"),
        client.get("/v1/setup/divisions"),
        client.post("/v1/setup/sessions", json={"code": setup_of(client).code}),
        client.post("/v1/setup/beginnings", json=BEGIN, headers=headers),
        client.post("/v1/setup/invitations", json={}, headers=headers),
    ):
        assert problem(answer) == (410, "setup-over")


def a_village(county: str) -> str:
    below = REGISTER.below(county)
    return next(one.key for one in below if one.level is AreaLevel.VILLAGE and not one.virtual)


@pytest.mark.parametrize("county", ["429004", "500103"])
def test_a_county_right_under_its_province_and_a_district_of_chongqing(
    own: Own, client: TestClient, county: str
) -> None:
    headers = enter(client)
    body = BEGIN | {"county": county}
    assert client.post("/v1/setup/beginnings", json=body, headers=headers).status_code == 202
    state = settled(client)
    assert state["ready"] and state["county"]["code"] == county
    report = own.system.store.load(own.accepted_death(a_village(county)))
    assert isinstance(report, SituationReport) and report.accepted is not None


def test_a_store_that_is_used_while_its_restore_is_rehearsed(
    cluster: Founded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret was made between copying the vault and comparing it: the setup failed for good."""
    with own_store(tmp_path / "own", **cluster.settings) as own:
        store, copy_events, copied = own.system.store, copying._copy_events, list[str]()

        def meanwhile(*args: Any) -> None:
            copy_events(*args)
            if not copied:
                store.vault.secret("made at its first use")
            copied.append("events")

        monkeypatch.setattr(copying, "_copy_events", meanwhile)
        done = rehearse(store)
        assert len(copied) == 2 and rehearsed(store.log) == done


def test_a_store_on_postgresql_is_set_up_alike(cluster: Founded, tmp_path: Path) -> None:
    with (
        own_store(tmp_path / "own", **cluster.settings) as own,
        TestClient(create_app(own.system)) as client,
    ):
        headers = enter(client)
        assert client.post("/v1/setup/beginnings", json=BEGIN, headers=headers).status_code == 202
        state = settled(client)
        assert state["ready"], state["failed"]
        assert state["areas"] == {"townships": 21, "villages": 355}
        store = own.system.store
        code = state["admin"]["invitation"]
        Invitations(store).accept(own.system.accounts, code, PASSWORD)
        assert problem(client.get("/v1/setup")) == (410, "setup-over")
        report = store.load(own.accepted_death(a_village("621224")))
        assert isinstance(report, SituationReport) and report.accepted is not None


def test_ten_wrong_codes_close_the_door_for_the_right_one(client: TestClient) -> None:
    for left in range(TRIES - 1, -1, -1):
        answer = client.post("/v1/setup/sessions", json={"code": "AAAA-AAAA"})
        assert problem(answer) == (403, "setup-code-wrong") and str(left) in answer.json()["en"]
    right = client.post("/v1/setup/sessions", json={"code": setup_of(client).code})
    assert problem(right) == (410, "setup-over")
    assert problem(client.get("/v1/setup")) == (410, "setup-over")


def test_the_code_opens_one_session(app: FastAPI, client: TestClient) -> None:
    """Typed as people type it; whoever comes later, or with another cookie, finds it closed."""
    typed = f" {setup_of(client).code.replace('-', ' ').lower()} "
    assert client.post("/v1/setup/sessions", json={"code": typed}).status_code == 200
    code = {"code": setup_of(client).code}
    assert problem(client.post("/v1/setup/sessions", json=code)) == (410, "setup-over")
    with TestClient(app) as stranger:
        assert problem(stranger.post("/v1/setup/sessions", json=code)) == (410, "setup-over")
        assert problem(stranger.get("/v1/setup")) == (410, "setup-over")
        stranger.cookies.set("relief_setup", "made-up")
        assert problem(stranger.get("/v1/setup")) == (410, "setup-over")
    assert client.get("/v1/setup").status_code == 200


def test_a_write_needs_the_sessions_form_token(own: Own, client: TestClient) -> None:
    enter(client)
    for headers in ({}, {"X-CSRF-Token": "wrong"}):
        answer = client.post("/v1/setup/beginnings", json=BEGIN, headers=headers)
        assert problem(answer) == (403, "csrf-token-missing")
    assert own.system.store.head() == 0


@pytest.mark.parametrize(
    "body",
    [
        BEGIN | {"county": "鼓楼区"},
        BEGIN | {"county": "999999"},
        BEGIN | {"login": "a b"},
        BEGIN | {"full_name": "  "},
        BEGIN | {"left_out": ["621224100"]},
        {"login": "admin", "full_name": "张三"},
        {"city": "621200", "login": "admin", "full_name": "张三"},
        {"city": "621200", "counties": ["340882"], "login": "admin", "full_name": "张三"},
        BEGIN | {"surprise": 1},
    ],
)
def test_what_cannot_be_begun_is_said_at_once(
    own: Own, client: TestClient, body: dict[str, Any]
) -> None:
    headers = enter(client)
    answer = client.post("/v1/setup/beginnings", json=body, headers=headers)
    assert answer.status_code == 422, answer.text
    assert own.system.store.head() == 0 and not settled(client)["county"]


def test_a_clock_that_differs_from_the_browsers_is_asked_about(
    own: Own, client: TestClient
) -> None:
    headers = enter(client)
    now = own.system.store.clock.now()
    for apart in (timedelta(minutes=-6), timedelta(minutes=6), timedelta(days=365)):
        body = BEGIN | {"browser_time": (now + apart).isoformat()}
        answer = client.post("/v1/setup/beginnings", json=body, headers=headers)
        assert problem(answer) == (409, "clocks-differ"), answer.text
    assert own.system.store.head() == 0
    body |= {"clock_confirmed": True}
    assert client.post("/v1/setup/beginnings", json=body, headers=headers).status_code == 202
    assert settled(client)["ready"]
    near = BEGIN | {"browser_time": (now + timedelta(minutes=4)).isoformat()}
    assert client.post("/v1/setup/beginnings", json=near, headers=headers).status_code == 202
    settled(client)


def test_a_city_with_two_counties_and_a_village_left_out(own: Own, client: TestClient) -> None:
    headers = enter(client)
    body = {
        "city": "陇南市",
        "counties": ["康县", "621221"],
        "left_out": ["621224100201"],
        "login": "admin",
        "full_name": "张三",
    }
    village = next(one.key for one in own.beginning.register.below("621224100"))
    body["left_out"] = [village]
    assert client.post("/v1/setup/beginnings", json=body, headers=headers).status_code == 202
    state = settled(client)
    assert state["county"]["name"] == "陇南市" and state["county"]["level"] == "city"
    assert state["ready"]
    assert own.system.store.load(own.area(village)) is None
    own.issued_death("621200", "621224", "621221")


def test_another_county_is_refused_where_one_is_begun(own: Own, client: TestClient) -> None:
    own.begin("621224")
    headers = enter(client)
    answer = client.post("/v1/setup/beginnings", json=BEGIN | {"county": "340882"}, headers=headers)
    assert problem(answer) == (409, "other-division") and "康县" in answer.json()["zh"]


def test_a_store_that_was_begun_and_not_accepted_lets_in_again(own: Own, app: FastAPI) -> None:
    """After a restart of the server: the invitation was lost with the window, a new one is made."""
    code = own.begin("621224").invitation
    assert code is not None
    with TestClient(app) as client:
        headers = enter(client)
        assert client.get("/v1/setup").json()["admin"]["invitation"] is None
        made = client.post("/v1/setup/invitations", json={}, headers=headers).json()
    store = own.system.store
    Invitations(store).accept(own.system.accounts, made["invitation"], PASSWORD)
    with TestClient(create_app(own.system)) as client:
        answer = client.post("/v1/setup/sessions", json={"code": setup_of(client).code})
        assert problem(answer) == (410, "setup-over")


def test_a_further_log_in_name_of_the_administrator_opens_no_door_again(own: Own) -> None:
    """Also one that has no password yet, and comes first in the alphabet."""
    made = own.begin("621224").invitation
    store = own.system.store
    assert made is not None
    Invitations(store).accept(own.system.accounts, made.code, PASSWORD)
    further = OpenAccount(officer=own.beginning.officer, login="aaa")
    store.run(Envelope(id=uuid4(), officer=None, command=further))
    with TestClient(create_app(own.system)) as client:
        answer = client.post("/v1/setup/sessions", json={"code": setup_of(client).code})
        assert problem(answer) == (410, "setup-over")


def test_who_sends_a_beginning_twice_still_sees_its_invitation(
    own: Own, client: TestClient
) -> None:
    headers = enter(client)
    codes = []
    for _ in range(2):
        assert client.post("/v1/setup/beginnings", json=BEGIN, headers=headers).status_code == 202
        codes.append(settled(client)["admin"]["invitation"])
    assert codes[0] is not None and codes[0] == codes[1]


def test_a_run_that_failed_says_why_and_may_be_given_again(
    own: Own, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from eventstore.errors import StoreFull

    def full(*_: object) -> None:
        raise StoreFull

    headers = enter(client)
    with monkeypatch.context() as change:
        change.setattr(own.system.store.log, "append", full)
        client.post("/v1/setup/beginnings", json=BEGIN, headers=headers)
        state = settled(client)
    assert "磁盘已满" in state["failed"]["zh"] and not state["ready"]
    assert client.get("/ready").json()["status"] == "not-set-up"
    client.post("/v1/setup/beginnings", json=BEGIN, headers=headers)
    assert settled(client)["ready"]


def test_a_store_of_another_making_has_no_setup(edge: Edge) -> None:
    with edge.client() as client:
        for path in ("/v1/setup", "/v1/setup/divisions"):
            assert problem(client.get(path)) == (410, "setup-over")
        answer = client.post("/v1/setup/sessions", json={"code": edge.app.state.setup.code})
        assert problem(answer) == (410, "setup-over")


@pytest.mark.parametrize("point", ["mark", "rehearse"])
def test_a_fault_nobody_foresaw_is_told_with_the_way_to_go_on(
    own: Own, client: TestClient, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    """Before anything is noted, and after all but the last was done."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("nobody thought of this")

    headers = enter(client)
    with monkeypatch.context() as change:
        change.setattr(f"api.beginning.Beginning.{point}", broken)
        client.post("/v1/setup/beginnings", json=BEGIN, headers=headers)
        state = settled(client)
    assert "ZeroDivisionError" in state["failed"]["zh"] and "开始建账" in state["failed"]["zh"]
    assert "nobody thought" not in str(state["failed"]) and not state["ready"]
    assert (state["county"] is None) is (point == "mark")
    client.post("/v1/setup/beginnings", json=BEGIN, headers=headers)
    state = settled(client)
    assert state["ready"] and state["failed"] is None


def test_all_processes_of_a_store_know_one_code_one_session_and_one_run(
    own: Own, app: FastAPI, client: TestClient
) -> None:
    """A browser comes to whichever of them answers; who starts one later finds another code."""
    code = setup_of(client).code
    with TestClient(create_app(own.system)) as other:
        assert setup_of(other).code == code, "an unused code is printed again"
        wrong = other.post("/v1/setup/sessions", json={"code": "AAAA-AAAA"})
        assert problem(wrong) == (403, "setup-code-wrong")
        wrong = client.post("/v1/setup/sessions", json={"code": "AAAA-AAAA"})
        assert str(TRIES - 2) in wrong.json()["en"], "tries are counted together"
        headers = enter(client)
        assert problem(other.post("/v1/setup/sessions", json={"code": code})) == (410, "setup-over")
        other.cookies = client.cookies
        begun = other.post("/v1/setup/beginnings", json=BEGIN, headers=headers)
        assert begun.status_code == 202, begun.text
        settled(other)
        seen = settled(client)
        assert seen["ready"] and seen["admin"]["invitation"], "whichever process made it"
        assert seen["admin"] == settled(other)["admin"]
        renewed = client.post("/v1/setup/invitations", json={}, headers=headers).json()
        assert settled(other)["admin"]["invitation"] == renewed["invitation"]
        kept = own.system.store.log.mark("setup-run") or ""
        assert renewed["invitation"] not in kept, "only the session's browser can read it"
    with TestClient(create_app(own.system)) as later:
        following = setup_of(later).code
        assert following != code
        assert client.get("/v1/setup").status_code == 200, "who is in stays in"
        assert later.post("/v1/setup/sessions", json={"code": following}).status_code == 200
        assert problem(client.get("/v1/setup")) == (410, "setup-over"), "one session at a time"
        assert later.get("/v1/setup").json()["admin"]["invitation"] is None
