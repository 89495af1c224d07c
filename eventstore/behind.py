"""A thread for what follows facts after they are durable: it works while there is something to do,
waits for news of the log when there is nothing, and tries again after a failure."""

import threading
from collections.abc import Callable
from contextlib import suppress

import structlog

from eventstore.errors import StoreError

QUIET_SECONDS = 1.0
AGAIN_SECONDS = 2.0

log = structlog.get_logger()


class Behind:
    """Calls ``step`` until it answers False, then waits until the log is beyond ``position``."""

    def __init__(self, name: str, step: Callable[[], bool], position: Callable[[], int]) -> None:
        self._name, self._step, self._position = name, step, position
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        return self._thread is not None

    def start(self, wait: Callable[[int, float], int]) -> None:
        """Work in a thread from now on. ``wait(after, seconds)`` returns at news of the log."""
        assert self._thread is None
        self._thread = threading.Thread(
            target=self._serve, args=(wait,), name=self._name, daemon=True
        )
        self._thread.start()

    def _serve(self, wait: Callable[[int, float], int]) -> None:
        while not self._ending.is_set():
            try:
                more = self._step()
            except StoreError as problem:
                kind = type(problem).__name__
                log.warning(f"{self._name}-wait", problem=kind, detail=problem.detail)
                self._ending.wait(AGAIN_SECONDS)
                continue
            except Exception:
                log.exception(f"{self._name}-failed")
                self._ending.wait(AGAIN_SECONDS)
                continue
            if not more and not self._ending.is_set():
                with suppress(StoreError):
                    wait(self._position(), QUIET_SECONDS)

    def stop(self, wake: Callable[[], None]) -> None:
        """End the thread; what it had not done is taken up again at the next start. ``wake`` lets
        its ``wait`` return."""
        self._ending.set()
        wake()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
