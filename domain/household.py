"""Household 户: who belongs to it, where it lives, on whose card its money goes.

The stream holds masked names and sealed texts only (design §7). A contested member (claimed by
another household too) stays a member for everything but payment; this stream never says by whom.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from eventsourcing.domain import event

from domain.base import Aggregate, grown
from domain.household_members import AlreadyMember, HeadNeeded, Losses, Member, NotAMember, Relation
from domain.household_move import (
    MoveAlreadyOffered,
    MoveEnd,
    MoveOffer,
    MoveOfferExpired,
    NoMoveOffered,
)
from domain.lateness import IN_TIME, Counting
from domain.refusal import Malformed, Refusal
from domain.world import RuleRef, Sealed


class Card(msgspec.Struct, frozen=True):
    """一卡通 account: whose it is, its number (sealed), its last digits, its bank."""

    holder: UUID
    number: Sealed
    masked: str
    bank: str


@dataclass(eq=False)
class CardHolderNotMember(Refusal):
    """Nobody may hold another's card (财办〔2020〕37号, domain.md §2.3)."""

    zh: ClassVar[str] = "一卡通持卡人须为户主或本户成员，不得由他人代持（户 {household}）"
    en: ClassVar[str] = (
        "The card must belong to the head or a member of the household ({household}): "
        "nobody may hold it for another."
    )
    household: UUID
    holder: UUID


@dataclass(eq=False)
class HouseholdMerged(Refusal):
    zh: ClassVar[str] = "户 {household} 已并入另一户（{into}），请在并入后的户办理"
    en: ClassVar[str] = "Household {household} was merged into another ({into}): act on that one."
    household: UUID
    into: UUID


