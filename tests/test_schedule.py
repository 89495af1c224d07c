"""The order in which workers take the files of tests."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.schedule import LONG, KindByKind

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


def files(sent: list[str]) -> list[str]:
    """The files of those tests, in order."""
    return list(dict.fromkeys(test.split("::")[0] for test in sent))


def test_each_worker_begins_with_its_kind_the_longest_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tests.schedule.LONG", MADE_UP)
    computing, cluster, browser = map(files, taken(3))
    assert computing[:2] == ["tests/api/test_matrix.py", "tests/domain/test_funds.py"]
    assert cluster[:2] == ["tests/cluster/test_up.py", "tests/cluster/test_gap.py"]
    assert browser[0] == "tests/browser/test_story.py"


@pytest.mark.parametrize("workers", [1, 2, 3, 4])
def test_no_test_is_left_out_and_no_two_workers_begin_clusters(
    monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setattr("tests.schedule.LONG", MADE_UP)
    begun = [files(sent)[0] for sent in taken(workers)]
    assert sum(one.startswith("tests/cluster/") for one in begun) == min(workers - 1, 1)


def taken(workers: int) -> list[list[str]]:
    """What each of so many workers is sent, in order; all tests once."""
    tests = [f"{file}::test_{n}" for file, count in FILES.items() for n in range(count)]
    config: Any = SimpleNamespace(
        getvalue=lambda _: [f"{workers}*popen"], option=SimpleNamespace(loadscopereorder=True)
    )
    nodes = [Node() for _ in range(workers)]
    sched = KindByKind(config)
    for node in nodes:
        sched.add_node(node)  # type: ignore[arg-type]
        sched.add_node_collection(node, tests)  # type: ignore[arg-type]
    sched.schedule()
    done: list[int] = []
    while len(done) < len(tests):
        for node in nodes:  # each one test in turn
            for test in [n for n in node.sent if n not in done][:1]:
                done.append(test)
                sched.mark_test_complete(node, test)  # type: ignore[arg-type]
    assert sorted(n for node in nodes for n in node.sent) == list(range(len(tests)))
    return [[tests[n] for n in node.sent] for node in nodes]


def test_the_long_files_are_there() -> None:
    assert [file for file in LONG if not (ROOT / file).exists()] == []
