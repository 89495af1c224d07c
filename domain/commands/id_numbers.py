"""The desk for ID numbers of officers that cannot be had: a superior says so, with a reason."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.commands.appointing import has_number, not_oneself
from domain.commands.officers import KEEPERS
from domain.officer import Officer
from domain.refusal import Refusal
from domain.seat import seat_of
from domain.world import Command, Result, Role, World


@dataclass(eq=False)
class IdNumberKnown(Refusal):
    zh: ClassVar[str] = "该人员已登记身份证号，无须登记“无法取得”"
    en: ClassVar[str] = "This officer's ID number is registered: there is nothing to excuse."
    officer: UUID


@dataclass(eq=False)
class ExcusedFromAbove(Refusal):
    """Whoever is to do without a number is excused from above; at the seat nobody is above."""

    zh: ClassVar[str] = "“无法取得身份证号”须由该人员所在区划的上级管理员登记"
    en: ClassVar[str] = (
        "That an ID number cannot be had is recorded by an administrator above the officer's area."
    )
    officer: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcuseIdNumber(Command):
    """Record that an officer's ID number cannot be had, and why (无法取得身份证号).

    By an administrator of a level above the officer's area; of those at the store's seat, by one
    there, for nobody is above. Who records it does not appoint: that is another administrator.
    """

    roles: ClassVar[frozenset[Role]] = KEEPERS
    officer: UUID
    reason: str

    def scope(self, world: World) -> UUID:
        return world.get(Officer, self.officer).home

    def decide(self, world: World) -> Result | None:
        officer = world.get(Officer, self.officer)
        not_oneself(world, officer)
        actor = world.actor
        if actor.area == officer.home and officer.home != seat_of(world):
            raise ExcusedFromAbove(officer=officer.id)
        if has_number(world, officer):
            raise IdNumberKnown(officer=officer.id)
        officer.excuse_number(self.reason, actor.persons)
        return None
