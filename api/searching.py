"""One question for whatever has a name or a number: divisions, households, officers, disasters.

Each kind is asked of its own list, so with that list's jurisdiction, limits and masks: what a
caller may not list is not found here either.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request

from api.auth import Asking, Caller, check_parameters
from api.reads import ask
from api.routes import read_of
from api.routes_reports import EVERYBODY
from api.writes import RESPONSES
from projections.asking.area_lists import areas
from projections.asking.officer_lists import officers
from projections.disasters import disasters
from projections.households import households

router = APIRouter(tags=["search"])

EACH: Final = 20
"""Rows of each kind. Who looks for more is led to the list itself."""
LONGEST: Final = 100


@dataclass(frozen=True)
class Kind:
    """How one kind of thing is found: by which list, and what its row is called and lies where."""

    name: str
    query: Callable[..., Any]
    word: str
    href: str
    titled: Callable[[dict[str, Any]], str]
    placed: Callable[[dict[str, Any]], str]


def _log_ins(row: dict[str, Any]) -> str:
    return " ".join([row["masked_name"], *(one["login"] for one in row["logins"])])


def _where_a_household_lives(row: dict[str, Any]) -> str:
    return f"{row['township_name'] or ''}{row['village_name']} {row['village_group']}".strip()


KINDS: Final = (
    Kind("area", areas, "q", "/divisions/{}", lambda r: r["name"], lambda r: r["code"]),
    Kind(
        "household",
        households,
        "search",
        "/households/{}",
        lambda r: r["head_masked"] or "",
        _where_a_household_lives,
    ),
    Kind("officer", officers, "search", "/officers/{}", _log_ins, lambda r: r["area_name"]),
    Kind(
        "disaster",
        disasters,
        "search",
        "/disasters/{}",
        lambda r: r["name"],
        lambda r: r["area_name"],
    ),
)


async def found(caller: Caller, text: str) -> dict[str, Any]:
    """``items`` with ``kind, id, title, area, href, understood``, kind by kind; ``cut``: there are
    more. ``understood``: of a division, as `projections.asking.area_lists.areas` tells it.

    An empty text finds nothing. 403 to who is in no post; 429 beyond the searches an officer
    and minute.
    """
    caller.scope(EVERYBODY, None)
    items: list[dict[str, Any]] = []
    cut = False
    for kind in KINDS if text else ():
        read = read_of(kind.query)
        if read.roles.isdisjoint(caller.roles()):
            continue
        page = await ask(caller, read, None, limit=EACH, **{kind.word: text})
        cut = cut or page.next is not None
        items += [
            {
                "kind": kind.name,
                "id": row["id"],
                "title": kind.titled(row),
                "area": kind.placed(row),
                "href": kind.href.format(row["id"]),
                "understood": row.get("understood"),
            }
            for row in page.items
        ]
    return {"items": items, "cut": cut}


@router.get(
    "/v1/search",
    summary="What has this name or number: divisions, households, officers, disasters",
    description=(
        "`items` with `kind`, `id`, `title` (personal names masked), `area` and `href`, the page, "
        "and `understood` where a code means a division by a former code of its county; "
        f"at most {EACH} of each kind, and only what the caller may list. `cut`: there are more."
    ),
    responses={code: RESPONSES[code] for code in (401, 403, 422, 429)},
)
async def search(
    request: Request,
    caller: Asking,
    q: Annotated[str, Query(max_length=LONGEST, pattern=r"^[^\x00]*$")] = "",
) -> dict[str, Any]:
    check_parameters(request, ("q",))
    return await found(caller, q.strip())
