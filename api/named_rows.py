"""Rows of the rosters that an application may name, read one by one from their records."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from api.auth import Caller
from domain.casualty_record import CasualtyRecord, Fate
from domain.commands.named_rows import Row, holder_of, reports_of
from domain.commands.rosters import same_name
from domain.house_damage import HouseDamage
from domain.season import Season
from domain.situation_report import SituationReport
from eventstore.deciding import DecisionWorld
from eventstore.names import members_named
from eventstore.store import Store

MOST = 500
"""Rows that are offered; more are found by the officers of single villages."""


class Free(NamedTuple):
    """A row that may be named. ``kin``: it is a member of the household itself ("member"), or has
    the name of one ("name"); "" where neither is known."""

    row: Row
    kin: str = ""


def free_rows(
    caller: Caller, season: UUID, which: str, own: UUID | None, households: Iterable[UUID] = ()
) -> list[Free]:
    """Of the rosters of a season's disaster the ``dead``, or each ``house``, in the caller's reach,
    without those that another case than ``own`` names. Of the dead of other villages those who are
    of one of the ``households``: somebody who died away from home stands on the roster there."""
    store = caller.system.store
    world = store.world(store.head())
    found = world.get(Season, season)
    if found.disaster is None:
        return []
    areas = set(caller.areas())
    family = _Family(store, households) if which == "dead" else None
    kin: list[Free] = []
    rows: list[Free] = []
    for report in reports_of(world, found.disaster).values():
        for row in _rows(world, world.get(SituationReport, report), which):
            lineage = caller.system.tree.lineage(row.area)
            reached = not areas.isdisjoint(lineage)
            if (not reached and family is None) or holder_of(world, row) not in (None, own):
                continue
            how = family.how(row) if isinstance(row, CasualtyRecord) and family is not None else ""
            if how and found.area in lineage:
                kin.append(Free(row, how))
            elif reached:
                rows.append(Free(row))
    return [*kin, *rows][:MOST]


class _Family:
    """Who ever was a member of some households, the dead among them, and by what names."""

    def __init__(self, store: Store, households: Iterable[UUID]) -> None:
        self._vault = store.vault
        self.persons: set[UUID] = set()
        self.names: list[str] = []
        for household in households:
            for fact in store.history(household):
                for member in members_named(fact.event):
                    self.persons.add(member.person)
                    name = store.vault.reveal(member.name, household, "name")
                    self.names += [name] if name else []

    def how(self, row: CasualtyRecord) -> str:
        """As `Free.kin`. Whose ID number is on the roster is known by it alone."""
        if row.person in self.persons:
            return "member"
        if row.casualty.id_number is not None or not self.names:
            return ""
        name = self._vault.reveal(row.casualty.name, row.id, "name") or ""
        return "name" if any(same_name(name, one) for one in self.names) else ""


def _rows(world: DecisionWorld, report: SituationReport, which: str) -> list[Row]:
    if which == "house":
        return [world.get(HouseDamage, id) for id in report.houses.values()]
    people = (world.get(CasualtyRecord, id) for id in report.casualties.values())
    return [one for one in people if one.fate is Fate.DEAD]
