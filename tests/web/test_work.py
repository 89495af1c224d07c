"""Home is a work list: what waits for whom, with its next step, counted, and what one waits for."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.auth import Caller
from api.work import Work, work_of
from domain.commands.consignments import (
    GoodsLine,
    OrderConsignment,
    RequestConsignment,
    ShipConsignment,
)
from domain.commands.incidents import OpenIncident
from domain.commands.officers import NameSubstitute
from domain.commands.proposing import ProposeSuspension
from domain.commands.reports import FileInitialReport
from domain.commands.reviews import AcceptReport
from domain.commands.stock import ReceiveGoods
from domain.commands.subjects import SUBJECTS
from domain.incident import IncidentKind, Severity
from domain.rules.base import china_day
from tests.web.desk import LivingCounty, living_county
from tests.web.test_pages import enter

LOG_INS = ("village", "township", "county", "payer", "storekeeper", "dispatcher", "city", "admin")
MANY = 7


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingCounty]:
    """Reports of two villages, one with a dead person; calls; quilts asked for; a proposal."""
    folder: Path = tmp_path_factory.mktemp("work")
    with living_county(folder / "county") as found:
        earlier = found.now - timedelta(minutes=10)
        for name, area, by, dead in (
            ("plain", "yuantan_1", "village", 0),
            ("grave", "yuantan_2", "village2", 1),
        ):
            told = FileInitialReport(
                report=found.id(f"report/{name}"),
                area=found.id(area),
                occurred_at=earlier - timedelta(minutes=30),
                as_of=earlier,
                hazard="flood",
                figures={"affected": 40, "dead": dead},
            )
            found.run(told, by=by)
        for n in range(MANY):
            call = OpenIncident(
                incident=found.id(f"call/{n}"),
                area=found.id("yuantan_1"),
                place=f"{n}号桥",
                kind=IncidentKind.TRAPPED if n == MANY - 1 else IncidentKind.ROAD_CUT,
                severity=Severity.MINOR,
                occurred_at=earlier,
            )
            found.run(call, by="village")
        asked = RequestConsignment(
            consignment=found.id("quilts"),
            destination=found.id("yuantan"),
            lines=(GoodsLine(item="quilt", quantity=20),),
            reason="转移安置",
        )
        found.run(asked, by="township")
        halted = ProposeSuspension(
            id=found.id("proposal"), officer=found.officers["village3"], reason="脱岗"
        )
        found.run(halted, by="county")
        yield found


@pytest.fixture
def client(county: LivingCounty) -> Iterator[TestClient]:
    with TestClient(county.app(), follow_redirects=False) as one:
        yield one


def lines(page: str, matter: str) -> list[str]:
    """The lines of one matter, each as it stands on the page."""
    return re.findall(rf'<li class="work-line[^>]*data-work="{matter}".*?</li>', page, re.DOTALL)


def test_a_report_with_the_dead_stands_before_others_and_leads_to_its_review(
    county: LivingCounty, client: TestClient
) -> None:
    enter(client, "township")
    told = lines(client.get("/?lang=zh").text, "report_review")
    assert len(told) == 2
    assert "有死亡或失踪" in told[0] and "有死亡或失踪" not in told[1]
    assert f'href="/report/{county.id("report/grave")}"' in told[0]
    assert 'data-step="AcceptReport"' in told[0]
    work = client.get("/v1/work").json()
    assert work["counts"]["report_review"]["count"] == 2
    assert work["counts"]["report_review"]["grave"] == 1
    first = work["items"][0]
    assert first["subject"] == str(county.id("report/grave")) and first["grave"] is True
    assert first["action"] == {
        "command": "AcceptReport",
        "href": f"/report/{county.id('report/grave')}",
    }


def test_more_than_is_shown_is_counted_and_led_to(county: LivingCounty, client: TestClient) -> None:
    enter(client, "dispatcher")
    home = client.get("/?lang=zh").text
    assert len(lines(home, "incident_triage")) < MANY
    assert "情况紧急" in lines(home, "incident_triage")[0], "who is trapped before a blocked road"
    assert f"全部 {MANY} 件" in home and 'href="/waiting/incident_triage"' in home
    assert re.search(rf'待办 <b class="count">{MANY}</b>', home)
    assert len(lines(client.get("/waiting/incident_triage").text, "incident_triage")) == MANY
    assert client.get("/waiting/no_such_matter").status_code == 404


def test_the_navigation_of_every_page_counts_what_waits(
    county: LivingCounty, client: TestClient
) -> None:
    enter(client, "dispatcher")
    assert re.search(rf'待办 <b class="count">{MANY}</b>', client.get("/dispatch?lang=zh").text)


@pytest.mark.parametrize("name", LOG_INS)
def test_every_item_can_be_opened_by_whom_it_waits_for(
    name: str, county: LivingCounty, client: TestClient
) -> None:
    enter(client, name)
    for whose in ("mine", "area"):
        work = client.get("/v1/work", params={"whose": whose, "each": 50}).json()
        assert work["total"] == sum(one["count"] for one in work["counts"].values())
        for item in work["items"]:
            page = client.get(item["action"]["href"])
            assert page.status_code == 200, (name, item)
            if item["kind"] in SUBJECTS:
                path = f"/v1/actions/{item['kind']}/{item['subject']}"
                actions = client.get(path).json()["actions"]
                opened = [one["command"] for one in actions if one["open"]]
                assert item["action"]["command"] in opened, (name, item)
        for lang in ("zh", "en"):
            home = client.get("/", params={"whose": whose, "lang": lang})
            assert home.status_code == 200
            if work["total"]:
                assert f'<b class="work-number">{work["total"]}</b>' in home.text


def test_who_has_nothing_to_do_is_told_so_in_words(
    county: LivingCounty, client: TestClient
) -> None:
    enter(client, "payer")
    assert "今天没有等您办的事。" in client.get("/?lang=zh").text
    assert "Nothing waits for you today." in client.get("/?lang=en").text


def test_what_i_sent_waits_for_somebody_who_is_named(
    county: LivingCounty, client: TestClient
) -> None:
    enter(client, "village")
    home = client.get("/?lang=zh").text
    awaited = home.split('id="work-awaited"')[1].split("</section>")[0]
    assert "源潭镇 乡镇审核员" in awaited
    told = client.get("/v1/work").json()["waiting_for"]
    assert [one["subject"] for one in told] == [str(county.id("report/plain"))]
    assert told[0]["who_role"] == "township_reviewer" and told[0]["who_area"] == "源潭镇"
    enter(client, "township")
    told = client.get("/v1/work").json()["waiting_for"]
    assert {one["matter"]: one["who_role"] for one in told} == {
        "consignment_order": "county_approver"
    }
    enter(client, "county")
    told = client.get("/v1/work").json()["waiting_for"]
    assert {one["matter"]: one["who_role"] for one in told} == {"proposal_decide": "administrator"}


def test_what_i_did_lately_is_linked(county: LivingCounty, client: TestClient) -> None:
    enter(client, "village")
    lately = client.get("/?lang=zh").text.split('id="work-lately"')[1].split("</section>")[0]
    assert f'href="/report/{county.id("report/plain")}"' in lately
    assert "我最近办理的" in lately


def test_my_area_shows_what_a_superior_may_do_too(county: LivingCounty, client: TestClient) -> None:
    enter(client, "city")
    assert lines(client.get("/").text, "consignment_order") == []
    assert len(lines(client.get("/?whose=area").text, "consignment_order")) == 1
    enter(client, "village")
    assert "whose=area" not in client.get("/").text, "a village has no area beside it"


def test_what_a_county_asks_for_itself_waits_for_the_city_and_not_for_the_county(
    tmp_path: Path,
) -> None:
    with living_county(tmp_path / "asked") as found:
        asked = RequestConsignment(
            consignment=found.id("for-all"),
            destination=found.id("county"),
            lines=(GoodsLine(item="quilt", quantity=300),),
            reason="转移安置",
        )
        found.run(asked, by="county")
        with TestClient(found.app(), follow_redirects=False) as client:
            enter(client, "city")
            assert len(lines(client.get("/").text, "consignment_order")) == 1
            enter(client, "county")
            assert lines(client.get("/").text, "consignment_order") == []
            told = client.get("/v1/work").json()["waiting_for"]
            assert [(one["subject"], one["who_role"], one["who_area"]) for one in told] == [
                (str(found.id("for-all")), "city_reviewer", "安庆市")
            ]


def test_who_shipped_goods_does_not_receive_them(county: LivingCounty) -> None:
    """Two storekeepers of one warehouse: what one sent off, the other takes in."""
    received = ReceiveGoods(
        warehouse=county.id("county"),
        item="quilt",
        lot=county.id("lot"),
        document_no="入库1号",
        owner="县级",
        received_on=china_day(county.now),
        quantity=50,
    )
    county.run(received, by="storekeeper")
    asked = RequestConsignment(
        consignment=county.id("sent"),
        destination=county.id("yuantan_1"),
        lines=(GoodsLine(item="quilt", quantity=5),),
        reason="安置点",
    )
    county.run(asked, by="storekeeper")
    ordered = OrderConsignment(
        consignment=county.id("sent"), source=county.id("county"), document_no="调1号"
    )
    county.run(ordered, by="county")
    sent = str(county.id("sent"))
    steps = [(row["matter"], row["subject"]) for row in work_by(county, "storekeeper").items]
    assert ("consignment_ship", sent) in steps, "who asked for them may ship them"
    county.run(ShipConsignment(consignment=county.id("sent"), vehicle="皖H1"), by="storekeeper")
    for name, waits in (("storekeeper", False), ("village", True)):
        steps = [(row["matter"], row["subject"]) for row in work_by(county, name).items]
        assert (("consignment_receive", sent) in steps) is waits, name


def test_a_substitute_sees_for_whom(county: LivingCounty, client: TestClient) -> None:
    today = china_day(county.now)
    named = NameSubstitute(
        id=county.id("stand-in"),
        officer=county.officers["dispatcher"],
        appointment=county.id("appointment/dispatcher"),
        substitute=county.officers["payer2"],
        starts_on=today,
        ends_on=today + timedelta(days=3),
    )
    county.run(named, by="admin")
    enter(client, "payer2")
    told = lines(client.get("/?lang=zh").text, "incident_triage")
    assert told and all("代 张*" in line for line in told)
    item = client.get("/v1/work").json()["items"][0]
    assert item["standing_for"] == str(county.officers["dispatcher"])


def test_what_is_done_is_gone_and_waits_above(county: LivingCounty, client: TestClient) -> None:
    county.run(AcceptReport(report=county.id("report/plain"), version=1), by="township")
    told = work_by(county, "township")
    assert told.counts["report_review"]["count"] == 1
    assert work_by(county, "village").awaited == []


def test_the_dead_that_are_to_be_told_upward_are_grave_before_it_is_late(
    county: LivingCounty,
) -> None:
    """They stood as any other duty until the hour was over."""
    report = county.id("report/slide")
    slide = FileInitialReport(
        report=report,
        area=county.id("yuantan"),
        occurred_at=county.now - timedelta(minutes=40),
        as_of=county.now - timedelta(minutes=10),
        hazard="wind_hail",
        figures={"affected": 40, "missing": 2},
    )
    county.run(slide, by="township")
    county.run(AcceptReport(report=report, version=1), by="county")
    told = work_by(county, "county")
    (line,) = [one for one in told.upward if one["kind"] == "forward_report"]
    assert line["subjects"] == {str(report)} and line["state"] == "open"
    assert line["grave"] is True
    assert told.counts["duty_forward_report"]["grave"] == 1


def work_by(county: LivingCounty, name: str) -> Work:
    """The work of an officer, asked without a page."""
    officer = county.system.officer(county.officers[name])
    assert officer is not None
    session = county.system.accounts
    return work_of(Caller(county.system, session, officer))  # type: ignore[arg-type]
