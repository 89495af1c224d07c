"""One press for several of an officer's own zero reports; never for what others answer for."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi.testclient import TestClient

from domain.commands.filing import RawFigures
from domain.commands.reports import FileFollowUp, FileInitialReport
from domain.commands.reviews import AcceptReport, ReturnReport
from domain.report_filing import Kind
from domain.situation_report import SituationReport
from streams.keeping import advance_clock
from tests.web.desk import LivingCounty, living_county
from tests.web.pressing import Desk
from web.pages.together import ROWS

BEGUN = datetime(2018, 7, 4, 7, tzinfo=UTC)
DAYS = 3
PAGE = "/zero-reports"
BOX = re.compile(r'name="report" value="([^"]+)"')
OWED: dict[str, tuple[str, str, RawFigures]] = {
    "flood": ("yuantan", "township", {"affected": 40}),
    "hail": ("yuantan", "township", {"affected": 7}),
    "slide": ("yuantan", "township", {"affected": 9, "dead": 1}),
    "sent_back": ("yuantan", "township", {"affected": 3}),
    "other": ("shuihou", "township2", {"affected": 5}),
}
HAZARDS = {"flood": "flood", "hail": "wind_hail", "slide": "landslide", "sent_back": "typhoon"}


@pytest.fixture
def county(tmp_path: Path) -> Iterator[LivingCounty]:
    """A township owes four reports since days, one with a dead person, one sent back; another
    township owes one."""
    with living_county(tmp_path, simulated_from=BEGUN) as found:
        for name, (area, by, figures) in OWED.items():
            told = FileInitialReport(
                report=found.id(name),
                area=found.id(area),
                occurred_at=BEGUN - timedelta(minutes=50),
                as_of=BEGUN - timedelta(minutes=20),
                hazard=HAZARDS.get(name, "flood"),
                figures=figures,
            )
            found.run(told, by=by)
            if name == "sent_back":
                back = ReturnReport(report=found.id(name), version=1, reason="数字不清")
                found.run(back, by="county")
            else:
                found.run(AcceptReport(report=found.id(name), version=1), by="county")
        advance_clock(found.system.store, by=timedelta(days=DAYS), rate=1, operator="li")
        yield found


@pytest.fixture
def server(county: LivingCounty) -> Iterator[TestClient]:
    with TestClient(county.app()) as client:
        yield client


def form_of(page: str) -> dict[str, str]:
    return dict(re.findall(r'name="(csrf_token|key)" value="([^"]+)"', page))


def press(desk: Desk, boxes: list[str], **more: str) -> httpx.Response:
    form = form_of(desk.open("/").text) | {"key": str(uuid4())} | form_of(desk.open(PAGE).text)
    return desk.server.post(PAGE, data={**form, "report": boxes, **more})


def kinds(county: LivingCounty, name: str) -> tuple[Kind, int]:
    report = county.system.store.load(county.id(name))
    assert isinstance(report, SituationReport)
    return report.current.kind, report.current.number


def test_home_leads_to_all_that_one_press_can_file(
    county: LivingCounty, server: TestClient
) -> None:
    township = Desk(server, "township")
    home = township.open("/").text
    assert f'href="{PAGE}"' in home and "一次报 2 份零报告" in home
    page = township.open(PAGE).text
    offered = {UUID(box.split(" ")[0]) for box in BOX.findall(page)}
    assert offered == {county.id("flood"), county.id("hail")}, "no dead, none sent back, own only"
    home = Desk(server, "township2").open("/").text
    assert f'href="{PAGE}"' not in home, "one report has its own button"


def test_what_is_ticked_is_filed_each_by_itself(county: LivingCounty, server: TestClient) -> None:
    township = Desk(server, "township")
    boxes = BOX.findall(township.open(PAGE).text)
    assert "没有勾选报告" in press(township, []).text
    assert kinds(county, "flood") == (Kind.INITIAL, 1), "nothing was pressed for it"
    changed = FileFollowUp(report=county.id("hail"), as_of=county.now, figures={"affected": 8})
    stale = next(box for box in boxes if box.startswith(str(county.id("hail"))))
    fine = next(box for box in boxes if box != stale)
    form = form_of(township.open(PAGE).text)
    county.run(changed, by="township_b")
    answer = server.post(PAGE, data={**form, "report": [fine, stale]})
    assert answer.status_code == 200 and "已报 1 份零报告" in answer.text
    assert "1 份未办理" in answer.text
    assert str(county.id("hail")) not in re.sub(r'"[^"]*"', "", answer.text), "no id is shown"
    assert kinds(county, "flood") == (Kind.ZERO, 2)
    assert kinds(county, "hail") == (Kind.FOLLOW_UP, 2)
    assert BOX.findall(answer.text) == []
    again = township.open(PAGE).text
    assert BOX.findall(again) == [], "the last day's zero report answers for the days before"


def test_the_same_key_files_nothing_twice(county: LivingCounty, server: TestClient) -> None:
    township = Desk(server, "township")
    page = township.open(PAGE).text
    data = {**form_of(page), "report": BOX.findall(page)}
    heads = []
    for _ in range(2):
        assert "已报 2 份零报告" in server.post(PAGE, data=data).text
        heads.append(county.system.store.head())
    assert heads[0] == heads[1]


def test_reports_of_others_the_dead_and_malformed_boxes_are_refused(
    county: LivingCounty, server: TestClient
) -> None:
    as_of = county.now.isoformat()

    def box(name: str) -> str:
        return f"{county.id(name)} 1 {as_of}"

    township = Desk(server, "township")
    answer = press(township, [box("slide"), box("other"), box("nothing")])
    assert answer.status_code == 200 and "已报 0 份零报告" in answer.text
    assert "3 份未办理" in answer.text and answer.text.count("没有死亡失踪的零报告") == 3
    assert kinds(county, "slide")[1] == kinds(county, "other")[1] == 1
    back = press(township, [box("sent_back")])
    assert "1 份未办理" in back.text and kinds(county, "sent_back")[1] == 1

    superior = Desk(server, "county")
    assert "已报 0 份零报告" in press(superior, [box("flood")]).text, (
        "a county never for a township"
    )
    assert kinds(county, "flood")[1] == 1
    payer = form_of(Desk(server, "payer").open("/").text) | {"key": str(uuid4())}
    assert server.post(PAGE, data={**payer, "report": box("flood")}).status_code == 403
    assert server.get(PAGE).status_code == 403

    form = form_of(Desk(server, "township").open(PAGE).text)
    for bad in ("no box", f"{uuid4()} 1", f"{uuid4()} 1 2018-99-99T10:00:00Z"):
        assert server.post(PAGE, data={**form, "report": bad}).status_code == 422
    assert (
        server.post(PAGE, data={**form, "csrf_token": "x", "report": box("flood")}).status_code
        == 403
    )
    many = [box("flood")] * (ROWS + 6)
    assert server.post(PAGE, data={**form, "report": many}).status_code in {413, 422}
    assert kinds(county, "flood")[1] == 1


def test_who_accepted_larger_figures_from_below_says_here_no_more_that_nothing_has_changed(
    county: LivingCounty, server: TestClient
) -> None:
    """Home led to the follow-up report, and this page still took a zero report for it."""
    township = Desk(server, "township")
    boxes = BOX.findall(township.open(PAGE).text)
    told = FileInitialReport(
        report=county.id("below"),
        area=county.id("yuantan_1"),
        occurred_at=BEGUN - timedelta(minutes=50),
        as_of=county.now,
        hazard="flood",
        figures={"affected": 90},
    )
    county.run(told, by="village")
    county.run(AcceptReport(report=told.report, version=1), by="township")
    offered = {UUID(box.split(" ")[0]) for box in BOX.findall(township.open(PAGE).text)}
    assert offered == {county.id("hail")}
    answer = press(township, boxes)
    assert "已报 1 份零报告" in answer.text and "下级已审定更大数字的也不在内" in answer.text
    assert kinds(county, "flood") == (Kind.INITIAL, 1) and kinds(county, "hail")[0] == Kind.ZERO


def test_it_is_told_in_english_too(county: LivingCounty, server: TestClient) -> None:
    township = Desk(server, "township")
    page = township.open(f"{PAGE}?lang=en").text
    home = township.open("/?lang=en").text
    assert re.search(r"</a> <b>3 reports owed</b> <time", home), "words stand apart"
    assert "Zero reports together" in page and "Nothing has changed in the ticked ones" in page
