"""The ledger's questions: its rows (应急统表10), one case, one household. Sums: `ledger_sums`."""

import json
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    select,
)

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
from projections.ledger import LEDGER
from projections.seasons import SEASONS
from projections.sections.grants import GRANTS

L, G, H, S = LEDGER.c, GRANTS.c, HOUSEHOLDS.c, SEASONS.c


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
