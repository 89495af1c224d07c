"""The ledger's questions: its rows, one case, totals for a county, roll-up by area (应急统表10)."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    and_,
    case,
    exists,
    func,
    null,
    select,
)
from sqlalchemy.sql.selectable import FromClause

from projections.areas import AREAS
from projections.asking.case_states import HELD, PARTS_LEFT, STATE, STATES
from projections.asking.members import members_of
from projections.asking.paging import Page, page
from projections.asking.scope import Scope
from projections.asking.searching import Names, found_page, in_places, like, nobody, village_page
from projections.households import (
    GROUP_NAME,
    HOUSEHOLDS,
    TOWNSHIPS,
    by_village,
    households_of,
    in_villages,
    named_group,
)
from projections.ledger import GRANTS, LEDGER
from projections.seasons import SEASONS

L, G, H, S = LEDGER.c, GRANTS.c, HOUSEHOLDS.c, SEASONS.c
COLD_SEASON = "winter_spring"


def _cases(scope: Scope) -> Select[Any]:
    """Cases with their household (masked), village, township and season."""
    form = case(
        (and_(L.cash_paid_fen > 0, L.goods_signed_fen > 0), "cash_and_goods"),
        (L.cash_paid_fen > 0, "cash"),
        (L.goods_signed_fen > 0, "goods"),
    )
    query = (
        select(
            LEDGER,
            H.head,
            H.head_masked,
            H.category,
            H.size,
            GROUP_NAME.label("village_group"),
            H.contested,
            H.card_masked,
            H.bank,
            AREAS.c.code.label("village_code"),
            AREAS.c.name.label("village_name"),
            TOWNSHIPS.c.id.label("township"),
            TOWNSHIPS.c.name.label("township_name"),
            S.programme,
            S.year,
            form.label("form"),
            STATE,
            PARTS_LEFT,
        )
        .join(SEASONS, S.id == L.season)
        .outerjoin(HOUSEHOLDS, H.id == L.household)
        .where(scope.covers(L.area))
    )
    return in_villages(named_group(query), scope, L.area)


JSON_COLUMNS = ("kinds", "goods_granted", "goods_signed", "grant_documents")


def _shaped(row: Any) -> dict[str, Any]:
    found = dict(row)
    for name in JSON_COLUMNS:
        found[name] = json.loads(found[name])
    return found


def _seasonal(
    season: UUID | None, programme: str | None, year: int | None, exercise: bool | None
) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if season is not None:
        found.append(L.season == str(season))
    elif exercise is not None:
        found.append(L.exercise.is_(exercise))
    if programme is not None:
        found.append(S.programme == programme)
    if year is not None:
        found.append(S.year == year)
    return found


def ledger(
    db: Connection,
    scope: Scope,
    *,
    season: UUID | None = None,
    programme: str | None = None,
    year: int | None = None,
    status: str | None = None,
    category: str | None = None,
    village_list: UUID | None = None,
    search: str | None = None,
    names: Names | None = None,
    exercise: bool = False,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """The ledger, one row a household a season, by village.

    ``status``: a stage of the case, or needed, granted, delivered (all of it), partly, waiting,
    failed, unsigned (goods), held (after a loss). A named season or list is an exercise or in
    earnest by itself, and ``exercise`` says nothing then. ``search``: a name (also pinyin or
    initials), a village, a township, a group, a document number.
    """
    scope = scope.on(db)
    by_village_only = not search and village_list is None
    named = season is not None or village_list is not None
    query = _cases(scope.by_rows if by_village_only else scope).where(
        *_seasonal(season, programme, year, None if named else exercise)
    )
    if status is not None:
        query = query.where(STATES.get(status, L.status == status))
    if category is not None:
        query = query.where(H.category == category)
    if village_list is not None:
        query = query.where(L.village_list == str(village_list))
    order = by_village(scope, L.id)
    query = query.add_columns(order[0])
    if by_village_only:
        found = village_page(db, scope, query, order, area=L.area, cursor=cursor, limit=limit)
    elif not search:
        found = page(db, query, order, cursor=cursor, limit=limit)
    else:
        texts = (H.head_masked, GROUP_NAME, L.document_no, L.grant_documents)
        found = found_page(
            db,
            scope,
            query,
            order,
            names=names or nobody,
            household=L.household,
            area=L.area,
            lives=H.area,
            also=[*like(search, *texts), in_places(search, L.area)],
            exercise=None if named else exercise,
            cursor=cursor,
            limit=limit,
        )
    return found.of([_shaped(row) for row in found.items])


def waiting_cases(
    db: Connection,
    scope: Scope,
    *,
    village_list: UUID,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """The cases of a list of which something has not gone out, first those that the county decides
    upon."""
    last = case((HELD, 0), else_=1).label("held_first")
    query = _cases(scope).add_columns(last)
    query = query.where(L.village_list == str(village_list), STATES["waiting"])
    found = page(db, query, [last, L.id], cursor=cursor, limit=limit)
    return found.of([_shaped(row) for row in found.items])


def relief_case(db: Connection, scope: Scope, *, case: UUID) -> dict[str, Any] | None:
    """One case with its steps, its household's members (masked) and its numbered grants."""
    found = db.execute(_cases(scope).where(L.id == str(case))).mappings().first()
    if found is None:
        return None
    return {
        **_shaped(found),
        "members": members_of(db, scope, found["household"]),
        "grant_lines": grants_of(db, scope, G.relief_case == str(case)),
    }


