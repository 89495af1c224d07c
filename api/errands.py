"""Work that one process does once at a time, beside everything else, and whose end is kept.

A look at the whole house or a backup takes longer than a request may: it runs in a thread of its
own, not among those that answer questions. Who asks meanwhile is told how far it has come.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

import structlog

from eventstore.clock import machine_now
from eventstore.errors import StoreError
from eventstore.sql import DATABASE_ERRORS, explain

log = structlog.get_logger("relief.errands")
T = TypeVar("T")
CLOSING_SECONDS: Final = 30.0

Advance = Callable[[int, int], None]
"""Told by the work: so much is done, of so much."""


@dataclass(frozen=True, slots=True)
class Standing(Generic[T]):
    """How an errand stands: what came of the last one that went well (None before it), when that
    was by the machine's clock, why the one after it failed, and how far the present one has come.
    """

    running: bool = False
    done: int = 0
    of: int = 0
    result: T | None = None
    at: datetime | None = None
    failure: tuple[str, str] | None = None
    """In Chinese and English."""


FAILED: Final = ("程序出错，详见服务器日志", "The program failed; the server's log says why.")


class Errand(Generic[T]):
    """``work`` in a thread, one at a time and not more often than every ``least`` seconds."""

    def __init__(
        self,
        name: str,
        work: Callable[[Advance], T],
        *,
        least: float = 0,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._work = work
        self._least = least
        self._seconds = seconds
        self._lock = threading.Lock()
        self._standing: Standing[T] = Standing()
        self._thread: threading.Thread | None = None
        self._ended: float | None = None
        self._closed = False

    @property
    def standing(self) -> Standing[T]:
        return self._standing

    def wait_seconds(self) -> float:
        """Until it may begin again; 0 when it may."""
        if self._ended is None:
            return 0.0
        return max(0.0, self._ended + self._least - self._seconds())

    def begin(self) -> bool:
        """Begin, unless it runs or ran a moment ago. Answers whether it begins."""
        with self._lock:
            if self._closed or self._standing.running or self.wait_seconds() > 0:
                return False
            before = self._standing
            self._standing = replace(before, running=True, done=0, of=0)
            thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the machine gives no thread: nothing runs
                self._standing = before
                raise
            self._thread = thread
            return True

    def begin_if_older(self, age: timedelta) -> None:
        """Begin if nothing came of it yet, or only so long ago."""
        at = self._standing.at
        if at is None or machine_now() - at > age:
            self.begin()

    def wait(self, timeout: float) -> bool:
        """Until the present one has ended; False if it has not within so many seconds."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout)
        return not self._standing.running

    def close(self) -> None:
        """Begin no more, and wait (bounded) for the one that runs."""
        with self._lock:
            self._closed = True
        if not self.wait(CLOSING_SECONDS):
            log.warning("errand-left", errand=self._name)

    def _advance(self, done: int, of: int) -> None:
        self._standing = replace(self._standing, done=done, of=of)

    def _run(self) -> None:
        try:
            result = self._work(self._advance)
            ended: Standing[T] = Standing(result=result, at=machine_now())
        except (StoreError, *DATABASE_ERRORS) as problem:
            told = problem if isinstance(problem, StoreError) else explain(problem)
            ended = self._failed(told.zh, str(told))
        except Exception:
            log.exception("errand-failed", errand=self._name)
            ended = self._failed(*FAILED)
        with self._lock:
            self._standing = ended
            self._ended = self._seconds()

    def _failed(self, zh: str, en: str) -> Standing[T]:
        before = self._standing
        return Standing(result=before.result, at=before.at, failure=(zh, en))
