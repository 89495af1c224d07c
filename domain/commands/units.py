"""The desk for units 救援力量: who there is, and who can be sent now."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.area import Area, check_text
from domain.exercise import AS_THE_STORE
from domain.ids import NewId
from domain.refusal import Refusal, refusal_of
from domain.unit import Unit, UnitKind
from domain.world import About, Command, Result, Role, World

UNIT = About("units", Unit, "unit")
DISPATCHERS = frozenset({Role.DISPATCHER})


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterUnit(Command):
    """Register a unit that can be sent to incidents; it starts on duty."""

    roles: ClassVar[frozenset[Role]] = DISPATCHERS
    unit: NewId
    area: UUID
    name: str
    kind: UnitKind
    size: int
    exercise: bool = AS_THE_STORE

    def scope(self, world: World) -> UUID:
        return self.area

    def decide(self, world: World) -> Result | None:
        Unit.check(self.name, self.size)
        world.get(Area, self.area).require_living()
        world.add(
            Unit(
                id=self.unit,
                area=self.area,
                name=self.name,
                kind=self.kind,
                size=self.size,
                exercise=self.exercise,
            )
        )
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class PutUnitOffDuty(Command):
    """Take a unit off duty; it must have no open assignment."""

    about: ClassVar[About] = UNIT
    roles: ClassVar[frozenset[Role]] = DISPATCHERS
    unit: UUID
    reason: str

    @classmethod
    def closed(cls, world: World, subject: Unit) -> Refusal | None:
        return refusal_of(subject.check_free)

    def decide(self, world: World) -> Result | None:
        check_text("reason", self.reason)
        world.get(Unit, self.unit).go_off_duty(reason=self.reason)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class PutUnitOnDuty(Command):
    """Put a unit back on duty."""

    about: ClassVar[About] = UNIT
    roles: ClassVar[frozenset[Role]] = DISPATCHERS
    unit: UUID

    @classmethod
    def closed(cls, world: World, subject: Unit) -> Refusal | None:
        return refusal_of(subject.check_off_duty)

    def decide(self, world: World) -> Result | None:
        world.get(Unit, self.unit).come_on_duty()
        return None
