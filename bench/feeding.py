"""Facts on Kafka before anybody reads them: as our frames, or one fact a message."""

from collections.abc import Sequence

import msgspec
from kafka import KafkaProducer

from eventstore.log import Log, Row
from projections.folding.partitions import partition_of
from streams.bus import FrameBus
from streams.frames import Framer, Router, partitions_of
from streams.kafka import Kafka, acked
from streams.relay import MOST_ROWS
from streams.sealing import keep_seal, seal_of
from streams.topics import Topic, keep

SENT_TOGETHER = 64
PLAIN = "bench.facts"
PRODUCED_TOGETHER = 5_000


class _Where(msgspec.Struct):
    division: str


class _Fact(msgspec.Struct):
    meta: _Where


_division = msgspec.json.Decoder(_Fact).decode


def frames(kafka: str, log: Log, rows: Sequence[Row]) -> int:
    """Send them as the relay does when it has fallen behind; how many frames."""
    partitions = partitions_of(log)
    framer = Framer(Router(log, partitions), {})
    bus = FrameBus(Kafka(kafka), partitions)
    bus.open()
    keep_seal(log, bytes(32))  # of a store that no API serves
    bus.seal = seal_of(log)
    made = [
        frame
        for start in range(0, len(rows), MOST_ROWS)
        for frame in framer.cut(rows[start : start + MOST_ROWS])
    ]
    made += framer.watermarks(rows[-1][0])
    for start in range(0, len(made), SENT_TOGETHER):
        bus.send(made[start : start + SENT_TOGETHER], lambda: True)
    bus.close()
    return len(made)


def plain(kafka: str, rows: Sequence[Row], partitions: int) -> None:
    """One fact a message: its county the key, its stored bytes the value, its topic a header."""
    given = Kafka(kafka)
    admin = given.admin()
    keep(admin, Topic.of(given, PLAIN, partitions))
    admin.close()
    producer: KafkaProducer = given.producer(linger_ms=50, batch_size=256 * 1024)
    for start in range(0, len(rows), PRODUCED_TOGETHER):
        sent = []
        for _, _, _, topic, state in rows[start : start + PRODUCED_TOGETHER]:
            county = _division(state).meta.division
            at = partition_of(county, partitions)
            headers = [("topic", topic.encode())]
            future = producer.send(PLAIN, state, county.encode(), headers, at)
            sent.append((at, future))
        acked(sent)
    producer.close()
