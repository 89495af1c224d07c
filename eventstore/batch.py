"""The commands of one transaction: which came before, what each decides, and the rows of it all."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, ClassVar, cast
from uuid import UUID

from domain.base import EPOCH, NOBODY, Event, Meta, stamp
from domain.refusal import Refusal
from domain.store import Store
from eventstore.aggregates import LogUnreadable
from eventstore.deciding import DecisionWorld, authorized, decide, is_training, pending, settled
from eventstore.errors import CommandIdReused, StoreError
from eventstore.free_texts import as_stored, seal_figures, seal_texts
from eventstore.limits_reached import limit_reached
from eventstore.log import OutcomeRow, Row
from eventstore.outcomes import (
    Envelope,
    Outcome,
    Receipt,
    Refused,
    body_of,
    decode_outcome,
    encode_outcome,
    problem_of,
)
from eventstore.sql import DATABASE_ERRORS, explain

if TYPE_CHECKING:
    from eventstore.writer import Writer

Answer = Receipt | BaseException


@dataclass(eq=False)
class TooManyFacts(Refusal):
    status: ClassVar[int] = 413
    zh: ClassVar[str] = "这一次操作会产生 {number} 条记录，最多 {limit} 条，请分批办理"
    en: ClassVar[str] = (
        "This would make {number} {number:fact|facts} at once, {limit} at most. Do it in parts."
    )
    number: int
    limit: int


class VaultFailed(Exception):
    """The vault's commit failed, and with it those commands that sealed or erased something."""

    def __init__(self, named: StoreError) -> None:
        super().__init__(str(named))
        self.named = named


