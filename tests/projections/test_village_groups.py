"""Villagers' groups in the views: by village, with who refers to them, and what mergers change."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from domain.commands.household_groups import ChangeHouseholdGroup
from domain.commands.village_groups import (
    EndVillageGroup,
    GroupInput,
    NameVillageGroups,
    RenameVillageGroup,
)
from projections import households, ledger, seasons
from projections.asking.ledger_books import household
from projections.asking.scope import EVERYTHING
from projections.asking.village_groups import changed_codes, village_groups
from projections.households import households as listed
from tests.domain.county import make_county
from tests.domain.ledger import family
from tests.domain.scenario import Scenario
from tests.domain.test_village_groups import follow, merge
from tests.projections.relief import fold, over, same_for_all_batches

DAY = date(2018, 7, 1)
VIEWS = (households.VIEW, seasons.VIEW, ledger.VIEW)


def named(county: Scenario, at: str, *names: str) -> None:
    groups = tuple(GroupInput(name=name) for name in names)
    command = NameVillageGroups(area=county.id(at), groups=groups, effective_on=DAY)
    county.given(command, by="admin")


@pytest.fixture(scope="module")
def county() -> Scenario:
    """Two villages with groups; of three households two refer to one of them."""
    county = make_county()
    named(county, "yuantan_1", "第一村民小组", "第二村民小组", "老屋组")
    named(county, "yuantan_2", "第一组")
    county.given(family(county, "a", 1, 2, group="二组"), by="village")
    county.given(family(county, "b", 11, 2, group="二组"), by="village")
    county.given(family(county, "c", 21, 2, group="河对岸"), by="village")
    renamed = {"area": county.id("yuantan_1"), "effective_on": DAY}
    county.given(RenameVillageGroup(code="02", name="柳树湾组", **renamed), by="admin")
    county.given(EndVillageGroup(code="03", **renamed), by="admin")
    return county


@pytest.fixture(scope="module")
def db(county: Scenario, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    folded = fold(tmp_path_factory.mktemp("groups"), county, VIEWS)
    with folded.reading() as db:
        yield db
    folded.close()


def told(page: Any, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in page.items]


def test_groups_stand_by_village_with_how_many_refer_to_them(
    county: Scenario, db: Connection
) -> None:
    found = village_groups(db, over(county, "yuantan"))
    assert told(found, "village_name", "code", "name", "households") == [
        ("源潭居委会", "01", "第一村民小组", 0),
        ("源潭居委会", "02", "柳树湾组", 2),
        ("源潭居委会", "03", "老屋组", 0),
        ("双峰居委会", "01", "第一组", 0),
    ]
    assert told(village_groups(db, EVERYTHING, ended=True), "code") == [("03",)]
    assert len(village_groups(db, over(county, "yuantan_1"), ended=False).items) == 2
    assert village_groups(db, over(county, "shuihou")).items == []
    first = village_groups(db, EVERYTHING, limit=3)
    rest = village_groups(db, EVERYTHING, limit=3, cursor=first.next)
    assert told(rest, "name") == [("第一组",)]


def test_a_household_is_shown_with_the_name_its_group_has_now(
    county: Scenario, db: Connection
) -> None:
    shown = dict(told(listed(db, EVERYTHING), "id", "village_group"))
    assert [shown[str(county.id(name))] for name in "abc"] == ["柳树湾组", "柳树湾组", "河对岸"]
    one = household(db, EVERYTHING, household=county.id("a"))
    assert one is not None and (one["village_group"], one["group_code"]) == ("柳树湾组", "02")
    # looked for by the name of now, not by the one it had when it was registered
    assert len(listed(db, EVERYTHING, search="柳树湾").items) == 2
    assert listed(db, EVERYTHING, search="第二村民小组").items == []


@pytest.mark.parametrize(
    ("group", "who"),
    [
        ("02", "ab"),
        ("柳树湾组", "ab"),
        ("河对岸", "c"),
        ("-", "c"),
        ("01", ""),
        ("第二村民小组", ""),
    ],
)
def test_households_of_one_group_are_asked_for(
    county: Scenario, db: Connection, group: str, who: str
) -> None:
    found = {row["id"] for row in listed(db, over(county, "yuantan_1"), group=group).items}
    assert found == {str(county.id(name)) for name in who}


def test_which_sub_codes_a_merger_would_change_is_told(county: Scenario, db: Connection) -> None:
    into = [county.id("yuantan_2"), county.id("shuihou_1")]
    found = changed_codes(db, EVERYTHING, county.id("yuantan_1"), into)
    assert {
        place: [(one.name, code) for one, code in changed] for place, changed in found.items()
    } == {county.id("yuantan_2"): [("第一村民小组", "03")]}


def test_after_the_merger_they_are_the_successor_s(tmp_path: Path) -> None:
    county = make_county()
    named(county, "yuantan_1", "第一村民小组", "柳树组")
    named(county, "yuantan_2", "第一组")
    county.given(family(county, "a", 1, 2, group="一组"), by="village")
    merge(county)
    county.given(follow(county, "a"), by="admin")
    changed = ChangeHouseholdGroup(household=county.id("a"), group_code="02", reason="调整")
    views = (households.VIEW,)
    folded = fold(tmp_path / "moved", county, views)
    with folded.reading() as db:
        assert told(listed(db, EVERYTHING), "village_name", "village_group", "group_code") == [
            ("双峰居委会", "第一村民小组", "03")
        ]
        passed = village_groups(db, EVERYTHING, ended=True)
        assert told(passed, "code", "passed_to", "passed_code") == [
            ("01", str(county.id("yuantan_2")), "03"),
            ("02", str(county.id("yuantan_2")), "02"),
        ]
    folded.close()
    county.given(changed, by="village2")
    folded = fold(tmp_path / "changed", county, views)
    with folded.reading() as db:
        assert told(listed(db, EVERYTHING, group="02"), "village_group") == [("柳树组",)]
    folded.close()


def test_the_rows_do_not_depend_on_the_batch(county: Scenario, tmp_path: Path) -> None:
    same_for_all_batches(tmp_path, county, (households.VIEW,))
