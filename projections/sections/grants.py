"""Of the ledger: numbered grants, and what of them reached households and came back, by day."""

from datetime import date
from typing import Any, NamedTuple, Self

from sqlalchemy import Boolean, Column, Index, Integer, String, Table

from domain.relief_case import ReliefCase
from domain.rules.base import china_day
from projections.folding.base import LOGICAL, Row, Rows, text_of

GRANTS = Table(
    "ledger_grants",
    LOGICAL,
    Column("relief_case", String(36), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("season", String(36), nullable=False),
    Column("area", String(36), nullable=False),
    Column("village_list", String(36)),  # on which the case stood as it was granted
    Column("item", String, nullable=False),
    Column("units", Integer, nullable=False),
    Column("cash_fen", Integer, nullable=False),
    Column("part", Integer, nullable=False),  # of relief paid in parts; 0: at once
    Column("value_fen", Integer, nullable=False),
    Column("returned_units", Integer, nullable=False),
    Column("returned_fen", Integer, nullable=False),
    Column("status", String, nullable=False),
    Column("document_no", String, nullable=False),
    Column("fund", String(36)),
    Column("stockpile", String(36)),
    Column("source", String(36), nullable=False),
    Column("lots", String, nullable=False),
    Column("reason", String),
    Column("batch", String(36)),
    Column("holder", String(36)),
    Column("payment_document_no", String),
    Column("failures", Integer, nullable=False),
    Column("failed_reason", String),
    Column("signed_by", String),
    Column("relation", String),
    Column("granted_at", String, nullable=False),
    Column("delivered_at", String),
    Column("delivered_on", String),
    Column("day_said", Boolean),
    Column("failed_at", String),
    Index("ledger_grants_by_season", "season", "area"),
    Index("ledger_grants_by_area", "area"),
    Index("ledger_grants_by_status", "status", "area"),
    Index("ledger_grants_by_list", "village_list", "document_no", "payment_document_no"),
)
"""``delivered_on``: the bank's value date or the day of signing where it was said (``day_said``),
else the day in China on which it was recorded; null: it is not there."""

MOVES = Table(
    "ledger_moves",
    LOGICAL,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("relief_case", String(36), nullable=False),
    Column("number", Integer, nullable=False),
    Column("moved_on", String, nullable=False),
    Column("day_said", Boolean, nullable=False),
    Column("delivered", Integer, nullable=False),
    Column("cash_fen", Integer, nullable=False),
    Column("goods_fen", Integer, nullable=False),
    Column("units", Integer, nullable=False),
    Index("ledger_moves_by_grant", "relief_case", "number"),
)
"""What of a grant reached the household, and came back (below zero), on the day on which it did:
``moved_on`` and ``day_said`` as `GRANTS` has them. ``delivered``: 1 with the grant, -1 when nothing
of it is left there. So "what had they on the 3rd" is a sum, whenever it was recorded; village and
season are those of the grant."""

Fact = ReliefCase.Paid | ReliefCase.PaymentFailed | ReliefCase.GoodsSigned | ReliefCase.Refunded


class Went(NamedTuple):
    """The day on which something went out or came back, and whether somebody said it."""

    on: str
    said: bool

    @classmethod
    def of(cls, e: Fact, day: date | None = None) -> Self:
        """The day that was said, else that of the record."""
        found = day if day is not None else china_day(e.meta.recorded_at)
        return cls(found.isoformat(), day is not None)

    @property
    def columns(self) -> dict[str, Any]:
        """As a grant keeps it."""
        return {"delivered_on": self.on, "day_said": self.said}


def went_on(grant: Row) -> Went:
    """The day of a grant that went out: what bounced was never there."""
    return Went(grant["delivered_on"], grant["day_said"])


def moved(
    rows: Rows,
    at: int,
    e: Fact,
    went: Went,
    *,
    delivered: int = 0,
    cash_fen: int = 0,
    goods_fen: int = 0,
    units: int = 0,
) -> None:
    rows.begin(
        MOVES,
        {
            "position": at,
            "relief_case": text_of(e.originator_id),
            "number": e.number,
            "moved_on": went.on,
            "day_said": went.said,
            "delivered": delivered,
            "cash_fen": cash_fen,
            "goods_fen": goods_fen,
            "units": units,
        },
    )


def given_back(rows: Rows, at: int, e: ReliefCase.Refunded, grant: Row, *, empty: bool) -> None:
    """Money or goods came back on the day of the record; ``empty``: nothing of it is left."""
    of_cash = grant["item"] == ""
    moved(
        rows,
        at,
        e,
        Went.of(e),
        delivered=-empty,
        cash_fen=-e.amount_fen if of_cash else 0,
        goods_fen=0 if of_cash else -e.amount_fen,
        units=-sum(pick.quantity for pick in e.picks),
    )
