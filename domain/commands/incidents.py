"""The dispatcher's desk 应急调度: from the call to the filed incident.

A unit's assignment is recorded in the incident's stream and in the unit's, in one commit.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.area import Area, check_text, common
from domain.exercise import AS_THE_STORE
from domain.ids import NewId
from domain.incident import (
    LIVING,
    NEW,
    RESOLVABLE,
    SENDABLE,
    WORKING,
    Incident,
    IncidentKind,
    Severity,
    Spot,
    Stage,
)
from domain.moments import not_in_future
from domain.phone_number import checked_phone
from domain.refusal import Malformed, MovedOn, NotFound, Refusal, refusal_of
from domain.rules.dispatch import Dispatch
from domain.unit import Unit
from domain.world import About, Command, InForce, Result, Role, World

INCIDENT = About("incidents", Incident, "incident")
DISPATCHERS = frozenset({Role.DISPATCHER})
CALLERS = DISPATCHERS | {Role.VILLAGE_REPORTER, Role.TOWNSHIP_REVIEWER}


def _spot(latitude: float | None, longitude: float | None) -> Spot | None:
    """A point from degrees; both or none."""
    if latitude is None and longitude is None:
        return None
    for field, degrees, most in (("latitude", latitude, 90), ("longitude", longitude, 180)):
        if degrees is None or not -most <= degrees <= most:
            raise Malformed(
                field=field,
                value=str(degrees),
                rule_zh=f"经纬度须同时给出，且在 ±{most} 度之内",
                rule_en=f"latitude and longitude come together, within ±{most} degrees",
            )
    assert latitude is not None
    assert longitude is not None
    return Spot(round(latitude * 1_000_000), round(longitude * 1_000_000))


def _limits(world: World, incident: Incident) -> InForce[Dispatch] | None:
    """The rules of the area in charge. A store from before there were any opens incidents too."""
    try:
        return world.rules(Dispatch, incident.in_charge, world.now)
    except NotFound:
        return None


def _await_unit(world: World, incident: Incident) -> None:
    """Start the clock of an incident that waits for a unit, where a limit is adopted."""
    limits = _limits(world, incident)
    if limits is None or not incident.waits:
        return
    due_at = limits.rule.acknowledge_by(incident.priority, world.now)
    if due_at is not None:
        incident.acknowledgement_due(due_at=due_at, rules=limits.ref)


def _sent_at(world: World, said: datetime | None) -> datetime:
    """When a unit was sent: now, unless somebody says when. `Malformed` for a time to come."""
    if said is None:
        return world.now
    not_in_future("assigned_at", said, world.now)
    return said


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIncident(Command):
    """Open an incident: what happened, where and when."""

    roles: ClassVar[frozenset[Role]] = CALLERS
    incident: NewId
    area: UUID
    place: str
    kind: IncidentKind
    severity: Severity
    occurred_at: datetime
    details: str = ""
    latitude: float | None = None
    longitude: float | None = None
    reporter_phone: str = ""
    exercise: bool = AS_THE_STORE

    def scope(self, world: World) -> UUID:
        return self.area

    def decide(self, world: World) -> Result | None:
        check_text("place", self.place)
        not_in_future("occurred_at", self.occurred_at, world.now)
        spot = _spot(self.latitude, self.longitude)
        world.get(Area, self.area).require_living()
        phone = None
        if number := checked_phone("reporter_phone", self.reporter_phone, short=True):
            caller = world.vault.new_person()
            phone = world.vault.seal(caller, self.incident, "reporter_phone", number)
        incident = world.add(
            Incident(
                id=self.incident,
                area=self.area,
                place=self.place,
                kind=self.kind,
                severity=self.severity,
                details=self.details,
                spot=spot,
                reporter_phone=phone,
                occurred_at=self.occurred_at,
                exercise=self.exercise,
            )
        )
        _await_unit(world, incident)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _OnIncident(Command):
    """What every step on an open incident shares."""

    about: ClassVar[About] = INCIDENT
    roles: ClassVar[frozenset[Role]] = DISPATCHERS
    stages: ClassVar[tuple[Stage, ...]] = LIVING
    """Of the incident; of one of its units where the step is a unit's."""
    incident: UUID

    @classmethod
    def closed(cls, world: World, subject: Incident) -> Refusal | None:
        return refusal_of(subject.need, *cls.stages)


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfUnit(_OnIncident):
    """A step of one of its units."""

    @classmethod
    def closed(cls, world: World, subject: Incident) -> Refusal | None:
        return refusal_of(subject.need_some_unit, *cls.stages)


