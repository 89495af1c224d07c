"""Workbooks of many sheets, CSV files of any encoding, large lists in little memory."""

import csv
import io
from datetime import date
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from intake.reader import open_list
from intake.refused import FileRefused
from intake.rows import RowResult, read_rows
from tests.id_numbers import id_number
from tests.intake.make import HEADER, household, name, workbook


def read(path: Path, sheet: str | None = None) -> list[RowResult]:
    with open_list(path, sheet=sheet) as opened:
        return list(read_rows(opened, today=date(2024, 1, 15)))


def as_csv(rows: list[list[object]], delimiter: str = ",") -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(
        [["" if cell is None else cell for cell in row] for row in rows]
    )
    return text.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_a_csv_is_read_in_the_encodings_of_the_country(
    encoding: str, delimiter: str, tmp_path: Path
) -> None:
    path = tmp_path / "名单.csv"
    rows = [["黄铺镇名单"], list(HEADER), household(1, c2="张,小三"), household(2)]
    path.write_bytes(as_csv(rows, delimiter).encode(encoding))
    first, second = read(path)
    assert [problem.rule for problem in first.problems] == ["name-form"]
    assert second.household is not None
    assert second.household.head.name == name(2)
    assert (second.sheet, second.row) == ("名单.csv", 4)


def test_a_rare_character_of_a_name_survives_gb18030(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(as_csv([list(HEADER), household(1, c2="张𬱖")]).encode("gb18030"))
    (result,) = read(path)
    assert result.household is not None
    assert result.household.head.name == "张𬱖"


def test_a_csv_that_a_spreadsheet_has_rounded_is_refused_row_by_row(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    rows = [list(HEADER), household(1, c3="3.40824E+17"), household(2)]
    path.write_text(as_csv(rows), encoding="utf-8")
    first, second = read(path)
    assert [(problem.cell, problem.rule) for problem in first.problems] == [
        ("D2", "id-stored-as-number")
    ]
    assert second.ok


def test_each_visible_sheet_with_a_header_is_a_list(tmp_path: Path) -> None:
    more: dict[str, list[Any]] = {
        "望虎村": [HEADER, household(2)],
        "填表说明": [["一、请如实填写"]],
        "空": [],
        "旧": [HEADER, household(3)],
    }
    path = workbook(
        tmp_path / "list.xlsx",
        [HEADER, household(1)],
        sheet="黄铺村",
        more=more,
        hidden=["旧"],
    )
    with open_list(path) as opened:
        assert [table.sheet for table in opened.tables] == ["黄铺村", "望虎村"]
        assert opened.skipped_sheets == ("填表说明",)
    assert [(result.sheet, result.row) for result in read(path)] == [("黄铺村", 2), ("望虎村", 2)]
    assert [result.sheet for result in read(path, sheet="望虎村")] == ["望虎村"]
    with pytest.raises(FileRefused) as refused:
        read(path, sheet="旧")
    assert refused.value.code == "sheet-unknown"


def test_a_second_sheet_that_lacks_a_column_is_refused_before_any_row(tmp_path: Path) -> None:
    more: dict[str, list[Any]] = {"二": [["户主姓名", "联系电话", "家庭人口"], ["张三", "", 3]]}
    path = workbook(tmp_path / "list.xlsx", [HEADER, household(1)], more=more)
    with pytest.raises(FileRefused) as refused, open_list(path):
        pass
    assert refused.value.code == "column-missing"
    assert "“二”" in refused.value.reason_zh


def test_sheets_too_large_to_keep_are_parsed_again_and_give_the_same_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [HEADER, *(household(n) for n in range(80))]
    other = [HEADER, *(household(n, c3=id_number(n, born="19710203")) for n in range(80))]
    path = workbook(tmp_path / "list.xlsx", rows, more={"二": other})
    kept = read(path)
    source = Path("intake/sandbox.py").read_text(encoding="utf-8")
    child = tmp_path / "sandbox.py"
    child.write_text(source.replace("KEPT_CELLS = 2_000_000", "KEPT_CELLS = 1"), encoding="utf-8")
    monkeypatch.setattr("intake.reader._SANDBOX", child)
    assert read(path) == kept
    assert len(kept) == 160


def test_leaving_early_ends_the_child(tmp_path: Path) -> None:
    rows = [HEADER, *(household(n % 90) for n in range(5_000))]
    path = workbook(tmp_path / "list.xlsx", rows)
    before = psutil.Process().children()
    with open_list(path) as opened:
        next(opened.rows)
    assert set(psutil.Process().children()) <= set(before)


def test_a_reader_in_no_hurry_holds_the_child_back(tmp_path: Path) -> None:
    rows = [HEADER, *(household(n % 90) for n in range(20_000))]
    path = workbook(tmp_path / "list.xlsx", rows)
    before = psutil.Process().children()
    with open_list(path) as opened:
        first = next(opened.rows)
        (child,) = set(psutil.Process().children()) - set(before)
        assert child.is_running()
        rest = sum(1 for _ in opened.rows)
    assert (first.row, rest) == (1, 19_999)
