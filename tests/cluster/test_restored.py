"""A log is put back from a backup while Kafka goes on with what it had: nothing is done by hand."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from eventstore.log import Row
from streams.sealing import keep_seal
from tests.cluster.relaying import SECRET, Process, cut_off, wait_for
from tests.cluster.test_applying import false_row, tables_made_of
from tests.cluster.test_relay_processes import RELAY
from tests.cluster.workers import Cluster, WorkerProcess, city, cluster
from tests.faults import TIMEOUT
from tests.servers import Database

BACKED_UP = 1_000
"""Where the backup ends, and so the log after each restore."""
SECONDS = 120.0

pytestmark = pytest.mark.timeout(TIMEOUT)


@pytest.fixture
def town(tmp_path: Path, postgres_database: Database) -> Iterator[Cluster]:
    with cluster(tmp_path, postgres_database) as found:
        yield found


def relay(town: Cluster, number: int) -> Process:
    return town.process(RELAY, f"relay-{number}", RELIEF_PROCESS="relay", RELIEF_HEALTH_PORT="0")


def lost(after: int) -> list[Row]:
    """Facts that are in no backup: goods that come again and again."""
    rows = [false_row(after + n) for n in range(1, 31)]
    return [(row[0], row[1], row[2] + row[0], *row[3:]) for row in rows]


def restored(town: Cluster, database: Database, epoch: str) -> None:
    """What `relief restore` leaves: an older log, and an epoch of its own with its seal."""
    cut_off(database, BACKED_UP)
    town.log.set_mark("epoch", epoch)
    keep_seal(town.log, SECRET)


def shown(town: Cluster, rows: Sequence[Row]) -> None:
    """The tables become those of a rebuild from these facts."""
    tables = tables_made_of(rows)

    def equal() -> bool:
        with suppress(psycopg.errors.UndefinedTable):  # they begin anew just now
            return town.position() == rows[-1][0] and town.hashes() == tables
        return False

    wait_for(equal, SECONDS)


def goes_on_by_frames(town: Cluster, worker: WorkerProcess, upto: int) -> None:
    """New facts come to the worker as frames of the relay, which it believes."""
    rows, framed = city()[0], worker.joined().framed()
    town.append(rows[town.log.head() : upto])
    shown(town, rows[:upto])
    assert worker.framed() > framed


def test_a_restore_under_a_living_broker_needs_nothing_by_hand(
    town: Cluster, postgres_database: Database
) -> None:
    """H1: frames of the lost facts fitted on behind the restored head, and 7 tables differed."""
    rows = city()[0]
    town.append([*rows[:BACKED_UP], *lost(BACKED_UP)])
    first, worker = relay(town, 1), town.worker("worker.1").joined()
    town.reach(BACKED_UP + 30)
    assert town.hashes() != tables_made_of(rows[:BACKED_UP])
    # As the handbook says: everything of ours is stopped, Kafka is left as it was.
    assert first.stop() == 0, first.said
    worker.kill()
    restored(town, postgres_database, "2-stopped")
    town.append(rows[BACKED_UP : BACKED_UP + 10])
    second, worker = relay(town, 2), town.worker("worker.2")
    shown(town, rows[: BACKED_UP + 10])
    goes_on_by_frames(town, worker, 1_200)
    # Under processes that live, as after a fail-over.
    town.append(lost(1_200))
    town.reach(1_230)
    restored(town, postgres_database, "3-living")
    town.append(rows[BACKED_UP : BACKED_UP + 250])
    shown(town, rows[: BACKED_UP + 250])
    goes_on_by_frames(town, worker, 1_500)
    assert worker.running and second.stop() == 0, (worker.said, second.said)
    assert worker.stop() == 0, worker.said
