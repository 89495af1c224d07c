"""Whether a process of the cluster is alive: a file it touches, `/health`, and a watchdog.

The file says that the main loop turns; `/health` is answered by a thread of its own, so that it
answers also when the main loop hangs, and says since when. The watchdog ends a process that hangs:
its supervisor starts it again, and what it held is given to others.
"""

import faulthandler
import fcntl
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import structlog

from eventstore.modes import private_folder

log = structlog.get_logger("health")

BEAT_SECONDS = 1.0
LATELY_SECONDS = 60.0
"""A file that was not touched for so long belongs to a process that was killed, or hangs."""
STUCK_EXIT = 70
"""Exit code (EX_SOFTWARE) of a process that its watchdog has ended."""
LOOK_SECONDS = 0.5
STOPPED_SECONDS = 3.0
"""A watchdog that slept so long was itself stopped."""

WELL = ("ok", "waiting", "differs")
"""Statuses of a process that works, or waits for another: a restart would not help."""

Page = Callable[[], tuple[int, str, bytes]]
"""What a path answers: status, content type, body."""
Report = Callable[[], Mapping[str, Any]]


class Heart:
    """Touches a file once a second as long as `beat` is called, by whatever must not hang.

    A process holds a lock on its file: another of the same name takes the next name that is free
    (``worker.alive``, ``worker.2.alive`` …). The lock goes with the process, however it ends.
    """

    def __init__(
        self, file: Path | None, clock: Callable[[], float] = time.monotonic, *, kind: str = ""
    ) -> None:
        """``clock``: seconds that never go back. ``kind``: of which programs this process is one;
        the file says it to whoever asks `beating`."""
        self._clock = clock
        self.file: Path | None = None
        self._lock: int | None = None
        if file is not None:
            private_folder(file.parent)
            self.file, self._lock = _claimed(file)
            os.ftruncate(self._lock, 0)  # a process that was killed may have left its kind here
            os.write(self._lock, kind.encode())
        self._touched = 0.0
        self.last = clock()
        self.beat()

    def beat(self) -> None:
        self.last = self._clock()
        if self.file is not None and self.last - self._touched >= BEAT_SECONDS:
            self._touched = self.last
            self.file.touch()

    def silent_seconds(self) -> float:
        return self._clock() - self.last

    def stop(self) -> None:
        """A process that ended in order leaves no file."""
        if self.file is not None and self._lock is not None:
            self.file.unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    @property
    def name(self) -> str:
        """What this process may call its files: nobody else here does."""
        return "" if self.file is None else self.file.stem


def _claimed(wanted: Path) -> tuple[Path, int]:
    """The first free one of a name's files, and the open file that holds it."""
    for number in count(1):
        suffix = wanted.suffix if number == 1 else f".{number}{wanted.suffix}"
        file = wanted.with_name(f"{wanted.stem}{suffix}")
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # whoever ended just now may have removed the file that was opened here
            if os.path.samestat(os.fstat(handle), file.stat()):
                return file, handle
        os.close(handle)
    raise AssertionError


def beating(folder: Path, now: float) -> dict[str, str]:
    """The processes whose files are in this folder and were touched lately: name → kind.

    ``now``: seconds since 1970, as the files' times are.
    """
    found = {}
    for file in sorted(folder.glob("*.alive")):
        with suppress(OSError):  # it has just ended
            if now - file.stat().st_mtime <= LATELY_SECONDS:
                found[file.stem] = file.read_text(encoding="utf-8")
    return found


class Watchdog:
    """Ends the process when one of its checks says for how long something hangs, and that is long.

    A check answers ``(what, seconds)``; 0 seconds is healthy. A process that was itself stopped
    (SIGSTOP, a sleeping laptop) is given the whole time anew.
    """

    def __init__(
        self,
        checks: Sequence[Callable[[], tuple[str, float]]],
        seconds: float,
        *,
        end: Callable[[str], None] | None = None,
    ) -> None:
        self._checks = tuple(checks)
        self._seconds = seconds
        self._end = end or _end
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        awake = time.monotonic()
        while not self._stop.wait(LOOK_SECONDS):
            now = time.monotonic()
            if now - awake > STOPPED_SECONDS:
                self._stop.wait(self._seconds)  # the whole process was stopped; nothing hangs
                now = time.monotonic()
            awake = now
            for check in self._checks:
                what, seconds = check()
                if seconds > self._seconds and not self._stop.is_set():
                    self._end(
                        f"{what} 已 {seconds:.0f} 秒无进展 · stuck for {seconds:.0f} s: {what}"
                    )
                    return


def _end(why: str) -> None:
    log.error("process.stuck", why=why)
    faulthandler.dump_traceback(sys.stderr)
    sys.stderr.flush()
    os._exit(STUCK_EXIT)


class HealthServer:
    """``GET /health``: 200 and JSON while ``report()["status"]`` is of `WELL`, else 503 and JSON.

    ``pages`` are further paths (``/metrics``). Listens on a free port when ``port`` is 0.
    """

    def __init__(
        self,
        report: Report,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        pages: Mapping[str, Page] | None = None,
    ) -> None:
        self.pages: dict[str, Page] = {"/health": lambda: _health(report), **(pages or {})}
        self._server = ThreadingHTTPServer((host, port), _handler(self.pages))
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.1},
            name="health",
            daemon=True,
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


def _health(report: Report) -> tuple[int, str, bytes]:
    found = report()
    status = 200 if found.get("status") in WELL else 503
    return status, "application/json", msgspec.json.encode(found, enc_hook=str)


def _handler(pages: Mapping[str, Page]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5.0

        def do_GET(self) -> None:
            page = pages.get(self.path.partition("?")[0])
            status, kind, body = page() if page else (404, "text/plain", b"no such page\n")
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Write no line for a probe that comes every few seconds."""

    return Handler
