"""Topics that are not as they must be: mended where nothing is lost, else told, never `ok`."""

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from kafka.admin import NewTopic
from prometheus_client.parser import text_string_to_metric_families

from cli.doctor_topics import topics
from cli.settings import Settings
from cli.trial.broker import Broker
from cli.trial.child import free_port
from eventstore.founding import Urls
from eventstore.postgres import PostgresLog
from streams.frames import PARTITIONS_MARK
from streams.kafka import EVENTS, FRAMES, Kafka
from streams.topics import Topic, described, keep
from tests.cluster.relaying import Town, http_get, log_of, reading, wait_for
from tests.cluster.test_relay_processes import RelayProcess
from tests.servers import ApacheKafka

ROUNDS = 4
PARTITIONS = 5
"""Not the four that Tansu gives to a topic that it makes by itself."""


@pytest.fixture
def log(made: Urls) -> Iterator[PostgresLog]:
    with log_of(made) as log:
        log.set_mark(PARTITIONS_MARK, str(PARTITIONS))
        yield log


class Healthy(RelayProcess):
    """A relay that is asked how it is."""

    def __init__(self, made: Urls, address: Broker, folder: Path, **env: str) -> None:
        self.port = free_port()
        super().__init__(made, address, folder, "relay", RELIEF_HEALTH_PORT=str(self.port), **env)

    def health(self) -> tuple[int, dict[str, Any]]:
        try:
            told = http_get(f"http://127.0.0.1:{self.port}/health")
        except httpx.HTTPError:
            return 0, {}
        return told.status_code, told.json()

    def metrics(self) -> dict[str, float]:
        """Samples by name; none while it does not answer."""
        try:
            page = http_get(f"http://127.0.0.1:{self.port}/metrics").text
        except httpx.HTTPError:
            return {}
        families = text_string_to_metric_families(page)
        return {sample.name: sample.value for one in families for sample in one.samples}

    def done(self, head: int) -> bool:
        """Whether it has sent all, as frames and as events."""
        told = self.health()[1]
        return told.get("position") == head and told.get("published", head) == head


def count_of(address: str, name: str) -> int:
    """How many partitions the topic has; 0 when there is none."""
    with closing(Kafka(address).admin()) as admin:
        found = described(admin, name)
    return len(found["partitions"]) if found else 0


@pytest.mark.slow
def test_h5_a_relay_that_stood_still_finds_a_broker_without_its_topics(
    log: PostgresLog, made: Urls, own: Broker, tmp_path: Path
) -> None:
    """The broker makes a topic of its own size for whoever asks for it or sends to it."""
    town = Town()
    relay = Healthy(made, own, tmp_path, RELIEF_EVENTS_TOPIC="true")
    try:
        wait_for(lambda: relay.led, 30)
        for _ in range(ROUNDS):
            town.grow(log, 50)
            wait_for(lambda: relay.done(log.head()), 30)
            relay.send(signal.SIGSTOP)
            own.kill()
            town.grow(log, 50)
            own.start()
            relay.send(signal.SIGCONT)
            wait_for(lambda: relay.done(log.head()), 60)
            assert {name: count_of(own.address, name) for name in (FRAMES, EVENTS)} == {
                FRAMES: PARTITIONS,
                EVENTS: PARTITIONS,
            }
            wait_for(lambda: relay.health()[1]["status"] == "ok", 30)
    finally:
        relay.kill()


@pytest.mark.parametrize("name", [FRAMES, EVENTS])
def test_h5_a_topic_that_cannot_be_mended_is_not_ok(
    log: PostgresLog,
    made: Urls,
    own: Broker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    kafka = Kafka(own.address)
    with closing(kafka.admin()) as admin:
        admin.create_topics([NewTopic(name, PARTITIONS + 1, 1)])
    with closing(kafka.producer()) as producer:
        producer.send(name, b"{}", partition=PARTITIONS).get(timeout=10)
    relay = Healthy(made, own, tmp_path, RELIEF_EVENTS_TOPIC="true")
    try:
        wait_for(lambda: relay.health()[1].get("status") == "wrong", 30)
        status, told = relay.health()
        assert status == 503
        sentence = f"主题 {name} 的分区数是 {PARTITIONS + 1}，应为 {PARTITIONS}。"
        assert told["trouble_zh"].startswith(sentence)
        settings = settings_of(monkeypatch, made, own.address, RELIEF_EVENTS_TOPIC="true")
        found = [one for one in topics(settings) if sentence in one.zh]
        assert [one.ok for one in found] == [False]
        Town().grow(log, 30)
        with closing(kafka.admin()) as admin:
            admin.delete_topics([name])
        wait_for(lambda: relay.done(log.head()), 30)
        wait_for(lambda: relay.health()[0] == 200, 30)
        with reading(own.address, PARTITIONS) as reader:
            reader.read_to(log.head())
        assert [one.ok for one in topics(settings)] == [True]
    finally:
        relay.kill()


def settings_of(monkeypatch: pytest.MonkeyPatch, made: Urls, address: str, **more: str) -> Settings:
    for name in os.environ:
        if name.startswith("RELIEF_"):
            monkeypatch.delenv(name)
    given = {"RELIEF_KAFKA": address}
    if made is not None:
        given["RELIEF_DATABASE_URL"] = made.database
    for name, value in (given | more).items():
        monkeypatch.setenv(name, value)
    return Settings()


def test_h7_the_doctor_tells_in_what_topics_differ_from_the_settings(
    log: PostgresLog, made: Urls, apache_kafka: ApacheKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka = Kafka(apache_kafka.address)
    try:
        with closing(kafka.admin()) as admin:
            topic = Topic.of(kafka, FRAMES, PARTITIONS)
            keep(admin, replace(topic, partitions=3, keep_ms=3_600_000))
            producer = kafka.producer()
            producer.send(FRAMES, b"{}", partition=0).get(timeout=10)
            producer.close()
        settings = settings_of(
            monkeypatch, made, apache_kafka.address, RELIEF_KAFKA_REPLICATION="3"
        )
        told = list(topics(settings))
        assert not any(one.ok for one in told)
        said = "\n".join(one.en for one in told)
        for words in (
            "partitions 3, not 5",
            "replication 1, not 3",
            "retention.ms of 1 h, not 3 days",
            "min.insync.replicas 1, not 2",
        ):
            assert f"has {words}." in said
        assert "保留时间（retention.ms）是 1 小时，应为 3 天" in "\n".join(one.zh for one in told)
    finally:
        with closing(kafka.admin()) as admin:
            admin.delete_topics([FRAMES])
            wait_for(lambda: described(admin, FRAMES) is None)


def test_the_doctor_tells_a_broker_that_is_away_and_a_topic_that_is_missing(
    log: PostgresLog, made: Urls, own: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    (missing,) = topics(settings_of(monkeypatch, made, own.address))
    assert not missing.ok and "不存在" in missing.zh
    assert count_of(own.address, FRAMES) == 0, "asking made it"
    (away,) = topics(settings_of(monkeypatch, made, f"127.0.0.1:{free_port()}"))
    assert not away.ok and "消息总线不可用" in away.zh
    assert list(topics(settings_of(monkeypatch, made, ""))) == []
