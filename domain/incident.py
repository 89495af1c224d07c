"""Incident 险情: something happens to people now, and units are sent. Kept simple (issue 3).

Opened → Triaged → Assigned → Acknowledged → EnRoute → OnScene → Resolved → Closed. Several units
may work on one incident; a unit has at most one open assignment (see `domain/unit.py`), and
both streams record an assignment in one commit. The stage of an incident is that of its foremost
unit. Times of the field (``occurred_at``) come from the caller.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import msgspec
from eventsourcing.domain import event

from domain.area import check_text
from domain.base import Aggregate
from domain.due import check_due
from domain.exercise import keep_apart
from domain.lateness import Counting
from domain.refusal import Malformed, Refusal
from domain.world import RuleRef, Sealed

UNANSWERED = "逾时无队伍接令，系统自动升级"


class IncidentKind(StrEnum):
    """What a caller says is the matter."""

    TRAPPED = "trapped"  # 人员被困
    MISSING = "missing"  # 人员失联
    INJURED = "injured"  # 人员受伤
    COLLAPSE = "collapse"  # 房屋倒塌
    LANDSLIDE = "landslide"  # 山体滑坡
    FLOODING = "flooding"  # 进水受淹
    ROAD_CUT = "road_cut"  # 道路中断
    POWER_CUT = "power_cut"  # 电力、通信中断
    FIRE = "fire"  # 火情
    SHORTAGE = "shortage"  # 缺水缺粮
    OTHER = "other"


LIFE_AT_STAKE = frozenset(
    {
        IncidentKind.TRAPPED,
        IncidentKind.MISSING,
        IncidentKind.INJURED,
        IncidentKind.COLLAPSE,
        IncidentKind.LANDSLIDE,
        IncidentKind.FIRE,
    }
)
"""Kinds in which people may be dying: looked at first while nobody has triaged the call."""


class Severity(StrEnum):
    """As the caller sees it; the dispatcher's own view is the priority."""

    EXTREME = "extreme"
    SEVERE = "severe"
    MODERATE = "moderate"
    MINOR = "minor"
    UNKNOWN = "unknown"


class Stage(StrEnum):
    """Where an incident, or one unit's work on it, stands."""

    OPEN = "open"
    TRIAGED = "triaged"
    ASSIGNED = "assigned"
    ACKNOWLEDGED = "acknowledged"
    EN_ROUTE = "en_route"
    ON_SCENE = "on_scene"
    RESOLVED = "resolved"
    CLOSED = "closed"
    DUPLICATE = "duplicate"


WORKING = (Stage.ASSIGNED, Stage.ACKNOWLEDGED, Stage.EN_ROUTE, Stage.ON_SCENE)
"""The stages of a unit's work, in order."""

NEW = (Stage.OPEN, Stage.TRIAGED)
SENDABLE = (Stage.TRIAGED, *WORKING)
"""When units can be sent to it."""
LIVING = (Stage.OPEN, *SENDABLE)
RESOLVABLE = (Stage.ON_SCENE,)

UNASSIGNED = "unassigned"
"""In refusals, the stage of a unit that does not work on an incident."""


class Spot(msgspec.Struct, frozen=True):
    """A point on the earth in millionths of a degree (WGS 84 or CGCS2000: the same within 1 m)."""

    latitude_e6: int
    longitude_e6: int


@dataclass(eq=False)
class IncidentNotThere(Refusal):
    """The life of an incident has its order."""

    zh: ClassVar[str] = "险情 {incident} 现为“{stage}”，此步骤须在“{needed}”时办理"
    en: ClassVar[str] = "Incident {incident} is {stage}; this step takes one that is {needed}."
    incident: UUID
    stage: str
    needed: str


@dataclass(eq=False)
class UnitNotAssigned(Refusal):
    """That unit does not work on this incident, or is not at the stage before this one."""

    zh: ClassVar[str] = "队伍 {unit} 在险情 {incident} 中的状态为“{stage}”，须为“{needed}”"
    en: ClassVar[str] = (
        "Unit {unit} is {stage} at incident {incident}; this step takes one that is {needed}."
    )
    incident: UUID
    unit: UUID
    stage: str
    needed: str


