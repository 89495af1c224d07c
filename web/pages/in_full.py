"""Names and numbers in full 全文: for a quarter of an hour after a reason, for its officer.

The reason is a fact of the log (`domain.commands.revealing`); while it holds these pages open the
texts anew at each look. Nothing keeps them: the pages are sent with ``no-store`` as all are, and a
page that is left open hides them when the time is over (``in_full.js``).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from api.actions import actions_of
from api.known_at import moment_asked
from api.readings import note_opened
from api.unsealing import (
    Reveal,
    open_until,
    unsealed_caller,
    unsealed_household,
    unsealed_objection,
)
from domain.commands.households import RevealHousehold
from domain.commands.revealing import RevealCaller, RevealObjection
from domain.refusal import NotFound
from domain.world import Command
from eventstore.store import Store
from projections.asking.ledger_books import household
from projections.dispatch import incident
from projections.lists import village_list
from web.acting import begin_of
from web.parts import AtDesk, Desk

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class InFull:
    """What is open at present, and until when."""

    until: datetime
    texts: dict[str, Any]


async def open_now(desk: Desk, command: Reveal) -> datetime | None:
    """Until when the officer's reason for this matter holds; None: there is none. The texts are
    those of now, so they are opened on no page that shows the past."""
    if moment_asked() is not None:
        return None
    system, officer = desk.caller.system, desk.caller.id
    return await run_in_threadpool(
        open_until, system.store, system.looks, command, officer, system.store.clock.now()
    )


async def _texts(
    desk: Desk, command: Reveal, texts: Callable[[Store, Command], dict[str, Any]]
) -> InFull | None:
    until = await open_now(desk, command)
    if until is None:
        return None
    system = desk.caller.system
    await run_in_threadpool(note_opened, system, desk.caller.id, command)
    return InFull(until, await run_in_threadpool(texts, system.store, command))


async def _may(desk: Desk, kind: str, command: Reveal, id: UUID) -> bool:
    """Whether one of the officer's posts may still look: it may have ended since, or the thing
    have moved away. 404 for what is out of reach."""
    found = await run_in_threadpool(actions_of, desk.caller, kind, id)
    action = found.of(type(command))
    return action is not None and action.open


@router.get("/households/{id}/in-full")
async def household_in_full(request: Request, desk: AtDesk, id: UUID) -> Response:
    back = f"/households/{id}"
    command = RevealHousehold(household=id, reason="")
    may = await _may(desk, "households", command, id)
    found = await _texts(desk, command, unsealed_household) if may else None
    if found is None:
        return RedirectResponse(back, 303)
    one = await desk.ask(household, household=id)
    return await desk.show(
        request, "in_full.html", what="household", found=found, back=back, title=one["head_masked"]
    )


@router.get("/dispatch/incidents/{id}/in-full")
async def caller_in_full(request: Request, desk: AtDesk, id: UUID) -> Response:
    back = f"/dispatch/incidents/{id}"
    command = RevealCaller(incident=id, reason="")
    may = await _may(desk, "incidents", command, id)
    found = await _texts(desk, command, unsealed_caller) if may else None
    if found is None:
        return RedirectResponse(back, 303)
    one = await desk.ask(incident, incident=id)
    return await desk.show(
        request, "in_full.html", what="caller", found=found, back=back, title=one["place"]
    )


@router.get("/lists/{id}/objections/{objection}/in-full")
async def objection_in_full(request: Request, desk: AtDesk, id: UUID, objection: UUID) -> Response:
    """The text while it is open, and before that the form: an objection is a part of its list."""
    one = await desk.ask(village_list, village_list=id)
    known = any(said["objection"] == str(objection) for said in one["objection_lines"])
    if not known or not desk.may(RevealObjection, one["area"]):
        raise NotFound(kind="Objection", id=objection)
    command = RevealObjection(village_list=id, objection=objection, reason="")
    found = await _texts(desk, command, unsealed_objection)
    made = None
    if found is None:
        made = await begin_of(request, desk, RevealObjection, village_list=id, objection=objection)
    return await desk.show(
        request,
        "in_full.html",
        what="objection",
        found=found,
        made=made,
        back=f"/lists/{id}",
        title=f"{one['township_name'] or ''} {one['village_name'] or ''}",
    )
