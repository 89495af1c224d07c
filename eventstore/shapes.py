"""Twins of the event classes for decoding: the same fields, some of them of a cheaper type."""

import types
import typing
from collections.abc import Callable
from dataclasses import fields
from functools import cache
from typing import Any
from uuid import UUID

import msgspec

from domain.base import Event, Meta


def become(fact: Event, event_class: type[Event]) -> None:
    """Make a decoded twin a fact of its class: the same fields, so only the class is exchanged.

    Everything that decodes into a twin goes through here. Copying the fields into a new fact would
    double the time of a replay. It relies on twins being plain subclasses with the same layout,
    and on a frozen class letting itself be exchanged past its own ``__setattr__``.
    """
    object.__setattr__(fact, "__class__", event_class)


class Shapes:
    """Makes the twins. With ``text_ids`` every UUID, however deep, is a ``str`` in them.

    A twin takes milliseconds to make and never changes: ask `shapes` for the ones of the process.
    """

    def __init__(self, *, text_ids: bool) -> None:
        self._text_ids = text_ids
        self._structs: dict[type[Any], type[Any]] = {}
        self._decoders: dict[type[Event], Callable[[bytes], Event]] = {}

    def decoder_of(self, event_class: type[Event]) -> Callable[[bytes], Event]:
        """Decodes bytes into the twin of a class whose meta is left as raw bytes."""
        known = self._decoders.get(event_class)
        if known is None:
            known = msgspec.json.Decoder(self.of_fact(event_class, meta=msgspec.Raw)).decode
            self._decoders[event_class] = known
        return known

    def of_fact(self, event_class: type[Event], *, meta: type[Any]) -> type[Any]:
        """A subclass of an event class with this type of meta: ``__class__`` can be set back."""
        hints = typing.get_type_hints(event_class)
        changed = {f.name: self.of(hints[f.name]) for f in fields(event_class)}  # type: ignore[arg-type]
        changed["meta"] = meta if meta is not Meta else self.of(Meta)
        body = {
            "__annotations__": changed,
            "__module__": event_class.__module__,
            "__qualname__": event_class.__qualname__,
        }
        twin: type[Any] = types.new_class(
            event_class.__name__, (event_class,), exec_body=lambda names: names.update(body)
        )
        return twin

    def of(self, kind: Any) -> Any:
        """The type in place of another."""
        if not self._text_ids:
            return kind
        if kind is UUID:
            return str
        origin = typing.get_origin(kind)
        if origin is typing.Literal:
            return kind
        if origin is not None:
            parts = tuple(self.of(part) for part in typing.get_args(kind))
            union = origin is types.UnionType or origin is typing.Union
            return typing.Union[parts] if union else origin[parts]  # noqa: UP007
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return self._of_struct(kind)
        return kind

    def _of_struct(self, kind: type[msgspec.Struct]) -> type[Any]:
        if kind not in self._structs:
            hints = typing.get_type_hints(kind)
            made = {name: self.of(hints[name]) for name in kind.__struct_fields__}
            same = all(made[name] == hints[name] for name in made)
            self._structs[kind] = kind if same else _redefined(kind, made)
        return self._structs[kind]


@cache
def shapes(*, text_ids: bool) -> Shapes:
    """The twins of this process, whatever number of stores it opens."""
    return Shapes(text_ids=text_ids)


def _redefined(kind: type[msgspec.Struct], types_of: dict[str, Any]) -> type[Any]:
    """A subclass with these types, its fields in the same order and with the same defaults."""
    changed: list[Any] = []
    for field in msgspec.structs.fields(kind):
        entry = (field.name, types_of[field.name])
        if field.default is not msgspec.NODEFAULT:
            changed.append((*entry, field.default))
        elif field.default_factory is not msgspec.NODEFAULT:
            changed.append((*entry, msgspec.field(default_factory=field.default_factory)))
        else:
            changed.append(entry)
    return msgspec.defstruct(
        kind.__name__,
        changed,
        bases=(kind,),
        module=kind.__module__,
        frozen=kind.__struct_config__.frozen,
        kw_only=True,
    )
