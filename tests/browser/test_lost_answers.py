"""An answer that was lost, and a form that was corrected meanwhile: whose newer version it is.

A follow-up whose answer was lost was booked; its correction was then refused as somebody else's
newer version, and the officer was asked to compare their own figures with their own figures.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, Route, expect

from domain.commands.reviews import StabilizeReport
from projections.asking.report_queries import situation_report
from projections.asking.scope import EVERYTHING
from tests.browser.conftest import DESK, PHONE, OpenPage, Serve
from tests.browser.test_drafts import AFFECTED, lose_one_answer, newer, ready
from tests.browser.test_story import accept, enter, flood
from tests.web.desk import LivingCounty, living_county

BOOKED = re.compile(r"/report/[0-9a-f-]{36}\?after=\d+")


@pytest.fixture
def county(tmp_path: Path) -> Iterator[LivingCounty]:
    with living_county(tmp_path / "county") as one:
        flood(one, affected=100, dead=0, injured=2)
        yield one


@pytest.fixture
def server(county: LivingCounty, serve: Serve) -> Iterator[str]:
    with serve(county.app()) as address:
        yield address


def now_at(county: LivingCounty) -> tuple[int, str]:
    """Number of the newest version, and how many it says are affected."""
    with county.system.reader() as db:
        found = situation_report(db, EVERYTHING, report=county.id("report/yuantan_1"))
    assert found is not None
    return found["number"], found["figures"]["affected"]


def open_form(page: Page, server: str, county: LivingCounty, kind: str) -> None:
    page.goto(f"{server}/report/{county.id('report/yuantan_1')}/file?kind={kind}")
    ready(page, f"#report-{kind}")


def send(page: Page) -> None:
    page.locator(".send button").click()


@pytest.mark.parametrize(
    ("kind", "officer", "carried"),
    [
        ("follow_up", "village", "follow_up"),
        ("verified", "village", "verified"),
        ("phone_follow_up", "township", "phone_follow_up"),
    ],
)
def test_a_correction_after_a_lost_answer_is_a_follow_up_of_ones_own(
    server: str, county: LivingCounty, open_page: OpenPage, kind: str, officer: str, carried: str
) -> None:
    if kind == "verified":
        report = county.id("report/yuantan_1")
        county.run(StabilizeReport(report=report, stable_at=county.now), by="county")
    page = open_page(PHONE)
    enter(page, server, officer)
    open_form(page, server, county, kind)
    page.locator(AFFECTED).fill("130")
    lose_one_answer(page, f"**/v1/situation-reports/{county.id('report/yuantan_1')}/*")
    send(page)
    expect(page.get_by_role("alert")).to_contain_text("不会重复入账")
    page.locator(AFFECTED).fill("150")
    send(page)
    page.wait_for_url(BOOKED)
    assert now_at(county) == (2, "130")
    unsent = page.locator(f"[data-draft-of='report-{carried}']")
    expect(unsent).to_contain_text("没有上报的改动")
    unsent.get_by_role("link").click()
    ready(page, f"#report-{carried}")
    expect(page.locator("[data-draft-asks]")).to_have_count(0)
    expect(page.locator(AFFECTED)).to_have_value("150")
    send(page)
    page.wait_for_url(BOOKED)
    assert now_at(county) == (3, "150")


def test_a_zero_report_whose_answer_was_lost_is_booked_once(
    server: str, county: LivingCounty, open_page: OpenPage
) -> None:
    page = open_page(PHONE)
    enter(page, server, "village")
    open_form(page, server, county, "zero")
    lose_one_answer(page, "**/zero-reports")
    send(page)
    expect(page.get_by_role("alert")).to_contain_text("不会重复入账")
    page.locator("#narrative").fill("水已退")
    send(page)
    page.wait_for_url(BOOKED)
    assert now_at(county) == (2, "100")
    page.locator("[data-draft-of='report-follow_up']").get_by_role("link").click()
    ready(page, "#report-follow_up")
    expect(page.locator("#narrative")).to_have_value("水已退")


def test_a_reload_between_does_not_book_it_again(
    server: str, county: LivingCounty, open_page: OpenPage
) -> None:
    """The page shows one's own booked version then; its "as of" is another minute's."""
    page = open_page(PHONE)
    enter(page, server, "village")
    open_form(page, server, county, "follow_up")
    page.locator(AFFECTED).fill("130")
    lose_one_answer(page, "**/follow-ups")
    send(page)
    expect(page.get_by_role("alert")).to_contain_text("不会重复入账")
    page.reload()
    ready(page, "#report-follow_up")
    page.locator("#as_of, [name='as_of']").first.fill("2018-07-03T13:59")
    page.locator(AFFECTED).fill("131")
    send(page)
    page.wait_for_url(BOOKED)
    assert now_at(county) == (2, "130")


def test_a_try_that_was_still_on_its_way_is_recognized_when_the_next_is_refused(
    server: str, county: LivingCounty, open_page: OpenPage
) -> None:
    page = open_page(DESK)
    enter(page, server, "village")
    open_form(page, server, county, "follow_up")
    sent: list[Request] = []

    def slow(route: Route) -> None:
        sent.append(route.request)
        if len(sent) == 1:
            route.abort("connectionreset")
            return
        first = sent[0]
        route.fetch(post_data=first.post_data or "", headers=first.all_headers())
        route.continue_()

    page.route("**/follow-ups", slow, times=2)
    page.locator(AFFECTED).fill("130")
    send(page)
    expect(page.get_by_role("alert")).to_contain_text("不会重复入账")
    page.locator(AFFECTED).fill("150")
    send(page)
    page.wait_for_url(BOOKED)
    assert now_at(county) == (2, "130")
    expect(page.locator("[data-draft-of='report-follow_up']")).to_be_visible()


def test_a_version_that_is_really_somebody_elses_is_still_asked_about(
    server: str, county: LivingCounty, open_page: OpenPage
) -> None:
    """The first try never arrived, and the township filed meanwhile."""
    page = open_page(DESK)
    enter(page, server, "village")
    open_form(page, server, county, "follow_up")
    page.locator(AFFECTED).fill("130")
    page.route("**/follow-ups", lambda route: route.abort("connectionreset"), times=1)
    send(page)
    expect(page.get_by_role("alert")).to_contain_text("不会重复入账")
    newer(county, affected=480, dead=2)
    page.locator(AFFECTED).fill("150")
    send(page)
    expect(page.get_by_role("alert")).to_contain_text("已有新的一版")
    page.get_by_role("button", name="看新的一版").click()
    expect(page.locator("[data-draft-asks]")).to_contain_text("用新的一版：480")
    assert now_at(county)[0] == 2


def test_a_form_without_a_next_version_shows_what_was_booked(
    server: str, county: LivingCounty, open_page: OpenPage
) -> None:
    """A reason that was corrected after its answer was lost: "already withdrawn" told nothing."""
    page = open_page(DESK)
    enter(page, server, "village")
    page.goto(f"{server}/report/{county.id('report/yuantan_1')}")
    ready(page, "#withdraw-report")
    page.locator("details:has(#withdraw-report) > summary").click()
    reason = page.locator("#withdraw-report-reason")
    reason.fill("报错了村")
    lose_one_answer(page, "**/withdrawals")
    page.locator("#withdraw-report button[type=submit]").click()
    expect(page.get_by_role("alert")).to_contain_text("不会重复入账")
    reason.fill("报错了村，应为二村")
    page.locator("#withdraw-report button[type=submit]").click()
    told = page.get_by_role("alert")
    expect(told).to_contain_text("已经入账")
    told.get_by_role("link").click()
    expect(page.locator("main")).to_contain_text("报错了村")


def test_discarding_what_was_typed_does_not_forget_what_was_sent(
    server: str, county: LivingCounty, open_page: OpenPage
) -> None:
    page = open_page(DESK)
    enter(page, server, "village")
    open_form(page, server, county, "follow_up")
    page.locator(AFFECTED).fill("130")
    lose_one_answer(page, "**/follow-ups")
    send(page)
    expect(page.get_by_role("alert")).to_contain_text("不会重复入账")
    page.reload()
    ready(page, "#report-follow_up")
    page.locator("[data-draft]").get_by_role("button").click()
    page.locator("#as_of, [name='as_of']").first.fill("2018-07-03T13:59")
    page.locator(AFFECTED).fill("140")
    send(page)
    page.wait_for_url(BOOKED)
    assert now_at(county) == (2, "130")
    expect(page.locator("[data-draft-of='report-follow_up']")).to_be_visible()


def test_nothing_is_sent_while_nobody_can_say_what_became_of_the_earlier_try(
    server: str, county: LivingCounty, open_page: OpenPage
) -> None:
    page = open_page(DESK)
    enter(page, server, "village")
    accept(county)
    open_form(page, server, county, "follow_up")
    page.locator(AFFECTED).fill("130")
    lose_one_answer(page, "**/follow-ups")
    send(page)
    expect(page.get_by_role("alert")).to_contain_text("不会重复入账")
    page.route("**/v1/receipts/*", lambda route: route.abort("connectionreset"), times=1)
    page.locator(AFFECTED).fill("150")
    send(page)
    expect(page.get_by_role("alert")).to_contain_text("不会重复入账")
    assert now_at(county) == (2, "130")
    send(page)
    page.wait_for_url(BOOKED)
    assert now_at(county) == (2, "130")
