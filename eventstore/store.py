"""The event store of one process: the only door to facts, for HTTP, CLI, import and demo."""

import asyncio
import hmac
import secrets
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import msgspec

from domain.base import Aggregate, Event
from domain.person import Person
from domain.world import Sealed
from eventstore.batch import Answer
from eventstore.clock import Clock, SimulatedClock, clock_state, machine_now
from eventstore.deciding import DecisionWorld
from eventstore.effects import Effects
from eventstore.errors import StoreDamaged, StoreError, StoreUnfinished
from eventstore.following import HeadWatch
from eventstore.free_texts import FreeTexts
from eventstore.log import Log, Piece
from eventstore.mapper import TypedMapper
from eventstore.may_wait import may_wait
from eventstore.names import Hit, find, namesakes
from eventstore.outcomes import Envelope, Receipt, Refused
from eventstore.seals import Seals
from eventstore.sqlite import SQLiteLog
from eventstore.told_by_log import Asked, cases_in, officers_in, unlisted_in
from eventstore.trust import KeptTrust
from eventstore.vault import SQLiteVault, Vault
from eventstore.writer import MAX_BATCH, Deliver, Writer

COPY_MARK, COPY_UNFINISHED, COPY_PROVEN = "copy", "unfinished", "proven"
"""Set by `eventstore.copying` from its first write to its last; taken at the copy's first start."""
COPIED_UNTIL = "copied-until"
"""Of a copy that ends before its original did: at which position."""
FRAMES_KEY_MARK = "frames-key"
"""The key of this place's frames: of no use elsewhere, and in no backup."""
TRAINING_MARK = "exercise"
"""Of a training store; its fact is `domain.store.Store.Opened`."""
SIMULATED_MARKS = ("simulated", "simulated-since", "simulated-rate")


def belong_together(log: Log, vault: Vault) -> None:
    """Log and vault carry the same birth mark, so that losing one of them is noticed.

    Set in the log first and read from the vault first, so that processes which start together
    find no half. Raises `StoreDamaged` when one is new beside the other, or of another store;
    `StoreUnfinished` when they are half of a copy.
    """
    if log.mark(COPY_MARK) == COPY_UNFINISHED:
        raise StoreUnfinished
    known, born = vault.birth_mark(), log.mark("born")
    if born is None and known is not None:
        raise StoreDamaged("the log is empty or not the one of this vault")
    if known is None and born is not None:  # another process may have done both since
        known = vault.birth_mark()
    if known is None and born is not None and log.head():
        raise StoreDamaged("the vault is new or not the one of this log")
    if born is None:
        born = secrets.token_hex(16)
        log.set_mark("born", born, keep=True)
        born = log.mark("born")
    assert born is not None
    if known is None:
        known = vault.set_birth_mark(born)
    if known != born:
        raise StoreDamaged("log and vault belong to different stores")


def parts_at(folder: Path) -> tuple[Log, Vault]:
    """Log and vault of a data folder, on SQLite."""
    log = SQLiteLog(folder / "log.sqlite")
    try:
        return log, SQLiteVault(folder / "vault.sqlite")
    except BaseException:
        log.close()
        raise


class Recorded(NamedTuple):
    """A fact with its place in the log."""

    position: int
    event: Event


