"""The rosters 台账 of a report: the people and homes that are counted on it, read one by one from
their records, which the report names. Names are masked."""

from typing import Any, Final
from uuid import UUID

from api.auth import Caller
from api.known_at import position_asked
from domain.casualty_record import CasualtyRecord
from domain.commands.reviews import roster_rows
from domain.house_damage import HouseDamage
from domain.masking import mask_name
from domain.situation_report import SituationReport
from eventstore.deciding import DecisionWorld

KINDS: Final = {"casualties": "casualty-records", "houses": "house-damages"}
"""Which roster → the kind of its rows, as addresses say it."""


def roster_of(caller: Caller, report: UUID, which: str, first: int, most: int) -> dict[str, Any]:
    """``rows``: those from number ``first`` (0 is the one put down first), ``most`` at most, of
    ``total``; ``counted``: by figure what the rows of this report and of those below it in its
    disaster come to. Of a report that the caller was shown: nothing is asked about jurisdiction.

    A person who was found, and what was withdrawn, stands on no roster: the timeline has them.
    """
    store = caller.system.store
    world = store.world(position_asked())
    found = world.get(SituationReport, report)
    ids = list((found.casualties if which == "casualties" else found.houses).values())
    tell = _casualty if which == "casualties" else _house
    rows = [tell(world, id) for id in ids[first : first + most]]
    store.texts.opened(rows)
    return {"rows": rows, "total": len(ids), "counted": roster_rows(world, found)}


def _casualty(world: DecisionWorld, id: UUID) -> dict[str, Any]:
    record = world.get(CasualtyRecord, id)
    told = record.casualty
    return {
        "id": str(id),
        "area": str(record.area),
        "name": told.masked_name,
        "fate": str(record.fate),
        "severe": record.severe,
        "sex": told.sex,
        "age": told.age,
        "cause": told.cause,
        "happened_at": told.happened_at.isoformat() if told.happened_at else None,
    }


def _house(world: DecisionWorld, id: UUID) -> dict[str, Any]:
    record = world.get(HouseDamage, id)
    return {
        "id": str(id),
        "area": str(record.area),
        "name": mask_name(world.vault.unseal(record.name, id, "name") or ""),
        "grade": str(record.grade),
        "rooms": record.rooms,
    }
