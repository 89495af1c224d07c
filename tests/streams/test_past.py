"""Who keeps the past: a process that comes when somebody asks, comes again, and ends."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import psutil
import pytest
from sqlalchemy import func, select

from domain.catalog import AGGREGATES
from eventstore.log import Log
from eventstore.postgres import PostgresLog, PostgresVault
from eventstore.sqlite import SQLiteLog
from eventstore.store import Store
from projections.areas import AREAS
from projections.folding.reader import ViewsReader
from streams.past import MOST_WAITING, Past, PastBehind
from tests.cluster.relaying import urls
from tests.eventstore.support import found_town, named, new_unit, off_duty, send
from tests.eventstore.test_disowning import disown
from tests.eventstore.test_seals import owner_of
from tests.eventstore.test_trust import forge
from tests.servers import Database

PATIENCE_SECONDS = 120.0


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def areas_at(past: Past, position: int) -> int:
    """How many areas there were; waits until that is kept."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with past.at(position) as db:
                return int(db.execute(select(func.count()).select_from(AREAS)).scalar_one())
        except PastBehind:
            assert time.monotonic() < deadline


def keepers(file: Path) -> list[psutil.Process]:
    """Processes that hold the file open."""
    found = []
    for process in psutil.process_iter():
        try:
            if any(one.path == str(file) for one in process.open_files()):
                found.append(process)
        except psutil.Error:
            continue
    return [one for one in found if one.pid != os.getpid()]


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def town(
    request: pytest.FixtureRequest, tmp_path: Path, postgres_database: Database
) -> Iterator[Store]:
    if request.param == "SQLite":
        store = Store.at(tmp_path / "town", AGGREGATES)
    else:
        made = urls(postgres_database)
        vault = PostgresVault(made.vault, tmp_path / "vault.key")
        store = Store(PostgresLog(made.database), vault, AGGREGATES)
    yield found_town(store)
    store.close()


def test_the_first_question_starts_a_keeper_and_a_killed_one_is_started_again(
    town: Store, tmp_path: Path
) -> None:
    past = Past(town.log, tmp_path / "kept")
    assert past.position() == 0 and not past.path.exists(), "nobody has asked"
    head = town.head()
    whole = areas_at(past, head)
    assert whole > areas_at(past, 1) == 1
    (keeper,) = keepers(past.path)
    assert keeper.nice() >= min(19, os.nice(0) + 10)

    keeper.send_signal(signal.SIGKILL)
    keeper.wait()
    send(town, new_unit("later"), by="dispatcher")
    assert town.head() > head
    assert areas_at(past, town.head()) == whole
    (again,) = keepers(past.path)
    assert again.pid != keeper.pid
    past.close()
    until(lambda: not keepers(past.path))


def test_of_several_servers_on_a_folder_one_process_keeps_it(town: Store, tmp_path: Path) -> None:
    one, other = Past(town.log, tmp_path / "kept"), Past(town.log, tmp_path / "kept")
    whole = areas_at(one, town.head())
    assert areas_at(other, town.head()) == whole
    assert len(keepers(one.path)) == 1
    one.close()  # the other's process takes it up
    send(town, new_unit("later"), by="dispatcher")
    assert areas_at(other, town.head()) == whole
    other.close()


