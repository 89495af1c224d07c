"""The relay on real servers: nothing missing, in order, whatever is killed, gone or empty."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.relay_command import UNDURABLE, lowest
from cli.trial.broker import Broker
from eventstore.following import HeadWatch
from eventstore.founding import Urls
from eventstore.log import Log
from eventstore.postgres import PostgresConnection, PostgresLog
from streams.bus import FrameBus
from streams.frames import Router
from streams.kafka import FRAMES, Kafka
from streams.relay import Relay
from streams.relayed import Fenced, Relayed, RelayedRow, Sent
from streams.sealing import FramesUnsealed, keep_seal
from tests.cluster.relaying import (
    PARTITIONS,
    SECRET,
    Town,
    log_of,
    parts_of,
    reading,
    wait_for,
)
from tests.servers import ApacheKafka, need_apache_kafka


@dataclass
class Alone:
    """The leader of a cluster of one."""

    epoch: int = 1

    def held(self) -> bool:
        return True


@contextmanager
def relayed(
    log: PostgresLog, address: str, least: Callable[[], int] = lambda: 0, epoch: int = 1
) -> Iterator[Relay]:
    """A relay that runs on a thread."""
    watch, stop = HeadWatch(log), threading.Event()
    with ExitStack() as stack:
        place = RelayedRow(PostgresConnection(log.source, "log", first=UNDURABLE), FRAMES)
        stack.callback(place.close)
        bus = FrameBus(Kafka(address), PARTITIONS)
        relay = Relay(log, watch, bus, place, Alone(epoch), Router(log, PARTITIONS), least)
        thread = threading.Thread(target=relay.run, args=(stop,))
        thread.start()
        stack.callback(thread.join)
        stack.callback(watch.wake)
        stack.callback(stop.set)
        yield relay


@pytest.fixture
def log(made: Urls) -> Iterator[PostgresLog]:
    with log_of(made) as log:
        yield log


def arrived(log: Log, address: str, *, gaps: bool = False) -> int:
    """Every fact is there once by the workers' rule, in order; how many came twice."""
    with reading(address) as reader:
        reader.read_to(log.head())
        assert reader.rows == parts_of(log)
        if not gaps:
            assert reader.gaps == []
        return reader.repeated


def test_every_fact_arrives_once_and_in_order(log: PostgresLog, tmp_path: Path) -> None:
    with Broker(tmp_path) as broker, relayed(log, broker.address) as relay:
        town = Town()
        town.grow(log, 3_000, batch=700)
        wait_for(lambda: relay.position == log.head())
        for _ in range(20):
            town.grow(log, 3, batch=1)
        assert arrived(log, broker.address) == 0
        assert relay.events == 3_060
        assert relay.trouble is None


def test_it_waits_for_a_key_and_begins_again_with_another_epoch(
    log: PostgresLog, tmp_path: Path
) -> None:
    log.set_mark("epoch", "2-put-back")
    with Broker(tmp_path) as broker, relayed(log, broker.address) as relay:
        Town().grow(log, 100)
        wait_for(lambda: isinstance(relay.trouble, FramesUnsealed))
        assert relay.frames == 0 and not relay.leading
        keep_seal(log, SECRET)
        wait_for(lambda: relay.position == log.head() and relay.trouble is None, 20)
        log.set_mark("epoch", "3-put-back")
        keep_seal(log, SECRET)
        wait_for(lambda: relay.events == 200 and relay.position == log.head(), 20)
        with reading(broker.address) as reader:
            wait_for(lambda: reader.poll() and len(reader.lineages) == 2, 20)
        assert reader.lineages == ["unnamed/2-put-back", "unnamed/3-put-back"]
        assert relay.resent_from_lowest == 0


def test_a_quiet_partition_is_told_how_far_the_log_is(log: PostgresLog, tmp_path: Path) -> None:
    with (
        Broker(tmp_path) as broker,
        relayed(log, broker.address),
        reading(broker.address) as reader,
    ):
        Town().grow(log, 1)
        reader.read_to(1, seconds=5)
        assert sum(map(len, reader.rows.values())) == 1
        before = len(reader.frames)
        wait_for(lambda: reader.poll() and len(reader.frames) >= before + 2 * PARTITIONS, 4)


