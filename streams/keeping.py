"""What a process does about the store itself: its clock, its seat, the epoch of its log.

Once a second it looks at its machine's clock. If that has to be held, it writes a fact, so that
everybody is told and an operator can decide; what was decided through another process holds here
too. It also sees whether a stand-by of PostgreSQL has become the primary: the first process to see
it begins the log's next epoch. For that it notes the timeline of a log that was empty as the
process started.
"""

import threading
from datetime import timedelta

import structlog

from domain.commands.store import AdvanceClock, DecideClock, HoldClock
from domain.lateness import HeldSpan
from domain.store import Cause, ClockHeldAlready, ClockNotHeld, Decision
from eventstore.clock import clock_state
from eventstore.errors import StoreError
from eventstore.lineage import begin_epoch, note_timeline, run_about
from eventstore.outcomes import Refused
from eventstore.store import Store
from eventstore.trust import KEEP_EVERY
from streams.sealing import seal_frames

INTERVAL_SECONDS = 1.0
DONE_BY_ANOTHER = tuple(kind.code() for kind in (ClockHeldAlready, ClockNotHeld))

log = structlog.get_logger("keeping")


class Keeper:
    """Looks once a second, on a thread of its own or step by step."""

    def __init__(
        self,
        store: Store,
        *,
        interval: float = INTERVAL_SECONDS,
        frames: bool = False,
    ) -> None:
        """``frames``: whether frames of this log travel, so that relay and workers need a key."""
        self._store, self._interval = store, interval
        self._frames = frames
        self._told = False
        """Whether the log has been seen to say that this machine's clock is held, since it is."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finish the look that runs. Call it before the store is closed."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def step(self) -> None:
        """One look. Raises a `StoreError`."""
        if self._store.log.promoted():
            log.warning("log.promoted", epoch=begin_epoch(self._store, Cause.PROMOTION))
        note_timeline(self._store)
        if self._frames:
            seal_frames(self._store)
        self._store.trust.keep(KEEP_EVERY)
        self._store.follow_clock()
        self._look_at_clock()

    def _look_at_clock(self) -> None:
        store = self._store
        clock, host = store.clock, host_of(store)
        held, state = clock.held, clock_state(store.log)
        clock.know(state.spans)
        if held is None:
            if host in state.holds:
                log.warning("clock.returned")
                span = clock.spans[-1] if clock.spans else None
                _say(store, DecideClock, host=host, decision=Decision.RETURNED, span=span)
            self._told = False
        elif host in state.holds:
            self._told = True
        elif self._told:  # the log does not say any more that it is held: an operator has decided
            clock.accept()
            self._told = False
            log.warning("clock.accepted", now=clock.now().isoformat())
        else:
            log.error(
                "clock.held",
                good=held.good.isoformat(),
                machine=held.machine.isoformat(),
                cause=held.cause,
            )
            _say(
                store,
                HoldClock,
                host=host,
                good=held.good,
                machine=held.machine,
                boot=held.boot,
                boot_id=held.boot_id,
                cause=held.cause,
            )
            self._told = True

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            try:
                self.step()
            except (StoreError, Refused) as problem:
                if self._stop.is_set():
                    return
                log.warning("keeping.failed", problem=repr(problem))


def host_of(store: Store) -> str:
    """The name under which this machine's clock is spoken of."""
    return store.real.machine.host()


def _say(store: Store, kind: type[HoldClock | DecideClock], **fields: object) -> None:
    try:
        run_about(store, kind, **fields)
    except Refused as refused:
        if refused.problem.code not in DONE_BY_ANOTHER:
            raise


def accept_clock(store: Store, *, reason: str, operator: str, host: str | None = None) -> None:
    """An operator says that a machine's time is right. Raises `Refused`."""
    host = host or host_of(store)
    clock, other = store.clock, clock_state(store.log).holds.get(host)
    span = clock.held_for()
    if host != host_of(store) and other is not None and not clock.simulated:
        span = HeldSpan(other.good, clock.now())
    run_about(
        store,
        DecideClock,
        host=host,
        decision=Decision.ACCEPTED,
        span=span,
        reason=reason,
        operator=operator,
    )
    if host == host_of(store):
        store.clock.accept()


def advance_clock(store: Store, *, by: timedelta, rate: int, operator: str) -> None:
    """Move a simulated clock forward, and let it run at this rate. Raises `Refused`."""
    clock = store.clock
    run_about(
        store,
        AdvanceClock,
        to=clock.now() + by,
        machine_at=store.real.now(),
        rate=rate,
        operator=operator,
    )
    store.follow_clock()
