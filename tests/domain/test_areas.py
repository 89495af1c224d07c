"""Areas: the tree, dated names and codes, merges and splits in one commit."""

from datetime import date
from typing import Any

import pytest

from domain.area import (
    Area,
    AreaAbolished,
    AreaLevel,
    ChangesOutOfOrder,
    OnlyVillagesMerge,
    WrongLevel,
)
from domain.commands.areas import (
    AbolishArea,
    AreaPlan,
    ChangeAreaCodes,
    CodeChange,
    EstablishArea,
    EstablishAreas,
    Merge,
    RearrangeVillages,
    RenameArea,
    Split,
)
from domain.refusal import AlreadyExists, Malformed, NotFound, NotYourRole
from tests.domain.county import make_county
from tests.domain.scenario import Scenario

DAY = date(2018, 8, 1)
PAPER = "测试〔2018〕8号"


@pytest.fixture
def county() -> Scenario:
    return make_county()


def village(county: Scenario, name: str, parent: str = "yuantan", **other: Any) -> AreaPlan:
    values = {"code": "340882101300", "name": name, "level": AreaLevel.VILLAGE} | other
    return AreaPlan(id=county.id(name), parent=county.id(parent), **values)


def establish(county: Scenario, key: str, parent: str = "yuantan", **other: Any) -> EstablishArea:
    values: dict[str, Any] = {
        "code": "340882101300",
        "name": key,
        "level": AreaLevel.VILLAGE,
        "established_on": DAY,
        "document_no": PAPER,
    }
    return EstablishArea(id=county.id(key), parent=county.id(parent), **(values | other))


def area(county: Scenario, name: str) -> Area:
    found = county.load(Area, county.id(name))
    assert isinstance(found, Area)
    return found


def test_an_administrator_establishes_a_village_below(county: Scenario) -> None:
    county.when(establish(county, "new"), by="admin").then("Area.Established")
    assert area(county, "new").parent == county.id("yuantan")
    assert area(county, "new").home == county.id("new")


def test_a_village_is_born_in_the_partition_of_its_county(county: Scenario) -> None:
    (fact,) = county.run(establish(county, "new"), by="admin")
    assert fact.meta.division == county.id("county")


def test_only_an_administrator_of_the_area_above_keeps_the_tree(county: Scenario) -> None:
    county.when(establish(county, "new"), by="county").then(NotYourRole)
    county.when(establish(county, "new"), by="foreign_admin").then(NotFound)
    rename = RenameArea(
        area=county.id("county"), name="潜山县", effective_on=DAY, document_no=PAPER
    )
    county.when(rename, by="admin").then(NotFound)
    county.when(rename, by="city_admin").then("Area.Renamed")


def test_an_area_is_established_once(county: Scenario) -> None:
    county.given(establish(county, "new"))
    county.when(establish(county, "new")).then(AlreadyExists)


def test_an_area_needs_a_parent_that_exists(county: Scenario) -> None:
    county.when(establish(county, "new", "nowhere")).then(NotFound)


@pytest.mark.parametrize("code", ["", "3408", "34088210130", "34088210130X", "３４０８８２"])
def test_a_code_has_six_or_twelve_digits(county: Scenario, code: str) -> None:
    refusal = county.when(establish(county, "new", code=code)).then(Malformed)
    assert (refusal.field, refusal.value) == ("code", code)


def test_a_name_is_required(county: Scenario) -> None:
    assert county.when(establish(county, "new", name=" ")).then(Malformed).field == "name"


@pytest.mark.parametrize("parent", ["yuantan", "yuantan_1"])
def test_a_township_cannot_lie_under_a_township_or_village(county: Scenario, parent: str) -> None:
    command = establish(county, "new", parent, level=AreaLevel.TOWNSHIP)
    assert county.when(command).then(WrongLevel).level == "township"


def test_a_bulk_of_areas_is_one_commit(county: Scenario) -> None:
    township = village(county, "town", "county", level=AreaLevel.TOWNSHIP, code="340882199000")
    plans = (township, village(county, "one", "town"), village(county, "two", "town"))
    command = EstablishAreas(areas=plans, established_on=DAY, document_no=PAPER)
    county.when(command, by="admin").then(*["Area.Established"] * 3)
    assert county.result == {"areas": 3}


