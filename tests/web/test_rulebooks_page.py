"""The pages of rulebooks: what is in force, what waits, a changed copy, its export."""

import html
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args, get_type_hints
from uuid import uuid4

import msgspec
import pytest
from fastapi.testclient import TestClient

from domain.rules.base import china_day
from domain.rules.loading import LONGEST, TYPES, parse_rulebook
from tests.domain.rule_files import all_files
from tests.web.relief_desk import RunningDemo
from tests.web.test_relief_pages import enter
from web.i18n import LANGUAGES, read_messages
from web.rule_tables import RuleReader, all_named


@pytest.fixture
def server(demo: RunningDemo) -> Iterator[TestClient]:
    with TestClient(demo.app()) as client:
        yield client


def test_what_is_in_force_is_listed_with_document_and_origin(server: TestClient) -> None:
    enter(server, "county-approver")
    page = server.get("/rulebooks?lang=zh").text
    assert "报送时限" in page and "示例（非正式文件）" in page and "本地采用" in page
    assert "没有已采用、等审定人员确认的规则" in page
    english = server.get("/rulebooks?lang=en").text
    assert "adopted here" in english and "Nothing that was adopted here waits" in english


def test_a_rulebook_is_shown_as_tables_and_is_a_file(server: TestClient) -> None:
    enter(server, "county-approver")
    page = server.get("/rulebooks/deadlines?lang=zh").text
    assert '<th scope="row">乡镇</th><td>灾害发生</td><td>60</td>' in page
    assert '<th scope="row">县</th><td>09:00</td>' in page
    assert "因灾死亡人口、因灾失踪人口" in page and "minutes =" not in page
    standards = server.get("/rulebooks/standards?lang=en").text
    assert "Winter and spring relief" in standards and "¥130.00" in standards
    text = server.get("/rulebooks/deadlines/example-1.toml").text
    read = parse_rulebook("again", text)
    assert (read.version, read.status) == ("example-1", "example"), "an export says what it is"
    assert server.get("/rulebooks/weather").status_code == 404
    assert server.get("/rulebooks/deadlines?version=nothing").status_code == 404
    assert "修改后采用" not in page, "an approver adopts nothing"


def test_what_a_file_says_of_itself_is_told_in_words(server: TestClient) -> None:
    enter(server, "county-approver")
    assert "数值为演示或取自他处" in server.get("/rulebooks/deadlines?lang=zh").text
    assert "has not been compared with its" in server.get("/rulebooks/indicators?lang=en").text


def test_the_page_of_standards_is_no_wall(server: TestClient) -> None:
    """Beside the first table of each programme everything is folded away."""
    enter(server, "county-approver")
    page = server.get("/rulebooks/standards?lang=zh").text
    content = page.split("<h2>内容</h2>")[1].split("</section>")[0]
    shown = re.sub(r"<details.*?</details>", "", content, flags=re.S)
    assert shown.count("<tr>") <= 6 * 5, "a heading and the rates of six programmes"
    assert "<pre" not in page


def test_each_table_of_the_standards_is_called_by_its_programme_too(server: TestClient) -> None:
    """Six regions were called 标准: who hears the page could not tell them apart."""
    enter(server, "county-approver")
    for language in ("zh", "en"):
        page = server.get(f"/rulebooks/standards?lang={language}").text
        called = re.findall(r'role="region" aria-label="([^"]+)"', page)
        assert len(called) > 6 and len(called) == len(set(called)), called


def test_a_text_is_checked_line_by_line_before_anything_is_adopted(server: TestClient) -> None:
    enter(server, "administrator")
    page = server.get("/rulebooks/change?kind=notices&lang=zh").text
    area, text = _area_and_text(page)
    line = next(n for n, one in enumerate(text.splitlines(), 1) if one.startswith("minimum_days"))
    bad = text.replace("minimum_days = 7", 'minimum_days = "seven"')
    told = _preview(server, page, area, bad)
    assert f'<th scope="row">第 {line} 行</th>' in told and "公示至少（天）" in told
    assert "应为整数，现为文字" in told and "/v1/rulebook-files" not in told
    english = _preview(server, server.get("/rulebooks/change?lang=en").text, area, bad)
    assert "it must be a whole number, not a text in quotes" in english
    broken = _preview(server, page, area, "", ("x.toml", b"kind: notices"))
    assert "a key is followed by =" in broken
    assert "no text in UTF-8" in _preview(server, page, area, "", ("x.toml", b"\xff\xfe\x00"))


