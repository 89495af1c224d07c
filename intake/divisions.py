"""Lists of divisions: the template that goes out, and the rows that come back, each by itself.

The file is read as a household list is (`intake.reader`). A row says a code, a name, where it lies,
since when, and where it has the code instead of another one, which. What the rows come to against
the divisions there are is `intake.division_changes`.
"""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]

from domain.area import AreaLevel
from domain.invisible import hides_something
from intake import cells as read
from intake.columns import Column, address
from intake.guard import IntakeLimits
from intake.one_heading import Headings, cells_of, says_nothing
from intake.problems import CellProblem, mask, problem
from intake.reader import RawRow, open_list, within
from intake.sent import ListFile

HEADINGS: Mapping[Column, str] = {
    Column.VILLAGE_CODE: "区划代码",
    Column.VILLAGE: "名称",
    Column.PARENT_CODE: "上级代码",
    Column.VALID_FROM: "生效日期",
    Column.FORMER_CODE: "原代码",
}
"""The columns of the template, in order; the first two are needed."""
_MORE: Mapping[Column, str] = {
    Column.VILLAGE_CODE: "代码 行政区划代码 统计用区划代码 区划编码 编码",
    Column.VILLAGE: "区划名称 行政区划名称 单位名称",
    Column.PARENT_CODE: "上级区划代码 上级 上级区划 父级代码 所属代码",
    Column.VALID_FROM: "有效起始日期 有效起 有效日期 启用日期 设立日期 起始日期",
    Column.FORMER_CODE: "原区划代码 旧代码 曾用代码 变更前代码",
}
_LIST = Headings(HEADINGS, _MORE, first=Column.VILLAGE_CODE, needed=((Column.VILLAGE,),), least=1)
LONGEST_NAME = 50
FIRST_OWN, LAST_OWN = 900, 998
"""The last three digits of a division that has no national code (decision 0060)."""
LAST_NATIONAL = 599
_DAY = re.compile(r"(\d{4})\D(\d{1,2})\D(\d{1,2})日?|(\d{4})(\d{2})(\d{2})")


@dataclass(slots=True)
class DivisionLine:
    """One row. ``row`` as the spreadsheet counts it, from 1. Codes have 6 digits down to a county,
    12 below; ``parent``, ``former`` and ``valid_from`` are None where the row leaves them out."""

    sheet: str
    row: int
    code: str = ""
    name: str = ""
    parent: str | None = None
    valid_from: date | None = None
    former: str | None = None
    problems: list[CellProblem] = field(default_factory=list)
    notes: list[CellProblem] = field(default_factory=list)
    columns: dict[Column, int] = field(default_factory=dict)
    texts: dict[Column, str] = field(default_factory=dict)

    @property
    def level(self) -> AreaLevel:
        return level_of(self.code)

    def fail(self, column: Column, rule: str, **facts: Any) -> None:
        self.problems.append(self.said(column, rule, **facts))

    def note(self, column: Column, rule: str, **facts: Any) -> None:
        self.notes.append(self.said(column, rule, **facts))

    def said(self, column: Column, rule: str, **facts: Any) -> CellProblem:
        at = self.columns.get(column)
        cell = address(self.row - 1, at) if at is not None else str(self.row)
        return problem(rule, cell, HEADINGS[column], self.texts.get(column, ""), **facts)


def level_of(code: str) -> AreaLevel:
    """What a code of 6 or 12 digits is the code of.

    >>> level_of("340882").value, level_of("340882101000").value, level_of("340882101001").value
    ('county', 'township', 'village')
    """
    if len(code) == 12:
        return AreaLevel.TOWNSHIP if code.endswith("000") else AreaLevel.VILLAGE
    if code == "000000":
        return AreaLevel.NATION
    if code.endswith("0000"):
        return AreaLevel.PROVINCE
    return AreaLevel.CITY if code.endswith("00") else AreaLevel.COUNTY


def above_of(code: str) -> str:
    """The code of what lies over it, as its digits say."""
    level = level_of(code)
    if level is AreaLevel.VILLAGE:
        return code[:9] + "000"
    if level is AreaLevel.TOWNSHIP:
        return code[:6]
    return code[:4] + "00" if level is AreaLevel.COUNTY else code[:2] + "0000"


