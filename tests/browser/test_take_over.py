"""A county begins its report from what its townships had accepted; a second person signs."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from domain.commands.filing import RawFigures
from domain.commands.reports import FileFollowUp, FileInitialReport
from domain.commands.reviews import AcceptReport
from domain.commands.store import RecordStore
from projections.asking.report_queries import situation_report
from projections.asking.scope import EVERYTHING
from tests.browser.conftest import DESK, PHONE, Check, OpenPage, Serve, Shot
from tests.browser.test_story import enter, fits
from tests.web.desk import LivingCounty, living_county

TAKE = "接收 2 个下级区划的已审定数字"


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingCounty]:
    """Two townships of the seat's county with accepted reports of one flood."""
    with living_county(tmp_path_factory.mktemp("taking") / "county") as one:
        born = one.system.store.log.mark("born") or ""
        one.run(RecordStore(born=born, seat=one.id("county")))
        tell(one, "yuantan", "township", {"affected": 5000, "dead": 1, "missing": None})
        tell(one, "shuihou", "township2", {"affected": 40, "dead": 0, "injured": 3})
        yield one


@pytest.fixture
def server(county: LivingCounty, serve: Serve) -> Iterator[str]:
    with serve(county.app()) as address:
        yield address


def tell(county: LivingCounty, area: str, by: str, figures: RawFigures) -> None:
    at = county.now - timedelta(minutes=40)
    report = county.id(f"report/{area}")
    county.run(
        FileInitialReport(
            report=report,
            area=county.id(area),
            occurred_at=at,
            as_of=at,
            hazard="flood",
            figures=figures,
        ),
        by=by,
    )
    county.run(AcceptReport(report=report, version=1), by="county")


def take(page: Page) -> None:
    """The button belongs to the page's script: a press before the script has come does nothing."""
    for _ in range(40):
        page.get_by_role("button", name=TAKE).click()
        if page.locator("[data-taken]").is_visible():
            return
        page.wait_for_timeout(250)
    raise AssertionError("nothing is taken over")


def value(page: Page, name: str) -> str:
    return page.locator(f"[name='{name}']").input_value()


def test_a_county_takes_over_files_without_a_missing_part_and_a_second_person_signs(
    county: LivingCounty, server: str, open_page: OpenPage, axe: Check, shot: Shot
) -> None:
    page = open_page(PHONE)
    enter(page, server, "county")
    untold = page.get_by_role("region", name="下级已审定，本级还没有报告")
    expect(untold).to_contain_text("死亡 1 人")
    expect(untold).to_contain_text("源潭镇、水吼镇")
    untold.get_by_role("link").click()
    offer = page.locator("[data-take-over]")
    expect(offer).to_contain_text("2 / 2 个下级区划已审定")
    line = page.locator("[data-field='figures.affected']")
    expect(line).to_contain_text("下级合计 5,040：源潭镇 5,000、水吼镇 40")
    expect(page.locator("[data-field='figures.injured']")).to_contain_text("未填：源潭镇")
    assert value(page, "figures.affected") == "", "nothing is filled in before it is asked for"
    page.locator("[name='figures.injured']").fill("2")
    take(page)
    fits(page, PHONE)
    axe(page)
    shot(page, "take-over-phone")
    yuantan, shuihou = county.id("yuantan"), county.id("shuihou")
    assert value(page, "figures.affected") == "5040"
    assert value(page, "figures.injured") == "2", "what somebody typed stays"
    assert value(page, "figures.missing") == "", "what nobody knows stays unknown"
    assert value(page, f"split.{yuantan}.affected") == "5000"
    assert value(page, f"split.{shuihou}.injured") == "3"
    assert value(page, f"split.{yuantan}.injured") == ""
    assert value(page, "hazard") == "flood" and value(page, "occurred_at") != ""
    expect(page.locator("[data-taken]")).to_contain_text("因灾受伤人口")
    page.locator("[name='figures.injured']").fill("3")
    page.get_by_role("button", name="上报初报").click()
    expect(page.locator("#receipt")).to_be_visible(timeout=30_000)
    report = page.url.rpartition("/")[2].partition("?")[0]
    with county.system.reader() as db:
        filed = situation_report(db, EVERYTHING, report=UUID(report))
    assert filed is not None
    assert filed["flags"] == [] and filed["hidden"] == []
    assert filed["versions"][0]["split"][str(yuantan)]["affected"] == "5000"

    later = {"affected": 6000, "dead": 2}
    upper = county.id("report/yuantan")
    county.run(FileFollowUp(report=upper, as_of=county.now, figures=later), by="township")
    county.run(AcceptReport(report=upper, version=2), by="county")
    page = open_page(DESK)
    enter(page, server, "county2")
    page.goto(f"{server}/review")
    page.get_by_role("button", name="签发").click()
    expect(page.locator("main")).to_contain_text("没有等您处理的事项")
    page.goto(f"{server}/report/{report}/file?kind=follow_up")
    assert value(page, "figures.affected") == "5040"
    page.locator(f"[name='split.{shuihou}.affected']").fill("41")
    take(page)
    axe(page)
    shot(page, "take-over-follow-up-desk")
    assert (value(page, "figures.affected"), value(page, "figures.dead")) == ("6040", "2")
    assert value(page, f"split.{yuantan}.affected") == "6000"
    assert value(page, f"split.{shuihou}.affected") == "41", "what somebody typed stays"
    page.goto(f"{server}/report/new")
    assert page.locator("[data-take-over]").count() == 0, "it has a report of that flood"
    page.goto(f"{server}/")
    expect(page.get_by_role("heading", name="您好")).to_be_visible()
    assert page.get_by_role("region", name="下级已审定，本级还没有报告").count() == 0


def test_a_township_is_offered_what_its_villages_had_accepted(
    county: LivingCounty, server: str, open_page: OpenPage
) -> None:
    at = county.now - timedelta(minutes=20)
    report = county.id("report/snow")
    told = FileInitialReport(
        report=report,
        area=county.id("yuantan_1"),
        occurred_at=at,
        as_of=at,
        hazard="snow",
        figures={"affected": 12},
    )
    county.run(told, by="village")
    county.run(AcceptReport(report=report, version=1), by="township")
    page = open_page(DESK)
    enter(page, server, "township")
    page.goto(f"{server}/report/new?about={report}")
    expect(page.locator("[data-take-over]")).to_contain_text("1 / 2 个下级区划已审定")
    expect(page.locator("[data-take-over]")).to_contain_text("双峰居委会")
