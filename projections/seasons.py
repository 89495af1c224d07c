"""Seasons 救助年度: programme, year, standard and dates; the rates as they stood at any moment."""

import json
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Column, Connection, Index, Integer, Select, String, Table, select

from domain.rules.standards import BY_DAYS, Programme
from domain.season import Season
from projections.areas import AREAS
from projections.asking.looked_for import Meant, looked_for, names_in
from projections.asking.paging import Page, page
from projections.asking.scope import Scope
from projections.disasters import DISASTERS
from projections.folding.base import LOGICAL, Rows, View, as_json, text_of, when

SEASONS = Table(
    "seasons",
    LOGICAL,
    Column("id", String(36), primary_key=True),
    Column("area", String(36), nullable=False),
    Column("programme", String, nullable=False),
    Column("year", Integer, nullable=False),
    Column("disaster", String(36)),
    Column("exercise", Boolean, nullable=False),
    Column("name_zh", String, nullable=False),
    Column("name_en", String, nullable=False),
    Column("steps", String, nullable=False),
    Column("first_notice_days", Integer, nullable=False),
    Column("second_notice_days", Integer, nullable=False),
    Column("standards_version", String, nullable=False),
    Column("standards_document_no", String, nullable=False),
    Column("assess_by", String),
    Column("deliver_by", String),
    Column("unconfirmed", Boolean, nullable=False),  # the standards that it goes by now
    Column("in_parts", Boolean, nullable=False),  # a rate of it is paid in parts
    Column("opened_at", String, nullable=False),
    Column("opened_by", String(36), nullable=False),
    Column("closed_at", String),
    Index("seasons_by_area", "area"),
)

SEASON_RATES = Table(
    "season_rates",
    LOGICAL,
    Column("season", String(36), primary_key=True),
    Column("rate", String, primary_key=True),
    Column("since", String, primary_key=True),
    Column("area", String(36), nullable=False),
    Column("basis", String, nullable=False),
    Column("amount_fen", Integer, nullable=False),
    Column("ceiling_fen", Integer, nullable=False),
    Column("minimum_fen", Integer, nullable=False),
    Column("max_days", Integer, nullable=False),
    Column("goods_count", Boolean, nullable=False),
    Column("usual", Boolean, nullable=False),  # of an application that names no rate
    Column("pay_every_days", Integer),  # paid in parts by days; null: it is not
    Column("milestones", Integer, nullable=False),  # parts as a home is rebuilt; 0: none
)


def _terms(rows: Rows, season: str, area: str, terms: Programme, since: str) -> None:
    for rate in terms.rates:
        rows.put(
            SEASON_RATES,
            {
                "season": season,
                "rate": rate.key,
                "since": since,
                "area": area,
                "basis": rate.basis,
                "amount_fen": rate.amount_fen,
                "ceiling_fen": rate.ceiling_fen,
                "minimum_fen": rate.minimum_fen,
                "max_days": rate.max_days,
                "goods_count": terms.goods_count,
                "usual": rate.key == terms.rates[0].key,
                "pay_every_days": rate.pay_every_days if rate.basis in BY_DAYS else None,
                "milestones": len(rate.milestones),
            },
        )


def opened(rows: Rows, at: int, e: Season.Opened) -> None:
    id, area, since = text_of(e.originator_id), text_of(e.area), when(e.meta.recorded_at)
    rows.put(
        SEASONS,
        {
            "id": id,
            "area": area,
            "programme": e.programme,
            "year": e.year,
            "disaster": text_of(e.disaster) if e.disaster else None,
            "exercise": e.exercise,
            "name_zh": e.terms.zh,
            "name_en": e.terms.en,
            "steps": as_json(e.terms.steps),
            "first_notice_days": e.terms.first_notice_days,
            "second_notice_days": e.terms.second_notice_days,
            "standards_version": e.standards.version,
            "standards_document_no": e.standards.document_no,
            "assess_by": e.assess_by.isoformat() if e.assess_by else None,
            "deliver_by": e.deliver_by.isoformat() if e.deliver_by else None,
            "unconfirmed": e.standards.unconfirmed,
            "in_parts": e.terms.in_parts,
            "opened_at": since,
            "opened_by": text_of(e.meta.actor),
        },
    )
    _terms(rows, id, area, e.terms, since)


