"""Files that a process holds open: never one a thread, and told as what they are when used up."""

import resource
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import literal, select

from eventstore import sqlite as log_file
from eventstore.errors import ReadersBusy, StoreClosed, StoreOutOfHandles, StoreReadOnly
from eventstore.sql import explain
from eventstore.sqlite import MOST_READERS, Gate, SQLiteLog, connect
from projections.catalog import VIEWS
from projections.folding import reader as views_reader
from projections.folding.engine import ViewsDatabase
from projections.folding.reader import ViewsReader


def handles(folder: Path) -> int:
    """How many files below this folder are open in this process."""
    found = 0
    for handle in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            found += handle.readlink().is_relative_to(folder)
    return found


@contextmanager
def none_left() -> Iterator[None]:
    """As if every handle that the system allows were in use."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def burst(read: object, threads: int) -> None:
    """That many threads at once, each of which reads once and ends."""
    assert callable(read)
    together = threading.Barrier(threads)

    def one(_: int) -> None:
        together.wait(30)
        read()

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, range(threads)))


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SQLiteLog]:
    log = SQLiteLog(tmp_path / "log.sqlite")
    yield log
    log.close()


def test_readers_of_many_threads_share_their_connections(log: SQLiteLog, tmp_path: Path) -> None:
    """One a thread, for ever: 89 handles after five bursts once."""
    for _ in range(5):
        burst(log.head, 48)
    assert handles(tmp_path) <= 2 * (MOST_READERS + 1) + 1  # file and WAL each, and one index of it
    log.close()
    assert handles(tmp_path) == 0


def test_readers_of_the_views_share_their_connections(tmp_path: Path) -> None:
    ViewsDatabase(tmp_path / "views.sqlite", VIEWS).close()
    reader = ViewsReader(tmp_path / "views.sqlite")

    def read() -> None:
        with reader() as db:
            db.execute(select(literal(1)))

    for _ in range(3):
        burst(read, 96)
    assert handles(tmp_path) <= 2 * (views_reader.POOLED + views_reader.MOST_BEYOND)
    reader.close()
    assert handles(tmp_path) == 0


def test_more_readers_than_the_pool_has_wait_and_are_told_so(
    log: SQLiteLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_file, "LOCK_SECONDS", 0.1)
    small = SQLiteLog(tmp_path / "other.sqlite")
    held = [small._reading._pool.connect() for _ in range(MOST_READERS)]
    with pytest.raises(ReadersBusy, match="connections for reading are busy"):
        small.head()
    held.pop().close()
    assert small.head() == 0
    for one in held:
        one.close()
    small.close()


def test_a_closed_log_opens_nothing_again(log: SQLiteLog, tmp_path: Path) -> None:
    log.head()
    log.close()
    with pytest.raises(StoreClosed):
        log.head()
    assert handles(tmp_path) == 0


def test_used_up_handles_are_not_told_as_a_disk_that_is_read_only(
    log: SQLiteLog, tmp_path: Path
) -> None:
    with none_left(), pytest.raises(StoreOutOfHandles) as reading:
        log.head()
    assert reading.value.retry_after and "ulimit" in reading.value.zh
    assert log.head() == 0, "it recovers by itself"
    with none_left(), pytest.raises(StoreOutOfHandles):
        Gate(tmp_path / "log.sqlite.gate")
    with none_left(), pytest.raises(StoreOutOfHandles):
        connect(tmp_path / "log.sqlite")
    with pytest.raises(StoreReadOnly):
        connect(tmp_path / "no such folder" / "log.sqlite")


def test_used_up_handles_are_told_when_views_or_a_server_are_read(tmp_path: Path) -> None:
    ViewsDatabase(tmp_path / "views.sqlite", VIEWS).close()
    reader = ViewsReader(tmp_path / "views.sqlite")
    with none_left(), pytest.raises(StoreOutOfHandles), reader():
        pass
    reader.close()
    with none_left(), pytest.raises(psycopg.OperationalError) as refused:
        psycopg.connect("postgresql://127.0.0.1:9/none", connect_timeout=2)
    assert isinstance(explain(refused.value), StoreOutOfHandles)
