"""One question for whatever has a name or a number: places, people, disasters, goods, money, rules.

Each kind is asked of its own list, so with that list's jurisdiction, limits and masks: what a
caller may not list is not found here either. A document number leads to whatever bears it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool

from api.auth import Asking, Caller, check_parameters
from api.known_at import PARAMETER
from api.reads import KnownAt, Read, ask, of_moment
from api.routes import read_of
from api.routes_reports import EVERYBODY
from api.rulebook_reads import rulebooks_called
from api.writes import RESPONSES
from domain.telling import INCIDENT_KINDS, RULES
from eventstore import spelling
from projections.asking.area_lists import areas
from projections.asking.fund_books import funds
from projections.asking.looked_for import MOST_WORDS, SaysTooLittle, spelled
from projections.asking.officer_lists import officers
from projections.asking.report_queries import situation_reports
from projections.asking.stock_books import stockpiles
from projections.disasters import disasters
from projections.dispatch import incidents, units
from projections.households import households
from projections.lists import village_lists
from projections.seasons import seasons
from projections.sections.consignments import consignments

router = APIRouter(tags=["search"])

EACH: Final = 20
"""Rows of each kind. Who looks for more is led to the list itself."""
LONGEST: Final = 100
MOST_READ: Final = 1_000
"""Incidents, the newest first, whose own words are read: they are sealed, and no index has them."""

Said = Callable[[dict[str, Any]], str]


@dataclass(frozen=True)
class Kind:
    """How one kind of thing is found: by which list, and what its row is called and lies where.

    ``about``: what else tells a row from others, by the names that the list gives it.
    ``documents``: its columns with document numbers. ``says``: what a row says with its sealed
    words, which are looked through once they are opened for the caller.
    """

    name: str
    query: Callable[..., Any]
    href: str
    titled: Said
    placed: Said
    id: str = "id"
    word: str = "search"
    about: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    says: Said | None = None


def _at(name: str) -> Said:
    return lambda row: row[name] or ""


def _named_by_year(row: dict[str, Any]) -> str:
    return f"{row['name_zh']} {row['year']}"


def _from_and_to(row: dict[str, Any]) -> str:
    return f"{row['source_name'] or ''} → {row['destination_name']}".strip()


def _log_ins(row: dict[str, Any]) -> str:
    return " ".join([row["masked_name"], *(one["login"] for one in row["logins"])])


def _where_a_household_lives(row: dict[str, Any]) -> str:
    return f"{row['township_name'] or ''}{row['village_name']} {row['village_group']}".strip()


def _of_an_incident(row: dict[str, Any]) -> str:
    said = (row["place"], row["details"], row["area_name"], row["in_charge_name"])
    return " ".join([*filter(None, said), *INCIDENT_KINDS.get(row["kind"], ())])


KINDS: Final = (
    Kind("area", areas, "/divisions/{}", _at("name"), _at("code"), word="q"),
    Kind("household", households, "/households/{}", _at("head_masked"), _where_a_household_lives),
    Kind(
        "disaster",
        disasters,
        "/disasters/{}",
        _at("name"),
        _at("area_name"),
        about=("hazard", "occurred_at", "stage"),
    ),
    Kind(
        "report",
        situation_reports,
        "/report/{}",
        _at("area_name"),
        _at("area_code"),
        id="report",
        about=("hazard", "sub_hazard", "occurred_at", "review"),
    ),
    Kind(
        "incident",
        incidents,
        "/dispatch/incidents/{}",
        _at("place"),
        _at("area_name"),
        about=("kind", "opened_at", "status"),
        says=_of_an_incident,
    ),
    Kind(
        "village_list",
        village_lists,
        "/lists/{}",
        _at("village_name"),
        _at("township_name"),
        about=("programme", "year", "round", "status"),
        documents=("document_no", "allocation_document_no"),
    ),
    Kind(
        "season",
        seasons,
        "/seasons/{}",
        _named_by_year,
        _at("area_name"),
        about=("programme", "year"),
        documents=("standards_document_no",),
    ),
    Kind(
        "consignment",
        consignments,
        "/stock/consignments/{}",
        _at("document_no"),
        _from_and_to,
        about=("lines", "requested_at", "status"),
        documents=("document_no", "struck_document_no"),
    ),
    Kind(
        "stockpile",
        stockpiles,
        "/stock/stockpiles/{}",
        _at("warehouse_name"),
        _at("warehouse_code"),
        id="stockpile",
        about=("item", "on_hand"),
    ),
    Kind(
        "fund",
        funds,
        "/funds/{}",
        _at("document_no"),
        _at("holder_name"),
        about=("available_fen",),
        documents=("document_no", "source_document_no"),
    ),
    Kind(
        "unit",
        units,
        "/dispatch/units?unit={}",
        _at("name"),
        _at("area_name"),
        about=("kind", "status"),
    ),
    Kind(
        "officer",
        officers,
        "/officers/{}",
        _log_ins,
        _at("area_name"),
        documents=("certificate",),
    ),
)


async def found(caller: Caller, text: str, kinds: tuple[Kind, ...] = KINDS) -> dict[str, Any]:
    """``items`` with ``kind, id, title, area, href, understood, about, documents``, kind by kind.

    ``understood``: of a division, as `projections.asking.area_lists.areas` tells it. ``about``:
    what `Kind.about` names. ``documents``: the row's document numbers that fit. ``cut``: there are
    more. ``partly``: kinds of which only the newest `MOST_READ` were looked through.

    An empty text finds nothing. 403 to who is in no post; 429 beyond the searches an officer
    and minute.
    """
    caller.scope(EVERYBODY, None)
    items: list[dict[str, Any]] = []
    cut = False
    partly: list[str] = []
    for kind in kinds if text else ():
        read = read_of(kind.query)
        if read.roles.isdisjoint(caller.roles()):
            continue
        try:
            page = await ask(caller, read, None, limit=EACH, **{kind.word: text})
        except SaysTooLittle:
            cut = True
            continue
        rows, more = page.items, page.next is not None
        if kind.says is not None and not more:
            some, whole = await _by_their_words(caller, read, kind.says, text)
            rows += [row for row in some if row[kind.id] not in {one[kind.id] for one in rows}]
            rows, more = rows[:EACH], len(rows) > EACH
            partly += [] if whole else [kind.name]
        cut = cut or more
        items += [_item(kind, row, text) for row in rows]
    if text and kinds is KINDS:
        books = await run_in_threadpool(rulebooks_called, caller, text)
        items += [_rulebook(row) for row in books[:EACH]]
        cut = cut or len(books) > EACH
    return {"items": items, "cut": cut, "partly": partly}


def _rulebook(row: dict[str, Any]) -> dict[str, Any]:
    """One that holds in an area of the caller's."""
    zh, en = RULES.get(row["kind"], (row["kind"], row["kind"]))
    asked = {"area": row["area"]} | ({"version": row["version"]} if row["version"] else {})
    return {
        "kind": "rulebook",
        "id": f"{row['kind']}-{row['area']}",
        "title": zh,
        "area": row["area_name"] or "",
        "href": f"/rulebooks/{row['kind']}?{urlencode(asked)}",
        "understood": None,
        "about": {"zh": zh, "en": en},
        "documents": row["documents"],
    }


