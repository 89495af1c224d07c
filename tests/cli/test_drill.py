"""`relief restore --drill`: a backup is tried in a place that is thrown away."""

import hashlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cli.main import program
from cli.trial.postgres import PostgresServer
from eventstore import backup as files
from eventstore.backups_known import TRIED, last_backup, last_tried
from eventstore.errors import NotABackup, StoreDamaged, StreamForged
from eventstore.founding import Names, drop, found
from eventstore.store import Store
from tests.clusters import PASSWORDS
from tests.eventstore.support import Cluster, found_town, new_household, open_store, send
from tests.eventstore.test_backup import Run, folder, move_to, run, town
from tests.id_numbers import id_number

__all__ = ["folder", "run", "town"]


SCRATCH = f"relief-rebuilds-{os.getuid()}"
"""Where rebuilds keep their parts while they run: it stays, empty."""
BROKEN = "UPDATE events SET state = CAST('{}' AS BLOB) WHERE position = 3"


@pytest.fixture
def thrown_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where temporary folders are made; nothing may be left in it."""
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    yield place
    left = [path for path in place.rglob("*") if path.name != SCRATCH]
    assert left == []


NOTE = f"{TRIED}.json"


def content(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(("-shm", NOTE))  # readers lock in the first
    }


def spoiled(saved: Path, database: str, statement: str) -> None:
    """Change a backup and its manifest alike, so that only a drill can find it."""
    with closing(sqlite3.connect(saved / database)) as db:
        db.execute(statement)
        db.commit()
    (saved / files.MANIFEST).unlink()
    files.sign(saved)


def test_a_good_backup_passes_and_nothing_else_is_touched(
    town: Store, folder: Path, tmp_path: Path, run: Run, thrown_away: Path
) -> None:
    made = run("backup", tmp_path / "saved", "--json")
    send(town, new_household("吴后来", id_number(7), key="later"), by="reporter")
    before = content(folder), content(tmp_path / "saved")
    said = run("restore", "--drill", tmp_path / "saved", "--json")
    assert (content(folder), content(tmp_path / "saved")) == before
    assert said["ok"] and (said["place"], said["beside"]) == ("sqlite", "same")
    noted = last_tried(folder, town.log)
    assert noted is not None and (noted.ok, noted.facts) == (True, said["facts"])
    made_there = last_backup(folder, town.log)
    assert made_there is not None and made_there.folder == "saved" and made_there.bytes > 0
    assert (said["facts"], said["keys"]) == (made["events"], made["keys"])
    assert said["rows"] > 10 and said["unlike"] == [] and said["unreadable"] == 0
    assert "演练通过" in run("restore", "--drill", tmp_path / "saved")


def test_it_says_how_the_backup_compares_with_the_ledger_here(
    town: Store,
    tmp_path: Path,
    run: Run,
    thrown_away: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run("backup", tmp_path / "early")
    send(town, new_household("吴后来", id_number(7), key="later"), by="reporter")
    run("backup", tmp_path / "late")
    town.close()

    def beside(saved: str) -> str:
        return str(run("restore", "--drill", tmp_path / saved, "--json")["beside"])

    move_to(tmp_path / "elsewhere", monkeypatch)
    assert beside("early") == "none" and not (tmp_path / "elsewhere").exists()
    shutil.copytree(tmp_path / "early", tmp_path / "behind")
    move_to(tmp_path / "behind", monkeypatch)
    assert (beside("early"), beside("late")) == ("same", "ahead")
    found_town(open_store(tmp_path / "another")).close()
    move_to(tmp_path / "another", monkeypatch)
    assert beside("early") == "other"
    move_to(tmp_path / "elsewhere", monkeypatch)
    run("restore", tmp_path / "early")
    failed = run("restore", "--drill", tmp_path / "late", "--json", ok=False)
    assert failed["beside"] == "differs", "the restored ledger went another way at that position"


def test_a_lost_key_is_found_that_a_manifest_does_not_tell(
    town: Store, tmp_path: Path, run: Run, thrown_away: Path
) -> None:
    run("backup", tmp_path / "saved")
    lost = "DELETE FROM keys WHERE person = (SELECT min(person) FROM keys)"
    spoiled(tmp_path / "saved", "vault.sqlite", lost)
    said = run("restore", "--drill", tmp_path / "saved", "--json", ok=False)
    assert said["unreadable"] == 1 and said["beside"] == "same"
    assert "演练未通过" in run("restore", "--drill", tmp_path / "saved", ok=False)


def test_a_fact_that_cannot_be_decoded_is_found_too(
    town: Store, tmp_path: Path, run: Run, thrown_away: Path
) -> None:
    run("backup", tmp_path / "saved")
    spoiled(tmp_path / "saved", "log.sqlite", BROKEN)
    with pytest.raises(StreamForged):  # of the stream that its seat stands in: it is not as sealed
        run("restore", "--drill", tmp_path / "saved", ok=False)


def test_a_backup_that_is_not_as_its_manifest_says_is_refused(
    town: Store, tmp_path: Path, run: Run, thrown_away: Path
) -> None:
    run("backup", tmp_path / "saved")
    with closing(sqlite3.connect(tmp_path / "saved" / "log.sqlite")) as db:
        db.execute(BROKEN)
        db.commit()
    with pytest.raises(StoreDamaged):
        run("restore", "--drill", tmp_path / "saved", ok=False)


def test_on_postgresql_it_has_a_database_and_roles_of_its_own(
    tmp_path: Path, run: Run, thrown_away: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are gone afterwards, and those of the cluster are as they were."""
    with PostgresServer(tmp_path / "postgres", fsync=False) as server:
        urls = found(server.url(), "relief", PASSWORDS)
        store = found_town(Cluster(urls.database, urls.vault, tmp_path / "data").open())
        send(store, new_household("吴保存", id_number(1), key="h"), by="reporter")
        store.close()
        for name, value in (
            ("DATA", str(tmp_path / "data")),
            ("DATABASE_URL", urls.database),
            ("VAULT_URL", urls.vault),
            ("VIEWS_URL", urls.views),
        ):
            monkeypatch.setenv(f"RELIEF_{name}", value)
        run("backup", tmp_path / "saved")
        before = _everything(server)
        without = run("restore", "--drill", tmp_path / "saved", "--json")
        assert without["ok"] and (without["place"], without["beside"]) == ("sqlite", "same")
        monkeypatch.setenv("RELIEF_ADMIN_URL", server.url())
        said = run("restore", "--drill", tmp_path / "saved", "--json")
        assert said["ok"] and (said["place"], said["beside"]) == ("postgresql", "same")
        assert said["rows"] == without["rows"] > 10
        assert _everything(server) == before
        drop(server.url(), "never_made", Names("_never_made"))


def _everything(server: PostgresServer) -> dict[str, list[Any]]:
    asked = {
        "postgres": "SELECT rolname::text FROM pg_roles UNION SELECT datname::text FROM pg_database"
        " ORDER BY 1",
        "relief": "SELECT position, stream FROM log.events ORDER BY position",
    }
    answers = {}
    for database, query in asked.items():
        with psycopg.connect(server.url(database)) as session:
            answers[database] = session.execute(query.encode()).fetchall()
    return answers


@pytest.mark.parametrize("words", [("restore",), ("restore", "--drill")], ids=" ".join)
def test_a_folder_without_a_backup_is_told_as_one(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistyped path is no damaged ledger, and nobody should restore one because of it."""
    monkeypatch.setenv("RELIEF_DATA", str(tmp_path / "data"))
    with pytest.raises(NotABackup):
        program("restore")([*words, str(tmp_path / "nowhere")], standalone_mode=False)
    assert not (tmp_path / "data").exists()