def test_a_broker_that_comes_back_empty_is_sent_all_that_a_worker_may_need(
    log: PostgresLog, tmp_path: Path
) -> None:
    town, least = Town(), [0]
    with Broker(tmp_path) as broker, relayed(log, broker.address, lambda: least[0]) as relay:
        town.grow(log, 1_000)
        assert arrived(log, broker.address) == 0
        least[0] = 400
        broker.kill()
        town.grow(log, 100)
        wait_for(lambda: relay.trouble is not None, 15)
        assert "Kafka" in str(relay.trouble)
        broker.start()
        wait_for(lambda: relay.position == log.head() and relay.trouble is None, 20)
        assert relay.resent_from_lowest == 1
        with reading(broker.address) as reader:
            reader.stored = dict.fromkeys(range(PARTITIONS), 400)
            reader.read_to(log.head())
            wanted = {n: [r for r in rows if r[0] > 400] for n, rows in parts_of(log).items()}
            assert reader.rows == wanted
            assert reader.gaps == []


def test_a_broker_emptied_between_two_looks_is_noticed(log: PostgresLog, tmp_path: Path) -> None:
    with Broker(tmp_path) as broker, relayed(log, broker.address) as relay:
        Town().grow(log, 500)
        wait_for(lambda: relay.position == 500)
        broker.kill()
        broker.start()
        wait_for(lambda: relay.resent_from_lowest == 1, 20)
        assert arrived(log, broker.address) == 0


def test_a_relay_that_starts_on_an_emptied_broker_sends_again(
    log: PostgresLog, tmp_path: Path
) -> None:
    with Broker(tmp_path) as broker:
        Town().grow(log, 300)
        with relayed(log, broker.address) as relay:
            wait_for(lambda: relay.position == 300)
        broker.kill()
        broker.start()
        with relayed(log, broker.address) as relay:
            assert arrived(log, broker.address) == 0
            assert relay.resent_from_lowest == 1


def test_a_relay_that_starts_again_repeats_nothing_that_was_stored(
    log: PostgresLog, tmp_path: Path
) -> None:
    town = Town()
    with Broker(tmp_path) as broker:
        for _ in range(3):
            town.grow(log, 200)
            with relayed(log, broker.address) as relay:
                wait_for(lambda relay=relay: relay.position == log.head())  # type: ignore[misc]
        assert arrived(log, broker.address) == 0


def test_an_older_leader_sends_nothing_any_more(log: PostgresLog, tmp_path: Path) -> None:
    town = Town()
    with Broker(tmp_path) as broker:
        town.grow(log, 10)
        with relayed(log, broker.address, epoch=7) as newer:
            wait_for(lambda: newer.position == 10)
        town.grow(log, 10)
        with relayed(log, broker.address, epoch=6) as older:
            time.sleep(0.5)
        assert older.events == 0
        with relayed(log, broker.address, epoch=7):
            assert arrived(log, broker.address) == 0


def test_what_was_relayed_can_be_stored_by_the_newest_leader_alone(log: PostgresLog) -> None:
    place = RelayedRow(PostgresConnection(log.source, "log", first=UNDURABLE), FRAMES)
    sent = {0: Sent(9, 4), 1: Sent(7, 3)}
    assert place.take(1) == Relayed()
    place.store(1, Relayed(9, "topic", sent))
    assert place.take(2) == Relayed(9, "topic", sent)
    with pytest.raises(Fenced):
        place.store(1, Relayed(5, "other", {}))
    with pytest.raises(Fenced):
        place.take(1)
    assert place.take(2) == Relayed(9, "topic", sent)
    place.close()


def test_lowest_is_that_of_the_slowest_view(made: Urls) -> None:
    views = PostgresConnection(made.views, "views")
    assert lowest(views) == 0
    views.execute("CREATE TABLE positions (view text, partition integer, position bigint)")
    assert lowest(views) == 0
    for row in (("stock", 0, 9), ("stock", 1, 7), ("funds", 0, 8)):
        views.execute("INSERT INTO positions VALUES (?,?,?)", row)
    assert lowest(views) == 7
    views.close()


def test_apache_kafka_keeps_its_frames_over_kill_9(log: PostgresLog, tmp_path: Path) -> None:
    need_apache_kafka()
    town = Town()
    with ApacheKafka(tmp_path) as kafka, relayed(log, kafka.address) as relay:
        town.grow(log, 2_000)
        wait_for(lambda: relay.position == log.head(), 20)
        assert arrived(log, kafka.address) == 0
        kafka.kill()
        town.grow(log, 100)
        wait_for(lambda: relay.trouble is not None, 15)
        kafka.start()
        wait_for(lambda: relay.position == log.head() and relay.trouble is None, 30)
        assert relay.resent_from_lowest == 0
        arrived(log, kafka.address)
