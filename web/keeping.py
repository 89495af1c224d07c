"""Who keeps a division, and what hangs on it: what its pages share."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from api.auth import Caller
from api.following import belongings_now
from api.known_at import position_asked
from domain.area import Area
from domain.commands.areas import KEEPERS as KEEPING
from domain.commands.areas import RenameArea
from domain.refusal import NotFound
from domain.seat import keeper_of
from domain.world import Role
from eventstore.lineage import seat_recorded
from projections.areas import AREAS
from web.parts import Desk

KEEPERS = KEEPING - {Role.SYSTEM}
UNNUMBERED = "—"
"""In place of a document's number while something is only looked at."""
HANGS = (
    "groups",
    "households",
    "persons",
    "cases",
    "village_lists",
    "free_units",
    "reserved_units",
    "consignments",
    "reports",
    "posts",
    "duties",
)
"""What hangs on a division, in the order in which it is told."""
MOVES = ("households", "cases", "village_lists", "reports", "posts")
"""What a merger's run moves one by one: its progress is counted by these."""


async def division_of(desk: Desk, id: UUID) -> dict[str, Any]:
    """The division as the boards have it. 404 outside the caller's areas."""
    desk.caller.actor(desk.caller.roles(), id)
    return await run_in_threadpool(division_row, desk.caller, id)


def division_row(caller: Caller, id: UUID) -> dict[str, Any]:
    with caller.system.reader() as db:
        row = db.execute(select(AREAS).where(AREAS.c.id == str(id))).mappings().first()
    if row is None:
        raise NotFound(kind="Area", id=id)
    return dict(row) | {"former_codes": row["former_codes"].split()}


def keeper(desk: Desk, one: dict[str, Any]) -> UUID:
    """Where the posts lie that keep this division."""
    parent = UUID(one["parent"]) if one["parent"] is not None else None
    return keeper_of(UUID(one["id"]), parent, seat_recorded(desk.caller.system.store))


def keeps(desk: Desk, one: dict[str, Any]) -> bool:
    """Whether the caller may change this division: from a post above it, or at the seat its own."""
    return desk.may(RenameArea, keeper(desk, one))


def on_it(caller: Caller, id: UUID) -> dict[str, int]:
    """What hangs on a division now, by kind, without what there is none of."""
    found = belongings_now(caller.system, id)
    return {kind: found[kind] for kind in HANGS if found[kind]}


def moving(desk: Desk, id: UUID, of: str = "") -> dict[str, Any]:
    """``hangs``: what is still to move; ``moved`` things of ``whole`` have."""
    hangs = on_it(desk.caller, id)
    left = sum(hangs.get(kind, 0) for kind in MOVES)
    whole = max(int(of), left) if of.isascii() and of.isdigit() and len(of) < 9 else left
    return {"hangs": hangs, "moved": whole - left, "whole": whole}


def merged_by(desk: Desk, id: UUID) -> str:
    """The document of the merger."""
    for fact in reversed(desk.caller.system.store.history(id, position=position_asked())):
        if isinstance(fact.event, Area.MergedInto):
            return fact.event.document_no
    return UNNUMBERED
