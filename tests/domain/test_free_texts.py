"""Every text of every fact is either sealed as it is stored, or said to need no seal, and why."""

import typing
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from domain.base import own_fields
from domain.catalog import AGGREGATES
from domain.free_texts import FREE, PLAIN, TOKEN, free_fields, shortened, token
from domain.ids import seeded_id
from domain.world import Sealed

EVENTS = [one for aggregate in AGGREGATES for one in aggregate.event_classes()]


def texts(hint: Any, name: str) -> Iterator[str]:
    """The names of the fields under which texts stand, however deep."""
    if typing.get_origin(hint) is typing.Literal or hint is Sealed:
        return
    if hint is str or hint is typing.Any:
        yield name
    elif isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        for inner, kind in typing.get_type_hints(hint).items():
            yield from texts(kind, inner)
    for part in typing.get_args(hint):
        yield from texts(part, name)


@pytest.mark.parametrize("event_class", EVENTS, ids=lambda one: one.topic())
def test_every_text_of_a_fact_is_sealed_or_needs_no_seal(event_class: Any) -> None:
    hints = typing.get_type_hints(event_class)
    found = {text for name in own_fields(event_class) for text in texts(hints[name], name)}
    assert found <= FREE | set(PLAIN), "say in domain/free_texts.py which it is"
    if found & FREE:
        assert free_fields(event_class), "the seal finds the field"


def test_no_field_is_both_and_none_is_left_over() -> None:
    hints = [(one, typing.get_type_hints(one)) for one in EVENTS]
    used = {
        text
        for one, kinds in hints
        for name in own_fields(one)
        for text in texts(kinds[name], name)
    }
    assert not FREE & set(PLAIN)
    assert FREE | set(PLAIN) <= used | {"card"}


def test_a_sealed_text_is_shortened_when_it_is_opened() -> None:
    stream, key = seeded_id("a"), seeded_id("b")
    sealed = token(stream, (key,), "Ym94")
    assert shortened(sealed, 3) != sealed
    found = TOKEN.fullmatch(shortened(sealed, 3))
    assert found is not None
    assert found.groups() == (stream.hex, key.hex, "Ym94", "3")
    assert shortened("abcd", 3) == "ab…"
