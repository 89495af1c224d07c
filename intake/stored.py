"""What the log holds of a household that a list names again, and how the list differs from it.

A list is repaired and imported again: members that were refused the first time are there now, a
name is written in another way, somebody has another phone. Nothing that is stored is overwritten
by a list: who is missing is added, every other difference is told, and a person decides.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.area import Area
from domain.commands.households import HouseholdInput
from domain.commands.sealing import MemberInput, digits
from domain.household import Household
from domain.household_members import Member, Relation
from domain.masking import mask_card, mask_name, mask_phone
from domain.person import Person
from domain.rules.household_kinds import HouseholdKinds
from domain.village_group import VillageGroup, group_meant
from domain.world import Sealed
from eventstore.store import Store
from intake import cells as read
from intake.columns import Column, plain
from intake.inputs import RELATION_WORDS
from intake.rows import ParsedHousehold, ParsedMember


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that the list has and the log has not, or has otherwise. ``facts`` are masked."""

    rule: str
    column: Column
    row: int
    value: str
    facts: dict[str, str]
    slot: int = 0


def _told(zh: str, en: str) -> dict[str, str]:
    """What is stored, in the words of both sentences."""
    return {"stored": zh, "stored_en": en}


@dataclass(frozen=True, slots=True)
class Missing:
    """A person of the list who never was in the stored household. ``place``: in the list.

    ``counted``: takes the place of one of those whom the household only counts.
    """

    place: int
    row: int
    member: MemberInput
    counted: bool
    slot: int = 0


