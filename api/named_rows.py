"""Rows of the rosters that an application may name, read one by one from their records."""

from uuid import UUID

from api.auth import Caller
from domain.casualty_record import CasualtyRecord, Fate
from domain.commands.named_rows import Row, holder_of, reports_of
from domain.house_damage import HouseDamage
from domain.season import Season
from domain.situation_report import SituationReport
from eventstore.deciding import DecisionWorld

MOST = 500
"""Rows that are offered; more are found by the officers of single villages."""


def free_rows(caller: Caller, season: UUID, which: str, own: UUID | None) -> list[Row]:
    """Of the rosters of a season's disaster the ``dead``, or each ``house``, in the caller's reach,
    without those that another case than ``own`` names."""
    store = caller.system.store
    world = store.world(store.head())
    found = world.get(Season, season)
    if found.disaster is None:
        return []
    areas = set(caller.areas())
    rows: list[Row] = []
    for area, report in reports_of(world, found.disaster).items():
        near = not areas.isdisjoint(caller.system.tree.lineage(area))
        below = any(area in caller.system.tree.lineage(one) for one in areas)
        if not near and not below:
            continue
        for row in _rows(world, world.get(SituationReport, report), which):
            reached = not areas.isdisjoint(caller.system.tree.lineage(row.area))
            if reached and holder_of(world, row) in (None, own):
                rows.append(row)
    return rows[:MOST]


def _rows(world: DecisionWorld, report: SituationReport, which: str) -> list[Row]:
    if which == "house":
        return [world.get(HouseDamage, id) for id in report.houses.values()]
    people = (world.get(CasualtyRecord, id) for id in report.casualties.values())
    return [one for one in people if one.fate is Fate.DEAD]
