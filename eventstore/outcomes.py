"""What became of a command: stored with its facts, and given again when it is repeated."""

from collections.abc import Iterator
from dataclasses import MISSING, dataclass, field, fields
from datetime import datetime
from functools import cache
from typing import Any, get_type_hints
from uuid import UUID

import msgspec

from domain.refusal import Refusal
from domain.telling import Names
from domain.world import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A command on its way in. ``officer`` None is the system itself (bootstrap, timekeeper).

    ``at`` moves a simulated clock before the command is decided; a real clock refuses it.
    """

    id: UUID
    officer: UUID | None
    command: Command
    correlation: UUID | None = None
    at: datetime | None = None
    cases: tuple[UUID, ...] | None = None
    """Those that the command wants (`wants_cases_of`), if its sender has asked the ledger."""
    officers: tuple[UUID, ...] | None = None
    """Likewise whoever may be in post where it wants to know it (`wants_posts_in`)."""
    villages: tuple[UUID, ...] | None = None
    """Likewise the villages without a list in its season (`wants_unlisted_in`)."""


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """The stored answer. ``position`` is the last position of the command's facts (or the head
    at that time when it had none); ``problem`` is there when a rule refused it.
    """

    position: int
    result: dict[str, Any] = {}
    facts: int = 0
    problem: "Problem | None" = None


class Problem(msgspec.Struct, frozen=True):
    """A refusal as it is answered: rule, figures and both sentences.

    Stored are rule, ids and figures alone: the sentences are made when they are read, so that no
    name gets into the log. What earlier programs stored has its sentences, and keeps them.
    """

    code: str
    status: int
    zh: str
    en: str
    facts: dict[str, Any] = {}


class Refused(Exception):
    """A rule refused the command. Carries the stored problem, so a repeat says the same."""

    def __init__(self, outcome: Outcome) -> None:
        assert outcome.problem is not None
        super().__init__(outcome.problem.en)
        self.outcome = outcome
        self.problem = outcome.problem


@dataclass(frozen=True, slots=True)
class Receipt:
    """An accepted command: durable. ``repeated`` when the answer is that of an earlier send."""

    command: UUID
    position: int
    result: dict[str, Any] = field(default_factory=dict)
    facts: int = 0
    repeated: bool = False


def problem_of(refusal: Refusal) -> Problem:
    facts = msgspec.to_builtins(refusal.facts(), enc_hook=str)
    return Problem(
        refusal.code(), refusal.status, refusal.sentence("zh"), refusal.sentence("en"), facts
    )


def told(problem: Problem, names: Names | None = None) -> Problem:
    """The problem with its sentences made anew; as it is, where its rule or figures are not known
    to this program."""
    kind = _rules().get(problem.code)
    if kind is None:
        return problem
    hints = get_type_hints(kind)
    try:
        refusal = kind(
            **{
                one.name: msgspec.convert(problem.facts[one.name], hints[one.name], strict=False)
                for one in fields(kind)
                if one.name in problem.facts or one.default is MISSING
            }
        )
    except (KeyError, msgspec.ValidationError):
        return problem
    zh, en = refusal.sentence("zh", names), refusal.sentence("en", names)
    return msgspec.structs.replace(problem, zh=zh, en=en)


def said_facts(problem: Problem) -> dict[str, Any]:
    """Those of its facts that stand in its sentences: what is nowhere said needs no name."""
    kind = _rules().get(problem.code)
    if kind is None:
        return {}
    if kind.sentence is not Refusal.sentence:  # it words them by itself
        return problem.facts
    sentences = kind.zh + kind.en
    return {name: value for name, value in problem.facts.items() if f"{{{name}}}" in sentences}


@cache
def _rules() -> dict[str, type[Refusal]]:
    """All refusals, by code."""
    found, waiting = dict[str, type[Refusal]](), [Refusal]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        found[kind.code()] = kind
    return found


def encode_outcome(outcome: Outcome) -> bytes:
    """As it is stored: a refusal that can be told again without its sentences."""
    problem = outcome.problem
    if problem is not None and problem.code in _rules():
        bare = msgspec.structs.replace(problem, zh="", en="")
        outcome = msgspec.structs.replace(outcome, problem=bare)
    return _encode_outcome(outcome)


def decode_outcome(stored: bytes) -> Outcome:
    outcome = _decode_outcome(stored)
    if outcome.problem is not None and not outcome.problem.zh:
        return msgspec.structs.replace(outcome, problem=told(outcome.problem))
    return outcome


_encode_outcome = msgspec.json.Encoder(enc_hook=str).encode
_decode_outcome = msgspec.json.Decoder(Outcome).decode
_encode_body = msgspec.json.Encoder(enc_hook=str, order="deterministic").encode


def ids_of(command: Command) -> Iterator[UUID]:
    """The ids among a command's own fields: most of them are streams."""
    for name in command.__dataclass_fields__:  # type: ignore[attr-defined]
        value = getattr(command, name)
        if type(value) is UUID:
            yield value


def rows_of(command: Command) -> int:
    """How many rows the longest list of a command has; 1 if it has none."""
    held = (getattr(command, name) for name in command.__dataclass_fields__)  # type: ignore[attr-defined]
    return max([1, *(len(value) for value in held if type(value) is tuple)])


def body_of(command: Command) -> bytes:
    """The command's bytes, the same for the same wish: type and fields in their order."""
    return type(command).__name__.encode() + b"\0" + _encode_body(command)
