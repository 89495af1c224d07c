"""Group commit: concurrent commands are decided in turn and saved in one transaction.

One thread a process takes what is waiting, gets the write lock, brings the aggregates it needs
up to date once, decides each command on that state, stamps the facts and commits them with the
outcomes. A refused command fails alone. Acknowledged means durable (fsync).
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import InvalidStateError
from contextlib import suppress
from datetime import datetime
from itertools import chain
from typing import NamedTuple
from uuid import UUID

from eventsourcing.persistence import IntegrityError

from eventstore.aggregates import AggregateCache
from eventstore.batch import Answer, Batch, VaultFailed, named
from eventstore.clock import Clock, SimulatedClock
from eventstore.errors import (
    StoreClosed,
    StoreError,
    StoreLocked,
    StoreUnreachable,
)
from eventstore.faults import reached
from eventstore.log import Log, Wanted
from eventstore.mapper import TypedMapper
from eventstore.metrics import count_batch
from eventstore.outcomes import (
    Envelope,
    ids_of,
    rows_of,
)
from eventstore.snapshots import Snapshots
from eventstore.trust import KeptTrust
from eventstore.turns import InTurn
from eventstore.vault import Vault

MAX_BATCH = 256
TRIES = 2
AGAIN = (IntegrityError, StoreUnreachable)
WAITED = (StoreLocked, StoreUnreachable)
"""What a batch fails by after it has waited for the log as long as a client will."""

Deliver = Callable[[Answer], None]
FACTS_A_COMMAND = 20_000
"""Facts of one command: they are one transaction, for which everybody else waits."""
ROWS_A_BATCH = 4_000
"""Rows (households, grants, areas) of the commands that are decided together."""


class Writer:
    """The one that writes. `submit` from any thread; answers come through ``deliver``."""

    def __init__(
        self,
        log: Log,
        vault: Vault,
        mapper: TypedMapper,
        clock: Clock,
        committed: Callable[[int], None],
        settle: Callable[[], None],
        trust: KeptTrust,
    ) -> None:
        """``settle`` may change the clock, when a batch begins, under the order lock."""
        self.log = log
        self.vault = vault
        self.mapper = mapper
        self.clock = clock
        self._committed, self._settle = committed, settle
        self._queue: queue.SimpleQueue[tuple[Envelope, Deliver] | None] = queue.SimpleQueue()
        self.seals, self.trust = trust.seals, trust
        self.snapshots = Snapshots(log, vault, mapper, trust)
        self.cache = AggregateCache(log, mapper, self.snapshots, trust)
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
                if batch.rows:
                    self.trust.own(batch.rows)
        if failure is not None:
            processed = _Processed([failure] * len(envelopes), failure)
        else:
            if batch.rows:
                self._committed(batch.head)
            processed = _Processed(batch.answers(), None)
        count_batch(envelopes, processed.answers, time.monotonic() - began)
        return processed

    def _saved(self, envelopes: Sequence[Envelope]) -> tuple[Batch, Exception | None]:
        """The batch as it was saved, or the last try of it and why it could not be saved."""
        lost: set[UUID] = set()
        left = TRIES
        without: dict[int, Exception] = {}
        while True:
            left -= 1
            batch = Batch(self, envelopes, lost, without)
            try:
                self._attempt(batch)
                return batch, None
            except BaseException as problem:
                self._forget_all()
                if not isinstance(problem, Exception):
                    raise
                why = named(problem)
                if left > 0 and isinstance(why, AGAIN):
                    lost |= batch.fresh
                elif isinstance(problem, VaultFailed) and batch.sealed and not without:
                    without = dict.fromkeys(batch.sealed, why)
                else:
                    return batch, why

    def _attempt(self, batch: Batch) -> None:
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
                given = batch.rows, batch.outcomes, batch.marks
                seal = self.seals.made(seen.seal + 1, *given, batch.head)
                self.log.append(db, batch.rows, batch.outcomes, seal)
            self.log.put_marks(db, batch.marks)
            reached("in-transaction")

    def _commit_vault(self) -> None:
        try:
            self.vault.commit()
        except StoreError as problem:
            raise VaultFailed(problem) from problem

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


def _tell(batch: Sequence[tuple[Envelope, Deliver]], answers: Sequence[Answer]) -> None:
    for (_, deliver), answer in zip(batch, answers, strict=True):
        with suppress(RuntimeError, InvalidStateError):  # whoever asked has gone
            deliver(answer)
