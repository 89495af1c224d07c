"""The child process that parses a workbook: it sees one open file and has limits on all it takes.

Started by file name and isolated (``python -I``), so it imports nothing of this project. The
workbook is its standard input, arguments are the limits as JSON. It answers on standard output
with frames, each four bytes of length (big-endian) and a msgpack array whose first item names it:

- ``["book", [[name, height, width, first rows, merged, marks], …], [name, …]]``: the visible
  sheets with content, and the names of the hidden ones.
- ``["rows", sheet index, first row's index, [[cell, …], …]]``: consecutive rows of a sheet.
- ``["end"]``: that was all.  ``["refused", code, facts]``: a limit was met.

Cells are text, number, boolean or nil; dates and times become ISO text, a number that is none (NaN,
or beyond every number) the error ``#NUM!``. ``merged`` is a list of [first row, first column, last
row, last column]. ``marks`` are five: runs of hidden rows and of
hidden columns as [first, last], runs of formulas and of error values as [column's letters, first
row, last row], and whether these are all there are. Indexes count from 0 in the sheet's own grid.
Rows without content are left out at the end of a sheet only.
"""

import json
import math
import os
import re
import resource
import struct
import sys
import zipfile
from collections.abc import Iterator
from typing import IO, Any, BinaryIO, TypeAlias
from xml.etree import ElementTree

import msgspec
import python_calamine

Sheet: TypeAlias = python_calamine.CalamineSheet

TOP_ROWS = 40
OUT_OF_MEMORY = 86  # exit status; known to the reader
ROWS_A_FRAME = 500
KEPT_CELLS = 2_000_000  # sheets up to this size together are kept, larger ones are parsed twice


def main() -> None:
    limits = json.loads(sys.argv[1])
    _limit(resource.RLIMIT_AS, limits["memory_bytes"])
    _limit(resource.RLIMIT_CPU, limits["cpu_seconds"])
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    out = sys.stdout.buffer
    try:
        _send_all(out, limits)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)  # nothing that needs memory, not even a message
    except _CellTooLong as long:
        facts = {"sheet": long.sheet, "row": long.row, "limit": limits["cell"]}
        _send(out, ["refused", "cell-too-long", facts])
    except python_calamine.PasswordError:
        _send(out, ["refused", "file-old-or-encrypted", {}])
    except python_calamine.CalamineError:
        _send(out, ["refused", "file-broken", {}])


def _limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
    try:
        resource.setrlimit(kind, (ceiling, ceiling))
    except (ValueError, OSError):
        # macOS refuses RLIMIT_AS; the guard's limits and the others still hold there.
        if kind != resource.RLIMIT_AS:
            raise


def _send(out: BinaryIO, message: list[Any]) -> None:
    body = msgspec.msgpack.encode(message)
    out.write(struct.pack(">I", len(body)))
    out.write(body)
    out.flush()


def _send_all(out: BinaryIO, limits: dict[str, Any]) -> None:
    long = _too_long(sys.stdin.buffer, limits["rows"] + TOP_ROWS)
    if long is not None:
        _send(out, _too_many_rows(long, limits))
        return
    sys.stdin.buffer.seek(0)
    book = python_calamine.CalamineWorkbook.from_filelike(sys.stdin.buffer)
    visible = [
        sheet.name
        for sheet in book.sheets_metadata
        if sheet.typ == python_calamine.SheetTypeEnum.WorkSheet
        and sheet.visible == python_calamine.SheetVisibleEnum.Visible
    ]
    unseen = [
        sheet.name
        for sheet in book.sheets_metadata
        if sheet.typ == python_calamine.SheetTypeEnum.WorkSheet and sheet.name not in visible
    ]
    kept: dict[str, Sheet] = {}
    cells = 0
    tops: list[list[Any]] = []
    for name in visible:
        sheet = book.get_sheet_by_name(name)
        refusal = _over_limit(sheet, limits)
        if refusal is not None:
            _send(out, refusal)
            return
        if not sheet.height:
            continue
        cells += sheet.height * sheet.width
        if len(visible) == 1 or cells <= KEPT_CELLS:
            kept[name] = sheet
        tops.append([name, _height(sheet), _width(sheet), _top(sheet, limits), _merged(sheet)])
    marks = _Marks(sys.stdin.buffer)
    for top in tops:
        top.append(marks.of(top[0], top[1]))
    _send(out, ["book", tops, unseen])
    for index, top in enumerate(tops):
        name = top[0]
        sheet = kept.pop(name) if name in kept else book.get_sheet_by_name(name)
        for first, rows in _frames(sheet, limits):
            _send(out, ["rows", index, first, rows])
    _send(out, ["end"])


def _merged(sheet: Sheet) -> list[list[int]]:
    """The merged cells, each from its upper left corner, whichever way its range is written."""
    return [
        [*map(min, first, last), *map(max, first, last)]
        for first, last in sheet.merged_cell_ranges or ()
    ]


def _height(sheet: Sheet) -> int:
    return sheet.end[0] + 1 if sheet.end else 0


def _width(sheet: Sheet) -> int:
    return sheet.end[1] + 1 if sheet.end else 0


