"""Households 户 of an area: a list to leaf through, by village, kind, and what is to be set right.

Names are masked, as everywhere. Who looks for one household by name takes the search.
"""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth import Caller
from api.routes import read_of
from api.words import rule_for
from domain.area import AreaLevel
from domain.rules.household_kinds import HouseholdKinds
from projections.households import STATES, households
from web.paging import ROWS, Turned, book_of
from web.parts import AtDesk, Desk, MaybeId
from web.reporting import Place, parts_of, place_of

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Query(max_length=100, pattern=r"^[^\x00]*$")]
PAGE: Final = "/households"


@router.get(PAGE)
async def all_households(
    request: Request,
    desk: AtDesk,
    turn: Turned,
    area: MaybeId = None,
    category: Text = "",
    state: Text = "",
) -> Response:
    """``area``: of the officer's areas or below; else all of them. ``state``: a key of `STATES`."""
    found = await desk.ask(
        households,
        area,
        category=category or None,
        state=state or None,
        cursor=turn.cursor,
        limit=ROWS,
    )
    said: dict[str, Any] = {"area": area, "category": category, "state": state}
    book = book_of("households", **said)
    places = await run_in_threadpool(_places, desk.caller, area)
    return await desk.show(
        request,
        "households.html",
        rows=found.items,
        leaf=turn.leaf(found, PAGE, book=book, **said),
        asked=said,
        places=places,
        kinds=await run_in_threadpool(_kinds, desk, places[0].id),
        states=tuple(STATES),
    )


def _places(caller: Caller, area: UUID | None) -> list[Place]:
    """What one may look at from here: the officer's areas; of the one that is looked at those above
    it, itself, and the living ones right below. Never more than the children of one division."""
    own = caller.areas(read_of(households).roles)
    here = area or (own[0] if len(own) == 1 else None)
    line = caller.system.tree.lineage(here) if here is not None else ()
    reached = next((n for n, one in enumerate(line) if one in own), len(line) - 1)
    above = [place_of(caller, one) for one in reversed(line[: reached + 1])]
    others = [place_of(caller, one) for one in own if one not in line]
    if here is None or above[-1].level is AreaLevel.VILLAGE:
        return [*above, *others]
    inside = [
        Place(UUID(one["id"]), one["name"], AreaLevel(one["level"]), here)
        for one in parts_of(caller, here)
    ]
    return [*above, *inside, *others]


def _kinds(desk: Desk, area: UUID) -> list[tuple[str, str, str]]:
    """The kinds of household in force there: key, and words in both languages."""
    rule = rule_for(desk.caller, HouseholdKinds, area, desk.now)
    return [(one.key, one.zh, one.en) for one in (rule.kinds if rule else ())]
