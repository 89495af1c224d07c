"""What can be wrong with the files: each has its own clear error, and what can recover does."""

import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from eventstore import sqlite as log_file
from eventstore.errors import (
    StoreDamaged,
    StoreFull,
    StoreLocked,
    StoreReadOnly,
    StoreTooNew,
)
from eventstore.outcomes import Receipt
from eventstore.store import Store
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase
from streams.embedded import Follower
from tests.eventstore.support import (
    ROOT,
    elsewhere,
    envelope,
    found_town,
    loaded,
    named,
    new_household,
    new_unit,
    off_duty,
    open_store,
    people,
    send,
)
from tests.id_numbers import id_number

MIB = 1024 * 1024


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def town(folder: Path) -> Iterator[Store]:
    store = found_town(open_store(folder))
    yield store
    store.close()


@contextmanager
def mounted(place: Path, *options: str) -> Iterator[Path]:
    """A small file system of its own. Skipped, loudly, where mounting is not permitted."""
    place.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", place], capture_output=True)
    if done.returncode:
        said = f"MOUNTING IS NOT PERMITTED HERE, NOT TESTED: {done.stderr.decode().strip()}"
        if os.environ.get("RELIEF_TEST_MOUNTS"):
            pytest.fail(said)
        pytest.skip(said)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


# -- locked ---------------------------------------------------------------------------------------