class StoredHousehold:
    """One household as it is now, with what its aggregate does not keep: who was in it once,
    where it lived, its phone and its address."""

    def __init__(self, store: Store, id: UUID) -> None:
        self._vault = store.vault
        found: Household | None = store.load(id)
        while found is not None and found.merged_into is not None:
            found = store.load(found.merged_into)
        assert found is not None, "a household that was begun is in the log"
        self.household = found
        self.villages = {found.village}
        self._ever: dict[UUID, Member] = {}
        self._phone: Sealed | None = None
        self._address: Sealed | None = None
        for recorded in store.history(found.id):
            self._take(recorded.event)

    def _take(self, fact: Any) -> None:
        match fact:
            case Household.Registered():
                self.villages.add(fact.village)
                self._remember(fact.members)
                self._phone, self._address = fact.phone, fact.address
            case Household.MemberAdded() | Household.MemberIdentified():
                self._remember((fact.member,))
            case Household.Absorbed():
                self._remember(fact.members)
            case Household.Moved():
                self.villages.add(fact.origin)
                self._address = fact.address or self._address
            case Household.ContactChanged():
                self._phone = fact.phone or self._phone
                self._address = fact.address or self._address

    def _remember(self, members: tuple[Member, ...]) -> None:
        self._ever.update((member.person, member) for member in members)

    def _text(self, sealed: Sealed | None, field: str) -> str | None:
        if sealed is None:
            return None
        return self._vault.reveal(sealed, self.household.id, field)

    def _name(self, member: Member) -> str | None:
        """A stored name as lists are read, so that a space within it is no difference."""
        text = self._text(member.name, "name")
        return None if text is None else read.name(text)[0] or text

    @property
    def _head(self) -> Member | None:
        head = self.household.head
        return None if head is None else self.household.members.get(head)

    @property
    def head_name(self) -> str | None:
        return self._name(self._head) if self._head is not None else None

    @property
    def head_number(self) -> str | None:
        """The head's ID number; None if it is not known."""
        return self._text(self._head.id_number, "id_number") if self._head is not None else None

    @property
    def phone(self) -> str | None:
        return self._text(self._phone, "phone")

    @property
    def card(self) -> str | None:
        card = self.household.card
        return self._text(card.number, "card") if card is not None else None

    # -- members ------------------------------------------------------------------------------

    def members(
        self, parsed: ParsedHousehold, given: HouseholdInput
    ) -> tuple[list[Missing], list[Difference]]:
        """Who of the list is to be added, and what is to be decided about the others."""
        people = (parsed.head, *parsed.members)
        numbers = [one.id_number for one in people if one.id_number is not None]
        persons = self._vault.find_persons(numbers)
        missing: list[Missing] = []
        differ: list[Difference] = []
        listed: set[UUID] = set()
        counted = self.household.unnamed
        for place, one in enumerate(people):
            member = self._member(one.name, persons.get(one.id_number or ""), one.id_number)
            if member is not None:
                listed.add(member.person)
                differ += self._related(member, one, given.members[place].relation)
            rule, stored = self._judge(member, one.name, one.id_number, head=place == 0)
            if rule == "member-missing":
                new = Missing(place, one.row, given.members[place], counted > 0, one.slot)
                missing.append(new)
                counted -= 1
            elif rule is not None:
                facts = {"stored": stored}
                shown = mask_name(one.name)
                differ.append(Difference(rule, Column.NAME, one.row, shown, facts, one.slot))
        if parsed.members:
            for person, member in self.household.members.items():
                if person not in listed:
                    facts = {"stored": member.masked}
                    rule = "member-not-listed"
                    differ.append(Difference(rule, Column.NAME, parsed.row, "", facts))
        return missing, differ

    def _member(self, name: str, person: UUID | None, number: str | None) -> Member | None:
        """The member, present or gone, whom a row means: by ID number, else by name.

        A name whose ID number is not of this household may mean a present member of that name,
        whose number is not known yet or was mistyped.
        """
        if person is not None and person in self._ever:
            return self.household.members.get(person, self._ever[person])
        for member in (*self.household.members.values(), *self._ever.values()):
            open_to_it = number is None or member.person in self.household.members
            if (open_to_it or member.id_number is None) and self._name(member) == name:
                return member
        return None

    def _related(
        self, member: Member, listed: ParsedMember, relation: Relation
    ) -> Iterator[Difference]:
        """How the list has a present member related to the head otherwise than it is stored.

        Whom the list calls the head is compared by ``stored-head``; a list that leaves the
        relation out says nothing of it.
        """
        if listed.relation is None or member.person not in self.household.members:
            return
        heads = member.person == self.household.head
        stored = Relation.HEAD if heads else member.relation
        if relation not in (stored, Relation.HEAD):
            facts = _told(*RELATION_WORDS[stored])
            at = (Column.RELATION, listed.row, listed.relation)
            yield Difference("stored-relation", *at, facts, listed.slot)

    def _judge(
        self, member: Member | None, name: str, number: str | None, *, head: bool
    ) -> tuple[str | None, str]:
        """The rule that a row of the list breaks against what is stored, and what is stored."""
        here = self.household
        if head and (member is None or member.person != here.head):
            return "stored-head", here.head_masked
        if member is None:
            return "member-missing", ""
        if member.person not in here.members:
            return "member-gone", member.masked
        if number is not None and member.id_number is None:
            return "member-maybe-same", member.masked
        if number is not None and self._vault.find_person(number) != member.person:
            return "member-other-id", member.masked
        stored = self._name(member)
        return ("stored-name", member.masked) if stored not in (None, name) else (None, "")

    # -- the household ------------------------------------------------------------------------

    def differences(
        self,
        parsed: ParsedHousehold,
        given: HouseholdInput,
        kinds: HouseholdKinds,
        groups: Sequence[VillageGroup],
        added: int,
    ) -> Iterator[Difference]:
        """What the list says otherwise of the household itself; what it leaves out is no
        difference. ``groups``: the living ones of its village. ``added``: members who make it
        larger than it is stored."""
        here = self.household
        row = parsed.row
        size, wanted = here.size + added, len(given.members) + given.unnamed
        if size != wanted:
            facts = {"stored": str(size)}
            yield Difference("stored-size", Column.SIZE, row, str(wanted), facts)
        if parsed.category and given.category != here.category:
            kind = kinds.by_name(here.category)
            unnamed = (here.category, here.category)
            facts = _told(*((kind.zh, kind.en) if kind is not None else unnamed))
            yield Difference("stored-category", Column.CATEGORY, row, parsed.category, facts)
        refers_to = next((one for one in groups if one.code == here.group_code), None)
        if (
            parsed.group
            and plain(parsed.group) != plain(here.group)
            and (refers_to is None or group_meant(groups, parsed.group) != refers_to)
        ):
            facts = {"stored": (refers_to.name if refers_to is not None else here.group) or "—"}
            yield Difference("stored-group", Column.GROUP, row, parsed.group, facts)
        yield from self._account(parsed)
        if parsed.phone:
            phone = self.phone
            if phone is None or digits(phone) != digits(parsed.phone):
                facts = {"stored": mask_phone(phone) if phone else "—"}
                shown = mask_phone(parsed.phone)
                yield Difference("stored-phone", Column.PHONE, row, shown, facts)
        if parsed.address:
            address = self._text(self._address, "address")
            if address is None or read.text(address)[0] != parsed.address:
                yield Difference("stored-address", Column.ADDRESS, row, "", {})

    def _account(self, parsed: ParsedHousehold) -> Iterator[Difference]:
        """The account, whose it is and its bank. They stand in the holder's row of the list,
        which need not be the head's."""
        here = self.household
        holder = parsed.card_holder
        row = holder.row if holder is not None else parsed.row
        if parsed.card and self.card != parsed.card:
            facts = {"stored": here.card.masked if here.card is not None else "—"}
            yield Difference("stored-card", Column.CARD, row, mask_card(parsed.card), facts)
        if here.card is None:
            return
        held = here.members.get(here.card.holder)
        if holder is not None and held is not None and not self._is(held, holder):
            facts = {"stored": held.masked}
            yield Difference("stored-card-holder", Column.CARD, row, mask_name(holder.name), facts)
        if parsed.bank and plain(parsed.bank) != plain(here.card.bank):
            facts = {"stored": here.card.bank or "—"}
            yield Difference("stored-bank", Column.BANK, row, parsed.bank, facts)

    def _is(self, member: Member, listed: ParsedMember) -> bool:
        """Whether a row of the list means this member."""
        number = listed.id_number
        person = self._vault.find_person(number) if number is not None else None
        found = self._member(listed.name, person, number)
        return found is not None and found.person == member.person


class Register:
    """The households that the log has already, found by who heads them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._living: dict[UUID, UUID] = {}

    def headed_by(self, person: UUID, village: UUID) -> UUID | None:
        """The household of that village that this person heads, however it was registered.

        It is of that village too if it moved away from there, and if its village has since been
        merged into that one: the household stays under the village it was registered in.
        """
        claimed: Person | None = self._store.load(Person.id_of(person, self._store.training))
        for claim in claimed.claims if claimed is not None else ():
            household: Household | None = self._store.load(claim)
            if household is None or household.head != person:
                continue
            wanted = self._successor(village)
            if self._successor(household.village) == wanted:
                return claim
            lived = StoredHousehold(self._store, claim).villages
            if wanted in {self._successor(one) for one in lived}:
                return claim
        return None

    def _successor(self, village: UUID) -> UUID:
        """The living village that a village has become."""
        if village not in self._living:
            area: Area | None = self._store.load(village)
            into = area.merged_into if area is not None else None
            self._living[village] = village if into is None else self._successor(into)
        return self._living[village]
