"""Group commit: concurrent commands are decided in turn and saved in one transaction.

One thread a process takes what is waiting, gets the write lock, brings the aggregates it needs
up to date once, decides each command on that state, stamps the facts and commits them with the
outcomes. A refused command fails alone. Acknowledged means durable (fsync).
"""

import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import InvalidStateError
from contextlib import suppress
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import UUID

import msgspec
from eventsourcing.persistence import IntegrityError

from domain.base import EPOCH, NOBODY, Aggregate, Event, Meta, stamp
from domain.refusal import Refusal
from eventstore.clock import Clock, SimulatedClock
from eventstore.deciding import DecisionWorld, Memo, authorized, decide, pending
from eventstore.errors import CommandIdReused, StoreClosed, StoreLocked, StoreUnreachable
from eventstore.faults import reached
from eventstore.log import CAUGHT_UP, NEWEST, Log, News, OutcomeRow, Row, Wanted
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
)
from eventstore.sql import DATABASE_ERRORS, explain
from eventstore.turns import InTurn
from eventstore.vault import Vault

MAX_BATCH = 256
CACHE_SIZE = 20_000
TRIES = 2
AGAIN = (IntegrityError, StoreUnreachable)
WAITED = (StoreLocked, StoreUnreachable)
"""After such an answer the next would be waited for as long again, beyond any client's patience."""
SELDOM = ("Area.", "Rulebook.")

