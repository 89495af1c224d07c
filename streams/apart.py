"""The follower in a process of its own: one interpreter runs the event loop and the writer, another
folds. A server starts it, wakes it at each commit and is told by it what changed, as an API process
of a cluster is told by the workers.

One process keeps the views of a data folder, whoever started it: the others wait for its lock, and
take over when it ends. It ends with its parent; killed, it is started again, and goes on from the
positions of the views.
"""

import fcntl
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog

from eventstore.errors import StoreError
from eventstore.following import HeadWatch
from eventstore.log import Log
from eventstore.modes import private_folder
from eventstore.sqlite import SQLiteLog
from eventstore.trust import Seen, Told, Trust
from projections.catalog import VIEWS
from projections.folding.engine import Applied, ViewsDatabase, announcement
from projections.folding.lineage import UNKNOWN
from projections.folding.parking import dropped_in
from projections.folding.reader import ViewsReader
from streams.children import child
from streams.embedded import Followed, Follower
from streams.metrics import FOLD_SECONDS, FOLDED
from streams.watching import PositionsWatch

log = structlog.get_logger("follower")

LOOK_SECONDS = 0.2
AWAY_SECONDS = 3.0
"""So long after its start, or its end, it may be silent before boards say that it is away."""
PAUSES = (0.0, 0.2, 1.0, 5.0)
"""Before it is started again: longer, the more often in a row it ended soon."""
STEADY_SECONDS = 30.0
"""A process that ran so long did not end for the same reason as the one before."""
STOP_SECONDS = 10.0
LOCK = "follower.lock"
POSITIONS = "SELECT partition, min(position), max(failing) FROM positions WHERE view IN ({})"


class Job(msgspec.Struct):
    """What the process is told: where log and views lie, and how often it was started again."""

    log: str
    views: str
    trust: Told
    restarts: int = 0


class Said(msgspec.Struct, omit_defaults=True):
    """A line that it prints. ``note``: a batch was applied, see `engine.announcement`."""

    note: msgspec.Raw = msgspec.Raw()
    folded: int = 0
    seconds: float = 0.0
    keeps: bool | None = None
    """Whether it keeps the views; False while another process has the lock."""
    trouble: str | None = None
    """What it waits for."""
    failure: str = ""


class Keeping(msgspec.Struct):
    """What the lock's file says of the process that holds it."""

    pid: int
    restarts: int


class FollowerAway(StoreError):
    zh = "看板进程暂时不在，正在重新启动；已提交的内容不会丢失"
    en = "The process that keeps the boards is away and is started again. Nothing accepted is lost."
    retry_after = 1


class FollowerWaits(StoreError):
    """It waits for a locked file, or room on the disk. ``detail`` is what it told in English."""

    zh = "看板进程暂时无法写入（文件被占用或磁盘已满），正在重试"
    en = "The process that keeps the boards cannot write just now and tries again:"


class FollowerFailed(Exception):
    """It ended by an error that trying again may not cure."""


# -- in the server ------------------------------------------------------------------------------


