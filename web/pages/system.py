"""System 系统: how the house stands, for its administrators, and what somebody has to do.

What the server finds when it looks is of the process that answers; it looks again when an
administrator comes an hour later, or asks.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.checkup import STALE, told
from api.house import limits_told, process_told, whole
from api.logged_in import logged_in
from api.problems import ApiProblem
from api.upkeep import administrators_only, begin_backup, begun
from projections.asking.ledger_books import ledger
from projections.asking.season_openings import season_openings
from web.pages.passwords import own_form, words_for
from web.paging import ROWS, Leaf, Turned, book_of
from web.parts import AtDesk, Desk, url

router = APIRouter(include_in_schema=False)

Skipped = Annotated[int, Query(ge=0, le=10**6)]


@router.get("/system")
async def system(request: Request, desk: AtDesk) -> Response:
    await administrators_only(desk.caller)
    desk.caller.system.checkup.begin_if_older(STALE)
    await _look_after_a_backup(desk)
    return await _page(request, desk)


async def _look_after_a_backup(desk: Desk) -> None:
    """What was found before the last backup may say that there is none: look again."""
    looked, last = desk.caller.system.checkup.standing.at, (await _backups(desk))["last"]
    if looked is not None and last is not None and last["at"] > looked:
        desk.caller.system.checkup.begin()


async def _page(request: Request, desk: Desk, *, sentence: str = "", status: int = 200) -> Response:
    return await desk.show(
        request,
        "system.html",
        status=status,
        sentence=sentence,
        checkup=_checkup(desk),
        watched=await run_in_threadpool(whole, desk.caller.system),
        backups=await _backups(desk),
    )


def _checkup(desk: Desk) -> dict[str, Any]:
    return told(desk.caller.system.checkup)


@router.get("/system/checkup")
async def checkup(request: Request, desk: AtDesk) -> Response:
    """The part of the page that tells what was found: fetched anew while a look goes on."""
    await administrators_only(desk.caller)
    return await desk.show(request, "system_checkup.html", checkup=_checkup(desk))


async def _backups(desk: Desk) -> dict[str, Any]:
    here = desk.caller.system
    return await run_in_threadpool(here.backups.told, here.store)


@router.get("/system/backups")
async def backups(request: Request, desk: AtDesk) -> Response:
    """What is known of backups: fetched anew while one is made."""
    await administrators_only(desk.caller)
    return await desk.show(request, "system_backups.html", backups=await _backups(desk))


@router.post("/system/backups")
async def back_up(request: Request, desk: AtDesk) -> Response:
    return await _pressed(
        request, desk, partial(begin_backup, desk.caller.system.backups), "/system#backups"
    )


@router.post("/system/checkups")
async def look_again(request: Request, desk: AtDesk) -> Response:
    return await _pressed(request, desk, partial(begun, desk.caller.system.checkup), "/system")


async def _pressed(request: Request, desk: Desk, begin: Callable[[], None], then: str) -> Response:
    """Begin it for an administrator and go on to ``then``, or say why it does not begin."""
    await administrators_only(desk.caller)
    await own_form(request, desk)
    try:
        begin()
    except ApiProblem as problem:
        said = words_for(request, problem.problem)
        return await _page(request, desk, sentence=said, status=problem.problem.status)
    return RedirectResponse(then, 303)


@router.get("/system/process")
async def process(request: Request, desk: AtDesk) -> Response:
    """What runs here, how far each board has come, what is parked since when."""
    await administrators_only(desk.caller)
    found = await run_in_threadpool(process_told, desk.caller.system)
    return await desk.show(request, "system_process.html", process=found)


@router.get("/system/limits")
async def limits(request: Request, desk: AtDesk) -> Response:
    """Each limit in words, where it is set, and whether it was lately reached."""
    await administrators_only(desk.caller)
    found = await run_in_threadpool(limits_told, desk.caller.system)
    rows = [{**one, "last": _moment(one["last_at"])} for one in found]
    rows.sort(key=lambda one: not one["reached"])
    return await desk.show(request, "system_limits.html", rows=rows)


@router.get("/system/sessions")
async def sessions(request: Request, desk: AtDesk, skip: Skipped = 0) -> Response:
    """Who of the administrator's areas is logged in, page by page."""
    found = await run_in_threadpool(logged_in, desk.caller, None, skip=skip, limit=ROWS)
    count = len(found["items"])
    leaf = Leaf(
        first=min(skip + 1, found["total"]),
        last=skip + count,
        previous=url("/system/sessions", skip=max(0, skip - ROWS)) if skip else "",
        next=url("/system/sessions", skip=found["next"]) if found["next"] else "",
        total=found["total"],
        book="",
    )
    return await desk.show(request, "system_sessions.html", found=found, leaf=leaf)


@router.get("/system/seasons")
async def seasons(request: Request, desk: AtDesk, turn: Turned) -> Response:
    """Seasons that were opened: by whom, for which dates, by which rules."""
    found = await desk.ask(season_openings, cursor=turn.cursor, limit=ROWS)
    return await desk.show(
        request,
        "system_seasons.html",
        rows=found.items,
        leaf=turn.leaf(found, "/system/seasons", book=book_of("season-openings")),
        ledger=desk.may_ask(ledger),
    )


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def pressing(desk: Desk) -> int:
    """How many findings need an administrator now, as far as this process knows."""
    errand = desk.caller.system.checkup
    errand.begin_if_older(STALE)
    found = errand.standing.result
    return found.pressing if found is not None else 0
