"""``relief.events``: each fact as one CloudEvents 1.0 message, for other systems' consumers.

Structured mode: the whole event is one JSON text, so that it survives a bridge, a file or a
consumer that drops Kafka's headers, and the stored JSON goes into ``data`` untouched. Personal
data stays sealed. Key = stream, so one stream's facts stay in order. At least once: ``id`` tells
repeats apart. Described for consumers by ``docs/asyncapi.json``.
"""

import base64
from collections.abc import Callable, Sequence
from contextlib import suppress
from uuid import UUID

import msgspec
from kafka import KafkaProducer
from kafka.errors import KafkaError
from msgspec.structs import replace

from eventstore.log import Row
from streams.kafka import EVENTS, BusTrouble, Kafka, acked
from streams.topics import Topic, Wrong, keep

CONTENT_TYPE = b"application/cloudevents+json; charset=UTF-8"
BATCH_BYTES = 256 * 1024


class _Stamp(msgspec.Struct):
    recorded_at: str


class _Fact(msgspec.Struct):
    meta: _Stamp


class CloudEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """CloudEvents 1.0 with the extensions ``partitionkey`` and ``sequence`` (the log position)."""

    id: str
    source: str
    type: str
    subject: str
    partitionkey: str
    sequence: str
    specversion: str = msgspec.field(default_factory=lambda: "1.0")
    time: str | None = None
    datacontenttype: str | None = None
    data: msgspec.Raw | None = None
    data_base64: str | None = None


_stamp_of = msgspec.json.Decoder(_Fact).decode
encode = msgspec.json.Encoder().encode


def type_of(topic: str) -> str:
    """``relief.Stockpile.Shipped.v2`` of the stored topic ``Stockpile.Shipped/2``."""
    name, _, version = topic.partition("/")
    return f"relief.{name}.v{version or 1}"


def cloud_event(source: str, row: Row) -> CloudEvent:
    """The event of a stored row; bytes that are not JSON go as ``data_base64``."""
    position, stream, version, topic, state = row
    subject = str(UUID(bytes=stream))
    event = CloudEvent(
        id=f"{subject}/{version}",
        source=source,
        type=type_of(topic),
        subject=subject,
        partitionkey=subject,
        sequence=f"{position:019d}",
    )
    try:
        stamp = _stamp_of(state).meta
    except msgspec.MsgspecError:
        return replace(event, data_base64=base64.b64encode(state).decode())
    json = "application/json"
    return replace(event, time=stamp.recorded_at, datacontenttype=json, data=msgspec.Raw(state))


class EventsTopic:
    """Sends each row that the relay relays, before the relay's position moves past it."""

    def __init__(self, kafka: Kafka, partitions: int, source: str, topic: str = EVENTS) -> None:
        self._kafka, self._partitions = kafka, partitions
        self._source, self.topic = source, topic
        self._producer: KafkaProducer | None = None
        self.events = 0
        self.wrong: Sequence[Wrong] = ()

    def open(self) -> None:
        self.close()
        admin = self._kafka.admin()
        try:
            _, self.wrong = keep(admin, Topic.of(self._kafka, self.topic, self._partitions))
        finally:
            admin.close()
        self._producer = self._kafka.producer(batch_size=BATCH_BYTES, linger_ms=2)

    def send(self, rows: Sequence[Row], going_on: Callable[[], bool]) -> None:
        """Returns when all are stored. Raises `BusTrouble`, `Interrupted`."""
        producer = self._producer
        assert producer is not None
        sent = []
        for row in rows:
            event = cloud_event(self._source, row)
            try:
                future = producer.send(
                    self.topic,
                    encode(event),
                    key=event.partitionkey.encode(),
                    headers=[("content-type", CONTENT_TYPE)],
                )
            except (KafkaError, OSError) as problem:
                raise BusTrouble(repr(problem)) from problem
            sent.append((0, future))
        acked(sent, going_on)
        self.events += len(rows)

    def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(KafkaError, OSError):
                producer.close(timeout=0)
