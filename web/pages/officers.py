"""Officers 人员: who is in office where, how far their log-ins are, and what to do about it.

Administrators engage, invite, suspend and end; superiors and auditors may look. The commands
themselves go to the API: what a page offers is only what the caller's posts allow.
"""

from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth import Caller
from api.routes_reports import KEEPERS
from domain.commands.engaging import EngageOfficer
from domain.world import Role
from projections.officers import STATES, officer_counts, officers
from web.paging import ROWS, Turned
from web.parts import AtDesk
from web.places import FoundPlace, places
from web.reporting import place_of

router = APIRouter(include_in_schema=False)

ROLES: Final = tuple(role for role in Role if role is not Role.SYSTEM)
ADMINISTRATORS: Final = EngageOfficer.roles - {Role.SYSTEM}


def found_places(caller: Caller, roles: frozenset[Role], text: str) -> list[FoundPlace]:
    """The areas that the caller's posts of these roles reach, by what was typed."""
    with caller.system.reader() as db:
        return places(db, caller.scope(roles, None), text)


@router.get("/officers")
async def all_officers(
    request: Request,
    desk: AtDesk,
    turn: Turned,
    area: UUID | None = None,
    place: str = "",
    role: str = "",
    state: str = "",
    search: str = "",
) -> Response:
    """``place``: an area as it is typed; if several fit, they are offered as links (``area``)."""
    offered: list[FoundPlace] = []
    if place.strip() and area is None:
        offered = await run_in_threadpool(found_places, desk.caller, KEEPERS, place)
        area = offered[0].id if len(offered) == 1 else None
    said: dict[str, Any] = {"area": area, "role": role, "state": state, "search": search}
    rows: Any = []
    leaf = None
    if area is not None or not place.strip():
        found = await desk.ask(
            officers,
            area,
            role=role or None,
            state=state or None,
            search=search.strip() or None,
            at=desk.now,
            cursor=turn.cursor,
            limit=ROWS,
        )
        rows, leaf = found.items, turn.leaf(found, "/officers", **said)
    return await desk.show(
        request,
        "officers.html",
        rows=rows,
        leaf=leaf,
        counts=await desk.ask(officer_counts, at=desk.now),
        asked={**said, "place": place.strip()},
        offered=offered if area is None else [],
        here=await run_in_threadpool(place_of, desk.caller, area) if area else None,
        roles=ROLES,
        states=STATES,
        keeps=not ADMINISTRATORS.isdisjoint(desk.caller.roles()),
    )
