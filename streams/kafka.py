"""Kafka by kafka-python: one place that makes clients and topics, with the values we need.

The library's consumer would commit by itself, begin at the end and read what was never committed;
its clients wait minutes for a broker that is away. A test holds each value.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewPartitions, NewTopic, OffsetSpec
from kafka.errors import KafkaError, for_code
from kafka.structs import TopicPartition

from streams.frames import Frame, encode, headers
from streams.sealing import Seal

FRAMES = "relief.frames"
EVENTS = "relief.events"
DAY_MS = 24 * 3600 * 1000
MESSAGE_BYTES = 4 * 1024 * 1024
REQUEST_MS = 4_000
DELIVERY_MS = 8_000
SLICE_SECONDS = 0.2

CLIENT = {
    "request_timeout_ms": REQUEST_MS,
    "bootstrap_timeout_ms": 2_000,
    "reconnect_backoff_ms": 50,
    "reconnect_backoff_max_ms": 1_000,
}
PRODUCER = {
    **CLIENT,
    "acks": "all",
    "enable_idempotence": True,
    "allow_auto_create_topics": False,
    "delivery_timeout_ms": DELIVERY_MS,
    "max_block_ms": REQUEST_MS,
    "max_request_size": MESSAGE_BYTES,
}
CONSUMER = {
    **CLIENT,
    "enable_auto_commit": False,
    "auto_offset_reset": "earliest",
    "isolation_level": "read_committed",
    "allow_auto_create_topics": False,
    "max_partition_fetch_bytes": MESSAGE_BYTES,
}
TOPIC = {"cleanup.policy": "delete", "max.message.bytes": str(MESSAGE_BYTES)}


class BusTrouble(Exception):
    """The broker does not answer or refuses. Nothing is lost: the log has it all."""

    zh: ClassVar[str] = "消息总线不可用：上报与账本照常，看板暂时不更新"
    en: ClassVar[str] = (
        "Kafka cannot be used now: the log goes on, the boards are late until it can."
    )

    def __init__(self, detail: object = "") -> None:
        super().__init__(f"{self.en} {detail}".strip())
        self.detail = str(detail)


class Interrupted(Exception):
    """The one who sends was told to stop, or leads no longer."""


def quiet() -> None:
    """Let the library report nothing by itself: each of its attempts would be a line."""
    logging.getLogger("kafka").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Kafka:
    """The broker's address and how many copies of a topic it keeps."""

    servers: str
    replication: int = 1

    def producer(self, **more: Any) -> KafkaProducer:
        return self._made(KafkaProducer, PRODUCER | more)

    def consumer(self, *topics: str, **more: Any) -> KafkaConsumer:
        return self._made(KafkaConsumer, CONSUMER | more, *topics)

    def admin(self) -> KafkaAdminClient:
        return self._made(KafkaAdminClient, CLIENT)

    def _made(self, kind: Any, config: dict[str, Any], *args: str) -> Any:
        try:
            return kind(*args, bootstrap_servers=self.servers.split(","), **config)
        except (KafkaError, OSError) as problem:
            raise BusTrouble(f"{self.servers}: {problem!r}") from problem

    def make_topic(
        self, admin: KafkaAdminClient, name: str, partitions: int, *, keep_ms: int = 3 * DAY_MS
    ) -> str:
        """Make the topic if it is missing, add partitions if it has too few; its id.

        Raises `BusTrouble` when it has more: facts would wait where no worker looks for them.
        """
        config = TOPIC | {
            "retention.ms": str(keep_ms),
            "min.insync.replicas": str(min(2, self.replication)),
        }
        topic = NewTopic(name, partitions, self.replication, topic_configs=config)
        found = described(admin, name)
        if found is None:
            made = admin.create_topics([topic], raise_errors=False)["topics"][0]
            if made["error_code"] not in (0, 36):  # 36: another relay was faster
                raise BusTrouble(f"{name}: {made['error_message'] or for_code(made['error_code'])}")
            admin.wait_for_topics([name], timeout_ms=REQUEST_MS)
            found = described(admin, name)
        if found is None:
            raise BusTrouble(f"{name}: made, but not there yet")
        count = len(found["partitions"])
        if count < partitions:
            admin.create_partitions({name: NewPartitions(partitions)})
        elif count > partitions:
            raise BusTrouble(f"{name}: {count} partitions, but the log is cut into {partitions}")
        return str(found["topic_id"])


