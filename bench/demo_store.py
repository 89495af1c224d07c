"""The demo county as a store to measure on: built once a run, by a process of its own."""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]


def build(folder: Path, *, small: bool) -> float:
    """Build the demo county there. Answers the seconds it took, the program's start included."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "bench.demo_child", *(["--small"] if small else [])],
        cwd=ROOT,
        env={**os.environ, "RELIEF_DATA": str(folder)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - began


def existing_or_built(scratch: Path, *, small: bool) -> Path:
    """A data folder with the demo county: that of ``BENCH_DEMO`` (only read), or a new one."""
    given = os.environ.get("BENCH_DEMO")
    if given and not small:
        return Path(given)
    build(scratch / "demo", small=small)
    return scratch / "demo"
