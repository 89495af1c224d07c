"""The patches. Each is a context manager: the program is wrong within, and right again after."""

import threading
import time
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from functools import partial, wraps
from typing import Any
from unittest.mock import patch
from uuid import UUID

from cryptography.exceptions import InvalidTag
from eventsourcing.domain import decorated_funcs

import eventstore.vault
import eventstore.writer
from domain.goods import units_of
from domain.stockpile import Stockpile
from domain.world import Sealed
from eventstore.batch import Batch
from eventstore.errors import StoreDamaged
from eventstore.log import OutcomeRow, Row
from eventstore.randomness import random_bytes
from eventstore.vault import NONCE_BYTES, Vault
from eventstore.writer import Writer
from projections.folding.engine import Applied, Gap, ViewsDatabase
from projections.folding.facts import decoded
from projections.folding.fold import Policy
from streams.applying import Applying, Message, Run, Unread, runs
from streams.relay import MOST_ROWS, Relay
from streams.worker import Worker, message_of
from tests.simulation.memory import MemoryLog

# -- views ----------------------------------------------------------------------------------------


@contextmanager
def no_position_check() -> Iterator[None]:
    """The views fold whatever comes, as if nothing had been applied before."""

    def frame(
        self: ViewsDatabase,
        partition: int,
        _: int,
        last: int,
        rows: Sequence[Row],
        policy: Policy,
        forged: Container[int],
    ) -> Applied | Gap:
        with self.place.applying(partition):
            standing = [view._replace(position=0) for view in self._stand(partition)]
            facts = decoded(self.mapper, rows, lambda _: partition, forged)
            return self._fold(partition, standing, last, facts, policy)

    with patch.object(ViewsDatabase, "_frame", frame):
        yield


@contextmanager
def position_apart() -> Iterator[None]:
    """Rows in one transaction, the position in the next."""
    moved = ViewsDatabase._moved

    def apart(self: ViewsDatabase, *given: Any) -> Applied:
        self.db.execute("COMMIT")
        self.db.execute("BEGIN IMMEDIATE")
        return moved(self, *given)

    with patch.object(ViewsDatabase, "_moved", apart):
        yield


# -- workers and relay ----------------------------------------------------------------------------


@contextmanager
def ack_before_effect() -> Iterator[None]:
    """What Kafka's clients call auto-commit: acknowledged as it is handed over."""

    async def apply(self: Worker) -> None:
        while not self._stopping:
            partition, events = await self._waiting.take()
            for event in events:
                event.ack()
            try:
                messages = [message_of(event) for event in events]
                await self._in_thread(self._applier.apply, partition, messages)
            finally:
                await self._waiting.done(partition)

    with patch.object(Worker, "_apply", apply):
        yield


@contextmanager
def gap_not_fetched() -> Iterator[None]:
    """A frame that comes too early is applied as if nothing were missing."""

    def apply(self: Applying, partition: int, run: Run | Unread) -> None:
        if isinstance(run, Unread):
            return
        gap = self._send(partition, run.previous, run.last, run.rows)
        if gap is not None:
            self._send(partition, gap.after, run.last, run.rows)

    with patch.object(Applying, "_apply", apply):
        yield


@contextmanager
def remembered_position() -> Iterator[None]:
    """A worker believes what it remembers of the views' positions. As it was once: seed 255."""

    def apply(self: Applying, partition: int, messages: Sequence[Message]) -> None:
        self._until_it_passes(self._same_log)
        for run in runs(partition, messages, self._own.seal):
            if isinstance(run, Unread) or run.last > self.positions.get(partition, 0):
                self._until_it_passes(partial(self._apply, partition, run))

    with patch.object(Applying, "apply", apply):
        yield


@contextmanager
def stored_before_sent() -> Iterator[None]:
    """The relay notes what it is about to send, then sends it."""

    def step(self: Relay) -> None:
        self._look()
        rows = self._log.rows(self.position, MOST_ROWS)
        frames = self._framer.cut(rows)
        self.position = rows[-1][0] if rows else self.position
        marks = self._framer.watermarks(self.position)
        self._store()
        self._offsets |= self._bus.send([*frames, *marks], self._going_on)

    with patch.object(Relay, "step", step):
        yield


# -- the store ------------------------------------------------------------------------------------


