"""Short words for the tests: write a list, read it, look at what came of it."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from intake.reader import open_list
from intake.rows import HiddenRows, ParsedHousehold, RowResult, read_rows
from tests.id_numbers import id_number
from tests.intake.make import HEADER, workbook

TODAY = date(2024, 1, 15)
HEAD, WIFE, SON = id_number(901), id_number(902), id_number(903, born="20100203")


def read(
    path: Path, sheet: str | None = None, hidden: HiddenRows = HiddenRows.ASK
) -> list[RowResult]:
    with open_list(path, sheet=sheet) as opened:
        return list(read_rows(opened, today=TODAY, hidden=hidden))


def results(tmp_path: Path, *rows: Sequence[Any], header: Any = HEADER, **how: Any) -> list[Any]:
    return read(workbook(tmp_path / "list.xlsx", [header, *rows], **how))


def families(found: list[RowResult]) -> list[ParsedHousehold]:
    return [result.household for result in found if result.household is not None]


def broken(result: RowResult) -> dict[str, str]:
    return {problem.rule: problem.cell for problem in result.problems}
