"""Names for the record of who read what: officers of an area, and households by their masks."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Connection, select

from projections.asking.scope import Scope
from projections.folding.base import Row
from projections.households import HOUSEHOLDS
from projections.officers import OFFICERS


def readers(db: Connection, scope: Scope, ids: Iterable[UUID]) -> dict[UUID, Row]:
    """Of these officers those employed in the scope: ``actor`` and ``actor_name`` (masked)."""
    wanted = sorted({str(id) for id in ids})
    query = select(OFFICERS.c.id, OFFICERS.c.masked_name).where(
        OFFICERS.c.id.in_(wanted), scope.covers(OFFICERS.c.area)
    )
    rows = db.execute(query).all() if wanted else []
    return {UUID(id): {"actor": id, "actor_name": name} for id, name in rows}


def heads(db: Connection, scope: Scope, ids: Iterable[UUID]) -> dict[UUID, str | None]:
    """Of these households those that lie in the scope, by the masked name of their head."""
    wanted = sorted({str(id) for id in ids})
    query = select(HOUSEHOLDS.c.id, HOUSEHOLDS.c.head_masked).where(
        HOUSEHOLDS.c.id.in_(wanted), scope.covers(HOUSEHOLDS.c.area)
    )
    rows = db.execute(query).all() if wanted else []
    return {UUID(id): head for id, head in rows}
