"""Dispensation: where too few people are in post, a superior allows in writing that one officer
does one more step of one matter. An event of its own, so that the auditor finds it."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.base import NAMESPACE, Aggregate
from domain.refusal import Refusal


@dataclass(eq=False)
class NotSuperior(Refusal):
    """A dispensation comes from an area strictly above every post of the officer."""

    zh: ClassVar[str] = "只有该人员所有岗位的上级才能批准例外"
    en: ClassVar[str] = (
        "A dispensation takes a superior: your area is not above that of the officer ({area})."
    )
    officer: UUID
    area: UUID


@dataclass(eq=False)
class OwnDispensation(Refusal):
    zh: ClassVar[str] = "不得为自己批准例外"
    en: ClassVar[str] = "Nobody grants a dispensation to themselves."
    officer: UUID


class Dispensation(Aggregate):
    """One officer may do one step of one matter although they did another one."""

    @event("Granted")
    def __init__(
        self,
        id: UUID,
        matter: UUID,
        officer: UUID,
        step: str,
        area: UUID,
        document_no: str,
        reason: str,
    ) -> None:
        self.matter = matter
        self.officer = officer
        self.step = step
        self.area = area

    @staticmethod
    def id_of(matter: UUID, officer: UUID, step: str) -> UUID:
        return uuid5(NAMESPACE, f"dispensation/{matter}/{officer}/{step}")

    def derived_id(self) -> UUID:
        return self.id_of(self.matter, self.officer, self.step)

    @property
    def home(self) -> UUID:
        return self.area