def whole_code(text: str) -> str | None:
    """A code as the ledger writes it, from 2, 4, 6, 9 or 12 digits; None if it is none.

    >>> whole_code("340882101"), whole_code("340882000000"), whole_code("3408"), whole_code("1")
    ('340882101000', '340882', '340800', None)
    """
    code = read.digits(text)
    if not (code.isascii() and code.isdigit() and len(code) in (2, 4, 6, 9, 12)):
        return None
    code = code.ljust(6 if len(code) < 6 else len(code), "0")
    code = code.ljust(12, "0") if len(code) == 9 else code
    return code.removesuffix("000000") if len(code) == 12 else code


def read_divisions(
    path: ListFile, today: date, limits: IntakeLimits | None = None
) -> list[DivisionLine]:
    """Every row of a list, checked by itself. Raises ``FileRefused`` for what is no such list."""
    with open_list(path, limits=limits, headers=_LIST.find) as opened:
        lines = [_read(raw, today) for raw in opened.rows if not says_nothing(raw)]
    tell_twice(lines)
    return lines


def _read(raw: RawRow, today: date) -> DivisionLine:
    cells, marks = cells_of(raw), raw.table.marks
    line = DivisionLine(raw.table.sheet, raw.row + 1, columns=raw.table.header.columns)
    line.texts = {column: mask(column, value) for column, value in cells.items()}
    if within(marks.hidden, raw.row):
        line.problems.append(problem("officer-hidden", str(line.row), ""))
    texts: dict[Column, str | None] = {}
    for column, at in line.columns.items():
        if cells[column] in read.ERRORS or within(marks.errors.get(at, ()), raw.row):
            line.fail(column, "cell-error")
            continue
        if within(marks.formulas.get(at, ()), raw.row):
            line.note(column, "cell-formula")
        texts[column], wrong = read.text(cells[column])
        if wrong is not None:
            line.fail(column, wrong)
    if not line.problems:
        fill(line, texts, today)
    return line


def fill(line: DivisionLine, texts: Mapping[Column, str | None], today: date) -> None:
    """What a row says, checked without the divisions there are."""
    code = _code(line, Column.VILLAGE_CODE, texts)
    if code is None and not texts.get(Column.VILLAGE_CODE):
        line.fail(Column.VILLAGE_CODE, "division-code-missing")
    line.code = code or ""
    line.name = texts.get(Column.VILLAGE) or ""
    if not line.name:
        line.fail(Column.VILLAGE, "division-name-missing")
    elif len(line.name) > LONGEST_NAME or hides_something(line.name):
        line.fail(Column.VILLAGE, "division-name-form")
    line.parent = _code(line, Column.PARENT_CODE, texts)
    line.former = _code(line, Column.FORMER_CODE, texts)
    line.former = None if line.former == line.code else line.former
    since = texts.get(Column.VALID_FROM)
    line.valid_from = _day(since) if since else None
    if since and line.valid_from is None:
        line.fail(Column.VALID_FROM, "division-date-form")
    elif line.valid_from is not None and line.valid_from > today:
        line.fail(Column.VALID_FROM, "division-date-future")


def _code(line: DivisionLine, column: Column, texts: Mapping[Column, str | None]) -> str | None:
    text = texts.get(column)
    code = whole_code(text) if text else None
    if text and code is None:
        line.fail(column, "division-code-form")
    return code


def _day(text: str) -> date | None:
    """2024-06-01, 2024/6/1, 2024年6月1日, 20240601; times behind it are left out."""
    found = _DAY.match(text)
    if found is None:
        return None
    year, month, day = (int(one) for one in found.groups() if one is not None)
    try:
        return date(year, month, day)
    except ValueError:
        return None


def tell_twice(lines: list[DivisionLine]) -> None:
    """A code, or a former code, that stands in two rows is told at the second."""
    for column in (Column.VILLAGE_CODE, Column.FORMER_CODE):
        first: dict[str, int] = {}
        for line in lines:
            code = line.code if column is Column.VILLAGE_CODE else line.former
            if code and first.setdefault(code, line.row) != line.row:
                line.fail(column, "division-twice", row=first[code])


def template(known: list[tuple[str, str, str, str]]) -> bytes:
    """The list as .xlsx with the divisions there are: code, name, code of what is above, since."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        page, text = _LIST.sheet(book, "区划", 20)
        for number, row in enumerate(known, 1):
            for at, said in enumerate(row):
                page.write_string(number, at, said, text)
    return out.getvalue()
