"""The books of the stock view: its questions, and the proof that they add up (domain.md §7.6)."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, case, func, literal, select

from projections.areas import AREAS
from projections.asking.looked_for import Meant, Source, looked_for, names_in, numbers_in
from projections.asking.paging import Page, page
from projections.asking.scope import Scope
from projections.sections.consignments import CARGO, on_the_road, visible
from projections.stock import (
    HELD,
    STOCK_BALANCES,
    STOCK_LOTS,
    STOCK_MOVES,
    STOCK_RESERVATIONS,
)

B = STOCK_BALANCES.c
MAX_MOVES = 1000


def _balances(scope: Scope) -> Select[Any]:
    """Stockpiles with their warehouse's name, what is on hand and what of it is on the road."""
    road = (
        select(
            CARGO.c.source,
            CARGO.c.item,
            CARGO.c.exercise,
            func.sum(on_the_road).label("units"),
            func.sum(on_the_road * CARGO.c.unit_value_fen).label("fen"),
        )
        .where(visible(scope, CARGO))
        .group_by(CARGO.c.source, CARGO.c.item, CARGO.c.exercise)
        .subquery()
    )
    return (
        select(
            STOCK_BALANCES,
            AREAS.c.name.label("warehouse_name"),
            (B.available + B.reserved).label("on_hand"),
            (B.available_fen + B.reserved_fen).label("on_hand_fen"),
            func.coalesce(road.c.units, 0).label("in_transit"),
            func.coalesce(road.c.fen, 0).label("in_transit_fen"),
        )
        .outerjoin(AREAS, AREAS.c.id == B.area)
        .outerjoin(
            road,
            (road.c.source == B.area) & (road.c.item == B.item) & (road.c.exercise == B.exercise),
        )
        .where(scope.covers(B.area))
    )


