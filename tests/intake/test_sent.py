"""Lists that officers send lie in memory: nothing of them comes onto a disk."""

from pathlib import Path

import pytest

from intake.reader import open_list
from intake.sent import sent_file
from tests.intake.make import HEADER, household, workbook


@pytest.mark.parametrize("ending", [".xlsx", ".csv"])
def test_a_sent_list_is_read_like_one_on_the_disk(tmp_path: Path, ending: str) -> None:
    rows = [HEADER, *(household(n) for n in range(1, 4))]
    path = tmp_path / f"黄铺村{ending}"
    if ending == ".xlsx":
        workbook(path, rows)
    else:
        path.write_text("\n".join(",".join(map(str, row)) for row in rows), encoding="utf-8")
    with open_list(path) as opened:
        wanted = [(raw.row, raw.cells) for raw in opened.rows]
    with sent_file(path.name, path.read_bytes()) as sent:
        for _ in range(2):  # as often as wanted
            with open_list(sent) as opened:
                assert [(raw.row, raw.cells) for raw in opened.rows] == wanted
