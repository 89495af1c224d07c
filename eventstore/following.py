"""Waiting for new facts: at once for this process's own, within a quarter second for others'."""

import threading
import time

from eventstore.log import Log

POLL_SECONDS = 0.2


class HeadWatch:
    """Knows the newest position. The writer tells it; a poll finds what other processes wrote."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._changed = threading.Condition()
        self._head = 0
        self._woken = 0
        self._listening = False

    def committed(self, head: int) -> None:
        with self._changed:
            self._head = max(self._head, head)
            self._changed.notify_all()

    def wait(self, after: int, timeout: float) -> int:
        """The head as soon as it is beyond ``after``, at a `wake`, or after ``timeout`` seconds."""
        if not self._listening:
            self._listening = True
            self._log.listen(self.committed)
        deadline = time.monotonic() + timeout
        woken = self._woken
        while True:
            told, head = self._head, self._log.head()
            left = deadline - time.monotonic()
            if head > after or left <= 0 or woken != self._woken:
                return head
            with self._changed:
                if told > head:  # anybody may notify: what is not in the log was never committed
                    self._head = min(self._head, head)
                if self._head <= after:
                    self._changed.wait(min(left, POLL_SECONDS))

    def wake(self) -> None:
        """Let waiters return at once (used when stopping)."""
        with self._changed:
            self._woken += 1
            self._changed.notify_all()