class FollowerApart(PositionsWatch):
    """The `Boards` of a server on one machine whose follower is a process of its own."""

    def __init__(self, followed: Followed, file: Path, reader: ViewsReader) -> None:
        """``file``: of the views, whose tables are made already."""
        super().__init__(VIEWS, 1)
        self._followed, self._file, self._reader = followed, file, reader
        self._process: subprocess.Popen[bytes] | None = None
        self._failed: FollowerFailed | None = None
        self._waits: FollowerWaits | None = None
        self._keeps: bool | None = None
        """Whether our process keeps the views; None: it has not said yet."""
        self._silent_since = time.monotonic()
        self.restarts = 0
        self._lives = threading.Thread(target=self._keep_alive, name="follower", daemon=True)
        self._wakes = threading.Thread(target=self._wake_up, name="waking", daemon=True)
        self.step()

    @property
    def failure(self) -> BaseException | None:
        return self._standing or self._failed

    @property
    def trouble(self) -> StoreError | None:
        return self._unread or self._waits or self._away()

    def _away(self) -> StoreError | None:
        silent = self._keeps is None and time.monotonic() - self._silent_since > AWAY_SECONDS
        return FollowerAway() if silent and self._lives.ident is not None else None

    def hears(self) -> bool:
        return self._keeps is True

    def start(self) -> None:
        super().start()
        self._silent_since = time.monotonic()
        self._lives.start()
        self._wakes.start()

    def stop(self) -> None:
        """The process finishes its batch, and ends."""
        self._stop.set()
        self._followed.watch.wake()
        kill_at = time.monotonic() + STOP_SECONDS
        for thread in (self._lives, self._wakes):
            while thread.is_alive():
                self._hang_up(kill=time.monotonic() > kill_at)
                thread.join(LOOK_SECONDS)
        super().stop()

    def _hang_up(self, *, kill: bool) -> None:
        if (process := self._process) is not None and process.stdin is not None:
            with suppress(OSError):
                process.stdin.close()
            if kill:  # it hangs: its batch is rolled back
                process.kill()

    def _found(self) -> Sequence[tuple[int, int, int]]:
        marks = ",".join("?" * len(self._views))
        sql = f"{POSITIONS.format(marks)} GROUP BY partition"
        with self._reader() as db:
            rows = db.exec_driver_sql(sql, tuple(self._views)).all()
        return [(row[0], row[1], row[2]) for row in rows]

    def _looked(self, moved: bool) -> None:
        if moved and not self.hears():  # another server's process keeps the views
            self._tell_everything()

    # -- its process --------------------------------------------------------------------------

    def _keep_alive(self) -> None:
        in_a_row = 0
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                code: int | str = self._live()
            except OSError as problem:  # no process, no handle is to be had just now
                code = str(problem)
            if self._keeps is not None:
                self._keeps, self._silent_since = None, time.monotonic()
            if self._stop.is_set():
                return
            self.restarts += 1
            in_a_row = 0 if time.monotonic() - began > STEADY_SECONDS else in_a_row + 1
            log.warning("follower.ended", code=code, restarts=self.restarts)
            self._stop.wait(PAUSES[min(in_a_row, len(PAUSES) - 1)])

    def _live(self) -> int:
        """One life of the process; with which code it ended. Raises `OSError`."""
        source, trust = self._followed.log.source, self._followed.trust.told()
        job = Job(source, str(self._file.absolute()), trust, self.restarts)
        process = self._process = child("streams.apart", job, told=True)
        assert process.stdout is not None
        for line in process.stdout:
            self._hear(line)
        return process.wait()

    def _hear(self, line: bytes) -> None:
        try:
            said = msgspec.json.decode(line, type=Said)
        except msgspec.MsgspecError:  # killed in the middle of a line
            return
        self._waits = None if said.trouble is None else FollowerWaits(said.trouble)
        if said.failure:
            self._failed = FollowerFailed(said.failure)
            log.error("follower.failed", why=said.failure)
        if said.keeps is not None:
            self._keeps = said.keeps
        if said.note:
            FOLDED.inc(said.folded)
            FOLD_SECONDS.observe(said.seconds)
            self._failed = None
            self._told(bytes(said.note))

    def _wake_up(self) -> None:
        """Tell the process of each commit, and how far all is known to be ours; its own look, five
        times a second, is the net."""
        woken = 0
        while not self._stop.is_set():
            try:
                head = self._followed.watch.wait(woken, 1.0)
            except StoreError:
                self._stop.wait(LOOK_SECONDS)
                continue
            if head > woken and (process := self._process) is not None and process.stdin:
                with suppress(OSError, ValueError):  # it has ended
                    seen = msgspec.json.encode(self._followed.trust.seen())
                    process.stdin.write(seen + b"\n")
            woken = head


