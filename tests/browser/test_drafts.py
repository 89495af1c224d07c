"""What was typed and not sent: never lost, never another village's, never over newer figures.

And what was sent without an answer: booked once, and never a locked form.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Page, Route, expect

from domain.commands.reports import FileFollowUp
from projections.asking.report_queries import situation_report, situation_reports
from projections.asking.scope import EVERYTHING
from projections.dispatch import incidents
from tests.browser.conftest import DESK, PHONE, Check, OpenPage, Serve, Shot
from tests.browser.test_relief_pages import enter as enter_demo
from tests.browser.test_relief_pages import opened
from tests.browser.test_story import accept, enter, fits, flood
from tests.web.desk import LivingCounty, living_county
from tests.web.relief_desk import RunningDemo, running_demo

AFFECTED = "[name='figures.affected']"
DEAD = "[name='figures.dead']"


@pytest.fixture
def county(tmp_path: Path) -> Iterator[LivingCounty]:
    with living_county(tmp_path / "county") as one:
        yield one


@pytest.fixture
def server(county: LivingCounty, serve: Serve) -> Iterator[str]:
    with serve(county.app()) as address:
        yield address


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[RunningDemo]:
    with running_demo(tmp_path) as one:
        yield one


def lose_one_answer(page: Page, address: str) -> None:
    """The next write reaches the server; its answer does not reach the page."""

    def lose(route: Route) -> None:
        route.fetch()
        route.abort("connectionreset")

    page.route(address, lose, times=1)


def ready(page: Page, form: str) -> None:
    expect(page.locator(f"{form}[data-ready]")).to_have_count(1)


def reports(county: LivingCounty) -> list[dict[str, object]]:
    with county.system.reader() as db:
        return situation_reports(db, EVERYTHING, limit=100).items


def test_a_lost_answer_and_a_correction_end_in_a_follow_up(
    server: str, county: LivingCounty, open_page: OpenPage, axe: Check, shot: Shot
) -> None:
    """The form once said "id already used", then "exists already", for ever in that tab."""
    page = open_page(PHONE)
    enter(page, server, "village")
    page.goto(f"{server}/report/new")
    ready(page, "#report-initial")
    page.get_by_role("button", name="半小时前").click()
    page.locator(AFFECTED).fill("100")
    page.locator("#narrative").fill("一组进水")
    lose_one_answer(page, "**/v1/situation-reports")
    page.get_by_role("button", name="上报初报").click()
    expect(page.get_by_role("alert")).to_contain_text("不会重复入账")
    page.locator(AFFECTED).fill("120")
    page.get_by_role("button", name="上报初报").click()
    page.wait_for_url(re.compile(r"/report/[0-9a-f-]{36}"))
    [booked] = reports(county)
    assert str(booked["report"]) in page.url
    unsent = page.locator("[data-draft-of='report-follow_up']")
    expect(unsent).to_contain_text("没有上报的改动")
    axe(page)
    fits(page, PHONE)
    shot(page, "booked-and-unsent-phone")
    unsent.get_by_role("link").click()
    expect(page.locator("[data-draft]")).to_be_visible()
    expect(page.locator(AFFECTED)).to_have_value("120")
    page.get_by_role("button", name="上报续报").click()
    page.wait_for_url(re.compile(r"/report/[0-9a-f-]{36}\?after="))
    [booked] = reports(county)
    assert (booked["number"], booked["figures"]["affected"]) == (2, "120")  # type: ignore[index]
    expect(page.locator("[data-draft-of='report-follow_up']")).to_be_hidden()
    page.goto(f"{server}/report/new")
    expect(page.locator("#report-initial [data-draft]")).to_have_count(0)
    expect(page.locator(AFFECTED)).to_have_value("")


def test_a_lost_answer_of_one_village_says_nothing_in_the_form_of_another(
    server: str, county: LivingCounty, open_page: OpenPage
) -> None:
    page = open_page(DESK)
    enter(page, server, "township")
    first, second = county.id("yuantan_1"), county.id("yuantan_2")
    page.goto(f"{server}/report/new?phone=true&area={first}")
    ready(page, "#report-phone")
    page.get_by_role("button", name="半小时前").click()
    page.locator(AFFECTED).fill("100")
    lose_one_answer(page, "**/v1/phoned-reports")
    page.get_by_role("button", name="上报").click()
    expect(page.get_by_role("alert")).to_contain_text("不会重复入账")
    page.goto(f"{server}/report/new?phone=true&area={second}")
    ready(page, "#report-phone")
    expect(page.locator(AFFECTED)).to_have_value("")
    expect(page.locator("[data-draft]")).to_have_count(0)
    page.get_by_role("button", name="半小时前").click()
    page.locator(AFFECTED).fill("7")
    page.get_by_role("button", name="上报").click()
    page.wait_for_url(re.compile(r"/report/[0-9a-f-]{36}\?after="))
    told = {row["area"]: row["figures"]["affected"] for row in reports(county)}  # type: ignore[index]
    assert told == {str(first): "100", str(second): "7"}


def test_the_same_again_after_a_reload_is_booked_once(
    server: str, county: LivingCounty, open_page: OpenPage
) -> None:
    page = open_page(PHONE)
    enter(page, server, "village")
    flood(county, affected=100)
    page.goto(f"{server}/report/{county.id('report/yuantan_1')}/file?kind=follow_up")
    ready(page, "#report-follow_up")
    page.locator(AFFECTED).fill("130")
    lose_one_answer(page, "**/follow-ups")
    page.get_by_role("button", name="上报续报").click()
    expect(page.get_by_role("alert")).to_contain_text("不会重复入账")
    page.reload()
    expect(page.locator("[data-draft]")).to_contain_text("没有收到回执")
    page.get_by_role("button", name="上报续报").click()
    page.wait_for_url(re.compile(r"/report/[0-9a-f-]{36}\?after="))
    [row] = reports(county)
    assert row["number"] == 2


def opened_follow_up(page: Page, server: str, county: LivingCounty) -> None:
    page.goto(f"{server}/report/{county.id('report/yuantan_1')}/file?kind=follow_up")
    ready(page, "#report-follow_up")


def newer(county: LivingCounty, affected: int, dead: int) -> None:
    """Somebody else files the next version of the village's report."""
    county.run(
        FileFollowUp(
            report=county.id("report/yuantan_1"),
            as_of=county.now - timedelta(minutes=2),
            figures={"affected": affected, "dead": dead, "injured": 2},
            reason="上游来水",
        ),
        by="village",
    )


