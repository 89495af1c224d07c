"""Who makes and alters topics on the broker: here, and nowhere else.

Whoever comes first, relay or worker, makes a topic the same way: a `Topic` is made of the settings.
A topic that is there otherwise (made by a broker or a consumer that only asked for it, or before
the settings were changed) is mended where that loses nothing: its settings are altered, partitions
are added where no key decides about them, and a topic without any message is made anew. What is
left is told, by `Wrong`; with another number of partitions nothing is sent.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import structlog
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType, NewPartitions, NewTopic, OffsetSpec
from kafka.errors import (
    AuthorizationError,
    IncompatibleBrokerVersion,
    InvalidPartitionsError,
    KafkaError,
    for_code,
)
from kafka.structs import TopicPartition

from streams.kafka import (
    DAY_MS,
    EVENTS,
    FRAMES,
    MESSAGE_BYTES,
    REQUEST_MS,
    BusRefuses,
    BusTrouble,
    Kafka,
)

ALREADY_THERE = 36
"""The broker's answer when another process has just made the topic."""
TOO_MANY_COPIES = 38
"""More than there are brokers."""
MISSING = 3

RETENTION = "retention.ms"
NAMED = {
    "partitions": "分区数",
    "replication": "副本数",
    RETENTION: "保留时间（retention.ms）",
    "min.insync.replicas": "最少同步副本数（min.insync.replicas）",
    "cleanup.policy": "清理方式（cleanup.policy）",
    "max.message.bytes": "单条消息的字节上限（max.message.bytes）",
}

log = structlog.get_logger("topics")


@dataclass(frozen=True)
class Topic:
    """A topic as the settings want it. ``keyed``: which partition a message goes to depends on
    their number, so that none may be added."""

    name: str
    partitions: int
    replication: int
    min_insync: int
    keep_ms: int
    keyed: bool = False

    @classmethod
    def of(cls, kafka: Kafka, name: str, partitions: int) -> "Topic":
        """A topic of ours on this broker."""
        days = {FRAMES: kafka.frames_days, EVENTS: kafka.events_days}.get(name, kafka.frames_days)
        least = kafka.min_insync or min(2, kafka.replication)
        return cls(name, partitions, kafka.replication, least, int(days * DAY_MS), name == EVENTS)

    @property
    def config(self) -> dict[str, str]:
        return {
            "cleanup.policy": "delete",
            "max.message.bytes": str(MESSAGE_BYTES),
            RETENTION: str(self.keep_ms),
            "min.insync.replicas": str(self.min_insync),
        }


@dataclass(frozen=True)
class Wrong:
    """In what a topic differs from the settings. ``what``: ``missing``, ``partitions``,
    ``replication``, or the name of a setting."""

    topic: str
    what: str
    found: str
    wanted: str

    @property
    def stops(self) -> bool:
        """Whether nothing may be sent to it so."""
        return self.what in ("missing", "partitions")

    @property
    def zh(self) -> str:
        if self.what == "missing":
            return f"主题 {self.topic} 不存在；启动 relay 即会建立"
        named = NAMED.get(self.what, self.what)
        found, wanted = (_said(self.what, value, "天", "小时") for value in self._values)
        return f"主题 {self.topic} 的{named}是 {found}，应为 {wanted}。{self._todo[0]}"

    @property
    def en(self) -> str:
        if self.what == "missing":
            return f"There is no topic {self.topic}: a relay that starts makes it."
        found, wanted = (_said(self.what, value, "days", "h") for value in self._values)
        of = " of" if self.what == RETENTION else ""
        return f"The topic {self.topic} has {self.what}{of} {found}, not {wanted}. {self._todo[1]}"

    @property
    def _values(self) -> tuple[str, str]:
        return self.found, self.wanted

    @property
    def _todo(self) -> tuple[str, str]:
        if self.what == "partitions":
            return (
                "请停止其使用者后删除该主题，relay 会重新建立并补发",
                "Stop who uses it and delete it: the relay makes it anew and sends again.",
            )
        if self.what == "replication":
            return (
                "请用 kafka-reassign-partitions 调整，或删除该主题，relay 会重新建立并补发",
                "Alter it with kafka-reassign-partitions, or delete the topic: the relay makes it"
                " anew and sends again.",
            )
        return "relay 启动时会改正", "A relay that starts sets it right."


def _said(what: str, value: str, days: str, hours: str) -> str:
    """A value as people say it: time in days, or in hours where it is less than one."""
    if what != RETENTION or not value.isdigit():
        return value
    found = int(value) / DAY_MS
    return f"{found:.4g} {days}" if found >= 1 else f"{found * 24:.3g} {hours}"


class TopicWrong(BusTrouble):
    """A topic is not as it must be: nothing is sent to it before somebody has mended it."""

    zh: ClassVar[str]
    en: ClassVar[str]

    def __init__(self, wrong: Wrong) -> None:
        Exception.__init__(self, wrong.en)
        self.zh, self.detail, self.wrong = wrong.zh, wrong.en, wrong  # type: ignore[misc]


def described(admin: KafkaAdminClient, name: str) -> dict[str, Any] | None:
    """What the broker says of a topic, None when it has none. Asking does not make it."""
    (found,) = admin.describe_topics([name])
    if found["error_code"] == MISSING:
        return None
    if found["error_code"]:
        raise for_code(found["error_code"])(name)
    return dict(found)


