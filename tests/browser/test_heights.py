"""Pages with many rows stay short on a phone: some screens, and a way to the rest of them."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, HEIGHTS, PHONE, OpenPage, Serve
from tests.browser.test_relief_pages import enter
from tests.web.relief_desk import RunningDemo, running_demo

SCREENS = 7
"""At most, on a phone: what a thumb still gets through. A list of 50 rows had 23, of 100 had 38."""

LONG = (
    ("county-approver", "/ledger", None),
    ("county-approver", "/lists", None),
    ("county-approver", "/lists", "table.cards th a"),
    ("county-storekeeper", "/stock", None),
    ("county-storekeeper", "/stock", "a[href^='/stock/stockpiles/']"),
    ("county-storekeeper", "/stock/consignments", None),
    ("auditor", "/funds", None),
    ("auditor", "/funds", "table.cards th a"),
    ("auditor", "/findings", None),
    ("county-approver", "/timeline", None),
    ("county-approver", "/situation", None),
    ("city-reviewer", "/situation", None),
    ("dispatcher", "/dispatch/past", None),
)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    with running_demo(tmp_path_factory.mktemp("demo")) as one:
        yield one


@pytest.fixture
def server(demo: RunningDemo, serve: Serve) -> Iterator[str]:
    with serve(demo.app()) as address:
        yield address


def test_no_list_is_taller_than_some_screens_of_a_phone(server: str, open_page: OpenPage) -> None:
    page, inside, tall = open_page(PHONE), "", {}
    for officer, address, link in LONG:
        if officer != inside:
            page.context.clear_cookies()
            enter(page, server, officer)
            inside = officer
        page.goto(server + address)
        if link is not None:
            there = page.locator(link).first.get_attribute("href")
            page.goto(f"{server}{there}")
        height = page.evaluate("document.documentElement.scrollHeight")
        if height > SCREENS * HEIGHTS[PHONE]:
            tall[f"{address} {link or ''}"] = height
    assert tall == {}


def test_the_rest_of_a_long_page_is_shown_when_asked_and_always_on_a_desk(
    server: str, open_page: OpenPage
) -> None:
    phone = open_page(PHONE)
    enter(phone, server, "county-approver")
    phone.goto(f"{server}/lists")
    phone.goto(server + str(phone.locator("table.cards th a").first.get_attribute("href")))
    folded = phone.locator(".story .folded")
    assert folded.count() > 0
    expect(folded.first).to_be_hidden()
    phone.get_by_label("显示全部内容").check()
    expect(folded.first).to_be_visible()
    phone.get_by_label("显示全部内容").uncheck()
    phone.goto(f"{phone.url.partition('#')[0]}#{folded.first.get_attribute('id')}")
    expect(folded.first).to_be_visible()
    desk = open_page(DESK)
    enter(desk, server, "county-approver")
    desk.goto(phone.url.partition("#")[0])
    expect(desk.locator(".story .folded").first).to_be_visible()


def test_no_cell_is_one_character_wide_on_a_phone(server: str, open_page: OpenPage) -> None:
    page, inside = open_page(PHONE), ""
    for officer, address, link in LONG:
        if officer != inside:
            page.context.clear_cookies()
            enter(page, server, officer)
            inside = officer
        page.goto(server + address)
        if link is not None:
            page.goto(f"{server}{page.locator(link).first.get_attribute('href')}")
        thin = page.evaluate(
            """() => [...document.querySelectorAll('td, th')].filter((cell) => {
                const box = cell.getBoundingClientRect();
                const words = cell.innerText.trim();
                return box.width > 1 && words.length > 5 && box.width < 48 && box.height > 90;
            }).map((cell) => cell.innerText)"""
        )
        assert thin == [], address
