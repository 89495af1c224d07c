"""Village lists 村级名册: where each stands, its notices, its objections, what it gives."""

import json
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
    case,
    func,
    select,
)

from domain.village_list import VillageList
from projections.areas import AREAS
from projections.asking.case_states import UNDER_WAY
from projections.asking.looked_for import Meant, Source, looked_for, names_in, numbers_in
from projections.asking.paging import Page, page
from projections.asking.scope import Scope
from projections.folding.base import LOGICAL, Row, Rows, View, as_json, text_of, when
from projections.households import TOWNSHIPS
from projections.ledger import LEDGER
from projections.seasons import SEASONS
from projections.sections.grants import GRANTS

LISTS = Table(
    "village_lists",
    LOGICAL,
    Column("id", String(36), primary_key=True),
    Column("season", String(36), nullable=False),
    Column("area", String(36), nullable=False),
    Column("round", Integer, nullable=False),
    Column("exercise", Boolean, nullable=False),
    Column("status", String, nullable=False),
    Column("appraised_on", String),
    Column("attendees", Integer),
    Column("minutes_sha256", String),
    Column("showing", String),
    Column("first_posted_at", String),
    Column("first_ends_at", String),
    Column("second_posted_at", String),
    Column("second_ends_at", String),
    Column("open_objections", Integer, nullable=False),
    Column("objections", Integer, nullable=False),
    Column("returns", Integer, nullable=False),
    Column("returned_reason", String),
    Column("opinion", String),
    Column("document_no", String),
    Column("allocation_document_no", String),
    Column("fund", String(36)),
    Column("cash_fen", Integer, nullable=False),
    Column("goods", String, nullable=False),
    Column("deliver_by", String),
    Column("paid_fen", Integer, nullable=False),
    Column("payments", Integer, nullable=False),
    Column("failed_payments", Integer, nullable=False),
    Column("held_payments", Integer, nullable=False),
    Column("units_handed_out", Integer, nullable=False),
    Column("opened_at", String, nullable=False),
    Column("reviewed_at", String),
    Column("approved_at", String),
    Column("allocated_at", String),
    Column("paid_at", String),
    Column("closed_at", String),
    Index("village_lists_by_season", "season", "area"),
    Index("village_lists_by_area", "area"),
)

OBJECTIONS = Table(
    "objections",
    LOGICAL,
    Column("village_list", String(36), primary_key=True),
    Column("objection", String(36), primary_key=True),
    Column("area", String(36), nullable=False),
    Column("kind", String, nullable=False),
    Column("notice_kind", String, nullable=False),
    Column("household", String(36)),
    Column("status", String, nullable=False),
    Column("reason", String),
    Column("received_at", String, nullable=False),
    Column("settled_at", String),
)

NO_FIRST = {"first_posted_at": None, "first_ends_at": None}
NO_SECOND = {"second_posted_at": None, "second_ends_at": None}
NO_NOTICES = {**NO_FIRST, **NO_SECOND, "showing": None}


def opened(rows: Rows, at: int, e: VillageList.Opened) -> None:
    zeros = (
        "open_objections",
        "objections",
        "returns",
        "cash_fen",
        "paid_fen",
        "payments",
        "failed_payments",
        "held_payments",
        "units_handed_out",
    )
    rows.put(
        LISTS,
        {
            "id": text_of(e.originator_id),
            "season": text_of(e.season),
            "area": text_of(e.village),
            "round": e.round,
            "exercise": e.exercise,
            "status": "draft",
            "goods": "{}",
            "opened_at": when(e.meta.recorded_at),
            **dict.fromkeys(zeros, 0),
        },
    )


def _change(rows: Rows, e: Any, **changes: Any) -> Row:
    return rows.change(LISTS, text_of(e.originator_id), **changes)


def minutes_recorded(rows: Rows, at: int, e: VillageList.MinutesRecorded) -> None:
    minutes = e.minutes
    _change(
        rows,
        e,
        appraised_on=minutes.held_on.isoformat(),
        attendees=minutes.attendees,
        minutes_sha256=minutes.document_sha256,
    )


def cases_listed(rows: Rows, at: int, e: VillageList.CasesListed) -> None:
    _change(rows, e, **NO_NOTICES)


def posted(rows: Rows, at: int, e: VillageList.Posted) -> None:
    notice = str(e.notice)
    times = {f"{notice}_posted_at": when(e.posted_at), f"{notice}_ends_at": when(e.ends_at)}
    _change(rows, e, showing=notice, **times)


def withdrawn(rows: Rows, at: int, e: VillageList.Withdrawn) -> None:
    """A notice that was taken down early does not count as posted."""
    gone = {}
    if e.early:
        gone = NO_FIRST if e.notice == "first" else NO_SECOND
    _change(rows, e, showing=None, **gone)


def _without_amounts(rows: Rows, e: Any, **changes: Any) -> None:
    showing = rows.need(LISTS, text_of(e.originator_id))["showing"]
    left = None if showing == "second" else showing
    _change(rows, e, **NO_SECOND, showing=left, **changes)


