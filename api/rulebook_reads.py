"""Which rules are in force somewhere on a day, where they come from, and what waits there.

Asked of the log itself, as a decision asks: no view can be behind it.
"""

from datetime import date, datetime, time
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from api.auth import Asking, Caller
from api.filters import none_of
from api.known_at import position_asked
from api.problems import malformed
from api.reads import KnownAt, of_moment
from api.routes_reports import EVERYBODY
from api.writes import RESPONSES
from domain.refusal import NotFound
from domain.rulebook import Edition, Rulebook
from domain.rules.base import china_day, china_moment
from domain.rules.loading import TYPES
from domain.telling import RULES
from eventstore.deciding import edition_of
from eventstore.store import Store
from projections.areas import AREAS
from projections.asking.looked_for import spelled
from projections.officers import OFFICERS

router = APIRouter(tags=["rulebooks"])
NOON = time(12)
KINDS = tuple(sorted(TYPES))


def _books(store: Store, line: tuple[UUID, ...], kind: str) -> list[Rulebook]:
    """Of areas; of a moment of the past with what was adopted by then."""
    at = position_asked()
    found = (store.load(Rulebook.id_of(area, kind), position=at) for area in line)
    return [book for book in found if isinstance(book, Rulebook)]


NOTHING = dict.fromkeys(
    (
        "version",
        "document_no",
        "valid_from",
        "valid_to",
        "confirmed",
        "confirmation",
        "status",
        "content",
    )
)


def waiting_in(store: Store, areas: tuple[UUID, ...]) -> int:
    """How many versions that these areas adopted wait to be confirmed."""
    books = [book for kind in KINDS for area in areas for book in _books(store, (area,), kind)]
    return sum(not edition.confirmed for book in books for edition in book.editions)


def _told(edition: Edition) -> dict[str, Any]:
    """A version as answers have it. ``confirmed`` is also true of what was adopted before
    confirmations were asked for; then there is no ``confirmation``. ``status``: what its file says
    of itself (confirmed, verify, example); "" of what was adopted before that was kept."""
    confirmation = edition.confirmation
    return {
        "version": edition.ref.version,
        "document_no": edition.ref.document_no,
        "valid_from": edition.valid_from,
        "valid_to": edition.valid_to,
        "confirmed": edition.confirmed,
        "confirmation": confirmation and msgspec.to_builtins(confirmation),
        "status": edition.status,
        "content": msgspec.Raw(edition.content),
    }


def rulebooks_on(
    caller: Caller, area: UUID, at: datetime, kind: str | None
) -> list[dict[str, Any]]:
    """What is in force in an area at a moment, by kind: as a decision there would find it.

    ``origin``: "national" (the file that comes with the program), "own", or the level of the area
    above that adopted it. ``waiting``: versions of the area itself that nobody has confirmed.
    """
    store, line = caller.system.store, caller.system.tree.lineage(area)
    found = []
    for one in KINDS if kind is None else (kind,):
        books = _books(store, line, one)
        place = edition_of(books, one, at)
        own = next((book for book in books if book.area == area), None)
        waiting = [_told(e) for e in own.editions if not e.confirmed] if own else []
        if place is None and not waiting:
            continue
        book = place.book if place else None
        said: dict[str, Any] = {
            "kind": one,
            "id": book.id if book else None,
            "area": book.area if book else None,
            "origin": None if place is None else "national" if book is None else "own",
            "nearest": place.nearest if place else False,
            "own": own.id if own else None,
            "waiting": waiting,
        }
        found.append(said | (_told(place.edition) if place else NOTHING))
    _name(caller, found, area)
    return found


def rulebooks_called(caller: Caller, text: str) -> list[dict[str, Any]]:
    """The rules of the caller's areas by what their kind is called, or by a document number: of
    what is in force there, whoever adopted it, and of all that the area itself adopted.

    ``kind``, ``area`` and ``area_name`` (where they hold), ``documents``: the numbers that fit,
    ``version``: which version has that number, if it is not the one in force.
    """
    now = caller.system.moment()
    found = []
    for area in caller.areas():
        for row in rulebooks_on(caller, area, now, None):
            kind = row["kind"]
            versions = versions_of(caller, area, kind)
            numbers = {one["document_no"]: one["version"] for one in reversed(versions)}
            fit = [one for one in numbers if spelled(one, text)]
            version = numbers[fit[-1]] if fit else None
            if row["document_no"] is not None and spelled(row["document_no"], text):
                fit, version = [*fit, row["document_no"]], None
            if fit or any(spelled(name, text) for name in RULES.get(kind, (kind,))):
                about = {"kind": kind, "area": area, "origin": None, "version": version}
                found.append(about | {"documents": list(dict.fromkeys(fit))})
    for one in found:
        _name(caller, [one], one["area"])
    return found


