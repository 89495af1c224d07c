"""Which of some officers are within reach, and what they are called: for lists of who is logged in.

Sessions lie in the vault, which knows no divisions; whose they are is asked here.
"""

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, select

from projections.areas import AREAS
from projections.asking.scope import Scope
from projections.officers import OFFICERS

AT_ONCE: Final = 500


def officers_within(
    db: Connection, scope: Scope, *, ids: Collection[UUID]
) -> dict[UUID, dict[str, Any]]:
    """``masked_name``, ``area_name``, ``suspended`` of those employed in these areas or below."""
    wanted = sorted(str(id) for id in ids)
    found: dict[UUID, dict[str, Any]] = {}
    for start in range(0, len(wanted), AT_ONCE):
        some = OFFICERS.c.id.in_(wanted[start : start + AT_ONCE])
        query = (
            select(
                OFFICERS.c.id,
                OFFICERS.c.masked_name,
                OFFICERS.c.suspended,
                AREAS.c.name.label("area_name"),
            )
            .join(AREAS, AREAS.c.id == OFFICERS.c.area)
            .where(some, scope.covers(OFFICERS.c.area))
        )
        for row in db.execute(query).mappings():
            found[UUID(row["id"])] = {name: row[name] for name in row if name != "id"}
    return found
