"""What a page may offer of proposals about posts: to whom, and about whom (decision 0069)."""

from uuid import UUID

from starlette.concurrency import run_in_threadpool

from api.auth import Caller
from domain.commands.proposing import ProposeSuspension
from domain.commands.reviews import ANY_REVIEWER
from eventstore.lineage import seat_recorded
from projections.folding.base import Row
from projections.proposals import post_proposals
from web.parts import Desk

MOST = 20
"""Proposals about one officer that their page tells."""


def own_level(caller: Caller) -> set[str]:
    """Where a superior sits, and so proposes nothing; at the seat nobody is above who could."""
    seat = seat_recorded(caller.system.store)
    return {str(area) for area in caller.areas(ANY_REVIEWER) if area != seat}


async def about_officer(desk: Desk, found: Row, held: list[Row]) -> Row:
    """What was proposed about an officer, and whether the caller may propose something. ``held``:
    the posts that the officer has now or later."""
    rows = await desk.ask(post_proposals, officer=UUID(found["id"]), at=desk.now, limit=MOST)
    may = await run_in_threadpool(_may_propose, desk, found, held)
    return {"proposals": rows.items, "proposes": may}


def _may_propose(desk: Desk, found: Row, held: list[Row]) -> bool:
    """Whether one of the caller's posts is above all of this officer's, or at the seat."""
    if found["id"] == str(desk.caller.id) or not desk.may(ProposeSuspension, found["area"]):
        return False
    places = {found["area"], *(post["area"] for post in held)}
    return own_level(desk.caller).isdisjoint(places)