def _over_limit(sheet: Sheet, limits: dict[str, Any]) -> list[Any] | None:
    # The header and titles above it are not data: they are not counted against the rows.
    if _height(sheet) > limits["rows"] + TOP_ROWS:
        return _too_many_rows(sheet.name, limits)
    if _width(sheet) > limits["columns"]:
        facts = {"sheet": sheet.name, "count": _width(sheet), "limit": limits["columns"]}
        return ["refused", "too-many-columns", facts]
    return None


def _too_many_rows(sheet: str, limits: dict[str, Any]) -> list[Any]:
    return ["refused", "too-many-rows", {"sheet": sheet, "limit": limits["rows"]}]


# A sheet is parsed whole before its height is known, so a very long one would be refused after
# seconds and much memory. Its rows are counted first, as its XML is unpacked, and no further than
# the limit. Only rows with a value in them count: a sheet may be formatted down to its last row.
# So this never refuses what the height would let pass; long gaps between rows are left to that.
_ROW = re.compile(rb"<(?:\w+:)?row(?=[\s>])")
_SHORTEST_ROW = len("<row><c><v>1</v></c></row>")
_VALUE = re.compile(rb"<(?:\w+:)?(?:v|t)(?:\s[^<>]*)?>[^<]")


def _too_long(file: BinaryIO, most: int) -> str | None:
    """The name of a visible sheet with more than so many rows; None too where the package does
    not say plainly which part a sheet is."""
    try:
        with zipfile.ZipFile(file) as package:
            for sheet, path in _visible_parts(package):
                if package.getinfo(path).file_size < most * _SHORTEST_ROW:
                    continue
                with package.open(path) as part:
                    if rows_with_values(part, most) > most:
                        return sheet
    except (KeyError, StopIteration, zipfile.BadZipFile, ElementTree.ParseError):
        return None
    return None


def _visible_parts(package: zipfile.ZipFile) -> list[tuple[str, str]]:
    tags = [one for one in _parsed(package, "xl/workbook.xml") if _local(one.tag) == "sheet"]
    shown = [one.get("name", "") for one in tags if one.get("state", "visible") == "visible"]
    return [(name, part_of(package, name)) for name in shown]


def rows_with_values(part: IO[bytes], most: int) -> int:
    """How many rows of a sheet have a value; more than ``most`` are not counted, nor read."""
    count, open_, rest = 0, False, b""
    while piece := part.read(_PIECE):
        text = rest + piece
        end = text.rfind(b"<")  # what follows is a tag, or a value, that may go on in the next one
        rest = text[end:][:_OVERLAP] if end >= 0 else b""
        before, *rows = _ROW.split(text[: max(end, 0)])
        if open_ and _VALUE.search(before):
            count, open_ = count + 1, False
        for row in rows:
            open_ = _VALUE.search(row) is None
            count += not open_
            if count > most:
                return count
    return count


class _CellTooLong(Exception):
    """A text longer than any spreadsheet holds: nobody typed it."""

    def __init__(self, sheet: str, row: int) -> None:
        self.sheet, self.row = sheet, row


def _grid(sheet: Sheet, limits: dict[str, Any]) -> Iterator[list[Any]]:
    """The sheet's rows from row 1 and column A: calamine leaves empty columns at the left out."""
    longest = limits["cell"]
    left: list[Any] = [None] * (sheet.start[1] if sheet.start else 0)
    above = sheet.start[0] if sheet.start else 0
    for number, row in enumerate(sheet.iter_rows()):
        if number < above:
            yield []
            continue
        if any(isinstance(value, str) and len(value) > longest for value in row):
            raise _CellTooLong(sheet.name, number + 1)
        yield left + [_cell(value) for value in row] if left else [_cell(value) for value in row]


def _cell(value: Any) -> Any:
    if value == "":
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return "#NUM!"
    if isinstance(value, str | float | bool | int):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


# What calamine leaves out: which rows and columns are hidden, which cells are formulas, and which
# show an error (#REF! is an empty cell to it). The sheet's XML is searched for the opening tags as
# it is unpacked; the guard has bounded its size.
_HIDDEN_ROW = re.compile(
    rb"<(?:\w+:)?row(?=\s)"
    rb"(?=[^<>]*\s(?:hidden=[\"'](?:1|true)|ht=[\"']0(?:\.0*)?)[\"'])([^<>]*)>"
)
_HIDDEN_COLUMN = re.compile(rb"<(?:\w+:)?col(?=\s)(?=[^<>]*\shidden=[\"'](?:1|true)[\"'])([^<>]*)>")
_FORMULA = re.compile(rb"<(?:\w+:)?c(?=[\s>])([^<>]*)>\s*<(?:\w+:)?f[\s/>]")
_ERROR = re.compile(rb"<(?:\w+:)?c(?=\s)(?=[^<>]*\st=[\"']e[\"'])([^<>]*)>")
_ROW_NUMBER = re.compile(rb"\sr=[\"'](\d{1,7})[\"']")
_CELL_NAME = re.compile(rb"\sr=[\"']([A-Z]{1,3})(\d{1,7})[\"']")
_FROM_TO = tuple(re.compile(rb"\s" + end + rb"=[\"'](\d{1,5})[\"']") for end in (b"min", b"max"))
_PIECE = 1 << 20
_OVERLAP = 4096  # longer than a cell's opening tag: what a piece's end cuts off is found again
_RUNS = 20_000  # runs of formulas and errors a sheet; more are told to be more


