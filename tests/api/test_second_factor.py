"""The second factor by the API: set, asked for, ended, reset, and where a post must have one."""

from collections.abc import Iterator
from uuid import UUID

import httpx
import pyotp
import pytest

from domain.commands.logins import RecordSecondFactor
from domain.commands.officers import OpenAccount
from domain.login_name import LoginName
from domain.world import Role
from eventstore.outcomes import Envelope
from tests.api.edge import PASSWORD, Edge, serving, write_headers
from tests.api.seed import officer_of
from tests.api.test_invitations import facts_of, opened, reporter
from tests.streams.test_embedded import until

MUST = Role.AUDITOR


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """Here auditors must have a second factor."""
    folder = tmp_path_factory.mktemp("factors")
    with serving(folder, second_factor_roles=frozenset({MUST})) as found:
        yield found


@pytest.fixture
def login(edge: Edge) -> str:
    name = opened(edge)
    edge.system.accounts.set_password(name, reporter(), PASSWORD)
    return name


def token(edge: Edge, login: str, code: str = "") -> httpx.Response:
    with edge.client() as anybody:
        given = {"login": login, "password": PASSWORD} | ({"code": code} if code else {})
        return anybody.post("/v1/tokens", json=given)


def logged_in(edge: Edge, login: str, code: str = "") -> httpx.Client:
    client = edge.client()
    secret = token(edge, login, code).json()["token"]
    client.headers["Authorization"] = f"Bearer {secret}"
    return client


def enroll(client: httpx.Client) -> tuple[pyotp.TOTP, list[str]]:
    begun = client.post("/v1/me/second-factor", json={"password": PASSWORD})
    assert begun.status_code == 200 and begun.json()["uri"].startswith("otpauth://totp/")
    app = pyotp.TOTP(begun.json()["secret"])
    done = client.post("/v1/me/second-factor/confirmations", json={"code": app.now()})
    assert done.status_code == 200, done.text
    return app, done.json()["recovery_codes"]


def test_from_enrolling_to_a_log_in_by_code_and_back(edge: Edge, login: str) -> None:
    with logged_in(edge, login) as other, logged_in(edge, login) as client:
        wrong = client.post("/v1/me/second-factor", json={"password": "x"})
        assert (wrong.status_code, wrong.json()["zh"]) == (403, "密码不正确")
        none = client.post("/v1/me/second-factor/ends", json={"code": "000000"})
        assert none.status_code == 409
        app, recovery = enroll(client)
        assert other.get("/v1/me").status_code == 401, "it was begun without a code"
        assert client.get("/v1/me/second-factor").json() == {
            "login": login,
            "set": True,
            "required": False,
            "recovery_codes": 10,
        }
        assert client.post("/v1/me/second-factor", json={"password": PASSWORD}).status_code == 409
        needed = token(edge, login)
        assert needed.status_code == 401 and needed.json()["type"].endswith("second-factor-needed")
        replayed = token(edge, login, app.now())
        assert replayed.json()["type"].endswith("second-factor-refused")
        with edge.client() as browser:
            given = {"login": login, "password": PASSWORD, "code": recovery[0]}
            assert browser.post("/v1/sessions", json=given).status_code == 200
        ended = client.post("/v1/me/second-factor/ends", json={"code": recovery[1]})
        assert ended.status_code == 200, ended.text
    assert token(edge, login).status_code == 200
    kinds = ["SecondFactorSet", "SecondFactorRemoved"]
    assert facts_of(edge, login)[-2:] == kinds


def test_an_administrator_resets_it_and_all_sessions_of_the_name_end(
    edge: Edge, login: str
) -> None:
    with (
        logged_in(edge, login) as client,
        edge.client(Role.ADMINISTRATOR, "county") as admin,
    ):
        enroll(client)
        path = f"/v1/officers/{reporter()}"
        listed = admin.get(f"{path}/sessions").json()["items"]
        assert login in {one["login"] for one in listed}
        given = {"login": login, "reason": "手机和恢复码都丢了"}
        reset = admin.post(f"{path}/second-factor-resets", json=given, headers=write_headers())
        assert reset.status_code == 200, reset.text
        until(lambda: client.get("/v1/me").status_code == 401)
        until(lambda: token(edge, login).status_code == 200)
        twice = admin.post(f"{path}/second-factor-resets", json=given, headers=write_headers())
        assert twice.json()["type"].endswith("nobodys-factor")


def test_an_administrator_ends_all_sessions_of_who_lost_a_phone(edge: Edge, login: str) -> None:
    with (
        logged_in(edge, login) as phone,
        edge.client(Role.ADMINISTRATOR, "county") as admin,
        edge.client(Role.VILLAGE_REPORTER, "yuantan_2") as another,
    ):
        path = f"/v1/officers/{reporter()}/session-ends"
        given = {"reason": "手机丢失"}
        assert admin.post(path, json=given, headers=write_headers()).status_code == 200
        until(lambda: phone.get("/v1/me").status_code == 401)
        until(lambda: not admin.get(path[:-5] + "s").json()["items"])
        assert another.get("/v1/me").status_code == 200
    assert facts_of(edge, login)[-1] == "LoggedOut"


def test_who_must_have_one_can_do_nothing_else_before(edge: Edge) -> None:
    officer: UUID = officer_of(MUST, "county")
    login = "must-have-one"
    command = OpenAccount(officer=officer, login=login)
    edge.system.store.run(Envelope(id=LoginName.id_of(login), officer=None, command=command))
    edge.system.accounts.set_password(login, officer, PASSWORD)
    with logged_in(edge, login) as client:
        assert client.get("/v1/me/second-factor").json()["required"] is True
        for method, path in (("GET", "/v1/me"), ("GET", "/v1/findings"), ("POST", "/v1/funds")):
            answer = client.request(method, path, json={} if method == "POST" else None)
            assert answer.status_code == 403, answer.text
            assert answer.json()["type"].endswith("second-factor-required")
        assert client.post("/v1/me/password", json={}).status_code == 403
        assert client.get("/v1/me?enrolled=false").status_code == 403
        with logged_in(edge, login) as leaving:
            assert leaving.delete("/v1/sessions/current").status_code == 200
        enroll(client)
        assert client.get("/v1/me").status_code == 200
        assert client.get("/v1/findings").status_code == 200


def test_the_fact_of_a_factor_is_written_once_however_often_it_is_sent(
    edge: Edge, login: str
) -> None:
    command = RecordSecondFactor(officer=reporter(), login=login, factor=reporter())
    for number in range(2):
        key = LoginName.id_of(f"{login}/{number}")
        edge.system.store.run(Envelope(id=key, officer=None, command=command))
    assert facts_of(edge, login).count("SecondFactorSet") == 1
