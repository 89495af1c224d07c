"""Areas found by what somebody types: a code, or a part of a name."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, or_, select

from projections.areas import AREAS
from projections.asking.scope import Scope

MOST = 30


@dataclass(frozen=True, slots=True)
class FoundPlace:
    """``above``: the name of the area right above, to tell namesakes apart; "" at the top."""

    id: UUID
    code: str
    name: str
    level: str
    above: str


def places(db: Connection, scope: Scope, text: str, most: int = MOST) -> list[FoundPlace]:
    """The living areas of a scope whose name has this in it or whose code begins so, by code.

    Nothing typed finds all of them, up to ``most``. Words with spaces between are all looked for,
    in the name or in that of the area above: ``源潭 双峰``.
    """
    above = AREAS.alias("above")
    query = (
        select(AREAS, above.c.name.label("above_name"))
        .outerjoin(above, above.c.id == AREAS.c.parent)
        .where(scope.covers(AREAS.c.id), AREAS.c.abolished_on.is_(None))
        .order_by(AREAS.c.code, AREAS.c.id)
        .limit(most)
    )
    for word in text.split():
        named = [one.contains(word, autoescape=True) for one in (AREAS.c.name, above.c.name)]
        query = query.where(or_(AREAS.c.code.startswith(word, autoescape=True), *named))
    return [
        FoundPlace(UUID(row["id"]), row["code"], row["name"], row["level"], row["above_name"] or "")
        for row in db.execute(query).mappings()
    ]
