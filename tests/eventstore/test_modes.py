"""A data folder is its owner's: from the first byte, and again when an open one is opened."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.compose import running
from cli.doctor import examine
from cli.settings import Settings
from eventstore.backup import backup, restore
from eventstore.modes import private_folder, standing_open
from tests.eventstore.support import found_town, open_store


@pytest.fixture(autouse=True)
def _open_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    found = {path.name: f"{path.stat().st_mode & 0o777:o}" for path in folder.iterdir()}
    return {"": f"{folder.stat().st_mode & 0o777:o}", **found}


def test_nobody_else_reads_a_data_folder_or_a_backup(tmp_path: Path) -> None:
    """29,121 names lay in clear in a file that everybody could read."""
    folder = tmp_path / "deep" / "data"
    with running(Settings(data=folder)) as system:
        found_town(system.store)
        made = modes(folder)
        assert made.pop("") == "700" and set(made.values()) == {"600"}
        names = {"log.sqlite", "vault.sqlite", "views.sqlite", "vault.key", "log.sqlite-wal"}
        assert names <= made.keys()
    backup(folder, tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "restored")
    for copy in ("backup", "restored"):
        made = modes(tmp_path / copy)
        assert made.pop("") == "700" and set(made.values()) == {"600"}, copy


def test_an_open_store_is_closed_when_it_is_opened_and_told_before(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    found_town(open_store(folder)).close()
    (folder / "secrets").mkdir()
    (folder / "secrets" / "database_url").write_text("postgresql://")
    sqlite3.connect(folder / "views.sqlite").close()
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)

    def told() -> list[str]:
        return [
            one.zh for one in examine(Settings(data=folder)) if one.name == "modes" and not one.ok
        ]

    (said,) = told()
    for name in ("log.sqlite", "vault.sqlite", "views.sqlite", "vault.key", "database_url"):
        assert f"{name} (644)" in said
    open_store(folder).close()
    assert not told() and not list(standing_open(folder))
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "secrets").stat().st_mode & 0o777 == 0o700


def test_a_folder_of_many_and_that_of_a_trial_can_still_be_entered(tmp_path: Path) -> None:
    shared, trial = tmp_path / "shared", tmp_path / "trial"
    shared.mkdir()
    shared.chmod(0o1777)
    private_folder(shared)
    assert shared.stat().st_mode & 0o7777 == 0o1777
    (trial / "postgres").mkdir(parents=True)
    trial.chmod(0o755)
    private_folder(trial)
    assert trial.stat().st_mode & 0o777 == 0o711
