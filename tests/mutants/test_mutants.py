"""The tests have teeth: every known-bad variant of the program is caught by something named."""

from pathlib import Path

import pytest

from tests.mutants.killing import ROOT, killed_by
from tests.mutants.registry import ELSEWHERE, KILLED, MUTANTS, table
from tests.simulation.running import live

README = Path(__file__).with_name("README.md")


@pytest.mark.parametrize("name", MUTANTS)
def test_every_mutant_is_killed(name: str) -> None:
    assert killed_by(MUTANTS[name]), f"{name} survives: {MUTANTS[name].wrong}"


def test_no_mutant_outlives_its_patch() -> None:
    before = live(1).trace
    for mutant in KILLED:
        with mutant.patch():
            pass
    fate = live(1)
    assert (fate.trace, fate.problem) == (before, "")


def test_names_are_used_once_and_the_killers_exist() -> None:
    assert len(MUTANTS) == len(KILLED)
    for test in [*(mutant.test for mutant in KILLED if mutant.test), *ELSEWHERE.values()]:
        file, _, name = test.partition("::")
        assert f"def {name.split('::')[-1]}(" in (ROOT / file).read_text(encoding="utf-8"), test


def test_the_table_of_the_readme_is_that_of_the_registry() -> None:
    assert table() in README.read_text(encoding="utf-8"), "python -m tests.mutants --table"
