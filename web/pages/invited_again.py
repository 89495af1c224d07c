"""Officers whose codes open no longer, invited again together; the answer is the page of slips."""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from api.invitation_lists import InvitationList, invited_again
from api.login import checked_as
from api.observing import correlation_of
from domain.commands.logins import InviteOfficer
from domain.world import Role
from projections.asking.officer_lists import officers
from web.parts import AtDesk, moment_of
from web.session import own_key, read_fields, require_token
from web.slips import show_slips

router = APIRouter(include_in_schema=False)

MOST: Final = 300
"""Officers of one form: a county's whole list."""
BYTES: Final = MOST * 400 + 1000


@router.post("/officers/invitations")
async def invite_again(request: Request, desk: AtDesk) -> Response:
    """Invite the ticked log-in names again and print their slips."""
    desk.caller.scope(InviteOfficer.roles - {Role.SYSTEM}, None)
    fields = await read_fields(request, BYTES, MOST + 5)
    form = dict(fields)
    require_token(desk.caller.session, form)
    ticked = [value.partition(" ") for name, value in fields if name == "invite"]
    if not ticked:
        return RedirectResponse("/officers?state=no_code", 303)
    rows = [{"officer": who, "login": login} for who, _, login in ticked]
    given = checked_as(InvitationList, {"officers": rows})
    told = await run_in_threadpool(
        invited_again,
        desk.caller.system,
        desk.caller.id,
        own_key(form.get("key", "")),
        correlation_of(request),
        given.officers,
    )
    known, _ = await desk.ask_all(officers, state="never", at=desk.now, most=MOST)
    by_id = {row["id"]: row for row in known}
    for each in (*told["invitations"], *told["known"], *told["refused"]):
        each["place"] = each["row"] + 1
    slips = [_slip(one, by_id.get(str(one["officer"]))) for one in told["invitations"]]
    return await show_slips(request, desk, slips, refused=told["refused"], known=told["known"])


def _slip(one: dict[str, Any], known: dict[str, Any] | None) -> dict[str, Any]:
    """``known``: the officer's row. The name on the slip is masked, as the list has it: the whole
    one is sealed, and nobody has typed it for this."""
    row = known or {"masked_name": one["login"], "area_name": "", "appointments": []}
    return {
        **one,
        "name": row["masked_name"],
        "unit": row["area_name"],
        "posts": list(dict.fromkeys(post["role"] for post in row["appointments"])),
        "until": moment_of(str(one["expires_at"])),
    }
