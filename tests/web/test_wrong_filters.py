"""What a page or a sheet cannot answer it says, with a way back; it never shows an empty list."""

import re
from html import unescape

import pytest
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from eventstore.errors import StoreLocked
from eventstore.limiter import Limit, LimitReached
from tests.web.test_crawl import Seen
from tests.web.test_relief_pages import enter

SEARCHES = Limit("searches", 5, 60, "搜索", "searching")
UNKNOWN = "6f1c7a5e-8d1e-4a53-9f8e-0d7b7f0a1c11"

WORDS = (
    ("county-approver", "/lists?season={season}&status=zzz", "/lists?season={season}"),
    ("county-approver", "/sheets/lists?status=zzz", "/sheets/lists"),
    ("county-approver", "/ledger?status=zzz", "/ledger"),
    ("county-approver", "/ledger/csv?status=zzz", "/ledger/csv"),
    ("auditor", "/findings?kind=zzz", "/findings"),
    ("auditor", "/sheets/findings?kind=zzz", "/sheets/findings"),
    ("county-storekeeper", "/stock/consignments?status=zzz", "/stock/consignments"),
    ("county-storekeeper", "/sheets/consignments?status=zzz", "/sheets/consignments"),
)


def season_of(server: TestClient) -> str:
    found: str = server.get("/v1/seasons").json()["items"][0]["id"]
    return found


def way_back(page: str) -> str:
    found = re.search(r'<a class="button primary" href="([^"]+)">回到这个列表</a>', page)
    assert found is not None, page
    return unescape(found[1])


def visible(page: str) -> str:
    return " ".join(Seen(page).texts)


@pytest.mark.parametrize(("login", "path", "back"), WORDS, ids=lambda one: str(one))
def test_a_word_that_a_filter_does_not_have(
    server: TestClient, login: str, path: str, back: str
) -> None:
    enter(server, login)
    season = season_of(server) if "{season}" in path else ""
    answer = server.get(path.format(season=season))
    assert answer.status_code == 422 and "text/html" in answer.headers["content-type"]
    assert "网址里的" in answer.text and "请从列表上重新选择" in answer.text
    assert not re.search(r"\b(draft|approved|shipped|true|UUID)\b", visible(answer.text))
    assert way_back(answer.text) == back.format(season=season)
    assert server.get(way_back(answer.text)).status_code == 200


def test_a_value_of_the_wrong_kind_is_told_without_words_of_programs(server: TestClient) -> None:
    enter(server, "county-approver")
    for path in ("/ledger?season=xyz", "/situation?exercise=perhaps"):
        answer = server.get(path)
        assert answer.status_code == 422 and "请从列表上重新选择" in answer.text
        assert not re.search(r"UUID|true|false", visible(answer.text))
        english = server.get(f"{path}&lang=en").text
        assert "Choose again on the list" in english and "UUID" not in english
        server.get("/?lang=zh")


@pytest.mark.parametrize(
    ("trouble", "status"),
    [(StoreLocked("held"), 503), (LimitReached(SEARCHES, 60), 429), (RuntimeError(), 500)],
)
def test_what_may_be_well_a_moment_later_can_be_tried_again(
    server: TestClient, monkeypatch: pytest.MonkeyPatch, trouble: Exception, status: int
) -> None:
    enter(server, "county-approver")
    shown = TestClient(server.app, raise_server_exceptions=False, cookies=server.cookies)

    async def broken(*_: object) -> None:
        raise trouble

    monkeypatch.setattr("web.pages.ledger._head", broken)
    for language, words in (("zh", "再试一次"), ("en", "Try again")):
        with capture_logs():  # to print the trace of an error takes seconds
            answer = shown.get(f"/ledger?status=failed&lang={language}")
        assert answer.status_code == status and "Traceback" not in answer.text
        found = re.search(rf'<a class="button primary" href="([^"]+)">{words}</a>', answer.text)
        assert found and unescape(found[1]) == f"/ledger?status=failed&lang={language}"


def test_who_has_to_log_in_is_asked_in_their_language(server: TestClient) -> None:
    server.cookies.clear()
    assert "<h1>Log in</h1>" in server.get("/ledger?lang=en").text


@pytest.mark.parametrize(
    "path",
    [
        "/ledger?season={}",
        "/ledger?area={}",
        "/lists?season={}",
        "/situation?disaster={}",
        "/situation?area={}",
        "/sheets/lists?season={}",
        "/sheets/list?village_list={}",
        "/sheets/moves?stockpile={}",
    ],
)
def test_a_thing_that_is_not_there(server: TestClient, path: str) -> None:
    enter(server, "county-approver")
    answer = server.get(path.format(UNKNOWN))
    assert answer.status_code == 404 and "找不到" in answer.text, answer.text


def test_a_cursor_of_another_list_leads_back_to_the_first_page(server: TestClient) -> None:
    enter(server, "county-approver")
    found = server.get("/v1/village-lists", params={"limit": 1}).json()
    cursor = found["next"]
    page = server.get("/lists", params={"cursor": cursor, "before": 1})
    assert page.status_code == 200 and found["items"][0]["id"] not in page.text
    for path in ("/ledger", "/ledger/paper", "/findings", "/notices", "/funds", "/dispatch/past"):
        for wrong in (cursor, "WzFd"):
            answer = server.get(path, params={"cursor": wrong, "before": 15})
            assert answer.status_code == 400 and "从第一页" in answer.text, path
            assert way_back(answer.text) == path
            assert server.get(path).status_code == 200
    kept = server.get("/lists", params={"cursor": cursor, "before": 1, "status": "draft"})
    assert kept.status_code == 400 and way_back(kept.text) == "/lists?status=draft"
    english = server.get("/lists?cursor=WzFd&lang=en").text
    assert "Back to this list" in english and "first page" in english
    server.get("/lists?lang=zh")


def test_a_parameter_of_a_page_that_is_said_twice(server: TestClient) -> None:
    enter(server, "county-approver")
    answer = server.get("/ledger?search=a&search=b")
    assert answer.status_code == 422 and "请从列表上重新选择" in answer.text
    assert way_back(answer.text) == "/ledger"
    assert server.get("/ledger?utm=a&utm=b").status_code == 200, "messengers add what they like"
