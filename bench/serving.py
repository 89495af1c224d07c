"""Starting and stopping `bench.server_child`."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]


@contextmanager
def server(folder: str) -> Iterator[int]:
    """The port of a server process, ended cleanly at the end."""
    child = subprocess.Popen(
        [sys.executable, "-m", "bench.server_child", folder], cwd=ROOT, stdout=subprocess.PIPE
    )
    try:
        assert child.stdout is not None
        yield int(child.stdout.readline())
    finally:
        child.send_signal(signal.SIGINT)
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdout is not None:
            child.stdout.close()
