"""How long an incident may wait for a unit before it is escalated by itself (ADR 0013)."""

from datetime import datetime, timedelta
from typing import Annotated, ClassVar

import msgspec

from domain.rules.base import LEVELS, Level, Problem

Minutes = Annotated[int, msgspec.Meta(ge=1, le=60 * 24)]


class AcknowledgeLimit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """接令: minutes in which a unit acknowledges an incident of this priority."""

    priority: Annotated[int, msgspec.Meta(ge=1, le=4)]
    minutes: Minutes


class Dispatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``acknowledge``: limits by priority, from the triage on; a priority without one may wait.

    ``untriaged_minutes``: the limit from the call on, while there is no priority. ``up_to``: the
    highest level that is put in charge without a person's decision.
    """

    KIND: ClassVar[str] = "dispatch"

    acknowledge: tuple[AcknowledgeLimit, ...]
    up_to: Level
    untriaged_minutes: Minutes | None = None

    def acknowledge_by(self, priority: int, now: datetime) -> datetime | None:
        """When a unit must have acknowledged. ``priority`` 0: not triaged. None: no limit."""
        limits = {limit.priority: limit.minutes for limit in self.acknowledge}
        minutes = limits.get(priority) if priority else self.untriaged_minutes
        return None if minutes is None else now + timedelta(minutes=minutes)

    def reaches(self, level: str) -> bool:
        """Whether an area of this level may be put in charge by itself."""
        return LEVELS.index(level) >= LEVELS.index(self.up_to)

    def problems(self) -> list[Problem]:
        given = [limit.priority for limit in self.acknowledge]
        twice = sorted({priority for priority in given if given.count(priority) > 1})
        return [
            Problem("acknowledge", f"{one} 级重复出现", f"priority {one} occurs more than once")
            for one in twice
        ]
