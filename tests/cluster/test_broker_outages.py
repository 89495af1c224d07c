"""The broker restarted, gone, and back empty, under clients, relay and workers (A5).

On Tansu, which keeps nothing, each return is an empty broker; Apache Kafka keeps its frames, and
is emptied by giving it a new folder. The API goes on without either.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.trial.broker import Broker
from cli.trial.child import free_port
from cli.trial.postgres import PostgresServer
from cli.trial.server import KafkaServer
from eventstore.postgres import PostgresLog
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase
from streams.frames import partitions_of
from tests.clients import Clients, served
from tests.cluster.cities import CityPlace, city_on
from tests.cluster.relaying import Process, wait_for
from tests.cluster.test_relay_processes import RELAY
from tests.cluster.workers import RUN_WORKER, WorkerProcess
from tests.faults import FULL, PATIENCE_SECONDS, TIMEOUT, Told, count
from tests.oracles import check_log, check_tables, tables_of
from tests.servers import ApacheKafka, need_apache_kafka

GONE_SECONDS = count(6.0, 60.0)
"""What a group may take to form again, beyond twice the outage."""


@pytest.fixture
def city(postgres: PostgresServer, tmp_path: Path) -> Iterator[CityPlace]:
    with city_on(postgres, tmp_path) as found:
        yield found


def restarted(broker: KafkaServer) -> None:
    """At once."""


def gone(broker: KafkaServer) -> None:
    time.sleep(GONE_SECONDS)


def emptied(broker: KafkaServer) -> None:
    if isinstance(broker, ApacheKafka):
        for one in broker.folder.iterdir():
            if one.is_dir():
                shutil.rmtree(one)


OUTAGES: dict[type[KafkaServer], tuple[Callable[[KafkaServer], None], ...]] = {
    ApacheKafka: (restarted, gone, emptied),
    **({Broker: (restarted, gone, emptied)} if FULL else {}),  # all the same to it: `make faults`
}
"""What happens between the broker's end and its start."""


class Following:
    """How far the views are behind the log."""

    def __init__(self, log: PostgresLog, views: ViewsDatabase) -> None:
        self.log, self.views = log, views

    def caught_up(self, seconds: float) -> float:
        """Seconds until every view has what was in the log when this was asked."""
        head, began = self.log.head(), time.monotonic()
        wait_for(lambda: self.views.position() >= head, seconds)
        return time.monotonic() - began


def worker(folder: Path, env: dict[str, str], name: str) -> WorkerProcess:
    port = free_port()
    given = env | {"RELIEF_HEALTH_PORT": str(port)}
    return WorkerProcess([*RUN_WORKER, "--name", name], folder / f"{name}.log", given, port)


def outages(
    city: CityPlace, broker: KafkaServer, processes: list[Process]
) -> tuple[Clients, dict[str, float]]:
    """Each kind of outage under clients; afterwards all tables are as they must be.

    Workers bring their partitions on from the log while no frames come: so it is also waited for
    that frames bring facts again.
    """
    env = city.env(RELIEF_KAFKA=broker.address, PYTHONUNBUFFERED="1")
    clients, took = city.clients(4), dict[str, float]()
    folder = city.place.folder
    with city.log() as log, served(env) as api:
        processes.append(Process(RELAY, folder / "relay.log", env | {"RELIEF_PROCESS": "relay"}))
        workers = [worker(folder, env, f"worker.{n}") for n in (1, 2)]
        processes += workers
        views = ViewsDatabase(city.urls.views, VIEWS, partitions_of(log))
        following = Following(log, views)
        following.caught_up(120)
        clients.serve_at(api.port)
        clients.start()
        try:
            for outage in OUTAGES[type(broker)]:
                broker.kill()
                answered = len(clients.acknowledged)
                outage(broker)
                wait_for(lambda now=answered: len(clients.acknowledged) > now, 30)  # type: ignore[misc]
                clients.check()  # and goes on without a broker
                broker.start()
                took[outage.__name__] = following.caught_up(PATIENCE_SECONDS)
                framed = sum(one.framed() for one in workers)
                wait_for(lambda was=framed: sum(one.framed() for one in workers) > was, 120)  # type: ignore[misc]
            clients.finish()
        finally:
            clients.stop.set()
        following.caught_up(PATIENCE_SECONDS)
        stored = check_log(log, clients.acknowledged)
        check_tables(tables_of(views), stored.recorded)
        assert views.parked() == []
        views.close()
    return clients, took


@pytest.mark.timeout(TIMEOUT)
@pytest.mark.parametrize("kind", OUTAGES)
def test_the_boards_catch_up_when_the_broker_was_restarted_gone_or_emptied(
    city: CityPlace,
    tmp_path: Path,
    kind: type[KafkaServer],
    record_property: Told,
) -> None:
    if kind is ApacheKafka:
        need_apache_kafka()
    processes = list[Process]()
    try:
        with kind(tmp_path / "broker") as broker:
            clients, took = outages(city, broker, processes)
    finally:
        for process in processes:
            process.kill()
    times = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in took.items())
    record_property(
        "A5",
        f"{kind.__name__}: gone {GONE_SECONDS:g} s, {len(clients.acknowledged)} acknowledged "
        f"meanwhile, 0 lost; boards up to date after its return: {times}",
    )
