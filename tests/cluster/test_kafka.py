"""The clients that the factory makes have the values that the library's defaults have not."""

from dataclasses import replace

import pytest
from kafka.admin import NewTopic

from cli.trial.broker import Broker
from cli.trial.child import free_port
from streams.bus import FrameBus
from streams.frames import Frame
from streams.kafka import BusRefuses, BusTrouble, Kafka
from streams.topics import Topic, TopicWrong, described, differences, ends_of, keep
from tests.cluster.relaying import wait_for
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
    kafka = Kafka(broker.address)
    producer = kafka.producer()
    producer.send("too.many", b"not ours", partition=3).get(timeout=10)
    producer.close()
    with pytest.raises(TopicWrong, match="has partitions 4, not 3") as told:
        FrameBus(kafka, 3, "too.many").open()
    assert "分区数是 4，应为 3" in told.value.zh
    admin = kafka.admin()
    found = described(admin, "too.many")
    assert found is not None and len(found["partitions"]) == 4  # what others sent stays
    admin.close()


@pytest.mark.parametrize("there", [2, 7])
def test_a_topic_of_another_size_in_which_nothing_is_yet_is_made_anew(
    broker: Broker, there: int
) -> None:
    """Tansu makes a topic for whoever asks for it, and can add no partitions (H5)."""
    name = f"made.by.asking.{there}"
    admin = Kafka(broker.address).admin()
    admin.create_topics([NewTopic(name, there, 1)])
    bus = FrameBus(Kafka(broker.address), 5, name)
    assert bus.open() == bus.topic_id()
    found = described(admin, name)
    assert found is not None and len(found["partitions"]) == 5
    assert bus.wrong == []
    bus.close()
    admin.close()


def test_a_worker_that_comes_first_makes_the_topic_as_a_relay_would(broker: Broker) -> None:
    """H7: it had made one copy, whatever the settings said."""
    kafka = Kafka(broker.address, 3)
    admin = kafka.admin()
    topic = Topic.of(kafka, "first.by.worker", 5)
    assert keep(admin, topic, mend=False)[1] == []
    found = described(admin, topic.name)
    assert found is not None
    assert {len(one["replica_nodes"]) for one in found["partitions"]} == {3}
    assert differences(admin, topic) == []
    assert topic.config["min.insync.replicas"] == "2"
    admin.close()


def test_settings_that_differ_are_told_and_then_mended(apache_kafka: ApacheKafka) -> None:
    kafka = Kafka(apache_kafka.address)
    admin = kafka.admin()
    topic = Topic.of(kafka, "of.yesterday", 2)
    other = replace(topic, keep_ms=60_000, min_insync=3)
    keep(admin, other)
    assert {wrong.what for wrong in differences(admin, topic)} == {
        "retention.ms",
        "min.insync.replicas",
    }
    keep(admin, topic, mend=False)
    assert differences(admin, topic) != []
    assert keep(admin, topic)[1] == []
    wait_for(lambda: differences(admin, topic) == [])
    admin.close()


def test_a_topic_with_too_few_copies_is_used_and_told(apache_kafka: ApacheKafka) -> None:
    kafka = Kafka(apache_kafka.address)
    admin = kafka.admin()
    topic = Topic.of(kafka, "one.copy", 1)
    keep(admin, topic)
    producer = kafka.producer()
    producer.send(topic.name, b"kept", partition=0).get(timeout=10)
    producer.close()
    (wrong,) = keep(admin, replace(topic, replication=3))[1]
    assert (wrong.what, wrong.found, wrong.wanted) == ("replication", "1", "3")
    assert "副本数是 1，应为 3" in wrong.zh
    assert ends_of(admin, topic.name, 1) == {0: 1}
    admin.close()


def test_more_copies_than_brokers_are_told_by_the_setting(apache_kafka: ApacheKafka) -> None:
    """It was told as a topic with ? copies, to be altered or deleted: there is none."""
    admin = Kafka(apache_kafka.address).admin()
    topic = Topic.of(Kafka(apache_kafka.address, 3), "too.many.copies", 1)
    with pytest.raises(BusRefuses, match="RELIEF_KAFKA_REPLICATION asks for 3 copies") as told:
        keep(admin, topic)
    assert "要求 3 份副本" in told.value.zh
    admin.close()


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


def test_a_topic_that_came_back_smaller_under_a_sender_is_trouble_that_passes(
    broker: Broker,
) -> None:
    """The library raises a ValueError there: it ended the relay."""
    bus = FrameBus(Kafka(broker.address), 5, "came.back.smaller")
    bus.open()
    admin = Kafka(broker.address).admin()
    admin.delete_topics([bus.topic])
    admin.create_topics([NewTopic(bus.topic, 4, 1)])
    assert bus._producer is not None
    bus._producer.close()
    bus._producer = Kafka(broker.address).producer()
    with pytest.raises(BusTrouble, match="partition"):
        bus.send([Frame(4, 0, 1, 1)], lambda: True)
    bus.open()
    assert bus.send([Frame(4, 0, 1, 1)], lambda: True) == {4: 0}
    bus.close()
    admin.close()
