"""A sheet that is too long is refused when its rows are counted, before it is parsed."""

import io
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import msgspec
import pytest
import xlsxwriter  # type: ignore[import-untyped]

from intake import sandbox
from intake.guard import IntakeLimits
from intake.reader import open_list
from intake.refused import FileRefused
from tests.intake.make import HEADER, household

ROWS, MOST = 100_000, 1_000
SHEET = "xl/worksheets/sheet1.xml"


def long_sheet(path: Path, rows: int, *, hidden: bool = False, blank: int = 0) -> Path:
    """A list, then many short rows; ``hidden``: these on a hidden sheet; ``blank``: formatted."""
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        page, bold = book.add_worksheet("灾民"), book.add_format({"bold": True})
        page.write_row(0, 0, HEADER)
        page.write_row(1, 0, household(1))
        page = book.add_worksheet("旧") if hidden else page
        if hidden:
            page.hide()
        for row in range(2, rows):
            page.write_number(row, 0, row)
        for row in range(rows, rows + blank):
            page.write_blank(row, 0, None, bold)
    return path


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return long_sheet(tmp_path_factory.mktemp("long") / "list.xlsx", ROWS)


def answered(path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The first message of the child process, here, where no workbook may be opened."""

    def parsed(_: object) -> None:
        raise AssertionError("parsed before its rows were counted")

    opened = SimpleNamespace(from_filelike=parsed)
    monkeypatch.setattr(sandbox.python_calamine, "CalamineWorkbook", opened)
    out = io.BytesIO()
    with path.open("rb") as file:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=file))
        sandbox._send_all(out, {"rows": MOST, "columns": 256})
    message: list[Any] = msgspec.msgpack.decode(out.getvalue()[4:])
    return message


def test_a_sheet_over_the_limit_is_refused_before_it_is_parsed(
    long: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert answered(long, monkeypatch) == [
        "refused",
        "too-many-rows",
        {"sheet": "灾民", "limit": MOST},
    ]
    with pytest.raises(FileRefused) as refused, open_list(long, limits=IntakeLimits(rows=MOST)):
        pass
    assert refused.value.code == "too-many-rows"


class Counted:
    """A part that tells how much of it was read, and never gives more than was asked for."""

    def __init__(self, part: IO[bytes]) -> None:
        self._part, self.given, self.largest = part, 0, 0

    def read(self, size: int) -> bytes:
        found = self._part.read(size)
        self.given += len(found)
        self.largest = max(self.largest, len(found))
        return found


@pytest.mark.parametrize("piece", [97, 4_096, 1 << 20])
def test_rows_are_counted_no_further_than_the_limit(
    long: Path, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the pieces cut through: a tag, a value, the name of a row."""
    monkeypatch.setattr(sandbox, "_PIECE", piece)
    with zipfile.ZipFile(long) as package:
        whole = package.getinfo(SHEET).file_size
        with package.open(SHEET) as part:
            read = Counted(part)
            assert sandbox.rows_with_values(read, MOST) == MOST + 1  # type: ignore[arg-type]
        assert read.given < whole / 2 and read.largest <= piece
        with package.open(SHEET) as part:
            assert piece == 97 or sandbox.rows_with_values(part, ROWS) == ROWS


def test_a_sheet_too_small_for_so_many_rows_is_not_gone_through_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def counted(part: IO[bytes], most: int) -> int:
        raise AssertionError("counted")

    monkeypatch.setattr(sandbox, "rows_with_values", counted)
    with long_sheet(tmp_path / "list.xlsx", 100).open("rb") as file:
        assert sandbox._too_long(file, MOST) is None
    with (
        long_sheet(tmp_path / "list.xlsx", 3_000).open("rb") as file,
        pytest.raises(AssertionError),
    ):
        sandbox._too_long(file, MOST)


@pytest.mark.parametrize(
    ("xml", "rows"),
    [
        (b"<row r='1'><c><v>1</v></c></row><row r='2'/>", 1),
        (b"<x:row r='1'><x:c><x:v>1</x:v></x:c></x:row><x:row><x:c><x:v>2</x:v></x:c></x:row>", 2),
        (b'<row><c t="inlineStr"><is><t xml:space="preserve"> a</t></is></c></row>', 1),
        (b"<row><c s='1'/></row><row><c><v></v></c></row><row><c><f>A1</f></c></row>", 0),
        (b"<rowBreaks count='1'/><row><c><v>" + b"9" * 9_000 + b"</v></c><c><v>1</v></c></row>", 1),
        (b"no tags at all", 0),
    ],
)
def test_only_rows_with_a_value_count(
    xml: bytes, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for piece in (1, 7, 1 << 20):
        monkeypatch.setattr(sandbox, "_PIECE", piece)
        assert sandbox.rows_with_values(io.BytesIO(xml), 100) == rows


@pytest.mark.parametrize("how", [{"hidden": True, "rows": 3_000}, {"blank": 3_000, "rows": 3}])
def test_hidden_sheets_and_formatted_rows_are_not_counted(
    how: dict[str, Any], tmp_path: Path
) -> None:
    path = long_sheet(tmp_path / "list.xlsx", **how)
    with open_list(path, limits=IntakeLimits(rows=MOST)) as opened:
        assert [table.sheet for table in opened.tables] == ["灾民"]
        assert next(iter(opened.rows)).row == 1
