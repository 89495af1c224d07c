"""Pages village by village; of a search by name each asked of the vault's index of names.

The index knows who is called what and where; the view knows what may be shown of it. A page takes
villages in the order of the list until it is full, so that nothing is cut before jurisdiction is
applied, however many people of one name there are, and the last page ends with the last of them.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, or_, select

from eventstore.names import Hit
from projections.areas import AREAS
from projections.asking.paging import Page, allowed, backwards, between, beyond, page, values_of
from projections.asking.scope import Scope

Names = Callable[..., list[Hit]]
"""``names(villages, exercise=…)``: the members there whose name fits what is searched for, in
earnest or in drills (None: in both)."""

SHOWN_VILLAGES = 2
"""So many villages are read first for a page of all that is there: a village has some dozens."""
FIRST_VILLAGES = 8
"""So many are asked first for a name."""
WIDER = 4
"""Each run of villages is so many times as long as the one before, while the page is not full."""
IDS_A_QUESTION = 5_000
VILLAGE = "village"


def nobody(villages: Sequence[UUID], *, exercise: bool | None) -> list[Hit]:
    """`Names` of a question that is asked without the index."""
    del villages, exercise
    return []


def like(search: str, *texts: Any) -> list[ColumnElement[bool]]:
    """That one of these texts holds what is searched for, as it was typed."""
    wanted = "%" + "".join(f"\\{c}" if c in "\\%_" else c for c in search.strip()) + "%"
    return [text.ilike(wanted, escape="\\") for text in texts]


Ask = Callable[[list[UUID], Select[Any], int, bool], list[Any]]
"""``ask(villages, query, limit, back)``: the rows of these villages in order (``back``: in the
reverse one), one more than ``limit`` at most."""


def in_places(search: str, area: Any) -> ColumnElement[bool]:
    """That a row lies in a village whose name, or whose township's, holds what is searched for:
    the villages are found once, and not named for each row."""
    village, township = AREAS.alias("named"), AREAS.alias("named_above")
    named = select(village.c.id).outerjoin(township, township.c.id == village.c.parent)
    found: ColumnElement[bool] = area.in_(
        named.where(or_(*like(search, village.c.name, township.c.name)))
    )
    return found


def village_page(
    db: Connection,
    scope: Scope,
    query: Select[Any],
    order: Sequence[ColumnElement[Any]],
    *,
    area: Any,
    cursor: str | None,
    limit: int,
) -> Page:
    """A page of ``query``, which begins its order with the village's code: of a county's villages
    no more are read than fill it, whatever plan a database would make for all of them. The whole
    store has rows of no known village too, and is read at once."""
    if scope.roots is None:
        return page(db, query, order, cursor=cursor, limit=limit)

    def ask(villages: list[UUID], some: Select[Any], limit: int, back: bool) -> list[Any]:
        del villages
        ordered = [c.desc() for c in order] if back else order
        return list(db.execute(some.order_by(*ordered).limit(limit + 1)).mappings())

    return _by_runs(
        db,
        scope,
        query,
        order,
        ask,
        first=SHOWN_VILLAGES,
        area=area,
        cursor=cursor,
        limit=limit,
    )


def found_page(
    db: Connection,
    scope: Scope,
    query: Select[Any],
    order: Sequence[ColumnElement[Any]],
    *,
    names: Names,
    household: Any,
    area: Any,
    also: Sequence[ColumnElement[bool]],
    exercise: bool | None,
    cursor: str | None,
    limit: int,
    lives: Any = None,
) -> Page:
    """A page of ``query`` where its household has a member of the name, or ``also`` holds.

    ``order`` begins with the village's code. ``household`` and ``area`` are the query's columns;
    ``lives`` is where the household lives now, if a row may stay where it lived before.
    """

    def ask(villages: list[UUID], some: Select[Any], limit: int, back: bool) -> list[Any]:
        if lives is not None:
            moved = some.with_only_columns(lives).where(lives != area).distinct()
            villages = [*villages, *(UUID(village) for village in db.scalars(moved))]
        ids = sorted({hit.household for hit in names(villages, exercise=exercise)})
        return _matching(db, some, order, household, ids, also, limit, back=back)

    return _by_runs(
        db,
        scope,
        query,
        order,
        ask,
        first=FIRST_VILLAGES,
        area=area,
        cursor=cursor,
        limit=limit,
    )


def _by_runs(
    db: Connection,
    scope: Scope,
    query: Select[Any],
    order: Sequence[ColumnElement[Any]],
    ask: Ask,
    *,
    first: int,
    area: Any,
    cursor: str | None,
    limit: int,
) -> Page:
    """What is asked of the scope's villages, ``first`` so many and then ever more at a time, until
    a page is full."""
    limit = allowed(limit)
    back, cursor = backwards(cursor)
    code = None
    if cursor is not None:
        code = str(values_of(cursor, order)[0].value)
        query = query.where(beyond(cursor, order, descending=back))
    found: list[Any] = []
    for villages in _runs(db, scope, code, first, back=back):
        some = query.where(area.in_([str(village) for village in villages]))
        found += ask(villages, some, limit, back)
        if len(found) > limit:
            break
    found = found[: limit + 1]
    keys = [[row[c.name] for c in order] for row in found]
    rows = [dict(row) for row in found]
    return between(rows, keys, begun=cursor is not None, back=back, limit=limit)


def _matching(
    db: Connection,
    query: Select[Any],
    order: Sequence[ColumnElement[Any]],
    household: Any,
    ids: Sequence[UUID],
    also: Sequence[ColumnElement[bool]],
    limit: int,
    *,
    back: bool,
) -> list[Any]:
    """Rows of these villages, in order (``back``: in the reverse one), one more than a page at
    most."""
    ordered = [c.desc() for c in order] if back else order
    rows: dict[tuple[Any, ...], Any] = {}
    for start in range(0, max(len(ids), 1), IDS_A_QUESTION):
        some = household.in_([str(id) for id in ids[start : start + IDS_A_QUESTION]])
        either = or_(some, *also) if start == 0 else some
        asked = query.where(either).order_by(*ordered).limit(limit + 1)
        for row in db.execute(asked).mappings():
            rows[tuple(row[c.name] for c in order)] = row
    return [rows[key] for key in sorted(rows, reverse=back)][: limit + 1]


def _runs(
    db: Connection, scope: Scope, code: str | None, first: int, *, back: bool
) -> Iterator[list[UUID]]:
    """The villages of the scope from a code on (``back``: the other way), in ever longer runs, of
    no more than a statement takes; those of one code together."""
    query = (
        select(AREAS.c.id, AREAS.c.code)
        .where(scope.covers(AREAS.c.id), AREAS.c.level == VILLAGE)
        .order_by(AREAS.c.code.desc() if back else AREAS.c.code, AREAS.c.id)
    )
    if code is not None:
        query = query.where(AREAS.c.code <= code if back else AREAS.c.code >= code)
    villages = db.execute(query).all()
    start, size = 0, first
    while start < len(villages):
        end = min(start + size, len(villages))
        while end < len(villages) and villages[end].code == villages[end - 1].code:
            end += 1
        yield [UUID(village.id) for village in villages[start:end]]
        start, size = end, min(size * WIDER, IDS_A_QUESTION)
