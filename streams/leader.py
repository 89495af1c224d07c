"""One leader among several processes, by an advisory lock of PostgreSQL.

The lock lives in a session of its own with ``idle_session_timeout``, touched again and again: when
its process is stopped or cut off, the server ends the session and with it the lock. Without that a
stopped process kept the lock for as long as it stood (tried: beyond 12 s). Each take-over counts up
the leader's epoch: what a leader writes is conditional on it, so that one which wakes up late and
does not know yet that it was replaced writes nothing. A stand-by that takes over may not have heard
of the newest leaders: epochs of its timeline are above all of the timelines before it.
"""

import os
import socket
import threading
import time
from typing import Any
from zlib import crc32

import psycopg
import structlog

from eventstore.postgres import connect, timeline_of

LEADERS_LOCK = 4_210_002
TOUCH_SECONDS = 0.5
TRY_SECONDS = 0.3
IDLE_MS = 2_000
LEASE_SECONDS = 1.5
"""After the start of the last touch. Less than the server waits from then on."""
INT32 = 2**31
EPOCHS_A_TIMELINE = 2**32

log = structlog.get_logger("leader")


class Leader:
    """A candidate for the leadership of ``name``, on a thread of its own."""

    def __init__(self, url: str, name: str) -> None:
        self._url, self.name = url, name
        self._key = crc32(name.encode()) - INT32
        self._stop = threading.Event()
        self._until = 0.0
        self.epoch = 0
        """Of this candidate's newest leadership; rising, and never used twice."""
        self.trouble: str | None = None
        self._thread = threading.Thread(target=self._run, name=f"leader-{name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Give the leadership up; another one has it within `TRY_SECONDS`."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def held(self) -> bool:
        """Whether this process leads now. False as soon as a touch has failed or is late."""
        return time.monotonic() < self._until

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with connect(self._url, "log") as session:
                    session.execute(f"SET idle_session_timeout = {IDLE_MS}".encode())
                    if self._wait_for_lock(session):
                        self._keep_lock(session)
            except psycopg.Error as problem:
                self.trouble = str(problem).strip().partition("\n")[0]
            self._stop.wait(TRY_SECONDS)

    def _wait_for_lock(self, session: psycopg.Connection[Any]) -> bool:
        sql = "SELECT pg_try_advisory_lock(%s, %s)"
        while not self._stop.is_set():
            found = session.execute(sql, (LEADERS_LOCK, self._key)).fetchone()
            self.trouble = None
            if found == (True,):
                return True
            self._stop.wait(TRY_SECONDS)
        return False

    def _keep_lock(self, session: psycopg.Connection[Any]) -> None:
        """Take a new epoch, then touch the session until it breaks or we stop."""
        began = time.monotonic()
        row = session.execute(
            "INSERT INTO leaders AS l (name, epoch, holder, at) VALUES (%s, %s, %s, now())"
            " ON CONFLICT (name) DO UPDATE SET epoch = greatest(l.epoch + 1, excluded.epoch),"
            " holder = excluded.holder, at = excluded.at"
            " RETURNING epoch",
            (self.name, first_epoch(session), f"{socket.gethostname()}:{os.getpid()}"),
        ).fetchone()
        assert row is not None
        self.epoch = row[0]
        log.info("leadership taken", name=self.name, epoch=self.epoch)
        try:
            while not self._stop.is_set():
                self._until = began + LEASE_SECONDS
                self._stop.wait(TOUCH_SECONDS)
                began = time.monotonic()
                session.execute("SELECT 1")
        finally:
            self._until = 0.0
            log.info("leadership ended", name=self.name, epoch=self.epoch)


def first_epoch(session: psycopg.Connection[Any]) -> int:
    """The lowest that may be given on the timeline on which PostgreSQL stands now."""
    timeline = timeline_of(session)
    return (int(timeline, 16) - 1) * EPOCHS_A_TIMELINE + 1 if timeline else 1
