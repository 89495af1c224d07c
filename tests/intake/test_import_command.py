"""`relief import households` as an operator runs it: flags, reports, exit codes, kills."""

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from cli.import_command import app
from domain.catalog import AGGREGATES
from domain.commands.officers import RegisterOfficer
from eventstore.outcomes import Envelope
from eventstore.store import Store
from tests.eventstore.support import ROOT, named
from tests.id_numbers import id_number
from tests.intake.make import HEADER, household, workbook
from tests.intake.town import COUNTY, county, make_county

VILLAGES = ("源潭居委会", "双峰居委会", "水吼村", "横中村")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return make_county(tmp_path / "var")


def relief(data: Path, path: Path, *more: str, by: str = "county", area: str = COUNTY) -> Result:
    args = ["households", str(path), "--as", by, "--area", area, *more]
    return CliRunner().invoke(app, args, env={"RELIEF_DATA": str(data)})


def answer(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def many(path: Path, count: int) -> Path:
    rows = [
        household(n, c1=VILLAGES[n % 4], c3=id_number(n % 1000, born=f"{1950 + n // 1000}0412"))
        for n in range(count)
    ]
    return workbook(path, [HEADER, *rows])


def figures(data: Path) -> tuple[int, int, int]:
    """Position of the log, households and persons in it."""
    store = Store.at(data, AGGREGATES)
    try:
        stats = store.stats()
        topics = stats["by_topic"]
        assert "Person.Contested" not in topics
        registered = topics.get("Household.Registered/2", 0)
        return stats["head"], registered, topics.get("Person.Claimed", 0)
    finally:
        store.close()


def test_json_has_figures_and_a_result_for_every_row(data: Path, tmp_path: Path) -> None:
    rows = [household(1, c1=VILLAGES[0]), household(2, c1="没有村"), ["合计"]]
    result = relief(data, workbook(tmp_path / "a.xlsx", [HEADER, *rows]), "--json")
    assert result.exit_code == 0, result.output
    said = answer(result)
    assert (said["rows"], said["registered"], said["refused"], said["skipped"]) == (3, 1, 1, 1)
    assert [one["outcome"] for one in said["results"]] == ["registered", "refused", "skipped"]
    assert said["results"][0]["household"]
    (fault,) = said["results"][1]["problems"]
    assert (fault["cell"], fault["value"], fault["rule"]) == ("B3", "没有村", "village-unknown")


def test_a_table_for_people_names_the_faults(data: Path, tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [HEADER, household(1, c1="[red]村")])
    result = relief(data, path)
    assert result.exit_code == 0
    assert "Sheet1!B2" in result.stdout and "[red]村" in result.stdout


def test_all_or_nothing_writes_nothing_if_one_row_is_wrong(data: Path, tmp_path: Path) -> None:
    rows = [household(n, c1=VILLAGES[0]) for n in range(1, 5)]
    rows[3][1] = "没有村"
    before = figures(data)
    wrong = workbook(tmp_path / "a.xlsx", [HEADER, *rows])
    result = relief(data, wrong, "--all-or-nothing", "--json")
    assert result.exit_code == 1
    assert [one["outcome"] for one in answer(result)["results"]] == ["valid"] * 3 + ["refused"]
    assert figures(data) == before
    rows[3][1] = VILLAGES[0]
    right = workbook(tmp_path / "b.xlsx", [HEADER, *rows])
    result = relief(data, right, "--all-or-nothing", "--json")
    assert result.exit_code == 0
    assert [one["outcome"] for one in answer(result)["results"]] == ["registered"] * 4


def test_all_or_nothing_heeds_jurisdiction_and_role(data: Path, tmp_path: Path) -> None:
    rows = [household(1, c1=VILLAGES[0]), household(2, c1=VILLAGES[2])]
    path = workbook(tmp_path / "a.xlsx", [HEADER, *rows])
    before = figures(data)
    for by in ("village", "storekeeper", "foreign_county"):
        assert relief(data, path, "--all-or-nothing", by=by).exit_code == 1
    assert figures(data) == before


def test_a_csv_report_holds_every_row_and_no_formula(data: Path, tmp_path: Path) -> None:
    rows = [household(1, c1=VILLAGES[0]), household(2, c1='=HYPERLINK("x")')]
    report = tmp_path / "report.csv"
    relief(data, workbook(tmp_path / "a.xlsx", [HEADER, *rows]), "--report", str(report))
    with report.open(encoding="utf-8-sig", newline="") as file:
        _, good, bad = list(csv.reader(file))
    assert good[1:3] == ["2", "新登记"] and bad[4] == "B3"
    assert bad[6].startswith("'=")


def test_repeating_a_file_leaves_the_head_of_the_log_where_it_is(
    data: Path, tmp_path: Path
) -> None:
    path = many(tmp_path / "a.xlsx", 30)
    relief(data, path)
    first = figures(data)
    result = relief(data, path, "--json")
    assert answer(result)["known"] == 30 and figures(data) == first


def test_the_views_know_the_households_afterwards(data: Path, tmp_path: Path) -> None:
    relief(data, many(tmp_path / "a.xlsx", 5), "--json")
    with county(data) as town:
        assert town.system.views.position() == town.store.head()


def test_a_csv_list_is_read_as_well(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [HEADER, household(1, c1=VILLAGES[0])]
    path.write_text("\n".join(",".join(map(str, row)) for row in rows), encoding="gb18030")
    assert answer(relief(data, path, "--json"))["registered"] == 1


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"by": "nobody"}, "没有登录名 nobody"),
        ({"area": "999999"}, "没有区划代码 999999"),
    ],
)
def test_a_wrong_option_is_a_sentence(
    data: Path, tmp_path: Path, more: dict[str, str], said: str
) -> None:
    result = relief(data, many(tmp_path / "a.xlsx", 1), **more)
    assert result.exit_code == 2 and said in result.output


