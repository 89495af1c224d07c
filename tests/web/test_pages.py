"""Pages over HTTP: log-in, errors, jurisdiction. What a browser must show is in tests/browser."""

import re
from collections.abc import Iterator
from html import unescape

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from tests.web.desk import PASSWORD, LivingCounty, living_county


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingCounty]:
    with living_county(tmp_path_factory.mktemp("county")) as one:
        yield one


@pytest.fixture
def stranger(county: LivingCounty) -> Iterator[TestClient]:
    with TestClient(county.app(), follow_redirects=False) as client:
        yield client


def token_of(page: Response) -> str:
    found = re.search(r'name="csrf_token" value="([^"]*)"', page.text)
    assert found is not None
    return unescape(found[1])


def enter(
    client: TestClient, name: str, password: str = PASSWORD, next_path: str = "/"
) -> Response:
    token = token_of(client.get("/login"))
    form = {"csrf_token": token, "name": name, "password": password, "next": next_path}
    return client.post("/login", data=form)


def test_a_stranger_is_led_to_the_log_in_and_back(stranger: TestClient) -> None:
    asked = stranger.get("/?lang=en")
    assert asked.status_code == 303
    assert asked.headers["location"] == "/login?next=/%3Flang%3Den"
    done = enter(stranger, "county", next_path="/?lang=en")
    assert (done.status_code, done.headers["location"]) == (303, "/?lang=en")
    home = stranger.get("/?lang=en")
    assert home.status_code == 200
    assert "County approver" in home.text and "潜山市" in home.text


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil", "x"])
def test_nobody_is_led_to_another_host(stranger: TestClient, elsewhere: str) -> None:
    assert enter(stranger, "village", next_path=elsewhere).headers["location"] == "/"


def test_a_wrong_password_is_said_and_not_which_part_was_wrong(stranger: TestClient) -> None:
    refused = enter(stranger, "township", "wrong-password")
    assert refused.status_code == 401
    assert "登录名或密码不对" in refused.text
    assert "wrong-password" not in refused.text
    assert stranger.get("/").status_code == 303


def test_five_failures_lock_the_name_for_a_while(stranger: TestClient) -> None:
    for _ in range(5):
        assert enter(stranger, "nobody", "wrong-password").status_code == 401
    locked = enter(stranger, "nobody", "wrong-password")
    assert locked.status_code == 429
    assert "1 分钟" in locked.text


def test_a_log_in_from_a_foreign_page_is_refused(stranger: TestClient) -> None:
    form = {"csrf_token": "guessed", "name": "county", "password": PASSWORD}
    assert stranger.post("/login", data=form).status_code == 403
    stranger.get("/login")
    assert stranger.post("/login", data=form).status_code == 403


def test_the_session_cookie_is_strict_and_out_of_reach_of_scripts(stranger: TestClient) -> None:
    cookie = enter(stranger, "county").headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie


def test_log_out_needs_the_token_and_ends_the_session(stranger: TestClient) -> None:
    enter(stranger, "county")
    home = stranger.get("/")
    assert stranger.post("/logout", data={"csrf_token": "x"}).status_code == 403
    assert stranger.get("/").status_code == 200
    secret = stranger.cookies["relief_session"]
    assert stranger.post("/logout", data={"csrf_token": token_of(home)}).status_code == 303
    stranger.cookies.set("relief_session", secret)
    assert stranger.get("/").headers["location"] == "/login?next=/&failure=ended"


def test_a_giant_form_is_not_read(stranger: TestClient) -> None:
    stranger.get("/login")
    assert stranger.post("/login", data={"name": "x" * 20_000}).status_code == 413


def test_an_unknown_address_is_a_page_for_people_and_a_problem_for_programs(
    stranger: TestClient,
) -> None:
    page = stranger.get("/no-such-page")
    assert page.status_code == 404 and "<h1>" in page.text
    assert "content-security-policy" in page.headers
    problem = stranger.get("/v1/no-such-thing")
    assert problem.headers["content-type"] == "application/problem+json"


def test_the_language_switch_is_remembered(stranger: TestClient) -> None:
    assert "登录名" in stranger.get("/login").text
    assert "Log-in name" in stranger.get("/login?lang=en").text
    assert "Log-in name" in stranger.get("/login").text


def test_assets_are_served_from_here(stranger: TestClient) -> None:
    assert stranger.get("/static/css/relief.css").status_code == 200
    assert stranger.get("/static/../app.py").status_code == 404


def test_every_desk_of_a_role_is_on_its_home_page(stranger: TestClient) -> None:
    enter(stranger, "village")
    page = stranger.get("/").text
    assert 'href="/report/new"' in page and 'href="/situation"' in page
    assert 'href="/review"' not in page
