"""Lists whose columns are named in one row: of officers, of divisions.

How such a list is found in a sheet, what its rows have by column, and its template that goes out.
(A household list names its columns in several rows: `intake.columns.find_header`.)
"""

from collections.abc import Mapping, Sequence
from typing import Any

from intake import cells as read
from intake.columns import Column, Grid, Header, Merged, letters, plain
from intake.reader import RawRow
from intake.refused import FileRefused


class Headings:
    """The columns of one kind of list, in order, each with the name that its template gives it."""

    def __init__(
        self,
        named: Mapping[Column, str],
        also: Mapping[Column, str],
        *,
        first: Column,
        needed: Sequence[tuple[Column, ...]],
        least: int,
    ) -> None:
        """``also``: further names of a column, with blanks between. ``first``: the column without
        which a row is no header, ``least``: how many of the columns it names at least. ``needed``:
        the columns that a list has, of each group one."""
        self._named, self._first, self._needed, self._least = named, first, needed, least
        self._by_name = {
            **{plain(name): column for column, names in also.items() for name in names.split()},
            **{plain(name): column for column, name in named.items()},
        }

    def find(self, sheet: str, top: Grid, merged: Merged) -> Header | None:
        """The header among a sheet's first rows: the row that names most of the columns, the first
        of them among them. Raises ``FileRefused`` if it lacks one or names one twice."""
        del merged
        best: Header | None = None
        most = self._least - 1
        for number, row in enumerate(top):
            columns, names = self._columns(sheet, row)
            if self._first in columns and len(columns) > most:
                best, most = Header(number, number, columns, names, (), (), ()), len(columns)
        if best is None:
            return None
        missing = [
            "或".join(self._named[column] for column in group)
            for group in self._needed
            if best.columns.keys().isdisjoint(group)
        ]
        if missing:
            raise FileRefused(
                "column-missing", sheet=sheet, row=best.last_row + 1, missing="、".join(missing)
            )
        return best

    def _columns(
        self, sheet: str, row: Sequence[Any]
    ) -> tuple[dict[Column, int], dict[Column, str]]:
        """Which columns a row names, and in which words."""
        columns: dict[Column, int] = {}
        names: dict[Column, str] = {}
        for at, cell in enumerate(row):
            means = self._by_name.get(plain(cell))
            if means is None:
                continue
            if means in columns:
                raise FileRefused(
                    "column-twice",
                    sheet=sheet,
                    column=self._named[means],
                    first=f"{names[means]}（{letters(columns[means])}）",
                    second=f"{plain(cell)}（{letters(at)}）",
                )
            columns[means], names[means] = at, plain(cell)
        return columns, names

    def sheet(self, book: Any, name: str, width: int) -> tuple[Any, Any]:
        """A sheet of a template, with the headings above text columns; and the format of a text."""
        bold, text = book.add_format({"bold": True}), book.add_format({"num_format": "@"})
        page = book.add_worksheet(name)
        page.freeze_panes(1, 0)
        for at, heading in enumerate(self._named.values()):
            page.set_column(at, at, width, text)
            page.write_string(0, at, heading, bold)
        return page, text


def cells_of(raw: RawRow) -> dict[Column, Any]:
    """What a row has in each of the list's columns."""
    cells = raw.cells
    return {
        column: cells[at] if at < len(cells) else None
        for column, at in raw.table.header.columns.items()
    }


def says_nothing(raw: RawRow) -> bool:
    return all(map(read.is_nothing, cells_of(raw).values()))
