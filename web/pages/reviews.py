"""The review queue: reports from below with what they change, and all else that waits for me."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.auth import Caller
from domain.world import Role
from projections.asking.report_queries import situation_report
from projections.reviews import review_counts, review_queue
from web.parts import AtDesk, Desk
from web.reporting import show

router = APIRouter(include_in_schema=False)

AT_MOST = 30
"""Reports with all their differences on one page; the longest waiting first."""

WHERE = {
    "report": "/report/{}",
    "village_list": "/lists/{}",
    "consignment": "/stock/consignments/{}",
}
"""Where a waiting thing is dealt with."""


@router.get("/review")
async def review(request: Request, desk: AtDesk, exercise: bool = False) -> Response:
    """What waits for my roles, the longest waiting first."""
    return await show(
        request, desk, "reviews.html", exercise=exercise, **await _queue(desk, exercise)
    )


@router.get("/review/rows")
async def review_rows(request: Request, desk: AtDesk, exercise: bool = False) -> Response:
    """The live part of the queue."""
    return await show(
        request, desk, "reviews_rows.html", exercise=exercise, **await _queue(desk, exercise)
    )


async def waiting_for(desk: Desk, *, exercise: bool = False) -> list[dict[str, Any]]:
    """Everything that waits for one of the caller's roles, the longest waiting first."""
    found: list[dict[str, Any]] = []
    for role in sorted(_roles(desk.caller)):
        page = await desk.ask(review_queue, role=str(role), exercise=exercise, limit=200)
        found += page.items
    for row in found:
        row["href"] = WHERE[row["kind"]].format(row["subject"])
    return sorted(found, key=lambda row: (row["since"], row["subject"]))


async def counted_for(desk: Desk, *, exercise: bool = False) -> dict[tuple[str, str], Any]:
    """How many of each kind and step wait for the caller's roles, and since when: all of them."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for role in sorted(_roles(desk.caller)):
        answer = await desk.ask(review_counts, role=str(role), exercise=exercise)
        for one in answer["counts"]:
            line = found.setdefault((one["kind"], one["step"]), one | {"count": 0})
            line["count"] += one["count"]
            line["since"] = min(line["since"], one["since"])
    return found


def _roles(caller: Caller) -> frozenset[Role]:
    return caller.roles() - {Role.ADMINISTRATOR}


async def _queue(desk: Desk, exercise: bool) -> dict[str, Any]:
    waiting = await waiting_for(desk, exercise=exercise)
    reports = [row for row in waiting if (row["kind"], row["step"]) == ("report", "review")]
    for row in reports[:AT_MOST]:
        row["report"] = await desk.ask(situation_report, report=UUID(row["subject"]))
    counts = await counted_for(desk, exercise=exercise)
    of_reports = counts.get(("report", "review"), {"count": 0})["count"]
    others = [row for row in waiting if row not in reports]
    of_others = sum(one["count"] for one in counts.values()) - of_reports
    return {
        "reports": [row for row in reports[:AT_MOST] if row["report"]["review"] == "pending"],
        "total": of_reports,
        "more": max(0, of_reports - AT_MOST),
        "others": others,
        "more_others": max(0, of_others - len(others)),
    }
