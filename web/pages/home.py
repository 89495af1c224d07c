"""Home: what waits for me, what is overdue, and the way to my desks."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from domain.commands.reports import ANY_FILER
from domain.commands.reviews import ANY_REVIEWER
from projections.asking.deadlines_at import deadlines
from projections.asking.ending_posts import SOON_DAYS
from projections.asking.report_queries import situation_report
from projections.findings import finding_counts
from projections.officers import officer_counts
from web.pages.officers import ADMINISTRATORS
from web.pages.reviews import LOOKED_OVER, counted_for, waiting_for
from web.pages.rulebooks import calendar_asked, unconfirmed_here, waiting_here
from web.pages.situation import REPORT_KINDS
from web.pages.year_end import ending_soon
from web.parts import AtDesk, Desk
from web.reporting import grouped_dues, owed_by, show

router = APIRouter(include_in_schema=False)

UPWARD = frozenset({"forward_report", "send_upward"})
"""What goes to the level above within an hour or two: told before it is late."""
SHOWN = 6
MOST = 5000
"""Rows of what one area owes that are read at most: years of one report's days."""


@router.get("/")
async def home(request: Request, desk: AtDesk) -> Response:
    """What waits for my roles, by step; overdue reports; figures that do not fit those below; for
    an administrator who was invited and has never logged in."""
    waits: list[dict[str, Any]] = []
    overdue: list[dict[str, Any]] = []
    upward: list[dict[str, Any]] = []
    odd: dict[str, int] = {}
    if desk.may_ask(situation_report) and desk.caller.officer.suspended is None:
        waits = await _counted(desk)
        overdue, upward = await _owed(desk)
        if not ANY_REVIEWER.isdisjoint(desk.caller.roles()):
            odd = (await desk.ask(finding_counts, figures=True, at=desk.now))["counts"]
    people: dict[str, int] = {}
    if not ADMINISTRATORS.isdisjoint(desk.caller.roles()):
        people = await desk.ask(officer_counts, at=desk.now)
        people["ending"] = len((await ending_soon(desk)).items)
        people["ending_days"] = SOON_DAYS
    return await show(
        request,
        desk,
        "home.html",
        waits=waits,
        overdue=overdue,
        upward=upward,
        odd=odd,
        shown=SHOWN,
        people=people,
        rules_waiting=await waiting_here(desk),
        rules_missing=await unconfirmed_here(desk),
        calendar=await calendar_asked(desk),
    )


async def _counted(desk: Desk) -> list[dict[str, Any]]:
    """One line a kind of step: how many there are in all, since when, and where to go."""
    found: list[dict[str, Any]] = []
    counts = await counted_for(desk)
    for (kind, step), one in sorted(counts.items(), key=lambda item: item[1]["since"]):
        href = "/review"
        if one["count"] == 1 and (kind, step) not in LOOKED_OVER:
            alone = await waiting_for(desk, kind=kind, step=step, limit=1)
            href = next((row["href"] for row in alone.items), href)
        line = {"key": f"{kind}_{step}", "count": one["count"], "since": one["since"], "href": href}
        found.append(line)
    return found


async def _owed(desk: Desk) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What the caller's own areas owe, a line a report: what is overdue, and what must go up and
    is not late yet. Who need not act does not see it."""
    found: list[dict[str, Any]] = []
    for area in desk.caller.areas(ANY_FILER):
        for kind in sorted(REPORT_KINDS):
            late = kind not in UPWARD
            rows, _ = await desk.ask_all(
                deadlines, area, itself=area, at=desk.now, kind=kind, overdue_only=late, most=MOST
            )
            found += [row for row in rows if owed_by(desk.caller, row)]
    # What is "missing" has been overtaken by a later report: nobody can still send it.
    overdue, upward = (
        grouped_dues(row for row in found if row["state"] == state) for state in ("overdue", "open")
    )
    return overdue, upward
