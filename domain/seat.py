"""The seat of the store: the highest area with somebody in post who does something there.

Here is the rule, and how commands ask for the seat; `eventstore.lineage` finds by the same rule
that of a store which has not recorded its own.
"""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from domain.area import RANK, Area
from domain.posts import Appointment
from domain.store import Store
from domain.world import Role, World


def makes_seat(post: Appointment, day: date) -> bool:
    """Whether the post counts on that day. An auditor from above only looks: reports that waited
    for somebody at the auditor's level would wait for ever."""
    return post.role is not Role.AUDITOR and post.covers(day)


def highest(areas: Iterable[Area]) -> Area | None:
    """The area that is the seat when somebody is in post in each of these."""
    return min(areas, key=lambda area: (RANK[area.level], area.code), default=None)


def seat_of(world: World) -> UUID | None:
    """The seat; None in a store that has not recorded its own."""
    store = world.look(Store, Store.id_of(world.born)) if world.born else None
    return None if store is None else store.seat


def keeper_of(area: UUID, parent: UUID | None, seat: UUID | None) -> UUID:
    """Where the posts lie that keep an area's name and code: above it. Above the store's seat, and
    above a root, nobody is in post: those of the area itself keep its own.

    ``seat`` as `seat_of` has it: in a store that has not recorded its own, None.
    """
    return area if parent is None or area == seat else parent


def move_seat_up(world: World, area: UUID) -> None:
    """Somebody is in post in this area from now on: where it lies above the seat, it becomes it.

    What the old seat has issued stays official; from then on its reports wait for the new one.
    """
    seat = seat_of(world)
    if seat is not None and area in world.lineage(seat):
        world.get(Store, Store.id_of(world.born)).move_seat(area)
