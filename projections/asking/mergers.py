"""What merging one disaster into another would do, and splitting it back: asked before it is done.

Nothing moves in the log but what counts with what: reports stay where they are filed. So these are
questions over the rows as they are, counted once as they stand and once as they would.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from domain.disaster import (
    GOES_ON,
    ON,
    DisasterNotOpen,
    Merging,
    NotMergedInto,
    Response,
    against_merger,
)
from domain.lateness import NEVER_HELD, HeldTime
from domain.refusal import Refusal
from projections.areas import AREAS
from projections.asking.deadlines_at import deadlines
from projections.asking.figures import Held, roll_up
from projections.asking.names import names
from projections.asking.scope import Scope
from projections.asking.situation_board import asked_for, held_by, tree_of
from projections.disasters import ATTACHED, DISASTERS, absorbed_into, running_in
from projections.folding.base import Row
from projections.seasons import SEASONS
from projections.situation import REPORTS

HERE = ("id", "name", "area", "area_name", "hazard", "occurred_at", "stage", "exercise")


def merger_preview(
    db: Connection,
    scope: Scope,
    *,
    disaster: UUID,
    into: UUID | None = None,
    at: datetime,
    held: HeldTime = NEVER_HELD,
) -> dict[str, Any] | None:
    """What `MergeDisaster` would do. Nothing is changed.

    ``counted_together``: the ``reports`` that would be told under ``into``, with the ``absorbed``
    disasters they came with and the first hundred ``deadlines`` of theirs (``more_deadlines``).
    ``doubled``: areas of which both have a current report; one of each must be detached first.
    ``stays``: the ``responses`` that run in ``into``, and ``seasons`` opened for the disaster,
    which go on naming it. ``figures``: by topmost area of the asker, of each of the two and of
    both ``together``, ``official`` and ``reported``. ``against``: what refuses it, each with
    ``type`` and sentences; none: it can be done. None if one of the two lies outside the
    jurisdiction.
    """
    mine = _one(db, scope, disaster)
    other = _one(db, scope, into) if into is not None else None
    if mine is None or (into is not None and other is None):
        return None
    both = [mine, other] if other is not None else [mine]
    against = list(against_merger(_merging(db, mine), _merging(db, other))) if other else []
    hosts = {id: one["id"] for one in both for id in absorbed_into(db, UUID(one["id"]))}
    return {
        "disaster": _told(mine),
        "into": _told(other) if other else None,
        "counted_together": _of(db, scope, mine, at, held),
        "stays": {
            "responses": running_in(db, [other["id"]])[other["id"]] if other else [],
            "seasons": _seasons(db, scope, mine),
        },
        "doubled": _doubled(db, scope, mine, other) if other else [],
        "figures": _figures(db, scope, mine, hosts, (other or mine)["id"]),
        "against": _sentences(db, scope, against),
    }


def split_preview(
    db: Connection,
    scope: Scope,
    *,
    disaster: UUID,
    at: datetime,
    held: HeldTime = NEVER_HELD,
) -> dict[str, Any] | None:
    """What `SplitDisaster` would do: ``leaves`` with its reports and deadlines, the ``stage`` it
    would stand at again, and ``figures`` of the host (``into``) ``together`` with it as now, and of
    each ``apart``. ``against`` as in `merger_preview`."""
    mine = _one(db, scope, disaster)
    if mine is None:
        return None
    host = _one(db, scope, UUID(mine["merged_into"])) if mine["merged_into"] else None
    against: list[Refusal] = []
    if mine["merged_into"] is None:
        against.append(NotMergedInto(disaster=disaster))
    elif host is None:
        return None
    elif host["stage"] not in GOES_ON:
        against.append(DisasterNotOpen(disaster=UUID(host["id"]), stage=host["stage"], needed=ON))
    hosts = dict.fromkeys(absorbed_into(db, disaster), str(mine["id"]))
    if host is not None:
        hosts = dict.fromkeys(absorbed_into(db, UUID(host["id"])), str(host["id"])) | hosts
    return {
        "disaster": _told(mine) | {"stage_afterwards": mine["stage_before_merger"]},
        "into": _told(host) if host else None,
        "leaves": _of(db, scope, mine, at, held),
        "figures": _figures(db, scope, mine, hosts, (host or mine)["id"]),
        "against": _sentences(db, scope, against),
    }


def _one(db: Connection, scope: Scope, id: UUID) -> Row | None:
    query = (
        select(DISASTERS, AREAS.c.name.label("area_name"))
        .join(AREAS, AREAS.c.id == DISASTERS.c.area)
        .where(DISASTERS.c.id == str(id), scope.covers(DISASTERS.c.area))
    )
    found = db.execute(query).mappings().first()
    return None if found is None else dict(found)


def _told(one: Row) -> Row:
    return {name: one[name] for name in HERE}


def _merging(db: Connection, one: Row) -> Merging:
    ids = absorbed_into(db, UUID(one["id"]))
    reports = select(ATTACHED.c.area, ATTACHED.c.report).where(ATTACHED.c.disaster.in_(ids))
    return Merging(
        UUID(one["id"]),
        one["stage"],
        one["exercise"],
        {
            UUID(row["area"]): Response(row["level"], row["document_no"])
            for row in running_in(db, [one["id"]])[one["id"]]
        },
        {UUID(row.area): UUID(row.report) for row in db.execute(reports)},
    )


def _of(db: Connection, scope: Scope, one: Row, at: datetime, held: HeldTime) -> dict[str, Any]:
    """What goes wherever the disaster is counted: its reports, and what they still owe."""
    ids = absorbed_into(db, UUID(one["id"]))
    reports = (
        select(
            ATTACHED.c.report,
            ATTACHED.c.area,
            AREAS.c.name.label("area_name"),
            AREAS.c.code.label("area_code"),
            ATTACHED.c.disaster,
            REPORTS.c.kind,
            REPORTS.c.number,
            REPORTS.c.review,
            REPORTS.c.as_of,
        )
        .join(AREAS, AREAS.c.id == ATTACHED.c.area)
        .outerjoin(REPORTS, REPORTS.c.report == ATTACHED.c.report)
        .where(ATTACHED.c.disaster.in_(ids), scope.covers(ATTACHED.c.area))
        .order_by(AREAS.c.code, ATTACHED.c.report)
    )
    absorbed = (
        select(DISASTERS.c.id, DISASTERS.c.name)
        .where(DISASTERS.c.id.in_(ids), DISASTERS.c.id != one["id"], scope.covers(DISASTERS.c.area))
        .order_by(DISASTERS.c.id)
    )
    owed = deadlines(
        db, scope, at=at, held=held, disaster=UUID(one["id"]), exercise=one["exercise"]
    )
    return {
        "reports": [dict(row) for row in db.execute(reports).mappings()],
        "absorbed": [dict(row) for row in db.execute(absorbed).mappings()],
        "deadlines": owed.items,
        "more_deadlines": owed.next is not None,
    }


def _doubled(db: Connection, scope: Scope, one: Row, other: Row) -> list[Row]:
    theirs = ATTACHED.alias("theirs")
    query = (
        select(
            ATTACHED.c.area,
            AREAS.c.name.label("area_name"),
            ATTACHED.c.report,
            theirs.c.report.label("other_report"),
        )
        .join(theirs, theirs.c.area == ATTACHED.c.area)
        .join(AREAS, AREAS.c.id == ATTACHED.c.area)
        .where(
            ATTACHED.c.disaster.in_(absorbed_into(db, UUID(one["id"]))),
            theirs.c.disaster.in_(absorbed_into(db, UUID(other["id"]))),
            scope.covers(ATTACHED.c.area),
        )
        .order_by(AREAS.c.code)
    )
    return [dict(row) for row in db.execute(query).mappings()]


def _seasons(db: Connection, scope: Scope, one: Row) -> list[Row]:
    s = SEASONS.c
    query = select(s.id, s.programme, s.year, s.name_zh, s.name_en, s.area, s.closed_at).where(
        s.disaster.in_(absorbed_into(db, UUID(one["id"]))), scope.covers(s.area)
    )
    return [dict(row) for row in db.execute(query.order_by(s.opened_at, s.id)).mappings()]


def _figures(db: Connection, scope: Scope, one: Row, apart: dict[str, str], host: str) -> list[Row]:
    """Totals by topmost area of the asker. ``apart``: disaster → the one it counts under while each
    counts alone; ``host``: the one under which all of them count together."""
    conditions = asked_for(scope, one["exercise"], None, None)
    conditions.append(REPORTS.c.disaster.in_(list(apart)))
    held = held_by(db, conditions, apart)
    areas = tree_of(db, conditions)
    parents = {id: row["parent"] for id, row in areas.items()}
    inside = {id for id in areas if scope.contains(id, parents)}
    tops = [id for id in inside if parents[id] not in inside]
    tops.sort(key=lambda id: areas[id]["code"])

    def told(some: list[Held], top: str) -> Row:
        totals = roll_up(some, parents, [top])[top]
        return {name: totals[name] for name in ("official", "reported")}

    alone = {id: [one for one in held if one.group == id] for id in dict.fromkeys(apart.values())}
    joint = [replace(one, group=host) for one in held]
    return [
        {
            "area": top,
            "area_name": areas[top]["name"],
            "apart": [{"disaster": id, **told(its, top)} for id, its in alone.items()],
            "together": told(joint, top),
        }
        for top in tops
    ]


def _sentences(db: Connection, scope: Scope, refusals: list[Refusal]) -> list[Row]:
    """Each with the ``type`` of its problem, its ids and figures, and what it says."""
    values = [value for refusal in refusals for value in refusal.facts().values()]
    single = [one for value in values for one in (value if isinstance(value, tuple) else (value,))]
    known = names(db, scope, ids=[one for one in single if isinstance(one, UUID)])
    return [
        {
            "type": refusal.code(),
            "zh": refusal.sentence("zh", known),
            "en": refusal.sentence("en", known),
            "facts": refusal.facts(),
        }
        for refusal in refusals
    ]
