"""Rulebooks: what is in force on a day, from where, what waits; each as tables, and its export."""

from datetime import date
from functools import partial
from typing import Any, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

from api.auth import Caller
from api.known_at import position_asked
from api.rulebook_reads import NOON, place_of, rulebooks_on, versions_of
from domain.area import Area
from domain.commands.rulebooks import AdoptRulebookFile, ConfirmRulebook
from domain.refusal import NotFound
from domain.rulebook import BINDING, Rulebook
from domain.rules.base import china_day, china_moment
from domain.rules.loading import NATION, TYPES, as_toml
from domain.rules.working_days import WorkingDays
from domain.telling import RULES
from eventstore import national
from web.parts import AtDesk, Desk
from web.render import language_of
from web.rule_tables import Names, RuleReader, all_named

router = APIRouter(include_in_schema=False)

Row = dict[str, Any]
DECEMBER: Final = 12
NAMING: Final = ("indicators", "items", "household_kinds", "hazards")
"""Kinds whose entries others name by their keys."""


def calendar_missing(rows: list[Row], year: int) -> bool:
    """Whether the working days in force know nothing of that year."""
    for row in rows:
        if row["kind"] == WorkingDays.KIND and row["content"]:
            return str(year) not in content_of(row)["years"]
    return True


def content_of(row: Row) -> dict[str, Any]:
    return msgspec.json.decode(bytes(row["content"]), type=dict[str, Any])


def whole(kind: str, row: Row) -> dict[str, Any]:
    """What a version says with all that goes without saying, to be compared with another."""
    typed = msgspec.convert(content_of(row), TYPES[kind])
    found: dict[str, Any] = msgspec.to_builtins(typed, str_keys=True)
    return found


async def unconfirmed_here(desk: Desk) -> dict[str, date | None]:
    """Kinds of rules without which no season opens, no response starts or no notice ends, and of
    which nothing confirmed is in force where this officer adopts or confirms rules: from which day
    on a version that is confirmed will be, or None. In a training store none: there they work as
    they are."""
    roles = AdoptRulebookFile.roles | ConfirmRulebook.roles
    areas = desk.caller.areas(roles)
    if not areas or desk.caller.system.store.training:
        return {}

    def ask() -> dict[str, date | None]:
        def missing(kind: str) -> bool:
            rows = rulebooks_on(desk.caller, areas[0], desk.now, kind)
            return not any(row["confirmed"] for row in rows)

        def begins(kind: str) -> date | None:
            versions = versions_of(desk.caller, areas[0], kind)
            later = (row["valid_from"] for row in versions if row["confirmed"])
            return min((day for day in later if day > _today(desk)), default=None)

        return {kind: begins(kind) for kind in sorted(BINDING) if missing(kind)}

    return await run_in_threadpool(ask)


async def calendar_asked(desk: Desk) -> int | None:
    """The year whose calendar an administrator is asked for, in December; else None."""
    today, year = _today(desk), _today(desk).year + 1
    areas = desk.caller.areas(AdoptRulebookFile.roles)
    held = desk.caller.system.store.clock.good_until is not None
    if held or today.month != DECEMBER or not areas:  # while it is held nobody knows the month
        return None
    then = china_moment(date(year, 1, 1), NOON)
    rows = await run_in_threadpool(rulebooks_on, desk.caller, areas[0], then, WorkingDays.KIND)
    return year if calendar_missing(rows, year) else None


async def unsure_here(
    request: Request, desk: Desk, area: UUID | None, *kinds: str
) -> dict[str, str]:
    """Which of these kinds of rules are in force unconfirmed there, for the page that uses them:
    what each is called."""

    def ask() -> list[Row]:
        place = place_of(desk.caller, area)
        return [row for kind in kinds for row in rulebooks_on(desk.caller, place, desk.now, kind)]

    found = [row["kind"] for row in await run_in_threadpool(ask) if row["confirmed"] is False]
    titles = titles_in(request)
    return {kind: titles[kind] for kind in found}


def _today(desk: Desk) -> date:
    return china_day(desk.now)


async def asked(
    desk: Desk, area: UUID | None, on: str, kind: str | None
) -> tuple[UUID, date, list[Row]]:
    """The place that was asked about, the day, and what is in force there then."""
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
    place, day, rows = await asked(desk, area, on, None)
    return await desk.show(
        request,
        "rulebooks.html",
        place=place,
        place_name=await name_of(desk.caller, place),
        on=day,
        rows=rows,
        titles=titles_in(request),
        may_adopt=desk.may(AdoptRulebookFile, place),
        may_confirm=desk.may(ConfirmRulebook, place),
        to_begin=to_begin(rows),
        no_calendar=day.year if calendar_missing(rows, day.year) else None,
    )


