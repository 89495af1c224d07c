"""Which thresholds 响应条件 the accepted figures of an area reach, as for a response."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from api.auth import Caller
from api.known_at import position_asked
from domain.commands.disasters import DECIDERS, thresholds_reached
from domain.disaster import Disaster
from domain.refusal import NotFound
from domain.rules.thresholds import BOTH, OWN, PARTS, Thresholds
from domain.world import World
from projections.asking.scope import Scope
from projections.asking.work import Asked
from projections.asking.work_disasters import Responding, response_figures


def reached_in(caller: Caller, disaster: UUID, area: UUID) -> dict[str, Any]:
    """``grounds``: for each metric the gravest ``level`` reached, with its sentences ``zh`` and
    ``en``, the gravest first; ``table``: the document of the table, "" where none is in force;
    ``unconfirmed``: nobody has confirmed it, so that it starts nothing in earnest. Of a disaster
    and an area that the caller was shown."""
    store = caller.system.store
    world = store.world(position_asked())
    found = world.get(Disaster, disaster)
    grounds, ref = thresholds_reached(world, found, area)
    return {
        "area": str(area),
        "grounds": [{"level": one.level, "zh": one.zh, "en": one.en} for one in grounds],
        "table": ref.document_no if ref is not None else "",
        "unconfirmed": ref is not None and ref.unconfirmed,
    }


def graver_than_run(
    caller: Caller, db: Connection, scope: Scope, asked: Asked
) -> frozenset[tuple[UUID, UUID]]:
    """The open disasters and areas here whose accepted figures reach a graver level of response
    than runs there. A table that nobody has confirmed asks for nothing in earnest."""
    if asked.roles.isdisjoint(DECIDERS):
        return frozenset()
    found = response_figures(db, scope, exercise=asked.exercise)
    if not found:
        return frozenset()
    store = caller.system.store
    world = store.world(position_asked())
    return frozenset(
        (UUID(one.disaster), UUID(one.area)) for one in found if _asks_for_more(world, one)
    )


def _asks_for_more(world: World, one: Responding) -> bool:
    if not one.both:
        return False
    try:
        table = world.rules(Thresholds, UUID(one.area), datetime.fromisoformat(one.occurred_at))
    except NotFound:
        return False
    if table.ref.unconfirmed and not one.exercise:
        return False
    reached = table.rule.reached_by({OWN: one.own, PARTS: one.parts, BOTH: one.both})
    return any(ground.level < one.level for ground in reached)
