"""What commands want to be told, found in the log: for a store that keeps no views."""

from collections.abc import Callable, Iterable
from uuid import UUID

from domain.area import Area, AreaLevel
from domain.base import Event
from domain.officer import Officer
from domain.relief_case import ReliefCase
from domain.season import Season

Asked = Callable[[UUID], tuple[UUID, ...]]


def officers_in(facts: Iterable[Event]) -> tuple[UUID, ...]:
    """Every officer there is: which of them are in post somewhere, the command looks up in each."""
    return tuple(one.originator_id for one in facts if isinstance(one, Officer.Registered))


def unlisted_in(facts: Iterable[Event], season: UUID) -> tuple[UUID, ...]:
    """Every village that there is without a list of that season: which of them lie in it, the
    command looks up."""
    villages, listed = dict[UUID, None](), set[UUID]()
    for fact in facts:
        if isinstance(fact, Area.Established) and fact.level == AreaLevel.VILLAGE:
            villages[fact.originator_id] = None
        elif isinstance(fact, Area.Abolished | Area.MergedInto):
            villages.pop(fact.originator_id, None)
        elif isinstance(fact, Season.ListOpened) and fact.originator_id == season:
            listed.add(fact.village)
    return tuple(one for one in villages if one not in listed)


def cases_in(facts: Iterable[Event], household: UUID) -> tuple[UUID, ...]:
    """The cases of a household."""
    return tuple(
        one.originator_id
        for one in facts
        if isinstance(one, ReliefCase.Applied) and one.household == household
    )
