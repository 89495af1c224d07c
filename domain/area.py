"""Area 区划: one division of the tree, from the nation to a village, by a stable id.

Codes, names and even lives of divisions change (潜山县 340824 became 潜山市 340882 in 2018,
domain.md §4.1); the id never does. Every change has the day it takes effect and a document
number, so that a report can be shown with the code of its own day (``code_at``).

A warehouse is an area too: a stockpile's warehouse is the area that owns the goods.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import msgspec
from eventsourcing.domain import event

from domain.base import Aggregate
from domain.refusal import Malformed, NotFound, Refusal, missing
from domain.village_group import (
    GroupCodeTaken,
    GroupIsNoMore,
    GroupNameTaken,
    NoGroupCodeLeft,
    NoGroupThere,
    NoSuchGroup,
    OnlyVillagesHaveGroups,
    VillageGroup,
    check_group_code,
    codes_after_merger,
    group_key,
    group_name,
    suggested_code,
)
from domain.world import World


class AreaLevel(StrEnum):
    """Levels of the tree, the highest first."""

    NATION = "nation"
    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    TOWNSHIP = "township"
    VILLAGE = "village"


RANK: dict[str, int] = {level: rank for rank, level in enumerate(AreaLevel)}
CODE = re.compile(r"[0-9]{6}([0-9]{6})?")


@dataclass(eq=False)
class AreaAbolished(Refusal):
    """An area that is no more cannot be a parent, a target, or changed."""

    zh: ClassVar[str] = "{name} 已于 {abolished_on} 撤销"
    en: ClassVar[str] = "{name} was abolished on {abolished_on}."
    area: UUID
    name: str
    abolished_on: date


@dataclass(eq=False)
class WrongLevel(Refusal):
    """An area lies under one of a higher level."""

    zh: ClassVar[str] = "{level} 级区划不能设在 {parent_level} 级区划之下"
    en: ClassVar[str] = "An area of level {level} cannot lie under one of level {parent_level}."
    area: UUID
    level: str
    parent: UUID
    parent_level: str


@dataclass(eq=False)
class OnlyVillagesMerge(Refusal):
    """Merging and splitting is for villages: areas above them keep what lies under them."""

    zh: ClassVar[str] = "只有村（居）可以合并或拆分，{name} 是 {level} 级"
    en: ClassVar[str] = "Only villages merge and split; {name} is of level {level}."
    area: UUID
    name: str
    level: str


@dataclass(eq=False)
class ChangesOutOfOrder(Refusal):
    """A change cannot take effect before the change of the same kind that preceded it."""

    zh: ClassVar[str] = "生效日期 {effective_on} 早于上一次变更（{latest}）"
    en: ClassVar[str] = "{effective_on} lies before the last change, which took effect on {latest}."
    area: UUID
    effective_on: date
    latest: date


def check_code(code: str) -> None:
    """A code has 6 digits or 12. `Malformed` otherwise."""
    if CODE.fullmatch(code) is None:
        raise Malformed(
            field="code", value=code, rule_zh="应为 6 位或 12 位数字", rule_en="6 or 12 digits"
        )


def check_text(field: str, text: str) -> None:
    """A text that must be there. `Malformed` if it is blank."""
    if not text.strip():
        raise missing(field)


def common(world: World, areas: Iterable[UUID]) -> UUID:
    """The lowest area that lies above all of these, or is one of them. Else `NotFound`."""
    first, *rest = areas
    shared = world.lineage(first)
    for area in rest:
        lineage = world.lineage(area)
        shared = tuple(step for step in shared if step in lineage)
        if not shared:
            raise NotFound(kind="Area", id=area)
    return shared[0]


class Area(Aggregate):
    """One division. ``parent`` None is the root of this log's tree."""

    @event("Established")
    def __init__(
        self,
        id: UUID,
        code: str,
        name: str,
        level: AreaLevel,
        parent: UUID | None,
        established_on: date,
        document_no: str,
    ) -> None:
        self.level = level
        self.parent = parent
        self.established_on = established_on
        self.abolished_on: date | None = None
        self.merged_into: UUID | None = None
        self.split_from: UUID | None = None
        self.codes = [(established_on, code)]
        self.names = [(established_on, name)]
        self.groups: dict[str, VillageGroup] = {}

    @property
    def home(self) -> UUID:
        return self.id

    @property
    def above(self) -> UUID | None:
        """Who reaches it from above: of a merged village its successor, else its parent."""
        return self.parent if self.merged_into is None else self.merged_into

    @property
    def code(self) -> str:
        """The latest code."""
        return self.codes[-1][1]

    @property
    def name(self) -> str:
        """The latest name."""
        return self.names[-1][1]

    def code_at(self, day: date) -> str:
        """The code as it was on that day; before the area was established, its first code."""
        return _at(self.codes, day)

    def name_at(self, day: date) -> str:
        """The name as it was on that day; before the area was established, its first name."""
        return _at(self.names, day)

    def require_living(self, on: date | None = None) -> None:
        """`AreaAbolished` if this area has been abolished, or was on that day."""
        if self.abolished_on is not None and (on is None or on >= self.abolished_on):
            raise AreaAbolished(area=self.id, name=self.name, abolished_on=self.abolished_on)

    def require_place_under(self, parent: "Area | None") -> None:
        """`WrongLevel` or `AreaAbolished` unless this area may lie under that one."""
        if parent is None:
            return
        parent.require_living()
        if RANK[parent.level] >= RANK[self.level]:
            raise WrongLevel(
                area=self.id, level=self.level, parent=parent.id, parent_level=parent.level
            )

    def rename(self, name: str, effective_on: date, document_no: str) -> None:
        check_text("name", name)
        self.require_living()
        self._require_order(effective_on, self.names[-1][0])
        self._renamed(name=name, effective_on=effective_on, document_no=document_no)

    @event("Renamed")
    def _renamed(self, name: str, effective_on: date, document_no: str) -> None:
        self.names.append((effective_on, name))

    def change_code(self, code: str, effective_on: date, document_no: str) -> None:
        check_code(code)
        self.require_living()
        self._require_order(effective_on, self.codes[-1][0])
        self._code_changed(code=code, effective_on=effective_on, document_no=document_no)

    @event("CodeChanged")
    def _code_changed(self, code: str, effective_on: date, document_no: str) -> None:
        self.codes.append((effective_on, code))

    def merge_into(self, target: UUID, effective_on: date, document_no: str) -> None:
        """All of this village becomes part of the target; this village is no more."""
        self.require_village()
        self._require_order(effective_on, self.established_on)
        if target == self.id:
            raise Malformed(
                field="into",
                value=str(target),
                rule_zh="不能并入自身",
                rule_en="an area cannot merge into itself",
            )
        self._merged_into(target=target, effective_on=effective_on, document_no=document_no)

    @event("MergedInto")
    def _merged_into(self, target: UUID, effective_on: date, document_no: str) -> None:
        self.merged_into = target
        self.abolished_on = effective_on

    def split_off(self, source: "Area", effective_on: date, document_no: str) -> None:
        """A part of the source becomes, or joins, this village."""
        self.require_village()
        source.require_village()
        source._require_order(effective_on, source.established_on)
        if source.id == self.id:
            raise Malformed(
                field="source",
                value=str(source.id),
                rule_zh="不能从自身拆出",
                rule_en="an area cannot be split from itself",
            )
        self._split_from(source=source.id, effective_on=effective_on, document_no=document_no)

    @event("SplitFrom")
    def _split_from(self, source: UUID, effective_on: date, document_no: str) -> None:
        self.split_from = source

    def abolish(self, effective_on: date, document_no: str) -> None:
        self.require_living()
        self._require_order(effective_on, self.established_on)
        self._abolished(effective_on=effective_on, document_no=document_no)

    @event("Abolished")
    def _abolished(self, effective_on: date, document_no: str) -> None:
        self.abolished_on = effective_on

    # villagers' groups, by sub-code

    def name_group(
        self,
        code: str,
        name: str,
        effective_on: date,
        document_no: str,
        kept: frozenset[str] = frozenset(),
    ) -> str:
        """A new group; answers its sub-code. Without one given (""), the number in its name or the
        next free one, but none of ``kept``. Named so already, nothing is to be done."""
        self.require_groups()
        name = group_name(name)
        if not code:
            code = suggested_code(name, self.groups.keys() | kept) or ""
            if not code:
                raise NoGroupCodeLeft(area=self.id, name=self.name)
        check_group_code(code)
        known = self.groups.get(code)
        if known is not None:
            if known.living and known.name == name:
                return code
            raise GroupCodeTaken(area=self.id, name=self.name, group_code=code, group=known.name)
        self._require_free_name(name)
        self._require_order(effective_on, self.established_on)
        self._group_named(code=code, name=name, effective_on=effective_on, document_no=document_no)
        return code

    @event("GroupNamed")
    def _group_named(self, code: str, name: str, effective_on: date, document_no: str) -> None:
        self.groups[code] = VillageGroup(code, name, effective_on)

    def rename_group(self, code: str, name: str, effective_on: date, document_no: str) -> None:
        self.require_groups()
        known = self.living_group(code)
        name = group_name(name)
        if known.name == name:
            return
        self._require_free_name(name, besides=code)
        self._require_order(effective_on, known.since)
        self._group_renamed(
            code=code, name=name, effective_on=effective_on, document_no=document_no
        )

    @event("GroupRenamed")
    def _group_renamed(self, code: str, name: str, effective_on: date, document_no: str) -> None:
        self.groups[code] = VillageGroup(code, name, effective_on)

    def end_group(self, code: str, effective_on: date, document_no: str) -> None:
        """The group is no more. Households that refer to it go on doing so until somebody puts
        them into another one."""
        self.require_groups()
        known = self.group(code)
        if not known.living:
            return
        self._require_order(effective_on, known.since)
        self._group_ended(code=code, effective_on=effective_on, document_no=document_no)

    @event("GroupEnded")
    def _group_ended(self, code: str, effective_on: date, document_no: str) -> None:
        self.groups[code] = msgspec.structs.replace(self.groups[code], ended_on=effective_on)

    def pass_groups(self, into: "Area", effective_on: date, document_no: str) -> int:
        """The groups of this merged village go to the one it was merged into: by their names, and
        by their sub-codes where those are free there. A fact in the stream of each, in one commit.
        Answers how many went; those that went before stay where they are."""
        going = codes_after_merger(self.groups.values(), into.groups.keys())
        for group, code in going:
            self._group_passed_on(
                code=group.code,
                into=into.id,
                into_code=code,
                effective_on=effective_on,
                document_no=document_no,
            )
            if code:
                into._group_taken_over(
                    code=code,
                    name=group.name,
                    origin=self.id,
                    origin_code=group.code,
                    effective_on=effective_on,
                    document_no=document_no,
                )
        return len(going)

    @event("GroupPassedOn")
    def _group_passed_on(
        self, code: str, into: UUID, into_code: str, effective_on: date, document_no: str
    ) -> None:
        self.groups[code] = msgspec.structs.replace(
            self.groups[code], ended_on=effective_on, passed_to=into, passed_code=into_code
        )

    @event("GroupTakenOver")
    def _group_taken_over(
        self,
        code: str,
        name: str,
        origin: UUID,
        origin_code: str,
        effective_on: date,
        document_no: str,
    ) -> None:
        self.groups[code] = VillageGroup(code, name, effective_on)

    def group(self, code: str) -> VillageGroup:
        """The group of that sub-code, ended ones too; else `NoSuchGroup`."""
        check_group_code(code)
        known = self.groups.get(code)
        if known is None:
            raise NoSuchGroup(area=self.id, name=self.name, group_code=code)
        return known

    def living_group(self, code: str) -> VillageGroup:
        """The group of that sub-code; `GroupIsNoMore` if it has ended."""
        known = self.group(code)
        if known.ended_on is not None:
            raise GroupIsNoMore(
                area=self.id,
                name=self.name,
                group_code=code,
                group=known.name,
                ended_on=known.ended_on,
            )
        return known

    def require_some_group(self) -> None:
        """`NoGroupThere` if it never had one that could be named."""
        self.require_groups()
        if not self.groups:
            raise NoGroupThere(area=self.id, name=self.name)

    def require_groups(self) -> None:
        """It is a village that is there, and so may have groups."""
        self.require_living()
        if self.level != AreaLevel.VILLAGE:
            raise OnlyVillagesHaveGroups(area=self.id, name=self.name, level=self.level)

    def _require_free_name(self, name: str, besides: str = "") -> None:
        key = group_key(name)
        for one in self.groups.values():
            if one.living and one.code != besides and group_key(one.name) == key:
                raise GroupNameTaken(
                    area=self.id, name=self.name, group_code=one.code, group=one.name
                )

    def require_village(self) -> None:
        self.require_living()
        if self.level != AreaLevel.VILLAGE:
            raise OnlyVillagesMerge(area=self.id, name=self.name, level=self.level)

    def _require_order(self, effective_on: date, latest: date) -> None:
        if effective_on < latest:
            raise ChangesOutOfOrder(area=self.id, effective_on=effective_on, latest=latest)


def _at(history: list[tuple[date, str]], day: date) -> str:
    index = bisect_right(history, day, key=lambda change: change[0])
    return history[max(index - 1, 0)][1]


def successor(world: World, area: Area) -> Area:
    """The living village that it has become part of, however many mergers later; itself if none."""
    while area.merged_into is not None:
        area = world.get(Area, area.merged_into)
    return area
