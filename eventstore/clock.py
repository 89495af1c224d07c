"""The one clock. Real, or simulated for a demo or exercise store (design.md §4)."""

from collections.abc import Callable
from datetime import UTC, datetime


def machine_now() -> datetime:
    return datetime.now(UTC)


class Clock:
    """Tells the domain's time in UTC."""

    simulated = False

    def now(self) -> datetime:
        return machine_now()


class SimulatedClock(Clock):
    """Stands still while a store is loaded, then runs on at 1×.

    ``origin`` is the simulated time that belongs to machine time ``since``; None: standing.
    """

    simulated = True

    def __init__(self, at: datetime, machine: Callable[[], datetime] = machine_now) -> None:
        self._machine = machine
        self._at = at.astimezone(UTC)
        self._since: datetime | None = None

    def now(self) -> datetime:
        if self._since is None:
            return self._at
        return self._at + (self._machine() - self._since)

    def move_to(self, at: datetime) -> None:
        """Only forward; a moment already passed changes nothing."""
        if at > self.now():
            self._at = at.astimezone(UTC)
            if self._since is not None:
                self._since = self._machine()

    def run(self, since: datetime | None = None) -> None:
        """Go on at 1×, as if started at machine time ``since`` (default: now)."""
        if self._since is None:
            self._since = since or self._machine()
