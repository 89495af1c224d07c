"""The aggregates a writer decides on: loaded once, kept up to date, put back after a refusal."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from domain.base import EPOCH, Aggregate
from eventstore.deciding import Memo
from eventstore.errors import StoreError, StreamForged
from eventstore.log import CAUGHT_UP, NEWEST, Log, News, Piece, Row, recorded_at
from eventstore.mapper import TypedMapper
from eventstore.snapshots import Snapshots
from eventstore.sql import DATABASE_ERRORS, explain
from eventstore.trust import Trust

CACHE_SIZE = 20_000
LATEST = "SELECT position, state FROM events ORDER BY position DESC LIMIT ?"
SELDOM = ("Area.", "Rulebook.")
"""Facts of these aggregates change what a `Memo` remembers of rulebooks."""


class LogUnreadable(Exception):
    """Reading the log failed under the order lock: its transaction cannot be relied on."""

    def __init__(self, named: StoreError) -> None:
        super().__init__(str(named))
        self.named = named


class AggregateCache:
    """Aggregates as of position ``head`` of the log. Used under the order lock only.

    None in place of an aggregate says that its stream has not begun, which is worth knowing too.
    ``newest`` is the fact at ``head`` as it was stored (None: not known by this process) and
    ``last`` when it was recorded; ``head`` is -1 while it is not known.
    """

    def __init__(self, log: Log, mapper: TypedMapper, snapshots: Snapshots, trust: Trust) -> None:
        self.log, self.mapper, self.snapshots, self.trust = log, mapper, snapshots, trust
        self.memo = Memo()
        self.head, self.last = -1, EPOCH
        self.newest: tuple[bytes, bytes] | None = None
        self.kept: OrderedDict[UUID, Aggregate | None] = OrderedDict()

    # -- loading ------------------------------------------------------------------------------

    @cached_property
    def born(self) -> str:
        """The birth mark of the store, which never changes."""
        return self.log.mark("born") or ""

    def get(self, kind: type[Any], stream: UUID) -> Aggregate | None:
        """The aggregate of a stream, of whatever kind it is; None if the stream has not begun."""
        del kind
        if stream in self.kept:
            self.kept.move_to_end(stream)
            return self.kept[stream]
        aggregate = self.kept[stream] = self.load(stream)
        return aggregate

    def load(self, stream: UUID) -> Aggregate | None:
        """The aggregate as stored: from its snapshot if that counts, else from its first fact on.

        Raises `StreamForged` where somebody else than the program has put a fact into it that
        nobody has disowned, and `LogUnreadable`.
        """
        if (at := self.trust.forged_in(stream)) is not None:
            raise StreamForged(str(at))
        return self.snapshots.loaded(stream, self._pieces)

    def _pieces(self, stream: UUID, program: bytes) -> list[Piece]:
        try:
            return self.log.pieces([stream.bytes], program, self.log.writer)
        except DATABASE_ERRORS as problem:
            raise LogUnreadable(explain(problem)) from problem

    def begins_after(self, stream: UUID) -> int:
        """The highest version at which something stands that is no fact, in a stream that has not
        begun; 0 as a rule."""
        return max(self.trust.passed_over(stream), default=0)

    def missing(self, streams: Iterable[UUID]) -> list[UUID]:
        """Those of these streams that are not in the cache."""
        return [stream for stream in streams if stream not in self.kept]

    def read_ahead(self, asked: Sequence[bytes], pieces: Sequence[Piece]) -> None:
        """Take over streams that were read with the order lock.

        One that cannot be rebuilt is left out: whoever loads it finds another way, or fails alone.
        """
        of_each: dict[bytes, list[Piece]] = {stream: [] for stream in asked}
        for piece in pieces:
            of_each[piece[0]].append(piece)
        for stream, its in of_each.items():
            id = UUID(bytes=stream)
            with suppress(Exception):
                if self.trust.forged_in(id) is None:
                    self.kept[id] = self.snapshots.rebuilt(its)

    # -- keeping up with the log --------------------------------------------------------------

    def catch_up(self, news: Sequence[News]) -> None:
        """Apply what other processes have written since ``head``; see `Seen` for ``news``.

        All is forgotten where the log does not go on from the very fact that stood at ``head``:
        it was restored, or a stand-by that lost its end was promoted, and others may have written
        past this head since. The position alone would not tell.
        """
        known = self.head
        if news:
            self.trust.look(news[-1][0])
        follows = known == 0 or (known > 0 and bool(news) and self._stands(news[0]))
        fresh = news if known <= 0 else news[1:]
        if not follows or len(fresh) > CAUGHT_UP:  # the log may have been put back
            self.kept.clear()
            self.memo.forget()
            newest = news if known < 0 else self.log.writer.execute(NEWEST).fetchall()
            if known > 0:
                self.trust.begins_anew(newest[-1][0] if newest else 0)
            if newest:
                self.trust.look(newest[-1][0])
            self.head, self.last, self.newest = 0, EPOCH, None
        else:
            newest = fresh
            for position, stream, topic, state in fresh:
                self._apply(position, UUID(bytes=stream), topic, state)
        if newest:
            self.head, stream, _, state = newest[-1]
            self.last, self.newest = self._last(newest), (stream, state)

    def _stands(self, fact: News) -> bool:
        """Whether this is the fact at ``head``."""
        position, stream, _, state = fact
        return position == self.head and self.newest == (stream, state)

    def _last(self, newest: Sequence[News]) -> datetime:
        """When the newest fact that counts was recorded: one that was forged may say any time."""
        counts = self.trust.counts
        for position, _, _, state in reversed(newest):
            if counts(position):
                return max(self.last, recorded_at(state))
        none = len(self.trust.forged) + len(self.trust.disowned)
        for position, state in self.log.writer.execute(LATEST, (none + 1,)):
            if counts(position):
                return max(self.last, recorded_at(state))
        return self.last

    def _apply(self, position: int, stream: UUID, topic: str, state: bytes) -> None:
        if not self.trust.counts(position):
            self.kept.pop(stream, None)
            return
        if topic.startswith(SELDOM):
            self.memo.forget()
        known = self.kept.pop(stream, None)
        if known is not None and self.mapper.class_of(topic) is not None:
            self.kept[stream] = self.mapper.decode(topic, state).mutate(known)

    # -- deciding -----------------------------------------------------------------------------

    def keep(self, changed: Iterable[Aggregate]) -> None:
        """A command was accepted: its aggregates are from now on as it left them."""
        for aggregate in changed:
            aggregate.settle()
            self.kept[aggregate.id] = aggregate

    def revert(self, touched: Iterable[Aggregate]) -> None:
        """A command was refused or failed: put back what it had begun to change.

        An aggregate that the command itself began was never kept, and needs nothing.
        """
        for aggregate in touched:
            before = aggregate.before
            if before is not None:
                self.kept[aggregate.id] = before

    # -- between batches ----------------------------------------------------------------------

    def committed(self, rows: Sequence[Row], head: int, last: datetime) -> None:
        """The batch of these rows is durable: it ended at ``head``, recorded at ``last``."""
        self.head, self.last = head, last
        if rows:
            _, stream, _, _, state = rows[-1]
            self.newest = stream, state
        while len(self.kept) > CACHE_SIZE:
            self.kept.popitem(last=False)

    def forget(self) -> None:
        """Begin anew: what was decided was not saved, or nobody knows whether it was."""
        self.kept.clear()
        self.memo = Memo()
        self.head, self.newest = -1, None
