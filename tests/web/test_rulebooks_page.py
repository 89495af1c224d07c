"""The pages of rulebooks: what is in force, what waits, a changed copy, its export."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from domain.rules.loading import parse_rulebook
from tests.domain.rule_files import all_files
from tests.web.relief_desk import RunningDemo
from tests.web.test_relief_pages import enter


@pytest.fixture
def server(demo: RunningDemo) -> Iterator[TestClient]:
    with TestClient(demo.app()) as client:
        yield client


def test_what_is_in_force_is_listed_with_document_and_origin(server: TestClient) -> None:
    enter(server, "county-approver")
    page = server.get("/rulebooks?lang=zh").text
    assert "报送时限" in page and "示例（非正式文件）" in page and "本地采用" in page
    assert "没有待确认的规则" in page
    english = server.get("/rulebooks?lang=en").text
    assert "adopted here" in english and "Nothing waits" in english


def test_a_rulebook_shows_its_content_and_is_a_file(server: TestClient) -> None:
    enter(server, "county-approver")
    page = server.get("/rulebooks/deadlines?lang=zh").text
    assert "level = &#34;township&#34;" in page and "minutes = 60" in page
    text = server.get("/rulebooks/deadlines/example-1.toml").text
    assert parse_rulebook("again", text).version == "example-1"
    assert server.get("/rulebooks/weather").status_code == 404
    assert "修改后采用" not in page, "an approver adopts nothing"


def test_a_copy_is_adopted_by_one_and_confirmed_by_another(server: TestClient) -> None:
    enter(server, "administrator")
    page = server.get("/rulebooks/notices?lang=zh").text
    assert "修改后采用" in page
    text = server.get("/rulebooks/notices/example-1.toml").text
    area = page.split('name="area" value="')[1][:36]
    bad = _post(server, "/v1/rulebook-files", {"area": area, "toml": text.replace("= 7", '= "x"')})
    assert bad.status_code == 422 and "minimum_days (TOML " in bad.json()["zh"], bad.text
    copy = text.replace('"example-1"', '"copy-2"').replace("minimum_days = 7", "minimum_days = 8")
    assert _post(server, "/v1/rulebook-files", {"area": area, "toml": copy}).status_code < 300
    assert "copy-2" in server.get("/rulebooks").text
    enter(server, "county-approver")
    assert "项规则待您对照文件确认" in server.get("/?lang=zh").text
    page = server.get("/rulebooks?lang=zh").text
    assert 'id="waiting-notices-copy-2"' in page and "已对照文件，确认" in page
    rulebook = page.split("/v1/rulebooks/")[1][:36]
    body = {"version": "copy-2", "document_no": "潜应急〔2018〕2号"}
    done = _post(server, f"/v1/rulebooks/{rulebook}/confirmations", body)
    assert done.status_code < 300, done.text
    page = server.get("/rulebooks?lang=zh").text
    assert "潜应急〔2018〕2号" in page and "没有待确认的规则" in page


def _post(server: TestClient, path: str, body: dict[str, str]):  # type: ignore[no-untyped-def]
    token = server.get("/").text.split('name="csrf_token" value="')[1].split('"')[0]
    headers = {"Idempotency-Key": str(uuid4()), "X-CSRF-Token": token}
    return server.post(path, json=body, headers=headers)


@pytest.mark.parametrize("book", all_files(), ids=lambda book: book.name)
def test_every_file_is_read_back_as_it_was_exported(book) -> None:  # type: ignore[no-untyped-def]
    from domain.rules.loading import as_toml

    text = as_toml(
        book.kind,
        book.version,
        book.document_no,
        book.area_code,
        book.valid_from,
        book.valid_to,
        book.content,
    )
    assert parse_rulebook("again", text).typed == book.typed


def test_a_year_without_a_calendar_is_said(server: TestClient) -> None:
    enter(server, "auditor")
    assert "2031 年的工作日历尚未录入" in server.get("/rulebooks?on=2031-02-01&lang=zh").text
    assert "尚未录入" not in server.get("/rulebooks?on=2018-02-01&lang=zh").text


def test_an_administrator_is_asked_for_the_calendar_in_december(
    demo: RunningDemo, server: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(server, "administrator")
    assert "工作日历" not in server.get("/?lang=zh").text
    late = datetime(2026, 12, 5, tzinfo=UTC)
    monkeypatch.setattr("web.pages.rulebooks._today", lambda desk: late.date())
    assert "请采用 2027 年的工作日历" in server.get("/?lang=zh").text
