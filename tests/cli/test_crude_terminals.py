"""A terminal that cannot write a character gets another one, not the end of the command."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

RELIEF = (sys.executable, "-m", "cli.main")


@pytest.mark.parametrize("encoding", ["gbk", "ascii"])
@pytest.mark.parametrize("command", [("doctor",), ("--help",), ("officer", "list"), ("status",)])
def test_a_command_speaks_on_a_terminal_that_lacks_its_signs(
    tmp_path: Path, encoding: str, command: tuple[str, ...]
) -> None:
    """``relief doctor`` ended in a UnicodeEncodeError at its first ✓ on a GBK terminal."""
    ran = subprocess.run(
        [*RELIEF, *command],
        env={**os.environ, "PYTHONIOENCODING": encoding, "RELIEF_DATA": str(tmp_path / "data")},
        capture_output=True,
        timeout=120,
    )
    said = (ran.stdout + ran.stderr).decode(encoding)
    assert "UnicodeEncodeError" not in said and "Traceback" not in said
    assert said.strip()
