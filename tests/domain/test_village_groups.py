"""Villagers' groups: named parts of a village with a sub-code of their own, for ever."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from domain.area import Area, AreaAbolished, ChangesOutOfOrder
from domain.commands.areas import AbolishArea, Merge, RearrangeVillages
from domain.commands.following import FollowMerger
from domain.commands.household_groups import ChangeHouseholdGroup, PutIntoGroup
from domain.commands.household_moves import AcceptHouseholdMove, OfferHouseholdMove
from domain.commands.households import MoveHousehold
from domain.commands.village_groups import (
    EndVillageGroup,
    GroupInput,
    NameVillageGroups,
    RenameVillageGroup,
)
from domain.household import Household
from domain.refusal import Malformed, NotFound, NotYourRole
from domain.village_group import (
    LONGEST_NAME,
    GroupCodeTaken,
    GroupIsNoMore,
    GroupNameTaken,
    NoGroupCodeLeft,
    NoSuchGroup,
    OnlyVillagesHaveGroups,
    VillageGroup,
    group_key,
    group_meant,
    group_name,
)
from tests.domain.county import make_county
from tests.domain.ledger import family
from tests.domain.scenario import Scenario

DAY = date(2018, 7, 1)
PAPER = "皖民〔2018〕7号"


@pytest.fixture
def county() -> Scenario:
    return make_county()


def naming(county: Scenario, *names: str | tuple[str, str], at: str = "yuantan_1") -> Any:
    groups = [(one, "") if isinstance(one, str) else one for one in names]
    return NameVillageGroups(
        area=county.id(at),
        groups=tuple(GroupInput(name=name, code=code) for name, code in groups),
        effective_on=DAY,
    )


def test_a_day_to_come_or_before_the_village_is_refused(county: Scenario) -> None:
    """An end on a day to come would end the group at once."""
    county.given(naming(county, "3组"), by="township")
    future = date(2031, 1, 1)
    renamed = RenameVillageGroup(
        area=county.id("yuantan_1"), code="03", name="柳树组", effective_on=future
    )
    early = naming(county, "5组")
    for command in (ending(county, "03", future), renamed, replace(early, effective_on=future)):
        refusal = county.when(command, by="township").then(Malformed)
        assert "不能晚于今天" in refusal.sentence("zh")
    before = date(2015, 12, 31)  # the village is there since 2016
    county.when(replace(early, effective_on=before), by="township").then(ChangesOutOfOrder)
    county.when(ending(county, "03", before), by="township").then(ChangesOutOfOrder)
    county.when(ending(county, "03"), by="township").then("Area.GroupEnded")


def ending(county: Scenario, code: str, on: date = DAY) -> EndVillageGroup:
    return EndVillageGroup(area=county.id("yuantan_1"), code=code, effective_on=on)


def renaming(county: Scenario, code: str, name: str, on: date = DAY) -> RenameVillageGroup:
    return RenameVillageGroup(area=county.id("yuantan_1"), code=code, name=name, effective_on=on)


def groups(county: Scenario, at: str = "yuantan_1") -> dict[str, str]:
    """The living groups by sub-code."""
    found = county.load(Area, county.id(at)).groups
    return {code: one.name for code, one in found.items() if one.living}


def where(county: Scenario, name: str = "a") -> tuple[str, str]:
    household = county.load(Household, county.id(name))
    assert isinstance(household, Household)
    return household.group, household.group_code


def test_a_group_gets_the_number_in_its_name_or_the_next_free_code(county: Scenario) -> None:
    county.given(naming(county, "第三村民小组", "柳树组", "１２ 组", "三道沟组"), by="township")
    assert county.result == {"codes": ["03", "01", "12", "02"]}
    assert groups(county) == {"03": "第三村民小组", "01": "柳树组", "12": "12组", "02": "三道沟组"}
    # a code said for one of them is not given to another of the same list
    county.given(naming(county, "大湾组", ("小湾组", "04"), "9组"), by="admin")
    assert county.result == {"codes": ["05", "04", "09"]}


def test_who_keeps_the_village_names_its_groups_and_the_township_above(county: Scenario) -> None:
    command = naming(county, "一组")
    for other, refusal in {
        "county": NotYourRole,
        "storekeeper": NotYourRole,
        "village": NotFound,
        "township2": NotFound,
        "foreign_admin": NotFound,
    }.items():
        county.when(command, by=other).then(refusal)
    county.when(command, by="township").then("Area.GroupNamed")
    county.when(naming(county, "二组"), by="admin").then("Area.GroupNamed")
    county.when(renaming(county, "01", "甲组"), by="county").then(NotYourRole)
    county.when(ending(county, "01"), by="village").then(NotFound)


def test_said_twice_is_said_once(county: Scenario) -> None:
    county.given(naming(county, "一组", "二组"), by="admin")
    county.when(naming(county, ("一组", "01")), by="admin").then()
    county.when(renaming(county, "01", "一组"), by="admin").then()
    county.given(ending(county, "01"), by="admin")
    county.when(ending(county, "01"), by="admin").then()


def test_a_code_is_never_given_to_another_group(county: Scenario) -> None:
    county.given(naming(county, "一组"), by="admin")
    county.when(naming(county, ("柳树组", "01")), by="admin").then(GroupCodeTaken)
    county.given(ending(county, "01"), by="admin")
    county.when(naming(county, ("柳树组", "01")), by="admin").then(GroupCodeTaken)
    county.when(renaming(county, "01", "柳树组"), by="admin").then(GroupIsNoMore)
    # its name is free again, under another code
    county.given(naming(county, "一组"), by="admin")
    assert county.result == {"codes": ["02"]}


def test_living_groups_are_not_called_alike(county: Scenario) -> None:
    county.given(naming(county, "3组", "柳树组"), by="admin")
    county.when(naming(county, "第三村民小组"), by="admin").then(GroupNameTaken)
    county.when(renaming(county, "01", "三组"), by="admin").then(GroupNameTaken)
    county.when(renaming(county, "03", "第三村民小组"), by="admin").then("Area.GroupRenamed")
    county.when(renaming(county, "03", "三组", date(2018, 6, 1)), by="admin").then(
        ChangesOutOfOrder
    )


@pytest.mark.parametrize("code", ["00", "1", "100", "001", "1a", "０１", "-1"])
def test_a_code_has_two_digits(county: Scenario, code: str) -> None:
    county.when(naming(county, ("一组", code)), by="admin").then(Malformed)


def test_the_edges_of_codes_and_names(county: Scenario) -> None:
    county.given(naming(county, ("甲组", "01"), ("乙组", "99")), by="admin")
    longest = "长" * LONGEST_NAME
    county.given(naming(county, longest), by="admin")
    for wrong in (longest + "长", "", "  ", "零\u200b宽", "控\x07制"):
        county.when(naming(county, wrong), by="admin").then(Malformed)
    county.when(naming(county), by="admin").then(Malformed)
    names = [f"第{number}小队" for number in range(96)]
    county.given(naming(county, *names), by="admin")
    assert len(groups(county)) == 99
    county.when(naming(county, "还有一组"), by="admin").then(NoGroupCodeLeft)
    county.when(naming(county, *["一组"] * 100), by="admin").then(Malformed)


def test_only_a_living_village_has_groups(county: Scenario) -> None:
    county.when(naming(county, "一组", at="yuantan"), by="admin").then(OnlyVillagesHaveGroups)
    county.given(naming(county, "一组"), by="admin")
    gone = AbolishArea(area=county.id("yuantan_1"), effective_on=DAY, document_no=PAPER)
    county.given(gone, by="admin")
    for command in (naming(county, "二组"), renaming(county, "01", "甲组"), ending(county, "01")):
        county.when(command, by="admin").then(AreaAbolished)
    assert groups(county) == {"01": "一组"}


def test_names_are_kept_in_one_form() -> None:
    assert group_name(" ３ 组\n") == "3组" and group_name("Upper  Bend") == "Upper Bend"
    assert {group_key(one) for one in ("3组", "03", "３组", "第三组", "三", "第3村民小组")} == {"3"}
    assert [group_key(one) for one in ("十组", "第二十一组", "九十九村民组", "第十二小组")] == [
        "10",
        "21",
        "99",
        "12",
    ]
    assert [group_key(one) for one in ("柳树组", "组", "第组", "一山组", "十十组")] == [
        "柳树",
        "组",
        "第组",
        "一山",
        "十十",
    ]


def test_what_people_write_means_one_group_or_none() -> None:
    there = [
        VillageGroup("01", "3组", DAY),
        VillageGroup("03", "柳树组", DAY),
        VillageGroup("04", "大湾组", DAY),
        VillageGroup("05", "大湾", DAY),
        VillageGroup("06", "六组", DAY, ended_on=DAY),
    ]
    meant = {
        "3组": "01",
        "第三村民小组": "01",
        "03": "03",  # written as a sub-code
        "柳 树": "03",
        "1组": None,  # 01 is the number of another one's name
        "4组": "04",
        "大湾组": None,
        "六组": None,
        "7组": None,
        "": None,
    }
    for text, code in meant.items():
        found = group_meant(there, text)
        assert (found.code if found else None) == code, text


def test_a_household_refers_to_a_group_of_its_village(county: Scenario) -> None:
    county.given(naming(county, "第三村民小组", "柳树组"), by="township")
    county.given(family(county, "a", 1, 2, group="三组"), by="village")
    assert where(county) == ("第三村民小组", "03")
    county.given(family(county, "b", 11, 2, group_code="01"), by="village")
    assert where(county, "b") == ("柳树组", "01")
    county.given(family(county, "c", 21, 2, group="五组"), by="village")
    assert where(county, "c") == ("五组", "")
    county.when(family(county, "d", 31, 2, group_code="07"), by="village").then(NoSuchGroup)
    county.given(ending(county, "01"), by="admin")
    county.when(family(county, "e", 41, 2, group_code="01"), by="village").then(GroupIsNoMore)
    assert where(county, "b") == ("柳树组", "01"), "who is in it stays in it until it is changed"


def test_the_group_of_a_household_is_changed(county: Scenario) -> None:
    county.given(naming(county, "一组", "二组"), by="township")
    county.given(family(county, "a", 1, 2, group="一组"), by="village")

    def change(**what: str) -> ChangeHouseholdGroup:
        return ChangeHouseholdGroup(household=county.id("a"), reason="重新编组", **what)

    county.when(change(group_code="02"), by="payer").then(NotYourRole)
    county.when(change(group_code="02"), by="village2").then(NotFound)
    county.when(change(group_code="02"), by="village").then("Household.GroupChanged")
    county.when(change(group="第二组"), by="village").then()
    county.when(change(group_code="03"), by="village").then(NoSuchGroup)
    county.when(change(group="河对岸"), by="village").then("Household.GroupChanged")
    assert where(county) == ("河对岸", "")


def test_many_households_are_put_into_a_group_at_once(county: Scenario) -> None:
    for number, name in enumerate(("a", "b")):
        county.given(family(county, name, 1 + 10 * number, 2, group="老三队"), by="village")
    county.given(naming(county, "三组"), by="township")

    def put(*names: str, code: str = "03") -> PutIntoGroup:
        return PutIntoGroup(
            village=county.id("yuantan_1"),
            group_code=code,
            households=tuple(county.id(name) for name in names),
            reason="按新编小组",
        )

    county.when(put("a", "b"), by="village2").then(NotFound)
    county.when(put(), by="village").then(Malformed)
    county.given(put("a", "b", "a"), by="village")
    assert county.result == {"households": 2}
    assert where(county, "b") == ("三组", "03")
    county.given(family(county, "c", 31, 2, "yuantan_2"), by="village2")
    county.when(put("c"), by="township").then(NotFound)
    county.when(put("a", code="04"), by="village").then(NoSuchGroup)


def test_who_moves_goes_into_a_group_there_or_into_none(county: Scenario) -> None:
    county.given(naming(county, "一组"), by="township")
    county.given(naming(county, "一组", ("柳树组", "07"), at="yuantan_2"), by="township")
    county.given(naming(county, "湖边组", at="foreign_village"), by="foreign_admin")
    county.given(family(county, "a", 1, 2, group="一组"), by="village")

    def move(village: str, **what: str) -> MoveHousehold:
        return MoveHousehold(
            household=county.id("a"), village=county.id(village), on=DAY, reason="搬迁", **what
        )

    county.given(move("yuantan_2", group_code="07"), by="township")
    assert where(county) == ("柳树组", "07")
    county.given(move("yuantan_1"), by="township")
    assert where(county) == ("", "")
    offer = OfferHouseholdMove(
        household=county.id("a"),
        village=county.id("foreign_village"),
        group="湖边",
        reason="投靠子女",
    )
    county.given(offer, by="county")
    taken = AcceptHouseholdMove(household=county.id("a"), on=DAY, reason="同意")
    county.given(taken, by="foreign_county")
    assert where(county) == ("湖边组", "01")


def test_a_group_that_ended_while_a_move_was_offered_gets_nobody(county: Scenario) -> None:
    """The household came into it by the sub-code of the day of the offer."""
    county.given(naming(county, "湖边组", at="foreign_village"), by="foreign_admin")
    county.given(family(county, "a", 1, 2), by="village")
    offer = OfferHouseholdMove(
        household=county.id("a"),
        village=county.id("foreign_village"),
        group="湖边",
        reason="投靠子女",
    )
    county.given(offer, by="county")
    over = EndVillageGroup(area=county.id("foreign_village"), code="01", effective_on=DAY)
    county.given(over, by="foreign_admin")
    taken = AcceptHouseholdMove(household=county.id("a"), on=DAY, reason="同意")
    county.given(taken, by="foreign_county")
    assert where(county) == ("湖边组", ""), "what was said stays as a text"


# -- mergers ----------------------------------------------------------------------------------


def merge(county: Scenario, origin: str = "yuantan_1", into: str = "yuantan_2") -> None:
    merges = (Merge(area=county.id(origin), into=county.id(into)),)
    county.given(RearrangeVillages(merges=merges, effective_on=DAY, document_no=PAPER), by="admin")


def follow(county: Scenario, *households: str, origin: str = "yuantan_1") -> FollowMerger:
    return FollowMerger(
        area=county.id(origin),
        document_no=PAPER,
        households=tuple(county.id(name) for name in households),
    )


def test_the_successor_takes_the_groups_over_and_no_code_twice(county: Scenario) -> None:
    county.given(naming(county, "一组", "二组", "柳树组", ("旧组", "09")), by="township")
    county.given(ending(county, "09"), by="admin")
    county.given(naming(county, "第一组", ("河口组", "04"), at="yuantan_2"), by="township")
    for serial, (name, group) in enumerate({"a": "一组", "b": "二组", "c": "三队"}.items()):
        county.given(family(county, name, 1 + 10 * serial, 2, group=group), by="village")
    county.given(family(county, "d", 51, 2, group_code="03"), by="village")
    merge(county)
    county.given(follow(county, "a"), by="admin")
    assert county.result["groups"] == 3 and county.result["households"] == 1
    # 02 and 03 are kept; the village's own 01 is not given away, so its 一组 gets the next free
    # code that no group of either village has
    assert groups(county, "yuantan_2") == {
        "01": "第一组",
        "02": "二组",
        "03": "柳树组",
        "04": "河口组",
        "05": "一组",
    }
    assert groups(county) == {}
    county.given(follow(county, "b", "c", "d"), by="admin")
    assert county.result["groups"] == 0
    assert [where(county, name) for name in "abcd"] == [
        ("一组", "05"),
        ("二组", "02"),
        ("三队", ""),
        ("柳树组", "03"),
    ]
    assert county.run(follow(county, "a", "b", "c", "d"), by="admin") == []


def test_a_village_merged_twice_passes_its_groups_on_to_the_last(county: Scenario) -> None:
    county.given(naming(county, "一组"), by="township")
    county.given(naming(county, "一组", "旧组", at="yuantan_2"), by="township")
    county.given(family(county, "a", 1, 2, group="一组"), by="village")
    merge(county)
    merge(county, "yuantan_2", "shuihou_1")
    county.given(follow(county, "a"), by="admin")
    assert county.result["groups"] == 4, "one to the second village, three on to the third"
    assert groups(county, "shuihou_1") == {"01": "一组", "02": "旧组", "03": "一组"}
    assert where(county) == ("一组", "03")


def test_a_group_for_which_no_code_is_left_is_a_name_only(county: Scenario) -> None:
    county.given(naming(county, "一组"), by="township")
    names = [f"第{number}小队" for number in range(99)]
    county.given(naming(county, *names, at="yuantan_2"), by="township")
    county.given(family(county, "a", 1, 2, group="一组"), by="village")
    merge(county)
    county.given(follow(county, "a"), by="admin")
    assert where(county) == ("一组", "")
    assert len(groups(county, "yuantan_2")) == 99 and groups(county) == {}
