"""Which limits were lately reached: counted for `/metrics`, and noted for `relief doctor`.

The doctor is another process than the one that refuses, so each process keeps one small file in
``RELIEF_DATA/run/limits``: for each limit how often it was reached in each of the last 24 hours,
and when last. A limit is a setting's name; of whom and what was refused nothing is kept. The file
is written when a limit is reached, at most every few seconds, so that a flood costs next to
nothing; the last seconds of a flood are written when the process ends.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from eventstore.metrics import LIMIT_LAST_REACHED, LIMITS_REACHED
from eventstore.modes import make_private, private_folder

HOUR = 3600
HOURS = 24
WRITE_SECONDS = 5.0
FOLDER = "limits"


class Lately(msgspec.Struct):
    """How often a limit was reached, by hours since 1970, and when last (seconds since 1970)."""

    hours: dict[int, int]
    last: float

    def count(self, now: float) -> int:
        """Of the last 24 hours."""
        return sum(n for hour, n in self.hours.items() if hour > now // HOUR - HOURS)


class Notes:
    """What one process keeps, and its file. Safe to use from any thread."""

    def __init__(self, run: Path, process: str, clock: Callable[[], float] = time.time) -> None:
        """``run``: the folder ``run`` in the data folder. Nothing is made until a limit is
        reached."""
        self.file = run / FOLDER / f"{process}.{secrets.token_hex(4)}.json"
        self._clock = clock
        self._found: dict[str, Lately] = {}
        self._written = 0.0
        self._lock = threading.Lock()

    def note(self, limit: str) -> None:
        """Never raises: what a full disk keeps from the doctor is still counted in the metric."""
        now = self._clock()
        hour = int(now // HOUR)
        with self._lock:
            lately = self._found.setdefault(limit, Lately({}, now))
            lately.last = now
            if hour not in lately.hours:
                kept = {old: n for old, n in lately.hours.items() if old > hour - HOURS}
                lately.hours = {**kept, hour: 0}
            lately.hours[hour] += 1
            if not 0 <= now - self._written < WRITE_SECONDS:
                self._written = now
                self._write()

    def close(self) -> None:
        with self._lock:
            if self._found:
                self._write()

    def _write(self) -> None:
        with suppress(OSError):
            private_folder(self.file.parent)
            beside = self.file.with_suffix(".new")
            make_private(beside)
            beside.write_bytes(msgspec.json.encode(self._found))
            beside.replace(self.file)


_noting: list[Notes] = []


def note_limits(run: Path, process: str) -> Callable[[], None]:
    """Note what this process refuses from now on, until the answer is called. Forgets the files of
    processes that have noted nothing for a day."""
    now = time.time()
    for file in (run / FOLDER).glob("*.json"):
        with suppress(OSError):
            if now - file.stat().st_mtime > HOURS * HOUR:
                file.unlink()
    notes = Notes(run, process)
    _noting.append(notes)

    def stop() -> None:
        _noting.remove(notes)
        notes.close()

    return stop


def limit_reached(limit: str) -> None:
    """Somebody was refused because this limit (the name of its setting) was reached."""
    LIMITS_REACHED.labels(limit).inc()
    LIMIT_LAST_REACHED.labels(limit).set_to_current_time()
    for notes in tuple(_noting):
        notes.note(limit)


def lately_reached(run: Path, now: float) -> dict[str, tuple[int, float]]:
    """Limit → how often in the last 24 hours and when last, of all processes of a data folder."""
    found: dict[str, tuple[int, float]] = {}
    for kept in _kept(run):
        for limit, lately in kept.items():
            count = lately.count(now)
            if count:
                before, last = found.get(limit, (0, 0.0))
                found[limit] = before + count, max(last, lately.last)
    return found


def _kept(run: Path) -> Iterator[dict[str, Lately]]:
    for file in sorted((run / FOLDER).glob("*.json")):
        with suppress(OSError, msgspec.MsgspecError):
            yield msgspec.json.decode(file.read_bytes(), type=dict[str, Lately])
