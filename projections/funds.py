"""Funds 资金: every yuan by its document (文号), from appropriation to the batch that paid it."""

from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Column, Index, Integer, String, Table

from domain.fund import Fund
from domain.money import Passed
from projections.folding.base import LOGICAL, Row, Rows, View, as_json, text_of, when

SUMS = (
    "appropriated_fen",
    "received_fen",
    "got_back_fen",
    "refunded_fen",
    "available_fen",
    "committed_fen",
    "paid_fen",
    "passed_down_fen",
    "returned_fen",
    "failed_fen",
    "matching_fen",
)

FUNDS = Table(
    "funds",
    LOGICAL,
    Column("id", String(36), primary_key=True),
    Column("area", String(36), nullable=False),
    Column("document_no", String, nullable=False),
    Column("source", String),
    Column("source_document_no", String),
    Column("earmark", String, nullable=False),
    Column("exercise", Boolean, nullable=False),
    *[Column(name, Integer, nullable=False) for name in SUMS],
    Column("opened_at", String, nullable=False),
    Index("funds_by_document", "document_no"),
    Index("funds_by_area", "area"),
)

FUND_FLOWS = Table(
    "fund_flows",
    LOGICAL,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("fund", String(36), nullable=False),
    Column("area", String(36), nullable=False),
    Column("kind", String, nullable=False),
    Column("amount_fen", Integer, nullable=False),
    Column("counterpart", String(36)),
    Column("document_no", String, nullable=False),
    Column("subject", String(36)),
    Column("reason", String, nullable=False),
    Column("recorded_at", String, nullable=False),
    Index("fund_flows_by_fund", "fund"),
    Index("fund_flows_by_counterpart", "counterpart"),
)

FUND_SHARES = Table(
    "fund_shares",
    LOGICAL,
    Column("fund", String(36), primary_key=True),
    Column("counterpart", String(36), primary_key=True),
    Column("area", String(36), nullable=False),
    Column("amount_fen", Integer, nullable=False),
    Column("matching_fen", Integer, nullable=False),
)
"""What a fund has passed down to another, or received from one, and not got or given back; with
the matching share (配套) in it."""

COMMITMENTS = Table(
    "fund_commitments",
    LOGICAL,
    Column("fund", String(36), primary_key=True),
    Column("commitment", String(36), primary_key=True),
    Column("area", String(36), nullable=False),
    Column("programme", String, nullable=False),
    Column("subject", String(36), nullable=False),
    Column("amount_fen", Integer, nullable=False),
    Column("released_fen", Integer, nullable=False),
    Column("paid_fen", Integer, nullable=False),
    Column("failed_fen", Integer, nullable=False),
    Column("open_fen", Integer, nullable=False),
    Column("committed_at", String, nullable=False),
    Index("fund_commitments_by_subject", "subject"),
)

