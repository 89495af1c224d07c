"""The relief cases of a household: asked before a command that must name them is decided."""

from uuid import UUID

from sqlalchemy import Connection, select

from projections.ledger import LEDGER


def cases_of(db: Connection, household: UUID) -> tuple[UUID, ...]:
    """All of them, open or not, wherever they lie: which of them count, the command decides."""
    found = db.execute(select(LEDGER.c.id).where(LEDGER.c.household == str(household)))
    return tuple(UUID(id) for (id,) in found)
