"""A log on PostgreSQL with facts of several counties, and what a worker would have read of it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from uuid import UUID, uuid5

import httpx
import msgspec
from kafka.structs import TopicPartition

from eventstore.founding import Urls, found
from eventstore.log import Log, Row
from eventstore.postgres import PostgresLog
from streams.frames import Frame, Router, decode
from streams.kafka import FRAMES, Kafka
from streams.sealing import Seal, keep_seal
from streams.topics import described
from tests.clusters import PASSWORDS
from tests.eventstore.support import named
from tests.faults import PATIENCE_SECONDS
from tests.servers import Database

ROOT = Path(__file__).resolve().parents[2]
PARTITIONS = 4
SECRET = bytes(range(32))
"""Where there is no vault to ask for one."""
COUNTIES = [named(f"county/{n}") for n in range(9)]


def urls(database: Database) -> Urls:
    """The tables of a log in this database, as `relief db init` makes them."""
    return found(database.server.url(), database.name, PASSWORDS)


def cut_off(database: Database, head: int) -> None:
    """An older log comes back in the place of this one: it ends at this position."""
    sql = f"DELETE FROM log.events WHERE position > {head}"
    database.server.execute(f"SET session_replication_role = replica; {sql}", database.name)


@contextmanager
def log_of(made: Urls) -> Iterator[PostgresLog]:
    log = PostgresLog(made.database)
    keep_seal(log, SECRET)
    try:
        yield log
    finally:
        log.close()


def state(division: UUID, payload: str = "") -> bytes:
    """A stored fact as far as the relay reads it."""
    meta = {"actor": division, "role": "village_reporter", "division": division}
    return msgspec.json.encode({"originator_version": 1, "meta": meta, "note": payload})


class Town:
    """Streams of several counties that grow by lot."""

    def __init__(self, seed: int = 1) -> None:
        self._dice = Random(seed)
        self._versions: dict[bytes, int] = {}

    def grow(self, log: Log, count: int, *, batch: int = 200, size: int = 300) -> None:
        """Append so many facts in commits of at most ``batch``."""
        while count:
            taken = min(count, batch)
            count -= taken
            with log.transaction() as db:
                head = db.execute("SELECT coalesce(max(position), 0) FROM events").fetchone()[0]
                log.append(db, [self._row(n, size) for n in range(head + 1, head + taken + 1)])

    def _row(self, position: int, size: int) -> Row:
        county = self._dice.choice(COUNTIES)
        stream = uuid5(county, str(self._dice.randrange(20))).bytes
        version = self._versions[stream] = self._versions.get(stream, 0) + 1
        return position, stream, version, "Unit.WentOnDuty", state(county, "x" * size)


def rows_of(log: Log) -> list[Row]:
    found: list[Row] = []
    while rows := log.rows(found[-1][0] if found else 0, 5_000):
        found += [(r[0], bytes(r[1]), r[2], r[3], bytes(r[4])) for r in rows]
    return found


def parts_of(log: Log, partitions: int = PARTITIONS) -> dict[int, list[Row]]:
    """The log as each partition must see it."""
    router = Router(log, partitions)
    parts: dict[int, list[Row]] = {n: [] for n in range(partitions)}
    for row in rows_of(log):
        parts[router.partition_of(row)].append(row)
    return parts


class Reader:
    """Reads the topic from its beginning, once there is one, by the workers' rule."""

    def __init__(self, address: str, topic: str = FRAMES, partitions: int = PARTITIONS) -> None:
        admin = Kafka(address).admin()
        wait_for(lambda: described(admin, topic), 30)
        admin.close()
        self._consumer = Kafka(address).consumer()
        self._consumer.assign([TopicPartition(topic, n) for n in range(partitions)])
        self.stored = dict.fromkeys(range(partitions), 0)
        self.rows: dict[int, list[Row]] = {n: [] for n in range(partitions)}
        self.gaps: list[Frame] = []
        self.repeated = 0
        self.frames: list[Frame] = []
        self.lineages: list[str] = []
        """Of which logs the frames say that they are, each named once."""

    def poll(self, seconds: float = 0.3) -> int:
        count = 0
        for messages in self._consumer.poll(timeout_ms=int(seconds * 1000)).values():
            for message in messages:
                count += 1
                frame, named = decode(message.value, message.headers), dict(message.headers)
                if (lineage := named["lineage"].decode()) not in self.lineages:
                    self.lineages.append(lineage)
                assert Seal.made(lineage, SECRET).holds(message.value, named)
                assert frame.partition == message.partition
                self._take(frame)
        return count

    def _take(self, frame: Frame) -> None:
        self.frames.append(frame)
        stored = self.stored[frame.partition]
        if frame.previous > stored:
            self.gaps.append(frame)
        new = [row for row in frame.rows if row[0] > stored]
        self.repeated += len(frame.rows) - len(new)
        self.rows[frame.partition] += new
        self.stored[frame.partition] = max(stored, frame.last)

    def read_to(self, position: int, seconds: float = 20) -> None:
        """Until every partition is complete to this position."""
        deadline = time.monotonic() + seconds
        while min(self.stored.values()) < position:
            assert time.monotonic() < deadline, (position, self.stored)
            self.poll()

    def close(self) -> None:
        self._consumer.close()


@contextmanager
def reading(address: str, partitions: int = PARTITIONS) -> Iterator[Reader]:
    reader = Reader(address, partitions=partitions)
    try:
        yield reader
    finally:
        reader.close()


def wait_for(true: Callable[[], object], seconds: float = 10) -> None:
    """Wait until it is true; a slow machine gets more than the ``seconds`` of a quiet one."""
    seconds = max(seconds, PATIENCE_SECONDS)
    began = time.monotonic()
    while not true():
        waited = time.monotonic() - began
        if waited > seconds:
            raise AssertionError(f"not within {seconds} s")
        time.sleep(min(max(waited / 20, 0.01), 0.1))  # asking costs those who are waited for


_HTTP = httpx.Client(
    verify=False,
    trust_env=False,
    limits=httpx.Limits(max_keepalive_connections=0),
)


def http_get(address: str, seconds: float = 5) -> httpx.Response:
    """What a process answers over a connection of its own. `httpx.get` takes ten times as long."""
    return _HTTP.get(address, timeout=seconds)


class Process:
    """A process of ours in a session of its own, killed at the end."""

    def __init__(self, command: Sequence[str], log: Path, env: dict[str, str]) -> None:
        self.log, self._command, self._env = log, command, env
        self.start()

    def start(self) -> None:
        """Once more when it has ended."""
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, *self._command],
                cwd=ROOT,
                stdout=out,
                stderr=out,
                env={**os.environ, **self._env},
                start_new_session=True,
            )

    def send(self, number: int) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            self.send(signal.SIGKILL)
        self._process.wait()

    def stop(self, seconds: float = 15) -> int:
        """SIGTERM; the exit code."""
        self.send(signal.SIGTERM)
        return self.wait(seconds)

    def wait(self, seconds: float) -> int:
        """The exit code of one that ends by itself."""
        return self._process.wait(seconds)

    @property
    def said(self) -> str:
        return self.log.read_text()
