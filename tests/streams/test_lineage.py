"""Views know of which log they were made, and begin anew beside another one (embedded)."""

import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from subprocess import run

import pytest

from api.app import readiness
from api.noticing import notices_of
from api.system import System
from cli.compose import running
from cli.doctor import examine
from cli.settings import Settings
from domain.catalog import AGGREGATES
from domain.store import FIRST_EPOCH, Cause
from eventstore.copying import Place, copy
from eventstore.errors import StoreReplaced
from eventstore.lineage import begin_epoch, epoch_of
from eventstore.store import Store
from projections.folding.rebuild import check
from tests.eventstore.support import found_town, new_household, new_unit, send
from tests.id_numbers import id_number

UNITS = 12


@contextmanager
def served(folder: Path) -> Iterator[System]:
    with running(Settings(data=folder)) as system:
        yield system


def up_to_date(system: System) -> None:
    assert system.boards.wait_for(system.store.head(), 30)


def generations(system: System) -> dict[str, int]:
    with system.views.lock:  # the follower's connection: not in the middle of its transaction
        return {live.view: live.generation for live in system.views.live()}


def equal_to_a_rebuild(system: System) -> bool:
    return check(system.store.log.source, system.views, workers=1).equal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A town whose log and vault were copied away before its last facts: ``saved``."""
    here = tmp_path / "here"
    found_town(Store.at(here, AGGREGATES)).close()
    with served(here) as system:
        up_to_date(system)
    shutil.copytree(here, tmp_path / "saved")
    with served(here) as system:
        for n in range(UNITS):
            send(system.store, new_unit(f"lost {n}"), by="dispatcher")
        up_to_date(system)
    return here


def put_back(folder: Path, *names: str) -> None:
    """The older log and vault under the newer views, by hand and without a word."""
    for name in names or ("log.sqlite", "vault.sqlite"):
        for file in folder.glob(f"{name}*"):
            file.unlink()
        shutil.copy(folder.parent / "saved" / name, folder / name)


def test_an_older_log_under_newer_views_is_noticed_and_the_views_are_remade(folder: Path) -> None:
    """F2: `/ready` was ready with a lag of −54, and later 12 tables differed for ever."""
    put_back(folder)
    found = {one.name: one.ok for one in examine(Settings(data=folder))}
    assert not found["lineage"] and not found["views"]
    with served(folder) as system:
        send(system.store, new_unit("after"), by="dispatcher")
        up_to_date(system)
        ready = readiness(system)
        assert (ready.status, ready.lag) == ("ready", 0)
        assert equal_to_a_rebuild(system)
    found = {one.name: one.ok for one in examine(Settings(data=folder))}
    assert found["lineage"] and found["views"]


@pytest.mark.parametrize("name", ["log.sqlite", "vault.sqlite"])
def test_a_file_replaced_under_a_running_process_is_noticed_before_anything_is_lost(
    folder: Path, name: str
) -> None:
    """F2: SQLite goes on with the file that it opened, though nobody will ever open that again:
    facts were acknowledged and lost, names were sealed with keys that nobody has."""
    with served(folder) as system:
        up_to_date(system)
        assert readiness(system).status == "ready"
        put_back(folder, name)
        with pytest.raises(StoreReplaced):
            send(system.store, new_household("of nobody", id_number(1)), by="reporter")
        if name == "log.sqlite":
            with pytest.raises(StoreReplaced):
                readiness(system)
    put_back(folder)  # as it should have been done
    with served(folder) as system:
        send(system.store, new_household("after", id_number(2)), by="reporter")
        up_to_date(system)
        assert readiness(system).status == "ready" and equal_to_a_rebuild(system)


def test_views_beyond_a_log_that_was_replaced_while_they_follow_are_remade(folder: Path) -> None:
    with served(folder) as system:
        up_to_date(system)
        system.views.db.execute("UPDATE positions SET position = position + 50")
        system.boards.position += 50  # type: ignore[misc]
        send(system.store, new_unit("after"), by="dispatcher")
        deadline = 300
        while readiness(system).lag and deadline:
            deadline -= 1
            system.boards.wait_for(10**9, 0.1)
        assert readiness(system).lag == 0 and equal_to_a_rebuild(system)


def test_an_upgrade_adopts_views_without_a_lineage_and_remakes_nothing(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "views.sqlite")) as db:
        before = db.execute("SELECT view, generation FROM generations ORDER BY view").fetchall()
        db.execute("ALTER TABLE generations DROP COLUMN lineage")
        db.execute("PRAGMA user_version = 2")
        db.commit()
    with served(folder) as system:
        up_to_date(system)
        after = system.views.db.execute(
            "SELECT view, generation, lineage FROM generations ORDER BY view"
        ).fetchall()
        assert [row[:2] for row in after] == before
        assert {row[2] for row in after} == {system.store.log.lineage()}
        assert equal_to_a_rebuild(system)


def test_views_from_before_there_were_partitions_begin_anew(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "views.sqlite")) as db:
        before = dict(db.execute("SELECT view, generation FROM generations"))
        db.execute("ALTER TABLE generations DROP COLUMN lineage")
        db.execute("ALTER TABLE generations ADD COLUMN position INTEGER NOT NULL DEFAULT 7")
        db.executescript("DROP TABLE positions; DROP TABLE parked; PRAGMA user_version = 1")
        db.commit()
    with served(folder) as system:
        up_to_date(system)
        after = dict(system.views.db.execute("SELECT view, generation FROM generations"))
        assert {n - before[name] for name, n in after.items()} == {1}
        assert equal_to_a_rebuild(system)
        sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE ?"
        left = system.views.db.execute(sql, (f"areas__g{before['areas']}",)).fetchall()
        assert not left, "the old tables are gone"


def test_a_new_epoch_begins_the_views_anew_also_while_they_follow(folder: Path) -> None:
    with served(folder) as system:
        up_to_date(system)
        assert epoch_of(system.store.log) == FIRST_EPOCH
        before = generations(system)
        begin_epoch(system.store, Cause.OPERATOR, reason="快照恢复", operator="li")
        assert epoch_of(system.store.log).startswith("2-")
        deadline = 300
        while generations(system) == before and deadline:
            deadline -= 1
            system.boards.wait_for(10**9, 0.1)
        while notices_of(system) and deadline:
            assert system.boards.failure is None
            deadline -= 1
            system.boards.wait_for(10**9, 0.1)
        up_to_date(system)
        assert {n - before[name] for name, n in generations(system).items()} == {1}
        assert equal_to_a_rebuild(system)
        assert notices_of(system) == []


def test_views_that_have_not_come_to_where_the_epoch_began_are_told(folder: Path) -> None:
    with served(folder) as system:
        up_to_date(system)
        system.store.log.set_mark("epoch-head", str(system.store.head() + 5))
        assert [one.name for one in notices_of(system)] == ["views-remade"]


def test_a_copy_begins_an_epoch_of_its_own_at_its_first_start_and_once(
    folder: Path, tmp_path: Path
) -> None:
    copy(Place.folder(folder), Place.folder(tmp_path / "copy"))
    names = []
    for _ in range(2):
        with served(tmp_path / "copy") as system:
            up_to_date(system)
            names.append(epoch_of(system.store.log))
            assert equal_to_a_rebuild(system)
    assert names[0].startswith("2-") and names[0] == names[1]


def test_a_restored_log_has_an_epoch_of_its_own_each_time(folder: Path, tmp_path: Path) -> None:
    """Two restores of one backup are two histories."""
    program = [sys.executable, "-m", "cli.main"]
    names = []
    for n in range(2):
        here = {**os.environ, "RELIEF_DATA": str(folder)}
        there = {**os.environ, "RELIEF_DATA": str(tmp_path / f"restored{n}")}
        if n == 0:
            run([*program, "backup", str(tmp_path / "backup")], env=here, check=True)
        run([*program, "restore", str(tmp_path / "backup")], env=there, check=True)
        with served(tmp_path / f"restored{n}") as system:
            up_to_date(system)
            names.append(epoch_of(system.store.log))
            assert equal_to_a_rebuild(system)
    assert len({FIRST_EPOCH, *names}) == 3


def test_a_store_made_before_is_recorded_at_its_first_opening(tmp_path: Path) -> None:
    found_town(Store.at(tmp_path, AGGREGATES)).close()
    for _ in range(2):
        with served(tmp_path) as system:
            facts = [r.event for r in system.store.read(0, 10_000)]
            about = [one for one in facts if one.topic().startswith("Store.")]
            assert [one.topic() for one in about] == ["Store.Opened"]
            assert (
                system.store.load(about[0].originator_id).seat
                == system.store.load(about[0].originator_id).division
            )
