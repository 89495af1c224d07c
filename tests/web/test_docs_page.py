"""The page of the API: open like the document that it shows, and served from here alone."""

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from api.fast import OPENAPI
from tests.web.desk import LivingCounty, living_county
from tests.web.officer_forms import ask, enter
from web.assets import STATIC, read_manifest
from web.render import CONTENT_POLICY


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingCounty]:
    with living_county(tmp_path_factory.mktemp("docs")) as made:
        yield made


@pytest.fixture
def browser(county: LivingCounty) -> Iterator[TestClient]:
    with TestClient(county.app(), base_url="http://test", follow_redirects=False) as client:
        yield client


def test_whoever_may_read_the_document_may_read_its_page(
    county: LivingCounty, browser: TestClient
) -> None:
    assert browser.get(OPENAPI).status_code == 200, "nobody need log in for it"
    stranger = browser.get("/docs")
    assert stranger.status_code == 200 and "退出登录" not in stranger.text
    for name in county.officers:
        browser.cookies.clear()
        enter(browser, name)
        page = ask(browser, "/docs", lang="zh")
        assert "程序接口" in page and "退出登录" in page, name
    assert "This page shows and sends nothing" in ask(browser, "/docs", lang="en")


def test_it_keeps_the_policy_of_every_page(browser: TestClient) -> None:
    assert browser.get("/docs").headers["content-security-policy"] == CONTENT_POLICY


def test_all_it_loads_is_served_here_and_what_is_vendored_has_its_hash(browser: TestClient) -> None:
    page = browser.get("/docs").text
    loaded = re.findall(r'<(?:link rel="stylesheet"|script)[^>]*(?:href|src)="([^"]+)"[^>]*>', page)
    assert len([one for one in loaded if "swagger-ui-dist" in one]) == 2
    listed = read_manifest().files()
    for address in loaded:
        answer = browser.get(address)
        assert answer.status_code == 200, address
        path = address.removeprefix("/static/")
        if path in listed:
            assert f'"{address}" integrity="sha256-' in page
            assert answer.content == (STATIC / path).read_bytes()


def test_nothing_can_be_sent_from_it() -> None:
    script = (STATIC / "js" / "docs.js").read_text(encoding="utf-8")
    for said in (
        "supportedSubmitMethods: []",
        "validatorUrl: null",
        "persistAuthorization: false",
        "queryConfigEnabled: false",
    ):
        assert said in script
