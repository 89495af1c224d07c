"""Each benchmark runs, in a tiny size, and answers in the shape that `--json` promises.

No time is asserted: what was measured on which machine stands in docs/benchmarks.md.
"""

import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from bench.__main__ import NAMES, main, run
from bench.base import Reach, Result, pairs, ratio
from bench.caught_up import caught_up
from bench.copies import Template
from bench.demo_store import build
from bench.plot import plotted
from bench.serving import port_told
from bench.tasks import advance
from bench.winter_list import TOWNSHIP
from cli.compose import running
from cli.demo_command import PASSWORD
from cli.settings import Settings
from domain.catalog import AGGREGATES
from eventstore.mapper import TypedMapper
from tests.faults import FULL
from tests.servers import skipped_if_unavailable
from web.app import mount_pages

pytestmark = pytest.mark.timeout(300)

LONG = {"http-cluster", "worker-kafka", "worker-views", "latency", "province", "tasks", "scale"}
"""Half a minute to a minute each in their tiniest form: with ``RELIEF_FAULTS=full``."""


@pytest.mark.parametrize("name", [name for name in NAMES if FULL or name not in LONG])
def test_a_benchmark_answers_figures_ratios_and_machine(name: str) -> None:
    with skipped_if_unavailable():
        result = run(name, tiny=True)
    made = result.as_object()
    assert set(made) == {"name", "figures", "ratios", "machine"}
    assert made["name"] == name
    assert made["figures"]
    assert made["ratios"] and all(value > 0 for value in made["ratios"].values())
    assert set(result.reaches) == set(result.ratios)
    assert {"cpu", "cores", "python", "sqlite"} <= set(made["machine"])


def test_the_command_prints_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    main(["commands", "--json", "--tiny"])
    assert json.loads(capsys.readouterr().out)["name"] == "commands"


def test_pairs_are_measured_in_turn_and_their_ratios_have_a_median() -> None:
    order: list[str] = []

    def measure(name: str, value: float) -> float:
        order.append(name)
        return value

    mine, other = pairs(lambda n: measure("a", n + 2), lambda n: measure("b", 1), 3)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert ratio(mine, other) == 3


def test_a_port_is_found_behind_what_the_log_says_of_an_older_store() -> None:
    assert port_told([b"2026-11-30 18:58:12 [info     ] log.sealing\n", b"18555\n"]) == 18555


def test_a_reach_is_a_least_or_a_most() -> None:
    assert Reach(at_least=6).met(6) and not Reach(at_least=6).met(5.9)
    assert Reach(at_most=8).met(8) and not Reach(at_most=8).met(8.1)
    assert str(Reach(at_most=500, unit="MB")) == "≤ 500 MB"


def test_only_what_has_a_scale_takes_one() -> None:
    with pytest.raises(SystemExit):
        main(["commands", "--tiny", "--scale", "2"])


def test_copies_of_a_city_are_streams_of_their_own_and_can_be_folded() -> None:
    template = Template(1, counties=6)
    rows = list(template.rows_of(3))
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    assert len({(row[1], row[2]) for row in rows}) == len(rows)
    mapper = TypedMapper(AGGREGATES)
    shared = 0
    for _, stream, version, topic, state in rows:
        fact = mapper.decode(topic, state)
        assert fact.originator_id.bytes == stream and fact.originator_version == version
        shared += topic == "Area.Established" and b'"level":"province"' in state
    assert shared == 1, "all cities are of one province"
    assert len(template.first(100)) == 100


def test_a_plot_has_a_line_for_each_figure_that_grows() -> None:
    figures = {"1000_rate": 50, "10000_rate": 40, "1000_memory": 100, "10000_memory": 300}
    drawn = plotted(Result("scale", figures, {"a": 1.0}, {}))
    assert drawn.count("<polyline") == 2 and "10,000" in drawn


def test_a_township_that_has_told_all_it_accepted_may_say_the_next_day_that_nothing_changed(
    tmp_path: Path,
) -> None:
    """`bench tasks` waited in vain for a button: the villages' figures were newer and larger."""
    build(tmp_path / "demo", small=True)
    caught_up(tmp_path / "demo")
    advance(tmp_path / "demo", "1d")
    with (
        running(Settings(data=tmp_path / "demo")) as system,
        TestClient(create_app(system, mount=mount_pages)) as client,
    ):
        client.post("/v1/sessions", json={"login": TOWNSHIP, "password": PASSWORD})
        assert client.get("/").text.count("/zero-reports") == 1
