"""Logging in by an identity provider, as an officer's browser goes through it."""

import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import httpx
import pyotp
import pytest
from fastapi.testclient import TestClient

from api import oidc
from api.provider_settings import RETURN_PATH, ProviderSettings
from domain.commands.connecting import RecordProvider, UnbindProvider
from domain.commands.officers import OpenAccount, ReinstateOfficer, SuspendOfficer
from domain.commands.recovering import RecoverAdministrator
from domain.login_name import ProviderWay
from domain.world import Role
from eventstore.accounts import Accounts
from eventstore.provider_secrets import ProviderSecrets
from tests.provider import CLIENT_ID, CLIENT_SECRET, CityProvider, city_provider, new_key
from tests.web.desk import CHEAP, PASSWORD, LivingCounty, living_county
from tests.web.test_passwords import token_in

BASE = "http://test"
NAMES = ("village", "township", "county", "admin")


@pytest.fixture(scope="module")
def provider() -> Iterator[CityProvider]:
    with city_provider() as made:
        yield made


@pytest.fixture(scope="module")
def county(
    tmp_path_factory: pytest.TempPathFactory, provider: CityProvider
) -> Iterator[LivingCounty]:
    with living_county(tmp_path_factory.mktemp("provider")) as made:
        made.system.provider = ProviderSettings(
            issuer=provider.issuer,
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            return_url=f"{BASE}{RETURN_PATH}",
            name_zh="皖事通",
            name_en="Wanshitong",
        )
        accounts = Accounts(made.system.store.vault, CHEAP, address_failures=1_000)
        made.system.accounts = accounts  # everybody here comes from one address
        for name in NAMES:
            made.run(OpenAccount(officer=made.officers[name], login=name))
        yield made


@pytest.fixture
def settings(county: LivingCounty, provider: CityProvider) -> Iterator[ProviderSettings]:
    """The settings of the time before, which a test may replace on the system."""
    before = county.system.provider
    assert before is not None
    yield before
    county.system.provider = before
    provider.spoil, provider.asks = "", False


@pytest.fixture
def app_browser(county: LivingCounty, settings: ProviderSettings) -> Iterator[TestClient]:
    with TestClient(county.app(), base_url=BASE, follow_redirects=False) as client:
        yield client


def by_password(browser: TestClient, name: str) -> httpx.Response:
    form = {"csrf_token": token_in(browser.get("/login").text), "name": name, "next": "/me"}
    return browser.post("/login", data=form | {"password": PASSWORD})


def leave(browser: TestClient, path: str = "/login/provider?next=/me") -> str:
    answer = browser.get(path)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def back(address: str) -> str:
    """Through the provider: the address by which it sends the browser back, on our host."""
    answer = httpx.get(address)
    assert answer.status_code == 303, answer.text
    found = answer.headers["location"]
    assert found.startswith(f"{BASE}{RETURN_PATH}?")
    return found.removeprefix(BASE)


def through(browser: TestClient, path: str = "/login/provider?next=/me") -> httpx.Response:
    return browser.get(back(leave(browser, path)))


def leads(answer: httpx.Response) -> str:
    """Where the page that goes on by itself goes."""
    assert answer.status_code == 200, answer.text
    found = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', answer.text)
    assert found, answer.text
    return found[1]


def bound(county: LivingCounty, name: str, subject: str) -> None:
    hashed = ProviderSecrets(county.system.store.vault).subject
    assert county.system.provider is not None
    issuer = county.system.provider.issuer
    county.run(
        RecordProvider(
            officer=county.officers[name],
            login=name,
            subject=hashed(issuer, subject),
            provider=issuer,
            way=ProviderWay.OWN,
        )
    )


def unbound(county: LivingCounty, name: str) -> None:
    county.run(UnbindProvider(officer=county.officers[name], login=name, reason="试验结束"))


