"""Headers as the forms and the villages write them."""

from typing import Any

import pytest

from intake.columns import Column, address, find_header, letters, meaning, plain
from intake.refused import FileRefused

FORM_10 = (
    "序号",
    "户主姓名",
    "户主身份证号",
    "户主联系方式",
    "家庭类型",
    "家庭人口[人]",
    "家庭住址",
    "需救助人口[人]",
    "已发放救助款[元]",
    "已发放救助物资折款[元]",
    "救助资金发放形式",
)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("户主姓名", Column.HEAD_NAME),
        (" 户 主\n姓 名 ", Column.HEAD_NAME),
        ("姓名", Column.NAME),
        ("公民身份号码", Column.ID_NUMBER),
        ("身份证号码", Column.ID_NUMBER),
        ("＊身份证号", Column.ID_NUMBER),
        ("户主身份证号", Column.HEAD_ID),
        ("D03002户主身份证号", Column.HEAD_ID),
        ("家庭人口（人）", Column.SIZE),
        ("家庭人口［人］", Column.SIZE),
        ("家庭人口数(单位：人)", Column.SIZE),
        ("银行账号", Column.CARD),
        ("“一卡通”账号", Column.CARD),
        ("联系方式", Column.PHONE),
        ("家庭住址", Column.ADDRESS),
        ("村（居）", Column.VILLAGE),
        ("乡（镇）", Column.TOWNSHIP),
        ("与户主\n关系", Column.RELATION),
        ("出生年月日", Column.BIRTH),
        ("户编号", Column.HOUSEHOLD_NO),
        ("邻居评价", None),
        (17.0, None),
        (None, None),
    ],
)
def test_a_header_cell_is_known_however_it_is_written(text: object, column: Column | None) -> None:
    assert meaning(text) is column


def test_the_government_form_is_read_by_its_own_column_names() -> None:
    header = find_header("表10", [FORM_10], ())
    assert header is not None
    assert header.columns[Column.HEAD_ID] == 2
    assert header.columns[Column.SIZE] == 5
    assert not header.of_persons
    assert not header.unknown
    assert "需救助人口（H）" in header.ignored


def test_titles_above_the_header_are_kept_as_titles() -> None:
    top: list[list[Any]] = [
        ["受灾人员冬春生活政府救助人口一览表", None, None],
        ["填报单位：黄铺镇黄铺村", None, None],
        ["户主姓名", "户主身份证号", "家庭人口"],
    ]
    header = find_header("S", top, [(0, 0, 0, 2), (1, 0, 1, 2)])
    assert header is not None
    assert (header.first_row, header.last_row) == (2, 2)
    assert header.titles == ("受灾人员冬春生活政府救助人口一览表", "填报单位：黄铺镇黄铺村")


def test_a_header_of_two_merged_rows_is_read_as_one() -> None:
    top: list[list[Any]] = [
        ["序号", "户主", None, "家庭人口", "一卡通", None],
        [None, "姓名", "身份证号", None, "开户银行", "账号"],
    ]
    merged = [(0, 0, 1, 0), (0, 1, 0, 2), (0, 3, 1, 3), (0, 4, 0, 5)]
    header = find_header("S", top, merged)
    assert header is not None
    assert (header.first_row, header.last_row) == (0, 1)
    assert header.columns == {
        Column.HEAD_NAME: 1,
        Column.HEAD_ID: 2,
        Column.SIZE: 3,
        Column.BANK: 4,
        Column.CARD: 5,
    }


def test_a_data_row_is_not_taken_for_a_second_header_row() -> None:
    top: list[list[Any]] = [["姓名", "身份证号", "家庭人口"], ["张小三", "340824196504129019", 3.0]]
    header = find_header("S", top, [(0, 0, 0, 0)])
    assert header is not None
    assert header.last_row == 0


def test_unknown_columns_are_reported_with_their_letters_and_not_guessed() -> None:
    header = find_header("S", [["姓名", "身份证号", "家庭人口", "邻居评价"]], ())
    assert header is not None
    assert header.unknown == ("邻居评价（D）",)


@pytest.mark.parametrize(
    ("row", "missing"),
    [
        (["户主姓名", "家庭人口", "联系电话"], "户主身份证号"),
        (["户主身份证号", "家庭人口"], "户主姓名"),
        (["户主姓名", "户主身份证号", "联系电话"], "家庭人口"),
        (["户编号", "姓名", "身份证号"], "与户主关系"),
    ],
)
def test_a_missing_column_is_named(row: list[str], missing: str) -> None:
    with pytest.raises(FileRefused) as refused:
        find_header("名单", [["标题"], row], ())
    assert refused.value.code == "column-missing"
    assert missing in refused.value.reason_zh
    assert "第 2 行" in refused.value.reason_zh


def test_two_columns_of_one_meaning_are_refused_by_name() -> None:
    with pytest.raises(FileRefused) as refused:
        find_header("S", [["姓名", "身份证号", "家庭人口", "联系电话", "手机号"]], ())
    assert refused.value.code == "column-twice"
    assert "联系电话（D）" in refused.value.reason_zh
    assert "手机号（E）" in refused.value.reason_zh


def test_a_page_of_instructions_has_no_header() -> None:
    assert find_header("说明", [["填表说明"], ["一、姓名应与身份证一致"]], ()) is None
    assert find_header("空", [], ()) is None


def test_persons_are_told_from_households_by_their_columns() -> None:
    persons = find_header("S", [["姓名", "身份证号", "与户主关系"]], ())
    households = find_header("S", [["户主姓名", "身份证号", "家庭人口"]], ())
    assert persons is not None
    assert persons.of_persons
    assert households is not None
    assert not households.of_persons


def test_cells_are_named_as_spreadsheets_name_them() -> None:
    assert [letters(n) for n in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]
    assert address(16, 2) == "C17"
    assert plain("“ 户主（姓 名）”") == "户主(姓名)"
