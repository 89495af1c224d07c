"""The in-process follower: reads the log in order and folds it into the views, for one county.

It wakes at once for this process's commits and within a quarter second for other processes'.
A fact that a view cannot fold is parked, as a cluster's workers park it; after ten different
streams in a row the views stand still, and say so, until somebody has looked (`relief parked`,
`relief resume`). A locked file or a full disk is only waited for: nothing was applied.
"""

import threading
import time
from collections.abc import Iterable
from typing import Protocol
from uuid import UUID

from eventstore.errors import StoreError
from eventstore.following import HeadWatch
from eventstore.log import Log
from eventstore.trust import Trust
from projections.folding.engine import Gap, ViewsDatabase
from projections.folding.errors import TooManyParked
from projections.folding.facts import Dropped
from projections.folding.fold import ISOLATE
from projections.folding.lineage import belong
from projections.folding.parking import dropped_in
from streams.following import Listener
from streams.metrics import FOLD_SECONDS, FOLDED

BATCH = 512
TROUBLE_SECONDS = 0.5
STANDING_SECONDS = 0.5
"""Between two looks whether views that stand still may go on."""
LOOK_SECONDS = 1.0
"""Between two looks whether the log is still the one whose facts the views hold."""
GATHER_SECONDS = 0.012
"""Between two small batches: folding facts together costs a third of folding them one by one."""


class Followed(Protocol):
    """What a follower needs of a store."""

    @property
    def log(self) -> Log: ...
    @property
    def watch(self) -> HeadWatch: ...
    @property
    def trust(self) -> Trust: ...


class Follower:
    """Keeps the views of one store up to date on a thread of its own."""

    def __init__(self, store: Followed, views: ViewsDatabase) -> None:
        self._store = store
        self._views = views
        self._listeners: list[Listener] = []
        self._stop = threading.Event()
        self._moved = threading.Condition()
        self.position = views.position()
        self.failure: BaseException | None = None
        self.trouble: StoreError | None = None
        self._look_at = 0.0
        self.facts, self.seconds = 0, 0.0
        """Of the batch that was applied last."""
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    def listen(self, listener: Listener) -> None:
        """Tell ``listener`` of every applied batch, on the follower's thread."""
        self._listeners.append(listener)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._store.watch.wake()
        if self._thread.is_alive():
            self._thread.join()

    def ended(self) -> bool:
        """Whether its thread has ended, or never begun."""
        return not self._thread.is_alive()

    def vector(self) -> dict[int, int]:
        return {0: self.position}

    def wait_for(
        self, position: int, timeout: float, divisions: Iterable[UUID] | None = None
    ) -> bool:
        """Whether the views have reached ``position``. ``divisions`` make no difference: there is
        one partition."""
        del divisions
        with self._moved:
            return self._moved.wait_for(
                lambda: self.position >= position or self.failure is not None, timeout
            ) and (self.failure is None)

    def step(self) -> bool:
        """Apply one batch if there is one."""
        return bool(self._apply())

    def _apply(self) -> int:
        """Apply one batch; how many facts it had. Raises `TooManyParked`."""
        read = self._store.log.rows(self.position, BATCH)
        if not read:
            return 0
        began = time.perf_counter()
        last, trust = read[-1][0], self._store.trust
        trust.hold(read)
        rows = trust.without(read)
        forged = trust.forged.keys()
        applied = self._views.apply_frame(0, self.position, last, rows, ISOLATE, forged)
        self.facts, self.seconds = len(rows), time.perf_counter() - began
        if isinstance(applied, Gap):  # another process has let the views begin anew
            self.position = applied.after
            return self._apply()
        FOLDED.inc(self.facts)
        FOLD_SECONDS.observe(self.seconds)
        with self._moved:
            self.position = applied.position
            self._moved.notify_all()
        for listener in self._listeners:
            listener(applied)
        return len(read)

    def _same_log(self) -> None:
        """Look whether the views are of the log as it is now; if not, they begin anew."""
        now = time.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + LOOK_SECONDS
        if belong(self._views, self._store.log):
            self._views.dropped = self._dropped()
            self.position = self._views.position()

    def _dropped(self) -> Dropped:
        store = self._store
        return dropped_in(store.log.source, self._views.views, store.trust.forged)

    def _step_or_wait(self) -> bool:
        """Apply a batch if there is one. If a file is locked or the disk full, pause instead."""
        try:
            self._same_log()
            moved = self._apply()
        except StoreError as problem:
            if problem.retry_after is None or self._stop.is_set():
                raise
            self.trouble = problem
            self._stop.wait(TROUBLE_SECONDS)
            return True
        self.trouble = None
        if 0 < moved < BATCH:
            self._stop.wait(GATHER_SECONDS)
        return moved > 0

    def _stand_still(self, why: TooManyParked) -> None:
        """Wait until the views were replayed past that fact, or an operator lets them try again."""
        with self._moved:
            self.failure = why
            self._moved.notify_all()
        while not self._stop.wait(STANDING_SECONDS):
            try:
                if self._views.stopped():
                    continue
                self._views.dropped |= self._dropped()
                self.position = self._views.position()
            except StoreError as problem:
                if problem.retry_after is None:
                    raise
                continue
            self.failure = None
            return

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    if not self._step_or_wait():
                        self._store.watch.wait(self.position, 1.0)
                except TooManyParked as problem:
                    self._stand_still(problem)
        except BaseException as problem:
            with self._moved:
                self.failure = problem
                self._moved.notify_all()
            if not self._stop.is_set():
                raise
