"""What a season needed, granted and brought to households: totals, and by township or village.

``as_of`` 截至: the sums as they were at the end of a day in China, as far as is known (with
``known_at`` the two times of the ledger: what did we know on the 5th about the 3rd). Applied for by
the day of the application, granted by the day of the decision, with their present amounts; paid by
the bank's value date, handed over by the day of signing; where no day was said, by that of the
record (``by_record`` counts these).
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Subquery,
    and_,
    case,
    exists,
    func,
    null,
    select,
)
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.sql.selectable import FromClause

from domain.rules.base import china_moment
from projections.areas import AREAS
from projections.asking.paging import Page, page
from projections.asking.scope import Scope
from projections.folding.base import when
from projections.households import TOWNSHIPS
from projections.ledger import LEDGER
from projections.seasons import SEASONS
from projections.sections.grants import GRANTS, MOVES

L, G, M, S = LEDGER.c, GRANTS.c, MOVES.c, SEASONS.c
COLD_SEASON = "winter_spring"
Columns = ReadOnlyColumnCollection[str, Any]


def _sum(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.coalesce(func.sum(column), 0)


def _sums(c: Columns) -> list[Any]:
    granted, got = c.grants > 0, c.delivered > 0
    return [
        func.count().label("needed_households"),
        _sum(c.persons).label("needed_persons"),
        _sum(case((granted, 1), else_=0)).label("granted_households"),
        _sum(case((granted, c.persons), else_=0)).label("granted_persons"),
        _sum(c.cash_granted_fen).label("granted_cash_fen"),
        _sum(c.goods_granted_fen).label("granted_goods_fen"),
        _sum(case((got, 1), else_=0)).label("paid_households"),
        _sum(case((got, c.persons), else_=0)).label("paid_persons"),
        _sum(c.cash_paid_fen).label("paid_cash_fen"),
        _sum(c.goods_signed_fen).label("paid_goods_fen"),
    ]


NAMES = [one.name for one in _sums(L)]


def _side(row: Any, side: str, goods: dict[str, int]) -> dict[str, Any]:
    return {
        "households": row[f"{side}_households"],
        "persons": row[f"{side}_persons"],
        "cash_fen": row[f"{side}_cash_fen"],
        "goods_fen": row[f"{side}_goods_fen"],
        "goods": goods,
    }


def _decided(day: date) -> ColumnElement[bool]:
    """Whether a grant stands that had been decided by the end of the day."""
    return and_(G.granted_at < when(china_moment(day + timedelta(days=1))), G.status != "void")


@dataclass(frozen=True)
class _Summed:
    """Which cases and grants are added up: first by season and village, so that season and village
    are looked up once for each of these and not for each row."""

    places: tuple[Scope, ...]
    season: UUID | None
    asked: tuple[ColumnElement[bool], ...]
    """What the season is asked for."""
    as_of: date | None

    def each(
        self, table: FromClause, condition: ColumnElement[bool], sums: list[Any], *by: Any
    ) -> Subquery:
        """Sums over the rows of the ledger or of its grants, by season, village and ``by``."""
        columns = (table.c.season, table.c.area, *by)
        query = select(*columns, *sums).where(condition, *self.inside(table.c))
        return query.group_by(*columns).subquery("each")

    def inside(self, c: Columns) -> list[ColumnElement[bool]]:
        """Whether a row lies in the area and season that are asked for."""
        found = [place.covers(c.area) for place in self.places]
        return found if self.season is None else [*found, c.season == str(self.season)]

    def of_season(self, each: Subquery) -> ColumnElement[bool]:
        """Whether a sum is of a season that is asked for."""
        return exists().where(S.id == each.c.season, *self.asked)

    def cases(self) -> Subquery:
        """Sums of cases, `NAMES`, by season and village."""
        table: FromClause = LEDGER if self.as_of is None else self._cases_on(self.as_of)
        return self.each(table, table.c.status != "refused", _sums(table.c))

    def goods(self) -> Subquery:
        """Units of goods granted and signed for, by season, village and item."""
        if self.as_of is not None:
            units = self._goods_on(self.as_of)
            sums = [func.sum(units.c.granted).label("granted"), func.sum(units.c.got).label("got")]
            return self.each(units, units.c.item != "", sums, units.c.item)
        standing = func.sum(case((G.status != "void", G.units), else_=0)).label("granted")
        signed = case((G.status == "signed", G.units - G.returned_units), else_=0)
        return self.each(GRANTS, G.item != "", [standing, func.sum(signed).label("got")], G.item)

    def _moved_by(self, day: date, *by: ColumnElement[Any]) -> Subquery:
        """What was with the households at the end of the day, by case, or by case and grant."""
        sums = [
            _sum(one).label(one.name) for one in (M.delivered, M.cash_fen, M.goods_fen, M.units)
        ]
        of_grant = and_(G.relief_case == M.relief_case, G.number == M.number)
        query = select(*by, *sums).join(GRANTS, of_grant).where(*self.inside(G))
        query = query.where(M.moved_on <= day.isoformat())
        return query.group_by(*by).subquery("moved")

    def _cases_on(self, day: date) -> Subquery:
        """The cases of the ledger with the sums of that day."""
        cash = case((G.item == "", G.value_fen), else_=0)
        goods = case((G.item != "", G.value_fen), else_=0)
        granted = (
            select(
                G.relief_case,
                func.count().label("grants"),
                func.sum(cash).label("cash"),
                func.sum(goods).label("goods"),
            )
            .where(_decided(day), *self.inside(G))
            .group_by(G.relief_case)
            .subquery("granted")
        )
        moved = self._moved_by(day, M.relief_case)
        return (
            select(
                L.season,
                L.area,
                L.status,
                L.persons,
                func.coalesce(granted.c.grants, 0).label("grants"),
                func.coalesce(granted.c.cash, 0).label("cash_granted_fen"),
                func.coalesce(granted.c.goods, 0).label("goods_granted_fen"),
                func.coalesce(moved.c.delivered, 0).label("delivered"),
                func.coalesce(moved.c.cash_fen, 0).label("cash_paid_fen"),
                func.coalesce(moved.c.goods_fen, 0).label("goods_signed_fen"),
            )
            .outerjoin(granted, granted.c.relief_case == L.id)
            .outerjoin(moved, moved.c.relief_case == L.id)
            .where(L.applied_on <= day.isoformat(), *self.inside(L))
            .subquery("cases")
        )

    def _goods_on(self, day: date) -> Subquery:
        moved = self._moved_by(day, M.relief_case, M.number)
        same = and_(moved.c.relief_case == G.relief_case, moved.c.number == G.number)
        return (
            select(
                G.season,
                G.area,
                G.item,
                case((_decided(day), G.units), else_=0).label("granted"),
                func.coalesce(moved.c.units, 0).label("got"),
            )
            .outerjoin(moved, same)
            .where(*self.inside(G))
            .subquery("goods")
        )


def _summed(
    scope: Scope,
    season: UUID | None,
    programme: str,
    year: int | None,
    exercise: bool,
    as_of: date | None,
    county: UUID | None = None,
) -> _Summed:
    """``season`` goes before programme and exercise. A case is of an exercise if its season is."""
    asked = [] if season is not None else [S.programme == programme, S.exercise.is_(exercise)]
    if year is not None:
        asked.append(S.year == year)
    places: tuple[Scope, ...] = (scope,)
    if county is not None and scope.roots != (county,):
        places = (scope, Scope((county,)))
    return _Summed(places, season, tuple(asked), as_of)


def _goods(
    db: Connection, summed: _Summed, level: str | None = None
) -> dict[Any, tuple[dict[str, int], dict[str, int]]]:
    """Item → units, granted and signed for, by township or village or all together."""
    each = summed.goods()
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
    as_of: date | None = None,
    exercise: bool = False,
) -> dict[str, Any] | None:
    """Totals of a season: what was needed, what was granted, what was paid or signed for.

    ``county`` (any area) narrows it down; None if that area lies outside the scope. ``as_of``: at
    the end of that day; then ``by_record`` says of how many payments and signatures in it the day
    is that of the record, for nobody said another.
    """
    scope = scope.on(db)
    if county is not None:
        here = select(AREAS.c.id).where(AREAS.c.id == str(county), scope.covers(AREAS.c.id))
        if db.execute(here).first() is None:
            return None
    summed = _summed(scope, season, programme, year, exercise, as_of, county)
    each = summed.cases()
    added = [func.coalesce(one, 0).label(one.name) for one in _added(each)]
    row = db.execute(select(*added).where(summed.of_season(each))).mappings().one()
    granted, signed = _goods(db, summed).get(None, ({}, {}))
    found: dict[str, Any] = {
        "needed": {"households": row["needed_households"], "persons": row["needed_persons"]},
        "granted": _side(row, "granted", granted),
        "paid_or_signed": _side(row, "paid", signed),
    }
    if as_of is not None:
        found |= {"as_of": as_of.isoformat(), "by_record": _by_record(db, summed, as_of)}
    return found


def _by_record(db: Connection, summed: _Summed, day: date) -> int:
    """How many of the grants that were there on the day are dated by their record."""
    dated = and_(G.delivered_on <= day.isoformat(), G.day_said.is_(False))
    each = summed.each(GRANTS, dated, [func.count().label("grants")])
    query = select(_sum(each.c.grants)).where(summed.of_season(each))
    return int(db.execute(query).scalar_one())


def _added(each: Subquery) -> list[Any]:
    """The sums of sums."""
    return [func.sum(each.c[name]).label(name) for name in NAMES]


def ledger_by_area(
    db: Connection,
    scope: Scope,
    *,
    season: UUID | None = None,
    programme: str = COLD_SEASON,
    year: int | None = None,
    level: str = "township",
    as_of: date | None = None,
    exercise: bool = False,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """The same totals by township, or by village with ``level=village``."""
    summed = _summed(scope.on(db), season, programme, year, exercise, as_of)
    each = summed.cases()
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
