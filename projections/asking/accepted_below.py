"""What an area's own report may begin from: what the areas directly below have had accepted.

A county that files its own report has its townships' figures in this store already. They are
offered, never filed by themselves: whoever files takes them over, or does not.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, func, or_, select

from domain.report_filing import Review
from projections.areas import AREAS, children
from projections.asking.figures import Held, Total, official_by_area, text
from projections.asking.scope import Scope
from projections.asking.situation_board import APART, above, held_by, tree_of
from projections.disasters import DISASTERS, host_of
from projections.folding.base import Row
from projections.situation import REPORTS

YEARS = 2
"""Calendar years that are looked at, the latest of any report there, and before them only what is
of a disaster that goes on: a report begins from what goes on, and a store keeps decades."""


@dataclass(slots=True)
class Process:
    """Reports about one occurrence. ``until``: as of when the last of them speaks."""

    group: str
    until: datetime
    reports: list[Held] = field(default_factory=list)


def accepted_below(db: Connection, scope: Scope, *, exercise: bool = False) -> dict[str, Any]:
    """``processes``: what the areas directly below the asked ones (``area``, else those of the
    caller's posts) had accepted, one an ``area`` and occurrence, the latest first. Only of the
    last two years there.

    Each has ``disaster`` (or None), ``hazard``, ``sub_hazard`` (where all say the same),
    ``occurred_at`` (the first), ``own`` (the area's own reports of it, also those on no disaster
    beside a disaster of an area below, which can take none from above it), ``reports`` and

    - ``parts``: ``area``, ``name``, ``as_of``, ``figures`` (the known ones), ``in_part`` (those of
      them that only some of the ``reports`` behind them gave, see the board), ``from_below`` (it
      has none accepted itself: the sum of the areas below it), ``abolished_on``: it is no more
      (else None), and what it had accepted still counts;
    - ``several``: parts with more than one accepted report of it; where they have none themselves,
      also those below which an area has. Whether these are two floods or one is not known, so they
      are never added;
    - ``silent``: living parts with nothing accepted; ``review`` of what they filed, or None;
    - ``sums``: by key the ``value`` over ``parts`` and how many of them gave it (``of``). A key
      that none gave is not there; which figures may be added at all is for the rules to say.
    """
    known = {row["id"]: dict(row) for row in db.execute(select(DISASTERS)).mappings()}
    found = []
    for area in map(str, scope.roots or ()):
        found += _of_area(db, scope, area, exercise, known)
    return {"processes": found}


def _of_area(
    db: Connection, scope: Scope, area: str, exercise: bool, known: dict[str, Row]
) -> list[Row]:
    below = select(AREAS.c.id).where(AREAS.c.parent == area).cte("parts", recursive=True)
    below = below.union(select(AREAS.c.id).join(below, AREAS.c.parent == below.c.id))
    conditions = [
        scope.covers(REPORTS.c.area),
        REPORTS.c.exercise.is_(exercise),
        REPORTS.c.review != str(Review.WITHDRAWN),
        REPORTS.c.area.in_(select(below.c.id)) | (REPORTS.c.area == area),
    ]
    latest = select(func.max(REPORTS.c.year)).where(*conditions).scalar_subquery()
    hosts = {id: host_of(known, id) for id in known}
    conditions.append(_lately(db, conditions, REPORTS.c.year > latest - YEARS, hosts))
    held = held_by(db, conditions, hosts)
    columns = (REPORTS.c.report, REPORTS.c.hazard, REPORTS.c.sub_hazard, REPORTS.c.review)
    query = select(*columns).where(*conditions)
    names = tuple(column.name for column in columns)
    about = {row[0]: dict(zip(names, row, strict=True)) for row in db.execute(query)}
    areas = tree_of(db, conditions)
    direct = children(db, UUID(area))
    found = []
    every = processes(held, known)
    loose = [one for one in every if one.group not in known]
    for process in every:
        shaped = _shaped(process, area, areas, direct, about)
        disaster = known.get(process.group)
        if disaster is not None and disaster["area"] in areas and disaster["area"] != area:
            shaped["own"] += _beside(process, loose, area, about)
        if shaped["parts"] or shaped["several"]:
            shaped["disaster"] = process.group if disaster else None
            shaped["disaster_name"] = disaster["name"] if disaster else None
            found.append(shaped)
    return found


def _lately(
    db: Connection,
    conditions: list[ColumnElement[bool]],
    recent: ColumnElement[bool],
    hosts: dict[str, str],
) -> ColumnElement[bool]:
    """Reports of late, and all of a disaster that one of them is about: a drought may take years,
    and its first dead are not left out of its sum."""
    disaster = REPORTS.c.disaster
    query = select(disaster).where(*conditions, recent, disaster.is_not(None)).distinct()
    named = {hosts.get(id, id) for id in db.execute(query).scalars()}
    return or_(recent, disaster.in_([id for id, host in hosts.items() if host in named]))


def processes(held: list[Held], known: dict[str, Row]) -> list[Process]:
    """Reports by disaster, the latest first; those on none (``known`` names the disasters) by
    hazard, and by time: see `APART`."""
    groups: dict[str, list[Held]] = defaultdict(list)
    for one in held:
        groups[one.group].append(one)
    found: list[Process] = []
    for group, reports in groups.items():
        last: Process | None = None
        for one in sorted(reports, key=lambda one: one.occurred_at):
            begun, until = _moment(one.occurred_at), _moment(one.as_of)
            if last is None or (group not in known and begun > last.until + APART):
                last = Process(group, until)
                found.append(last)
            last.until = max(last.until, until)
            last.reports.append(one)
    return sorted(found, key=lambda one: one.until, reverse=True)


def _beside(process: Process, loose: list[Process], area: str, about: dict[str, Row]) -> list[str]:
    """The area's own reports on no disaster that are about the same process, by hazard and time:
    its figures stand, and it is not told that it has not reported."""
    begun = min(_moment(one.occurred_at) for one in process.reports)
    hazards = {about[one.report]["hazard"] for one in process.reports}
    return [
        one.report
        for other in loose
        for one in other.reports
        if one.area == area
        and about[one.report]["hazard"] in hazards
        and _moment(one.occurred_at) <= process.until + APART
        and _moment(one.as_of) >= begun - APART
    ]


def _shaped(
    process: Process,
    itself: str,
    areas: dict[str, Row],
    direct: list[Row],
    about: dict[str, Row],
) -> Row:
    mine = [one for one in process.reports if one.area == itself]
    theirs = [one for one in process.reports if one.area != itself]
    parents = {id: row["parent"] for id, row in areas.items()}
    twice = _twice(theirs)
    totals = official_by_area(theirs, parents)
    parts, several, silent = [], [], []
    for row in direct:
        area = row["id"]
        inside = [one for one in theirs if area in above(one.area, parents)]
        who = {"area": area, "name": row["name"]}
        if not totals.get(area):
            if row["abolished_on"] is not None:
                continue
            told = max((one for one in inside if one.area == area), key=_as_of, default=None)
            silent.append(who | {"review": about[told.report]["review"] if told else None})
        elif _unsure(area, inside, twice):
            reports = [one.report for one in inside if one.accepted is not None]
            several.append(who | {"reports": reports})
        else:
            part = _part(totals[area][0], area, inside)
            parts.append(who | part | {"abolished_on": row["abolished_on"]})
    kinds = {about[one.report]["sub_hazard"] for one in theirs if one.accepted is not None}
    return {
        "area": itself,
        "hazard": about[process.reports[0].report]["hazard"],
        "sub_hazard": next(iter(kinds)) if len(kinds) == 1 else "",
        "occurred_at": min(one.occurred_at for one in process.reports),
        "own": [one.report for one in mine],
        "reports": [one.report for one in theirs if one.accepted is not None],
        "parts": parts,
        "several": several,
        "silent": silent,
        "sums": _sums(parts),
    }


def _part(total: Total, area: str, inside: list[Held]) -> Row:
    return {
        "as_of": total.as_of,
        "figures": {key: text(value) for key, value in sorted(total.known.items())},
        "in_part": total.in_part,
        "reports": sorted(total.reports),
        "from_below": not any(one.area == area and one.accepted is not None for one in inside),
    }


def _unsure(area: str, inside: list[Held], twice: set[str]) -> bool:
    """Whether a part cannot be told. Where it has one accepted report itself, two of an area below
    do not unsettle it: theirs are not what counts, but dead and missing, as on the board."""
    mine = any(one.area == area and one.accepted is not None for one in inside)
    return area in twice or (not mine and any(one.area in twice for one in inside))


def _twice(reports: list[Held]) -> set[str]:
    """Areas with more than one accepted report."""
    seen: set[str] = set()
    found: set[str] = set()
    for one in reports:
        if one.accepted is not None:
            (found if one.area in seen else seen).add(one.area)
    return found


def _sums(parts: list[Row]) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for part in parts:
        for key, value in part["figures"].items():
            one = found.setdefault(key, {"value": "0", "of": 0})
            one["value"] = text(Decimal(one["value"]) + Decimal(value))
            one["of"] += 1
    return dict(sorted(found.items()))


def _as_of(one: Held) -> str:
    return one.as_of


def _moment(written: str) -> datetime:
    return datetime.fromisoformat(written)