def test_a_draft_never_goes_over_newer_figures_without_being_asked(
    server: str, county: LivingCounty, open_page: OpenPage, axe: Check, shot: Shot
) -> None:
    """A draft of 100 and 0 once overwrote 480 and 2, and passed If-Match."""
    flood(county, affected=90, dead=0, injured=2)
    page = open_page(PHONE)
    enter(page, server, "village")
    opened_follow_up(page, server, county)
    page.locator(AFFECTED).fill("100")
    page.locator("#narrative").fill("二组断路")
    newer(county, affected=480, dead=2)
    page.reload()
    ready(page, "#report-follow_up")
    expect(page.locator(AFFECTED)).to_have_value("480")
    expect(page.locator(DEAD)).to_have_value("2")  # not touched: the newer one, unasked
    expect(page.locator("#narrative")).to_have_value("二组断路")  # touched, and nothing newer
    asks = page.locator("[data-draft-asks]")
    expect(asks).to_contain_text("受灾人口")
    expect(asks.get_by_role("button")).to_have_text(["用我填的：100", "用新的一版：480"])
    axe(page)
    fits(page, PHONE)
    shot(page, "draft-asks-phone")
    page.get_by_role("button", name="上报续报").click()
    expect(asks).to_be_focused()
    assert [row["number"] for row in reports(county)] == [2]
    asks.get_by_role("button", name="用新的一版").click()
    expect(asks).to_have_count(0)
    page.get_by_role("button", name="上报续报").click()
    page.wait_for_url(re.compile(r"/report/[0-9a-f-]{36}\?after="))
    [row] = reports(county)
    figures = row["figures"]
    assert row["number"] == 3
    assert (figures["affected"], figures["dead"]) == ("480", "2")  # type: ignore[index]