def test_a_file_far_longer_than_any_rulebook_is_refused_before_it_is_read(
    server: TestClient,
) -> None:
    """Four megabytes of headings took eight seconds in which the server answered nobody."""
    enter(server, "administrator")
    page = server.get("/rulebooks/change?kind=notices&lang=zh").text
    area, text = _area_and_text(page)
    longest = text + "#" * (LONGEST - len(text) - 1) + "\n"
    assert "过长" not in _preview(server, page, area, longest)
    told = _preview(server, page, area, "", ("x.toml", f"{longest}#".encode()))
    assert "文件过长，最多 200,000 个字" in told and "####" not in told, "nor sent back"


def test_a_good_text_is_shown_beside_what_is_in_force(server: TestClient) -> None:
    enter(server, "administrator")
    page = server.get("/rulebooks/change?kind=notices&lang=zh").text
    area = _area_and_text(page)[0]
    text = server.get("/rulebooks/notices/example-1.toml").text
    assert "请改用新的版本号" in _preview(server, page, area, text)
    changed = text.replace('"example-1"', '"tried-9"').replace(
        "minimum_days = 7", "minimum_days = 9"
    )
    told = _preview(server, page, area, "", ("notices.toml", changed.encode()))
    assert '<th scope="row">公示至少（天）</th><td>7</td><td>9</td>' in told
    assert "/v1/rulebook-files" in told and "采用后须由另一人" in told
    assert "tried-9" not in server.get("/rulebooks").text, "looking at it adopts nothing"
    assert server.post("/rulebooks/change", data={"area": area}).status_code == 403
    enter(server, "county-approver")
    assert server.get("/rulebooks/change").status_code == 403


def _compared(server: TestClient, area: str, toml: str) -> list[dict[str, Any]]:
    """All parts of a comparison; no part writes anything."""
    found: list[dict[str, Any]] = []
    body = {"area": area, "toml": toml}
    while True:
        answer = _post(server, "/v1/rulebook-comparisons", body)
        assert answer.status_code == 200, answer.text
        part = answer.json()
        found += part["items"]
        assert part["done"] <= part["total"]
        if part["next"] is None:
            assert part["done"] == part["total"]
            return found
        body["cursor"] = part["next"]


OTHERWISE = {
    "deadlines": ("09:00:00", "07:30:00", "每日 07:30"),
    "dispatch": ("acknowledge = []", "acknowledge = [{ priority = 1, minutes = 5 }]", "2018-07-04"),
    "hazards": ('key = "flood"', 'key = "floods"', "不能填报"),
    "household_kinds": ('key = "subsistence_allowance"', 'key = "low"', "不在目录中"),
    "indicators": ("absolute = 3", "absolute = 1", "变化较大"),
    "items": ('key = "quilt"', 'key = "quilts"', "不在物资目录中"),
    "notices": ("minimum_days = 7", "minimum_days = 10", "-"),
    "standards": ("13000", "15000", "标准 150.00 元"),
    "thresholds": ('at_least = "', 'at_least = "9', "未达到任何级别"),
    "working_days": ('"2018-01-01"', '"2018-01-01", "2018-01-04"', "2018-01-17"),
}
"""Of each kind: what is changed, and what a decision would then say."""


