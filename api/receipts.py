"""What became of a command whose answer was lost.

Who repeats a command unchanged, with its key, gets its answer again. Who has changed their mind
meanwhile must not send the old wish again only to learn whether it was booked: they ask here.
"""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from api.auth import Asking
from api.known_at import position_asked
from api.reads import KnownAt, of_moment
from api.writes import RESPONSES
from domain.officer import OfficerSuspended
from domain.refusal import NotFound
from eventstore.outcomes import decode_outcome

router = APIRouter(tags=["receipts"])


@router.get(
    "/v1/receipts/{command}",
    summary="Whether a command of mine was booked, by its Idempotency-Key",
    description="404: not known, refused, or not mine. It may still be on its way.",
    responses={code: RESPONSES[code] for code in (401, 403, 404, 422)},
)
async def receipt(command: UUID, caller: Asking, known_at: KnownAt = None) -> Any:
    del known_at
    if caller.officer.suspended is not None:
        raise OfficerSuspended(officer=caller.id, reason=caller.officer.suspended)
    found = await run_in_threadpool(caller.system.store.log.outcomes, [command])
    for _, actor, _, stored in found:
        outcome = decode_outcome(stored)
        then = position_asked()
        known = then is None or outcome.position <= then
        if actor == caller.id.bytes and outcome.problem is None and known:
            return of_moment({"command": command, "position": outcome.position})
    raise NotFound(kind="Receipt", id=command)
