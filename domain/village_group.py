"""Villagers' groups 村民小组: named parts of a village, which households refer to.

A group is no division: it has no code of its own in the register, reports nothing and holds
nothing. Within its village it has a sub-code of two digits, 01 to 99, that no other group there
ever gets, also after its end; so a household's village and sub-code say for ever what was meant.
Public notices are posted at this level (自然灾害救助条例, art. 20).
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.half_width import half_width
from domain.refusal import Malformed, Refusal, missing

MOST_GROUPS = 99
LONGEST_NAME = 30
CODES = tuple(f"{number:02d}" for number in range(1, MOST_GROUPS + 1))
"""Sub-codes, in their order."""

_SAID = re.compile(r"(?P<rest>.*?)(村民小组|村民组|小组|组)", re.DOTALL)
_HAN = re.compile(r"(?P<tens>[一二三四五六七八九]?十)?(?P<ones>[一二三四五六七八九])?")
_HAN_DIGITS = {han: number for number, han in enumerate("一二三四五六七八九", 1)}


class VillageGroup(msgspec.Struct, frozen=True):
    """A group of a village. ``ended_on``: it is no more.

    ``passed_to``: the village that took it over in a merger, as its group ``passed_code``; "" where
    that village had no sub-code left.
    """

    code: str
    name: str
    since: date
    ended_on: date | None = None
    passed_to: UUID | None = None
    passed_code: str = ""

    @property
    def living(self) -> bool:
        return self.ended_on is None


@dataclass(eq=False)
class OnlyVillagesHaveGroups(Refusal):
    zh: ClassVar[str] = "只有村（社区）下设村民小组，{name} 是 {level} 级"
    en: ClassVar[str] = "Only villages have groups; {name} is of level {level}."
    area: UUID
    name: str
    level: str


@dataclass(eq=False)
class GroupCodeTaken(Refusal):
    """A sub-code stands for one group for ever, also when that group is no more."""

    zh: ClassVar[str] = "{name}的小组代码 {group_code} 已是“{group}”的，撤销后也不再给别的小组"
    en: ClassVar[str] = (
        "Sub-code {group_code} of {name} is that of the group {group}: no other group ever gets it."
    )
    area: UUID
    name: str
    group_code: str
    group: str


@dataclass(eq=False)
class GroupNameTaken(Refusal):
    """Two living groups of a village are not called alike: 3组 and 第三村民小组 are one name."""

    zh: ClassVar[str] = "{name}已有名为“{group}”的小组（代码 {group_code}）"
    en: ClassVar[str] = "{name} has a group called {group} already (sub-code {group_code})."
    area: UUID
    name: str
    group_code: str
    group: str


@dataclass(eq=False)
class NoGroupCodeLeft(Refusal):
    zh: ClassVar[str] = "{name}的小组代码 01 至 99 已全部用过"
    en: ClassVar[str] = "{name} has used all sub-codes for groups, 01 to 99."
    area: UUID
    name: str


@dataclass(eq=False)
class NoGroupThere(Refusal):
    zh: ClassVar[str] = "{name}没有村民小组"
    en: ClassVar[str] = "{name} has no villagers' group."
    area: UUID
    name: str


@dataclass(eq=False)
class NoSuchGroup(Refusal):
    zh: ClassVar[str] = "{name}没有代码为 {group_code} 的村民小组"
    en: ClassVar[str] = "{name} has no group with the sub-code {group_code}."
    area: UUID
    name: str
    group_code: str


@dataclass(eq=False)
class GroupIsNoMore(Refusal):
    zh: ClassVar[str] = "{name}的“{group}”（代码 {group_code}）已于 {ended_on} 撤销"
    en: ClassVar[str] = "The group {group} of {name} (sub-code {group_code}) ended on {ended_on}."
    area: UUID
    name: str
    group_code: str
    group: str
    ended_on: date


def check_group_code(code: str, field: str = "code") -> None:
    """A sub-code is 01 to 99. `Malformed` otherwise."""
    if code not in CODES:
        raise Malformed(
            field=field,
            value=code if re.fullmatch(r"[0-9]{1,6}", code, re.ASCII) else "…",
            rule_zh="小组代码应为两位数字，01 至 99",
            rule_en="a group's sub-code has two digits, 01 to 99",
        )


def group_name(text: str) -> str:
    """A group's name as it is kept: half-width, without blanks around it or beside Chinese.

    `Malformed` if nothing is left, or more than 30 characters.
    """
    name = " ".join(half_width(text).split())
    if not name.isascii():
        name = name.replace(" ", "")
    if not name:
        raise missing("name")
    if len(name) > LONGEST_NAME:
        raise Malformed(
            field="name",
            value="…",
            rule_zh=f"小组名称最多 {LONGEST_NAME} 个字",
            rule_en=f"a group's name has at most {LONGEST_NAME} characters",
        )
    return name


@lru_cache(maxsize=4096)
def group_key(text: str) -> str:
    """What a name comes to, however it is written: the number, or the name without 组.

    >>> group_key("第十二村民小组"), group_key("03组"), group_key("３"), group_key("柳树组")
    ('12', '3', '3', '柳树')
    """
    said = "".join(half_width(text).split()).casefold()
    found = _SAID.fullmatch(said)
    rest = (found["rest"] if found is not None else said).removeprefix("第") or said
    number = _number(rest)
    return rest if number is None else str(number)


def _number(text: str) -> int | None:
    if re.fullmatch(r"[0-9]{1,2}", text, re.ASCII):
        return int(text)
    found = _HAN.fullmatch(text)
    if not text or found is None:
        return None
    tens = found["tens"]
    high = _HAN_DIGITS.get(tens[0], 1) if tens else 0
    return 10 * high + _HAN_DIGITS.get(found["ones"] or "", 0)


def suggested_code(name: str, used: Collection[str]) -> str | None:
    """The sub-code a new group gets: the number in its name if that is free, else the lowest that
    no group ever had. None: all have been used."""
    key = group_key(name)
    meant = f"{int(key):02d}" if key.isascii() and key.isdigit() else ""
    if meant in CODES and meant not in used:
        return meant
    return next((code for code in CODES if code not in used), None)


def group_meant(groups: Iterable[VillageGroup], text: str) -> VillageGroup | None:
    """The one living group that people mean by this: 03, 3组, 第三村民小组, 柳树组.

    By sub-code if it is written as one; else by name, and a number that no name has is the
    sub-code of a group whose own name has no number. None: none, or more than one.
    """
    living = [group for group in groups if group.living]
    written = "".join(half_width(text).split())
    if written in CODES:
        by_code = [group for group in living if group.code == written]
        if by_code:
            return by_code[0]
    key = group_key(text)
    called = [group for group in living if group_key(group.name) == key]
    if not called and key.isascii() and key.isdigit():
        called = [
            group
            for group in living
            if int(group.code) == int(key) and not group_key(group.name).isdigit()
        ]
    return called[0] if len(called) == 1 else None


def codes_after_merger(
    groups: Iterable[VillageGroup], used: Collection[str]
) -> list[tuple[VillageGroup, str]]:
    """Which sub-code each living group of a village gets in the one it is merged into, whose
    ``used`` ones no other group may have: its own if it is free, else the next free one; "" when
    none is left. Those that keep theirs go first."""
    living = sorted((group for group in groups if group.living), key=lambda group: group.code)
    taken = set(used) | {group.code for group in living}
    free = iter([code for code in CODES if code not in taken])
    return [(group, group.code if group.code not in used else next(free, "")) for group in living]
