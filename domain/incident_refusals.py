"""What an incident 险情 and its units refuse."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.refusal import Refusal


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
