"""Dispatch board 调度: incidents, the units that can be sent, and what is on its way."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    Select,
    String,
    Table,
    and_,
    case,
    or_,
    select,
)

from domain.incident import LIFE_AT_STAKE, WORKING, Incident, Severity, Stage
from domain.lateness import NEVER_HELD, HeldTime
from projections.areas import AREAS
from projections.asking.counted import over
from projections.asking.looked_for import Meant, looked_for, names_in
from projections.asking.paging import Page, page
from projections.asking.scope import Scope
from projections.folding.base import LOGICAL, Rows, View, as_json, text_of, when
from projections.sections.consignments import CONSIGNMENTS
from projections.sections.consignments import query_of as consignments_of
from projections.sections.units import ROUTES as UNIT_ROUTES
from projections.sections.units import UNITS

MOST_ON_BOARD = 500
ATTENTION = timedelta(minutes=15)
"""An incident that waits this long without a unit is shown as waiting too long."""

INCIDENTS = Table(
    "incidents",
    LOGICAL,
    Column("id", String(36), primary_key=True),
    Column("area", String(36), nullable=False),
    Column("in_charge", String(36), nullable=False),
    Column("place", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("details", String, nullable=False),
    Column("latitude_e6", Integer),
    Column("longitude_e6", Integer),
    Column("exercise", Boolean, nullable=False),
    Column("status", String, nullable=False),
    Column("priority", Integer),
    Column("note", String),
    Column("units", String, nullable=False),
    Column("occurred_at", String, nullable=False),
    Column("opened_at", String, nullable=False),
    Column("clock_held", Boolean, nullable=False),  # when it was opened
    Column("acknowledge_by", String),
    Column("missed", Integer, nullable=False),
    Column("triaged_at", String),
    Column("assigned_at", String),
    Column("acknowledged_at", String),
    Column("en_route_at", String),
    Column("on_scene_at", String),
    Column("resolved_at", String),
    Column("ended_at", String),
    Column("worked", String, nullable=False),  # units that were there, and are not any more
    Column("outcome", String),
    Column("duplicate_of", String(36)),
    Index("incidents_by_status", "status"),
    Index("incidents_by_area", "area"),
    Index("incidents_by_charge", "in_charge"),
    Index("incidents_by_limit", "acknowledge_by"),
)

LEADERS = AREAS.alias("leader")
RANK = case(
    (INCIDENTS.c.priority == 1, 2),
    (INCIDENTS.c.priority.is_not(None), INCIDENTS.c.priority * 2 + 1),
    (INCIDENTS.c.kind.in_(sorted(LIFE_AT_STAKE)), 3),
    (INCIDENTS.c.severity.in_((Severity.EXTREME, Severity.SEVERE)), 4),
    else_=6,
)
"""The order of the board. A call that nobody has triaged may be anything: where its kind says that
life is at stake it stands right below priority 1, before whatever is only called severe (a missing
person stood below an older power cut); all else stands between priorities 2 and 3."""

WAITING = (Stage.OPEN, Stage.TRIAGED, Stage.ASSIGNED)
DONE = (Stage.RESOLVED, Stage.CLOSED, Stage.DUPLICATE)


def opened(rows: Rows, at: int, e: Incident.Opened) -> None:
    rows.put(
        INCIDENTS,
        {
            "id": text_of(e.originator_id),
            "area": text_of(e.area),
            "in_charge": text_of(e.area),
            "place": e.place,
            "kind": str(e.kind),
            "severity": str(e.severity),
            "details": e.details,
            "latitude_e6": e.spot.latitude_e6 if e.spot else None,
            "longitude_e6": e.spot.longitude_e6 if e.spot else None,
            "exercise": e.exercise,
            "status": "open",
            "units": "{}",
            "worked": "{}",
            "occurred_at": when(e.occurred_at),
            "opened_at": when(e.meta.recorded_at),
            "clock_held": e.meta.clock_held,
            "missed": 0,
        },
    )


def triaged(rows: Rows, at: int, e: Incident.Triaged) -> None:
    row = rows.need(INCIDENTS, text_of(e.originator_id))
    changes: dict[str, Any] = {"priority": e.priority, "note": e.note, "acknowledge_by": None}
    if row["status"] == Stage.OPEN:
        changes["status"] = "triaged"
    if row["triaged_at"] is None:
        changes["triaged_at"] = when(e.meta.recorded_at)
    rows.put(INCIDENTS, {**row, **changes})


def _work(rows: Rows, incident: str, unit: str, step: dict[str, Any] | None, at: str) -> None:
    """A unit's work moved on (or ended: None); the incident is where its foremost unit is."""
    row = rows.need(INCIDENTS, incident)
    units: dict[str, dict[str, Any]] = json.loads(row["units"])
    changes: dict[str, Any] = {}
    if step is None:
        done = units.pop(unit, None)
        if done is not None and done["stage"] == Stage.ON_SCENE:
            changes["worked"] = as_json({**json.loads(row["worked"]), unit: done})
    else:
        units[unit] = {**units.get(unit, {}), **step}
        if row[f"{step['stage']}_at"] is None:
            changes[f"{step['stage']}_at"] = at
    stages = [WORKING.index(Stage(one["stage"])) for one in units.values()]
    changes["status"] = str(WORKING[max(stages)]) if stages else "triaged"
    rows.put(INCIDENTS, {**row, **changes, "units": as_json(units)})


