"""The rosters 台账 of a report: people and homes, their sums beside the figures of the report."""

from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.rosters import KINDS, roster_of
from domain.commands.rosters import RecordCasualty, RecordHouseDamage
from domain.report_filing import Review
from projections.asking.report_queries import situation_report
from web.acting import acts_of, begin_of
from web.figures import names_for
from web.paging import ROWS, Leaf, Turn, Turned, book_of
from web.parts import AtDesk, Desk, moment_of, url
from web.render import language_of
from web.reporting import place_of, show

router = APIRouter(include_in_schema=False)

FIGURES: Final = {
    "casualties": ("dead", "missing", "injured", "severely_injured"),
    "houses": tuple(
        f"{grade}_{unit}"
        for grade in ("collapsed", "severely_damaged", "slightly_damaged")
        for unit in ("households", "dwelling_rooms")
    ),
}
"""The figures that a roster is behind."""


@router.get("/report/{report}/casualties")
async def casualties(request: Request, desk: AtDesk, turn: Turned, report: UUID) -> Response:
    return await _roster(request, desk, turn, report, "casualties")


@router.get("/report/{report}/houses")
async def houses(request: Request, desk: AtDesk, turn: Turned, report: UUID) -> Response:
    return await _roster(request, desk, turn, report, "houses")


async def _roster(request: Request, desk: Desk, turn: Turn, report: UUID, which: str) -> Response:
    found = await desk.ask(situation_report, report=report)
    told = await run_in_threadpool(roster_of, desk.caller, report, which, turn.before, ROWS)
    area, at = UUID(found["area"]), moment_of(found["occurred_at"])
    assert at is not None
    names = await run_in_threadpool(names_for, desk.caller, area, at, language_of(request))
    for row in told["rows"]:
        row["area_name"] = (await run_in_threadpool(place_of, desk.caller, UUID(row["area"]))).name
        row["acts"] = await acts_of(request, desk, KINDS[which], row["id"], each=True, row=row)
    command = RecordCasualty if which == "casualties" else RecordHouseDamage
    begin = None
    if found["review"] != Review.WITHDRAWN:
        begin = await begin_of(request, desk, command, report=report, area=found["area"])
    return await show(
        request,
        desk,
        "roster.html",
        names=names,
        report=found,
        which=which,
        rows=told["rows"],
        sums=_sums(found["figures"], told["counted"], FIGURES[which]),
        leaf=_leaf(report, which, turn.before, len(told["rows"]), told["total"]),
        begin_row=begin,
    )


def _sums(
    figures: dict[str, str | None], counted: dict[str, int], keys: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Of each figure what the report says (None: not known), what the rows come to, and by how much
    the report has more; only those that one of the two names."""
    rows = []
    for key in keys:
        said, listed = figures.get(key), counted.get(key, 0)
        if said is None and not listed:
            continue
        by = Decimal(said) - listed if said is not None else None
        rows.append({"key": key, "said": said, "listed": str(listed), "by": by})
    return rows


def _leaf(report: UUID, which: str, before: int, count: int, total: int) -> Leaf:
    path = f"/report/{report}/{which}"
    return Leaf(
        before + 1,
        before + count,
        url(path, before=before - ROWS) or path if before else "",
        url(path, before=before + count) if before + count < total else "",
        total,
        book_of(f"rosters/{report}/{which}"),
    )
