"""What changed on a board between two moments: column by column, by which facts, by whom."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.changes import TABLES, Differing, changes_of
from api.problems import ApiProblem
from api.routes import LIVE
from api.sheets import Sheet, has_sheet, heading
from api.words import Words, words_of
from projections.areas import AREAS
from web.i18n import Language, catalog
from web.parts import AtDesk, Desk
from web.render import language_of

router = APIRouter(include_in_schema=False)
ROWS: Final = 40
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
    """One column that changed, in words."""

    kind: str
    area: str
    subject: str
    column: str
    before: str
    now: str
    at: Any
    positions: list[int]
    actors: list[dict[str, Any]]


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
    return await desk.show(
        request,
        "changes.html",
        boards=boards,
        asked={"since": since, "upto": upto, "view": view},
        found=found,
        rows=rows,
        errors=errors,
    )


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
        told.append(
            Told(
                kind=row["table"],
                area=names.get(row["area"], ""),
                subject=_subject(row["key"]),
                column=column,
                before=_said(row, row["before"], words, language),
                now=_said(row, row["now"], words, language),
                at=row["at"],
                positions=row["positions"],
                actors=row["actors"],
            )
        )
    return told


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
