"""Twenty lists as townships send them, each with what a careful clerk would read in it.

Made up, but every oddity was seen: titles, two header lines, totals, notes, blank lines, several
villages on one sheet, full-width digits, dates as text, exports of other systems.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter  # type: ignore[import-untyped]

from intake.refused import FileRefused
from intake.rows import Outcome
from tests.id_numbers import id_number
from tests.intake.make import workbook
from tests.intake.reading import read

A, B, C, D = (id_number(n, born="19520308") for n in (601, 612, 623, 634))
WIFE, SON = id_number(702, born="19550917"), id_number(703, born="20110101")
MOBILE = "15400001234"


def wide(text: str) -> str:
    return "".join(chr(ord(one) + 0xFEE0) if one.isascii() else one for one in text)


@dataclass(frozen=True)
class Odd:
    """``heads``: name, size, village of each household; ``members``: all others by name;
    ``refused``: rows (as spreadsheets count) that are not taken."""

    write: Callable[[Path], Path]
    heads: Sequence[tuple[str, int, str | None]]
    members: Sequence[str] = ()
    refused: Sequence[int] = ()


def sheet(*rows: Sequence[Any], **how: Any) -> Callable[[Path], Path]:
    return lambda folder: workbook(folder / "list.xlsx", rows, **how)


def text(content: str, encoding: str, name: str = "list.csv") -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content.encode(encoding))
        return path

    return write


def dates(folder: Path) -> Path:
    """Birth dates as date cells and as text, an age that a formula works out."""
    path = folder / "list.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet("名单")
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        page.write_row(0, 0, ("序号", "姓名", "出生年月日", "年龄", "身份证号码", "家庭人口"))
        for at, (name, number, size) in enumerate((("张三", A, 3), ("李四", B, 2)), 1):
            page.write_row(at, 0, (at, name))
            page.write_number(at, 2, 19061, day) if at == 1 else page.write(at, 2, "1952年3月8日")
            page.write_formula(at, 3, f'=DATEDIF(C{at + 1},TODAY(),"Y")', None, 71)
            page.write_string(at, 4, number)
            page.write_number(at, 5, size)
    return path


def far_below(folder: Path) -> Path:
    """A note far below the list, and formatted empty rows between."""
    path = folder / "list.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet("名单")
        grid = book.add_format({"border": 1})
        page.write_row(2, 1, ("户主姓名", "户主身份证号", "家庭人口"))
        page.write_row(3, 1, ("张三", A, 3))
        for at in range(4, 300):
            for column in range(1, 4):
                page.write_blank(at, column, None, grid)
        page.merge_range(320, 1, 320, 3, "填表说明：1.身份证号必须真实；2.家庭人口以户口簿为准。")
    return path


FORM = ("户主姓名", "户主身份证号", "家庭人口")
PEOPLE = ("户号", "姓名", "与户主关系", "身份证号", "联系电话")

LISTS: dict[str, Odd] = {
    "titles_and_signatures": Odd(
        sheet(
            ["潜山市2023-2024年度受灾人员冬春生活救助名册", None, None, None],
            ["填报单位（盖章）：源潭镇人民政府", None, None, "单位：人、元"],
            ["序号", *FORM],
            [1, "张三", A, 3],
            [2, "李四", B, 2],
            ["合计", "2户", None, 5],
            ["单位负责人：王某", None, "填表人：赵某", "2023年12月1日"],
            merged=[(0, 0, 0, 3)],
        ),
        [("张三", 3, None), ("李四", 2, None)],
    ),
    "two_header_lines": Odd(
        sheet(
            ["序号", "户主信息", None, None, "一卡通信息", None, "家庭人口（人）"],
            [None, "姓名", "身份证号", "联系电话", "开户行", "账号", None],
            [1, "张三", A, MOBILE, "农商行", "9999001234567890", 3],
            merged=[(0, 0, 1, 0), (0, 1, 0, 3), (0, 4, 0, 5), (0, 6, 1, 6)],
        ),
        [("张三", 3, None)],
    ),
    "three_header_lines_with_codes_and_letters": Odd(
        sheet(
            ["受灾人员冬春生活政府救助人口一览表"],
            ["户主姓名", "户主身份证号", "家庭人口[人]"],
            ["D03001", "D03002", "D03005"],
            ["甲", "乙", 1],
            ["张三", A, 3],
        ),
        [("张三", 3, None)],
    ),
    "blank_lines_between": Odd(
        sheet(FORM, [], ["张三", A, 3], [None, " ", "　"], [], ["李四", B, 2], []),
        [("张三", 3, None), ("李四", 2, None)],
    ),
    "villages_with_subtotals": Odd(
        sheet(
            ["序号", *FORM],
            ["黄铺村", None, None, None],
            [1, "张三", A, 3],
            ["小计", "1户", None, 3],
            ["双峰村", None, None, None],
            [1, "李四", B, 2],
            [2, "王五", C, 1],
            ["小 计", "2户", None, 3],
            ["总　计", "3户", None, 6],
            merged=[(1, 0, 1, 3), (4, 0, 4, 3)],
        ),
        [("张三", 3, "黄铺村"), ("李四", 2, "双峰村"), ("王五", 1, "双峰村")],
    ),
    "a_village_cell_merged_over_its_rows": Odd(
        sheet(
            ["村", *FORM],
            ["黄铺村", "张三", A, 3],
            [None, "李四", B, 2],
            ["双峰村", "王五", C, 1],
            merged=[(1, 0, 2, 0)],
        ),
        [("张三", 3, "黄铺村"), ("李四", 2, "黄铺村"), ("王五", 1, "双峰村")],
    ),
    "header_printed_on_every_page": Odd(
        sheet(
            ["序号", *FORM],
            [1, "张三", A, 3],
            ["本页小计", None, None, 3],
            ["第1页，共2页", None, None, None],
            ["序号", *FORM],
            [2, "李四", B, 2],
            ["第2页，共2页", None, None, None],
        ),
        [("张三", 3, None), ("李四", 2, None)],
    ),
    "full_width_digits_and_units": Odd(
        sheet(
            ["序　号", "户主 姓名", "身份证号（必填）", "家庭人口（人）"],
            ["１", "张　三", wide(A), "３人"],
        ),
        [("张三", 3, None)],
    ),
    "id_numbers_with_apostrophes_and_spaces": Odd(
        sheet(
            FORM,
            ["张三", f"'{A}", 3],
            ["李四", f"{B[:6]} {B[6:14]} {B[14:]}", 2],
            ["王五", f"{C}\t", 1],
        ),
        [("张三", 3, None), ("李四", 2, None), ("王五", 1, None)],
    ),
    "dates_as_dates_and_as_text": Odd(dates, [("张三", 3, None), ("李四", 2, None)]),
    "gb18030_export_with_tabs_behind_numbers": Odd(
        text(
            "序号,户主姓名,户主身份证号,家庭人口,开户银行\r\n"
            f"1,张三,{A}\t,3,农商行\r\n2,㛃四,{B}\t,2,\r\n合计,,,5,\r\n",
            "gb18030",
        ),
        [("张三", 3, None), ("㛃四", 2, None)],
    ),
    "gb18030_with_its_byte_order_mark": Odd(
        text(f"\ufeff户主姓名,户主身份证号,家庭人口\r\n张三,{A},3\r\n", "gb18030"),
        [("张三", 3, None)],
    ),
    "utf8_with_byte_order_mark_and_excel_marks": Odd(
        text(
            "sep=,\r\n户主姓名,户主身份证号,家庭人口\r\n"
            f'"张三","=""{A}""","3"\r\n李四,="{B}",2\r\n',
            "utf-8-sig",
        ),
        [("张三", 3, None), ("李四", 2, None)],
    ),
    "tab_separated_text_with_quoted_line_breaks": Odd(
        text(
            "户主姓名\t户主身份证号\t家庭人口\t家庭住址\n"
            f'张三\t{A}\t3\t"源潭镇\n源潭路1号"\n李四\t{B}\t2\t\n',
            "utf-8",
            "list.txt",
        ),
        [("张三", 3, None), ("李四", 2, None)],
    ),
    "semicolons_and_a_title_line": Odd(
        text(f"冬春救助名单;;\n户主姓名;户主身份证号;家庭人口\n张三;{A};3\n", "utf-8"),
        [("张三", 3, None)],
    ),
    "one_row_a_person_with_household_cells_merged": Odd(
        sheet(
            PEOPLE,
            [1, "张三", "户主", A, MOBILE],
            [None, "李梅", "妻子", WIFE, None],
            [None, "张小", "长子", SON, None],
            [2, "王五", "本人", C, None],
            merged=[(1, 0, 3, 0)],
        ),
        [("张三", 3, None), ("王五", 1, None)],
        ["李梅", "张小"],
    ),
    "head_named_beside_every_person": Odd(
        sheet(
            ["户主姓名", "户主身份证号", "成员姓名", "成员身份证号", "与户主关系"],
            ["张三", A, "张三", A, "户主"],
            ["张三", A, "李梅", WIFE, "配偶"],
            ["王五", C, "王五", C, "户主"],
        ),
        [("张三", 2, None), ("王五", 1, None)],
        ["李梅"],
    ),
    "members_beside_the_head": Odd(
        sheet(
            ["户主", None, "家庭人口", "家庭成员1", None, None, "家庭成员2", None, None],
            ["姓名", "身份证号", None, "姓名", "身份证号", "关系", "姓名", "身份证号", "关系"],
            ["张三", A, 3, "李梅", WIFE, "妻", "张小", SON, "子"],
            ["王五", C, 1, "/", "/", "/", None, None, None],
            merged=[(0, 0, 0, 1), (0, 2, 1, 2), (0, 3, 0, 5), (0, 6, 0, 8)],
        ),
        [("张三", 3, None), ("王五", 1, None)],
        ["李梅", "张小"],
    ),
    "two_lists_side_by_side_in_the_file": Odd(
        sheet(
            FORM,
            ["张三", A, 3],
            sheet="黄铺",
            more={"汇总": [["村", "户数"], ["黄铺", 1]], "双峰": [FORM, ["李四", B, 2]]},
        ),
        [("张三", 3, None), ("李四", 2, None)],
    ),
    "numbers_that_a_spreadsheet_has_ruined": Odd(
        sheet(FORM, ["张三", float(A[:15] + "000"), 3], ["李四", "3.40824E+17", 2], ["王五", C, 1]),
        [("王五", 1, None)],
        refused=[2, 3],
    ),
    "notes_and_a_legend_below": Odd(
        sheet(
            ["序号", *FORM, "备注"],
            [1, "张三", A, 3, "低保"],
            [],
            ["注：1.本表一式三份。", None, None, None, None],
            ["2.家庭人口按户口簿填写。", None, None, None, None],
            ["备注：以公示为准", None, None, None, None],
            ["填报人：赵某   审核人：钱某   联系电话：0556-8921234", None, None, None, None],
        ),
        [("张三", 3, None)],
    ),
    "numbered_lines_left_empty": Odd(
        sheet(
            ["序号", "村民组", *FORM],
            [1, "一组", "张三", A, 3],
            *([n, None, None, None, None] for n in range(2, 31)),
        ),
        [("张三", 3, None)],
    ),
    "a_note_far_below": Odd(far_below, [("张三", 3, None)]),
    "minority_names_and_short_ones": Odd(
        sheet(FORM, ["阿依古丽•买买提", A, 3], ["欧阳　锋", B, 2], ["李 四", C, 1]),
        [("阿依古丽·买买提", 3, None), ("欧阳锋", 2, None), ("李四", 1, None)],
    ),
    "csv_with_two_header_lines": Odd(
        text(
            "冬春救助名册,,,,\n序号,户主信息,,,家庭人口\n,姓名,身份证号,联系电话,\n"
            f"1,张三,{A},{MOBILE},3\n2,李四,{B},,2\n",
            "gb18030",
        ),
        [("张三", 3, None), ("李四", 2, None)],
    ),
    "headers_with_remarks_in_brackets": Odd(
        sheet(
            ["所在村", "户主姓名", "身份证号码（18位）", "家庭人口数（含户主）"],
            ["黄铺村", "张三", A, 3],
        ),
        [("张三", 3, "黄铺村")],
    ),
    "ditto_marks": Odd(
        sheet(
            ["村", "村民组", *FORM],
            ["黄铺村", "一组", "张三", A, 3],
            ["同上", "〃", "李四", B, 2],
            ["″", "二组", "王五", C, 1],
        ),
        [("张三", 3, "黄铺村"), ("李四", 2, "黄铺村"), ("王五", 1, "黄铺村")],
    ),
    "household_number_on_the_first_line_only": Odd(
        sheet(
            PEOPLE,
            [1, "张三", "户主", A, MOBILE],
            [None, "李梅", "妻", WIFE, None],
            [2, "王五", "户主", C, None],
            ["小计", "2户3人", None, None, None],
        ),
        [("张三", 2, None), ("王五", 1, None)],
        ["李梅"],
    ),
    "slashes_where_nothing_is": Odd(
        sheet(["序号", *FORM, "联系电话"], [1, "张三", A, 3, "/"], [2, "/", "/", "/", "/"]),
        [("张三", 3, None)],
    ),
    "a_column_that_is_wrong_beside_one_that_is_right": Odd(
        sheet(
            ["序号", *FORM, "是否低保", "救助金额（元）"],
            [1, "张三", A, 3, "是", 500],
            [2, "李四", None, 2, "否", 300],
            ["合计：", "贰户", None, 5, None, 800],
        ),
        [("张三", 3, None)],
        refused=[3],
    ),
    "sums_in_the_column_of_names": Odd(
        sheet(FORM, ["张三", A, 3], ["合计：1户", None, 3], ["李四", B, 2]),
        [("张三", 3, None), ("李四", 2, None)],
    ),
}


@pytest.mark.parametrize("name", LISTS)
def test_an_odd_list_is_read_as_a_careful_clerk_reads_it(tmp_path: Path, name: str) -> None:
    odd = LISTS[name]
    found = read(odd.write(tmp_path))
    taken = [row.household for row in found if row.household is not None]
    assert [(one.head.name, one.size, one.village_name) for one in taken] == list(odd.heads)
    assert [member.name for one in taken for member in one.members] == list(odd.members)
    refused = {row.row: row.problems for row in found if row.outcome is Outcome.REFUSED}
    assert sorted(refused) == list(odd.refused), refused


def test_there_are_twenty_of_them() -> None:
    assert len(LISTS) >= 20


def test_a_page_of_figures_only_is_no_list(tmp_path: Path) -> None:
    rows = [["村", "户数", "人口"], ["黄铺村", 12, 31], ["合计", 12, 31]]
    with pytest.raises(FileRefused):
        read(workbook(tmp_path / "list.xlsx", rows))
