"""Sheets of lists that are read from records, row by row, and so have no query of a view: the
rosters 台账 of a report, and the cases of a village list that wait for something.

As on their pages: the same rows, all of them, names masked.
"""

from collections.abc import Callable
from typing import Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.reads import sheet_answer
from api.rosters import roster_of
from api.sheets import Sheet
from api.words import words_of
from domain.grants import OPEN
from projections.asking.ledger_books import relief_case
from projections.asking.paging import Page
from projections.asking.report_queries import situation_report
from projections.lists import village_list
from web.i18n import catalog
from web.pages.cases import WAITING, waiting_rows, whys_of
from web.pages.sheets import Form, saved_as
from web.parts import AtDesk, Desk
from web.render import language_of
from web.reporting import place_of

router = APIRouter(include_in_schema=False)

AT_ONCE: Final = 100
"""Rows that are read from their records while the ones before are sent."""
Roster = Literal["casualties", "houses"]

Row = dict[str, Any]
Say = Callable[..., str]


@router.get("/sheets/rosters/{report}/{which}")
async def of_roster(
    request: Request, desk: AtDesk, report: UUID, which: Roster, form: Form = "csv"
) -> Response:
    """The rows of a report's roster, in the order in which they were put down."""
    await desk.ask(situation_report, report=report)
    t = catalog(language_of(request)).t

    async def some(cursor: str | None = None) -> Page:
        first = int(cursor or 0)
        found = await run_in_threadpool(roster_of, desk.caller, report, which, first, AT_ONCE)
        rows = await run_in_threadpool(_of_rosters, desk, found["rows"], t)
        last = first + len(rows)
        return Page(rows, str(last) if rows and last < found["total"] else None)

    return await _sent(request, desk, f"roster_{which}", some, form)


def _of_rosters(desk: Desk, rows: list[Row], t: Say) -> list[Row]:
    """The rows with the words of their page in place of keys."""
    names = {area: place_of(desk.caller, UUID(area)).name for area in {row["area"] for row in rows}}
    told: list[Row] = []
    for row in rows:
        said: Row = {
            key: t(f"roster.{key}_{row[key]}") for key in ("fate", "sex", "grade") if key in row
        }
        about: Row = {"area_name": names[row["area"]], "masked_name": row["name"]}
        if "severe" in row:
            about["severe_injury"] = row["severe"] and row["fate"] == "injured"
        told.append({**row, **said, **about})
    return told


@router.get("/sheets/waiting/{village_list_id}/{key}")
async def of_waiting(
    request: Request, desk: AtDesk, village_list_id: UUID, key: WAITING, form: Form = "csv"
) -> Response:
    """What of a list's cases has not gone out, a row a grant, and what holds it."""
    await desk.ask(village_list, village_list=village_list_id)
    language = language_of(request)

    async def some(cursor: str | None = None) -> Page:
        found = await waiting_rows(desk, village_list_id, key, cursor, AT_ONCE)
        whys = await run_in_threadpool(
            whys_of, desk.caller, [UUID(one["id"]) for one in found.items], language
        )
        rows: list[Row] = []
        for one in found.items:
            case = await desk.ask(relief_case, case=UUID(one["id"]))
            rows += [
                _grant(case, grant, whys) for grant in case["grant_lines"] if _waits(grant, key)
            ]
        return Page(rows, found.next)

    return await _sent(request, desk, "waiting_cases", some, form)


def _waits(grant: Row, key: str) -> bool:
    if key == "bounced":
        return bool(grant["status"] == "failed")
    if key == "goods":
        return grant["status"] == "granted" and bool(grant["item"])
    return grant["status"] in OPEN


def _grant(case: Row, grant: Row, whys: dict[str, str]) -> Row:
    goods = {grant["item"]: grant["units"]} if grant["item"] else None
    about = {
        name: case[name] for name in ("household", "township_name", "village_name", "village_group")
    }
    about |= {name: case[name] for name in ("head_masked", "category", "card_masked", "bank")}
    told = {name: grant[name] for name in ("document_no", "failed_reason", "failed_at")}
    cash = None if goods else grant["cash_fen"]
    held_by = whys.get(case["id"], "")
    number = grant["number"]
    return {
        **about,
        **told,
        "grant_number": number,
        "cash_fen": cash,
        "goods": goods,
        "held_by": held_by,
    }


async def _sent(
    request: Request, desk: Desk, name: str, some: Callable[..., Any], form: Form
) -> Response:
    language = language_of(request)
    first = await some()
    words = await run_in_threadpool(words_of, desk.caller, desk.now, language)
    sheet = Sheet(name, words, desk.caller.system.store.training, language)
    headers = saved_as(name.replace("_", "-"), form)
    return await sheet_answer(desk.caller, sheet, first, some, headers, as_book=form == "xlsx")
