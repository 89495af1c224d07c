"""What changed on a board between two moments: column by column, by which facts, by whom."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.changes import MOST_ROWS, TABLES, Differing, changes_of
from api.problems import ApiProblem
from api.reads import sheet_answer
from api.routes import LIVE
from api.sheets import Sheet, has_sheet, heading
from api.words import Words, words_of
from domain.world import Role
from projections.areas import AREAS
from projections.asking.paging import Page
from web.formats import UNKNOWN
from web.i18n import Language, catalog
from web.pages.sheets import Form, saved_as
from web.parts import AtDesk, Desk
from web.render import language_of

router = APIRouter(include_in_schema=False)
ROWS: Final = 40
Cell: TypeAlias = str | int | Decimal
SHEETS: Final = {
    "situation_reports": "situation_reports",
    "disasters": "disasters",
    "deadlines": "deadlines",
    "reviews": "review_queue",
    "notices": "notices",
    "post_proposals": "post_proposals",
    "incidents": "incidents",
    "units": "units",
    "consignments": "consignments",
    "stock_balances": "stockpiles",
    "funds": "funds",
    "households": "households",
    "ledger": "ledger",
    "village_lists": "village_lists",
}
"""Tables whose columns are told as the sheet of a list tells them."""


@dataclass(frozen=True, slots=True)
class Told:
    """One column that changed, in words. ``figures``: before and now as a workbook takes them."""

    kind: str
    area: str
    subject: str
    column: str
    before: str
    now: str
    figures: tuple[Cell, Cell]
    at: Any
    positions: list[int]
    actors: list[dict[str, Any]]

    def row(self, t: Callable[..., str]) -> dict[str, Any]:
        """As the sheet has it."""
        return {
            "changed_thing": t(f"changes.of_{self.kind}"),
            "area_name": self.area,
            "changed_column": self.column,
            "changed_before": self.figures[0],
            "changed_now": self.figures[1],
            "changed_at": self.at and self.at.isoformat(),
            "changed_by": [{"name": maker(one, t)} for one in self.actors],
            "changed_records": len(self.positions),
            "changed_last": self.positions[-1] if self.positions else None,
        }


def maker(one: dict[str, Any], t: Callable[..., str]) -> str:
    """Who made a fact, as the page says it."""
    system = t("role.system") if one["role"] == Role.SYSTEM else UNKNOWN
    return str(one["name"] or system)


@router.get("/changes")
async def changed(
    request: Request,
    desk: AtDesk,
    since: str = "",
    upto: str = "",
    view: str = "",
    cursor: str | None = None,
) -> Response:
    boards = [one for one in TABLES if not LIVE[one][1].isdisjoint(desk.caller.roles())]
    found: Differing | None = None
    errors: list[dict[str, Any]] = []
    if since and upto and view:
        try:
            found = await run_in_threadpool(
                changes_of, desk.caller, view, since, upto, cursor=cursor, limit=ROWS
            )
        except ApiProblem as problem:
            if problem.problem.status != 422:
                raise
            errors = problem.errors or []
    language = language_of(request)
    rows = await run_in_threadpool(_told, desk, found, language) if found is not None else []
    t = catalog(language).t
    return await desk.show(
        request,
        "changes.html",
        boards=boards,
        asked={"since": since, "upto": upto, "view": view},
        found=found,
        rows=rows,
        errors=errors,
        maker=lambda one: maker(one, t),
    )


@router.get("/sheets/changes/{view}")
async def sheet_of(
    request: Request,
    desk: AtDesk,
    view: str,
    since: str = "",
    upto: str = "",
    form: Form = "csv",
) -> Response:
    """All changes of the page, also those that stand behind its first rows."""
    language = language_of(request)
    t = catalog(language).t

    def told(cursor: str | None) -> Page:
        found = changes_of(desk.caller, view, since, upto, cursor=cursor, limit=MOST_ROWS)
        return Page([one.row(t) for one in _told(desk, found, language)], found.next)

    async def some(cursor: str | None = None) -> Page:
        return await run_in_threadpool(told, cursor)

    first = await some()
    words = await run_in_threadpool(words_of, desk.caller, desk.now, language)
    sheet = Sheet("changes_page", words, desk.caller.system.store.training, language)
    headers = saved_as("changes", form)
    return await sheet_answer(desk.caller, sheet, first, some, headers, as_book=form == "xlsx")


def _told(desk: Desk, found: Differing, language: Language) -> list[Told]:
    """In words. Columns that have none are what the program goes by, and nobody's figures."""
    words = words_of(desk.caller, found.upto.at, language)
    areas = {row["area"] for row in found.items if row["area"]}
    with desk.caller.system.past.at(found.upto.position) as db:
        named = select(AREAS.c.id, AREAS.c.name).where(AREAS.c.id.in_(areas))
        names = {row[0]: row[1] for row in db.execute(named)}
    told = []
    for row in found.items:
        try:
            column = heading(row["column"], language)
        except KeyError:
            continue
        said = [_said(row, row[when], words, language) for when in ("before", "now")]
        told.append(
            Told(
                kind=row["table"],
                area=names.get(row["area"], ""),
                subject=_subject(row["key"]),
                column=column,
                before=said[0],
                now=said[1],
                figures=(_figure(row, row["before"], said[0]), _figure(row, row["now"], said[1])),
                at=row["at"],
                positions=row["positions"],
                actors=row["actors"],
            )
        )
    return told


def _figure(row: dict[str, Any], value: Any, said: str) -> Cell:
    """What a workbook can count with: a number, yuan of fen; else the words."""
    if not isinstance(value, int) or isinstance(value, bool):
        return said
    return Decimal(value).scaleb(-2) if row["column"].endswith("_fen") else value


def _said(row: dict[str, Any], value: Any, words: Words, language: Language) -> str:
    if value is None:
        return ""
    t = catalog(language).t
    match row["table"], row["column"]:  # of these no sheet has the words
        case "ledger", "cause":
            return t(f"story.word_cause_{value}")
        case "ledger_grants", "status":
            return t(f"household.grant_{value}")
        case "objections", "kind":
            return t(f"story.word_kind_{value}")
        case "situation_reports", "review" if value == "withdrawn":
            return t("chip.withdrawn")
        case "post_proposals", _ if value in ("taken", "declined"):
            return t(f"proposals.state_{value}")
        case "objections", "status":
            return t("changes.objection_" + str(value))
    if isinstance(value, str) and value.startswith("["):  # a list, or somebody's own words
        with suppress(msgspec.DecodeError):
            value = msgspec.json.decode(value)
    name = SHEETS.get(row["table"], "")
    sheet = Sheet(name if has_sheet(name) else "ledger", words, language=language)
    return sheet.said(row["column"], value)


def _subject(key: list[Any]) -> str:
    """The thing that a row is about: its id begins the key."""
    for part in key:
        try:
            return str(UUID(str(part)))
        except ValueError:
            continue
    return ""
