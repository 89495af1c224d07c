"""What is printed, and what a phone shows of a large area, in a real browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE, Check, OpenPage, Serve, Shot
from tests.browser.test_relief_pages import enter, season_2017
from tests.web.relief_desk import RunningDemo, running_demo

SHEET = re.compile(rb"/Type\s*/Page\b(?!s)")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    """Nothing here is written: one demo does for all."""
    with running_demo(tmp_path_factory.mktemp("print")) as one:
        yield one


@pytest.fixture(scope="module")
def server(demo: RunningDemo, module_serve: Serve) -> Iterator[str]:
    with module_serve(demo.app()) as address:
        yield address


def sheets(page: Page, name: str) -> int:
    pdf = page.pdf(prefer_css_page_size=True)
    Path(f"/tmp/{name}.pdf").write_bytes(pdf)
    return len(SHEET.findall(pdf))


def test_the_printed_form_begins_on_its_first_sheet(server: str, open_page: OpenPage) -> None:
    """The banner alone once filled the first sheet, and the form began on the second."""
    page = open_page(DESK)
    enter(page, server, "county-approver")
    season_2017(page, server)
    page.get_by_label("状态", exact=True).select_option("failed")
    expect(page).to_have_url(re.compile("status=failed"))
    page.get_by_role("link", name="打印应急统表10").click()
    expect(page.locator("h1")).to_contain_text("应急统表10")
    assert page.locator("table.form tbody tr").count() < 10
    assert sheets(page, "form-10") == 1


def test_a_load_has_its_papers_on_a_sheet_each_and_a_count_says_its_sum(
    server: str, open_page: OpenPage, axe: Check
) -> None:
    page = open_page(DESK)
    enter(page, server, "county-storekeeper")
    page.goto(f"{server}/stock/consignments?status=shipped")
    page.locator("tbody th a").first.click()
    good = page.locator('[name="counts.0.good"]')
    damaged = page.locator('[name="counts.0.damaged"]')
    expect(good).to_have_value("80")
    told = page.locator("[data-row-sum]")
    expect(told).to_be_hidden()
    good.fill("79")
    expect(told).to_have_text("合计 79，发出的是 80")
    axe(page)
    damaged.fill("1")
    expect(told).to_be_hidden()
    here = page.url
    for name in ("出库单", "验收单"):
        page.goto(here)
        page.get_by_role("listitem").filter(has_text=name).get_by_role("link").click()
        expect(page.locator("h1")).to_contain_text(name)
        assert sheets(page, "paper") == 1
        axe(page)


def test_back_brings_the_search_again(server: str, open_page: OpenPage) -> None:
    page = open_page(DESK)
    enter(page, server, "county-approver")
    season_2017(page, server)
    page.locator("[data-search]").fill("双峰")
    expect(page).to_have_url(re.compile("search="))
    rows = page.locator("#ledger-rows [data-row]")
    count = rows.count()
    first = str(rows.first.get_attribute("id"))
    link = str(page.get_by_role("link", name="下载 CSV").get_attribute("href"))
    assert "search=" in link
    rows.first.locator("a[href^='/households/']").click()
    expect(page.get_by_role("heading", name="全部经过")).to_be_visible()
    page.go_back()
    expect(page.locator("[data-search]")).to_have_value("双峰")
    expect(rows).to_have_count(count)
    expect(rows.first).to_have_id(first)


def test_a_search_that_takes_its_time_says_so(server: str, open_page: OpenPage) -> None:
    page = open_page(DESK)
    enter(page, server, "county-approver")
    page.goto(f"{server}/ledger")
    expect(page.locator("[data-keys-footer]")).to_be_visible()
    held = []
    page.route("**/ledger/rows*", lambda route: held.append(route))
    page.locator("[data-search]").fill("双峰")
    expect(page.locator("#ledger-busy")).to_be_visible()
    expect(page.locator("#ledger-busy")).to_have_text("正在查找…")
    held[0].continue_()
    expect(page.locator("#ledger-busy")).to_be_hidden()


def test_the_situation_of_a_province_fits_on_a_phone(
    server: str, open_page: OpenPage, axe: Check, shot: Shot
) -> None:
    page = open_page(PHONE)
    enter(page, server, "province-reviewer")
    page.goto(f"{server}/situation")
    deep = page.locator("tr.depth-2, tr.depth-3")
    assert deep.count() > 0
    expect(deep.first).to_be_hidden()
    folded = page.evaluate("document.documentElement.scrollHeight")
    axe(page)
    shot(page, "situation-phone-folded")
    for language in ("en", "zh"):  # a long name in the list of disasters once made it wider
        page.goto(f"{server}/situation?lang={language}")
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= PHONE, language
        shot(page, f"situation-phone-{language}")
    page.get_by_label("显示各级下属区划").check()
    expect(deep.first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollHeight") > folded
    axe(page)
    shot(page, "situation-phone")
    desk = open_page(DESK)
    enter(desk, server, "province-reviewer")
    desk.goto(f"{server}/situation")
    shown = desk.locator(".situation tbody time").first
    box = shown.bounding_box()
    assert box is not None and box["height"] < 40  # one line, not one character a line
    shot(desk, "situation-desk")
