"""One leader at a time; another takes over, also from one that merely stands still."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from streams.leader import Leader
from tests.cluster.relaying import ROOT, Process, urls, wait_for
from tests.servers import Database


class Said(NamedTuple):
    what: str
    epoch: int
    at: float


class Candidate(Process):
    """`tests/cluster/candidate.py` as a process of its own."""

    def __init__(self, url: str, log: Path) -> None:
        script = str(ROOT / "tests" / "cluster" / "candidate.py")
        super().__init__([script, url, "relay"], log, {"PYTHONPATH": str(ROOT)})

    @property
    def history(self) -> list[Said]:
        whole = self.said.rpartition("\n")[0]  # the last line may not be written to its end yet
        lines = [line.split() for line in whole.splitlines()]
        wanted = [words for words in lines if words and words[0] in ("leads", "ceases")]
        return [Said(what, int(epoch), float(at)) for what, epoch, at in wanted]

    @property
    def leads(self) -> bool:
        return bool(self.history) and self.history[-1].what == "leads"


@pytest.fixture
def url(postgres_database: Database) -> str:
    return urls(postgres_database).database


@pytest.fixture
def pair(url: str, tmp_path: Path) -> Iterator[tuple[Candidate, Candidate]]:
    """The leader, then its stand-by."""
    first = Candidate(url, tmp_path / "first")
    second = None
    try:
        wait_for(lambda: first.leads, 20)
        second = Candidate(url, tmp_path / "second")
        wait_for(lambda: standing_by(url), 20)
        yield first, second
    finally:
        for one in (first, second):
            if one is not None:
                one.kill()


def standing_by(url: str) -> bool:
    """Whether a candidate has asked for the lock in vain."""
    with psycopg.connect(url) as session:
        row = session.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND query LIKE '%pg_try_advisory_lock%'"
        ).fetchone()
    return row != (0,)


def take_over(pair: tuple[Candidate, Candidate], end: Callable[[Candidate], None]) -> None:
    """End the leader; the other leads, in the next epoch."""
    first, second = pair
    assert first.leads
    assert not second.leads
    end(first)
    wait_for(lambda: second.leads)
    (led,) = second.history
    assert led.epoch == first.history[0].epoch + 1


def test_a_killed_leader_is_replaced(
    pair: tuple[Candidate, Candidate],
) -> None:
    take_over(pair, lambda leader: leader.kill())


def test_a_stopped_leader_is_replaced_and_knows_it_when_it_goes_on(
    pair: tuple[Candidate, Candidate],
) -> None:
    take_over(pair, lambda leader: leader.send(signal.SIGSTOP))
    first, second = pair
    first.send(signal.SIGCONT)
    wait_for(lambda: not first.leads)
    time.sleep(1)
    assert second.leads
    assert not first.leads


def test_a_leader_that_gives_up_is_replaced_and_epochs_rise(url: str) -> None:
    first, second = Leader(url, "relay"), Leader(url, "relay")
    first.start()
    wait_for(first.held)
    second.start()
    first.stop()
    assert not first.held()
    wait_for(second.held)
    assert (first.epoch, second.epoch) == (1, 2)
    second.stop()


def test_leaders_of_different_things_do_not_hinder_each_other(url: str) -> None:
    relay, timekeeper = Leader(url, "relay"), Leader(url, "timekeeper")
    relay.start()
    timekeeper.start()
    wait_for(lambda: relay.held() and timekeeper.held())
    relay.stop()
    timekeeper.stop()


def test_a_leader_whose_session_is_ended_does_not_hold_it_any_more(
    url: str, postgres_database: Database
) -> None:
    leader = Leader(url, "relay")
    leader.start()
    wait_for(leader.held)
    with psycopg.connect(postgres_database.url(), autocommit=True) as session:
        session.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks"
            " WHERE locktype = 'advisory' AND objsubid = 2"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
    wait_for(lambda: not leader.held() or leader.epoch == 2, 1)
    wait_for(lambda: leader.held() and leader.epoch == 2)
    leader.stop()
