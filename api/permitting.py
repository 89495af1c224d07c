"""A first look at whether an officer may send a command, before its body is read.

The log decides with the body in hand. This saves reading and parsing what would be refused anyway,
and sees only what is known without the body: the session's officer, the roles of the command, and
for a bulk command on a village list where that list lies.
"""

from uuid import UUID

from starlette.concurrency import run_in_threadpool

from api.problems import unauthenticated
from api.system import System
from domain.access import permits, posts_at
from domain.officer import Officer, OfficerSuspended
from domain.posts import post_of
from domain.refusal import NotFound, NotYourRole, Refusal
from domain.world import Role

Roles = frozenset[Role]


async def not_allowed(
    system: System, officer: UUID, roles: Roles, bulk_on: str | None
) -> Exception | None:
    """Why this officer can never run a command of these roles; None if they may be able to.

    ``bulk_on`` is the village list in the path of a bulk command, whose body may be large.
    """
    known = await _lately(system, officer)
    if known is None:
        return unauthenticated()
    refusal: Exception | None = _may_ever(system, known, roles)
    if refusal is not None:  # a post may have come since
        refusal = await run_in_threadpool(_looked_again, system, officer, roles)
    if refusal is None and bulk_on is not None:
        refusal = await run_in_threadpool(_reaches, system, officer, roles, bulk_on)
    return refusal


def _looked_again(system: System, officer: UUID, roles: Roles) -> Exception | None:
    system.look_again()
    known = system.officer(officer)
    return unauthenticated() if known is None else _may_ever(system, known, roles)


async def _lately(system: System, officer: UUID) -> Officer | None:
    known = system.knows_lately(officer)
    return known or await run_in_threadpool(system.officer_lately, officer)


async def roles_held(system: System, officer: UUID, roles: Roles) -> Roles:
    """Those of these roles that the officer has a post of, as of this second."""
    known = await _lately(system, officer)
    if known is None:
        return frozenset()
    held = posts_at(known, system.store.clock.now())
    return roles & {post_of(post).role for post in held}


def _may_ever(system: System, officer: Officer, roles: Roles) -> Refusal | None:
    if officer.suspended is not None:
        return OfficerSuspended(officer=officer.id, reason=officer.suspended)
    held = posts_at(officer, system.store.clock.now())
    if any(post_of(post).role in roles for post in held):
        return None
    return NotYourRole(needed=", ".join(sorted(roles)))


def _reaches(system: System, officer: UUID, roles: Roles, thing: str) -> Exception | None:
    """Whether a list named in the path lies where the officer may run this command."""
    try:
        id = UUID(thing)
    except ValueError:
        return None  # not an id: the errors of the command say so
    system.look_again()
    known, found = system.officer(officer), system.store.load(id)
    if known is None:
        return unauthenticated()
    missing = NotFound(kind="VillageList", id=id)
    if found is None:
        return missing
    lineage = system.tree.lineage(found.home) or (found.home,)
    try:
        permits(known, roles, lineage, system.store.clock.now())
    except NotFound:
        return missing
    except Refusal as refusal:
        return refusal
    return None
