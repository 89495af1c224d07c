"""A value for any type an event or command may have: what msgspec could have decoded."""

import dataclasses
import enum
import types
import typing
from datetime import UTC, date, datetime, time
from decimal import Decimal
from uuid import UUID

import msgspec
from hypothesis import strategies as st

from domain.base import Event
from domain.world import Sealed

MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12
) | st.sampled_from(["张小三", "源潭镇", "𠮷野家", "一", "〔2018〕1号", '"\\/\n'])
LETTERS = "aé张𠮷 1"
NAMES = ("ge", "gt", "le", "lt", "pattern", "min_length", "max_length")
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
PLAIN: dict[object, st.SearchStrategy[typing.Any]] = {
    int: st.integers(-(2**53), 2**53),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False, places=2, max_value=10**9),
    str: TEXTS,
    bytes: st.binary(max_size=40),
    UUID: st.uuids(),
    datetime: MOMENTS,
    date: st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    time: st.times(),
    type(None): st.none(),
    typing.Any: JSONS,
    Sealed: st.builds(Sealed, st.uuids(), st.binary(min_size=28, max_size=60)),
}


def value_of(kind: typing.Any) -> st.SearchStrategy[typing.Any]:
    """A strategy for a type as annotations of events name it."""
    if kind in PLAIN:
        return PLAIN[kind]
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return st.one_of([value_of(arg) for arg in args])
    if origin is typing.Annotated:
        return _bounded(args[0], [arg for arg in args[1:] if isinstance(arg, msgspec.Meta)])
    if origin is typing.Literal:
        return st.sampled_from(args)
    if origin is tuple:
        if len(args) == 2 and args[1] is Ellipsis:
            return st.lists(value_of(args[0]), max_size=3).map(tuple)
        return st.tuples(*[value_of(arg) for arg in args])
    if origin in (list, frozenset, set):
        return st.lists(value_of(args[0]), max_size=3).map(origin)
    if origin is dict or kind is dict:
        key, item = args or (str, typing.Any)
        return st.dictionaries(value_of(key), value_of(item), max_size=3)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return st.sampled_from(list(kind))
    if isinstance(kind, type) and (
        issubclass(kind, msgspec.Struct) or dataclasses.is_dataclass(kind)
    ):
        hints = typing.get_type_hints(kind, include_extras=True)
        names = (
            kind.__struct_fields__
            if issubclass(kind, msgspec.Struct)
            else [f.name for f in dataclasses.fields(kind)]
        )
        return st.builds(kind, **{n: _later(hints[n]) for n in names})
    raise TypeError(f"no values for {kind!r}")


def _later(kind: typing.Any) -> st.SearchStrategy[typing.Any]:
    return st.deferred(lambda: value_of(kind))


def _bounded(kind: typing.Any, bounds: list[msgspec.Meta]) -> st.SearchStrategy[typing.Any]:
    """Values within what msgspec checks as it decodes."""
    limits = {
        name: getattr(b, name) for b in bounds for name in NAMES if getattr(b, name) is not None
    }
    if kind is int:
        lowest = limits.get("ge", limits.get("gt", -(2**53) - 1) + 1)
        return st.integers(lowest, limits.get("le", limits.get("lt", 2**53 + 1) - 1))
    if kind is str and "pattern" in limits:
        return st.from_regex(limits["pattern"], fullmatch=True)
    least, most = limits.get("min_length", 0), limits.get("max_length", 3)
    if kind is str:
        return st.text(LETTERS, min_size=least, max_size=max(most, least))
    if typing.get_origin(kind) is tuple:
        item = value_of(typing.get_args(kind)[0])
        return st.lists(item, min_size=least, max_size=max(most, least)).map(tuple)
    return value_of(kind)


def event_of(event_class: type[Event]) -> st.SearchStrategy[Event]:
    """Facts of a class with any values."""
    hints = typing.get_type_hints(event_class, include_extras=True)
    return st.builds(
        event_class,
        **{f.name: value_of(hints[f.name]) for f in dataclasses.fields(event_class)},  # type: ignore[arg-type]
    )
