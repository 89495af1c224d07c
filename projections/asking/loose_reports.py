"""Reports on no disaster, put together that may be about one: what a disaster is declared from."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from domain.report_filing import Review
from projections.areas import AREAS
from projections.asking.accepted_below import YEARS, Process, processes
from projections.asking.scope import Scope
from projections.asking.situation_board import APART, held_by
from projections.disasters import DISASTERS, absorbed_into
from projections.folding.base import Row
from projections.situation import REPORTS

MOST = 50
"""Occurrences that are told at most: those that were told of last."""


def loose_reports(
    db: Connection, scope: Scope, *, disaster: UUID | None = None, exercise: bool = False
) -> dict[str, Any]:
    """``occurrences``: reports that stand and are on no disaster, by hazard, and apart where more
    than three days lie between them (`APART`); the latest first, of the last two years there.

    Each has ``hazard``, ``sub_hazard`` (where all say the same), ``occurred_at`` (the first),
    ``until`` (as of when the last speaks) and ``reports``: ``report``, ``area``, ``area_name``,
    ``area_code``, ``level``, ``kind``, ``number``, ``review``, ``as_of``, ``occurred_at``,
    ``accepted_number``; ``again``: another report there is of the same area.
    ``disaster``: only what may be about that one: its hazard, its days, areas that have no report
    there (exercises, if it is one); nothing if it is not to be seen.
    """
    about = _about(db, scope, disaster) if disaster is not None else None
    if disaster is not None and about is None:
        return {"occurrences": []}
    if about is not None:
        exercise = bool(about["exercise"])
    conditions = [
        scope.covers(REPORTS.c.area),
        REPORTS.c.exercise.is_(exercise),
        REPORTS.c.disaster.is_(None),
        REPORTS.c.review != str(Review.WITHDRAWN),
    ]
    latest = select(func.max(REPORTS.c.year)).where(*conditions).scalar_subquery()
    conditions.append(REPORTS.c.year > latest - YEARS)
    if about is not None:
        conditions += [
            REPORTS.c.hazard == about["hazard"],
            REPORTS.c.area.not_in(about["areas"]),
            REPORTS.c.area.in_(_inside(about["area"])),
        ]
    found = processes(held_by(db, conditions, {}), {})
    if about is not None:
        found = [one for one in found if _near(one, about)]
    found = found[:MOST]
    told = _told(db, scope, [one.report for process in found for one in process.reports])
    return {"occurrences": [_shaped(one, told) for one in found]}


def _about(db: Connection, scope: Scope, disaster: UUID) -> Row | None:
    """Where and when the disaster is, and the areas that have a report there."""
    d = DISASTERS.c
    ids = absorbed_into(db, disaster)
    reports = select(REPORTS.c.area, REPORTS.c.as_of).where(REPORTS.c.disaster.in_(ids))
    seen = scope.covers(d.area) | d.id.in_(
        select(REPORTS.c.disaster).where(scope.covers(REPORTS.c.area))
    )
    query = select(d.area, d.hazard, d.occurred_at, d.exercise).where(d.id == str(disaster), seen)
    row = db.execute(query).mappings().first()
    if row is None:
        return None
    held = db.execute(reports).all()
    until = max([row["occurred_at"], *(one.as_of for one in held)])
    return {**row, "areas": [one.area for one in held], "until": until}


def _inside(area: str) -> Any:
    """The area and all below it; the tree is public."""
    below = select(AREAS.c.id).where(AREAS.c.id == area).cte("inside_it", recursive=True)
    below = below.union(select(AREAS.c.id).join(below, AREAS.c.parent == below.c.id))
    return select(below.c.id)


def _near(process: Process, about: Row) -> bool:
    """Whether no more than `APART` lies between the two."""
    begun = min(datetime.fromisoformat(one.occurred_at) for one in process.reports)
    first, last = (datetime.fromisoformat(about[name]) for name in ("occurred_at", "until"))
    return begun <= last + APART and process.until >= first - APART


def _told(db: Connection, scope: Scope, reports: list[str]) -> dict[str, Row]:
    r = REPORTS.c
    query = (
        select(
            r.report,
            r.area,
            AREAS.c.name.label("area_name"),
            AREAS.c.code.label("area_code"),
            AREAS.c.level,
            r.hazard,
            r.sub_hazard,
            r.kind,
            r.number,
            r.review,
            r.as_of,
            r.occurred_at,
            r.accepted_number,
        )
        .join(AREAS, AREAS.c.id == r.area)
        .where(scope.covers(r.area), r.report.in_(reports))
    )
    return {row["report"]: dict(row) for row in db.execute(query).mappings()}


def _shaped(process: Process, told: dict[str, Row]) -> Row:
    """One occurrence, its reports down the tree."""
    rows = sorted(
        (told[one.report] for one in process.reports),
        key=lambda row: (row["area_code"], row["occurred_at"], row["report"]),
    )
    met: set[str] = set()
    for row in rows:
        row["again"] = row["area"] in met
        met.add(row["area"])
    kinds = {row["sub_hazard"] for row in rows}
    return {
        "hazard": rows[0]["hazard"],
        "sub_hazard": next(iter(kinds)) if len(kinds) == 1 else "",
        "occurred_at": min(row["occurred_at"] for row in rows),
        "until": process.until.isoformat(timespec="milliseconds"),
        "reports": rows,
    }
