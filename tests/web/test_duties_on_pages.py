"""What reports owe: a line a report for who must act, one tap for a zero report, grouped above."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from domain.commands.disasters import AttachReport, DeclareDisaster
from domain.commands.reports import FileInitialReport
from domain.commands.reviews import AcceptReport, ReturnReport, StabilizeReport
from streams.keeping import advance_clock
from tests.web.desk import LivingCounty, living_county
from tests.web.test_pages import enter, token_of

DAYS = 5


@pytest.fixture
def county(tmp_path: Path) -> Iterator[LivingCounty]:
    """Five days after two townships have told of a flood; one was accepted, one sent back."""
    at = datetime(2018, 7, 4, 7, tzinfo=UTC)
    with living_county(tmp_path, simulated_from=at) as found:
        for area, by in (("yuantan", "township"), ("shuihou", "township2")):
            told = FileInitialReport(
                report=found.id(f"report/{area}"),
                area=found.id(area),
                occurred_at=at - timedelta(minutes=50),
                as_of=at - timedelta(minutes=20),
                hazard="flood",
                figures={"affected": 40},
            )
            found.run(told, by=by)
        found.run(AcceptReport(report=found.id("report/yuantan"), version=1), by="county")
        back = ReturnReport(report=found.id("report/shuihou"), version=1, reason="数字不清")
        found.run(back, by="county")
        advance_clock(found.system.store, by=timedelta(days=DAYS), rate=1, operator="li")
        yield found


@pytest.fixture
def client(county: LivingCounty) -> Iterator[TestClient]:
    with TestClient(county.app(), follow_redirects=False) as one:
        yield one


def overdue(page: str) -> str:
    """What stands in the section of what is overdue; empty, if there is none."""
    found = re.search(r'<section class="overdue".*?</section>', page, re.DOTALL)
    return found.group(0) if found else ""


def test_a_township_sees_one_line_a_report_and_answers_it_with_one_tap(
    county: LivingCounty, client: TestClient
) -> None:
    enter(client, "township")
    home = overdue(client.get("/").text)
    assert home.count("<li>") == 1 and f"欠 {DAYS} 次" in home
    action = re.search(r'action="([^"]+/zero-reports)"', home)
    as_of = re.search(r'name="as_of" value="([^"]+)"', home)
    assert action is not None and as_of is not None
    answer = client.post(
        action.group(1),
        json={"as_of": as_of.group(1)},
        headers={"X-CSRF-Token": token_of(client.get("/")), "Idempotency-Key": str(uuid4())},
    )
    assert answer.status_code in (200, 201), answer.text
    county.system.boards.wait_for(county.system.store.head(), 10)
    assert overdue(client.get("/").text) == ""


def test_what_was_returned_is_corrected_and_not_repeated_by_a_zero_report(
    county: LivingCounty, client: TestClient
) -> None:
    enter(client, "township2")
    for path in ("/", "/situation"):
        told = overdue(client.get(path).text)
        assert "/zero-reports" not in told
        assert f"/report/{county.id('report/shuihou')}/file?kind=resubmit" in told


def test_who_accepted_larger_figures_from_below_is_not_offered_that_nothing_has_changed(
    county: LivingCounty, client: TestClient
) -> None:
    """One press said so, a minute after the township had accepted its village's larger figures."""
    at = datetime(2018, 7, 4, 7, tzinfo=UTC)
    told = FileInitialReport(
        report=county.id("report/village"),
        area=county.id("yuantan_1"),
        occurred_at=at - timedelta(minutes=50),
        as_of=county.now,
        hazard="flood",
        figures={"affected": 90},
    )
    county.run(told, by="village")
    enter(client, "township")
    assert "/zero-reports" in overdue(client.get("/").text), "nobody has accepted it"
    county.run(AcceptReport(report=told.report, version=1), by="township")
    for path in ("/", "/situation"):
        page = overdue(client.get(path).text)
        assert "/zero-reports" not in page and "下级已审定的数字更新、更大" in page
        assert f"/report/{county.id('report/yuantan')}/file?kind=follow_up" in page


def test_once_it_is_stable_no_zero_report_is_offered(
    county: LivingCounty, client: TestClient
) -> None:
    """A zero report answers a duty that runs; what was left out before stays left out."""
    report = county.id("report/yuantan")
    county.run(StabilizeReport(report=report, stable_at=county.now), by="county")
    enter(client, "township")
    for path in ("/", "/situation"):
        assert "/zero-reports" not in client.get(path).text, path


def test_a_county_passes_on_once_and_sees_its_townships_in_one_line(
    county: LivingCounty, client: TestClient
) -> None:
    enter(client, "county")
    home = client.get("/").text
    assert overdue(home) == "" and home.count("转报上级") == 1, "one thing to do, told once"
    untold = home[home.index("下级已审定，本级还没有报告") :]
    assert re.search(r"源潭镇.*?chip-overdue.*?转报上级", untold[:3000], re.DOTALL)
    told = overdue(client.get("/situation").text)
    assert f"2 个区划 · 欠 {2 * DAYS} 次" in told
    assert "/zero-reports" not in told


def test_the_strip_follows_the_disaster_that_was_chosen(
    county: LivingCounty, client: TestClient
) -> None:
    flood = county.id("flood")
    declare = DeclareDisaster(
        disaster=flood,
        name="7·4暴雨洪涝",
        hazard="flood",
        occurred_at=datetime(2018, 7, 4, 6, tzinfo=UTC),
        area=county.id("county"),
    )
    county.run(declare, by="county")
    county.run(AttachReport(disaster=flood, report=county.id("report/yuantan")), by="county")
    enter(client, "county")
    told = overdue(client.get(f"/situation?disaster={flood}").text)
    assert "源潭镇" in told and "水吼镇" not in told
    assert "水吼镇" in overdue(client.get("/situation").text)


@pytest.mark.parametrize("name", ["payer", "storekeeper", "admin"])
def test_who_need_not_act_does_not_see_what_others_owe(
    name: str, county: LivingCounty, client: TestClient
) -> None:
    enter(client, name)
    for path in ("/", "/situation"):
        assert overdue(client.get(path).text) == "", path


def test_what_is_to_be_passed_on_leads_to_the_own_report_that_there_is(
    county: LivingCounty, client: TestClient
) -> None:
    """The line led to an empty 初报, as if the county had said nothing of the flood yet."""
    there = f"/report/new?area={county.id('county')}&about={county.id('report/yuantan')}"
    enter(client, "county")
    assert client.get(there).status_code == 200, "nothing is said of it yet"
    own = FileInitialReport(
        report=county.id("report/county"),
        area=county.id("county"),
        occurred_at=county.now - timedelta(days=DAYS, minutes=50),
        as_of=county.now,
        hazard="flood",
        figures={"affected": 40},
    )
    county.run(own, by="county")
    answer = client.get(there)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/report/{own.report}"
