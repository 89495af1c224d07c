"""Keeping the past of the views: a process of its own that runs while somebody asks for it.

Nobody pays for it before: the first question starts it, it folds the log from the first fact on
into `projections.folding.past`, follows the log, and ends when for a while nobody has asked.
It holds a lock on its file, so that of several servers on one folder one process keeps it.
"""

import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from eventstore.errors import StoreDamaged, StoreError, StoreTooNew
from eventstore.log import Log, Row
from eventstore.modes import private_folder
from eventstore.postgres import PostgresLog
from eventstore.source import URLS
from eventstore.sqlite import SQLiteLog
from eventstore.trust import Told, Trust
from projections.catalog import VIEWS
from projections.folding.lineage import belong
from projections.folding.parking import dropped_in
from projections.folding.past import KNOWN_AT, PastReader, PastViews
from streams.children import child

BATCH = 512
LOOK_SECONDS = 0.2
IDLE_SECONDS = 900.0
"""So long it is kept up to date after the last question."""
WAIT_SECONDS = 2.0
"""So long a question waits for what is nearly there."""
MOST_WAITING = 4
"""So many questions wait at once, each in a thread that others need: further ones are told."""
NICENESS = 10
"""Boards go first."""
FILE = "past.sqlite"
HOW_FAR = (
    "SELECT g.view, g.version, g.lineage, p.position FROM generations g"
    " JOIN positions p ON p.view = g.view"
)
VERSIONS = {view.name: view.version for view in VIEWS}


class PastBehind(Exception):
    """The past is kept up to ``position`` so far, and ``wanted`` was asked for."""

    def __init__(self, position: int, wanted: int) -> None:
        super().__init__(f"{position} of {wanted}")
        self.position, self.wanted = position, wanted


class Job(msgspec.Struct):
    """What the keeper is told: the log's address, the file, and how far its server has looked."""

    source: str
    file: str
    trust: Told | None = None


class Past:
    """The past of one store's views, for questions. Any number of threads may ask."""

    def __init__(self, log: Log, folder: Path, trust: Trust | None = None) -> None:
        """``trust``: with which the keeper looks at what it folds."""
        self._log, self.path, self._trust = log, folder / FILE, trust
        self._reader = PastReader(self.path)
        self._file = 0
        self._keeper: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(MOST_WAITING)

    @contextmanager
    def at(self, position: int) -> Iterator[Connection]:
        """A connection on which queries see the rows as they were once the fact at ``position``
        was folded. Raises `PastBehind` while that is not kept yet; it will be."""
        self.ask()
        self._wait(position)
        token = KNOWN_AT.set(position)
        try:
            with self._reader() as db:
                yield db
        except StoreDamaged as problem:  # its keeper sees that it is gone, and another begins anew
            remove(self.path)
            raise PastBehind(0, position) from problem
        finally:
            KNOWN_AT.reset(token)

    def position(self) -> int:
        """How far the past of this log is kept, by this program; 0 if it is not."""
        if not (file := number(self.path)):
            return 0
        if file != self._file:  # connections stay with a file that is gone
            self._reader.close()
            self._file = file
        try:
            with self._reader() as db:
                rows = db.exec_driver_sql(HOW_FAR).all()
        except (StoreError, DBAPIError):  # it is being made
            return 0
        lineage = self._log.lineage()
        known = {row[0]: row[3] for row in rows if VERSIONS.get(row[0]) == row[1]}
        if known.keys() != VERSIONS.keys() or any(row[2] != lineage for row in rows):
            return 0
        return int(min(known.values()))

    def _wait(self, position: int) -> None:
        if (known := self.position()) >= position:
            return
        if not self._places.acquire(blocking=False):
            raise PastBehind(known, position)
        try:
            until = time.monotonic() + WAIT_SECONDS
            while (known := self.position()) < position:
                if time.monotonic() > until:
                    raise PastBehind(known, position)
                time.sleep(LOOK_SECONDS / 4)
        finally:
            self._places.release()

    def ask(self) -> None:
        """See to it that somebody keeps the past, from now on for a while. In a folder that nobody
        may write to it stays as it is."""
        try:
            private_folder(self.path.parent)
            _asked(self.path).touch(mode=0o600)
        except OSError:
            return
        with self._lock:
            if self._keeper is not None and self._keeper.poll() is None:
                return
            told = None if self._trust is None else self._trust.told()
            job = Job(self._log.source, str(self.path.absolute()), told)
            self._keeper = child("streams.past", job)
            assert self._keeper.stdin is not None
            self._keeper.stdin.close()

    def close(self) -> None:
        with self._lock:
            if self._keeper is not None:
                self._keeper.terminate()
                self._keeper.wait()
        self._reader.close()


