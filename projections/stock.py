"""Stock 库存 in double entry: what each warehouse holds, by lot, and every unit that ever moved.

Each move debits one account and credits another: ``depot:<stockpile>`` (free),
``reserved:<stockpile>``, ``transit:<consignment>``, ``household``, ``outside``, ``written_off``,
``loss`` (missing on the road) and ``recount``. A stockpile's row changes by its own stream only: a
consignment may belong to another county, so what is on the road is added up by the query.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Boolean, Column, Index, Integer, String, Table

from domain.goods import LotPick, ReturnSource, units_of
from domain.stockpile import Stockpile
from projections.folding.base import LOGICAL, Row, Rows, View, text_of, when
from projections.sections import consignments

FLOWS = (
    "received",
    "arrived",
    "returned_in",
    "turned_back",
    "gained",
    "shipped",
    "given",
    "written_off",
    "recount_lost",
)
HELD = ("available", "reserved")

STOCK_BALANCES = Table(
    "stock_balances",
    LOGICAL,
    Column("stockpile", String(36), primary_key=True),
    Column("area", String(36), nullable=False),
    Column("item", String, nullable=False),
    Column("exercise", Boolean, nullable=False),
    *[
        Column(name, Integer, nullable=False)
        for flow in (*HELD, *FLOWS)
        for name in (flow, f"{flow}_fen")
    ],
    Column("recounted_at", String),
    Column("changed_at", String, nullable=False),
    Index("stock_balances_by_area", "area"),
)

STOCK_LOTS = Table(
    "stock_lots",
    LOGICAL,
    Column("stockpile", String(36), primary_key=True),
    Column("lot", String(36), primary_key=True),
    Column("area", String(36), nullable=False),
    Column("item", String, nullable=False),
    Column("document_no", String, nullable=False),
    Column("owner", String, nullable=False),
    Column("received_on", String, nullable=False),
    Column("unit_value_fen", Integer, nullable=False),
    Column("available", Integer, nullable=False),
    Column("reserved", Integer, nullable=False),
    Column("given", Integer, nullable=False),
    Index("stock_lots_by_lot", "lot"),
)

STOCK_RESERVATIONS = Table(
    "stock_reservations",
    LOGICAL,
    Column("stockpile", String(36), primary_key=True),
    Column("reservation", String(36), primary_key=True),
    Column("area", String(36), nullable=False),
    Column("purpose", String, nullable=False),
    Column("subject", String(36), nullable=False),
    Column("units", Integer, nullable=False),
    Column("reserved_at", String, nullable=False),
)

STOCK_MOVES = consignments.STOCK_MOVES

OUTSIDE = "outside"
HOUSEHOLD = "household"
WRITTEN_OFF = "written_off"
RECOUNT = "recount"


def depot(stockpile: str) -> str:
    return f"depot:{stockpile}"


def kept(stockpile: str) -> str:
    return f"reserved:{stockpile}"


def _book(row: Row, flow: str, picks: Iterable[LotPick], sign: int = 1) -> None:
    for pick in picks:
        row[flow] += sign * pick.quantity
        row[f"{flow}_fen"] += sign * pick.quantity * pick.unit_value_fen


def _begin(rows: Rows, e: Any) -> Row:
    """The stockpile's row, about to change."""
    return rows.change(
        STOCK_BALANCES, text_of(e.originator_id), changed_at=when(e.meta.recorded_at)
    )


def _lot(rows: Rows, row: Row, pick: LotPick, **change: int) -> None:
    """Add units of a lot to some of its columns: ``available=1`` takes them as free."""
    found = rows.need(STOCK_LOTS, row["stockpile"], text_of(pick.lot))
    rows.put(
        STOCK_LOTS,
        {**found, **{name: found[name] + sign * pick.quantity for name, sign in change.items()}},
    )


