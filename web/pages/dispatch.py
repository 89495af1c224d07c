"""Dispatch 调度: incidents by priority and age, units, goods on the way; opening and steering one.

The board is live. Every button sends one command of the JSON API; the commands decide.
"""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth import Caller
from api.words import rule_for
from domain.area import AreaLevel
from domain.commands.incidents import OpenIncident, TriageIncident
from domain.incident import IncidentKind, Severity, Stage
from domain.rules.dispatch import Dispatch
from projections.areas import AREAS, children
from projections.dispatch import dispatch_board, incident, incidents, units
from web.formats import china
from web.pages.rulebooks import unsure_here
from web.paging import ROWS, Turned
from web.parts import AtDesk, Desk, parsed

router = APIRouter(include_in_schema=False)

NEXT_STEP = {
    Stage.ASSIGNED: ("acknowledgements", "acknowledge"),
    Stage.ACKNOWLEDGED: ("departures", "depart"),
    Stage.EN_ROUTE: ("arrivals", "arrive"),
}
"""Stage of a unit → the address and the words of the step that comes after it."""


async def _board(desk: Desk) -> dict[str, Any]:
    found = await desk.ask(dispatch_board, at=desk.now)
    for one in found["incidents"]:
        one["may"] = desk.may(TriageIncident, one["in_charge"])
    for one in found["consignments"]:
        one["lines"] = parsed(one["lines"])
    places = {one["id"]: one["place"] for one in found["incidents"]}
    return {"board": found, "places": places, "next_step": NEXT_STEP}


@router.get("/dispatch")
async def dispatch(request: Request, desk: AtDesk) -> Response:
    opener = any(desk.may(OpenIncident, area) for area in desk.caller.areas())
    unsure = await unsure_here(request, desk, None, "dispatch")
    board = await _board(desk)
    return await desk.show(request, "dispatch.html", opener=opener, unsure=unsure, **board)


@router.get("/dispatch/board")
async def board(request: Request, desk: AtDesk) -> Response:
    return await desk.show(request, "dispatch_board.html", **await _board(desk))


@router.get("/dispatch/new")
async def new(request: Request, desk: AtDesk) -> Response:
    roles = OpenIncident.roles
    areas = await run_in_threadpool(_places, desk.caller, desk.caller.areas(roles))
    return await desk.show(
        request,
        "incident_new.html",
        areas=areas,
        kinds=list(IncidentKind),
        severities=list(Severity),
        local_now=china(desk.now).strftime("%Y-%m-%dT%H:%M"),
    )


@router.get("/dispatch/past")
async def past(request: Request, desk: AtDesk, turn: Turned) -> Response:
    found = await desk.ask(incidents, open=False, cursor=turn.cursor, limit=ROWS)
    leaf = turn.leaf(found, "/dispatch/past")
    return await desk.show(request, "incidents_past.html", rows=found.items, leaf=leaf)


async def _one(desk: Desk, id: UUID) -> dict[str, Any]:
    found = await desk.ask(incident, incident=id)
    return {
        "one": found,
        "may": desk.may(TriageIncident, found["in_charge"]),
        "next_step": NEXT_STEP,
    }


@router.get("/dispatch/incidents/{id}")
async def one_incident(request: Request, desk: AtDesk, id: UUID) -> Response:
    context = await _one(desk, id)
    one = context["one"]
    free = await desk.ask(units, status="free", exercise=one["exercise"], limit=500)
    rule = await run_in_threadpool(
        rule_for, desk.caller, Dispatch, UUID(one["in_charge"]), desk.now
    )
    offered = sorted(
        free.items, key=lambda unit: rule.fitness(one["kind"], unit["kind"]) if rule else 0
    )
    others = await desk.ask(incidents, open=True, exercise=one["exercise"], limit=100)
    return await desk.show(
        request,
        "incident.html",
        free=offered,
        others=[other for other in others.items if other["id"] != one["id"]],
        **context,
    )


@router.get("/dispatch/incidents/{id}/facts")
async def incident_facts(request: Request, desk: AtDesk, id: UUID) -> Response:
    return await desk.show(request, "incident_facts.html", **await _one(desk, id))


def _places(caller: Caller, roots: tuple[UUID, ...]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Township → itself (no village known) and its villages. The tree of divisions is public."""
    groups: list[tuple[str, list[tuple[str, str]]]] = []
    with caller.system.reader() as db:
        known = select(AREAS).where(AREAS.c.id.in_([str(root) for root in roots]))
        waiting = [dict(row) for row in db.execute(known).mappings()]
        while waiting:
            area = waiting.pop(0)
            below = [one for one in children(db, UUID(area["id"])) if not one["abolished_on"]]
            villages = [one for one in below if one["level"] == AreaLevel.VILLAGE]
            waiting += [one for one in below if one["level"] != AreaLevel.VILLAGE]
            groups.append((area["name"], [(one["id"], one["name"]) for one in (area, *villages)]))
    return groups
