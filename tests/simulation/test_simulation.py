"""Many worlds, each with its own bad day: nothing is lost, doubled, oversold or late."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults import count
from tests.simulation.chance import Violation
from tests.simulation.memory import copied
from tests.simulation.oracles import judge
from tests.simulation.running import live, run_seeds, unfired
from tests.simulation.world import World

ROOT = Path(__file__).parents[2]
SEEDS = range(1, count(200, 500) + 1)
LONGEST_SECONDS = 900
ONE = 42


@pytest.fixture(scope="module")
def healed() -> World:
    """A world that came through, to be damaged by hand."""
    world = World(ONE)
    world.run()
    judge(world)
    return world


@pytest.mark.timeout(LONGEST_SECONDS)
def test_hundreds_of_worlds_come_through_whatever_happens_to_them() -> None:
    found = run_seeds(SEEDS, jobs=2)
    told = [f"{fate.problem}\n  repro: {fate.repro}" for fate in found.failed]
    assert not told, "\n".join(told)
    assert found.seeds == len(SEEDS)
    assert not unfired(found), f"these never happened: {unfired(found)}"


def test_a_seed_makes_the_same_world_in_every_process() -> None:
    program = "from tests.simulation.running import live; print(live(42).trace)"
    traces = [
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": str(n), "TZ": zone},
            timeout=60,
        ).stdout.strip()
        for n, zone in ((1, "UTC"), (2, "Asia/Shanghai"))
    ]
    assert traces == [live(ONE).trace] * 2


def test_a_failing_seed_is_told_with_its_repro(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: World) -> None:
        raise Violation("O1 durability: made up")

    monkeypatch.setattr("tests.simulation.running.judge", broken)
    told: list[str] = []
    assert len(run_seeds([ONE], told=told.append).failed) == 1
    assert "O1 durability" in told[0] and "python -m tests.simulation --seed 42" in told[0]


@contextmanager
def damaged(db: sqlite3.Connection, change: str) -> Iterator[None]:
    """A database changed by hand, and put back."""
    whole = copied(db)
    assert db.execute(change).rowcount
    try:
        yield
    finally:
        whole.backup(db)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE tally__g1 SET facts = facts + 1",
        "DELETE FROM funds__g1",
        "DELETE FROM units__g1",
    ],
)
def test_a_wrong_row_of_a_view_is_seen(healed: World, change: str) -> None:
    with damaged(healed.disk.views, change), pytest.raises(Violation, match="O5"):
        judge(healed)


@pytest.mark.parametrize(
    ("change", "oracle"),
    [
        ("DELETE FROM outcomes", "O1 durability"),
        ("DELETE FROM events WHERE position = (SELECT max(position) FROM events)", "O2 doubled"),
        ("UPDATE events SET version = version + 1000", "O4 versions"),
        (
            "UPDATE events SET position = 9999 WHERE position = (SELECT max(position) FROM events)",
            "O1 position",
        ),
    ],
)
def test_a_changed_log_is_seen(healed: World, change: str, oracle: str) -> None:
    with damaged(healed.disk.log, change), pytest.raises(Violation, match=oracle):
        judge(healed)
