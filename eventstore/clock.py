"""The one clock. Real, or simulated for a demo or exercise store (design.md §4).

The machine's clock may leap: a battery is empty, a time server is wrong, somebody sets it by hand.
So within one run its time is compared with the time since boot, which nobody can set and which
goes on while the machine sleeps. A small difference is the machine being put right and is
followed; beyond a limit the clock is *held*: it goes on from the last good time until the machine
agrees with it again or an operator decides (decision 0022).

Where several machines stamp one log, one that is ahead from its start would take everybody's stamps
into the future with it, for they never go back. What they have in common is the database server:
a run that begins too far ahead of its clock is held as well (decision 0037).
"""

import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from domain.lateness import HeldSpan, HeldTime, joined
from domain.store import Decision, Hold, HoldCause
from eventstore.log import Log

LEAP = timedelta(minutes=5)
"""How far the machine's time may differ from what it should be before it is not believed."""
GAP = timedelta(days=30)
"""So long after the newest fact a start is told as a gap: a store may have rested, or the clock be
wrong. Nothing is held for it: nobody can know."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class ClockState(msgspec.Struct, frozen=True):
    """What the log says of machines' clocks: those that are held, how others were decided, and
    when any of them was held before."""

    holds: dict[str, Hold] = {}
    decisions: dict[str, Decision] = {}
    spans: tuple[HeldSpan, ...] = ()


_clock_state = msgspec.json.Decoder(ClockState).decode


def clock_state(log: Log) -> ClockState:
    """As the newest facts have it."""
    return _clock_state(log.mark("clock") or "{}")


def ahead_by(hold: Hold) -> timedelta:
    """How far the machine was ahead of the time that was believed; negative: behind it."""
    return hold.machine - hold.good


def machine_now() -> datetime:
    return datetime.now(UTC)


def since_boot() -> float:
    """Seconds since the machine started, asleep or not; where that is not told, awake ones."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def boot_id() -> str:
    """Names this start of the machine; "" where there is no such name."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a clock gets its time: what the machine says, and what nobody can set."""

    wall: Callable[[], datetime] = machine_now
    boot: Callable[[], float] = since_boot
    boot_id: Callable[[], str] = boot_id
    host: Callable[[], str] = socket.gethostname


MACHINE = Machine()


class Clock:
    """Tells the domain's time in UTC. Safe to ask from any thread."""

    simulated = False
    gap: timedelta | None = None
    """How long after the newest fact this run began, if that is worth telling."""
    _held: Hold | None = None
    _cause = HoldCause.LEAPT
    """Why it would be held now."""

    def __init__(
        self, machine: Machine = MACHINE, *, leap: timedelta = LEAP, gap: timedelta = GAP
    ) -> None:
        self.machine, self.leap_limit, self.gap_limit = machine, leap, gap
        self._lock = threading.Lock()
        self._good, self._boot = machine.wall(), machine.boot()
        self._spans: tuple[HeldSpan, ...] = ()

    @property
    def held(self) -> Hold | None:
        """Why the machine's time is not used just now; None while it is."""
        self.now()
        return self._held

    @property
    def ahead(self) -> timedelta | None:
        """How far the machine was ahead of the database's server at the start, while it is held."""
        held = self.held
        return None if held is None or held.cause is not HoldCause.AHEAD else ahead_by(held)

    @property
    def ahead_of_real(self) -> timedelta:
        """How far it is ahead of real time, to the minute; negative: behind. Only a simulated
        clock can be either."""
        return timedelta(0)

    @property
    def good_until(self) -> datetime | None:
        """The last moment at which this clock was certainly right, if it is held; else None."""
        held = self.held
        return None if held is None else held.good

    @property
    def held_time(self) -> HeldTime:
        """The time that does not count: since when it is held, and when clocks were before."""
        return HeldTime(self.good_until, self.spans)

    @property
    def spans(self) -> tuple[HeldSpan, ...]:
        """When this clock, and those that `know` was told of, were held and went again."""
        return self._spans

    def know(self, spans: Iterable[HeldSpan]) -> None:
        """Take over what the log says of when clocks were held."""
        with self._lock:
            self._spans = joined([*self._spans, *spans])

    def held_for(self) -> HeldSpan | None:
        """The time it is held for, if the machine's time is used from now on."""
        good = self.good_until
        return None if good is None else HeldSpan(good, max(self.now(), self.machine_time()))

    def machine_time(self) -> datetime:
        """What time it is if the machine is right."""
        return self.machine.wall()

    @property
    def leap(self) -> timedelta:
        """By how much the machine's time differs from this clock's."""
        return self.machine.wall() - self.now()

    def now(self) -> datetime:
        with self._lock:
            wall, boot = self.machine.wall(), self.machine.boot()
            expected = self._good + timedelta(seconds=boot - self._boot)
            if abs(wall - expected) <= self.leap_limit:
                if self._held is not None:
                    span = HeldSpan(self._held.good, max(wall, expected))
                    self._spans = joined([*self._spans, span])
                self._held, self._cause = None, HoldCause.LEAPT
                self._good, self._boot = wall, boot
                return wall
            if self._held is None:
                self._held = Hold(expected, wall, boot, self.machine.boot_id(), self._cause)
            return expected

    def begin(
        self,
        newest: datetime | None,
        held: Hold | None = None,
        *,
        server: datetime | None = None,
    ) -> None:
        """What is known at the start of a run: when the newest fact was recorded, the hold of
        this machine's clock that nobody has decided yet, and the database server's time.

        A gap forward is told only. The machine's time may not lie before the newest fact, nor
        beyond the server's by more than a leap. Only the start is compared: a machine that leaps
        later is noticed by itself, and a server that leaps is no reason to leave the right time.
        """
        with self._lock:
            wall, boot = self.machine.wall(), self.machine.boot()
            too_far = server is not None and wall - server > self.leap_limit
            if held is not None:
                same_boot = held.boot_id and held.boot_id == self.machine.boot_id()
                passed = boot - held.boot if same_boot else 0.0
                good = held.good + timedelta(seconds=passed)
                self._good, self._boot = max(good, newest or good), boot
                self._held = held
            elif server is not None and too_far:
                self._good, self._boot, self._cause = server, boot, HoldCause.AHEAD
            elif newest is not None and newest - wall > self.leap_limit:
                self._good, self._boot, self._cause = newest, boot, HoldCause.BEHIND
            elif newest is not None and wall - newest > self.gap_limit:
                self.gap = wall - newest

    def accept(self) -> None:
        """The machine's time is right: go on from it."""
        span = self.held_for()
        with self._lock:
            if span is not None:
                self._spans = joined([*self._spans, span])
            self._good, self._boot = self.machine.wall(), self.machine.boot()
            self._held, self._cause, self.gap = None, HoldCause.LEAPT, None


