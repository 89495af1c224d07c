"""The desk for one person in two households, and for one household entered twice.

Both are decided by somebody above both sides: neither side sees the other's household.
"""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.area import check_text, common
from domain.commands.households import OfHousehold, release
from domain.commands.sealing import sealed_again
from domain.exercise import AS_THE_STORE, keep_apart
from domain.household import Household
from domain.person import Person
from domain.world import Command, Result, Role, World

SUPERIORS = frozenset({Role.COUNTY_APPROVER, Role.CITY_REVIEWER, Role.PROVINCE_REVIEWER})


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeHouseholds(OfHousehold):
    """Merge a household that was registered twice into its other entry."""

    roles: ClassVar[frozenset[Role]] = frozenset({Role.TOWNSHIP_REVIEWER}) | SUPERIORS
    into: UUID

    def scope(self, world: World) -> UUID:
        one, other = world.get(Household, self.household), world.get(Household, self.into)
        return common(world, (one.village, other.village))

    def decide(self, world: World) -> Result | None:
        household, into = self.of(world), world.get(Household, self.into)
        keep_apart("Household", into.id, exercise=into.exercise, wanted=household.exercise)
        waits = dict(household.holds)
        both = [person for person in household.members if person in into.members]
        moved = [member for member in household.members.values() if member.person not in both]
        anew = tuple(sealed_again(world, household.id, into.id, member) for member in moved)
        household.merge_into(into, anew, self.reason)
        for person in both:
            release(world, household, person, self.reason)
        for member in moved:
            stream = world.get(Person, Person.id_of(member.person, into.exercise))
            stream.transfer(household.id, into.id)
            if stream.contested:
                into.contest(member.person, waits.get(member.person))
        return {"into": into.id, "members": into.size}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveContest(Command):
    """Decide which household a contested person belongs to (null: to neither of them)."""

    roles: ClassVar[frozenset[Role]] = SUPERIORS
    person: UUID
    keep: UUID | None
    reason: str
    document_no: str
    exercise: bool = AS_THE_STORE

    def scope(self, world: World) -> UUID:
        person = world.get(Person, Person.id_of(self.person, self.exercise))
        villages = [world.get(Household, claim).village for claim in person.claims]
        return common(world, villages or (person.birth_village,))

    def decide(self, world: World) -> Result | None:
        check_text("reason", self.reason)
        person = world.get(Person, Person.id_of(self.person, self.exercise))
        dropped = person.resolve(self.keep, self.reason, self.document_no)
        for household in dropped:
            world.get(Household, household).settle_contest(self.person, kept=False)
        if self.keep is not None:
            world.get(Household, self.keep).settle_contest(self.person, kept=True)
        return {"kept": self.keep, "dropped": len(dropped)}
