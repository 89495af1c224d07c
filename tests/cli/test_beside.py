"""Commands that look find what runs here, and never leave an empty store behind."""

import fcntl
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from cli.beside import BROKER, LOCK, settings_here
from cli.main import program
from cli.serving import bind
from cli.settings import Settings
from domain.catalog import AGGREGATES
from eventstore.store import Store
from tests.everything import copy_of_everything
from tests.typed import type_command

REASON = ("--reason", "数据库换了机器")
LOOKING = [
    ("status", "--json"),
    ("doctor",),
    ("parked", "list"),
    ("log", "stats"),
    ("views", "status"),
    ("officer", "list"),
    ("backup", "copy"),
    ("ledger", "totals", "--county", "340882", "--season", "2017"),
    ("doctor", "--repair", "search"),
    ("doctor", "--repair", "erasures"),
    ("parked", "show", "stock", "1"),
    ("parked", "replay"),
    ("parked", "drop", "stock", "1", *REASON),
    ("log", "show", "1"),
    ("audit", "key"),
    ("audit", "checkpoint"),
    ("audit", "request"),
    ("audit", "verify"),
    ("audit", "prove", "1"),
    ("audit", "keep", "signed", "--witness", "key"),
    ("audit", "watch", "--once"),
    ("audit", "disown", "1", *REASON, "--yes"),
    ("audit", "reseal", *REASON, "--yes"),
    ("asof", "5", "stock"),
    ("log", "tail"),
    ("log", "new-epoch", *REASON),
    ("clock", "show"),
    ("clock", "accept", *REASON),
    ("clock", "advance", "1h"),
    ("views", "rebuild"),
    ("vault", "erased"),
    ("vault", "rotate"),
    ("areas", "merge", "--from", "340882100201", "--into", "340882100202", "--document-no", "1号"),
    ("events", "snapshot", "all.jsonl"),
    ("import", "households", "list.xlsx", "--as", "somebody", "--area", "340882100201"),
    ("import", "officers", "list.xlsx", "--as", "somebody"),
    ("import", "divisions", "list.xlsx", "--as", "somebody", "--dry-run"),
    ("officer", "add", "w", "--name", "王芳", "--role", "dispatcher", "--area", "34"),
    ("officer", "invite", "w"),
    ("officer", "recover", "w", *REASON, "--operator", "值班员"),
    ("officer", "suspend", "w", *REASON),
    ("officer", "handover", "w", "--to", "v", *REASON),
    ("officer", "password", "w", "--new", "yanshi-2018"),
    ("officer", "reset-factor", "w", *REASON),
    ("officer", "disconnect", "w", *REASON),
]
ELSEWHERE = {
    *("init", "serve", "demo", "restore", "db init", "log copy"),  # they make what they work on
    *("up", "relay", "worker", "events resend"),  # of a cluster: without its settings they end
    "resume",  # speaks with processes alone
    "actions",  # tells of the program, not of a store
    *("witness begin", "witness key", "witness trust", "witness sign"),  # have no store
}
SECRETS = {"database_url": "app", "vault_url": "vault", "views_url": "views"}


def relief(folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    here = {**os.environ, "RELIEF_DATA": str(folder / "data"), **env}
    return type_command(*words, cwd=folder, env=here)


def commands(of: Any, *before: str) -> Iterator[str]:
    for name, one in of.commands.items():
        yield from (
            commands(one, *before, name)
            if hasattr(one, "commands")
            else [" ".join((*before, name))]
        )


def test_every_command_that_looks_is_tried_here() -> None:
    looking = {name for name in commands(get_command(program())) if name not in ELSEWHERE}
    words = [f"{' '.join(one)} " for one in LOOKING]
    tried = {name for name in looking if any(one.startswith(f"{name} ") for one in words)}
    assert tried == looking


@pytest.mark.parametrize("words", LOOKING, ids=lambda words: " ".join(words[:3]))
def test_a_command_that_looks_makes_no_store(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = relief(tmp_path, *words)
    assert done.returncode == 1, done.stdout
    assert "没有账本" in done.stdout + done.stderr
    assert not list(tmp_path.rglob("*.sqlite")) and not (tmp_path / "data").exists()


def test_a_backup_of_nothing_is_an_error(tmp_path: Path) -> None:
    Store.at(tmp_path / "data", AGGREGATES).close()
    done = relief(tmp_path, "backup", "copy")
    assert done.returncode == 1
    assert "没有任何记录" in done.stderr
    assert not (tmp_path / "copy").exists()
    data = copy_of_everything(tmp_path)
    assert relief(tmp_path, "backup", "copy", RELIEF_DATA=str(data)).returncode == 0


@pytest.fixture
def trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which `relief up --trial` has written its addresses down."""
    secrets = tmp_path / "trial" / "secrets"
    secrets.mkdir(parents=True)
    for name, role in SECRETS.items():
        (secrets / name).write_text(f"postgresql://relief_{role}@127.0.0.1:1/relief\n")
    (tmp_path / "trial" / BROKER).write_text("127.0.0.1:2\n")
    for name in (*SECRETS, "kafka"):
        monkeypatch.delenv(f"RELIEF_{name.upper()}", raising=False)
    monkeypatch.setenv("RELIEF_DATA", str(tmp_path))
    return tmp_path


def test_a_running_trial_is_what_commands_look_at(trial: Path) -> None:
    with (trial / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = settings_here()
        assert found.data == trial / "trial"
        assert found.database_url == "postgresql://relief_app@127.0.0.1:1/relief"
        assert found.vault_url and found.views_url and found.kafka == "127.0.0.1:2"
        done = relief(trial, "backup", "copy", RELIEF_DATA=str(trial))
    assert done.returncode == 1, "its database does not answer: nothing else is backed up instead"
    assert not list(trial.rglob("*.sqlite"))


def test_a_trial_that_does_not_run_is_told(trial: Path) -> None:
    done = relief(trial, "doctor", RELIEF_DATA=str(trial))
    assert done.returncode == 1
    assert "relief up --trial" in done.stderr
    assert not list(trial.rglob("*.sqlite"))


def test_settings_that_name_a_database_stand(trial: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELIEF_DATABASE_URL", "postgresql://elsewhere/relief")
    assert settings_here() == Settings()


def test_in_a_cluster_a_taken_port_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=str(port)):
            bind("127.0.0.1", port, others=False)
        found, moved = bind("127.0.0.1", port)
        found.close()
        assert moved


def test_serve_says_that_its_port_is_taken(trial: Path) -> None:
    """A proxy would never find the next free one; and nothing is asked of the database first."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        address = "postgresql://relief_app@127.0.0.1:1/relief"
        done = relief(
            trial, "serve", "--port", port, RELIEF_DATABASE_URL=address, RELIEF_VAULT_URL=address
        )
    assert done.returncode == 1
    assert f"端口 {port} 已被占用" in done.stderr


def test_nothing_is_restored_beside_a_trial(trial: Path, tmp_path_factory: Any) -> None:
    """It would hide the trial from every command, or lie hidden behind it."""
    saved = tmp_path_factory.mktemp("saved") / "copy"
    data = copy_of_everything(saved.parent)
    assert relief(trial, "backup", str(saved), RELIEF_DATA=str(data)).returncode == 0
    done = relief(trial, "restore", str(saved), RELIEF_DATA=str(trial))
    assert done.returncode == 1 and "试用集群" in done.stderr
    assert not list(trial.rglob("*.sqlite")) and not list(trial.rglob("vault.key"))
