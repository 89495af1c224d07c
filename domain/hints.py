"""What the type of a field says of its values."""

import typing
from collections.abc import Iterator, Set
from dataclasses import fields, is_dataclass
from typing import Any

import msgspec

from domain.base import Event, own_fields


def is_text(hint: Any) -> bool:
    """Whether it is a text, or may be one."""
    return hint is str or str in typing.get_args(hint)


def classes_in(hint: Any) -> Iterator[type[Any]]:
    """The classes of a type: itself, and those of a union or a container, however deep."""
    if isinstance(hint, type):
        yield hint
    for one in typing.get_args(hint):
        yield from classes_in(one)


class TextsCalled:
    """Finds the texts of certain names in a command, a fact, or a part of one. Asked of a class:
    its fields that are such a text (False), and those that may hold some in their parts (True)."""

    def __init__(self, names: Set[str]) -> None:
        self._names = names
        self._known: dict[type[Any], dict[str, bool]] = {}

    def __call__(self, kind: type[Any]) -> dict[str, bool]:
        if kind not in self._known:
            self._known[kind] = dict(self._found_in(kind))
        return self._known[kind]

    def _found_in(self, kind: type[Any]) -> Iterator[tuple[str, bool]]:
        if not (is_dataclass(kind) or issubclass(kind, msgspec.Struct)):
            return
        hints = typing.get_type_hints(kind)
        for name in _fields_of(kind):
            if name in self._names and is_text(hints[name]):
                yield name, False
            elif any(map(self, classes_in(hints[name]))):
                yield name, True


def _fields_of(kind: type[Any]) -> tuple[str, ...]:
    """What an instance holds: nothing that belongs to the class."""
    if issubclass(kind, Event):
        return own_fields(kind)
    if issubclass(kind, msgspec.Struct):
        return kind.__struct_fields__
    return tuple(field.name for field in fields(kind))
