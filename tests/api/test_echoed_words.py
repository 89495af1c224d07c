"""Nothing that was typed where a code or a figure is due gets plain into the log (with 0038).

Each command of the routes that once was accepted is decided again in its world of that moment,
with one of its texts replaced by a name in pinyin or by the number of an identity card. What would
be stored of the refusal must not have it.
"""

import typing
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any
from uuid import UUID

import msgspec
import pytest

from api.routes import WRITES
from domain.free_texts import PLAIN
from domain.refusal import Refusal
from domain.telling import KEYED
from eventstore.deciding import DecisionWorld, decide
from eventstore.free_texts import seal_figures
from eventstore.national import known_keys
from eventstore.outcomes import Outcome, encode_outcome, problem_of
from eventstore.store import Store
from tests.api.test_existence import Accepted, Past, told

__all__ = ["told"]

TYPED = ("murongxue", "340826199001011235")
SAMPLES = 2
MEANT_TO_STAND = (
    "the number of a document, a certificate or a vehicle",
    "the name of a place, an event, a team or an institution",
    "the account of somebody who keeps machine or ledger",
)
STANDS = {name for name, why in PLAIN.items() if why in MEANT_TO_STAND}
"""Texts that facts have plain, too, and why: see `domain.free_texts.PLAIN`."""


def replaced(value: Any, typed: str, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each text in a command by where it stands, and the command with another one there."""
    if is_dataclass(value) or isinstance(value, msgspec.Struct):
        change = replace if is_dataclass(value) else msgspec.structs.replace
        hints = typing.get_type_hints(type(value))
        names = [one.name for one in fields(value)] if is_dataclass(value) else list(hints)
        for name in names:
            for where, new in replaced(getattr(value, name), typed, f"{path}.{name}"):
                yield where, change(value, **{name: new})
    elif isinstance(value, tuple):
        for n, one in enumerate(value[:2]):
            for where, new in replaced(one, typed, path):
                yield where, (*value[:n], new, *value[n + 1 :])
    elif isinstance(value, dict):
        for key, held in list(value.items())[:2]:
            rest = {k: v for k, v in value.items() if k != key}
            yield f"{path}.KEY", {**rest, typed: held}
            yield f"{path}.VALUE", {**rest, key: typed}
    elif type(value) is str:
        yield path, typed


def test_no_outcome_has_what_was_typed_in_place_of_a_code(
    told: tuple[Store, list[Accepted]],
) -> None:
    store, accepted = told
    routed = {write.command for write in WRITES}
    tried, refused = Counter[tuple[str, str]](), Counter[str]()
    wrong = set()
    for one in accepted:
        command = one.envelope.command
        if type(command) not in routed:
            continue
        for typed in TYPED:
            for where, changed in replaced(command, typed):
                name = where.rsplit(".", 1)[-1]
                spot = (f"{type(command).__name__}{where}", typed)
                if name in STANDS or tried[spot] >= SAMPLES:
                    continue
                tried[spot] += 1
                stored = _stored(store, one, changed)
                refused[type(command).__name__] += bool(stored)
                if typed.encode() in stored:
                    wrong.add(f"{spot[0]}: {stored.decode()}")
    assert not wrong, "\n".join(sorted(wrong))
    assert len(tried) > 300 and len(refused) > 40 and sum(refused.values()) > 100


def _stored(store: Store, one: Accepted, command: Any) -> bytes:
    """What the log would keep of a refusal; nothing if it was accepted, or was no command."""
    past = Past(store, one.head)
    at = store.read(one.head, 1)[0].event.meta.recorded_at
    world = DecisionWorld(past.load, store.vault, at, UUID(int=3))
    mark = store.vault.mark()
    officer = one.envelope.officer
    assert officer is not None
    try:
        decide(world, command, officer)
    except Refusal as refusal:
        problem = seal_figures(store.vault, problem_of(refusal), officer)
        return encode_outcome(Outcome(one.head, problem=problem))
    except (TypeError, ValueError, KeyError, AttributeError):
        return b""  # the edge lets no such value come so far
    finally:
        store.vault.undo(mark)
    return b""


@pytest.mark.parametrize("key", ["quilt", "winter_spring", "flood", "dead", "township_reviewer"])
def test_the_keys_of_program_and_rulebooks_are_known(key: str) -> None:
    assert key in known_keys() and KEYED
