"""Lateness: by how much something came after its due time, or still has not come.

One rule for reports that are owed and passed on, goods, lists, payments and calls for help
(decision 0044): *nobody is late by a clock that was held*. While a machine's clock is held nobody
knows the time, so nothing is counted from a stamp of that time, and what has not come yet is late
by what had passed up to the last good moment.
"""

from datetime import datetime, timedelta

IN_TIME = timedelta(0)
MINUTE = timedelta(minutes=1)


def counted_until(at: datetime, good_until: datetime | None) -> datetime:
    """Up to when lateness may be counted at a time. ``good_until``: the last good moment of a clock
    that is held just now; None: it is not held."""
    return at if good_until is None else min(at, good_until)


def late_by(due_at: datetime, at: datetime, *, clock_held: bool = False) -> timedelta:
    """How long after its due time something is (or came) at ``at``; `IN_TIME` if it is not late.

    ``clock_held``: one of the two times was read from a clock that was held.
    """
    return IN_TIME if clock_held else max(at - due_at, IN_TIME)


def whole_minutes(late: timedelta) -> int:
    """Rounded up: who is a second late is a minute late."""
    return -(-late // MINUTE)
