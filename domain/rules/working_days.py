"""Working-day calendars 工作日: public holidays, make-up days and 春节, as adopted per year."""

from datetime import date, timedelta
from typing import ClassVar

import msgspec

from domain.rules.base import Problem

ONE = timedelta(days=1)


class CalendarYear(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One year as announced: free days (weekends among them may be listed), worked weekends."""

    holidays: tuple[date, ...]
    make_up: tuple[date, ...] = ()


class WorkingDays(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A year that is not in ``years`` counts plain weekends only; ``covers`` tells."""

    KIND: ClassVar[str] = "working_days"

    years: dict[str, CalendarYear]
    spring_festivals: dict[str, date]

    def covers(self, year: int) -> bool:
        return str(year) in self.years

    def covers_all(self, first: date, last: date) -> bool:
        """Whether every year from one day to another has its calendar."""
        return all(self.covers(year) for year in range(first.year, last.year + 1))

    def is_working(self, day: date) -> bool:
        listed = self.years.get(str(day.year))
        if listed is not None:
            if day in listed.make_up:
                return True
            if day in listed.holidays:
                return False
        return day.weekday() < 5

    def add(self, day: date, working_days: int) -> date:
        """The n-th working day after ``day``; ``day`` itself does not count. n = 0 is ``day``."""
        left = working_days
        while left > 0:
            day += ONE
            left -= self.is_working(day)
        return day

    def spring_festival(self, year: int) -> date | None:
        """New Year's Day of the lunar calendar 春节 in that year, if the calendar has it."""
        return self.spring_festivals.get(str(year))

    def problems(self) -> list[Problem]:
        found: list[Problem] = []
        for year, days in self.years.items():
            where = f"years.{year}"
            stray = [d for d in (*days.holidays, *days.make_up) if str(d.year) != year]
            found += [Problem(where, f"{d} 不在该年", f"{d} is not in that year") for d in stray]
            both = sorted(set(days.holidays) & set(days.make_up))
            found += [
                Problem(where, f"{d} 既放假又补班", f"{d} is both a holiday and a make-up day")
                for d in both
            ]
        for year, day in self.spring_festivals.items():
            if str(day.year) != year:
                where = f"spring_festivals.{year}"
                found.append(Problem(where, f"{day} 不在该年", f"{day} is not in that year"))
        return found