class Household(Aggregate):
    """``members`` are those present: not dead, not left, not lost to another claim."""

    @event("Registered")
    def __init__(
        self,
        id: UUID,
        village: UUID,
        group: str,
        category: str,
        kinds: RuleRef,
        head: UUID,
        members: tuple[Member, ...],
        card: Card | None,
        phone: Sealed | None,
        address: Sealed | None,
        exercise: bool,
        unnamed: int,
        group_code: str,
    ) -> None:
        self.village = village
        self.group = group
        self.group_code = group_code
        self.category = category
        self.head: UUID | None = head
        self.members: dict[UUID, Member] = {member.person: member for member in members}
        self.card = card
        self.contested: set[UUID] = set()
        self.holds: dict[UUID, datetime | None] = {}
        self.merged_into: UUID | None = None
        self.exercise = exercise
        self.unnamed = unnamed
        self.losses = Losses()
        self.offer: MoveOffer | None = None

    @property
    def head_masked(self) -> str:
        """What sentences call this household by: its head's masked name."""
        head = self.members.get(self.head) if self.head is not None else None
        return head.masked if head is not None else "（户主待定）"

    @property
    def home(self) -> UUID:
        """The village where it lives now. The partition stays where it was born."""
        return self.village

    @property
    def size(self) -> int:
        """Members present, those too whom a list only counts; not the dead nor who left."""
        return len(self.members) + self.unnamed

    def check_open(self) -> None:
        if self.merged_into is not None:
            raise HouseholdMerged(household=self.id, into=self.merged_into)

    def check_member(self, person: UUID) -> Member:
        self.check_open()
        member = self.members.get(person)
        if member is None:
            raise NotAMember(household=self.id, person=person)
        return member

    def add(self, member: Member, reason: str, *, counted: bool = False) -> None:
        """A birth, a marriage, a return; or (``counted``) the name of one only counted so far.

        A head is named by `change_head` only.
        """
        self.check_open()
        if member.person in self.members:
            raise AlreadyMember(household=self.id, masked=member.masked)
        if member.relation is Relation.HEAD:
            member = msgspec.structs.replace(member, relation=Relation.OTHER)
        if counted and not self.unnamed:
            raise Malformed(
                field="counted",
                value="true",
                rule_zh="本户没有只计人数、尚未登记姓名的成员",
                rule_en="this household has no member who is only counted",
            )
        self._member_added(member=member, reason=reason, counted=counted)

    @event("MemberAdded")
    def _member_added(self, member: Member, reason: str, counted: bool) -> None:
        self.members[member.person] = member
        if counted:
            self.unnamed -= 1

    def leave(self, person: UUID, on: date, reason: str, new_head: UUID | None) -> None:
        """A member leaves. If it is the head and others stay, ``new_head`` must be one of them."""
        self.check_member(person)
        successor = self._successor(person, new_head)
        self._member_left(person=person, on=on, reason=reason)
        if successor is not None:
            self.change_head(successor, reason)

    @event("MemberLeft")
    def _member_left(self, person: UUID, on: date, reason: str) -> None:
        self._lose(person)
        self.losses = Losses(self.losses.died, self.losses.gone + 1)

    def die(self, person: UUID, on: date, reason: str, new_head: UUID | None) -> None:
        """A member died on a day. Nothing is granted for the dead."""
        self.check_member(person)
        successor = self._successor(person, new_head)
        self._member_died(person=person, on=on, reason=reason)
        if successor is not None:
            self.change_head(successor, reason)

    @event("MemberDied")
    def _member_died(self, person: UUID, on: date, reason: str) -> None:
        self._lose(person)
        self.losses = Losses(self.losses.died + 1, self.losses.gone)

    def identify(self, person: UUID, member: Member, reason: str) -> None:
        """The ID number of a member turns up: the person found by it takes the member's place."""
        self.check_member(person)
        if member.person in self.members:
            raise AlreadyMember(household=self.id, masked=member.masked)
        self._member_identified(person=person, member=member, reason=reason)

    @event("MemberIdentified")
    def _member_identified(self, person: UUID, member: Member, reason: str) -> None:
        del self.members[person]
        self.members[member.person] = member
        self.contested.discard(person)
        if self.head == person:
            self.head = member.person
        if self.card is not None and self.card.holder == person:
            self.card = None

    def change_head(self, head: UUID, reason: str) -> None:
        self.check_member(head)
        self._head_changed(head=head, reason=reason)

    @event("HeadChanged")
    def _head_changed(self, head: UUID, reason: str) -> None:
        self.head = head

    def categorize(self, category: str, kinds: RuleRef, reason: str) -> None:
        """家庭类型 changes. The kind comes from the rulebook ``kinds``."""
        self.check_open()
        self._categorized(category=category, kinds=kinds, reason=reason)

    @event("Categorized")
    def _categorized(self, category: str, kinds: RuleRef, reason: str) -> None:
        self.category = category

    def record_card(self, card: Card, reason: str) -> None:
        self.check_open()
        if card.holder not in self.members:
            raise CardHolderNotMember(household=self.id, holder=card.holder)
        self._card_recorded(card=card, reason=reason)

    @event("CardRecorded")
    def _card_recorded(self, card: Card, reason: str) -> None:
        self.card = card

    def change_contact(self, phone: Sealed | None, address: Sealed | None, reason: str) -> None:
        """A new phone number, a new address; None leaves what is known."""
        self.check_open()
        self._contact_changed(phone=phone, address=address, reason=reason)

    @event("ContactChanged")
    def _contact_changed(self, phone: Sealed | None, address: Sealed | None, reason: str) -> None:
        pass

    def change_group(self, group: str, group_code: str, reason: str) -> bool:
        """Another villagers' group: its name of the day and its sub-code in the village, or a name
        that no group of the village has and "". Answers whether that is something new."""
        self.check_open()
        if (group, group_code) == (self.group, self.group_code):
            return False
        self._group_changed(group=group, group_code=group_code, reason=reason)
        return True

    @event("GroupChanged")
    def _group_changed(self, group: str, group_code: str, reason: str) -> None:
        self.group = group
        self.group_code = group_code

    def move(
        self,
        village: UUID,
        group: str,
        address: Sealed | None,
        on: date,
        reason: str,
        group_code: str = "",
    ) -> None:
        self.check_open()
        self._moved(
            origin=self.village,
            village=village,
            group=group,
            address=address,
            on=on,
            reason=reason,
            group_code=group_code,
        )

    @event("Moved")
    def _moved(
        self,
        origin: UUID,
        village: UUID,
        group: str,
        address: Sealed | None,
        on: date,
        reason: str,
        group_code: str,
    ) -> None:
        self.village = village
        self.group = group
        self.group_code = group_code
        self.offer = None

    def offer_move(self, offer: MoveOffer, now: Counting, reason: str) -> None:
        """The household is to go to another county; an offer that has run out is no obstacle."""
        self.must_not_wait(now)
        self._move_offered(offer=offer, reason=reason)

    def must_not_wait(self, now: Counting) -> None:
        """`MoveAlreadyOffered` while the other county may still answer."""
        self.check_open()
        if self.offer is not None and now.left(self.offer.due_at) >= IN_TIME:
            raise MoveAlreadyOffered(household=self.id, head=self.head_masked)

    @event("MoveOffered")
    def _move_offered(self, offer: MoveOffer, reason: str) -> None:
        self.offer = offer

    def accept_move(self, on: date, now: Counting, reason: str, group_code: str) -> None:
        """The other county takes it in: `MoveAccepted`, and `Moved` as by any other move.

        ``group_code``: the offered group, "" if it is no more.
        """
        offer = self.must_offer_still(now)
        self._move_accepted(village=offer.village)
        self.move(offer.village, offer.group, offer.address, on, reason, group_code)

    @event("MoveAccepted")
    def _move_accepted(self, village: UUID) -> None:
        self.offer = None

    def end_move(self, end: MoveEnd, reason: str) -> None:
        """It does not come to it: declined by the one county or withdrawn by the other."""
        self.must_offer()
        self._move_ended(end=end, reason=reason)

    @event("MoveEnded")
    def _move_ended(self, end: MoveEnd, reason: str) -> None:
        self.offer = None

    def must_offer_still(self, now: Counting) -> MoveOffer:
        """The offer that may be accepted yet."""
        self.check_open()
        offer = self.must_offer()
        if now.left(offer.due_at) < IN_TIME:
            raise MoveOfferExpired(household=self.id, head=self.head_masked, due_at=offer.due_at)
        return offer

    def must_offer(self) -> MoveOffer:
        if self.offer is None:
            raise NoMoveOffered(household=self.id, head=self.head_masked)
        return self.offer

    def merge_into(self, other: "Household", moved: tuple[Member, ...], reason: str) -> None:
        """Two entries of one household become one: this one's members go over to ``other``.

        ``moved`` are the members sealed anew for the other stream, without those it has already.
        A fact in the stream of each, in one commit.
        """
        self.check_open()
        other.check_open()
        if other.id == self.id:
            raise Malformed(
                field="into",
                value=str(self.id),
                rule_zh="不能并入自身",
                rule_en="a household is not merged into itself",
            )
        unnamed = self.unnamed
        self._merged(into=other.id, reason=reason)
        other._absorbed(household=self.id, members=moved, unnamed=unnamed, reason=reason)

    @event("Merged")
    def _merged(self, into: UUID, reason: str) -> None:
        self.merged_into = into
        self.members.clear()
        self.unnamed = 0
        self.contested.clear()
        self.card = None
        self.head = None

    @event("Absorbed")
    def _absorbed(
        self, household: UUID, members: tuple[Member, ...], unnamed: int, reason: str
    ) -> None:
        self.unnamed += unnamed
        for member in members:
            self.members[member.person] = member

    def contest(self, person: UUID, hold_until: datetime | None = None) -> None:
        """Another household claims this member too. Not said here: which.

        The contest holds payments until a superior decides (None: this is the later claim), or at
        most until a moment (this claim was first). A claim that has waited once does not wait
        again because somebody claims the person anew.
        """
        if person in self.members and person not in self.contested:
            until = hold_until and (self.holds.get(person) or hold_until)
            self._member_contested(person=person, hold_until=until)

    @event("MemberContested")
    def _member_contested(self, person: UUID, hold_until: datetime | None) -> None:
        self.contested.add(person)
        self.holds[person] = hold_until

    def held_by_contests(self, now: Counting) -> int:
        """How many members' contests hold this household's payments back now."""
        untils = [self.holds[person] for person in self.contested]
        return sum(until is None or now.left(until) > IN_TIME for until in untils)

    def settle_contest(self, person: UUID, kept: bool) -> None:
        """The contest is over: the member stays, or is no longer one of this household."""
        if person in self.contested:
            self._contest_settled(person=person, kept=kept)

    @event("ContestSettled")
    def _contest_settled(self, person: UUID, kept: bool) -> None:
        self.contested.discard(person)
        if not kept:
            self._lose(person)
            self.losses = Losses(self.losses.died, self.losses.gone + 1)

    @event("Revealed")
    def reveal(self, reason: str) -> None:
        """Somebody was shown the sealed texts of this household, and why (design §7)."""

    def _successor(self, leaving: UUID, new_head: UUID | None) -> UUID | None:
        """Who becomes head when ``leaving`` goes, or None if nobody has to."""
        if leaving != self.head:
            return new_head
        rest = len(self.members) - 1
        if rest == 0:
            return None
        if new_head is None or new_head == leaving or new_head not in self.members:
            raise HeadNeeded(household=self.id, members=rest)
        return new_head

    def _lose(self, person: UUID) -> None:
        self.members.pop(person, None)
        self.contested.discard(person)
        if self.head == person:
            self.head = None
        if self.card is not None and self.card.holder == person:
            self.card = None


def _held_until_decided(fact: dict[str, Any]) -> None:
    """Before contests had a term, each held payments until a superior decided."""
    fact["hold_until"] = None


grown(Household.MemberContested, _held_until_decided)


def _named_only(fact: dict[str, Any]) -> None:
    """Before villages had groups with sub-codes, a household's group was a name alone."""
    fact["group_code"] = ""


grown(Household.Registered, _named_only)
grown(Household.Moved, _named_only)