def described(admin: KafkaAdminClient, name: str) -> dict[str, Any] | None:
    """What the broker says of a topic, None when it has none."""
    (found,) = admin.describe_topics([name])
    if found["error_code"] == 3:
        return None
    if found["error_code"]:
        raise for_code(found["error_code"])(name)
    return dict(found)


def acked(
    sent: Iterable[tuple[int, Any]], going_on: Callable[[], bool] = lambda: True
) -> dict[int, int]:
    """Wait until all of these sends are stored; the newest offset of each partition.

    Raises `BusTrouble` when one failed, `Interrupted` as soon as ``going_on`` says no.
    """
    offsets: dict[int, int] = {}
    for partition, future in sent:
        while not future.is_done:
            if not going_on():
                raise Interrupted
            with suppress(KafkaError):  # a failure is raised below
                future.get(timeout=SLICE_SECONDS)
        try:
            offsets[partition] = int(future.get(timeout=0).offset)
        except KafkaError as problem:
            raise BusTrouble(repr(problem)) from problem
    return offsets


class Bus(Protocol):
    """Where frames go. Every call raises `BusTrouble` when it cannot be done now."""

    seal: Seal | None
    """What frames are sealed with; without one no worker believes them."""

    def open(self) -> str:
        """Connect, make the topic if it is missing; the topic's id."""

    def topic_id(self) -> str:
        """The topic's id now: another one when it was made anew. Empty when it is missing."""

    def ends(self) -> dict[int, int]:
        """The offset after the newest message of each partition."""

    def send(self, frames: Sequence[Frame], going_on: Callable[[], bool]) -> dict[int, int]:
        """Returns when all are stored: the newest offset of each partition that got one."""

    def close(self) -> None:
        """Let go of connections; `open` may be called again."""


class FrameBus:
    """The topic ``relief.frames``. A frame is a batch already: no two are put together."""

    def __init__(self, kafka: Kafka, partitions: int, topic: str = FRAMES) -> None:
        self._kafka, self._partitions, self.topic = kafka, partitions, topic
        self._admin: KafkaAdminClient | None = None
        self._producer: KafkaProducer | None = None
        self.seal: Seal | None = None

    def open(self) -> str:
        self.close()
        admin = self._admin = self._kafka.admin()
        try:
            topic_id = self._kafka.make_topic(admin, self.topic, self._partitions)
        except (KafkaError, OSError) as problem:
            raise BusTrouble(repr(problem)) from problem
        self._producer = self._kafka.producer(batch_size=0)
        return topic_id

    def topic_id(self) -> str:
        assert self._admin is not None
        try:
            found = described(self._admin, self.topic)
        except (KafkaError, OSError) as problem:
            raise BusTrouble(repr(problem)) from problem
        return str(found["topic_id"]) if found else ""

    def ends(self) -> dict[int, int]:
        assert self._admin is not None
        wanted = {TopicPartition(self.topic, n): OffsetSpec.LATEST for n in range(self._partitions)}
        try:
            found = self._admin.list_partition_offsets(wanted)
        except (KafkaError, OSError) as problem:
            raise BusTrouble(repr(problem)) from problem
        return {at.partition: int(end.offset) for at, end in found.items()}

    def send(self, frames: Sequence[Frame], going_on: Callable[[], bool]) -> dict[int, int]:
        producer = self._producer
        assert producer is not None
        sent = []
        for frame in frames:
            value, named = encode(frame), headers(frame)
            if self.seal is not None:
                named = self.seal.on(value, named)
            try:
                future = producer.send(self.topic, value, partition=frame.partition, headers=named)
            except (KafkaError, OSError) as problem:
                raise BusTrouble(repr(problem)) from problem
            sent.append((frame.partition, future))
        return acked(sent, going_on)

    def close(self) -> None:
        """What was not stored yet is given up: it will be sent again."""
        producer, self._producer = self._producer, None
        admin, self._admin = self._admin, None
        with suppress(KafkaError, OSError):
            if producer is not None:
                producer.close(timeout=0)
        with suppress(KafkaError, OSError):
            if admin is not None:
                admin.close()