def number(file: Path) -> int:
    """What tells a file from another of its name; 0 if there is none."""
    try:
        return file.stat().st_ino
    except OSError:
        return 0


def remove(file: Path) -> None:
    """Remove the file of the past. It is made again from the log."""
    for end in ("", "-wal", "-shm"):
        file.with_name(file.name + end).unlink(missing_ok=True)


def _asked(file: Path) -> Path:
    """Its time of change says when somebody asked last."""
    return file.with_suffix(".asked")


def main() -> None:
    """What such a process does."""
    parent = os.getppid()
    os.nice(NICENESS)
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    file = Path(job.file)

    def goes_on() -> bool:
        asked = _asked(file)
        idle = time.time() - asked.stat().st_mtime if asked.exists() else IDLE_SECONDS
        return os.getppid() == parent and idle < IDLE_SECONDS

    while goes_on() and not keep(job, goes_on):
        time.sleep(1.0)  # another process keeps it


def opened(source: str) -> Log:
    """The log at an address, for reading: `Log.source`."""
    if source.startswith(URLS):
        return PostgresLog(source, allow_power=True)
    return SQLiteLog(Path(source))


def keep(job: Job, goes_on: Callable[[], bool]) -> bool:
    """Follow the log into the file while it ``goes_on`` and the file is there: anybody may delete
    it. One that is damaged, or a later program's, is made anew. False if somebody else has it."""
    file = Path(job.file)
    private_folder(file.parent)
    handle = os.open(file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(handle) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        with closing(_views(file)) as views, closing(opened(job.source)) as log:
            mine = number(file)
            trust = None if job.trust is None else Trust.of(log, job.trust)
            while goes_on() and number(file) == mine:
                try:
                    moved = follow(views, log, trust)
                except StoreDamaged:
                    remove(file)
                    raise
                except StoreError as problem:
                    if problem.retry_after is None:
                        raise
                    moved = 0  # a locked file, a full disk
                if not moved:
                    time.sleep(LOOK_SECONDS)
    return True


def _views(file: Path) -> PastViews:
    """The file of the past, made anew if it cannot be read."""
    try:
        return PastViews(file, VIEWS)
    except (StoreDamaged, StoreTooNew):
        remove(file)
        return PastViews(file, VIEWS)


def follow(views: PastViews, log: Log, trust: Trust | None = None) -> int:
    """Fold the next facts, if there are any; answers how many there were. What the log's operator
    has given up after it was parked here is left out by beginning anew; what nobody has written
    leaves no trace. Raises a `StoreError`."""
    if belong(views, log) and trust is not None:
        trust.begins_anew(0)
    forged = () if trust is None else trust.forged.keys()
    dropped = dropped_in(log.source, VIEWS, forged) if views.parked() else frozenset()
    if not dropped <= views.dropped:
        views.forget()
    if not views.position():
        views.dropped = dropped_in(log.source, VIEWS, forged)
    after = views.position()
    read = log.rows(after, BATCH)
    if read:
        rows: Sequence[Row] = read
        if trust is not None:
            trust.hold(read)
            rows = [row for row in read if trust.counts(row[0])]
        views.apply_frame(0, after, read[-1][0], rows)
    return len(read)
