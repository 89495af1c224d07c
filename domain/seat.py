"""The seat of the store, as commands ask for it: the highest area with somebody in post."""

from uuid import UUID

from domain.store import Store
from domain.world import World


def seat_of(world: World) -> UUID | None:
    """The seat; None in a store that has not recorded its own."""
    store = world.look(Store, Store.id_of(world.born)) if world.born else None
    return None if store is None else store.seat


def move_seat_up(world: World, area: UUID) -> None:
    """Somebody is in post in this area from now on: where it lies above the seat, it becomes it.

    What the old seat has issued stays official; from then on its reports wait for the new one.
    """
    seat = seat_of(world)
    if seat is not None and area in world.lineage(seat):
        world.get(Store, Store.id_of(world.born)).move_seat(area)
