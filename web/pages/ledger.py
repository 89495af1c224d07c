"""Ledger 冬春救助台账 of a season: totals, townships, villages, households; search; CSV; paper.

Names are masked everywhere; the search asks the vault, so a name can be found and is not shown.
"""

from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth import Caller
from api.readings import note_export
from api.reads import sheet
from api.routes import read_of
from domain.area import AreaLevel
from domain.refusal import NotFound
from domain.rules.base import china_day
from projections.areas import AREAS
from projections.asking.ledger_books import household, ledger
from projections.asking.ledger_sums import ledger_by_area, ledger_totals
from projections.asking.paging import Page
from projections.findings import finding_counts, findings, marks_of
from projections.seasons import seasons
from web.figures import grouped
from web.pages.passwords import own_form
from web.pages.sheets import Form, saved_as
from web.paging import ROWS, Leaf, Turn, Turned, book_of
from web.parts import MOST_SEASONS, AtDesk, Desk, MaybeDay, taken_whole, url
from web.render import language_of
from web.typed import (
    ASKED,
    NOTHING_TYPED,
    Typed,
    TypedSearch,
    day_in,
    id_of,
    require_open,
    typed,
)

router = APIRouter(include_in_schema=False)

WHOLE = 1000
"""Rows a question when all are wanted."""

SHEET_ROWS = 60
"""Rows of the paper form on a screen; a county has 16,000. The whole of it is for the printer."""

MOST_NAMED = 20
"""Reports that one finding leads to on its page; those that go on make room for the others."""

LOCAL = (AreaLevel.TOWNSHIP, AreaLevel.VILLAGE)
"""Here the ledger is told by village, above by township."""

STATES = ("", "waiting", "partly", "delivered", "failed", "needed", "refused")
Text = Annotated[str, Query(max_length=100, pattern=r"^[^\x00]*$")]


@dataclass(frozen=True)
class Asked:
    """What of the ledger is looked at: a season, an area of it, a filter, a search; its sums as of
    the end of a day, if one is said."""

    season: UUID | None = None
    area: UUID | None = None
    status: Text = ""
    search: Typed = NOTHING_TYPED
    as_of: date | None = None

    def said(self, **change: Any) -> dict[str, Any]:
        """The parameters of a link to this, changed."""
        kept = {"season": self.season, "area": self.area, "as_of": self.as_of}
        return {**kept, "status": self.status, "search": self.search.sealed, **change}


def asked_of(
    search: TypedSearch,
    season: UUID | None = None,
    area: UUID | None = None,
    status: Text = "",
    as_of: MaybeDay = None,
) -> Asked:
    return Asked(season, area, status, search, as_of)


Asking = Annotated[Asked, Depends(asked_of)]


async def _season(desk: Desk, asked: Asked) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """All seasons here, and the one that was asked for, else the newest cold one."""
    found, _ = await desk.ask_all(seasons, most=MOST_SEASONS)
    if asked.season is not None:
        for one in found:
            if one["id"] == str(asked.season):
                return found, one
        raise NotFound(kind="Season", id=asked.season)
    cold = [one for one in found if one["programme"] == "winter_spring"]
    return found, next(iter(cold or found), None)


async def _rows(
    desk: Desk, asked: Asked, season: UUID, cursor: str | None = None, limit: int | None = None
) -> Page:
    return await run_in_threadpool(_rows_here, desk, asked, season, cursor, limit or ROWS)


def _rows_here(desk: Desk, asked: Asked, season: UUID, cursor: str | None, limit: int) -> Page:
    """`_rows` on a thread that may wait."""
    found: Page = desk.asked(
        ledger,
        asked.area,
        season=season,
        status=asked.status or None,
        search=asked.search.text or None,
        cursor=cursor,
        limit=limit,
    )
    return found


async def _open(desk: Desk, rows: Page) -> frozenset[str]:
    """The households of these rows that the reader may open."""
    return await desk.reached(household, (row["household"] for row in rows.items))


async def _marks(desk: Desk, asked: Asked, rows: Page) -> dict[str, list[str]]:
    """Household → kinds of the open findings of the cases that are shown."""
    store, cases = desk.caller.system.store, [row["id"] for row in rows.items]

    def found() -> dict[str, list[str]]:
        scope = desk.caller.scope(read_of(findings).roles, asked.area)
        with desk.caller.system.reader() as db:
            return marks_of(db, scope, cases=cases, at=desk.now, held=store.clock.held_time)

    return await run_in_threadpool(found)


def _place(caller: Caller, area: UUID) -> dict[str, Any]:
    """Name, code and level of an area; the tree of divisions is public."""
    with caller.system.reader() as db:
        found = db.execute(select(AREAS).where(AREAS.c.id == str(area))).mappings().first()
    if found is None:
        raise NotFound(kind="Area", id=area)
    return dict(found)


async def _head(desk: Desk, asked: Asked) -> dict[str, Any] | None:
    """What stands above the rows: season, place and totals; None where there is no season."""
    known, season = await _season(desk, asked)
    if season is None:
        return None
    root = asked.area or desk.caller.areas(read_of(ledger).roles)[0]
    totals = await desk.ask(
        ledger_totals,
        root,
        county=root,
        programme=season["programme"],
        year=season["year"],
        as_of=asked.as_of,
        exercise=season["exercise"],
    )
    place = await run_in_threadpool(_place, desk.caller, root)
    return {
        "asked": asked,
        "seasons": known,
        "season": season,
        "totals": totals,
        "place": place,
        "today": china_day(desk.now),
        "link": lambda path="/ledger", **change: url(path, **asked.said(**change)),
    }