def notice_voided(rows: Rows, at: int, e: VillageList.NoticeVoided) -> None:
    _without_amounts(rows, e)


def objection_raised(rows: Rows, at: int, e: VillageList.ObjectionRaised) -> None:
    row = rows.need(LISTS, text_of(e.originator_id))
    _change(rows, e, open_objections=row["open_objections"] + 1, objections=row["objections"] + 1)
    rows.put(
        OBJECTIONS,
        {
            "village_list": row["id"],
            "objection": text_of(e.objection),
            "area": row["area"],
            "kind": str(e.kind),
            "notice_kind": str(e.notice),
            "household": text_of(e.household) if e.household else None,
            "status": "open",
            "received_at": when(e.received_at),
        },
    )


def objection_settled(rows: Rows, at: int, e: VillageList.ObjectionSettled) -> None:
    row = rows.need(LISTS, text_of(e.originator_id))
    void = NO_NOTICES if e.added is not None else {}
    _change(rows, e, open_objections=row["open_objections"] - 1, **void)
    rows.change(
        OBJECTIONS,
        row["id"],
        text_of(e.objection),
        status="upheld" if e.upheld else "dismissed",
        reason=e.reason,
        settled_at=when(e.meta.recorded_at),
    )


def reviewed(rows: Rows, at: int, e: VillageList.Reviewed) -> None:
    moment = when(e.meta.recorded_at)
    _change(rows, e, status="reviewed", opinion=e.opinion, reviewed_at=moment)


def returned(rows: Rows, at: int, e: VillageList.Returned) -> None:
    row = rows.need(LISTS, text_of(e.originator_id))
    _change(
        rows,
        e,
        status="draft",
        returns=row["returns"] + 1,
        returned_reason=e.reason,
        appraised_on=None,
        attendees=None,
        minutes_sha256=None,
        reviewed_at=None,
        **NO_NOTICES,
    )


def approved(rows: Rows, at: int, e: VillageList.Approved) -> None:
    moment = when(e.meta.recorded_at)
    _change(rows, e, status="approved", document_no=e.document_no, approved_at=moment)


def allocated(rows: Rows, at: int, e: VillageList.Allocated) -> None:
    row = rows.need(LISTS, text_of(e.originator_id))
    goods: dict[str, int] = json.loads(row["goods"])
    for item, units in e.goods.items():
        goods[item] = goods.get(item, 0) + units
    _without_amounts(
        rows,
        e,
        status="allocated",
        allocation_document_no=e.document_no,
        fund=text_of(e.fund) if e.fund else row["fund"],
        cash_fen=row["cash_fen"] + e.cash_fen,
        goods=as_json(goods),
        deliver_by=e.deliver_by.isoformat() if e.deliver_by else None,
        allocated_at=when(e.meta.recorded_at),
    )


def payment_made(rows: Rows, at: int, e: VillageList.PaymentMade) -> None:
    row = rows.need(LISTS, text_of(e.originator_id))
    _change(
        rows,
        e,
        paid_fen=row["paid_fen"] + e.paid_fen,
        payments=row["payments"] + e.payments,
        failed_payments=row["failed_payments"] + e.failed,
        held_payments=e.held,
        paid_at=when(e.meta.recorded_at),
    )


def goods_handed_out(rows: Rows, at: int, e: VillageList.GoodsHandedOut) -> None:
    row = rows.need(LISTS, text_of(e.originator_id))
    _change(rows, e, units_handed_out=row["units_handed_out"] + e.units)


def village_changed(rows: Rows, at: int, e: VillageList.VillageChanged) -> None:
    id, area = text_of(e.originator_id), text_of(e.village)
    _change(rows, e, area=area)
    for objection in e.objections:
        rows.change(OBJECTIONS, id, text_of(objection), area=area)


def closed(rows: Rows, at: int, e: VillageList.Closed) -> None:
    _change(rows, e, status="closed", showing=None, closed_at=when(e.meta.recorded_at))


# Queries


def lists_of(scope: Scope) -> Select[Any]:
    """Lists with village, township, season, and the households and persons that stand on them;
    ``under_way``: to how many of them something granted has not gone out; ``applied``: how many
    households of the village wait to be put on a list, of a list that is drawn up."""
    on = (
        select(
            LEDGER.c.village_list,
            func.count().label("households"),
            func.sum(LEDGER.c.persons).label("persons"),
            func.sum(case((UNDER_WAY, 1), else_=0)).label("under_way"),
        )
        .where(LEDGER.c.village_list.is_not(None), scope.covers(LEDGER.c.area))
        .group_by(LEDGER.c.village_list)
        .subquery()
    )
    waiting = (
        select(func.count())
        .select_from(LEDGER)
        .where(
            LEDGER.c.season == LISTS.c.season,
            LEDGER.c.area == LISTS.c.area,
            LEDGER.c.status == "applied",
            scope.covers(LEDGER.c.area),
        )
        .correlate(LISTS)
        .scalar_subquery()
    )
    return (
        select(
            LISTS,
            AREAS.c.code.label("village_code"),
            AREAS.c.name.label("village_name"),
            TOWNSHIPS.c.name.label("township_name"),
            SEASONS.c.programme,
            SEASONS.c.year,
            SEASONS.c.steps.label("season_steps"),
            func.coalesce(on.c.households, 0).label("households"),
            func.coalesce(on.c.persons, 0).label("persons"),
            func.coalesce(on.c.under_way, 0).label("under_way"),
            case((LISTS.c.status == "draft", waiting), else_=0).label("applied"),
        )
        .join(SEASONS, SEASONS.c.id == LISTS.c.season)
        .outerjoin(AREAS, AREAS.c.id == LISTS.c.area)
        .outerjoin(TOWNSHIPS, TOWNSHIPS.c.id == AREAS.c.parent)
        .outerjoin(on, on.c.village_list == LISTS.c.id)
        .where(scope.covers(LISTS.c.area))
    )


