"""From a commit to the boards: 100 boards over SSE, 50 commands a second.

The server is a process of its own, with its follower in another; the boards and the commander are a
third. A command is timed from the moment that its fact was stamped with (same machine, same clock)
until each board has been told by a ``change`` event that the views have it.
"""

import asyncio
import json
import tempfile
import time
from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from bench import county
from bench.base import Reach, Result, machine, percentile
from bench.load_child import HEAD, INCIDENTS
from bench.over_http import bodies
from bench.serving import server
from domain.catalog import AGGREGATES
from domain.world import Role
from eventstore.store import Store

BOARDS = 100
PER_SECOND = 50
SECONDS = 20
CONNECTIONS = 64
GRACE_SECONDS = 15.0
WATCH = (
    "GET /v1/live?boards=dispatch HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n"
)


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
    port: int, token: str, boards: int, per_second: int, seconds: float, partition: int = 0
) -> tuple[list[Board], list[tuple[float, int]]]:
    """The boards, and each command's answer time and position. ``partition``: of the county."""
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


def figures(
    watching: Sequence[Board], answers: Sequence[tuple[float, int]], stamped: dict[int, float]
) -> dict[str, float]:
    """From the stamp of a command to each board, and to its answer. ``told``: how often a board
    was told of a command."""
    told = [(one.when(at), stamped[at]) for one in watching for _, at in answers]
    delays = sorted(when - at for when, at in told if when is not None)
    took = sorted(seconds for seconds, _ in answers)

    def ms(ordered: list[float], share: float) -> float:
        return round(1000 * percentile(ordered, share), 1)

    return {
        "boards": len(watching),
        "commands": len(answers),
        "told": len(delays),
        "commit_to_board_p50_ms": ms(delays, 0.5),
        "commit_to_board_p95_ms": ms(delays, 0.95),
        "commit_to_board_p99_ms": ms(delays, 0.99),
        "commit_to_board_worst_ms": round(1000 * delays[-1], 1),
        "answer_p50_ms": ms(took, 0.5),
        "answer_p99_ms": ms(took, 0.99),
    }


def run(*, tiny: bool = False) -> Result:
    about = machine()
    boards, seconds = (3, 0.5) if tiny else (BOARDS, SECONDS)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name) / "store"
        store = Store.at(folder, AGGREGATES)
        county.build(store)
        token = county.token(store, Role.DISPATCHER)
        before = store.head()
        store.close()
        with server(str(folder)) as served:
            watching, answers = asyncio.run(
                measured(served.port, token, boards, PER_SECOND, seconds)
            )
        store = Store.at(folder, AGGREGATES)
        found = figures(watching, answers, stamps(store, before, store.head()))
        store.close()
    p99 = found["commit_to_board_p99_ms"]
    return Result(
        "boards",
        {"commands_per_second": PER_SECOND, **found},
        {"commit_to_board_p99_ms": p99},
        about,
        {"commit_to_board_p99_ms": Reach(at_most=250, unit="ms")},
    )
