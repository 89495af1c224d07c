"""The review queue: reports from below with what they change, and all else that waits for me."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.auth import Caller
from domain.world import Role
from projections.report_queries import situation_report
from projections.reviews import review_queue
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


def _roles(caller: Caller) -> frozenset[Role]:
    return caller.roles() - {Role.ADMINISTRATOR}


async def _queue(desk: Desk, exercise: bool) -> dict[str, Any]:
    waiting = await waiting_for(desk, exercise=exercise)
    reports = [row for row in waiting if (row["kind"], row["step"]) == ("report", "review")]
    for row in reports[:AT_MOST]:
        row["report"] = await desk.ask(situation_report, report=UUID(row["subject"]))
    return {
        "reports": [row for row in reports[:AT_MOST] if row["report"]["review"] == "pending"],
        "more": max(0, len(reports) - AT_MOST),
        "others": [row for row in waiting if row not in reports],
    }
