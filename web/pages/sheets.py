"""Every list of a page as a sheet: the same rows as its filter, all of them, for people.

``/sheets/consignments?status=shipped`` has the rows of ``/stock/consignments?status=shipped``;
it is CSV, or with ``form=xlsx`` a workbook.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.reads import sheet, sheet_answer
from api.routes import read_of
from api.sheets import Sheet
from api.words import words_of
from domain.refusal import NotFound
from projections.asking.area_lists import areas
from projections.asking.fund_books import fund_flows, funds
from projections.asking.ledger_books import ledger
from projections.asking.officer_lists import officers
from projections.asking.paging import MAX_LIMIT, Page
from projections.asking.report_queries import situation_reports
from projections.asking.season_openings import season_openings
from projections.asking.season_progress import season_townships, season_villages
from projections.asking.stock_books import stock_moves, stockpiles
from projections.disasters import disasters
from projections.dispatch import incidents, units
from projections.findings import findings
from projections.households import households
from projections.lists import village_lists
from projections.notices import notices
from projections.proposals import post_proposals
from projections.reviews import review_queue
from projections.seasons import seasons
from projections.sections.consignments import consignments
from projections.timeline import timeline
from web.i18n import Language, catalog
from web.officials import name_officials
from web.pages.reviews import roles_said
from web.pages.timeline import shaped
from web.parts import AtDesk
from web.render import HEADERS, language_of
from web.typed import TypedSearch, require_open

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Query(max_length=100, pattern=r"^[^\x00]*$")]


@dataclass(frozen=True)
class Kept:
    """What of a page's filter its sheet keeps."""

    season: UUID | None = None
    status: Text = ""
    stage: Text = ""
    disaster: UUID | None = None
    kind: Text = ""
    stockpile: UUID | None = None
    parent: UUID | None = None
    role: Text = ""
    state: Text = ""
    category: Text = ""
    q: Text = ""
    exercise: bool = False
    village_list: UUID | None = None
    fund: UUID | None = None
    subject: UUID | None = None

    def given(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if value}


@dataclass(frozen=True)
class Source:
    """The query that a page asks, with what the page always says, and the filters it takes.
    ``placed``: of one area of the officer's, if the page names one."""

    query: Callable[..., Any]
    filters: frozenset[str] = frozenset()
    always: dict[str, Any] = field(default_factory=dict)
    placed: bool = False


SOURCES: Final = {
    "lists": Source(village_lists, frozenset({"season", "status"})),
    "list": Source(ledger, frozenset({"village_list"})),
    "divisions": Source(areas, frozenset({"q", "parent"})),
    "disasters": Source(disasters, frozenset({"stage"})),
    "disaster-reports": Source(situation_reports, frozenset({"disaster"})),
    "notices": Source(notices),
    "households": Source(households, frozenset({"category", "state"}), placed=True),
    "seasons": Source(seasons),
    "season-townships": Source(season_townships, frozenset({"season"})),
    "season-villages": Source(season_villages, frozenset({"season", "parent"})),
    "season-openings": Source(season_openings),
    "officers": Source(officers, frozenset({"role", "state", "search"}), placed=True),
    "proposals": Source(post_proposals, frozenset({"state"})),
    "reviews": Source(review_queue, frozenset({"exercise"}), {"reports_first": True}),
    "findings": Source(findings, frozenset({"kind"})),
    "stock": Source(stockpiles),
    "moves": Source(stock_moves, frozenset({"stockpile"})),
    "consignments": Source(consignments, frozenset({"status"})),
    "funds": Source(funds),
    "fund-flows": Source(fund_flows, frozenset({"fund", "kind", "subject"})),
    "units": Source(units),
    "past": Source(incidents, always={"open": False}),
}
"""By the name in the address."""


Form = Literal["csv", "xlsx"]


def saved_as(name: str, form: Form) -> dict[str, str]:
    """Headers of a file that is kept under that name."""
    return {"Content-Disposition": f'attachment; filename="{name}.{form}"', **HEADERS}


@router.get("/sheets/timeline/{subject}")
async def of_timeline(
    request: Request, desk: AtDesk, subject: UUID, form: Form = "csv"
) -> Response:
    """What happened to one thing, the latest first, as its page tells it."""

    language = language_of(request)

    async def some(cursor: str | None = None) -> Page:
        found: Page = await desk.ask(timeline, subject=subject, cursor=cursor, limit=MAX_LIMIT)
        await run_in_threadpool(name_officials, desk.caller, found.items)
        return found.of([_told(row, subject, language) for row in found.items])

    first = await some()
    words = await run_in_threadpool(words_of, desk.caller, desk.now, language)
    sheet = Sheet("timeline_page", words, desk.caller.system.store.training, language)
    headers = saved_as("timeline", form)
    return await sheet_answer(desk.caller, sheet, first, some, headers, as_book=form == "xlsx")


def _told(row: dict[str, Any], subject: UUID, language: Language) -> dict[str, Any]:
    """The row with the words of its page in place of keys."""
    t, said = catalog(language).t, shaped(row, subject)
    detail = said["detail"]
    return said | {
        "event": t(f"event.{said['event']}"),
        "about": t(f"timeline.kind_{said['kind_key']}"),
        "document_no": detail.get("document_no"),
        "reason": detail.get("reason"),
    }


@router.get("/sheets/{name}")
async def of_list(
    request: Request,
    desk: AtDesk,
    name: str,
    kept: Annotated[Kept, Depends()],
    search: TypedSearch,
    area: UUID | None = None,
    form: Form = "csv",
) -> Response:
    require_open(search)
    source = SOURCES.get(name)
    filtered = kept.given() | ({"search": search.text} if search.text else {})
    if source is None or not filtered.keys() <= source.filters:
        raise NotFound(kind="Form", id=UUID(int=0))
    given = {**source.always, **filtered}
    if source.query is review_queue:  # what waits for the caller's own posts, as on its page
        given["role"] = roles_said(desk.caller)
    return await sheet(
        desk.caller,
        read_of(source.query),
        area if source.placed else None,
        saved_as(name, form),
        as_book=form == "xlsx",
        language=language_of(request),
        **given,
    )