@dataclass(eq=False)
class NoUnitThere(Refusal):
    """The step is one of a unit's, and none of the incident's units has come to it."""

    zh: ClassVar[str] = "险情 {incident} 没有状态为“{needed}”的队伍"
    en: ClassVar[str] = "No unit of incident {incident} is {needed}."
    incident: UUID
    needed: str


@dataclass(eq=False)
class UnitsStillOut(Refusal):
    """Units are recalled, or the incident resolved, before it ends."""

    zh: ClassVar[str] = "险情 {incident} 仍有 {units} 支队伍在处置"
    en: ClassVar[str] = "{units} {units:unit still works|units still work} on incident {incident}."
    incident: UUID
    units: int


@dataclass(eq=False)
class DuplicateOfItself(Refusal):
    """An incident is a duplicate of another one, which is not itself a duplicate."""

    zh: ClassVar[str] = "险情 {incident} 不能标记为险情 {original} 的重复：两者相同或后者本身为重复"
    en: ClassVar[str] = (
        "Incident {incident} cannot be a duplicate of incident {original}: "
        "they are one, or that one is itself a duplicate."
    )
    incident: UUID
    original: UUID


@dataclass(eq=False)
class DuplicateOfClosed(Refusal):
    """Nobody works on a closed incident any more: a call that was laid to it would go unheard."""

    zh: ClassVar[str] = (
        "险情 {original} 已经办结，不能把险情 {incident} 标记为它的重复："
        "还有人求助的，按新的险情派队"
    )
    en: ClassVar[str] = (
        "Incident {original} is closed: incident {incident} cannot be a duplicate of it. Whoever "
        "calls again needs a unit again."
    )
    incident: UUID
    original: UUID


@dataclass(eq=False)
class NoCallerKnown(Refusal):
    """Only a number that was taken down can be shown."""

    zh: ClassVar[str] = "险情 {incident} 未登记来电号码"
    en: ClassVar[str] = "No telephone number of who called was taken down for incident {incident}."
    incident: UUID


@dataclass(eq=False)
class NotAbove(Refusal):
    """An incident is escalated to an area above the one that is in charge."""

    zh: ClassVar[str] = "区划 {area} 不在现负责区划（{in_charge}）之上"
    en: ClassVar[str] = "Area {area} does not lie above the area in charge ({in_charge})."
    area: UUID
    in_charge: UUID


