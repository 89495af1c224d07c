"""Live boards: server-sent events with position, heartbeat and resume.

A ``change`` event names the tables that changed and carries their changed rows inside the scope;
``beat`` comes every few seconds with position, head and lag, so that a silent board can say so.
Messages are made once for all boards of the same tables and scope.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import StreamingResponse

from api.auth import Asking, Caller, caller_of
from api.problems import ApiProblem
from api.system import AreaTree, System
from domain.refusal import Refusal
from domain.world import Role
from eventstore.errors import StoreError
from projections.folding.base import Row
from projections.folding.engine import Applied
from streams.following import place

BEAT_SECONDS = 3.0
GATHER_SECONDS = 0.02
MAX_ROWS = 200
MAX_ID = 2048

QUEUED = 64

Watched = tuple[tuple[str, tuple[UUID, ...]], ...]
"""Tables, each with the areas (and all below) whose rows may be shown; in order."""


@dataclass(eq=False)
class Board:
    """One open stream. ``allowed`` tells what it may watch now; it ends when that changes."""

    watched: Watched
    allowed: Callable[[], Watched]
    messages: asyncio.Queue[bytes] = field(default_factory=lambda: asyncio.Queue(maxsize=QUEUED))
    lost: bool = False

    def give(self, message: bytes) -> None:
        """Queue a message. A consumer too slow to keep up loses all of them and starts afresh."""
        if self.messages.full():
            while not self.messages.empty():
                self.messages.get_nowait()
            self.lost = True
        self.messages.put_nowait(message)


class Hub:
    """Takes applied batches from the boards' thread and hands messages to the boards."""

    def __init__(self, tree: AreaTree, vector: Callable[[], Mapping[int, int]]) -> None:
        self._tree = tree
        self._vector = vector
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
            board.give(b"")

    def opened(self) -> int:
        """How many boards are open."""
        return len(self._boards)

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def applied(self, applied: Applied) -> None:
        """Called on the boards' thread."""
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
        made: dict[Watched, bytes | None] = {}
        for board in self._boards:
            if board.watched not in made:
                made[board.watched] = self._message(gathered, board.watched)
            message = made[board.watched]
            if message is not None:
                board.give(message)

    def _message(self, gathered: dict[str, list[Row]], watched: Watched) -> bytes | None:
        rows: dict[str, list[Row]] = {}
        cut = False
        for table, roots in watched:
            if table not in gathered:
                continue
            inside = [row for row in gathered[table] if self._inside(row, roots)]
            if inside or not gathered[table]:
                rows[table] = [row for row in inside if len(row) > 1][-MAX_ROWS:]
                cut = cut or len(inside) > MAX_ROWS
        if not rows:
            return None
        body = {"position": self._position, "tables": sorted(rows), "rows": rows}
        if cut:
            body["more"] = True
        return event("change", body, place(self._vector()))

    def _inside(self, row: Row, roots: tuple[UUID, ...]) -> bool:
        area = row.get("area")
        return area is None or self._tree.inside(UUID(area), roots)

    async def stream(self, system: System, board: Board, seen: str) -> AsyncIterator[bytes]:
        """The messages of one board until it goes away.

        What asks a database does so in a thread: while one is away, everybody else is answered.
        """
        self._boards.add(board)
        try:
            if seen and seen != place(system.boards.vector()):
                yield reset(system)
            yield await asyncio.to_thread(beat, system)
            while not self.closing.is_set():
                try:
                    async with asyncio.timeout(BEAT_SECONDS):
                        message = await board.messages.get()
                except TimeoutError:
                    if await asyncio.to_thread(board.allowed) != board.watched:
                        return
                    yield await asyncio.to_thread(beat, system)
                    continue
                if board.lost:
                    board.lost = False
                    yield reset(system)
                elif message:
                    yield message
        finally:
            self._boards.discard(board)


def event(kind: str, body: dict[str, Any], id: str) -> bytes:
    data = msgspec.json.encode(body, enc_hook=str)
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (id.encode(), kind.encode(), data)


def reset(system: System) -> bytes:
    """What was missed is not told again: the board asks afresh."""
    position = system.boards.position
    return event("reset", {"position": position}, place(system.boards.vector()))


def beat(system: System) -> bytes:
    position = system.boards.position
    head = max(position, system.store.head())
    now = system.store.clock.now()
    body = {
        "position": position,
        "head": head,
        "lag": head - position,
        "at": now,
        "sent": time.time(),
    }
    waiting = _waiting_since(system, position) if head > position else None
    if waiting is not None:
        body["behind_seconds"] = round(max(0.0, (now - waiting).total_seconds()), 3)
    if system.boards.trouble is not None:
        body["trouble"] = True
    if system.boards.failure is not None:
        body["failure"] = True
    return event("beat", body, place(system.boards.vector()))


def _waiting_since(system: System, position: int) -> datetime | None:
    """When the first fact that the views do not have yet was recorded, if it can be read."""
    try:
        found = system.store.read(position, 1)
    except (StoreError, msgspec.MsgspecError):
        return None
    return found[0].event.meta.recorded_at if found else None


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
        watched = _watched(caller, live, names, area)
        seen = request.headers.get("last-event-id", "")[:MAX_ID]
        hub: Hub = request.app.state.hub
        board = Board(watched, _allowed(request, live, names, area))
        body = hub.stream(caller.system, board, seen)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(body, media_type="text/event-stream", headers=headers)

    return router


Live = dict[str, tuple[frozenset[str], frozenset[Role]]]


def _watched(caller: Caller, live: Live, names: list[str], area: UUID | None) -> Watched:
    """Each table with the areas of its own board's roles. Raises 404, or 403 without the role."""
    found: dict[str, tuple[UUID, ...]] = {}
    for name in names:
        tables, roles = live[name]
        roots = caller.scope(roles, area).roots or ()
        for table in tables:
            found[table] = tuple(dict.fromkeys((*found.get(table, ()), *roots)))
    return tuple(sorted(found.items()))


def _allowed(
    request: Request, live: Live, names: list[str], area: UUID | None
) -> Callable[[], Watched]:
    """Asks again, as if the request came now: a log-out, a suspension, a post that ended."""

    def ask() -> Watched:
        try:
            return _watched(caller_of(request), live, names, area)
        except (ApiProblem, Refusal):
            return ()

    return ask


RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "beat, change and reset events", "content": {"text/event-stream": {}}},
    401: {"description": "Not logged in"},
    403: {"description": "Your jurisdiction, but not your role"},
    404: {"description": "Outside your jurisdiction"},
    422: {"description": "No such board"},
}
