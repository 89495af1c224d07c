"""What of a list is not read, or not as it looks: named, and where it matters, asked about."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter  # type: ignore[import-untyped]

from intake.refused import FileRefused
from intake.rows import HiddenRows
from tests.id_numbers import id_number
from tests.intake.make import HEADER, PERSONS, household, workbook
from tests.intake.reading import broken, families, read, results
from tests.intake.town import County, county, make_county


@pytest.fixture
def town(tmp_path: Path) -> Iterator[County]:
    with county(make_county(tmp_path / "var")) as found:
        yield found


def good(number: int = 1) -> list[Any]:
    return household(number, c1="源潭居委会")


def test_c5_every_unused_column_and_sheet_is_named(town: County, tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "a.xlsx",
        [(*HEADER, "邻居评价", None), [*good(), "好", "旁注"]],
        more={"填表说明": [["请如实填写"]], "旧": [HEADER, good(2)]},
        hidden=["旧"],
    )
    report = town.run(path)
    assert report.registered == 1
    assert report.unused_columns == [
        "Sheet1!邻居评价（H）",
        "Sheet1!无表头（I）",
        "Sheet1!序号（A）",
    ]
    assert report.skipped_sheets == ["填表说明", "旧（隐藏）"]


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("成员1身份证号", id_number(902)),
        ("自然村代码", "001"),
        ("档案", id_number(903)),
        (None, 340882101001),
    ],
)
def test_c5_a_column_like_codes_stops_the_import_until_confirmed(
    town: County, tmp_path: Path, name: str | None, cell: Any
) -> None:
    path = workbook(tmp_path / "a.xlsx", [(*HEADER, name), [*good(), cell]])
    head = town.store.head()
    with pytest.raises(FileRefused) as refused:
        town.run(path)
    assert refused.value.code == "columns-unsure" and "（H）" in refused.value.reason_zh
    assert town.store.head() == head
    assert town.run(path, ignore_columns=True).registered == 1


def test_c5_the_code_of_a_village_is_understood_by_its_short_name(tmp_path: Path) -> None:
    row = [*household(1), "340882101001"]
    (family,) = families(results(tmp_path, row, header=(*HEADER, "行政村代码")))
    assert family.village_code == "340882101001"


def with_marks(path: Path) -> Path:
    """A list with two hidden rows, and a name that a formula works out."""
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet("名单")
        for at, row in enumerate([HEADER, *(household(n) for n in range(1, 5))]):
            page.write_row(at, 0, row)
        page.set_row(2, None, None, {"hidden": True})
        page.set_row(3, None, None, {"hidden": True})
        page.write_formula(4, 2, '=CONCATENATE("李","四")', None, "李四")
        page.write_formula(4, 0, "=ROW()", None, 5)
        page.write_formula(4, 4, "=COUNTA(C:C)", None, 4)
        page.write_formula(4, 5, "=#REF!A1", None, "#N/A")
        page.write_formula(5, 2, "=#REF!A1", None, "#REF!")
        page.write_row(5, 3, [id_number(977), 2])
        page.write_formula(6, 0, "=#REF!A1", None, "#REF!")
        page.write_formula(6, 3, "=#REF!A1", None, "#REF!")
        page.set_column(5, 16383, None, None, {"hidden": True})
    return path


def said(found: list[Any]) -> list[list[tuple[str, str]]]:
    return [[(one.cell, one.rule) for one in (*row.problems, *row.notes)] for row in found]


def test_c5_hidden_rows_are_asked_about(tmp_path: Path) -> None:
    path = with_marks(tmp_path / "a.xlsx")
    found = read(path)
    assert said(found)[:3] == [[], [("3", "row-hidden-asked")], [("4", "row-hidden-asked")]]
    assert [row.ok for row in found[:3]] == [True, False, False]
    found = read(path, hidden=HiddenRows.IMPORT)
    assert said(found)[:3] == [[], [("3", "row-hidden")], [("4", "row-hidden")]]
    assert len(families(found)) == 4
    found = read(path, hidden=HiddenRows.LEAVE)
    assert [row.outcome.value for row in found[:3]] == ["household", "skipped", "skipped"]


def test_c5_a_household_with_a_hidden_member_is_asked_about_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet("名单")
        page.write_row(0, 0, PERSONS)
        page.write_row(1, 0, [1, "张小三", "户主", id_number(901)])
        page.write_row(2, 0, [1, "李四", "妻", id_number(902)])
        page.set_row(2, 0)
    assert [set(broken(row)) for row in read(path)] == [{"household-refused"}, {"row-hidden-asked"}]
    (family,) = families(read(path, hidden=HiddenRows.LEAVE))
    assert family.members == ()


def test_c7_formulas_and_errors_are_named_with_their_cells(tmp_path: Path) -> None:
    found = read(with_marks(tmp_path / "a.xlsx"))
    assert said(found)[3:] == [
        [("C5", "cell-formula"), ("E5", "cell-formula"), ("F5", "cell-error-empty")],
        [("C6", "cell-error")],
        [("D7", "cell-error"), ("C7", "name-missing"), ("E7", "size-missing")],
    ]
    assert families(found)[1].head.name == "李四"


def test_c7_errors_in_text_are_errors_too(tmp_path: Path) -> None:
    (result,) = results(tmp_path, household(1, c2="#REF!", c4="#N/A", c5="#N/A"))
    assert broken(result) == {"cell-error": "E2"} and len(result.problems) == 2
    assert [(note.cell, note.rule) for note in result.notes] == [("F2", "cell-error-empty")]


def test_c7_a_formula_whose_result_is_not_saved_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet("名单")
        page.write_row(0, 0, HEADER)
        page.write_row(1, 0, household(1)[:6])
        page.write_formula(1, 6, "=VLOOKUP(D2,卡!A:B,2,0)", None, "")
    assert said(read(path)) == [[("G2", "formula-empty")]]


def test_c5_hidden_rows_and_columns_are_in_the_result(town: County, tmp_path: Path) -> None:
    report = town.run(with_marks(tmp_path / "a.xlsx"))
    assert report.hidden_rows == 2 and report.unmarked_sheets == []
    assert report.hidden_columns == ["名单!户主联系方式（F）", "名单!一卡通账号（G）"]


def test_c5_a_search_for_marks_that_gave_up_says_so(
    town: County, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hidden rows are all found, however scattered; formulas and errors up to a limit."""
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet("名单")
        page.write_row(0, 0, HEADER)
        for at in range(1, 12):
            page.write_row(at, 0, household(at, c1="源潭居委会"))
            if at % 2:
                page.set_row(at, None, None, {"hidden": True})
                page.write_formula(at, 2, "=1", None, "张三")
    child = tmp_path / "sandbox.py"
    source = Path("intake/sandbox.py").read_text(encoding="utf-8")
    for runs, unmarked in ((5, ["名单"]), (6, [])):
        child.write_text(source.replace("_RUNS = 20_000", f"_RUNS = {runs}"), encoding="utf-8")
        monkeypatch.setattr("intake.reader._SANDBOX", child)
        report = town.check(path)
        assert (report.hidden_rows, report.unmarked_sheets) == (6, unmarked)


