"""Person 自然人: which household a person counts in. One household, or contested.

The stream's id is the vault's random id of the person; the log holds no derivative of an ID
number. A second claim is accepted as contested (design §4): it blocks payment, never a
registration or emergency relief, until somebody above both sides decides. This stream alone names
all claimants; the households' own streams say only that a member is contested.
"""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.base import NAMESPACE, Aggregate
from domain.refusal import Refusal


@dataclass(eq=False)
class NotContested(Refusal):
    zh: ClassVar[str] = "此人员没有归属争议，无需裁定"
    en: ClassVar[str] = "Nobody contests this person; there is nothing to decide."
    person: UUID


@dataclass(eq=False)
class NotAClaimant(Refusal):
    zh: ClassVar[str] = "户 {household} 没有登记此人员"
    en: ClassVar[str] = "Household {household} has no claim to this person."
    person: UUID
    household: UUID


@dataclass(eq=False)
class StillCounted(Refusal):
    """Who counts in a household may still be granted something: they leave it first."""

    zh: ClassVar[str] = "此人员仍登记在 {households} 户中，须先办理离户，才能销毁个人信息"
    en: ClassVar[str] = (
        "The person still counts in {households} "
        "{households:household: take them|households: take them} out before erasing."
    )
    person: UUID
    households: int


@dataclass(eq=False)
class HoldsOffice(Refusal):
    """Who acted in office is answerable for it: their name is kept."""

    zh: ClassVar[str] = "此人员是（或曾是）工作人员，其履职记录须保留，不得销毁"
    en: ClassVar[str] = "The person is or was an officer, answerable for what they did: kept."
    person: UUID
    officer: UUID


@dataclass(eq=False)
class AlreadyErased(Refusal):
    zh: ClassVar[str] = "此人员的个人信息已经销毁"
    en: ClassVar[str] = "The personal data of this person have been destroyed already."
    person: UUID


class Person(Aggregate):
    """Claimed → Released → ClaimedAgain …; Contested → Resolved by a superior; → Erased."""

    @event("Claimed")
    def __init__(self, id: UUID, household: UUID, village: UUID) -> None:
        self.birth_village = village
        self.claims: list[UUID] = [household]
        self.erased = False

    @staticmethod
    def id_of(person: UUID, exercise: bool) -> UUID:
        """The stream of a person: a drill's claims live apart and contest nothing real."""
        return uuid5(NAMESPACE, f"exercise/person/{person}") if exercise else person

    @property
    def home(self) -> UUID:
        return self.birth_village

    @property
    def contested(self) -> bool:
        return len(self.claims) > 1

    def claim(self, household: UUID) -> tuple[UUID, ...]:
        """A further claim. Answers the households that hold a claim already (none: uncontested)."""
        assert household not in self.claims, "the household checks its own members"
        holders = tuple(self.claims)
        if holders:
            self._contested(household=household, holders=holders)
        else:
            self._claimed_again(household=household)
        return holders

    def release(self, household: UUID, reason: str) -> None:
        """The household gives the person up (left, merged, identified as somebody else)."""
        if household not in self.claims:
            raise NotAClaimant(person=self.id, household=household)
        self._released(household=household, reason=reason)

    def transfer(self, origin: UUID, household: UUID) -> None:
        """Two entries of one household were merged: the claim goes over, whoever else claims."""
        if origin not in self.claims:
            raise NotAClaimant(person=self.id, household=origin)
        self._transferred(origin=origin, household=household)

    @event("Transferred")
    def _transferred(self, origin: UUID, household: UUID) -> None:
        self.claims[self.claims.index(origin)] = household

    def resolve(self, keep: UUID | None, reason: str, document_no: str) -> tuple[UUID, ...]:
        """A superior decides who keeps the person (None: neither). Answers who loses."""
        if not self.contested:
            raise NotContested(person=self.id)
        if keep is not None and keep not in self.claims:
            raise NotAClaimant(person=self.id, household=keep)
        dropped = tuple(claim for claim in self.claims if claim != keep)
        self._resolved(keep=keep, dropped=dropped, reason=reason, document_no=document_no)
        return dropped

    @event("ClaimedAgain")
    def _claimed_again(self, household: UUID) -> None:
        self.claims.append(household)

    @event("Contested")
    def _contested(self, household: UUID, holders: tuple[UUID, ...]) -> None:
        self.claims.append(household)

    @event("Released")
    def _released(self, household: UUID, reason: str) -> None:
        self.claims.remove(household)

    @event("Resolved")
    def _resolved(
        self, keep: UUID | None, dropped: tuple[UUID, ...], reason: str, document_no: str
    ) -> None:
        self.claims = [] if keep is None else [keep]

    def erase(self, person: UUID, present_in: int, reason: str, document_no: str) -> None:
        """The key and the index rows are destroyed; what the log holds of the person is noise.

        Only once no household counts the person any more (left, dead, lost to another claim):
        then nothing is granted to them, and no payment waits for them, since money goes to the
        card of a present member.
        """
        if self.erased:
            raise AlreadyErased(person=person)
        if present_in:
            raise StillCounted(person=person, households=present_in)
        self._erased(person=person, reason=reason, document_no=document_no)

    @event("Erased")
    def _erased(self, person: UUID, reason: str, document_no: str) -> None:
        self.erased = True
