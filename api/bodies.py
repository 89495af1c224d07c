"""The body of a request, read up to a limit."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fastapi import Request
from starlette.requests import ClientDisconnect

from api.problems import ApiProblem
from eventstore.limits_reached import limit_reached

SMALL_BODY = 64 * 1024
"""Bytes of a body that are parsed where they come in: a millisecond."""


class HeldBodies:
    """Bytes of large bodies that one process has in hand, from their arrival to their answer.

    Small ones are not counted: a report that saves lives is never turned away for them, and what
    they may come to is bounded by the connections. For the event loop's thread alone.
    """

    def __init__(self, most: int) -> None:
        self.most, self.now = most, 0

    @contextmanager
    def holding(self) -> Iterator["Holding"]:
        """For one request: what it takes is given back at its end."""
        holding = Holding(self)
        try:
            yield holding
        finally:
            self.now -= holding.bytes


@dataclass(slots=True)
class Holding:
    """What one request holds."""

    of: HeldBodies
    bytes: int = 0

    def grow(self, size: int) -> None:
        """The body has come to so many bytes. Raises 503 if all are too many together."""
        more = size - self.bytes if size > SMALL_BODY else 0
        if self.of.now + more > self.of.most:
            limit_reached("held_body_bytes")
            raise ApiProblem(
                503,
                "too-many-bodies",
                "同时提交的大批数据过多，请稍后再试",
                "Too much is being sent at once. Try again shortly.",
                headers={"Retry-After": "5"},
            )
        self.of.now += more
        self.bytes += more


async def read_body(
    request: Request,
    limit: int,
    refused: Exception | None = None,
    setting: str = "body_bytes",
    holding: Holding | None = None,
) -> bytes:
    """The body, at most ``limit`` bytes (413, told as ``setting``), sent as JSON (415).

    What it takes of the memory is counted in ``holding`` as it comes (503).
    With ``refused`` no more than a small body is read, and that is raised in place of a 413: what
    an officer may not send anyway costs no memory.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json":
        raise ApiProblem(
            415, "not-json", "请以 application/json 提交", "Send the body as application/json."
        )
    most = limit if refused is None else min(limit, SMALL_BODY)
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > most:
        raise refused or too_large(limit, setting)
    chunks = []
    size = 0
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > most:
            raise refused or too_large(limit, setting)
        if holding is not None:
            holding.grow(size)
        chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)


def too_large(limit: int, setting: str) -> ApiProblem:
    limit_reached(setting)
    return ApiProblem(413, "too-large", "提交内容过大", f"At most {limit} bytes.")
