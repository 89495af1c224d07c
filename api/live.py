"""Live boards: server-sent events with position, heartbeat and resume.

A ``change`` event names the tables that changed and carries their changed rows inside the scope;
``beat`` comes every few seconds with position, head and lag, so that a silent board can say so.
Messages are made once for all boards of the same tables and scope.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import StreamingResponse

from api.auth import Asking, Caller
from api.problems import ApiProblem
from api.system import AreaTree, System
from domain.world import Role
from projections.base import Row
from projections.engine import Applied

BEAT_SECONDS = 3.0
GATHER_SECONDS = 0.02
MAX_ROWS = 200

Roots = tuple[UUID, ...]


@dataclass(eq=False)
class Board:
    """One open stream."""

    tables: frozenset[str]
    roots: Roots
    messages: asyncio.Queue[bytes] = field(default_factory=lambda: asyncio.Queue(maxsize=256))
    lost: bool = False


class Hub:
    """Takes applied batches from the follower's thread and hands messages to the boards."""

    def __init__(self, tree: AreaTree) -> None:
        self._tree = tree
        self._boards: set[Board] = set()
        self._gathered: dict[str, list[Row]] = {}
        self._position = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._scheduled = False
        self.closing = asyncio.Event()

    def close(self) -> None:
        """End all streams, so that the server can stop. Call on the event loop."""
        self.closing.set()
        for board in self._boards:
            if not board.messages.full():
                board.messages.put_nowait(b"")

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def applied(self, applied: Applied) -> None:
        """Called on the follower's thread."""
        if self._loop is not None and self._boards:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._gather, applied)

    def _gather(self, applied: Applied) -> None:
        self._position = applied.position
        for table, rows in applied.changed.items():
            self._gathered.setdefault(table, []).extend(rows)
        if not self._scheduled and self._loop is not None:
            self._scheduled = True
            self._loop.call_later(GATHER_SECONDS, self._publish)

    def _publish(self) -> None:
        self._scheduled = False
        gathered, self._gathered = self._gathered, {}
        made: dict[tuple[frozenset[str], Roots], bytes | None] = {}
        for board in self._boards:
            key = (board.tables, board.roots)
            if key not in made:
                made[key] = self._message(gathered, *key)
            message = made[key]
            if message is None:
                continue
            if board.messages.full():
                board.lost = True
            else:
                board.messages.put_nowait(message)

    def _message(
        self, gathered: dict[str, list[Row]], tables: frozenset[str], roots: Roots
    ) -> bytes | None:
        rows: dict[str, list[Row]] = {}
        for table in tables & gathered.keys():
            inside = [row for row in gathered[table] if self._inside(row, roots)]
            if inside or not gathered[table]:
                rows[table] = inside[-MAX_ROWS:]
        if not rows:
            return None
        body = {"position": self._position, "tables": sorted(rows), "rows": rows}
        return event("change", body, self._position)

    def _inside(self, row: Row, roots: Roots) -> bool:
        area = row.get("area")
        return area is None or self._tree.inside(UUID(area), roots)

    async def stream(self, system: System, board: Board, seen: int | None) -> AsyncIterator[bytes]:
        """The messages of one board until it goes away."""
        self._boards.add(board)
        try:
            position = system.follower.position
            if seen is not None and seen != position:
                yield event("reset", {"position": position}, position)
            yield beat(system)
            while not self.closing.is_set():
                try:
                    async with asyncio.timeout(BEAT_SECONDS):
                        message = await board.messages.get()
                except TimeoutError:
                    yield beat(system)
                    continue
                if board.lost:
                    board.lost = False
                    position = system.follower.position
                    yield event("reset", {"position": position}, position)
                yield message
        finally:
            self._boards.discard(board)


def event(kind: str, body: dict[str, Any], position: int) -> bytes:
    data = msgspec.json.encode(body, enc_hook=str)
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (position, kind.encode(), data)


def beat(system: System) -> bytes:
    position = system.follower.position
    head = max(position, system.store.head())
    now = system.store.clock.now()
    body = {
        "position": position,
        "head": head,
        "lag": head - position,
        "at": now,
        "sent": time.time(),
    }
    if system.follower.failure is not None:
        body["failure"] = True
    return event("beat", body, position)


def router_of(live: dict[str, tuple[frozenset[str], frozenset[Role]]]) -> APIRouter:
    """``GET /v1/live``: ``live`` maps a board's name to its tables and the roles that may watch."""
    router = APIRouter()

    @router.get(
        "/v1/live",
        tags=["live"],
        summary="Watch boards (server-sent events)",
        responses=RESPONSES,
        response_class=StreamingResponse,
    )
    async def watch(
        request: Request,
        caller: Asking,
        boards: Annotated[str, Query(max_length=200, description="Board names, comma-separated")],
        area: UUID | None = None,
    ) -> StreamingResponse:
        names = [name for name in boards.split(",") if name]
        unknown = [name for name in names if name not in live]
        if unknown or not names:
            raise ApiProblem(422, "unknown-board", f"没有看板 {unknown}", f"No board {unknown}.")
        roots = _roots(caller, live, names, area)
        tables = frozenset().union(*(live[name][0] for name in names))
        seen = request.headers.get("last-event-id", "")
        hub: Hub = request.app.state.hub
        body = hub.stream(
            caller.system,
            Board(tables, roots),
            int(seen) if seen.isascii() and seen.isdigit() else None,
        )
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(body, media_type="text/event-stream", headers=headers)

    return router


def _roots(
    caller: Caller, live: dict[str, tuple[frozenset[str], frozenset[Role]]],
    names: list[str], area: UUID | None,
) -> Roots:  # fmt: skip
    roots: Roots = ()
    for name in names:
        roots = caller.scope(live[name][1], area).roots or ()
    return roots


RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "beat, change and reset events", "content": {"text/event-stream": {}}},
    401: {"description": "Not logged in"},
    403: {"description": "Your jurisdiction, but not your role"},
    404: {"description": "Outside your jurisdiction"},
    422: {"description": "No such board"},
}
