"""A log with the facts of a city, a broker, and real workers that make the tables from it."""

import re
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx

from cli.trial.broker import Broker
from cli.trial.child import free_port
from cli.trial.server import KafkaServer
from cli.up.programs import LEFT_OUT
from domain.catalog import AGGREGATES
from eventstore.log import Row
from eventstore.postgres import PostgresLog
from eventstore.store import Store
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase
from streams.bus import FrameBus
from streams.frames import PARTITIONS, Frame, Framer, Router, partitions_of
from streams.health import STUCK_EXIT
from streams.kafka import Kafka
from streams.sealing import keep_seal, seal_of
from tests.cluster.cities import embedded
from tests.cluster.relaying import SECRET, Process, http_get, urls, wait_for
from tests.oracles import tables_of
from tests.servers import Database

RUN_WORKER = ("-m", "cli.worker_command")
LAST_FRAME_SECONDS = 120.0
SETTLED_SECONDS = 120.0
ALL = set(range(PARTITIONS))
STARTED_AGAIN = (LEFT_OUT, STUCK_EXIT, -signal.SIGSEGV)
"""Exit codes after which whoever keeps the processes starts a worker again: it says itself that
its group did not take it in for 45 s, or that it hung, as happens on a machine under load, or it
crashed inside a library made in C (docs/reliability.md)."""


@lru_cache(maxsize=1)
def city() -> tuple[tuple[Row, ...], dict[str, str]]:
    """The city's log, and the SHA-256 of every table that the embedded follower made of it."""
    made = embedded()
    store = Store.at(made.folder, AGGREGATES)
    try:
        return tuple(store.log.rows(0, store.head())), made.tables
    finally:
        store.close()


def frames_of(router: Router, rows: Sequence[Row], size: int = 100) -> list[Frame]:
    """The frames that a relay would make of so many facts at a time, and the last watermarks."""
    framer = Framer(router, {})
    found: list[Frame] = []
    for start in range(0, len(rows), size):
        found += framer.cut(rows[start : start + size])
    return found + framer.watermarks(rows[-1][0])


class Cluster:
    """A database with a log, a broker with its topic; workers are started by the test."""

    def __init__(
        self, folder: Path, database: Database, broker: KafkaServer, stack: ExitStack
    ) -> None:
        self.folder, self.broker, self._stack = folder, broker, stack
        self._started: list[WorkerProcess] = []
        made = urls(database)
        self.urls, self.views_url = made, made.views
        self.env = {
            "RELIEF_VIEWS_URL": made.views,
            "RELIEF_READ_URL": made.read,
            "RELIEF_KAFKA": broker.address,
            "RELIEF_DATA": str(folder),
            "PYTHONUNBUFFERED": "1",
        }
        self.log = PostgresLog(made.database)
        stack.callback(self.log.close)
        assert partitions_of(self.log) == PARTITIONS
        keep_seal(self.log, SECRET)
        self.router = Router(self.log, PARTITIONS)
        self.bus = FrameBus(Kafka(broker.address), PARTITIONS)
        self.bus.open()
        self.bus.seal = seal_of(self.log)
        stack.callback(self.bus.close)
        self.views = ViewsDatabase(made.views, VIEWS, PARTITIONS)
        stack.callback(self.views.close)

    # -- the log and its frames ---------------------------------------------------------------

    def append(self, rows: Sequence[Row]) -> None:
        """Put rows into the log, at the positions that they have."""
        with self.log.transaction() as db:
            self.log.append(db, rows)

    def frames(self, rows: Sequence[Row], size: int = 100) -> list[Frame]:
        return frames_of(self.router, rows, size)

    def send(self, frames: Sequence[Frame]) -> None:
        self.bus.send(frames, lambda: True)

    # -- workers ------------------------------------------------------------------------------

    def worker(
        self, name: str, command: Sequence[str] = RUN_WORKER, env: Mapping[str, str] | None = None
    ) -> "WorkerProcess":
        port = free_port()
        given = {**self.env, "RELIEF_HEALTH_PORT": str(port), **(env or {})}
        found = WorkerProcess([*command, "--name", name], self.folder / f"{name}.log", given, port)
        self._stack.callback(found.kill)
        self._started.append(found)
        return found

    def process(self, command: Sequence[str], name: str, **env: str) -> Process:
        """Another process on the same databases and broker, ended with the cluster."""
        found = Process(command, self.folder / f"{name}.log", {**self.env, **env})
        self._stack.callback(found.kill)
        return found

    # -- what came of it ----------------------------------------------------------------------

    def position(self) -> int:
        return self.views.position()

    def reach(self, position: int, seconds: float = LAST_FRAME_SECONDS) -> None:
        def there() -> bool:
            for worker in self._started:
                worker.keep_if_left_out()
            return self.position() >= position or self._all_ended()

        wait_for(there, seconds)
        assert self.position() >= position, self._started[-1].said

    def _all_ended(self) -> bool:
        return bool(self._started) and not any(worker.running for worker in self._started)

    def settled(self, *workers: "WorkerProcess", seconds: float = SETTLED_SECONDS) -> None:
        """Wait until each of them has partitions and together they have all.

        Who ended because its group did not take it in, or crashed, is started again, as by a
        supervisor. Raises `AssertionError` with what the workers said when one ends otherwise, or
        in vain.
        """
        try:
            wait_for(lambda: _shared(workers), seconds)
        except AssertionError as problem:
            told = [f"{one.log.name} has {sorted(one.partitions())}: {one.said}" for one in workers]
            raise AssertionError("\n".join([str(problem), *told])) from None

    def hashes(self) -> dict[str, str]:
        return tables_of(self.views)


