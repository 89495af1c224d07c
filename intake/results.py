"""What became of a file: its figures, and a result for every row, written as they come.

Nothing here holds personal data in plain text, and nothing grows with the list: all results go to
a sink (a CSV file, a spool on disk), and the report keeps the first thousand faults only.
"""

import csv
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TypeAlias
from uuid import UUID

import msgspec

from eventstore.modes import make_private

FAULTS_KEPT = 1000
STORED = (
    "stored-",
    "member-gone",
    "member-maybe-same",
    "member-other-id",
    "member-not-listed",
    "person-maybe-same",
)
"""The rules (by how they begin) of notes that compare a list with what is stored."""


class Fault(msgspec.Struct, frozen=True):
    """One rule broken in one cell: ``B7`` or, where no cell is meant, ``7``. Value is masked."""

    sheet: str
    row: int
    cell: str
    column: str
    value: str
    rule: str
    zh: str
    en: str
    stored: str = ""
    stored_en: str = ""


class RowReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one row: registered, known, completed, valid (checked only), skipped, refused.

    ``known``: the household was there already; ``completed``: it was, and members were added.
    The notes say how the list differs from what is stored.

    A member's row has the outcome of its household. ``contested``: a person of this household is
    claimed by another one too, and somebody above both will decide.
    """

    sheet: str
    row: int
    outcome: str
    household: UUID | None = None
    contested: bool = False
    problems: tuple[Fault, ...] = ()
    notes: tuple[Fault, ...] = ()


Sink: TypeAlias = Callable[[RowReport], None]


class Report(msgspec.Struct):
    """The figures of a file. ``known`` households were there already and stay as they are,
    ``completed`` ones were given members they lacked; ``differing`` of the known ones are otherwise
    in the list, or lack a member, and ``differences`` holds the first thousand notes on that.
    ``columns`` (sheet!name（letter）：meaning) are read; ``unused_columns`` (sheet!name（letter）)
    and ``skipped_sheets`` are all that was not. ``hidden_rows`` each have a problem or a note;
    ``hidden_columns`` were read. ``unmarked_sheets``: the search for hidden rows, formulas and
    errors in them is not complete. ``sheet_villages``: the village that a sheet's name or title
    means, for rows that name none.

    ``valid`` counts households that were checked and not written; ``refused`` counts rows,
    ``fault_count`` broken rules, of which ``faults`` holds the first thousand.
    """

    rows: int = 0
    registered: int = 0
    known: int = 0
    completed: int = 0
    valid: int = 0
    members: int = 0
    contested: int = 0
    skipped: int = 0
    refused: int = 0
    notes: int = 0
    fault_count: int = 0
    by_rule: dict[str, int] = {}
    faults: list[Fault] = []
    differing: int = 0
    differences: list[Fault] = []
    columns: list[str] = []
    unused_columns: list[str] = []
    skipped_sheets: list[str] = []
    hidden_rows: int = 0
    hidden_columns: list[str] = []
    unmarked_sheets: list[str] = []
    sheet_villages: list[str] = []

    def add(self, row: RowReport) -> None:
        self.notes += len(row.notes)
        self.skipped += row.outcome == "skipped"
        self.refused += row.outcome == "refused"
        self.fault_count += len(row.problems)
        for fault in row.problems:
            self.hidden_rows += fault.rule == "row-hidden-asked"
            self.by_rule[fault.rule] = self.by_rule.get(fault.rule, 0) + 1
            if len(self.faults) < FAULTS_KEPT:
                self.faults.append(fault)
        for note in row.notes:
            self.hidden_rows += note.rule in ("row-hidden", "row-hidden-left")
            if note.rule.startswith(STORED) and len(self.differences) < FAULTS_KEPT:
                self.differences.append(note)


class Spool:
    """Results kept on disk until all is done: so that they can stand in one JSON object."""

    def __init__(self) -> None:
        self._encode = msgspec.json.Encoder().encode

    def __enter__(self) -> "Spool":
        self._file = tempfile.TemporaryFile()
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __call__(self, row: RowReport) -> None:
        self._file.write(self._encode(row) + b"\n")

    def lines(self) -> Iterator[str]:
        self._file.seek(0)
        for line in self._file:
            yield line.decode().rstrip("\n")

    def clear(self) -> None:
        self._file.seek(0)
        self._file.truncate()


COLUMNS = (
    "工作表 sheet",
    "行 row",
    "结果 outcome",
    "户 household",
    "单元格 cell",
    "列 column",
    "值 value",
    "规则 rule",
    "说明",
    "explanation",
)
OUTCOMES = {
    "registered": "新登记",
    "known": "已有，未改动",
    "completed": "已有，已补登成员",
    "valid": "可登记，未写入",
    "skipped": "非数据行",
    "refused": "未导入",
}


class CsvReport:
    """A result for every row as a CSV that spreadsheets open: one line a row, or a problem."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stack = ExitStack()

    def __enter__(self) -> "CsvReport":
        make_private(self._path)  # it says who is on the list
        file = self._path.open("w", encoding="utf-8-sig", newline="")
        self._file = self._stack.enter_context(file)
        self.clear()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, problem, trace)

    def clear(self) -> None:
        """Begin again: the check of a file is followed by its import."""
        self._file.seek(0)
        self._file.truncate()
        self._rows = csv.writer(self._file)
        self._rows.writerow(COLUMNS)

    def __call__(self, row: RowReport) -> None:
        outcome = OUTCOMES[row.outcome] + ("（有争议）" if row.contested else "")
        first = (row.sheet, str(row.row), outcome, str(row.household or ""))
        for fault in row.problems + row.notes:
            said = (fault.cell, fault.column, fault.value, fault.rule, fault.zh, fault.en)
            self._rows.writerow([guarded(text) for text in (*first, *said)])
        if not row.problems and not row.notes:
            self._rows.writerow([guarded(text) for text in (*first, *[""] * 6)])


def guarded(text: str) -> str:
    """Text that no spreadsheet takes for a formula.

    >>> guarded("=1+1"), guarded("黄铺村")
    ("'=1+1", '黄铺村')
    """
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
