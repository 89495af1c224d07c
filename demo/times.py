"""Times of the demo: wall clock of China, and the days on which the season's steps fall."""

from datetime import datetime

from domain.rules.base import CHINA


def at(year: int, month: int, day: int, hour: int = 9, minute: int = 0) -> datetime:
    """A moment in China."""
    return datetime(year, month, day, hour, minute, tzinfo=CHINA)
