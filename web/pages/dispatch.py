"""Dispatch 调度: incidents by priority and age, units, goods on the way; opening and steering one.

The board is live. Every button sends one command of the JSON API; the commands decide.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from domain.commands.incidents import (
    AcknowledgeAssignment,
    OpenIncident,
    ReportEnRoute,
    ReportOnScene,
    TriageIncident,
)
from domain.commands.revealing import RevealCaller
from domain.commands.units import PutUnitOffDuty, RegisterUnit
from domain.incident import Stage
from domain.refusal import NotFound
from projections.asking.paging import Page
from projections.dispatch import dispatch_board, incident, incidents, units
from web.acting import acts_of, begin_of
from web.pages.in_full import open_now
from web.pages.rulebooks import unsure_here
from web.paging import ROWS, Turned, book_of
from web.parts import AtDesk, Desk, parsed
from web.picking.dispatch import MOST_INCIDENTS, MOST_UNITS

router = APIRouter(include_in_schema=False)

NEXT_STEP = {
    Stage.ASSIGNED: ("acknowledgements", "acknowledge", AcknowledgeAssignment.__name__),
    Stage.ACKNOWLEDGED: ("departures", "depart", ReportEnRoute.__name__),
    Stage.EN_ROUTE: ("arrivals", "arrive", ReportOnScene.__name__),
}
"""Stage of a unit → address, words and command of the step that comes after it."""


async def dispatch_parts(desk: Desk) -> dict[str, Any]:
    """What dispatch_board.html shows."""
    found = await desk.ask(dispatch_board, at=desk.now)
    for one in found["incidents"]:
        _tell_due(desk, one)
        one["may"] = desk.may(TriageIncident, one["in_charge"])
    for one in found["consignments"]:
        one["lines"] = parsed(one["lines"])
    places = {one["id"]: one["place"] for one in found["incidents"]}
    return {"board": found, "places": places, "next_step": NEXT_STEP}


def _tell_due(desk: Desk, one: dict[str, Any]) -> None:
    """When each unit on its way said that it would be there (``due_at``), and whether that is past:
    "35 minutes" of yesterday means nothing."""
    for unit in one["units"]:
        unit["due_at"], unit["late"] = None, False
        if unit["stage"] != Stage.EN_ROUTE or not unit["eta_minutes"]:
            continue
        due = datetime.fromisoformat(unit["en_route_at"]) + timedelta(minutes=unit["eta_minutes"])
        unit["due_at"], unit["late"] = due.isoformat(), due < desk.now


@router.get("/dispatch")
async def dispatch(request: Request, desk: AtDesk) -> Response:
    opener = any(desk.may(OpenIncident, area) for area in desk.caller.areas())
    unsure = await unsure_here(request, desk, None, "dispatch")
    board = await dispatch_parts(desk)
    return await desk.show(request, "dispatch.html", opener=opener, unsure=unsure, **board)


@router.get("/dispatch/board")
async def board(request: Request, desk: AtDesk) -> Response:
    return await desk.show(request, "dispatch_board.html", **await dispatch_parts(desk))


@router.get("/dispatch/new")
async def new(request: Request, desk: AtDesk) -> Response:
    """The form; above it what is open in the village that is chosen."""
    made = await begin_of(request, desk, OpenIncident)
    near, _ = await desk.ask_all(incidents, most=MOST_INCIDENTS, open=True) if made else ([], False)
    return await desk.show(request, "incident_new.html", made=made, near=near)


@router.get("/dispatch/units")
async def all_units(
    request: Request, desk: AtDesk, turn: Turned, unit: UUID | None = None
) -> Response:
    """Who there is: on duty and off, each with what may be done; and the form of a new one.
    ``unit``: only this one, as the search leads to it."""
    found: Page = await desk.ask(units, cursor=turn.cursor, limit=ROWS)
    if unit is not None:
        rows, _ = await desk.ask_all(units, most=MOST_UNITS)
        found = Page([one for one in rows if one["id"] == str(unit)])
        if not found.items:
            raise NotFound(kind="Unit", id=unit)
    made = {}
    for one in found.items:
        may = desk.may(PutUnitOffDuty, one["area"])
        made[one["id"]] = (
            await acts_of(request, desk, "units", one["id"], each=True) if may else None
        )
    begin = await begin_of(request, desk, RegisterUnit)
    leaf = turn.leaf(found, "/dispatch/units", book=book_of("units"))
    return await desk.show(
        request,
        "units.html",
        rows=found.items,
        made=made,
        begin_unit=begin if unit is None else None,
        leaf=leaf,
        alone=unit is not None,
    )


@router.get("/dispatch/past")
async def past(request: Request, desk: AtDesk, turn: Turned) -> Response:
    found = await desk.ask(incidents, open=False, cursor=turn.cursor, limit=ROWS)
    leaf = turn.leaf(found, "/dispatch/past", book=book_of("past"))
    return await desk.show(request, "incidents_past.html", rows=found.items, leaf=leaf)


async def _one(desk: Desk, id: UUID) -> dict[str, Any]:
    found = await desk.ask(incident, incident=id)
    _tell_due(desk, found)
    return {
        "one": found,
        "may": desk.may(TriageIncident, found["in_charge"]),
        "next_step": NEXT_STEP,
    }


@router.get("/dispatch/incidents/{id}")
async def one_incident(request: Request, desk: AtDesk, id: UUID) -> Response:
    context = await _one(desk, id)
    one = context["one"]
    seen = one["priority"] or 0
    made = await acts_of(
        request, desk, "incidents", id, one=one, in_charge=one["in_charge"], seen_priority=seen
    )
    open_until = await open_now(desk, RevealCaller(incident=id, reason=""))
    return await desk.show(request, "incident.html", made=made, open_until=open_until, **context)


@router.get("/dispatch/incidents/{id}/facts")
async def incident_facts(request: Request, desk: AtDesk, id: UUID) -> Response:
    return await desk.show(request, "incident_facts.html", **await _one(desk, id))
