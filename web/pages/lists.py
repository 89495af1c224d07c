"""Village lists 村级名册: the steps as a picture, notices, objections, households, who may go on.

The public notice 公示 is a page of its own, masked, made to be printed and hung up.
"""

from dataclasses import replace
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth import Caller
from api.known_at import position_asked
from domain.commands.notices import PostNotice, PostSecondNotice, WithdrawNotice
from domain.commands.payments import AllocateList, PayList
from domain.commands.revealing import RevealObjection
from domain.commands.village_lists import (
    AppraiseList,
    ApproveList,
    CloseList,
    RaiseObjection,
    ReviewList,
    SettleObjection,
)
from domain.list_checks import ALLOCATABLE
from domain.notice import Notice
from domain.refusal import NotFound
from domain.relief_case import ReliefCase
from domain.season import Season
from domain.village_list import VillageList
from domain.world import Command
from projections.asking.ledger_books import household, ledger
from projections.lists import village_list, village_lists
from projections.notices import notice, notices
from projections.seasons import seasons
from web.acting import Act, Acts, acts_of
from web.hung import as_it_hung
from web.i18n import catalog
from web.pages.households import history
from web.pages.rulebooks import unsure_here
from web.paging import ROWS, Turned, book_of
from web.parts import MOST_SEASONS, AtDesk, Desk
from web.render import language_of

router = APIRouter(include_in_schema=False)

USED = ("standards", "notices", "household_kinds")
"""Rules that lists go by: amounts, how long notices hang, kinds of households."""
SETTLED_HERE = 20
"""Open objections that have their forms on the page; the others follow as these are settled."""
NEXT: dict[str, type[Command]] = {
    "applied": AppraiseList,
    "listed": AppraiseList,
    "appraised": AppraiseList,
    "first_notice": PostNotice,
    "reviewed": ReviewList,
    "approved": ApproveList,
    "allocated": AllocateList,
    "second_notice": PostSecondNotice,
    "paid": PayList,
    "closed": CloseList,
}
"""Step of a list → the command that does it."""
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
        leaf=turn.leaf(
            found,
            "/lists",
            book=book_of("lists", season=season, status=status),
            season=season,
            status=status,
        ),
        chosen=status,
        season=season,
        stages=STAGES,
        unsure=await unsure_here(request, desk, None, *USED),
    )


@router.get("/lists/{id}")
async def one_list(request: Request, desk: AtDesk, id: UUID, turn: Turned) -> Response:
    parts_left = await run_in_threadpool(parts_left_on, desk.caller, id)
    found = await desk.ask(village_list, village_list=id)
    cases = await desk.ask(ledger, village_list=id, cursor=turn.cursor, limit=ROWS)
    return await desk.show(
        request,
        "list.html",
        one=found,
        steps=steps(found, parts_left=bool(parts_left)),
        hangs=await _hangs(desk, found),
        cases=cases,
        open_households=await desk.reached(
            household,
            (row["household"] for row in (*cases.items, *found["objection_lines"])),
        ),
        leaf=turn.leaf(
            cases,
            f"/lists/{id}",
            book=book_of("list", village_list=id),
            total=found["households"],
            anchor="rows-title",
        ),
        may_read=desk.may(RevealObjection, found["area"]),
        made=await _acts(request, desk, found, parts_left),
        parts_left=parts_left,
        settling=await _settling(request, desk, found),
        unsure=await unsure_here(request, desk, UUID(found["area"]), *USED),
        not_over=await run_in_threadpool(_not_over, desk, id),
        story=[fact for fact in await history(request, desk, id) if fact["kind"] != "ReliefCase"],
    )


async def _hangs(desk: AtDesk, one: dict[str, Any]) -> bool:
    """Whether the notice that was last posted hangs now: it does no longer after its days."""
    if not one["showing"]:
        return False
    asked: dict[str, Any] = {
        "village_list": UUID(one["id"]),
        "notice": Notice(one["showing"]),
        "at": desk.now,
    }
    return bool((await desk.ask(notice, **asked))["hanging"])


