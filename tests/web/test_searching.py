"""Search over all kinds, and help for each post."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from api.searching import EACH
from tests.web.desk import LivingCounty, living_county
from tests.web.officer_forms import ask, engage, enter


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingCounty]:
    with living_county(tmp_path_factory.mktemp("search")) as made:
        yield made


@pytest.fixture
def browser(county: LivingCounty) -> Iterator[TestClient]:
    with TestClient(county.app(), base_url="http://test", follow_redirects=False) as client:
        yield client


def test_divisions_and_officers_are_found_with_their_pages(
    county: LivingCounty, browser: TestClient
) -> None:
    officer = engage(county, "yuanshan", "袁山", 51)
    enter(browser, "admin")
    answer = browser.get("/v1/search", params={"q": "yuan"}).json()
    found = {(one["kind"], one["href"]) for one in answer["items"]}
    assert ("area", f"/divisions/{county.id('yuantan_1')}") in found, "by pinyin"
    assert ("officer", f"/officers/{officer}") in found, "by log-in name"
    assert all("袁山" not in one["title"] for one in answer["items"]), "names are masked"
    for one in answer["items"]:
        assert browser.get(one["href"]).status_code == 200, one
    page = ask(browser, "/search", q="yuan")
    assert "源潭居委会" in page and f"/officers/{officer}" in page
    assert "Divisions" in ask(browser, "/search", q="yuan", lang="en")
    assert "没有找到" in ask(browser, "/search", q="没有的地方", lang="zh")


def test_only_what_the_caller_may_list_is_found(county: LivingCounty, browser: TestClient) -> None:
    engage(county, "yuanhe", "袁河", 52)
    enter(browser, "village2")
    answer = browser.get("/v1/search", params={"q": "yuan"}).json()
    kinds = {one["kind"] for one in answer["items"]}
    assert "officer" not in kinds
    titles = {one["title"] for one in answer["items"]}
    assert "源潭居委会" not in titles, "another village"


def test_it_says_when_there_are_more_and_takes_no_more_than_it_reads(
    county: LivingCounty, browser: TestClient
) -> None:
    for n in range(EACH + 1):
        engage(county, f"many{n}", "众多", 60 + n)
    enter(browser, "admin")
    answer = browser.get("/v1/search", params={"q": "many"}).json()
    assert answer["cut"] and len(answer["items"]) == EACH
    assert "还有更多" in ask(browser, "/search", q="many")
    assert browser.get("/v1/search", params={"q": ""}).json() == {"items": [], "cut": False}
    assert browser.get("/v1/search", params={"q": "x" * 101}).status_code == 422
    assert browser.get("/v1/search", params={"q": "x", "kind": "area"}).status_code == 422


def test_everybody_finds_help_for_their_own_post_first(browser: TestClient) -> None:
    for name, own in (("village", "先填已知的数字报初报"), ("admin", "打印邀请单")):
        browser.cookies.clear()
        enter(browser, name)
        assert 'href="/help"' in ask(browser, "/", lang="zh")
        page = ask(browser, "/help")
        assert own in page and page.index(own) < page.index("<details>")
    assert "For everybody" in ask(browser, "/help", lang="en")