def versions_of(caller: Caller, area: UUID, kind: str) -> list[dict[str, Any]]:
    """All versions that an area itself adopted, the one adopted last first."""
    books = _books(caller.system.store, (area,), kind)
    editions = [edition for book in books for edition in reversed(book.editions)]
    found = [_told(edition) | {"area": area} for edition in editions]
    _name(caller, found, area)
    return found


def _name(caller: Caller, rows: list[dict[str, Any]], area: UUID) -> None:
    """Say of areas and officers what they are called."""
    places = {str(row["area"]) for row in rows if row["area"]}
    confirmations = [c for row in rows for c in (row.get("confirmation"),) if c]
    with caller.system.reader() as db:
        query = select(AREAS.c.id, AREAS.c.name, AREAS.c.level).where(AREAS.c.id.in_(places))
        known = {id: (name, level) for id, name, level in db.execute(query)}
        people = {str(one["officer"]) for one in confirmations}
        asked = select(OFFICERS.c.id, OFFICERS.c.masked_name).where(OFFICERS.c.id.in_(people))
        called = {one.id: one.masked_name for one in db.execute(asked)}
    for row in rows:
        name, level = known.get(str(row["area"]), (None, None))
        row["area_name"] = name
        if row["area"] and row["area"] != area:
            row["origin"] = level
    for one in confirmations:
        one["name"] = called.get(str(one["officer"]))


def place_of(caller: Caller, area: UUID | None) -> UUID:
    """The area asked for, else the highest of the caller's posts. 404 and 403 as any list."""
    roots = caller.scope(EVERYBODY, area).roots
    assert roots is not None
    return roots[0]


@router.get(
    "/v1/rulebooks",
    summary="Which rules are in force there on a day?",
    responses={code: RESPONSES[code] for code in (401, 403, 404, 422)},
)
async def rulebooks(
    caller: Asking,
    area: UUID | None = None,
    kind: Annotated[str | None, Query(max_length=60)] = None,
    on: date | None = None,
    known_at: KnownAt = None,
) -> Any:
    """By kind: version, document, validity, ``origin``, who confirmed it and when, ``content``,
    and ``waiting``: versions of that area that nobody has confirmed yet.

    ``on``: a day in China, today if it is not given.
    """
    del known_at
    if kind is not None and kind not in TYPES:
        raise malformed([none_of("kind", KINDS)])
    now = caller.system.moment()
    at = now if on is None else china_moment(on, NOON)

    def ask() -> dict[str, Any]:
        place = place_of(caller, area)
        day = china_day(at)
        return {"area": place, "on": day, "items": rulebooks_on(caller, place, at, kind)}

    return of_moment(await run_in_threadpool(ask))


@router.get(
    "/v1/rulebooks/{rulebook}",
    summary="A rulebook with all its versions",
    responses={code: RESPONSES[code] for code in (401, 403, 404, 422)},
)
async def rulebook(caller: Asking, rulebook: UUID, known_at: KnownAt = None) -> Any:
    """``id``, ``kind``, ``area`` and ``versions``, the one adopted last first."""
    del known_at

    def ask() -> dict[str, Any]:
        book = caller.system.store.load(rulebook, position=position_asked())
        if not isinstance(book, Rulebook):
            raise NotFound(kind="Rulebook", id=rulebook)
        try:
            caller.actor(EVERYBODY, book.area)
        except NotFound as hidden:
            raise NotFound(kind="Rulebook", id=rulebook) from hidden
        versions = versions_of(caller, book.area, book.kind)
        for one in versions:
            del one["area"], one["area_name"]
        return {"id": book.id, "kind": book.kind, "area": book.area, "versions": versions}

    return of_moment(await run_in_threadpool(ask))
