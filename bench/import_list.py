"""Importing a list of 100,000 households from xlsx, against reading and writing it raw.

Ours is the whole import: the guarded reader, every check, register, members, sealing, search
index, durable log, views folded to the head. Raw is the same file read by calamine and each row
written as JSON with one ``executemany``. Peak memory counts the reader's child process.
"""

import resource
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import msgspec
import psutil  # type: ignore[import-untyped]
import xlsxwriter  # type: ignore[import-untyped]
from python_calamine import CalamineWorkbook

from bench import county
from bench.base import REPETITIONS, Reach, Result, machine, median, pairs, ratio
from domain.catalog import AGGREGATES
from domain.identity import check_character
from domain.world import Role
from eventstore.sqlite import TABLES, connect
from eventstore.store import Store

ROWS = 100_000
HEADER = (
    "序号",
    "行政村",
    "户主姓名",
    "户主身份证号",
    "家庭人口",
    "家庭住址",
    "联系电话",
    "一卡通账号",
)
SURNAMES, GIVEN = "王李张刘陈杨黄赵吴周徐孙", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀兰霞平"
ROOT = Path(__file__).parents[1]
SAMPLE_SECONDS = 0.1


def write_list(path: Path, rows: int) -> None:
    """A made-up list as offices keep them: text cells, some numbers as numbers."""
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        page = book.add_worksheet("名单")
        page.write_row(0, 0, HEADER)
        for n in range(rows):
            born = date(1930, 1, 1) + timedelta(days=n % 25_000)
            first17 = f"34082{n // 25_000 % 10}{born:%Y%m%d}{n % 1000:03d}"
            given = chr(0x4E00 + n // county.VILLAGES % 10_000)  # no two of a village have one name
            name = SURNAMES[n % 12] + given + (GIVEN[n // 20 % 20] if n % 3 else "")
            row = (
                n + 1,
                f"第{n % county.VILLAGES + 1}村",
                name,
                first17 + check_character(first17),
                n % 5 + 1,
                f"第{n % 9 + 1}组{n}号",
                f"139{n:08d}",
                f"62{n:017d}",
            )
            page.write_row(n + 1, 0, row)


def build(folder: Path) -> None:
    store = Store.at(folder, AGGREGATES)
    county.build(store)
    county.token(store, Role.TOWNSHIP_REVIEWER)
    store.close()


def import_list(scratch: Path, file: Path, n: int) -> tuple[float, float, dict[str, int]]:
    """Seconds, peak MB and the report of one import into a fresh store, views at the head."""
    folder = scratch / f"store{n}"
    build(folder)
    command = [sys.executable, "-m", "bench.import_child", str(folder), str(file)]
    child = psutil.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    peak = 0.0
    while child.poll() is None:
        peak = max(peak, _memory(child))
        time.sleep(SAMPLE_SECONDS)
    assert child.stdout is not None
    said = msgspec.json.decode(child.stdout.read())
    child.stdout.close()
    if child.returncode != 0:
        raise RuntimeError("the import failed")
    return said.pop("seconds"), max(peak, said.pop("peak_mb")), said


def _memory(process: psutil.Process) -> float:
    """Resident MB of a process and its children together."""
    total = 0
    try:
        for one in [process, *process.children(recursive=True)]:
            total += one.memory_info().rss
    except psutil.NoSuchProcess:
        pass
    return total / 1e6


def read_and_write_raw(scratch: Path, file: Path, n: int) -> float:
    """Seconds for calamine and one ``executemany``."""
    db = connect(scratch / f"raw{n}.sqlite")
    db.executescript(TABLES)
    began = time.perf_counter()
    cells = CalamineWorkbook.from_path(str(file)).get_sheet_by_index(0).to_python()
    encode = msgspec.json.Encoder().encode
    rows = [(p, p.to_bytes(16, "big"), 1, "Row", encode(row)) for p, row in enumerate(cells[1:], 1)]
    db.execute("BEGIN IMMEDIATE")
    db.executemany("INSERT INTO events VALUES (?,?,?,?,?)", rows)
    db.execute("COMMIT")
    took = time.perf_counter() - began
    db.close()
    return took


def own_peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def run(*, tiny: bool = False) -> Result:
    about = machine()
    rows = 200 if tiny else ROWS
    peaks: list[float] = []
    reports: list[dict[str, int]] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        scratch = Path(name)
        file = scratch / "list.xlsx"
        write_list(file, rows)

        def ours(n: int) -> float:
            seconds, peak, report = import_list(scratch, file, n)
            peaks.append(peak)
            reports.append(report)
            return seconds

        mine, other = pairs(
            ours, lambda n: read_and_write_raw(scratch, file, n), 1 if tiny else REPETITIONS - 1
        )
    return Result(
        "import",
        {
            "rows": rows,
            **reports[-1],
            "import_seconds": round(median(mine), 2),
            "raw_seconds": round(median(other), 3),
            "rows_per_second": round(rows / median(mine)),
            "peak_mb": round(max(peaks)),
        },
        {"import_over_raw": ratio(mine, other), "peak_mb": round(max(peaks), 1)},
        about,
        {"import_over_raw": Reach(at_most=25), "peak_mb": Reach(at_most=500, unit="MB")},
    )