class _Marks:
    """Hidden rows and columns, formulas and errors of the sheets of one package."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def of(self, sheet: str, height: int) -> list[Any]:
        """The marks of a sheet of so many rows; not all, where the package does not say them
        plainly."""
        try:
            with (
                zipfile.ZipFile(self._file) as package,
                package.open(part_of(package, sheet)) as part,
            ):
                return _Search(height).through(part)
        except (KeyError, StopIteration, zipfile.BadZipFile, ElementTree.ParseError):
            return [[], [], [], [], False]


def part_of(package: zipfile.ZipFile, sheet: str) -> str:
    """The part of the package that a sheet is. Raises KeyError, StopIteration, ParseError."""
    sheets = _parsed(package, "xl/workbook.xml")
    tag = next(one for one in sheets if one.get("name") == sheet and _local(one.tag) == "sheet")
    relation = next(value for key, value in tag.attrib.items() if _local(key) == "id")
    relations = _parsed(package, "xl/_rels/workbook.xml.rels")
    target = next(one.get("Target", "") for one in relations if one.get("Id") == relation)
    return target.lstrip("/") if target.startswith("/") else "xl/" + target


def _parsed(package: zipfile.ZipFile, part: str) -> Iterator[ElementTree.Element]:
    """The elements of a part. What hostile XML could do is bounded by this process's own limits."""
    root = ElementTree.fromstring(package.read(part))  # noqa: S314  # nosec B314
    return root.iter()


def _local(name: str) -> str:
    return name.rpartition("}")[2]


class _Search:
    """One sheet's XML being gone through, piece by piece.

    ``all``: every mark was found and kept. It is not where a tag does not say which row or cell
    it is, or where formulas and errors are scattered in more runs than `_RUNS`; hidden rows are
    all kept, since the sheet's height bounds them.
    """

    def __init__(self, height: int) -> None:
        self._height = height
        self._rows: list[list[Any]] = []
        self._columns: list[list[Any]] = []
        self._cells: dict[bytes, dict[str, list[list[Any]]]] = {b"f": {}, b"e": {}}
        self._runs = 0
        self._all = True

    def through(self, part: IO[bytes]) -> list[Any]:
        rest = b""
        while piece := part.read(_PIECE):
            text = rest + piece
            rest = text[-_OVERLAP:]
            for found in _HIDDEN_COLUMN.finditer(text):
                self._column(found[1])
            for found in _HIDDEN_ROW.finditer(text):
                self._row(found[1])
            for kind, pattern in ((b"f", _FORMULA), (b"e", _ERROR)):
                for found in pattern.finditer(text):
                    self._cell(self._cells[kind], found[1])
        cells = ([run for runs in kind.values() for run in runs] for kind in self._cells.values())
        return [self._rows, self._columns, *cells, self._all]

    def _column(self, tag: bytes) -> None:
        first, last = (pattern.search(tag) for pattern in _FROM_TO)
        if first is None or last is None:
            self._all = False
            return
        run = [int(first[1]) - 1, int(last[1]) - 1]
        if run not in self._columns[-1:]:
            self._columns.append(run)

    def _row(self, tag: bytes) -> None:
        number = _ROW_NUMBER.search(tag)
        if number is None:
            self._all = False
        elif int(number[1]) <= self._height:
            _into(self._rows, [], int(number[1]) - 1)

    def _cell(self, runs: dict[str, list[list[Any]]], tag: bytes) -> None:
        name = _CELL_NAME.search(tag)
        if name is None or self._runs >= _RUNS:
            self._all = False
            return
        column = name[1].decode()
        self._runs += _into(runs.setdefault(column, []), [column], int(name[2]) - 1)


def _into(runs: list[list[Any]], before: list[Any], row: int) -> bool:
    """Add a row to the last run or begin another: whether one was begun."""
    if runs and row <= runs[-1][-1]:  # found again in the overlap of two pieces
        return False
    if runs and row == runs[-1][-1] + 1:
        runs[-1][-1] = row
        return False
    runs.append([*before, row, row])
    return True


def _top(sheet: Sheet, limits: dict[str, Any]) -> list[list[Any]]:
    top: list[list[Any]] = []
    for row in _grid(sheet, limits):
        if len(top) == TOP_ROWS:
            break
        top.append(row)
    return top


def _frames(sheet: Sheet, limits: dict[str, Any]) -> Iterator[tuple[int, list[list[Any]]]]:
    frame: list[list[Any]] = []
    first = 0
    for row in _grid(sheet, limits):
        frame.append(row)
        if len(frame) == ROWS_A_FRAME:
            yield first, frame
            first += len(frame)
            frame = []
    if frame:
        yield first, frame


if __name__ == "__main__":
    main()
