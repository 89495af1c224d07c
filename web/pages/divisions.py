"""Divisions 区划: the tree, looked for by code, name or pinyin, and the page of one division.

Lists of them are in `web.pages.division_files`.
"""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth import Caller
from api.known_at import position_asked
from domain.area import Area, AreaLevel
from domain.commands.areas import EstablishArea
from domain.rules.base import china_day
from eventstore.store import Store
from projections.areas import AREAS, lineage
from projections.asking.area_lists import areas
from projections.asking.old_codes import earlier_codes
from projections.asking.paging import Page
from projections.timeline import timeline
from web.formats import UNKNOWN
from web.keeping import KEEPERS, division_of, division_row, keeps, moving, on_it
from web.paging import ROWS, Leaf, Turn, Turned, book_of
from web.parts import AtDesk, Desk
from web.village_groups import groups_on_page

router = APIRouter(include_in_schema=False)

LISTED = 100
_KEYS: dict[type[Any], str] = {
    Area.Established: "area_established",
    Area.Renamed: "area_renamed",
    Area.CodeChanged: "area_code_changed",
    Area.MergedInto: "area_merged_into",
    Area.SplitFrom: "area_split_from",
    Area.Abolished: "area_abolished",
    Area.GroupNamed: "area_group_named",
    Area.GroupRenamed: "area_group_renamed",
    Area.GroupEnded: "area_group_ended",
    Area.GroupPassedOn: "area_group_passed_on",
    Area.GroupTakenOver: "area_group_taken_over",
}


@router.get("/divisions")
async def tree(request: Request, desk: AtDesk, turn: Turned, q: str = "") -> Response:
    """What fits the words, or else what lies right below the caller's own areas."""
    roots = [await run_in_threadpool(division_row, desk.caller, one) for one in _roots(desk)]
    text = q.strip()
    rows: list[Any] = []
    leaf = None
    if text or len(roots) == 1:
        parent = None if text else UUID(roots[0]["id"])
        found = await desk.ask(areas, q=text, parent=parent, cursor=turn.cursor, limit=ROWS)
        rows, leaf = found.items, _leaf(turn, found, text, parent)
    return await desk.show(
        request,
        "divisions.html",
        roots=roots,
        rows=rows,
        leaf=leaf,
        q=text,
        keeps=not KEEPERS.isdisjoint(desk.caller.roles()),
    )


@router.get("/divisions/{id}")
async def one_division(request: Request, desk: AtDesk, id: UUID) -> Response:
    found = await division_of(desk, id)
    below, more = await desk.ask_all(areas, parent=id, most=LISTED)
    return await desk.show(
        request,
        "division.html",
        one=found,
        told=desk.may_ask(timeline),
        over=await run_in_threadpool(over, desk.caller, id),
        acts=await run_in_threadpool(_acts, desk, found),
        goes_on=False,
        refused=None,
        earlier=earlier_codes(found["code"]),
        groups=await groups_on_page(desk, found) if found["level"] == AreaLevel.VILLAGE else None,
        below=below,
        more=more,
        history=await run_in_threadpool(history, desk.caller.system.store, id),
        living=found["abolished_on"] is None,
        today=china_day(desk.now).isoformat(),
    )


def _acts(desk: Desk, one: dict[str, Any]) -> dict[str, Any] | None:
    """What hangs on it and what may be done: with it (``own``) or below it. None: nothing."""
    id = UUID(one["id"])
    own = keeps(desk, one)
    if not own and not desk.may(EstablishArea, id):
        return None
    if one["merged_into"] is not None:
        return moving(desk, id)
    if one["abolished_on"] is not None:
        return None
    return {"hangs": on_it(desk.caller, id), "own": own}


def _leaf(turn: Turn, found: Page, text: str, parent: UUID | None) -> Leaf:
    return turn.leaf(found, "/divisions", book=book_of("divisions", q=text, parent=parent), q=text)


def _roots(desk: Desk) -> tuple[UUID, ...]:
    return desk.caller.areas(desk.caller.roles())


def over(caller: Caller, id: UUID) -> list[dict[str, Any]]:
    """What lies over it, the highest first; ``mine``: within the caller's areas."""
    with caller.system.reader() as db:
        above = lineage(db, id)[1:]
        rows = db.execute(select(AREAS).where(AREAS.c.id.in_(map(str, above)))).mappings()
        known = {row["id"]: row for row in rows}
        mine = {step for root in caller.areas() for step in lineage(db, root)[1:]}
    return [
        {"id": str(step), "name": known[str(step)]["name"], "mine": step not in mine}
        for step in reversed(above)
        if str(step) in known
    ]


def history(store: Store, id: UUID) -> list[dict[str, Any]]:
    """Its facts, the latest first: ``event``, the day it takes effect, the document, what it says
    (a name, a code, another division)."""
    told = []
    for fact in store.history(id, position=position_asked()):
        event: Any = fact.event
        begun = isinstance(event, Area.Established)
        told.append(
            {
                "event": _KEYS[type(event)],
                "day": event.established_on if begun else event.effective_on,
                "document_no": event.document_no,
                "says": _says(store, event),
            }
        )
    return told[::-1]


def _says(store: Store, event: Any) -> str:
    if isinstance(event, Area.Established):
        return f"{event.name} {event.code}"
    if isinstance(event, Area.Renamed):
        return event.name
    if isinstance(event, Area.CodeChanged | Area.GroupEnded):
        return event.code
    if isinstance(event, Area.GroupNamed | Area.GroupRenamed):
        return f"{event.code} {event.name}"
    named = (getattr(event, name, None) for name in ("target", "source", "into", "origin"))
    other = next((one for one in named if one is not None), None)
    area: Area | None = store.load(other, position=position_asked()) if other is not None else None
    if area is None:
        return ""
    if isinstance(event, Area.GroupPassedOn):
        return f"{event.code} → {area.name} {event.into_code or UNKNOWN}"
    if isinstance(event, Area.GroupTakenOver):
        return f"{event.code} {event.name} ← {area.name} {event.origin_code}"
    return f"{area.name} {area.code}"
