"""`relief audit watch`: what is done to the log by hand is told on the boards, and no more."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psutil
import pytest

from api.metrics import tell_of_watch
from api.noticing import _changed
from api.watched import ALARM, WATCH, Alarm, put, watched
from cli import status_command
from cli.audit_watch import look
from cli.compose import running
from cli.doctor_ledger import LEDGER
from cli.settings import Settings
from cli.watching import watching
from domain.catalog import AGGREGATES
from eventstore.metrics import page
from eventstore.store import Store
from tests.cli.test_audit_command import TAMPERINGS, place, tamper, town
from tests.eventstore.support import ROOT, found_town, new_unit, send

__all__ = ["place", "tamper", "town"]

PATIENCE_SECONDS = 180.0


def checkpoints(folder: Path) -> list[int]:
    return sorted(int(one.stem) for one in folder.glob("*.checkpoint"))


def test_rounds_over_a_log_that_grows_find_nothing(town: Store, tmp_path: Path) -> None:
    folder, heads = tmp_path / WATCH, []
    for n in range(3):
        assert look(town, folder) is None
        assert look(town, folder) is None, "nothing new: no second checkpoint"
        heads.append(town.head())
        send(town, new_unit(f"later {n}"), "dispatcher")
    assert checkpoints(folder) == heads
    assert {one.stat().st_mode & 0o777 for one in folder.iterdir()} == {0o600}
    assert _changed(tmp_path) == []


@pytest.mark.parametrize("name", TAMPERINGS)
def test_every_tampering_raises_the_alarm_until_it_is_undone(
    town: Store, tamper: Callable[[Any], None], tmp_path: Path, name: str
) -> None:
    folder, whole = tmp_path / WATCH, list[Any]()
    assert look(town, folder) is None
    tamper(lambda rows: whole.extend(rows) or rows)
    tamper(TAMPERINGS[name][0])
    assert look(town, folder) is not None
    (notice,) = _changed(tmp_path)
    assert notice.name == "log-changed"
    assert "relief audit verify" in notice.zh and "relief audit verify" in notice.en
    assert any(sign.isdigit() for sign in notice.en)
    assert checkpoints(folder) == [len(whole)], "a log that was changed is not signed"
    tamper(lambda _: whole)
    assert look(town, folder) is None and _changed(tmp_path) == []


def test_a_round_tells_when_the_whole_log_was_read(town: Store, tmp_path: Path) -> None:
    assert watched(tmp_path).told() == {
        "checkpoint": None,
        "cosigned": None,
        "verified": None,
        "changed": None,
    }
    assert look(town, tmp_path / WATCH) is None
    known = watched(tmp_path)
    assert known.looked is not None and known.looked.facts == town.head()
    assert known.checkpoint is not None and known.checkpoint.facts == town.head()
    assert known.looked.at <= town.clock.now() and known.alarm is None
    ended = tell_of_watch(tmp_path)
    try:
        told = page()[2].decode()
        put(tmp_path / WATCH / ALARM, msgspec.json.encode(Alarm(position="7", zh="改", en="C.")))
        told_then = page()[2].decode()
    finally:
        ended()
    assert "relief_log_changed 0.0" in told and "relief_log_changed 1.0" in told_then
    assert "relief_log_verified_timestamp_seconds 1" in told
    assert "relief_checkpoint_timestamp_seconds 1" in told
    assert "relief_checkpoint_cosigned_timestamp_seconds 1" not in told


def test_checkpoints_that_are_not_of_this_log_are_left_out(town: Store, tmp_path: Path) -> None:
    """As after a restore, and where somebody put one that the ledger has not signed."""
    folder = tmp_path / WATCH
    other = found_town(Store.at(tmp_path / "other", AGGREGATES))
    assert look(other, folder) is None
    other.close()
    (folder / "7.checkpoint").write_text("no note at all")
    (folder / "8.checkpoint").write_bytes(b"\xff")
    assert look(town, folder) is None
    assert checkpoints(folder) == [town.head()]


def test_checkpoints_do_not_grow_for_ever(
    town: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.audit_watch.MOST_KEPT", 6)
    folder = tmp_path / WATCH
    for n in range(20):
        send(town, new_unit(f"more {n}"), "dispatcher")
        assert look(town, folder) is None
    assert len(checkpoints(folder)) <= 7
    assert checkpoints(folder)[-1] == town.head()


@pytest.mark.parametrize("text", [b"", b"{}", b"\xff", b'{"position":1}'])
def test_an_alarm_that_cannot_be_read_stops_no_page(tmp_path: Path, text: bytes) -> None:
    (tmp_path / WATCH).mkdir()
    (tmp_path / WATCH / ALARM).write_bytes(text)
    assert _changed(tmp_path) == []


def test_doctor_and_status_tell_of_the_alarm(tmp_path: Path) -> None:
    found_town(Store.at(tmp_path, AGGREGATES)).close()
    settings = Settings(data=tmp_path)
    check = dict(LEDGER)["watch"]

    def told() -> tuple[bool, str | None]:
        with running(settings, follow=False) as system:
            changed = status_command.look(system, tmp_path)["changed"]
            (finding,) = check(settings)
            return finding.ok, changed

    assert told() == (True, None)
    with closing(sqlite3.connect(tmp_path / "log.sqlite")) as db, db:
        db.execute("UPDATE events SET topic = topic || 's' WHERE position = 3")
    with closing(Store.at(tmp_path, AGGREGATES)) as store:
        assert look(store, tmp_path / WATCH) is not None
    well, changed = told()
    assert not well and changed is not None and changed.startswith("3: ")


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_server_says_that_its_log_was_changed_and_ends_its_watch(tmp_path: Path) -> None:
    folder = tmp_path / "town"
    found_town(Store.at(folder, AGGREGATES)).close()
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "RELIEF_DATA": str(folder)}
    env["RELIEF_WATCH_SECONDS"] = "1"
    server = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "serve", "--port", str(port)],
        env=env,
        stdout=subprocess.DEVNULL,
    )
    try:
        until(lambda: checkpoints(folder / WATCH))
        children = psutil.Process(server.pid).children()
        (watch,) = [one for one in children if "watch" in one.cmdline()]
        with closing(sqlite3.connect(folder / "log.sqlite")) as db, db:
            db.execute("UPDATE events SET topic = topic || 's' WHERE position = 3")

        def told() -> bool:
            said = httpx.get(f"http://127.0.0.1:{port}/ready").json()["notices"]
            return any(one["name"] == "log-changed" for one in said)

        until(told)
        server.send_signal(signal.SIGTERM)
        assert server.wait(PATIENCE_SECONDS) == 0
        assert not watch.is_running()
    finally:
        server.kill()
        server.wait()


def test_a_server_that_is_told_not_to_watches_nothing() -> None:
    with watching(Settings(watch_seconds=0)):
        assert all(one.name != "watch" for one in threading.enumerate())
