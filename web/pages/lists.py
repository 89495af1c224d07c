"""Village lists 村级名册: the steps as a picture, notices, objections, households, who may go on.

The public notice 公示 is a page of its own, masked, made to be printed and hung up.
"""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from domain.commands.payments import PayList
from domain.commands.village_lists import (
    ApproveList,
    CloseList,
    PostNotice,
    PostSecondNotice,
    RaiseObjection,
    ReturnList,
    ReviewList,
    SettleObjection,
    WithdrawNotice,
)
from domain.lateness import IN_TIME
from domain.notice import Notice, ObjectionKind
from domain.refusal import NotFound
from domain.village_list import VillageList
from domain.world import Command
from projections.asking.ledger_books import ledger
from projections.lists import village_list, village_lists
from projections.notices import notice, notices
from projections.seasons import seasons
from web.hung import as_it_hung
from web.pages.households import history
from web.pages.rulebooks import unsure_here
from web.paging import ROWS, Turned
from web.parts import AtDesk, Desk, moment_of

router = APIRouter(include_in_schema=False)

USED = ("standards", "notices", "household_kinds")
"""Rules that lists go by: amounts, how long notices hang, kinds of households."""
STAGES = ("", "draft", "reviewed", "approved", "allocated", "closed")


@router.get("/lists")
async def all_lists(
    request: Request,
    desk: AtDesk,
    turn: Turned,
    season: UUID | None = None,
    status: str = "",
) -> Response:
    found = await desk.ask(
        village_lists, season=season, status=status or None, cursor=turn.cursor, limit=ROWS
    )
    rows = [{**row, "steps": steps(row)} for row in found.items]
    return await desk.show(
        request,
        "lists.html",
        rows=rows,
        leaf=turn.leaf(found, "/lists", season=season, status=status),
        chosen=status,
        season=season,
        stages=STAGES,
        unsure=await unsure_here(request, desk, None, *USED),
    )


@router.get("/lists/{id}")
async def one_list(request: Request, desk: AtDesk, id: UUID, turn: Turned) -> Response:
    found = await desk.ask(village_list, village_list=id)
    cases = await desk.ask(ledger, village_list=id, cursor=turn.cursor, limit=ROWS)
    return await desk.show(
        request,
        "list.html",
        one=found,
        steps=steps(found),
        cases=cases,
        leaf=turn.leaf(cases, f"/lists/{id}", total=found["households"], anchor="rows-title"),
        may=_rights(desk, found),
        kinds=list(ObjectionKind),
        unsure=await unsure_here(request, desk, UUID(found["area"]), *USED),
        not_over=await run_in_threadpool(_not_over, desk, id),
        story=[fact for fact in await history(request, desk, id) if fact["kind"] != "ReliefCase"],
    )


@router.get("/lists/{id}/notice/{kind}")
async def one_notice(request: Request, desk: AtDesk, id: UUID, kind: str) -> Response:
    if kind not in set(Notice):
        raise NotFound(kind="Notice", id=id)
    found = await desk.ask(notice, village_list=id, notice=kind, at=desk.now)
    if not found["hanging"]:
        found = await run_in_threadpool(as_it_hung, desk.caller, id, kind)
    if found is None:
        raise NotFound(kind="Notice", id=id)
    not_over = await run_in_threadpool(_not_over, desk, id)
    return await desk.show(request, "notice.html", one=found, kind=kind, not_over=not_over)


@router.get("/notices")
async def hanging(request: Request, desk: AtDesk, turn: Turned) -> Response:
    known = {one["id"]: one for one in (await desk.ask(seasons, limit=100)).items}
    found = await desk.ask(notices, at=desk.now, cursor=turn.cursor, limit=ROWS)
    leaf = turn.leaf(found, "/notices")
    unsure = await unsure_here(request, desk, None, "notices")
    return await desk.show(
        request, "notices.html", rows=found.items, leaf=leaf, seasons=known, unsure=unsure
    )


def _not_over(desk: Desk, id: UUID) -> bool:
    """Whether a notice of the list was posted by rules that nobody had confirmed."""
    found = desk.caller.system.store.load(id)
    return isinstance(found, VillageList) and not found.unsure.keys().isdisjoint(found.notices)


def steps(one: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    """The way of a list: (step, done | now | open, when). One step is under way at a time."""
    objections = one["objections"] > 0
    way = [
        ("appraised", one["appraised_on"]),
        ("first_notice", one["first_posted_at"]),
        ("objections", one["first_posted_at"] if objections else None),
        ("reviewed", one["reviewed_at"]),
        ("approved", one["approved_at"]),
        ("allocated", one["allocated_at"]),
        ("second_notice", one["second_posted_at"]),
        ("paid", one["paid_at"]),
        ("closed", one["closed_at"]),
    ]
    reached = max((n for n, (_, at) in enumerate(way) if at), default=-1)
    found: list[tuple[str, str, str | None]] = []
    for n, (name, at) in enumerate(way):
        state = "done" if n <= reached else "now" if n == reached + 1 else "open"
        if name == "objections" and one["open_objections"]:
            state = "now"
        found.append((name, state, at if name != "objections" else None))
    return found


def _rights(desk: Desk, one: dict[str, Any]) -> dict[str, bool]:
    """Which buttons to show: the post allows it and the list's stage may. The command decides."""
    stage, showing = one["status"], one["showing"]
    over = _over(desk, one["first_ends_at"])
    second_over = _over(desk, one["second_ends_at"])

    def may(command: type[Command], fits: bool) -> bool:
        return fits and desk.may(command, one["area"])

    quiet = one["open_objections"] == 0
    return {
        "post": may(PostNotice, stage == "draft" and not one["first_posted_at"] and _listed(one)),
        "post_second": may(PostSecondNotice, stage == "allocated" and not one["second_posted_at"]),
        "withdraw": may(WithdrawNotice, showing is not None),
        "object": may(RaiseObjection, showing is not None),
        "settle": may(SettleObjection, not quiet),
        "review": may(ReviewList, stage == "draft" and over and quiet),
        "send_back": may(ReturnList, stage in ("draft", "reviewed") and _listed(one)),
        "approve": may(ApproveList, stage == "reviewed" and quiet),
        "pay": may(PayList, stage == "allocated" and second_over and quiet),
        "close": may(CloseList, stage in ("approved", "allocated")),
    }


def _listed(one: dict[str, Any]) -> bool:
    return bool(one["households"])


def _over(desk: Desk, ends_at: str | None) -> bool:
    end = moment_of(ends_at)
    held = desk.caller.system.store.clock.held_time
    return end is not None and held.left(end, desk.now) <= IN_TIME