@router.get("/ledger")
async def the_ledger(request: Request, desk: AtDesk, asked: Asking, turn: Turned) -> Response:
    head = await _head(desk, asked)
    if head is None:
        return await desk.show(request, "ledger_empty.html")
    id, place = UUID(head["season"]["id"]), head["place"]
    level = "village" if place["level"] in LOCAL else "township"
    below = Page([])
    if place["level"] != AreaLevel.VILLAGE:
        below = await desk.ask(
            ledger_by_area, asked.area, season=id, level=level, as_of=asked.as_of, limit=WHOLE
        )
    rows = await _rows(desk, asked, id, turn.cursor)
    return await desk.show(
        request,
        "ledger.html",
        below=below.items,
        level=level,
        rows=rows,
        open_households=await _open(desk, rows),
        states=STATES,
        leaf=_leaf(turn, asked, id, rows),
        marks=await _marks(desk, asked, rows),
        **head,
    )


def _leaf(turn: Turn, asked: Asked, season: UUID, rows: Page) -> Leaf:
    return turn.leaf(
        rows, "/ledger", book=_book(asked, season), anchor="rows-title", **asked.said(season=season)
    )


def _book(asked: Asked, season: UUID) -> str:
    return url("/ledger/xlsx", **asked.said(season=season))


@router.get("/ledger/rows")
async def ledger_rows(
    request: Request, desk: AtDesk, asked: Asking, season: UUID, turn: Turned
) -> Response:
    return await _show_rows(request, desk, asked, season, turn)


@router.post("/ledger/rows")
async def ledger_rows_asked(request: Request, desk: AtDesk) -> Response:
    """The rows for what is typed just now; the address of the page that has them is told beside."""
    form = await own_form(request, desk, acts=False)
    season, area = id_of(form.get("season", "")), id_of(form.get("area", ""))
    if season is None:
        raise NotFound(kind="Season", id=UUID(int=0))
    words = typed(desk.caller.session, form.get("search", ""))
    day = day_in(form.get("as_of", ""))
    asked = Asked(season, area, form.get("status", ""), words, day)
    answer = await _show_rows(request, desk, asked, season, Turn(None, 0))
    answer.headers[ASKED] = url("/ledger", **asked.said())
    return answer


async def _show_rows(
    request: Request, desk: Desk, asked: Asked, season: UUID, turn: Turn
) -> Response:
    rows = await _rows(desk, asked, season, turn.cursor)
    return await desk.show(
        request,
        "ledger_rows.html",
        asked=asked,
        rows=rows,
        open_households=await _open(desk, rows),
        leaf=_leaf(turn, asked, season, rows),
        marks=await _marks(desk, asked, rows),
    )


@router.get("/ledger/paper")
async def paper(
    request: Request, desk: AtDesk, asked: Asking, turn: Turned, whole: bool = False
) -> Response:
    """应急统表10, for A4 landscape: some rows on the screen, all of them when ``whole``."""
    require_open(asked.search)
    head = await _head(desk, asked)
    if head is None:
        return await desk.show(request, "ledger_empty.html")
    season = UUID(head["season"]["id"])
    found = await _rows(desk, asked, season, turn.cursor, WHOLE if whole else SHEET_ROWS)
    said = asked.said(season=season)
    leaf = turn.leaf(found, "/ledger/paper", book=_book(asked, season), rows=SHEET_ROWS, **said)
    context = {**head, "whole": whole, "leaf": leaf, "cut": bool(leaf.previous or leaf.next)}
    if not whole:
        return await desk.show(request, "ledger_paper.html", rows=found.items, **context)
    await note_export(desk.caller.system, desk.caller.id, ledger.__name__, found.items)
    more = partial(_rows_here, desk, asked, season, limit=WHOLE)
    rows = taken_whole(desk, ledger.__name__, found, more)
    return await desk.send(request, "ledger_paper.html", rows=rows, **context)


@router.get("/findings")
async def all_findings(request: Request, desk: AtDesk, turn: Turned, kind: Text = "") -> Response:
    """What an auditor would ask about, by kind."""
    counts = await desk.ask(finding_counts, at=desk.now)
    found = await desk.ask(
        findings,
        kind=kind or None,
        at=desk.now,
        among=counts["counts"],
        cursor=turn.cursor,
        limit=ROWS,
    )
    total = counts["counts"].get(kind, 0) if kind else sum(counts["counts"].values())
    return await desk.show(
        request,
        "findings.html",
        rows=found.items,
        open_households=await _open(desk, found),
        leaf=turn.leaf(
            found, "/findings", book=book_of("findings", kind=kind), total=total, kind=kind
        ),
        counts=counts["counts"],
        kind=kind,
        figure=grouped,
        most_named=MOST_NAMED,
    )


@router.get("/ledger/csv")
async def as_csv(request: Request, desk: AtDesk, asked: Asking) -> Response:
    """The rows of the page, all of them, as the sheet that the API gives."""
    return await _as_sheet(request, desk, asked, "csv")


@router.get("/ledger/xlsx")
async def as_xlsx(request: Request, desk: AtDesk, asked: Asking) -> Response:
    """The same as a workbook."""
    return await _as_sheet(request, desk, asked, "xlsx")


async def _as_sheet(request: Request, desk: Desk, asked: Asked, form: Form) -> Response:
    require_open(asked.search)
    _, season = await _season(desk, asked)
    return await sheet(
        desk.caller,
        read_of(ledger),
        asked.area,
        saved_as(f"ledger-{season['year'] if season else 'none'}", form),
        as_book=form == "xlsx",
        language=language_of(request),
        season=UUID(season["id"]) if season else None,  # none was opened: a heading, no rows
        status=asked.status or None,
        search=asked.search.text or None,
    )
