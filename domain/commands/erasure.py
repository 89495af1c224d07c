"""The desk that destroys personal data when the response is over (突发事件应对法 art. 84–85, 99).

The agency that obtained the data destroys them, by a document: its approver decides. An auditor
looks and must not destroy (domain.md §6), and an administrator has no business right.
"""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.area import check_text
from domain.commands.appointing import officer_with
from domain.commands.contests import SUPERIORS
from domain.household import Household
from domain.person import HoldsOffice, Person
from domain.refusal import NotFound
from domain.world import Command, Result, Role, World


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasePerson(Command):
    """Destroy a person's key and index rows; the log keeps what happened, and a mask.

    The fact says so; the vault follows it once it is durable (`eventstore.effects`).
    """

    roles: ClassVar[frozenset[Role]] = SUPERIORS
    person: UUID
    reason: str
    document_no: str

    def scope(self, world: World) -> UUID:
        return self._streams(world)[0].birth_village

    def decide(self, world: World) -> Result | None:
        check_text("reason", self.reason)
        check_text("document_no", self.document_no)
        officer = officer_with(world, self.person)
        if officer is not None:
            raise HoldsOffice(person=self.person, officer=officer.id)
        for stream in self._streams(world):
            claims = [world.get(Household, claim) for claim in stream.claims]
            present_in = sum(self.person in household.members for household in claims)
            stream.erase(self.person, present_in, self.reason, self.document_no)
        return {"person": self.person}

    def _streams(self, world: World) -> list[Person]:
        """The person's claims in earnest and in drills: one key seals the texts of both."""
        ids = [Person.id_of(self.person, exercise) for exercise in (False, True)]
        known = [found for id in ids if (found := world.find(Person, id)) is not None]
        if not known:
            raise NotFound(kind="Person", id=self.person)
        return known
