"""What things are called, for sentences: names by id, only of what the reader may see."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Connection, select

from projections.areas import AREAS
from projections.asking.scope import Scope
from projections.disasters import DISASTERS
from projections.dispatch import UNITS
from projections.funds import FUNDS
from projections.households import HOUSEHOLDS, MEMBERS
from projections.lists import LISTS
from projections.officers import OFFICERS
from projections.situation import REPORTS

MOST = 50
"""Ids in one sentence."""


def names(db: Connection, scope: Scope, *, ids: Collection[UUID]) -> dict[UUID, str]:
    """The names of those of these things that are known and within reach: an area's, a disaster's
    and a unit's own, a fund's document number, a household head's and an officer's mask; a
    report's and a village list's is that of their area."""
    wanted = [str(id) for id in list(ids)[:MOST]]
    questions = [
        select(AREAS.c.id, AREAS.c.name).where(AREAS.c.id.in_(wanted)),
        *(
            select(key, label).where(key.in_(wanted), scope.covers(key.table.c.area))
            for key, label in (
                (DISASTERS.c.id, DISASTERS.c.name),
                (UNITS.c.id, UNITS.c.name),
                (FUNDS.c.id, FUNDS.c.document_no),
                (OFFICERS.c.id, OFFICERS.c.masked_name),
            )
        ),
        *(
            select(key, AREAS.c.name)
            .join(AREAS, AREAS.c.id == key.table.c.area)
            .where(key.in_(wanted), scope.covers(key.table.c.area))
            for key in (REPORTS.c.report, LISTS.c.id)
        ),
        select(HOUSEHOLDS.c.id, MEMBERS.c.masked)
        .join(MEMBERS, MEMBERS.c.household == HOUSEHOLDS.c.id)
        .where(MEMBERS.c.person == HOUSEHOLDS.c.head)
        .where(HOUSEHOLDS.c.id.in_(wanted), scope.covers(HOUSEHOLDS.c.area)),
    ]
    found = {id: name for question in questions for id, name in db.execute(question)}
    return {UUID(id): found[id] for id in sorted(found)}
