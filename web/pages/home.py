"""Home: what waits for me, what is overdue, and the way to my desks."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from projections.deadlines_at import deadlines
from projections.report_queries import situation_report
from web.pages.reviews import waiting_for
from web.pages.situation import REPORT_KINDS
from web.parts import AtDesk, Desk
from web.reporting import show

router = APIRouter(include_in_schema=False)

SHOWN = 6


@router.get("/")
async def home(request: Request, desk: AtDesk) -> Response:
    """Counts of what waits for my roles, by step, and the reports that are overdue."""
    waits: list[dict[str, Any]] = []
    overdue: list[dict[str, Any]] = []
    if desk.may_ask(situation_report) and desk.caller.officer.suspended is None:
        waits = _counted(await waiting_for(desk))
        overdue = await _overdue(desk)
    return await show(request, desk, "home.html", waits=waits, overdue=overdue, shown=SHOWN)


def _counted(waiting: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One line a kind of step: how many, since when, and where to go."""
    found: dict[str, dict[str, Any]] = {}
    for row in waiting:
        key = f"{row['kind']}_{row['step']}"
        line = found.setdefault(key, {"key": key, "count": 0, "since": row["since"]})
        line["count"] += 1
        line["href"] = row["href"] if line["count"] == 1 else "/review"
    for line in found.values():
        if line["key"] == "report_review":
            line["href"] = "/review"
    return list(found.values())


async def _overdue(desk: Desk) -> list[dict[str, Any]]:
    found = await desk.ask(deadlines, at=desk.now, overdue_only=True, limit=1000)
    # What is "missing" has been overtaken by a later report: nobody can still send it.
    owed = [row for row in found.items if row["state"] == "overdue"]
    return [row for row in owed if row["kind"] in REPORT_KINDS]
