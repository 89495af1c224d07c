"""Rows as people type them: what is understood, what is refused, and how it is said."""

from pathlib import Path
from typing import Any

import pytest

from intake.problems import RULES
from intake.rows import Outcome
from tests.id_numbers import id_number
from tests.intake.make import HEADER, household, workbook
from tests.intake.reading import HEAD, WIFE, broken, families, read, results


def test_a_good_row_is_a_household_with_all_it_says(tmp_path: Path) -> None:
    (result,) = results(tmp_path, household(1))
    assert result.ok
    assert (result.sheet, result.row) == ("Sheet1", 2)
    family = result.household
    assert family is not None
    assert family.head.name == "张小三"
    assert family.head.id_number == HEAD
    assert (family.size, family.village_name) == (2, "黄铺村")
    assert (family.phone, family.card) == ("15400001234", "9999001234567890")
    assert family.card_holder is family.head


@pytest.mark.parametrize(
    "typed",
    [
        f" {HEAD} ",
        f"{HEAD[:6]} {HEAD[6:14]} {HEAD[14:]}",
        f"'{HEAD}",
        f"{HEAD}.0",
        f"\u202d{HEAD}\u202c",
        "".join(chr(ord(digit) + 0xFEE0) for digit in HEAD),
        f'="{HEAD}"',
        f"{HEAD}\n",
    ],
)
def test_an_id_number_is_understood_however_it_was_typed(typed: str, tmp_path: Path) -> None:
    (result,) = results(tmp_path, household(1, c3=typed))
    assert result.household is not None
    assert result.household.head.id_number == HEAD


def test_a_small_x_at_the_end_is_an_x(tmp_path: Path) -> None:
    number = next(n for n in (id_number(k) for k in range(900, 999)) if n.endswith("X"))
    (result,) = results(tmp_path, household(1, c3=number.lower()))
    assert result.household is not None
    assert result.household.head.id_number == number


@pytest.mark.parametrize("stored", [6.2e17, float(HEAD[:17] + "0"), 340824196504129])
def test_an_id_number_stored_as_a_number_is_refused_with_its_cell(
    stored: float, tmp_path: Path
) -> None:
    first, second = results(tmp_path, household(1), household(2, c3=stored))
    assert first.ok
    long = stored > 1e15
    assert broken(second) == {"id-stored-as-number" if long else "id-number": "D3"}
    assert second.household is None


def test_scientific_notation_in_text_is_a_number_that_was_lost_too(tmp_path: Path) -> None:
    (result,) = results(tmp_path, household(1, c3="3.40824E+17", c6="9.99901E+18"))
    assert broken(result) == {"id-stored-as-number": "D2", "card-stored-as-number": "G2"}


def test_a_card_of_more_than_15_digits_stored_as_a_number_is_refused(tmp_path: Path) -> None:
    long, short = results(
        tmp_path, household(1, c6=9999001234567890), household(2, c6=999900123456789)
    )
    assert broken(long) == {"card-stored-as-number": "G2"}
    assert short.household.card == "999900123456789"


def test_all_problems_of_a_row_are_reported_at_once(tmp_path: Path) -> None:
    row = household(1, c2=None, c3=HEAD[:17] + "7", c4="三", c5="12", c6="abc")
    (result,) = results(tmp_path, row)
    assert broken(result) == {
        "name-missing": "C2",
        "id-number": "D2",
        "size-form": "E2",
        "phone-form": "F2",
        "card-form": "G2",
    }
    columns = [problem.column for problem in result.problems]
    assert "家庭人口" in columns
    assert result.outcome is Outcome.REFUSED


def test_no_problem_shows_personal_data(tmp_path: Path) -> None:
    wrong = HEAD[:17] + ("0" if HEAD[17] != "0" else "1")
    row = household(1, c2="张小三3", c3=wrong, c5="154000012345", c6="9999001234567890a")
    (result,) = results(tmp_path, row)
    said = repr(result)
    for secret in (wrong, HEAD[6:14], "小三", "154000012345", "9999001234567890"):
        assert secret not in said
    shown = {problem.rule: problem.value for problem in result.problems}
    assert shown["id-number"] == f"{wrong[:6]}********{wrong[-4:]}"


def test_an_id_number_twice_in_a_file_names_both_cells(tmp_path: Path) -> None:
    rows = [household(1), household(2), household(3, c3=HEAD)]
    *_, third = results(tmp_path, *rows)
    assert broken(third) == {"id-twice": "D4"}
    assert "D2" in third.problems[0].zh
    assert "D4" in third.problems[0].en


def test_an_id_number_twice_over_two_sheets_names_the_sheet(tmp_path: Path) -> None:
    more = {"二村": [HEADER, household(1)]}
    path = workbook(tmp_path / "list.xlsx", [HEADER, household(1)], sheet="一村", more=more)
    first, second = read(path)
    assert first.ok
    assert (second.sheet, second.row) == ("二村", 2)
    assert "一村!D2" in second.problems[0].zh


def test_the_region_of_an_id_number_is_no_reason_to_refuse(tmp_path: Path) -> None:
    (result,) = results(tmp_path, household(1, c3=id_number(901, region="110101")))
    assert result.ok


