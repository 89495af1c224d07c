"""``relief.events`` loses nothing: what the broker lost is sent again, or can be asked for."""

import gzip
import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from kafka.structs import TopicPartition
from typer.testing import CliRunner

from cli.main import program
from cli.trial.broker import Broker
from cli.trial.server import KafkaServer
from domain.catalog import AGGREGATES
from eventstore.founding import Urls
from eventstore.log import Log
from eventstore.postgres import PostgresLog
from eventstore.sqlite import SQLiteLog
from eventstore.store import Store
from streams.events import cloud_event, encode, source_of
from streams.frames import PARTITIONS_MARK
from streams.kafka import EVENTS, Kafka
from streams.publishing import kept_from
from streams.sealing import keep_seal
from tests.cluster.relaying import SECRET, Town, log_of, wait_for
from tests.cluster.test_topics import PARTITIONS, Healthy, settings_of
from tests.eventstore.support import found_town, new_unit, send
from tests.servers import ApacheKafka, need_apache_kafka

run = CliRunner().invoke


@pytest.fixture
def log(made: Urls) -> Iterator[PostgresLog]:
    with log_of(made) as log:
        log.set_mark(PARTITIONS_MARK, str(PARTITIONS))
        log.set_mark("born", "b0")
        keep_seal(log, SECRET)
        yield log


def events_on(address: str) -> list[dict[str, Any]]:
    """All that a consumer from the beginning reads now."""
    found: list[dict[str, Any]] = []
    with closing(Kafka(address).consumer()) as consumer:
        consumer.assign([TopicPartition(EVENTS, n) for n in range(PARTITIONS)])
        silent = 0
        while silent < 4:
            got = consumer.poll(timeout_ms=300)
            silent = 0 if got else silent + 1
            found += [json.loads(m.value) for messages in got.values() for m in messages]
    return found


def positions(events: list[dict[str, Any]]) -> set[int]:
    return {int(event["sequence"]) for event in events}


def all_of(log: Log) -> set[int]:
    return set(range(1, log.head() + 1))


def relay_of(made: Urls, broker: KafkaServer, folder: Path) -> Healthy:
    return Healthy(made, broker, folder, RELIEF_EVENTS_TOPIC="true")


def test_h6_what_an_emptied_broker_had_is_sent_again(
    log: PostgresLog, made: Urls, own: Broker, tmp_path: Path
) -> None:
    """Also what no worker needs any more: consumers of events may still have to read it."""
    town, relay = Town(), relay_of(made, own, tmp_path)
    try:
        town.grow(log, 300)
        wait_for(lambda: relay.done(300), 30)
        own.kill()
        town.grow(log, 99)
        own.start()
        wait_for(lambda: relay.done(399), 60)
        assert positions(events_on(own.address)) == all_of(log)
        assert relay.health()[1]["published_again"] == 1
    finally:
        relay.kill()
    own.kill()
    own.start()
    again = relay_of(made, own, tmp_path)  # one that was away when it happened
    try:
        wait_for(lambda: again.done(399) and again.health()[1]["published_again"] == 1, 60)
        assert positions(events_on(own.address)) == all_of(log)
    finally:
        again.kill()


def test_h6_metrics_tell_how_far_publishing_is_and_what_it_waits_for(
    log: PostgresLog, made: Urls, own: Broker, tmp_path: Path
) -> None:
    town, relay = Town(), relay_of(made, own, tmp_path)
    try:
        town.grow(log, 100)
        wait_for(lambda: relay.done(100), 30)
        wait_for(lambda: relay.metrics().get("relief_events_lag_facts") == 0, 30)
        assert relay.metrics()["relief_events_position"] == 100
        assert relay.metrics()["relief_events_trouble_seconds"] == 0
        own.kill()
        town.grow(log, 50)
        wait_for(lambda: relay.metrics().get("relief_events_trouble_seconds", 0) > 0, 60)
        found = relay.metrics()
        assert found["relief_events_failures_total"] > 0
        assert (found["relief_events_position"], found["relief_events_lag_facts"]) == (100, 50)
        assert relay.health()[1]["published_trouble"]
        own.start()
        wait_for(lambda: relay.metrics().get("relief_events_lag_facts") == 0, 60)
        found = relay.metrics()
        assert found["relief_events_trouble_seconds"] == 0
        assert found["relief_events_resends_total"] == 1
        assert relay.health()[1]["published_trouble"] is None
    finally:
        relay.kill()


def test_a_relay_that_begins_again_repeats_nothing_where_nothing_was_lost(
    log: PostgresLog, made: Urls, own: Broker, tmp_path: Path
) -> None:
    Town().grow(log, 300)
    for _ in range(2):
        relay = relay_of(made, own, tmp_path)
        wait_for(lambda relay=relay: relay.done(300), 30)  # type: ignore[misc]
        assert relay.health()[1]["published_again"] == 0
        assert relay.stop() == 0
    assert sorted(int(one["sequence"]) for one in events_on(own.address)) == sorted(all_of(log))