class Store:
    """Log, vault, writer and clock. Takes log and vault over and closes them."""

    def __init__(
        self,
        log: Log,
        vault: Vault,
        aggregates: Iterable[type[Aggregate]],
        clock: Clock | None = None,
    ) -> None:
        """``clock``: real time, also that below a simulated store's (default: the machine's)."""
        self.real = real = clock or Clock()
        vault.seconds = lambda: real.now().timestamp()
        self.mapper = TypedMapper(aggregates)
        self.log, self.vault = log, vault
        try:
            belong_together(log, vault)
            self.seals = Seals(log, vault).begin(machine_now())
            self.trust = KeptTrust(log, vault, self.seals)
            self.trust.look(log.head())
        except BaseException:
            vault.close()
            log.close()
            raise
        self.watch = HeadWatch(self.log)
        self._simulated: tuple[str | None, ...] = ()
        self._made = self._clock()
        self._settled = False
        self._training: bool | None = None
        told = self.watch.committed, self._settle_batch
        self.writer = Writer(self.log, self.vault, self.mapper, self._made, *told, self.trust)
        self.settle()
        self.snapshots = self.writer.snapshots
        self.cases_of: Asked = lambda household: cases_in(self._facts(), household)
        self.posts_in: Asked = lambda _: officers_in(self._facts())
        self.unlisted_in: Asked = lambda season: unlisted_in(self._facts(), season)
        self.effects = Effects(self.log, self.vault, self.mapper, self.trust)
        self.texts = FreeTexts(self.vault, self.effects)

    @classmethod
    def at(
        cls, folder: Path, aggregates: Iterable[type[Aggregate]], clock: Clock | None = None
    ) -> "Store":
        """The store of one data folder, on SQLite. Makes it if there is none."""
        return cls(*parts_at(folder), aggregates, clock)

    def _clock(self) -> Clock:
        self._simulated = tuple(self.log.mark(key) for key in SIMULATED_MARKS)
        at, since, rate = self._simulated
        state = clock_state(self.log)
        if at is None:
            held = state.holds.get(self.real.machine.host())
            self.real.begin(self.log.newest_at(), held, server=self.log.server_time())
            self.real.know(state.spans)
            return self.real
        clock = SimulatedClock(datetime.fromisoformat(at), real=self.real, rate=int(rate or 1))
        clock.know(state.spans)
        if since is not None:
            clock.run(datetime.fromisoformat(since))
        for newest in self.read(self.head() - 1, 1):
            clock.move_to(newest.event.meta.recorded_at)  # a load that was broken off goes on here
        return clock

    # -- the store's nature -------------------------------------------------------------------

    @property
    def clock(self) -> Clock:
        """The one clock of log, views and pages."""
        if may_wait():
            self._settle()
        return self.writer.clock

    @clock.setter
    def clock(self, clock: Clock) -> None:
        self.writer.clock = clock

    def settle(self) -> None:
        """Look whether it is known yet what clock the store has, and whether it is a training
        store: until something is begun in it, here or by another process, neither is."""
        self._settle()
        self._find_training()

    def _settle(self) -> None:
        """Another process may have marked an empty store as simulated since, or ended its load."""
        if self._settled or self.writer.clock is not self._made:
            return
        marks = [self.log.mark(key) for key in ("simulated", "simulated-since")]
        self._settled = self.head() > 0 if marks[0] is None else marks[1] is not None
        if marks[0] is not None and (self._settled or not self._made.simulated):
            self.writer.clock = self._made = self._clock()

    def _settle_batch(self) -> None:
        """As each batch begins: another process may have advanced a simulated clock since."""
        self._settle()
        if self._settled and self._made.simulated:
            self.follow_clock()

    def follow_clock(self) -> None:
        """Take over what was decided about a simulated clock, here or in another process."""
        if self.writer.clock is not self._made or not self._made.simulated:
            return
        if self._simulated != tuple(self.log.mark(key) for key in SIMULATED_MARKS):
            self.writer.clock = self._made = self._clock()

    def begin_simulated(self, at: datetime) -> None:
        """Mark an empty store as one on a simulated clock. It can never be unmarked."""
        if self.log.mark("simulated") is None:
            if self.log.head():
                raise ValueError("a store with facts of real time cannot become a simulated one")
            self.seals.mark({"simulated": at.astimezone(UTC)})
        self.writer.clock = self._made = self._clock()

    def run_clock(self) -> None:
        """Let the simulated clock go on at 1× from now on."""
        assert isinstance(self.clock, SimulatedClock)
        at = self.clock.now()
        if self.log.mark("simulated-since") is None:
            self.seals.mark({"simulated": at, "simulated-since": self.real.now()})
        self.clock.run()

    @property
    def simulated(self) -> bool:
        return self.clock.simulated

    @property
    def training(self) -> bool:
        """Whether this is a training store, as its first facts say: then nothing in it is real."""
        if may_wait():
            self._find_training()
        return bool(self._training)

    def _find_training(self) -> None:
        if self._training is None:
            begun = self.head() > 0  # asked first: the mark comes with the first facts
            training = self.log.mark(TRAINING_MARK) is not None
            if begun or training:
                self._training = training

    # -- commands -----------------------------------------------------------------------------

    def run(self, envelope: Envelope) -> Receipt:
        """Decide and save one command; returns when it is durable.

        Raises `Refused` (a rule said no), `CommandIdReused`, or a `StoreError`.
        """
        future: Future[Receipt] = Future()
        self.writer.submit(self._told(envelope), _future_of(future))
        try:
            return future.result()
        except Refused as refused:
            raise self.texts.refused(refused) from None

    def _told(self, envelope: Envelope) -> Envelope:
        """With what the command wants to be told, unless its sender has asked for it."""
        household, area = envelope.command.wants_cases_of(), envelope.command.wants_posts_in()
        season = envelope.command.wants_unlisted_in()
        if (household or area or season) is None or self.log.has_run(envelope.id):
            return envelope
        if household is not None and envelope.cases is None:
            envelope = replace(envelope, cases=self.cases_of(household))
        if area is not None and envelope.officers is None:
            envelope = replace(envelope, officers=self.posts_in(area))
        if season is not None and envelope.villages is None:
            envelope = replace(envelope, villages=self.unlisted_in(season))
        return envelope

    def _facts(self) -> Iterator[Event]:
        """Every fact there is: for who keeps no views. Where they are kept, they tell."""
        after = 0
        while rows := self.log.rows(after, 1024):
            for row in rows:
                if self.trust.counts(row[0]):
                    yield self.mapper.decode(row[3], row[4])
            after = rows[-1][0]

    def system_command_id(self, *parts: object) -> UUID:
        """The id of a command of the system's own: the same for the same parts, so that twice is
        once, and from a secret of the vault, so that nobody else can use it first."""
        text = "/".join(str(part) for part in parts)
        made = hmac.digest(self._system_ids, text.encode(), "sha256")
        return UUID(bytes=made[:16], version=4)

    @cached_property
    def _system_ids(self) -> bytes:
        return self.vault.secret("system-command-ids")

    async def arun(self, envelope: Envelope) -> Receipt:
        """`run` for an event loop. The cases that a command wants are the sender's to ask for
        before: that may wait. Texts in a refusal stay sealed: whoever tells it opens them."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Receipt] = loop.create_future()

        def settle(answer: Answer) -> None:
            if future.done():
                return
            if isinstance(answer, Receipt):
                future.set_result(answer)
            else:
                future.set_exception(answer)

        def deliver(answer: Answer) -> None:
            loop.call_soon_threadsafe(settle, answer)

        self.writer.submit(envelope, deliver)
        return await future

    def run_many(self, envelopes: Sequence[Envelope]) -> list[Answer]:
        """Bulk work (demo, import): batches of at most 256, each its own transaction.

        Answers in the same order: a receipt, or the exception that `run` would have raised.
        """
        answers: list[Answer] = []
        for start in range(0, len(envelopes), MAX_BATCH):
            some = [self._told(one) for one in envelopes[start : start + MAX_BATCH]]
            answers += self.writer.process(some)
        return [self.texts.refused(one) if isinstance(one, Refused) else one for one in answers]

    # -- reading ------------------------------------------------------------------------------

    def head(self) -> int:
        return self.log.head()

    def read(self, after: int, limit: int = 1024, upto: int | None = None) -> list[Recorded]:
        """Facts with positions > ``after`` in order; an unknown topic raises `UnknownTopic`."""
        decode = self.mapper.decode
        return [Recorded(r[0], decode(r[3], r[4])) for r in self.log.rows(after, limit, upto)]

    def follow(self, after: int, *, timeout: float = 1.0) -> Iterator[list[Recorded]]:
        """Facts as they come, in batches; an empty batch after each quiet ``timeout`` seconds."""
        while True:
            self.watch.wait(after, timeout)
            batch = self.read(after)
            if batch:
                after = batch[-1].position
            yield batch

    def load(
        self, stream: UUID, *, version: int | None = None, position: int | None = None
    ) -> Any | None:
        """An aggregate as of now, as of one of its versions, or as of a log position.

        Of a long stream no more facts are replayed than came since its snapshot (decision 0039);
        of one into which somebody has put a fact by hand, those before that.
        """
        if (forged := self.trust.forged_in(stream)) is not None:
            position = forged - 1 if position is None else min(position, forged - 1)
        rows = self.log.stream_rows(
            stream, upto_version=version, upto_position=position, limit=self.snapshots.every
        )
        if len(rows) == self.snapshots.every:
            if position is not None:
                then = self.log.version_at(stream, position)
                version = then if version is None else min(version, then)
            return self.snapshots.loaded(stream, self._pieces, version)
        return self.snapshots.rebuilt([row[1:] for row in rows])

    def _pieces(self, stream: UUID, program: bytes) -> list[Piece]:
        return self.log.pieces([stream.bytes], program)

    def world(self, position: int | None = None) -> DecisionWorld:
        """The world as of now, or with the facts up to a position: for looking at only."""

        known: dict[UUID, Any] = {}

        def load(_: type[Any], stream: UUID) -> Any:
            if stream not in known:
                known[stream] = self.load(stream, position=position)
            return known[stream]

        writer = self.writer
        held, born = writer.clock.held_time, writer.cache.born
        return DecisionWorld(load, self.vault, self.clock.now(), uuid4(), held=held, born=born)

    def history(self, stream: UUID, *, position: int | None = None) -> list[Recorded]:
        """All facts of one stream, up to a log position if one is said."""
        rows = self.log.stream_rows(stream, upto_position=position)
        decode, counts = self.mapper.decode, self.trust.counts
        return [Recorded(r[0], decode(r[3], r[4])) for r in rows if counts(r[0])]

    # -- people -------------------------------------------------------------------------------

    def erased(self, person: UUID) -> bool:
        """Whether the log says so, whatever of them the vault still holds."""
        ids = [Person.id_of(person, exercise).bytes for exercise in (False, True)]
        sql = "SELECT position FROM events WHERE stream IN (?,?) AND topic LIKE 'Person.Erased%'"
        return any(self.trust.counts(position) for (position,) in self.log.fetch(sql, ids))

    def reveal(self, sealed: Sealed, stream: UUID, field: str) -> str | None:
        """A sealed text for people to read; None when the person is erased."""
        return None if self.erased(sealed.person) else self.vault.reveal(sealed, stream, field)

    def find(
        self, text: str, villages: Sequence[UUID] | None = None, *, exercise: bool | None = False
    ) -> list[Hit]:
        """Members whose name fits a text, see `eventstore.names.find`; of who is erased, nobody."""
        return find(self.vault, text, villages, exercise=exercise)

    def namesakes(self, household: UUID, person: UUID) -> list[Hit]:
        """Members of other households of the village called alike: `eventstore.names.namesakes`."""
        return namesakes(self.vault, household, person)

    # -- looking at the log -------------------------------------------------------------------

    def stats(self) -> dict[str, Any]:
        """``events, streams, head, bytes, by_topic`` of the log."""
        return self.log.stats()

    def line_of(self, recorded: Recorded) -> str:
        """A fact as one JSON line; what was sealed stays sealed."""
        fact = {"position": recorded.position, "topic": recorded.event.topic()}
        return msgspec.json.encode({**fact, "event": recorded.event}).decode()

    def find_rows(self, wanted: str) -> list[str]:
        """The facts of a stream (a uuid) or at a position (a number), as JSON lines."""
        if wanted.isdigit():
            found = self.read(int(wanted) - 1, 1, int(wanted))
        else:
            found = self.history(UUID(wanted))
        return [self.line_of(recorded) for recorded in found]

    def close(self) -> None:
        """Finish what is queued, then let go of the files."""
        self.writer.close()
        self.snapshots.stop(self.watch.wake)
        self.effects.stop(self.watch.wake)
        with suppress(StoreError):  # else the next start does it
            self.effects.erase()
            self.trust.keep()
        self.vault.close()
        self.log.close()


def _future_of(future: "Future[Receipt]") -> Deliver:
    """A deliverer that completes a future."""

    def deliver(answer: Answer) -> None:
        if isinstance(answer, Receipt):
            future.set_result(answer)
        else:
            future.set_exception(answer)

    return deliver