def grants_of(db: Connection, scope: Scope, which: ColumnElement[bool]) -> list[dict[str, Any]]:
    """Numbered grants in full."""
    query = (
        select(GRANTS)
        .where(which, scope.covers(G.area))
        .order_by(G.granted_at, G.relief_case, G.number)
    )
    found = [dict(row) for row in db.execute(query).mappings()]
    for row in found:
        row["lots"] = json.loads(row["lots"])
    return found


def household(db: Connection, scope: Scope, *, household: UUID) -> dict[str, Any] | None:
    """One household: members (masked), its cases over the seasons, its grants."""
    id = str(household)
    found = db.execute(households_of(scope).where(H.id == id)).mappings().first()
    if found is None:
        return None
    cases = _cases(scope).where(L.household == id).order_by(L.applied_at.desc(), L.id)
    rows = [_shaped(row) for row in db.execute(cases).mappings()]
    ids = [row["id"] for row in rows]
    return {
        **found,
        "members": members_of(db, scope, id),
        "cases": rows,
        "grants": grants_of(db, scope, G.relief_case.in_(ids)) if ids else [],
    }


# Totals


def _sums() -> list[Any]:
    granted, got = L.grants > 0, L.delivered > 0
    return [
        func.count().label("needed_households"),
        func.coalesce(func.sum(L.persons), 0).label("needed_persons"),
        func.coalesce(func.sum(case((granted, 1), else_=0)), 0).label("granted_households"),
        func.coalesce(func.sum(case((granted, L.persons), else_=0)), 0).label("granted_persons"),
        func.coalesce(func.sum(L.cash_granted_fen), 0).label("granted_cash_fen"),
        func.coalesce(func.sum(L.goods_granted_fen), 0).label("granted_goods_fen"),
        func.coalesce(func.sum(case((got, 1), else_=0)), 0).label("paid_households"),
        func.coalesce(func.sum(case((got, L.persons), else_=0)), 0).label("paid_persons"),
        func.coalesce(func.sum(L.cash_paid_fen), 0).label("paid_cash_fen"),
        func.coalesce(func.sum(L.goods_signed_fen), 0).label("paid_goods_fen"),
    ]


def _side(row: Any, side: str, goods: dict[str, int]) -> dict[str, Any]:
    return {
        "households": row[f"{side}_households"],
        "persons": row[f"{side}_persons"],
        "cash_fen": row[f"{side}_cash_fen"],
        "goods_fen": row[f"{side}_goods_fen"],
        "goods": goods,
    }


@dataclass(frozen=True)
class _Summed:
    """Which cases and grants are added up: first by season and village, so that season and village
    are looked up once for each of these and not for each row."""

    places: tuple[Scope, ...]
    season: UUID | None
    asked: tuple[ColumnElement[bool], ...]
    """What the season is asked for."""

    def each(
        self, table: FromClause, condition: ColumnElement[bool], sums: list[Any], *by: Any
    ) -> Subquery:
        """Sums over the rows of the ledger or of its grants, by season, village and ``by``."""
        columns = (table.c.season, table.c.area, *by)
        query = select(*columns, *sums).where(
            condition, *(p.covers(table.c.area) for p in self.places)
        )
        if self.season is not None:
            query = query.where(table.c.season == str(self.season))
        return query.group_by(*columns).subquery("each")

    def of_season(self, each: Subquery) -> ColumnElement[bool]:
        """Whether a sum is of a season that is asked for."""
        return exists().where(S.id == each.c.season, *self.asked)