def assigned(rows: Rows, at: int, e: Incident.Assigned) -> None:
    moment = when(e.assigned_at)
    step = {"stage": "assigned", "assigned_at": moment}
    _work(rows, text_of(e.originator_id), text_of(e.unit), step, moment)


def acknowledgement_due(rows: Rows, at: int, e: Incident.AcknowledgementDue) -> None:
    rows.change(INCIDENTS, text_of(e.originator_id), acknowledge_by=when(e.due_at))


def acknowledgement_missed(rows: Rows, at: int, e: Incident.AcknowledgementMissed) -> None:
    id = text_of(e.originator_id)
    missed = rows.need(INCIDENTS, id)["missed"] + 1
    rows.change(INCIDENTS, id, acknowledge_by=None, missed=missed)


def acknowledged(rows: Rows, at: int, e: Incident.Acknowledged) -> None:
    moment = when(e.occurred_at)
    step = {"stage": "acknowledged", "acknowledged_at": moment}
    _work(rows, text_of(e.originator_id), text_of(e.unit), step, moment)
    rows.change(INCIDENTS, text_of(e.originator_id), acknowledge_by=None)


def en_route(rows: Rows, at: int, e: Incident.EnRoute) -> None:
    moment = when(e.occurred_at)
    step = {"stage": "en_route", "en_route_at": moment, "eta_minutes": e.eta_minutes}
    _work(rows, text_of(e.originator_id), text_of(e.unit), step, moment)


def on_scene(rows: Rows, at: int, e: Incident.OnScene) -> None:
    moment = when(e.occurred_at)
    step = {"stage": "on_scene", "on_scene_at": moment}
    _work(rows, text_of(e.originator_id), text_of(e.unit), step, moment)


def recalled(rows: Rows, at: int, e: Incident.Recalled) -> None:
    _work(rows, text_of(e.originator_id), text_of(e.unit), None, when(e.meta.recorded_at))
    rows.change(INCIDENTS, text_of(e.originator_id), acknowledge_by=None)


def resolved(rows: Rows, at: int, e: Incident.Resolved) -> None:
    id = text_of(e.originator_id)
    row = rows.need(INCIDENTS, id)
    rows.change(
        INCIDENTS,
        id,
        status="resolved",
        units="{}",
        worked=as_json({**json.loads(row["worked"]), **json.loads(row["units"])}),
        outcome=e.outcome,
        resolved_at=when(e.occurred_at),
    )


