"""The households of an area as a list and a sheet, and the steps beside the names of members."""

import re
from collections.abc import Iterator
from html import unescape

import pytest
from fastapi.testclient import TestClient

from domain.commands import households as h
from domain.commands.households import RegisterHousehold
from domain.commands.sealing import CardInput, MemberInput
from domain.household_members import Relation
from tests.id_numbers import id_number
from tests.web.desk import LivingCounty, living_county
from tests.web.pressing import Desk
from tests.web.test_sheets_of_pages import sheet_of, table
from web.paging import ROWS

PAGE = "/households"
MANY = ROWS + 2
CARD = CardInput(number="6217 0000 1234 5678", bank="农商行")


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingCounty]:
    """More households of one village than stand on a page, one of another, one contested."""
    with living_county(tmp_path_factory.mktemp("list") / "county") as found:
        for n in range(MANY):
            register(found, f"house/{n}", n * 3, "yuantan_1", "village", card=None if n else CARD)
        register(
            found, "low", 600, "yuantan_2", "village2", category="subsistence_allowance", card=CARD
        )
        twin = MemberInput(name="王小一", relation=Relation.OTHER, id_number=id_number(1))
        register(found, "claims", 700, "yuantan_2", "village2", twin)
        yield found


def register(
    county: LivingCounty,
    name: str,
    serial: int,
    village: str,
    by: str,
    *others: MemberInput,
    category: str = "hardship",
    card: CardInput | None = None,
) -> None:
    head = MemberInput(name="王大户", relation=Relation.HEAD, id_number=id_number(serial))
    child = MemberInput(name="王小一", relation=Relation.CHILD, id_number=id_number(serial + 1))
    registered = RegisterHousehold(
        id=county.id(name),
        village=county.id(village),
        members=(head, child, *others),
        category=category,
        card=card,
    )
    county.run(registered, by=by)


@pytest.fixture
def server(county: LivingCounty) -> Iterator[TestClient]:
    with TestClient(county.app()) as client:
        yield client


def shown(text: str) -> set[str]:
    return set(re.findall(r'<tr data-row id="household-([^"]+)"', text))


def ids(county: LivingCounty, *names: str) -> set[str]:
    return {str(county.id(name)) for name in names}


def test_it_is_two_presses_from_home_and_is_leafed_through(
    county: LivingCounty, server: TestClient
) -> None:
    for login in ("village", "township", "county", "payer"):
        desk = Desk(server, login)
        assert "/ledger" in desk.open("/").links
        assert PAGE in desk.open("/ledger").links, login
    village = Desk(server, "village")
    first = village.open(PAGE).text
    assert len(shown(first)) == ROWS and "王*户" in first and "王大户" not in first
    onward = re.search(r'rel="next" href="([^"]+)"', first)
    assert onward is not None
    second = village.open(unescape(onward[1])).text
    assert shown(first) | shown(second) == ids(county, *(f"house/{n}" for n in range(MANY)))
    assert 'rel="prev"' in second
    assert len(shown(Desk(server, "township").open(f"{PAGE}?state=no_card").text)) == ROWS


def test_it_is_of_one_village_one_kind_and_of_what_is_to_be_set_right(
    county: LivingCounty, server: TestClient
) -> None:
    desk = Desk(server, "township")
    there = f"{PAGE}?area={county.id('yuantan_2')}"
    assert shown(desk.open(there).text) == ids(county, "low", "claims")
    assert shown(desk.open(f"{there}&category=subsistence_allowance").text) == ids(county, "low")
    assert shown(desk.open(f"{there}&state=no_card").text) == ids(county, "claims")
    contested = desk.open(f"{PAGE}?state=contested").text
    assert shown(contested) == ids(county, "claims", "house/0") and "成员归属有争议" in contested
    nobody = desk.open(f"{PAGE}?state=no_head").text
    assert shown(nobody) == set() and "没有符合条件的户" in nobody
    everywhere = desk.open(f"{PAGE}?area=&category=&state=no_card").text
    assert len(shown(everywhere)) == ROWS, "as the form says it where nothing is chosen"
    offered = re.search(r'<select id="area".*?</select>', desk.open(there).text, re.DOTALL)
    assert offered is not None and "源潭镇" in offered[0] and "双峰居委会" in offered[0]
    assert "水吼" not in offered[0], "of another township"
    assert f'value="{county.id("yuantan_2")}" selected' in offered[0]


def test_filters_are_judged_and_other_areas_are_not_found(
    county: LivingCounty, server: TestClient
) -> None:
    desk = Desk(server, "township")
    assert desk.server.get(f"{PAGE}?area={county.id('shuihou_1')}").status_code == 404
    assert desk.server.get(f"{PAGE}?state=rich").status_code == 422
    assert desk.server.get("/v1/households?state=rich").status_code == 422
    found = desk.server.get("/v1/households", params={"state": "contested"}).json()["items"]
    assert {one["id"] for one in found} == ids(county, "claims", "house/0")
    assert Desk(server, "admin").server.get(PAGE).status_code == 403


def test_the_sheet_has_all_rows_of_the_filter_and_no_name(
    county: LivingCounty, server: TestClient
) -> None:
    desk = Desk(server, "township")
    page = desk.open(f"{PAGE}?area={county.id('yuantan_1')}&state=no_card").text
    rows = table(server.get(sheet_of(page)).text)
    assert len(rows) - 1 == MANY - 1 and "家庭类型" in rows[0]
    assert not any("王大户" in cell for row in rows for cell in row)
    book = server.get(f"{sheet_of(page)}&form=xlsx")
    assert book.status_code == 200 and "spreadsheetml" in book.headers["content-type"]


def test_steps_beside_a_member_open_their_form_about_that_member(
    county: LivingCounty, server: TestClient
) -> None:
    household = f"{PAGE}/{county.id('low')}"
    page = Desk(server, "village2").open(household)
    beside = [
        unescape(one) for one in re.findall(rf'href="({household}\?member=[^"#]+)#', page.text)
    ]
    head, child = county.system.store.load(county.id("low")).members
    steps = {
        person: {one.split("step=")[1] for one in beside if f"member={person}" in one}
        for person in (head, child)
    }
    every = {"RecordDeath", "RemoveMember", "IdentifyMember", "RecordCard"}
    assert steps == {head: every, child: every | {"ChangeHead"}}, "the head is the head already"
    chosen = page.desk.open(f"{household}?member={child}&step=RecordDeath")
    form = chosen.form(h.RecordDeath)
    assert 'class="act act-next"' in chosen.text and 'id="record-death"' in chosen.text
    assert re.search(rf'value="{child}"[^>]*(checked|selected)', chosen.text)
    gone = form.press(reason="因病去世")
    assert "已去世" in gone.text
    again = Desk(server, "village2").open(household).text
    assert f"member={child}" not in again, "nothing is done about who is dead"


def test_who_may_not_change_a_household_sees_no_steps(
    county: LivingCounty, server: TestClient
) -> None:
    household = f"{PAGE}/{county.id('claims')}"
    assert "?member=" not in Desk(server, "payer").open(household).text
    odd = Desk(server, "village2").open(f"{household}?member={county.id('nobody')}&step=Nothing")
    assert odd.state == "registered"
