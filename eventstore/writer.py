"""Group commit: concurrent commands are decided in turn and saved in one transaction.

One thread a process takes what is waiting, gets the write lock, brings the aggregates it needs
up to date once, decides each command on that state, stamps the facts and commits them with the
outcomes. A refused command fails alone. Acknowledged means durable (fsync).
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, groupby
from typing import ClassVar, NamedTuple, cast
from uuid import UUID

from eventsourcing.persistence import IntegrityError

from domain.base import EPOCH, NOBODY, Event, Meta, stamp
from domain.refusal import Refusal
from domain.store import Store
from eventstore.aggregates import AggregateCache, LogUnreadable
from eventstore.clock import Clock, SimulatedClock
from eventstore.deciding import DecisionWorld, authorized, decide, is_training, pending, settled
from eventstore.errors import (
    CommandIdReused,
    StoreClosed,
    StoreError,
    StoreLocked,
    StoreUnreachable,
)
from eventstore.faults import reached
from eventstore.free_texts import as_stored, seal_figures, seal_texts
from eventstore.limits_reached import limit_reached
from eventstore.log import Log, OutcomeRow, Row, Wanted
from eventstore.mapper import TypedMapper
from eventstore.metrics import count_batch
from eventstore.outcomes import (
    Envelope,
    Outcome,
    Receipt,
    Refused,
    body_of,
    decode_outcome,
    encode_outcome,
    ids_of,
    problem_of,
    rows_of,
)
from eventstore.snapshots import Snapshots
from eventstore.sql import DATABASE_ERRORS, explain
from eventstore.turns import InTurn
from eventstore.vault import Vault

MAX_BATCH = 256
TRIES = 2
AGAIN = (IntegrityError, StoreUnreachable)
WAITED = (StoreLocked, StoreUnreachable)
"""What a batch fails by after it has waited for the log as long as a client will."""

Answer = Receipt | BaseException
Deliver = Callable[[Answer], None]
FACTS_A_COMMAND = 20_000
"""Facts of one command: they are one transaction, for which everybody else waits."""
ROWS_A_BATCH = 4_000
"""Rows (households, grants, areas) of the commands that are decided together."""


@dataclass(eq=False)
class TooManyFacts(Refusal):
    status: ClassVar[int] = 413
    zh: ClassVar[str] = "这一次操作会产生 {number} 条记录，最多 {limit} 条，请分批办理"
    en: ClassVar[str] = "This would make {number} facts at once, {limit} at most. Do it in parts."
    number: int
    limit: int


class Writer:
    """The one that writes. `submit` from any thread; answers come through ``deliver``."""

    def __init__(
        self,
        log: Log,
        vault: Vault,
        mapper: TypedMapper,
        clock: Clock,
        committed: Callable[[int], None],
        settle: Callable[[], None] = lambda: None,
    ) -> None:
        """``settle`` may change the clock, when a batch begins, under the order lock."""
        self.log = log
        self.vault = vault
        self.mapper = mapper
        self.clock = clock
        self._committed, self._settle = committed, settle
        self._queue: queue.SimpleQueue[tuple[Envelope, Deliver] | None] = queue.SimpleQueue()
        self.snapshots = Snapshots(log, vault, mapper)
        self.cache = AggregateCache(log, mapper, self.snapshots)
        self._thread: threading.Thread | None = None
        self._closed = False
        self._door = threading.Lock()
        self._busy = InTurn()
        self.facts_a_command = FACTS_A_COMMAND
        self.rows_a_batch = ROWS_A_BATCH

    # -- taking commands ----------------------------------------------------------------------

    def submit(self, envelope: Envelope, deliver: Deliver) -> None:
        """Queue a command. ``deliver`` is called on the writer's thread."""
        with self._door:
            if self._closed:
                raise StoreClosed
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="writer", daemon=True)
                self._thread.start()
            self._queue.put((envelope, deliver))

    def close(self) -> None:
        """Finish what is queued, then stop."""
        with self._door:
            if not self._closed and self._thread is not None:
                self._queue.put(None)
            self._closed = True
        if self._thread is not None:
            self._thread.join()

    def _serve(self) -> None:
        ended = False
        while not ended:
            batch, ended = self._waiting(self._queue.get())
            if not batch:
                continue
            answers, failure = self._process([envelope for envelope, _ in batch])
            _tell(batch, answers)
            if isinstance(failure, WAITED) and not ended:
                # Commands that were queued during this wait have waited too. They get the same
                # answer now: waiting once more for the same lock is beyond any client's patience.
                batch, ended = self._waiting()
                _tell(batch, [failure] * len(batch))

    def _waiting(
        self, *first: tuple[Envelope, Deliver] | None
    ) -> tuple[list[tuple[Envelope, Deliver]], bool]:
        """What is queued, and whether that is the end."""
        batch: list[tuple[Envelope, Deliver]] = []
        rows = 0
        for item in chain(first, self._queued()):
            if item is None:
                return batch, True
            batch.append(item)
            rows += rows_of(item[0].command)
            if len(batch) >= MAX_BATCH or rows >= self.rows_a_batch:
                break
        return batch, False

    def _queued(self) -> Iterator[tuple[Envelope, Deliver] | None]:
        with suppress(queue.Empty):
            while True:
                yield self._queue.get_nowait()

    # -- one batch ----------------------------------------------------------------------------

    def process(self, envelopes: Sequence[Envelope]) -> list[Answer]:
        """Decide and save a batch in one transaction. Never raises: each command has its answer."""
        return self._process(envelopes).answers

    def _process(self, envelopes: Sequence[Envelope]) -> "_Processed":
        began = time.monotonic()
        reached("before-load")
        with self._busy:
            batch, failure = self._saved(envelopes)
            if failure is None:
                reached("after-commit")
                self.cache.committed(batch.rows, batch.head, batch.last)
        if failure is not None:
            processed = _Processed([failure] * len(envelopes), failure)
        else:
            if batch.rows:
                self._committed(batch.head)
            processed = _Processed(batch.answers(), None)
        count_batch(envelopes, processed.answers, time.monotonic() - began)
        return processed

    def _saved(self, envelopes: Sequence[Envelope]) -> "tuple[_Batch, Exception | None]":
        """The batch as it was saved, or the last try of it and why it could not be saved."""
        lost: set[UUID] = set()
        left = TRIES
        without: dict[int, Exception] = {}
        while True:
            left -= 1
            batch = _Batch(self, envelopes, lost, without)
            try:
                self._attempt(batch)
                return batch, None
            except BaseException as problem:
                self._forget_all()
                if not isinstance(problem, Exception):
                    raise
                named = _named(problem)
                if left > 0 and isinstance(named, AGAIN):
                    lost |= batch.fresh
                elif isinstance(problem, _VaultFailed) and batch.sealed and not without:
                    without = dict.fromkeys(batch.sealed, named)
                else:
                    return batch, named

    def _attempt(self, batch: "_Batch") -> None:
        """Decide and save once.

        After a conflict or a lost connection it is tried again under the order lock, where "was
        it me?" has an answer: what is stored of the first try is known by its command ids.
        """
        wanted = self._wanted(batch.envelopes)
        with self.log.batch(wanted) as (db, seen):
            self._settle()
            self.vault.doubted = True
            self.cache.catch_up(seen.news)
            batch.find_repeats(seen.outcomes)
            self.cache.read_ahead(wanted.streams, seen.pieces)
            for n, envelope in enumerate(batch.envelopes):
                batch.take(n, envelope)
            self._commit_vault()
            reached("between-vault-and-log")
            if batch.outcomes:
                self.log.append(db, batch.rows, batch.outcomes)
            self.log.put_marks(db, batch.marks)
            reached("in-transaction")

    def _commit_vault(self) -> None:
        try:
            self.vault.commit()
        except StoreError as problem:
            raise _VaultFailed(problem) from problem

    def _forget_all(self) -> None:
        self.vault.rollback()
        self.cache.forget()

    def _wanted(self, envelopes: Sequence[Envelope]) -> Wanted:
        """What to ask with the order lock: news, repeats, and streams that commands name.

        One by one each is a journey to the server, most of them to hear that a stream has not
        begun, while the order lock keeps every other process waiting.
        """
        named = {id for one in envelopes for id in ids_of(one.command)}
        streams = [id.bytes for id in self.cache.missing(named)]
        commands = [one.id.bytes for one in envelopes]
        return Wanted(self.cache.head, commands, streams, self.snapshots.program)

    def now(self, at: datetime | None) -> datetime:
        if at is not None:
            if not isinstance(self.clock, SimulatedClock):
                raise ValueError("only a store on a simulated clock can be told the time")
            self.clock.move_to(at)
        return self.clock.now()