def test_a_keeper_ends_with_the_server_that_started_it(tmp_path: Path) -> None:
    folder = tmp_path / "town"
    found_town(Store.at(folder, AGGREGATES)).close()
    program = (
        "import sys, time, pathlib\n"
        "from eventstore.sqlite import SQLiteLog\n"
        "from streams.past import Past\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "Past(SQLiteLog(folder / 'log.sqlite'), folder).ask()\n"
        "print('asked', flush=True)\n"
        "time.sleep(600)\n"
    )
    server = subprocess.Popen(
        [sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    with server:
        assert server.stdout.readline() == "asked\n"
        until(lambda: len(keepers(folder / "past.sqlite")) == 1)
        server.kill()
    until(lambda: not keepers(folder / "past.sqlite"))


def test_the_past_of_another_log_is_made_anew(town: Store, tmp_path: Path) -> None:
    past = Past(town.log, tmp_path / "kept")
    areas_at(past, town.head())
    past.close()
    elsewhere = Store.at(tmp_path / "other", AGGREGATES)
    found_town(elsewhere)
    other: Log = SQLiteLog(tmp_path / "other" / "log.sqlite")
    of_other = Past(other, tmp_path / "kept")
    assert of_other.position() == 0, "its rows are of another log"
    areas_at(of_other, elsewhere.head())
    with of_other.at(elsewhere.head()) as db:
        kept = {UUID(id) for id in db.execute(select(AREAS.c.id)).scalars()}
    assert all(elsewhere.load(one) is not None for one in kept)
    of_other.close()
    other.close()
    elsewhere.close()


def cut_short(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def garbled(file: Path) -> None:
    file.write_bytes(b"no database" * 4_000)


def garbled_inside(file: Path) -> None:
    """The first pages are whole: that it is damaged shows only when somebody asks for rows."""
    whole = file.read_bytes()
    file.write_bytes(whole[:8_192] + b"\x07" * (len(whole) - 8_192))


def of_a_later_program(file: Path) -> None:
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA user_version = 99")
        db.execute("UPDATE positions SET position = 1")
        db.commit()


@pytest.mark.parametrize("harm", [cut_short, garbled, garbled_inside, of_a_later_program])
def test_a_file_that_cannot_be_read_is_made_anew(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    """Nothing is lost with it: who asks waits as for the first time, and needs nobody's help."""
    with closing(found_town(Store.at(tmp_path / "town", AGGREGATES))) as town:
        past = Past(town.log, tmp_path / "kept")
        whole = areas_at(past, town.head())
        past.close()
        with closing(sqlite3.connect(past.path)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        harm(past.path)
        past = Past(town.log, tmp_path / "kept")
        assert areas_at(past, town.head()) == whole
        past.close()


def test_a_file_that_is_deleted_while_it_is_kept_is_made_anew(tmp_path: Path) -> None:
    with closing(found_town(Store.at(tmp_path / "town", AGGREGATES))) as town:
        past = Past(town.log, tmp_path / "kept")
        whole = areas_at(past, town.head())
        for file in past.path.parent.glob("past.sqlite*"):
            file.unlink()
        assert areas_at(past, town.head()) == whole
        assert past.path.exists() and past.path.stat().st_mode & 0o777 == 0o600
        past.close()


def test_it_ends_when_nobody_has_asked_for_a_while(town: Store, tmp_path: Path) -> None:
    past = Past(town.log, tmp_path / "kept")
    areas_at(past, town.head())
    long_ago = time.time() - 10_000
    os.utime(past.path.with_suffix(".asked"), (long_ago, long_ago))
    until(lambda: not keepers(past.path))
    assert areas_at(past, town.head()), "and comes again with the next question"
    past.close()


def test_a_folder_that_cannot_be_written_to_is_no_error_of_the_asker(tmp_path: Path) -> None:
    """It was a 500; now the past is not there, as when nobody has asked for it yet."""
    store = found_town(Store.at(tmp_path / "town", AGGREGATES))
    (tmp_path / "a file").write_text("")
    past = Past(store.log, tmp_path / "a file" / "below")
    with pytest.raises(PastBehind), past.at(1):
        pass
    past.close()
    store.close()


def test_few_wait_for_a_past_that_is_not_there_and_others_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each that waits holds a thread that everybody's questions need."""
    monkeypatch.setattr("streams.past.WAIT_SECONDS", 3_600.0)  # whoever waits, waits to the end
    store = found_town(Store.at(tmp_path / "town", AGGREGATES))
    (tmp_path / "a file").write_text("")
    past = Past(store.log, tmp_path / "a file" / "below")  # nobody can keep it there
    told = list[int]()

    def ask(n: int) -> None:
        try:
            with past.at(1):
                pass
        except PastBehind:
            told.append(n)

    askers = [threading.Thread(target=ask, args=(n,), daemon=True) for n in range(12)]
    for one in askers:
        one.start()
    until(lambda: len(told) == 12 - MOST_WAITING)
    monkeypatch.setattr(Past, "position", lambda self: 1)
    monkeypatch.setattr(past, "_reader", ViewsReader(tmp_path / "town" / "log.sqlite"))
    for one in askers:
        one.join(PATIENCE_SECONDS)
    assert len(told) == 12 - MOST_WAITING and not any(one.is_alive() for one in askers)
    past.close()
    store.close()


def test_what_nobody_has_written_is_never_kept(tmp_path: Path) -> None:
    """Also once it was disowned, and what came behind it is there."""
    unit = str(named("unit/0队"))
    sql = f"SELECT status FROM units WHERE id = '{unit}'"

    def on_duty_at(past: Past, position: int) -> bool:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                with past.at(position) as db:
                    return str(db.exec_driver_sql(sql).scalar_one()) != "off_duty"
            except PastBehind:
                assert time.monotonic() < deadline

    with closing(found_town(Store.at(tmp_path / "town", AGGREGATES))) as store:
        past = Past(store.log, tmp_path / "kept", store.trust)
        for name in ("0队", "1队"):
            send(store, new_unit(name), "dispatcher")
        at = forge(store, owner_of(tmp_path / "town"))
        later = send(store, new_unit("later"), "dispatcher").position
        assert on_duty_at(past, later) and on_duty_at(past, at)
        disown(store, at)
        gone = send(store, off_duty("0队"), "dispatcher").position
        assert on_duty_at(past, gone - 1) and not on_duty_at(past, gone)
        past.close()
