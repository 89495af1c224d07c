"""The look-up of things a command names besides its own subject: it always asks jurisdiction.

`domain.access` decides by the subject's area alone. What else a command names by id (a disaster,
a fund, a report, a household) is looked up here: out of reach it is `NotFound`, the same as if it
did not exist, so that nobody learns of another county's things, nor mixes them with their own.
"""

from typing import TypeVar
from uuid import UUID

from domain.base import Aggregate
from domain.refusal import NotFound
from domain.world import World

A = TypeVar("A", bound=Aggregate)


def within(world: World, kind: type[A], id: UUID) -> A:
    """The thing, if it lies in the actor's area or below. Else `NotFound`."""
    found = world.get(kind, id)
    if not in_reach(world, found.home):
        raise NotFound(kind=kind.__name__, id=id)
    return found


def seen(world: World, kind: type[A], id: UUID) -> A:
    """The same, or set for an area above the actor's (a disaster, a season). Else `NotFound`."""
    found = world.get(kind, id)
    if not in_sight(world, found.home):
        raise NotFound(kind=kind.__name__, id=id)
    return found


def in_sight(world: World, area: UUID) -> bool:
    """Whether what is set for that area is the actor's to see: it is in reach, or lies above."""
    own = world.actor.area
    return in_reach(world, area) or (own is not None and area in world.lineage(own))


def in_reach(world: World, area: UUID) -> bool:
    """Whether the actor's post reaches that area. The system reaches everything."""
    return world.actor.area is None or world.actor.area in world.lineage(area)
