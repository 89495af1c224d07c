"""What the cluster's benchmarks stand on: PostgreSQL, a broker, the processes of `relief up`."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError

import psutil  # type: ignore[import-untyped]

from bench.server_child import UNLIMITED
from cli.serving import bind
from cli.trial.broker import Broker
from cli.trial.child import free_port
from cli.trial.postgres import PostgresServer
from cli.up.programs import Program, programs
from cli.up_command import environment
from domain.catalog import AGGREGATES
from eventstore.founding import Urls, found
from eventstore.postgres import PostgresLog, PostgresVault
from eventstore.store import Store
from scripts import apache_kafka
from streams.frames import partitions_of

ROOT = Path(__file__).parents[1]
START_SECONDS = 60.0
MORE = {"max_connections": "300"}
"""The peers want one for each thread."""
STOP_SECONDS = 20.0
LOOK_SECONDS = 0.02


@dataclass(frozen=True)
class Place:
    """A founded database on a durable PostgreSQL 18, and the folder of the vault's key."""

    server: PostgresServer
    name: str
    urls: Urls
    folder: Path

    def store(self) -> Store:
        """The store of this place, opened as an API process opens it."""
        log = PostgresLog(self.urls.database)
        return Store(log, PostgresVault(self.urls.vault, self.folder / "vault.key"), AGGREGATES)

    def env(self, kafka: str = "127.0.0.1:9") -> dict[str, str]:
        """The settings of its processes. Nobody listens on the default broker."""
        free = {f"RELIEF_{name.upper()}": str(most) for name, most in UNLIMITED.items()}
        return {**environment(self.urls, kafka, self.folder), **free}


@contextmanager
def postgres(folder: Path) -> Iterator[PostgresServer]:
    """PostgreSQL 18 with fsync, as `relief up --trial` starts it, but for more sessions."""
    folder.chmod(0o711)
    with PostgresServer(folder / "postgres", settings=MORE) as server:
        yield server


def place(server: PostgresServer, folder: Path, name: str = "relief") -> Place:
    """A new database with roles and tables; its log is cut into partitions."""
    made = Place(server, name, found(server.url(), name, PASSWORDS), folder)
    folder.mkdir(parents=True, exist_ok=True)
    log = PostgresLog(made.urls.database)
    partitions_of(log)
    log.close()
    return made


PASSWORDS = {
    role: f"{role} of a benchmark" for role in ("relief_app", "relief_vault", "relief_views")
}


@contextmanager
def tansu(folder: Path) -> Iterator[str]:
    """The address of the broker of `relief up --trial`."""
    with Broker(folder / "broker") as broker:
        yield broker.address


@contextmanager
def kafka(folder: Path) -> Iterator[str]:
    """The address of an Apache Kafka. Raises `Unavailable` where its jars cannot be had."""
    try:
        yield f"127.0.0.1:{apache_kafka.start(folder / 'kafka', None)}"
    finally:
        apache_kafka.stop(folder / "kafka", forget=True)


# -- processes ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Group:
    """Processes that serve one socket or do one kind of work."""

    port: int
    children: Sequence["subprocess.Popen[str]"]

    def cpu_seconds(self) -> float:
        """What they have used of the processors so far."""
        used = [psutil.Process(child.pid).cpu_times() for child in self.children]
        return float(sum(times.user + times.system for times in used))

    def peak_mb(self) -> float:
        """The most memory that one of them has held (Linux)."""
        return max(peak_mb(child.pid) for child in self.children)


def peak_mb(pid: int | str = "self") -> float:
    """The most memory a process has held (Linux)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


@contextmanager
def ended(children: Sequence["subprocess.Popen[str]"]) -> Iterator[None]:
    """Stop them at the end, all at once, whatever happens."""
    try:
        yield
    finally:
        for child in children:
            child.send_signal(signal.SIGTERM)
        for child in children:
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            if child.stdout is not None:
                child.stdout.close()


@contextmanager
def shared_socket() -> Iterator[socket.socket]:
    sock, _ = bind("127.0.0.1", 0)
    with sock:
        yield sock


@contextmanager
def children(commands: Sequence[Sequence[str]], sock: socket.socket, **env: str) -> Iterator[Group]:
    """Processes of ours on one socket; each has printed a line when this returns."""
    fd = sock.fileno()
    started = [
        subprocess.Popen(
            [sys.executable, "-m", *command, str(fd)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=(fd,),
            env={**os.environ, **env},
        )
        for command in commands
    ]
    with ended(started):
        for child in started:
            assert child.stdout is not None
            if not child.stdout.readline():
                raise RuntimeError(f"{child.args!r} ended with {child.wait()}")
        yield Group(sock.getsockname()[1], started)


@contextmanager
def relief(
    env: dict[str, str], *, api: int = 0, workers: int = 0, relay: bool = False
) -> Iterator[dict[str, Group]]:
    """The processes of `relief up`, with its commands, environment and shared socket; by kind."""
    with ExitStack() as stack:
        sock = stack.enter_context(shared_socket())
        names = [f"api.{n + 1}" for n in range(api)] + [f"worker.{n + 1}" for n in range(workers)]
        names += ["relay"] if relay else []
        health = {name: free_port() for name in names}
        wanted = programs(
            workers=workers,
            api=api,
            env={**env, "RELIEF_LOG_LEVEL": "ERROR"},
            sock=sock.fileno(),
            health=health,
        )
        logs = Path(env["RELIEF_DATA"]) / "bench-logs"
        logs.mkdir(parents=True, exist_ok=True)
        started = {p.name: _started(p, logs) for p in wanted if p.name in health}
        stack.enter_context(ended(list(started.values())))
        for name, port in health.items():
            _healthy(name, started[name], port, logs)
        kinds = {name.partition(".")[0] for name in started}
        try:
            yield {
                kind: Group(
                    sock.getsockname()[1],
                    [child for name, child in started.items() if name.partition(".")[0] == kind],
                )
                for kind in kinds
            }
        except Exception as problem:
            for name, child in started.items():
                said = (logs / name).read_text()[-2000:]
                problem.add_note(f"{name}, exit {child.poll()}: {said}")
            raise


def _started(program: Program, logs: Path) -> "subprocess.Popen[str]":
    with (logs / program.name).open("ab") as log:
        return subprocess.Popen(
            program.arguments,
            cwd=ROOT,
            env={**os.environ, **program.env},
            stdout=log,
            stderr=log,
            pass_fds=program.inherits,
            text=True,
        )


def _healthy(name: str, child: "subprocess.Popen[str]", port: int, logs: Path) -> None:
    last = "nothing answers"

    def answers() -> bool:
        nonlocal last
        if child.poll() is not None:
            raise RuntimeError(f"{name} ended: {(logs / name).read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                return True
        except HTTPError as refused:
            last = refused.read().decode()
        except OSError as problem:
            last = repr(problem)
        return False

    try:
        wait_for(answers, START_SECONDS)
    except TimeoutError as problem:
        said = (logs / name).read_text()[-2000:]
        raise RuntimeError(f"{name} is not healthy: {last} {said}") from problem


def wait_for(true: Callable[[], bool], seconds: float) -> float:
    """Look until it is true; the seconds that took."""
    began = time.perf_counter()
    while not true():
        if time.perf_counter() - began > seconds:
            raise TimeoutError(f"not within {seconds} s")
        time.sleep(LOOK_SECONDS)
    return time.perf_counter() - began