def keeping(folder: Path) -> Keeping | None:
    """The process that keeps the views of a data folder just now, if one does."""
    try:
        with (folder / LOCK).open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return msgspec.json.decode(file.read(), type=Keeping)
    except (OSError, msgspec.MsgspecError):
        pass
    return None


# -- in the process -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Opened:
    """A log that is open for reading, and the watch over it."""

    log: Log
    watch: HeadWatch
    trust: Trust


class Parent:
    """What the server says on standard input, line by line: a job, then at each commit how far it
    has looked, then nothing."""

    def __init__(self, source: int = 0) -> None:
        self._source = source
        self._half = b""
        self._telling = threading.Lock()
        self.gone = False

    def job(self) -> Job:
        lines: list[bytes] = []
        while not lines and not self.gone:
            lines = self.hear(None)
        return msgspec.json.decode(lines[0] if lines else b"", type=Job)

    def hear(self, seconds: float | None) -> list[bytes]:
        """Wait so long for what is said; the lines that are whole by now."""
        if not select.select([self._source], [], [], seconds)[0]:
            return []
        said = os.read(self._source, 1 << 16)
        self.gone = not said
        *lines, self._half = (self._half + said).split(b"\n")
        return lines

    def tell(self, said: Said) -> None:
        """One line. A server that is gone hears nothing; then its standard input has ended too."""
        with self._telling, suppress(BrokenPipeError):
            sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")
            sys.stdout.buffer.flush()


def main() -> None:
    """What such a process does."""
    parent = Parent()
    job = parent.job()
    file = Path(job.views)
    with _locked(file.parent / LOCK, job, parent) as had:
        if not had:
            return
        try:
            with (
                closing(SQLiteLog(Path(job.log))) as source,
                closing(ViewsDatabase(file, VIEWS)) as views,
            ):
                trust = Trust.of(source, job.trust)
                views.dropped = dropped_in(source.source, VIEWS, trust.forged)
                views.lineage = UNKNOWN if source.promoted() else source.lineage()
                follow(Opened(source, HeadWatch(source), trust), views, parent)
        except StoreError as problem:  # the log or the views cannot be opened
            if problem.retry_after is None:
                parent.tell(Said(failure=str(problem)))
            sys.exit(1)


@contextmanager
def _locked(path: Path, job: Job, parent: Parent) -> Iterator[bool]:
    """Wait for the lock of the folder; False if the parent is gone before it is had."""
    private_folder(path.parent)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "r+b") as lock:
        waited = False
        while not parent.gone:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not waited:
                    parent.tell(Said(keeps=False))
                waited = True
                parent.hear(LOOK_SECONDS)
                continue
            os.ftruncate(lock.fileno(), 0)
            os.pwrite(lock.fileno(), msgspec.json.encode(Keeping(os.getpid(), job.restarts)), 0)
            yield True
            return
    yield False


def follow(source: Opened, views: ViewsDatabase, parent: Parent) -> None:
    """Keep the views until the parent is gone, and tell it what changes."""
    follower = Follower(source, views)

    def applied(batch: Applied) -> None:
        note = msgspec.Raw(announcement(batch).encode())
        parent.tell(Said(note=note, folded=follower.facts, seconds=follower.seconds))

    follower.listen(applied)
    parent.tell(Said(keeps=True))
    follower.start()
    try:
        told: StoreError | None = None
        while not parent.gone:
            if lines := parent.hear(LOOK_SECONDS):
                source.trust.hear(msgspec.json.decode(lines[-1], type=Seen))
                source.watch.committed(source.log.head())
            if follower.ended():
                raise SystemExit(1)
            if follower.trouble is not told:
                told = follower.trouble
                parent.tell(Said(trouble=None if told is None else str(told)))
    finally:
        if follower.failure is not None:
            parent.tell(Said(failure=repr(follower.failure)))
        follower.stop()
