"""A board whose view is behind the log says so, and takes it back when it has caught up."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from eventstore.sql import begun
from projections.folding.parking import BEHIND, park
from tests.browser.conftest import DESK, PHONE, Check, OpenPage, Serve, Shot
from tests.browser.fake_desk import FakeDesk
from tests.browser.test_relief_pages import enter
from tests.projections.folding import unread
from tests.web.relief_desk import RunningDemo, running_demo

BEHIND_SENTENCE = "看板落后"


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_a_board_that_waits_for_its_view_says_since_when_and_how_old_it_is(
    width: int, desk: FakeDesk, address: str, open_page: OpenPage, axe: Check, shot: Shot
) -> None:
    page = open_page(width)
    page.goto(f"{address}/board")
    expect(page.locator("[data-live-state]")).to_have_text("实时")
    expect(page.locator("[data-live-as-of]")).to_have_text("14:05:12")
    desk.head, desk.behind_seconds = desk.head + 7, 62.0
    expect(page.locator("[data-live-state]")).to_have_text("落后", timeout=2_000)
    expect(page.locator("[data-live-sentence]")).to_contain_text(BEHIND_SENTENCE)
    expect(page.locator("[data-live-since]")).to_contain_text("已落后 6")
    expect(page.locator("[data-live-lag]")).to_have_text("7")
    expect(page.locator("[data-live-as-of]")).to_have_text("14:04:10")
    expect(page.locator("[data-live-age]")).not_to_have_text("刚刚")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    axe(page)
    shot(page, f"board-late-{width}")
    desk.behind_seconds = None
    desk.position = desk.head
    expect(page.locator("[data-live-alarm]")).to_be_hidden()
    expect(page.locator("[data-live-state]")).to_have_text("实时")


def test_a_lag_of_a_moment_alarms_nobody(desk: FakeDesk, address: str, open_page: OpenPage) -> None:
    page = open_page()
    page.goto(f"{address}/board")
    expect(page.locator("[data-live-state]")).to_have_text("实时")
    desk.head, desk.behind_seconds = desk.head + 1, 1.0
    expect(page.locator("[data-live-lag]")).to_have_text("1")
    page.wait_for_timeout(1_500)
    expect(page.locator("[data-live-alarm]")).to_be_hidden()


def test_a_lag_whose_age_nobody_knows_alarms_after_five_seconds(
    desk: FakeDesk, address: str, open_page: OpenPage
) -> None:
    page = open_page()
    page.goto(f"{address}/board")
    expect(page.locator("[data-live-state]")).to_have_text("实时")
    desk.head += 1
    expect(page.locator("[data-live-lag]")).to_have_text("1")
    expect(page.locator("[data-live-alarm]")).to_be_hidden()
    expect(page.locator("[data-live-sentence]")).to_contain_text(BEHIND_SENTENCE, timeout=8_000)


def test_trouble_with_the_database_of_the_views_is_told_at_once(
    desk: FakeDesk, address: str, open_page: OpenPage
) -> None:
    page = open_page()
    page.goto(f"{address}/board?lang=en")
    desk.trouble = True
    expect(page.locator("[data-live-sentence]")).not_to_be_empty(timeout=2_000)
    desk.trouble = False
    expect(page.locator("[data-live-alarm]")).to_be_hidden()


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[RunningDemo]:
    with running_demo(tmp_path) as one:
        yield one


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_the_page_of_parked_facts_is_read_on_a_desk_and_on_a_phone(
    width: int, demo: RunningDemo, serve: Serve, open_page: OpenPage, axe: Check, shot: Shot
) -> None:
    log = demo.system.store.log.rows(0, 10**6)
    rows = [row for row in log if row[3].startswith("Household.Registered")]
    facts = [
        ("households", unread(row), BEHIND if n % 2 else "KeyError: 'card'")
        for n, row in enumerate(rows[:4])
    ]
    page: Page = open_page(width)
    with serve(demo.app()) as server:
        enter(page, server, "auditor")
        page.goto(f"{server}/parked")
        expect(page.get_by_text("没有搁置的记录")).to_be_visible()
        shot(page, f"parked-empty-{width}")
        with demo.system.views.lock, begun(demo.system.views.db):
            park(demo.system.views.db, facts)
        page.reload()
        expect(page.locator("[data-row]")).to_have_count(4)
        expect(page.get_by_text("KeyError").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        axe(page)
        shot(page, f"parked-{width}")
        commands = page.locator("pre")
        commands.first.focus()
        page.keyboard.press("Tab")
        expect(commands.nth(1)).to_be_focused()
