"""The one choke point: who may do what, where. Commands and queries pass through here.

An officer's post reaches its own area and all below. Outside it the answer is `NotFound`, the
same as for a thing that does not exist; inside it, without a fitting role, `NotYourRole`.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from domain.base import NOBODY
from domain.officer import Officer, OfficerSuspended
from domain.posts import Appointment, StandIn
from domain.refusal import NotFound, NotYourRole
from domain.rules.base import china_day
from domain.world import Actor, Command, Role, World

SYSTEM = Actor(officer=NOBODY, role=Role.SYSTEM, area=None)


def authorize(
    world: World, person: Officer | None, officer_id: UUID | None, command: Command
) -> Actor:
    """The actor of this command, in the best of the officer's posts that allow it.

    ``officer_id`` None is the system. Raises `NotFound`, `NotYourRole` or `OfficerSuspended`.
    """
    if officer_id is None:
        if Role.SYSTEM not in command.roles:
            raise _not_your_role(command.roles)
        return SYSTEM
    if person is None:
        raise NotFound(kind="Officer", id=officer_id)
    if person.suspended is not None:
        raise OfficerSuspended(officer=officer_id, reason=person.suspended)
    try:
        scope = command.scope(world)
    except NotFound as unknown:
        raise _first_hidden(world, person, command) or unknown from unknown
    actor = _best(person, command.roles, world.lineage(scope), world.now)
    if actor is None:
        raise _hidden(world, person, command, scope)
    return actor


def permits(
    officer: Officer, roles: frozenset[Role], lineage: tuple[UUID, ...], now: datetime
) -> Actor:
    """The same for a query on the area ``lineage[0]``, whose areas above follow in order."""
    if officer.suspended is not None:
        raise OfficerSuspended(officer=officer.id, reason=officer.suspended)
    actor = _best(officer, roles, lineage, now)
    if actor is None:
        raise NotFound(kind="Area", id=lineage[0])
    return actor


def posts_at(officer: Officer, now: datetime) -> Iterator[Appointment | StandIn]:
    """The posts this officer may use now, own ones before those of absent officers."""
    today = china_day(now)
    for post in officer.appointments.values():
        if post.covers(today):
            yield post
    for stand_in in officer.stand_ins.values():
        if stand_in.covers(today):
            yield stand_in


def _best(
    officer: Officer, roles: frozenset[Role], lineage: tuple[UUID, ...], now: datetime
) -> Actor | None:
    """Own posts before substituted ones, the nearest area first. None if none reaches there.

    Raises `NotYourRole` if posts reach there but none has a fitting role.
    """
    reached = False
    best: Appointment | StandIn | None = None
    best_rank = (True, len(lineage))
    for held in posts_at(officer, now):
        substituted = isinstance(held, StandIn)
        post = held.appointment if isinstance(held, StandIn) else held
        if post.area not in lineage:
            continue
        reached = True
        if post.role not in roles:
            continue
        rank = (substituted, lineage.index(post.area))
        if rank < best_rank:
            best, best_rank = held, rank
    if best is not None:
        return _actor(officer, best)
    if reached:
        raise _not_your_role(roles)
    return None


def _actor(officer: Officer, held: Appointment | StandIn) -> Actor:
    if isinstance(held, StandIn):
        post = held.appointment
        return Actor(
            officer=officer.id,
            role=post.role,
            area=post.area,
            post=post.post.value,
            standing_for=held.absent,
            persons=tuple(dict.fromkeys((*officer.persons, *held.persons))),
        )
    return Actor(
        officer=officer.id,
        role=held.role,
        area=held.area,
        post=held.post.value,
        persons=officer.persons,
    )


def _not_your_role(roles: frozenset[Role]) -> NotYourRole:
    return NotYourRole(needed=", ".join(sorted(roles)))


class _Asked:
    """A world that remembers which things were asked for, and where they belong."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.things: list[tuple[str, UUID, UUID]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world, name)

    def get(self, kind: type[Any], id: UUID) -> Any:
        found = self._world.get(kind, id)
        self.things.append((kind.__name__, id, found.home))
        return found

    def find(self, kind: type[Any], id: UUID) -> Any:
        found = self._world.find(kind, id)
        if found is not None:
            self.things.append((kind.__name__, id, found.home))
        return found


def _hidden(world: World, officer: Officer, command: Command, scope: UUID) -> NotFound:
    """The answer as it would be if the thing out of reach did not exist: its area stays hidden."""
    return _first_hidden(world, officer, command) or NotFound(kind="Area", id=scope)


def _first_hidden(world: World, officer: Officer, command: Command) -> NotFound | None:
    """The first thing a command's scope asks for that is out of this officer's reach.

    Of several ids the answer names the first that is not for this officer, whether it exists or
    not: if a later unknown one were named instead, that would tell that the first one exists.
    """
    asked = _Asked(world)
    with suppress(NotFound):
        command.scope(cast(World, asked))
    held = posts_at(officer, world.now)
    reached = {(h.appointment if isinstance(h, StandIn) else h).area for h in held}
    for kind, id, home in asked.things:
        if reached.isdisjoint(world.lineage(home)):
            return NotFound(kind=kind, id=id)
    return None