def test_what_would_change_is_listed_for_every_kind_and_nothing_is_written(
    demo: RunningDemo, server: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.rules_compared.LOOKED_BACK", timedelta(days=4000))
    enter(server, "county-approver")
    area = server.get("/rulebooks").text.split('name="area" value="')[1][:36]
    rows = {row["kind"]: row for row in server.get("/v1/rulebooks").json()["items"]}
    assert set(OTHERWISE) == set(TYPES)
    head, parts = demo.system.store.head(), 0
    for kind, (old, new, said) in OTHERWISE.items():
        on = "2018-07-04" if kind in ("dispatch", "indicators", "working_days") else ""
        path = f"/v1/rulebooks?kind={kind}" + (f"&on={on}" if on else "")
        row = server.get(path).json()["items"][0] if on else rows[kind]
        text = server.get(f"/rulebooks/{kind}/{row['version']}.toml?on={on}").text
        assert _compared(server, area, text) == [], f"{kind}: as in force, nothing differs"
        changed = text.replace(old, new)
        if kind == "indicators":
            changed = changed.replace("factor = 2", "factor = 1")
        assert changed != text, kind
        found = _compared(server, area, changed)
        assert any(said in one["after"]["zh"] for one in found), (kind, found[:2])
        assert all(one["before"] != one["after"] and one["area_name"] for one in found), kind
        with monkeypatch.context() as small:
            small.setattr("api.rules_compared.SUBJECTS", 7)
            assert len(_compared(server, area, changed)) == len(found), "part by part: the same"
        parts += len(found)
    assert parts > 50 and demo.system.store.head() == head


def test_the_pages_show_what_would_change_part_by_part(
    server: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.rules_compared.LOOKED_BACK", timedelta(days=4000))
    monkeypatch.setattr("api.rules_compared.SUBJECTS", 20)
    enter(server, "administrator")
    page = server.get("/rulebooks/change?kind=standards&lang=zh").text
    area, text = _area_and_text(page)
    changed = text.replace("13000", "15000").replace('"example-2016"', '"dearer"')
    told = _preview(server, page, area, changed)
    assert 'hx-post="/rulebooks/comparison"' in told, "before it is adopted"
    differing = told.split("<h3>与现行规则的不同</h3>")[1].split("</table>")[0]
    assert differing.count('<th scope="row">') == 1, "what was not changed does not differ"
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    body = {"csrf_token": token, "area": area, "toml": changed}
    first = server.post("/rulebooks/comparison", data=body)
    assert first.status_code == 200 and "标准 150.00 元" in first.text
    cursor = re.search(r'name="cursor" value="([^"]+)"', first.text)
    assert cursor and "处不同" in first.text
    for _ in range(20):
        part = server.post("/rulebooks/comparison", data=body | {"cursor": cursor[1]})
        cursor = re.search(r'name="cursor" value="([^"]+)"', part.text)
        if cursor is None:
            break
    assert 'id="compared"' in part.text and "物资限量不比较" in part.text
    assert server.post("/rulebooks/comparison", data={"area": area}).status_code == 403
    enter(server, "county-payer")
    token = server.get("/").text.split('name="csrf_token" value="')[1].split('"')[0]
    body["csrf_token"] = token
    assert server.post("/rulebooks/comparison", data=body).status_code == 403


def _area_and_text(page: str) -> tuple[str, str]:
    area = page.split('name="area" value="')[1][:36]
    inner = page.split('<textarea id="toml"')[1].split(">", 1)[1].split("</textarea>")[0]
    return area, html.unescape(inner)


def _preview(
    server: TestClient, page: str, area: str, text: str, file: tuple[str, bytes] | None = None
) -> str:
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    data = {"csrf_token": token, "area": area, "toml": text}
    answer = server.post("/rulebooks/change", data=data, files={"file": file or ("", b"")})
    assert answer.status_code == 200, answer.text
    return html.unescape(answer.text)


def test_a_copy_is_adopted_by_one_and_confirmed_by_another(server: TestClient) -> None:
    enter(server, "administrator")
    page = server.get("/rulebooks/notices?lang=zh").text
    assert "修改后采用" in page
    text = server.get("/rulebooks/notices/example-1.toml").text
    area = page.split('name="area" value="')[1][:36]
    bad = _post(server, "/v1/rulebook-files", {"area": area, "toml": text.replace("= 7", '= "x"')})
    assert bad.status_code == 422 and "行 minimum_days：" in bad.json()["zh"], bad.text
    assert bad.json()["facts"]["problems"][0]["line"] > 1
    copy = text.replace('"example-1"', '"copy-2"').replace("minimum_days = 7", "minimum_days = 8")
    assert _post(server, "/v1/rulebook-files", {"area": area, "toml": copy}).status_code < 300
    assert "copy-2" in server.get("/rulebooks").text
    enter(server, "county-approver")
    assert "项规则待您对照文件确认" in server.get("/?lang=zh").text
    page = server.get("/rulebooks?lang=zh").text
    assert 'id="waiting-notices-copy-2"' in page and "查看改动并确认" in page
    page = server.get("/rulebooks/notices?version=copy-2&lang=zh").text
    assert "<td>7</td><td>8</td>" in page and "已对照文件，确认" in page
    assert page.index('hx-post="/rulebooks/comparison"') < page.index("已对照文件，确认")
    rulebook = page.split("/v1/rulebooks/")[1][:36]
    body = {"version": "copy-2", "document_no": "潜应急〔2018〕2号"}
    done = _post(server, f"/v1/rulebooks/{rulebook}/confirmations", body)
    assert done.status_code < 300, done.text
    page = server.get("/rulebooks?lang=zh").text
    assert "潜应急〔2018〕2号" in page and "没有已采用、等审定人员确认的规则" in page


def _post(server: TestClient, path: str, body: dict[str, str]) -> Any:
    token = server.get("/").text.split('name="csrf_token" value="')[1].split('"')[0]
    headers = {"Idempotency-Key": str(uuid4()), "X-CSRF-Token": token}
    return server.post(path, json=body, headers=headers)


FIELDS = re.compile(r'name="([a-z_]+|field\.[^"]+)" [^>]*?value="([^"]*)"')


def _fields_of(page: str) -> dict[str, str]:
    """What the form of fields would send as it stands."""
    form = page.split('<form id="fields"')[1].split("</form>")[0]
    found = {name: html.unescape(value) for name, value in FIELDS.findall(form)}
    found["status"] = re.findall(r'<option value="(\w+)" selected', form)[0]
    inner = form.split("<textarea")[1].split(">", 1)[1].split("</textarea>")[0]
    return found | {"toml": html.unescape(inner), "how": "fields"}


def _sent(server: TestClient, fields: dict[str, str]) -> str:
    answer = server.post("/rulebooks/change", data=fields, files={"file": ("", b"")})
    assert answer.status_code == 200, answer.text
    return html.unescape(answer.text)


def test_deadlines_are_changed_by_fields_with_the_checks_of_loading(
    demo: RunningDemo, server: TestClient
) -> None:
    enter(server, "administrator")
    page = server.get("/rulebooks/change?kind=deadlines&lang=zh").text
    fields = _fields_of(page)
    today = china_day(demo.system.store.clock.now())
    first = date.fromisoformat(fields["valid_from"])
    assert first.day == 1 and 0 < (first - today).days <= 31, "not the day of the original"
    assert (fields["status"], fields["valid_to"]) == ("example", "")
    assert fields["version"] == fields["valid_from"], "a name of its own"
    assert "副本仍是示例" in page
    minutes, due, days = (
        f"field.{name}"
        for name in (
            "initial.township.minutes",
            "follow_up.county.due",
            "verified.city.working_days",
        )
    )
    assert (fields[minutes], fields[due], fields[days]) == ("60", "09:00", "3")
    assert "0 至 43200" in page and "从灾害发生" in page
    changed = fields | {minutes: "45", due: "08:30", "status": "verify"}
    changed["field.follow_up.township.due"] = ""
    told = _sent(server, changed)
    assert "<td>60</td><td>45</td>" in told and "<td>09:00</td><td>08:30</td>" in told
    assert "/v1/rulebook-files" in told and 'status = "verify"' in told
    assert '{ level = "township", due' not in told.replace("&#34;", '"'), "an empty field is none"
    for wrong, said in (
        ({minutes: "三十"}, "应为整数"),
        ({minutes: "99999999"}, "初报时限"),
        ({days: ""}, "缺少"),
        ({"valid_from": "soon"}, "应为日期"),
        ({"version": ""}, "版本号"),
    ):
        told = _sent(server, fields | wrong)
        assert said in told and "/v1/rulebook-files" not in told, wrong
        typed = next(iter(wrong.values()))
        if typed:
            assert f'value="{typed}"' in told, "what was typed stays to be mended"


NUMBERS = {"deadlines", "dispatch", "household_kinds", "notices", "standards", "thresholds"}
"""Kinds that are changed by fields; the others are catalogs."""


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_a_form_that_nobody_changed_says_the_same_rules(server: TestClient, kind: str) -> None:
    enter(server, "administrator")
    page = server.get(f"/rulebooks/change?kind={kind}&lang=zh").text
    told = _sent(server, _fields_of(page))
    assert "内容与现行规则相同" in told, kind
    assert ('class="figures rule-numbers"' in page) == (kind in NUMBERS)


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
        book.status,
    )
    again = parse_rulebook(book.name, text)
    assert again == msgspec.structs.replace(book, note=""), "a note is for who reads the file"


def test_a_year_without_a_calendar_is_said(server: TestClient) -> None:
    enter(server, "auditor")
    assert "2031 年的工作日历尚未录入" in server.get("/rulebooks?on=2031-02-01&lang=zh").text
    assert "尚未录入" not in server.get("/rulebooks?on=2018-02-01&lang=zh").text


def test_an_administrator_is_asked_for_the_calendar_in_december(
    demo: RunningDemo, server: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(server, "administrator")
    early, late = datetime(2026, 11, 5, tzinfo=UTC), datetime(2026, 12, 5, tzinfo=UTC)
    monkeypatch.setattr("web.pages.rulebooks._today", lambda desk: early.date())
    assert "工作日历" not in server.get("/?lang=zh").text
    monkeypatch.setattr("web.pages.rulebooks._today", lambda desk: late.date())
    assert "请采用 2027 年的工作日历" in server.get("/?lang=zh").text
    clock = demo.system.store.clock
    with monkeypatch.context() as held:  # then nobody knows the month
        held.setattr(type(clock), "good_until", property(lambda clock: late))
        assert "请采用 2027 年的工作日历" not in server.get("/?lang=zh").text


def test_rules_that_nobody_confirmed_are_marked_where_they_are_used(server: TestClient) -> None:
    """They check and remind all the same."""
    enter(server, "administrator")
    area = server.get("/rulebooks").text.split('name="area" value="')[1][:36]
    for kind in ("deadlines", "dispatch", "household_kinds"):
        row = server.get(f"/v1/rulebooks?kind={kind}").json()["items"][0]
        text = server.get(f"/rulebooks/{kind}/{row['version']}.toml").text
        copy = text.replace(f'version = "{row["version"]}"', 'version = "unsure"')
        done = _post(server, "/v1/rulebook-files", {"area": area, "toml": copy})
        assert done.status_code < 300, done.text
    enter(server, "county-approver")
    for page, kind in (
        ("/situation", "deadlines"),
        ("/lists", "household_kinds"),
        ("/dispatch", "dispatch"),
    ):
        told = server.get(f"{page}?lang=zh").text
        (marked,) = re.findall(r"<p[^>]*data-unconfirmed.*?</p>", told, flags=re.S)
        assert "未经确认" in marked and f'href="/rulebooks/{kind}"' in marked, page
        assert "standards" not in marked, "what is confirmed is not marked"
    assert "data-unconfirmed" not in server.get("/notices").text


def test_every_field_and_value_of_a_rulebook_has_a_name_in_both_languages() -> None:
    fields = {name for one in TYPES.values() for name in _fields(one)} - {"zh", "en", "unit_en"}
    assert {f"rule.{name}" for name in fields} <= read_messages().keys()
    names = {book.name: all_named(book.content) for book in all_files()}
    for book in all_files():
        for language in LANGUAGES:
            told = RuleReader(language, names).sections(book.content)
            cells = [c for one in told for table in one.tables for row in table.rows for c in row]
            cells += [value for one in told for _, value in one.facts]
            assert [cell for cell in cells if re.search(r"[a-z]_[a-z]", cell)] == [], book.name


def _fields(wanted: Any) -> Iterator[str]:
    """The names of all fields inside a type."""
    if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
        for name, inner in get_type_hints(wanted).items():
            if name != "KIND":
                yield name
                yield from _fields(inner)
    for inner in get_args(wanted):
        yield from _fields(inner)
