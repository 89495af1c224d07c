"""Engaging officers by a list: template, preview, slips."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from intake.officers import HEADINGS
from tests.id_numbers import id_number
from tests.intake.make import workbook
from tests.web.desk import LivingCounty, living_county
from tests.web.officer_forms import ask, enter, hidden_in, token_in

ROLE = "村（社区）灾害信息员"


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingCounty]:
    with living_county(tmp_path_factory.mktemp("officer-files")) as made:
        yield made


@pytest.fixture
def browser(county: LivingCounty) -> Iterator[TestClient]:
    with TestClient(county.app(), base_url="http://test", follow_redirects=False) as client:
        yield client


def line(name: str, number: int, **changed: Any) -> list[Any]:
    said = {
        "name": name,
        "login": None,
        "role": ROLE,
        "code": "340882101001",
        "place": None,
        "pair": "B",
        "id": id_number(number),
        "phone": None,
        "certificate": None,
    }
    return list({**said, **changed}.values())


def content(tmp_path: Path, *rows: list[Any]) -> bytes:
    return workbook(tmp_path / "l.xlsx", [list(HEADINGS.values()), *rows]).read_bytes()


def sent(browser: TestClient, path: str, data: dict[str, str], file: bytes) -> Any:
    return browser.post(path, data=data, files={"file": ("名单.xlsx", file)})


def test_a_list_is_previewed_then_engaged_and_its_slips_printed(
    county: LivingCounty, browser: TestClient, tmp_path: Path
) -> None:
    enter(browser, "admin")
    page = ask(browser, "/officers/list")
    assert "没有设置 RELIEF_PUBLIC_URL" in page, "told before codes are given out, not after"
    form = {"csrf_token": token_in(page)}
    file = content(
        tmp_path,
        line("冯一一", 101),
        line("陈二二", 102, role="县级审定员"),
        line("褚三三", 103, id=None),
        line("卫四四", 104, login="weisisi"),
    )
    head = county.system.store.head()
    preview = sent(browser, "/officers/list", form, file)
    assert preview.status_code == 200 and county.system.store.head() == head
    assert "可办理 2 行，有误 2 行" in preview.text
    assert "第 3 行" in preview.text and "不能设在" in preview.text
    assert "第 4 行" in preview.text and "须登记本人身份证号" in preview.text
    assert id_number(101) not in preview.text
    more = {name: hidden_in(preview.text, name) for name in ("key", "digest", "logins")}
    slips = sent(browser, "/officers/list/slips", form | more, file)
    assert slips.status_code == 200 and slips.headers["cache-control"] == "no-store"
    assert slips.text.count('class="slip"') == 2
    assert "冯一一" in slips.text and "fengyiyi" in slips.text and "weisisi" in slips.text
    assert "未办理的行" in slips.text and "第 3 行" in slips.text
    again = sent(browser, "/officers/list/slips", form | more, file)
    assert again.text.count('class="slip"') == 0 and "此前已办理" in again.text


def test_another_file_than_the_previewed_one_is_previewed_again(
    county: LivingCounty, browser: TestClient, tmp_path: Path
) -> None:
    enter(browser, "admin")
    form = {"csrf_token": token_in(ask(browser, "/officers/list"))}
    first, second = (content(tmp_path, line("蒋五五", number)) for number in (111, 112))
    preview = sent(browser, "/officers/list", form, first).text
    more = {name: hidden_in(preview, name) for name in ("key", "digest", "logins")}
    head = county.system.store.head()
    answer = sent(browser, "/officers/list/slips", form | more, second)
    assert "与预览时不同" in answer.text and county.system.store.head() == head


def test_no_list_without_the_post_the_token_or_a_list(
    county: LivingCounty, browser: TestClient, tmp_path: Path
) -> None:
    enter(browser, "admin")
    token = token_in(ask(browser, "/officers/list"))
    file = content(tmp_path, line("沈六六", 121))
    assert sent(browser, "/officers/list", {"csrf_token": "x"}, file).status_code == 403
    strange = sent(browser, "/officers/list", {"csrf_token": token}, b"PK\x03\x04 no workbook")
    assert strange.status_code == 200 and 'class="problem"' in strange.text
    template = browser.get("/officers/template")
    assert template.status_code == 200 and template.content[:2] == b"PK"
    browser.cookies.clear()
    enter(browser, "county")
    assert browser.get("/officers/list").status_code == 403
    assert browser.get("/officers/template").status_code == 403
    token = token_in(browser.get("/me").text)
    assert sent(browser, "/officers/list", {"csrf_token": token}, file).status_code == 403


def test_a_list_much_too_long_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """Its rows were all read and held before anybody counted them."""
    rows = "\n".join([",".join(HEADINGS.values()), *["张三" + "," * 8] * 200])
    with (
        living_county(tmp_path / "data", rows=20) as county,
        TestClient(county.app(), base_url="http://test", follow_redirects=False) as browser,
    ):
        enter(browser, "admin")
        form = {"csrf_token": token_in(ask(browser, "/officers/list"))}
        file = {"file": ("名单.csv", rows.encode())}
        page = browser.post("/officers/list", data=form, files=file)
        assert page.status_code == 200 and "超过 100 行" in page.text
        form = {"csrf_token": token_in(ask(browser, "/divisions/list"))}
        file = {"file": ("区划.csv", ("区划代码,名称\n" + "340882101901,新村\n" * 200).encode())}
        page = browser.post("/divisions/list", data=form, files=file)
        assert page.status_code == 200 and "超过 20 行" in page.text
