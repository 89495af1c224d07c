"""Starts the watch over the log (`cli.audit_watch`) beside a server, and ends it with that."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.settings import Settings

FIRST_SECONDS = 20.0
"""After the start of the server, which is not to be slowed down."""


@contextmanager
def watching(settings: Settings) -> Iterator[None]:
    """While a server runs, somebody looks at its log."""
    if not settings.watch_seconds:
        yield
        return
    ended, started = threading.Event(), list[subprocess.Popen[bytes]]()

    def start() -> None:
        if ended.wait(min(FIRST_SECONDS, settings.watch_seconds)):
            return
        command = [sys.executable, "-m", "cli.main", "audit", "watch", "--parent", str(os.getpid())]
        environment = {**os.environ, "RELIEF_DATA": str(settings.data.absolute())}
        root = Path(__file__).parents[1]
        started.append(
            subprocess.Popen(  # noqa: S603
                command,
                cwd=root,
                env=environment,
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        )

    thread = threading.Thread(target=start, name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        for process in started:
            process.terminate()
            process.wait()
