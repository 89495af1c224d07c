"""The ledger 台账: 需救助 and 已救助, one row a household a season, one row a numbered grant.

Granted is what was decided, after corrections; paid or signed is what the household has, after
bounced payments and refunds. The household's own columns are joined by the queries.
"""

import json
from typing import Any

from sqlalchemy import Boolean, Column, Index, Integer, String, Table

from domain.goods import value_of
from domain.relief_case import ReliefCase
from projections.folding.base import LOGICAL, Row, Rows, View, as_json, text_of, when
from projections.sections.grants import GRANTS, MOVES, Went, given_back, moved, went_on

LEDGER = Table(
    "ledger",
    LOGICAL,
    Column("id", String(36), primary_key=True),
    Column("season", String(36), nullable=False),
    Column("household", String(36), nullable=False),
    Column("area", String(36), nullable=False),
    Column("status", String, nullable=False),
    Column("persons", Integer, nullable=False),
    Column("kinds", String, nullable=False),
    Column("cause", String, nullable=False),
    Column("rate", String, nullable=False),
    Column("days", Integer, nullable=False),
    Column("need_count", Integer, nullable=False),
    Column("nominated", Boolean, nullable=False),
    Column("on_behalf", Boolean, nullable=False),  # taken by the township: nobody was in post
    Column("applied_on", String, nullable=False),
    Column("tier", String),
    Column("village_list", String(36)),
    Column("document_no", String),
    Column("refused_step", String),
    Column("refused_reason", String),
    Column("over_standard_reason", String),
    Column("known_died", Integer),
    Column("known_gone", Integer),
    Column("grants", Integer, nullable=False),
    Column("delivered", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("cash_granted_fen", Integer, nullable=False),
    Column("cash_paid_fen", Integer, nullable=False),
    Column("goods_granted_fen", Integer, nullable=False),
    Column("goods_signed_fen", Integer, nullable=False),
    Column("goods_granted", String, nullable=False),
    Column("goods_signed", String, nullable=False),
    Column("grant_documents", String, nullable=False),
    Column("exercise", Boolean, nullable=False),
    Column("applied_at", String, nullable=False),
    Column("appraised_at", String),
    Column("listed_at", String),
    Column("reviewed_at", String),
    Column("approved_at", String),
    Column("granted_at", String),
    Column("delivered_at", String),
    Column("closed_at", String),
    Index("ledger_by_season", "season", "area"),
    Index("ledger_by_area", "area"),
    Index("ledger_by_household", "household"),
    Index("ledger_by_list", "village_list"),
    Index("ledger_by_grants", "grants", "area"),
)

"""``known_died``, ``known_gone``: how many members the household had lost when the amounts were set
or last decided upon (`domain.household.Losses`); null where the fact did not say. What it has
lost since holds what is open: the findings compare."""


def _tally(row: Row, column: str, item: str, units: int) -> str:
    """A column of item → units with so many more (or fewer) units of an item; none left: gone."""
    goods: dict[str, int] = json.loads(row[column])
    goods[item] = goods.get(item, 0) + units
    if not goods[item]:
        del goods[item]
    return as_json(goods)


def applied(rows: Rows, at: int, e: ReliefCase.Applied) -> None:
    need = e.need
    rows.begin(
        LEDGER,
        {
            "id": text_of(e.originator_id),
            "season": text_of(e.season),
            "household": text_of(e.household),
            "area": text_of(e.village),
            "status": "applied",
            "persons": need.persons,
            "kinds": as_json(need.kinds),
            "cause": str(need.cause),
            "rate": need.rate,
            "days": need.days,
            "need_count": need.count,
            "nominated": e.nominated,
            "on_behalf": e.on_behalf,
            "applied_on": e.applied_on.isoformat(),
            "grants": 0,
            "delivered": 0,
            "failed": 0,
            "cash_granted_fen": 0,
            "cash_paid_fen": 0,
            "goods_granted_fen": 0,
            "goods_signed_fen": 0,
            "goods_granted": "{}",
            "goods_signed": "{}",
            "grant_documents": "[]",
            "exercise": e.exercise,
            "applied_at": when(e.meta.recorded_at),
        },
    )


def corrected(rows: Rows, at: int, e: ReliefCase.Corrected) -> None:
    need = e.need
    rows.change(
        LEDGER,
        text_of(e.originator_id),
        persons=need.persons,
        kinds=as_json(need.kinds),
        cause=str(need.cause),
        rate=need.rate,
        days=need.days,
        need_count=need.count,
    )


def appraised(rows: Rows, at: int, e: ReliefCase.Appraised) -> None:
    rows.change(
        LEDGER,
        text_of(e.originator_id),
        status="appraised",
        tier=str(e.tier),
        appraised_at=when(e.meta.recorded_at),
    )


def listed(rows: Rows, at: int, e: ReliefCase.Listed) -> None:
    rows.change(
        LEDGER,
        text_of(e.originator_id),
        status="on_list",
        village_list=text_of(e.village_list),
        listed_at=when(e.meta.recorded_at),
    )


def reviewed(rows: Rows, at: int, e: ReliefCase.Reviewed) -> None:
    moment = when(e.meta.recorded_at)
    rows.change(LEDGER, text_of(e.originator_id), status="reviewed", reviewed_at=moment)


def approved(rows: Rows, at: int, e: ReliefCase.Approved) -> None:
    rows.change(
        LEDGER,
        text_of(e.originator_id),
        status="approved",
        document_no=e.document_no,
        approved_at=when(e.meta.recorded_at),
    )


def refused(rows: Rows, at: int, e: ReliefCase.Refused) -> None:
    rows.change(
        LEDGER,
        text_of(e.originator_id),
        status="refused",
        village_list=None,
        refused_step=e.step,
        refused_reason=e.reason,
        closed_at=when(e.meta.recorded_at),
    )


def reopened(rows: Rows, at: int, e: ReliefCase.Reopened) -> None:
    rows.change(
        LEDGER,
        text_of(e.originator_id),
        status="applied",
        village_list=None,
        refused_step=None,
        refused_reason=None,
        closed_at=None,
    )


def closed(rows: Rows, at: int, e: ReliefCase.Closed) -> None:
    moment = when(e.meta.recorded_at)
    rows.change(LEDGER, text_of(e.originator_id), status="closed", closed_at=moment)


def village_changed(rows: Rows, at: int, e: ReliefCase.VillageChanged) -> None:
    id, area = text_of(e.originator_id), text_of(e.village)
    rows.change(LEDGER, id, area=area)
    for number in range(1, e.grants + 1):
        rows.change(GRANTS, id, number, area=area)


# Grants


def granted(rows: Rows, at: int, e: ReliefCase.Granted) -> None:
    id, grant, moment = text_of(e.originator_id), e.grant, when(e.meta.recorded_at)
    row = rows.need(LEDGER, id)
    value = grant.value_fen
    rows.begin(
        GRANTS,
        {
            "relief_case": id,
            "number": grant.number,
            "season": row["season"],
            "area": row["area"],
            "village_list": row["village_list"],
            "item": grant.item,
            "units": grant.units,
            "cash_fen": grant.cash_fen,
            "part": grant.part,
            "value_fen": value,
            "returned_units": 0,
            "returned_fen": 0,
            "status": "granted",
            "document_no": grant.document_no,
            "fund": text_of(grant.fund) if grant.fund else None,
            "stockpile": text_of(grant.stockpile) if grant.stockpile else None,
            "source": text_of(grant.source),
            "lots": as_json(grant.picks) if grant.picks else "[]",
            "reason": e.reason,
            "failures": 0,
            "granted_at": moment,
        },
    )
    changes: dict[str, Any] = {"grants": row["grants"] + 1, "granted_at": moment}
    documents = row["grant_documents"]
    if documents == "[]":
        changes["grant_documents"] = as_json([grant.document_no])
    elif grant.document_no not in (known := json.loads(documents)):
        changes["grant_documents"] = as_json([*known, grant.document_no])
    if e.reason:
        changes["over_standard_reason"] = e.reason
    if e.losses is not None:
        changes |= {"known_died": e.losses.died, "known_gone": e.losses.gone}
    if grant.is_cash:
        changes["cash_granted_fen"] = row["cash_granted_fen"] + value
    else:
        changes["goods_granted_fen"] = row["goods_granted_fen"] + value
        changes["goods_granted"] = _tally(row, "goods_granted", grant.item, grant.units)
    rows.change(LEDGER, id, **changes)


def grant_corrected(rows: Rows, at: int, e: ReliefCase.GrantCorrected) -> None:
    id, grant = text_of(e.originator_id), e.grant
    row, old = rows.need(LEDGER, id), rows.need(GRANTS, id, grant.number)
    void = grant.is_empty
    changes: dict[str, Any] = {}
    if void:
        changes["grants"] = row["grants"] - 1
        if old["status"] == "failed":
            changes["failed"] = row["failed"] - 1
    value = grant.value_fen - old["value_fen"]
    if grant.is_cash:
        changes["cash_granted_fen"] = row["cash_granted_fen"] + value
    else:
        changes["goods_granted_fen"] = row["goods_granted_fen"] + value
        units = grant.units - old["units"]
        changes["goods_granted"] = _tally(row, "goods_granted", grant.item, units)
    rows.change(LEDGER, id, **changes)
    rows.change(
        GRANTS,
        id,
        grant.number,
        units=grant.units,
        cash_fen=grant.cash_fen,
        value_fen=grant.value_fen,
        source=text_of(grant.source),
        lots=as_json(grant.picks),
        status="void" if void else old["status"],
    )


def hold_decided(rows: Rows, at: int, e: ReliefCase.HoldDecided) -> None:
    known = {"known_died": e.losses.died, "known_gone": e.losses.gone}
    rows.change(LEDGER, text_of(e.originator_id), **known)


def paid(rows: Rows, at: int, e: ReliefCase.Paid) -> None:
    id, moment = text_of(e.originator_id), when(e.meta.recorded_at)
    row, old = rows.need(LEDGER, id), rows.need(GRANTS, id, e.number)
    went = Went.of(e, e.value_date)
    rows.change(
        LEDGER,
        id,
        cash_paid_fen=row["cash_paid_fen"] + e.amount_fen,
        delivered=row["delivered"] + 1,
        failed=row["failed"] - (old["status"] == "failed"),
        delivered_at=moment,
    )
    rows.change(
        GRANTS,
        id,
        e.number,
        status="paid",
        batch=text_of(e.batch),
        holder=text_of(e.holder) if e.holder else None,
        payment_document_no=e.document_no,
        delivered_at=moment,
        **went.columns,
    )
    moved(rows, at, e, went, delivered=1, cash_fen=e.amount_fen)


def payment_failed(rows: Rows, at: int, e: ReliefCase.PaymentFailed) -> None:
    id = text_of(e.originator_id)
    row, old = rows.need(LEDGER, id), rows.need(GRANTS, id, e.number)
    was_paid = old["status"] == "paid"
    if was_paid:
        moved(rows, at, e, went_on(old), delivered=-1, cash_fen=-e.amount_fen)
    rows.change(
        LEDGER,
        id,
        cash_paid_fen=row["cash_paid_fen"] - (e.amount_fen if was_paid else 0),
        delivered=row["delivered"] - was_paid,
        failed=row["failed"] + (old["status"] != "failed"),
    )
    rows.change(
        GRANTS,
        id,
        e.number,
        status="failed",
        batch=text_of(e.batch),
        failures=old["failures"] + 1,
        failed_reason=e.reason,
        failed_at=when(e.meta.recorded_at),
        delivered_at=None,
        delivered_on=None,
        day_said=None,
    )


def goods_signed(rows: Rows, at: int, e: ReliefCase.GoodsSigned) -> None:
    id, moment = text_of(e.originator_id), when(e.meta.recorded_at)
    row, old = rows.need(LEDGER, id), rows.need(GRANTS, id, e.number)
    value, went = value_of(e.picks), Went.of(e, e.signed_on)
    rows.change(
        LEDGER,
        id,
        delivered=row["delivered"] + 1,
        goods_granted_fen=row["goods_granted_fen"] + value - old["value_fen"],
        goods_signed_fen=row["goods_signed_fen"] + value,
        goods_signed=_tally(row, "goods_signed", e.item, old["units"]),
        delivered_at=moment,
    )
    rows.change(
        GRANTS,
        id,
        e.number,
        status="signed",
        value_fen=value,
        lots=as_json(e.picks),
        signed_by=e.signed_by,
        relation=e.relation,
        delivered_at=moment,
        **went.columns,
    )
    moved(rows, at, e, went, delivered=1, goods_fen=value, units=old["units"])


def refunded(rows: Rows, at: int, e: ReliefCase.Refunded) -> None:
    id = text_of(e.originator_id)
    row, old = rows.need(LEDGER, id), rows.need(GRANTS, id, e.number)
    units = sum(pick.quantity for pick in e.picks)
    back_fen, back_units = old["returned_fen"] + e.amount_fen, old["returned_units"] + units
    if old["item"]:
        empty = back_units == old["units"]
        changes = {
            "goods_signed_fen": row["goods_signed_fen"] - e.amount_fen,
            "goods_signed": _tally(row, "goods_signed", old["item"], -units),
        }
    else:
        empty = back_fen == old["cash_fen"]
        changes = {"cash_paid_fen": row["cash_paid_fen"] - e.amount_fen}
    rows.change(LEDGER, id, **changes, delivered=row["delivered"] - empty)
    rows.change(
        GRANTS,
        id,
        e.number,
        returned_fen=back_fen,
        returned_units=back_units,
        status="refunded" if empty else old["status"],
    )
    given_back(rows, at, e, old, empty=empty)


VIEW = View(
    name="ledger",
    version=8,
    tables=(LEDGER, GRANTS, MOVES),
    routes={
        ReliefCase.Applied: applied,
        ReliefCase.Corrected: corrected,
        ReliefCase.Appraised: appraised,
        ReliefCase.Listed: listed,
        ReliefCase.Reviewed: reviewed,
        ReliefCase.Approved: approved,
        ReliefCase.Refused: refused,
        ReliefCase.Reopened: reopened,
        ReliefCase.Closed: closed,
        ReliefCase.VillageChanged: village_changed,
        ReliefCase.Granted: granted,
        ReliefCase.GrantCorrected: grant_corrected,
        ReliefCase.HoldDecided: hold_decided,
        ReliefCase.Paid: paid,
        ReliefCase.PaymentFailed: payment_failed,
        ReliefCase.GoodsSigned: goods_signed,
        ReliefCase.Refunded: refunded,
    },
    by_stream=True,
)
