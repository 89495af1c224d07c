"""The desk for households 户 and their members: registration, changes, contests, merging.

ID numbers, names, phones, cards and addresses are sealed here, before any fact is made of them;
a refusal never carries them either.
"""

import re
from collections.abc import Sized
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar
from uuid import UUID

from domain.area import Area, AreaLevel, check_text, common
from domain.commands.sealing import (
    CardInput,
    MemberInput,
    check_account,
    check_member,
    check_members,
    not_future,
    seal_card,
    seal_member,
    seal_phone,
    seal_text,
)
from domain.commands.village_groups import group_referred_to
from domain.exercise import AS_THE_STORE
from domain.household import Household
from domain.household_members import AlreadyMember, Member
from domain.ids import NewId
from domain.person import Person
from domain.refusal import Malformed, NotFound, Refusal, missing, refusal_of
from domain.rules.household_kinds import CONTEST_DAYS, HouseholdKinds
from domain.world import About, Command, InForce, Result, Role, World

HOUSEHOLD = About("households", Household, "household")
REGISTRARS = frozenset({Role.VILLAGE_REPORTER, Role.TOWNSHIP_REVIEWER, Role.COUNTY_APPROVER})
KIND = re.compile(r"[a-z_]{1,40}")
"""What a household kind looks like. A refusal is stored, so it repeats nothing that looks else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdInput:
    """One household of a list. Exactly one member has the relation ``head``.

    ``unnamed``: how many more belong to it whom the list only counts (家庭人口).

    ``card`` names its holder by position in ``members``. ``category`` is a household kind.

    ``group_code`` is the sub-code of its villagers' group; a ``group`` typed freely is referred to
    as well if it means one of the village.
    """

    id: NewId
    members: tuple[MemberInput, ...]
    category: str
    group: str = ""
    group_code: str = ""
    card: CardInput | None = None
    phone: str | None = None
    address: str | None = None
    unnamed: int = 0


MOST_CONTESTED = 20
"""Members in one registration whom somebody else claims already. A village has a few of them; who
asks for many is finding out who is registered elsewhere."""


@dataclass(eq=False)
class TooManyContested(Refusal):
    """Not said: who they are, nor how many."""

    zh: ClassVar[str] = (
        "本次登记中有超过 {most} 人已在别处登记，未予登记。请核对名单；确属本户的，请分户登记"
    )
    en: ClassVar[str] = (
        "More than {most} persons of this registration are registered elsewhere: nothing was "
        "registered. Check the list; register those who do belong here household by household."
    )
    most: int


def check_contested(contested: Sized) -> None:
    """Refuse with `TooManyContested` a registration that claims too many of others' persons."""
    if len(contested) > MOST_CONTESTED:
        raise TooManyContested(most=MOST_CONTESTED)


def claim(world: World, household: Household, person: UUID) -> bool:
    """Claim a person for a household. True if others claim the person already: contested.

    Each household learns that its member is contested, and not by whom. The claim that was first
    holds its household's payments for some days at most: else a stranger could stop them for good.
    """
    stream = Person.id_of(person, household.exercise)
    known = world.find(Person, stream)
    if known is None:
        world.add(Person(id=stream, household=household.id, village=household.village))
        return False
    holders = known.claim(household.id)
    if holders:
        first, *later = holders
        until = world.now + timedelta(days=_contest_days(world, first))
        world.get(Household, first).contest(person, until)
        for other in (*later, household.id):
            world.get(Household, other).contest(person)
    return bool(holders)


def _contest_days(world: World, household: UUID) -> int:
    """How long a contest may hold the payments of whoever claimed first, where they live."""
    village = world.get(Household, household).village
    try:
        return world.rules(HouseholdKinds, village, world.now).rule.contest_days
    except NotFound:
        return CONTEST_DAYS


def release(world: World, household: Household, person: UUID, reason: str) -> None:
    """Give a person up. If one other claim is left, that household's contest is over."""
    stream = world.get(Person, Person.id_of(person, household.exercise))
    if household.id not in stream.claims:
        return
    stream.release(household.id, reason)
    if len(stream.claims) == 1:
        world.get(Household, stream.claims[0]).settle_contest(person, kept=True)


