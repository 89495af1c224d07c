"""The "done" story on a real server: a village reports, the township accepts, the county sees it.

Two browsers, one log: the county's board must change by itself, both times.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from domain.commands.reports import (
    FileFollowUp,
    FileInitialReport,
    FileVerifiedReport,
    PhoneInReport,
)
from domain.commands.reviews import AcceptReport, ReturnReport, StabilizeReport
from tests.browser.conftest import DESK, PHONE, Check, OpenPage, Serve, Shot
from tests.faults import PATIENCE_SECONDS
from tests.web.desk import PASSWORD, LivingCounty, living_county

WAIT = PATIENCE_SECONDS * 1_000


@pytest.fixture
def county(tmp_path: Path) -> Iterator[LivingCounty]:
    with living_county(tmp_path / "county") as one:
        yield one


@pytest.fixture
def server(county: LivingCounty, serve: Serve) -> Iterator[str]:
    with serve(county.app()) as address:
        yield address


def press_until_filled(page: Page, button: str, field: str) -> None:
    """A button of the page's script: a press before the script has come does nothing yet."""
    for _ in range(40):
        page.get_by_role("button", name=button).click()
        if page.get_by_label(field).input_value():
            return
        page.wait_for_timeout(250)
    raise AssertionError(f"{button} fills no {field}")


def enter(page: Page, server: str, name: str) -> None:
    page.goto(f"{server}/login")
    page.get_by_label("登录名").fill(name)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("button", name="退出登录")).to_be_visible()


def flood(
    county: LivingCounty, area: str = "yuantan_1", by: str = "village", **figures: int | None
) -> None:
    """A flood half an hour ago, reported by an area's own officer."""
    at = county.now - timedelta(minutes=30)
    county.run(
        FileInitialReport(
            report=county.id(f"report/{area}"),
            area=county.id(area),
            occurred_at=at,
            as_of=at,
            hazard="flood",
            figures=figures or {"affected": 100, "injured": 2},
        ),
        by=by,
    )


def accept(
    county: LivingCounty, area: str = "yuantan_1", version: int = 1, by: str = "township"
) -> None:
    county.run(AcceptReport(report=county.id(f"report/{area}"), version=version), by=by)


def fits(page: Page, width: int) -> None:
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width, f"{page.url} is {wide} px wide"


def test_a_village_reports_the_township_accepts_and_the_county_board_changes_by_itself(
    server: str, open_page: OpenPage, axe: Check, shot: Shot
) -> None:
    board = open_page(DESK)
    enter(board, server, "county")
    board.goto(f"{server}/situation")
    expect(board.locator("[data-live-state]")).to_have_text("实时")
    expect(board.locator("main")).to_contain_text("没有灾情报告")
    board.evaluate("window.neverLeft = true")

    phone = open_page(PHONE)
    enter(phone, server, "village")
    phone.get_by_role("link", name="报灾").first.click()
    phone.get_by_label("灾种", exact=True).select_option("flood")
    press_until_filled(phone, "半小时前", "灾害发生时间")
    phone.get_by_label(re.compile("^受灾人口")).fill("１２０")
    phone.get_by_label(re.compile("^因灾受伤人口")).fill("2")
    phone.get_by_role("button", name="上报初报").click()
    expect(phone.locator("#receipt")).to_be_visible(timeout=30_000)
    row = board.get_by_role("row").filter(has=board.get_by_role("link", name="源潭居委会"))
    expect(row).to_contain_text("含未审共 120 人", timeout=WAIT)
    assert board.evaluate("window.neverLeft") is True, "the board changed by itself"
    expect(row).to_contain_text("未审")
    expect(phone.locator("#receipt")).to_contain_text(re.compile(r"收条号 \d+"))
    expect(phone.locator("#receipt")).to_contain_text("未审")
    axe(phone)
    fits(phone, PHONE)
    shot(phone, "story-receipt-phone")
    shot(board, "story-board-pending-desk")

    township = open_page(DESK)
    enter(township, server, "township")
    expect(township.locator("main")).to_contain_text("灾情待审核")
    township.get_by_role("link", name=re.compile("灾情待审核")).click()
    expect(township.locator("article")).to_contain_text("源潭居委会")
    axe(township)
    shot(township, "story-review-desk")
    township.get_by_role("button", name="通过").click()
    expect(township.locator("main")).to_contain_text("没有等您处理的事项")
    expect(row).to_contain_text("已采用", timeout=WAIT)
    assert board.evaluate("window.neverLeft") is True, "again by itself"
    expect(row.locator("b").first).to_have_text("120")
    expect(row).not_to_contain_text("未审")
    axe(board)
    shot(board, "story-board-accepted-desk")


