"""``relief.events``: each fact as one CloudEvents 1.0 message, for other systems' consumers.

Structured mode: the whole event is one JSON text, so that it survives a bridge, a file or a
consumer that drops Kafka's headers, and the stored JSON goes into ``data`` untouched. Personal
data stays sealed. Key = stream, so one stream's facts stay in order. At least once: ``id`` tells
repeats apart. Described for consumers by ``docs/asyncapi.json``.
"""

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import ClassVar
from uuid import UUID

import msgspec
from kafka.errors import KafkaError
from kafka.structs import TopicPartition
from msgspec.structs import replace

from eventstore.log import Log, Row
from streams.bus import Sending
from streams.kafka import EVENTS, BusTrouble, Kafka, acked
from streams.relayed import Sent

CONTENT_TYPE = b"application/cloudevents+json; charset=UTF-8"
BATCH_BYTES = 256 * 1024
READ_SECONDS = 10.0
POLL_MS = 500


class _Stamp(msgspec.Struct):
    recorded_at: str


class _Fact(msgspec.Struct):
    meta: _Stamp


class _Sequence(msgspec.Struct):
    sequence: str


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
_sequence = msgspec.json.Decoder(_Sequence).decode
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


def source_of(log: Log) -> str:
    """Of which history of which log the facts are: another one after a restore or a promotion."""
    born, _, epoch = log.lineage().partition("/")
    return f"urn:relief-ledger:{born}:{epoch}"


class EventsTopic(Sending):
    """The topic ``relief.events``: many events a message batch, the stream as key."""

    batching: ClassVar = {"batch_size": BATCH_BYTES, "linger_ms": 2}

    def __init__(self, kafka: Kafka, partitions: int, topic: str = EVENTS) -> None:
        super().__init__(kafka, partitions, topic)

    def send(
        self, source: str, rows: Sequence[Row], going_on: Callable[[], bool] = lambda: True
    ) -> dict[int, Sent]:
        """Returns when all are stored: the newest of each partition that got one. Raises
        `BusTrouble`, `Interrupted`."""
        producer = self._producer
        assert producer is not None
        futures = []
        for row in rows:
            event = cloud_event(source, row)
            try:
                future = producer.send(
                    self.topic,
                    encode(event),
                    key=event.partitionkey.encode(),
                    headers=[("content-type", CONTENT_TYPE)],
                )
            except (KafkaError, OSError) as problem:
                raise BusTrouble(repr(problem)) from problem
            futures.append(future)
        acked(((0, future) for future in futures), going_on)
        stored = [future.get(timeout=0) for future in futures]
        return {
            at.partition: Sent(row[0], int(at.offset)) for row, at in zip(rows, stored, strict=True)
        }

    def newest(self, ends: Mapping[int, int]) -> dict[int, int]:
        """The position of the newest fact in each of these partitions; 0 where there is none.

        ``ends`` may be too low, never too high: all from the last known message on are read.
        """
        found = dict.fromkeys(ends, 0)
        there = {TopicPartition(self.topic, n): end - 1 for n, end in ends.items() if end > 0}
        if not there:
            return found
        try:
            with closing(self._kafka.consumer()) as consumer:
                consumer.assign(list(there))
                for at, offset in there.items():
                    consumer.seek(at, offset)
                missing = set(there)
                deadline = time.monotonic() + READ_SECONDS
                quiet = False
                while missing or not quiet:
                    got = consumer.poll(timeout_ms=POLL_MS)
                    quiet = not got
                    for at, messages in got.items():
                        missing.discard(at)
                        found[at.partition] = max(
                            found[at.partition], *(_sequence_of(m.value) for m in messages)
                        )
                    if time.monotonic() > deadline:
                        raise BusTrouble(f"{self.topic}: its newest messages cannot be read")
        except (KafkaError, OSError) as problem:
            raise BusTrouble(repr(problem)) from problem
        return found


def _sequence_of(value: bytes) -> int:
    """The position in the log that a message names; 0 of one that is none of ours."""
    try:
        return int(_sequence(value).sequence)
    except (msgspec.MsgspecError, ValueError):
        return 0
