"""CasualtyRecord 因灾死亡失踪人口台账: one person behind the figures of a report.

A missing person who is found dead is a transfer (−1 missing, +1 dead), one fact and not two edits
(domain.md §1.3). Names, ID numbers and addresses are sealed; the record shows a masked name.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec
from eventsourcing.domain import event

from domain.base import Aggregate
from domain.moments import not_before
from domain.refusal import Refusal
from domain.world import Sealed


class Fate(StrEnum):
    """What is known of the person. Missing: whereabouts unknown, death cannot be confirmed yet."""

    MISSING = "missing"  # 失踪
    DEAD = "dead"  # 死亡
    INJURED = "injured"  # 受伤
    FOUND = "found"  # 已找到，生还
    WITHDRAWN = "withdrawn"  # 误登撤销


COUNTED = (Fate.MISSING, Fate.DEAD, Fate.INJURED)
MORTAL = (Fate.MISSING, Fate.INJURED)
"""Whose death can be confirmed."""
SOUGHT = (Fate.MISSING,)
"""Who can be found."""


class Casualty(msgspec.Struct, frozen=True):
    """The columns of the ledger: 姓名 性别 年龄 民族 户口所在地 死亡（失踪）地点、时间、原因.

    ``resident``: 常住; a person passing through counts as well. ``severe`` 重伤 is for the injured.
    """

    masked_name: str
    name: Sealed
    id_number: Sealed | None
    registered_at: Sealed | None
    place: Sealed | None
    sex: str
    age: int | None
    ethnic_group: str
    resident: bool
    severe: bool
    cause: str
    happened_at: datetime | None


@dataclass(eq=False)
class WrongFate(Refusal):
    zh = "记录 {record} 当前为“{fate}”，不是此变更所需的情形（{needed}）"
    en = "Record {record} says {fate} now, which is not what this change takes ({needed})."
    record: UUID
    fate: str
    needed: str = ""


class CasualtyRecord(Aggregate):
    """Recorded missing, dead or injured → ConfirmedDead | Found | Withdrawn."""

    @event("Recorded")
    def __init__(
        self,
        id: UUID,
        report: UUID,
        area: UUID,
        person: UUID,
        fate: Fate,
        casualty: Casualty,
        exercise: bool,
    ) -> None:
        self.report = report
        self.area = area
        self.person = person
        self.fate = fate
        self.severe = casualty.severe
        self.casualty = casualty
        self.exercise = exercise
        self.case: UUID | None = None

    @property
    def home(self) -> UUID:
        return self.area

    def may_be(self, sex: str, age: int | None, numbered: bool) -> bool:
        """Whether another row, of the same name, may be this very person entered again.

        Two ID numbers tell two persons apart; else sex and age must contradict each other.
        """
        mine = self.casualty
        known = "unknown" not in (sex, mine.sex)
        if (numbered and mine.id_number is not None) or (known and sex != mine.sex):
            return False
        return age is None or mine.age is None or abs(age - mine.age) <= 1

    def counts(self, by: int = 1) -> dict[str, int]:
        """What this record adds to the rows of its report (``by`` −1: takes away)."""
        if self.fate not in COUNTED:
            return {}
        rows = {str(self.fate): by}
        if self.fate is Fate.INJURED and self.severe:
            rows["severely_injured"] = by
        return rows

    def confirm_death(self, died_at: datetime | None, cause: str, place: Sealed | None) -> None:
        """失踪→死亡 (or an injured person dies): a transfer."""
        self.must_be(*MORTAL)
        order = ("死亡不能早于登记的事发时间", "nobody died of it before it happened to them")
        self._after_it_happened("died_at", died_at, order)
        self._confirmed_dead(was=self.fate, died_at=died_at, cause=cause, place=place)

    @event("ConfirmedDead")
    def _confirmed_dead(
        self, was: Fate, died_at: datetime | None, cause: str, place: Sealed | None
    ) -> None:
        self.fate = Fate.DEAD

    def find(self, found_at: datetime, injured: bool, severe: bool) -> None:
        """A missing person is found alive, injured or not."""
        self.must_be(*SOUGHT)
        order = ("找到不能早于失踪的时间", "nobody is found before they went missing")
        self._after_it_happened("found_at", found_at, order)
        self._found(found_at=found_at, injured=injured, severe=severe)

    @event("Found")
    def _found(self, found_at: datetime, injured: bool, severe: bool) -> None:
        self.fate = Fate.INJURED if injured else Fate.FOUND
        self.severe = severe

    def withdraw(self, reason: str) -> None:
        """The row was a mistake, or the person stands on the roster twice."""
        self.must_be(*COUNTED)
        self._withdrawn(was=self.fate, reason=reason)

    @event("Withdrawn")
    def _withdrawn(self, was: Fate, reason: str) -> None:
        self.fate = Fate.WITHDRAWN

    @property
    def masked_name(self) -> str:
        return self.casualty.masked_name

    @event("AppliedFor")
    def applied_for(self, case: UUID) -> None:
        """The family's application names this person (抚慰)."""
        self.case = case

    def _after_it_happened(self, field: str, at: datetime | None, order: tuple[str, str]) -> None:
        """`Malformed` for a time before that of the row, where both are known."""
        happened_at = self.casualty.happened_at
        if at is not None and happened_at is not None:
            not_before(field, at, happened_at, order)

    def must_be(self, *fates: Fate) -> None:
        """Refuse with `WrongFate` unless it is one of these that is known of the person."""
        if self.fate not in fates:
            raise WrongFate(record=self.id, fate=self.fate, needed=" / ".join(fates))
