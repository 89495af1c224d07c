"""The desk for ID numbers of officers: given later, or not to be had, as a superior says."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.commands.appointing import OnOfficer, has_number, not_oneself, officer_with
from domain.commands.officers import KEEPERS, person_with, renew_substitutes
from domain.late_number import LateNumber
from domain.officer import Officer
from domain.reach import in_reach
from domain.refusal import Refusal
from domain.seat import seat_of
from domain.world import Result, Role, World


@dataclass(eq=False)
class IdNumberKnown(Refusal):
    zh: ClassVar[str] = "该人员已登记身份证号"
    en: ClassVar[str] = "This officer's ID number is registered already."
    officer: UUID


@dataclass(eq=False)
class ExcusedFromAbove(Refusal):
    """Whoever is to do without a number is excused from above; at the seat nobody is above."""

    zh: ClassVar[str] = "“无法取得身份证号”须由该人员所在区划的上级管理员登记"
    en: ClassVar[str] = (
        "That an ID number cannot be had is recorded by an administrator above the officer's area."
    )
    officer: UUID


@dataclass(eq=False)
class NumberOfAnother(Refusal):
    """One person is one officer: two registrations of one person are not joined by a number."""

    zh: ClassVar[str] = (
        "此身份证号已登记为另一人员{name}：一人只登记一次，"
        "请把岗位任命给该人员，并结束此处登记的岗位"
    )
    en: ClassVar[str] = (
        "This ID number is that of another officer, {name}. One person is one officer: give the "
        "posts to that one, and end those here."
    )
    officer: UUID
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveIdNumber(OnOfficer):
    """Register the ID number of an officer who was registered without one (补登身份证号).

    From then on they take every post; what they did before stays theirs, and counts as done by the
    number's person. An excuse on record is over with it.
    """

    roles: ClassVar[frozenset[Role]] = KEEPERS
    officer: UUID
    id_number: str

    @classmethod
    def check(cls, world: World, officer: Officer) -> None:
        not_oneself(world, officer)
        if has_number(world.vault, officer):
            raise IdNumberKnown(officer=officer.id)

    def decide(self, world: World) -> Result | None:
        officer = world.get(Officer, self.officer)
        self.check(world, officer)
        person = person_with(world, self.id_number)
        other = officer_with(world, person)
        if other is not None:
            told = other.masked_name if in_reach(world, other.home) else ""
            raise NumberOfAnother(officer=officer.id, name=told)
        officer.give_number(person)
        world.add(
            LateNumber(
                id=LateNumber.id_of(person), person=person, officer=officer.id, area=officer.home
            )
        )
        renew_substitutes(world, officer)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcuseIdNumber(OnOfficer):
    """Record that an officer's ID number cannot be had, and why (无法取得身份证号).

    By an administrator of a level above the officer's area; of those at the store's seat, by one
    there, for nobody is above. Who records it does not appoint: that is another administrator.
    """

    roles: ClassVar[frozenset[Role]] = KEEPERS
    officer: UUID
    reason: str

    @classmethod
    def check(cls, world: World, officer: Officer) -> None:
        not_oneself(world, officer)
        if world.actor.area == officer.home and officer.home != seat_of(world):
            raise ExcusedFromAbove(officer=officer.id)
        if has_number(world.vault, officer):
            raise IdNumberKnown(officer=officer.id)
        officer.require_unexcused()

    def decide(self, world: World) -> Result | None:
        officer = world.get(Officer, self.officer)
        self.check(world, officer)
        officer.excuse_number(self.reason, world.actor.persons)
        return None