def test_marks_are_found_wherever_a_piece_of_the_sheet_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = with_marks(tmp_path / "a.xlsx")
    whole = read(path)
    source = Path("intake/sandbox.py").read_text(encoding="utf-8")
    child = tmp_path / "sandbox.py"
    child.write_text(source.replace("_PIECE = 1 << 20", "_PIECE = 7"), encoding="utf-8")
    monkeypatch.setattr("intake.reader._SANDBOX", child)
    assert read(path) == whole


@pytest.mark.parametrize(
    "written", ["3 4", "3　4", "3\n4", "12\t30", "1,5", "10²", "③", "00100", "3\x0b4", "3\x074"]
)
def test_c6_two_numbers_in_a_cell_are_not_one(tmp_path: Path, written: str) -> None:
    """The error names sheet, row, column and rule, in Chinese and in English."""
    (result,) = results(tmp_path, household(1, c4=written))
    assert broken(result) == {"size-form": "E2"}
    (problem,) = result.problems
    assert (result.sheet, result.row, problem.column) == ("Sheet1", 2, "家庭人口")
    assert "整数" in problem.zh and "whole number" in problem.en


@pytest.mark.parametrize("written", ["4 人", "４", " 4 ", "4.0", "4口人", "04"])
def test_c6_one_number_is_read_however_it_is_written(tmp_path: Path, written: str) -> None:
    (family,) = families(results(tmp_path, household(1, c4=written)))
    assert family.size == 4


def test_c6_a_line_break_of_a_word_processor_is_one(tmp_path: Path) -> None:
    """Excel keeps U+000B of a text that was pasted from there as _x000B_."""
    path = tmp_path / "a.csv"
    path.write_text(
        f"户主姓名,户主身份证号,家庭人口,家庭住址\n张三,{id_number(901)},3,源潭路\x0b1号\n"
    )
    (family,) = families(read(path))
    assert family.address == "源潭路 1号"


def test_c6_a_superscript_is_no_digit_of_an_account_or_a_phone(tmp_path: Path) -> None:
    (result,) = results(tmp_path, household(1, c5="1540000123⁴", c6="999900123456789²"))
    assert broken(result) == {"phone-form": "F2", "card-form": "G2"}


@pytest.mark.parametrize(
    ("size", "need", "rule"),
    [(3, 4, "need-over-size"), (3, "3 1", "need-form"), (3, 3, None), (3, 0, None)],
)
def test_c7_more_in_need_than_people_is_refused(
    tmp_path: Path, size: int, need: Any, rule: str | None
) -> None:
    header = (*HEADER, "需救助人口[人]")
    (result,) = results(tmp_path, [*household(1, c4=size), need], header=header)
    assert broken(result) == ({rule: "H2"} if rule else {})


@pytest.mark.parametrize(("need", "size", "cell"), [(3, None, "G2"), (3, 3, None), (2, None, None)])
def test_c7_more_in_need_than_a_list_of_persons_has_is_refused(
    tmp_path: Path, need: int, size: int | None, cell: str | None
) -> None:
    header = (*PERSONS, "需救助人口", "家庭人口")
    rows = (
        [1, "张小三", "户主", id_number(901), None, None, need, size],
        [1, "李四", "妻", id_number(902), None, None, None, None],
    )
    first, _ = results(tmp_path, *rows, header=header)
    assert broken(first) == ({"need-over-size": cell} if cell else {})