def test_the_form_is_filled_in_and_sent_by_keyboard_alone(
    server: str, open_page: OpenPage, county: LivingCounty
) -> None:
    page = open_page(DESK)
    page.goto(f"{server}/login")
    page.keyboard.type("village")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="退出登录")).to_be_visible()
    page.goto(f"{server}/report/new")
    reach(page, "#hazard")
    page.keyboard.type("洪涝")
    reach(page, "[data-minutes='30']")
    page.keyboard.press("Enter")
    reach(page, "[name='figures.affected']")
    page.keyboard.type("86")
    reach(page, "[name='figures.dead']")
    page.keyboard.type("0")
    page.keyboard.press("Enter")
    expect(page.locator("[name='figures.missing']")).to_be_focused()  # nothing is sent halfway
    reach(page, ".report-form .send button")
    page.keyboard.press("Enter")
    expect(page.locator("#receipt")).to_be_visible()
    expect(page.locator(".figures-table")).to_contain_text("86")


def reach(page: Page, selector: str) -> None:
    """Tab to a field, as somebody without a mouse does."""
    for _ in range(60):
        if page.evaluate("s => document.activeElement?.matches(s) ?? false", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} is not reached by Tab")


def test_broken_arithmetic_is_asked_about_and_still_arrives(
    server: str, open_page: OpenPage, axe: Check, shot: Shot
) -> None:
    page = open_page(PHONE)
    enter(page, server, "village")
    page.goto(f"{server}/report/new")
    page.get_by_role("button", name="现在").click()
    page.locator("[name='figures.affected']").fill("3")
    page.locator("[name='figures.injured']").fill("5")
    expect(page.locator("[data-rules-summary]")).to_contain_text("仍可先提交")
    axe(page)
    fits(page, PHONE)
    shot(page, "form-questioned-phone")
    page.get_by_role("button", name="上报初报").click()
    expect(page.locator("#receipt")).to_be_visible()
    expect(page.locator(".questions")).to_contain_text("不影响本次上报")


def test_a_follow_up_shows_the_last_figures_and_asks_for_the_reason_of_a_big_jump(
    server: str, open_page: OpenPage, county: LivingCounty, shot: Shot
) -> None:
    flood(county, affected=100, injured=2)
    accept(county)
    page = open_page(PHONE)
    enter(page, server, "village")
    page.goto(f"{server}/report/new")
    page.get_by_role("link", name="续报").click()
    affected = page.locator("[name='figures.affected']")
    expect(affected).to_have_value("100")
    expect(page.locator("[data-field='figures.affected']")).to_contain_text("上次 100")
    reason = page.get_by_label("数字变化较大的原因")
    expect(reason).to_be_hidden()
    affected.fill("900")
    expect(reason).to_be_visible()
    shot(page, "form-jump-phone")
    page.get_by_role("button", name="上报续报").click()
    expect(page.locator("#explain-jump")).to_be_visible()
    page.locator("#explain-jump [name=reason]").fill("新核实两个村民组")
    page.get_by_role("button", name="补充说明").click()
    expect(page.locator(".history")).to_contain_text("新核实两个村民组")
    expect(page.locator("#explain-jump")).to_have_count(0)


def test_a_returned_report_is_corrected_with_the_reason_before_the_eyes(
    server: str, open_page: OpenPage, county: LivingCounty
) -> None:
    flood(county)
    township = open_page(DESK)
    enter(township, server, "township")
    township.goto(f"{server}/review")
    township.locator("summary", has_text="退回").first.click()
    township.get_by_role("button", name="确认退回").click()
    expect(township.get_by_role("alert")).to_be_visible()  # a reason is needed
    township.get_by_label(re.compile("退回原因")).fill("受伤人数与医院不符")
    township.get_by_role("button", name="确认退回").click()
    expect(township.locator("main")).to_contain_text("没有等您处理的事项")
    village = open_page(PHONE)
    enter(village, server, "village")
    village.get_by_role("link", name=re.compile("被退回")).click()
    expect(village.locator("main")).to_contain_text("受伤人数与医院不符")
    village.get_by_role("link", name="改正后重报").click()
    village.locator("[name='figures.injured']").fill("1")
    village.get_by_role("button", name="改正后重报").click()
    expect(village.locator("#receipt")).to_be_visible()
    expect(village.locator(".history li")).to_have_count(2)


def test_a_county_splits_its_figures_by_townships(
    server: str, open_page: OpenPage, axe: Check, shot: Shot
) -> None:
    page = open_page(DESK)
    enter(page, server, "county")
    page.goto(f"{server}/report/new")
    page.get_by_role("button", name="现在").click()
    page.get_by_label("源潭镇 受灾", exact=True).fill("70")
    page.get_by_label("水吼镇 受灾", exact=True).fill("30")
    page.get_by_role("button", name="用合计填上面的总数").click()
    expect(page.locator("[name='figures.affected']")).to_have_value("100")
    page.locator("[name='figures.collapsed_rooms']").fill("4")
    page.get_by_label("源潭镇 倒房", exact=True).fill("3")
    expect(page.locator(".split-table .differs")).to_have_text("3 ≠ 4")
    axe(page)
    shot(page, "form-county-desk")
    page.get_by_label("水吼镇 倒房", exact=True).fill("1")
    expect(page.locator(".split-table .differs")).to_have_count(0)
    page.get_by_role("button", name="上报初报").click()
    expect(page.locator("#receipt")).to_be_visible()
    expect(page.locator(".questions")).to_have_count(0)


