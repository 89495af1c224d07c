"""Publishes the log on ``relief.events``, at least once, whatever the broker loses.

Its position is its own (decision 0036): frames are sent again from what views still need, events
from what consumers may not have read. How far these have come is not asked: what a consumer has
not read either lies in the topic or was lost, and all that was lost is sent again.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
import structlog

from eventstore.following import HeadWatch
from eventstore.log import Log, recorded_at
from eventstore.sieve import Sieve
from streams.events import EventsTopic, source_of
from streams.led import LOOK_SECONDS, Leadership, Led, LogReplaced
from streams.relayed import Relayed, RelayedRow, Sent

MOST_ROWS = 2_000
"""Read and sent at once: what bounds the memory."""

log = structlog.get_logger("relay")


def kept_from(log: Log, days: float) -> int:
    """The position before the first fact of the last days, counted from the newest fact.

    By halving: facts are stamped in order. One without a readable stamp counts as new.
    """
    head = log.head()
    if not head:
        return 0
    newest = _stamp(log, head)
    if newest is None:
        return 0
    since = newest - timedelta(days=days)
    low, high = 0, head
    while low < high:
        middle = (low + high) // 2
        stamp = _stamp(log, middle + 1)
        if stamp is not None and stamp < since:
            low = middle + 1
        else:
            high = middle
    return low


def _stamp(log: Log, position: int) -> datetime | None:
    ((*_, state),) = log.rows(position - 1, 1)
    try:
        return recorded_at(bytes(state))
    except msgspec.MsgspecError:
        return None


class Publisher(Led):
    """Sends each fact of one log to one topic. ``days``: how long the topic keeps it."""

    name = "events"

    def __init__(
        self,
        log: Log,
        watch: HeadWatch,
        topic: EventsTopic,
        place: RelayedRow,
        leader: Leadership,
        days: float,
        *,
        beat: Callable[[], None] = lambda: None,
        sieve: Sieve | None = None,
    ) -> None:
        """``sieve``: what it holds back is not published."""
        super().__init__(log, topic, leader, beat)
        self._watch, self._topic, self._place = watch, topic, place
        self._days, self._sieve = days, sieve
        self._source = ""
        self._newest: dict[int, Sent] = {}
        self._looked_into: dict[int, int] | None = None
        """Ends that seemed too low, and behind which all was found nevertheless."""
        self.events = 0
        self.resent = 0
        """How often the broker was found to have lost what it had."""

    def _sent(self) -> int:
        return self.events

    def behind(self) -> int:
        """Facts of the log that are not sent yet. Raises a `StoreError`."""
        return max(0, self._log.head() - self.position)

    # -- beginning ----------------------------------------------------------------------------

    def begin(self) -> None:
        self._epoch = self._leader.epoch
        self._lineage, self._source = self._log.lineage(), source_of(self._log)
        stored = self._place.take(self._epoch)
        self.position, self._newest = stored.position, dict(stored.sent)
        self._topic_id = self._topic.open()
        self._looked_into = None
        if stored.topic_id not in ("", self._topic_id):
            self._lost(self._kept_from())
        elif not stored.topic_id or stored.lineage != self._lineage:
            self._begin_at(kept_from(self._log, self._days))
        elif self.position > self._log.head():
            self._begin_at(self._log.head())
        else:
            self._look_for_loss()
        self._next_look = time.monotonic() + LOOK_SECONDS
        self.leading = True
        self._well()

    def _begin_at(self, position: int) -> None:
        self.position, self._newest = position, {}
        self._store()

    def _lost(self, position: int) -> None:
        """The broker lost what comes after this position: it is sent again."""
        self.resent += 1
        self._begin_at(min(position, self._log.head()))
        log.warning("the broker lost events: sending again", position=self.position)

    def _kept_from(self) -> int:
        """Where a topic that has lost all begins anew: what it would still hold."""
        return min(self.position, kept_from(self._log, self._days))

    # -- looking ------------------------------------------------------------------------------

    def _look_for_loss(self) -> None:
        """A partition that ends too early is read: it has lost its newest facts only if they are
        not there. Some brokers tell an end too low."""
        ends = self._topic.ends()
        low = {n: end for n, end in ends.items() if end <= self._offset(n)}
        if not low or low == self._looked_into:
            return
        newest = self._topic.newest(low)
        gone = [at for n, at in newest.items() if at < self._newest[n].position]
        if gone:
            self._lost(min(gone) or self._kept_from())
        else:
            self._looked_into = low

    def _offset(self, partition: int) -> int:
        found = self._newest.get(partition)
        return -1 if found is None else found.offset

    # -- sending ------------------------------------------------------------------------------

    def step(self) -> None:
        self._beat()
        self._look()
        self._watch.wait(self.position, max(0.0, self._next_look - time.monotonic()))
        rows = self._log.rows(self.position, MOST_ROWS)
        if not rows:
            return
        if self._log.lineage() != self._lineage:  # asked after reading: they may be of the next
            raise LogReplaced
        sealed = rows if self._sieve is None else self._sieve.sealed(rows)
        sent = self._topic.send(self._source, sealed, self._going_on)
        if any(-1 < at.offset <= self._offset(n) for n, at in sent.items()):
            self._lost(self._kept_from())
            return
        self._newest |= sent
        self.position = rows[-1][0]
        self._store()
        self.events += len(rows)
        self._well()

    def _store(self) -> None:
        relayed = Relayed(self.position, self._topic_id, self._newest, self._lineage)
        self._place.store(self._epoch, relayed)
