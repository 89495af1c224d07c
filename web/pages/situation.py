"""The situation board: figures by division, not reviewed beside accepted, and what is overdue."""

from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.duties import REPORT_KINDS, gathered_dues, grouped_dues, owed_by, told_where_zero_misleads
from api.routes import read_of
from domain.commands.reports import ANY_LISTENER
from domain.report_filing import Review
from domain.rules.base import china_day
from domain.world import Role
from projections.asking.deadlines_at import deadlines
from projections.asking.situation_board import (
    situation_board,
    situation_disasters,
    told_of_areas,
)
from projections.disasters import disasters
from web.figures import MAIN, Known
from web.pages.rulebooks import unsure_here
from web.parts import MOST_DISASTERS, AtDesk, Desk, MaybeDay, MaybeId, url
from web.reporting import show

router = APIRouter(include_in_schema=False)

ROWS = 1000
MOST = 10_000
"""Rows of each kind of duty that one page looks at."""
STRIP = 12
USED = ("deadlines", "indicators", "hazards", "thresholds", "working_days")
"""Rules that this page goes by: due times, questions, names, response levels."""
OVERSEERS = ANY_LISTENER | {Role.AUDITOR}
"""Who sees on the situation page what others have not reported."""


class Asked:
    """Which part of the situation is looked at."""

    def __init__(
        self,
        disaster: MaybeId = None,
        area: MaybeId = None,
        as_of: MaybeDay = None,
        exercise: bool = False,
    ) -> None:
        self.disaster = disaster
        self.area = area
        self.as_of = as_of
        self.exercise = exercise

    @property
    def drills(self) -> bool | None:
        """What the boards are asked for; None: what is usual in this store."""
        return self.exercise or None

    def address(self, path: str, **other: Any) -> str:
        given = {
            "disaster": self.disaster,
            "area": self.area,
            "as_of": self.as_of,
            "exercise": "true" if self.exercise else None,
        }
        return url(path, **(given | other))


Filters = Annotated[Asked, Depends()]


@router.get("/situation")
async def situation(request: Request, desk: AtDesk, asked: Filters) -> Response:
    open_ones, _ = await desk.ask_all(disasters, most=MOST_DISASTERS, exercise=asked.drills)
    context = await situation_parts(desk, asked)
    context["unsure"] = await unsure_here(request, desk, asked.area, *USED)
    context["today"] = china_day(desk.now)
    return await show(request, desk, "situation.html", asked=asked, disasters=open_ones, **context)


@router.get("/situation/board")
async def board(request: Request, desk: AtDesk, asked: Filters) -> Response:
    """The live part: totals, deadlines, the table."""
    context = await situation_parts(desk, asked)
    return await show(request, desk, "situation_board.html", asked=asked, **context)


async def situation_parts(desk: Desk, asked: Asked) -> dict[str, Any]:
    """What situation_board.html shows."""
    board = await desk.ask(
        situation_board,
        asked.area,
        disaster=asked.disaster,
        as_of=asked.as_of,
        exercise=asked.drills,
        limit=ROWS,
    )
    reports = await run_in_threadpool(_told, desk, asked)
    strip, cut_off = await _dues(desk, asked) if _follows_dues(desk) else ([], False)
    separate = await _separate(desk, asked)
    rows = indented(board.items)
    _latest(rows, reports)
    roots = [row for row in rows if row["depth"] == 0]
    overdue = grouped_dues(row for row in strip if row["state"] == "overdue")
    mine = [line for line in overdue if owed_by(desk.caller, line)]
    await run_in_threadpool(told_where_zero_misleads, desk.caller, mine)
    return {
        "rows": rows,
        "root": roots[0] if len(roots) == 1 and len(separate) < 2 else None,
        "apart": len(separate) > 1,
        "years": _years(separate) if len(separate) > 1 else [],
        "parts": _parts(rows, roots) if len(separate) < 2 else [],
        "overdue": len(overdue),
        "mine": mine,
        "theirs": gathered_dues(line for line in overdue if line not in mine),
        "cut_off": cut_off,
        "missing": grouped_dues(row for row in strip if row["state"] == "missing"),
        "coming": [row for row in strip if row["state"] == "open"][:STRIP],
        "truncated": board.next is not None,
    }


def _told(desk: Desk, asked: Asked) -> list[dict[str, Any]]:
    """The reports that the rows of the table say something of."""
    caller = desk.caller
    scope = caller.scope(read_of(situation_board).roles, asked.area)
    drills = caller.system.store.training if asked.drills is None else asked.drills
    with caller.system.reader() as db:
        found = told_of_areas(db, scope.on(db), disaster=asked.disaster, exercise=drills)
    caller.system.store.texts.opened(found)
    return found


