"""The desk for villagers' groups 村民小组: named, renamed and ended by who keeps the village, or by
the township above it."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from uuid import UUID

from domain.area import Area
from domain.commands.areas import KEEPERS, OnArea
from domain.commands.sealing import not_future
from domain.refusal import Malformed
from domain.village_group import MOST_GROUPS, group_meant
from domain.world import Result, Role, World

GROUP_KEEPERS = KEEPERS | {Role.TOWNSHIP_REVIEWER}


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupInput:
    """A group to be named. Without a sub-code it gets the number in its name, if that is free, or
    else the next free one."""

    name: str
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfVillage(OnArea):
    """What all changes of a village's groups share. ``document_no`` may be left out: most groups
    are named by no paper."""

    roles: ClassVar[frozenset[Role]] = GROUP_KEEPERS
    area: UUID
    effective_on: date
    """Not after today: a group is named or ended at once, and an order about one to come would be
    carried out before its day."""
    document_no: str = ""

    @classmethod
    def check(cls, world: World, area: Area) -> None:
        area.require_groups()


@dataclass(frozen=True, slots=True, kw_only=True)
class NameVillageGroups(_OfVillage):
    """Name one or more groups of a village: all of them, or none. Answers their sub-codes."""

    groups: tuple[GroupInput, ...]

    def decide(self, world: World) -> Result | None:
        if not 1 <= len(self.groups) <= MOST_GROUPS:
            raise Malformed(
                field="groups",
                value=str(len(self.groups)),
                rule_zh=f"应为 1 至 {MOST_GROUPS} 个",
                rule_en=f"1 to {MOST_GROUPS}",
            )
        not_future(world, "effective_on", self.effective_on)
        village = world.get(Area, self.area)
        kept = frozenset(one.code for one in self.groups if one.code)
        codes = [
            village.name_group(one.code, one.name, self.effective_on, self.document_no, kept)
            for one in self.groups
        ]
        return {"codes": codes}


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfGroup(_OfVillage):
    """A step of one of its groups."""

    code: str

    @classmethod
    def check(cls, world: World, area: Area) -> None:
        area.require_some_group()


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameVillageGroup(_OfGroup):
    """Give a group another name from a day on; its sub-code stays."""

    name: str

    def decide(self, world: World) -> Result | None:
        not_future(world, "effective_on", self.effective_on)
        village = world.get(Area, self.area)
        village.rename_group(self.code, self.name, self.effective_on, self.document_no)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndVillageGroup(_OfGroup):
    """A group is no more. Its sub-code is given to no other."""

    def decide(self, world: World) -> Result | None:
        not_future(world, "effective_on", self.effective_on)
        village = world.get(Area, self.area)
        village.end_group(self.code, self.effective_on, self.document_no)
        return None


def group_referred_to(world: World, village: UUID, group: str, group_code: str) -> tuple[str, str]:
    """What a household's fact says of its group: the name of the day, and the sub-code.

    By ``group_code`` if it is given: a living group of the village. Else the living group that
    ``group``, typed freely, means; a text that means none, or more than one, stays as it is and
    refers to none: the sub-code is "".
    """
    found = world.get(Area, village)
    if group_code:
        return found.living_group(group_code).name, group_code
    meant = group_meant(found.groups.values(), group) if group.strip() else None
    return (group, "") if meant is None else (meant.name, meant.code)
