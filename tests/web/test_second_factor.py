"""The second step of a log-in and its page, as an officer's browser goes through them."""

import re
from collections.abc import Iterator

import pyotp
import pytest
from fastapi.testclient import TestClient

from domain.world import Role
from tests.web.desk import PASSWORD, LivingCounty, living_county
from tests.web.test_passwords import NEW, code_for, token_in


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingCounty]:
    with living_county(tmp_path_factory.mktemp("factors")) as made:
        yield made


@pytest.fixture
def browser(county: LivingCounty) -> Iterator[TestClient]:
    with TestClient(county.app(), base_url="http://test", follow_redirects=False) as client:
        yield client


def log_in(browser: TestClient, name: str, next_path: str = "/me") -> str:
    """Where the log-in leads."""
    form = {"csrf_token": token_in(browser.get("/login").text), "name": name, "next": next_path}
    answer = browser.post("/login", data=form | {"password": PASSWORD})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def enroll(browser: TestClient) -> tuple[pyotp.TOTP, list[str]]:
    page = browser.get("/me/second-factor")
    form = {"csrf_token": token_in(page.text)}
    wrong = browser.post("/me/second-factor", data=form | {"password": "x"})
    assert wrong.status_code == 422 and "密码不正确" in wrong.text
    assert browser.post("/me/second-factor", data={"password": PASSWORD}).status_code == 403
    assert browser.post("/me/second-factor", data=form | {"password": PASSWORD}).status_code == 303
    page = browser.get("/me/second-factor")
    assert "<svg" in page.text
    secret = re.search(r"(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}", page.text)
    assert secret
    app = pyotp.TOTP(secret[0].replace(" ", ""))
    bad = browser.post("/me/second-factor/confirm", data=form | {"code": "123"})
    assert bad.status_code == 422 and "验证码不正确" in bad.text
    done = browser.post("/me/second-factor/confirm", data=form | {"code": app.now()})
    codes = re.findall(r"[2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{4}", done.text)
    assert len(codes) == 10 and done.headers["cache-control"] == "no-store"
    assert codes[0] not in browser.get("/me/second-factor").text
    return app, codes


def show(browser: TestClient, code: str) -> tuple[int, str]:
    form = {"csrf_token": token_in(browser.get("/login/code").text), "code": code}
    answer = browser.post("/login/code", data=form)
    return answer.status_code, answer.headers.get("location", answer.text)


def test_a_log_in_goes_over_two_steps_and_leads_on(
    county: LivingCounty, browser: TestClient
) -> None:
    assert log_in(browser, "village") == "/me"
    assert "未启用" in browser.get("/me").text
    app, recovery = enroll(browser)
    assert "已启用" in browser.get("/me").text
    browser.post("/logout", data={"csrf_token": token_in(browser.get("/me").text)})
    assert log_in(browser, "village", "/ledger?year=2026") == "/login/code"
    assert browser.get("/").headers["location"].startswith("/login"), "half is not in"
    status, page = show(browser, app.now())
    assert status == 422 and "已用过" in page
    status, leads = show(browser, recovery[0])
    assert (status, leads) == (303, "/ledger?year=2026")
    assert browser.get("/").status_code == 200
    assert browser.get("/login/code").headers["location"] == "/login?failure=ended"
    form = {"csrf_token": token_in(browser.get("/me").text), "code": recovery[1]}
    assert browser.post("/me/second-factor/end", data=form).status_code == 303
    assert "开始设置" in browser.get("/me/second-factor").text
    assert log_in(browser, "village") == "/me"


def test_a_new_invitation_replaces_the_password_and_not_the_second_step(
    county: LivingCounty, browser: TestClient
) -> None:
    """Whoever finds a slip has no telephone with it."""
    code = code_for(county, "slip-and-factor")
    accounts = county.system.accounts
    accounts.factors.begin("slip-and-factor")
    factor = accounts.factors.begun("slip-and-factor")
    assert factor
    proven = accounts.factors.prove_new("slip-and-factor", pyotp.TOTP(factor).now())
    recovery = accounts.factors.confirm("slip-and-factor", proven)
    page = browser.get(f"/invitations/{code}")
    form = {"csrf_token": token_in(page.text), "password": NEW, "again": NEW}
    done = browser.post(f"/invitations/{code}", data=form)
    assert done.headers["location"] == "/login/code"
    assert browser.get("/").status_code == 303
    assert show(browser, recovery[0]) == (303, "/")
    assert browser.get("/").status_code == 200


def test_who_must_have_one_is_led_to_set_it(county: LivingCounty, browser: TestClient) -> None:
    system = county.system
    system.factor_roles = frozenset({Role.TOWNSHIP_REVIEWER})
    try:
        log_in(browser, "township")
        for path in ("/", "/me", "/review"):
            assert browser.get(path).headers["location"] == "/me/second-factor"
        page = browser.get("/me/second-factor").text
        assert "您的岗位必须设置两步验证" in page and 'href="/review"' not in page
        refused = browser.post("/me/sessions", data={"csrf_token": token_in(page)})
        assert refused.headers["location"] == "/me/second-factor"
        enroll(browser)
        assert browser.get("/review").status_code == 200
    finally:
        system.factor_roles = frozenset()