def stockpiles(
    db: Connection,
    scope: Scope,
    *,
    item: str | None = None,
    warehouse: UUID | None = None,
    search: str | None = None,
    meant: Meant | None = None,
    exercise: bool = False,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """What every warehouse holds of every item, free, reserved and on the road from there.

    By item, then down the tree: the county's own before its townships', those by division code.
    ``search``: the warehouse (name, pinyin, initials or code), the goods, or a document by which
    goods of a lot came or anything was moved.
    """
    code = func.coalesce(AREAS.c.code, "").label("warehouse_code")
    query = _balances(scope).add_columns(code).where(B.exercise.is_(exercise))
    if item is not None:
        query = query.where(B.item == item)
    if warehouse is not None:
        query = query.where(B.area == str(warehouse))
    if search:
        query = query.where(_called(db, scope, search, meant))
    return page(db, query, [B.item, code, B.stockpile], cursor=cursor, limit=limit)


def _called(db: Connection, scope: Scope, search: str, meant: Meant | None) -> ColumnElement[bool]:
    here = select(STOCK_BALANCES).outerjoin(AREAS, AREAS.c.id == B.area).where(scope.covers(B.area))
    lots, moves = STOCK_LOTS.c, STOCK_MOVES.c
    came = select(lots.stockpile, lots.document_no).where(scope.covers(lots.area)).distinct()
    documents = [Source(B.stockpile, came)]
    for account in (moves.debit, moves.credit):
        moved = select(account, moves.document_no).where(scope.covers(moves.area)).distinct()
        documents.append(Source(literal("depot:").concat(B.stockpile), moved))
    sources = [*names_in(here, AREAS.c.name), *numbers_in(search, *documents)]
    codes = [AREAS.c.code]
    return looked_for(db, search, sources, codes=codes, keys=[B.item.in_], meant=meant)


def stockpile(db: Connection, scope: Scope, *, stockpile: UUID) -> dict[str, Any] | None:
    """One item in one warehouse: its balance, its lots, its open reservations."""
    id = str(stockpile)
    found = db.execute(_balances(scope).where(B.stockpile == id)).mappings().first()
    if found is None:
        return None
    lots = (
        select(STOCK_LOTS)
        .where(STOCK_LOTS.c.stockpile == id, scope.covers(STOCK_LOTS.c.area))
        .order_by(STOCK_LOTS.c.received_on, STOCK_LOTS.c.lot)
    )
    kept = (
        select(STOCK_RESERVATIONS)
        .where(
            STOCK_RESERVATIONS.c.stockpile == id,
            STOCK_RESERVATIONS.c.units > 0,
            scope.covers(STOCK_RESERVATIONS.c.area),
        )
        .order_by(STOCK_RESERVATIONS.c.reserved_at, STOCK_RESERVATIONS.c.reservation)
    )
    return {
        **found,
        "lots": [dict(row) for row in db.execute(lots).mappings()],
        "reservations": [dict(row) for row in db.execute(kept).mappings()],
    }


def stock_moves(
    db: Connection,
    scope: Scope,
    *,
    item: str | None = None,
    stockpile: UUID | None = None,
    subject: UUID | None = None,
    document_no: str | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """The journal: every line debits one account and credits another; the newest first."""
    m = STOCK_MOVES.c
    query = select(STOCK_MOVES).where(scope.covers(m.area))
    if item is not None:
        query = query.where(m.item == item)
    if stockpile is not None:
        names = [f"depot:{stockpile}", f"reserved:{stockpile}"]
        query = query.where(m.debit.in_(names) | m.credit.in_(names))
    if subject is not None:
        query = query.where(m.subject == str(subject))
    if document_no is not None:
        query = query.where(m.document_no == document_no)
    return page(db, query, [m.position, m.line], cursor=cursor, limit=limit, descending=True)


def stock_lots(
    db: Connection,
    scope: Scope,
    *,
    item: str | None = None,
    warehouse: UUID | None = None,
    exercise: bool = False,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """The lots on the shelves of these areas, the oldest first, with what is left of each."""
    held = STOCK_LOTS.c
    query = (
        select(
            STOCK_LOTS,
            AREAS.c.name.label("warehouse_name"),
            (held.available + held.reserved).label("on_hand"),
        )
        .join(STOCK_BALANCES, B.stockpile == held.stockpile)
        .outerjoin(AREAS, AREAS.c.id == held.area)
        .where(scope.covers(held.area), B.exercise.is_(exercise))
        .where(held.available + held.reserved > 0)
    )
    if item is not None:
        query = query.where(held.item == item)
    if warehouse is not None:
        query = query.where(held.area == str(warehouse))
    order = [held.received_on, held.stockpile, held.lot]
    return page(db, query, order, cursor=cursor, limit=limit)


def stock_lot(db: Connection, scope: Scope, *, lot: UUID) -> dict[str, Any] | None:
    """A lot from its document to the hands: where it lies now, and its first 1,000 moves."""
    where = (
        select(STOCK_LOTS, AREAS.c.name.label("warehouse_name"))
        .outerjoin(AREAS, AREAS.c.id == STOCK_LOTS.c.area)
        .where(STOCK_LOTS.c.lot == str(lot), scope.covers(STOCK_LOTS.c.area))
        .order_by(STOCK_LOTS.c.stockpile)
    )
    places = [dict(row) for row in db.execute(where).mappings()]
    if not places:
        return None
    m = STOCK_MOVES.c
    moves = (
        select(STOCK_MOVES)
        .where(m.lot == str(lot), scope.covers(m.area))
        .order_by(m.position, m.line)
        .limit(MAX_MOVES)
    )
    return {
        "lot": str(lot),
        "document_no": places[0]["document_no"],
        "owner": places[0]["owner"],
        "received_on": places[0]["received_on"],
        "unit_value_fen": places[0]["unit_value_fen"],
        "places": places,
        "moves": [dict(row) for row in db.execute(moves).mappings()],
    }


# The proof


def stock_proof(db: Connection, scope: Scope, *, exercise: bool = False) -> dict[str, Any]:
    """Proves the books of these areas: debits are credits, and what came in is somewhere.

    received + returned in + recount gains = available + reserved + in transit + given + lost +
    written off + recount losses, in units for each item and in fen over all. Where a consignment
    crosses the border of these areas, ``from_outside`` and ``to_outside`` stand beside it. The
    journal and the balances are kept apart, so each item is also held against the journal.
    """
    journal = _journal(db, scope, exercise)
    items: list[dict[str, Any]] = []
    sums = _sides(db, scope, exercise)
    roads = _roads(db, scope, exercise)
    total: dict[str, int] = {}
    for item in sorted({*sums, *roads, *journal}):
        both = {**sums.get(item, {}), **roads.get(item, {})}
        units = _equation({k: v for k, v in both.items() if not k.endswith("_fen")})
        fen = _equation({k[:-4]: v for k, v in both.items() if k.endswith("_fen")})
        noted = journal.get(item, {})
        agrees = all(noted.get(held, 0) == units[held] for held in HELD) and (
            noted.get("household", 0) == units["given"] - units["returned_in"]
        )
        items.append({"item": item, "units": units, "journal_agrees": agrees})
        for side in fen:
            if side != "balanced":
                total[side] = total.get(side, 0) + fen[side]
    fen = _equation(total)
    debits, credits = _both_sides(db, scope, exercise)
    balanced = (
        fen["balanced"]
        and debits == credits
        and all(one["units"]["balanced"] and one["journal_agrees"] for one in items)
    )
    return {
        "items": items,
        "fen": fen,
        "debits": debits,
        "credits": credits,
        "balanced": bool(balanced),
    }


IN = ("received", "returned_in", "gained", "from_outside")
OUT = (
    "available",
    "reserved",
    "in_transit",
    "given",
    "lost",
    "written_off",
    "recount_lost",
    "to_outside",
)


def _equation(sides: dict[str, int]) -> dict[str, int]:
    found = {side: sides.get(side, 0) for side in (*IN, *OUT)}
    found["written_off"] += sides.get("struck", 0)
    came_in = sum(found[side] for side in IN)
    accounted = sum(found[side] for side in OUT)
    return {**found, "balanced": came_in == accounted}


def _sides(db: Connection, scope: Scope, exercise: bool) -> dict[str, dict[str, int]]:
    """Sums of the warehouses' own flows by item, in units and fen."""
    flows = ("received", "returned_in", "gained", "available", "reserved", "given")
    names = [n for f in (*flows, "written_off", "recount_lost") for n in (f, f"{f}_fen")]
    query = (
        select(B.item, *[func.sum(B[name]).label(name) for name in names])
        .where(scope.covers(B.area), B.exercise.is_(exercise))
        .group_by(B.item)
    )
    return {row["item"]: {n: row[n] for n in names} for row in db.execute(query).mappings()}


def _roads(db: Connection, scope: Scope, exercise: bool) -> dict[str, dict[str, int]]:
    """What consignments add: on the road, lost, struck, and what crossed the border."""
    c = CARGO.c
    from_here = scope.covers(c.source)
    to_here = scope.covers(c.area)
    crossed = case((c.turned_back, 0), else_=c.good)
    parts: dict[str, tuple[ColumnElement[bool], ColumnElement[int]]] = {
        "in_transit": (from_here, on_the_road),
        "lost": (from_here, c.missing),
        "struck": (from_here, c.struck),
        "to_outside": (from_here & ~to_here, crossed),
        "from_outside": (to_here & ~from_here, crossed),
    }
    columns = []
    for name, (here, units) in parts.items():
        columns.append(func.sum(case((here, units), else_=0)).label(name))
        value = units * c.unit_value_fen
        columns.append(func.sum(case((here, value), else_=0)).label(f"{name}_fen"))
    query = (
        select(c.item, *columns)
        .where(visible(scope, CARGO), c.exercise.is_(exercise))
        .group_by(c.item)
    )
    names = [n for part in parts for n in (part, f"{part}_fen")]
    return {row["item"]: {n: row[n] for n in names} for row in db.execute(query).mappings()}


def _journal(db: Connection, scope: Scope, exercise: bool) -> dict[str, dict[str, int]]:
    """Balances of accounts by item as the journal has them: free, reserved, in households."""
    m = STOCK_MOVES.c
    kinds = {"available": "depot:%", "reserved": "reserved:%", "household": "household"}
    columns = [
        (
            func.sum(case((m.debit.like(pattern), m.units), else_=0))
            - func.sum(case((m.credit.like(pattern), m.units), else_=0))
        ).label(name)
        for name, pattern in kinds.items()
    ]
    query = (
        select(m.item, *columns)
        .where(scope.covers(m.area), m.exercise.is_(exercise))
        .group_by(m.item)
    )
    return {row["item"]: {n: row[n] for n in kinds} for row in db.execute(query).mappings()}


def _both_sides(
    db: Connection, scope: Scope, exercise: bool
) -> tuple[dict[str, int], dict[str, int]]:
    """All debits and all credits, each added up account by account."""
    m = STOCK_MOVES.c
    found = []
    for side in (m.debit, m.credit):
        accounts = (
            select(func.sum(m.units).label("units"), func.sum(m.value_fen).label("fen"))
            .where(scope.covers(m.area), m.exercise.is_(exercise))
            .group_by(side)
            .subquery()
        )
        query = select(func.sum(accounts.c.units), func.sum(accounts.c.fen))
        units, fen = db.execute(query).one()
        found.append({"units": units or 0, "fen": fen or 0})
    return found[0], found[1]
