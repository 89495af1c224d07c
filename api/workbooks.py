"""The sheets of `api.sheets` as workbooks (.xlsx): money and counts as numbers, ids as text.

A spreadsheet that opens CSV drops the zeros before a code and rounds what is longer than fifteen
digits; here each cell says what it is. Rows are written to a file as they are read, so that 16,000
of them need no memory of their own; on paper the heading stands on every page, A4 landscape.
"""

import tempfile
from collections.abc import AsyncIterator, Callable, Iterable
from decimal import Decimal
from typing import IO, Any, Final

import xlsxwriter  # type: ignore[import-untyped]
from starlette.concurrency import run_in_threadpool

from api.sheets import Row, Sheet
from projections.asking.paging import Page

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PART: Final = 256 * 1024
"""Bytes sent at once."""
WIDTH: Final = 16
"""Characters of a column."""
A4: Final = 9
TITLES: Final = {"zh": "清单", "en": "List"}


MOST_ROWS: Final = 1_000_000
"""Rows of one sheet: a spreadsheet opens 1,048,576, and the writer drops what is beyond in silence.
Then another sheet begins."""


class Book:
    """A workbook of one list, written to a file row by row."""

    def __init__(self, sheet: Sheet, file: IO[bytes]) -> None:
        self._sheet = sheet
        self._book = xlsxwriter.Workbook(file, {"constant_memory": True})
        self._money = self._book.add_format({"num_format": "#,##0.00"})
        self._text = self._book.add_format({"num_format": "@"})
        self._bold = self._book.add_format({"bold": True, "text_wrap": True})
        self._pages = 0
        self._begin_page()

    def _begin_page(self) -> None:
        self._pages += 1
        self._rows = 0
        self._page = self._book.add_worksheet(
            TITLES[self._sheet.language] + (f"{self._pages}" if self._pages > 1 else "")
        )
        self._page.freeze_panes(1, 0)
        self._page.repeat_rows(0)
        self._page.set_landscape()
        self._page.set_paper(A4)
        self._page.fit_to_pages(1, 0)
        self._page.set_column(0, len(self._sheet.columns), WIDTH)
        for at, said in enumerate([*self._sheet.mark, *self._sheet.headings()]):
            self._page.write_string(0, at, said, self._bold)

    def add(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if self._rows == MOST_ROWS:
                self._begin_page()
            self._rows += 1
            cells = (self._sheet.value(row, column) for column in self._sheet.columns)
            for at, value in enumerate([*self._sheet.mark, *cells]):
                if isinstance(value, str):
                    self._page.write_string(self._rows, at, value, self._text)
                elif isinstance(value, Decimal):
                    self._page.write_number(self._rows, at, value, self._money)
                else:
                    self._page.write_number(self._rows, at, value)

    def close(self) -> None:
        self._book.close()


async def workbook(sheet: Sheet, first: Page, more: Callable[[str], Any]) -> AsyncIterator[bytes]:
    """The workbook's bytes, once all rows are in it. ``more`` asks for the page behind a cursor."""
    with tempfile.TemporaryFile() as file:
        book = await run_in_threadpool(Book, sheet, file)
        page = first
        while True:
            await run_in_threadpool(book.add, page.items)
            if page.next is None:
                break
            page = await more(page.next)
        await run_in_threadpool(book.close)
        file.seek(0)
        while part := await run_in_threadpool(file.read, PART):
            yield part
