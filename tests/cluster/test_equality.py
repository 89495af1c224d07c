"""The same tables, whoever made them: by SHA-256, on a generated city of eight counties.

The embedded follower, one worker, four workers, four that are killed with their relay (A3), and a
rebuild from nothing. Real frames on a real broker; every worker folds some.
"""

import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from cli.trial.broker import Broker
from cli.trial.server import KafkaServer
from projections.folding.rebuild import rebuild
from tests.cluster.cities import COUNTIES
from tests.cluster.relaying import Process, wait_for
from tests.cluster.test_relay_processes import RELAY
from tests.cluster.workers import Cluster, city, cluster
from tests.faults import FULL, TIMEOUT, Told, count, load_a_core
from tests.oracles import tables_of
from tests.servers import ApacheKafka, Database, need_apache_kafka

KILLS = {Broker: count(3, 20), **({ApacheKafka: 10} if FULL else {})}
"""Tansu's group takes 9 s to miss a dead member, and some more for a new one."""
SLICE = 400


@pytest.fixture
def town(tmp_path: Path, postgres_database: Database) -> Iterator[Cluster]:
    """An empty log, a broker with its topic, views without rows."""
    with cluster(tmp_path, postgres_database, Broker) as found:
        yield found


def relay(town: Cluster, number: int = 0) -> Process:
    return town.process(RELAY, f"relay-{number}", RELIEF_PROCESS="relay")


def check(town: Cluster, head: int) -> None:
    """The tables are the embedded follower's; so are those of a rebuild, which replaces them."""
    assert town.position() == head
    assert town.views.parked() == []
    assert town.hashes() == city()[1]
    rebuilt = rebuild(town.log.source, town.views, workers=2)
    assert rebuilt.events == head
    assert {live.generation for live in town.views.live()} == {2}, "made anew"
    assert tables_of(town.views) == city()[1]


@pytest.mark.timeout(TIMEOUT)
@pytest.mark.parametrize("count_of_workers", [1, 4])
def test_workers_and_a_rebuild_make_the_embedded_followers_tables(
    town: Cluster, count_of_workers: int, record_property: Told
) -> None:
    rows = city()[0]
    assert len({row[1] for row in rows}) > 500 and COUNTIES >= 8
    workers = [town.worker(f"worker.{n}") for n in range(count_of_workers)]
    town.settled(*workers)
    leader = relay(town)
    for start in range(0, len(rows), SLICE):
        town.append(rows[start : start + SLICE])
    began = time.monotonic()
    town.reach(rows[-1][0])
    took = time.monotonic() - began
    wait_for(lambda: sum(worker.folded() for worker in workers) >= len(rows), 30)  # told after it
    each = [worker.folded() for worker in workers]
    assert min(each) > 0, f"every worker folds facts: {each}"
    for worker in workers:
        health = worker.health()
        assert set(health["positions"].values()) == {rows[-1][0]}, health
    check(town, rows[-1][0])
    assert [one.stop() for one in [*workers, leader]] == [0] * (count_of_workers + 1)
    record_property(
        "equality",
        f"{len(rows)} facts of {COUNTIES} counties, {count_of_workers} workers folded {each}; "
        f"up to date {took:.1f} s after the last fact; all tables equal, rebuilt too",
    )


def kills(town: Cluster, many: int) -> tuple[list[float], list[int], int]:
    """Kill workers in turn, and every third time the relay too, each with facts under way.

    Seconds from each kill until every view had all facts; what the workers left have folded; how
    often one of them had to be started again because its group did not take it in.
    """
    rows, dice = city()[0], Random(5)
    workers = [town.worker(f"worker.{n}") for n in range(4)]
    town.settled(*workers)
    leader = relay(town)
    resumed = list[float]()
    size = -(-len(rows) // (many + 1))
    for n, start in enumerate(range(0, len(rows), size)):
        town.append(rows[start : start + size])
        if n == many:
            break
        time.sleep(dice.uniform(0.0, 0.3))
        workers[n % 4].kill()
        killed = time.monotonic()
        workers[n % 4] = town.worker(f"worker.{n + 4}")
        if n % 3 == 2:
            leader.kill()
            leader = relay(town, n)
        town.reach(rows[min(start + size, len(rows)) - 1][0])
        resumed.append(time.monotonic() - killed)
    town.settled(*workers)
    town.reach(rows[-1][0])
    check(town, rows[-1][0])
    again = sum(worker.started_again for worker in workers)
    return resumed, [worker.folded() for worker in workers], again


@pytest.mark.timeout(TIMEOUT)
@pytest.mark.parametrize("kind", KILLS)
def test_workers_and_a_relay_that_are_killed_make_the_same_tables(
    tmp_path: Path,
    postgres_database: Database,
    kind: type[KafkaServer],
    record_property: Told,
) -> None:
    if kind is ApacheKafka:
        need_apache_kafka()
    with cluster(tmp_path, postgres_database, kind) as town:
        resumed, each, again = kills(town, KILLS[kind])
    slowest, usual = max(resumed), statistics.median(resumed)
    record_property(
        "A3",
        f"{kind.__name__}: {KILLS[kind]} kills of four workers with facts under way, "
        f"{KILLS[kind] // 3} of the relay; all facts folded once, tables equal, rebuilt too; views "
        f"complete {usual:.1f} s after a kill (median), {slowest:.1f} s (longest), load a core "
        f"{load_a_core():.1f}; those left folded {each}; {again} started again by themselves",
    )
