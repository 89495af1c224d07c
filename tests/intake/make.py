"""Lists as people make them: workbooks and CSV files for the tests."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]

from tests.id_numbers import id_number

HEADER = ("序号", "村", "户主姓名", "户主身份证号", "家庭人口[人]", "户主联系方式", "一卡通账号")
PERSONS = ("户编号", "姓名", "与户主关系", "身份证号", "家庭住址", "一卡通账号")


def name(number: int) -> str:
    """A head's name of its own for every number, so that no two of a list are one; 1 is 张小三."""
    return f"张{chr(0x5C0F + number - 1)}三"


def household(number: int, **changed: Any) -> list[Any]:
    """A good row under ``HEADER``, with cells changed by position: ``c3="…"``."""
    row: list[Any] = [
        number,
        "黄铺村",
        name(number),
        id_number(900 + number),
        number % 5 + 1,
        "15400001234",
        "9999001234567890",
    ]
    for key, value in changed.items():
        row[int(key[1:])] = value
    return row


def workbook(
    path: Path,
    rows: Sequence[Sequence[Any]],
    *,
    merged: Sequence[tuple[int, int, int, int]] = (),
    sheet: str = "Sheet1",
    more: Mapping[str, Sequence[Sequence[Any]]] | None = None,
    hidden: Sequence[str] = (),
    at: tuple[int, int] = (0, 0),
) -> Path:
    """Write an .xlsx. Text stays text, numbers stay numbers; None leaves a cell empty."""
    with xlsxwriter.Workbook(str(path), {"constant_memory": not merged}) as book:
        for name, content in {sheet: rows, **(more or {})}.items():
            page = book.add_worksheet(name)
            if name in hidden:
                page.hide()
            for number, row in enumerate(content, at[0]):
                for column, value in enumerate(row, at[1]):
                    if value is None:
                        continue
                    if isinstance(value, str):
                        page.write_string(number, column, value)
                    else:
                        page.write_number(number, column, value)
            if name == sheet:
                for row1, column1, row2, column2 in merged:
                    value = content[row1 - at[0]][column1 - at[1]]
                    page.merge_range(row1, column1, row2, column2, value)
    return path
