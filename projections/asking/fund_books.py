"""The funds view's questions: balances, one fund's commitments and batches, every movement."""

import json
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, select

from projections.areas import AREAS
from projections.asking.looked_for import Source, looked_for, names_in, numbers_in
from projections.asking.paging import Page, page
from projections.asking.scope import Scope
from projections.funds import COMMITMENTS, FUND_FLOWS, FUNDS, PAYMENTS


def funds_of(scope: Scope) -> Select[Any]:
    """Funds held in these areas, with their holders' names."""
    return (
        select(FUNDS, AREAS.c.name.label("holder_name"))
        .outerjoin(AREAS, AREAS.c.id == FUNDS.c.area)
        .where(scope.covers(FUNDS.c.area))
    )


def shaped(row: Any) -> dict[str, Any]:
    """A fund as it is answered: ``balanced`` says that what came in is there or went out."""
    found = {**row, "earmark": json.loads(row["earmark"])}
    came = ("appropriated_fen", "received_fen", "refunded_fen", "got_back_fen")
    went = ("available_fen", "committed_fen", "paid_fen", "passed_down_fen", "returned_fen")
    found["balanced"] = sum(found[n] for n in came) == sum(found[n] for n in went)
    return found


def funds(
    db: Connection,
    scope: Scope,
    *,
    document_no: str | None = None,
    holder: UUID | None = None,
    search: str | None = None,
    exercise: bool = False,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """Funds with their balances in fen, by document number. ``search``: the holder (name, pinyin or
    initials) or a document: of the fund, of its source, or of any movement of its money."""
    query = funds_of(scope).where(FUNDS.c.exercise.is_(exercise))
    if document_no is not None:
        query = query.where(
            (FUNDS.c.document_no == document_no) | (FUNDS.c.source_document_no == document_no)
        )
    if holder is not None:
        query = query.where(FUNDS.c.area == str(holder))
    if search:
        f = FUND_FLOWS.c
        moved = select(f.fund, f.document_no).where(scope.covers(f.area)).distinct()
        names = names_in(query, FUNDS.c.document_no, FUNDS.c.source_document_no, AREAS.c.name)
        sources = [*names, *numbers_in(search, Source(FUNDS.c.id, moved))]
        query = query.where(looked_for(db, search, sources, codes=[AREAS.c.code]))
    order: list[Any] = [FUNDS.c.document_no, FUNDS.c.id]
    found = page(db, query, order, cursor=cursor, limit=limit)
    return found.of([shaped(row) for row in found.items])


def fund(db: Connection, scope: Scope, *, fund: UUID) -> dict[str, Any] | None:
    """One fund with its commitments and payment batches."""
    found = db.execute(funds_of(scope).where(FUNDS.c.id == str(fund))).mappings().first()
    return {**shaped(found), **spent(db, scope, str(fund))} if found is not None else None


def spent(db: Connection, scope: Scope, fund: str) -> dict[str, Any]:
    """The commitments of a fund and the batches paid out of them."""
    c, p = COMMITMENTS.c, PAYMENTS.c
    promised = select(COMMITMENTS).where(c.fund == fund, scope.covers(c.area))
    batches = select(PAYMENTS).where(p.fund == fund, scope.covers(p.area))
    return {
        "commitments": [
            dict(row)
            for row in db.execute(promised.order_by(c.committed_at, c.commitment)).mappings()
        ],
        "payments": [
            dict(row) for row in db.execute(batches.order_by(p.paid_at, p.payment)).mappings()
        ],
    }


def fund_flows(
    db: Connection,
    scope: Scope,
    *,
    fund: UUID | None = None,
    kind: str | None = None,
    subject: UUID | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """Every movement of money, the newest first."""
    f = FUND_FLOWS.c
    query = select(FUND_FLOWS).where(scope.covers(f.area))
    if fund is not None:
        query = query.where(f.fund == str(fund))
    if kind is not None:
        query = query.where(f.kind == kind)
    if subject is not None:
        query = query.where(f.subject == str(subject))
    return page(db, query, [f.position], cursor=cursor, limit=limit, descending=True)
