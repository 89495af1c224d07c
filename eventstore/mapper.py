"""Facts to bytes and back: typed, deterministic, and only for registered topics.

The library's mapper resolves a topic by importing what the row names; ours looks it up in a
registry and refuses what is not there (reliability.md S24). A class that has grown fields has
``class_version`` > 1 and ``upcast_vN_vM`` static methods, as in the library; its topic is then
stored as ``Stockpile.Shipped/2``, so that old rows are recognized without reading them.

The facts of a command carry the same meta, byte for byte: it is decoded once and shared.
"""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import msgspec
from eventsourcing.persistence import Mapper, StoredEvent

from domain.base import Aggregate, Event, Meta
from eventstore.errors import StoreDamaged, UnknownTopic
from eventstore.shapes import become, shapes

METAS_KEPT = 4096


def encode_hook(value: Any) -> Any:
    """No type outside msgspec's own may slip into the log unnoticed."""
    raise TypeError(f"{type(value).__name__} cannot be stored in an event")


class TypedMapper(Mapper[UUID]):
    """Encodes and decodes the events of the given aggregates with msgspec.

    ``text_ids``: decode every id as the text it is stored as, for folding views, which store ids
    as that text; half of a fact's decoding goes into making UUIDs. Such facts are only read.
    """

    def __init__(self, aggregates: Iterable[type[Aggregate]], *, text_ids: bool = False) -> None:
        self._shapes = shapes(text_ids=text_ids)
        meta = self._shapes.of(Meta)
        self._decode_meta: Callable[[bytes], Meta] = msgspec.json.Decoder(meta).decode
        self._metas: dict[bytes, Meta] = {}
        self.classes: dict[str, type[Event]] = {}
        self._versions: dict[str, tuple[type[Event], int]] = {}
        self._decode: dict[str, Callable[[bytes], Event]] = {}
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
        for old in range(1, version + 1):
            self._versions[_versioned(name, old)] = (event_class, old)
        self._topics[event_class] = _versioned(name, version)

    def _decoder_of(self, topic: str) -> Callable[[bytes], Event]:
        """The decoder of a stored topic, made at its first use. Raises `UnknownTopic`."""
        known = self._versions.get(topic)
        if known is None:
            raise UnknownTopic(topic)
        event_class, version = known
        if topic == self._topics[event_class]:
            decode = self._decoder(event_class)
        else:
            shape = self._shapes.of_fact(event_class, meta=Meta)
            decode = _Upcast(event_class, shape, version).decode
        self._decode[topic] = decode
        return decode

    def _decoder(self, event_class: type[Event]) -> Callable[[bytes], Event]:
        """Decodes into a twin of the class whose meta is raw bytes, then puts both right."""
        decode = self._shapes.decoder_of(event_class)
        metas, meta_of = self._metas, self._meta_of

        def decoded(state: bytes) -> Event:
            fact: Event = decode(state)
            values = vars(fact)
            raw = bytes(values["meta"])
            meta = metas.get(raw)
            values["meta"] = meta if meta is not None else meta_of(raw)
            become(fact, event_class)
            return fact

        return decoded

    def _meta_of(self, raw: bytes) -> Meta:
        if len(self._metas) >= METAS_KEPT:
            self._metas.clear()
        meta = self._metas[raw] = self._decode_meta(raw)
        return meta

    def topic_of(self, event: Event) -> str:
        return self._topics[type(event)]

    def topics(self) -> tuple[str, ...]:
        """Every stored topic that can be decoded, older class versions included."""
        return tuple(self._versions)

    def class_of(self, topic: str) -> type[Event] | None:
        """The event class of a stored topic, None if unknown."""
        return self.classes.get(topic.partition("/")[0])

    def encode(self, event: Event) -> bytes:
        return self._encode(event)

    def decode(self, topic: str, state: bytes) -> Event:
        """The fact. Raises `UnknownTopic`, or `StoreDamaged` when the bytes do not fit."""
        decode = self._decode.get(topic) or self._decoder_of(topic)
        try:
            return decode(state)
        except (msgspec.MsgspecError, UnicodeDecodeError) as problem:
            raise StoreDamaged(f"{topic}: {problem}") from problem

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

    def __init__(self, event_class: type[Event], shape: type[Any], old: int) -> None:
        self.event_class = event_class
        self.shape = shape
        new = getattr(event_class, "class_version", 1)
        self.steps = [getattr(event_class, f"upcast_v{v}_v{v + 1}") for v in range(old, new)]

    def decode(self, state: bytes) -> Event:
        values: dict[str, Any] = msgspec.json.decode(state)
        for step in self.steps:
            step(values)
        fact: Event = msgspec.convert(values, self.shape)
        become(fact, self.event_class)
        return fact


def _versioned(name: str, version: int) -> str:
    return name if version == 1 else f"{name}/{version}"
