"""Engaging, inviting and suspending an officer in a real browser; slips on paper."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from intake.officers import HEADINGS
from tests.browser.conftest import DESK, PHONE, Check, OpenPage, Serve
from tests.browser.test_print import sheets
from tests.browser.test_relief_pages import enter
from tests.id_numbers import id_number
from tests.intake.make import workbook
from tests.web.desk import LivingCounty, living_county
from tests.web.officer_forms import engage


@pytest.fixture
def county(tmp_path: Path) -> Iterator[LivingCounty]:
    with living_county(tmp_path) as made:
        made.system.public_url = "https://relief.example"
        yield made


@pytest.fixture
def server(county: LivingCounty, serve: Serve) -> Iterator[str]:
    with serve(county.app()) as address:
        yield address


def fill(page: Page, login: str, sequence: int | None) -> None:
    page.get_by_label("姓名").fill("周小桥")
    page.get_by_label("查找区划").fill("源潭居委会")
    expect(page.locator("#area option")).to_have_count(1)
    page.get_by_label("登录名").fill(login)
    if sequence is not None:
        page.get_by_label("身份证号").fill(id_number(sequence))


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_an_officer_is_engaged_and_the_slip_printed(
    server: str, open_page: OpenPage, axe: Check, width: int
) -> None:
    page = open_page(width)
    enter(page, server, "admin")
    page.goto(f"{server}/officers")
    axe(page)
    page.get_by_role("link", name="逐个开通").click()
    fill(page, "zhouxq", None)
    roles = page.locator("#role option:not([hidden])")
    expect(roles).to_have_text(["村（社区）灾害信息员", "库管员"])
    axe(page)
    page.get_by_role("button", name="开通并生成邀请码").click()
    expect(page.locator("#engage [data-problem]")).to_contain_text("身份证号")
    page.get_by_label("身份证号").fill(id_number(50))
    page.get_by_role("button", name="开通并生成邀请码").click()
    code = page.locator("[data-code]")
    expect(code).to_have_text(re.compile(r"(\w{4}-){3}\w{4}"))
    said = code.text_content() or ""
    page.get_by_role("button", name="打印邀请单").click()
    slip = page.locator(".slip")
    expect(slip).to_contain_text("周小桥")
    expect(slip).to_contain_text(said)
    expect(slip.locator("svg")).to_be_visible()
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert sheets(page, "slips") == 1


def test_an_id_number_is_kept_in_no_browser(server: str, open_page: OpenPage) -> None:
    """Neither as it is typed nor while the answer is out: what else was typed is."""
    page = open_page(PHONE)
    enter(page, server, "admin")
    page.goto(f"{server}/officers/new")
    fill(page, "zhoukept", 51)
    kept = "() => Object.values(sessionStorage).join()"
    assert "zhoukept" in page.evaluate(kept) and id_number(51) not in page.evaluate(kept)
    page.context.set_offline(True)
    page.get_by_role("button", name="开通并生成邀请码").click()
    expect(page.locator("#engage [data-problem]")).to_be_visible()
    assert "pending" in page.evaluate(kept) and id_number(51) not in page.evaluate(kept)
    page.context.set_offline(False)
    page.get_by_role("button", name="开通并生成邀请码").click()
    expect(page.locator("[data-code]")).to_have_text(re.compile(r"(\w{4}-){3}\w{4}"))


def test_an_officer_is_invited_again_suspended_and_reinstated(
    county: LivingCounty, server: str, open_page: OpenPage, axe: Check
) -> None:
    officer = engage(county, "walker", "吴行", 60)
    page = open_page(PHONE)
    enter(page, server, "admin")
    page.goto(f"{server}/officers/{officer}")
    page.get_by_role("button", name="重新邀请").click()
    expect(page.locator("[data-code]")).to_be_visible()
    page.get_by_text("停职", exact=True).first.click()
    suspend = page.locator("#suspend")
    suspend.get_by_role("button").click()
    expect(suspend.locator(".field-error, [data-problem]").first).to_be_visible()
    suspend.get_by_label("原因").fill("核查")
    suspend.get_by_role("button").click()
    expect(page.get_by_text("停职原因：核查")).to_be_visible()
    axe(page)
    page.get_by_text("复职", exact=True).first.click()
    page.locator("#reinstate").get_by_label("原因").fill("查清")
    page.locator("#reinstate").get_by_role("button").click()
    expect(page.get_by_text("停职原因：核查")).to_have_count(0)


def test_a_substitute_is_named_and_a_post_ended(
    county: LivingCounty, server: str, open_page: OpenPage, axe: Check
) -> None:
    officer = engage(county, "absent", "郑外出", 61)
    engage(county, "standin", "王代", 62)
    page = open_page(DESK)
    enter(page, server, "admin")
    page.goto(f"{server}/officers/{officer}")
    page.get_by_text("指定代理人", exact=True).first.click()
    form = page.locator("#stand-in")
    form.get_by_label("按登录名、姓或单位查找人员").fill("standin")
    expect(form.locator("#stand-in-other option")).to_have_count(1)
    form.get_by_label("最后一天").fill("2099-01-01")
    axe(page)
    form.get_by_role("button").click()
    expect(page.get_by_text("王* 代理 郑*出").first).to_be_visible()
    page.get_by_role("button", name="结束代理").click()
    expect(page.get_by_text("王* 代理 郑*出")).to_have_count(0)
    page.get_by_text("结束岗位", exact=True).first.click()
    page.locator("#end-1").get_by_label("原因").fill("换届")
    page.locator("#end-1").get_by_role("button").click()
    expect(page.locator("#posts-title + ul")).to_contain_text("至")


def test_a_list_is_previewed_and_engaged_with_the_file_chosen_once(
    county: LivingCounty, server: str, open_page: OpenPage, axe: Check, tmp_path: Path
) -> None:
    rows = [[name, None, "库管员", "340882101001", *[None] * 5] for name in ("甲一", "乙二")]
    good = [
        [f"沈{sign}", None, "库管员", "340882101001", None, None, id_number(70 + n), None, None]
        for n, sign in enumerate("子丑寅卯辰")
    ]
    file = workbook(tmp_path / "list.xlsx", [list(HEADINGS.values()), *rows, *good])
    page = open_page(PHONE)
    enter(page, server, "admin")
    page.goto(f"{server}/officers/list")
    page.get_by_label("名单文件").set_input_files(str(file))
    page.get_by_role("button", name="预览").click()
    expect(page.locator("#preview h2")).to_contain_text("可办理 5 行，有误 2 行")
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE
    page.get_by_role("button", name="开通 5 人").click()
    expect(page.locator(".slip")).to_have_count(5)
    axe(page)
    assert sheets(page, "slips-of-a-list") == 2
