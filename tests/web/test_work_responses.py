"""Home leads whoever decides to the response that the figures ask for, and to its end."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from domain.commands.disasters import (
    ChangeResponse,
    DeclareDisaster,
    StabilizeDisaster,
    StartResponse,
)
from domain.commands.filing import RawFigures
from domain.commands.officers import SuspendOfficer
from domain.commands.reports import FileFollowUp, FileInitialReport
from domain.commands.reviews import AcceptReport, StabilizeReport
from tests.web.desk import LivingCounty, living_county
from tests.web.test_pages import enter
from tests.web.test_work import lines, work_by


@pytest.fixture
def county(tmp_path: Path) -> Iterator[LivingCounty]:
    """A flood with one village's accepted report."""
    with living_county(tmp_path / "county") as found:
        begun = found.now - timedelta(hours=2)
        declared = DeclareDisaster(
            disaster=found.id("flood"),
            name="暴雨洪涝",
            hazard="flood",
            occurred_at=begun,
            area=found.id("county"),
        )
        found.run(declared, by="county")
        told = FileInitialReport(
            report=found.id("report"),
            area=found.id("yuantan_1"),
            occurred_at=begun,
            as_of=begun,
            hazard="flood",
            figures={"affected": 40, "dead": 1, "missing": 0},
            disaster=found.id("flood"),
        )
        found.run(told, by="village")
        yield found


@pytest.fixture
def client(county: LivingCounty) -> Iterator[TestClient]:
    with TestClient(county.app(), follow_redirects=False) as one:
        yield one


def matters(county: LivingCounty, name: str) -> set[str]:
    return {one for one in work_by(county, name).counts if not one.startswith("duty_")}


def accept(county: LivingCounty, version: int) -> None:
    county.run(AcceptReport(report=county.id("report"), version=version), by="township")


def test_a_response_waits_to_be_started_then_raised_as_the_accepted_figures_say(
    county: LivingCounty, client: TestClient
) -> None:
    assert matters(county, "county") == set(), "nobody has accepted the figures"
    accept(county, 1)
    assert matters(county, "county") == {"response_start"}, "one dead: level IV"
    assert matters(county, "city") == set(), "it is the county's to decide"
    enter(client, "county")
    home = client.get("/?lang=zh").text
    (line,) = lines(home, "response_start")
    assert "潜山市" in line and "暴雨洪涝" in line and "启动响应" in line
    assert f'href="/disasters/{county.id("flood")}"' in line
    assert "灾害过程和响应" in home and "已达到响应条件，待启动响应" in home
    assert "start a response" in client.get("/?lang=en").text

    place = {"disaster": county.id("flood"), "area": county.id("county")}
    county.run(StartResponse(**place, level=4, document_no="潜减1号"), by="county")
    assert matters(county, "county") == set()
    more: RawFigures = {"affected": 60, "dead": 2, "missing": 1}
    county.run(FileFollowUp(report=county.id("report"), as_of=county.now, figures=more), "village")
    assert matters(county, "county") == set(), "what nobody has accepted starts nothing"
    accept(county, 2)
    assert matters(county, "county") == {"response_change"}, "three dead and missing: level III"
    item = client.get("/v1/work").json()["items"][0]
    assert item["action"]["command"] == "ChangeResponse" and item["kind"] == "disasters"
    page = client.get(item["action"]["href"]).text
    assert 'data-command="ChangeResponse"' in page
    raised = ChangeResponse(**place, level=3, document_no="潜减2号")
    county.run(raised, by="county")
    assert matters(county, "county") == set()


def test_the_end_of_a_response_and_the_verified_report_stand_at_home_with_their_buttons(
    county: LivingCounty, client: TestClient
) -> None:
    accept(county, 1)
    place = {"disaster": county.id("flood"), "area": county.id("county")}
    county.run(StartResponse(**place, level=4, document_no="潜减1号"), by="county")
    county.run(
        StabilizeDisaster(disaster=county.id("flood"), stable_at=county.now, reason="水退"),
        by="county",
    )
    assert matters(county, "county") == {"response_end", "report_stabilize"}
    county.run(StabilizeReport(report=county.id("report"), stable_at=county.now), by="county")
    enter(client, "county")
    home = client.get("/?lang=zh").text
    (line,) = lines(home, "response_end")
    assert "终止响应" in line and f'href="/disasters/{county.id("flood")}"' in line
    awaited = home.split('id="work-awaited"')[1].split("</section>")[0]
    assert "源潭居委会" in awaited and "灾情稳定后待核报" in awaited and "灾害信息员" in awaited
    assert "洪涝" in awaited, "told by its hazard"
    enter(client, "village")
    (line,) = lines(client.get("/?lang=zh").text, "report_verify")
    assert f'href="/report/{county.id("report")}/file?kind=verified"' in line
    page = client.get(f"/report/{county.id('report')}/file?kind=verified&lang=zh")
    assert f'action="/v1/situation-reports/{county.id("report")}/verified-reports"' in page.text
    told = client.get("/v1/work").json()
    assert told["total"] == told["counts"]["report_verify"]["count"] == 1
    english = client.get("/?lang=en").text
    assert "verified report to file" in english


def test_the_township_files_the_verified_report_for_a_village_without_anybody(
    tmp_path: Path,
) -> None:
    begun = datetime(2018, 7, 4, 7, tzinfo=UTC)
    with living_county(tmp_path / "county", simulated_from=begun) as county:
        report = county.id("report")
        told = FileInitialReport(
            report=report,
            area=county.id("yuantan_1"),
            occurred_at=begun - timedelta(minutes=50),
            as_of=begun - timedelta(minutes=20),
            hazard="flood",
            figures={"affected": 40},
        )
        county.run(told, by="village")
        county.run(StabilizeReport(report=report, stable_at=county.now), by="county")
        there = f"/report/{report}/file?kind=verified_for"
        with TestClient(county.app(), follow_redirects=False) as client:
            enter(client, "township")
            assert client.get(there).status_code == 403, "the village does it itself"
            assert there not in client.get(f"/report/{report}").text
            for name in ("village", "village_b"):
                gone = SuspendOfficer(officer=county.officers[name], reason="停职检查")
                county.run(gone, by="admin")
            (line,) = lines(client.get("/?lang=zh").text, "report_verify_for")
            assert f'href="{there}"' in line and "代村核报" in line
            assert there in client.get(f"/report/{report}").text
            page = client.get(f"{there}&lang=zh").text
            assert f'action="/v1/situation-reports/{report}/verified-reports-on-behalf"' in page
            assert f'name="village" value="{county.id("yuantan_1")}"' in page
            assert "另一人审核" in page


def test_the_time_of_a_verified_report_says_by_what_rules_it_was_set(tmp_path: Path) -> None:
    """No calendar of that year is adopted: its working days are plain weekends (decision 0068)."""
    begun = datetime(2041, 7, 4, 7, tzinfo=UTC)
    with living_county(tmp_path / "county", simulated_from=begun) as found:
        told = FileInitialReport(
            report=found.id("report"),
            area=found.id("yuantan_1"),
            occurred_at=begun - timedelta(minutes=50),
            as_of=begun - timedelta(minutes=20),
            hazard="flood",
            figures={"affected": 40},
        )
        found.run(told, by="village")
        found.run(StabilizeReport(report=found.id("report"), stable_at=found.now), by="county")
        with TestClient(found.app(), follow_redirects=False) as client:
            enter(client, "village")
            for address in ("/", "/waiting/report_verify"):
                (line,) = lines(client.get(f"{address}?lang=zh").text, "report_verify")
                assert "当年工作日历未录入，按周末计算" in line, address
