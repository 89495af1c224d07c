"""The clients that the factory makes have the values that the library's defaults have not."""

import pytest
from kafka.admin import NewTopic

from cli.trial.broker import Broker
from cli.trial.child import free_port
from streams.frames import Frame
from streams.kafka import BusTrouble, FrameBus, Kafka, described
from tests.servers import ApacheKafka


def test_a_consumer_begins_at_the_start_reads_what_is_committed_and_commits_nothing(
    broker: Broker,
) -> None:
    consumer = Kafka(broker.address).consumer()
    wanted = {
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        "isolation_level": "read_committed",
        "allow_auto_create_topics": False,
    }
    assert {name: consumer.config[name] for name in wanted} == wanted
    consumer.close()


def test_a_producer_is_idempotent_waits_for_all_and_gives_up_in_time(broker: Broker) -> None:
    producer = Kafka(broker.address).producer()
    wanted = {
        "acks": -1,
        "enable_idempotence": True,
        "allow_auto_create_topics": False,
        "delivery_timeout_ms": 8_000,
        "max_block_ms": 4_000,
        "max_in_flight_requests_per_connection": 5,
    }
    assert {name: producer.config[name] for name in wanted} == wanted
    assert producer.config["max_in_flight_requests_per_connection"] <= 5
    producer.close()


def test_a_topic_is_made_once_with_its_partitions(broker: Broker) -> None:
    bus = FrameBus(Kafka(broker.address), 5, "made.once")
    first = bus.open()
    assert bus.open() == first == bus.topic_id()
    assert bus.ends() == dict.fromkeys(range(5), 0)
    bus.close()


def test_a_topic_that_a_broker_made_by_itself_gets_its_partitions(
    apache_kafka: ApacheKafka,
) -> None:
    admin = Kafka(apache_kafka.address).admin()
    admin.create_topics([NewTopic("too.few", 1, 1)])
    bus = FrameBus(Kafka(apache_kafka.address), 3, "too.few")
    bus.open()
    found = described(admin, "too.few")
    assert found is not None
    assert len(found["partitions"]) == 3
    assert bus.send([Frame(2, 0, 1, 1)], lambda: True) == {2: 0}
    bus.close()
    admin.close()


def test_a_topic_with_more_partitions_than_the_log_is_refused(broker: Broker) -> None:
    admin = Kafka(broker.address).admin()
    admin.create_topics([NewTopic("too.many", 4, 1)])
    admin.close()
    with pytest.raises(BusTrouble, match="4 partitions, but the log is cut into 3"):
        FrameBus(Kafka(broker.address), 3, "too.many").open()


def test_end_offsets_are_exact_for_frames(broker: Broker) -> None:
    """The broker of the trial counts batches, not messages: a frame is a batch of its own."""
    bus = FrameBus(Kafka(broker.address), 2, "exact.ends")
    bus.open()
    frames = [Frame(1, n - 1, n, n) for n in range(1, 8)]
    assert bus.send(frames, lambda: True) == {1: 6}
    assert bus.ends() == {0: 0, 1: 7}
    bus.close()


def test_a_broker_that_is_not_there_is_trouble_within_seconds() -> None:
    with pytest.raises(BusTrouble, match="cannot be used now"):
        FrameBus(Kafka(f"127.0.0.1:{free_port()}"), 1).open()
