"""A guard: the edge never waits for the views, the log or the vault on an event loop's thread, and
never for a second connection to the views while it holds one.

All requests share that thread: one that waits there for a connection makes everybody wait. And who
holds a connection while it waits for another waits for those who do the same. Each reader is
watched in its one place (`ViewsReader`, both `Readers`, the vault's lock). What a test itself reads
is not meant: the nearest code above the readers must be the program's.
"""

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from sqlalchemy import Connection

from eventstore import postgres_readers, sqlite
from eventstore.may_wait import may_wait
from eventstore.vault import Vault
from projections.folding.reader import ViewsReader

ROOT = Path(__file__).parents[1]
BELOW = frozenset({"domain", "eventstore", "projections", "streams", "intake"})
"""Rooms that the edge asks. They do not know on which thread they are."""
DEEP = 12
"""Lines of the program that are told of each fault."""


class Waits:
    """What was waited for where nobody may wait: by whom, the nearest first."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def note(self, what: str, *, wrong: bool = False) -> None:
        """``wrong``: also beside a loop."""
        if may_wait() and not wrong:
            return
        lines = list(_lines(sys._getframe(1)))
        above = [room for room, _ in lines if room not in BELOW]
        if above and above[0] != "tests":
            self.found.append("\n  ".join([what, *(line for _, line in lines[:DEEP])]))

    def taken(self) -> list[str]:
        """What was found, to be told once."""
        found, self.found = self.found, []
        return found


def _lines(frame: FrameType | None) -> Iterator[tuple[str, str]]:
    """The program's and the tests' own lines that led here, and in which room each stands."""
    while frame is not None:
        file = Path(frame.f_code.co_filename)
        if file.is_relative_to(ROOT) and ".venv" not in file.parts and str(file) != __file__:
            inside = file.relative_to(ROOT)
            yield inside.parts[0], f"{inside}:{frame.f_lineno} {frame.f_code.co_name}"
        frame = frame.f_back


class WatchedLock:
    """The vault's lock, under which its one connection is asked."""

    def __init__(self, lock: "threading._RLock", waits: Waits) -> None:
        self._lock, self._waits = lock, waits

    def __enter__(self) -> None:
        self._waits.note("the vault")
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lock, name)


@pytest.fixture(scope="session", autouse=True)
def waits() -> Iterator[Waits]:
    """Watches all readers of this process."""
    found, held = Waits(), threading.local()
    views, made = ViewsReader.__call__, Vault.__init__

    @contextmanager
    def read_views(self: ViewsReader) -> Iterator[Connection]:
        here: Counter[int] = held.__dict__.setdefault("by_reader", Counter())
        found.note("the views")
        if here[id(self)]:
            found.note("a second connection to the views", wrong=True)
        here[id(self)] += 1
        try:
            with views(self) as db:
                yield db
        finally:
            here[id(self)] -= 1

    def watched(fetch: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
        def fetched(self: Any, sql: str, args: Any = ()) -> list[Any]:
            found.note(f"log or vault: {sql}")
            return fetch(self, sql, args)

        return fetched

    def opened(self: Vault, *args: Any) -> None:
        made(self, *args)
        self.lock = self._lock = WatchedLock(self._lock, found)  # type: ignore[assignment]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ViewsReader, "__call__", read_views)
        for readers in (sqlite.Readers, postgres_readers.Readers):
            patch.setattr(readers, "fetch", watched(readers.fetch))
        patch.setattr(Vault, "__init__", opened)
        yield found


@pytest.fixture(autouse=True)
def nobody_waits_where_nobody_may(waits: Waits) -> Iterator[None]:
    """Whoever does is told, with the way that led there. What others did before, who are not
    watched (benchmarks read as they like), is not theirs."""
    waits.taken()
    yield
    found = waits.taken()
    assert not found, "waited for where nobody may wait:\n" + "\n".join(dict.fromkeys(found))
