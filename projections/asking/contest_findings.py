"""Findings of whoever claims many persons whom other households have claimed already."""

from typing import Any

from sqlalchemy import Column, Index, Select, String, Table, func, literal

from domain.person import Person
from domain.rules.base import china_day
from projections.asking.finding_rows import finding
from projections.asking.scope import Scope
from projections.folding.base import LOGICAL, Rows, text_of, when
from projections.households import HOUSEHOLDS
from projections.officers import OFFICERS

MANY_CONTESTS = 10
"""From how many persons of others on that one officer claims in a day it is worth a question."""

MAKERS = Table(
    "contest_makers",
    LOGICAL,
    Column("person", String(36), primary_key=True),
    Column("household", String(36), primary_key=True),
    Column("officer", String(36), nullable=False),
    Column("day", String(10), nullable=False),
    Column("since", String, nullable=False),
    Index("contest_makers_by_officer", "officer", "day"),
)
"""Who registered somebody whom another household had claimed: many of them are a question."""


def claimed_of_others(rows: Rows, e: Person.Contested) -> None:
    rows.put(
        MAKERS,
        {
            "person": text_of(e.originator_id),
            "household": text_of(e.household),
            "officer": text_of(e.meta.actor),
            "day": china_day(e.meta.recorded_at).isoformat(),
            "since": when(e.meta.recorded_at),
        },
    )


def many_contests(scope: Scope) -> Select[Any]:
    """One officer claimed many persons of others in a day: a careless list, or a way to find out
    who is registered elsewhere. ``reason`` is the officer's masked name."""
    m, h = MAKERS.c, HOUSEHOLDS.c
    source = MAKERS.join(HOUSEHOLDS, h.id == m.household).outerjoin(
        OFFICERS, OFFICERS.c.id == m.officer
    )
    return (
        finding(
            literal("many_contests"),
            m.officer + ":" + m.day,
            source,
            area=func.min(h.area),
            number=func.count(),
            reason=func.min(OFFICERS.c.masked_name),
            since=func.max(m.since),
        )
        .where(scope.covers(h.area), h.exercise.is_(scope.training))
        .group_by(m.officer, m.day)
        .having(func.count() >= MANY_CONTESTS)
    )
