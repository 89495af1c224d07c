"""Kafka by kafka-python: one place that makes clients, with the values we need.

The library's consumer would commit by itself, begin at the end and read what was never committed;
its clients wait minutes for a broker that is away. A test holds each value.
"""

import logging
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, ClassVar

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError

from streams.security import Security, heard_refusals, listen_for_refusals

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


class BusTrouble(Exception):
    """The broker does not answer or refuses. Nothing is lost: the log has it all."""

    zh: ClassVar[str] = "消息总线不可用：上报与账本照常，看板暂时不更新"
    en: ClassVar[str] = (
        "Kafka cannot be used now: the log goes on, the boards are late until it can."
    )

    def __init__(self, detail: object = "") -> None:
        super().__init__(f"{self.en} {detail}".strip())
        self.detail = str(detail)


class BusRefuses(BusTrouble):
    """The broker is there and refuses what we ask: waiting does not help."""

    def __init__(self, zh: str, en: str) -> None:
        Exception.__init__(self, en)
        self.zh, self.detail = zh, en  # type: ignore[misc]


class Interrupted(Exception):
    """The one who sends was told to stop, or leads no longer."""


def quiet() -> None:
    """Let the library report nothing by itself: each of its attempts would be a line."""
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    listen_for_refusals()


@dataclass(frozen=True)
class Kafka:
    """The broker's address, how it is spoken to, and how our topics are kept there."""

    servers: str
    replication: int = 1
    min_insync: int = 0
    """0: two, where there are two copies."""
    frames_days: float = 3
    events_days: float = 7
    security: Security = field(default_factory=Security)

    def producer(self, **more: Any) -> KafkaProducer:
        return self._made(KafkaProducer, PRODUCER | more)

    def consumer(self, *topics: str, **more: Any) -> KafkaConsumer:
        return self._made(KafkaConsumer, CONSUMER | more, *topics)

    def admin(self) -> KafkaAdminClient:
        return self._made(KafkaAdminClient, CLIENT)

    def _made(self, kind: Any, config: dict[str, Any], *args: str) -> Any:
        listen_for_refusals()
        began = time.monotonic()
        try:
            given = config | self.security.options()
            return kind(*args, bootstrap_servers=self.servers.split(","), **given)
        except (KafkaError, OSError) as problem:
            refused = heard_refusals(problem, began, self)
            if refused is not None:
                raise BusRefuses(*refused) from problem
            raise BusTrouble(f"{self.servers}: {problem!r}") from problem


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