class _Processed(NamedTuple):
    """The answers to a batch; ``failure`` if it failed as a whole, and nothing was decided."""

    answers: list[Answer]
    failure: Exception | None


class _VaultFailed(Exception):
    """The vault's commit failed, and with it those commands that sealed or erased something."""

    def __init__(self, named: StoreError) -> None:
        super().__init__(str(named))
        self.named = named


class _Batch:
    """The commands of one transaction, and what they decided so far.

    ``lost`` are commands of an earlier try whose commit may have been stored; ``without`` are the
    commands, by their place, that fail because the vault could not save what they sealed.
    """

    def __init__(
        self,
        writer: Writer,
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
            self._answers[n] = _named(problem)
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
        cases = envelope.cases or ()
        return DecisionWorld(*kept, held=held, cases=cases, born=cache.born)

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


def _tell(batch: Sequence[tuple[Envelope, Deliver]], answers: Sequence[Answer]) -> None:
    for (_, deliver), answer in zip(batch, answers, strict=True):
        with suppress(RuntimeError, InvalidStateError):  # whoever asked has gone
            deliver(answer)


def _named(problem: Exception) -> Exception:
    """What went wrong, by our name for it where the database said it."""
    if isinstance(problem, LogUnreadable | _VaultFailed):
        return problem.named
    return explain(problem) if isinstance(problem, DATABASE_ERRORS) else problem


def _answer(command: UUID, outcome: Outcome, *, repeated: bool) -> Answer:
    if outcome.problem is not None:
        return Refused(outcome)
    return Receipt(command, outcome.position, outcome.result, outcome.facts, repeated)
