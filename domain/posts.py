"""Posts: who may hold which role where, on which days, and in whose place."""

from datetime import date
from enum import StrEnum
from uuid import UUID

import msgspec

from domain.area import AreaLevel
from domain.refusal import Malformed
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
