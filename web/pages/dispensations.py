"""回避例外: a superior allows in writing that an officer does one more step of one matter."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from domain.commands.officers import GrantDispensation
from projections.asking.officer_lists import officer
from web.acting import begin_of
from web.parts import AtDesk, Desk

router = APIRouter(include_in_schema=False)


def may_dispense(desk: Desk, found: dict[str, Any]) -> bool:
    """Whether the caller may allow this officer (a row of `officer`) one more step. Nobody may
    allow it to themselves."""
    own = found["id"] == str(desk.caller.id)
    return not own and desk.may(GrantDispensation, found["area"])


@router.get("/officers/{id}/dispensation")
async def dispensation(request: Request, desk: AtDesk, id: UUID) -> Response:
    found = await desk.ask(officer, officer=id, at=desk.now)
    held = [post for post in found["appointments"] if post["handed_to"] is None]
    made = None
    if may_dispense(desk, found):
        made = await begin_of(request, desk, GrantDispensation, officer=str(id), held=held)
    return await desk.show(request, "dispensation.html", one=found, made=made)
