"""`relief log stats|show|tail` and `relief views status`: what is in the log, as it is."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from typer.testing import CliRunner, Result

from cli.main import program
from domain.catalog import AGGREGATES
from domain.commands.officers import RegisterOfficer
from eventstore.outcomes import Envelope
from eventstore.store import Store
from tests.eventstore.support import ROOT, named
from tests.id_numbers import id_number
from tests.intake.make import HEADER, household, workbook
from tests.intake.town import COUNTY, County, county, make_county


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = make_county(tmp_path / "var")
    path = workbook(tmp_path / "a.xlsx", [HEADER, household(1, c1="源潭居委会")])
    with county(folder) as town:
        assert town.run(path).registered == 1
    return folder


def relief(data: Path, *args: str) -> Result:
    return CliRunner().invoke(program(), list(args), env={"RELIEF_DATA": str(data)})


def lines(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def a_fact(town: County) -> None:
    command = RegisterOfficer(person=uuid4(), full_name="王新", area=named("county"))
    town.store.run(Envelope(id=uuid4(), officer=None, command=command))


def test_stats_count_facts_streams_and_bytes_by_topic(data: Path) -> None:
    (stats,) = lines(relief(data, "log", "stats", "--json"))
    assert set(stats) == {"events", "streams", "head", "bytes", "by_topic"}
    with county(data) as town:
        facts = town.store.read(0, 10_000)
        stored = [len(row[4]) for row in town.store.log.rows(0, 10_000)]
    assert stats["events"] == stats["head"] == len(facts) == sum(stats["by_topic"].values())
    assert stats["streams"] == len({fact.event.originator_id for fact in facts})
    assert stats["bytes"] == sum(stored)
    assert stats["by_topic"]["Household.Registered/2"] == 1
    assert "Household.Registered" in relief(data, "log", "stats").stdout


def test_an_empty_store_has_stats_too(tmp_path: Path) -> None:
    Store.at(tmp_path / "new", AGGREGATES).close()
    (stats,) = lines(relief(tmp_path / "new", "log", "stats", "--json"))
    assert stats == {"events": 0, "streams": 0, "head": 0, "bytes": 0, "by_topic": {}}


def test_show_gives_a_stream_or_a_position_and_nothing_personal(data: Path) -> None:
    with county(data) as town:
        (fact,) = town.facts("Household.Registered")
    shown = relief(data, "log", "show", str(fact.event.originator_id))
    (line,) = lines(shown)
    assert (line["position"], line["topic"]) == (fact.position, "Household.Registered")
    assert lines(relief(data, "log", "show", str(fact.position))) == [line]
    for personal in ("张小三", id_number(901), "15400001234", "9999001234567890"):
        assert personal not in shown.stdout


@pytest.mark.parametrize("wanted", [str(UUID(int=7, version=4)), "999999", "no-such-thing"])
def test_what_is_not_in_the_log_is_said_without_a_traceback(data: Path, wanted: str) -> None:
    result = relief(data, "log", "show", wanted)
    assert result.exit_code == 1
    assert "日志中没有" in result.output


def test_tail_gives_the_newest_facts_in_order(data: Path) -> None:
    (stats,) = lines(relief(data, "log", "stats", "--json"))
    found = [line["position"] for line in lines(relief(data, "log", "tail", "-n", "3"))]
    assert found == [stats["head"] - 2, stats["head"] - 1, stats["head"]]
    assert len(lines(relief(data, "log", "tail", "-n", "9999"))) == stats["events"]


def test_tail_gives_more_than_one_read_of_the_log(data: Path, tmp_path: Path) -> None:
    rows = [household(number, c1="源潭居委会", c3=id_number(number)) for number in range(2, 600)]
    with county(data) as town:
        town.run(workbook(tmp_path / "more.xlsx", [HEADER, *rows]))
        head = town.store.head()
    found = [line["position"] for line in lines(relief(data, "log", "tail", "-n", "1100"))]
    assert found == list(range(head - 1099, head + 1))


def test_tail_follow_goes_on_as_facts_come(data: Path) -> None:
    with county(data) as town:
        process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "from cli.main import main; main()",
                "log",
                "tail",
                "-n",
                "1",
                "--follow",
            ],
            cwd=ROOT,
            env={**os.environ, "RELIEF_DATA": str(data)},
            stdout=subprocess.PIPE,
            text=True,
        )
        watchdog = threading.Timer(60, process.kill)
        watchdog.start()
        try:
            assert process.stdout is not None
            head = town.store.head()
            assert json.loads(process.stdout.readline())["position"] == head
            a_fact(town)
            assert json.loads(process.stdout.readline())["position"] == head + 1
        finally:
            watchdog.cancel()
            process.kill()
            process.communicate()


def test_views_status_tells_how_far_each_view_has_come(data: Path) -> None:
    (status,) = lines(relief(data, "views", "status", "--json"))
    with county(data) as town:
        head = town.store.head()
        names = {view.view for view in town.system.views.live()}
    assert status["head"] == head and {view["name"] for view in status["views"]} == names
    assert all(view["lag_events"] == head - view["position"] > 0 for view in status["views"])
    assert "areas" in relief(data, "views", "status").stdout


def test_import_is_part_of_the_program(data: Path, tmp_path: Path) -> None:
    path = workbook(tmp_path / "b.xlsx", [HEADER, household(2, c1="源潭居委会")])
    args = ("import", "households", str(path), "--as", "county", "--area", COUNTY, "--json")
    result = relief(data, *args)
    assert json.loads(result.stdout)["registered"] == 1
