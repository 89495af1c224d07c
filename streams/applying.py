"""From frames to views: in order, without gaps, and again until the databases let it pass.

Several threads may work here, each on other partitions than the others. A frame is only a copy of
the log. Facts between the views' position and the first of a frame are read from the log. So are
the facts of a frame that cannot be decoded, that the relay of this log has not sealed, or that goes
beyond the log's head. Once a second each thread looks whether log and views still belong together.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from threading import get_ident

import psycopg
import structlog

from eventstore.errors import StoreError
from eventstore.log import Log, Row
from eventstore.sieve import Sieve
from eventstore.sql import explain
from projections.folding.engine import Gap, ViewsDatabase
from projections.folding.lineage import UNKNOWN, belong
from projections.folding.parking import dropped_in
from streams.frames import Frame, FrameUndecodable, Router, decode
from streams.metrics import FETCHED, FOLD_SECONDS, FOLDED, GAPS, UNDECODABLE
from streams.sealing import Seal, seal_of

log = structlog.get_logger("worker")

PAGE = 2_000
MOST_ROWS_TOGETHER = 4_000
"""At most so many rows in one transaction: others wait for its locks."""
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0
LOOK_SECONDS = 1.0
"""Between two looks whether the log is still the one whose facts the views hold."""


@dataclass(frozen=True, slots=True)
class Message:
    """A frame as it came, not decoded yet."""

    value: bytes
    headers: Sequence[tuple[str, bytes]]

    def last(self) -> int | None:
        """The last position that the header names, if it does."""
        given = dict(self.headers).get("last", b"")
        return int(given) if given.isdigit() else None


@dataclass(slots=True)
class Run:
    """All rows that a partition has after ``previous`` and up to ``last``, in that log."""

    previous: int
    last: int
    rows: list[Row]
    lineage: str


@dataclass(frozen=True, slots=True)
class Unread:
    """A frame that is not believed. ``last``: up to where its facts go, if its header tells."""

    last: int | None


class LogBehind(StoreError):
    """The log is shorter than a frame of it says: it was probably replaced by an older copy, which
    the next look (`Applying._same_log`) finds out."""

    zh = "账本比刚才短：可能刚恢复到较早的备份，正在重新核对"
    en = "The log is shorter than it was: an older backup may have been restored. Looking again."
    retry_after = 1


class GivenUp(Exception):
    """The process is told to stop while it waits for a database: it acknowledges nothing."""


class Applying:
    """What a worker does with its frames, and how it waits."""

    def __init__(
        self,
        source: Log,
        views: ViewsDatabase,
        router: Router,
        beside: Sequence[ViewsDatabase] = (),
        clock: Callable[[], float] = time.monotonic,
        sieve: Sieve | None = None,
    ) -> None:
        """``beside``: the same views on other connections, so that as many more threads do not
        wait for each other. ``clock``: seconds that never go back. ``sieve``: what of the log it
        holds back is not folded."""
        self._clock = clock
        self._log = source
        self._databases = cycle([views, *beside])
        self._own = threading.local()
        self._router, self._sieve = router, sieve
        self._given_up = threading.Event()
        self._since: dict[int, float] = {}
        """By thread: when it last finished a step. Who waits for a database is left out."""
        self._troubles: dict[int, StoreError] = {}
        self.positions: dict[int, int] = {}
        """By partition, the position up to which this process has seen the views folded."""
        self.head = 0
        """The newest position that it has heard of."""
        self._log_head = 0
        """The log's head when somebody last asked for it, since the last look."""

    # -- for the worker -----------------------------------------------------------------------

    def apply(self, partition: int, messages: Sequence[Message]) -> None:
        """Apply frames of one partition, as they came. Returns when the views have them all."""
        self._until_it_passes(self._same_log)
        for run in runs(partition, messages, self._own.seal):
            known = self.positions.get(partition, 0)
            if isinstance(run, Run) and run.rows and run.last <= known:
                continue  # applied already; were the views set back, the next watermark shows it
            self._until_it_passes(partial(self._apply, partition, run))

    def catch_up(self, partitions: Sequence[int]) -> None:
        """Bring partitions on to the log's head, from the log."""
        self._until_it_passes(partial(self._catch_up, partitions))

    def give_up(self) -> None:
        """Let all threads stop that wait for a database."""
        self._given_up.set()

    def gave_up_within(self, seconds: float) -> bool:
        """Wait so long; True as soon as `give_up` has been called."""
        return self._given_up.wait(seconds)

    def stuck_seconds(self) -> float:
        """Seconds since the slowest thread finished a step; but for waiting for a database."""
        since = min(self._since.copy().values(), default=None)
        return self._clock() - since if since is not None else 0.0

    @property
    def trouble(self) -> StoreError | None:
        """The trouble that some thread is waiting to pass, or None."""
        return next(iter(self._troubles.copy().values()), None)

    @property
    def _views(self) -> ViewsDatabase:
        """This thread's."""
        own = self._own
        if not hasattr(own, "views"):
            own.views = next(self._databases)
        views: ViewsDatabase = own.views
        return views

    # -- the log and its views ----------------------------------------------------------------

    def _same_log(self) -> None:
        """Once a second: this thread's views are of the log as it is now, else they begin anew."""
        own, now = self._own, self._clock()
        if now < getattr(own, "look_at", now):
            return
        views, self._log_head = self._views, 0
        before = views.lineage
        anew = belong(views, self._log)
        if anew or before != views.lineage:
            self.positions.clear()
            if before != UNKNOWN:
                views.dropped = dropped_in(self._log.source, views.views)
        seal = seal_of(self._log, None if self._sieve is None else self._sieve.key)
        own.seal = seal if seal is not None and seal.lineage == views.lineage else None
        own.look_at = now + LOOK_SECONDS

    def _believed(self, run: Run | Unread) -> bool:
        """Whether a frame's facts may be folded: of the log of these views, within its head."""
        if isinstance(run, Unread) or run.lineage != self._views.lineage:
            return False
        if run.last > self._log_head:
            self._log_head = self._log.head()
        return run.last <= self._log_head

    # -- one pass -----------------------------------------------------------------------------

    def _apply(self, partition: int, run: Run | Unread) -> None:
        if isinstance(run, Unread) or not self._believed(run):
            stored = self._views.position(partition)
            head = self._log.head()  # a header that nobody can check may name anything
            self._fetch([partition], stored, head if run.last is None else min(run.last, head))
            return
        gap = self._send(partition, run.previous, run.last, run.rows)
        while gap is not None:
            log.info("worker.gap", partition=partition, after=gap.after, upto=gap.upto)
            GAPS.inc()
            self._fetch([partition], gap.after, gap.upto)
            gap = self._send(partition, run.previous, run.last, run.rows)

    def _send(self, partition: int, previous: int, last: int, rows: Sequence[Row]) -> Gap | None:
        began = self._clock()
        answer = self._views.apply_frame(partition, previous, last, rows)
        self._since[get_ident()] = ended = self._clock()
        if isinstance(answer, Gap):
            return answer
        if rows:
            known = self.positions.get(partition, 0)
            FOLDED.inc(sum(known < row[0] for row in rows))
            FOLD_SECONDS.observe(ended - began)
        self.positions[partition] = answer.position
        self.head = max(self.head, answer.position)
        return None

    def _catch_up(self, partitions: Sequence[int]) -> None:
        head = self.head = self._log.head()
        stored = {p: self._views.position(p) for p in partitions}
        behind = [p for p, position in stored.items() if position < head]
        if behind:
            self._fetch(behind, min(stored[p] for p in behind), head)

    def _fetch(self, partitions: Sequence[int], after: int, upto: int) -> None:
        """Apply what the log has of some partitions after a position that all of them have.

        Raises `LogBehind` when it does not reach so far: facts may yet come at those positions.
        """
        if upto > (head := self._log.head()):
            raise LogBehind(f"frame {upto}, log {head}")
        while after < upto:
            if self._given_up.is_set():
                raise GivenUp
            rows = self._log.rows(after, PAGE, upto)
            last = rows[-1][0] if len(rows) == PAGE else upto
            FETCHED.inc(len(rows))
            sealed = rows if self._sieve is None else self._sieve.sealed(rows)
            parts: dict[int, list[Row]] = {partition: [] for partition in partitions}
            for row in sealed:
                part = parts.get(self._router.partition_of(row))
                if part is not None:
                    part.append(row)
            for partition, part in parts.items():
                self._send(partition, after, last, part)
            after = last

    # -- trouble ------------------------------------------------------------------------------

    def _until_it_passes(self, work: Callable[[], None]) -> None:
        """Run it; again, with longer and longer pauses, while a database is away or full."""
        pause = FIRST_PAUSE_SECONDS
        me = get_ident()
        try:
            while True:
                self._since[me] = self._clock()
                try:
                    self._same_log()
                    work()
                except (StoreError, psycopg.Error) as problem:
                    named = explain(problem) if isinstance(problem, psycopg.Error) else problem
                    if named.retry_after is None:
                        raise named from problem
                    self._own.look_at = self._clock()  # another server may answer the next time
                    if self.trouble is None:
                        log.warning("worker.waits", why=str(named))
                    self._troubles[me] = named
                else:
                    self._troubles.pop(me, None)
                    return
                self._since.pop(me, None)
                if self._given_up.wait(pause):
                    raise GivenUp
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        finally:
            self._since.pop(me, None)


