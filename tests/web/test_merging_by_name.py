"""The household that another is merged into is found by a name, not by anything nobody knows."""

import re
from collections.abc import Iterator
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from fastapi.testclient import TestClient

from domain.commands import contests as k
from domain.commands.households import RegisterHousehold
from domain.commands.sealing import MemberInput
from domain.household_members import Relation
from projections.asking.persons import MOST_DOUBLES
from tests.id_numbers import id_number
from tests.web.desk import LivingCounty, living_county
from tests.web.pressing import Desk, Page
from web.typed import SEALED

HOUSES = {
    "once": ("yuantan_1", "village", "柳大山", "柳小河"),
    "again": ("yuantan_2", "village2", "柳大山", "柳小荷"),
    "other": ("yuantan_2", "village2", "赵无关", "赵小小"),
    "away": ("shuihou_1", "village3", "柳大山", "柳远远"),
}


@pytest.fixture
def county(tmp_path: Path) -> Iterator[LivingCounty]:
    """One household entered in two villages of a township, with nobody's number in both."""
    with living_county(tmp_path / "county") as found:
        for n, (name, (village, by, head, child)) in enumerate(HOUSES.items()):
            members = (
                MemberInput(name=head, relation=Relation.HEAD, id_number=id_number(n * 5)),
                MemberInput(name=child, relation=Relation.CHILD, id_number=id_number(n * 5 + 1)),
            )
            registered = RegisterHousehold(
                id=found.id(name), village=found.id(village), members=members, category="hardship"
            )
            found.run(registered, by=by)
        yield found


@pytest.fixture
def server(county: LivingCounty) -> Iterator[TestClient]:
    with TestClient(county.app()) as client:
        yield client


def looked_for(page: Page, name: str) -> Page:
    """What the box on a household's page leads to."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token is not None
    sent = {"csrf_token": token[1], "search": name}
    answer = page.desk.server.post(page.address, data=sent, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    address = answer.headers["location"]
    assert f"search={SEALED}" in unquote(address)
    assert name.isascii() or name not in unquote(unescape(address))
    return page.desk.open(address)


@pytest.mark.parametrize("name", ["柳大山", "柳小荷", "liuxiaohe", "lds"])
def test_the_other_entry_is_found_by_the_name_of_anybody_in_it(
    name: str, county: LivingCounty, server: TestClient
) -> None:
    page = Desk(server, "township").open(f"/households/{county.id('once')}")
    assert page.form(k.MergeHouseholds).options("into") in ([], ["请选择"]), "in another village"
    assert "可以按姓名查找另一户" in page.text and "按姓名查找另一户" in page.text
    found = looked_for(page, name)
    form = found.form(k.MergeHouseholds)
    offered = [one for one in form.options("into") if one != "请选择"]
    assert len(offered) == 1 and "双峰居委会" in offered[0]
    assert 'class="act act-next"' in found.text, "the merger stands open"
    merged = form.press(into=offered[0], reason="同一户登记了两次")
    assert "已并入另一户" in merged.text
    assert county.system.store.load(county.id("once")).merged_into == county.id("again")


def register(county: LivingCounty, name: str, count: int) -> None:
    """So many households under heads of one name."""
    for n in range(count):
        head = MemberInput(name=name, relation=Relation.HEAD, id_number=id_number(500 + n))
        many = RegisterHousehold(
            id=county.id(f"many/{n}"),
            village=county.id("yuantan_2"),
            members=(head,),
            category="hardship",
        )
        county.run(many, by="village2")


def test_the_household_itself_takes_no_place_of_those_that_are_offered(
    county: LivingCounty, server: TestClient
) -> None:
    """The first dozen of a name were taken, and only then looked through for what may be offered:
    one of the dozen was missing, and more were said to be there."""
    register(county, "柳小河", MOST_DOUBLES)
    page = Desk(server, "township").open(f"/households/{county.id('once')}")
    found = looked_for(page, "柳小河")
    offered = [n for n in range(MOST_DOUBLES) if str(county.id(f"many/{n}")) in found.text]
    assert len(offered) == MOST_DOUBLES and "还有更多" not in found.text


def test_more_than_can_be_offered_is_said(county: LivingCounty, server: TestClient) -> None:
    register(county, "李同名", MOST_DOUBLES + 1)
    page = Desk(server, "township").open(f"/households/{county.id('once')}")
    assert "还有更多，请多输入几个字" in looked_for(page, "李同名").text
    assert "还有更多" not in looked_for(page, "柳大山").text


def test_only_households_that_one_may_merge_are_found(
    county: LivingCounty, server: TestClient
) -> None:
    page = Desk(server, "township").open(f"/households/{county.id('once')}")
    assert "没有找到这样的户" in looked_for(page, "柳远远").text, "of another township"
    assert "没有找到这样的户" in looked_for(page, "柳小河").text, "it is the household itself"
    superior = Desk(server, "county").open(f"/households/{county.id('once')}")
    options = looked_for(superior, "柳大山").form(k.MergeHouseholds).options("into")
    assert len([one for one in options if one != "请选择"]) == 2, "a county has both townships"
    village = Desk(server, "village").open(f"/households/{county.id('once')}")
    assert "按姓名查找另一户" not in village.text, "a village merges nothing"
    nothing = village.desk.open(f"{village.address}?search=柳大山")
    assert str(county.id("again")) not in nothing.text


def test_who_registers_a_person_without_an_id_number_again_is_told_who_it_may_be(
    county: LivingCounty, server: TestClient
) -> None:
    """It went in without a word, for without a number each entry is another person. Who may merge
    had a table of such households; who registers them, and knows them, had nothing."""

    def entered(name: str, key: str, **more: Any) -> None:
        head = MemberInput(name=name, relation=Relation.HEAD, **more)
        made = RegisterHousehold(
            id=county.id(key), village=county.id("yuantan_1"), members=(head,), category="hardship"
        )
        county.run(made, by="village")

    entered("柳 大山", "unnumbered")
    entered("柳大山", "numbered", id_number=id_number(700))
    entered("赵一一", "man", sex="male", birth_date=date(1950, 1, 1))
    entered("赵一一", "woman", sex="female", birth_date=date(1950, 1, 1))
    page = Desk(server, "village").open(f"/households/{county.id('unnumbered')}").text
    assert "可能与下面的户重复登记" in page and "没有两个身份证号可以区分" in page
    for key in ("once", "numbered"):
        assert f'href="/households/{county.id(key)}"' in page
    page = Desk(server, "village").open(f"/households/{county.id('numbered')}").text
    assert f'href="/households/{county.id("unnumbered")}"' in page
    assert str(county.id("once")) not in page, "two ID numbers tell two persons apart"
    page = Desk(server, "village").open(f"/households/{county.id('man')}").text
    assert "可能与下面的户重复登记" not in page
    page = Desk(server, "township").open(f"/households/{county.id('unnumbered')}").text
    assert "可能与下面的户重复登记" not in page, "who may merge has the table of them"