def by_kind(items: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """What was found, each kind apart, in the order of `KINDS`."""
    kinds: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        kinds.setdefault(item["kind"], []).append(item)
    return kinds


def _item(kind: Kind, row: dict[str, Any], text: str) -> dict[str, Any]:
    numbers = dict.fromkeys(row[name] for name in kind.documents if row[name])
    return {
        "kind": kind.name,
        "id": row[kind.id],
        "title": kind.titled(row),
        "area": kind.placed(row),
        "href": kind.href.format(row[kind.id]),
        "understood": row.get("understood"),
        "about": {name: _read(name, row[name]) for name in kind.about},
        "documents": [number for number in numbers if spelled(number, text)],
    }


def _read(name: str, value: Any) -> Any:
    return msgspec.json.decode(value) if name == "lines" else value


async def _by_their_words(
    caller: Caller, read: Read, says: Said, text: str
) -> tuple[list[dict[str, Any]], bool]:
    """Rows whose own words say what is looked for, and whether the list was read to its end."""
    page = await ask(caller, read, None, limit=MOST_READ)

    def fitting() -> list[dict[str, Any]]:
        return [row for row in page.items if _fits(says(row), text)]

    return await run_in_threadpool(fitting), page.next is None


def _fits(words: str, text: str) -> bool:
    """Whether each word of the text is said there; in letters, also read from the beginning of one
    of its words. Nothing of what was sealed is kept, as `spelled` keeps public names."""
    plain = spelling.normalized(words)

    def fits(word: str) -> bool:
        wanted = spelling.asked(word)
        if not wanted or spelling.normalized(word) in plain:
            return bool(wanted)
        read = (spelling.terms(part) for part in words.split()) if word.isascii() else ()
        return any(term.startswith(wanted) for terms in read for term in terms)

    return all(fits(word) for word in text.split(maxsplit=MOST_WORDS - 1))


@router.get(
    "/v1/search",
    summary="What has this name or number: places, people, disasters, goods, money, lists",
    description=(
        "`items` with `kind`, `id`, `title` (personal names masked), `area` and `href`, the page, "
        "`about` (keys, moments and figures that tell it from others), `documents` (numbers of it "
        "that fit) and `understood` where a code means a division by a former code of its county; "
        f"at most {EACH} of each kind, and only what the caller may list. `cut`: there are more. "
        f"`partly`: kinds of which the own words of the newest {MOST_READ} only were read. Names "
        "of places and events, goods and hazards are found in Chinese, pinyin and initials, "
        "document numbers whatever their brackets and spaces. Of the past: things as they stood "
        "then; households by today's index of names."
    ),
    responses={code: RESPONSES[code] for code in (401, 403, 422, 429, 503)},
)
async def search(
    request: Request,
    caller: Asking,
    q: Annotated[str, Query(max_length=LONGEST, pattern=r"^[^\x00]*$")] = "",
    known_at: KnownAt = None,
) -> Any:
    del known_at
    check_parameters(request, ("q", PARAMETER))
    return of_moment(await found(caller, q.strip()))