def _follows_dues(desk: Desk) -> bool:
    """Whether one of the caller's posts reports, reviews or audits: others need not act."""
    return not OVERSEERS.isdisjoint(desk.caller.roles())


async def _dues(desk: Desk, asked: Asked) -> tuple[list[dict[str, Any]], bool]:
    """What reports owe, of the disaster that is looked at, and whether there is more of it; kind
    by kind, so that none is cut off by another's."""
    found: list[dict[str, Any]] = []
    cut_off = False
    for kind in sorted(REPORT_KINDS):
        rows, more = await desk.ask_all(
            deadlines,
            asked.area,
            at=desk.now,
            kind=kind,
            disaster=asked.disaster,
            exercise=asked.drills,
            most=MOST,
        )
        found += rows
        cut_off = cut_off or more
    return sorted(found, key=lambda row: str(row["due_at"])), cut_off


async def _separate(desk: Desk, asked: Asked) -> list[dict[str, Any]]:
    """The disasters that are on the board together: none, where one was chosen."""
    if asked.disaster is not None:
        return []
    found = await desk.ask(
        situation_disasters, asked.area, as_of=asked.as_of, exercise=asked.drills, limit=ROWS
    )
    items: list[dict[str, Any]] = found.items
    return items


def _years(separate: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The disasters by year, the latest first, each year with its sums in 人次.

    ``twins`` of a row: those that may be the same disaster, whose harm then stands in both.
    """
    by_subject = {row["subject"]: row for row in separate}
    years: dict[str, list[dict[str, Any]]] = {}
    for row in reversed(separate):
        row["twins"] = [by_subject[one] for one in row["maybe_same"] if one in by_subject]
        years.setdefault(str(row["year"]), []).append(row)
    return [
        {
            "year": year,
            "rows": rows,
            "sums": _sum([row["official"]["figures"] for row in rows]),
            "twice": any(row["twins"] for row in rows),
        }
        for year, rows in years.items()
    ]


def indented(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows in the order of the tree, each with its depth in it."""
    known = {row["area"] for row in rows}
    below: dict[str | None, list[dict[str, Any]]] = {}
    for row in rows:
        parent = row["parent"] if row["parent"] in known else None
        below.setdefault(parent, []).append(row)
    found: list[dict[str, Any]] = []

    def walk(parent: str | None, depth: int) -> None:
        for row in below.get(parent, []):
            found.append(row | {"depth": depth})
            walk(row["area"], depth + 1)

    walk(None, 0)
    return found


def _latest(rows: list[dict[str, Any]], reports: list[dict[str, Any]]) -> None:
    """Each row gets the latest of its own area's reports, ``one``, how many there are, ``own``, and
    the figures of those it counts that are returned.

    ``returned`` is None, or the sum of the returned versions alone: what is accepted beside them
    is not part of it.
    """
    own: dict[str, list[dict[str, Any]]] = {}
    for report in reports:
        own.setdefault(report["area"], []).append(report)
    back = {one["report"]: one["figures"] for one in reports if one["review"] == Review.RETURNED}
    for row in rows:
        mine = own.get(row["area"], [])
        row["one"] = next((one for one in mine if one["place"] == 1), None)
        row["own"] = row["one"]["own"] if row["one"] else 0
        row["asks"] = _asks(mine)
        row["returned"] = _sum([back[id] for id in row["reported"]["reports"] if id in back])


def _asks(own: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Open questions about an area's own reports, of the accepted and of the latest version."""
    found = {
        one["rule"]: one
        for report in own
        for one in (*(report["accepted_questions"] or ()), *report["questions"])
    }
    return list(found.values())


def _sum(all_figures: list[Known]) -> Known | None:
    """Figures added up key by key; None of none. A key that nobody knows stays unknown."""
    if not all_figures:
        return None
    total: Known = {}
    for figures in all_figures:
        for key, value in figures.items():
            before = total.get(key)
            known = [Decimal(one) for one in (before, value) if one is not None]
            total[key] = format(sum(known, Decimal(0)), "f") if known else None
    return total


def _parts(rows: list[dict[str, Any]], roots: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows that bars compare: the parts of the one root, or the roots."""
    depth = 1 if len(roots) == 1 else 0
    key = MAIN[0]
    known = [r for r in rows if r["depth"] == depth and r["reported"]["figures"].get(key)]
    return sorted(known, key=lambda r: -float(r["reported"]["figures"][key]))[:STRIP]
