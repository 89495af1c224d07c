"""HouseDamage 因灾倒塌损坏住房户台账: the home of one household behind the figures of a report.

The grade is judged per whole house of one household, in rooms 自然间 (domain.md §1.5).
"""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from eventsourcing.domain import event

from domain.base import Aggregate
from domain.refusal import Refusal
from domain.world import Sealed


class Grade(StrEnum):
    """Collapsed: must be rebuilt. Severe: needs major repair. Slight: usable after repair."""

    COLLAPSED = "collapsed"  # 倒塌
    SEVERE = "severely_damaged"  # 严重损坏
    SLIGHT = "slightly_damaged"  # 一般损坏


@dataclass(eq=False)
class DamageWithdrawn(Refusal):
    zh = "房屋损坏记录 {record} 已撤销"
    en = "House damage record {record} has been withdrawn."
    record: UUID


@dataclass(eq=False)
class SameGrade(Refusal):
    zh = "记录 {record} 已经评定为“{grade}”{rooms}间"
    en = "Record {record} says {grade}, {rooms} {rooms:room|rooms}, already."
    record: UUID
    grade: str
    rooms: int


class HouseDamage(Aggregate):
    """Recorded with its grade → Regraded … → Withdrawn."""

    @event("Recorded")
    def __init__(
        self,
        id: UUID,
        report: UUID,
        area: UUID,
        owner: UUID,
        household: UUID | None,
        masked_name: str,
        name: Sealed,
        id_number: Sealed | None,
        address: Sealed | None,
        grade: Grade,
        rooms: int,
        structure: str,
        exercise: bool,
    ) -> None:
        self.report = report
        self.area = area
        self.counted_as = household or owner
        self.household = household
        self.masked_name = masked_name
        self.name = name
        self.registered = household is not None or id_number is not None
        self.grade = grade
        self.rooms = rooms
        self.exercise = exercise
        self.withdrawn = False
        self.case: UUID | None = None

    @property
    def home(self) -> UUID:
        return self.area

    def counts(self, by: int = 1) -> dict[str, int]:
        """What this record adds to the rows of its report (``by`` −1: takes away)."""
        if self.withdrawn:
            return {}
        return {f"{self.grade}_households": by, f"{self.grade}_dwelling_rooms": by * self.rooms}

    def regrade(self, grade: Grade, rooms: int, reason: str) -> None:
        """Another grade or number of rooms, after a closer look."""
        self.must_stand()
        if (grade, rooms) == (self.grade, self.rooms):
            raise SameGrade(record=self.id, grade=grade, rooms=rooms)
        self._regraded(
            was=self.grade, rooms_before=self.rooms, grade=grade, rooms=rooms, reason=reason
        )

    @event("Regraded")
    def _regraded(
        self, was: Grade, rooms_before: int, grade: Grade, rooms: int, reason: str
    ) -> None:
        self.grade = grade
        self.rooms = rooms

    def withdraw(self, reason: str) -> None:
        """The row was a mistake, or the house stands on the roster twice."""
        self.must_stand()
        self._withdrawn(was=self.grade, rooms=self.rooms, reason=reason)

    @event("Withdrawn")
    def _withdrawn(self, was: Grade, rooms: int, reason: str) -> None:
        self.withdrawn = True

    @event("AppliedFor")
    def applied_for(self, case: UUID) -> None:
        """A household's application names this home (倒损房)."""
        self.case = case

    def must_stand(self) -> None:
        """Refuse with `DamageWithdrawn` what was taken off the roster."""
        if self.withdrawn:
            raise DamageWithdrawn(record=self.id)
