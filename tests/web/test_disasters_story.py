"""A disaster from a village's first report to its end and back, by pages and forms."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from domain.commands import disasters as d
from domain.commands import reports as r
from domain.commands import reviews as v
from tests.web.pressing import Desk, Form, Page, uuid_in
from tests.web.relief_desk import RunningDemo
from web.formats import china
from web.pages import disasters as pages
from web.picking import disasters as picking

VILLAGE, TOWNSHIP, COUNTY = "yuantan-shuangfeng-a", "yuantan-reviewer-new", "county-approver"


def by_hand(page: Page, id: str) -> Form:
    """A form that is written out in a template."""
    return next(form for form in page.forms if form.of.get("id", "").startswith(id))


def minute(demo: RunningDemo, ago: int) -> str:
    """A moment as it is typed, so many minutes ago."""
    return china(demo.now - timedelta(minutes=ago)).strftime("%Y-%m-%dT%H:%M")


def reached(server: TestClient, login: str, address: str) -> Page:
    return Desk(server, login).open(address)


def reported(demo: RunningDemo, server: TestClient, hazard: str, **figures: Any) -> UUID:
    """A village's 初报, which its township accepts."""
    page = reached(server, VILLAGE, "/report/new")
    page = by_hand(page, "report-initial").press(
        hazard=hazard,
        occurred_at=minute(demo, 50),
        as_of=minute(demo, 40),
        **{f"figures__{key}": value for key, value in figures.items()},
    )
    report = uuid_in(page.address)
    by_hand(reached(server, TOWNSHIP, f"/report/{report}"), "accept-").press()
    return report


def declared(server: TestClient, report: object, name: str) -> Page:
    """The county declares a disaster from what is proposed."""
    page = reached(server, COUNTY, "/")
    assert "/disasters" in page.links
    page = page.desk.open("/disasters/new")
    there = f"/disasters/new?report={report}"
    form = page.desk.open(there).form(d.DeclareDisaster)
    return form.press(name=name)


def test_a_disaster_is_declared_from_reports_answered_stable_and_opened_again(
    demo: RunningDemo, server: TestClient
) -> None:
    report = reported(demo, server, "雪灾", affected="120", missing="1")
    county = reached(server, COUNTY, f"/report/{report}")
    assert "没有归入灾害过程" in county.text
    page = declared(server, report, "2026年11月雪灾")
    assert page.state == "open" and "2026年11月雪灾" in page.text
    assert f"/report/{report}" in page.links, "the report came with it"
    assert "达到四级响应条件" in page.text

    form = page.form(d.StartResponse)
    assert any(words.startswith("四级") for words in form.options("level"))
    assert "潜山市已达到条件" in page.text, "the mark says of which area it is"
    wrong = form.send(level="三级", document_no="潜减灾〔2026〕5号")
    assert wrong.status_code == 409, "no figure reaches level III, and nothing is written"
    page = form.press(document_no="潜减灾〔2026〕5号")
    assert "潜减灾〔2026〕5号" in page.text and "启动" in page.text
    assert "潜山市" not in page.form(d.StartResponse).options("area"), "one runs there"
    page = page.form(d.ChangeResponse).press(
        area="潜山市",
        level="三级",
        document_no="潜减灾〔2026〕6号",
        reason="会商研判：今夜仍有暴雪",
    )
    assert "潜减灾〔2026〕6号" in page.text

    page = page.form(d.StabilizeDisaster).press(reason="雪止转晴，转移人员返家")
    assert page.state == "stabilized"
    assert "响应" in page.closed["CloseDisaster"]
    page = page.form(d.EndResponse).press(
        area="潜山市", document_no="潜减灾〔2026〕9号", reason="灾情稳定"
    )
    assert "核报" in page.closed["CloseDisaster"], "figures are verified first"
    assert "先要：认定灾情稳定" in page.closed["CloseDisaster"], "no 核报 is filed before"
    page = page.form(d.ReopenDisaster).press(reason="山区再降暴雪，又有房屋倒塌")
    assert page.state == "open"
    assert page.closed["ReopenDisaster"]


