"""Need 需救助 as a value: for how many, of what, why; and how an application is refused."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.refusal import Refusal


class NeedKind(StrEnum):
    """What is lacking (domain.md §2.1)."""

    FOOD = "food"  # 口粮
    CLOTHING = "clothing"  # 衣被
    WATER = "water"  # 饮水
    HEATING = "heating"  # 取暖
    MEDICAL = "medical"  # 医疗
    HOUSING = "housing"  # 住房
    OTHER = "other"


class Cause(StrEnum):
    """Why (the sweep's classes of domain.md §2.2, and what other programmes need)."""

    HOUSE_COLLAPSED = "house_collapsed"  # 因灾倒房
    HOUSE_DAMAGED = "house_damaged"
    CROP_LOSS = "crop_loss"  # 减产绝收
    INJURY = "injury"  # 伤残
    DEATH = "death"
    EVACUATED = "evacuated"  # 转移安置
    WATER_SHORTAGE = "water_shortage"
    OTHER = "other"


class Tier(StrEnum):
    PRIORITY = "priority"  # 重点救助
    GENERAL = "general"  # 一般救助


class Need(msgspec.Struct, frozen=True, omit_defaults=True):
    """For how many persons and why; ``rate``, ``days`` and ``count`` say how it is reckoned.

    ``rate`` is a key of the standard ("" = the usual one), ``days`` for a rate per person and
    day, ``count`` the rooms or deaths of a rate per room or death.
    """

    persons: int
    kinds: tuple[NeedKind, ...]
    cause: Cause
    rate: str = ""
    days: int = 1
    count: int = 1

    def exceeds(self, old: "Need") -> bool:
        """Whether this could give a household more than ``old``: more persons, days, rooms or
        deaths, or another rate."""
        more = self.persons > old.persons or self.days > old.days or self.count > old.count
        return more or self.rate != old.rate


@dataclass(eq=False)
class DuplicateApplication(Refusal):
    """One household has one case a season: the second application is named here."""

    zh: ClassVar[str] = "户 {household} 在本救助年度已有申请（{case}）"
    en: ClassVar[str] = "Household {household} has a case in this season already ({case})."
    household: UUID
    case: UUID


@dataclass(eq=False)
class PersonsExceedHousehold(Refusal):
    """The dead and those who left do not count."""

    zh: ClassVar[str] = "需救助 {persons} 人，但户 {household} 现有成员只有 {size} 人"
    en: ClassVar[str] = (
        "{persons} {persons:person|persons} in need, but household {household} has {size} "
        "{size:member|members}."
    )
    household: UUID
    persons: int
    size: int


@dataclass(eq=False)
class NotForThisKind(Refusal):
    zh: ClassVar[str] = "本救助项目不面向家庭类型“{category}”"
    en: ClassVar[str] = "This programme is not for households of kind {category}."
    household: UUID
    category: str