def test_nobody_on_a_list_is_born_tomorrow(tmp_path: Path) -> None:
    (result,) = results(tmp_path, household(1, c3=id_number(901, born="20240116")))
    assert broken(result) == {"id-number": "D2"}


@pytest.mark.parametrize("nothing", [None, "", "  ", "无", "/", "—", "暂无"])
def test_nothing_is_written_in_many_ways(nothing: Any, tmp_path: Path) -> None:
    (result,) = results(tmp_path, household(1, c1=nothing, c5=nothing, c6=nothing))
    family = result.household
    assert family is not None
    assert (family.village_name, family.phone, family.card) == (None, None, None)
    assert family.card_holder is None


@pytest.mark.parametrize(
    ("column", "typed", "field", "value"),
    [
        (2, "张　三", "name", "张三"),
        (2, "阿依古丽•买买提", "name", "阿依古丽·买买提"),
        (4, "４人", "size", 4),
        (4, "3.0", "size", 3),
        (5, 15400001234, "phone", "15400001234"),
        (5, "154 0000 1234", "phone", "15400001234"),
        (5, "0556-8921234", "phone", "05568921234"),
        (5, "15400001234/15400005678", "phone", "15400001234、15400005678"),
        (6, "9999 0012 3456 7890", "card", "9999001234567890"),
        (1, " 黄铺村 ", "village_name", "黄铺村"),
    ],
)
def test_values_are_made_plain(
    column: int, typed: Any, field: str, value: Any, tmp_path: Path
) -> None:
    (result,) = results(tmp_path, household(1, **{f"c{column}": typed}))
    assert result.problems == ()
    found = result.household.head if field == "name" else result.household
    assert getattr(found, field) == value


def test_totals_signatures_headings_and_repeated_headers_are_no_households(tmp_path: Path) -> None:
    found = results(
        tmp_path,
        ["甲", "乙", 1, 2, 3, 4, 5],
        household(1),
        [],
        HEADER,
        household(2),
        [3, None, None, None, None, None, None],
        ["合计", None, None, None, 17, None, None],
        ["单位负责人：", None, "填表人：李某", None, None, None, "报出日期："],
    )
    outcomes = [(result.row, result.outcome.value) for result in found]
    assert outcomes == [
        (2, "skipped"),
        (3, "household"),
        (5, "skipped"),
        (6, "household"),
        (7, "skipped"),
        (8, "skipped"),
        (9, "skipped"),
    ]


def test_a_heading_between_the_rows_names_the_village_of_what_follows(tmp_path: Path) -> None:
    header = ("户主姓名", "户主身份证号", "家庭人口")
    found = results(
        tmp_path,
        ["黄铺村", None, None],
        ["张小三", HEAD, 3],
        ["望虎社区", None, None],
        ["李小四", WIFE, 2],
        header=header,
        merged=[(1, 0, 1, 2), (3, 0, 3, 2)],
    )
    assert [family.village_name for family in families(found)] == ["黄铺村", "望虎社区"]


def test_a_village_merged_over_many_rows_holds_for_all_of_them(tmp_path: Path) -> None:
    rows = [household(1), household(2, c1=None), household(3, c1=None), household(4, c1="望虎村")]
    found = results(tmp_path, *rows, merged=[(1, 1, 3, 1)])
    villages = [family.village_name for family in families(found)]
    assert villages == ["黄铺村", "黄铺村", "黄铺村", "望虎村"]


def test_cell_addresses_are_right_where_a_list_does_not_start_at_a1(tmp_path: Path) -> None:
    rows = [HEADER, household(1), household(2, c3="123")]
    path = workbook(tmp_path / "list.xlsx", rows, at=(4, 3))
    first, second = read(path)
    assert (first.row, second.row) == (6, 7)
    assert broken(second) == {"id-number": "G7"}


def test_a_row_of_another_relation_is_no_head(tmp_path: Path) -> None:
    header = ("户主姓名", "户主身份证号", "家庭人口", "与户主关系")
    good, bad = results(
        tmp_path, ["张三", HEAD, 2, "本人"], ["李四", WIFE, 2, "配偶"], header=header
    )
    assert good.ok
    assert broken(bad) == {"relation-not-head": "D3"}


def test_sex_and_birthday_beside_the_id_number_are_compared_and_noted(tmp_path: Path) -> None:
    header = ("姓名", "性别", "出生日期", "身份证号", "家庭人口")
    same, other = results(
        tmp_path,
        ["张三", "男", "1965年4月12日", HEAD, 2],
        ["李四", "男", 19650413, WIFE, 2],
        header=header,
    )
    assert same.notes == ()
    assert other.ok
    assert {note.rule for note in other.notes} == {"gender-differs", "birth-differs"}


def test_every_rule_is_a_sentence_in_two_languages() -> None:
    for rule, (zh, en) in RULES.items():
        assert any("\u4e00" <= character <= "\u9fff" for character in zh), rule
        assert en.isascii(), rule


def test_a_household_in_a_log_shows_no_personal_data(tmp_path: Path) -> None:
    (result,) = results(tmp_path, household(1))
    said = repr(result)
    assert "张*三" in said
    for secret in (HEAD, "张小三", "15400001234", "9999001234567890"):
        assert secret not in said
