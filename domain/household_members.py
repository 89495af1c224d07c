"""Who belongs to a household 户: its members, their relation to the head, who it lost so far."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.refusal import Refusal
from domain.world import Sealed


class Sex(StrEnum):
    MALE = "male"
    FEMALE = "female"


class Relation(StrEnum):
    """Relation to the head of the household 与户主关系."""

    HEAD = "head"  # 户主
    SPOUSE = "spouse"
    CHILD = "child"
    CHILD_IN_LAW = "child_in_law"
    GRANDCHILD = "grandchild"
    PARENT = "parent"
    GRANDPARENT = "grandparent"
    SIBLING = "sibling"
    OTHER = "other"


class Member(msgspec.Struct, frozen=True, omit_defaults=True):
    """One person of the household. ``name`` and ``id_number`` are sealed; ``masked`` is 张*三."""

    person: UUID
    masked: str
    relation: Relation
    name: Sealed
    id_number: Sealed | None = None
    sex: Sex | None = None
    birth_year: int | None = None


class Losses(msgspec.Struct, frozen=True):
    """How many members a household has lost so far: by death, and by leaving or a lost contest.

    Whoever sets amounts keeps what they knew of it, so that a later loss is seen.
    """

    died: int = 0
    gone: int = 0


@dataclass(eq=False)
class AlreadyMember(Refusal):
    zh: ClassVar[str] = "{masked} 已是户 {household} 的成员，或在名单中重复出现"
    en: ClassVar[str] = "{masked} is a member of household {household} already, or named twice."
    household: UUID
    masked: str


@dataclass(eq=False)
class NotAMember(Refusal):
    zh: ClassVar[str] = "人员 {person} 不是户 {household} 的成员"
    en: ClassVar[str] = "Person {person} is not a member of household {household}."
    household: UUID
    person: UUID


@dataclass(eq=False)
class HeadNeeded(Refusal):
    """A household with members has one head, who must be one of them."""

    zh: ClassVar[str] = "户 {household} 还有 {members} 名成员，须先指定其中一人为新户主"
    en: ClassVar[str] = (
        "Household {household} still has {members} {members:member|members}: name one its head."
    )
    household: UUID
    members: int