@pytest.mark.parametrize(
    ("kind", "officer"),
    [("follow_up", "village"), ("verified", "village"), ("phone_follow_up", "township")],
)
def test_who_sends_over_a_newer_version_is_told_and_compares(
    server: str, county: LivingCounty, open_page: OpenPage, kind: str, officer: str
) -> None:
    flood(county, affected=90, dead=0, injured=2)
    page = open_page(DESK)
    enter(page, server, officer)
    report = county.id("report/yuantan_1")
    page.goto(f"{server}/report/{report}/file?kind={kind}")
    ready(page, f"#report-{kind}")
    page.locator(AFFECTED).fill("100")
    newer(county, affected=480, dead=2)
    page.locator(".send button").click()
    expect(page.get_by_role("alert")).to_contain_text("已有新的一版")
    page.get_by_role("button", name="看新的一版").click()
    expect(page.locator("[data-draft-asks]")).to_contain_text("用新的一版：480")
    with county.system.reader() as db:
        found = situation_report(db, EVERYTHING, report=report)
    assert found is not None and found["number"] == 2


def test_a_draft_is_told_dated_and_discarded(
    server: str, county: LivingCounty, open_page: OpenPage, axe: Check, shot: Shot
) -> None:
    page = open_page(DESK)
    enter(page, server, "township")
    address = f"{server}/report/new?phone=true&area="
    page.goto(address + str(county.id("yuantan_1")))
    ready(page, "#report-phone")
    page.locator(AFFECTED).fill("55")
    page.get_by_label("灾种", exact=True).select_option("earthquake")
    page.goto(address + str(county.id("yuantan_2")))
    ready(page, "#report-phone")
    expect(page.locator(AFFECTED)).to_have_value("")
    page.goto(address + str(county.id("yuantan_1")))
    told = page.locator("[data-draft]")
    expect(told).to_be_visible()
    expect(told).to_contain_text(re.compile(r"(刚刚|\d+ 秒前).*2 项"))
    expect(page.locator(AFFECTED)).to_have_value("55")
    axe(page)
    shot(page, "draft-told-desk")
    told.get_by_role("button", name="放弃").click()
    expect(page.locator(AFFECTED)).to_have_value("")
    expect(page.get_by_label("灾种", exact=True)).not_to_have_value("earthquake")
    page.reload()
    ready(page, "#report-phone")
    expect(page.locator("[data-draft]")).to_have_count(0)
    expect(page.locator(AFFECTED)).to_have_value("")


def test_another_officer_in_the_same_tab_sees_nothing_of_it(
    server: str, county: LivingCounty, open_page: OpenPage
) -> None:
    page = open_page(DESK)
    enter(page, server, "village")
    page.goto(f"{server}/report/new")
    ready(page, "#report-initial")
    page.locator(AFFECTED).fill("55")
    page.get_by_role("button", name="退出登录").click()
    enter(page, server, "township")
    page.goto(f"{server}/report/new")
    expect(page.locator("[data-draft]")).to_have_count(0)
    expect(page.locator("main")).not_to_contain_text("没有提交的内容")
    page.get_by_role("button", name="退出登录").click()
    enter(page, server, "village")
    page.goto(f"{server}/report/new")
    expect(page.locator(AFFECTED)).to_have_value("55")


TYPED = "[data-form] :is(input:not([type]), textarea):visible"


def keeps_all(page: Page, address: str) -> int:
    """Every field a person can type into on a page is kept over a reload. How many there are."""
    page.goto(address)
    expect(page.locator("form[data-form]:not([data-ready])")).to_have_count(0)
    folded = "document.querySelectorAll('main details').forEach(d => d.open = true)"
    page.evaluate(folded)
    names = page.locator(TYPED).evaluate_all("all => all.map(one => one.id)")
    for n, name in enumerate(names):
        page.locator(f"[id='{name}']").fill(str(n + 11))
    page.reload()
    expect(page.locator("form[data-form]:not([data-ready])")).to_have_count(0)
    page.evaluate(folded)
    for n, name in enumerate(names):
        expect(page.locator(f"[id='{name}']")).to_have_value(str(n + 11))
    return len(names)


