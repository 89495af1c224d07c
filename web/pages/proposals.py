"""Proposals about posts 任免建议: superiors propose, administrators take or decline, both see.

The commands go to the API; a page offers what the caller's posts allow.
"""

from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from domain.commands.proposing import ProposeEngagement, TakeProposal
from domain.commands.reviews import ANY_REVIEWER
from domain.post_proposal import PROPOSAL_DAYS
from domain.rules.base import china_day
from projections.proposals import STATES, post_proposals, proposal_counts
from web.pages.officers import levels_of_roles, places_below
from web.paging import ROWS, Turned, book_of
from web.parts import AtDesk, Desk, ToAct
from web.typed import TypedQ

router = APIRouter(include_in_schema=False)


@router.get("/officers/proposals")
async def proposals(request: Request, desk: AtDesk, turn: Turned, state: str = "") -> Response:
    """What is proposed about posts here and below, and what became of it."""
    found = await desk.ask(
        post_proposals, state=state or None, at=desk.now, cursor=turn.cursor, limit=ROWS
    )
    return await desk.show(
        request,
        "proposals.html",
        rows=[{**row, "may": may_decide(desk, row)} for row in found.items],
        leaf=turn.leaf(
            found, "/officers/proposals", book=book_of("proposals", state=state), state=state
        ),
        open=(await desk.ask(proposal_counts, at=desk.now))["open"],
        state=state,
        states=STATES,
        numbered={one["role"] for one in levels_of_roles(desk) if one["id"]},
        proposes=not ANY_REVIEWER.isdisjoint(desk.caller.roles()),
    )


@router.get("/officers/proposals/new")
async def propose(request: Request, desk: ToAct, q: TypedQ) -> Response:
    """The form that proposes somebody new."""
    desk.caller.scope(ProposeEngagement.roles, None)
    return await desk.show(
        request,
        "proposal_new.html",
        places=await run_in_threadpool(places_below, desk.caller, q.text),
        roles=levels_of_roles(desk),
        q=q.text,
        days=PROPOSAL_DAYS,
        today=china_day(desk.now).isoformat(),
    )


def may_decide(desk: Desk, row: dict[str, Any]) -> bool:
    """Whether the caller answers this proposal: an administrator there, and none of the two."""
    me = str(desk.caller.id)
    waits = row["state"] in ("open", "outgrown")
    mine = me in (row["proposed_by"], row["officer"])
    return waits and not mine and desk.may(TakeProposal, row["area"])
