"""Seals the free texts of facts as they are stored, and opens them in answers (decision 0038)."""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from copy import deepcopy
from re import Match
from typing import Any
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag

from domain.base import Aggregate, Event
from domain.free_texts import (
    ECHOED,
    FIGURE,
    FREE,
    TOKEN,
    change_texts,
    free_fields,
    is_sealed,
    owners_of,
    shortened,
)
from domain.free_texts import token as token_of
from domain.person import Person
from domain.world import World
from eventstore.effects import Effects
from eventstore.errors import StoreError
from eventstore.national import known_keys
from eventstore.outcomes import Problem, Refused, told
from eventstore.sql import DATABASE_ERRORS
from eventstore.vault import Vault
from eventstore.wrapping import NONCE_BYTES

DESTROYED = "〔已销毁 · erased〕"
KEYS_AT_ONCE = 1_000
UUID_LENGTH = 36
FREE_TEXT = b"free text"


def seal_texts(vault: Vault, world: World, aggregate: Aggregate, fact: Event) -> bool:
    """Put tokens in the place of a fact's free texts. What is sealed already stays as it is.

    Answers whether there was any.
    """
    if not free_fields(type(fact)):
        return False
    owners: tuple[UUID, ...] = ()

    def sealed(path: str, text: str) -> str:
        nonlocal owners
        if is_sealed(text):
            return text
        owners = owners or owners_of(world, aggregate, fact)
        return _sealed(vault, aggregate.id, owners, text)

    change_texts(fact, sealed)
    return bool(owners)


def _sealed(vault: Vault, stream: UUID, owners: tuple[UUID, ...], text: str) -> str:
    box = vault.seal_under(owners, stream.bytes + FREE_TEXT, text.encode())
    return token_of(stream, owners, b64encode(box).decode())


def as_stored(aggregate: Aggregate, facts: Iterable[Event]) -> Aggregate:
    """The aggregate as its facts, once sealed, make it: what a replay of the log would give.

    As it was decided it still holds the words; whatever is decided next could take them from there
    into the log. ``facts`` are all its pending ones.
    """
    state = None if aggregate.before is None else aggregate.before.copied()
    for fact in facts:
        state = fact.mutate(state)
    assert state is not None
    return state


def seal_figures(vault: Vault, problem: Problem, actor: UUID) -> Problem:
    """A refusal as it may be stored: its free texts are sealed, under the thing it is about.

    They come out of facts of earlier days, which have them plain, or out of the command itself:
    what stands where a figure or a code is due may be a name.
    """
    subject = next((UUID(one) for one in problem.facts.values() if _is_id(one)), actor)
    any_sealed = False

    def sealed(name: str, value: Any) -> Any:
        nonlocal any_sealed
        if isinstance(value, dict):
            return {inner: sealed(inner, one) for inner, one in value.items()}
        if isinstance(value, list | tuple):
            return [sealed(name, one) for one in value]
        if not isinstance(value, str) or not _may_be_words(name, value):
            return value
        any_sealed = True
        return _sealed(vault, subject, (subject,), value)

    facts = sealed("", problem.facts)
    return told(msgspec.structs.replace(problem, facts=facts)) if any_sealed else problem


def _may_be_words(name: str, text: str) -> bool:
    if is_sealed(text) or not text.strip():
        return False
    if name in ECHOED:  # a name in pinyin looks like any key, so only keys that are known stay
        return not FIGURE.fullmatch(text) and text not in known_keys()
    return name in FREE


def _is_id(value: Any) -> bool:
    try:
        return isinstance(value, str) and len(value) == UUID_LENGTH and bool(UUID(value))
    except ValueError:
        return False


class FreeTexts:
    """Opens what the views hold, for people who may read it. ``effects`` know who is erased."""

    def __init__(self, vault: Vault, effects: Effects) -> None:
        self._vault, self._effects = vault, effects

    def told(self, problem: Problem) -> Problem:
        """A refusal with the words in it, for whom it is answered to."""
        if next(_texts(problem.facts), None) is None:
            return problem
        facts = deepcopy(problem.facts)  # lists within are opened in place
        try:
            self.opened(facts)
        except (StoreError, *DATABASE_ERRORS):  # a refusal is told also while a database is away
            _replaced(facts, lambda text: TOKEN.sub("…", text))
        return told(msgspec.structs.replace(problem, facts=facts))

    def refused(self, refused: Refused) -> Refused:
        """The same for who sent a command in this process. What is logged of it stays sealed."""
        refused.problem = self.told(refused.problem)
        return refused

    def opened(self, answer: Any) -> Any:
        """An answer (rows, lists, texts) with its sealed texts in words. Lists and dicts are
        changed in place. Of whom the log says that they are erased nothing is opened."""
        owners = {owner for text in _texts(answer) for owner in _owners(text)}
        if not owners:
            return answer
        gone = self._effects.erased_lately()
        gone |= {Person.id_of(person, exercise=True) for person in gone}
        asked = sorted(owners - gone)
        keys: dict[UUID, Any] = {}
        for start in range(0, len(asked), KEYS_AT_ONCE):
            keys |= self._vault.keys_of(asked[start : start + KEYS_AT_ONCE])

        def words(found: Match[str]) -> str:
            stream, names, box, longest = found.groups()
            bound_to = UUID(stream).bytes + FREE_TEXT
            text = b64decode(box)
            try:
                for name in reversed(names.split(",")):
                    nonce, text = text[:NONCE_BYTES], text[NONCE_BYTES:]
                    text = keys[UUID(name)].decrypt(nonce, text, bound_to)
            except (KeyError, InvalidTag):  # no key, or a later one in place of the destroyed one
                return DESTROYED
            return shortened(text.decode(), int(longest)) if longest else text.decode()

        return _replaced(answer, lambda text: TOKEN.sub(words, text))


def _owners(text: str) -> Iterator[UUID]:
    for found in TOKEN.finditer(text):
        yield from map(UUID, found[2].split(","))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if "\x02" in value:
            yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)


def _replaced(value: Any, words: Any) -> Any:
    if isinstance(value, str):
        return words(value) if "\x02" in value else value
    if isinstance(value, dict):
        for name, one in value.items():
            value[name] = _replaced(one, words)
    elif isinstance(value, list):
        value[:] = [_replaced(one, words) for one in value]
    elif type(value) is tuple:
        return tuple(_replaced(one, words) for one in value)
    return value
