"""Marks that nobody sees, in the cells of a list: told at the cell, or taken off at its edges."""

from pathlib import Path

import pytest

from intake import cells
from tests.id_numbers import id_number
from tests.intake.make import workbook
from tests.intake.test_again import town
from tests.intake.town import County

__all__ = ["town"]
LISTED = ("村", "户主姓名", "户主身份证号", "家庭人口", "村民小组")


@pytest.mark.parametrize(
    ("name", "group", "cell"),
    [
        ("王\u200b小", "一组", "B2"),
        ("王\u202e小", "一组", "B2"),
        ("王\u3164小", "一组", "B2"),
        ("王小", "一\u200d组", "E2"),
    ],
)
def test_a_mark_that_nobody_sees_is_told_with_its_cell(
    town: County, tmp_path: Path, name: str, group: str, cell: str
) -> None:
    row = ["源潭居委会", name, id_number(901), 2, group]
    report = town.run(workbook(tmp_path / "a.xlsx", [LISTED, row]))
    assert (report.registered, report.by_rule) == (0, {"invisible": 1})
    (fault,) = report.faults
    assert fault.cell == cell and "看不见" in fault.zh and "nobody sees" in fault.en


def test_marks_around_a_name_go_as_spaces_do(town: County, tmp_path: Path) -> None:
    row = ["源潭居委会\u200e", "\ufeff王小\u200b ", id_number(901), 2, "一组\u200b"]
    report = town.run(workbook(tmp_path / "a.xlsx", [LISTED, row]))
    assert (report.registered, report.fault_count) == (1, 0)


def test_a_name_in_arabic_letters_keeps_its_joiners() -> None:
    assert cells.name("ئالى\u200cجان") == ("ئالى\u200cجان", None)
