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
    day, ``count`` the rooms or deaths of a rate per room or death. ``dead`` and ``house``: the rows
    of the rosters that it names.
    """

    persons: int
    kinds: tuple[NeedKind, ...]
    cause: Cause
    rate: str = ""
    days: int = 1
    count: int = 1
    dead: tuple[UUID, ...] = ()
    house: UUID | None = None

    def exceeds(self, old: "Need") -> bool:
        """Whether this could give a household more than ``old``: more persons, days, rooms or
        deaths, another rate, or for others than it named."""
        more = self.persons > old.persons or self.days > old.days or self.count > old.count
        others = not set(self.dead) <= set(old.dead) or self.house != old.house
        return more or others or self.rate != old.rate


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


@dataclass(eq=False)
class TooManyDays(Refusal):
    zh: ClassVar[str] = "申请 {days} 天，本标准最多 {most} 天"
    en: ClassVar[str] = "{days} {days:day|days} asked for: this rate gives {most} at most."
    days: int
    most: int


@dataclass(eq=False)
class NotTenDays(Refusal):
    """旱灾 is helped by whole 旬."""

    zh: ClassVar[str] = "申请 {days} 天：本标准按旬（10 天）计算，天数须是 10 的整数倍"
    en: ClassVar[str] = (
        "{days} {days:day|days} asked for: this rate goes by ten days, so it takes whole tens."
    )
    days: int


@dataclass(eq=False)
class DeadNotNamed(Refusal):
    """抚慰 goes by the roster of people: a row there says who died."""

    zh: ClassVar[str] = "本救助项目须写明台账上的遇难人员"
    en: ClassVar[str] = "This programme asks who died, as the roster of people has it."


@dataclass(eq=False)
class HomeNotNamed(Refusal):
    """倒损房 goes by the roster of homes: a row there says which home, and how damaged."""

    zh: ClassVar[str] = "本救助项目须写明台账上的受损住房"
    en: ClassVar[str] = "This programme asks which home, as the roster of homes has it."


@dataclass(eq=False)
class NotAmongTheDead(Refusal):
    zh: ClassVar[str] = "{masked}不是本次灾害人员台账上的遇难人员"
    en: ClassVar[str] = "{masked} is not among the dead on the rosters of this disaster."
    masked: str


@dataclass(eq=False)
class NotAmongHomes(Refusal):
    zh: ClassVar[str] = "{masked}的住房不在本次灾害的住房台账上"
    en: ClassVar[str] = "The home of {masked} is on no roster of this disaster."
    masked: str


@dataclass(eq=False)
class HelpedAlready(Refusal):
    """One dead person is condoled for once, one home is helped once."""

    zh: ClassVar[str] = "{masked}已在另一户的申请（{case}）中，不能重复救助"
    en: ClassVar[str] = "{masked} stands in another household's application ({case}) already."
    masked: str
    case: UUID


@dataclass(eq=False)
class MaybeHelped(Refusal):
    """A row of the same name on another roster of the disaster is named already, and no ID number
    tells the two apart: a question. Who says ``another`` is believed, and the fact is theirs."""

    zh: ClassVar[str] = (
        "{masked}可能与另一份台账上的是同一人（{reason_zh}），那一行已在另一户的申请（{case}）中。"
        "若确是另一人，请勾选“是另一人”后再提交"
    )
    en: ClassVar[str] = (
        "{masked} is likely the same person as one on another roster ({reason_en}), who stands in "
        "another household's application ({case}): say that it is another, if it is."
    )
    masked: str
    reason_zh: str
    reason_en: str
    case: UUID


@dataclass(eq=False)
class AnothersHome(Refusal):
    zh: ClassVar[str] = "{masked}的住房登记在另一户名下，不能由本户申请"
    en: ClassVar[str] = "The home of {masked} is recorded as another household's."
    masked: str


@dataclass(eq=False)
class RateForOtherDamage(Refusal):
    zh: ClassVar[str] = "{masked}的住房评定为“{grade}”，与所选标准档次不符"
    en: ClassVar[str] = "The home of {masked} is graded {grade}: the rate is for other damage."
    masked: str
    grade: str
