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


class Fit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Kinds of units for a kind of incident, the fittest first; others may be sent as well."""

    incident: str
    units: tuple[str, ...]


USUAL = (
    Fit("trapped", ("fire_rescue", "boat_team", "militia", "volunteers", "village_team")),
    Fit("missing", ("fire_rescue", "militia", "volunteers", "village_team", "boat_team")),
    Fit("injured", ("medical", "fire_rescue", "village_team")),
    Fit("collapse", ("fire_rescue", "militia", "medical", "volunteers")),
    Fit("landslide", ("fire_rescue", "militia", "road_crew", "village_team")),
    Fit("flooding", ("boat_team", "fire_rescue", "militia", "village_team")),
    Fit("road_cut", ("road_crew", "militia", "village_team")),
    Fit("power_cut", ("power_crew",)),
    Fit("fire", ("fire_rescue", "militia", "village_team")),
    Fit("shortage", ("militia", "volunteers", "village_team")),
)
"""Who is offered first where the rulebook says nothing else."""


class Dispatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``acknowledge``: limits by priority, from the triage on; a priority without one may wait.

    ``untriaged_minutes``: the limit from the call on, while there is no priority. ``up_to``: the
    highest level that is put in charge without a person's decision. ``fit``: which units are
    offered first for which kind of incident.
    """

    KIND: ClassVar[str] = "dispatch"

    acknowledge: tuple[AcknowledgeLimit, ...]
    up_to: Level
    untriaged_minutes: Minutes | None = None
    fit: tuple[Fit, ...] = USUAL

    def acknowledge_by(self, priority: int, now: datetime) -> datetime | None:
        """When a unit must have acknowledged. ``priority`` 0: not triaged. None: no limit."""
        limits = {limit.priority: limit.minutes for limit in self.acknowledge}
        minutes = limits.get(priority) if priority else self.untriaged_minutes
        return None if minutes is None else now + timedelta(minutes=minutes)

    def fitness(self, incident: str, unit: str) -> int:
        """0 for the kind of unit that fits best, higher for others."""
        units = next((one.units for one in self.fit if one.incident == incident), ())
        return units.index(unit) if unit in units else len(units)

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
