"""The desk for divisions: the tree, its names and codes, merges and splits of villages."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from uuid import UUID

from domain.area import Area, AreaLevel, check_code, check_text, common
from domain.commands.checked import Checked
from domain.ids import NewId
from domain.refusal import Malformed
from domain.seat import keeper_of, seat_of
from domain.world import About, Command, Result, Role, World

AREA = About("areas", Area, "area")
KEEPERS = frozenset({Role.SYSTEM, Role.ADMINISTRATOR})


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaPlan:
    """An area to be established. ``parent`` None is the root of the tree."""

    id: NewId
    code: str
    name: str
    level: AreaLevel
    parent: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeChange:
    """A new code for one area."""

    area: UUID
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """The village ``area`` goes wholly into the village ``into``."""

    area: UUID
    into: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A part of the village ``source`` becomes, or joins, the village ``area``."""

    area: UUID
    source: UUID


def _establish(world: World, plan: AreaPlan, established_on: date, document_no: str) -> None:
    check_code(plan.code)
    check_text("name", plan.name)
    parent = world.get(Area, plan.parent) if plan.parent is not None else None
    area = Area(
        id=plan.id,
        code=plan.code,
        name=plan.name,
        level=plan.level,
        parent=plan.parent,
        established_on=established_on,
        document_no=document_no,
    )
    area.require_place_under(parent)
    world.add(area)


def _above(world: World, area: UUID) -> UUID:
    """The area above this one; a root has only itself."""
    parent = world.get(Area, area).parent
    return area if parent is None else parent


def kept_from(world: World, area: UUID) -> UUID:
    """Where name and code of an area are kept."""
    return keeper_of(area, world.get(Area, area).parent, seat_of(world))


def _above_plans(world: World, plans: Iterable[AreaPlan]) -> UUID:
    """The lowest area above all these plans that is not itself one of them."""
    planned = {plan.id for plan in plans}
    outside = [p.parent or p.id for p in plans if p.parent is None or p.parent not in planned]
    if not outside:
        raise Malformed(
            field="areas",
            value="",
            rule_zh="至少一个区划，且不能互为上级",
            rule_en="at least one area, and no circle of parents",
        )
    return common(world, outside)


@dataclass(frozen=True, slots=True, kw_only=True)
class EstablishArea(Command):
    """Establish an area under its parent."""

    roles: ClassVar[frozenset[Role]] = KEEPERS
    id: NewId
    code: str
    name: str
    level: AreaLevel
    parent: UUID | None
    established_on: date
    document_no: str

    def scope(self, world: World) -> UUID:
        return self.id if self.parent is None else self.parent

    def decide(self, world: World) -> Result | None:
        plan = AreaPlan(
            id=self.id, code=self.code, name=self.name, level=self.level, parent=self.parent
        )
        _establish(world, plan, self.established_on, self.document_no)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class EstablishAreas(Command):
    """Establish many areas at once, parents before their children."""

    roles: ClassVar[frozenset[Role]] = KEEPERS
    areas: tuple[AreaPlan, ...]
    established_on: date
    document_no: str

    def scope(self, world: World) -> UUID:
        return _above_plans(world, self.areas)

    def decide(self, world: World) -> Result | None:
        for plan in self.areas:
            _establish(world, plan, self.established_on, self.document_no)
        return {"areas": len(self.areas)}


class OnArea(Checked):
    """What every step of an area shares: it is there, and who keeps its name and code takes it."""

    __slots__ = ()
    about: ClassVar[About] = AREA

    @classmethod
    def lies_in(cls, world: World, subject: Area) -> UUID:
        return kept_from(world, subject.id)

    @classmethod
    def check(cls, world: World, area: Area) -> None:
        area.require_living()


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameArea(OnArea):
    """Give an area a new name from a day on."""

    roles: ClassVar[frozenset[Role]] = KEEPERS
    area: UUID
    name: str
    effective_on: date
    document_no: str

    def decide(self, world: World) -> Result | None:
        world.get(Area, self.area).rename(self.name, self.effective_on, self.document_no)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeAreaCodes(Command):
    """Give areas new codes from a day on, a county's with all below it at once."""

    roles: ClassVar[frozenset[Role]] = KEEPERS
    changes: tuple[CodeChange, ...]
    effective_on: date
    document_no: str

    def scope(self, world: World) -> UUID:
        if not self.changes:
            raise Malformed(
                field="changes", value="", rule_zh="不能为空", rule_en="at least one change"
            )
        shared = common(world, [change.area for change in self.changes])
        changed = {change.area for change in self.changes}
        return kept_from(world, shared) if shared in changed else shared

    def decide(self, world: World) -> Result | None:
        for change in self.changes:
            area = world.get(Area, change.area)
            area.change_code(change.code, self.effective_on, self.document_no)
        return {"areas": len(self.changes)}


@dataclass(frozen=True, slots=True, kw_only=True)
class AbolishArea(OnArea):
    """Abolish an area that is not merged into another."""

    roles: ClassVar[frozenset[Role]] = KEEPERS
    area: UUID
    effective_on: date
    document_no: str

    @classmethod
    def lies_in(cls, world: World, subject: Area) -> UUID:
        return _above(world, subject.id)

    def decide(self, world: World) -> Result | None:
        world.get(Area, self.area).abolish(self.effective_on, self.document_no)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class RearrangeVillages(Command):
    """Merge, split, establish and abolish villages, all at once from one day on."""

    roles: ClassVar[frozenset[Role]] = KEEPERS
    established: tuple[AreaPlan, ...] = ()
    splits: tuple[Split, ...] = ()
    merges: tuple[Merge, ...] = ()
    abolished: tuple[UUID, ...] = ()
    effective_on: date
    document_no: str

    def scope(self, world: World) -> UUID:
        """The lowest area above every village that takes part."""
        planned = {plan.id for plan in self.established}
        changed = dict.fromkeys(
            [area for split in self.splits for area in (split.source, split.area)]
            + [area for merge in self.merges for area in (merge.area, merge.into)]
            + list(self.abolished)
        )
        over = [_above(world, area) for area in changed if area not in planned]
        if self.established:
            over.append(_above_plans(world, self.established))
        if not over:
            raise Malformed(
                field="merges", value="", rule_zh="没有任何变更", rule_en="nothing is changed"
            )
        return common(world, over)

    def decide(self, world: World) -> Result | None:
        day, document = self.effective_on, self.document_no
        for plan in self.established:
            _establish(world, plan, day, document)
        for split in self.splits:
            source = world.get(Area, split.source)
            world.get(Area, split.area).split_off(source, day, document)
        for merge in self.merges:
            world.get(Area, merge.into).require_village()
            world.get(Area, merge.area).merge_into(merge.into, day, document)
        for area in self.abolished:
            world.get(Area, area).abolish(day, document)
        for target in [m.into for m in self.merges] + [s.area for s in self.splits]:
            world.get(Area, target).require_living()
        return {"merged": len(self.merges), "established": len(self.established)}
