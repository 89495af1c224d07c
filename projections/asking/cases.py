"""Asked before a command is decided that must be told: the relief cases of a household, who may be
in post in an area, and which villages have no list in a season."""

from uuid import UUID

from sqlalchemy import Connection, select, union

from domain.area import AreaLevel
from projections.areas import AREAS
from projections.asking.report_sums import reported
from projections.asking.scope import Scope
from projections.asking.work_sources import said
from projections.ledger import LEDGER
from projections.lists import LISTS
from projections.officers import APPOINTMENTS, SUBSTITUTIONS
from projections.seasons import SEASONS


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


def unlisted_in(db: Connection, season: UUID) -> tuple[UUID, ...]:
    """The living villages in which a season runs and no list of it was ever opened, by code. Of one
    that is run for a disaster, those that reported it: what happened in the others nobody knows."""
    s = SEASONS.c
    found = db.execute(select(s.area, s.disaster).where(s.id == str(season))).first()
    if found is None:
        return ()
    village = AREAS.c.id
    listed = select(LISTS.c.area).where(LISTS.c.season == str(season))
    query = select(village).where(
        AREAS.c.level == str(AreaLevel.VILLAGE),
        AREAS.c.abolished_on.is_(None),
        Scope((UUID(found.area),)).on(db).covers(village),
        village.not_in(listed),
    )
    if found.disaster is not None:
        query = query.where(reported(AREAS, said(found.disaster)))
    return tuple(UUID(id) for (id,) in db.execute(query.order_by(AREAS.c.code)))
