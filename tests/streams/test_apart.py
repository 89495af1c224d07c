"""The follower in a process of its own: woken, killed, shared, left alone, standing still."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import psutil
import pytest

from domain.catalog import AGGREGATES
from eventstore.errors import StoreError
from eventstore.store import Store
from eventstore.trust import Seen, Told
from projections.catalog import VIEWS
from projections.folding.base import ANYWHERE
from projections.folding.engine import Applied, ViewsDatabase
from projections.folding.errors import STOPPED
from projections.folding.reader import ViewsReader
from streams import apart
from streams.apart import LOCK, FollowerApart, FollowerAway, Job, Keeping, Parent, keeping
from streams.following import Boards
from tests.eventstore.support import found_town, named, new_unit, send
from tests.eventstore.test_seals import owner_of
from tests.eventstore.test_trust import forge

PATIENCE_SECONDS = 120.0


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Store]:
    with closing(Store.at(tmp_path / "town", AGGREGATES)) as store:
        found_town(store)
        yield store


@contextmanager
def boards_over(town: Store, folder: Path) -> Iterator[tuple[FollowerApart, list[Applied]]]:
    """Boards that have not been started, and what they tell."""
    file = folder / "town" / "views.sqlite"
    ViewsDatabase(file, VIEWS).close()
    reader = ViewsReader(file)
    boards, heard = FollowerApart(town, file, reader), list[Applied]()
    boards.listen(heard.append)
    try:
        yield boards, heard
    finally:
        boards.stop()
        reader.close()


def kept_by(folder: Path) -> Keeping:
    until(lambda: keeping(folder / "town"))
    found = keeping(folder / "town")
    assert found is not None
    return found


def test_it_folds_what_is_there_and_tells_of_what_comes(town: Store, tmp_path: Path) -> None:
    with boards_over(town, tmp_path) as (boards, heard):
        known: Boards = boards
        known.start()
        assert known.wait_for(town.head(), PATIENCE_SECONDS)
        until(boards.hears)
        assert kept_by(tmp_path).pid != os.getpid()
        heard.clear()
        receipt = send(town, new_unit("waked"), by="dispatcher")
        assert known.wait_for(receipt.position, PATIENCE_SECONDS)
        until(lambda: any("units" in one.changed for one in heard))
        rows = next(one.changed["units"] for one in heard if "units" in one.changed)
        assert all(row.keys() == {"area"} for row in rows)  # tables and areas, as in a cluster
        assert known.vector() == {0: receipt.position}
        assert known.failure is None
        assert known.trouble is None
    assert keeping(tmp_path / "town") is None


def test_what_nobody_has_sealed_is_parked(town: Store, tmp_path: Path) -> None:
    """It has no vault: the server tells it the secret, and how far it has looked itself."""
    send(town, new_unit("honest"), by="dispatcher")
    (row,) = town.log.stream_rows(named("unit/honest"))
    with boards_over(town, tmp_path) as (boards, _):
        boards.start()
        assert boards.wait_for(town.head(), PATIENCE_SECONDS)
        with closing(sqlite3.connect(tmp_path / "town" / "log.sqlite")) as db, db:
            db.execute("DROP TRIGGER events_are_sealed")
            forged = (town.head() + 1, uuid4().bytes, *row[2:])
            db.execute("INSERT INTO events VALUES (?,?,?,?,?)", forged)
        receipt = send(town, new_unit("later"), by="dispatcher")
        assert boards.wait_for(receipt.position, PATIENCE_SECONDS)
    with closing(ViewsDatabase(tmp_path / "town" / "views.sqlite", VIEWS)) as views:
        assert {one.position for one in views.parked()} == {forged[0]}
        names = {name for (name,) in views.db.execute("SELECT name FROM units")}
    assert {"honest", "later"} <= names


def test_killed_it_comes_again_and_nothing_is_lost(town: Store, tmp_path: Path) -> None:
    with boards_over(town, tmp_path) as (boards, heard):
        boards.start()
        assert boards.wait_for(town.head(), PATIENCE_SECONDS)
        for n in range(2):
            gone = kept_by(tmp_path).pid
            os.kill(gone, signal.SIGKILL)
            receipt = send(town, new_unit(f"meanwhile {n}"), by="dispatcher")
            assert boards.wait_for(receipt.position, PATIENCE_SECONDS)
            until(boards.hears)
            assert kept_by(tmp_path).pid != gone
        until(lambda: boards.restarts == 2)
        assert kept_by(tmp_path).restarts == 2
        with ViewsReader(tmp_path / "town" / "views.sqlite")() as db:
            assert db.exec_driver_sql("SELECT count(*) FROM units").scalar_one() >= 2
        assert heard


def test_boards_say_that_it_is_away_until_it_is_back(
    town: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with boards_over(town, tmp_path) as (boards, _):
        assert boards.trouble is None  # nobody has asked for it yet
        monkeypatch.setattr(apart, "AWAY_SECONDS", 0.0)
        boards.start()
        assert isinstance(boards.trouble, FollowerAway)
        until(boards.hears)
        assert boards.trouble is None


def test_a_second_server_shares_it_and_takes_over(town: Store, tmp_path: Path) -> None:
    with boards_over(town, tmp_path) as (second, heard):
        with boards_over(town, tmp_path) as (first, _):
            first.start()
            until(first.hears)
            mine = kept_by(tmp_path).pid
            second.start()
            receipt = send(town, new_unit("shared"), by="dispatcher")
            assert second.wait_for(receipt.position, PATIENCE_SECONDS)
            # told of something by its own look, though not of what
            until(lambda: any(one.changed.get("units") == [ANYWHERE] for one in heard))
            assert not second.hears()
            assert kept_by(tmp_path).pid == mine
        until(second.hears)
        assert kept_by(tmp_path).pid != mine


def test_it_ends_with_the_server_that_started_it(tmp_path: Path) -> None:
    folder = tmp_path / "town"
    found_town(Store.at(folder, AGGREGATES)).close()
    ViewsDatabase(folder / "views.sqlite", VIEWS).close()
    program = (
        "import sys, time, pathlib\n"
        "from domain.catalog import AGGREGATES\n"
        "from eventstore.store import Store\n"
        "from projections.folding.reader import ViewsReader\n"
        "from streams.apart import FollowerApart\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "file = folder / 'views.sqlite'\n"
        "FollowerApart(Store.at(folder, AGGREGATES), file, ViewsReader(file)).start()\n"
        "print('started', flush=True)\n"
        "time.sleep(600)\n"
    )
    server = subprocess.Popen(
        [sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    with server:
        assert server.stdout.readline() == "started\n"
        pid = kept_by(tmp_path).pid
        server.kill()
    until(lambda: not psutil.pid_exists(pid))
    assert keeping(folder) is None


def test_views_that_stand_still_are_told_and_go_on(town: Store, tmp_path: Path) -> None:
    with boards_over(town, tmp_path) as (boards, _):
        boards.start()
        until(boards.hears)
        views = ViewsDatabase(tmp_path / "town" / "views.sqlite", VIEWS)
        with closing(views), views.lock, views.place.switching():
            views.db.execute("UPDATE positions SET failing = ?", (STOPPED,))
        until(lambda: boards.failure)
        with closing(ViewsDatabase(tmp_path / "town" / "views.sqlite", VIEWS)) as views:
            views.let_go_on()
        until(lambda: boards.failure is None)


def test_what_it_cannot_do_is_told_in_its_words(town: Store, tmp_path: Path) -> None:
    with boards_over(town, tmp_path) as (boards, _):
        boards.start()
        until(boards.hears)
        with closing(ViewsDatabase(tmp_path / "town" / "views.sqlite", VIEWS)) as views:
            with views.lock, views.place.switching():
                views.db.execute("UPDATE generations SET version = version + 1")
            send(town, new_unit("of a later version"), by="dispatcher")
            until(lambda: boards.failure)
            assert "ViewsOfAnotherVersion" in str(boards.failure)
            with views.lock, views.place.switching():
                views.db.execute("UPDATE generations SET version = version - 1")
        receipt = send(town, new_unit("of this one again"), by="dispatcher")
        assert boards.wait_for(receipt.position, PATIENCE_SECONDS)
        until(lambda: boards.failure is None)


def test_a_machine_without_room_for_a_process_is_told_and_tried_again(
    town: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that starts it once ended with the first error, and nothing told of it."""
    real, tries = apart.child, list[int]()

    def full(*args: Any, **named: Any) -> subprocess.Popen[bytes]:
        tries.append(1)
        if len(tries) < 3:
            raise BlockingIOError("Resource temporarily unavailable")
        return real(*args, **named)

    monkeypatch.setattr(apart, "child", full)
    monkeypatch.setattr(apart, "AWAY_SECONDS", 0.0)
    with boards_over(town, tmp_path) as (boards, _):
        boards.start()
        until(lambda: len(tries) == 2)
        assert isinstance(boards.trouble, FollowerAway)
        until(boards.hears)
        assert boards.restarts == 2


