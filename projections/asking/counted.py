"""What is over by the time that counts, for queries (`domain.lateness.HeldTime`)."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from domain.lateness import IN_TIME, DueBefore, HeldTime
from domain.rules.base import china_day
from projections.folding.base import when


def over(
    column: Any, held: HeldTime, at: datetime, *, after: timedelta = IN_TIME
) -> ColumnElement[bool]:
    """Whether the moment in ``column``, as `when` writes it, or so long after it, has passed."""
    return or_(*(_moments(column, part, after) for part in held.over(at)))


def day_over(column: Any, held: HeldTime, at: datetime) -> ColumnElement[bool]:
    """Whether the day in ``column``, a day in China, has ended at ``at``."""
    return or_(*(_days(column, part) for part in held.over(at)))


def _moments(column: Any, part: DueBefore, term: timedelta) -> ColumnElement[bool]:
    conditions = [column < when(part.before - term)]
    if part.after is not None:
        conditions.append(column > when(part.after - term))
    if part.through is not None:
        conditions.append(column <= when(part.through - term))
    return and_(*conditions)


def _days(column: Any, part: DueBefore) -> ColumnElement[bool]:
    """A day falls due at its end, the first moment of the next."""
    conditions = [column < china_day(part.before).isoformat()]
    if part.after is not None:
        conditions.append(column >= china_day(part.after).isoformat())
    if part.through is not None:
        conditions.append(column < china_day(part.through).isoformat())
    return and_(*conditions)