def _shaped(row: Any) -> dict[str, Any]:
    parsed = {name: json.loads(row[name]) for name in ("goods", "season_steps")}
    return {**row, **parsed}


def village_lists(
    db: Connection,
    scope: Scope,
    *,
    season: UUID | None = None,
    status: str | None = None,
    search: str | None = None,
    meant: Meant | None = None,
    exercise: bool = False,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """Village lists by village and round, with their steps, notices, objections and amounts.

    ``search``: village or township (name, pinyin, initials or code), programme, year, or the number
    of a decision, an allocation or a payment.
    """
    query = lists_of(scope)
    if season is None:
        query = query.where(LISTS.c.exercise.is_(exercise))
    else:  # it is an exercise or in earnest by itself
        query = query.where(LISTS.c.season == str(season))
    if status is not None:
        query = query.where(LISTS.c.status == status)
    if search:
        query = query.where(_called(db, scope, search, meant))
    order: list[Any] = [func.coalesce(AREAS.c.code, "").label("village_order"), LISTS.c.id]
    found = page(db, query.add_columns(order[0]), order, cursor=cursor, limit=limit)
    return found.of([_shaped(row) for row in found.items])


def _called(db: Connection, scope: Scope, search: str, meant: Meant | None) -> ColumnElement[bool]:
    """That a list is called so, by itself or by a document of a grant on it."""
    seen = (
        select(LISTS)
        .join(SEASONS, SEASONS.c.id == LISTS.c.season)
        .outerjoin(AREAS, AREAS.c.id == LISTS.c.area)
        .outerjoin(TOWNSHIPS, TOWNSHIPS.c.id == AREAS.c.parent)
        .where(scope.covers(LISTS.c.area))
    )
    own = (LISTS.c.document_no, LISTS.c.allocation_document_no)
    sources = [
        *names_in(seen, AREAS.c.name, TOWNSHIPS.c.name, *own),
        *numbers_in(search, _of_grants(scope, GRANTS.c.document_no)),
        *numbers_in(search, _of_grants(scope, GRANTS.c.payment_document_no)),
    ]
    kinds = [SEASONS.c.programme.in_]
    codes, years = [AREAS.c.code], [SEASONS.c.year]
    return looked_for(db, search, sources, codes=codes, years=years, keys=kinds, meant=meant)


def _of_grants(scope: Scope, document: ColumnElement[str]) -> Source:
    """Lists by the documents of their grants: of all rounds, also of bounced payments. They are
    read out of one index, list by list: a county has 18,000 grants and some hundred documents."""
    here = select(LISTS.c.id).where(scope.covers(LISTS.c.area))
    pairs = select(GRANTS.c.village_list, document).where(GRANTS.c.village_list.in_(here))
    return Source(LISTS.c.id, pairs.distinct())


def village_list(db: Connection, scope: Scope, *, village_list: UUID) -> dict[str, Any] | None:
    """One list with its objections. Its households are the ledger's: ``village_list=`` there."""
    id = str(village_list)
    found = db.execute(lists_of(scope).where(LISTS.c.id == id)).mappings().first()
    if found is None:
        return None
    o = OBJECTIONS.c
    said = (
        select(OBJECTIONS)
        .where(o.village_list == id, scope.covers(o.area))
        .order_by(o.received_at, o.objection)
    )
    objections = [dict(row) for row in db.execute(said).mappings()]
    return {**_shaped(found), "objection_lines": objections}


VIEW = View(
    name="lists",
    version=2,
    tables=(LISTS, OBJECTIONS),
    routes={
        VillageList.Opened: opened,
        VillageList.MinutesRecorded: minutes_recorded,
        VillageList.CasesListed: cases_listed,
        VillageList.Posted: posted,
        VillageList.Withdrawn: withdrawn,
        VillageList.NoticeVoided: notice_voided,
        VillageList.ObjectionRaised: objection_raised,
        VillageList.ObjectionSettled: objection_settled,
        VillageList.Reviewed: reviewed,
        VillageList.Returned: returned,
        VillageList.Approved: approved,
        VillageList.Allocated: allocated,
        VillageList.PaymentMade: payment_made,
        VillageList.GoodsHandedOut: goods_handed_out,
        VillageList.Closed: closed,
        VillageList.VillageChanged: village_changed,
    },
)
