"""Section by section, every fault that must be survived, in full counts; prints a table.

    python scripts/faults.py               # all; hours on two cores
    python scripts/faults.py A1 A9         # some of them
    python scripts/faults.py --quick A21   # with the counts of an ordinary run of the tests
    python scripts/faults.py --table       # print what the last runs found

Each case is a run of pytest of its own; what it found is kept in ``var/faults/<case>.xml``.
"""

import argparse
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "var" / "faults"
CLUSTER = "tests/cluster"
LONGEST_SECONDS = 3_600


@dataclass(frozen=True)
class Case:
    """A case of the plan: what is done to the cluster, and the tests that do it."""

    name: str
    what: str
    tests: tuple[str, ...]
    only: str = ""

    @property
    def kept(self) -> Path:
        return KEPT / f"{self.name}.xml"


CASES = (
    Case("A1", "API process killed", (f"{CLUSTER}/test_api_kills.py",), "acknowledged"),
    Case(
        "A2",
        "reply to COMMIT lost",
        (f"{CLUSTER}/test_api_kills.py", f"{CLUSTER}/test_postgres_faults.py"),
        "receipt or commit_was_lost or breaks_anywhere",
    ),
    Case("A3", "worker killed", (f"{CLUSTER}/test_equality.py",), "killed"),
    Case("A4", "embedded server killed", ("tests/eventstore/test_kills.py",)),
    Case(
        "A5",
        "broker restarted, gone, empty",
        (f"{CLUSTER}/test_broker_outages.py", f"{CLUSTER}/test_relay.py"),
        "catch_up or empt or kill_9",
    ),
    Case(
        "A6",
        "frames repeated, shuffled, lost, broken",
        (f"{CLUSTER}/test_applying.py", f"{CLUSTER}/test_worker.py"),
        "shuffled",
    ),
    Case("A7", "worker stopped and woken", (f"{CLUSTER}/test_worker.py",), "wakes_up"),
    Case(
        "A8",
        "poison",
        (f"{CLUSTER}/test_worker.py", f"{CLUSTER}/test_up.py"),
        "poison or rest_until",
    ),
    Case("A9", "PostgreSQL killed", (f"{CLUSTER}/test_power_cuts.py",)),
    Case("A13", "hot stock", (f"{CLUSTER}/test_hot_stock.py",)),
    Case("A14", "reader beside writers", (f"{CLUSTER}/test_gap.py",)),
    Case("A15", "lock held, pool empty", (f"{CLUSTER}/test_postgres_faults.py",), "held or pool"),
    Case("A16", "rebuilt elsewhere and later", (f"{CLUSTER}/test_determinism.py",)),
    Case("A21", "device offline 48 h", (f"{CLUSTER}/test_field_device.py",)),
    Case("worlds", "five hundred worlds of chance", ("tests/simulation",), "hundreds"),
    Case("equality", "one, four workers, rebuild", (f"{CLUSTER}/test_equality.py",), "followers"),
)


def run(case: Case, *, full: bool) -> int:
    """The case's tests; pytest's exit code."""
    KEPT.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pytest", f"--timeout={LONGEST_SECONDS}"]
    command += ["-o", "junit_family=xunit1"]  # the one that has properties
    command += [f"--junitxml={case.kept}", *case.tests, *(["-k", case.only] if case.only else [])]
    env = {**os.environ, "RELIEF_FAULTS": "full" if full else "quick"}
    return subprocess.run(command, cwd=ROOT, env=env, check=False).returncode


@dataclass
class Found:
    """What the runs of one test, with all its parameters, found."""

    held: int = 0
    others: int = 0
    seconds: float = 0.0
    told: list[str] = field(default_factory=list)

    def add(self, case: Case, test: ET.Element) -> None:
        self.seconds += float(test.get("time", 0))
        if any(test.find(kind) is not None for kind in ("failure", "error", "skipped")):
            self.others += 1
        else:
            self.held += 1
        named = (one for one in test.iter("property") if one.get("name") == case.name)
        self.told += [one.get("value", "") for one in named]

    @property
    def outcome(self) -> str:
        return f"{self.held} held" + (f", {self.others} did not" if self.others else "")


def rows(case: Case) -> Iterator[tuple[str, ...]]:
    """Of each test: case, fault, what was done and found, outcome, seconds."""
    tests: dict[str, Found] = {}
    for test in ET.parse(case.kept).getroot().iter("testcase"):  # noqa: S314 - pytest wrote it
        name = test.get("name", "").partition("[")[0]
        tests.setdefault(name, Found()).add(case, test)
    for name, found in tests.items():
        words = name.removeprefix("test_").replace("_", " ")
        told = "<br>".join(found.told) or words
        yield case.name, case.what, told, found.outcome, f"{found.seconds:.0f}"


def table(cases: Sequence[Case]) -> str:
    """What is kept of these cases, in Markdown."""
    lines = ["| case | fault | what was done and found | outcome | s |", "|---|---|---|---|---|"]
    for case in cases:
        if case.kept.exists():
            lines += [f"| {' | '.join(row)} |" for row in rows(case)]
    return "\n".join(lines)


def main() -> int:
    """0 when every case held."""
    asked = argparse.ArgumentParser(description=__doc__, add_help=True)
    asked.add_argument("cases", nargs="*", help=", ".join(case.name for case in CASES))
    asked.add_argument("--quick", action="store_true", help="reduced counts")
    asked.add_argument("--table", action="store_true", help="run nothing")
    given = asked.parse_args()
    if unknown := set(given.cases) - {case.name for case in CASES}:
        asked.error(f"unknown: {', '.join(sorted(unknown))}")
    cases = [case for case in CASES if not given.cases or case.name in given.cases]
    codes = [] if given.table else [run(case, full=not given.quick) for case in cases]
    print(table(cases))
    return max(codes, default=0)


if __name__ == "__main__":
    sys.exit(main())