@contextmanager
def commands_unknown() -> Iterator[None]:
    """Nobody looks whether a command was decided before."""

    def none_found(self: Batch, outcomes: Sequence[OutcomeRow]) -> None:
        del outcomes
        self.head, self.last = self.writer.cache.head, self.writer.cache.last

    with patch.object(Batch, "find_repeats", none_found):
        yield


@contextmanager
def no_order_lock() -> Iterator[None]:
    """Two processes decide at the same time on what each of them read."""
    with patch.object(MemoryLog, "exclusive", False):
        yield


@contextmanager
def vault_after_log() -> Iterator[None]:
    """Facts become durable before the keys they are sealed with."""

    def attempt(self: Writer, batch: Batch) -> None:
        wanted = self._wanted(batch.envelopes)
        with self.log.batch(wanted) as (db, seen):
            self.vault.doubted = True
            self.cache.catch_up(seen.news)
            batch.find_repeats(seen.outcomes)
            self.cache.read_ahead(wanted.streams, seen.pieces)
            for n, envelope in enumerate(batch.envelopes):
                batch.take(n, envelope)
            if batch.outcomes:
                seal = self.seals.made(seen.seal + 1, batch.rows, batch.outcomes, {}, batch.head)
                self.log.append(db, batch.rows, batch.outcomes, seal)
        vars(eventstore.writer)["reached"]("between-vault-and-log")
        self.vault.commit()

    with patch.object(Writer, "_attempt", attempt):
        yield


@contextmanager
def cache_kept() -> Iterator[None]:
    """After a failed commit the writer goes on with what it had decided in vain."""

    def forget(self: Writer) -> None:
        self.vault.rollback()

    with patch.object(Writer, "_forget_all", forget):
        yield


@contextmanager
def unfair_lock() -> Iterator[None]:
    """Whoever lets the writer go may have it again before those who wait."""
    with patch.object(eventstore.writer, "InTurn", threading.Lock):
        yield


@contextmanager
def field_unbound() -> Iterator[None]:
    """Sealed data is bound to its stream, but not to its field."""

    def seal(self: Vault, person: UUID, stream: UUID, field: str, text: str) -> Sealed:
        del field
        nonce = random_bytes(NONCE_BYTES)
        cipher = self._cipher(person, make=True)
        assert cipher is not None
        return Sealed(person, nonce + cipher.encrypt(nonce, text.encode(), stream.bytes))

    def opened(cipher: Any, sealed: Sealed, stream: UUID, field: str) -> str:
        nonce, box = sealed.box[:NONCE_BYTES], sealed.box[NONCE_BYTES:]
        try:
            return str(cipher.decrypt(nonce, box, stream.bytes), "utf-8")
        except InvalidTag as problem:
            raise StoreDamaged(f"{field} of {stream}") from problem

    with patch.object(Vault, "seal", seal), patch.object(eventstore.vault, "opened", opened):
        yield


# -- the domain -----------------------------------------------------------------------------------


def _body_of_reserved(made: Callable[[Callable[..., None]], Callable[..., None]]) -> Any:
    """Another body for ``Stockpile.Reserved``."""
    body = decorated_funcs[Stockpile.Reserved]
    return patch.dict(decorated_funcs, {Stockpile.Reserved: wraps(body)(made(body))})


@contextmanager
def guard_in_evolve() -> Iterator[None]:
    """A rule in an ``@event`` body; later the rule is tightened, and history does not pass it."""
    seen = 0

    def guarded(body: Callable[..., None]) -> Callable[..., None]:
        def with_a_rule(self: Stockpile, **given: Any) -> None:
            nonlocal seen
            seen += 1
            if seen > 3 and units_of(given["picks"]) > 10:
                raise ValueError("at most 10 units, since lately")
            body(self, **given)

        return with_a_rule

    with _body_of_reserved(guarded):
        yield


@contextmanager
def clock_in_evolve() -> Iterator[None]:
    """An ``@event`` body that reads the clock, so that a replay differs."""

    def timed(body: Callable[..., None]) -> Callable[..., None]:
        def with_a_clock(self: Any, **given: Any) -> None:
            body(self, **given)
            self.reserved_at = time.monotonic_ns()

        return with_a_clock

    with _body_of_reserved(timed):
        yield
