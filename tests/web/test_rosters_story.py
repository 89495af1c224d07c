"""The people and homes behind a report's figures, put down and changed by pages and forms."""

import pytest
from fastapi.testclient import TestClient

from domain.commands import disasters as d
from domain.commands import reviews as v
from domain.commands import rosters as o
from tests.web.pressing import Desk, Page
from tests.web.relief_desk import RunningDemo
from tests.web.test_disasters_story import (
    COUNTY,
    TOWNSHIP,
    VILLAGE,
    by_hand,
    declared,
    minute,
    reached,
    reported,
)

pytestmark = pytest.mark.usefixtures("demo")


def row_of(page: Page, command: type, *words: str) -> str:
    """The one row of a roster with these words that offers the command: its id."""
    rows = [part for part in page.text.split('id="row-')[1:] if all(w in part for w in words)]
    assert len(rows) == 1, words
    return rows[0][:36]


def difference(page: Page, figure: str) -> str:
    """What is said beside a figure and the roster's sum."""
    return page.text.split(f'data-figure="{figure}"')[1].split("</tr>")[0]


def test_a_missing_person_is_found_dead_a_home_is_graded_again_and_the_figures_agree(
    demo: RunningDemo, server: TestClient
) -> None:
    report = reported(demo, server, "雪灾", affected="60", missing="1", collapsed_households="1")
    disaster = declared(server, report, "双峰雪灾")
    village = reached(server, VILLAGE, f"/report/{report}")
    assert f"/report/{report}/casualties" in village.links

    page = village.desk.open(f"/report/{report}/casualties")
    assert "台账少 1" in difference(page, "missing")
    form = page.form(o.RecordCasualty)
    page = form.press(fate="失踪", full_name="方志远", sex="男", age="63", cause="雪中走失")
    assert "方志远" not in page.text and "雪中走失" in page.text
    assert "一致" in difference(page, "missing")
    again = page.form(o.RecordCasualty).send(fate="失踪", full_name="方志远", sex="男", age="63")
    assert again.status_code == 409, "is it the same person?"
    page = page.form(o.RecordCasualty).press(
        fate="失踪", full_name="方志远", sex="男", age="40", another=True
    )
    assert "报告少 1" in difference(page, "missing")
    younger = row_of(page, o.FindMissing, "40 岁")
    page = page.form(o.FindMissing, younger).press()
    assert f'id="row-{younger}"' not in page.text, "who was found stands on no roster"

    missing = row_of(page, o.ConfirmDeath, "63 岁")
    page = page.form(o.ConfirmDeath, missing).press(cause="低温")
    assert "死亡" in page.text
    assert "报告还没有这个数" in difference(page, "dead")
    assert "台账少 1" in difference(page, "missing")
    page = page.form(o.RecordCasualty).press(fate="受伤", full_name="柳青", severe=True)
    hurt = row_of(page, o.WithdrawCasualty, "受伤")
    page = page.form(o.WithdrawCasualty, hurt).press(reason="不是本村的人")
    assert f'id="row-{hurt}"' not in page.text

    page = village.desk.open(f"/report/{report}/houses")
    page = page.form(o.RecordHouseDamage).press(owner_name="何大山", grade="严重损坏", rooms="3")
    home = row_of(page, o.RegradeHouseDamage, "<b>严重损坏</b>")
    page = page.form(o.RegradeHouseDamage, home).press(
        grade="倒塌", reason="复核：承重墙已倒", rooms="4"
    )
    assert "一致" in difference(page, "collapsed_households") and "4 间" in page.text
    page = page.form(o.RecordHouseDamage).press(owner_name="何小山", grade="一般损坏", rooms="1")
    wrong = row_of(page, o.WithdrawHouseDamage, "<b>一般损坏</b>")
    page = page.form(o.WithdrawHouseDamage, wrong).press(reason="重复登记")
    assert f'id="row-{wrong}"' not in page.text

    follow_up = village.desk.open(f"/report/{report}/file?kind=follow_up")
    by_hand(follow_up, "report-follow_up").press(
        as_of=minute(demo, 20), figures__missing="0", figures__dead="1"
    )
    by_hand(reached(server, TOWNSHIP, f"/report/{report}"), "accept-").press()
    page = reached(server, TOWNSHIP, f"/report/{report}/casualties")
    assert "一致" in difference(page, "dead") and "一致" in difference(page, "missing")

    county = (
        reached(server, COUNTY, disaster.address).form(d.StabilizeDisaster).press(reason="雪止")
    )
    county = county.desk.open(f"/report/{report}").form(v.StabilizeReport).press()
    verified = reached(server, VILLAGE, f"/report/{report}/file?kind=verified")
    by_hand(verified, "report-verified").press(as_of=minute(demo, 0), figures__collapsed_rooms="4")
    by_hand(reached(server, TOWNSHIP, f"/report/{report}"), "accept-").press()
    page = reached(server, COUNTY, disaster.address)
    page = page.form(d.CloseDisaster).press(reason="核报已审定")
    assert page.state == "closed" and page.offers() == ["ReopenDisaster", "DetachReport"]
    assert page.form(d.ReopenDisaster).press(reason="又有房屋倒塌").state == "open"


def test_who_keeps_no_roster_reads_it_only(demo: RunningDemo, server: TestClient) -> None:
    report = reported(demo, server, "洪涝灾害", affected="5")
    page = Desk(server, "city-reviewer").open(f"/report/{report}/casualties")
    assert page.offers() == [] and "还没有记录" in page.text
