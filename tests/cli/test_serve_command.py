"""What `relief serve` prints as it starts, and that it stops whenever it is told to."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.public import reached_at
from cli.settings import Settings
from domain.catalog import AGGREGATES
from eventstore.invitations import Invitations
from eventstore.store import Store
from tests.api.beginnings import own_store
from tests.eventstore.support import ROOT, found_town
from tests.typed import type_command

PASSWORD = "correct horse battery"
LAST_LINE = "Ctrl-C"
PATIENCE = 120


def served(folder: Path) -> str:
    """Start, read what is printed, and end it at once: before it may listen to signals itself."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "RELIEF_DATA": str(folder), "RELIEF_PORT": "0"}
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "serve"],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if LAST_LINE in line:
                break
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
    return said


def test_it_folds_in_a_process_of_its_own_and_starts_that_again(tmp_path: Path) -> None:
    """`relief status` names it; killed, it is there again and has lost nothing."""
    folder = tmp_path / "town"
    found_town(Store.at(folder, AGGREGATES)).close()
    env = {**os.environ, "PYTHONPATH": str(ROOT), "RELIEF_DATA": str(folder), "RELIEF_PORT": "0"}

    def told() -> dict[str, Any]:
        done = type_command("status", "--json", cwd=tmp_path, env=env)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    server = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "serve"],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        first = None
        while first is None or first["lag"]:
            assert server.poll() is None
            first = told()["follower"]
        assert first["restarts"] == 0
        os.kill(first["pid"], signal.SIGKILL)
        again = None
        while again is None or again["pid"] == first["pid"] or again["lag"]:
            assert server.poll() is None
            again = told()["follower"]
        assert again["restarts"] == 1
        server.send_signal(signal.SIGTERM)
        assert server.wait(PATIENCE) == 0
        assert told()["follower"] is None
    finally:
        server.kill()
        server.wait()


def test_it_prints_the_code_until_the_administrator_has_a_password(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    said = served(folder)
    assert "账本尚未建好" in said and "/setup" in said and "启动码" in said
    with own_store(folder) as own:
        invitation = own.begin("621224").invitation
        assert invitation is not None
    assert "管理员尚未设置密码" in served(folder)
    with own_store(folder) as own:
        store = own.system.store
        Invitations(store).accept(own.system.accounts, invitation.code, PASSWORD)
    assert "启动码" not in served(folder)


@pytest.mark.parametrize(
    ("public", "host", "said"),
    [
        ("", "0.0.0.0", "http://127.0.0.1:8000"),
        ("", "10.2.3.4", "http://10.2.3.4:8000"),
        ("https://ledger.example/", "0.0.0.0", "https://ledger.example"),
    ],
)
def test_it_prints_an_address_that_a_browser_opens(public: str, host: str, said: str) -> None:
    """It printed http://0.0.0.0 although people reach it under RELIEF_PUBLIC_URL."""
    assert reached_at(Settings(public_url=public), host, 8000) == said
