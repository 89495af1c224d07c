"""The box of everything by the keyboard, on the small demo: /, arrows, Enter, Escape, Back."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE, Check, OpenPage, Serve, Shot
from tests.browser.test_relief_pages import enter
from tests.web.relief_desk import running_demo


@pytest.fixture
def server(tmp_path: Path, serve: Serve) -> Iterator[str]:
    with running_demo(tmp_path) as demo, serve(demo.app()) as address:
        yield address


def test_what_was_found_for_other_words_does_not_stand_below_new_ones(
    server: str, open_page: OpenPage, axe: Check, shot: Shot
) -> None:
    page = open_page()
    enter(page, server, "county-approver")
    page.goto(f"{server}/search")
    words, rows = page.locator("[data-results]"), page.locator("#found [data-row]")
    words.fill("yuantan")
    page.keyboard.press("Enter")
    expect(rows.first).to_be_visible()
    words.press("End")
    page.keyboard.type("x")
    expect(rows.first).to_be_hidden()
    expect(page.get_by_role("status").filter(has_text="按回车")).to_be_visible()
    axe(page)
    shot(page, "found-for-other-words-1440")
    page.keyboard.press("Backspace")
    expect(rows.first).to_be_visible()


def test_a_matter_is_found_opened_and_come_back_from_without_a_mouse(
    server: str, open_page: OpenPage, axe: Check, shot: Shot
) -> None:
    page = open_page()
    enter(page, server, "county-approver")
    page.goto(f"{server}/situation")
    expect(page.locator("[data-keys-footer]")).to_be_visible()
    find = page.get_by_role("search", name="查找")
    expect(find).to_be_hidden()
    page.keyboard.press("/")
    expect(page.locator("[data-find]")).to_be_focused()
    axe(page)
    shot(page, "find-open-1440")
    page.keyboard.press("Escape")
    expect(find).to_be_hidden()

    page.keyboard.press("/")
    page.keyboard.type("yuantan", delay=10)
    page.keyboard.press("Enter")
    words = page.locator("[data-results]")
    expect(words).to_be_focused()
    expect(words).to_have_value("yuantan")
    expect(page.get_by_role("status").filter(has_text=re.compile(r"找到 \d+ 条"))).to_be_visible()
    assert "yuantan" not in page.url
    axe(page)
    shot(page, "found-1440")

    rows = page.locator("#found [data-row]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_have_attribute("aria-current", "true")
    expect(rows.nth(1).locator("a")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(words).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    chosen = rows.nth(1).locator("a").get_attribute("href")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{server}{chosen}")

    page.go_back()
    expect(words).to_have_value("yuantan")
    expect(rows.nth(1)).to_have_attribute("aria-current", "true")
    page.keyboard.press("Escape")
    expect(words).to_be_focused()
    page.keyboard.press("Escape")
    page.wait_for_url(f"{server}/situation")


def test_a_list_s_own_box_comes_first_and_the_other_by_pressing_again(
    server: str, open_page: OpenPage
) -> None:
    page = open_page()
    enter(page, server, "county-approver")
    page.goto(f"{server}/ledger")
    expect(page.locator("[data-keys-footer]")).to_be_visible()
    page.keyboard.press("/")
    expect(page.locator("#ledger-search")).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("[data-find]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#ledger-search")).to_be_focused()


def test_a_box_that_is_folded_away_is_not_gone_to(server: str, open_page: OpenPage) -> None:
    """It takes no focus: the key seemed to do nothing."""
    page = open_page()
    enter(page, server, "administrator")
    page.goto(f"{server}/officers?lang=zh")
    page.locator("main [data-row] a[href^='/officers/']").first.click()
    folded = page.locator("[data-search]").first
    expect(folded).to_be_attached()
    expect(folded).to_be_hidden()
    page.keyboard.press("/")
    expect(page.locator("[data-find]")).to_be_focused()


TOP = "document.querySelector('main').getBoundingClientRect().top"


def test_on_a_phone_an_icon_opens_it_and_moves_nothing(
    server: str, open_page: OpenPage, axe: Check, shot: Shot
) -> None:
    page = open_page(PHONE)
    enter(page, server, "county-approver")
    page.goto(f"{server}/situation")
    icon = page.get_by_role("link", name="查找", exact=True)
    size = icon.bounding_box()
    assert size is not None and size["width"] >= 44 and size["height"] >= 44
    before = page.evaluate(TOP)
    shot(page, "find-closed-375")
    icon.click()
    expect(page.locator("[data-find]")).to_be_focused()
    assert page.evaluate(TOP) == before
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE
    axe(page)
    shot(page, "find-open-375")
    page.locator("[data-find]").fill("洪涝")
    page.locator("#find").get_by_role("button", name="查找").click()
    expect(page.locator("#found [data-row]").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE
    axe(page)
    shot(page, "found-375")


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_without_scripts_the_icon_leads_to_the_page_of_it(
    server: str, open_page: OpenPage, width: int
) -> None:
    page = open_page(width, java_script_enabled=False)
    enter(page, server, "county-approver")
    page.goto(f"{server}/situation")
    page.get_by_role("link", name="查找", exact=True).click()
    page.get_by_role("searchbox").fill("源潭")
    page.get_by_role("button", name="查找").click()
    expect(page.locator("#found [data-row]").first).to_be_visible()
    page.locator("#found a").first.click()
    page.go_back()
    expect(page.get_by_role("searchbox")).to_have_value("源潭")
