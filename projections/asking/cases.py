"""Asked before a command is decided that must be told: the relief cases of a household, and who may
be in post in an area."""

from uuid import UUID

from sqlalchemy import Connection, select, union

from projections.ledger import LEDGER
from projections.officers import APPOINTMENTS, SUBSTITUTIONS


def cases_of(db: Connection, household: UUID) -> tuple[UUID, ...]:
    """All of them, open or not, wherever they lie: which of them count, the command decides."""
    found = db.execute(select(LEDGER.c.id).where(LEDGER.c.household == str(household)))
    return tuple(UUID(id) for (id,) in found)


def officers_in(db: Connection, area: UUID) -> tuple[UUID, ...]:
    """Whoever ever had a post there, and whoever stood in for them: who of them is in post now, the
    command decides."""
    here = select(APPOINTMENTS.c.officer).where(APPOINTMENTS.c.area == str(area))
    for_them = select(SUBSTITUTIONS.c.substitute).where(SUBSTITUTIONS.c.officer.in_(here))
    return tuple(sorted(UUID(id) for (id,) in db.execute(union(here, for_them))))
