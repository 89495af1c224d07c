"""From a commit to the boards through Kafka: 100 boards over SSE, 200 commands a second.

The processes of `relief up` (two API processes, a relay, two workers), a durable PostgreSQL and
Apache Kafka, all on one machine with the client. A command is timed from the moment that its fact
was stamped with, under the order lock and before its commit, until each board has been told by a
``change`` event that the views have it. What a page then asks for, throttled, is not in it. All
incidents are of one county, so that one partition and one worker carry all of them.
"""

import asyncio
import json
import tempfile
import time
from bisect import bisect_left
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import uvloop

from bench import county
from bench.base import Reach, Result, machine, percentile
from bench.boards import WATCH
from bench.cluster import kafka, relief, tansu
from bench.cluster import postgres as durable_postgres
from bench.http_cluster import prepared
from bench.load_child import HEAD, INCIDENTS
from bench.over_http import bodies
from eventstore.store import Store
from projections.folding.partitions import partition_of
from streams.frames import PARTITIONS

BOARDS = 100
PER_SECOND = 200
SECONDS = 30
WARM_SECONDS = 3
CONNECTIONS = 64
GRACE_SECONDS = 15.0


class Board:
    """One open stream: when it was told of which position of the county's partition."""

    def __init__(self, partition: int) -> None:
        self._partition = partition
        self.at: list[int] = []
        self.times: list[float] = []
        self.opened = asyncio.Event()

    async def watch(self, port: int, token: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
        writer.write(WATCH.format(token=token).encode())
        place = b""
        try:
            while line := await reader.readline():
                if line.startswith(b"id: "):
                    place = line[4:]
                elif line.startswith(b"event: "):
                    self.opened.set()
                    if not line.startswith(b"event: beat"):
                        self._told(int(place.split(b".")[self._partition]))
        finally:
            writer.close()

    def _told(self, position: int) -> None:
        if not self.at or position > self.at[-1]:
            self.at.append(position)
            self.times.append(time.time())

    def when(self, position: int) -> float | None:
        """When it was first told of this position or a later one."""
        n = bisect_left(self.at, position)
        return self.times[n] if n < len(self.at) else None


async def send(port: int, token: str, body: dict[str, Any], free: Any) -> tuple[float, int]:
    """One command on a free connection: how long its answer took, and its position."""
    began = time.time()
    reader, writer = await free.get()
    data = json.dumps(body).encode()
    head = HEAD.format(path=INCIDENTS, token=token, key=uuid4(), length=len(data))
    writer.write(head.encode() + data)
    answer = await reader.readuntil(b"\r\n\r\n")
    length = int(answer.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    said = json.loads(await reader.readexactly(length))
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(str(said))
    free.put_nowait((reader, writer))
    return time.time() - began, int(said["position"])


async def measured(
    port: int, token: str, boards: int, per_second: int, seconds: float
) -> tuple[list[Board], list[tuple[float, int]]]:
    """The boards, and each command's answer time and position."""
    partition = partition_of(county.id_of("county"), PARTITIONS)
    watching = [Board(partition) for _ in range(boards)]
    tasks = [asyncio.create_task(one.watch(port, token)) for one in watching]
    await asyncio.wait_for(asyncio.gather(*[one.opened.wait() for one in watching]), 60)
    free: asyncio.Queue[Any] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    began = time.perf_counter()
    sending = []
    for n, body in enumerate(bodies(int(per_second * seconds))):
        await asyncio.sleep(max(0.0, began + n / per_second - time.perf_counter()))
        sending.append(asyncio.create_task(send(port, token, body, free)))
    answers = await asyncio.gather(*sending)
    last, deadline = max(at for _, at in answers), time.perf_counter() + GRACE_SECONDS
    while any(one.when(last) is None for one in watching):
        if time.perf_counter() > deadline:
            raise RuntimeError("not all boards were told of the last command")
        await asyncio.sleep(0.05)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return watching, answers


def stamps(store: Store, after: int, upto: int) -> dict[int, float]:
    """When the facts at these positions were recorded."""
    found: dict[int, float] = {}
    while after < upto:
        rows = store.read(after, 4096, upto)
        found |= {row.position: row.event.meta.recorded_at.timestamp() for row in rows}
        after = rows[-1].position
    return found


def run(*, tiny: bool = False) -> Result:
    about = machine()
    boards, per_second, seconds = (5, 20, 1.0) if tiny else (BOARDS, PER_SECOND, SECONDS)
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        server = stack.enter_context(durable_postgres(scratch))
        here, token = prepared(server, scratch)
        address = stack.enter_context((tansu if tiny else kafka)(scratch))
        env = here.env(address)
        port = stack.enter_context(relief(env, api=2, workers=2, relay=True))["api"].port
        uvloop.run(measured(port, token, 1, per_second, 1.0 if tiny else WARM_SECONDS))
        store = here.store()
        before = store.head()
        watching, answers = uvloop.run(measured(port, token, boards, per_second, seconds))
        stamped = stamps(store, before, store.head())
        store.close()
    told = [one.when(at) for one in watching for _, at in answers]
    since = [stamped[at] for _ in watching for _, at in answers]
    delays = sorted(when - at for when, at in zip(told, since, strict=True) if when is not None)
    took = sorted(seconds for seconds, _ in answers)

    def ms(ordered: list[float], share: float) -> float:
        return round(1000 * percentile(ordered, share), 1)

    p95, p99 = ms(delays, 0.95), ms(delays, 0.99)
    return Result(
        "latency",
        {
            "boards": boards,
            "commands_per_second": per_second,
            "commands": len(answers),
            "told": len(delays),
            "commit_to_board_p50_ms": ms(delays, 0.5),
            "commit_to_board_p95_ms": p95,
            "commit_to_board_p99_ms": p99,
            "commit_to_board_worst_ms": round(1000 * delays[-1], 1),
            "answer_p50_ms": ms(took, 0.5),
            "answer_p99_ms": ms(took, 0.99),
        },
        {"commit_to_board_p95_ms": p95, "commit_to_board_p99_ms": p99},
        about,
        {
            "commit_to_board_p95_ms": Reach(at_most=500, unit="ms"),
            "commit_to_board_p99_ms": Reach(at_most=1000, unit="ms"),
        },
    )