def _summed(
    scope: Scope,
    season: UUID | None,
    programme: str,
    year: int | None,
    exercise: bool,
    county: UUID | None = None,
) -> _Summed:
    """``season`` goes before programme and exercise. A case is of an exercise if its season is."""
    asked = [] if season is not None else [S.programme == programme, S.exercise.is_(exercise)]
    if year is not None:
        asked.append(S.year == year)
    places: tuple[Scope, ...] = (scope,)
    if county is not None and scope.roots != (county,):
        places = (scope, Scope((county,)))
    return _Summed(places, season, tuple(asked))


def _goods(
    db: Connection, summed: _Summed, level: str | None = None
) -> dict[Any, tuple[dict[str, int], dict[str, int]]]:
    """Item → units, granted and signed for, by township or village or all together."""
    standing = func.sum(case((G.status != "void", G.units), else_=0)).label("granted")
    signed = case((G.status == "signed", G.units - G.returned_units), else_=0)
    got = func.sum(signed).label("got")
    each = summed.each(GRANTS, G.item != "", [standing, got], G.item)
    place = {"village": each.c.area, "township": AREAS.c.parent}.get(level or "", null())
    query = (
        select(place, each.c.item, func.sum(each.c.granted), func.sum(each.c.got))
        .select_from(each.outerjoin(AREAS, AREAS.c.id == each.c.area))
        .where(summed.of_season(each))
        .group_by(each.c.item, *(() if level is None else (place,)))
        .order_by(each.c.item)
    )
    found: dict[Any, tuple[dict[str, int], dict[str, int]]] = {}
    for at, item, granted, signed_for in db.execute(query):
        both = found.setdefault(at, ({}, {}))
        for units, side in ((granted, both[0]), (signed_for, both[1])):
            if units:
                side[item] = units
    return found


def ledger_totals(
    db: Connection,
    scope: Scope,
    *,
    county: UUID | None = None,
    season: UUID | None = None,
    programme: str = COLD_SEASON,
    year: int | None = None,
    exercise: bool = False,
) -> dict[str, Any] | None:
    """Totals of a season: what was needed, what was granted, what was paid or signed for.

    ``county`` (any area) narrows it down; None if that area lies outside the scope.
    """
    scope = scope.on(db)
    if county is not None:
        here = select(AREAS.c.id).where(AREAS.c.id == str(county), scope.covers(AREAS.c.id))
        if db.execute(here).first() is None:
            return None
    summed = _summed(scope, season, programme, year, exercise, county)
    each = summed.each(LEDGER, L.status != "refused", _sums())
    added = [func.coalesce(one, 0).label(one.name) for one in _added(each)]
    row = db.execute(select(*added).where(summed.of_season(each))).mappings().one()
    granted, signed = _goods(db, summed).get(None, ({}, {}))
    return {
        "needed": {"households": row["needed_households"], "persons": row["needed_persons"]},
        "granted": _side(row, "granted", granted),
        "paid_or_signed": _side(row, "paid", signed),
    }


def _added(each: Subquery) -> list[Any]:
    """The sums of sums."""
    names = [one.name for one in _sums()]
    return [func.sum(each.c[name]).label(name) for name in names]


def ledger_by_area(
    db: Connection,
    scope: Scope,
    *,
    season: UUID | None = None,
    programme: str = COLD_SEASON,
    year: int | None = None,
    level: str = "township",
    exercise: bool = False,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """The same totals by township, or by village with ``level=village``."""
    summed = _summed(scope.on(db), season, programme, year, exercise)
    each = summed.each(LEDGER, L.status != "refused", _sums())
    places = TOWNSHIPS if level == "township" else AREAS
    query = (
        select(places.c.code, places.c.id, places.c.name, *_added(each))
        .select_from(each)
        .join(AREAS, AREAS.c.id == each.c.area)
        .join(TOWNSHIPS, TOWNSHIPS.c.id == AREAS.c.parent)
        .where(summed.of_season(each))
        .group_by(places.c.code, places.c.id, places.c.name)
    )
    found = page(db, query, [places.c.code, places.c.id], cursor=cursor, limit=limit)
    goods = _goods(db, summed, "township" if level == "township" else "village")
    return found.of([_rolled(row, goods.get(row["id"], ({}, {}))) for row in found.items])


def _rolled(row: Any, goods: tuple[dict[str, int], dict[str, int]]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "code": row["code"],
        "name": row["name"],
        "needed": {"households": row["needed_households"], "persons": row["needed_persons"]},
        "granted": _side(row, "granted", goods[0]),
        "paid_or_signed": _side(row, "paid", goods[1]),
    }
