"""What things are called, for sentences: names by id, only of what the reader may see."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select

from domain.telling import INCIDENT_KINDS, Names, moment
from projections.areas import AREAS
from projections.asking.scope import Scope
from projections.disasters import DISASTERS
from projections.dispatch import INCIDENTS
from projections.funds import FUNDS
from projections.households import ERASED, HOUSEHOLDS, MEMBERS
from projections.ledger import LEDGER
from projections.lists import LISTS
from projections.officers import OFFICERS
from projections.seasons import SEASONS
from projections.sections.consignments import CARGO, CONSIGNMENTS
from projections.sections.units import UNITS
from projections.situation import REPORTS
from projections.stock import STOCK_BALANCES as STOCKS
from projections.stock import STOCK_LOTS

MOST = 50
"""Ids in one sentence."""


def names(db: Connection, scope: Scope, *, ids: Collection[UUID]) -> Names:
    """The names, Chinese and English, of those of these things that are known and within reach: an
    area's, a disaster's, a season's and a unit's own, the document number of a fund or a lot, an
    officer's and a person's mask; a household's and a case's is the head's mask, that of a report,
    a village list, a stockpile or a consignment is that of their area. An incident has kind, place
    and time."""
    wanted = [str(id) for id in list(ids)[:MOST]]
    questions = [
        select(AREAS.c.id, AREAS.c.name).where(AREAS.c.id.in_(wanted)),
        *(
            select(key, label).where(key.in_(wanted), scope.covers(key.table.c.area))
            for key, label in (
                (DISASTERS.c.id, DISASTERS.c.name),
                (UNITS.c.id, UNITS.c.name),
                (FUNDS.c.id, FUNDS.c.document_no),
                (STOCK_LOTS.c.lot, STOCK_LOTS.c.document_no),
                (CARGO.c.lot, CARGO.c.document_no),
                (OFFICERS.c.id, OFFICERS.c.masked_name),
            )
        ),
        select(MEMBERS.c.person, MEMBERS.c.masked)
        .join(HOUSEHOLDS, HOUSEHOLDS.c.id == MEMBERS.c.household)
        .where(MEMBERS.c.person.in_(wanted), scope.covers(HOUSEHOLDS.c.area))
        .where(MEMBERS.c.person.not_in(select(ERASED.c.person))),
        *(
            select(key, AREAS.c.name)
            .join(AREAS, AREAS.c.id == key.table.c.area)
            .where(key.in_(wanted), scope.covers(key.table.c.area))
            for key in (REPORTS.c.report, LISTS.c.id, STOCKS.c.stockpile, CONSIGNMENTS.c.id)
        ),
        select(HOUSEHOLDS.c.id, MEMBERS.c.masked)
        .join(MEMBERS, MEMBERS.c.household == HOUSEHOLDS.c.id)
        .where(MEMBERS.c.person == HOUSEHOLDS.c.head)
        .where(HOUSEHOLDS.c.id.in_(wanted), scope.covers(HOUSEHOLDS.c.area)),
        select(LEDGER.c.id, HOUSEHOLDS.c.head_masked)
        .join(HOUSEHOLDS, HOUSEHOLDS.c.id == LEDGER.c.household)
        .where(LEDGER.c.id.in_(wanted), scope.covers(LEDGER.c.area)),
    ]
    found = {id: (name, name) for question in questions for id, name in db.execute(question)}
    found |= _incidents(db, scope, wanted) | _seasons(db, scope, wanted)
    return {UUID(id): found[id] for id in sorted(found) if found[id][0]}


def _incidents(db: Connection, scope: Scope, wanted: list[str]) -> dict[str, tuple[str, str]]:
    """房屋倒塌（源潭村，2018年7月4日 11:00）: nobody names an incident otherwise."""
    i = INCIDENTS.c
    query = (
        select(i.id, i.kind, i.occurred_at, AREAS.c.name)
        .join(AREAS, AREAS.c.id == i.area)
        .where(i.id.in_(wanted), scope.covers(i.area))
    )
    found = {}
    for id, kind, occurred_at, area in db.execute(query):
        at, said = datetime.fromisoformat(occurred_at), INCIDENT_KINDS.get(kind, (kind, kind))
        found[id] = (
            f"{said[0]}（{area}，{moment(at, 'zh')}）",
            f"“{said[1]}” ({area}, {moment(at, 'en')})",
        )
    return found


def _seasons(db: Connection, scope: Scope, wanted: list[str]) -> dict[str, tuple[str, str]]:
    s = SEASONS.c
    query = select(s.id, s.year, s.name_zh, s.name_en)
    found = db.execute(query.where(s.id.in_(wanted), scope.reaches(s.area)))
    return {id: (f"{year}年{zh}", f"{en} {year}") for id, year, zh, en in found}
