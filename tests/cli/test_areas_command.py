"""`relief areas merge`: tells before what moves, moves it, and goes on after a kill."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.everything import copy_of_everything
from tests.typed import type_command

VILLAGE, INTO = "340882101002", "340882101206"
ROOT = Path(__file__).parents[2]


def merge(data: Path, *more: str, kill_at: str = "") -> subprocess.CompletedProcess[str]:
    arguments = ["areas", "merge", "--from", VILLAGE, "--into", INTO, "--document-no", "民1号"]
    if not kill_at:
        here = {**os.environ, "RELIEF_DATA": str(data)}
        return type_command(*arguments, *more, cwd=ROOT, env=here)
    return subprocess.run(
        [sys.executable, "-c", "from cli.main import main; main()", *arguments, *more],
        env={**os.environ, "RELIEF_DATA": str(data), "RELIEF_KILL_AT": kill_at},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def said(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return copy_of_everything(tmp_path)


def test_it_tells_first_what_would_move_and_changes_nothing(data: Path) -> None:
    first = said(merge(data, "--preview", "--json"))["before"]
    assert first["households"] > 0 and first["posts"] > 0 and first["merged_into"] is None
    assert said(merge(data, "--preview", "--json"))["before"] == first
    told = merge(data, "--preview").stdout
    assert f"{first['households']} 户 · households" in told


def test_a_run_that_was_killed_goes_on_where_it_stopped(data: Path) -> None:
    """C3, with a kill -9 after the merger and in the midst of what follows."""
    before = said(merge(data, "--preview", "--json"))["before"]
    moved, stalled = 0, 0
    for kills in range(3):
        killed = merge(data, "--yes", "--json", "--at-once", "1", kill_at="after-commit:2")
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        left = said(merge(data, "--preview", "--json"))["before"]
        gone = before["households"] - left["households"]
        # a commit of the ledger's own (its seat, a notice that is due) may have been the first
        assert gone >= moved, f"kill {kills} took back what had moved"
        stalled += gone == moved
        moved = gone
    assert left["merged_into"] is not None
    assert stalled <= 1, "only the first commit may have been the ledger's own"
    done = said(merge(data, "--yes", "--json", "--at-once", "1"))
    kinds = (
        *("households", "cases", "village_lists", "reports", "duties"),
        *("free_units", "reserved_units", "posts"),
    )
    assert {kind: done["left"][kind] for kind in kinds} == dict.fromkeys(kinds, 0)
    assert moved + done["moved"]["households"] == before["households"]
    again = said(merge(data, "--yes", "--json"))
    assert again["moved"] == {}, "what has moved is not moved again"


def test_another_goal_than_the_merger_s_is_refused(data: Path) -> None:
    said(merge(data, "--yes", "--json"))
    other = merge(data, "--yes", "--into", "340882101207")
    assert other.returncode == 1 and "已并入" in other.stderr