def to_begin(rows: list[Row]) -> list[str]:
    """Kinds of which nothing is in force and nothing waits, with an example to begin from."""
    there = {row["kind"] for row in rows if row["content"] or row["waiting"]}
    return [kind for kind in TYPES if kind not in there and national.example(kind) is not None]


@router.get("/rulebooks/{kind}")
async def rulebook(
    request: Request,
    desk: AtDesk,
    kind: str,
    area: UUID | None = None,
    on: str = "",
    version: str = "",
) -> Response:
    """One version as tables: that which is in force on the day, or one that was adopted here."""
    if kind not in TYPES:
        raise NotFound(kind="Rulebook", id=UUID(int=0))
    place, day, rows = await asked(desk, area, on, kind)
    in_force = rows[0] if rows and rows[0]["content"] else None
    versions = await run_in_threadpool(versions_of, desk.caller, place, kind)
    one = next((row for row in versions if row["version"] == version), None) or in_force
    one = one or (versions[0] if versions else None)
    if version and (one is None or one["version"] != version):
        raise NotFound(kind="Rulebook", id=UUID(int=0))
    reader = await reader_for(request, desk, place)
    return await desk.show(
        request,
        "rulebook.html",
        kind=kind,
        place=place,
        place_name=await name_of(desk.caller, place),
        on=day,
        one=one,
        in_force=in_force,
        versions=versions,
        own=Rulebook.id_of(place, kind),
        sections=reader.sections(content_of(one)) if one else [],
        differences=differing(kind, reader, in_force, one),
        titles=titles_in(request),
        may_confirm=desk.may(ConfirmRulebook, place),
        has_example=national.example(kind) is not None,
        may_adopt=desk.may(AdoptRulebookFile, place),
    )


def differing(
    kind: str, reader: RuleReader, in_force: Row | None, one: Row | None
) -> list[tuple[str, str, str]] | None:
    """What a version says otherwise than the one in force; None if there is nothing to compare."""
    if in_force is None or one is None or not one["content"] or one is in_force:
        return None
    return reader.differences(whole(kind, in_force), whole(kind, one))


@router.get("/rulebooks/{kind}/{version}.toml")
async def exported(
    desk: AtDesk, kind: str, version: str, area: UUID | None = None, on: str = ""
) -> Response:
    """The text of a file, as it can be adopted elsewhere."""
    place, _, rows = await asked(desk, area, on, kind if kind in TYPES else None)
    found = rows + await run_in_threadpool(versions_of, desk.caller, place, kind)
    for row in found:
        if row.get("kind", kind) == kind and row["version"] == version:
            return PlainTextResponse(
                text_of(kind, row, await code_of(desk.caller, place)),
                headers={"Content-Disposition": f'attachment; filename="{kind}.toml"'},
            )
    raise NotFound(kind="Rulebook", id=UUID(int=0))


def text_of(kind: str, row: Row, code: str) -> str:
    """A version as the text of a file."""
    return as_toml(
        kind,
        row["version"],
        row["document_no"],
        code,
        row["valid_from"],
        row["valid_to"],
        content_of(row),
        row["status"],
    )


async def reader_for(request: Request, desk: Desk, place: UUID) -> RuleReader:
    """Tells contents in the language of the page, with the names of what is in force there."""

    def names() -> Names:
        found = (rulebooks_on(desk.caller, place, desk.now, kind) for kind in NAMING)
        rows = [row for several in found for row in several if row["content"]]
        return {row["kind"]: all_named(content_of(row)) for row in rows}

    return RuleReader(language_of(request), await run_in_threadpool(names))


async def _area(caller: Caller, area: UUID) -> Area | None:
    load = partial(caller.system.store.load, area, position=position_asked())
    found = await run_in_threadpool(load)
    return found if isinstance(found, Area) else None


async def name_of(caller: Caller, area: UUID) -> str:
    found = await _area(caller, area)
    return found.name if found else ""


async def code_of(caller: Caller, area: UUID) -> str:
    found = await _area(caller, area)
    return found.code if found else NATION


def titles_in(request: Request) -> dict[str, str]:
    """What each kind of rules is called."""
    place = 0 if language_of(request) == "zh" else 1
    return {kind: RULES[kind][place] if kind in RULES else kind for kind in TYPES}
