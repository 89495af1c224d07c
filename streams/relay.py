"""The relay: copies the log, in order, onto the bus. One leads, the others stand by.

What it has relayed is stored after the broker has confirmed it, so a crash repeats at most the
last batch. Whatever goes wrong, it begins again at what is stored: the log and its readers do not
wait for it. A broker that lost what it had (another topic id, or offsets behind ours) is sent
everything again that a worker may still need.
"""

import time
from collections.abc import Callable, Mapping

import structlog

from eventstore.following import HeadWatch
from eventstore.log import Log
from eventstore.sieve import Sieve
from streams.bus import Bus
from streams.frames import Framer, Router
from streams.led import LOOK_SECONDS, Leadership, Led, LogReplaced
from streams.relayed import Relayed, RelayedRow, Sent
from streams.sealing import FramesUnsealed, seal_of

MOST_ROWS = 2_000
"""Read and sent at once: what bounds the memory."""
FULL_ROWS = 500
FILL_SECONDS = 0.005
WATERMARK_SECONDS = 1.0
MOVED_SECONDS = 0.15
"""Between two rounds of watermarks while the head moves."""

log = structlog.get_logger("relay")


class Relay(Led):
    """Copies one log onto one bus. ``lowest`` says how far the slowest view has come."""

    name = "relay"

    def __init__(
        self,
        log: Log,
        watch: HeadWatch,
        bus: Bus,
        place: RelayedRow,
        leader: Leadership,
        router: Router,
        lowest: Callable[[], int],
        *,
        beat: Callable[[], None] = lambda: None,
        sieve: Sieve | None = None,
    ) -> None:
        """``sieve``: what it holds back is not relayed."""
        super().__init__(log, bus, leader, beat)
        self.sieve, self._key = sieve, None if sieve is None else sieve.key
        self._watch, self._bus, self._place = watch, bus, place
        self._router, self._lowest = router, lowest
        self._framer = Framer(router, {})
        self._offsets: dict[int, int] = {}
        self._next_watermark = 0.0
        self._unmarked = False
        self.events = 0
        self.frames = 0
        self.watermarks = 0
        self.resent_from_lowest = 0
        """How often the broker was found to have lost what it had."""

    def _sent(self) -> int:
        return self.frames + self.watermarks

    # -- beginning ----------------------------------------------------------------------------

    def begin(self) -> None:
        """Take over what is stored and connect. Raises `Fenced`, `StoreError`, `BusTrouble`."""
        self._epoch = self._leader.epoch
        self._key = None if self.sieve is None else self.sieve.key
        seal = self._bus.seal = seal_of(self._log, self._key)
        if seal is None:
            raise FramesUnsealed
        self._lineage = seal.lineage
        stored = self._place.take(self._epoch)
        self._topic_id = self._bus.open()
        self.position = stored.position
        self._offsets = {n: sent.offset for n, sent in stored.sent.items()}
        self._framer = Framer(self._router, {n: s.position for n, s in stored.sent.items()})
        self._next_watermark = 0.0
        self._unmarked = True
        self._next_look = time.monotonic() + LOOK_SECONDS
        if stored.topic_id not in ("", self._topic_id) or self._behind(self._bus.ends()):
            self._begin_again()
        elif not stored.topic_id:
            self._begin_at(min(self._log.head(), self._lowest()))
        elif stored.lineage not in ("", self._lineage) or stored.position > self._log.head():
            log.warning("the log is another one: sending again", lineage=self._lineage)
            self._begin_at(min(self._log.head(), self._lowest()))
        self.leading = True

    def _behind(self, ends: Mapping[int, int]) -> bool:
        """Whether the broker has less than it once confirmed."""
        return any(end <= self._offsets.get(n, -1) for n, end in ends.items())

    def _begin_again(self) -> None:
        """The broker has lost what it had: send again what a worker may still need."""
        self.resent_from_lowest += 1
        self._begin_at(min(self.position, self._log.head(), self._lowest()))
        log.warning("the broker is empty: sending again", position=self.position)

    def _begin_at(self, position: int) -> None:
        self.position = position
        self._offsets = {}
        self._framer = Framer(self._router, dict.fromkeys(range(self._router.partitions), position))
        self._unmarked = True
        self._store()

    def _look_for_loss(self) -> None:
        if self._behind(self._bus.ends()):
            self._begin_again()

    # -- sending ------------------------------------------------------------------------------

    def step(self) -> None:
        """Wait until something is to be sent, and send it."""
        self._beat()
        self._look()
        self._wait()
        rows = self._log.rows(self.position, MOST_ROWS)
        if self.sieve is not None and self.sieve.key != self._key:
            raise LogReplaced  # frames are sealed otherwise from now on
        sealed = rows if self.sieve is None else self.sieve.sealed(rows)
        frames = self._framer.cut(sealed)
        upto = rows[-1][0] if rows else self.position
        self._unmarked = self._unmarked or bool(rows)
        due = time.monotonic() >= self._watermark_at()
        marks = self._framer.watermarks(upto) if due else []
        if not rows and not marks:
            return
        offsets = self._bus.send([*frames, *marks], self._going_on)
        lost = any(-1 < at <= self._offsets.get(n, -1) for n, at in offsets.items())
        if lost:
            self._begin_again()
            return
        self._offsets |= offsets
        self.position = upto
        if rows:
            self._store()
        self._count(len(rows), len(frames), len(marks))
        self._well()

    def _count(self, events: int, frames: int, marks: int) -> None:
        self.events += events
        self.frames += frames
        self.watermarks += marks
        if marks:
            self._next_watermark = time.monotonic() + MOVED_SECONDS
            self._unmarked = False

    def _watermark_at(self) -> float:
        idle = 0.0 if self._unmarked else WATERMARK_SECONDS - MOVED_SECONDS
        return self._next_watermark + idle

    def _wait(self) -> None:
        """Until there are rows, or the next watermark or look is due; then let a frame fill."""
        due = min(self._watermark_at(), self._next_look)
        head = self._watch.wait(self.position, max(0.0, due - time.monotonic()))
        if 0 < head - self.position < FULL_ROWS:
            self._stop.wait(FILL_SECONDS)

    def _store(self) -> None:
        sent = {n: Sent(at, self._offsets.get(n, -1)) for n, at in self._framer.sent.items()}
        self._place.store(self._epoch, Relayed(self.position, self._topic_id, sent, self._lineage))
