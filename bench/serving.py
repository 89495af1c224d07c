"""Starting and stopping `bench.server_child`."""

import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Served:
    """A running server process."""

    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """What it has used of the processors so far, whoever else was busy."""
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)


def port_told(lines: Iterable[bytes]) -> int:
    """The port that a server says, after what its log says of an older store that it opens."""
    return next(int(line) for line in lines if line.strip().isdigit())


@contextmanager
def server(folder: str) -> Iterator[Served]:
    """A server process, ended cleanly at the end."""
    child = subprocess.Popen(
        [sys.executable, "-m", "bench.server_child", folder], cwd=ROOT, stdout=subprocess.PIPE
    )
    try:
        assert child.stdout is not None
        yield Served(port_told(child.stdout), child.pid)
    finally:
        child.send_signal(signal.SIGINT)
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdout is not None:
            child.stdout.close()
