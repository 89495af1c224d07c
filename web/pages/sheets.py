"""Every list of a page as a sheet: the same rows as its filter, all of them, for people.

``/sheets/consignments?status=shipped`` has the rows of ``/stock/consignments?status=shipped``;
it is CSV, or with ``form=xlsx`` a workbook.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.reads import sheet, sheet_answer
from api.routes import read_of
from api.sheets import Sheet
from api.words import words_of
from domain.refusal import NotFound
from projections.asking.fund_books import funds
from projections.asking.ledger_books import ledger
from projections.asking.paging import MAX_LIMIT, Page
from projections.asking.stock_books import stock_moves, stockpiles
from projections.dispatch import incidents
from projections.findings import findings
from projections.lists import village_lists
from projections.notices import notices
from projections.sections.consignments import consignments
from projections.timeline import timeline
from web.i18n import DEFAULT, catalog
from web.officials import name_officials
from web.pages.timeline import shaped
from web.parts import AtDesk
from web.render import HEADERS

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Query(max_length=100, pattern=r"^[^\x00]*$")]


@dataclass(frozen=True)
class Kept:
    """What of a page's filter its sheet keeps."""

    season: UUID | None = None
    status: Text = ""
    kind: Text = ""
    stockpile: UUID | None = None
    village_list: UUID | None = None

    def given(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if value}


@dataclass(frozen=True)
class Source:
    """The query that a page asks, with what the page always says, and the filters it takes."""

    query: Callable[..., Any]
    filters: frozenset[str] = frozenset()
    always: dict[str, Any] = field(default_factory=dict)


SOURCES: Final = {
    "lists": Source(village_lists, frozenset({"season", "status"})),
    "list": Source(ledger, frozenset({"village_list"})),
    "notices": Source(notices),
    "findings": Source(findings, frozenset({"kind"})),
    "stock": Source(stockpiles),
    "moves": Source(stock_moves, frozenset({"stockpile"})),
    "consignments": Source(consignments, frozenset({"status"})),
    "funds": Source(funds),
    "past": Source(incidents, always={"open": False}),
}
"""By the name in the address."""


Form = Literal["csv", "xlsx"]


def saved_as(name: str, form: Form) -> dict[str, str]:
    """Headers of a file that is kept under that name."""
    return {"Content-Disposition": f'attachment; filename="{name}.{form}"', **HEADERS}


@router.get("/sheets/timeline/{subject}")
async def of_timeline(desk: AtDesk, subject: UUID, form: Form = "csv") -> Response:
    """What happened to one thing, the latest first, as its page tells it."""

    async def some(cursor: str | None = None) -> Page:
        found: Page = await desk.ask(timeline, subject=subject, cursor=cursor, limit=MAX_LIMIT)
        await run_in_threadpool(name_officials, desk.caller, found.items)
        return found.of([_told(row, subject) for row in found.items])

    first = await some()
    words = await run_in_threadpool(words_of, desk.caller, desk.now, DEFAULT)
    sheet = Sheet("timeline_page", words, desk.caller.system.store.training)
    return sheet_answer(sheet, first, some, saved_as("timeline", form), as_book=form == "xlsx")


def _told(row: dict[str, Any], subject: UUID) -> dict[str, Any]:
    """The row with the words of its page in place of keys."""
    t, said = catalog(DEFAULT).t, shaped(row, subject)
    detail = said["detail"]
    return said | {
        "event": t(f"event.{said['event']}"),
        "about": t(f"timeline.kind_{said['kind_key']}"),
        "document_no": detail.get("document_no"),
        "reason": detail.get("reason"),
    }


@router.get("/sheets/{name}")
async def of_list(
    desk: AtDesk, name: str, kept: Annotated[Kept, Depends()], form: Form = "csv"
) -> Response:
    source = SOURCES.get(name)
    if source is None or not kept.given().keys() <= source.filters:
        raise NotFound(kind="Form", id=UUID(int=0))
    given = {**source.always, **kept.given()}
    headers, read = saved_as(name, form), read_of(source.query)
    return await sheet(desk.caller, read, None, headers, as_book=form == "xlsx", **given)
