"""From the plan's keys to the ids of the store: derived, so a repeated start finds them again."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from demo.divisions import COUNTY
from demo.plan import DemoPlan
from demo.season import YEAR
from demo.shelves import Shelves
from demo.steps import Step
from domain.base import NAMESPACE
from domain.fund import Fund
from domain.ids import seeded_id
from domain.officer import Officer
from domain.relief_case import ReliefCase
from domain.season import Season
from domain.stockpile import Stockpile
from domain.village_list import VillageList
from domain.world import Command

PROGRAMME = "winter_spring"


def demo_id(kind: str, key: str) -> UUID:
    """The id of a thing of the demo."""
    return seeded_id("demo", kind, key)


def earlier_id(kind: str, key: str) -> UUID:
    """The id that programs before version-4-shaped ids gave the same thing."""
    return uuid5(NAMESPACE, f"demo/{kind}/{key}")


@dataclass(slots=True)
class Names:
    """All ids of a plan. ``person_of`` is the vault's: ID number → random person id.

    ``earlier`` is true while a command is made that an earlier program has stored already: what
    that command makes keeps the id it got then, and later commands find it under that.
    """

    plan: DemoPlan
    person_of: Callable[[str], UUID]
    shelves: Shelves = field(default_factory=Shelves)
    earlier: bool = False
    _given: dict[tuple[str, str], UUID] = field(default_factory=dict)

    def id(self, kind: str, key: str) -> UUID:
        """The id of a thing of the demo in this store."""
        found = self._given.get((kind, key))
        if found is None:
            found = earlier_id(kind, key) if self.earlier else demo_id(kind, key)
            self._given[(kind, key)] = found
        return found

    @property
    def season(self) -> UUID:
        return Season.id_of(self.area(COUNTY), PROGRAMME, YEAR, None, exercise=False)

    def person_of_officer(self, key: str) -> UUID:
        """The natural person behind an officer of the plan."""
        return self.id("person", key)

    def area(self, code: str) -> UUID:
        """By the code of 2023, whatever the code of the day."""
        return self.id("area", code)

    def officer(self, key: str) -> UUID:
        """An officer of the plan, in the store."""
        return Officer.id_of(self.person_of_officer(key))

    def appointment(self, officer: str) -> UUID:
        return self.id("appointment", officer)

    def household(self, key: str) -> UUID:
        return self.id("household", key)

    def case(self, household: str) -> UUID:
        return ReliefCase.id_of(self.season, self.household(household))

    def list(self, key: str) -> UUID:
        plan = self.plan.lists[key]
        return VillageList.id_of(self.season, self.area(plan.village), plan.round)

    def fund(self, document_no: str, holder: str) -> UUID:
        return Fund.id_of(document_no, self.area(holder), exercise=False)

    def stockpile(self, depot: str, item: str) -> UUID:
        return Stockpile.id_of(self.area(depot), item, exercise=False)

    def member(self, household: str, place: int) -> UUID:
        """The person id of a member who has an ID number."""
        number = self.plan.households[household].family.members[place].id_number
        assert number is not None
        return self.person_of(number)


Acts = dict[type[Step], Callable[[Names, Any], Iterator[Command]]]
"""Which function turns which kind of step into commands."""
