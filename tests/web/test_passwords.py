"""The first log-in by a slip, another password, and devices, as pages without scripts."""

import re
from collections.abc import Iterator
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from domain.commands.officers import OpenAccount
from domain.login_name import LoginName
from eventstore.accounts import ADDRESS_FAILURES
from eventstore.invitations import Invitations
from tests.web.desk import PASSWORD, LivingCounty, living_county

NEW = "grey heron 27"


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingCounty]:
    with living_county(tmp_path_factory.mktemp("passwords")) as made:
        yield made


@pytest.fixture
def browser(county: LivingCounty) -> Iterator[TestClient]:
    with TestClient(county.app(), base_url="http://test", follow_redirects=False) as client:
        yield client


def code_for(county: LivingCounty, login: str, officer: UUID | None = None) -> str:
    officer = officer or county.officers["village"]
    county.run(OpenAccount(officer=officer, login=login))
    return Invitations(county.system.store).begin(login, officer).code


def token_in(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, page
    return found[1]


def test_a_slip_leads_to_a_password_and_home(county: LivingCounty, browser: TestClient) -> None:
    code = code_for(county, "slip")
    typed = browser.get("/invitations", params={"code": f" {code.lower()} "})
    assert typed.status_code == 303
    path = typed.headers["location"]
    page = browser.get(path)
    assert 'value="slip"' in page.text and "至少 8 位" in page.text
    form = {"csrf_token": token_in(page.text), "password": NEW, "again": "another"}
    assert "不一致" in browser.post(path, data=form).text
    weak = browser.post(path, data=form | {"password": "12345678", "again": "12345678"})
    assert weak.status_code == 422 and "太常见" in weak.text
    done = browser.post(path, data=form | {"again": NEW})
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert browser.get("/").status_code == 200
    kinds = [type(one.event).__name__ for one in _history(county, "slip")]
    assert kinds == ["Taken", "PasswordSet"]


def _history(county: LivingCounty, login: str) -> list[object]:
    return list(county.system.store.history(LoginName.id_of(login)))


def test_a_used_or_unknown_code_is_said_and_asks_for_another(
    county: LivingCounty, browser: TestClient
) -> None:
    code = code_for(county, "used")
    county.system.accounts.set_password("used", county.officers["village"], NEW)
    used = browser.get(f"/invitations/{code}")
    assert used.status_code == 410 and "联系管理员" in used.text
    unknown = browser.get("/invitations/AAAABBBBCCCCDDDD")
    assert unknown.status_code == 404 and 'name="code"' in unknown.text
    assert "There is no invitation" in browser.get("/invitations/AAAABBBBCCCCDDDD?lang=en").text


def test_a_form_of_another_site_sets_no_password(county: LivingCounty, browser: TestClient) -> None:
    code = code_for(county, "foreign")
    path = f"/invitations/{code}"
    form = {"password": NEW, "again": NEW}
    assert browser.post(path, data=form).status_code == 403
    browser.get(path)
    assert browser.post(path, data=form | {"csrf_token": "x"}).status_code == 403
    assert county.system.accounts.officer_of("foreign") is None


def log_in(browser: TestClient, name: str, password: str = PASSWORD) -> None:
    page = browser.get("/login")
    form = {"csrf_token": token_in(page.text), "name": name, "password": password, "next": "/me"}
    assert browser.post("/login", data=form).status_code == 303


def test_the_officer_changes_the_password_and_stays(
    county: LivingCounty, browser: TestClient
) -> None:
    log_in(browser, "village_b")
    page = browser.get("/me")
    assert "village_b" in page.text and "本机" in page.text
    form = {"csrf_token": token_in(page.text), "current": "x", "password": NEW, "again": NEW}
    wrong = browser.post("/me/password", data=form)
    assert wrong.status_code == 422 and "原密码不正确" in wrong.text
    done = browser.post("/me/password", data=form | {"current": PASSWORD})
    assert done.headers["location"] == "/me?done=changed"
    assert "密码已修改" in browser.get("/me?done=changed").text
    without = {"current": NEW, "password": PASSWORD, "again": PASSWORD}
    assert browser.post("/me/password", data=without).status_code == 403


def test_other_devices_are_ended_from_the_page(county: LivingCounty, browser: TestClient) -> None:
    token, _ = county.system.accounts.log_in("township", PASSWORD, agent="Android · Chrome")
    log_in(browser, "township")
    page = browser.get("/me")
    assert "Android · Chrome" in page.text
    form = {"csrf_token": token_in(page.text), "session": "others"}
    assert browser.post("/me/sessions", data=form).status_code == 303
    assert county.system.accounts.session(token, "session") is None
    assert "Android · Chrome" not in browser.get("/me").text


def test_who_tries_too_many_codes_is_told_to_wait_and_not_that_a_code_is_over(
    county: LivingCounty, browser: TestClient
) -> None:
    code = code_for(county, "patience")
    for _ in range(ADDRESS_FAILURES):
        assert browser.get("/invitations/AAAABBBBCCCCDDDD").status_code in (404, 429)
    page = browser.get(f"/invitations/{code}")
    assert page.status_code == 429 and "后再试" in page.text