def test_on_a_phone_the_parts_are_cards_that_open_and_nothing_scrolls_sideways(
    server: str, open_page: OpenPage, axe: Check, shot: Shot
) -> None:
    """The table of the parts was ten times as wide as the phone."""
    page = open_page(PHONE)
    enter(page, server, "county")
    page.goto(f"{server}/report/new")
    field = page.get_by_label("源潭镇 受灾", exact=True)
    expect(page.locator(".split-table")).to_be_visible()
    expect(field).to_be_hidden()
    page.get_by_role("button", name="填写 源潭镇").click()
    field.fill("7o")
    page.get_by_role("button", name="填写 源潭镇").click()
    expect(field).to_be_hidden()
    page.get_by_role("button", name="上报初报").click()
    expect(field).to_be_visible()  # refused: it is shown, and told
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill("70")
    wide = """() => [...document.querySelectorAll("main, .scroll, div:has(> .split-table)")]
        .filter((one) => one.scrollWidth > one.clientWidth).length"""
    assert page.evaluate(wide) == 0
    axe(page)
    fits(page, PHONE)
    shot(page, "split-phone")
    page.reload()
    expect(field).to_have_value("70")
    expect(field).to_be_visible()


def lively(county: LivingCounty) -> None:
    """Something of everything: accepted, waiting, returned, phoned in."""
    flood(county)
    accept(county)
    at = county.now
    county.run(
        FileFollowUp(
            report=county.id("report/yuantan_1"),
            as_of=at,
            narrative="三组进水，正在转移",
            figures={"affected": 150, "injured": 2, "collapsed_rooms": 3, "severely_injured": 4},
        ),
        by="village",
    )
    flood(county, "yuantan_2", "village2", affected=40)
    county.run(
        ReturnReport(report=county.id("report/yuantan_2"), version=1, reason="请核对倒房数"),
        by="township",
    )
    county.run(
        PhoneInReport(
            report=county.id("report/shuihou_1"),
            area=county.id("shuihou_1"),
            occurred_at=at - timedelta(hours=3),
            as_of=at,
            called_at=at,
            hazard="flood",
            figures={"affected": 1234, "dead": 0, "loss_total": "88.50"},
        ),
        by="township2",
    )


@pytest.mark.parametrize(
    ("width", "dark"), [(PHONE, True), (DESK, False)], ids=["phone-dark", "desk-light"]
)
def test_every_page_of_reporting_is_open_to_everybody(
    server: str,
    county: LivingCounty,
    open_page: OpenPage,
    axe: Check,
    shot: Shot,
    width: int,
    dark: bool,
) -> None:
    lively(county)
    report = county.id("report/yuantan_1")
    pages = {
        "village": (
            "",
            "report/new",
            f"report/{report}/file?kind=follow_up",
            f"report/{report}",
            f"report/{report}/file?kind=zero",
        ),
        "township": ("", "review", f"report/{report}", "timeline"),
        "county": ("", "situation", f"timeline/{report}", "report/new?phone=true", "report/new"),
    }
    for name, paths in pages.items():
        page = open_page(width, dark=dark)
        enter(page, server, name)
        for path in paths:
            page.goto(f"{server}/{path}")
            expect(page.locator("h1")).to_be_visible()
            axe(page)
            fits(page, width)
            plain = re.sub(r"[0-9a-f-]{36}", "one", path).replace("/", "-").replace("?", "-")
            shot(page, f"{name}-{plain or 'home'}-{width}-{'dark' if dark else 'light'}")


def test_every_page_is_complete_in_english(
    server: str, county: LivingCounty, open_page: OpenPage, shot: Shot
) -> None:
    lively(county)
    report = county.id("report/yuantan_1")
    page = open_page(DESK)
    enter(page, server, "county")
    page.get_by_role("link", name="English").click()
    for path in ("", "situation", "review", f"report/{report}", f"timeline/{report}"):
        page.goto(f"{server}/{path}")
        expect(page.get_by_role("button", name="Log out")).to_be_visible()
        shot(page, f"english-{path.split('/')[0] or 'home'}")


def test_a_verified_report_that_is_corrected_asks_for_its_reason(
    server: str, open_page: OpenPage, county: LivingCounty
) -> None:
    """The rule wanted a reason for which the form showed no field, unless a figure jumped."""
    flood(county)
    accept(county)
    report = county.id("report/yuantan_1")
    county.run(StabilizeReport(report=report, stable_at=county.now), by="county")
    county.run(
        FileVerifiedReport(
            report=report, as_of=county.now, figures={"affected": 100, "dead": 0, "missing": 0}
        ),
        by="village",
    )
    accept(county, version=2)
    page = open_page(PHONE)
    enter(page, server, "village")
    page.goto(f"{server}/report/{report}/file?kind=verified")
    page.locator("[name='figures.affected']").fill("101")
    page.get_by_label("更正的理由").fill("漏报一人")
    page.get_by_role("button", name="上报核报").click()
    page.wait_for_url(re.compile(r"\?after="))
