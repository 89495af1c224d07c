"""Rulebooks: what is in force on a day, from where, what waits; a changed copy, and its export."""

from datetime import date
from typing import Any, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

from api.auth import Caller
from api.rulebook_reads import NOON, place_of, rulebooks_on, waiting_in
from domain.area import Area
from domain.commands.rulebooks import AdoptRulebookFile, ConfirmRulebook
from domain.refusal import NotFound
from domain.rules.base import china_day, china_moment
from domain.rules.loading import NATION, TYPES, as_toml
from domain.rules.working_days import WorkingDays
from domain.telling import RULES
from web.parts import AtDesk, Desk
from web.render import language_of

router = APIRouter(include_in_schema=False)

Row = dict[str, Any]
DECEMBER: Final = 12


def calendar_missing(rows: list[Row], year: int) -> bool:
    """Whether the working days in force know nothing of that year."""
    for row in rows:
        if row["kind"] == WorkingDays.KIND and row["content"]:
            return str(year) not in _content(row)["years"]
    return True


def _content(row: Row) -> dict[str, Any]:
    return msgspec.json.decode(bytes(row["content"]), type=dict[str, Any])


async def waiting_here(desk: Desk) -> int:
    """How many versions wait for this officer to confirm them, in the areas of their posts."""
    areas = desk.caller.areas(ConfirmRulebook.roles)

    return await run_in_threadpool(waiting_in, desk.caller.system.store, areas)


async def calendar_asked(desk: Desk) -> int | None:
    """The year whose calendar an administrator is asked for, in December; else None."""
    today = _today(desk)
    areas = desk.caller.areas(AdoptRulebookFile.roles)
    if today.month != DECEMBER or not areas:
        return None
    rows = await run_in_threadpool(rulebooks_on, desk.caller, areas[0], desk.now, WorkingDays.KIND)
    return today.year + 1 if calendar_missing(rows, today.year + 1) else None


def _today(desk: Desk) -> date:
    return china_day(desk.now)


async def _asked(
    desk: Desk, area: UUID | None, on: str, kind: str | None
) -> tuple[UUID, date, list[Row]]:
    try:
        day = date.fromisoformat(on) if on else china_day(desk.now)
    except ValueError:
        day = china_day(desk.now)
    at = desk.now if not on else china_moment(day, NOON)

    def ask() -> tuple[UUID, list[Row]]:
        place = place_of(desk.caller, area)
        return place, rulebooks_on(desk.caller, place, at, kind)

    place, rows = await run_in_threadpool(ask)
    return place, day, rows


@router.get("/rulebooks")
async def rulebooks(
    request: Request, desk: AtDesk, area: UUID | None = None, on: str = ""
) -> Response:
    place, day, rows = await _asked(desk, area, on, None)
    return await desk.show(
        request,
        "rulebooks.html",
        place=place,
        place_name=_name_of(desk.caller, place),
        on=day,
        rows=rows,
        titles=_titles(request),
        may_confirm=desk.may(ConfirmRulebook, place),
        no_calendar=day.year if calendar_missing(rows, day.year) else None,
    )


@router.get("/rulebooks/{kind}")
async def rulebook(
    request: Request, desk: AtDesk, kind: str, area: UUID | None = None, on: str = ""
) -> Response:
    if kind not in TYPES:
        raise NotFound(kind="Rulebook", id=UUID(int=0))
    place, day, rows = await _asked(desk, area, on, kind)
    one = rows[0] if rows else None
    shown = [{**one, "waits": False}] if one and one["content"] else []
    for waits in one["waiting"] if one else []:
        if not shown or waits["version"] != shown[0]["version"]:
            shown.append({**waits, "waits": True})
        else:
            shown[0]["waits"] = True
    code = _code_of(desk.caller, place)
    return await desk.show(
        request,
        "rulebook.html",
        kind=kind,
        place=place,
        place_name=_name_of(desk.caller, place),
        on=day,
        own=one["own"] if one else None,
        shown=[row | {"toml": _toml(kind, row, code)} for row in shown],
        titles=_titles(request),
        may_confirm=desk.may(ConfirmRulebook, place),
        may_adopt=desk.may(AdoptRulebookFile, place),
        toml=_toml(kind, shown[-1], code) if shown else "",
    )


@router.get("/rulebooks/{kind}/{version}.toml")
async def exported(
    desk: AtDesk, kind: str, version: str, area: UUID | None = None, on: str = ""
) -> Response:
    """The text of a file, as it can be adopted elsewhere."""
    place, _, rows = await _asked(desk, area, on, kind if kind in TYPES else None)
    for row in rows:
        for one in (row, *row["waiting"]):
            if row["kind"] == kind and one["version"] == version:
                return PlainTextResponse(
                    _toml(kind, one, _code_of(desk.caller, place)),
                    headers={"Content-Disposition": f'attachment; filename="{kind}.toml"'},
                )
    raise NotFound(kind="Rulebook", id=UUID(int=0))


def _toml(kind: str, row: Row, code: str) -> str:
    return as_toml(
        kind,
        row["version"],
        row["document_no"],
        code,
        row["valid_from"],
        row["valid_to"],
        _content(row),
    )


def _area(caller: Caller, area: UUID) -> Area | None:
    found = caller.system.store.load(area)
    return found if isinstance(found, Area) else None


def _name_of(caller: Caller, area: UUID) -> str:
    found = _area(caller, area)
    return found.name if found else ""


def _code_of(caller: Caller, area: UUID) -> str:
    found = _area(caller, area)
    return found.code if found else NATION


def _titles(request: Request) -> dict[str, str]:
    place = 0 if language_of(request) == "zh" else 1
    return {kind: RULES[kind][place] if kind in RULES else kind for kind in TYPES}