def kinds_at(world: World, area: UUID, category: str) -> InForce[HouseholdKinds]:
    """The household kinds in force there; `Malformed` if ``category`` is none of them."""
    in_force = world.rules(HouseholdKinds, area, world.now)
    if not in_force.rule.knows(category):
        raise Malformed(
            field="category",
            value=category if KIND.fullmatch(category) else "…",
            rule_zh="现行规则中没有这种家庭类型",
            rule_en="the rulebook in force has no such household kind",
        )
    return in_force


def check_village(world: World, village: UUID) -> None:
    area = world.get(Area, village)
    area.require_living()
    if area.level != AreaLevel.VILLAGE:
        raise Malformed(
            field="village",
            value=area.name,
            rule_zh="户须登记在村（社区）",
            rule_en="a household lives in a village or community",
        )


def register(world: World, village: UUID, given: HouseholdInput, exercise: bool) -> Result:
    """Seal, register and claim all members; answers household, persons and the contested."""
    head_at = check_members(world, given.members)
    if not 0 <= given.unnamed < 100:
        raise Malformed(
            field="unnamed",
            value=str(given.unnamed) if abs(given.unnamed) < 1000 else "…",
            rule_zh="应为0至99",
            rule_en="0 to 99",
        )
    check_account(given.card, len(given.members))
    kinds = kinds_at(world, village, given.category)
    members = [seal_member(world, given.id, one) for one in given.members]
    _no_one_twice(given.id, members)
    head = members[head_at].person
    group, group_code = group_referred_to(world, village, given.group, given.group_code)
    card = given.card
    household = world.add(
        Household(
            id=given.id,
            village=village,
            group=group,
            category=given.category,
            kinds=kinds.ref,
            head=head,
            members=tuple(members),
            card=seal_card(world, given.id, members[card.holder].person, card) if card else None,
            phone=seal_phone(world, given.id, head, given.phone),
            address=seal_text(world, given.id, head, "address", given.address),
            exercise=exercise,
            unnamed=given.unnamed,
            group_code=group_code,
        )
    )
    persons = [member.person for member in members]
    contested = [person for person in persons if claim(world, household, person)]
    check_contested(contested)
    return {"household": household.id, "persons": persons, "contested": contested}


def _no_one_twice(household: UUID, members: list[Member]) -> None:
    seen: set[UUID] = set()
    for member in members:
        if member.person in seen:
            raise AlreadyMember(household=household, masked=member.masked)
        seen.add(member.person)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterHousehold(Command):
    """Register a household; a person whom another household claims is accepted as contested."""

    roles: ClassVar[frozenset[Role]] = REGISTRARS
    id: NewId
    village: UUID
    members: tuple[MemberInput, ...]
    category: str
    group: str = ""
    group_code: str = ""
    card: CardInput | None = None
    phone: str | None = None
    address: str | None = None
    unnamed: int = 0
    exercise: bool = AS_THE_STORE

    def scope(self, world: World) -> UUID:
        return self.village

    def decide(self, world: World) -> Result | None:
        check_village(world, self.village)
        given = HouseholdInput(
            id=self.id,
            members=self.members,
            category=self.category,
            group=self.group,
            group_code=self.group_code,
            card=self.card,
            phone=self.phone,
            address=self.address,
            unnamed=self.unnamed,
        )
        return register(world, self.village, given, self.exercise)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterHouseholds(Command):
    """Register many households of one village in one commit: all of them, or none."""

    roles: ClassVar[frozenset[Role]] = REGISTRARS
    empty_list_refused: ClassVar[bool] = False  # imports ask with nobody whether they may at all
    village: UUID
    households: tuple[HouseholdInput, ...]
    exercise: bool = AS_THE_STORE

    def scope(self, world: World) -> UUID:
        return self.village

    def decide(self, world: World) -> Result | None:
        check_village(world, self.village)
        results = [register(world, self.village, one, self.exercise) for one in self.households]
        contested = [person for result in results for person in result["contested"]]
        check_contested(contested)
        return {"households": len(results), "contested": contested}