def test_every_long_form_of_reports_keeps_what_was_typed(
    server: str, county: LivingCounty, open_page: OpenPage
) -> None:
    flood(county, affected=100)
    report = county.id("report/yuantan_1")
    page = open_page(DESK)
    enter(page, server, "village")
    for kind in ("follow_up", "zero", "verified"):
        assert keeps_all(page, f"{server}/report/{report}/file?kind={kind}") > 0
    page = open_page(DESK)
    enter(page, server, "township")
    assert keeps_all(page, f"{server}/report/{report}") >= 3  # return, adjudicate
    assert keeps_all(page, f"{server}/review") == 1
    accept(county)


def test_every_long_form_of_relief_keeps_what_was_typed(
    demo: RunningDemo, serve: Serve, open_page: OpenPage
) -> None:
    incident = opened(demo, "石桥组")
    with serve(demo.app()) as server:
        page = open_page(DESK)
        enter_demo(page, server, "dispatcher")
        assert (
            keeps_all(page, f"{server}/dispatch/incidents/{incident}") >= 2
        )  # note, reason to escalate
        assert keeps_all(page, f"{server}/dispatch/new") >= 3


def test_an_incident_whose_answer_was_lost_is_shown_or_booked_as_another(
    demo: RunningDemo, serve: Serve, open_page: OpenPage, axe: Check, shot: Shot
) -> None:
    with serve(demo.app()) as server:
        page = open_page(PHONE)
        enter_demo(page, server, "dispatcher")
        page.goto(f"{server}/dispatch/new")
        ready(page, "#open-incident")
        page.get_by_label("具体地点").fill("双峰东头")
        lose_one_answer(page, "**/v1/incidents")
        send = page.get_by_role("button", name="登记险情")
        send.click()
        expect(page.get_by_role("alert")).to_contain_text("不会重复入账")
        page.get_by_label("具体地点").fill("双峰西头")
        send.click()
        told = page.get_by_role("alert")
        expect(told).to_contain_text("已经入账")
        axe(page)
        shot(page, "incident-booked-phone")
        address = str(told.get_by_role("link").get_attribute("href"))
        told.get_by_role("button", name="另行登记").click()
        page.wait_for_url(re.compile(r"/dispatch\?after="))
        with demo.system.reader() as db:
            open_ones = incidents(db, EVERYTHING, open=True, limit=100).items
        demo.system.store.texts.opened(open_ones)
        places = [one["place"] for one in open_ones if one["place"].startswith("双峰")]
        assert sorted(places) == sorted(["双峰东头", "双峰西头"])
        page.goto(server + address)
        expect(page.locator("h1")).to_contain_text("双峰东头")
        assert UUID(address.partition("?")[0].rpartition("/")[2]).version == 4


FIGURES = {
    "12\t30": None,
    "3 4": None,
    "1,5": None,
    "10²": None,
    "①": None,
    "½": None,
    "12.5.1": None,
    "1,23,456": None,
    "１２，３４５": 12345,
    "1,234": 1234,
    " 12 ": 12,
    "０": 0,
}


def test_a_figure_that_can_be_read_two_ways_is_asked_about(
    server: str, county: LivingCounty, open_page: OpenPage
) -> None:
    page = open_page(DESK)
    enter(page, server, "village")
    page.goto(f"{server}/report/new")
    ready(page, "#report-initial")
    for typed, meant in FIGURES.items():
        field = page.locator(AFFECTED)
        field.fill(typed)
        page.evaluate("document.querySelector('#report-initial').requestSubmit()")
        error = page.locator("[data-field='figures.affected'] .field-error")
        if meant is None:
            expect(error).to_contain_text("看不准")
        else:
            expect(error).to_have_count(0)
            expect(page.get_by_role("alert")).to_be_visible()  # the time of the disaster is missing
    assert reports(county) == []
