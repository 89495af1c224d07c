"""The review queue: reports from below with what they change, and all else that waits for me."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth import Caller
from domain.world import Role
from projections.areas import children
from projections.asking.paging import Page
from projections.asking.report_queries import situation_report
from projections.reviews import review_counts, review_queue
from web.paging import Turn, Turned, book_of
from web.parts import AtDesk, Desk, url
from web.reporting import show

router = APIRouter(include_in_schema=False)

CARDS = 10
"""On one page, in place of `web.paging.ROWS`: each is decided about, and taller than a row."""

LOOKED_OVER = (("report", "review"), ("report", "issue"))
"""Reports that are accepted, from below, or issued: the own of the seat of the store."""

WHERE = {
    "report": "/report/{}",
    "village_list": "/lists/{}",
    "consignment": "/stock/consignments/{}",
}
"""Where a waiting thing is dealt with."""


@router.get("/review")
async def review(request: Request, desk: AtDesk, turn: Turned, exercise: bool = False) -> Response:
    """What waits for my roles: reports to review first, of each the longest waiting first."""
    return await show(request, desk, "reviews.html", **await _queue(desk, turn, exercise))


@router.get("/review/rows")
async def review_rows(
    request: Request, desk: AtDesk, turn: Turned, exercise: bool = False
) -> Response:
    """The live part of the queue: the same page of it."""
    return await show(request, desk, "reviews_rows.html", **await _queue(desk, turn, exercise))


async def counted_for(desk: Desk, *, exercise: bool | None = None) -> dict[tuple[str, str], Any]:
    """How many of each kind and step wait for the caller's roles, and since when: all of them.

    ``exercise`` None: what is usual in this store.
    """
    if not roles_said(desk.caller):
        return {}
    answer = await desk.ask(review_counts, role=roles_said(desk.caller), exercise=exercise)
    return {(one["kind"], one["step"]): one for one in answer["counts"]}


async def waiting_for(desk: Desk, **asked: Any) -> Page:
    """What waits for one of the caller's roles, with where it is dealt with."""
    if not roles_said(desk.caller):
        return Page([])
    found: Page = await desk.ask(review_queue, role=roles_said(desk.caller), **asked)
    for row in found.items:
        row["href"] = WHERE[row["kind"]].format(row["subject"])
    return found


def roles_said(caller: Caller) -> str:
    """The caller's posts as the queue takes them; an administrator decides about nothing in it."""
    return ",".join(sorted(caller.roles() - {Role.ADMINISTRATOR}))


async def _queue(desk: Desk, turn: Turn, exercise: bool) -> dict[str, Any]:
    asked = {"exercise": exercise or None, "reports_first": True, "limit": CARDS}
    found = await waiting_for(desk, cursor=turn.cursor, **asked)
    if turn.cursor and not found.items:  # all of that page has been dealt with
        turn = Turn(None, 0)
        found = await waiting_for(desk, **asked)
    for row in found.items:
        if _to_review(row):
            row["report"] = await desk.ask(situation_report, report=UUID(row["subject"]))
            row["parts"] = await run_in_threadpool(_names_of_parts, desk.caller, row["report"])
    counts = await counted_for(desk, exercise=exercise or None)
    total = sum(one["count"] for one in counts.values())
    of_reports = sum(counts[key]["count"] for key in LOOKED_OVER if key in counts)
    said = {"exercise": "true" if exercise else "", "cursor": turn.cursor}
    leaf = turn.leaf(
        found,
        "/review",
        book=book_of("reviews", exercise=said["exercise"]),
        rows=CARDS,
        total=total,
        exercise=said["exercise"],
    )
    return {
        "reports": [r for r in found.items if _to_review(r) and r["report"]["review"] == "pending"],
        "total": of_reports,
        "others": [row for row in found.items if not _to_review(row)],
        "of_others": total - of_reports,
        "leaf": leaf,
        "here": url("/review", **said, before=turn.before),
        "rows_here": url("/review/rows", **said, before=turn.before),
        "exercise": exercise,
        "me": str(desk.caller.officer.id),
    }


def _names_of_parts(caller: Caller, report: dict[str, Any]) -> dict[str, str]:
    """Names of the areas that the current version gives shares of, by id."""
    if not report["versions"][-1]["split"]:
        return {}
    with caller.system.reader() as db:
        return {row["id"]: row["name"] for row in children(db, UUID(report["area"]))}


def _to_review(row: dict[str, Any]) -> bool:
    return (row["kind"], row["step"]) in LOOKED_OVER