def _move(
    rows: Rows,
    at: int,
    e: Any,
    row: Row,
    picks: Iterable[LotPick],
    *,
    debit: str,
    credit: str,
    document_no: str = "",
    subject: str | None = None,
) -> None:
    consignments.move(
        rows,
        at,
        area=row["area"],
        item=row["item"],
        exercise=row["exercise"],
        picks=picks,
        debit=debit,
        credit=credit,
        document_no=document_no,
        subject=subject,
        recorded_at=when(e.meta.recorded_at),
    )


def opened(rows: Rows, at: int, e: Stockpile.Opened) -> None:
    row: Row = {
        "stockpile": text_of(e.originator_id),
        "area": text_of(e.warehouse),
        "item": e.item,
        "exercise": e.exercise,
        "recounted_at": None,
        "changed_at": when(e.meta.recorded_at),
    }
    for flow in (*HELD, *FLOWS):
        row[flow] = row[f"{flow}_fen"] = 0
    rows.put(STOCK_BALANCES, row)


def received(rows: Rows, at: int, e: Stockpile.Received) -> None:
    row = _begin(rows, e)
    stockpile = row["stockpile"]
    arrived = e.consignment is not None
    origin = consignments.transit(text_of(e.consignment)) if e.consignment else OUTSIDE
    for n, lot in enumerate(e.lots):
        picks = (LotPick(lot.lot, lot.quantity, lot.unit_value_fen),)
        _book(row, "available", picks)
        _book(row, "arrived" if arrived else "received", picks)
        if rows.get(STOCK_LOTS, stockpile, text_of(lot.lot)) is None:
            rows.put(
                STOCK_LOTS,
                {
                    "stockpile": stockpile,
                    "lot": text_of(lot.lot),
                    "area": row["area"],
                    "item": row["item"],
                    "document_no": lot.document_no,
                    "owner": lot.owner,
                    "received_on": lot.received_on.isoformat(),
                    "unit_value_fen": lot.unit_value_fen,
                    "available": 0,
                    "reserved": 0,
                    "given": 0,
                },
            )
        _lot(rows, row, picks[0], available=1)
        consignments.move(
            rows,
            at,
            first=n,
            area=row["area"],
            item=row["item"],
            exercise=row["exercise"],
            picks=picks,
            debit=depot(stockpile),
            credit=origin,
            document_no=lot.document_no,
            subject=text_of(e.consignment) if e.consignment else None,
            recorded_at=when(e.meta.recorded_at),
        )


def reserved(rows: Rows, at: int, e: Stockpile.Reserved) -> None:
    row = _begin(rows, e)
    stockpile = row["stockpile"]
    _book(row, "available", e.picks, -1)
    _book(row, "reserved", e.picks)
    for pick in e.picks:
        _lot(rows, row, pick, available=-1, reserved=1)
    subject = text_of(e.subject)
    rows.put(
        STOCK_RESERVATIONS,
        {
            "stockpile": stockpile,
            "reservation": text_of(e.reservation),
            "area": row["area"],
            "purpose": str(e.purpose),
            "subject": subject,
            "units": units_of(e.picks),
            "reserved_at": when(e.meta.recorded_at),
        },
    )
    _move(
        rows,
        at,
        e,
        row,
        e.picks,
        debit=kept(stockpile),
        credit=depot(stockpile),
        subject=subject,
    )


def _unreserve(rows: Rows, row: Row, reservation: str, picks: tuple[LotPick, ...]) -> Row:
    """Take units out of a reservation; answers its row."""
    _book(row, "reserved", picks, -1)
    found = rows.need(STOCK_RESERVATIONS, row["stockpile"], reservation)
    left = found["units"] - units_of(picks)
    return rows.put(STOCK_RESERVATIONS, {**found, "units": left})


def released(rows: Rows, at: int, e: Stockpile.Released) -> None:
    row = _begin(rows, e)
    stockpile = row["stockpile"]
    held = _unreserve(rows, row, text_of(e.reservation), e.picks)
    _book(row, "available", e.picks)
    for pick in e.picks:
        _lot(rows, row, pick, available=1, reserved=-1)
    _move(
        rows,
        at,
        e,
        row,
        e.picks,
        debit=depot(stockpile),
        credit=kept(stockpile),
        subject=held["subject"],
    )


