"""The public part of the store's sealing pair: what a phone seals with it, only the vault opens."""

from typing import Any

import msgspec
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from api.auth import Asking, check_parameters
from api.routes_reports import EVERYBODY
from api.writes import RESPONSES
from eventstore.sealing_pairs import sealing_pair

router = APIRouter(tags=["log-in"])


@router.get(
    "/v1/sealing-keys",
    summary="The public key to seal with (P-256), with its key id",
    responses={code: RESPONSES[code] for code in (401, 403, 422)},
)
async def sealing_keys(request: Request, caller: Asking) -> dict[str, Any]:
    """A set of JSON Web Keys with the one of today. What is sealed names its ``kid``: keys of
    before open what was sealed with them. ``fingerprint``: as `relief init` printed it."""
    check_parameters(request)
    caller.scope(EVERYBODY, None)
    pair = await run_in_threadpool(sealing_pair, caller.system.store.vault)
    return {"keys": [msgspec.to_builtins(pair.public)]}
