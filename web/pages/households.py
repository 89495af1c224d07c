"""Household 户: masked members, its cases and numbered grants, and its whole history in sentences.

Addresses of timelines of other things (a list, a case) are served here too.
"""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.words import words_of
from projections.asking.ledger_books import household
from projections.asking.stock_books import stockpiles
from projections.timeline import timeline
from web.officials import name_officials
from web.parts import AtDesk, Desk
from web.render import language_of
from web.story import Teller

router = APIRouter(include_in_schema=False)

WHOLE = 1000
MOST_FACTS = 5000


async def history(request: Request, desk: Desk, subject: UUID) -> list[dict[str, Any]]:
    """Everything that happened to a thing, from the beginning, in sentences."""
    rows: list[dict[str, Any]] = []
    cursor = None
    while len(rows) < MOST_FACTS:
        found = await desk.ask(timeline, subject=subject, cursor=cursor, limit=WHOLE)
        rows += found.items
        cursor = found.next
        if cursor is None:
            break
    await run_in_threadpool(name_officials, desk.caller, rows)
    language = language_of(request)
    teller = Teller(language, words_of(desk.caller, desk.now, language))
    return teller.tell(reversed(rows))


@router.get("/households/{id}")
async def one_household(request: Request, desk: AtDesk, id: UUID) -> Response:
    found = await desk.ask(household, household=id)
    grants: dict[str, list[dict[str, Any]]] = {}
    for one in found["grants"]:
        grants.setdefault(one["relief_case"], []).append(one)
    depots = {row["stockpile"] for row in (await desk.ask(stockpiles, limit=WHOLE)).items}
    return await desk.show(
        request,
        "household.html",
        one=found,
        grants=grants,
        depots=depots,
        story=await history(request, desk, id),
    )
