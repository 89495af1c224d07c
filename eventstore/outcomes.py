"""What became of a command: stored with its facts, and given again when it is repeated."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from domain.refusal import Refusal
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


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """The stored answer. ``position`` is the last position of the command's facts (or the head
    at that time when it had none); ``problem`` is there when a rule refused it.
    """

    position: int
    result: dict[str, Any] = {}
    facts: int = 0
    problem: "Problem | None" = None


class Problem(msgspec.Struct, frozen=True):
    """A refusal as it is stored and repeated: rule, figures and both sentences."""

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


encode_outcome = msgspec.json.Encoder(enc_hook=str).encode
decode_outcome = msgspec.json.Decoder(Outcome).decode
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