@router.get("/lists/{id}/notice/{kind}")
async def one_notice(
    request: Request, desk: AtDesk, id: UUID, kind: str, group: str = ""
) -> Response:
    """``group``: the lines of one villagers' group only, to be hung up there."""
    if kind not in set(Notice):
        raise NotFound(kind="Notice", id=id)
    found = await desk.ask(notice, village_list=id, notice=kind, at=desk.now)
    if not found["hanging"]:
        found = await run_in_threadpool(as_it_hung, desk.caller, id, kind)
    if found is None:
        raise NotFound(kind="Notice", id=id)
    groups = _groups_of(found)
    group = group if group in groups else ""
    lines = [line for line in found["lines"] if group in ("", line["village_group"])]
    return await desk.show(
        request,
        "notice.html",
        one=found,
        lines=lines,
        groups=groups,
        group=group,
        kind=kind,
        not_over=await run_in_threadpool(_not_over, desk, id),
    )


@router.get("/notices")
async def hanging(request: Request, desk: AtDesk, turn: Turned) -> Response:
    here, _ = await desk.ask_all(seasons, most=MOST_SEASONS)
    known = {one["id"]: one for one in here}
    found = await desk.ask(notices, at=desk.now, cursor=turn.cursor, limit=ROWS)
    leaf = turn.leaf(found, "/notices", book=book_of("notices"))
    unsure = await unsure_here(request, desk, None, "notices")
    return await desk.show(
        request, "notices.html", rows=found.items, leaf=leaf, seasons=known, unsure=unsure
    )


def _groups_of(found: dict[str, Any]) -> list[str]:
    """The villagers' groups on a notice, in its order."""
    return list(
        dict.fromkeys(one["village_group"] for one in found["lines"] if one["village_group"])
    )


def _not_over(desk: Desk, id: UUID) -> bool:
    """Whether a notice of the list was posted by rules that nobody had confirmed."""
    found = desk.caller.system.store.load(id, position=position_asked())
    return isinstance(found, VillageList) and not found.unsure.keys().isdisjoint(found.notices)


async def _acts(request: Request, desk: Desk, one: dict[str, Any], parts_left: int) -> Acts:
    """What may be done to the list; objections that wait are settled one by one (`_settling`)."""
    nothing = 0 if one["allocated_at"] else one["households"]
    steps = one["season_steps"]
    made = await acts_of(
        request,
        desk,
        "village-lists",
        one["id"],
        leave_out=(
            RevealObjection,
            *((SettleObjection,) if one["open_objections"] else ()),
            *_of_no_notice(steps),
        ),
        first=_next_step(one, bool(parts_left)),
        one=one,
        village=one["area"],
        needs_minutes="appraisal" in steps and not one["appraised_on"],
        nothing_granted=nothing,
        leaves_out=bool(parts_left or nothing),
        said={"name": one["village_name"], **_afterwards(request, steps)},
    )
    return replace(
        made,
        open=tuple(_as_run(request, act, steps) for act in made.open),
        closed=tuple(replace(one, key=_name(one.key, steps)) for one in made.closed),
    )


def _of_no_notice(steps: list[str]) -> tuple[type[Command], ...]:
    """What belongs to notices that the programme does not post: no page of it speaks of them."""
    first, second = "first_notice" in steps, "second_notice" in steps
    both = () if first or second else (WithdrawNotice, RaiseObjection, SettleObjection)
    return (
        *(() if first else (PostNotice,)),
        *(() if second else (PostSecondNotice,)),
        *both,
    )


SAID_OTHERWISE: dict[str, tuple[str, str]] = {
    "appraise_list": ("draw_up_list", "first_notice"),
    "appraise_on_behalf": ("draw_up_on_behalf", "first_notice"),
    "return_list": ("return_list", "first_notice"),
    "allocate_list": ("allocate_list", "second_notice"),
}
"""Acts whose words speak of a meeting or a notice → their name where the programme has none, and
the step without which their sentence about what takes them back is another."""


def _name(key: str, steps: list[str]) -> str:
    return key if "appraisal" in steps or key not in SAID_OTHERWISE else SAID_OTHERWISE[key][0]


def _as_run(request: Request, act: Act, steps: list[str]) -> Act:
    """An act in words that fit how the programme is run."""
    if act.key not in SAID_OTHERWISE:
        return act
    _, notice = SAID_OTHERWISE[act.key]
    t, undo = catalog(language_of(request)).t, act.key.replace("on_behalf", "list")
    meets = "appraisal" in steps or act.key not in ("appraise_list", "appraise_on_behalf")
    return replace(
        act,
        key=_name(act.key, steps),
        undo=act.undo if notice in steps else t("list.undo_" + undo),
        none=act.none
        if meets
        else {**(act.none or {}), "verdicts": t("list.nobody_applied_unmet")},
    )


