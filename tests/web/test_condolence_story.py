"""抚慰 where the dead and their family are of two villages, who may be the same person, and what is
opened after a disaster's end."""

from datetime import timedelta
from typing import Any

from fastapi.testclient import TestClient

from domain.commands import rosters as o
from domain.commands.disasters import CloseDisaster, DeclareDisaster, StabilizeDisaster
from domain.commands.reports import FileInitialReport
from tests.id_numbers import id_number
from tests.web.desk import LivingCounty
from tests.web.pressing import Desk, Form
from tests.web.season_desk import FAMILIES
from tests.web.test_five_programmes_story import (  # noqa: F401
    BEGUN,
    applying,
    case_of,
    county,
    opened,
    refused,
    season_form,
    server,
    strike,
)


def the_dead_in(form: Form) -> dict[str, str]:
    """The rows of rosters that can be ticked: id → words."""
    return {one.value: one.words for one in form.inputs if one.name.split(":")[0] == "need.dead"}


def test_who_died_in_another_village_is_found_by_their_family_s_own(
    county: LivingCounty,  # noqa: F811
    server: TestClient,  # noqa: F811
) -> None:
    """A village saw the rosters of its own dead only: the family of who died away from home could
    not be condoled with. Of others' dead it sees those of the household alone, each with why."""
    strike(county, "slide", "flood", "八月山洪")
    away = {"report": county.id("report/away"), "area": county.id("yuantan_2")}
    began = BEGUN - timedelta(days=20)
    county.run(
        FileInitialReport(
            **away,
            as_of=BEGUN,
            figures={"affected": 3, "dead": 3},
            occurred_at=began,
            hazard="flood",
            disaster=county.id("slide"),
        ),
        by="village2",
    )

    def died(name: str, record: str, by: str = "village2", **more: Any) -> None:
        given: dict[str, Any] = {
            **away,
            "record": county.id(record),
            "fate": "dead",
            "full_name": name,
            **more,
        }
        county.run(o.RecordCasualty(**given), by=by)

    died("某某某", "numbered", id_number=id_number(1))
    died(FAMILIES["a"], "unnumbered", sex="male", age=60)
    died("外村人", "stranger")
    season = opened(server, "抚慰", "八月山洪")
    form = applying(Desk(server, "village"), county, season, "a")
    who = the_dead_in(form)
    assert set(who) == {str(county.id("numbered")), str(county.id("unnumbered"))}
    page = Desk(server, "village").open(form.page.address).text
    assert "本户成员" in page and "与本户成员同名，没有身份证号" in page and "双峰" in page
    assert applying(Desk(server, "village"), county, season, "b").options("need.dead") == []
    of_a = case_of(county, season, "a")
    form = applying(Desk(server, "village"), county, season, "a")
    case = form.press(need__dead=[who[str(county.id("unnumbered"))]])
    assert str(of_a) in case.address

    # The same person without an ID number, on the roster of a second village: a question.
    here = {"report": county.id("report/slide"), "area": county.id("yuantan_1")}
    died(FAMILIES["a"], "again", by="village", sex="male", age=61, **here)
    form = applying(Desk(server, "village"), county, season, "b")
    twin = the_dead_in(form)[str(county.id("again"))]
    refused(form.send(need__dead=[twin]), "可能", "同一人", "姓名相同", "年龄相同或相差一岁")
    assert form.send(need__dead=[twin], need__another="是另一人").status_code == 200


def test_relief_is_opened_for_a_disaster_that_is_closed(
    county: LivingCounty,  # noqa: F811
    server: TestClient,  # noqa: F811
) -> None:
    """Homes are built again long after; the list had only disasters that went on."""
    past = DeclareDisaster(
        disaster=county.id("past"),
        name="春季暴雨",
        hazard="flood",
        occurred_at=BEGUN - timedelta(days=90, hours=3),  # 22:00 UTC: 6 in the morning there
        area=county.id("county"),
    )
    county.run(past, by="county")
    stable = StabilizeDisaster(disaster=past.disaster, stable_at=BEGUN, reason="雨停水退")
    county.run(stable, by="county")
    county.run(CloseDisaster(disaster=past.disaster, reason="核报已齐"), by="county")
    form, chosen = season_form(server, "倒塌损坏农房", "春季暴雨")
    assert form.options("disaster")[-1] == "春季暴雨", "those that go on stand first"
    assert "2018年5月3日 · 已结束" in form.page.text, "the day in China"
    page = form.press(**chosen)
    assert page.state == "open" and "春季暴雨" in page.text