class Incident(Aggregate):
    """One thing that happened in one place. ``in_charge`` is the area that leads the response.

    ``acknowledge_by``: when it is escalated by itself, unless a unit has acknowledged it by then.
    """

    @event("Opened")
    def __init__(
        self,
        id: UUID,
        area: UUID,
        place: str,
        kind: IncidentKind,
        severity: Severity,
        details: str,
        spot: Spot | None,
        reporter_phone: Sealed | None,
        occurred_at: datetime,
        exercise: bool,
    ) -> None:
        self.area = area
        self.exercise = exercise
        self.in_charge = area
        self.stage = Stage.OPEN
        self.priority = 0
        self.units: dict[UUID, Stage] = {}
        self.acknowledge_by: datetime | None = None
        self.duplicate_of: UUID | None = None
        self.caller_known = reporter_phone is not None

    @property
    def waits(self) -> bool:
        """Nobody has acknowledged it yet, and it is not over."""
        return self.stage in (Stage.OPEN, Stage.TRIAGED, Stage.ASSIGNED)

    @property
    def home(self) -> UUID:
        return self.area

    def need(self, *stages: Stage) -> None:
        """Refuse with `IncidentNotThere` unless it is at one of these stages."""
        if self.stage not in stages:
            raise IncidentNotThere(incident=self.id, stage=self.stage, needed=" / ".join(stages))

    def triage(self, priority: int, *, note: str) -> None:
        """Give it a priority, 1 (first) to 4; again whenever the picture changes."""
        self.need(*LIVING)
        if not 1 <= priority <= 4:
            raise Malformed(
                field="priority", value=str(priority), rule_zh="应为 1 至 4", rule_en="1 to 4"
            )
        self._triaged(priority=priority, note=note)

    @event("Triaged")
    def _triaged(self, priority: int, note: str) -> None:
        self.priority = priority
        self.acknowledge_by = None
        if self.stage == Stage.OPEN:
            self.stage = Stage.TRIAGED

    def assign(self, unit: UUID) -> None:
        """Send a unit. Only a triaged incident; `Unit.assign` belongs to the same commit."""
        self.need(*SENDABLE)
        if unit in self.units:
            raise UnitNotAssigned(
                incident=self.id, unit=unit, stage=self.units[unit], needed=Stage.TRIAGED
            )
        self._assigned(unit=unit)

    @event("Assigned")
    def _assigned(self, unit: UUID) -> None:
        self.units[unit] = Stage.ASSIGNED
        self._follow()

    def acknowledge(self, unit: UUID, *, occurred_at: datetime) -> None:
        """The unit has the order."""
        self._need_unit(unit, Stage.ASSIGNED)
        self._acknowledged(unit=unit, occurred_at=occurred_at)

    @event("Acknowledged")
    def _acknowledged(self, unit: UUID, occurred_at: datetime) -> None:
        self.units[unit] = Stage.ACKNOWLEDGED
        self.acknowledge_by = None
        self._follow()

    def depart(self, unit: UUID, *, occurred_at: datetime, eta_minutes: int | None) -> None:
        """The unit is on its way."""
        self._need_unit(unit, Stage.ACKNOWLEDGED)
        self._en_route(unit=unit, occurred_at=occurred_at, eta_minutes=eta_minutes)

    @event("EnRoute")
    def _en_route(self, unit: UUID, occurred_at: datetime, eta_minutes: int | None) -> None:
        self.units[unit] = Stage.EN_ROUTE
        self._follow()

    def reach(self, unit: UUID, *, occurred_at: datetime) -> None:
        """The unit is there."""
        self._need_unit(unit, Stage.EN_ROUTE)
        self._on_scene(unit=unit, occurred_at=occurred_at)

    @event("OnScene")
    def _on_scene(self, unit: UUID, occurred_at: datetime) -> None:
        self.units[unit] = Stage.ON_SCENE
        self._follow()

    def recall(self, unit: UUID, *, reason: str) -> None:
        """Take a unit off this incident; `Unit.release` belongs to the same commit."""
        check_text("reason", reason)
        self._need_unit(unit, *WORKING)
        self._recalled(unit=unit, reason=reason)

    @event("Recalled")
    def _recalled(self, unit: UUID, reason: str) -> None:
        del self.units[unit]
        self.acknowledge_by = None
        self._follow()

    def resolve(self, *, outcome: str, occurred_at: datetime) -> tuple[UUID, ...]:
        """It is over: some unit is on scene and says so. Answers the units to release."""
        self.need(*RESOLVABLE)
        check_text("outcome", outcome)
        units = tuple(self.units)
        self._resolved(outcome=outcome, occurred_at=occurred_at, units=units)
        return units

    @event("Resolved")
    def _resolved(self, outcome: str, occurred_at: datetime, units: tuple[UUID, ...]) -> None:
        self.units = {}
        self.stage = Stage.RESOLVED

    def close(self, *, reason: str) -> None:
        """File it. An incident nobody had to be sent to (a false alarm) is closed from triage."""
        self.check_closable()
        check_text("reason", reason)
        self._closed(reason=reason)

    @event("Closed")
    def _closed(self, reason: str) -> None:
        self.stage = Stage.CLOSED

    def escalate(self, to: UUID, lineage: tuple[UUID, ...], *, reason: str) -> None:
        """Put an area above in charge. ``lineage`` is that of the area in charge now."""
        self.need(*LIVING)
        check_text("reason", reason)
        if to not in lineage[1:]:
            raise NotAbove(area=to, in_charge=self.in_charge)
        self._escalated(to=to, reason=reason)

    @event("Escalated")
    def _escalated(self, to: UUID, reason: str) -> None:
        self.in_charge = to
        self.acknowledge_by = None

    @event("AcknowledgementDue")
    def acknowledgement_due(self, due_at: datetime, rules: RuleRef) -> None:
        """A unit must acknowledge it by then, after these rules."""
        self.acknowledge_by = due_at

    def miss_acknowledgement(self, due_at: datetime, to: UUID | None, now: Counting) -> None:
        """The time is over: the area above is put in charge (``to``; None: nobody further up)."""
        awaited = self.acknowledge_by if self.waits else None
        check_due(self.id, due_at, awaited, now)
        assert awaited is not None
        self._acknowledgement_missed(due_at=awaited)
        if to is not None:
            self._escalated(to=to, reason=UNANSWERED)

    @event("AcknowledgementMissed")
    def _acknowledgement_missed(self, due_at: datetime) -> None:
        self.acknowledge_by = None

    def mark_duplicate(self, original: "Incident") -> None:
        """The same thing was opened before as ``original``. No unit may be out for this one."""
        self.need(*NEW)
        if original.id == self.id or original.stage == Stage.DUPLICATE:
            raise DuplicateOfItself(incident=self.id, original=original.id)
        if original.stage == Stage.CLOSED:
            raise DuplicateOfClosed(incident=self.id, original=original.id)
        keep_apart("Incident", original.id, exercise=original.exercise, wanted=self.exercise)
        self._duplicate_found(original=original.id)

    @event("DuplicateFound")
    def _duplicate_found(self, original: UUID) -> None:
        self.stage = Stage.DUPLICATE
        self.duplicate_of = original

    def undo_duplicate(self, *, reason: str) -> None:
        """It is no duplicate after all: it stands again where it stood, and waits for a unit."""
        self.need(Stage.DUPLICATE)
        check_text("reason", reason)
        assert self.duplicate_of is not None
        self._duplicate_undone(original=self.duplicate_of, reason=reason)

    @event("DuplicateUndone")
    def _duplicate_undone(self, original: UUID, reason: str) -> None:
        self.stage = Stage.TRIAGED if self.priority else Stage.OPEN
        self.duplicate_of = None
        self.acknowledge_by = None

    def check_closable(self) -> None:
        """Refuses `UnitsStillOut`, `IncidentNotThere`."""
        if self.units:
            raise UnitsStillOut(incident=self.id, units=len(self.units))
        self.need(Stage.RESOLVED, Stage.TRIAGED)

    def need_some_unit(self, *needed: Stage) -> None:
        """Refuse with `NoUnitThere` unless one of its units is at one of these stages."""
        if not any(stage in needed for stage in self.units.values()):
            raise NoUnitThere(incident=self.id, needed=" / ".join(needed))

    def check_caller_known(self) -> None:
        """Refuses `NoCallerKnown`."""
        if not self.caller_known:
            raise NoCallerKnown(incident=self.id)

    def reveal_caller(self, *, reason: str) -> None:
        """Somebody is shown the sealed telephone number of who called, and why."""
        check_text("reason", reason)
        self.check_caller_known()
        self._caller_revealed(reason=reason)

    @event("CallerRevealed")
    def _caller_revealed(self, reason: str) -> None:
        """Nothing follows from it: who was shown it is the timeline's."""

    def _need_unit(self, unit: UUID, *needed: Stage) -> None:
        stage = self.units.get(unit)
        if stage not in needed:
            raise UnitNotAssigned(
                incident=self.id, unit=unit, stage=stage or UNASSIGNED, needed=" / ".join(needed)
            )

    def _follow(self) -> None:
        """The incident is where its foremost unit is; with no unit it waits, triaged."""
        foremost = max((WORKING.index(stage) for stage in self.units.values()), default=None)
        self.stage = Stage.TRIAGED if foremost is None else WORKING[foremost]
