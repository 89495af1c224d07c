"""How often somebody may do something: so many at once, and as many again in a given time.

A `Limiter` holds one `Limit` for many keys (an officer, an address, a log-in name). It is kept in
the memory of one process: with several processes each counts for itself, so that a limit is that
many times as wide, and a restart forgets. That is enough against flooding and leafing through;
what must never happen at all is a rule of the domain and not a limit.
"""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from domain.plurals import counted

KEYS = 20_000
"""Keys that one limiter remembers. The one longest not heard of is forgotten first."""


@dataclass(frozen=True, slots=True)
class Limit:
    """``amount`` at once and in ``seconds``; what was used comes back evenly over that time.

    ``name`` is its setting and its label in metrics. ``zh`` and ``en`` say what there was too much
    of, for example 查看户主信息 and "opening of personal data".
    """

    name: str
    amount: int
    seconds: float
    zh: str
    en: str


class LimitReached(Exception):
    """Too much of something; ``retry_after`` seconds from now it is possible again."""

    def __init__(self, limit: Limit, retry_after: int) -> None:
        self.limit = limit
        self.retry_after = retry_after
        self.zh = f"{limit.zh}过于频繁，请在 {retry_after} 秒后再试"
        self.en = f"Too much {limit.en}. Try again in {counted(retry_after, 'second|seconds')}."
        super().__init__(self.en)


class Limiter:
    """One limit, counted for each key by itself. Safe to use from any thread."""

    def __init__(
        self, limit: Limit, clock: Callable[[], float] = time.monotonic, *, keys: int = KEYS
    ) -> None:
        self.limit = limit
        self._clock = clock
        self._keys = keys
        self._used: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: Hashable, amount: int = 1) -> None:
        """Use some of it. Raises `LimitReached`, and then nothing is used."""
        wait = self.try_take(key, amount)
        if wait is not None:
            raise LimitReached(self.limit, wait)

    def try_take(self, key: Hashable, amount: int = 1) -> int | None:
        """Use some of it; None if there was enough, else the seconds to wait."""
        with self._lock:
            used = self._used_now(key)
            if used + amount > self.limit.amount + 1e-9:
                return self._wait(used, amount)
            self._keep(key, used + amount)
            return None

    def charge(self, key: Hashable, amount: int) -> None:
        """What turned out to have been used, be it more than there was: the rest is owed."""
        with self._lock:
            self._keep(key, self._used_now(key) + amount)

    def give_back(self, key: Hashable, amount: int = 1) -> None:
        """What was taken was not used after all."""
        with self._lock:
            self._keep(key, max(0.0, self._used_now(key) - amount))

    def reached(self, key: Hashable) -> int | None:
        """Seconds to wait before one more is possible; None if it is possible now."""
        with self._lock:
            used = self._used_now(key)
            return self._wait(used, 1) if used + 1 > self.limit.amount + 1e-9 else None

    def _used_now(self, key: Hashable) -> float:
        used, since = self._used.get(key, (0.0, 0.0))
        back = (self._clock() - since) * self.limit.amount / self.limit.seconds
        return max(0.0, used - back) if used else 0.0

    def _wait(self, used: float, amount: int) -> int:
        needed = min(used, used + amount - self.limit.amount)
        return max(1, math.ceil(needed * self.limit.seconds / max(1, self.limit.amount) - 1e-6))

    def _keep(self, key: Hashable, used: float) -> None:
        self._used.pop(key, None)
        if used:
            self._used[key] = (used, self._clock())
            if len(self._used) > self._keys:
                self._used.popitem(last=False)