def test_an_unknown_kind_and_an_unreadable_file_are_sentences(data: Path, tmp_path: Path) -> None:
    path = many(tmp_path / "a.xlsx", 1)
    assert "没有家庭类型 rich" in relief(data, path, "--category", "rich").output
    assert "找不到文件" in relief(data, tmp_path / "none.xlsx").output
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"PK\x03\x04 no")
    assert relief(data, broken).exit_code == 2


def test_what_is_not_read_is_said_and_codes_are_asked_about(data: Path, tmp_path: Path) -> None:
    row = [*household(1, c1=VILLAGES[0]), id_number(902), "好"]
    path = workbook(tmp_path / "a.xlsx", [(*HEADER, "成员1身份证号", "邻居评价"), row])
    before = figures(data)
    stopped = relief(data, path)
    assert stopped.exit_code == 2 and figures(data) == before
    assert "成员1身份证号（H）" in "".join(stopped.output.split())
    said = relief(data, path, "--ignore-columns")
    assert said.exit_code == 0, said.output
    assert "成员1身份证号（H）" in said.stdout and "邻居评价（I）" in said.stdout


@contextmanager
def importing(data: Path, path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.intake.importing", str(path)],
        cwd=ROOT,
        env={**os.environ, "RELIEF_DATA": str(data)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_until(data: Path, position: int) -> None:
    store = Store.at(data, AGGREGATES)
    deadline = time.monotonic() + 60
    try:
        while store.head() < position:
            assert time.monotonic() < deadline, "the import does not get on"
            time.sleep(0.005)
    finally:
        store.close()


def test_an_import_killed_and_repeated_doubles_nothing(data: Path, tmp_path: Path) -> None:
    path = many(tmp_path / "a.xlsx", 600)
    kills = 0
    for reached in (100, 400):
        with importing(data, path) as process:
            wait_until(data, reached)
            kills += process.poll() is None
            process.kill()
    assert kills == 2, "it was too quick to be killed"
    _, registered, _ = figures(data)
    said = answer(relief(data, path, "--json"))
    assert said["known"] == registered and said["registered"] == 600 - registered
    head, households, persons = figures(data)
    assert (households, persons) == (600, 600)
    assert answer(relief(data, path, "--json"))["known"] == 600
    assert figures(data)[0] == head


def test_a_command_waits_for_one_commit_of_an_import_at_most(data: Path, tmp_path: Path) -> None:
    """Whatever another process imports, each of our commands gets in between two commits."""
    path = many(tmp_path / "a.xlsx", 3000)
    store = Store.at(data, AGGREGATES)
    try:
        with importing(data, path) as process:
            start = store.head()
            while store.head() == start:
                time.sleep(0.005)
            between: list[int] = []
            while process.poll() is None and len(between) < 20:
                before = store.head()
                command = RegisterOfficer(person=uuid4(), full_name="王新", area=named("county"))
                receipt = store.run(Envelope(id=uuid4(), officer=None, command=command))
                between.append(receipt.position - receipt.facts - before)
            assert len(between) == 20, "the import was over too soon"
    finally:
        store.close()
    # Twenty households are forty facts: the commit that was under way, and one that had the lock.
    # A busy machine may stop us between the look at the head and the command, now and then.
    assert sum(one > 2 * 40 for one in between) <= 2, between
