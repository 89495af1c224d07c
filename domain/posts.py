"""Posts: who may hold which role where, on which days, and in whose place."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.area import AreaLevel
from domain.refusal import Malformed, Refusal
from domain.world import Role


class Post(StrEnum):
    """A/B 岗: A does the work, B stands in. Posts that have no pair have no letter."""

    A = "A"
    B = "B"
    NONE = ""


class Appointment(msgspec.Struct, frozen=True):
    """One post of one officer. ``ends_on`` is its last day; None is until further notice."""

    id: UUID
    role: Role
    area: UUID
    post: Post
    certificate: str
    starts_on: date
    ends_on: date | None

    def covers(self, day: date) -> bool:
        return self.starts_on <= day and (self.ends_on is None or day <= self.ends_on)


class Certificate(msgspec.Struct, frozen=True):
    """What says that an officer was trained (灾害信息员证书). No ``valid_until``: it has no last
    day. The number in an appointment is the one that was shown when it was made."""

    certificate: str
    issued_on: date
    valid_until: date | None


class StandIn(msgspec.Struct, frozen=True):
    """A post held in place of an absent officer, on the days from ``starts_on`` to ``ends_on``.

    ``persons`` are the natural persons who count for the absent officer.
    """

    id: UUID
    absent: UUID
    persons: tuple[UUID, ...]
    appointment: Appointment
    starts_on: date
    ends_on: date

    def covers(self, day: date) -> bool:
        return self.starts_on <= day <= self.ends_on and self.appointment.covers(day)


ABOVE_VILLAGE = frozenset(AreaLevel) - {AreaLevel.VILLAGE}
COUNTY_AND_ABOVE = ABOVE_VILLAGE - {AreaLevel.TOWNSHIP}

LEVELS_OF: dict[Role, frozenset[AreaLevel]] = {
    # A farm or forest farm of township rank reports with its own staff (domain.md §1.2).
    Role.VILLAGE_REPORTER: frozenset({AreaLevel.VILLAGE, AreaLevel.TOWNSHIP}),
    Role.TOWNSHIP_REVIEWER: frozenset({AreaLevel.TOWNSHIP}),
    Role.COUNTY_APPROVER: frozenset({AreaLevel.COUNTY}),
    Role.COUNTY_PAYER: frozenset({AreaLevel.COUNTY}),
    Role.STOREKEEPER: frozenset(AreaLevel),
    Role.DISPATCHER: ABOVE_VILLAGE,
    Role.CITY_REVIEWER: frozenset({AreaLevel.CITY}),
    Role.PROVINCE_REVIEWER: frozenset({AreaLevel.PROVINCE}),
    Role.AUDITOR: COUNTY_AND_ABOVE,
    Role.ADMINISTRATOR: ABOVE_VILLAGE,
}
"""At which levels a role can be held. SYSTEM is not there: it is never a person."""


@dataclass(eq=False)
class AlreadyAppointed(Refusal):
    """One officer holds one role in one area once at a time."""

    zh: ClassVar[str] = "该人员在此区划已有同一岗位"
    en: ClassVar[str] = "This officer holds that role in that area already."
    officer: UUID
    appointment: UUID
    role: str
    area: UUID


@dataclass(eq=False)
class EndsOnlyShorten(Refusal):
    """A post that has a last day gets no later one: whoever goes on is appointed anew."""

    zh: ClassVar[str] = "该岗位的最后一天已定为 {ends_on}，只能提前；继续任职请重新任命"
    en: ClassVar[str] = (
        "The last day of this post is {ends_on}: it can be set earlier, never later. "
        "Appoint the officer anew."
    )
    officer: UUID
    appointment: UUID
    ends_on: date


@dataclass(eq=False)
class RoleDoesNotFit(Refusal):
    """A township reviews in a township, a county approves in a county."""

    zh: ClassVar[str] = "岗位 {role} 不能设在 {level} 级"
    en: ClassVar[str] = "There is no post of {role} at level {level}."
    role: str
    area: UUID
    level: str


@dataclass(eq=False)
class AdministratorHasNoBusiness(Refusal):
    """An administrator keeps areas, officers and rulebooks, and has no business right."""

    zh: ClassVar[str] = "系统管理员不得兼任业务岗位（{role}）"
    en: ClassVar[str] = "An administrator holds no business post ({role}), and the reverse."
    officer: UUID
    role: str


@dataclass(eq=False)
class OwnPosts(Refusal):
    """Nobody decides about their own posts, nor about the posts of whom they stand in for."""

    zh: ClassVar[str] = "任何人不得办理自己的任免、代理或停复职"
    en: ClassVar[str] = "Nobody decides about their own posts."
    officer: UUID


@dataclass(eq=False)
class StandsInForOneself(Refusal):
    zh: ClassVar[str] = "代理人和接手人必须是另一个人"
    en: ClassVar[str] = "A substitute or successor is another person."
    officer: UUID


@dataclass(eq=False)
class HoldsNoPost(Refusal):
    zh: ClassVar[str] = "该人员没有任职，没有可办理的岗位"
    en: ClassVar[str] = "This officer holds no post with which this could be done."
    officer: UUID


@dataclass(eq=False)
class NobodyStandsIn(Refusal):
    zh: ClassVar[str] = "该人员没有正在代岗的人"
    en: ClassVar[str] = "Nobody stands in for this officer."
    officer: UUID


@dataclass(eq=False)
class NothingToHandOver(Refusal):
    zh: ClassVar[str] = "该人员没有可移交的岗位"
    en: ClassVar[str] = "This officer holds no post that could be handed over."
    officer: UUID


def post_of(held: Appointment | StandIn) -> Appointment:
    """The post itself, whether it is held by appointment or in an absent officer's place."""
    return held.appointment if isinstance(held, StandIn) else held


def check_period(starts_on: date, ends_on: date | None, field: str = "ends_on") -> None:
    """`Malformed` if the last day (of that name) lies before the first."""
    if ends_on is not None and ends_on < starts_on:
        raise Malformed(
            field=field,
            value=str(ends_on),
            rule_zh=f"不能早于开始日期 {starts_on}",
            rule_en=f"it lies before the first day, {starts_on}",
        )
