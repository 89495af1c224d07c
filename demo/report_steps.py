"""The plan's vocabulary for disasters, reports and incidents (see `steps`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from demo.figures import Figure
from demo.people import Member
from demo.steps import Step


class Filed(StrEnum):
    """How a version of a report comes in."""

    INITIAL = "initial"
    PHONED_IN = "phoned_in"
    MADE_UP = "made_up"
    FOLLOW_UP = "follow_up"
    ZERO = "zero"
    VERIFIED = "verified"
    RESUBMITTED = "resubmitted"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclareDisaster(Step):
    disaster: str
    name: str
    hazard: str
    sub_hazard: str
    occurred_at: datetime
    division: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport(Step):
    """A version. ``split`` maps townships to their figures; ``caller`` rang (`PHONED_IN`).

    ``attach``: the report names its disaster; else it came before one was declared.
    """

    report: str
    filed: Filed
    disaster: str
    division: str
    as_of: datetime
    figures: Mapping[str, Figure]
    split: Mapping[str, Mapping[str, Figure]] = field(default_factory=dict)
    reason: str = ""
    narrative: str = ""
    caller: str | None = None
    attach: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachReport(Step):
    report: str
    disaster: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptReport(Step):
    report: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnReport(Step):
    report: str
    version: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainJump(Step):
    report: str
    version: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjudicateReport(Step):
    """核定: the level above sets figures of its own, by document."""

    report: str
    version: int
    figures: Mapping[str, Figure]
    document_no: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclareStable(Step):
    """灾情稳定: the disaster, with all reports under it."""

    disaster: str
    reports: tuple[str, ...]
    stable_at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StabilizeReports(Step):
    """灾情稳定: reports of a level above, after the disaster itself was declared stable."""

    reports: tuple[str, ...]
    stable_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StartResponse(Step):
    disaster: str
    division: str
    level: int
    document_no: str
    forecast: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndResponse(Step):
    disaster: str
    division: str
    document_no: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseDisaster(Step):
    disaster: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMissing(Step):
    """A missing person on the roster 台账 of the village's report."""

    record: str
    report: str
    person: Member
    place: str
    missing_at: datetime
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDead(Step):
    record: str
    died_at: datetime
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordHouse(Step):
    """A damaged home on the roster 台账: ``grade`` is "collapsed", "severe" or "slight"."""

    record: str
    report: str
    owner: Member
    grade: str
    rooms: int
    built_of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegradeHouse(Step):
    record: str
    grade: str
    rooms: int
    reason: str


# incidents and units


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterUnit(Step):
    """``kind`` is the value of a `domain.unit.UnitKind`."""

    unit: str
    name: str
    division: str
    kind: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIncident(Step):
    """``kind`` and ``severity`` as in `domain.incident`; the point is in degrees."""

    incident: str
    division: str
    place: str
    kind: str
    severity: str
    occurred_at: datetime
    details: str
    latitude: float
    longitude: float
    phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TriageIncident(Step):
    incident: str
    priority: int
    note: str


class UnitMove(StrEnum):
    """A unit's way through an incident."""

    ASSIGN = "assign"
    ACKNOWLEDGE = "acknowledge"
    EN_ROUTE = "en_route"
    ON_SCENE = "on_scene"


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveUnit(Step):
    incident: str
    unit: str
    move: UnitMove
    eta_minutes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReassignIncident(Step):
    incident: str
    from_unit: str
    to_unit: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalateIncident(Step):
    incident: str
    to: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveIncident(Step):
    incident: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseIncident(Step):
    incident: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkDuplicate(Step):
    incident: str
    original: str
