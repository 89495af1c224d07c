"""Engaging 300 officers by a list, from the file to their slips, against reading and writing raw.

Ours is what a county's administrator waits for in all: the file read in its sandbox and every row
tried (the preview), then read again and engaged: registered, in post, a log-in name, an invitation;
durable, the boards at the head, each code drawn for its slip. Raw is the same file read by calamine
and each row written as JSON with one ``executemany``.
"""

import tempfile
import time
from pathlib import Path
from uuid import UUID, uuid4

import xlsxwriter  # type: ignore[import-untyped]

from api.beginning import Administrator, Beginning
from api.choosing import choice_of, county_of
from api.invitations import page_of
from api.officer_files import engage_lines, previewed
from api.system import System
from bench.base import REPETITIONS, Reach, Result, machine, median, pairs, ratio
from bench.import_list import read_and_write_raw
from cli.compose import running
from cli.settings import Settings
from domain.area import AreaLevel
from domain.identity import check_character
from domain.world import ROLE_NAMES, Role
from intake.officers import HEADINGS
from intake.register import Register
from projections.asking.scope import Scope
from web.slips import drawing

OFFICERS = 300
COUNTY = "621224"  # 康县: 21 townships, 355 villages
ADDRESS = "https://relief.example"
SURNAMES, GIVEN = "王李张刘陈杨黄赵吴周徐孙", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀兰霞平"


def write_list(path: Path, register: Register, rows: int) -> None:
    """Made-up reporters, one a village, in the columns of the template."""
    below = register.below(COUNTY)
    villages = [one for one in below if one.level is AreaLevel.VILLAGE and not one.virtual]
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet("人员名单")
        page.write_row(0, 0, list(HEADINGS.values()))
        for n in range(rows):
            first17 = f"6212241980{n // 28 % 12 + 1:02d}{n % 28 + 1:02d}{n:03d}"
            village = villages[n % len(villages)]
            row = (
                SURNAMES[n % 12] + GIVEN[n // 12 % 20] + GIVEN[n % 7],
                f"officer{n}",
                ROLE_NAMES[Role.VILLAGE_REPORTER][0],
                f"{village.key:0<12}",
                village.name,
                "A",
                first17 + check_character(first17),
                f"139{n:08d}",
                "",
            )
            page.write_row(n + 1, 0, row)


def engage(system: System, admin: UUID, seat: UUID, file: Path) -> tuple[float, float, int]:
    """Seconds of the preview and of the rest, and how many slips there were."""
    scope, most = Scope((seat,)), system.limits.rows
    began = time.perf_counter()
    lines = previewed(system, admin, scope, file, most)
    wrong = [one.en for line in lines for one in line.problems]
    if wrong:
        raise RuntimeError(f"rows are refused: {wrong[:3]}")
    seen = time.perf_counter()
    again = previewed(system, admin, scope, file, most, [line.login for line in lines])
    told = engage_lines(system, admin, uuid4(), uuid4(), again)
    if not system.boards.wait_for(told["position"], 120):
        raise RuntimeError("the boards are late")
    slips = [drawing(ADDRESS + page_of(one["code"])) for one in told["invitations"]]
    return seen - began, time.perf_counter() - seen, len(slips)


def run(*, tiny: bool = False) -> Result:
    about = machine()
    rows = 5 if tiny else OFFICERS
    register = Register()
    parts: list[tuple[float, float, int]] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        scratch = Path(name)
        file = scratch / "officers.xlsx"
        write_list(file, register, rows)

        def ours(n: int) -> float:
            with running(Settings(data=scratch / f"county{n}")) as system:
                beginning = Beginning(system, register)
                found = county_of(register, COUNTY)
                choice = choice_of(register, found, [found])
                beginning.run(choice, Administrator("admin", "张三"))
                system.boards.wait_for(system.store.head(), 120)
                seat = beginning.area_id(found.key)
                parts.append(engage(system, beginning.officer, seat, file))
            return parts[-1][0] + parts[-1][1]

        mine, other = pairs(
            ours, lambda n: read_and_write_raw(scratch, file, n), 1 if tiny else REPETITIONS
        )
    seconds = round(median(mine), 2)
    return Result(
        "officers",
        {
            "rows": rows,
            "slips": parts[-1][2],
            "preview_seconds": round(median([one[0] for one in parts]), 2),
            "engage_seconds": round(median([one[1] for one in parts]), 2),
            "raw_seconds": round(median(other), 4),
            "rows_per_second": round(rows / median(mine), 1),
        },
        {"seconds": seconds, "officers_over_raw": ratio(mine, other)},
        about,
        {"seconds": Reach(at_most=30, unit="s"), "officers_over_raw": Reach(at_most=1000)},  # 30 s
    )