def _shared(workers: Sequence["WorkerProcess"]) -> bool:
    for worker in workers:
        worker.keep()
    parts = [worker.partitions() for worker in workers]
    return all(parts) and sum(map(len, parts)) == PARTITIONS and set.union(*parts) == ALL


class WorkerProcess(Process):
    """`relief worker` as a process."""

    def __init__(self, command: Sequence[str], log: Path, env: dict[str, str], port: int) -> None:
        super().__init__(command, log, env)
        self._address = f"http://127.0.0.1:{port}"
        self.started_again = 0

    def keep(self) -> None:
        """Start it again if it asks for that by its exit code; raise if it ended otherwise."""
        code = self._process.poll()
        assert code is None or code in STARTED_AGAIN, f"{self.log.name} ended: {code}: {self.said}"
        if code is not None:
            self._start_again()

    def keep_if_left_out(self) -> None:
        """Start it again if its group did not take it in or it crashed. Who was killed stays
        ended."""
        if self._process.poll() in (LEFT_OUT, -signal.SIGSEGV):
            self._start_again()

    def _start_again(self) -> None:
        self.started_again += 1
        self.start()

    def health(self) -> dict[str, Any]:
        """What it says of itself; empty while it does not answer."""
        try:
            found: dict[str, Any] = http_get(f"{self._address}/health", 2).json()
        except httpx.HTTPError:
            return {}
        return found

    def counted(self, name: str) -> int:
        """A counter of its `/metrics`."""
        page = http_get(f"{self._address}/metrics").text
        found = re.findall(rf"^{name}(?:{{[^}}]*}})? ([0-9.e+]+)$", page, re.MULTILINE)
        return round(sum(map(float, found)))

    def folded(self) -> int:
        """How many facts it has folded itself."""
        return self.counted("relief_facts_folded_total")

    def framed(self) -> int:
        """What it has folded less all it has read from the log: rises by frames alone."""
        return self.folded() - self.counted("relief_worker_fetched_facts_total")

    def partitions(self) -> set[int]:
        return set(self.health().get("assigned", ()))

    def joined(self, seconds: float = 90) -> "WorkerProcess":
        """Wait until it has partitions. Started again if its group did not take it in."""

        def has_some() -> set[int]:
            self.keep()
            return self.partitions()

        try:
            wait_for(has_some, seconds)
        except AssertionError as problem:
            raise AssertionError(f"{problem}: {self.said}") from None
        return self

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait(self, seconds: float) -> int:
        """Its exit code, when it ends by itself."""
        return self._process.wait(seconds)


@contextmanager
def cluster(
    folder: Path, database: Database, kind: type[KafkaServer] = Broker
) -> Iterator[Cluster]:
    """Everything but workers, with a broker of its own: all have one topic and one group."""
    with ExitStack() as stack:
        broker = stack.enter_context(kind(folder / "broker"))
        yield Cluster(folder, database, broker, stack)


def took(began: float) -> float:
    return round(time.monotonic() - began, 2)
