"""Search over all kinds."""

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from fastapi.testclient import TestClient

from api.searching import EACH
from tests.web.desk import LivingCounty, living_county
from tests.web.officer_forms import ask, engage, enter, token_in


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


def test_a_village_is_found_by_its_county_s_former_code_and_it_is_said(
    county: LivingCounty, browser: TestClient
) -> None:
    enter(browser, "admin")
    said = "潜山市的代码由 340824 改为 340882，340824101001 按 340882101001 源潭居委会 理解"
    wanted = {"q": "340824101001"}
    for address in ("/v1/search", "/v1/areas"):
        (one,) = browser.get(address, params=wanted).json()["items"]
        assert one["id"] == str(county.id("yuantan_1"))
        assert one["understood"]["certain"] and one["understood"]["zh"] == said
    assert said in ask(browser, "/search", **wanted, lang="zh")
    assert "340824101001 is taken as" in ask(browser, "/search", **wanted, lang="en")
    assert said in browser.get("/divisions", params={**wanted, "lang": "zh"}).text
    assert said in ask(browser, "/officers", place="340824101001", lang="zh")
    choices = {**wanted, "csrf_token": token_in(browser.get("/search").text)}
    assert said in browser.post("/officers/places", data=choices).text


SOUGHT = [
    ("/search", "q", "袁山", ""),
    ("/officers", "search", "yuanshan", ""),
    ("/officers", "place", "源潭居委会", ""),
    ("/timeline", "subject", "袁山", ""),
    ("/ledger", "search", "袁山", "waiting"),
]


@pytest.mark.parametrize(("page", "box", "word", "status"), SOUGHT)
def test_what_somebody_looks_for_stands_in_no_address_and_no_log(
    page: str,
    box: str,
    word: str,
    status: str,
    browser: TestClient,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An address stays in a browser's history and in the logs of proxies."""
    enter(browser, "county")
    form = re.search(rf'<form[^>]*action="{page}"[^>]*>', ask(browser, page))
    if form is not None:  # no season is open here: the ledger shows no form
        assert 'method="post"' in form[0], form[0]
    sent = {box: word, "csrf_token": token_in(browser.get("/search").text)}
    answer = browser.post(page, data=sent | ({"status": status} if status else {}))
    address = answer.headers["location"]
    said = dict(parse_qsl(urlsplit(address).query))
    assert answer.status_code == 303 and said[box].startswith("~")
    assert said.get("status", "") == status
    shown = browser.get(address).text
    for link in [address, *re.findall(r'(?:href|action|hx-get|hx-post)="([^"]*)"', shown)]:
        assert word not in unquote(unescape(link)), link
    if page != "/ledger":
        assert f'value="{word}"' in shown, "the box says what was typed"
    browser.get(page, params={box: word})  # written by hand
    logged = capfd.readouterr()
    assert word not in unquote(logged.out + logged.err + caplog.text)
    again = {**sent, "csrf_token": "of another page"}
    assert browser.post(page, data=again).status_code == 403


def test_words_of_another_session_are_not_opened(browser: TestClient) -> None:
    enter(browser, "county")
    form = {"q": "袁山", "csrf_token": token_in(browser.get("/search").text)}
    address = browser.post("/search", data=form).headers["location"]
    assert "袁山" in browser.get(address).text
    browser.cookies.clear()
    enter(browser, "admin")
    assert "袁山" not in browser.get(address).text
    sealed = address.partition("=")[2]
    for sheet in ("/sheets/officers", "/ledger/csv", "/ledger/xlsx", "/ledger/paper"):
        browser.cookies.clear()
        enter(browser, "admin" if "officers" in sheet else "township")
        over = browser.get(sheet, params={"search": sealed})
        assert over.status_code == 410 and "请回到页面重新查询" in over.text, sheet
    for broken in ("~", "~====", address[:-4] + "AAAA", "~" + "A" * 40):
        assert browser.get("/search", params={"q": broken}).status_code == 200


def test_whatever_a_form_calls_its_fields_the_search_goes_on(browser: TestClient) -> None:
    enter(browser, "county")
    token = token_in(browser.get("/search").text)
    answer = browser.post("/search", data={"csrf_token": token, "path": "x", "self": "y"})
    assert answer.headers["location"] == "/search?path=x&self=y"


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
    empty = {"items": [], "cut": False, "partly": []}
    assert browser.get("/v1/search", params={"q": ""}).json() == empty
    assert browser.get("/v1/search", params={"q": "x" * 101}).status_code == 422
    assert browser.get("/v1/search", params={"q": "x", "kind": "area"}).status_code == 422