def _afterwards(request: Request, season_steps: list[str]) -> dict[str, str]:
    """What comes after a step, which programmes without a notice or a review have otherwise."""
    t = catalog(language_of(request)).t
    drawn_up = "approved"
    if "first_notice" in season_steps:
        drawn_up = "posted"
    elif "township_review" in season_steps:
        drawn_up = "reviewed"
    again = "second_notice" in season_steps
    return {
        "after_appraisal": t("list.next_" + drawn_up),
        "after_approval": t("list.next_allocated_posted" if again else "list.next_allocated"),
        "after_allocation": t("list.next_posted_again" if again else "list.next_paid"),
    }


def parts_left_on(caller: Caller, id: UUID) -> int:
    """Households of the list with parts that nobody has granted: by the month, by the ten days or
    by milestones."""
    logged = caller.system.store.load(id, position=position_asked())
    if not isinstance(logged, VillageList) or logged.stage not in ALLOCATABLE:
        return 0
    world = caller.system.store.world(position_asked())
    season = world.get(Season, logged.season)
    if not season.terms.in_parts:
        return 0
    cases = (world.get(ReliefCase, id) for id in logged.cases)
    return sum(1 for case in cases if case.parts_left(season.terms.rate(case.need.rate)))


async def _settling(request: Request, desk: Desk, one: dict[str, Any]) -> dict[str, Acts]:
    """The form, or why there is none, of each open objection."""
    waiting = [said for said in one["objection_lines"] if said["status"] == "open"]
    return {
        said["objection"]: await acts_of(
            request,
            desk,
            "village-lists",
            one["id"],
            only=(SettleObjection,),
            each=True,
            part=said["objection"],
            one=one,
            objection=said["objection"],
        )
        for said in waiting[:SETTLED_HERE]
    }


def _next_step(one: dict[str, Any], parts_left: bool) -> type[Command] | None:
    """The step that the list waits for; whether it is open now, its command says."""
    way = steps(one, parts_left=parts_left)
    names = [name for name, state, _ in way if state != "done" and name != "objections"]
    return NEXT[names[0]] if names else None


NEEDS = {
    "appraised": "appraisal",
    "first_notice": "first_notice",
    "objections": "first_notice",
    "reviewed": "township_review",
    "second_notice": "second_notice",
}
"""Step of a list → the step of a programme without which it is none."""


def steps(one: dict[str, Any], *, parts_left: bool = False) -> list[tuple[str, str, str | None]]:
    """The way of a list by its programme: (step, done | now | open | skipped, when). One step is
    under way at a time; a list may be closed without money. Applications are a step while nobody
    is on the list; where a programme holds no meeting, households are put on it. ``parts_left``:
    what was granted was a part; after it went out the next one is allocated."""
    objections = one["objections"] > 0
    listed = one["households"] > 0 or one["status"] != "draft"
    way: list[tuple[str, Any]] = [
        *([] if listed else [("applied", one["applied"])]),
        ("listed", listed),
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
    meets = "appraisal" in one["season_steps"]
    way = [
        step
        for step in way
        if NEEDS.get(step[0]) in (None, *one["season_steps"])
        and not (meets and step[0] == "listed")
    ]
    names = [name for name, _ in way]
    now = max((n for n, (_, at) in enumerate(way) if at), default=-1) + 1
    if one["allocated_at"] and not one["closed_at"]:
        now = names.index(_of_delivery(one, names, parts_left))
    found: list[tuple[str, str, str | None]] = []
    for n, (name, at) in enumerate(way):
        state = "done" if n < now else "now" if n == now else "open"
        if name == "objections" and one["open_objections"]:
            state = "now"
        if one["closed_at"] and not at and name in ("allocated", "second_notice", "paid"):
            state = "skipped"
        when = at if name not in ("applied", "listed", "objections") and state == "done" else None
        found.append((name, state, when))
    return found


def _of_delivery(one: dict[str, Any], names: list[str], parts_left: bool) -> str:
    """The step under way of a list with amounts: what was paid to some is not paid to all, and
    amounts set after a notice or a payment take theirs again."""
    if not one["under_way"]:
        return "allocated" if parts_left else "closed"
    return "second_notice" if "second_notice" in names and not one["second_posted_at"] else "paid"
