"""Hearing what other processes say through PostgreSQL's NOTIFY. Notes get lost with a connection:
whoever listens has to look for himself from time to time too."""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

import psycopg
from psycopg import sql

from eventstore.postgres import connect

AGAIN_SECONDS = 0.5
SCHEMA = "views"

Told = Callable[[str, str], None]
"""Called with channel and payload, on the thread of `Notes`."""


class Notes:
    """Listens to channels on a thread of its own, and connects again when the server was away."""

    def __init__(self, url: str, channels: Sequence[str], told: Told) -> None:
        self._url, self._channels, self._told = url, tuple(channels), told
        self._stop = threading.Event()
        self.listening = threading.Event()
        self._thread = threading.Thread(target=self._run, name="notes", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2 * AGAIN_SECONDS)

    def _run(self) -> None:
        while not self._stop.is_set():
            with suppress(psycopg.Error), connect(self._url, SCHEMA) as session:
                for channel in self._channels:
                    session.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                self.listening.set()
                while not self._stop.is_set():
                    for note in session.notifies(timeout=AGAIN_SECONDS):
                        self._told(note.channel, note.payload)
            self.listening.clear()
            self._stop.wait(AGAIN_SECONDS)


def notify(url: str, channel: str, payload: str) -> None:
    """Send a note. If that fails, nothing is raised: listeners do not rely on notes."""
    with suppress(psycopg.Error), connect(url, SCHEMA) as session:
        session.execute("SELECT pg_notify(%s, %s)", (channel, payload))
