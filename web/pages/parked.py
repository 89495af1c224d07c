"""Parked facts 搁置记录: what a board could not take, why, since when, and what to do.

For administrators and auditors. Whose fact it is says its ``meta.division``: of those outside the
caller's jurisdiction only the number is told.
"""

from typing import Any, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth import Caller
from domain.world import Role
from projections.folding.parking import BEHIND, Parked
from web.pages.timeline import snake
from web.parts import AtDesk

router = APIRouter(include_in_schema=False)

ROLES: Final = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})
MOST: Final = 200


class _Meta(msgspec.Struct):
    division: UUID


class _Stored(msgspec.Struct):
    meta: _Meta


_stored = msgspec.json.Decoder(_Stored).decode


@router.get("/parked")
async def parked(request: Request, desk: AtDesk) -> Response:
    roots = desk.caller.scope(ROLES, None).roots or ()
    system = desk.caller.system
    found = await run_in_threadpool(system.views.parked)
    mine = [one for one in found if _inside(desk.caller, one, roots)]
    return await desk.show(
        request,
        "parked.html",
        rows=[_row(system.store.mapper, one) for one in mine[:MOST]],
        count=len(mine),
        others=len(found) - len(mine),
        most=MOST,
        stopped=system.boards.failure is not None,
    )


def _inside(caller: Caller, one: Parked, roots: tuple[UUID, ...]) -> bool:
    """Whether the fact is of the jurisdiction; what cannot be read is so at the top of the tree."""
    tree = caller.system.tree
    try:
        division = _stored(one.state).meta.division
    except msgspec.MsgspecError:
        return any(len(tree.lineage(root)) == 1 for root in roots)
    return tree.inside(division, roots)


def _row(mapper: Any, one: Parked) -> dict[str, Any]:
    """As the page shows it: its kind by message key, if this program knows it."""
    name = one.topic.partition("/")[0]
    known = mapper.class_of(one.topic) is not None
    return {
        "view": one.view,
        "position": one.position,
        "topic": name,
        "event": snake(name) if known else "",
        "reason": one.reason,
        "behind": one.reason == BEHIND,
        "at": one.at,
    }