@pytest.mark.slow
def test_h6_a_partition_that_lost_its_messages_is_filled_again(
    log: PostgresLog, made: Urls, tmp_path: Path
) -> None:
    """The topic is the same one: only its end tells."""
    need_apache_kafka()
    with ApacheKafka(tmp_path / "kafka") as kafka:
        relay = relay_of(made, kafka, tmp_path)
        Town().grow(log, 300)
        wait_for(lambda: relay.done(300), 60)
        assert relay.stop() == 0
        kafka.stop()
        (lost,) = (tmp_path / "kafka").rglob(f"{EVENTS}-1")
        shutil.rmtree(lost)
        kafka.start()
        assert positions(events_on(kafka.address)) < all_of(log)
        again = relay_of(made, kafka, tmp_path)
        try:
            wait_for(lambda: again.health()[1].get("published_again") == 1, 60)
            wait_for(lambda: again.done(300), 60)
            assert positions(events_on(kafka.address)) == all_of(log)
        finally:
            again.kill()


def test_the_source_names_the_epoch_of_the_log(
    log: PostgresLog, made: Urls, own: Broker, tmp_path: Path
) -> None:
    """After a restore other facts have the ids of those that were lost."""
    town, relay = Town(), relay_of(made, own, tmp_path)
    try:
        town.grow(log, 20)
        wait_for(lambda: relay.done(20), 30)
        log.set_mark("epoch", "2-put-back")
        keep_seal(log, SECRET)
        town.grow(log, 5)
        wait_for(lambda: relay.done(25), 30)
        wait_for(lambda: positions(_from(own, "urn:relief-ledger:b0:2-put-back")) == all_of(log))
        assert positions(_from(own, "urn:relief-ledger:b0:1")) == set(range(1, 21))
    finally:
        relay.kill()


def _from(own: Broker, source: str) -> list[dict[str, Any]]:
    return [event for event in events_on(own.address) if event["source"] == source]


def test_h6_facts_are_sent_again_from_a_position(
    log: PostgresLog,
    made: Urls,
    own: Broker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Town().grow(log, 120)
    settings_of(monkeypatch, made, own.address)
    said = run(program(), ["events", "resend", "--from", "101", "--json"])
    assert said.exit_code == 0, said.output
    assert json.loads(said.stdout)["sent"] == 20
    events = events_on(own.address)
    assert positions(events) == set(range(101, 121)) and len(events) == 20
    assert {event["source"] for event in events} == {source_of(log)}
    assert run(program(), ["events", "resend", "--from", "5", "--to", "7"]).exit_code == 0
    assert positions(events_on(own.address)) == {5, 6, 7, *range(101, 121)}
    beyond = run(program(), ["events", "resend", "--from", "121"])
    assert beyond.exit_code == 1 and "没有第 121" in beyond.output


def stamped(at: datetime) -> bytes:
    return msgspec.json.encode({"meta": {"recorded_at": at}})


@pytest.mark.parametrize("days", [1, 3, 100])
def test_an_emptied_topic_begins_with_what_it_would_still_hold(tmp_path: Path, days: int) -> None:
    now = datetime(2026, 11, 29, tzinfo=UTC)
    with closing(SQLiteLog(tmp_path / "log.sqlite")) as log:
        assert kept_from(log, days) == 0
        rows = [
            (n, uuid4().bytes, 1, "Unit.WentOnDuty", stamped(now - timedelta(hours=100 - n)))
            for n in range(1, 101)
        ]
        with log.transaction() as db:
            log.append(db, rows)
        assert kept_from(log, days) == max(0, 100 - 24 * days - 1)


def test_a_snapshot_is_all_facts_for_a_new_consumer_and_where_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "var"
    with closing(found_town(Store.at(data, AGGREGATES))) as store:
        send(store, new_unit("here"), by="dispatcher")
        rows, source = store.log.rows(0, 10_000), source_of(store.log)
    settings_of(monkeypatch, None, "", RELIEF_DATA=str(data))
    for name, opened in (("facts.jsonl", open), ("facts.jsonl.gz", gzip.open)):
        file = tmp_path / name
        said = run(program(), ["events", "snapshot", str(file), "--json"])
        assert said.exit_code == 0, said.output
        assert json.loads(said.stdout)["sequence"] == len(rows)
        with opened(file, "rb") as lines:
            first, *events = lines.read().splitlines()
        assert json.loads(first)["data"] == {"facts": len(rows)}
        assert events == [encode(cloud_event(source, row)) for row in rows]
        assert file.stat().st_mode & 0o777 == 0o600
    before = file.read_bytes()
    assert run(program(), ["events", "snapshot", str(file)]).exit_code == 1
    assert file.read_bytes() == before