@dataclass(frozen=True, slots=True, kw_only=True)
class OfHousehold(Command):
    """What all changes of one household share: its village's jurisdiction and a reason."""

    about: ClassVar[About] = HOUSEHOLD
    roles: ClassVar[frozenset[Role]] = REGISTRARS
    household: UUID
    reason: str

    @classmethod
    def closed(cls, world: World, subject: Household) -> Refusal | None:
        return refusal_of(subject.check_open)

    def of(self, world: World) -> Household:
        check_text("reason", self.reason)
        return world.get(Household, self.household)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddMember(OfHousehold):
    """Add a member: a birth, a marriage, a return, or (``counted``) the name of one counted."""

    member: MemberInput
    counted: bool = False

    def decide(self, world: World) -> Result | None:
        household = self.of(world)
        check_member(world, self.member, "member")
        member = seal_member(world, household.id, self.member)
        household.add(member, self.reason, counted=self.counted)
        contested = claim(world, household, member.person)
        return {"person": member.person, "contested": contested}


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveMember(OfHousehold):
    """Record that a member has left the household; a leaving head needs a successor."""

    person: UUID
    on: date
    new_head: UUID | None = None

    def decide(self, world: World) -> Result | None:
        household = self.of(world)
        not_future(world, "on", self.on)
        household.leave(self.person, self.on, self.reason, self.new_head)
        release(world, household, self.person, self.reason)
        return {"members": household.size}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDeath(OfHousehold):
    """Record the death of a member; a dead head needs a successor. Nothing is paid for the dead."""

    person: UUID
    on: date
    new_head: UUID | None = None

    def decide(self, world: World) -> Result | None:
        household = self.of(world)
        not_future(world, "on", self.on)
        household.die(self.person, self.on, self.reason, self.new_head)
        return {"members": household.size}


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifyMember(OfHousehold):
    """Record the ID number of a member who was registered without one, or with a wrong one."""

    person: UUID
    member: MemberInput

    def decide(self, world: World) -> Result | None:
        household = self.of(world)
        household.check_member(self.person)
        if self.member.id_number is None:
            raise missing("member.id_number")
        check_member(world, self.member, "member")
        member = seal_member(world, household.id, self.member)
        household.identify(self.person, member, self.reason)
        release(world, household, self.person, self.reason)
        contested = claim(world, household, member.person)
        return {"person": member.person, "contested": contested}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeHead(OfHousehold):
    """Name another member head of the household."""

    head: UUID
    expected_version: int | None = None

    def decide(self, world: World) -> Result | None:
        self.of(world).change_head(self.head, self.reason)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class CategorizeHousehold(OfHousehold):
    """Change the household's kind 家庭类型."""

    category: str
    expected_version: int | None = None

    def decide(self, world: World) -> Result | None:
        household = self.of(world)
        kinds = kinds_at(world, household.village, self.category)
        household.categorize(self.category, kinds.ref, self.reason)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCard(OfHousehold):
    """Record the 一卡通 account of a household; its holder must be a member."""

    holder: UUID
    number: str
    bank: str = ""
    expected_version: int | None = None

    def decide(self, world: World) -> Result | None:
        household = self.of(world)
        given = CardInput(number=self.number, bank=self.bank)
        check_account(given, 1)
        household.record_card(seal_card(world, household.id, self.holder, given), self.reason)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeContact(OfHousehold):
    """Change the phone number or the address; what is left out stays."""

    phone: str | None = None
    address: str | None = None
    expected_version: int | None = None

    def decide(self, world: World) -> Result | None:
        household = self.of(world)
        household.check_open()
        owner = household.head or world.vault.new_person()
        household.change_contact(
            seal_phone(world, household.id, owner, self.phone),
            seal_text(world, household.id, owner, "address", self.address),
            self.reason,
        )
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveHousehold(OfHousehold):
    """Move a household to another village or group; decided by a post above both villages."""

    village: UUID
    on: date
    group: str = ""
    group_code: str = ""
    address: str | None = None

    def scope(self, world: World) -> UUID:
        here = world.get(Household, self.household).village
        return common(world, (here, self.village))

    def decide(self, world: World) -> Result | None:
        household = self.of(world)
        household.check_open()
        check_village(world, self.village)
        not_future(world, "on", self.on)
        owner = household.head or world.vault.new_person()
        address = seal_text(world, household.id, owner, "address", self.address)
        group, code = group_referred_to(world, self.village, self.group, self.group_code)
        household.move(self.village, group, address, self.on, self.reason, code)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevealHousehold(OfHousehold):
    """Record, with a reason, that the sealed data of a household are shown to this officer."""

    roles: ClassVar[frozenset[Role]] = REGISTRARS | {Role.COUNTY_PAYER, Role.AUDITOR}

    @classmethod
    def closed(cls, world: World, subject: Household) -> Refusal | None:
        return None  # what was there before a merger may be looked at as well

    def decide(self, world: World) -> Result | None:
        found = self.of(world)
        found.reveal(reason=self.reason)
        return None