def test_a_locked_file_is_said_to_be_locked_and_nothing_is_kept(
    town: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(town, new_unit("u"), by="dispatcher")
    town.log.writer.execute("PRAGMA busy_timeout=200")
    wish = envelope(off_duty("u"), by="dispatcher")
    with elsewhere("hold", folder / "log.sqlite") as other:
        with pytest.raises(StoreLocked) as locked:
            town.run(wish)
        assert locked.value.retry_after and locked.value.zh
        assert loaded(town, named("unit/u")).on_duty, "reading goes on"
        other.stdin.write("\n")
        other.stdin.flush()
        other.wait(timeout=60)
    receipt = town.run(wish)
    assert not receipt.repeated and loaded(town, named("unit/u")).version == 2


def test_a_held_gate_is_waited_for_so_long_and_not_for_ever(
    town: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_file, "LOCK_SECONDS", 0.2)
    gate = log_file.Gate(Path(town.log.source).with_name("log.sqlite.gate"))
    with gate(), pytest.raises(StoreLocked):
        send(town, new_unit("u"), by="dispatcher")
    gate.close()
    assert send(town, new_unit("u"), by="dispatcher").facts == 1


def test_a_locked_vault_keeps_no_sealed_half(town: Store, folder: Path) -> None:
    town.vault.db.execute("PRAGMA busy_timeout=100")
    wish = envelope(new_household("孙一", id_number(1)), by="reporter")
    with elsewhere("hold", folder / "vault.sqlite"), pytest.raises(StoreLocked):
        town.run(wish)
    assert town.vault.counts()["tokens"] == 0 and people(town, "孙") == []
    town.run(wish)
    household = loaded(town, named("household/孙一"))
    (member,) = household.members.values()
    assert town.vault.unseal(member.name, household.id, "name") == "孙一"


def test_a_locked_vault_fails_only_who_needs_it(town: Store, folder: Path) -> None:
    """One such answer once failed the batch, and everybody who had queued meanwhile."""
    town.vault.db.execute("PRAGMA busy_timeout=100")
    wishes = [
        envelope(new_unit("before"), by="dispatcher"),
        envelope(new_household("孙二", id_number(2)), by="reporter"),
        envelope(new_unit("after"), by="dispatcher"),
    ]
    with elsewhere("hold", folder / "vault.sqlite"):
        answers = town.run_many(wishes)
        assert [type(answer) for answer in answers] == [Receipt, StoreLocked, Receipt]
    again = town.run_many(wishes)
    assert [one.repeated for one in again if isinstance(one, Receipt)] == [True, False, True]


def test_one_command_that_must_wait_stops_nobody_in_the_queue(
    town: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    deciding, go_on = threading.Event(), threading.Event()

    def being_erased(*_: object) -> None:
        deciding.set()
        assert go_on.wait(30)
        raise StoreLocked("person is being erased")

    monkeypatch.setattr(town.vault, "seal", being_erased)
    answers: list[object] = []
    wishes = [
        envelope(new_household("孙三", id_number(3)), by="reporter"),
        envelope(new_unit("queued"), by="dispatcher"),
    ]
    town.writer.submit(wishes[0], answers.append)
    assert deciding.wait(30)
    town.writer.submit(wishes[1], answers.append)
    go_on.set()
    town.writer.close()
    assert [type(answer) for answer in answers] == [StoreLocked, Receipt]


def test_the_follower_waits_out_a_locked_views_file(town: Store, folder: Path) -> None:
    views = ViewsDatabase(folder / "views.sqlite", VIEWS)
    views.db.execute("PRAGMA busy_timeout=50")
    follower = Follower(town, views)
    follower.start()
    assert follower.wait_for(town.head(), 10)
    with elsewhere("hold", folder / "views.sqlite"):
        receipt = send(town, new_unit("u"), by="dispatcher")
        deadline = time.monotonic() + 5
        while follower.trouble is None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert isinstance(follower.trouble, StoreLocked) and follower.failure is None
    assert follower.wait_for(receipt.position, 5)
    follower.stop()
    views.close()


def test_a_single_command_waits_for_at_most_about_one_transaction_of_an_import(
    town: Store, folder: Path
) -> None:
    """Another process writes 256 commands a transaction, one after another without a pause."""
    size = 256
    with elsewhere("bulk", folder, size):
        began, start = time.perf_counter(), town.head()
        while town.head() < start + 6 * size and time.perf_counter() - began < 20:
            time.sleep(0.01)
        alone = (time.perf_counter() - began) / ((town.head() - start) / size)
        between, waits = [], []
        for n in range(12):
            head, asked = town.head(), time.perf_counter()
            receipt = send(town, new_unit(f"urgent{n}"), by="dispatcher")
            waits.append(time.perf_counter() - asked)
            between.append((receipt.position - head - 1) / size)
            time.sleep(0.02)
    print(f"a transaction takes {alone:.3f} s; waits {[round(w, 3) for w in waits]}")
    assert statistics.median(between) <= 2, between
    assert max(between) <= 3, between
    assert statistics.median(waits) < 2 * alone + 0.3, waits


# -- read-only and full ---------------------------------------------------------------------------


def test_a_read_only_disk_is_said_to_be_read_only(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "-o", "size=16m") as disk:
        store = found_town(open_store(disk / "store"))
        store.close()
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        with elsewhere("read_only", disk / "store") as other:
            assert other.stdout.readline().strip() == "StoreReadOnly"
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        again = open_store(disk / "store")
        assert send(again, new_unit("later"), by="dispatcher").facts == 1
        again.close()


def test_a_file_without_the_right_to_write_is_said_to_be_read_only(town: Store) -> None:
    town.log.writer.execute("PRAGMA query_only=ON")
    with pytest.raises(StoreReadOnly) as problem:
        send(town, new_unit("u"), by="dispatcher")
    assert problem.value.retry_after is None
    town.log.writer.execute("PRAGMA query_only=OFF")
    assert send(town, new_unit("u"), by="dispatcher").facts == 1


def test_a_full_disk_refuses_writes_reads_on_and_recovers(tmp_path: Path) -> None:
    with (
        mounted(tmp_path / "disk", "-o", "size=32m") as disk,
        elsewhere("full", disk / "store", 4000) as other,
    ):
        refused, head, seen = map(int, other.stdout.readline().split())
        assert refused == 3 and seen == head > 0
        other.stdin.write("\n")
        other.stdin.flush()
        assert other.stdout.readline().split() == ["1", "unit-off-duty"]
        assert other.wait(timeout=60) == 0


def test_a_full_log_refuses_writes_reads_on_and_recovers(town: Store) -> None:
    """The same by SQLite's own limit, so that it runs where nothing can be mounted."""
    pages = town.log.writer.execute("PRAGMA page_count").fetchone()[0]
    town.log.writer.execute(f"PRAGMA max_page_count={pages + 1}")
    accepted = 0
    with pytest.raises(StoreFull) as full:
        for n in range(1000):
            send(town, new_unit(f"u{n}"), by="dispatcher")
            accepted = n + 1
    assert accepted and full.value.retry_after
    assert town.load(named(f"unit/u{accepted}")) is None
    assert len(town.read(0, 10_000)) == town.head()
    town.log.writer.execute("PRAGMA max_page_count=1073741823")
    assert send(town, new_unit(f"u{accepted}"), by="dispatcher").facts == 1


# -- a commit that fails --------------------------------------------------------------------------


def test_a_failed_commit_leaves_nothing_behind_in_the_cached_aggregates(
    town: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(town, new_unit("u"), by="dispatcher")

    def failing(db: sqlite3.Connection, rows: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(town.log, "append", failing)
        wishes = [
            envelope(off_duty("u"), by="dispatcher"),
            envelope(new_unit("never"), by="dispatcher"),
            envelope(new_household("李未", id_number(3)), by="reporter"),
        ]
        assert not any(isinstance(answer, Receipt) for answer in town.run_many(wishes))
    head = town.head()
    assert town.load(named("unit/never")) is None
    assert send(town, off_duty("u"), by="dispatcher").position == head + 1
    assert send(town, new_unit("never"), by="dispatcher").facts == 1
    assert all(isinstance(answer, Receipt | Exception) for answer in town.run_many(wishes))
    assert loaded(town, named("unit/u")).version == 2
    assert loaded(town, named("household/李未")).size == 1


def test_rows_are_never_written_outside_a_transaction(town: Store) -> None:
    """SQLite gives up a transaction on some errors; each row would then commit by itself."""
    row = town.log.rows(0, 1)[0]
    with pytest.raises(StoreDamaged):
        town.log.append(town.log.writer, [(town.head() + 1, b"x" * 16, 1, row[3], row[4])])


# -- damaged, newer, mixed up ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["log.sqlite", "vault.sqlite"])
def test_a_newer_schema_is_not_touched(town: Store, folder: Path, name: str) -> None:
    town.close()
    with closing(sqlite3.connect(folder / name)) as db:
        db.execute("PRAGMA user_version=99")
    with pytest.raises(StoreTooNew) as problem:
        open_store(folder)
    assert name in str(problem.value) and "99" in str(problem.value)


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.6, 0.99])
@pytest.mark.parametrize("name", ["log.sqlite", "vault.sqlite"])
def test_a_file_cut_short_is_damaged(town: Store, folder: Path, name: str, kept: float) -> None:
    town.run_many([envelope(new_unit(f"u{n}"), by="dispatcher") for n in range(300)])
    town.close()
    path = folder / name
    os.truncate(path, int(path.stat().st_size * kept))
    with pytest.raises(StoreDamaged) as problem:
        open_store(folder)
    assert problem.value.zh and problem.value.retry_after is None


@pytest.mark.parametrize("name", ["log.sqlite", "vault.sqlite"])
def test_a_file_that_is_none_of_ours_is_damaged(town: Store, folder: Path, name: str) -> None:
    town.close()
    (folder / name).write_bytes(b"this is a text, and no database at all\n" * 400)
    with pytest.raises(StoreDamaged):
        open_store(folder)


@pytest.mark.parametrize("name", ["log.sqlite", "vault.sqlite", "vault.key"])
def test_a_lost_file_is_noticed_and_never_made_anew(town: Store, folder: Path, name: str) -> None:
    town.close()
    (folder / name).unlink()
    with pytest.raises(StoreDamaged):
        open_store(folder)


@pytest.mark.parametrize("names", [["vault.key"], ["vault.sqlite", "vault.key"], ["log.sqlite"]])
def test_files_of_another_store_are_noticed(
    town: Store, folder: Path, tmp_path: Path, names: list[str]
) -> None:
    town.close()
    other = found_town(open_store(tmp_path / "other"))
    other.close()
    for name in names:
        shutil.copyfile(tmp_path / "other" / name, folder / name)
    with pytest.raises(StoreDamaged):
        open_store(folder)


def test_a_key_file_of_the_wrong_length_is_damaged(town: Store, folder: Path) -> None:
    town.close()
    (folder / "vault.key").write_bytes(b"short")
    with pytest.raises(StoreDamaged):
        open_store(folder)


def test_two_processes_may_make_one_store_together(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from tests.eventstore.support import open_store;"
    code += "open_store(Path(sys.argv[1])).close()"
    for turn in range(3):
        folder = tmp_path / str(turn)
        makers = [
            subprocess.Popen([sys.executable, "-c", code, folder], cwd=ROOT) for _ in range(3)
        ]
        assert [maker.wait(timeout=60) for maker in makers] == [0, 0, 0]
        found_town(open_store(folder)).close()


def test_closing_waits_for_what_is_queued(folder: Path) -> None:
    store = found_town(open_store(folder))
    done: list[object] = []
    threads = [
        threading.Thread(
            target=lambda n=n: done.append(send(store, new_unit(f"q{n}"), by="dispatcher"))
        )
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    while not done:
        time.sleep(0.001)
    for thread in threads:
        thread.join()
    store.close()
    assert len(done) == 8