PAYMENTS = Table(
    "fund_payments",
    LOGICAL,
    Column("fund", String(36), primary_key=True),
    Column("payment", String(36), primary_key=True),
    Column("area", String(36), nullable=False),
    Column("commitment", String(36), nullable=False),
    Column("amount_fen", Integer, nullable=False),
    Column("payments", Integer, nullable=False),
    Column("failed_fen", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("refunded_fen", Integer, nullable=False),
    Column("paid_at", String, nullable=False),
)


def _flow(
    rows: Rows,
    at: int,
    e: Any,
    kind: str,
    *,
    counterpart: UUID | None = None,
    document_no: str | None = None,
    subject: UUID | None = None,
    reason: str = "",
    **change: int,
) -> Row:
    """Add to sums of the fund and write the flow down. Answers the fund's row."""
    row = rows.need(FUNDS, text_of(e.originator_id))
    rows.put(FUNDS, {**row, **{name: row[name] + fen for name, fen in change.items()}})
    rows.append(
        FUND_FLOWS,
        (
            at,
            row["id"],
            row["area"],
            kind,
            e.amount_fen,
            text_of(counterpart) if counterpart else None,
            row["document_no"] if document_no is None else document_no,
            text_of(subject) if subject else None,
            reason,
            when(e.meta.recorded_at),
        ),
    )
    return row


def opened(rows: Rows, at: int, e: Fund.Opened) -> None:
    row: Row = {
        "id": text_of(e.originator_id),
        "area": text_of(e.holder),
        "document_no": e.document_no,
        "source": None,
        "source_document_no": None,
        "earmark": as_json(e.earmark),
        "exercise": e.exercise,
        "opened_at": when(e.meta.recorded_at),
    }
    rows.put(FUNDS, row | dict.fromkeys(SUMS, 0))


def appropriated(rows: Rows, at: int, e: Fund.Appropriated) -> None:
    _flow(
        rows,
        at,
        e,
        "appropriated",
        document_no=e.source_document_no,
        appropriated_fen=e.amount_fen,
        available_fen=e.amount_fen,
        matching_fen=e.matching_fen,
    )
    rows.change(
        FUNDS,
        text_of(e.originator_id),
        source=str(e.source),
        source_document_no=e.source_document_no,
    )


def _share(rows: Rows, row: Row, counterpart: UUID, amount_fen: int, share_fen: int) -> None:
    """So much more (or less) is at the other fund, or of it."""
    id, other = row["id"], text_of(counterpart)
    known = rows.get(FUND_SHARES, id, other) or {"amount_fen": 0, "matching_fen": 0}
    rows.put(
        FUND_SHARES,
        {
            "fund": id,
            "counterpart": other,
            "area": row["area"],
            "amount_fen": known["amount_fen"] + amount_fen,
            "matching_fen": known["matching_fen"] + share_fen,
        },
    )


def _share_back(rows: Rows, e: Fund.Returned | Fund.GotBack, counterpart: UUID) -> int:
    """The matching share that goes back with a sum; in facts that do not say, in proportion."""
    if e.matching_fen is not None:
        return e.matching_fen
    known = rows.get(FUND_SHARES, text_of(e.originator_id), text_of(counterpart))
    if known is None:
        return 0
    return Passed(known["amount_fen"], known["matching_fen"]).share_of(e.amount_fen)


def passed_down(rows: Rows, at: int, e: Fund.PassedDown) -> None:
    row = _flow(
        rows,
        at,
        e,
        "passed_down",
        counterpart=e.child,
        document_no=e.document_no,
        available_fen=-e.amount_fen,
        passed_down_fen=e.amount_fen,
        matching_fen=-e.matching_fen,
    )
    _share(rows, row, e.child, e.amount_fen, e.matching_fen)


def received(rows: Rows, at: int, e: Fund.Received) -> None:
    row = _flow(
        rows,
        at,
        e,
        "received",
        counterpart=e.parent,
        available_fen=e.amount_fen,
        received_fen=e.amount_fen,
        matching_fen=e.matching_fen,
    )
    _share(rows, row, e.parent, e.amount_fen, e.matching_fen)


def returned(rows: Rows, at: int, e: Fund.Returned) -> None:
    share_fen = _share_back(rows, e, e.parent)
    row = _flow(
        rows,
        at,
        e,
        "returned",
        counterpart=e.parent,
        document_no=e.document_no,
        reason=e.reason,
        available_fen=-e.amount_fen,
        returned_fen=e.amount_fen,
        matching_fen=-share_fen,
    )
    _share(rows, row, e.parent, -e.amount_fen, -share_fen)


def got_back(rows: Rows, at: int, e: Fund.GotBack) -> None:
    share_fen = _share_back(rows, e, e.child)
    row = _flow(
        rows,
        at,
        e,
        "got_back",
        counterpart=e.child,
        document_no=e.document_no,
        available_fen=e.amount_fen,
        got_back_fen=e.amount_fen,
        matching_fen=share_fen,
    )
    _share(rows, row, e.child, -e.amount_fen, -share_fen)


def committed(rows: Rows, at: int, e: Fund.Committed) -> None:
    row = _flow(
        rows,
        at,
        e,
        "committed",
        subject=e.subject,
        available_fen=-e.amount_fen,
        committed_fen=e.amount_fen,
    )
    rows.put(
        COMMITMENTS,
        {
            "fund": row["id"],
            "commitment": text_of(e.commitment),
            "area": row["area"],
            "programme": e.programme,
            "subject": text_of(e.subject),
            "amount_fen": e.amount_fen,
            "released_fen": 0,
            "paid_fen": 0,
            "failed_fen": 0,
            "open_fen": e.amount_fen,
            "committed_at": when(e.meta.recorded_at),
        },
    )


def _commitment(rows: Rows, row: Row, commitment: UUID, **change: int) -> None:
    """Add to sums of a commitment."""
    found = rows.need(COMMITMENTS, row["id"], text_of(commitment))
    rows.put(COMMITMENTS, {**found, **{name: found[name] + fen for name, fen in change.items()}})


def released(rows: Rows, at: int, e: Fund.Released) -> None:
    row = _flow(
        rows,
        at,
        e,
        "released",
        reason=e.reason,
        subject=e.commitment,
        available_fen=e.amount_fen,
        committed_fen=-e.amount_fen,
    )
    amount = e.amount_fen
    _commitment(rows, row, e.commitment, released_fen=amount, open_fen=-amount)


def paid(rows: Rows, at: int, e: Fund.Paid) -> None:
    row = _flow(
        rows,
        at,
        e,
        "paid",
        subject=e.payment,
        committed_fen=-e.amount_fen,
        paid_fen=e.amount_fen,
    )
    _commitment(rows, row, e.commitment, paid_fen=e.amount_fen, open_fen=-e.amount_fen)
    rows.put(
        PAYMENTS,
        {
            "fund": row["id"],
            "payment": text_of(e.payment),
            "area": row["area"],
            "commitment": text_of(e.commitment),
            "amount_fen": e.amount_fen,
            "payments": e.payments,
            "failed_fen": 0,
            "failed": 0,
            "refunded_fen": 0,
            "paid_at": when(e.meta.recorded_at),
        },
    )


def failed(rows: Rows, at: int, e: Fund.Failed) -> None:
    amount = e.amount_fen
    row = _flow(
        rows,
        at,
        e,
        "failed",
        subject=e.payment,
        reason=e.reason,
        committed_fen=amount,
        paid_fen=-amount,
        failed_fen=amount,
    )
    _commitment(rows, row, e.commitment, paid_fen=-amount, failed_fen=amount, open_fen=amount)
    batch = rows.need(PAYMENTS, row["id"], text_of(e.payment))
    batch = {**batch, "failed_fen": batch["failed_fen"] + amount}
    rows.put(PAYMENTS, {**batch, "failed": batch["failed"] + e.payments})


def refunded(rows: Rows, at: int, e: Fund.Refunded) -> None:
    row = _flow(
        rows,
        at,
        e,
        "refunded",
        subject=e.subject,
        reason=e.reason,
        available_fen=e.amount_fen,
        refunded_fen=e.amount_fen,
    )
    batch = rows.need(PAYMENTS, row["id"], text_of(e.payment))
    rows.put(PAYMENTS, {**batch, "refunded_fen": batch["refunded_fen"] + e.amount_fen})


VIEW = View(
    name="funds",
    version=2,
    tables=(FUNDS, FUND_FLOWS, FUND_SHARES, COMMITMENTS, PAYMENTS),
    routes={
        Fund.Opened: opened,
        Fund.Appropriated: appropriated,
        Fund.PassedDown: passed_down,
        Fund.Received: received,
        Fund.Returned: returned,
        Fund.GotBack: got_back,
        Fund.Committed: committed,
        Fund.Released: released,
        Fund.Paid: paid,
        Fund.Failed: failed,
        Fund.Refunded: refunded,
    },
)