def closed(rows: Rows, at: int, e: Incident.Closed) -> None:
    id = text_of(e.originator_id)
    row = rows.change(INCIDENTS, id, status="closed", ended_at=when(e.meta.recorded_at))
    if row["outcome"] is None:
        rows.change(INCIDENTS, id, outcome=e.reason)


def escalated(rows: Rows, at: int, e: Incident.Escalated) -> None:
    id = text_of(e.originator_id)
    rows.change(INCIDENTS, id, in_charge=text_of(e.to), acknowledge_by=None)


def duplicate_found(rows: Rows, at: int, e: Incident.DuplicateFound) -> None:
    rows.change(
        INCIDENTS,
        text_of(e.originator_id),
        status="duplicate",
        duplicate_of=text_of(e.original),
        ended_at=when(e.meta.recorded_at),
    )


def duplicate_undone(rows: Rows, at: int, e: Incident.DuplicateUndone) -> None:
    id = text_of(e.originator_id)
    status = "open" if rows.need(INCIDENTS, id)["priority"] is None else "triaged"
    rows.change(INCIDENTS, id, status=status, duplicate_of=None, ended_at=None, acknowledge_by=None)


# Queries


def _incidents(scope: Scope) -> Select[Any]:
    """Incidents that happened here, or that an area here is in charge of."""
    return (
        select(
            INCIDENTS,
            AREAS.c.name.label("area_name"),
            LEADERS.c.name.label("in_charge_name"),
            RANK.label("rank"),
        )
        .outerjoin(AREAS, AREAS.c.id == INCIDENTS.c.area)
        .outerjoin(LEADERS, LEADERS.c.id == INCIDENTS.c.in_charge)
        .where(or_(scope.covers(INCIDENTS.c.area), scope.covers(INCIDENTS.c.in_charge)))
    )


