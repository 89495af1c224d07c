"""From an administrator's invitation to the first log-in, another password, and a lost phone."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from api.devices import device_of
from domain.commands.officers import OpenAccount
from domain.login_name import LoginName
from domain.world import Role
from eventstore.accounts import ADDRESS_FAILURES
from eventstore.outcomes import Envelope
from tests.api.edge import Edge, serving, write_headers
from tests.api.seed import officer_of

NEW, OTHER = "grey heron 27", "white egret 28"


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """A server of their own: these tests end sessions of the village's reporter."""
    with serving(tmp_path_factory.mktemp("invitations")) as found:
        yield found


def reporter() -> UUID:
    return officer_of(Role.VILLAGE_REPORTER, "yuantan_1")


def opened(edge: Edge) -> str:
    """A log-in name of the village's reporter that has no password yet."""
    name = f"reporter-{uuid4().hex[:6]}"
    command = OpenAccount(officer=reporter(), login=name)
    edge.system.store.run(Envelope(id=uuid4(), officer=None, command=command))
    return name


@pytest.fixture
def login(edge: Edge) -> str:
    return opened(edge)


def invite(edge: Edge, login: str, key: UUID | None = None) -> httpx.Response:
    with edge.client(Role.ADMINISTRATOR, "county") as admin:
        path = f"/v1/officers/{reporter()}/invitations"
        return admin.post(path, json={"login": login}, headers=write_headers(key))


def accept(edge: Edge, code: str, password: str = NEW) -> httpx.Response:
    with edge.client() as anybody:
        return anybody.post(f"/v1/invitations/{code}/acceptances", json={"password": password})


def facts_of(edge: Edge, login: str) -> list[str]:
    facts = edge.system.store.history(LoginName.id_of(login))
    return [type(one.event).__name__ for one in facts]


@pytest.fixture
def phone(edge: Edge, login: str) -> Iterator[httpx.Client]:
    """The reporter, logged in by a cookie from a phone, after an invitation."""
    assert accept(edge, invite(edge, login).json()["shown"]["code"]).status_code == 200
    agent = {"User-Agent": "Mozilla/5.0 (Linux; Android 14) Chrome/120.0"}
    with edge.client() as client:
        given = {"login": login, "password": NEW}
        answer = client.post("/v1/sessions", json=given, headers=agent)
        client.headers["X-CSRF-Token"] = answer.json()["csrf"]
        yield client


def test_an_invited_officer_sets_the_first_password_and_logs_in(edge: Edge, login: str) -> None:
    answer = invite(edge, login)
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    shown = answer.json()["shown"]
    assert shown["path"] == f"/invitations/{shown['code']}"
    assert accept(edge, shown["code"]).json() == {"login": login}
    with edge.client() as anybody:
        given = {"login": login, "password": NEW}
        assert anybody.post("/v1/tokens", json=given).status_code == 200
    again = accept(edge, shown["code"], OTHER)
    assert again.status_code == 410 and "invitation-over" in again.json()["type"]
    assert facts_of(edge, login) == ["Taken", "Invited", "PasswordSet"]


def test_the_code_is_shown_once_and_kept_nowhere(edge: Edge, login: str) -> None:
    key = uuid4()
    code = invite(edge, login, key).json()["shown"]["code"]
    repeated = invite(edge, login, key)
    assert repeated.headers["idempotent-replay"] == "true" and "shown" not in repeated.json()
    kept = edge.system.store.log.fetch("SELECT * FROM outcomes")
    assert kept and code not in repr(kept) and code.replace("-", "") not in repr(kept)


def test_a_bad_password_leaves_the_invitation_open(edge: Edge, login: str) -> None:
    code = invite(edge, login).json()["shown"]["code"]
    for password in ("short", "password1", f"my-{login}"):
        answer = accept(edge, code, password)
        assert answer.status_code == 422 and answer.json()["zh"], answer.text
    assert accept(edge, code).status_code == 200


