"""A process of the program is soon there: it imports no more than it needs."""

import gc
import subprocess
import sys

import pytest

from cli.main import COMMANDS, program
from tests.eventstore.support import ROOT

MIGRATIONS = "import sys, cli.main; cli.main.program({!r}); print('alembic' in sys.modules)"


@pytest.mark.parametrize("command", ["status", "serve", "worker", "relay", "up", "db"])
def test_nobody_imports_the_migrations_before_migrating(command: str) -> None:
    words = [sys.executable, "-c", MIGRATIONS.format(command)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_garbage_is_looked_for_again_once_a_command_is_imported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert gc.isenabled()
    program("log")
    assert gc.isenabled() and gc.get_freeze_count() > 0
    monkeypatch.setitem(COMMANDS, "log", "no_such_module")
    with pytest.raises(ModuleNotFoundError):
        program("log")
    assert gc.isenabled()
