"""The in-process follower: reads the log in order and folds it into the views, for one county.

It wakes at once for this process's commits and within a quarter second for other processes'.
A handler that raises stops it (and says so): skipping a fact would make the boards lie. A locked
file or a full disk does not: nothing was applied, so it tries again until it passes.
"""

import threading
import time
from collections.abc import Iterable
from uuid import UUID

from eventstore.errors import StoreError
from eventstore.store import Store
from projections.folding.engine import ViewsDatabase
from streams.following import Listener
from streams.metrics import FOLD_SECONDS, FOLDED

BATCH = 512
TROUBLE_SECONDS = 0.5
GATHER_SECONDS = 0.012
"""Between two small batches: folding facts together costs a third of folding them one by one."""


class Follower:
    """Keeps the views of one store up to date on a thread of its own."""

    def __init__(self, store: Store, views: ViewsDatabase) -> None:
        self._store = store
        self._views = views
        self._listeners: list[Listener] = []
        self._stop = threading.Event()
        self._moved = threading.Condition()
        self.position = views.position()
        self.failure: BaseException | None = None
        self.trouble: StoreError | None = None
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

    def vector(self) -> dict[int, int]:
        return {0: self.position}

    def wait_for(
        self, position: int, timeout: float, divisions: Iterable[UUID] | None = None
    ) -> bool:
        """Whether the views have reached ``position``: all divisions have come equally far."""
        del divisions
        with self._moved:
            return self._moved.wait_for(
                lambda: self.position >= position or self.failure is not None, timeout
            ) and (self.failure is None)

    def step(self) -> bool:
        """Apply one batch if there is one."""
        return bool(self._apply())

    def _apply(self) -> int:
        """Apply one batch; how many facts it had."""
        batch = self._store.read(self.position, BATCH)
        if not batch:
            return 0
        began = time.monotonic()
        applied = self._views.apply(batch)
        FOLD_SECONDS.observe(time.monotonic() - began)
        FOLDED.inc(len(batch))
        with self._moved:
            self.position = applied.position
            self._moved.notify_all()
        for listener in self._listeners:
            listener(applied)
        return len(batch)

    def _step_or_wait(self) -> bool:
        """`step`, unless the files are in trouble that passes; then a pause."""
        try:
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

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                if not self._step_or_wait():
                    self._store.watch.wait(self.position, 1.0)
        except BaseException as problem:
            with self._moved:
                self.failure = problem
                self._moved.notify_all()
            if not self._stop.is_set():
                raise
