"""Villagers' groups 村民小组 of the villages of a reader, and what they become in a merger."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, and_, func, select

from domain.village_group import VillageGroup, codes_after_merger
from projections.areas import AREAS, GROUPS
from projections.asking.paging import Page, page
from projections.asking.scope import Scope
from projections.households import HOUSEHOLDS

H = HOUSEHOLDS.c


def village_groups(
    db: Connection,
    scope: Scope,
    *,
    ended: bool | None = None,
    exercise: bool = False,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """Villagers' groups by village and sub-code, with how many households refer to each.

    ``ended``: those that are no more, or only those that are; both unless it is said. One that a
    merger passed on says to which village, ``passed_to``, and under which sub-code there.
    """
    in_it = (
        select(H.area, H.group_code, func.count().label("households"))
        .where(
            H.group_code != "",
            H.merged_into.is_(None),
            H.exercise.is_(exercise),
            scope.covers(H.area),
        )
        .group_by(H.area, H.group_code)
        .subquery()
    )
    query = (
        select(
            GROUPS,
            AREAS.c.code.label("village_code"),
            AREAS.c.name.label("village_name"),
            func.coalesce(in_it.c.households, 0).label("households"),
        )
        .join(AREAS, AREAS.c.id == GROUPS.c.village)
        .outerjoin(
            in_it, and_(in_it.c.area == GROUPS.c.village, in_it.c.group_code == GROUPS.c.code)
        )
        .where(scope.covers(GROUPS.c.village))
    )
    if ended is not None:
        query = query.where(
            GROUPS.c.ended_on.is_not(None) if ended else GROUPS.c.ended_on.is_(None)
        )
    order: list[Any] = [
        AREAS.c.code.label("village_order"),
        GROUPS.c.village,
        GROUPS.c.code,
    ]
    return page(db, query.add_columns(order[0]), order, cursor=cursor, limit=limit)


def groups_of(db: Connection, scope: Scope, village: UUID) -> list[VillageGroup]:
    """The living groups of one village, by sub-code."""
    query = (
        select(GROUPS)
        .where(GROUPS.c.village == str(village), scope.covers(GROUPS.c.village))
        .where(GROUPS.c.ended_on.is_(None))
        .order_by(GROUPS.c.code)
    )
    return [group_of_row(row) for row in db.execute(query).mappings()]


def changed_codes(
    db: Connection, scope: Scope, village: UUID, into: Sequence[UUID]
) -> dict[UUID, list[tuple[VillageGroup, str]]]:
    """By village that it may be merged into: the groups whose sub-code is taken there, with the one
    they would get; "" when none is left."""
    mine = groups_of(db, scope, village)
    query = select(GROUPS.c.village, GROUPS.c.code).where(
        GROUPS.c.village.in_([str(one) for one in into]), scope.covers(GROUPS.c.village)
    )
    used: dict[UUID, set[str]] = {one: set() for one in into}
    for there, code in db.execute(query):
        used[UUID(there)].add(code)
    found = {}
    for there, codes in used.items():
        changed = [one for one in codes_after_merger(mine, codes) if one[0].code != one[1]]
        if changed:
            found[there] = changed
    return found


def group_of_row(row: Any) -> VillageGroup:
    """The living group of a row of these lists."""
    return VillageGroup(row["code"], row["name"], date.fromisoformat(row["since"]))
