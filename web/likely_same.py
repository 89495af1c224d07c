"""Households that may be one, entered twice: told to who registers them and may not merge them.

Who has an ID number is one person whatever is typed; who has none is another one at each entry.
So a name alone says that two may be one, and a person decides: here is only said why.
"""

from typing import Any
from uuid import UUID

from api.routes import read_of
from domain.commands.contests import MergeHouseholds
from domain.commands.households import RegisterHousehold
from domain.household import Household
from domain.household_members import Member
from eventstore.store import Store
from projections.asking.ledger_books import household
from projections.asking.persons import doubles_of
from web.parts import Desk


def likely_same(desk: Desk, one: dict[str, Any]) -> list[dict[str, Any]]:
    """Households of the desk's reach that may be this one: they count the same persons (``same``),
    or have a head of the same name in the village and nothing tells the two heads apart."""
    if one["merged_into"] or desk.may(MergeHouseholds, one["area"]):
        return []
    if not desk.may(RegisterHousehold, one["area"]):
        return []
    system = desk.caller.system
    scope = desk.caller.scope(read_of(household).roles, None)
    with system.reader() as db:
        found = doubles_of(
            db, scope.on(db), household=UUID(one["id"]), namesakes=system.store.namesakes
        )
    mine = _head(system.store, one["id"])
    return [
        row for row in found.rows if row["same"] or _may_be(mine, _head(system.store, row["id"]))
    ]


def _head(store: Store, id: str) -> Member | None:
    found = store.load(UUID(id))
    if not isinstance(found, Household) or found.head is None:
        return None
    return found.members.get(found.head)


def _may_be(one: Member | None, other: Member | None) -> bool:
    """Whether two heads of one name may be one person: no two ID numbers, nor sexes or years of
    birth that differ."""
    if one is None or other is None:
        return False
    if one.id_number is not None and other.id_number is not None:
        return False
    if None not in (one.sex, other.sex) and one.sex != other.sex:
        return False
    born, also = one.birth_year, other.birth_year
    return born is None or also is None or abs(born - also) <= 1
