"""The rows of a household list, whatever file it came in.

``open_list`` checks the file, finds the lists in it and their headers, and gives their rows one
by one: a CSV is decoded as it is read, a workbook is parsed by a child process with limits on
memory and time (``sandbox``) that hands over 500 rows at a time. Nothing of the file's content is
kept here, so memory does not grow with the list.
"""

import csv
import io
import json
import os
import selectors
import struct
import subprocess
import sys
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import msgspec

from intake.columns import Grid, Header, Merged, column_of, find_header
from intake.guard import IntakeLimits, check_file
from intake.refused import FileRefused
from intake.sent import ListFile

_SANDBOX = Path(__file__).with_name("sandbox.py")
_TOP_ROWS = 40
_LONGEST_FRAME = 64 * 1024 * 1024
# How the child ended: the sandbox's own status, abort (Rust without memory), kill, SIGXCPU.
_ENDS = {86: "too-much-memory", -6: "too-much-memory", -9: "too-much-time", -24: "too-much-time"}


FindHeader: TypeAlias = Callable[[str, Grid, Merged], Header | None]
"""Sheet's name, its first rows, its merged cells → the header of a list, None if it is none."""
Runs: TypeAlias = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Marks:
    """What a sheet does not show in its values, as runs (first, last): hidden rows and columns,
    and by column the rows whose cells are formulas or show an error. ``all``: nothing was missed.
    """

    hidden: Runs = ()
    hidden_columns: Runs = ()
    formulas: dict[int, Runs] = field(default_factory=dict)
    errors: dict[int, Runs] = field(default_factory=dict)
    all: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """One list: a sheet with a header, or a whole CSV (named like its file). ``top``: its rows
    down to the header, as they are."""

    sheet: str
    header: Header
    merged: tuple[tuple[int, int, int, int], ...] = field(repr=False)
    marks: Marks = field(default_factory=Marks, repr=False)
    top: tuple[list[Any], ...] = field(default=(), repr=False)


def within(runs: Runs, row: int) -> bool:
    """Whether a row lies in one of the runs, which are in the sheet's order."""
    at = bisect_right(runs, (row, sys.maxsize)) - 1
    return at >= 0 and runs[at][0] <= row <= runs[at][1]


class RawRow(msgspec.Struct, frozen=True):
    """A row below a header. ``row`` counts from 0; missing cells at the end are left out."""

    table: Table
    row: int
    cells: list[Any]


class OpenList:
    """A file with at least one list in it. ``rows`` may be gone through once.

    ``skipped_sheets`` have content and no list, ``hidden_sheets`` are not shown: both unread.
    """

    def __init__(
        self,
        tables: list[Table],
        skipped_sheets: tuple[str, ...],
        rows: Iterator[RawRow],
        hidden_sheets: tuple[str, ...] = (),
    ) -> None:
        self.hidden_sheets = hidden_sheets
        self.tables = tables
        self.skipped_sheets = skipped_sheets
        self.rows = rows


@contextmanager
def open_list(
    path: ListFile,
    *,
    limits: IntakeLimits | None = None,
    sheet: str | None = None,
    headers: FindHeader = find_header,
) -> Iterator[OpenList]:
    """Open a list; ``sheet`` names one sheet where only that is wanted, ``headers`` knows what the
    columns of such a list are called.

    Raises ``FileRefused`` here for all that can be known before the rows, and from ``rows`` for
    what is met on the way (a broken part, a limit).
    """
    limits = limits or IntakeLimits()
    try:
        file = path.open("rb")
    except (OSError, ValueError) as error:
        raise FileRefused("file-missing") from error
    with file:
        try:
            passed = check_file(file, path.name, limits)
        except OSError as error:
            raise FileRefused("file-missing") from error
        if passed.kind == "csv":
            yield _open_csv(file, path.name, passed.encoding, limits, headers)
        else:
            with _Parser(file, limits) as parser:
                yield _open_book(parser, sheet, headers)


def _open_csv(
    file: BinaryIO, name: str, encoding: str, limits: IntakeLimits, headers: FindHeader
) -> OpenList:
    lines = _csv_rows(file, name, encoding, limits)
    top: list[list[Any]] = []
    for row in lines:
        top.append(row)
        if len(top) == _TOP_ROWS:
            break
    header = headers(name, top, ())
    if header is None:
        raise FileRefused("list-missing")
    table = Table(name, header, (), top=tuple(top[: header.last_row + 1]))

    def rows() -> Iterator[RawRow]:
        below = header.last_row + 1
        for number, cells in enumerate(top[below:], below):
            yield RawRow(table, number, cells)
        for number, cells in enumerate(lines, len(top)):
            yield RawRow(table, number, cells)

    return OpenList([table], (), rows())


