"""From a commit to the boards: 100 boards over SSE, 50 commands a second.

The server is a process of its own, the boards and the commander another. An incident is timed
from the commit the server stamped on it (``opened_at`` on the board's row, same machine, same
clock) until its ``change`` event has been read by each board.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
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
GRACE_SECONDS = 10.0
WATCH = (
    "GET /v1/live?boards=dispatch HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n"
)


class Watch:
    """What all boards saw: delays from commit and from send, and how many rows came."""

    def __init__(self) -> None:
        self.sent: dict[str, float] = {}
        self.since_send: list[float] = []
        self.since_commit: list[float] = []

    def take(self, line: bytes) -> None:
        now = time.time()
        for row in _incidents(json.loads(line[6:])):
            if (sent := self.sent.get(row["id"])) is not None:
                self.since_send.append(now - sent)
                self.since_commit.append(now - _committed(row))


def _incidents(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for rows in body.get("rows", {}).values():
        for row in rows:
            if "opened_at" in row:
                yield row


def _committed(row: dict[str, Any]) -> float:
    return datetime.fromisoformat(row["opened_at"]).timestamp()


async def board(port: int, token: str, watch: Watch, open_: asyncio.Event) -> None:
    """One board: reads events for ever."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
    writer.write(WATCH.format(token=token).encode())
    changing = False
    try:
        while line := await reader.readline():
            if line.startswith(b"event: "):
                changing = line.startswith(b"event: change")
                open_.set()
            elif changing and line.startswith(b"data: "):
                watch.take(line)
    finally:
        writer.close()


async def send(port: int, token: str, watch: Watch, body: dict[str, Any], free: Any) -> None:
    """One command on a free connection."""
    reader, writer = await free.get()
    data = json.dumps(body).encode()
    head = HEAD.format(path=INCIDENTS, token=token, key=uuid4(), length=len(data)).encode()
    watch.sent[body["incident"]] = time.time()
    writer.write(head + data)
    answer = await reader.readuntil(b"\r\n\r\n")
    length = int(answer.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    said = await reader.readexactly(length)
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(said.decode())
    free.put_nowait((reader, writer))


async def measure(port: int, token: str, boards: int, seconds: float) -> Watch:
    watch = Watch()
    opened = [asyncio.Event() for _ in range(boards)]
    watching = [asyncio.create_task(board(port, token, watch, one)) for one in opened]
    await asyncio.wait_for(asyncio.gather(*[one.wait() for one in opened]), 30)
    free: asyncio.Queue[Any] = asyncio.Queue()
    for _ in range(PER_SECOND):
        free.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    began = time.perf_counter()
    sending = []
    todo = bodies(int(PER_SECOND * seconds))
    for n, body in enumerate(todo):
        await asyncio.sleep(max(0.0, began + n / PER_SECOND - time.perf_counter()))
        sending.append(asyncio.create_task(send(port, token, watch, body, free)))
    await asyncio.gather(*sending)
    wanted, deadline = len(todo) * boards, time.perf_counter() + GRACE_SECONDS
    while len(watch.since_send) < wanted and time.perf_counter() < deadline:
        await asyncio.sleep(0.05)
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    if len(watch.since_send) < wanted:
        raise RuntimeError(f"{len(watch.since_send)} of {wanted} rows reached the boards")
    return watch


def run(*, tiny: bool = False) -> Result:
    about = machine()
    boards, seconds = (3, 0.5) if tiny else (BOARDS, SECONDS)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name) / "store"
        store = Store.at(folder, AGGREGATES)
        county.build(store)
        token = county.token(store, Role.DISPATCHER)
        store.close()
        with server(str(folder)) as served:
            watch = asyncio.run(measure(served.port, token, boards, seconds))
    commit, sent = sorted(watch.since_commit), sorted(watch.since_send)
    p99 = round(1000 * percentile(commit, 0.99), 1)
    return Result(
        "boards",
        {
            "boards": boards,
            "commands_per_second": PER_SECOND,
            "commands": len(watch.sent),
            "deliveries": len(commit),
            "commit_to_board_p50_ms": round(1000 * percentile(commit, 0.5), 1),
            "commit_to_board_p95_ms": round(1000 * percentile(commit, 0.95), 1),
            "commit_to_board_p99_ms": p99,
            "send_to_board_p99_ms": round(1000 * percentile(sent, 0.99), 1),
        },
        {"commit_to_board_p99_ms": p99},
        about,
        {"commit_to_board_p99_ms": Reach(at_most=250, unit="ms")},
    )