def test_what_wakes_it_is_not_kept() -> None:
    """A byte at each commit was kept for ever, and all of them copied at each."""
    ours, theirs = os.pipe()
    try:
        parent = Parent(ours)
        job = Job("log", "views", Told("", Seen(0)))
        os.write(theirs, msgspec.json.encode(job) + b"\n[1,{}]\n[2,")
        assert parent.job() == job
        before = {name: value for name, value in vars(parent).items() if name != "_telling"}
        os.write(theirs, b"{}]\n" + b"[3,{}]\n" * 1000 + b"[2,")
        assert parent.hear(1.0) == [b"[2,{}]"] + [b"[3,{}]"] * 1000
        assert {name: vars(parent)[name] for name in before} == before
    finally:
        os.close(theirs)
    assert parent.hear(1.0) == [] and parent.gone
    os.close(ours)


def test_it_looks_at_no_seal_of_what_its_server_has_written_and_parks_what_nobody_wrote(
    town: Store, tmp_path: Path
) -> None:
    for name in ("0队", "1队"):
        send(town, new_unit(name), "dispatcher")
    with boards_over(town, tmp_path) as (boards, _):
        boards.start()
        until(boards.hears)
        forged = forge(town, owner_of(tmp_path / "town"), "0队")
        head = send(town, new_unit("second"), "dispatcher").position
        until(lambda: boards.position >= head)
        assert forged in town.trust.forged
    with closing(ViewsDatabase(tmp_path / "town" / "views.sqlite", VIEWS)) as views:
        assert {one.position for one in views.parked()} == {forged}


def test_who_looks_at_the_lock_does_not_keep_it_away(town: Store, tmp_path: Path) -> None:
    assert keeping(tmp_path / "town") is None
    (tmp_path / "town" / LOCK).write_bytes(b"")
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            keeping(tmp_path / "town")

    looking = threading.Thread(target=look)
    looking.start()
    try:
        with boards_over(town, tmp_path) as (boards, _):
            boards.start()
            until(boards.hears)
    finally:
        stop.set()
        looking.join()


def test_a_process_that_hangs_is_killed_at_the_end(
    town: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "STOP_SECONDS", 0.2)
    with boards_over(town, tmp_path) as (boards, _):
        boards.start()
        until(boards.hears)
        pid = kept_by(tmp_path).pid
        os.kill(pid, signal.SIGSTOP)
    assert not psutil.pid_exists(pid)


def test_a_file_that_nobody_can_read_is_a_trouble(town: Store, tmp_path: Path) -> None:
    with boards_over(town, tmp_path) as (boards, _):
        boards._reader.close()
        file = tmp_path / "town" / "views.sqlite"
        file.rename(file.with_suffix(".gone"))
        boards.step()
        assert isinstance(boards.trouble, StoreError)