def _csv_rows(
    file: BinaryIO, name: str, encoding: str, limits: IntakeLimits
) -> Iterator[list[Any]]:
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    head = text.read(4096)
    text.seek(0)
    delimiter = max(",\t;", key=head.count)
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    number = 0
    try:
        for number, row in enumerate(reader, 1):
            if number > limits.rows + _TOP_ROWS:
                raise FileRefused("too-many-rows", sheet=name, limit=limits.rows)
            if len(row) > limits.columns:
                raise FileRefused(
                    "too-many-columns", sheet=name, count=len(row), limit=limits.columns
                )
            if any(len(cell) > limits.cell for cell in row):
                raise FileRefused("cell-too-long", sheet=name, row=number, limit=limits.cell)
            yield [cell or None for cell in row]
    except (csv.Error, UnicodeDecodeError) as error:
        raise FileRefused("csv-broken", row=number + 1) from error
    finally:
        text.detach()


def _open_book(parser: "_Parser", wanted: str | None, headers: FindHeader) -> OpenList:
    message = parser.receive()
    if message[0] != "book":
        raise FileRefused("file-broken")
    tops = message[1]
    if wanted is not None and wanted not in {top[0] for top in tops}:
        known = "、".join(top[0] for top in tops)
        raise FileRefused("sheet-unknown", sheet=wanted, known=known or "-")
    tables: dict[int, Table] = {}
    for index, (name, _height, _width, top, merged, marks) in enumerate(tops):
        if wanted is not None and name != wanted:
            continue
        header = headers(name, top, merged)
        if header is not None:
            tables[index] = Table(
                name,
                header,
                tuple((a, b, c, d) for a, b, c, d in merged),
                _marks(*marks),
                tuple(top[: header.last_row + 1]),
            )
    if not tables:
        raise FileRefused("list-missing")
    skipped = tuple(top[0] for index, top in enumerate(tops) if index not in tables)
    rows = _book_rows(parser, tables)
    return OpenList(list(tables.values()), skipped, rows, tuple(message[2]))


def _marks(
    rows: list[Any], columns: list[Any], formulas: list[Any], errors: list[Any], all_: bool
) -> Marks:
    hidden, hidden_columns = (
        tuple((first, last) for first, last in runs) for runs in (rows, columns)
    )
    return Marks(hidden, hidden_columns, _by_column(formulas), _by_column(errors), all_)


def _by_column(runs: list[Any]) -> dict[int, Runs]:
    found: dict[int, list[tuple[int, int]]] = {}
    for name, first, last in runs:
        found.setdefault(column_of(name), []).append((first, last))
    return {column: tuple(several) for column, several in found.items()}


def _book_rows(parser: "_Parser", tables: dict[int, Table]) -> Iterator[RawRow]:
    while True:
        message = parser.receive()
        if message[0] == "end":
            return
        _, index, first, rows = message
        table = tables.get(index)
        if table is None:
            continue
        below = table.header.last_row
        for number, cells in enumerate(rows, first):
            if number > below:
                yield RawRow(table, number, cells)


class _Parser:
    """The child process at work on one workbook. Ended on leaving, however far it got."""

    def __init__(self, file: BinaryIO, limits: IntakeLimits) -> None:
        self._file = file
        self._limits = limits

    def __enter__(self) -> "_Parser":
        asked = {
            "memory_bytes": self._limits.memory_bytes,
            "cpu_seconds": self._limits.cpu_seconds,
            "rows": self._limits.rows,
            "columns": self._limits.columns,
            "cell": self._limits.cell,
        }
        # The child inherits the descriptor: a buffered file's seek may stay in its buffer.
        os.lseek(self._file.fileno(), 0, os.SEEK_SET)
        self._process = subprocess.Popen(  # noqa: S603 - our own file, with this interpreter
            [sys.executable, "-I", str(_SANDBOX), json.dumps(asked)],
            stdin=self._file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"RUST_BACKTRACE": "0"},
            bufsize=0,
        )
        assert self._process.stdout is not None
        self._pipe = self._process.stdout
        self._ready = selectors.DefaultSelector()
        self._ready.register(self._pipe, selectors.EVENT_READ)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._ready.close()
        self._pipe.close()

    def receive(self) -> list[Any]:
        """The next message. A child that died, stalled or met a limit: ``FileRefused``."""
        deadline = time.monotonic() + self._limits.stall_seconds
        (length,) = struct.unpack(">I", self._read(4, deadline))
        if length > _LONGEST_FRAME:
            raise FileRefused("too-much-memory")
        message: list[Any] = msgspec.msgpack.decode(self._read(length, deadline))
        if message[0] == "refused":
            raise FileRefused(message[1], **message[2])
        return message

    def _read(self, length: int, deadline: float) -> bytes:
        parts: list[bytes] = []
        while length:
            if not self._ready.select(max(0.0, deadline - time.monotonic())):
                raise FileRefused("too-much-time")
            part = self._pipe.read(min(length, 1 << 20))
            if not part:
                code = self._process.wait()
                raise FileRefused(_ENDS.get(code, "file-broken"))
            parts.append(part)
            length -= len(part)
        return b"".join(parts)