def test_an_officer_connects_an_account_and_logs_in_by_it_from_then_on(
    county: LivingCounty, provider: CityProvider, app_browser: TestClient
) -> None:
    provider.who = {"sub": "village-1", "preferred_username": "张村"}
    browser = app_browser
    assert "用皖事通登录" in browser.get("/login").text
    refused = through(browser)
    assert refused.status_code == 403 and "尚未绑定" in refused.text
    assert 'name="password"' in refused.text
    assert by_password(browser, "village").headers["location"] == "/me"
    assert "未绑定" in browser.get("/me").text
    assert leads(through(browser, "/me/provider/begin")) == "/me/provider"
    page = browser.get("/me/provider").text
    assert "张村" in page
    form = {"csrf_token": token_in(page)}
    wrong = browser.post("/me/provider/confirm", data=form | {"password": "x"})
    assert wrong.status_code == 422 and "密码不正确" in wrong.text
    assert browser.post("/me/provider/confirm", data={"password": PASSWORD}).status_code == 403
    done = browser.post("/me/provider/confirm", data=form | {"password": PASSWORD})
    assert done.headers["location"] == "/me/provider"
    assert "已绑定皖事通的账号" in browser.get("/me/provider").text
    browser.post("/logout", data={"csrf_token": token_in(browser.get("/me").text)})
    answer = through(browser, "/login/provider?next=/ledger?year=2026")
    assert leads(answer) == "/ledger?year=2026"
    elsewhere = through(browser, "/login/provider?next=https://elsewhere.example/")
    assert leads(elsewhere) == "/"
    kept = {one.partition("=")[0]: one for one in answer.headers.get_list("set-cookie")}
    assert "HttpOnly" in kept["relief_session"] and "SameSite=strict" in kept["relief_session"]
    assert browser.get("/me").status_code == 200
    facts = [event for event in _facts(county) if "Provider" in event]
    assert facts[-2:] == ["LoginName.ProviderBound", "ProviderIdentity.Bound"]
    stored = county.system.store.log.fetch("SELECT state FROM events WHERE position > ?", (0,))
    assert not any(b"village-1" in bytes(state) for (state,) in stored)
    form = {"csrf_token": token_in(browser.get("/me/provider").text)}
    assert browser.post("/me/provider/end", data=form).headers["location"] == "/me/provider"
    assert through(browser).status_code == 403


def _facts(county: LivingCounty) -> list[str]:
    rows = county.system.store.log.fetch("SELECT topic FROM events ORDER BY position", ())
    return [topic for (topic,) in rows]


def test_a_browser_that_was_not_sent_out_gets_nothing(
    county: LivingCounty, provider: CityProvider, app_browser: TestClient
) -> None:
    """A forged state, another browser's answer, one that was used, none at all."""
    bound(county, "village", "village-1")
    provider.who = {"sub": "village-1"}
    answer, before = back(leave(app_browser)), provider.asked["token"]
    forged = app_browser.get(re.sub("state=[^&]+", "state=forged", answer))
    assert forged.status_code == 403 and "已过期或已用过" in forged.text
    answer = back(leave(app_browser))
    with TestClient(app_browser.app, base_url=BASE, follow_redirects=False) as stranger:
        assert stranger.get(answer).status_code == 403, "the link alone opens nothing"
        leave(stranger)
        assert stranger.get(answer).status_code == 403, "nor with a question of one's own"
    assert provider.asked["token"] == before, "nobody is asked about what was not asked for"
    assert "relief_session" not in app_browser.cookies
    flow = leave(app_browser)
    kept = app_browser.cookies.get("relief_provider")
    answer = back(flow)
    assert leads(app_browser.get(answer)) == "/me"
    app_browser.cookies.clear()
    app_browser.cookies.set("relief_provider", str(kept), domain="test.local", path="/")
    before = provider.asked["token"]
    again = app_browser.get(answer)
    assert again.status_code == 403 and "已过期或已用过" in again.text
    assert provider.asked["token"] == before, "a used state is not even asked about"
    app_browser.cookies.clear()
    mine = parse_qs(urlsplit(leave(app_browser)).query)
    replayed = f"{RETURN_PATH}?code=code-0&iss={provider.issuer}&state={mine['state'][0]}"
    assert app_browser.get(replayed).status_code == 403, "the provider gives a code out once"
    assert "relief_session" not in app_browser.cookies
    doubled = app_browser.get(f"{replayed}&state=2")
    assert doubled.status_code == 422
    unbound(county, "village")


WRONG = (
    *("nonce", "without-nonce", "aud", "aud-for-us", "azp", "iss", "expired", "future", "old"),
    *("at-hash", "none", "hs256", "stranger", "unknown-kid", "mixed-up", "without-subject"),
    *("half-character", "cancelled"),
)
"""What the provider is made to do: see `tests.provider`."""


def test_what_the_provider_did_not_sign_for_us_now_opens_nothing(
    county: LivingCounty, provider: CityProvider, app_browser: TestClient
) -> None:
    bound(county, "village", "village-1")
    provider.who = {"sub": "village-1"}
    assert leads(through(app_browser)) == "/me"
    for spoil in WRONG:
        app_browser.cookies.clear()
        provider.spoil = spoil
        answer = through(app_browser)
        assert answer.status_code == 403, spoil
        assert "relief_session" not in app_browser.cookies, spoil
        told = "未完成" if spoil == "cancelled" else "未通过核验"
        assert told in answer.text and 'name="password"' in answer.text, spoil
    provider.spoil = ""
    assert leads(through(app_browser)) == "/me"
    unbound(county, "village")