def shipped(rows: Rows, at: int, e: Stockpile.Shipped) -> None:
    row = _begin(rows, e)
    consignment = text_of(e.consignment)
    _unreserve(rows, row, consignment, e.picks)
    _book(row, "shipped", e.picks)
    for pick in e.picks:
        _lot(rows, row, pick, reserved=-1)
    _move(
        rows,
        at,
        e,
        row,
        e.picks,
        debit=consignments.transit(consignment),
        credit=kept(row["stockpile"]),
        subject=consignment,
    )


def given(rows: Rows, at: int, e: Stockpile.Given) -> None:
    row = _begin(rows, e)
    _unreserve(rows, row, text_of(e.reservation), e.picks)
    _book(row, "given", e.picks)
    for pick in e.picks:
        _lot(rows, row, pick, reserved=-1, given=1)
    _move(
        rows,
        at,
        e,
        row,
        e.picks,
        debit=HOUSEHOLD,
        credit=kept(row["stockpile"]),
        subject=text_of(e.case),
    )


def returned_in(rows: Rows, at: int, e: Stockpile.ReturnedIn) -> None:
    row = _begin(rows, e)
    household = e.source == ReturnSource.HOUSEHOLD
    subject = text_of(e.subject)
    _book(row, "available", e.picks)
    _book(row, "returned_in" if household else "turned_back", e.picks)
    for pick in e.picks:
        if household:
            _lot(rows, row, pick, available=1, given=-1)
        else:
            _lot(rows, row, pick, available=1)
    _move(
        rows,
        at,
        e,
        row,
        e.picks,
        debit=depot(row["stockpile"]),
        credit=HOUSEHOLD if household else consignments.transit(subject),
        subject=subject,
    )


def recounted(rows: Rows, at: int, e: Stockpile.Recounted) -> None:
    row = _begin(rows, e)
    row["recounted_at"] = when(e.meta.recorded_at)
    mine = depot(row["stockpile"])
    moved = 0
    for count in e.counts:
        difference = count.found - count.booked
        if difference == 0:
            continue
        gained = difference > 0
        pick = LotPick(count.lot, abs(difference), count.unit_value_fen)
        _book(row, "available", (pick,), 1 if gained else -1)
        _book(row, "gained" if gained else "recount_lost", (pick,))
        _lot(rows, row, pick, available=1 if gained else -1)
        consignments.move(
            rows,
            at,
            first=moved,
            area=row["area"],
            item=row["item"],
            exercise=row["exercise"],
            picks=(pick,),
            debit=mine if gained else RECOUNT,
            credit=RECOUNT if gained else mine,
            document_no="",
            subject=None,
            recorded_at=when(e.meta.recorded_at),
        )
        moved += 1


def written_off(rows: Rows, at: int, e: Stockpile.WrittenOff) -> None:
    row = _begin(rows, e)
    _book(row, "available", e.picks, -1)
    _book(row, "written_off", e.picks)
    for pick in e.picks:
        _lot(rows, row, pick, available=-1)
    _move(
        rows,
        at,
        e,
        row,
        e.picks,
        debit=WRITTEN_OFF,
        credit=depot(row["stockpile"]),
        document_no=e.document_no,
    )


VIEW = View(
    name="stock",
    version=4,
    tables=(
        STOCK_BALANCES,
        STOCK_LOTS,
        STOCK_RESERVATIONS,
        STOCK_MOVES,
        consignments.CONSIGNMENTS,
        consignments.CARGO,
    ),
    routes={
        Stockpile.Opened: opened,
        Stockpile.Received: received,
        Stockpile.Reserved: reserved,
        Stockpile.Released: released,
        Stockpile.Shipped: shipped,
        Stockpile.Given: given,
        Stockpile.ReturnedIn: returned_in,
        Stockpile.Recounted: recounted,
        Stockpile.WrittenOff: written_off,
        **consignments.ROUTES,
    },
)
