"""The ground every noun stands on: aggregate, event, meta, refusal.

An aggregate is one stream of facts. A public method *decides* (checks the rules, raises a
`Refusal`) and then calls a private ``@event`` method that only *assigns*: the library runs
that body again at every replay, so rules, clocks and ids must never be in it.
"""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import UTC, datetime
from functools import cache
from typing import Any, ClassVar, Self
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec
from eventsourcing.domain import (
    BaseAggregate,
    CanInitAggregate,
    CanMutateAggregate,
    MetaDomainEvent,
    decorated_funcs,
)

NAMESPACE = uuid5(NAMESPACE_URL, "relief-ledger")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOBODY = UUID(int=0)


class Meta(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who did it, in which post, by which command, and when the log took it.

    ``actor`` is the officer (a natural person), ``area`` the actor's own division, ``division``
    the county (or higher) in which the stream was born and by which it is partitioned.
    ``clock_held``: ``recorded_at`` was read from a clock that was held (decision 0022); facts of
    before this was kept do not say it.
    """

    actor: UUID
    role: str
    command: UUID
    correlation: UUID
    division: UUID
    recorded_at: datetime
    area: UUID | None = None
    post: str = ""
    standing_for: UUID | None = None
    clock_held: bool = False


UNSTAMPED = Meta(NOBODY, "", NOBODY, NOBODY, NOBODY, EPOCH)


class Event(CanMutateAggregate[UUID], metaclass=MetaDomainEvent):
    """A fact. Frozen; ``meta`` is stamped once by the store as it commits."""

    originator_id: UUID
    originator_version: int
    meta: Meta

    @property
    def timestamp(self) -> datetime:  # type: ignore[override]
        return self.meta.recorded_at

    def mutate(self, aggregate: Any) -> Any:
        """As the library does it, in one step: check, run the ``@event`` body, count up.

        The library looks up the body's parameters at every call; half of a replay went there.
        """
        body = decorated_funcs.get(type(self))
        follows = (
            self.originator_version == aggregate._version + 1
            and self.originator_id == aggregate._id
        )
        if body is None or not follows:
            return super().mutate(aggregate)
        state = vars(self)
        body(aggregate, **{name: state[name] for name in parameters(body)})
        aggregate._version = self.originator_version
        aggregate._modified_on = self.meta.recorded_at
        return aggregate

    @classmethod
    def topic(cls) -> str:
        """The registered name, e.g. ``Stockpile.Shipped``: never an import path."""
        return cls.__qualname__


def stamp(event: Event, meta: Meta) -> None:
    """Give a decided fact its meta. Called by the store once, before the fact is encoded."""
    vars(event)["meta"] = meta


def grown(event_class: type[Event], *upcasters: Callable[[dict[str, Any]], None]) -> None:
    """Its fields have changed since the first facts were stored: an upcaster a change, in order.

    An upcaster gets the fields of a stored fact as JSON has them and adds what is missing.
    """
    for old, upcast in enumerate(upcasters, start=1):
        setattr(event_class, f"upcast_v{old}_v{old + 1}", staticmethod(upcast))
    event_class.class_version = len(upcasters) + 1  # type: ignore[attr-defined]


class Created(CanInitAggregate[UUID], Event):
    """The first fact of a stream."""

    def mutate(self, aggregate: Any) -> Any:
        assert aggregate is None
        owner: type[Aggregate] = OWNERS[type(self)]
        made = owner.__new__(owner)
        made.__base_init__(self.originator_id, self.originator_version, self.timestamp)
        made.division = self.meta.division
        state = vars(self)
        values = {name: state[name] for name in own_fields(type(self))}
        made.__init__(id=self.originator_id, **values)  # type: ignore[misc]
        return made


@cache
def parameters(body: Callable[..., None]) -> tuple[str, ...]:
    """What an ``@event`` body takes of its fact."""
    return tuple(inspect.signature(body).parameters)[1:]


_own_fields: dict[type, tuple[str, ...]] = {}


def own_fields(event_class: type[Event]) -> tuple[str, ...]:
    """Names of the domain fields of an event class, in their order (no id, version, meta)."""
    names = _own_fields.get(event_class)
    if names is None:
        envelope = ("originator_id", "originator_version", "meta")
        declared = fields(event_class)  # type: ignore[arg-type]
        names = tuple(f.name for f in declared if f.name not in envelope)
        _own_fields[event_class] = names
    return names


BASE_NAMES = ("Event", "Created")
CONTAINERS = (dict, list, set)


def _copied(value: Any) -> Any:
    """A container's copy, else the value. The members of a container are all of one kind."""
    if isinstance(value, dict):
        if isinstance(next(iter(value.values()), None), CONTAINERS):
            return {key: _copied(one) for key, one in value.items()}
        return value.copy()
    if isinstance(value, list | set):
        return value.copy()
    return value


EventClass = type[Event]
OWNERS: dict[EventClass, "type[Aggregate]"] = {}
"""Which aggregate an event class belongs to. Filled as the aggregates are defined."""


class Aggregate(BaseAggregate[UUID]):
    """One stream. Subclasses give ``home`` (the area the stream belongs to).

    ``__init__`` is the first fact: ``@event("Opened") def __init__(self, id: UUID, …)``.
    """

    __slots__ = ("_before",)  # beside the state, which tests compare with a replay's
    _before: "Aggregate | None"

    Event: ClassVar[type[Event]] = Event
    Created: ClassVar[type[Created]] = Created
    division: UUID = NOBODY

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for event_class in cls.event_classes():
            OWNERS[event_class] = cls

    @classmethod
    def event_classes(cls) -> Iterator[EventClass]:
        """The concrete event classes of this aggregate, in the order of their declaration."""
        for name, value in vars(cls).items():
            if isinstance(value, type) and issubclass(value, Event) and name not in BASE_NAMES:
                yield value

    @classmethod
    def _create(cls, event_class: Any, *, id: UUID | None = None, **kwargs: Any) -> Self:
        if id is None:
            raise TypeError(f"{cls.__name__} needs an explicit id: ids arrive in the command")
        first = event_class(originator_id=id, originator_version=1, meta=UNSTAMPED, **kwargs)
        made: Self = first.mutate(None)
        made.pending_events.append(first)
        return made

    @property
    def before(self) -> "Aggregate | None":
        """As it was before the first fact that is pending; None if nothing was triggered since
        `settle`, or if the stream itself is new."""
        return getattr(self, "_before", None)

    def settle(self) -> None:
        """Its facts are accepted: there is nothing to go back to any more."""
        self._before = None

    def copied(self) -> Self:
        """The same state, independent of what happens to this one. Costs nothing by history.

        Containers are copied as deep as they go, their values are shared: those never change.
        """
        copy = self.__class__.__new__(self.__class__)
        vars(copy).update({name: _copied(value) for name, value in vars(self).items()})
        return copy

    def trigger_event(self, event_class: Any, **kwargs: Any) -> None:
        if self.before is None and not self._pending_events:
            self._before = self.copied()
        fact = event_class(
            originator_id=self._id, originator_version=self._version + 1, meta=UNSTAMPED, **kwargs
        )
        fact.mutate(self)
        self._pending_events.append(fact)

    def pass_over(self, version: int) -> None:
        """At this version stands a row that is no fact: what is decided next comes after it."""
        self._version = max(self._version, version)

    def begin_after(self, version: int) -> None:
        """As `pass_over`, of a stream that begins just now: its first facts come after that row."""
        for fact in self._pending_events:
            vars(fact)["originator_version"] += version
        self._version += version

    def derived_id(self) -> UUID | None:
        """The one id this thing can have, where it follows from what it is about; None: its id
        was made by a client, or by the vault."""
        return None

    @property
    def home(self) -> UUID:
        """The area this stream belongs to: it decides jurisdiction and, at birth, the partition."""
        raise NotImplementedError
