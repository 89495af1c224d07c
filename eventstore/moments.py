"""Which fact of the log was the last one at a moment: times of facts never go back."""

from datetime import datetime

import msgspec

from eventstore.log import Log, recorded_at

FROM = "SELECT position, state FROM events WHERE position >= ? ORDER BY position LIMIT 1"


def recorded(log: Log, position: int) -> datetime | None:
    """When the fact at a position was recorded, or the next one that can be read; None beyond
    the last one."""
    while rows := log.fetch(FROM, (position,)):
        found, state = rows[0]
        try:
            return recorded_at(bytes(state))
        except (msgspec.DecodeError, msgspec.ValidationError):  # a fact that is parked
            position = found + 1
    return None


def position_at(log: Log, moment: datetime) -> int:
    """The position of the last fact recorded at or before a moment; 0 if there is none."""
    known, beyond = 0, log.head() + 1
    while beyond - known > 1:
        middle = (known + beyond) // 2
        at = recorded(log, middle)
        if at is not None and at <= moment:
            known = middle
        else:
            beyond = middle
    return known