def standard_changed(rows: Rows, at: int, e: Season.StandardChanged) -> None:
    row = rows.change(
        SEASONS,
        text_of(e.originator_id),
        steps=as_json(e.terms.steps),
        first_notice_days=e.terms.first_notice_days,
        second_notice_days=e.terms.second_notice_days,
        standards_version=e.standards.version,
        standards_document_no=e.standards.document_no,
        unconfirmed=e.standards.unconfirmed,
        in_parts=e.terms.in_parts,
        deliver_by=e.deliver_by.isoformat() if e.deliver_by else None,
    )
    _terms(rows, row["id"], row["area"], e.terms, when(e.meta.recorded_at))


def closed(rows: Rows, at: int, e: Season.Closed) -> None:
    rows.change(SEASONS, text_of(e.originator_id), closed_at=when(e.meta.recorded_at))


def _seasons(scope: Scope) -> Select[Any]:
    """Seasons of these areas, and of those above, which run here too."""
    return (
        select(
            SEASONS,
            AREAS.c.name.label("area_name"),
            DISASTERS.c.name.label("disaster_name"),
        )
        .outerjoin(AREAS, AREAS.c.id == SEASONS.c.area)
        .outerjoin(DISASTERS, DISASTERS.c.id == SEASONS.c.disaster)
        .where(scope.reaches(SEASONS.c.area))
    )


def seasons(
    db: Connection,
    scope: Scope,
    *,
    programme: str | None = None,
    year: int | None = None,
    search: str | None = None,
    meant: Meant | None = None,
    exercise: bool = False,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """Relief seasons that run in these areas, the newest first. ``search``: the programme (name,
    pinyin or initials), the year, the area, the document of the standards."""
    query = _seasons(scope).where(SEASONS.c.exercise.is_(exercise))
    if programme is not None:
        query = query.where(SEASONS.c.programme == programme)
    if year is not None:
        query = query.where(SEASONS.c.year == year)
    if search:
        s = SEASONS.c
        names = names_in(query, s.name_zh, s.name_en, s.standards_document_no, AREAS.c.name)
        kinds = [s.programme.in_]
        query = query.where(looked_for(db, search, names, years=[s.year], keys=kinds, meant=meant))
    order: list[Any] = [SEASONS.c.year, SEASONS.c.programme, SEASONS.c.id]
    found = page(db, query, order, cursor=cursor, limit=limit, descending=True)
    return found.of(_with_rates(db, scope, found.items))


def season(db: Connection, scope: Scope, *, season: UUID) -> dict[str, Any] | None:
    """One season that runs in these areas, with its rates."""
    query = _seasons(scope).where(SEASONS.c.id == str(season))
    found = db.execute(query).mappings().first()
    return _with_rates(db, scope, [dict(found)])[0] if found is not None else None


def _with_rates(db: Connection, scope: Scope, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each season with all its rates, each since when; the last is in force."""
    r = SEASON_RATES.c
    ids = [row["id"] for row in found]
    query = select(SEASON_RATES).where(r.season.in_(ids), scope.reaches(r.area))
    rates: dict[str, list[dict[str, Any]]] = {id: [] for id in ids}
    for row in db.execute(query.order_by(r.since, r.rate)).mappings():
        rates[row["season"]].append(dict(row))
    return [{**row, "steps": json.loads(row["steps"]), "rates": rates[row["id"]]} for row in found]


VIEW = View(
    name="seasons",
    version=3,
    tables=(SEASONS, SEASON_RATES),
    routes={
        Season.Opened: opened,
        Season.StandardChanged: standard_changed,
        Season.Closed: closed,
    },
    ignored={
        Season.ListOpened: "the list's own Opened tells it",
        Season.ListClosed: "the list's own Closed tells it",
    },
)
