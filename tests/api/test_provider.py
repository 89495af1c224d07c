"""The identity provider by the API: not there where none is set, else for whom the log-in is."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.provider_settings import ProviderSettings
from domain.provider_identity import ProviderIdentity
from domain.world import Role
from eventstore.provider_secrets import ProviderSecrets
from tests.api.edge import PASSWORD, Edge, write_headers
from tests.api.test_invitations import facts_of, opened, reporter
from tests.streams.test_embedded import until

ISSUER = "https://id.city.example"
ROUTES = (
    ("GET", "/v1/me/provider"),
    ("POST", "/v1/me/provider/ends"),
    ("POST", f"/v1/officers/{reporter()}/provider-bindings"),
    ("POST", f"/v1/officers/{reporter()}/provider-unbindings"),
)


@dataclass
class Provided:
    """The shared store behind an application made where a provider is set. Nothing here speaks to
    the provider."""

    edge: Edge
    client: TestClient

    def ask(self, method: str, path: str, who: dict[str, str], **more: Any) -> httpx.Response:
        return self.client.request(method, path, headers=who, **more)

    def send(self, path: str, who: dict[str, str], body: dict[str, Any]) -> httpx.Response:
        return self.ask("POST", path, who | write_headers(), json=body)


@pytest.fixture
def provided(edge: Edge) -> Iterator[Provided]:
    edge.system.provider = ProviderSettings(
        issuer=ISSUER,
        client_id="relief",
        client_secret="",
        return_url="https://relief.example/login/provider/return",
        name_zh="统一身份认证",
        name_en="the platform",
    )
    yield Provided(edge, TestClient(create_app(edge.system)))
    edge.system.provider = None


def logged_in(edge: Edge, login: str) -> dict[str, str]:
    """The headers of an officer's program."""
    secret, _ = edge.system.accounts.log_in(login, PASSWORD, "token")
    return {"Authorization": f"Bearer {secret}"}


def test_without_a_provider_none_of_it_is_there_whoever_asks(edge: Edge) -> None:
    with edge.client() as anybody, edge.client(Role.ADMINISTRATOR, "county") as admin:
        for client in (anybody, admin):
            nowhere = client.get("/v1/nowhere").json()
            for method, path in ROUTES:
                body = {} if method == "POST" else None
                answer = client.request(method, path, json=body, headers=write_headers())
                assert (answer.status_code, answer.json()) == (404, nowhere), path


def test_an_administrator_names_the_account_and_takes_it_away_with_all_sessions(
    edge: Edge, provided: Provided
) -> None:
    login = opened(edge)
    edge.system.accounts.set_password(login, reporter(), PASSWORD)
    path = f"/v1/officers/{reporter()}/provider"
    given = {"login": login, "subject": f"subject of {login}"}
    why = {"login": login, "reason": "账号被盗"}
    admin = edge.headers(Role.ADMINISTRATOR, "county")
    for who, expected in (
        ({}, 401),
        (edge.headers(Role.COUNTY_APPROVER, "county"), 403),
        (edge.headers(Role.ADMINISTRATOR, "sister_county"), 404),
    ):
        assert provided.send(f"{path}-bindings", who, given).status_code == expected
        assert provided.send(f"{path}-unbindings", who, why).status_code == expected
    keyless = provided.ask("POST", f"{path}-bindings", admin, json=given)
    assert keyless.json()["type"].endswith("idempotency-key-missing")
    assert provided.send(f"{path}-bindings", admin, given | {"way": "own"}).status_code == 422
    assert provided.send(f"{path}-bindings?x=1", admin, given).status_code == 422
    blank = provided.send(f"{path}-bindings", admin, given | {"subject": " \u3000"})
    assert blank.status_code == 422, "nobody's account, which would shut the officer out"
    key = admin | write_headers()
    done, again = (provided.ask("POST", f"{path}-bindings", key, json=given) for _ in range(2))
    assert done.status_code == 200 and again.json() == done.json(), done.text
    officer = logged_in(edge, login)
    shown = provided.ask("GET", "/v1/me/provider", officer).json()
    assert shown == {"login": login, "provider": ISSUER, "connected": True, "required": False}
    hashed = ProviderSecrets(edge.system.store.vault).subject(ISSUER, given["subject"])
    found = edge.system.store.load(ProviderIdentity.id_of(hashed))
    assert isinstance(found, ProviderIdentity) and found.login == login
    gone = provided.send(f"{path}-unbindings", admin, why)
    assert gone.status_code == 200, gone.text
    until(lambda: provided.ask("GET", "/v1/me", officer).status_code == 401)
    twice = provided.send(f"{path}-unbindings", admin, why)
    assert twice.json()["type"].endswith("nobodys-provider")
    assert facts_of(edge, login)[-2:] == ["ProviderBound", "ProviderUnbound"]


def test_what_a_password_opened_before_ends_where_the_provider_alone_opens_it(
    edge: Edge, provided: Provided
) -> None:
    """Whoever knows the password could wait, logged in, until the account is connected."""
    assert edge.system.provider is not None
    only = frozenset({Role.VILLAGE_REPORTER})
    edge.system.provider = replace(edge.system.provider, only_roles=only)
    login = opened(edge)
    edge.system.accounts.set_password(login, reporter(), PASSWORD)
    waiting = logged_in(edge, login)
    refused = provided.ask("GET", "/v1/me", waiting)
    assert refused.json()["type"].endswith("provider-required")
    admin = edge.headers(Role.ADMINISTRATOR, "county")
    given = {"login": login, "subject": f"subject of {login}"}
    path = f"/v1/officers/{reporter()}/provider-bindings"
    assert provided.send(path, admin, given).status_code == 200
    assert provided.ask("GET", "/v1/me", waiting).status_code == 401


def test_an_officer_ends_the_connection_but_not_the_only_way_in(
    edge: Edge, provided: Provided
) -> None:
    login = opened(edge)
    admin, path = edge.headers(Role.ADMINISTRATOR, "county"), "/v1/me/provider/ends"
    given = {"login": login, "subject": f"subject of {login}"}
    bind = f"/v1/officers/{reporter()}/provider-bindings"
    bound = provided.send(bind, admin, given)
    assert bound.status_code == 200
    assert bound.headers["Relief-Position"] == str(bound.json()["position"])
    accounts = edge.system.accounts
    token, _ = accounts.begin(reporter(), login, "token")
    only = provided.send(path, {"Authorization": f"Bearer {token}"}, {})
    assert only.status_code == 409 and only.json()["type"].endswith("no-password")
    accounts.set_password(login, reporter(), PASSWORD)
    officer = logged_in(edge, login)
    assert provided.send(path, {}, {}).status_code == 401
    assert provided.send(path, officer, {"x": 1}).status_code == 422
    assert provided.send(path, officer, {}).json() == {"login": login}
    assert provided.ask("GET", "/v1/me/provider", officer).json()["connected"] is False
    assert provided.ask("GET", "/v1/me", officer).status_code == 200, "one's own session goes on"
