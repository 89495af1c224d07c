"""What was found out a moment ago, and need not be asked again."""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Lately(Generic[K, V]):
    """Values that hold for some seconds after they were found; at most ``most`` of them.

    Safe between threads as a dictionary is: a value may be found twice, never wrongly.
    """

    def __init__(
        self, seconds: float, most: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds, self._most, self._clock = seconds, most, clock
        self._kept: dict[K, tuple[V, float]] = {}

    def get(self, key: K) -> V | None:
        """The value, while it holds."""
        kept = self._kept.get(key)
        return kept[0] if kept is not None and self._clock() < kept[1] else None

    def keep(self, key: K, value: V) -> V:
        if len(self._kept) >= self._most:
            self._kept.clear()
        self._kept[key] = value, self._clock() + self._seconds
        return value

    def clear(self) -> None:
        self._kept.clear()
