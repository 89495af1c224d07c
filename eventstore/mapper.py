"""Facts to bytes and back: typed, deterministic, and only for registered topics.

The library's mapper resolves a topic by importing what the row names; ours looks it up in a
registry and refuses what is not there (reliability.md S24). A class that has grown fields has
``class_version`` > 1 and ``upcast_vN_vM`` static methods, as in the library; its topic is then
stored as ``Stockpile.Shipped/2``, so that old rows are recognized without reading them.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec
from eventsourcing.persistence import Mapper, StoredEvent

from domain.base import Aggregate, Event
from eventstore.errors import StoreDamaged, UnknownTopic


def encode_hook(value: Any) -> Any:
    """No type outside msgspec's own may slip into the log unnoticed."""
    raise TypeError(f"{type(value).__name__} cannot be stored in an event")


class TypedMapper(Mapper[UUID]):
    """Encodes and decodes the events of the given aggregates with msgspec."""

    def __init__(self, aggregates: Iterable[type[Aggregate]]) -> None:
        self.classes: dict[str, type[Event]] = {}
        self._decode: dict[str, Any] = {}
        self._topics: dict[type[Event], str] = {}
        self._encode = msgspec.json.Encoder(enc_hook=encode_hook).encode
        for aggregate in aggregates:
            for event_class in aggregate.event_classes():
                self._register(event_class)

    def _register(self, event_class: type[Event]) -> None:
        name = event_class.topic()
        if name in self.classes:
            raise ValueError(f"topic {name} is registered twice")
        self.classes[name] = event_class
        version = getattr(event_class, "class_version", 1)
        for old in range(1, version):
            self._decode[_versioned(name, old)] = _Upcast(event_class, old, version).decode
        self._topics[event_class] = _versioned(name, version)
        self._decode[_versioned(name, version)] = msgspec.json.Decoder(event_class).decode

    def topic_of(self, event: Event) -> str:
        return self._topics[type(event)]

    def topics(self) -> tuple[str, ...]:
        """Every stored topic that can be decoded, older class versions included."""
        return tuple(self._decode)

    def class_of(self, topic: str) -> type[Event] | None:
        """The event class of a stored topic, None if unknown."""
        return self.classes.get(topic.partition("/")[0])

    def encode(self, event: Event) -> bytes:
        return self._encode(event)

    def decode(self, topic: str, state: bytes) -> Event:
        """The fact. Raises `UnknownTopic`, or `StoreDamaged` when the bytes do not fit."""
        decode = self._decode.get(topic)
        if decode is None:
            raise UnknownTopic(topic)
        try:
            fact: Event = decode(state)
        except (msgspec.MsgspecError, UnicodeDecodeError) as problem:
            raise StoreDamaged(f"{topic}: {problem}") from problem
        return fact

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        return StoredEvent(
            originator_id=domain_event.originator_id,
            originator_version=domain_event.originator_version,
            topic=self.topic_of(domain_event),
            state=self.encode(domain_event),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        return self.decode(stored_event.topic, stored_event.state)


class _Upcast:
    """Decodes a row of an older class version by walking its upcasters."""

    def __init__(self, event_class: type[Event], old: int, new: int) -> None:
        self.event_class = event_class
        self.steps = [getattr(event_class, f"upcast_v{v}_v{v + 1}") for v in range(old, new)]

    def decode(self, state: bytes) -> Event:
        values: dict[str, Any] = msgspec.json.decode(state)
        for step in self.steps:
            step(values)
        return msgspec.convert(values, self.event_class)


def _versioned(name: str, version: int) -> str:
    return name if version == 1 else f"{name}/{version}"
