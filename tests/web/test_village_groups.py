"""Villagers' groups on the pages: of a village, of a household, before a merger."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from domain.area import Area
from domain.commands.household_groups import ChangeHouseholdGroup, PutIntoGroup
from domain.commands.village_groups import EndVillageGroup, GroupInput, NameVillageGroups
from intake.divisions import HEADINGS
from tests.domain.ledger import family
from tests.intake.make import workbook
from tests.web.desk import LivingCounty, living_county
from tests.web.officer_forms import ask, enter, hidden_in, token_in
from tests.web.test_divisions import sent

DAY = date(2026, 5, 1)


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingCounty]:
    """Two villages with groups; a household in one, one whose text means it, one outside."""
    with living_county(tmp_path_factory.mktemp("groups")) as made:
        village = made.id("yuantan_1")

        def named(at: str, *names: str) -> NameVillageGroups:
            groups = tuple(GroupInput(name=name) for name in names)
            return NameVillageGroups(area=made.id(at), groups=groups, effective_on=DAY)

        for serial, (name, group) in enumerate({"a": "三组", "b": "3组", "c": "河对岸"}.items()):
            made.run(family(made, name, 1 + 10 * serial, 1, group=group), "village")
        made.run(named("yuantan_1", "第三村民小组", "老屋组", "柳树组"), "township")
        made.run(EndVillageGroup(area=village, code="01", effective_on=DAY), "township")
        put = PutIntoGroup(
            village=village, group_code="03", households=(made.id("a"),), reason="新编"
        )
        made.run(put, "village")
        made.run(named("yuantan_2", "三组"), "township")
        yield made


@pytest.fixture
def browser(county: LivingCounty) -> Iterator[TestClient]:
    with TestClient(county.app(), base_url="http://test", follow_redirects=False) as client:
        yield client


def test_a_village_s_page_has_its_groups_and_buttons_for_who_may(
    county: LivingCounty, browser: TestClient
) -> None:
    village = county.id("yuantan_1")
    enter(browser, "township")
    page = ask(browser, f"/divisions/{village}")
    for said in ("第三村民小组", "柳树组", "老屋组", "设立小组", "撤销小组", "编入第三村民小组"):
        assert said in page, said
    assert f'action="/v1/areas/{village}/groups/03/names"' in page
    assert f'action="/v1/areas/{village}/groups/01/names"' not in page, "what ended is not renamed"
    assert str(county.id("b")) in page and str(county.id("c")) not in page
    assert "设立村民小组" in page and "01 老屋组" in page, "its history"
    enter(browser, "village")
    page = ask(browser, f"/divisions/{village}")
    assert "第三村民小组" in page and "编入第三村民小组" in page
    assert "设立小组" not in page and "撤销小组" not in page
    enter(browser, "auditor")
    page = ask(browser, f"/divisions/{village}")
    assert "第三村民小组" in page and "编入第三村民小组" not in page
    enter(browser, "admin")
    assert "尚未设立村民小组" in ask(browser, f"/divisions/{county.id('shuihou_1')}")


def test_a_household_s_page_offers_the_groups_of_its_village(
    county: LivingCounty, browser: TestClient
) -> None:
    enter(browser, "village")
    page = ask(browser, f"/households/{county.id('a')}")
    assert '<option value="03" selected>03 第三村民小组</option>' in page
    assert '<option value="01"' not in page and '<option value="02">02 柳树组</option>' in page
    out = ChangeHouseholdGroup(household=county.id("c"), reason="不属于任何小组")
    county.run(out, "village")
    page = ask(browser, f"/households/{county.id('c')}")
    assert (
        "不再编入任何村民小组" in page and "河对岸" not in page.split("</h1>")[1].split("</p>")[0]
    )
    enter(browser, "auditor")
    page = ask(browser, f"/households/{county.id('a')}")
    assert "第三村民小组" in page and "变更村民小组" not in page
    assert "第三村民小组" in ask(browser, "/search", q="第三村民")


def test_what_a_merger_changes_of_groups_is_told_before(
    county: LivingCounty, browser: TestClient
) -> None:
    enter(browser, "admin")
    page = ask(browser, f"/divisions/{county.id('yuantan_1')}/merger")
    assert "村民小组" in page and "03 → 04" not in page and "03 → 01" in page


def test_a_village_under_another_township_takes_its_groups_along(
    county: LivingCounty, browser: TestClient, tmp_path: Path
) -> None:
    """By a list of divisions, which tells what moved of each kind."""
    groups = (GroupInput(name="一组"),)
    village = county.id("shuihou_2")
    county.run(NameVillageGroups(area=village, groups=groups, effective_on=DAY), "township2")
    enter(browser, "admin")
    rows = [list(HEADINGS.values()), ["340882106201", "横中村", "340882101000", None, None]]
    file = workbook(tmp_path / "l.xlsx", rows).read_bytes()
    form = {"csrf_token": token_in(ask(browser, "/divisions/list"))}
    preview = sent(browser, "/divisions/list", form, file)
    form |= {"digest": hidden_in(preview.text, "digest"), "document_no": "潜政〔2026〕5号"}
    done = sent(browser, "/divisions/list/run", form, file)
    assert done.status_code == 200 and "迁移的村民小组" in done.text
    old = county.system.store.load(village)
    assert isinstance(old, Area) and old.groups["01"].passed_code == "01"
    page = ask(browser, f"/divisions/{village}")
    assert "并入后代码 01" in page and "设立小组" not in page
