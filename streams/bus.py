"""The bus on which frames travel: the topic ``relief.frames``."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import ClassVar, Protocol

from kafka import KafkaAdminClient, KafkaProducer
from kafka.errors import KafkaError

from streams.frames import Frame, encode, headers
from streams.kafka import FRAMES, BusTrouble, Kafka, acked
from streams.sealing import Seal
from streams.topics import Topic, Wrong, described, ends_of, keep


class Bus(Protocol):
    """Where frames go. Every call raises `BusTrouble` when it cannot be done now."""

    seal: Seal | None
    """What frames are sealed with; without one no worker believes them."""
    wrong: Sequence[Wrong]
    """In what the topic differs from the settings, and is used nevertheless."""

    def open(self) -> str:
        """Connect, make the topic or mend it; the topic's id."""

    def topic_id(self) -> str:
        """The topic's id now: another one when it was made anew. Empty when it is missing."""

    def ends(self) -> dict[int, int]:
        """The offset after the newest message of each partition."""

    def send(self, frames: Sequence[Frame], going_on: Callable[[], bool]) -> dict[int, int]:
        """Returns when all are stored: the newest offset of each partition that got one."""

    def close(self) -> None:
        """Let go of connections; `open` may be called again."""


class Sending:
    """A topic of ours that is sent to. Every call raises `BusTrouble` when it cannot be done."""

    batching: ClassVar[Mapping[str, int]]
    """Options of the producer."""

    def __init__(self, kafka: Kafka, partitions: int, topic: str) -> None:
        self._kafka, self._partitions, self.topic = kafka, partitions, topic
        self._admin: KafkaAdminClient | None = None
        self._producer: KafkaProducer | None = None
        self.wrong: Sequence[Wrong] = ()

    def open(self) -> str:
        """Connect, make the topic or mend it; the topic's id."""
        self.close()
        admin = self._admin = self._kafka.admin()
        topic = Topic.of(self._kafka, self.topic, self._partitions)
        topic_id, self.wrong = keep(admin, topic)
        self._producer = self._kafka.producer(**self.batching)
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
        try:
            return ends_of(self._admin, self.topic, self._partitions)
        except (KafkaError, OSError) as problem:
            raise BusTrouble(repr(problem)) from problem

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


class FrameBus(Sending):
    """The topic ``relief.frames``. A frame is a batch already: no two are put together."""

    batching: ClassVar = {"batch_size": 0}

    def __init__(self, kafka: Kafka, partitions: int, topic: str = FRAMES) -> None:
        super().__init__(kafka, partitions, topic)
        self.seal: Seal | None = None

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
            except (KafkaError, OSError, ValueError) as problem:
                # ValueError: the topic has fewer partitions now, the broker made it anew by itself
                raise BusTrouble(repr(problem)) from problem
            sent.append((frame.partition, future))
        return acked(sent, going_on)
