"""Which thresholds 响应条件 the accepted figures of an area reach, as for a response."""

from typing import Any
from uuid import UUID

from api.auth import Caller
from domain.commands.disasters import thresholds_reached
from domain.disaster import Disaster


def reached_in(caller: Caller, disaster: UUID, area: UUID) -> dict[str, Any]:
    """``grounds``: for each metric the gravest ``level`` reached, with its sentences ``zh`` and
    ``en``, the gravest first; ``table``: the document of the table, "" where none is in force;
    ``unconfirmed``: nobody has confirmed it, so that it starts nothing in earnest. Of a disaster
    and an area that the caller was shown."""
    store = caller.system.store
    world = store.world(store.head())
    found = world.get(Disaster, disaster)
    grounds, ref = thresholds_reached(world, found, area)
    return {
        "area": str(area),
        "grounds": [{"level": one.level, "zh": one.zh, "en": one.en} for one in grounds],
        "table": ref.document_no if ref is not None else "",
        "unconfirmed": ref is not None and ref.unconfirmed,
    }