Answer = Receipt | BaseException
Deliver = Callable[[Answer], None]


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
        """``settle`` may change the clock, at the begin of each batch, under the order lock."""
        self.log = log
        self.vault = vault
        self.mapper = mapper
        self.clock = clock
        self._committed, self._settle = committed, settle
        self._queue: queue.SimpleQueue[tuple[Envelope, Deliver] | None] = queue.SimpleQueue()
        self._cache: OrderedDict[UUID, Aggregate | None] = OrderedDict()
        self.memo = Memo()
        self._head = -1
        self._last = EPOCH
        self._thread: threading.Thread | None = None
        self._closed = False
        self._door = threading.Lock()
        self._busy = InTurn()

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
            answers = self.process([envelope for envelope, _ in batch])
            _tell(batch, answers)
            if isinstance(answers[0], WAITED) and not ended:  # so has who came meanwhile
                batch, ended = self._waiting()
                _tell(batch, [answers[0]] * len(batch))

    def _waiting(
        self, *first: tuple[Envelope, Deliver] | None
    ) -> tuple[list[tuple[Envelope, Deliver]], bool]:
        """What is queued, and whether that is the end."""
        batch: list[tuple[Envelope, Deliver]] = []
        for item in chain(first, self._queued()):
            if item is None:
                return batch, True
            batch.append(item)
            if len(batch) >= MAX_BATCH:
                break
        return batch, False

    def _queued(self) -> Iterator[tuple[Envelope, Deliver] | None]:
        with suppress(queue.Empty):
            while True:
                yield self._queue.get_nowait()

    # -- one batch ----------------------------------------------------------------------------

    def process(self, envelopes: Sequence[Envelope]) -> list[Answer]:
        """Decide and save a batch in one transaction. Never raises: each command has its answer."""
        began = time.monotonic()
        answers = self._process(envelopes)
        count_batch(envelopes, answers, time.monotonic() - began)
        return answers

    def _process(self, envelopes: Sequence[Envelope]) -> list[Answer]:
        reached("before-load")
        with self._busy:
            lost: set[UUID] = set()
            for left in reversed(range(TRIES)):
                batch = _Batch(self, envelopes, lost)
                try:
                    self._attempt(batch)
                    break
                except BaseException as problem:
                    self._forget_all()
                    if not isinstance(problem, Exception):
                        raise
                    named = _named(problem)
                    if not left or not isinstance(named, AGAIN):
                        return [named] * len(envelopes)
                    lost |= batch.fresh
            reached("after-commit")
            self._head, self._last = batch.head, batch.last
            self._trim()
        if batch.rows:
            self._committed(batch.head)
        return batch.answers()

    def _attempt(self, batch: "_Batch") -> None:
        """Decide and save once.

        After a conflict or a lost connection it is tried again under the order lock, where "was
        it me?" has an answer: what is stored of the first try is known by its command ids.
        """
        wanted = self._wanted(batch.envelopes)
        with self.log.batch(wanted) as (db, seen):
            self._settle()
            self.vault.doubted = True
            self._catch_up(seen.news)
            batch.find_repeats(seen.outcomes)
            self._read_ahead(wanted.streams, seen.facts)
            for n, envelope in enumerate(batch.envelopes):
                batch.take(n, envelope)
            self.vault.commit()
            reached("between-vault-and-log")
            if batch.outcomes:
                self.log.append(db, batch.rows, batch.outcomes)
            reached("in-transaction")

    def _forget_all(self) -> None:
        self.vault.rollback()
        self._cache.clear()
        self.memo = Memo()
        self._head = -1

    def _wanted(self, envelopes: Sequence[Envelope]) -> Wanted:
        """What to ask with the order lock: news, repeats, and streams that commands name.

        One by one each is a journey to the server, most of them to hear that a stream has not
        begun, while the order lock keeps every other process waiting.
        """
        named = {id for one in envelopes for id in ids_of(one.command)}
        streams = [id.bytes for id in named if id not in self._cache]
        return Wanted(self._head, [one.id.bytes for one in envelopes], streams)

    def _catch_up(self, news: Sequence[News]) -> None:
        """Another process may have written since: what it touched is brought up to date."""
        known = self._head
        follows = known == 0 or (known > 0 and bool(news) and news[0][0] == known)
        fresh = news if known <= 0 else news[1:]
        if not follows or len(fresh) > CAUGHT_UP:  # the log may have been put back
            self._cache.clear()
            self.memo.books.clear()
            newest = news if known < 0 else self.log.writer.execute(NEWEST).fetchall()
            self._head, self._last = 0, EPOCH
        else:
            newest = fresh
            for _, stream, topic, state in fresh:
                self._bring(UUID(bytes=stream), topic, state)
        if newest:
            self._head = newest[-1][0]
            self._last = _recorded(newest[-1][3]).meta.recorded_at

    def _bring(self, stream: UUID, topic: str, state: bytes) -> None:
        """Apply a fact of another process to the aggregate, if it is cached."""
        if topic.startswith(SELDOM):
            self.memo.books.clear()
        known = self._cache.pop(stream, None)
        if known is not None and self.mapper.class_of(topic) is not None:
            self._cache[stream] = self.mapper.decode(topic, state).mutate(known)

    def load(self, stream: UUID) -> Aggregate | None:
        """The aggregate as stored, replayed from the log."""
        sql = "SELECT topic, state FROM events WHERE stream = ? ORDER BY version"
        aggregate: Aggregate | None = None
        for topic, state in self.log.writer.execute(sql, (stream.bytes,)):
            aggregate = self.mapper.decode(topic, state).mutate(aggregate)
        return aggregate

    def _read_ahead(
        self, asked: Sequence[bytes], facts: Sequence[tuple[bytes, str, bytes]]
    ) -> None:
        """Bring streams into the cache: what cannot be read fails the command that wants it."""
        found: dict[UUID, Aggregate | None] = {UUID(bytes=key): None for key in asked}
        for key, topic, state in facts:
            stream = UUID(bytes=key)
            try:
                if stream in found:
                    found[stream] = self.mapper.decode(topic, state).mutate(found[stream])
            except Exception:
                del found[stream]
        self._cache.update(found)

    def cached(self, kind: type[Any], stream: UUID) -> Aggregate | None:
        cache = self._cache
        if stream in cache:
            cache.move_to_end(stream)
            return cache[stream]
        aggregate = cache[stream] = self.load(stream)  # that it has not begun is known as well
        return aggregate

    def keep(self, aggregate: Aggregate) -> None:
        self._cache[aggregate.id] = aggregate

    def drop(self, stream: UUID) -> None:
        self._cache.pop(stream, None)

    def now(self, at: datetime | None) -> datetime:
        if at is not None:
            if not isinstance(self.clock, SimulatedClock):
                raise ValueError("only a store on a simulated clock can be told the time")
            self.clock.move_to(at)
        return self.clock.now()

    @property
    def state(self) -> tuple[int, datetime]:
        return self._head, self._last

    def _trim(self) -> None:
        while len(self._cache) > CACHE_SIZE:
            self._cache.popitem(last=False)


class _When(msgspec.Struct):
    recorded_at: datetime


class _Recorded(msgspec.Struct):
    """Of a stored fact of whatever type, when it was recorded."""

    meta: _When


