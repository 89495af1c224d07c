"""Applying for relief 户报: one household, or the households of a village in one table.

Where a village has nobody in post its township takes the applications; the page says beforehand
where it may.
"""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from api.auth import Caller
from domain.area import AreaLevel
from domain.commands.relief_cases import (
    ApplyForRelief,
    ApplyOnBehalf,
    ApplyVillage,
    check_nobody_in_post,
)
from domain.refusal import NotFound, refusal_of
from projections.areas import children
from projections.asking.cases import officers_in
from projections.asking.ledger_books import household, ledger
from projections.asking.paging import Page
from projections.households import households
from projections.lists import village_list
from projections.seasons import seasons
from web.acting import begin_of
from web.i18n import catalog
from web.paging import ROWS, Turned
from web.parts import MOST_SEASONS, AtDesk, Desk, url
from web.picking.cases import rates_said, terms_of
from web.render import language_of
from web.reporting import place_of

router = APIRouter(include_in_schema=False)

MOST_CASES = 5000
"""Cases of one village in one season that are looked through."""
MOST_VILLAGES = 200
"""Villages of a township that are looked at."""


async def _open_seasons(desk: Desk, area: UUID, *, exercise: bool) -> list[dict[str, Any]]:
    """The seasons that run in this village, the newest first."""
    lineage = {str(one) for one in desk.caller.system.tree.lineage(area)}
    found, _ = await desk.ask_all(seasons, most=MOST_SEASONS, exercise=exercise)
    return [one for one in found if one["area"] in lineage and not one["closed_at"]]


async def left_to_apply(desk: Desk, one: dict[str, Any]) -> list[dict[str, Any]]:
    """The seasons that a household may still apply in. ``one``: `household`."""
    applied = {case["season"] for case in one["cases"]}
    running = await _open_seasons(desk, UUID(one["area"]), exercise=one["exercise"])
    return [each for each in running if each["id"] not in applied and not one["merged_into"]]


@router.get("/cases/new")
async def for_one(
    request: Request, desk: AtDesk, household: UUID, season: UUID | None = None
) -> Response:
    """One household's application; where several seasons run, one of them is chosen first."""
    one = await _household(desk, household)
    area = UUID(one["area"])
    left = await left_to_apply(desk, one)
    wanted = [each for each in left if season is None or each["id"] == str(season)]
    chosen = wanted[0] if len(wanted) == 1 else None
    made = None
    if chosen is not None and desk.may(ApplyForRelief, area):
        made = await begin_of(
            request,
            desk,
            ApplyForRelief,
            one=one,
            household=one["id"],
            season=chosen["id"],
            terms=await terms_of(desk, chosen["id"]),
        )
    return await desk.show(
        request,
        "applying.html",
        one=one,
        made=made,
        chosen=chosen,
        rates=await _rates(request, desk, chosen),
        left=left,
        may=desk.may(ApplyForRelief, area),
    )


async def _household(desk: Desk, id: UUID) -> dict[str, Any]:
    found: dict[str, Any] = await desk.ask(household, household=id)
    return found


@router.get("/lists/{id}/apply")
async def for_list(desk: AtDesk, id: UUID) -> Response:
    """The table of the village whose list it is."""
    found = await desk.ask(village_list, village_list=id)
    there = url("/cases/apply", season=found["season"], village=found["area"])
    return RedirectResponse(there, 303)


@router.get("/cases/apply")
async def for_village(
    request: Request,
    desk: AtDesk,
    turn: Turned,
    season: UUID | None = None,
    village: UUID | None = None,
) -> Response:
    """The households of a village that have not applied, in one table; without a village the
    officer's own, or for a township those to choose from."""
    own = desk.caller.areas(ApplyVillage.roles)
    if village is None and not own:
        return await _choose(request, desk)
    area = village or own[0]
    if not desk.caller.system.tree.lineage(area):
        raise NotFound(kind="Area", id=area)
    place = await run_in_threadpool(place_of, desk.caller, area)
    running = await _open_seasons(desk, area, exercise=desk.caller.system.store.training)
    wanted = [one for one in running if season is None or one["id"] == str(season)]
    chosen = wanted[0] if len(wanted) == 1 else None
    said: dict[str, Any] = {"made": None, "leaf": None, "rows": [], "in_post": False}
    if chosen is not None:
        said = await _table(request, desk, turn, area, chosen)
    return await desk.show(
        request,
        "applying_village.html",
        place=place,
        chosen=chosen,
        rates=await _rates(request, desk, chosen),
        left=running,
        **said,
    )


async def _rates(
    request: Request, desk: Desk, season: dict[str, Any] | None
) -> list[tuple[str, str]]:
    """What the chosen season gives, and how it is paid."""
    if season is None:
        return []
    language = language_of(request)
    return rates_said(await terms_of(desk, season["id"]), catalog(language).t, language)


async def _table(
    request: Request, desk: Desk, turn: Turned, area: UUID, season: dict[str, Any]
) -> dict[str, Any]:
    """The form over a page of households, or why there is none."""
    found = await _not_applied(desk, turn, area, season)
    command = ApplyVillage if desk.may(ApplyVillage, area) else ApplyOnBehalf
    in_post = command is ApplyOnBehalf and await run_in_threadpool(_in_post, desk.caller, area)
    made = None
    if desk.may(command, area) and not in_post and found.items:
        made = await begin_of(
            request,
            desk,
            command,
            of=turn.cursor,
            season=season["id"],
            village=str(area),
            households=found.items,
            terms=await terms_of(desk, season["id"]),
        )
    leaf = turn.leaf(found, "/cases/apply", book="", season=season["id"], village=area)
    return {"made": made, "leaf": leaf, "rows": found.items, "in_post": in_post}


async def _not_applied(desk: Desk, turn: Turned, area: UUID, season: dict[str, Any]) -> Page:
    """A page of the village's households, without those that have a case in the season."""
    cases, _ = await desk.ask_all(ledger, area, most=MOST_CASES, season=UUID(season["id"]))
    applied = {case["household"] for case in cases}
    cursor = turn.cursor
    while True:  # a page whose households have all applied says nothing
        found: Page = await desk.ask(
            households, area, exercise=season["exercise"], cursor=cursor, limit=ROWS
        )
        left = [one for one in found.items if one["id"] not in applied]
        if left or found.next is None:
            return found.of(left)
        cursor = found.next


async def _choose(request: Request, desk: Desk) -> Response:
    """The villages of a township, and which of them have somebody in post."""
    villages = await run_in_threadpool(_villages, desk.caller)
    return await desk.show(request, "applying_villages.html", villages=villages)


def _villages(caller: Caller) -> list[dict[str, Any]]:
    found = []
    with caller.system.reader() as db:
        for area in caller.areas(ApplyOnBehalf.roles):
            found += [
                {**one, "township": area}
                for one in children(db, area)
                if one["level"] == AreaLevel.VILLAGE and not one["abolished_on"]
            ]
    return [{**one, "in_post": _in_post(caller, UUID(one["id"]))} for one in found[:MOST_VILLAGES]]


def _in_post(caller: Caller, village: UUID) -> bool:
    """Whether somebody can report for the village today (`VillageInPost`)."""
    world = caller.system.store.world()
    with caller.system.reader() as db:
        world.officers = officers_in(db, village)
    return refusal_of(check_nobody_in_post, world, village) is not None
