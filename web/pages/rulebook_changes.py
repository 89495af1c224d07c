"""Changing rules: the text of a copy or of a file, and what is wrong in it or what it says."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, get_args
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import Response

from api.rulebook_comparisons import ASKERS, CURSOR, comparison_of, rule_asked
from api.rulebook_reads import rulebooks_on, versions_of
from domain.commands.rulebooks import CONFIRMERS, AdoptRulebookFile
from domain.refusal import NotFound
from domain.rules.base import Problem, china_day
from domain.rules.loading import (
    LONGEST,
    TYPES,
    RulebookFile,
    RulebookInvalid,
    Status,
    located,
    parse_rulebook,
)
from eventstore import national
from web.pages.rulebooks import (
    Row,
    asked,
    code_of,
    name_of,
    reader_for,
    titles_in,
    whole,
)
from web.parts import AtDesk, Desk, ToAct
from web.rule_copies import copy_of, first_day, original_of, text_with
from web.rule_fields import groups_of
from web.rule_tables import RuleReader
from web.sent_files import form_with_file

router = APIRouter(include_in_schema=False)

MOST_LISTED = 200
"""Differences that a page lists; the others are counted."""

PAGES = {"report": "/report/", "incident": "/dispatch/incidents/", "list": "/lists/"}
"""Where things of these kinds are looked at."""

FIELDS = 300
"""Of one form: the standards of six programmes have a hundred."""
STATUSES = get_args(Status)

NO_TEXT = Problem("", "文件不是 UTF-8 编码的文本", "The file is no text in UTF-8.")


@router.get("/rulebooks/change")
async def change(
    request: Request,
    desk: ToAct,
    area: UUID | None = None,
    kind: str = "",
    version: str = "",
    example: bool = False,
) -> Response:
    """A copy of a version to change, of the ``example`` that comes with the program, or an empty
    place for a file."""
    place, _, rows = await asked(desk, area, "", kind if kind in TYPES else None)
    desk.caller.actor(AdoptRulebookFile.roles, place)
    if kind not in TYPES:
        return await _show(request, desk, place, "")
    own = await run_in_threadpool(versions_of, desk.caller, place, kind)
    in_force = next((row for row in rows if row["content"]), None)
    found = next((row for row in own if row["version"] == version), None) or in_force
    shipped = national.example(kind) if example else None
    if shipped is not None:
        found = original_of(shipped)
    if found is None:
        return await _show(request, desk, place, "")
    day = china_day(desk.now)
    text = copy_of(
        kind,
        found,
        await code_of(desk.caller, place),
        first_day(day) if in_force else day,
        {row["version"] for row in own},
    )
    base = parse_rulebook("TOML", text)
    return await _show(
        request, desk, place, text, base=base, original=found, later=in_force is not None
    )


@router.post("/rulebooks/change")
async def preview(request: Request, desk: AtDesk) -> Response:
    """What the fields or the text would come to: the mistakes, or the contents. Nothing is
    adopted."""
    form = await form_with_file(request, desk, AdoptRulebookFile.roles, fields=FIELDS)
    try:
        place = UUID(str(form.get("area", "")))
    except ValueError:
        place = (await asked(desk, None, "", None))[0]
    desk.caller.actor(AdoptRulebookFile.roles, place)
    text = str(form.get("toml", "")).replace("\r\n", "\n")
    file = form.get("file")
    if isinstance(file, UploadFile) and file.filename:
        try:
            text = (await file.read()).decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError:
            return await _show(request, desk, place, text, problems=(NO_TEXT,))
    try:
        book = await run_in_threadpool(parse_rulebook, "TOML", text)
    except RulebookInvalid as wrong:
        shown = text if len(text) <= LONGEST else ""
        return await _show(request, desk, place, shown, problems=located(wrong, text).problems)
    if form.get("how") != "fields":
        return await _show(request, desk, place, text, book=book, base=book)
    typed = {name: str(value) for name, value in form.items() if isinstance(value, str)}
    reader = await reader_for(request, desk, place)
    try:
        text = text_with(book, typed, reader)
        changed = await run_in_threadpool(parse_rulebook, "TOML", text)
    except RulebookInvalid as wrong:
        return await _show(
            request, desk, place, text, base=book, typed=typed, problems=wrong.problems
        )
    return await _show(request, desk, place, text, book=changed, base=changed)


@router.post("/rulebooks/comparison")
async def comparison(request: Request, desk: AtDesk) -> Response:
    """One part of what would change; the fragment asks for the next one by itself."""
    form = await form_with_file(request, desk, ASKERS, fields=FIELDS)
    given = {
        name: str(form[name]) for name in ("area", "toml", "kind", "version") if form.get(name)
    }
    try:
        place = UUID(given["area"])
        listed, differing = int(form.get("listed") or 0), int(form.get("differing") or 0)
    except (KeyError, ValueError) as wrong:
        raise NotFound(kind="Area", id=UUID(int=0)) from wrong
    cursor = str(form.get("cursor") or "") or None
    if cursor is not None and not re.fullmatch(CURSOR, cursor):
        cursor = None

    def ask() -> dict[str, Any]:
        caller = desk.caller
        caller.actor(ASKERS, place)
        toml = given.get("toml")
        rule = rule_asked(caller, place, toml, given.get("kind"), given.get("version"))
        return comparison_of(caller, place, rule, cursor)

    part = await run_in_threadpool(ask)
    shown = part["items"][: max(0, MOST_LISTED - listed)]
    return await desk.show(
        request,
        "rulebook_compared.html",
        part=part,
        shown=shown,
        given=given,
        listed=listed + len(shown),
        differing=differing + len(part["items"]),
        pages=PAGES if desk.caller.roles() & CONFIRMERS else {},
    )


async def _show(
    request: Request,
    desk: Desk,
    place: UUID,
    text: str,
    *,
    book: RulebookFile | None = None,
    base: RulebookFile | None = None,
    original: Row | None = None,
    later: bool = False,
    typed: Mapping[str, str] = MappingProxyType({}),
    problems: tuple[Problem, ...] = (),
) -> Response:
    """``book``: what would be adopted. ``base``: what the fields show, with what was ``typed`` in
    its place. ``original``: what ``base`` is a copy of; ``later``: it is to be valid from a later
    day than today."""
    reader = await reader_for(request, desk, place)
    told: dict[str, Any] = {"book": book, "sections": [], "differences": None, "taken": False}
    if book is not None:
        told["sections"] = reader.sections(book.content)
        told |= await _beside(desk, place, book, reader)
    return await desk.show(
        request,
        "rulebook_change.html",
        place=place,
        place_name=await name_of(desk.caller, place),
        toml=text,
        base=base,
        groups=groups_of(base.kind, base.content, reader) if base else [],
        original=original,
        later=later,
        typed=typed,
        statuses=STATUSES,
        problems=[(one, _field(reader, one.key)) for one in problems],
        titles=titles_in(request),
        **told,
    )


async def _beside(
    desk: Desk, place: UUID, book: RulebookFile, reader: RuleReader
) -> dict[str, Any]:
    """The text beside what is in force, and whether its version was adopted before."""

    def ask() -> tuple[list[Any], list[Any]]:
        rows = rulebooks_on(desk.caller, place, desk.now, book.kind)
        return rows, versions_of(desk.caller, place, book.kind)

    rows, versions = await run_in_threadpool(ask)
    in_force = next((row for row in rows if row["content"]), None)
    old = whole(book.kind, in_force) if in_force is not None else None
    return {
        "differences": reader.differences(old, book.content) if old is not None else None,
        "taken": any(row["version"] == book.version for row in versions),
    }


def _field(reader: RuleReader, key: str) -> str:
    """A key of a problem as people call it: ``initial[0].minutes`` is "初报时限 1 · 分钟"."""
    said = []
    for step in filter(None, key.split(".")):
        name, _, place = step.partition("[")
        nth = place.rstrip("]")
        said.append(reader.label(name) + (f" {int(nth) + 1}" if nth.isdigit() else ""))
    return " · ".join(said)
