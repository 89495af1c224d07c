"""Lateness: by how much something came after its due time, or still has not come.

One rule for reports that are owed and passed on, goods, lists, payments, calls for help and all
that runs out or happens by time alone (decisions 0044, 0057): *nobody is late by a clock that was
held*. While a machine's clock is held nobody knows the time: nothing is counted from a stamp of
that time, and nothing falls due that was not due at the last good moment. When the clock goes
again, the time it was held for is left out of every count.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

IN_TIME = timedelta(0)
MINUTE = timedelta(minutes=1)


class HeldSpan(msgspec.Struct, frozen=True, order=True):
    """Time that does not count: from a clock's last good moment until it went again."""

    good: datetime
    until: datetime

    @property
    def length(self) -> timedelta:
        return self.until - self.good


def joined(spans: Iterable[HeldSpan]) -> tuple[HeldSpan, ...]:
    """In order of time and in whole milliseconds, as views keep moments; those that overlap (of
    several machines) as one, empty ones left out."""
    found: list[HeldSpan] = []
    for one in sorted(HeldSpan(_whole(one.good), _whole(one.until)) for one in spans):
        if one.length <= IN_TIME:
            continue
        if found and one.good <= found[-1].until:
            found[-1] = HeldSpan(found[-1].good, max(found[-1].until, one.until))
        else:
            found.append(one)
    return tuple(found)


def _whole(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


@dataclass(frozen=True, slots=True)
class DueBefore:
    """What was due after one moment up to another (None: no bound) and before a third is over."""

    after: datetime | None
    through: datetime | None
    before: datetime


@dataclass(frozen=True, slots=True)
class HeldTime:
    """The time that does not count.

    ``good_until``: the last good moment of a clock that is held just now; None: it is not held.
    ``spans``: when clocks were held before, as `joined` answers them.
    """

    good_until: datetime | None = None
    spans: tuple[HeldSpan, ...] = ()

    def counted_until(self, at: datetime) -> datetime:
        """Up to when time counts at a moment: within a span no further than its beginning."""
        stops = [one.good for one in self.spans if one.good <= at < one.until]
        if self.good_until is not None:
            stops.append(_whole(self.good_until))
        return min([at, *stops])

    def left(self, due_at: datetime, at: datetime) -> timedelta:
        """How much of a term is left at a moment; negative: it has been over for so long.

        A span that ended after the due time is added to the term: what would have run out while
        the clock was held has, afterwards, as long to go as when the clock was last right.
        """
        ended = (one for one in self.spans if due_at <= one.until <= at)
        held_for = sum((one.length for one in ended), IN_TIME)
        return due_at + held_for - self.counted_until(at)

    def late_by(self, due_at: datetime, at: datetime) -> timedelta:
        """How long after its due time something is (or came) at ``at``; `IN_TIME` if not late."""
        return max(-self.left(due_at, at), IN_TIME)

    def over(self, at: datetime) -> tuple[DueBefore, ...]:
        """For queries: of which due times nothing is left at a moment, one part for each span."""
        stop = self.counted_until(at)
        ended = [one for one in self.spans if one.until <= at]
        bounds = [None, *(one.until for one in ended)]
        found = []
        for number, after in enumerate(bounds):
            held_for = sum((one.length for one in ended[number:]), IN_TIME)
            through = ended[number].until if number < len(ended) else None
            found.append(DueBefore(after, through, stop - held_for))
        return tuple(found)

    def left_out(self, due_at: datetime, at: datetime) -> bool:
        """Whether something that is asked for day by day is not asked for: that day, as known at
        ``at``, lies in time that does not count."""
        return any(one.good < due_at <= one.until <= at for one in self.spans)


NEVER_HELD = HeldTime()


@dataclass(frozen=True, slots=True)
class Counting:
    """A moment with the time that does not count up to it, for whoever decides what has run out."""

    at: datetime
    held: HeldTime = NEVER_HELD

    def left(self, due_at: datetime) -> timedelta:
        """As `HeldTime.left`."""
        return self.held.left(due_at, self.at)


def whole_minutes(late: timedelta) -> int:
    """Rounded up: who is a second late is a minute late."""
    return -(-late // MINUTE)
