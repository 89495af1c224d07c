"""Timeline 经过: who did what to a thing, the latest first. Reached by links from everywhere."""

import re
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from api.proofs import PROVERS
from api.readings import note_export
from api.searching import by_kind
from api.searching import found as found_everywhere
from api.words import Words, words_of
from domain.refusal import NotFound
from domain.telling import STATES
from projections.asking.paging import Page
from projections.timeline import timeline
from web.i18n import Language, catalog
from web.officials import name_officials
from web.paging import ROWS, Turn, Turned, book_of
from web.parts import AtDesk, Desk, taken_whole
from web.render import language_of
from web.reporting import place_of, show
from web.typed import TypedSubject

router = APIRouter(include_in_schema=False)

DETAILS: Final = (
    "number",
    "as_of",
    "document_no",
    "level",
    "name",
    "masked_name",
    "code",
    "hazard",
    "place",
    "severity",
    "priority",
    "item",
    "units",
    "amount_fen",
    "cash_fen",
    "paid_fen",
    "value_date",
    "signed_on",
    "value_fen",
    "households",
    "listed",
    "held",
    "round",
    "category",
    "relation",
    "tier",
    "programme",
    "year",
    "version",
    "outcome",
    "opinion",
    "grade",
    "fate",
    "cause",
    "role",
    "login",
    "vehicle",
    "source_document_no",
    "purpose",
    "occurred_at",
    "stable_at",
    "arrived_at",
    "eta",
    "ends_at",
    "due_at",
    "forward_due_at",
    "verified_due_at",
    "late_minutes",
    "forecast",
    "narrative",
    "view",
    "host",
    "epoch",
    "since",
    "machine",
    "to",
    "rate",
    "operator",
    "reason",
    "remark",
    "note",
)
"""What of a fact is worth a line, in this order."""

PAGES: Final = {
    "SituationReport": "/report/{}",
    "VillageList": "/lists/{}",
    "Household": "/households/{}",
    "Disaster": "/disasters/{}",
    "ReliefCase": "/cases/{}",
    "Incident": "/dispatch/incidents/{}",
    "Stockpile": "/stock/stockpiles/{}",
    "Consignment": "/stock/consignments/{}",
    "Fund": "/funds/{}",
    "Season": "/seasons/{}",
}
"""Kinds of things that have a page of their own."""


PAPER: Final = "timeline_page"
"""The name of the sheet with the same rows, by which taking them away is noted."""
WHOLE: Final = 500
"""Facts a question when all are wanted."""

WORDS: Final = {
    "severity": "dispatch.severity_",
    "programme": "household.programme_",
    "role": "role.",
    "relation": "story.word_relation_",
    "tier": "story.word_tier_",
    "cause": "story.word_cause_",
    "purpose": "story.word_purpose_",
}
"""Details whose values are keys of ours, and where their names stand. Others are texts."""


@router.get("/timeline")
async def own(request: Request, desk: AtDesk, turn: Turned, subject: TypedSubject) -> Response:
    """The box to look one up; below it, what happened in the caller's own area."""
    try:
        return RedirectResponse(f"/timeline/{UUID(subject.text)}", 303)
    except ValueError:
        told = await found_everywhere(desk.caller, subject.text)
    areas = desk.caller.areas()
    if subject.text or not areas:
        said = {"things": by_kind(told["items"]), "more": told["cut"]}
        return await _show(request, desk, asked=subject.text, **said)
    return await _page(request, desk, areas[0], turn)


@router.get("/timeline/{subject}")
async def of_one(request: Request, desk: AtDesk, subject: UUID, turn: Turned) -> Response:
    """Everything that happened to one thing."""
    return await _page(request, desk, subject, turn)


