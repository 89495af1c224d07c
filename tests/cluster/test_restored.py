"""A log is put back from a backup while Kafka goes on with what it had: nothing is done by hand."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from cli.trial.broker import Broker
from cli.trial.postgres import PostgresServer
from domain.store import Cause
from eventstore.founding import Urls
from eventstore.lineage import epoch_of
from eventstore.log import Row
from streams.sealing import keep_seal
from tests.cluster.cities import CityPlace, city_on, logged_in
from tests.cluster.living import FEW, SECONDS, LivingCity, newest_epoch
from tests.cluster.relaying import ROOT, SECRET, Process, cut_off, wait_for
from tests.cluster.test_applying import false_row, tables_made_of
from tests.cluster.test_relay_processes import RELAY
from tests.cluster.workers import Cluster, WorkerProcess, city, cluster
from tests.eventstore.support import Cluster as Place
from tests.faults import TIMEOUT
from tests.servers import Database

BACKED_UP = 1_000
"""Where the backup ends, and so the log after each restore."""

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


# -- by the handbook ------------------------------------------------------------------------------


def relief(env: Mapping[str, str], *words: str) -> None:
    """A command as an operator types it."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("RELIEF_")}
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *words],
        cwd=ROOT,
        env=own | env,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    assert done.returncode == 0, (words, done.stdout, done.stderr)


def restored_city(
    city: CityPlace, server: PostgresServer, backup: Path, folder: Path, *, with_views: bool
) -> CityPlace:
    """`relief restore` into an empty database with a data folder of its own; ``with_views``: its
    views go on where they were, else they are in the new database too."""
    name = f"restored_{os.urandom(4).hex()}"
    here = {"RELIEF_DATA": str(folder)}
    relief(here | {"RELIEF_ADMIN_URL": server.url()}, "db", "init", "--database", name)
    secrets = folder / "secrets"
    names = "database_url", "vault_url", "views_url", "read_url"
    urls = Urls(*((secrets / one).read_text().strip() for one in names))
    if with_views:
        urls = urls._replace(views=city.urls.views)
    place = Place(urls.database, urls.vault, folder)
    made = replace(city, urls=urls, place=place, admin=server.url(name))
    relief(made.env(), "restore", str(backup))
    with closing(place.open()) as store:
        return replace(made, tokens=logged_in(store, city.city))


@pytest.mark.parametrize("with_views", [False, True], ids=["views lost too", "views kept"])
def test_a_backup_is_restored_by_the_handbook_with_kafka_left_as_it_was(
    postgres: PostgresServer, tmp_path: Path, with_views: bool
) -> None:
    """H1: 354 commands later the boards differed from a rebuild in 7 tables, and all was well."""
    first, second, backup = (tmp_path / name for name in ("first", "second", "backup"))
    first.mkdir()
    with ExitStack() as stack:
        old = stack.enter_context(city_on(postgres, first))
        broker = stack.enter_context(Broker(tmp_path / "broker"))
        town = LivingCity(old, broker, stack)
        kept = town.write("before", FEW)
        town.api.process.kill()  # nothing writes
        relief(old.env(), "backup", str(backup))
        town.serve()
        lost = town.write_twice()
        lost_head, epoch = town.log.head(), epoch_of(town.log)
        town.stop()
        found = restored_city(old, postgres, backup, second, with_views=with_views)
        stack.callback(
            postgres.execute, f"DROP DATABASE {found.admin.rpartition('/')[2]} WITH (FORCE)"
        )
        town = LivingCity(found, broker, stack)
        assert epoch_of(town.log) != epoch
        clients = town.clients("after")
        town.write_beyond(lost_head, clients)
        town.goes_on_by_frames()
        clients.finish()
        stored = town.check(kept | clients.acknowledged, lost)
        assert newest_epoch(stored, Cause.RESTORE).epoch == epoch_of(town.log)
        lineage = town.doctors("lineage")
        assert lineage.ok and "备份恢复" in lineage.zh
        assert town.doctors("views").ok and town.ready() == ("ready", [])
