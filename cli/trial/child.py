"""A server as a child process: started, logged, waited for, stopped, and never left behind."""

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

PORTS = range(12_000, 32_000)
"""Below the ports that a machine hands to outgoing connections: while a server is down, no client
can be given its port (nor be connected to itself by trying it)."""

GUARD = 'read -r _; kill -s INT "$0" 2>/dev/null'
"""A shell that ends the server when its standard input closes, which is when we are gone."""

LOG_TAIL = 2_000


class ServerFailed(RuntimeError):
    """A server of ours did not start or stop: which, why, and the end of its log."""


def free_port() -> int:
    """A port of this machine on which nothing listens."""
    for port in random.sample(PORTS, 100):
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                tried.bind(("127.0.0.1", port))
                return port
    raise ServerFailed(f"没有空闲端口。No free port in {PORTS.start}…{PORTS.stop - 1}.")


class Child:
    """One server process in a session of its own, so that Ctrl-C reaches only us.

    It is stopped by us, in our order; should we die first, the guard stops it.
    """

    def __init__(self, name: str, command: Sequence[str], log: Path, folder: Path) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen(  # noqa: S603 - our own servers, fixed arguments
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._guard = subprocess.Popen(  # noqa: S603
            ["/bin/sh", "-c", GUARD, str(self.process.pid)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def wait_until(self, answers: Callable[[], bool], seconds: float) -> None:
        """Until it answers; ServerFailed when it ends first or the time is over (it is killed)."""
        deadline = time.monotonic() + seconds
        while not answers():
            if not self.running:
                self._dismiss_guard()
                raise self.failed(f"ended with code {self.process.returncode}")
            if time.monotonic() > deadline:
                self.kill()
                raise self.failed(f"did not answer within {seconds:g} s")
            time.sleep(0.02)

    def failed(self, why: str) -> ServerFailed:
        """The error to raise, with the end of the log."""
        said = self.log.read_text(errors="replace")[-LOG_TAIL:]
        return ServerFailed(f"{self.name} 没有启动。{self.name} {why}; {self.log} ends:\n{said}")

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def stop(self, number: int = signal.SIGTERM, seconds: float = 30) -> None:
        """Ask it to end, wait; a server that does not is killed."""
        self._dismiss_guard()
        self.send(signal.SIGCONT)
        self.send(number)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """SIGKILL it and every process it started; returns when all are gone."""
        self._dismiss_guard()
        if self.running:
            self.send(signal.SIGSTOP)  # so that it starts no more of them meanwhile
        family = children(self.pid)
        self.process.kill()
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        while any(alive(pid) for pid in family):
            time.sleep(0.005)

    def _dismiss_guard(self) -> None:
        self._guard.kill()
        self._guard.wait()
        if self._guard.stdin:
            self._guard.stdin.close()


def children(pid: int) -> list[int]:
    """The processes that one started (Linux; elsewhere none: they end by themselves)."""
    with suppress(OSError):
        return [
            int(found) for found in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]
    return []


def alive(pid: int) -> bool:
    """Whether a process still runs (one that only waits to be reaped does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state not in "ZX"
