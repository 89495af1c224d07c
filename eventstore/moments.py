"""Which fact was the last one at a moment, for times of facts never go back; who made a fact."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

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


class By(msgspec.Struct):
    """Who made a fact, in which role, by which command, and when it was recorded."""

    actor: UUID
    role: str
    recorded_at: datetime
    command: UUID


class _Fact(msgspec.Struct):
    meta: By


_by = msgspec.json.Decoder(_Fact).decode
AT_ONCE = 500


def makers(log: Log, positions: Sequence[int]) -> dict[int, By]:
    """By position who made these facts; without those that cannot be read."""
    found: dict[int, By] = {}
    for start in range(0, len(positions), AT_ONCE):
        some = positions[start : start + AT_ONCE]
        marks = ",".join("?" * len(some))
        sql = f"SELECT position, state FROM events WHERE position IN ({marks})"  # noqa: S608
        for position, state in log.fetch(sql, some):
            try:
                found[position] = _by(bytes(state)).meta
            except (msgspec.DecodeError, msgspec.ValidationError):  # a fact that is parked
                continue
    return found
