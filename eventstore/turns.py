"""A lock that is had in the order in which it was asked for."""

import threading
from collections import deque


class InTurn:
    """A context manager like `threading.Lock`, but fair.

    A plain lock may be taken again by the thread that let it go, before one that waits has woken:
    a bulk writer in a loop would starve single commands of the same process.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._held = False

    def __enter__(self) -> None:
        with self._guard:
            if not self._held:
                self._held = True
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()

    def __exit__(self, *_: object) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._held = False