def differences(admin: KafkaAdminClient, topic: Topic) -> list[Wrong]:
    """In what the topic differs from what it should be; changes nothing."""
    found = described(admin, topic.name)
    if found is None:
        return [Wrong(topic.name, "missing", "", "")]
    return list(_differences(admin, topic, found))


def _differences(admin: KafkaAdminClient, topic: Topic, found: dict[str, Any]) -> Iterator[Wrong]:
    count = len(found["partitions"])
    if count != topic.partitions:
        yield Wrong(topic.name, "partitions", str(count), str(topic.partitions))
    copies = min((len(one["replica_nodes"]) for one in found["partitions"]), default=0)
    if copies != topic.replication:
        yield Wrong(topic.name, "replication", str(copies), str(topic.replication))
    asked = ConfigResource(ConfigResourceType.TOPIC, topic.name)
    told = admin.describe_configs([asked], config_filter="all")["topic"][topic.name]
    for name, wanted in topic.config.items():
        value = str(told[name]["value"]) if name in told else "?"
        if value != wanted:
            yield Wrong(topic.name, name, value, wanted)


def keep(admin: KafkaAdminClient, topic: Topic, *, mend: bool = True) -> tuple[str, list[Wrong]]:
    """Make the topic if it is missing and mend what can be mended; its id, and what is left wrong.

    With ``mend`` False a topic that is there is left as it is: the relay alone mends. Raises
    `TopicWrong` when nothing may be sent to it so, `BusRefuses` when the broker refuses us or the
    topic, else `BusTrouble` when it cannot be asked.
    """
    try:
        return _keep(admin, topic, mend=mend)
    except AuthorizationError as problem:
        raise BusRefuses(*_not_allowed(topic)) from problem
    except (KafkaError, OSError) as problem:
        raise BusTrouble(f"{topic.name}: {problem!r}") from problem


def _keep(admin: KafkaAdminClient, topic: Topic, *, mend: bool) -> tuple[str, list[Wrong]]:
    found = described(admin, topic.name) or _made(admin, topic)
    wrong = list(_differences(admin, topic, found))
    if wrong and mend:
        found = _mended(admin, topic, wrong) or found
        wrong = list(_differences(admin, topic, found))
    for one in wrong:
        if one.stops:
            raise TopicWrong(one)
    return str(found["topic_id"]), wrong


def _made(admin: KafkaAdminClient, topic: Topic) -> dict[str, Any]:
    new = NewTopic(topic.name, topic.partitions, topic.replication, topic_configs=topic.config)
    made = admin.create_topics([new], raise_errors=False)["topics"][0]
    if made["error_code"] == TOO_MANY_COPIES:
        raise BusRefuses(*_too_few_brokers(topic))
    if made["error_code"] not in (0, ALREADY_THERE):
        problem = for_code(made["error_code"])
        raise problem(made["error_message"] or topic.name)
    admin.wait_for_topics([topic.name], timeout_ms=REQUEST_MS)
    found = described(admin, topic.name)
    if found is None:
        raise BusTrouble(f"{topic.name}: made, but not there yet")
    return found


def _mended(admin: KafkaAdminClient, topic: Topic, wrong: list[Wrong]) -> dict[str, Any] | None:
    """What the broker says of the topic after all that could be done."""
    log.warning("topic.wrong", topic=topic.name, wrong=[one.en for one in wrong])
    kinds = {one.what for one in wrong}
    if kinds & {"partitions", "replication"} and _empty(admin, topic.name):
        admin.delete_topics([topic.name])
        return _made(admin, topic)
    if "partitions" in kinds and not topic.keyed:
        try:
            admin.create_partitions({topic.name: NewPartitions(topic.partitions)})
        except (InvalidPartitionsError, IncompatibleBrokerVersion) as problem:
            log.warning("topic.partitions", topic=topic.name, why=repr(problem))
    settings = {one.what: one.wanted for one in wrong if one.what in topic.config}
    if settings:
        changed = ConfigResource(ConfigResourceType.TOPIC, topic.name, configs=settings)
        admin.alter_configs([changed], raise_on_unknown=False)
    return described(admin, topic.name)


def _empty(admin: KafkaAdminClient, name: str) -> bool:
    """Whether nobody ever sent anything to it."""
    found = described(admin, name)
    count = len(found["partitions"]) if found else 0
    return not any(ends_of(admin, name, count).values())


def ends_of(admin: KafkaAdminClient, name: str, partitions: int) -> dict[int, int]:
    """The offset after the newest message of each partition. Tansu says too little where messages
    travelled together: never more than there are."""
    wanted = {TopicPartition(name, n): OffsetSpec.LATEST for n in range(partitions)}
    found = admin.list_partition_offsets(wanted)
    return {at.partition: int(end.offset) for at, end in found.items()}


def _too_few_brokers(topic: Topic) -> tuple[str, str]:
    return (
        f"不能建立主题 {topic.name}：RELIEF_KAFKA_REPLICATION 要求 {topic.replication} 份副本，"
        "消息总线没有这么多服务器",
        f"The topic {topic.name} cannot be made: RELIEF_KAFKA_REPLICATION asks for"
        f" {topic.replication} copies, and there are fewer brokers.",
    )


def _not_allowed(topic: Topic) -> tuple[str, str]:
    return (
        f"消息总线不允许本程序的用户查看或建立主题 {topic.name}：请检查其权限（ACL）",
        f"The broker does not allow our user to see or make the topic {topic.name}: check its"
        " rights (ACL).",
    )