@dataclass(frozen=True, slots=True, kw_only=True)
class TriageIncident(_OnIncident):
    """Give an incident its priority, 1 (first) to 4.

    Who says which one they saw (0: none yet) is refused if somebody gave it another since.
    """

    priority: int
    note: str = ""
    seen_priority: int | None = None

    def decide(self, world: World) -> Result | None:
        incident = world.get(Incident, self.incident)
        if self.seen_priority not in (None, incident.priority):
            raise MovedOn(kind="Incident", id=incident.id)
        incident.triage(self.priority, note=self.note)
        _await_unit(world, incident)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignUnit(_OnIncident):
    """Send a unit to an incident."""

    stages: ClassVar[tuple[Stage, ...]] = SENDABLE
    unit: UUID
    assigned_at: datetime | None = None
    """When it was told, for what is keyed later; None: now."""

    def scope(self, world: World) -> UUID:
        incident, unit = world.get(Incident, self.incident), world.get(Unit, self.unit)
        return common(world, (incident.area, unit.area))

    def decide(self, world: World) -> Result | None:
        incident = world.get(Incident, self.incident)
        incident.assign(self.unit, assigned_at=_sent_at(world, self.assigned_at))
        world.get(Unit, self.unit).assign(incident.id, exercise=incident.exercise)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeAssignment(_OfUnit):
    """The unit has its order."""

    stages: ClassVar[tuple[Stage, ...]] = (Stage.ASSIGNED,)
    unit: UUID
    occurred_at: datetime

    def decide(self, world: World) -> Result | None:
        not_in_future("occurred_at", self.occurred_at, world.now)
        incident = world.get(Incident, self.incident)
        incident.acknowledge(self.unit, occurred_at=self.occurred_at)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportEnRoute(_OfUnit):
    """The unit is on its way."""

    stages: ClassVar[tuple[Stage, ...]] = (Stage.ACKNOWLEDGED,)
    unit: UUID
    occurred_at: datetime
    eta_minutes: int | None = None

    def decide(self, world: World) -> Result | None:
        not_in_future("occurred_at", self.occurred_at, world.now)
        incident = world.get(Incident, self.incident)
        incident.depart(self.unit, occurred_at=self.occurred_at, eta_minutes=self.eta_minutes)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOnScene(_OfUnit):
    """The unit is at the place."""

    stages: ClassVar[tuple[Stage, ...]] = (Stage.EN_ROUTE,)
    unit: UUID
    occurred_at: datetime

    def decide(self, world: World) -> Result | None:
        not_in_future("occurred_at", self.occurred_at, world.now)
        incident = world.get(Incident, self.incident)
        incident.reach(self.unit, occurred_at=self.occurred_at)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallUnit(_OfUnit):
    """Take a unit off an incident."""

    stages: ClassVar[tuple[Stage, ...]] = WORKING
    unit: UUID
    reason: str

    def decide(self, world: World) -> Result | None:
        incident = world.get(Incident, self.incident)
        incident.recall(self.unit, reason=self.reason)
        world.get(Unit, self.unit).release()
        _await_unit(world, incident)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReassignIncident(_OfUnit):
    """Send another unit in the place of one that was assigned."""

    stages: ClassVar[tuple[Stage, ...]] = WORKING
    from_unit: UUID
    to_unit: UUID
    reason: str
    assigned_at: datetime | None = None
    """When the other unit was told, for what is keyed later; None: now."""

    def scope(self, world: World) -> UUID:
        incident, unit = world.get(Incident, self.incident), world.get(Unit, self.to_unit)
        return common(world, (incident.area, unit.area))

    def decide(self, world: World) -> Result | None:
        incident = world.get(Incident, self.incident)
        incident.recall(self.from_unit, reason=self.reason)
        world.get(Unit, self.from_unit).release()
        incident.assign(self.to_unit, assigned_at=_sent_at(world, self.assigned_at))
        world.get(Unit, self.to_unit).assign(incident.id, exercise=incident.exercise)
        _await_unit(world, incident)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalateIncident(_OnIncident):
    """Put a higher division in charge of an incident."""

    to: UUID
    reason: str

    def decide(self, world: World) -> Result | None:
        incident = world.get(Incident, self.incident)
        incident.escalate(self.to, world.lineage(incident.in_charge), reason=self.reason)
        _await_unit(world, incident)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalateIncidentWhenDue(_OnIncident):
    """Put the area above in charge of an incident that no unit acknowledged. The timekeeper's.

    ``due_at`` is that of the limit meant: a clock that was started again meanwhile runs on.
    """

    roles: ClassVar[frozenset[Role]] = frozenset({Role.SYSTEM})
    due_at: datetime

    @classmethod
    def closed(cls, world: World, subject: Incident) -> Refusal | None:
        return None  # `miss_acknowledgement` says whether it is due

    def decide(self, world: World) -> Result | None:
        incident = world.get(Incident, self.incident)
        limits = _limits(world, incident)
        parent = world.get(Area, incident.in_charge).parent
        to = None
        if parent is not None and limits is not None:
            to = parent if limits.rule.reaches(world.get(Area, parent).level) else None
        incident.miss_acknowledgement(self.due_at, to, world.counting)
        if to is not None:
            _await_unit(world, incident)
        return {"in_charge": incident.in_charge}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveIncident(_OnIncident):
    """Say that it is over and how it ended; its units are free."""

    stages: ClassVar[tuple[Stage, ...]] = RESOLVABLE
    outcome: str
    occurred_at: datetime

    def decide(self, world: World) -> Result | None:
        not_in_future("occurred_at", self.occurred_at, world.now)
        incident = world.get(Incident, self.incident)
        for unit in incident.resolve(outcome=self.outcome, occurred_at=self.occurred_at):
            world.get(Unit, unit).release()
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseIncident(_OnIncident):
    """File an incident that is resolved, or that nobody needed to be sent to."""

    reason: str

    @classmethod
    def closed(cls, world: World, subject: Incident) -> Refusal | None:
        return refusal_of(subject.check_closable)

    def decide(self, world: World) -> Result | None:
        world.get(Incident, self.incident).close(reason=self.reason)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkDuplicateIncident(_OnIncident):
    """Say that an incident is the same as one that was opened before."""

    stages: ClassVar[tuple[Stage, ...]] = NEW
    original: UUID

    def scope(self, world: World) -> UUID:
        incident, original = world.get(Incident, self.incident), world.get(Incident, self.original)
        return common(world, (incident.area, original.area))

    def decide(self, world: World) -> Result | None:
        incident = world.get(Incident, self.incident)
        original = world.get(Incident, self.original)
        incident.mark_duplicate(original)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoDuplicateIncident(_OnIncident):
    """Say that an incident is not the one it was taken for: it waits for a unit again."""

    stages: ClassVar[tuple[Stage, ...]] = (Stage.DUPLICATE,)
    reason: str

    @classmethod
    def lies_in(cls, world: World, subject: Incident) -> UUID:
        if subject.duplicate_of is None:
            return subject.area
        return common(world, (subject.area, world.get(Incident, subject.duplicate_of).area))

    def decide(self, world: World) -> Result | None:
        incident = world.get(Incident, self.incident)
        incident.undo_duplicate(reason=self.reason)
        _await_unit(world, incident)
        return None