def _with_units(db: Connection, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The incidents with the names of the units that work on them, or have."""
    lists = ("units", "worked")
    for one in found:
        one.update({name: json.loads(one[name]) for name in lists})
    ids = sorted({unit for one in found for name in lists for unit in one[name]})
    query = select(UNITS.c.id, UNITS.c.name, UNITS.c.kind).where(UNITS.c.id.in_(ids))
    rows = db.execute(query) if ids else ()
    known, nobody = {r.id: {"name": r.name, "kind": r.kind} for r in rows}, {"name": "", "kind": ""}
    for one in found:
        for name in lists:
            work = sorted(one[name].items())
            one[name] = [{"unit": id, **known.get(id, nobody), **done} for id, done in work]
    return found


def incidents(
    db: Connection,
    scope: Scope,
    *,
    status: str | None = None,
    open: bool | None = None,
    search: str | None = None,
    meant: Meant | None = None,
    exercise: bool = False,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """Incidents, the newest first; ``open=true`` leaves out what is over. ``search``: the area
    where it happened or that is in charge (name, pinyin, initials or code), or the kind."""
    query = _incidents(scope).where(INCIDENTS.c.exercise.is_(exercise))
    if status is not None:
        query = query.where(INCIDENTS.c.status == status)
    if open is not None:
        over = INCIDENTS.c.status.in_(DONE)
        query = query.where(~over if open else over)
    if search:
        names, kinds = names_in(query, AREAS.c.name, LEADERS.c.name), [INCIDENTS.c.kind.in_]
        code = [AREAS.c.code]
        query = query.where(looked_for(db, search, names, codes=code, keys=kinds, meant=meant))
    order: list[Any] = [INCIDENTS.c.opened_at, INCIDENTS.c.id]
    found = page(db, query, order, cursor=cursor, limit=limit, descending=True)
    return found.of(_with_units(db, found.items))


def incident(db: Connection, scope: Scope, *, incident: UUID) -> dict[str, Any] | None:
    """One incident with its units, those that have ``worked`` on it, and the times of each step."""
    query = _incidents(scope).where(INCIDENTS.c.id == str(incident))
    found = [dict(row) for row in db.execute(query).mappings()]
    return _with_units(db, found)[0] if found else None


def units(
    db: Connection,
    scope: Scope,
    *,
    status: str | None = None,
    kind: str | None = None,
    search: str | None = None,
    exercise: bool = False,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """Units, and where they are. ``search``: name or area, also in pinyin or by initials."""
    query = (
        select(UNITS, AREAS.c.name.label("area_name"))
        .outerjoin(AREAS, AREAS.c.id == UNITS.c.area)
        .where(scope.covers(UNITS.c.area), UNITS.c.exercise.is_(exercise))
    )
    if status is not None:
        query = query.where(UNITS.c.status == status)
    if kind is not None:
        query = query.where(UNITS.c.kind == kind)
    if search:
        query = query.where(looked_for(db, search, names_in(query, UNITS.c.name, AREAS.c.name)))
    return page(db, query, [UNITS.c.name, UNITS.c.id], cursor=cursor, limit=limit)


def dispatch_board(
    db: Connection,
    scope: Scope,
    *,
    exercise: bool = False,
    at: datetime,
    held: HeldTime = NEVER_HELD,
) -> dict[str, Any]:
    """The whole board: open incidents by priority, all units, consignments on the way.

    At most 500 of each; ``more`` names what was cut. ``unattended``: no unit works on it, and it
    was opened more than a quarter of an hour ago.
    """
    i = INCIDENTS.c
    long = over(i.opened_at, held, at, after=ATTENTION)
    waits = and_(long, i.clock_held.is_(False), i.units == "{}")
    open = (
        _incidents(scope)
        .add_columns(case((waits, True), else_=False).label("unattended"))
        .where(INCIDENTS.c.exercise.is_(exercise), ~INCIDENTS.c.status.in_(DONE))
        .order_by("rank", INCIDENTS.c.opened_at, INCIDENTS.c.id)
    )
    moving = (
        consignments_of(scope, at, held)
        .where(CONSIGNMENTS.c.exercise.is_(exercise), CONSIGNMENTS.c.status == "shipped")
        .order_by(CONSIGNMENTS.c.eta.nulls_first(), CONSIGNMENTS.c.id)
    )
    most = MOST_ON_BOARD + 1
    boards = {
        "incidents": _with_units(db, [dict(r) for r in db.execute(open.limit(most)).mappings()]),
        "units": units(db, scope, exercise=exercise, limit=most).items,
        "consignments": [dict(r) for r in db.execute(moving.limit(most)).mappings()],
    }
    return {
        **{name: found[:MOST_ON_BOARD] for name, found in boards.items()},
        "more": [name for name, found in boards.items() if len(found) > MOST_ON_BOARD],
    }


def escalations_due(
    db: Connection,
    scope: Scope,
    *,
    at: datetime,
    held: HeldTime = NEVER_HELD,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """Incidents that ought to have been escalated by themselves at that time, drills too."""
    i = INCIDENTS.c
    query = select(i.id, i.acknowledge_by).where(
        scope.covers(i.area), over(i.acknowledge_by, held, at), i.status.in_(WAITING)
    )
    return page(db, query, [i.acknowledge_by, i.id], cursor=cursor, limit=limit)


VIEW = View(
    name="dispatch",
    version=7,
    tables=(INCIDENTS, UNITS),
    routes={
        **UNIT_ROUTES,
        Incident.Opened: opened,
        Incident.Triaged: triaged,
        Incident.Assigned: assigned,
        Incident.AcknowledgementDue: acknowledgement_due,
        Incident.AcknowledgementMissed: acknowledgement_missed,
        Incident.Acknowledged: acknowledged,
        Incident.EnRoute: en_route,
        Incident.OnScene: on_scene,
        Incident.Recalled: recalled,
        Incident.Resolved: resolved,
        Incident.Closed: closed,
        Incident.Escalated: escalated,
        Incident.DuplicateFound: duplicate_found,
        Incident.DuplicateUndone: duplicate_undone,
    },
)