def runs(partition: int, messages: Sequence[Message], seal: Seal | None) -> Iterator[Run | Unread]:
    """Frames of one partition joined as far as they follow each other; repeats fall away.

    Frames without this ``seal`` are not believed. While the log has no seal (None), no frame is.
    """
    run: Run | None = None
    for message in messages:
        frame = None if seal is None else _believable(partition, message, seal)
        if seal is None or frame is None:
            if run is not None:
                yield run
            run = None
            yield Unread(message.last())
            continue
        follows = run is not None and run.previous <= frame.previous <= run.last
        if run is not None and follows and len(run.rows) < MOST_ROWS_TOGETHER:
            run.rows += [row for row in frame.rows if row[0] > run.last]
            run.last = max(run.last, frame.last)
            continue
        if run is not None:
            yield run
        run = Run(frame.previous, frame.last, list(frame.rows), seal.lineage)
    if run is not None:
        yield run


def _believable(partition: int, message: Message, seal: Seal) -> Frame | None:
    """The frame, if it is one of this log and partition."""
    try:
        if not seal.holds(message.value, dict(message.headers)):
            raise FrameUndecodable("not sealed by the relay of this log as it is now")
        frame = decode(message.value, message.headers)
        if frame.partition != partition:
            raise FrameUndecodable(f"of partition {frame.partition} in partition {partition}")
    except FrameUndecodable as problem:
        log.warning("worker.undecodable", partition=partition, why=str(problem))
        UNDECODABLE.inc()
        return None
    return frame
