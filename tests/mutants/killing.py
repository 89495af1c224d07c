"""Does anything notice? A mutant is let loose on the worlds, or on its test."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.mutants.registry import SEEDS, Mutant
from tests.simulation.running import live

ROOT = Path(__file__).parents[2]
TEST_SECONDS = 120
FAILED = 1
"""Pytest's exit status when it ran and tests failed."""


def killed_by(mutant: Mutant, seeds: Iterable[int] = SEEDS) -> str:
    """What the killer said; empty when the mutant survives."""
    return by_test(mutant) if mutant.test else by_worlds(mutant, seeds)


def by_worlds(mutant: Mutant, seeds: Iterable[int]) -> str:
    wanted = tuple(f"Violation: {oracle}" for oracle in mutant.oracles)
    with mutant.patch():
        for seed in seeds:
            fate = live(seed)
            if fate.problem.startswith(wanted):
                return f"seed {seed}: {fate.problem}"
    return ""


def by_test(mutant: Mutant) -> str:
    """The test's failure, which it must have under the mutant and must not have without it."""
    if _status(mutant.test)[0] != 0:
        return ""
    status, last = _status(mutant.test, "--mutant", mutant.name)
    return last if status == FAILED else ""


def _status(*args: str) -> tuple[int, str]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.mutants.plugin",
        "-p",
        "no:cacheprovider",
        "-q",
        "--no-header",
        "--tb=line",
        *args,
    ]
    run = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=TEST_SECONDS, check=False
    )
    lines = [line for line in run.stdout.splitlines() if line.strip()]
    return run.returncode, lines[-1] if lines else run.stderr[-200:]
