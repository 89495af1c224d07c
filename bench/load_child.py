"""The load: connections that each send a request, await its answer, and send the next.

Reads one JSON object from stdin: ``port, token, connections, bodies`` (and ``poll``: wait until
``/ready`` says that the views have reached the head). ``lives`` in place of ``bodies`` are lists
of [path, body]: a connection sends the requests of one life in their order, then takes the next.
Prints ``seconds, served, failed`` and ``p50_ms, p99_ms``.
Written on bare sockets, so that the client costs little beside the server.
"""

import asyncio
import json
import sys
import time
from typing import Any
from uuid import uuid4

INCIDENTS = "/v1/incidents"
HEAD = (
    "POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
    "Authorization: Bearer {token}\r\nIdempotency-Key: {key}\r\nContent-Length: {length}\r\n\r\n"
)
READY = b"GET /ready HTTP/1.1\r\nHost: bench\r\n\r\n"


class Client(asyncio.Protocol):
    """One connection. Takes lives from the common list until it is empty."""

    def __init__(self, lives: list[list[bytes]], failures: list[bytes], took: list[float]) -> None:
        self.lives = lives
        self.failures = failures
        self.took = took
        self.buffer = b""
        self.life: list[bytes] = []
        self.sent = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def send_next(self) -> None:
        if not self.life and self.lives:
            self.life = self.lives.pop()
        if self.life:
            self.sent = time.perf_counter()
            self.transport.write(self.life.pop())
        elif not self.done.done():
            self.done.set_result(None)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        lower = head.lower()
        start = lower.index(b"content-length:") + 15
        end = lower.find(b"\r\n", start)
        length = int(lower[start : end if end > 0 else len(lower)])
        if len(rest) < length:
            return
        self.buffer = b""
        self.took.append(time.perf_counter() - self.sent)
        if not head.startswith(b"HTTP/1.1 200"):
            self.failures.append(head + rest)
        self.send_next()

    def connection_lost(self, problem: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(problem or ConnectionError("the server hung up"))


async def caught_up(port: int) -> None:
    """Return once the views have reached the head."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lag = 1
    while lag:
        writer.write(READY)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        lag = json.loads(await reader.readexactly(length))["lag"]
        if lag:
            await asyncio.sleep(0.005)
    writer.close()


async def load(given: dict[str, Any]) -> dict[str, Any]:
    lives = given.get("lives") or [[(INCIDENTS, body)] for body in given["bodies"]]
    requests = [[_request(given["token"], *step) for step in reversed(life)] for life in lives]
    served = sum(map(len, requests))
    failures: list[bytes] = []
    times: list[float] = []
    loop = asyncio.get_running_loop()
    clients = []
    for _ in range(given["connections"]):
        made = await loop.create_connection(
            lambda: Client(requests, failures, times), "127.0.0.1", given["port"]
        )
        clients.append(made[1])
    began = time.perf_counter()
    for client in clients:
        client.send_next()
    await asyncio.gather(*[client.done for client in clients])
    if given["poll"]:
        await caught_up(given["port"])
    took = time.perf_counter() - began
    for client in clients:
        client.transport.close()
    said = [failure.decode(errors="replace") for failure in failures[:1]]
    times.sort()
    return {
        "seconds": took,
        "served": served,
        "failed": len(failures),
        "said": said,
        "p50_ms": 1000 * times[len(times) // 2],
        "p99_ms": 1000 * times[int(len(times) * 0.99)],
    }


def _request(token: str, path: str, body: dict[str, Any]) -> bytes:
    data = json.dumps(body).encode()
    return HEAD.format(path=path, token=token, key=uuid4(), length=len(data)).encode() + data


def main() -> None:
    given = json.load(sys.stdin)
    try:
        import uvloop
    except ImportError:
        print(json.dumps(asyncio.run(load(given))))
    else:
        print(json.dumps(uvloop.run(load(given))))


if __name__ == "__main__":
    main()
