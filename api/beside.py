"""Questions to a database, asked beside the event loop.

Many requests ask the same at the same time (where is the head of the log? are we ready?). They
are asked once for all, on a thread of their own, so that a database that does not answer holds
neither the event loop nor the threads that reads use.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from projections.folding.engine import Applied
from streams.following import Boards

T = TypeVar("T")
LOOK_SECONDS = 0.05
"""Between two looks at the boards' position while somebody waits: a note of it may get lost."""


class AskedTogether(Generic[T]):
    """One question with one answer for everybody who asks while it is being answered."""

    def __init__(self, ask: Callable[[], T], name: str) -> None:
        self._ask = ask
        self._thread = ThreadPoolExecutor(1, name)
        self._last: asyncio.Future[T] | None = None

    async def __call__(self) -> T:
        """The answer, or what asking raised."""
        loop = asyncio.get_running_loop()
        if self._last is None or self._last.done() or self._last.get_loop() is not loop:
            self._last = loop.run_in_executor(self._thread, self._ask)
        return await asyncio.shield(self._last)

    def close(self) -> None:
        """Let the thread go. Whoever waits still gets the answer."""
        self._thread.shutdown(wait=False)


class Waiting:
    """Waits for the boards to reach a position, without a thread for each who waits."""

    def __init__(self, boards: Boards) -> None:
        self._boards = boards
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: set[tuple[int, asyncio.Future[bool]]] = set()
        self._looking: asyncio.TimerHandle | None = None

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._boards.listen(self._applied)

    async def until(self, position: int, seconds: float) -> bool:
        """Whether the boards have come to ``position`` within ``seconds``."""
        if self._boards.position >= position:
            return True
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        entry = position, future
        self._waiting.add(entry)
        self._look()
        try:
            async with asyncio.timeout(seconds):
                return await future
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(entry)

    def _applied(self, applied: Applied) -> None:
        """Called on the boards' thread."""
        del applied
        if self._loop is not None and self._waiting and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        position, stopped = self._boards.position, self._boards.failure is not None
        for wanted, future in self._waiting:
            if not future.done() and (stopped or position >= wanted):
                future.set_result(position >= wanted)

    def _look(self) -> None:
        """Look again and again while somebody waits."""
        self._tell()
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        if self._waiting:
            loop = asyncio.get_running_loop()
            self._looking = loop.call_later(LOOK_SECONDS, self._look)
