"""What all kinds of rulebook share: the levels of the administration, China time, problems."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Annotated, Literal

import msgspec

Level = Literal["nation", "province", "city", "county", "township", "village"]
LEVELS: tuple[Level, ...] = ("nation", "province", "city", "county", "township", "village")

CHINA = timezone(timedelta(hours=8), "UTC+08:00")
"""The legal time of the whole country. It has no summer time in the years we keep."""

Key = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]*$", max_length=60)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=400)]
Count = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
Fen = Annotated[int, msgspec.Meta(ge=0, le=10**15)]


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with a rulebook, at which key, in two languages. ``line`` 0: not known."""

    key: str
    zh: str
    en: str
    line: int = 0


def china_day(moment: datetime) -> date:
    """The calendar day in China of an aware moment."""
    return moment.astimezone(CHINA).date()


def china_moment(day: date, at: time = time(0)) -> datetime:
    """The UTC moment of a wall-clock time in China."""
    return datetime.combine(day, at, tzinfo=CHINA).astimezone(UTC)


def repeated(keys: tuple[str, ...], where: str) -> list[Problem]:
    """A problem for each key that occurs more than once."""
    twice = sorted({key for key in keys if keys.count(key) > 1})
    return [Problem(where, f"“{key}”重复出现", f"{key} occurs more than once") for key in twice]
