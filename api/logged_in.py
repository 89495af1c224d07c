"""Who is logged in now, of an administrator's areas: since when, on what device, until when."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool

from api.auth import Asking, Caller, check_parameters
from api.upkeep import ADMINISTRATORS, ASKED
from api.writes import RESPONSES
from projections.asking.logged_in import officers_within

router = APIRouter(tags=["system"])

MOST: Final = 200
"""Rows of one page."""


def logged_in(caller: Caller, area: UUID | None, *, skip: int, limit: int) -> dict[str, Any]:
    """``items``, the newest first, after the first ``skip``; ``total`` of all and how many
    ``officers`` they are of; ``next``, what to skip for the next page, None on the last.

    404 outside the jurisdiction, 403 inside it for who is no administrator.
    """
    scope = caller.scope(ADMINISTRATORS, area)
    everybody = caller.system.accounts.open_sessions()
    with caller.system.reader() as db:
        known = officers_within(db, scope, ids={officer for officer, _ in everybody})
    mine = [(officer, one) for officer, one in everybody if officer in known]
    items = [
        {
            "id": one.id,
            "officer": officer,
            **known[officer],
            "login": one.login,
            "kind": one.kind,
            "begun": datetime.fromtimestamp(one.begun, UTC),
            "expires": datetime.fromtimestamp(one.expires, UTC),
            "device": one.device,
            "own": officer == caller.id,
        }
        for officer, one in mine[skip : skip + limit]
    ]
    more = skip + limit < len(mine)
    return {
        "items": items,
        "total": len(mine),
        "officers": len({officer for officer, _ in mine}),
        "next": skip + limit if more else None,
    }


@router.get(
    "/v1/system/sessions",
    summary="Who is logged in now, of my areas; ended by the session-ends of the officer",
    description=(
        "`items`, the newest first, with `officer`, `masked_name`, `area_name`, `login`, `begun`, "
        "`expires`, `device`; `total` and how many `officers`. `skip` rows for the next page: "
        "`next`, null on the last. Who comes and goes meanwhile shifts the rows."
    ),
    responses=ASKED | {404: RESPONSES[404]},
)
async def sessions(
    request: Request,
    caller: Asking,
    area: UUID | None = None,
    skip: Annotated[int, Query(ge=0, le=10**6)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> dict[str, Any]:
    check_parameters(request, ("area", "skip", "limit"))
    return await run_in_threadpool(logged_in, caller, area, skip=skip, limit=limit)
