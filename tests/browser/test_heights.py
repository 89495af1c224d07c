"""Pages with many rows stay short on a phone, and there is a way to the rest of them."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from domain.commands.reports import FileFollowUp, FileInitialReport
from domain.commands.reviews import AcceptReport
from tests.browser.conftest import DESK, HEIGHTS, PHONE, Check, OpenPage, Serve, Shot
from tests.browser.test_every_page import SCREENS
from tests.browser.test_relief_pages import enter
from tests.browser.test_story import enter as enter_county
from tests.web.desk import LivingCounty, living_county
from tests.web.relief_desk import RunningDemo, running_demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    with running_demo(tmp_path_factory.mktemp("demo")) as one:
        yield one


@pytest.fixture
def server(demo: RunningDemo, serve: Serve) -> Iterator[str]:
    with serve(demo.app()) as address:
        yield address


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


REPORTS = 27
"""All to be reviewed by one township; as many were 19,470 px once."""


def filed(county: LivingCounty, n: int) -> None:
    """A report that changed much since it was accepted, and says nothing of why; two are alike."""
    at = county.now - timedelta(minutes=40, hours=2 * (n // 2))
    report, figures = county.id(f"many/{n}"), {"affected": 90 + n, "dead": 0, "collapsed_rooms": 3}
    county.run(
        FileInitialReport(
            report=report,
            area=county.id("yuantan_1"),
            occurred_at=at,
            as_of=at,
            hazard="flood",
            figures=figures,
        ),
        by="village",
    )
    if n % 3 == 0:
        return
    county.run(AcceptReport(report=report, version=1), by="township")
    county.run(
        FileFollowUp(
            report=report,
            as_of=at + timedelta(minutes=20),
            figures={"affected": 9000 + n, "dead": 1, "collapsed_rooms": 60, "loss_total": "12.5"},
            narrative="二组、三组进水，正在转移。" * 3,
        ),
        by="village",
    )


@pytest.fixture
def many(tmp_path: Path) -> Iterator[LivingCounty]:
    with living_county(tmp_path / "many") as county:
        for n in range(REPORTS):
            filed(county, n)
        yield county


def turned(page: Page, way: str = "下一页") -> None:
    link = page.get_by_role("link", name=way)
    there = str(link.get_attribute("href"))
    link.click()
    page.wait_for_url(re.compile(re.escape(there)))


def short(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollHeight") <= SCREENS * HEIGHTS[PHONE]


def test_the_queue_is_paged_and_short_and_stays_where_the_reader_is(
    many: LivingCounty, serve: Serve, open_page: OpenPage, axe: Check, shot: Shot
) -> None:
    page = open_page(PHONE)
    cards, whole = page.locator("article.panel"), f"待审核灾情共 {REPORTS} 份"
    with serve(many.app()) as server:
        enter_county(page, server, "township")
        page.goto(f"{server}/review")
        expect(page.locator("main")).to_contain_text(whole)
        expect(cards).to_have_count(10)
        shot(page, "review-first-phone")
        short(page)
        axe(page)
        first = cards.first.get_attribute("id")
        turned(page)
        turned(page)
        expect(page.locator(".pages")).to_contain_text(f"第 21–{REPORTS} 条，共 {REPORTS} 条")
        expect(page.locator("main")).to_contain_text(whole)
        expect(cards).to_have_count(REPORTS - 20)
        short(page)

        # All that a decision needs is one tap away, and stays open while the board refreshes.
        card = page.locator("article.panel:has(table.changes)").first
        table, id = card.locator("table.changes"), card.get_attribute("id")
        expect(table).to_be_hidden()
        expect(card.locator(".in-short mark").first).to_be_visible()
        card.get_by_label("看详情").check()
        expect(table).to_be_visible()
        expect(card.get_by_text("二组、三组进水").first).to_be_visible()
        expect(page.locator("[data-live-state]")).to_have_text("实时")
        filed(many, REPORTS * 3)
        expect(page.locator("main")).to_contain_text(f"待审核灾情共 {REPORTS + 1} 份")
        expect(page.locator(f"#{id} table.changes")).to_be_visible()
        expect(page.locator(f"#{first}")).to_have_count(0)

        # Who decides here stays here; the numbers of the rows follow.
        page.locator(f"#{id}").get_by_role("button", name="通过").click()
        expect(page.locator(f"#{id}")).to_have_count(0)
        told = page.locator("[data-told]")
        accepted = re.compile(r"已通过.+的.+（第 \d+ 版）：数字从现在起计入公开数")
        expect(told).to_contain_text(accepted)
        expect(page.locator(".pages")).to_contain_text(f"第 21–{REPORTS} 条，共 {REPORTS} 条")
        turned(page, "上一页")
        expect(page.locator(".pages")).to_contain_text("第 11–20 条")
        turned(page, "上一页")
        expect(page.locator(f"#{first}")).to_be_visible()
        expect(page.get_by_role("link", name="上一页")).to_have_count(0)


def test_a_page_of_the_queue_that_has_been_dealt_with_is_the_first_again(
    many: LivingCounty, serve: Serve, open_page: OpenPage
) -> None:
    page = open_page(PHONE)
    with serve(many.app()) as server:
        enter_county(page, server, "township")
        page.goto(f"{server}/review")
        turned(page)
        turned(page)
        expect(page.locator("article.panel")).to_have_count(REPORTS - 20)
        shown = page.locator("article.panel form[data-version]").evaluate_all(
            "all => all.map(one => [one.dataset.subject, Number(one.dataset.version)])"
        )
        for report, version in shown:
            many.run(AcceptReport(report=UUID(report), version=version), by="township")
        expect(page.locator("article.panel")).to_have_count(10)
        expect(page.locator("main")).to_contain_text("待审核灾情共 20 份")