def test_a_bulk_is_refused_whole(county: Scenario) -> None:
    plans = (village(county, "one"), village(county, "two", code="1"))
    county.when(EstablishAreas(areas=plans, established_on=DAY, document_no=PAPER)).then(Malformed)
    assert county.load(Area, county.id("one")) is None


def test_a_bulk_that_reaches_into_another_county_is_not_the_countys(county: Scenario) -> None:
    plans = (village(county, "one"), village(county, "two", "foreign_township"))
    command = EstablishAreas(areas=plans, established_on=DAY, document_no=PAPER)
    county.when(command, by="admin").then(NotFound)
    county.when(command, by="city_admin").then("Area.Established", "Area.Established")


def test_a_bulk_without_a_place_to_begin_is_malformed(county: Scenario) -> None:
    empty = EstablishAreas(areas=(), established_on=DAY, document_no=PAPER)
    county.when(empty, by="admin").then(Malformed)
    circle = (village(county, "one", "two"), village(county, "two", "one"))
    command = EstablishAreas(areas=circle, established_on=DAY, document_no=PAPER)
    county.when(command, by="admin").then(Malformed)
    county.when(command).then(NotFound)


def test_an_old_report_keeps_the_name_and_code_of_its_day(county: Scenario) -> None:
    changes = (
        CodeChange(area=county.id("county"), code="340899"),
        CodeChange(area=county.id("yuantan"), code="340899101000"),
    )
    codes = ChangeAreaCodes(changes=changes, effective_on=DAY, document_no=PAPER)
    county.when(codes, by="admin").then(NotFound)
    county.when(codes, by="city_admin").then("Area.CodeChanged", "Area.CodeChanged")
    rename = RenameArea(area=county.id("county"), name="新名", effective_on=DAY, document_no=PAPER)
    county.given(rename)
    kept = area(county, "county")
    assert (kept.code, kept.name) == ("340899", "新名")
    assert kept.code_at(date(2018, 7, 31)) == "340882"
    assert kept.code_at(DAY) == "340899"
    assert kept.name_at(date(2018, 7, 31)) == "潜山市"
    assert kept.code_at(date(1990, 1, 1)) == "340882", "before its time: the first code"


def test_codes_of_one_township_are_the_countys_to_change(county: Scenario) -> None:
    changes = tuple(
        CodeChange(area=county.id(name), code=f"34088210190{n}")
        for n, name in enumerate(("yuantan_1", "yuantan_2"))
    )
    command = ChangeAreaCodes(changes=changes, effective_on=DAY, document_no=PAPER)
    county.when(command, by="admin").then("Area.CodeChanged", "Area.CodeChanged")


def test_a_code_change_names_at_least_one_area(county: Scenario) -> None:
    command = ChangeAreaCodes(changes=(), effective_on=DAY, document_no=PAPER)
    county.when(command, by="admin").then(Malformed)


def test_a_change_cannot_precede_the_last_one(county: Scenario) -> None:
    early = RenameArea(
        area=county.id("yuantan"), name="早", effective_on=date(2015, 1, 1), document_no=PAPER
    )
    refusal = county.when(early).then(ChangesOutOfOrder)
    assert refusal.latest == date(2016, 1, 1)


def test_an_abolished_area_is_no_parent_and_does_not_change(county: Scenario) -> None:
    gone = county.id("yuantan_2")
    abolish = AbolishArea(area=gone, effective_on=DAY, document_no=PAPER)
    county.when(abolish, by="admin").then("Area.Abolished")
    refusal = county.when(abolish).then(AreaAbolished)
    assert (refusal.area, refusal.abolished_on) == (gone, DAY)
    rename = RenameArea(area=gone, name="新", effective_on=DAY, document_no=PAPER)
    county.when(rename).then(AreaAbolished)
    county.given(AbolishArea(area=county.id("shuihou"), effective_on=DAY, document_no=PAPER))
    county.when(establish(county, "new", "shuihou")).then(AreaAbolished)


def test_an_area_lives_until_the_day_it_is_abolished(county: Scenario) -> None:
    later = AbolishArea(area=county.id("yuantan_2"), effective_on=DAY, document_no=PAPER)
    county.given(later)
    kept = area(county, "yuantan_2")
    kept.require_living(date(2018, 7, 31))
    with pytest.raises(AreaAbolished):
        kept.require_living(DAY)