def test_a_disaster_is_closed_on_the_verified_reports_of_all_its_places(
    demo: RunningDemo, server: TestClient
) -> None:
    """Two places report, are declared stable, file their 核报 and have it accepted."""
    village = reported(demo, server, "沙尘暴灾害", affected="12", dead="0", missing="0")
    page = reached(server, TOWNSHIP, "/report/new")
    page = by_hand(page, "report-initial").press(
        hazard="沙尘暴灾害",
        occurred_at=minute(demo, 50),
        as_of=minute(demo, 35),
        figures__affected="12",
        figures__dead="0",
        figures__missing="0",
    )
    township = uuid_in(page.address)
    by_hand(reached(server, COUNTY, f"/report/{township}"), "accept-").press()
    page = declared(server, village, "2026年冬沙尘暴")
    page = page.form(d.StabilizeDisaster).press(reason="风力减弱，能见度恢复")
    there = page.address
    for report, files, accepts in ((village, VILLAGE, TOWNSHIP), (township, TOWNSHIP, COUNTY)):
        assert "先要：认定灾情稳定" in page.closed["CloseDisaster"]
        reached(server, COUNTY, f"/report/{report}").form(v.StabilizeReport).press()
        page = reached(server, files, f"/report/{report}/file?kind=verified")
        by_hand(page, "report-verified").press(as_of=minute(demo, 0))
        by_hand(reached(server, accepts, f"/report/{report}"), "accept-").press()
        page = reached(server, COUNTY, there)
    page = page.form(d.CloseDisaster).press(reason="核报均已审定")
    assert page.state == "closed"
    assert "结束于" in page.text and "核报均已审定" in page.text


def test_reports_that_a_form_leaves_out_are_told(
    demo: RunningDemo, server: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page counted all of them and listed the first 200."""
    report = reported(demo, server, "低温冷冻灾害", affected="7")
    there = f"/disasters/new?report={report}"
    page = reached(server, COUNTY, f"/report/{report}").desk.open(there)
    assert "1 份报告填写" in page.text and "下面只列前" not in page.text
    told = r"低温冷冻灾害 · \d{4}-\d\d-\d\d \d\d:\d\d · 初报"
    assert re.search(told, page.text), "two of one place are told apart"
    assert "先点开那一组" in page.desk.open("/disasters/new").text, "none to tick yet"
    for module in (pages, picking):
        monkeypatch.setattr(module, "MOST_REPORTS", 0)
    assert "下面只列前 0 份" in page.desk.open(there).text


def test_two_that_are_one_are_merged_with_a_look_before_and_split_again(
    demo: RunningDemo, server: TestClient
) -> None:
    reports = [
        reported(demo, server, hazard, affected=count)
        for hazard, count in (("台风灾害", "30"), ("风雹灾害", "20"))
    ]
    first = declared(server, reports[0], "11月台风")
    second = declared(server, reports[1], "11月风雹")
    page = second.desk.open(f"/disasters/{uuid_in(second.address)}/merger")
    assert not page.offers(), "nothing is pressed before it was looked at"
    chosen = f"{page.address}?into={uuid_in(first.address)}"
    page = page.desk.open(chosen)
    assert "两个灾害过程都有以下区划的报告" in page.text and not page.offers()

    row = reached(server, COUNTY, first.address)
    row = row.form(d.DetachReport, reports[0]).press(reason="与风雹同一过程，只留一份")
    assert f"/report/{reports[0]}" in row.links, "it is proposed again, on no disaster"
    page = reached(server, COUNTY, chosen)
    assert "合在一起（11月台风）" in page.text and "20" in page.text
    assert "act-next" in page.text, "what the page is for is not folded away"
    page = page.form(d.MergeDisaster).press(reason="查明为同一天气过程")
    assert page.state == "merged" and "11月台风" in page.text
    assert '<a class="button primary" data-act="SplitDisaster"' not in page.text
    host = page.desk.open(first.address)
    assert f"/report/{reports[1]}" in host.links and "11月风雹" in host.text

    page = page.desk.open(f"{second.address}/split")
    assert "随它拆出的 1 份报告" in page.text
    page = page.form(d.SplitDisaster).press(reason="两地相隔甚远，不是同一过程")
    assert page.state == "open"
    assert f"/report/{reports[1]}" not in page.desk.open(first.address).links


def test_a_report_is_corrected_taken_back_into_a_disaster_and_followed_up_again(
    demo: RunningDemo, server: TestClient
) -> None:
    report = reported(demo, server, "洪涝灾害", affected="50")
    page = reached(server, VILLAGE, f"/report/{report}")
    form = page.form(r.CorrectOccurrence)
    fits = dict(re.findall(r'<option value="(\w+)" data-of="(\w+)"', page.text))
    kinds = next(one.options for one in form.inputs if one.name == "hazard").values()
    assert fits and set(fits.values()) <= set(kinds), "each sub-kind with its kind"
    page = form.press(hazard="滑坡灾害", reason="现场核实为滑坡")
    assert "滑坡灾害" in page.text
    disaster = declared(server, report, "双峰滑坡")
    county = reached(server, COUNTY, f"/report/{report}")
    assert "双峰滑坡" in county.text
    county = county.form(d.DetachReport).press(reason="误归")
    form = county.form(d.AttachReport)
    county = form.press(disaster="双峰滑坡")
    assert disaster.address in county.links
    county = county.form(v.StabilizeReport).press()
    assert "StabilizeReport" in county.closed
    county = county.form(v.ResumeFollowUps).press()
    assert "ResumeFollowUps" in county.closed and "StabilizeReport" in county.offers()
