"""The state of an aggregate as bytes and back, so that nothing of it is lost: each type returns.

Attributes of aggregates are declared for mypy alone, so the types are found in the values: a value
is described by the types in it, and decoded by msgspec as that type. Classes are taken from the
modules of the domain that are loaded, never imported by what bytes name.
"""

import sys
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import reduce
from typing import Any, NamedTuple, TypedDict
from uuid import UUID

import msgspec

from domain.base import Aggregate

SCALARS = (type(None), bool, int, float, str, bytes, UUID, Decimal)
TIMES = (datetime, date, time, timedelta)
PLAIN: dict[str, Any] = {kind.__name__: kind for kind in (*SCALARS, *TIMES)}
NAMES = {kind: name for name, kind in PLAIN.items()}
BESIDE = "_pending_events"
"""Of an aggregate, and not of its state: what a command has decided and nobody has saved."""

Types = dict[str, list[Any]]
"""The types that occur in one place: name → for containers the types of their members."""


class StateUnknown(Exception):
    """It names a type that this program does not know."""


class _Packed(msgspec.Struct):
    kind: str
    types: dict[str, Types]
    state: msgspec.Raw


class _Read(NamedTuple):
    kind: str
    types: dict[str, Types]
    state: dict[str, Any]


def packed(aggregate: Aggregate) -> bytes | None:
    """The state; None if it would not come back as it is."""
    state = {name: value for name, value in vars(aggregate).items() if name != BESIDE}
    types: dict[str, Types] = {name: {} for name in state}
    for name, value in state.items():
        _note(value, types[name])
    kind = type(aggregate).__name__
    try:
        made = msgspec.json.encode(_Packed(kind, types, msgspec.Raw(msgspec.json.encode(state))))
        again = _read(made)
    except (msgspec.MsgspecError, TypeError, StateUnknown):
        return None
    found: dict[str, Types] = {name: {} for name in again.state}
    for name, value in again.state.items():
        _note(value, found[name])
    return made if again.state == state and found == types else None


def unpacked(state: bytes, kinds: Mapping[str, type[Aggregate]]) -> Aggregate:
    """The aggregate. Raises `StateUnknown`, or msgspec's errors."""
    read = _read(state)
    kind = kinds.get(read.kind)
    if kind is None:
        raise StateUnknown(read.kind)
    made = kind.__new__(kind)
    vars(made).update(read.state, **{BESIDE: []})
    return made


def _read(state: bytes) -> _Read:
    said = msgspec.json.decode(state, type=_Packed)
    fields = {name: _type_of(types) for name, types in said.types.items()}
    form = TypedDict("form", fields)  # type: ignore[misc]
    return _Read(said.kind, said.types, dict(msgspec.json.decode(said.state, type=form)))


def _note(value: Any, types: Types) -> None:
    """Add the types that occur in a value."""
    kind = type(value)
    if kind is dict:
        keys, values = types.setdefault("dict", [{}, {}])
        for key, one in value.items():
            _note(key, keys)
            _note(one, values)
    elif kind in (list, set, frozenset):
        (members,) = types.setdefault(kind.__name__, [{}])
        for one in value:
            _note(one, members)
    elif kind is tuple:
        places = types.setdefault(f"tuple {len(value)}", [{} for _ in value])
        for place, one in zip(places, value, strict=True):
            _note(one, place)
    else:
        types.setdefault(NAMES.get(kind) or f"{kind.__module__}:{kind.__qualname__}", [])


def _type_of(types: Types) -> Any:
    """What msgspec decodes such a value as. Nothing is known of an empty container's members."""
    found: list[Any] = []
    tuples = [places for name, places in types.items() if name.startswith("tuple")]
    if len(tuples) > 1:
        member = _type_of(_together(place for one in tuples for place in one))
        found.append(tuple.__class_getitem__((member, ...)))
    for name, members in types.items():
        if name in PLAIN:
            found.append(PLAIN[name])
        elif name == "dict":
            keys, values = members
            found.append(dict.__class_getitem__((_type_of(keys), _type_of(values))))
        elif name in ("list", "set", "frozenset"):
            container: Any = {"list": list, "set": set, "frozenset": frozenset}[name]
            found.append(container[_type_of(members[0])])
        elif name.startswith("tuple"):
            if len(tuples) == 1:
                found.append(tuple.__class_getitem__(tuple(map(_type_of, members))))
        else:
            found.append(_class(name))
    return reduce(lambda one, other: one | other, found) if found else Any


def _together(all_types: Any) -> Types:
    """The types of several places as of one."""
    found: Types = {}
    for types in all_types:
        for name, members in types.items():
            known = found.get(name)
            merged = (
                members
                if known is None
                else [_together(pair) for pair in zip(known, members, strict=True)]
            )
            found[name] = merged
    return found


def _class(name: str) -> type[Any]:
    """A class of the domain, by its module and name."""
    where, _, path = name.partition(":")
    found: Any = sys.modules.get(where) if where.partition(".")[0] == "domain" else None
    for step in path.split("."):
        found = getattr(found, step, None)
    if not isinstance(found, type):
        raise StateUnknown(name)
    return found