def test_nine_neighborhoods_become_six_in_one_commit(county: Scenario) -> None:
    nine = tuple(village(county, f"old{n}") for n in range(9))
    county.given(EstablishAreas(areas=nine, established_on=date(2016, 1, 1), document_no=PAPER))
    old = [county.id(f"old{n}") for n in range(9)]
    new = village(county, "new0")
    command = RearrangeVillages(
        established=(new,),
        splits=(Split(area=new.id, source=old[6]), Split(area=old[5], source=old[6])),
        merges=(
            Merge(area=old[7], into=new.id),
            Merge(area=old[8], into=old[0]),
            Merge(area=old[4], into=old[3]),
        ),
        abolished=(old[6],),
        effective_on=DAY,
        document_no=PAPER,
    )
    facts = county.run(command, by="admin")
    assert sorted(fact.topic() for fact in facts) == [
        "Area.Abolished",
        "Area.Established",
        *["Area.MergedInto"] * 3,
        *["Area.SplitFrom"] * 2,
    ]
    assert len({fact.meta.command for fact in facts}) == 1
    living = [id for id in (*old, new.id) if county.load(Area, id).abolished_on is None]
    assert len(living) == 6
    merged = county.load(Area, old[7])
    assert (merged.merged_into, merged.abolished_on) == (new.id, DAY)
    assert county.load(Area, new.id).split_from == old[6]


def test_a_merge_across_townships_is_the_countys_and_across_counties_the_citys(
    county: Scenario,
) -> None:
    inside = Merge(area=county.id("yuantan_2"), into=county.id("shuihou_1"))
    command = RearrangeVillages(merges=(inside,), effective_on=DAY, document_no=PAPER)
    county.when(command, by="admin").then("Area.MergedInto")
    across = Merge(area=county.id("yuantan_1"), into=county.id("foreign_village"))
    command = RearrangeVillages(merges=(across,), effective_on=DAY, document_no=PAPER)
    county.when(command, by="admin").then(NotFound)
    county.when(command, by="city_admin").then("Area.MergedInto")


def test_nothing_merges_into_a_village_that_is_gone_afterwards(county: Scenario) -> None:
    one, two, three = (county.id(n) for n in ("yuantan_1", "yuantan_2", "shuihou_1"))
    chain = (Merge(area=one, into=two), Merge(area=two, into=three))
    command = RearrangeVillages(merges=chain, effective_on=DAY, document_no=PAPER)
    assert county.when(command).then(AreaAbolished).area == two
    assert county.load(Area, one).abolished_on is None, "the whole command was refused"
    twice = (Merge(area=one, into=two), Merge(area=one, into=three))
    county.when(RearrangeVillages(merges=twice, effective_on=DAY, document_no=PAPER)).then(
        AreaAbolished
    )


def test_a_village_neither_merges_into_itself_nor_splits_from_itself(county: Scenario) -> None:
    one = county.id("yuantan_1")
    merge = RearrangeVillages(
        merges=(Merge(area=one, into=one),), effective_on=DAY, document_no=PAPER
    )
    assert county.when(merge).then(Malformed).field == "into"
    split = RearrangeVillages(
        splits=(Split(area=one, source=one),), effective_on=DAY, document_no=PAPER
    )
    assert county.when(split).then(Malformed).field == "source"


@pytest.mark.parametrize(
    ("area", "into"), [("yuantan", "shuihou"), ("yuantan_1", "shuihou"), ("yuantan", "shuihou_1")]
)
def test_only_villages_merge(county: Scenario, area: str, into: str) -> None:
    merge = Merge(area=county.id(area), into=county.id(into))
    command = RearrangeVillages(merges=(merge,), effective_on=DAY, document_no=PAPER)
    assert county.when(command).then(OnlyVillagesMerge).level == "township"


def test_a_rearrangement_changes_something_and_not_before_the_village_was(
    county: Scenario,
) -> None:
    nothing = RearrangeVillages(effective_on=DAY, document_no=PAPER)
    county.when(nothing, by="admin").then(Malformed)
    early = RearrangeVillages(
        merges=(Merge(area=county.id("yuantan_1"), into=county.id("yuantan_2")),),
        effective_on=date(2010, 1, 1),
        document_no=PAPER,
    )
    county.when(early).then(ChangesOutOfOrder)
