"""Incident 险情: something happens to people now, and units are sent. Kept simple (issue 3).

Opened → Triaged → Assigned → Acknowledged → EnRoute → OnScene → Resolved → Closed. Several units
may work on one incident; a unit has at most one open assignment (see `domain/unit.py`), and
both streams record an assignment in one commit. The stage of an incident is that of its foremost
unit. Times of the field (``occurred_at``) come from the caller.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec
from eventsourcing.domain import event

from domain.area import check_text
from domain.base import Aggregate, grown
from domain.due import check_due
from domain.exercise import keep_apart
from domain.incident_refusals import (
    DuplicateOfClosed,
    DuplicateOfItself,
    IncidentNotThere,
    NoCallerKnown,
    NotAbove,
    NoUnitThere,
    UnitNotAssigned,
    UnitsStillOut,
)
from domain.lateness import Counting
from domain.moments import CLOCK_SLACK, not_before
from domain.refusal import Malformed
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
NOT_BEFORE = {
    Stage.ASSIGNED: ("接令不能早于派出", "a unit does not take its order before it was sent"),
    Stage.ACKNOWLEDGED: ("出发不能早于接令", "a unit does not set out before it took its order"),
    Stage.EN_ROUTE: ("到场不能早于出发", "a unit is not on the scene before it set out"),
    Stage.ON_SCENE: ("处置完毕不能早于到场", "it is not over before a unit was on the scene"),
}
"""What is said to a step that is dated before the one it follows."""
SENT_AFTER = ("派出不能早于发生", "a unit is not sent before it happened")
RESOLVABLE = (Stage.ON_SCENE,)

UNASSIGNED = "unassigned"
"""In refusals, the stage of a unit that does not work on an incident."""


class Spot(msgspec.Struct, frozen=True):
    """A point on the earth in millionths of a degree (WGS 84 or CGCS2000: the same within 1 m)."""

    latitude_e6: int
    longitude_e6: int


class Incident(Aggregate):
    """One thing that happened in one place. ``in_charge`` is the area that leads the response.

    ``since``: when each of its units came to the stage that it is at, as somebody said.
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
        self.occurred_at = occurred_at
        self.in_charge = area
        self.stage = Stage.OPEN
        self.priority = 0
        self.units: dict[UUID, Stage] = {}
        self.since: dict[UUID, datetime] = {}
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

    def assign(self, unit: UUID, *, assigned_at: datetime) -> None:
        """Send a unit. Only a triaged incident; `Unit.assign` belongs to the same commit.

        `Malformed` for a time before what it is sent to happened.
        """
        self.need(*SENDABLE)
        if unit in self.units:
            raise UnitNotAssigned(
                incident=self.id, unit=unit, stage=self.units[unit], needed=Stage.TRIAGED
            )
        not_before("assigned_at", assigned_at, self.occurred_at, SENT_AFTER, CLOCK_SLACK)
        self._assigned(unit=unit, assigned_at=assigned_at)

    @event("Assigned")
    def _assigned(self, unit: UUID, assigned_at: datetime) -> None:
        self.units[unit] = Stage.ASSIGNED
        self.since[unit] = assigned_at
        self._follow()

    def acknowledge(self, unit: UUID, *, occurred_at: datetime) -> None:
        """The unit has the order."""
        self._need_next(unit, Stage.ASSIGNED, occurred_at)
        self._acknowledged(unit=unit, occurred_at=occurred_at)

    @event("Acknowledged")
    def _acknowledged(self, unit: UUID, occurred_at: datetime) -> None:
        self.units[unit] = Stage.ACKNOWLEDGED
        self.since[unit] = occurred_at
        self.acknowledge_by = None
        self._follow()

    def depart(self, unit: UUID, *, occurred_at: datetime, eta_minutes: int | None) -> None:
        """The unit is on its way."""
        self._need_next(unit, Stage.ACKNOWLEDGED, occurred_at)
        self._en_route(unit=unit, occurred_at=occurred_at, eta_minutes=eta_minutes)

    @event("EnRoute")
    def _en_route(self, unit: UUID, occurred_at: datetime, eta_minutes: int | None) -> None:
        self.units[unit] = Stage.EN_ROUTE
        self.since[unit] = occurred_at
        self._follow()

    def reach(self, unit: UUID, *, occurred_at: datetime) -> None:
        """The unit is there."""
        self._need_next(unit, Stage.EN_ROUTE, occurred_at)
        self._on_scene(unit=unit, occurred_at=occurred_at)

    @event("OnScene")
    def _on_scene(self, unit: UUID, occurred_at: datetime) -> None:
        self.units[unit] = Stage.ON_SCENE
        self.since[unit] = occurred_at
        self._follow()

    def recall(self, unit: UUID, *, reason: str) -> None:
        """Take a unit off this incident; `Unit.release` belongs to the same commit."""
        check_text("reason", reason)
        self._need_unit(unit, *WORKING)
        self._recalled(unit=unit, reason=reason)

    @event("Recalled")
    def _recalled(self, unit: UUID, reason: str) -> None:
        del self.units[unit]
        del self.since[unit]
        self.acknowledge_by = None
        self._follow()

    def resolve(self, *, outcome: str, occurred_at: datetime) -> tuple[UUID, ...]:
        """It is over: some unit is on scene and says so. Answers the units to release."""
        self.need(*RESOLVABLE)
        check_text("outcome", outcome)
        there = [self.since[one] for one, stage in self.units.items() if stage == Stage.ON_SCENE]
        not_before("occurred_at", occurred_at, min(there), NOT_BEFORE[Stage.ON_SCENE])
        units = tuple(self.units)
        self._resolved(outcome=outcome, occurred_at=occurred_at, units=units)
        return units

    @event("Resolved")
    def _resolved(self, outcome: str, occurred_at: datetime, units: tuple[UUID, ...]) -> None:
        self.units = {}
        self.since = {}
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

    def _need_next(self, unit: UUID, stage: Stage, at: datetime) -> None:
        """The unit is at that stage, and its next step is not dated before it came there."""
        self._need_unit(unit, stage)
        slack = CLOCK_SLACK if stage == Stage.ASSIGNED else timedelta(0)
        not_before("occurred_at", at, self.since[unit], NOT_BEFORE[stage], slack)

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


def _assigned_when_recorded(values: dict[str, Any]) -> None:
    """The first facts did not say when a unit was sent: when it was recorded, then."""
    values["assigned_at"] = values["meta"]["recorded_at"]


grown(Incident.Assigned, _assigned_when_recorded)
