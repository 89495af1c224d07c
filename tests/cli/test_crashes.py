"""A crash inside a library made in C leaves where it was: nothing else would tell."""

import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CRASHING = """
import ctypes
from cli.logging import configure
configure("INFO", "worker")
def reads_what_is_not_there(secret):
    ctypes.string_at(0)
reads_what_is_not_there("王小明")
"""


def test_a_process_that_crashes_says_in_which_function_and_no_value() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CRASHING], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == -signal.SIGSEGV
    assert "Segmentation fault" in done.stderr and "reads_what_is_not_there" in done.stderr
    assert "王小明" not in done.stderr