_recorded = msgspec.json.Decoder(_Recorded).decode


class _Batch:
    """The commands of one transaction, and what they decided so far."""

    def __init__(
        self, writer: Writer, envelopes: Sequence[Envelope], lost: AbstractSet[UUID]
    ) -> None:
        self.writer = writer
        self.envelopes = envelopes
        self.fresh: set[UUID] = set()
        self._lost = lost
        self.head, self.last = 0, EPOCH
        self.rows: list[Row] = []
        self.outcomes: list[OutcomeRow] = []
        self._answers: list[Answer | None] = [None] * len(envelopes)
        self._known: dict[UUID, tuple[bytes, bytes, bytes]] = {}
        self._facts: dict[UUID, list[Event]] = {}

    def answers(self) -> list[Answer]:
        return [answer for answer in self._answers if answer is not None]

    def find_repeats(self, outcomes: Sequence[OutcomeRow]) -> None:
        """Which of these commands have an outcome already."""
        self.head, self.last = self.writer.state
        for command, actor, fingerprint, outcome in outcomes:
            self._known[UUID(bytes=command)] = (actor, fingerprint, outcome)

    def take(self, n: int, envelope: Envelope) -> None:
        officer = envelope.officer or NOBODY
        fingerprint = self.writer.vault.fingerprint(body_of(envelope.command))
        known = self._known.get(envelope.id)
        if known is not None:
            self._answers[n] = self._repeat(envelope, officer, fingerprint, known)
            return
        try:
            outcome = self._decide(envelope)
        except DATABASE_ERRORS:  # the transaction is not what it was: it is given up
            raise
        except Exception as problem:  # a fault of ours: this command alone fails, unstored
            self._answers[n] = _named(problem)
            return
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
        return DecisionWorld(writer.cached, writer.vault, self.last, envelope.id, writer.memo)

    def _decide(self, envelope: Envelope) -> Outcome:
        self.last = max(self.last, self.writer.now(envelope.at))
        world = self._world(envelope)
        sealed = self.writer.vault.mark()
        try:
            result = decide(world, envelope.command, envelope.officer)
            rows, facts = self._rows_of(envelope, world)
        except BaseException as problem:
            self.writer.vault.undo(sealed)
            self._undo(world, everything=not isinstance(problem, Refusal))
            if isinstance(problem, Refusal):
                return Outcome(self.head, problem=problem_of(problem))
            raise
        self.rows += rows
        for fact in facts:
            stream = fact.originator_id
            self._facts.setdefault(stream, []).append(fact)
            if fact.originator_version == 1:
                self.writer.keep(world.touched[stream])
        self.head += len(facts)
        return Outcome(self.head, result, len(facts))

    def _rows_of(self, envelope: Envelope, world: DecisionWorld) -> tuple[list[Row], list[Event]]:
        """The pending facts, stamped, and as the rows to be stored."""
        actor = world.actor
        mapper = self.writer.mapper
        metas: dict[UUID, Meta] = {}
        rows: list[Row] = []
        facts = pending(world)
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
                )
            stamp(fact, meta)
            version, topic = fact.originator_version, mapper.topic_of(fact)
            rows.append((position, stream.bytes, version, topic, mapper.encode(fact)))
        return rows, facts

    def _undo(self, world: DecisionWorld, *, everything: bool) -> None:
        """Put back what a refused command had begun to change; after a fault, all it touched."""
        for stream, aggregate in world.touched.items():
            if not (everything or aggregate.pending_events):
                continue
            self.writer.drop(stream)
            restored = self.writer.load(stream)
            for fact in self._facts.get(stream, ()):
                restored = fact.mutate(restored)
            if restored is not None:
                self.writer.keep(restored)


def _tell(batch: Sequence[tuple[Envelope, Deliver]], answers: Sequence[Answer]) -> None:
    for (_, deliver), answer in zip(batch, answers, strict=True):
        with suppress(RuntimeError, InvalidStateError):  # whoever asked has gone
            deliver(answer)


def _named(problem: Exception) -> Exception:
    """What went wrong, by our name for it where the database said it."""
    return explain(problem) if isinstance(problem, DATABASE_ERRORS) else problem


def _answer(command: UUID, outcome: Outcome, *, repeated: bool) -> Answer:
    if outcome.problem is not None:
        return Refused(outcome)
    return Receipt(command, outcome.position, outcome.result, outcome.facts, repeated)