class SimulatedClock(Clock):
    """Stands still while a store is loaded, then runs on at ``rate`` × real time.

    ``origin`` is the simulated time that belongs to machine time ``since``; None: standing.
    Moving it forward or letting it run faster is no leap; the real time below it is guarded.
    """

    simulated = True

    def __init__(
        self,
        at: datetime,
        machine: Callable[[], datetime] | None = None,
        *,
        real: Clock | None = None,
        rate: int = 1,
    ) -> None:
        self.real = real or Clock()
        self._machine = machine or self.real.now
        self._at = at.astimezone(UTC)
        self._since: datetime | None = None
        self.rate = rate
        self._before: tuple[HeldSpan, ...] = ()
        """When clocks were held, in simulated time; without what `real` has noted meanwhile."""

    @property
    def held(self) -> Hold | None:
        """A simulated clock that runs hangs on the machine's; one that stands does not."""
        return None if self._since is None else self.real.held

    @property
    def ahead_of_real(self) -> timedelta:
        return timedelta(minutes=round((self.now() - self.real.now()) / timedelta(minutes=1)))

    @property
    def good_until(self) -> datetime | None:
        real = None if self._since is None else self.real.good_until
        if real is None or self._since is None:
            return None
        return self._simulated(max(real, self._since))

    @property
    def spans(self) -> tuple[HeldSpan, ...]:
        if self._since is None:
            return self._before
        told = (
            HeldSpan(self._simulated(max(one.good, self._since)), self._simulated(one.until))
            for one in self.real.spans
            if one.until > self._since
        )
        return joined([*self._before, *told])

    def know(self, spans: Iterable[HeldSpan]) -> None:
        self._before = joined([*self._before, *spans])

    def machine_time(self) -> datetime:
        return self._at if self._since is None else self._simulated(self.real.machine_time())

    def _simulated(self, machine: datetime) -> datetime:
        """What a moment of the machine is in simulated time, while it runs."""
        assert self._since is not None
        return self._at + self.rate * (machine - self._since)

    @property
    def leap(self) -> timedelta:
        return self.real.leap

    def accept(self) -> None:
        self.real.accept()

    def now(self) -> datetime:
        if self._since is None:
            return self._at
        return self._simulated(self._machine())

    def move_to(self, at: datetime) -> None:
        """Only forward; a moment already passed changes nothing."""
        if at > self.now():
            self._before = self.spans
            self._at = at.astimezone(UTC)
            if self._since is not None:
                self._since = self._machine()

    def run(self, since: datetime | None = None) -> None:
        """Go on, as if started at machine time ``since`` (default: now)."""
        if self._since is None:
            self._since = since or self._machine()
