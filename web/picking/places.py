"""Areas to choose from: those below the officer's posts, and those above a subject."""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import Connection, select
from starlette.concurrency import run_in_threadpool

from api.auth import Caller
from domain.area import AreaLevel
from domain.world import Role
from projections.areas import AREAS, children
from projections.folding.base import Row
from web.forms.form import Matter, Option


async def areas_below(matter: Matter) -> list[Option]:
    """Each township of the officer's posts and its villages, grouped by township. ``roles`` of the
    matter: only posts that may do it."""
    roles: frozenset[Role] | None = matter.known.get("roles")
    caller = matter.desk.caller
    return await run_in_threadpool(below, caller, caller.areas(roles))


async def own_areas(matter: Matter) -> list[Option]:
    """The areas of the officer's posts that may do it (``roles`` of the matter)."""
    caller = matter.desk.caller
    return await run_in_threadpool(_named, caller, caller.areas(matter.known["roles"]))


async def villages_below(matter: Matter) -> list[Option]:
    """The villages and communities among them: where households live."""
    roles: frozenset[Role] | None = matter.known.get("roles")
    caller = matter.desk.caller
    return await run_in_threadpool(below, caller, caller.areas(roles), AreaLevel.VILLAGE)


async def areas_above(matter: Matter) -> list[Option]:
    """The areas over the one in charge (``in_charge`` of the matter), the nearest first."""
    lineage = matter.desk.caller.system.tree.lineage(UUID(str(matter.known["in_charge"])))
    return await run_in_threadpool(_named, matter.desk.caller, lineage[1:])


def _named(caller: Caller, areas: tuple[UUID, ...]) -> list[Option]:
    with caller.system.reader() as db:
        names = _names(db, areas)
    return [Option(str(area), names[str(area)]) for area in areas if str(area) in names]


def _names(db: Connection, areas: tuple[UUID, ...]) -> dict[str, str]:
    wanted = [str(area) for area in areas]
    query = select(AREAS.c.id, AREAS.c.name).where(AREAS.c.id.in_(wanted))
    return {row.id: row.name for row in db.execute(query)}


def below(caller: Caller, roots: tuple[UUID, ...], only: AreaLevel | None = None) -> list[Option]:
    """Breadth first: an area that is no village, then its villages. The tree is public."""
    with caller.system.reader() as db:
        return [
            Option(one["id"], one["name"], "", area["name"])
            for area, villages in _walked(db, roots)
            for one in (area, *villages)
            if only is None or one["level"] == only
        ]


def no_villages(caller: Caller, roots: tuple[UUID, ...]) -> list[Option]:
    """The same without villages, and in no groups."""
    with caller.system.reader() as db:
        return [Option(area["id"], area["name"]) for area, _ in _walked(db, roots)]


def _walked(db: Connection, roots: tuple[UUID, ...]) -> Iterator[tuple[Row, list[Row]]]:
    """Down from these areas, breadth first: each that is no village, with its villages."""
    known = select(AREAS).where(AREAS.c.id.in_([str(root) for root in roots]))
    waiting = [dict(row) for row in db.execute(known).mappings()]
    while waiting:
        area = waiting.pop(0)
        inside = [one for one in children(db, UUID(area["id"])) if not one["abolished_on"]]
        waiting += [one for one in inside if one["level"] != AreaLevel.VILLAGE]
        yield area, [one for one in inside if one["level"] == AreaLevel.VILLAGE]