def test_codes_are_tried_a_few_times_only(own_edge: Edge) -> None:
    """One address may try as many codes as passwords; then it waits, also with a right one."""
    code = invite(own_edge, opened(own_edge)).json()["shown"]["code"]
    for _ in range(ADDRESS_FAILURES):
        assert accept(own_edge, "AAAA-BBBB-CCCC-DDDD").status_code == 404
    refused = accept(own_edge, "AAAA-BBBB-CCCC-DDDD")
    assert refused.status_code == 429 and int(refused.headers["retry-after"]) > 0
    assert accept(own_edge, code).status_code == 429


def test_another_password_ends_all_other_sessions(
    edge: Edge, login: str, phone: httpx.Client
) -> None:
    with edge.client() as elsewhere:
        given = {"login": login, "password": NEW}
        token = elsewhere.post("/v1/tokens", json=given).json()["token"]
        elsewhere.headers["Authorization"] = f"Bearer {token}"
        wrong = phone.post("/v1/me/password", json={"current": "x", "password": OTHER})
        assert (wrong.status_code, wrong.json()["zh"]) == (403, "原密码不正确")
        weak = phone.post("/v1/me/password", json={"current": NEW, "password": "12345678"})
        assert weak.status_code == 422
        changed = phone.post("/v1/me/password", json={"current": NEW, "password": OTHER})
        assert changed.status_code == 200, changed.text
        assert elsewhere.get("/v1/me").status_code == 401
    assert phone.get("/v1/me").json()["login"] == login, "this one goes on with a new cookie"
    assert facts_of(edge, login)[-1] == "PasswordSet"


def test_a_password_is_not_changed_by_another_site_s_form(phone: httpx.Client) -> None:
    del phone.headers["X-CSRF-Token"]
    answer = phone.post("/v1/me/password", json={"current": NEW, "password": OTHER})
    assert answer.status_code == 403


def test_a_lost_phone_is_logged_out_from_elsewhere(
    edge: Edge, login: str, phone: httpx.Client
) -> None:
    with edge.client() as desk:
        given = {"login": login, "password": NEW}
        token = desk.post("/v1/tokens", json=given).json()["token"]
        desk.headers["Authorization"] = f"Bearer {token}"
        found: list[dict[str, Any]] = desk.get("/v1/me/sessions").json()["items"]
        own = [one for one in found if one["login"] == login]
        devices = {(one["device"], one["current"]) for one in own}
        assert {("Android · Chrome", False)} < devices and len(own) == 2
        path = next(f"/v1/me/sessions/{one['id']}" for one in own if not one["current"])
        assert desk.delete(path).json() == {"ended": 1}
        assert phone.get("/v1/me").status_code == 401
        assert desk.delete(path).status_code == 404
        assert desk.delete("/v1/me/sessions/others").status_code == 200
        assert desk.get("/v1/me").status_code == 200
    assert "SessionsEnded" in facts_of(edge, login)


def test_what_is_done_under_one_correlation_id_is_a_fact_each_time(
    edge: Edge, login: str, phone: httpx.Client
) -> None:
    """A client may give all its requests one id: no password changes without its fact."""
    phone.headers["X-Correlation-ID"] = str(uuid4())
    for current, new in ((NEW, OTHER), (OTHER, NEW)):
        changed = phone.post("/v1/me/password", json={"current": current, "password": new})
        assert changed.status_code == 200
        phone.headers["X-CSRF-Token"] = changed.json()["csrf"]
    assert facts_of(edge, login).count("PasswordSet") == 3
    for devices in (1, 2):
        for _ in range(devices):
            edge.system.accounts.begin(reporter(), login)
        assert phone.delete("/v1/me/sessions/others").status_code == 200
    assert facts_of(edge, login).count("SessionsEnded") == 2


def test_a_device_is_named_for_its_owner() -> None:
    wechat = device_of("Mozilla/5.0 (iPhone; CPU) Safari/604 MicroMessenger/8")
    assert wechat == "iPhone · 微信 WeChat"
    assert device_of("Mozilla/5.0 (Windows NT 10.0) Chrome/120 Edg/120") == "Windows · Edge"
    assert device_of("python-httpx/0.27") == ""
