"""Lists that say in their sheets what others say in their rows: a village a sheet, a title above,
the members of a household beside its head."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.household import Household
from intake.columns import find_header
from tests.eventstore.support import named
from tests.id_numbers import id_number
from tests.intake.make import HEADER, name, workbook
from tests.intake.reading import HEAD, SON, WIFE, broken, families, results
from tests.intake.test_again import notes
from tests.intake.town import VILLAGE, County, county, make_county

NO_VILLAGE = ("序号", "户主姓名", "户主身份证号", "家庭人口[人]")
MEMBERS = ("成员1姓名", "成员1身份证号", "成员1与户主关系", "成员2姓名", "成员2身份证号")
WIDE = (*NO_VILLAGE, *MEMBERS)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[County]:
    with county(make_county(tmp_path / "var")) as found:
        yield found


def head(number: int) -> list[Any]:
    return [number, name(number), id_number(900 + number), 1]


def villages(town: County) -> list[Any]:
    found: list[Household] = [town.store.load(row.household) for row in town.rows if row.household]
    return [household.village for household in found]


def test_c5_one_sheet_a_village(town: County, tmp_path: Path) -> None:
    more = {"双峰居委会": [NO_VILLAGE, head(2), head(3)], "2.源潭村": [NO_VILLAGE, head(4)]}
    path = workbook(tmp_path / "a.xlsx", [NO_VILLAGE, head(1)], sheet="源潭居委会", more=more)
    report = town.run(path)
    assert (report.registered, report.fault_count) == (4, 0)
    first, second = named("yuantan_1"), named("yuantan_2")
    assert villages(town) == [first, second, second, first]
    assert report.sheet_villages == [
        "源潭居委会：源潭居委会",
        "双峰居委会：双峰居委会",
        "2.源潭村：源潭村",
    ]


@pytest.mark.parametrize(
    "title",
    [
        "填报单位：源潭镇源潭居委会",
        "源潭社区2023年受灾人员冬春生活救助名单",
        "潜山市源潭镇源潭社区居民委员会（公章）",
        "行政村：源潭村",
    ],
)
def test_c5_the_village_stands_in_the_title_only(town: County, tmp_path: Path, title: str) -> None:
    path = workbook(tmp_path / "a.xlsx", [["冬春救助一览表"], [title], NO_VILLAGE, head(1)])
    assert town.run(path).registered == 1
    assert villages(town) == [named("yuantan_1")]


def test_c5_a_township_beside_the_name_tells_two_of_one_name_apart(
    town: County, tmp_path: Path
) -> None:
    path = workbook(tmp_path / "a.xlsx", [["水吼镇双峰村"], NO_VILLAGE, head(1)])
    assert town.run(path).registered == 1
    assert villages(town) == [named("same_name")]


@pytest.mark.parametrize(
    ("sheet", "title", "rule"),
    [
        ("双峰居委会", "填报单位：源潭镇源潭居委会", "village-ambiguous"),
        ("双峰", "", "village-ambiguous"),
        ("天堂寨村", "", "village-unknown"),
        ("Sheet1", "填报单位：天堂镇新源潭村", "village-unknown"),
        ("Sheet1", "潜山市农村低保户名单（分行政村）", "village-missing"),
        ("源潭", "", "village-missing"),
    ],
)
def test_c5_a_sheet_that_means_no_one_village_is_asked_about(
    town: County, tmp_path: Path, sheet: str, title: str, rule: str
) -> None:
    path = workbook(tmp_path / "a.xlsx", [[title], NO_VILLAGE, head(1)], sheet=sheet)
    report = town.run(path)
    assert report.by_rule == {rule: 1} and report.registered == 0


def test_c5_a_sheet_about_another_village_is_not_put_into_the_one_asked_for(
    town: County, tmp_path: Path
) -> None:
    path = workbook(tmp_path / "a.xlsx", [NO_VILLAGE, head(1)], sheet="双峰居委会")
    assert town.run(path, area=VILLAGE).by_rule == {"village-unknown": 1}


def test_c5_a_row_that_names_its_village_is_believed(town: County, tmp_path: Path) -> None:
    row = [1, "双峰居委会", "张小三", HEAD, 1]
    path = workbook(tmp_path / "a.xlsx", [HEADER, row], sheet="源潭居委会")
    assert town.run(path).registered == 1
    assert villages(town) == [named("yuantan_2")]


def test_c5_wide_members_are_members(town: County, tmp_path: Path) -> None:
    row = [1, "张小三", HEAD, 4, "李四", WIFE, "妻", "张小", SON]
    path = workbook(tmp_path / "a.xlsx", [WIDE, row], sheet="源潭居委会")
    report = town.run(path)
    assert (report.registered, report.members, report.unused_columns) == (
        1,
        3,
        ["源潭居委会!序号（A）"],
    )
    (id,) = {one.household for one in town.rows}
    stored: Household = town.store.load(id)
    assert (len(stored.members), stored.unnamed) == (3, 1)
    persons = town.store.vault.find_persons([HEAD, WIFE, SON])
    assert set(persons.values()) == set(stored.members)
    assert {rule for _, rule in notes(town)} == {"size-differs"}


def test_c5_problems_of_a_wide_member_stand_at_their_own_cells(tmp_path: Path) -> None:
    rows = (
        [1, "张小三", HEAD, 3, "李四", HEAD[:17] + "?", "妻", None, SON],
        [2, "王五", id_number(911), 2, "李四", WIFE, "妻", "张小", WIFE],
        [3, "赵六", id_number(913), None, "钱七", None, None, None, None],
    )
    first, second, third = results(tmp_path, *rows, header=WIDE)
    assert broken(first) == {"id-number": "F2", "name-missing": "H2"}
    assert broken(second) == {"id-twice": "I3"}
    assert [(one.cell, one.rule) for one in third.notes] == [("F4", "member-without-id")]
    (family,) = families([third])
    assert (family.size, family.members[0].name) == (2, "钱七")


def test_c5_a_wide_list_that_repeats_the_head_among_the_members(tmp_path: Path) -> None:
    rows = (
        [1, "张小三", HEAD, 2, "张小三", HEAD, "户主", "李四", WIFE],
        [2, "王五", id_number(911), 2, "王武", id_number(911), "本人", None, None],
    )
    first, second = results(tmp_path, *rows, header=WIDE)
    (family,) = families([first])
    assert [one.name for one in family.members] == ["李四"] and first.notes == ()
    assert broken(second) == {"head-differs": "E3"}


def test_c5_what_is_stored_otherwise_is_told_at_the_member_s_cell(
    town: County, tmp_path: Path
) -> None:
    row = [1, "张小三", HEAD, 2, "李四", WIFE, "妻", None, None]
    again = [1, "张小三", HEAD, 3, "李四四", WIFE, "母亲", "张小", SON]
    for number, content in enumerate((row, again)):
        path = workbook(tmp_path / f"{number}.xlsx", [WIDE, content], sheet="源潭居委会")
        town.run(path)
    (result,) = town.rows
    assert result.outcome == "completed"
    assert {(one.rule, one.cell) for one in result.notes} == {
        ("stored-name", "E2"),
        ("stored-relation", "G2"),
        ("member-added", "H2"),
    }


def test_c5_members_under_a_common_heading_are_understood() -> None:
    top: list[list[Any]] = [
        ["户主姓名", "户主身份证号", "家庭成员一", None, "家庭成员二", None, "成员3身份证号"],
        [None, None, "姓名", "身份证号", "姓名", "身份证号", None],
    ]
    merged = [(0, 0, 1, 0), (0, 1, 1, 1), (0, 2, 0, 3), (0, 4, 0, 5), (0, 6, 1, 6)]
    header = find_header("S", top, merged)
    assert header is not None and not header.of_persons
    assert [list(one.columns.values()) for one in header.members] == [[2, 3], [4, 5]]
    assert header.unsure == ("成员3身份证号（G）",)
