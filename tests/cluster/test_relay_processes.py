"""`relief relay` as processes: killed at any moment, standing still, two at once, gone for good."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from cli.trial.broker import Broker
from cli.trial.postgres import PostgresServer
from cli.trial.server import KafkaServer
from eventstore.founding import Urls
from eventstore.postgres import PostgresLog
from streams.events import CONTENT_TYPE
from streams.frames import PARTITIONS_MARK, partitions_of
from streams.kafka import EVENTS, FRAMES, Kafka
from streams.sealing import keep_seal
from tests.cluster.relaying import (
    PARTITIONS,
    SECRET,
    Process,
    Town,
    log_of,
    parts_of,
    reading,
    urls,
    wait_for,
)
from tests.faults import PATIENCE_SECONDS
from tests.servers import fresh_database

KILLS = 6
RELAY = ["-c", "import typer; from cli.relay_command import relay; typer.run(relay)"]
"""`relief relay` without the imports of the other commands: it starts in a third of the time."""


class RelayProcess(Process):
    """One `relief relay`."""

    def __init__(
        self, made: Urls, broker: KafkaServer, folder: Path, name: str, **env: str
    ) -> None:
        given = {
            "RELIEF_READ_URL": made.read,
            "RELIEF_VIEWS_URL": made.views,
            "RELIEF_KAFKA": broker.address,
            "RELIEF_DATA": str(folder),
            "RELIEF_PROCESS": name,
        }
        super().__init__(RELAY, folder / f"{name}.log", given | env)

    @property
    def led(self) -> int:
        """How often it has taken the leadership."""
        return self.said.count("leadership taken")


@pytest.fixture
def log(made: Urls) -> Iterator[PostgresLog]:
    with log_of(made) as log:
        log.set_mark(PARTITIONS_MARK, str(PARTITIONS))
        yield log


def test_killed_at_any_moment_it_repeats_and_loses_nothing(
    log: PostgresLog, made: Urls, own: Broker, tmp_path: Path
) -> None:
    dice, town = Random(4), Town()
    for kill in range(KILLS):
        relay = RelayProcess(made, own, tmp_path, f"relay-{kill}")
        try:
            wait_for(lambda relay=relay: relay.led, 30)  # type: ignore[misc]
            until = time.monotonic() + dice.uniform(0.05, 0.5)
            while time.monotonic() < until:
                town.grow(log, dice.randrange(1, 400), batch=dice.randrange(1, 50))
        finally:
            relay.kill()
    last = RelayProcess(made, own, tmp_path, "last")
    try:
        with reading(own.address) as reader:
            reader.read_to(log.head(), 30)
            assert reader.rows == parts_of(log)
            assert reader.gaps == []
    finally:
        assert last.stop() == 0


def test_of_two_one_relays_and_the_other_takes_over_also_from_one_that_stands_still(
    log: PostgresLog, made: Urls, own: Broker, tmp_path: Path
) -> None:
    town = Town()
    first = RelayProcess(made, own, tmp_path, "first")
    second = None
    try:
        wait_for(lambda: first.led, 30)
        second = RelayProcess(made, own, tmp_path, "second")
        wait_for(lambda: (tmp_path / "run" / "second.alive").exists(), 30)
        town.grow(log, 500)
        with reading(own.address) as reader:
            reader.read_to(500)
            assert second.led == 0
            first.send(signal.SIGSTOP)
            wait_for(lambda: second.led, PATIENCE_SECONDS)
            town.grow(log, 500)
            reader.read_to(1_000)
            first.send(signal.SIGCONT)
            town.grow(log, 500)
            reader.read_to(1_500)
            assert reader.rows == parts_of(log)
            assert reader.gaps == []
            assert first.led == 1
            second.kill()
            town.grow(log, 10)
            reader.read_to(1_510)
            assert first.led == 2
    finally:
        for one in (first, second):
            if one is not None:
                one.kill()


def test_it_goes_on_when_the_database_comes_back_from_kill_9(own: Broker, tmp_path: Path) -> None:
    town = Town()
    with PostgresServer(tmp_path / "postgres") as server, fresh_database(server) as database:
        made = urls(database)
        relay = RelayProcess(made, own, tmp_path, "relay")
        try:
            with log_of(made) as log, reading(own.address, partitions_of(log)) as reader:
                town.grow(log, 500)
                reader.read_to(500, 30)
                server.kill()
                wait_for(lambda: "leadership ended" in relay.said)
                server.start()
                town.grow(log, 500)
                reader.read_to(1_000)
                assert reader.rows == parts_of(log, partitions_of(log))
                assert relay.led == 2
        finally:
            assert relay.stop() == 0


def test_it_stops_in_order_when_asked_also_without_a_broker(
    log: PostgresLog, made: Urls, own: Broker, tmp_path: Path
) -> None:
    relay = RelayProcess(made, own, tmp_path, "relay")
    try:
        wait_for(lambda: relay.led, 30)
        own.kill()
        Town().grow(log, 10)
        wait_for(lambda: "relay waits" in relay.said, 20)
        assert relay.stop(8) == 0
    finally:
        relay.kill()
    assert not (tmp_path / "run" / "relay.alive").exists()
    assert "Traceback" not in relay.said


@pytest.fixture(params=["tansu", "apache-kafka"])
def either(request: pytest.FixtureRequest) -> Iterator[KafkaServer]:
    """A broker without our topics: one of one's own, or the run's Apache Kafka."""
    if request.param == "tansu":
        yield request.getfixturevalue("own")
        return
    shared: KafkaServer = request.getfixturevalue("apache_kafka")
    yield shared
    admin = Kafka(shared.address).admin()
    admin.delete_topics([FRAMES, EVENTS])
    admin.close()


def test_without_its_addresses_it_says_which(tmp_path: Path) -> None:
    relay = Process(RELAY, tmp_path / "log", {"RELIEF_DATABASE_URL": "x"})
    assert relay.wait(30) == 2
    assert "RELIEF_VIEWS_URL, RELIEF_KAFKA" in relay.said


def test_relief_events_carries_each_fact_when_it_is_switched_on(
    log: PostgresLog, made: Urls, either: KafkaServer, tmp_path: Path
) -> None:
    log.set_mark("born", "b0")
    keep_seal(log, SECRET)  # of the log by this name
    relay = RelayProcess(made, either, tmp_path, "relay", RELIEF_EVENTS_TOPIC="true")
    try:
        Town().grow(log, 300)
        wait_for(lambda: relay.led, 30)
        with reading(either.address) as reader:
            reader.read_to(300)
        consumer = Kafka(either.address).consumer(EVENTS, group_id=None)
        found = {}
        deadline = time.monotonic() + 20
        while len(found) < 300 and time.monotonic() < deadline:
            for messages in consumer.poll(timeout_ms=100).values():
                found |= {m.value: m for m in messages}
        consumer.close()
        assert len(found) == 300
        assert {dict(m.headers)["content-type"] for m in found.values()} == {CONTENT_TYPE}
        assert all(m.key.decode() in m.value.decode() for m in found.values())
    finally:
        assert relay.stop() == 0
