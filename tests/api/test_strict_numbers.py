"""A whole number is sent as a number: a text is refused, in every field of every command."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from itertools import pairwise
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest

from api.problems import ApiProblem
from api.routes import WRITES
from api.writes import Write

PATHS = {"version": "1", "number": "1", "round": "1"}


def kinds(hint: Any) -> tuple[Any, ...]:
    """The types a field may have, without those that hold others."""
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def counted(kind: Any) -> set[str]:
    """Fields of a class that hold a whole number or nothing."""
    hints = get_type_hints(kind)
    return {f.name for f in fields(kind) if set(kinds(hints[f.name])) <= {int, type(None)}}


def numbers(kind: Any, where: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where in a body whole numbers may stand: names, and 0 for the first of a list."""
    hints = get_type_hints(kind)
    for name in sorted(counted(kind)):
        yield (*where, name)
    for one in fields(kind):
        for hint in kinds(hints[one.name]):
            parts = get_args(hint) if get_origin(hint) is tuple else ()
            if is_dataclass(hint):
                yield from numbers(hint, (*where, one.name))
            elif parts and is_dataclass(parts[0]):
                yield from numbers(parts[0], (*where, one.name, 0))


CASES = [
    pytest.param(write, place, id=f"{write.command.__name__}-{'.'.join(map(str, place))}")
    for write in WRITES
    for place in numbers(write.command)
    if place[0] not in write.in_path
]


def errors_of(write: Write, body: dict[str, Any]) -> list[dict[str, Any]]:
    path = {name: PATHS.get(name, "018f3b5e-0000-7000-8000-000000000000") for name in write.in_path}
    try:
        write.parse(msgspec.json.encode(body), path)
    except ApiProblem as problem:
        return problem.errors or []
    return []


@pytest.mark.parametrize(("write", "place"), CASES)
def test_a_whole_number_as_text_is_refused(write: Write, place: tuple[Any, ...]) -> None:
    body: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(write.body_example()))
    holder: Any = body
    for step, following in pairwise(place):
        if isinstance(step, int) and not holder:
            holder.append({})
        elif isinstance(step, str) and holder.get(step) is None:
            holder[step] = [] if isinstance(following, int) else {}
        holder = holder[step]
    holder[place[-1]] = "100000"
    wrong = {error["field"]: error["rule"] for error in errors_of(write, body)}
    assert wrong.get(".".join(map(str, place))) == "int_type", wrong


@pytest.mark.parametrize("write", WRITES, ids=lambda write: str(write.command.__name__))
def test_the_example_of_each_command_is_taken_with_the_numbers_of_its_path(write: Write) -> None:
    assert errors_of(write, msgspec.json.decode(msgspec.json.encode(write.body_example()))) == []


FIGURES = [pytest.param(w, id=w.command.__name__) for w in WRITES if "figures" in w.body_example()]


@pytest.mark.parametrize("write", FIGURES)
def test_a_truth_value_is_no_figure(write: Write) -> None:
    """JSON's true was taken as a number with decimals, and booked as one person."""
    body: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(write.body_example()))
    body["figures"] = {"affected": True}
    assert {error["field"] for error in errors_of(write, body)} == {"figures.affected"}