def test_keys_that_change_are_fetched_once_and_not_for_everybody_who_names_one(
    county: LivingCounty, provider: CityProvider, app_browser: TestClient
) -> None:
    bound(county, "village", "village-1")
    provider.who = {"sub": "village-1"}
    before = provider.key
    try:
        assert leads(through(app_browser)) == "/me"
        fetched = provider.asked["keys"]
        assert leads(through(app_browser)) == "/me"
        assert provider.asked["keys"] == fetched
        provider.key = new_key("second", curve=True)
        assert leads(through(app_browser)) == "/me"
        assert provider.asked["keys"] == fetched + 1
        provider.spoil = "unknown-kid"
        for _ in range(3):
            assert through(app_browser).status_code == 403
        assert provider.asked["keys"] == fetched + 1
    finally:
        provider.key = before
    unbound(county, "village")


def test_a_provider_that_is_down_slow_or_talks_too_much_leaves_the_password(
    county: LivingCounty,
    provider: CityProvider,
    app_browser: TestClient,
    settings: ProviderSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bound(county, "village", "village-1")
    provider.who = {"sub": "village-1"}
    leave(app_browser)
    monkeypatch.setattr(oidc, "CALL_SECONDS", 0.5)
    for spoil in ("slow", "huge", "packed", "redirect", "html"):
        provider.open.clear()
        provider.spoil = spoil
        answer = through(app_browser)
        assert answer.status_code == 503, spoil
        assert "暂时无法使用" in answer.text and 'name="password"' in answer.text, spoil
        provider.open.set()
    provider.spoil = ""
    monkeypatch.undo()
    for spoil in ("another-issuer", "plain-address"):
        provider.spoil = spoil
        with TestClient(county.app(), base_url=BASE, follow_redirects=False) as fresh:
            assert fresh.get("/login/provider").status_code == 503, spoil
            asked = provider.asked["discovery"]
            assert fresh.get("/login/provider").status_code == 503
            assert provider.asked["discovery"] == asked, "not asked again at once"
    provider.spoil = ""
    county.system.provider = replace(settings, issuer="http://127.0.0.1:9/realm")
    with TestClient(county.app(), base_url=BASE, follow_redirects=False) as fresh:
        down = fresh.get("/login/provider?next=/me")
        assert down.status_code == 503 and "暂时无法使用" in down.text
        assert by_password(fresh, "village").headers["location"] == "/me"
        page = fresh.get("/me/provider/begin")
        assert page.status_code == 503 and "暂时无法使用" in page.text
    county.system.provider = settings
    unbound(county, "village")


def test_an_account_of_another_officer_cannot_be_taken(
    county: LivingCounty, provider: CityProvider, app_browser: TestClient
) -> None:
    bound(county, "village", "village-1")
    provider.who = {"sub": "village-1", "name": "张村"}
    by_password(app_browser, "township")
    through(app_browser, "/me/provider/begin")
    form = {"csrf_token": token_in(app_browser.get("/me/provider").text), "password": PASSWORD}
    taken = app_browser.post("/me/provider/confirm", data=form)
    assert taken.status_code == 422 and "已绑定其他登录名" in taken.text
    by_password(app_browser, "county")  # what somebody else has proven is nobody else's
    form["csrf_token"] = token_in(app_browser.get("/me/provider").text)
    over = app_browser.post("/me/provider/confirm", data=form)
    assert over.status_code == 403 and "已过期" in over.text
    provider.who = {"sub": "village-2"}
    by_password(app_browser, "village")
    through(app_browser, "/me/provider/begin")
    form["csrf_token"] = token_in(app_browser.get("/me/provider").text)
    second = app_browser.post("/me/provider/confirm", data=form)
    assert second.status_code == 422 and "请先解除绑定" in second.text
    unbound(county, "village")


def test_who_is_suspended_is_refused_as_by_password(
    county: LivingCounty, provider: CityProvider, app_browser: TestClient
) -> None:
    bound(county, "village", "village-1")
    provider.who = {"sub": "village-1"}
    officer = county.officers["village"]
    county.run(SuspendOfficer(officer=officer, reason="停职调查"))
    try:
        by_provider, password = through(app_browser), by_password(app_browser, "village")
        assert by_provider.status_code == password.status_code >= 400
        assert "停职调查" in by_provider.text and "停职调查" in password.text
        assert "relief_session" not in app_browser.cookies
    finally:
        county.run(ReinstateOfficer(officer=officer, reason="恢复"))
    unbound(county, "village")


def test_a_claim_names_a_log_in_only_where_the_provider_is_trusted_to(
    county: LivingCounty,
    provider: CityProvider,
    app_browser: TestClient,
    settings: ProviderSettings,
) -> None:
    provider.who = {"sub": "t-1", "preferred_username": "township"}
    assert through(app_browser).status_code == 403
    county.system.provider = replace(settings, authoritative=True)
    provider.who = {"sub": "nobody", "preferred_username": "no-such-officer"}
    assert "尚未绑定" in through(app_browser).text
    provider.who = {"sub": "t-1", "preferred_username": " Township"}
    assert leads(through(app_browser)) == "/me"
    assert "township" in app_browser.get("/me").text
    app_browser.cookies.clear()
    provider.who = {"sub": "t-2", "preferred_username": "township"}
    second = through(app_browser)
    assert second.status_code == 409 and "relief_session" not in app_browser.cookies
    county.system.provider = settings
    provider.who = {"sub": "t-1"}
    assert leads(through(app_browser)) == "/me", "once connected, the claim is not asked"
    unbound(county, "township")


def test_the_second_step_is_asked_unless_the_provider_is_trusted_with_it(
    county: LivingCounty,
    provider: CityProvider,
    app_browser: TestClient,
    settings: ProviderSettings,
) -> None:
    bound(county, "village", "village-1")
    provider.who = {"sub": "village-1", "amr": ["pwd", "otp"], "acr": "2"}
    factors = county.system.accounts.factors
    secret = factors.begin("village")
    factor = factors.prove_new("village", pyotp.TOTP(secret).now())
    recovery = factors.confirm("village", factor)
    asked = through(app_browser, "/login/provider?next=/ledger")
    assert leads(asked) == "/login/code" and "relief_session" not in app_browser.cookies
    form = {"csrf_token": token_in(app_browser.get("/login/code").text), "code": recovery[0]}
    assert app_browser.post("/login/code", data=form).headers["location"] == "/ledger"
    app_browser.cookies.clear()
    county.system.factor_roles = frozenset({Role.TOWNSHIP_REVIEWER})
    bound(county, "township", "t-1")
    try:
        county.system.provider = replace(settings, second_factors=frozenset({"otp"}))
        assert leads(through(app_browser)) == "/me"
        app_browser.cookies.clear()
        provider.who = {"sub": "t-1", "amr": ["otp"]}
        through(app_browser)
        assert app_browser.get("/me").status_code == 200, "its second step stands for ours"
        county.system.provider = settings
        assert app_browser.get("/me").headers["location"] == "/me/second-factor"
        provider.who = {"sub": "t-1", "amr": ["pwd"], "acr": 1}
        county.system.provider = replace(settings, second_factors=frozenset({"otp"}))
        through(app_browser)
        assert app_browser.get("/me").headers["location"] == "/me/second-factor"
    finally:
        county.system.factor_roles = frozenset()
    unbound(county, "village")
    unbound(county, "township")


def test_where_the_provider_alone_opens_a_post_passwords_end_and_the_keeper_still_can(
    county: LivingCounty,
    provider: CityProvider,
    app_browser: TestClient,
    settings: ProviderSettings,
) -> None:
    roles = frozenset({Role.TOWNSHIP_REVIEWER, Role.ADMINISTRATOR})
    county.system.provider = replace(settings, only_roles=roles)
    provider.who = {"sub": "t-1"}
    assert by_password(app_browser, "township").headers["location"] == "/me"
    for path in ("/", "/me", "/review"):
        assert app_browser.get(path).headers["location"] == "/me/provider", "to be connected first"
    page = app_browser.get("/me/provider").text
    assert "绑定之前不能办理其他事项" in page and 'href="/review"' not in page
    waiting, _ = county.system.accounts.log_in("township", PASSWORD)
    through(app_browser, "/me/provider/begin")
    form = {"csrf_token": token_in(app_browser.get("/me/provider").text), "password": PASSWORD}
    assert app_browser.post("/me/provider/confirm", data=form).status_code == 303
    assert app_browser.get("/review").status_code == 200
    assert county.system.accounts.session(waiting, "session") is None, "by the password alone"
    app_browser.cookies.clear()
    refused = by_password(app_browser, "township")
    assert refused.status_code == 403 and "须通过皖事通登录" in refused.text
    given = {"login": "township", "password": PASSWORD}
    token = app_browser.post("/v1/tokens", json=given)
    assert (token.status_code, token.json()["type"]) == (403, "/problems/password-not-enough")
    wrong = app_browser.post("/v1/tokens", json=given | {"password": "x"})
    assert wrong.status_code == 401, "only who knows it learns that it is not enough"
    assert by_password(app_browser, "county").headers["location"] == "/me", "not their post"
    bound(county, "admin", "a-1")
    assert by_password(app_browser, "admin").status_code == 403
    recover = RecoverAdministrator(
        person=county.id("nobody"),
        id=county.id("no appointment"),
        login="admin",
        area=county.id("county"),
        reason="统一身份账号丢失",
        operator="值班员",
    )
    county.run(recover)
    assert by_password(app_browser, "admin").headers["location"] == "/me"
    assert app_browser.get("/me").status_code == 200, "whatever the settings ask"
    unbound(county, "admin")
    unbound(county, "township")
