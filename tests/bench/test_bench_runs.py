"""Each benchmark runs, in a tiny size, and answers in the shape that `--json` promises.

No time is asserted: what was measured on which machine stands in docs/benchmarks.md.
"""

import json

import pytest

from bench.__main__ import NAMES, main, run
from bench.base import Reach, pairs, ratio

pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_answers_figures_ratios_and_machine(name: str) -> None:
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


def test_a_reach_is_a_least_or_a_most() -> None:
    assert Reach(at_least=6).met(6) and not Reach(at_least=6).met(5.9)
    assert Reach(at_most=8).met(8) and not Reach(at_most=8).met(8.1)
    assert str(Reach(at_most=500, unit="MB")) == "≤ 500 MB"