@router.get("/timeline/{subject}/whole")
async def whole(request: Request, desk: AtDesk, subject: UUID) -> Response:
    """The same from the first fact to the last, in order, to print: sent while it is made."""
    more = partial(_from_the_first, desk, subject)
    first = await run_in_threadpool(more, None)
    await note_export(desk.caller.system, desk.caller.id, PAPER, first.items)
    language = language_of(request)
    words = await run_in_threadpool(words_of, desk.caller, desk.now, language)
    return await desk.send(
        request,
        "timeline_paper.html",
        rows=(shaped(row, subject) for row in taken_whole(desk, PAPER, first, more)),
        kind=next((snake(row["kind"]) for row in first.items if not _is_other(row, subject)), ""),
        title=await _title(desk, subject),
        subject=subject,
        known=DETAILS,
        named=partial(named, language, words),
    )


def _from_the_first(desk: Desk, subject: UUID, cursor: str | None) -> Page:
    found: Page = desk.asked(
        timeline, subject=subject, oldest_first=True, cursor=cursor, limit=WHOLE
    )
    name_officials(desk.caller, found.items)
    return found


async def _page(request: Request, desk: Desk, subject: UUID, turn: Turn) -> Response:
    try:
        found = await desk.ask(timeline, subject=subject, cursor=turn.cursor, limit=ROWS)
        await run_in_threadpool(name_officials, desk.caller, found.items)
        items = [shaped(row, subject) for row in found.items]
        leaf = turn.leaf(found, f"/timeline/{subject}", book=book_of(f"timeline/{subject}"))
    except NotFound:
        if subject not in desk.caller.areas():
            raise
        items, leaf = [], None
    title = await _title(desk, subject)
    return await _show(request, desk, subject=subject, items=items, leaf=leaf, title=title)


async def _show(request: Request, desk: Desk, **said: Any) -> Response:
    empty = {
        "asked": "",
        "things": {},
        "more": False,
        "subject": None,
        "items": [],
        "leaf": None,
        "title": "",
    }
    language = language_of(request)
    words = await run_in_threadpool(words_of, desk.caller, desk.now, language)
    said = {**empty, **said, "known": DETAILS, "named": partial(named, language, words)}
    said["words"] = words
    said["proves"] = not PROVERS.isdisjoint(desk.caller.roles())
    return await show(request, desk, "timeline.html", **said)


def named(language: Language, words: Words, detail: str, value: str) -> str:
    """The value of a detail as a reader calls it: a key of ours by its name, a text as it is."""
    of_rulebooks = {"hazard": words.hazard, "item": words.item, "category": words.kind}
    if detail in of_rulebooks:
        return of_rulebooks[detail](value)
    if detail in ("grade", "fate") and value in STATES:
        return STATES[value][language == "en"]
    key = WORDS.get(detail, "") + value
    return catalog(language).sentences.get(key, value) if detail in WORDS else value


async def _title(desk: Desk, subject: UUID) -> str:
    """The name of the area, if the thing is one."""
    try:
        return (await run_in_threadpool(place_of, desk.caller, subject)).name
    except NotFound:
        return ""


def snake(name: str) -> str:
    """SituationReport.PhonedIn → situation_report_phoned_in, as message keys are written."""
    return re.sub(r"(?<!^)(?<!\.)(?=[A-Z])", "_", name).lower().replace(".", "_")


def shaped(row: dict[str, Any], subject: UUID) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in row["detail"].items():
        flat |= value if isinstance(value, dict) else {name: value}
    page = PAGES.get(row["kind"])
    return row | {
        "event": snake(row["topic"]),
        "kind_key": snake(row["kind"]),
        "href": page.format(row["stream"]) if page else None,
        "is_other": _is_other(row, subject),
        "detail": {n: _value(v) for n, v in flat.items() if not _is_noise(n, v)},
    }


def _is_other(row: dict[str, Any], subject: UUID) -> bool:
    return bool(row["stream"] != str(subject))


def _is_noise(name: str, value: Any) -> bool:
    """In time is no news; the level of a duty (a word of ours) is that of its area; the rate of a
    case is no speed of a clock."""
    ours = name in ("level", "rate") and isinstance(value, str)
    return ours or (name == "late_minutes" and not value)


def _value(value: Any) -> Any:
    """A moment as a moment; the rest as it is."""
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value):
        return datetime.fromisoformat(value)
    return value
