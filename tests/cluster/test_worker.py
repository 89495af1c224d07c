"""Whatever happens to workers, brokers and databases, the tables are those of the follower.

Real processes on a real broker and a real PostgreSQL. Groups form slowly on Tansu, so each test
makes as much of its workers as it can; `RELIEF_FAULTS=full` makes as many faults as are promised.
"""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from uuid import NAMESPACE_OID, uuid5

import pytest

from cli.trial.postgres import PostgresServer
from cli.up.programs import RESTING
from domain.catalog import AGGREGATES
from eventstore.log import Row
from eventstore.mapper import TypedMapper
from eventstore.store import Recorded
from projections.catalog import VIEWS
from streams.frames import PARTITIONS, Framer
from streams.health import STUCK_EXIT
from streams.kafka import FRAMES, Kafka
from streams.topics import described
from streams.worker import METADATA_SECONDS
from tests.cluster.relaying import wait_for
from tests.cluster.test_applying import shuffled
from tests.cluster.workers import ALL, Cluster, WorkerProcess, city, cluster
from tests.faults import TIMEOUT, Told, count
from tests.projections.partitions import hashes_of
from tests.servers import Database, fresh_database

KILLS = count(3, 20)
SHUFFLES = range(count(1, 5))
STOPPED_SECONDS = count(9.0, 30.0)
"""Longer than the session timeout, so that the others take over."""

pytestmark = pytest.mark.timeout(TIMEOUT)


@pytest.fixture
def town(tmp_path: Path, postgres_database: Database) -> Iterator[Cluster]:
    """A cluster whose log holds the city's facts, of which nothing has been sent."""
    rows = city()[0]
    with cluster(tmp_path, postgres_database) as found:
        found.append(rows)
        yield found


def two(town: Cluster) -> tuple[WorkerProcess, WorkerProcess]:
    """Two workers that share the partitions."""
    pair = town.worker("worker.1"), town.worker("worker.2")
    town.settled(*pair)
    return pair


@pytest.mark.parametrize("seed", SHUFFLES)
def test_one_worker_makes_the_tables_from_frames_repeated_and_shuffled(
    town: Cluster, seed: int
) -> None:
    rows, tables = city()
    worker = town.worker("worker.1")
    frames = town.frames(rows)
    town.send([*shuffled(frames, Random(seed)), *frames[-PARTITIONS:]])
    town.reach(rows[-1][0])
    assert town.hashes() == tables, f"seed {seed}"
    health = worker.joined().health()
    assert health["status"] == "ok" and health["lag"] == 0
    assert set(health["assigned"]) == ALL
    alive = town.folder / "run" / "worker.1.alive"
    assert alive.exists()
    assert worker.stop() == 0, worker.said
    assert not alive.exists()


def killed(town: Cluster, kills: int) -> None:
    """Two workers make the tables while one after the other is killed with -9."""
    rows, tables = city()
    frames = town.frames(rows, 20)
    workers = list(two(town))
    dice = Random(kills)
    slices = [frames[n :: kills + 1] for n in range(kills + 1)]  # each with gaps everywhere
    for n, part in enumerate(slices[:-1]):
        town.send(part)
        time.sleep(dice.uniform(0, 0.4))
        workers[n % 2].kill()
        workers[n % 2] = town.worker(f"worker.{n + 3}")
    town.send(slices[-1])
    town.reach(rows[-1][0])
    assert town.hashes() == tables
    assert town.views.parked() == []
    town.settled(*workers)


def test_workers_that_are_killed_and_started_again_make_the_same_tables(town: Cluster) -> None:
    killed(town, KILLS)


