"""Consignments 调拨: who sends what to whom, what is on the road, what came.

A section of the view `projections.stock`. A consignment's row belongs to its destination; whoever
sees its source sees it too.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
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

from domain.consignment import Consignment, Count, Phase
from domain.goods import LotPick
from domain.lateness import NEVER_HELD, HeldTime
from projections.areas import AREAS
from projections.asking.counted import over
from projections.asking.looked_for import Meant, goods_in, looked_for, names_in
from projections.asking.paging import Page, page
from projections.asking.scope import Scope
from projections.folding.base import LOGICAL, Rows, as_json, text_of, when
from projections.officers import OFFICERS

STEPS = ("requested", "ordered", "shipped", "arrived", "struck", "ended")
"""The steps of a consignment, whose officers and moments its row keeps."""

STOCK_MOVES = Table(
    "stock_moves",
    LOGICAL,
    Column("position", Integer, primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("area", String(36), nullable=False),
    Column("item", String, nullable=False),
    Column("exercise", Boolean, nullable=False),
    Column("lot", String(36), nullable=False),
    Column("debit", String, nullable=False),
    Column("credit", String, nullable=False),
    Column("units", Integer, nullable=False),
    Column("value_fen", Integer, nullable=False),
    Column("document_no", String, nullable=False),
    Column("subject", String(36)),
    Column("recorded_at", String, nullable=False),
    Index("stock_moves_by_lot", "lot"),
    Index("stock_moves_by_subject", "subject"),
)

CONSIGNMENTS = Table(
    "consignments",
    LOGICAL,
    Column("id", String(36), primary_key=True),
    Column("area", String(36), nullable=False),
    Column("source", String(36)),
    Column("status", String, nullable=False),
    Column("exercise", Boolean, nullable=False),
    Column("lines", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("needed_by", String),
    Column("document_no", String),
    Column("vehicle", String),
    Column("eta", String),
    Column("units", Integer, nullable=False),
    Column("good", Integer, nullable=False),
    Column("damaged", Integer, nullable=False),
    Column("missing", Integer, nullable=False),
    Column("turned_back", Boolean, nullable=False),
    Column("remark", String),
    Column("requested_at", String, nullable=False),
    Column("ordered_at", String),
    Column("shipped_at", String),
    Column("arrived_at", String),
    Column("ended_at", String),
    Column("asked", String, nullable=False),
    *[Column(f"{step}_by", String(36)) for step in STEPS],
    Column("struck_document_no", String),
    Column("struck_at", String),
    Index("consignments_by_area", "area"),
    Index("consignments_by_source", "source"),
)

CARGO = Table(
    "consignment_cargo",
    LOGICAL,
    Column("consignment", String(36), primary_key=True),
    Column("lot", String(36), primary_key=True),
    Column("area", String(36), nullable=False),
    Column("source", String(36), nullable=False),
    Column("item", String, nullable=False),
    Column("exercise", Boolean, nullable=False),
    Column("unit_value_fen", Integer, nullable=False),
    Column("units", Integer, nullable=False),
    Column("good", Integer, nullable=False),
    Column("damaged", Integer, nullable=False),
    Column("missing", Integer, nullable=False),
    Column("struck", Integer, nullable=False),
    Column("turned_back", Boolean, nullable=False),
    Column("document_no", String, nullable=False),
    Column("owner", String, nullable=False),
    Column("received_on", String, nullable=False),
    Index("consignment_cargo_by_area", "area"),
    Index("consignment_cargo_by_source", "source"),
)

on_the_road: ColumnElement[int] = CARGO.c.units - CARGO.c.good - CARGO.c.missing - CARGO.c.struck
"""Units of one lot that left and are not accounted for: damaged ones until they are struck."""

LOSS = "loss"
WRITTEN_OFF = "written_off"


def transit(consignment: str) -> str:
    return f"transit:{consignment}"


def move(
    rows: Rows,
    at: int,
    *,
    area: str,
    item: str,
    exercise: bool,
    picks: Iterable[LotPick],
    debit: str,
    credit: str,
    document_no: str,
    subject: str | None,
    recorded_at: str,
    first: int = 0,
) -> None:
    """Append one line a lot: the debited account gets what the credited one gives."""
    for line, pick in enumerate(picks, start=first):
        rows.append(
            STOCK_MOVES,
            (
                at,
                line,
                area,
                item,
                exercise,
                text_of(pick.lot),
                debit,
                credit,
                pick.quantity,
                pick.quantity * pick.unit_value_fen,
                document_no,
                subject,
                recorded_at,
            ),
        )


def requested(rows: Rows, at: int, e: Consignment.Requested) -> None:
    rows.put(
        CONSIGNMENTS,
        {
            "id": text_of(e.originator_id),
            "area": text_of(e.destination),
            "status": "requested",
            "exercise": e.exercise,
            "lines": as_json(e.lines),
            "asked": as_json(e.lines),
            "reason": e.reason,
            "needed_by": e.needed_by.isoformat() if e.needed_by else None,
            "units": 0,
            "good": 0,
            "damaged": 0,
            "missing": 0,
            "turned_back": False,
            "requested_at": when(e.meta.recorded_at),
            "requested_by": text_of(e.meta.actor),
        },
    )


def ordered(rows: Rows, at: int, e: Consignment.Ordered) -> None:
    rows.change(
        CONSIGNMENTS,
        text_of(e.originator_id),
        source=text_of(e.source),
        status="ordered",
        lines=as_json(e.lines),
        document_no=e.document_no,
        ordered_at=when(e.meta.recorded_at),
        ordered_by=text_of(e.meta.actor),
    )


def shipped(rows: Rows, at: int, e: Consignment.Shipped) -> None:
    row = rows.change(
        CONSIGNMENTS,
        text_of(e.originator_id),
        status="shipped",
        vehicle=e.vehicle,
        eta=when(e.eta) if e.eta else None,
        units=sum(one.lot.quantity for one in e.cargo),
        shipped_at=when(e.shipped_at),
        shipped_by=text_of(e.meta.actor),
    )
    for one in e.cargo:
        rows.put(
            CARGO,
            {
                "consignment": row["id"],
                "lot": text_of(one.lot.lot),
                "area": row["area"],
                "source": row["source"],
                "item": one.item,
                "exercise": row["exercise"],
                "unit_value_fen": one.lot.unit_value_fen,
                "units": one.lot.quantity,
                "good": 0,
                "damaged": 0,
                "missing": 0,
                "struck": 0,
                "turned_back": False,
                "document_no": one.lot.document_no,
                "owner": one.lot.owner,
                "received_on": one.lot.received_on.isoformat(),
            },
        )


def _counted(
    rows: Rows, at: int, e: Consignment.Arrived | Consignment.TurnedBack, back: bool
) -> None:
    row = rows.change(
        CONSIGNMENTS,
        text_of(e.originator_id),
        status="arrived",
        good=sum(count.good for count in e.counts),
        damaged=sum(count.damaged for count in e.counts),
        missing=sum(count.missing for count in e.counts),
        turned_back=back,
        remark=e.remark,
        arrived_at=when(e.arrived_at),
        arrived_by=text_of(e.meta.actor),
    )
    for line, count in enumerate(e.counts):
        rows.change(
            CARGO,
            row["id"],
            text_of(count.lot),
            good=count.good,
            damaged=count.damaged,
            missing=count.missing,
            turned_back=back,
        )
        if count.missing:
            _out_of_transit(rows, at, e, count, count.missing, line, debit=LOSS)


def _out_of_transit(
    rows: Rows,
    at: int,
    e: Any,
    count: Count,
    units: int,
    line: int,
    *,
    debit: str,
    document_no: str = "",
) -> None:
    id = text_of(e.originator_id)
    row = rows.need(CONSIGNMENTS, id)
    move(
        rows,
        at,
        first=line,
        area=row["area"],
        item=count.item,
        exercise=row["exercise"],
        picks=(LotPick(count.lot, units, count.unit_value_fen),),
        debit=debit,
        credit=transit(id),
        document_no=document_no,
        subject=id,
        recorded_at=when(e.meta.recorded_at),
    )


def arrived(rows: Rows, at: int, e: Consignment.Arrived) -> None:
    _counted(rows, at, e, back=False)


def turned_back(rows: Rows, at: int, e: Consignment.TurnedBack) -> None:
    _counted(rows, at, e, back=True)


def damaged_written_off(rows: Rows, at: int, e: Consignment.DamagedWrittenOff) -> None:
    id = text_of(e.originator_id)
    rows.change(
        CONSIGNMENTS,
        id,
        struck_document_no=e.document_no,
        struck_at=when(e.meta.recorded_at),
        struck_by=text_of(e.meta.actor),
    )
    for line, count in enumerate(e.counts):
        rows.change(CARGO, id, text_of(count.lot), struck=count.damaged)
        _out_of_transit(
            rows,
            at,
            e,
            count,
            count.damaged,
            line,
            debit=WRITTEN_OFF,
            document_no=e.document_no,
        )


def closed(rows: Rows, at: int, e: Consignment.Closed) -> None:
    rows.change(
        CONSIGNMENTS,
        text_of(e.originator_id),
        status="closed",
        ended_at=when(e.meta.recorded_at),
        ended_by=text_of(e.meta.actor),
    )


def cancelled(rows: Rows, at: int, e: Consignment.Cancelled) -> None:
    rows.change(
        CONSIGNMENTS,
        text_of(e.originator_id),
        status="cancelled",
        remark=e.reason,
        ended_at=when(e.meta.recorded_at),
        ended_by=text_of(e.meta.actor),
    )


# Queries

ORIGINS = AREAS.alias("origin")


def visible(scope: Scope, table: Table) -> ColumnElement[bool]:
    """Sender and receiver both see a consignment."""
    return or_(scope.covers(table.c.area), scope.covers(table.c.source))


def query_of(scope: Scope, at: datetime, held: HeldTime) -> Select[Any]:
    """Consignments with names; ``overdue`` when shipped and not there by its ETA as of ``at``."""
    late = and_(CONSIGNMENTS.c.status == Phase.SHIPPED, over(CONSIGNMENTS.c.eta, held, at))
    return (
        select(
            CONSIGNMENTS,
            AREAS.c.name.label("destination_name"),
            AREAS.c.code.label("destination_code"),
            ORIGINS.c.name.label("source_name"),
            case((late, True), else_=False).label("overdue"),
        )
        .outerjoin(AREAS, AREAS.c.id == CONSIGNMENTS.c.area)
        .outerjoin(ORIGINS, ORIGINS.c.id == CONSIGNMENTS.c.source)
        .where(visible(scope, CONSIGNMENTS))
    )


def consignments(
    db: Connection,
    scope: Scope,
    *,
    status: str | None = None,
    on_the_way: bool | None = None,
    search: str | None = None,
    meant: Meant | None = None,
    exercise: bool = False,
    at: datetime,
    held: HeldTime = NEVER_HELD,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """Consignments to or from these areas, in the order they were asked for. ``search``: a
    document, a vehicle, from where or where to (name, pinyin or initials), what is asked for."""
    query = query_of(scope, at, held).where(CONSIGNMENTS.c.exercise.is_(exercise))
    if status is not None:
        query = query.where(CONSIGNMENTS.c.status == status)
    if on_the_way is not None:
        moving = CONSIGNMENTS.c.status == Phase.SHIPPED
        query = query.where(moving if on_the_way else ~moving)
    if search:
        c = CONSIGNMENTS.c
        said = (c.document_no, c.struck_document_no, c.vehicle, AREAS.c.name, ORIGINS.c.name)
        names, goods = names_in(query, *said), [goods_in(c.asked, c.lines)]
        query = query.where(looked_for(db, search, names, keys=goods, meant=meant))
    order: list[Any] = [CONSIGNMENTS.c.requested_at, CONSIGNMENTS.c.id]
    return page(db, query, order, cursor=cursor, limit=limit, descending=True)


def consignment(
    db: Connection,
    scope: Scope,
    *,
    consignment: UUID,
    at: datetime,
    held: HeldTime = NEVER_HELD,
) -> dict[str, Any] | None:
    """One consignment with its cargo, every move that bears its name, and who took which step."""
    id = str(consignment)
    query = query_of(scope, at, held).where(CONSIGNMENTS.c.id == id)
    for step in STEPS:
        officer = OFFICERS.alias(f"{step}_officer")
        query = query.outerjoin(officer, officer.c.id == CONSIGNMENTS.c[f"{step}_by"])
        query = query.add_columns(officer.c.masked_name.label(f"{step}_by_name"))
    found = db.execute(query).mappings().first()
    if found is None:
        return None
    cargo = select(CARGO).where(CARGO.c.consignment == id, visible(scope, CARGO))
    moves = select(STOCK_MOVES).where(STOCK_MOVES.c.subject == id, scope.covers(STOCK_MOVES.c.area))
    cargo = cargo.order_by(CARGO.c.item, CARGO.c.received_on, CARGO.c.lot)
    moves = moves.order_by(STOCK_MOVES.c.position, STOCK_MOVES.c.line)
    return {
        **found,
        "cargo": [dict(row) for row in db.execute(cargo).mappings()],
        "moves": [dict(row) for row in db.execute(moves).mappings()],
    }


ROUTES: dict[Any, Any] = {
    Consignment.Requested: requested,
    Consignment.Ordered: ordered,
    Consignment.Shipped: shipped,
    Consignment.Arrived: arrived,
    Consignment.TurnedBack: turned_back,
    Consignment.DamagedWrittenOff: damaged_written_off,
    Consignment.Closed: closed,
    Consignment.Cancelled: cancelled,
}
