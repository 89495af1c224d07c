"""One person 自然人: the households that count them, a contest about them, their whole history."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.routes import read_of
from domain.commands.contests import ResolveContest
from domain.commands.erasure import ErasePerson
from domain.person import Person
from domain.refusal import NotFound
from domain.world import Command
from projections.asking.ledger_books import household
from projections.asking.persons import person_claims
from web.acting import Act, begin_of
from web.pages.households import history
from web.parts import AtDesk, Desk

router = APIRouter(include_in_schema=False)


@router.get("/persons/{id}")
async def one_person(request: Request, desk: AtDesk, id: UUID) -> Response:
    one = await run_in_threadpool(_found, desk, id)
    contest = one["contest"]
    is_open = contest is not None and contest["status"] == "open"
    claims = [row for row in one["households"] if is_open and row["id"] in contest["claimed"]]
    decides = is_open and not contest["elsewhere"] and _above(desk, ResolveContest, claims)
    present = [row for row in one["households"] if row["member_status"] == "present"]
    erases = not one["erased_at"] and _above(desk, ErasePerson, one["households"])
    resolve: Act | None = None
    erase: Act | None = None
    if decides:
        resolve = await begin_of(request, desk, ResolveContest, person=id, claims=claims)
    if erases and not present:
        erase = await begin_of(request, desk, ErasePerson, person=id)
    return await desk.show(
        request,
        "person.html",
        one=one,
        is_open=is_open,
        claims=claims,
        resolve=resolve,
        erase=erase,
        still_counted=len(present) if erases else 0,
        story=await _story(request, desk, Person.id_of(id, one["exercise"])),
    )


def _found(desk: Desk, id: UUID) -> dict[str, Any]:
    scope = desk.caller.scope(read_of(household).roles, None)
    with desk.caller.system.reader() as db:
        found = person_claims(db, scope.on(db), person=id)
    if found is None:
        raise NotFound(kind="Person", id=id)
    return found


def _above(desk: Desk, command: type[Command], rows: list[dict[str, Any]]) -> bool:
    """Whether the officer may do it over each of the households."""
    return all(desk.may(command, row["area"]) for row in rows)


async def _story(request: Request, desk: Desk, id: UUID) -> list[dict[str, Any]]:
    """What their own stream says; it lies where they were first registered, maybe out of reach."""
    try:
        return await history(request, desk, id)
    except NotFound:
        return []
