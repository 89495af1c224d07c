"""The ids that a command brings along for what it begins: where they stand, and whether they may.

Which fields these are is said by their type, `domain.ids.NewId`, in commands and in the parts
they are made of.
"""

from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints
from uuid import UUID

from domain.ids import MadeByClient, client_made
from domain.world import Command


class Field(NamedTuple):
    """A field that is an id of something new (``inside`` None), or that has such ids inside."""

    name: str
    inside: type[Any] | None


class NewThing(NamedTuple):
    """Where in the command an id of something new stands, as problems name fields; and the id."""

    field: str
    id: UUID


_known: dict[type[Any], tuple[Field, ...]] = {}


def fields_with_ids(kind: type[Any]) -> tuple[Field, ...]:
    """The fields of a command, or of a part of one, that hold ids of something new."""
    if kind not in _known:
        _known[kind] = tuple(_look_for(kind))
    return _known[kind]


def _look_for(kind: type[Any]) -> Iterator[Field]:
    for name, hint in get_type_hints(kind, include_extras=True).items():
        if _is_new_id(hint):
            yield Field(name, None)
        for part in _parts(hint):
            if fields_with_ids(part):
                yield Field(name, part)


def _is_new_id(hint: Any) -> bool:
    if get_origin(hint) is Annotated:
        return MadeByClient in hint.__metadata__
    return any(_is_new_id(inner) for inner in get_args(hint) if inner is not Ellipsis)


def _parts(hint: Any) -> Iterator[type[Any]]:
    """The dataclasses that a type hint is made of."""
    if isinstance(hint, type) and is_dataclass(hint):
        yield hint
    for inner in get_args(hint):
        yield from _parts(inner)


def new_things(command: Command) -> Iterator[NewThing]:
    """Every id of something new in a command, in the order of its fields."""
    return _inside(command, type(command), "")


def _inside(value: Any, kind: type[Any], where: str) -> Iterator[NewThing]:
    for name, inside in fields_with_ids(kind):
        held = getattr(value, name)
        several = isinstance(held, tuple | list)
        for n, one in enumerate(held if several else (held,)):
            place = f"{where}{name}.{n}" if several else f"{where}{name}"
            if one is None:
                continue
            if inside is None:
                yield NewThing(place, one)
            elif isinstance(one, inside):
                yield from _inside(one, inside, f"{place}.")


def wrongly_made(command: Command) -> list[NewThing]:
    """Those that a client may not make: derived ids, and whatever else is not random."""
    return [thing for thing in new_things(command) if not client_made(thing.id)]
