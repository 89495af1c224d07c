"""Who counts or counted in a household, as pages and the ledger show it."""

from typing import Any

from sqlalchemy import Connection, case, select

from domain.household_members import Relation
from projections.asking.scope import Scope
from projections.households import ERASED, ERASED_MASK, HOUSEHOLDS, MEMBERS


def members_of(db: Connection, scope: Scope, household: str) -> list[dict[str, Any]]:
    """Who counts or counted in a household, masked, the head first."""
    gone = MEMBERS.c.person.in_(select(ERASED.c.person))
    shown = [column for column in MEMBERS.columns if column is not MEMBERS.c.masked]
    query = (
        select(*shown, case((gone, ERASED_MASK), else_=MEMBERS.c.masked).label("masked"))
        .join(HOUSEHOLDS, HOUSEHOLDS.c.id == MEMBERS.c.household)
        .where(MEMBERS.c.household == household, scope.covers(HOUSEHOLDS.c.area))
        .order_by(MEMBERS.c.relation != str(Relation.HEAD), MEMBERS.c.person)
    )
    return [dict(row) for row in db.execute(query).mappings()]
