"""When reports are due (domain.md §1.3). The one place that computes a due time; no clock here.

All moments are aware; answers are UTC. Wall-clock rules are Beijing time, fixed +08:00.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, ClassVar, Literal, TypeVar

import msgspec

from domain.rules.base import LEVELS, Key, Level, Problem, china_day, china_moment, repeated
from domain.rules.indicators import Given
from domain.rules.working_days import WorkingDays

Minutes = Annotated[int, msgspec.Meta(ge=0, le=60 * 24 * 30)]
Days = Annotated[int, msgspec.Meta(ge=1, le=366)]


class InitialLimit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """初报: minutes from the occurrence, or from the receipt of the level below's report."""

    level: Level
    start: Literal["occurrence", "receipt"]
    minutes: Minutes


class FollowUpRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """续报: this level owes one to the level above it, due at this wall time in China, as of the
    previous day's 24:00. A level that is not named owes none; it may send one all the same."""

    level: Level
    due: time


class VerifiedLimit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """核报: working days after the day on which the disaster became stable."""

    level: Level
    working_days: Days


class Bypass(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Grave figures are reported to further levels at the same time 同时上报."""

    level: Level
    sum_of: tuple[Key, ...]
    at_least: Annotated[int, msgspec.Meta(ge=1)]
    also_to: tuple[Level, ...]


Limit = TypeVar("Limit", InitialLimit, FollowUpRule, VerifiedLimit)


class FollowUpDuty(msgspec.Struct, frozen=True):
    """A recurring duty as it stands in the log: rule, start and end. Queries enumerate it."""

    level: str
    due: time
    every_days: int
    start: datetime
    end: datetime | None = None


class Occurrence(msgspec.Struct, frozen=True):
    """One report that a duty asks for: the ``number``-th, as of, and due at."""

    number: int
    as_of: datetime
    due_at: datetime


class Deadlines(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``drought_every_days``: a drought is followed up every so many days, not daily."""

    KIND: ClassVar[str] = "deadlines"

    initial: tuple[InitialLimit, ...]
    follow_up: tuple[FollowUpRule, ...]
    verified: tuple[VerifiedLimit, ...]
    drought_every_days: Days
    bypass: tuple[Bypass, ...] = ()

    def due_initial(
        self, level: str, occurred_at: datetime, received_at: datetime | None = None
    ) -> datetime:
        """When the 初报 of an area of this level is due.

        A receipt clock without a receipt (the level saw it itself) starts at the occurrence. A
        level without a limit of its own has that of the next level above, which bounds it.
        """
        limit = _for_level(self.initial, level)
        start = occurred_at
        if limit.start == "receipt" and received_at is not None:
            start = received_at
        return start + timedelta(minutes=limit.minutes)

    def follow_up_duty(self, level: str, start: datetime, drought: bool) -> FollowUpDuty:
        """The duty to follow up from ``start`` (the 初报) on, still without an end."""
        rule = _for_level(self.follow_up, level)
        every = self.drought_every_days if drought else 1
        return FollowUpDuty(level=level, due=rule.due, every_days=every, start=start)

    def owes_follow_ups(self, level: str) -> bool:
        """Whether this rulebook makes the level owe follow-ups to the level above."""
        return any(rule.level == level for rule in self.follow_up)

    def due_verified(
        self, level: str, stable_at: datetime, calendar: WorkingDays
    ) -> datetime | None:
        """When the 核报 is due: the end (24:00) of the last allowed working day.

        None where no limit has been adopted.
        """
        if not self.verified:
            return None
        limit = _for_level(self.verified, level)
        last = calendar.add(china_day(stable_at), limit.working_days)
        return china_moment(last + timedelta(days=1))

    def recipients(self, level: str, figures: Given) -> tuple[str, ...]:
        """The levels beside the next one that must be told at the same time."""
        also: list[str] = []
        for rule in self.bypass:
            total = sum((figures.get(key) or Decimal(0) for key in rule.sum_of), Decimal(0))
            if rule.level == level and total >= rule.at_least:
                also += [to for to in rule.also_to if to not in also]
        return tuple(also)

    def problems(self) -> list[Problem]:
        found: list[Problem] = []
        for name in ("initial", "follow_up", "verified"):
            levels = tuple(limit.level for limit in getattr(self, name))
            found += repeated(levels, name)
            needed = () if name == "verified" and not levels else ("county", "city", "province")
            for level in needed:
                if level not in levels:
                    zh, en = f"缺少 {level} 的时限", f"the limit of level {level} is missing"
                    found.append(Problem(name, zh, en))
        return found


def _for_level(limits: tuple[Limit, ...], level: str) -> Limit:
    """The limit of this level, else of the next level above that has one."""
    by_level: dict[str, Limit] = {limit.level: limit for limit in limits}
    upward = LEVELS[: LEVELS.index(level) + 1][::-1]
    found = next((by_level[above] for above in upward if above in by_level), None)
    assert found is not None, level  # `problems` has seen to the province's; the nation reports not
    return found


def occurrences(duty: FollowUpDuty, until: datetime) -> Iterator[Occurrence]:
    """What the duty asked for up to ``until``, in order of time; ends at the duty's end.

    The first is as of 24:00 of the day the duty started (of its n-th day for a drought). A report
    that would fall due after the end is not asked for.
    """
    last = until if duty.end is None else min(until, duty.end)
    first_day = china_day(duty.start)
    number = 1
    while True:
        found = _occurrence(duty, first_day, number)
        if found.due_at > last:
            return
        yield found
        number += 1


def _occurrence(duty: FollowUpDuty, first_day: date, number: int) -> Occurrence:
    day = first_day + timedelta(days=duty.every_days * number)
    return Occurrence(number, as_of=china_moment(day), due_at=china_moment(day, duty.due))


def next_occurrence(duty: FollowUpDuty, after: datetime) -> Occurrence | None:
    """The first one that falls due after ``after``; None once the duty has ended."""
    first_day = china_day(duty.start)
    passed = (china_day(after) - first_day).days // duty.every_days
    number = max(1, passed)
    while (found := _occurrence(duty, first_day, number)).due_at <= after:
        number += 1
    if duty.end is not None and found.due_at > duty.end:
        return None
    return found
