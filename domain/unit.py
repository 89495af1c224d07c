"""Unit 救援力量: people who can be sent. At most one open assignment at a time."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from eventsourcing.domain import event

from domain.area import check_text
from domain.base import Aggregate
from domain.exercise import keep_apart
from domain.goods import positive
from domain.refusal import Refusal


class UnitKind(StrEnum):
    """What a unit is."""

    FIRE_RESCUE = "fire_rescue"  # 消防救援
    MILITIA = "militia"  # 民兵
    MEDICAL = "medical"  # 医疗
    ROAD_CREW = "road_crew"  # 道路抢通
    POWER_CREW = "power_crew"  # 电力通信抢修
    BOAT_TEAM = "boat_team"  # 水上救援
    VOLUNTEERS = "volunteers"  # 社会救援力量
    VILLAGE_TEAM = "village_team"  # 村级应急队伍


@dataclass(eq=False)
class UnitBusy(Refusal):
    """A unit has one open assignment, and goes off duty only without one."""

    zh: ClassVar[str] = "队伍“{name}”正在处置险情 {incident}"
    en: ClassVar[str] = "Unit {name} is assigned to incident {incident}."
    unit: UUID
    name: str
    incident: UUID


@dataclass(eq=False)
class UnitOffDuty(Refusal):
    zh: ClassVar[str] = "队伍“{name}”不在岗"
    en: ClassVar[str] = "Unit {name} is off duty."
    unit: UUID
    name: str


@dataclass(eq=False)
class UnitOnDuty(Refusal):
    zh: ClassVar[str] = "队伍“{name}”已在岗"
    en: ClassVar[str] = "Unit {name} is on duty already."
    unit: UUID
    name: str


class Unit(Aggregate):
    """A team of ``size`` people of one area."""

    @event("Registered")
    def __init__(
        self, id: UUID, area: UUID, name: str, kind: UnitKind, size: int, exercise: bool
    ) -> None:
        self.area = area
        self.name = name
        self.exercise = exercise
        self.on_duty = True
        self.incident: UUID | None = None

    @property
    def home(self) -> UUID:
        return self.area

    @staticmethod
    def check(name: str, size: int) -> None:
        """What a registration needs: a name and at least one person. Else `Malformed`."""
        check_text("name", name)
        positive("size", size)

    def assign(self, incident: UUID, *, exercise: bool) -> None:
        """Take an assignment. Refuses `ExerciseMixed`, `UnitOffDuty`, `UnitBusy`."""
        keep_apart("Unit", self.id, exercise=self.exercise, wanted=exercise)
        self.check_free()
        self._assigned(incident=incident)

    @event("Assigned")
    def _assigned(self, incident: UUID) -> None:
        self.incident = incident

    def release(self) -> None:
        """Free for the next assignment. The incident says why, in the same commit."""
        assert self.incident is not None
        self._released(incident=self.incident)

    @event("Released")
    def _released(self, incident: UUID) -> None:
        self.incident = None

    def go_off_duty(self, *, reason: str) -> None:
        """Not to be sent for now. Refuses `UnitBusy`, `UnitOffDuty`."""
        self.check_free()
        self._went_off_duty(reason=reason)

    @event("WentOffDuty")
    def _went_off_duty(self, reason: str) -> None:
        self.on_duty = False

    def come_on_duty(self) -> None:
        """Ready again. Refuses `UnitOnDuty`."""
        self.check_off_duty()
        self._came_on_duty()

    @event("CameOnDuty")
    def _came_on_duty(self) -> None:
        self.on_duty = True

    def check_off_duty(self) -> None:
        """Refuses `UnitOnDuty`."""
        if self.on_duty:
            raise UnitOnDuty(unit=self.id, name=self.name)

    def check_free(self) -> None:
        """Refuses `UnitOffDuty`, `UnitBusy`."""
        if not self.on_duty:
            raise UnitOffDuty(unit=self.id, name=self.name)
        if self.incident is not None:
            raise UnitBusy(unit=self.id, name=self.name, incident=self.incident)
