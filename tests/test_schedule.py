"""The order in which workers take the files of tests."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.schedule import LONG, FromBothEnds, in_order

ROOT = Path(__file__).parents[1]
FILES = {
    "tests/browser/test_story.py": 30,
    "tests/cluster/test_up.py": 3,
    "tests/cluster/test_gap.py": 9,
    "tests/domain/test_funds.py": 40,
    "tests/domain/test_seat.py": 2,
    "tests/api/test_matrix.py": 5,
}
MADE_UP = ("tests/cluster/test_up.py", "tests/api/test_matrix.py")


class Node:
    """A worker that notes which tests it is sent."""

    gateway = SimpleNamespace(id="worker")
    shutting_down = False

    def __init__(self) -> None:
        self.sent: list[int] = []

    def send_runtest_some(self, indices: list[int]) -> None:
        self.sent += indices

    def shutdown(self) -> None:
        self.shutting_down = True


def test_those_that_wait_come_first_and_the_longest_are_at_both_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tests.schedule.LONG", MADE_UP)
    assert in_order(FILES) == [
        "tests/cluster/test_up.py",
        "tests/cluster/test_gap.py",
        "tests/browser/test_story.py",
        "tests/domain/test_seat.py",
        "tests/domain/test_funds.py",
        "tests/api/test_matrix.py",
    ]


def test_two_workers_meet_in_the_middle_and_leave_out_no_test(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tests.schedule.LONG", MADE_UP)
    waiting, computing = taken(2)
    assert waiting[0].startswith("tests/cluster/test_up.py")
    assert computing[0].startswith("tests/api/test_matrix.py")


def test_a_third_worker_computes_too_and_no_two_begin_clusters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tests.schedule.LONG", MADE_UP)
    waiting, *computing = taken(3)
    assert waiting[0].startswith("tests/cluster/test_up.py")
    assert not any(one[0].startswith("tests/cluster/") for one in computing)


def taken(workers: int) -> list[list[str]]:
    """What each of so many workers is sent, in order; all tests once."""
    tests = [f"{file}::test_{n}" for file, count in FILES.items() for n in range(count)]
    config: Any = SimpleNamespace(
        getvalue=lambda _: [f"{workers}*popen"], option=SimpleNamespace(loadscopereorder=True)
    )
    nodes = [Node() for _ in range(workers)]
    sched = FromBothEnds(config)
    for node in nodes:
        sched.add_node(node)  # type: ignore[arg-type]
        sched.add_node_collection(node, tests)  # type: ignore[arg-type]
    sched.schedule()
    done: list[int] = []
    while todo := [(node, n) for node in nodes for n in node.sent if n not in done]:
        node, test = todo[0]
        done.append(test)
        sched.mark_test_complete(node, test)  # type: ignore[arg-type]
    assert sorted(n for node in nodes for n in node.sent) == list(range(len(tests)))
    return [[tests[n] for n in node.sent] for node in nodes]


def test_the_long_files_are_there() -> None:
    assert [file for file in LONG if not (ROOT / file).exists()] == []