def test_a_stopped_worker_that_wakes_up_changes_nothing(
    town: Cluster, record_property: Told
) -> None:
    rows, tables = city()
    frames = town.frames(rows, 20)
    sleeper, other = two(town)
    town.send(frames[: len(frames) // 3])
    sleeper.send(signal.SIGSTOP)
    town.send(frames[len(frames) // 3 :])
    wait_for(lambda: other.partitions() == ALL, 90)
    town.reach(rows[-1][0])
    assert town.hashes() == tables
    time.sleep(STOPPED_SECONDS - 9.0)
    sleeper.send(signal.SIGCONT)
    town.settled(sleeper, other)
    town.send(frames)  # all of them once more, to both
    assert sleeper.stop() == 0, sleeper.said
    assert other.stop() == 0, other.said
    assert town.hashes() == tables
    assert town.position() == rows[-1][0]
    record_property(
        "A7",
        f"a worker stood still for at least {STOPPED_SECONDS:g} s while another took over, and all "
        "frames came once more afterwards: tables unchanged",
    )


def late_seconds(town: Cluster, tail: list[Row], among: set[int]) -> Iterator[tuple[float, int]]:
    """Let the log grow by these rows and relay them.

    Each time how late these partitions are, and up to which position all of them have come.
    """
    framer = Framer(town.router, dict.fromkeys(range(PARTITIONS), tail[0][0] - 1))
    sent: list[tuple[int, float]] = []
    while tail or sent:
        now, tail, part = time.monotonic(), tail[20:], tail[:20]
        if part:
            town.append(part)
            town.send([*framer.cut(part), *framer.watermarks(part[-1][0])])
            sent.append((part[-1][0], now))
        lowest = min(town.views.position(n) for n in among)
        sent = [(position, at) for position, at in sent if position > lowest]
        yield time.monotonic() - sent[0][1] if sent else 0.0, lowest
        time.sleep(0.05)


def test_a_worker_that_stops_hands_over_before_the_group_has_decided(
    tmp_path: Path, postgres_database: Database
) -> None:
    """A group takes seconds on Tansu: meanwhile the other brings the partitions on."""
    rows, tables = city()
    begun = 5_000
    took: list[float] = []
    with cluster(tmp_path, postgres_database) as town:
        town.append(rows[:begun])
        leaver, other = two(town)
        town.send(town.frames(rows[:begun]))
        town.reach(begun)
        theirs, stopped = leaver.partitions(), time.monotonic()
        leaver.send(signal.SIGTERM)
        with ThreadPoolExecutor(1) as beside:
            decided = beside.submit(lambda: wait_for(lambda: other.partitions() == ALL, 60))
            decided.add_done_callback(lambda _: took.append(time.monotonic() - stopped))
            late, before = 0.0, begun
            for seconds, reached in late_seconds(town, list(rows[begun:]), theirs):
                late = max(late, seconds)
                before = before if took else max(before, reached)
        decided.result()
        print(f"at most {late:.2f} s late; the group took {took[0]:.2f} s")
        assert before > begun, "facts after the stop were in the views before the group decided"
        assert leaver.wait(10) == 0, leaver.said
        town.reach(rows[-1][0])  # the other's own partitions too
        assert town.hashes() == tables


def test_partitions_go_on_without_a_broker_and_with_an_empty_one(town: Cluster) -> None:
    rows, tables = city()
    worker = town.worker("worker.1").joined()
    town.broker.kill()
    town.reach(rows[-1][0])  # nothing was ever sent
    assert town.hashes() == tables
    town.broker.start()
    time.sleep(2 * METADATA_SECONDS)  # whoever asks for the topic must not make it
    assert described(Kafka(town.broker.address).admin(), FRAMES) is None
    town.bus.open()
    wait_for(
        lambda: worker.health().get("rebalancing") is False and worker.partitions() == ALL, 120
    )
    assert worker.stop() == 0, worker.said


def test_a_worker_waits_for_its_database_and_goes_on(tmp_path: Path) -> None:
    rows, tables = city()
    (tmp_path / "town").mkdir()
    with (
        PostgresServer(tmp_path / "postgres") as server,
        fresh_database(server) as database,
        cluster(tmp_path / "town", database) as town,
    ):
        town.append(rows)
        frames = town.frames(rows, 20)
        worker = town.worker("worker.1").joined()
        town.send(frames[: len(frames) // 2])
        server.kill()
        wait_for(lambda: worker.health().get("trouble"), 30)
        town.send(frames[len(frames) // 2 :])
        server.start()
        town.reach(rows[-1][0])
        assert town.hashes() == tables
        wait_for(lambda: worker.health().get("status") == "ok", 10)
        assert worker.stop() == 0, worker.said


# -- poison ---------------------------------------------------------------------------------------


def poison(kind: int, position: int) -> Row:
    """A fact of a stream of its own: an unknown type, undecodable, or not to be folded."""
    stream = uuid5(NAMESPACE_OID, f"poison/{position}").bytes
    division = city()[0][-1][4]  # a true fact's bytes: the partition is its
    return [
        (position, stream, 1, "Nobody.Knows", division),
        (position, stream, 1, "Stockpile.Shipped", b"\xff" + division),
        (position, stream, 1, "Stockpile.Shipped", b'{"half": '),
    ][kind]


def poisoned(every: int) -> tuple[list[Row], dict[str, str], list[int]]:
    """The city's facts with a poisoned one among so many; the tables of the others; where."""
    found: list[Row] = []
    bad: list[int] = []
    for n, (_, *rest) in enumerate(city()[0]):
        if n % every == every // 2:
            bad.append(len(found) + 1)
            found.append(poison(len(bad) % 3, bad[-1]))
        found.append((len(found) + 1, *rest))  # type: ignore[arg-type]
    decode = TypedMapper(AGGREGATES).decode
    good = [Recorded(r[0], decode(r[3], r[4])) for r in found if r[0] not in bad]
    return found, hashes_of(VIEWS, good), bad


def test_poison_is_parked_and_too_much_of_it_stops_the_worker_until_somebody_looks(
    tmp_path: Path, postgres_database: Database, record_property: Told
) -> None:
    rows, tables, bad = poisoned(1_000)
    with cluster(tmp_path, postgres_database) as town:
        town.append(rows)
        worker = town.worker("worker.1")
        town.send(town.frames(rows))
        town.reach(rows[-1][0])
        assert town.hashes() == tables
        assert {parked.position for parked in town.views.parked()} == set(bad)
        head = rows[-1][0]
        only = [poison(0, head + n) for n in range(1, 101)]
        town.append(only)
        framer = Framer(town.router, dict.fromkeys(range(PARTITIONS), head))
        town.send(framer.cut(only))
        assert worker.wait(60) == RESTING, worker.said
        assert "Ten different streams" in worker.said
        assert len({parked.position for parked in town.views.parked()}) <= len(bad) + 9
        again = town.worker("worker.2")
        assert again.wait(90) == RESTING, again.said
    record_property(
        "A8",
        f"{len(bad)} poisoned facts of three kinds among {len(rows)}: parked, the others folded; "
        "100 poisoned in a row: stopped with a message before the tenth stream",
    )


def test_a_worker_that_hangs_ends_itself(town: Cluster) -> None:
    worker = town.worker("worker.1", ("-m", "tests.cluster.hung_worker"))
    town.send(town.frames(city()[0][:200]))
    assert worker.wait(120) == STUCK_EXIT, worker.said
    assert "process.stuck" in worker.said and "hung_worker.py" in worker.said
