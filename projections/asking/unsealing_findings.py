"""Findings about the opening of personal data: somebody who looks very often.

Each opening (a household's data, the number of who called, the text of an objection) has its reason
in the log and its line on the timeline; what no single line tells is how many there were. So they
are counted by officer, county of what was opened and hour of the clock.
"""

from typing import Any

from sqlalchemy import Column, Index, Integer, Select, String, Table, literal

from domain.household import Household
from domain.incident import Incident
from domain.village_list import VillageList
from projections.asking.finding_rows import finding
from projections.asking.scope import Scope
from projections.folding.base import LOGICAL, Rows, text_of, when
from projections.officers import OFFICERS

MANY = 30
"""Openings in one hour by one officer from which an auditor should ask why."""

UNSEALINGS = Table(
    "unsealings",
    LOGICAL,
    Column("area", String(36), primary_key=True),
    Column("officer", String(36), primary_key=True),
    Column("hour", String, primary_key=True),
    Column("openings", Integer, nullable=False),
    Column("reason", String, nullable=False),
    Index("unsealings_many", "openings"),
)
"""``area``: the county (or higher) in which the opened was registered. ``hour``: UTC, as
``2018-07-04T07``. ``reason``: the last one that was given."""


Opening = Household.Revealed | Incident.CallerRevealed | VillageList.ObjectionRevealed


def revealed(rows: Rows, at: int, e: Opening) -> None:
    hour = when(e.meta.recorded_at)[:13]
    key = text_of(e.meta.division), text_of(e.meta.actor), hour
    known = rows.get(UNSEALINGS, *key)
    row = dict(zip(("area", "officer", "hour"), key, strict=True))
    number = 1 if known is None else known["openings"] + 1
    rows.put(UNSEALINGS, {**row, "openings": number, "reason": e.reason})


def many_unsealings(scope: Scope) -> Select[Any]:
    """An officer who opened personal data very often within one hour."""
    u = UNSEALINGS.c
    return finding(
        literal("many_unsealings"),
        u.area + ":" + u.officer + ":" + u.hour,
        UNSEALINGS.outerjoin(OFFICERS, OFFICERS.c.id == u.officer),
        area=u.area,
        number=u.openings,
        reason=OFFICERS.c.masked_name + literal("：") + u.reason,
        since=u.hour + literal(":00:00.000Z"),
    ).where(scope.covers(u.area), u.openings >= MANY)
