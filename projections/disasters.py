"""Disasters 灾害过程: name, hazard, stage, and the responses 救灾应急响应 with their documents."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Column, Connection, Index, Integer, String, Table, select

from domain.disaster import Disaster, DisasterStage
from projections.areas import AREAS
from projections.asking.looked_for import Meant, Source, looked_for, names_in, numbers_in
from projections.asking.paging import Page, page
from projections.asking.scope import Scope
from projections.folding.base import LOGICAL, Row, Rows, View, text_of, when

DISASTERS = Table(
    "disasters",
    LOGICAL,
    Column("id", String(36), primary_key=True),
    Column("area", String(36), nullable=False),
    Column("area_code", String(12), nullable=False),
    Column("name", String, nullable=False),
    Column("hazard", String, nullable=False),
    Column("sub_hazard", String, nullable=False),
    Column("occurred_at", String, nullable=False),
    Column("exercise", Boolean, nullable=False),
    Column("stage", String, nullable=False),
    Column("stage_before_merger", String),
    Column("merged_into", String(36)),
    Column("declared_at", String, nullable=False),
    Column("stable_at", String),
    Column("closed_at", String),
    Column("reason", String),  # of the last change of stage
    Column("unconfirmed", Boolean, nullable=False),  # the list of hazards that it was declared by
    Index("disasters_by_area", "area"),
    Index("disasters_by_host", "merged_into"),
)

RESPONSES = Table(
    "disaster_responses",
    LOGICAL,
    Column("disaster", String(36), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("area", String(36), nullable=False),
    Column("step", String, nullable=False),  # started, changed, ended
    Column("level", Integer, nullable=False),
    Column("level_before", Integer),
    Column("document_no", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("at", String, nullable=False),
    Column("by", String(36), nullable=False),
    Column("unconfirmed", Boolean, nullable=False),  # the thresholds that it went by
)

RUNNING = Table(
    "disaster_running_responses",
    LOGICAL,
    Column("disaster", String(36), primary_key=True),
    Column("area", String(36), primary_key=True),
    Column("level", Integer, nullable=False),
    Column("document_no", String, nullable=False),
    Column("since", String, nullable=False),
    Column("unconfirmed", Boolean, nullable=False),
)

ATTACHED = Table(
    "disaster_reports",
    LOGICAL,
    Column("disaster", String(36), primary_key=True),
    Column("report", String(36), primary_key=True),
    Column("area", String(36), nullable=False),
    Column("at", String, nullable=False),
)


def declared(rows: Rows, at: int, e: Disaster.Declared) -> None:
    rows.put(
        DISASTERS,
        {
            "id": text_of(e.originator_id),
            "area": text_of(e.area),
            "area_code": e.area_code,
            "name": e.name,
            "hazard": e.hazard,
            "sub_hazard": e.sub_hazard,
            "occurred_at": when(e.occurred_at),
            "exercise": e.exercise,
            "stage": str(DisasterStage.OPEN),
            "declared_at": when(e.meta.recorded_at),
            "unconfirmed": e.rule.unconfirmed,
        },
    )


def report_attached(rows: Rows, at: int, e: Disaster.ReportAttached) -> None:
    row = {
        "disaster": text_of(e.originator_id),
        "report": text_of(e.report),
        "area": text_of(e.area),
        "at": when(e.meta.recorded_at),
    }
    rows.put(ATTACHED, row)


def report_detached(rows: Rows, at: int, e: Disaster.ReportDetached) -> None:
    """Also told to a host that had absorbed the report; then there is no row here."""
    rows.delete(ATTACHED, text_of(e.originator_id), text_of(e.report))


def _response(rows: Rows, at: int, e: Any, step: str, reason: str, before: int | None) -> None:
    moment = when(e.meta.recorded_at)
    disaster, area, by = text_of(e.originator_id), text_of(e.area), text_of(e.meta.actor)
    rule = getattr(e, "rule", None)  # an end goes by no table
    unsure = rule is not None and rule.unconfirmed
    told = (disaster, at, area, step, e.level, before, e.document_no, reason, moment, by)
    values = (*told, unsure)
    rows.append(RESPONSES, values)
    if step == "ended":
        rows.delete(RUNNING, disaster, area)
    else:
        row = {
            "level": e.level,
            "document_no": e.document_no,
            "since": moment,
            "unconfirmed": unsure,
        }
        rows.put(RUNNING, {"disaster": disaster, "area": area, **row})


def response_started(rows: Rows, at: int, e: Disaster.ResponseStarted) -> None:
    _response(rows, at, e, "started", e.forecast, None)


def response_changed(rows: Rows, at: int, e: Disaster.ResponseChanged) -> None:
    _response(rows, at, e, "changed", e.reason, e.level_before)


def response_ended(rows: Rows, at: int, e: Disaster.ResponseEnded) -> None:
    _response(rows, at, e, "ended", e.reason, e.level)


def stabilized(rows: Rows, at: int, e: Disaster.Stabilized) -> None:
    stage = str(DisasterStage.STABILIZED)
    id = text_of(e.originator_id)
    rows.change(DISASTERS, id, stage=stage, stable_at=when(e.stable_at), reason=e.reason)


def closed(rows: Rows, at: int, e: Disaster.Closed) -> None:
    moment = when(e.meta.recorded_at)
    stage = str(DisasterStage.CLOSED)
    rows.change(DISASTERS, text_of(e.originator_id), stage=stage, closed_at=moment, reason=e.reason)


def reopened(rows: Rows, at: int, e: Disaster.Reopened) -> None:
    rows.change(
        DISASTERS,
        text_of(e.originator_id),
        stage=str(DisasterStage.OPEN),
        stable_at=None,
        closed_at=None,
        reason=e.reason,
    )


def merged_into(rows: Rows, at: int, e: Disaster.MergedInto) -> None:
    id = text_of(e.originator_id)
    before = rows.need(DISASTERS, id)["stage"]
    rows.change(
        DISASTERS,
        id,
        stage=str(DisasterStage.MERGED),
        stage_before_merger=before,
        merged_into=text_of(e.into),
        reason=e.reason,
    )


def split_back(rows: Rows, at: int, e: Disaster.SplitBack) -> None:
    id = text_of(e.originator_id)
    stage = rows.need(DISASTERS, id)["stage_before_merger"]
    rows.change(
        DISASTERS, id, stage=stage, stage_before_merger=None, merged_into=None, reason=e.reason
    )


# queries


def absorbed_into(db: Connection, disaster: UUID) -> list[str]:
    """The disaster and all that have been merged into it. Ids only: reports carry the scope."""
    start = select(DISASTERS.c.id).where(DISASTERS.c.id == str(disaster))
    inside = start.cte("inside", recursive=True)
    step = select(DISASTERS.c.id).join(inside, DISASTERS.c.merged_into == inside.c.id)
    inside = inside.union(step)
    return [row[0] for row in db.execute(select(inside.c.id).order_by(inside.c.id))] or [
        str(disaster)
    ]


def host_of(known: Mapping[str, Any], id: str) -> str:
    """The disaster that this one has been merged into, and so on; itself if into none."""
    seen = {id}
    while (into := known[id]["merged_into"]) in known and into not in seen:
        seen.add(id := into)
    return id


def _query(scope: Scope) -> Any:
    """A disaster is seen where it was declared and above, and where reports of it come from."""
    told = select(ATTACHED.c.disaster).where(scope.covers(ATTACHED.c.area))
    seen = scope.covers(DISASTERS.c.area) | DISASTERS.c.id.in_(told)
    return (
        select(DISASTERS, AREAS.c.name.label("area_name"))
        .join(AREAS, AREAS.c.id == DISASTERS.c.area)
        .where(seen)
    )


def disasters(
    db: Connection,
    scope: Scope,
    *,
    stage: str | None = None,
    search: str | None = None,
    meant: Meant | None = None,
    exercise: bool = False,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """Disasters, the latest first, with the responses that run. ``unconfirmed``: the rules that one
    was declared or started by had not been confirmed.

    ``stage``: open, stabilized, closed or merged. ``search``: the name (also pinyin or initials),
    the place, the hazard, the document of a response.
    """
    query = _query(scope).where(DISASTERS.c.exercise == exercise)
    if search:
        seen = query.with_only_columns(DISASTERS.c.id, maintain_column_froms=True)
        steps = select(RESPONSES.c.disaster, RESPONSES.c.document_no).distinct()
        documents = Source(DISASTERS.c.id, steps.where(RESPONSES.c.disaster.in_(seen)))
        sources = names_in(query, DISASTERS.c.name, AREAS.c.name)
        keys = (DISASTERS.c.hazard.in_, DISASTERS.c.sub_hazard.in_)
        every = [*sources, *numbers_in(search, documents)]
        query = query.where(looked_for(db, search, every, keys=keys, meant=meant))
    if stage is not None:
        query = query.where(DISASTERS.c.stage == stage)
    order = [DISASTERS.c.occurred_at, DISASTERS.c.id]
    found = page(db, query, order, cursor=cursor, limit=limit, descending=True)
    running = running_in(db, [row["id"] for row in found.items])
    for row in found.items:
        row["responses"] = running[row["id"]]
    return found


def disaster(db: Connection, scope: Scope, *, disaster: UUID) -> Row | None:
    """One disaster: responses that run, all steps of them with 文号, and the attached reports.

    Reports of disasters merged into it are among them. Only reports of one's own areas are named.
    """
    row = db.execute(_query(scope).where(DISASTERS.c.id == str(disaster))).mappings().first()
    if row is None:
        return None
    found = dict(row)
    ids = absorbed_into(db, disaster)
    found["absorbed"] = [id for id in ids if id != found["id"]]
    found["responses"] = running_in(db, [found["id"]])[found["id"]]
    steps = select(RESPONSES).where(RESPONSES.c.disaster == found["id"])
    found["response_steps"] = [
        dict(step) for step in db.execute(steps.order_by(RESPONSES.c.position)).mappings()
    ]
    reports = (
        select(ATTACHED, AREAS.c.name.label("area_name"), AREAS.c.code.label("area_code"))
        .join(AREAS, AREAS.c.id == ATTACHED.c.area)
        .where(scope.covers(ATTACHED.c.area), ATTACHED.c.disaster.in_(ids))
        .order_by(AREAS.c.code, ATTACHED.c.report)
    )
    found["reports"] = [dict(report) for report in db.execute(reports).mappings()]
    return found


def running_in(db: Connection, disasters: Sequence[str]) -> dict[str, list[Row]]:
    """The responses that run, by disaster. They are published: they are shown to whoever sees the
    disaster."""
    query = (
        select(RUNNING, AREAS.c.name.label("area_name"))
        .join(AREAS, AREAS.c.id == RUNNING.c.area)
        .where(RUNNING.c.disaster.in_(disasters))
        .order_by(RUNNING.c.level, RUNNING.c.area)
    )
    found: dict[str, list[Row]] = {id: [] for id in disasters}
    for row in db.execute(query).mappings():
        found[row["disaster"]].append(dict(row))
    return found


VIEW = View(
    name="disasters",
    version=2,
    tables=(DISASTERS, RESPONSES, RUNNING, ATTACHED),
    routes={
        Disaster.Declared: declared,
        Disaster.ReportAttached: report_attached,
        Disaster.ReportDetached: report_detached,
        Disaster.ResponseStarted: response_started,
        Disaster.ResponseChanged: response_changed,
        Disaster.ResponseEnded: response_ended,
        Disaster.Stabilized: stabilized,
        Disaster.Closed: closed,
        Disaster.Reopened: reopened,
        Disaster.MergedInto: merged_into,
        Disaster.SplitBack: split_back,
    },
    ignored={
        Disaster.Absorbed: "the absorbed disaster's MergedInto tells it; queries follow it",
        Disaster.Released: "the disaster's own SplitBack tells it",
    },
)
