"""The rows of a list that were not taken, as a list: to be mended, and sent again.

The sheets and headings are as they came, below them the refused rows with a last column that says
why. What a row had from above it (a merged cell, 同上, a village's name between the rows) is there
too, since the row above it is not.
"""

import io
import re
from collections.abc import Container, Iterator, Mapping
from contextlib import suppress
from datetime import date
from typing import Any, Final, TypeAlias

import xlsxwriter  # type: ignore[import-untyped]
from xlsxwriter.exceptions import OverlappingRange  # type: ignore[import-untyped]

from intake.columns import REASON
from intake.gathering import Gathered, HeadingFound, RowSource
from intake.guard import IntakeLimits
from intake.reader import OpenList, RawRow, Table, open_list
from intake.sent import ListFile

Reasons: TypeAlias = Mapping[tuple[str, int], list[str]]
"""Sheet and row (from 1) → why it was not taken, in Chinese."""

AS_TEXT: Final = {
    "in_memory": True,
    "constant_memory": False,
    "strings_to_formulas": False,
    "strings_to_urls": False,
}
"""What came as text goes back as text, also in a merged cell: a formula would be carried out in the
office of whoever opens the workbook, beside the ID numbers of its rows."""


def refused_workbook(
    source: ListFile, reasons: Reasons, today: date, limits: IntakeLimits
) -> bytes:
    """An .xlsx of the rows that have reasons. Raises ``FileRefused`` as reading them did."""
    out = io.BytesIO()
    with (
        open_list(source, limits=limits) as opened,
        xlsxwriter.Workbook(out, AS_TEXT) as book,
    ):
        kept = _Kept(opened)
        pages: dict[str, _Page] = {}
        for found in RowSource(kept.list, today):
            raw = kept.raw
            table = found.table
            if isinstance(found, HeadingFound) or (table.sheet, found.row + 1) not in reasons:
                continue
            if table.sheet not in pages:
                pages[table.sheet] = _Page(book, table)
            pages[table.sheet].add(raw, found, reasons[table.sheet, found.row + 1])
        if not pages:
            book.add_worksheet("名单")
    return out.getvalue()


class _Kept:
    """The rows of a list, the newest of them at hand as it stands in the sheet."""

    def __init__(self, opened: OpenList) -> None:
        self.raw: RawRow
        self.list = OpenList(opened.tables, opened.skipped_sheets, self._through(opened))

    def _through(self, opened: OpenList) -> Iterator[RawRow]:
        for self.raw in opened.rows:
            yield self.raw


class _Page:
    """One sheet of the workbook, being written."""

    def __init__(self, book: Any, table: Table) -> None:
        self._text = book.add_format({"num_format": "@"})
        self._wrong = book.add_format({"num_format": "@", "text_wrap": True, "bold": True})
        self._page = book.add_worksheet(
            _sheet_name(table.sheet, {one.lower() for one in book.sheetnames})
        )
        self._heading: str | None = None
        header = table.header
        self._own = next((at for at, label in header.labels.items() if REASON in label), None)
        self._wide = max([len(row) for row in table.top] + [max(header.labels, default=0) + 1])
        self._why = self._wide if self._own is None else self._own
        for number, cells in enumerate(table.top):
            self._put(number, cells)
        for row1, column1, row2, column2 in table.merged:
            if row2 > header.last_row or (row1, column1) == (row2, column2):
                continue
            value = table.top[row1][column1] if column1 < len(table.top[row1]) else None
            with suppress(OverlappingRange):  # a file may say so of cells that are merged already
                self._page.merge_range(row1, column1, row2, column2, str(value or ""))
        self._next = len(table.top)
        if self._own is None:
            self._page.write_string(header.first_row, self._why, REASON, self._wrong)
        self._page.set_column(0, self._wide, 14, self._text)
        self._page.set_column(self._why, self._why, 60)
        self._page.freeze_panes(header.last_row + 1, 0)

    def add(self, raw: RawRow, found: Gathered, why: list[str]) -> None:
        if found.heading != self._heading:
            self._heading = found.heading
            if found.heading is not None:
                self._page.write_string(self._next, 0, found.heading)
                self._next += 1
        cells = list(raw.cells[: self._wide])
        cells += [None] * (self._wide - len(cells))
        for column, at in found.table.header.columns.items():
            cells[at] = found.get(column)
        self._put(self._next, cells)
        self._page.write_string(self._next, self._why, "；".join(why), self._wrong)
        self._next += 1

    def _put(self, row: int, cells: list[Any]) -> None:
        for at, cell in enumerate(cells):
            if isinstance(cell, bool) or cell is None:
                continue
            if isinstance(cell, int | float):
                self._page.write_number(row, at, cell)
            else:
                self._page.write_string(row, at, str(cell)[:32_767], self._text)


def _sheet_name(name: str, taken: Container[str]) -> str:
    """As a spreadsheet takes it: a CSV's file name may be longer, or have other characters, and two
    names that differ in what is cut off, or in capitals only, would be one."""
    plain = re.sub(r"[\[\]:*?/\\\x00-\x1f\x7f]", "_", name)[:31].strip("'") or "名单"
    number = 1
    unlike = plain
    while unlike.lower() in taken:
        number += 1
        unlike = f"{plain[:27]}_{number}"
    return unlike