class Batch:
    """The commands of one transaction, and what they decided so far.

    ``lost`` are commands of an earlier try whose commit may have been stored; ``without`` are the
    commands, by their place, that fail because the vault could not save what they sealed.
    """

    def __init__(
        self,
        writer: "Writer",
        envelopes: Sequence[Envelope],
        lost: AbstractSet[UUID],
        without: Mapping[int, Exception],
    ) -> None:
        self.writer = writer
        self.envelopes = envelopes
        self.fresh: set[UUID] = set()
        self.sealed: list[int] = []
        self._lost, self._without = lost, without
        self.head, self.last = 0, EPOCH
        self.rows: list[Row] = []
        self.marks: dict[str, str] = {}
        """What the log keeps at hand of the facts about itself."""
        self.outcomes: list[OutcomeRow] = []
        self._answers: list[Answer | None] = [None] * len(envelopes)
        self._known: dict[UUID, tuple[bytes, bytes, bytes]] = {}

    def answers(self) -> list[Answer]:
        return [answer for answer in self._answers if answer is not None]

    def find_repeats(self, outcomes: Sequence[OutcomeRow]) -> None:
        """Which of these commands have an outcome already."""
        self.head, self.last = self.writer.cache.head, self.writer.cache.last
        for command, actor, fingerprint, outcome in outcomes:
            self._known[UUID(bytes=command)] = (actor, fingerprint, outcome)

    def take(self, n: int, envelope: Envelope) -> None:
        officer, cache = envelope.officer or NOBODY, self.writer.cache
        command = settled(envelope.command, lambda: is_training(cache.get, cache.born))
        envelope = replace(envelope, command=command)
        fingerprint = self.writer.vault.fingerprint(body_of(command))
        known = self._known.get(envelope.id)
        if known is not None:
            self._answers[n] = self._repeat(envelope, officer, fingerprint, known)
            return
        if n in self._without:
            self._answers[n] = self._without[n]
            return
        vault_before = self.writer.vault.mark()
        try:
            outcome = self._decide(envelope)
        except LogUnreadable:
            raise
        except Exception as problem:  # a fault of ours: this command alone fails, unstored
            self._answers[n] = named(problem)
            return
        if self.writer.vault.mark() != vault_before:
            self.sealed.append(n)
        encoded = encode_outcome(outcome)
        row = (officer.bytes, fingerprint, encoded)
        self._known[envelope.id] = row
        self.fresh.add(envelope.id)
        self.outcomes.append((envelope.id.bytes, *row))
        told = decode_outcome(encoded) if outcome.result else outcome  # as a repeat will tell it
        self._answers[n] = _answer(envelope.id, told, repeated=False)

    def _repeat(
        self, envelope: Envelope, officer: UUID, fingerprint: bytes, known: tuple[bytes, ...]
    ) -> Answer:
        if known[0] != officer.bytes or known[1] != fingerprint:
            return CommandIdReused(str(envelope.id))
        outcome = decode_outcome(known[2])
        if envelope.at is None and outcome.problem is None:  # a loader repeats what once was right
            try:
                authorized(self._world(envelope), envelope.command, envelope.officer)
            except Refusal as refusal:
                return Refused(Outcome(outcome.position, problem=problem_of(refusal)))
        return _answer(envelope.id, outcome, repeated=envelope.id not in self._lost)

    def _world(self, envelope: Envelope) -> DecisionWorld:
        writer = self.writer
        cache, held = writer.cache, writer.clock.held_time
        kept = cache.get, writer.vault, self.last, envelope.id, cache.memo
        return DecisionWorld(
            *kept,
            held=held,
            cases=envelope.cases or (),
            officers=envelope.officers or (),
            villages=envelope.villages or (),
            born=cache.born,
            begins_after=cache.begins_after,
        )

    def _decide(self, envelope: Envelope) -> Outcome:
        self.last = max(self.last, self.writer.now(envelope.at))
        world = self._world(envelope)
        sealed = self.writer.vault.mark()
        try:
            result = decide(world, envelope.command, envelope.officer)
            rows, facts = self._rows_of(envelope, world)
        except BaseException as problem:
            self.writer.vault.undo(sealed)
            self.writer.cache.revert(world.touched.values())
            if isinstance(problem, Refusal):
                said = seal_figures(
                    self.writer.vault, problem_of(problem), envelope.officer or NOBODY
                )
                return Outcome(self.head, problem=said)
            raise
        self.rows += rows
        changed = {fact.originator_id for fact in facts}
        self.writer.cache.keep([world.touched[stream] for stream in changed])
        for stream in changed:
            if isinstance(world.touched[stream], Store):
                self.marks = cast(Store, world.touched[stream]).marks()
        self.head += len(facts)
        return Outcome(self.head, result, len(facts))

    def _rows_of(self, envelope: Envelope, world: DecisionWorld) -> tuple[list[Row], list[Event]]:
        """The pending facts, stamped, and as the rows to be stored."""
        actor = world.actor
        mapper = self.writer.mapper
        metas: dict[UUID, Meta] = {}
        rows: list[Row] = []
        sealed: set[UUID] = set()
        facts = pending(world)
        if len(facts) > self.writer.facts_a_command:
            limit_reached("facts_a_command")
            raise TooManyFacts(number=len(facts), limit=self.writer.facts_a_command)
        for position, fact in enumerate(facts, start=self.head + 1):
            stream = fact.originator_id
            aggregate = world.touched[stream]
            meta = metas.get(aggregate.division)
            if meta is None:
                meta = metas[aggregate.division] = Meta(
                    actor=actor.officer,
                    role=actor.role,
                    command=envelope.id,
                    correlation=envelope.correlation or envelope.id,
                    division=aggregate.division,
                    recorded_at=self.last,
                    area=actor.area,
                    post=actor.post,
                    standing_for=actor.standing_for,
                    clock_held=world.clock_held,
                )
            stamp(fact, meta)
            if seal_texts(self.writer.vault, world, aggregate, fact):
                sealed.add(stream)
            version, topic = fact.originator_version, mapper.topic_of(fact)
            rows.append((position, stream.bytes, version, topic, mapper.encode(fact)))
        by_stream = groupby(facts, lambda fact: fact.originator_id)  # they come stream by stream
        world.touched |= {
            stream: as_stored(world.touched[stream], of_one)
            for stream, of_one in by_stream
            if stream in sealed
        }
        return rows, facts


def named(problem: Exception) -> Exception:
    """What went wrong, by our name for it where the database said it."""
    if isinstance(problem, LogUnreadable | VaultFailed):
        return problem.named
    return explain(problem) if isinstance(problem, DATABASE_ERRORS) else problem


def _answer(command: UUID, outcome: Outcome, *, repeated: bool) -> Answer:
    if outcome.problem is not None:
        return Refused(outcome)
    return Receipt(command, outcome.position, outcome.result, outcome.facts, repeated)
