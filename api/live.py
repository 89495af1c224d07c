"""Live boards: server-sent events with position, heartbeat and resume.

A ``change`` event names the tables that changed and carries their changed rows inside the scope;
``beat`` comes every few seconds with position, head and lag, so that a silent board can say so.
Beats, and looking again whether the officer may still watch, have deadlines of their own: they
come however busy or quiet the board is. Messages are made once for all boards of the same tables
and scope.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

import msgspec
import structlog
from fastapi import APIRouter, Query, Request
from starlette.responses import StreamingResponse

from api.auth import Asking, Caller, caller_of
from api.beside import AskedTogether
from api.limits import DEFAULT_LIMITS, EdgeLimits
from api.problems import ApiProblem
from api.system import AreaTree, System
from domain.refusal import Refusal
from domain.world import Role
from eventstore.errors import StoreError
from eventstore.limits_reached import limit_reached
from eventstore.sql import DATABASE_ERRORS
from projections.folding.base import Row
from projections.folding.engine import Applied
from streams.following import cursor_of

log = structlog.get_logger("relief.live")

BEAT_SECONDS = 3.0
AUTHORITY_SECONDS = 3.0
"""How long an officer who logged out, or was suspended, may go on watching at most."""
TROUBLE_SECONDS = 0.5
GATHER_SECONDS = 0.02
THREADS = 2
MAX_ROWS = 200
MAX_ID = 2048

QUEUED = 64

T = TypeVar("T")
Watched = tuple[tuple[str, tuple[UUID, ...]], ...]
"""Tables, each with the areas (and all below) whose rows may be shown; in order."""


@dataclass(eq=False)
class Board:
    """One open stream. ``allowed`` tells what it may watch now; it ends when that changes."""

    watched: Watched
    allowed: Callable[[], Watched]
    officer: UUID | None = None
    messages: asyncio.Queue[bytes] = field(default_factory=lambda: asyncio.Queue(maxsize=QUEUED))
    lost: bool = False

    def give(self, message: bytes) -> None:
        """Queue a message. A consumer too slow to keep up loses all of them and starts afresh."""
        if self.messages.full():
            self.lose()
        self.messages.put_nowait(message)

    def lose(self) -> None:
        """A change could not be told: the board is told to ask afresh instead."""
        while not self.messages.empty():
            self.messages.get_nowait()
        self.lost = True


class Hub:
    """Takes applied batches from the boards' thread and hands messages to the boards."""

    def __init__(
        self,
        tree: AreaTree,
        vector: Callable[[], Mapping[int, int]],
        limits: EdgeLimits = DEFAULT_LIMITS,
    ) -> None:
        self._tree = tree
        self._vector = vector
        self._limits = limits
        self._boards: set[Board] = set()
        self._gathered: dict[str, list[Row]] = {}
        self._position = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._scheduled = False
        self._threads = ThreadPoolExecutor(THREADS, "live")
        self._beats: AskedTogether[bytes] | None = None
        self.closing = asyncio.Event()

    def full_for(self, officer: UUID | None) -> str | None:
        """The setting that forbids this officer a further board; None if there is room."""
        if len(self._boards) >= self._limits.boards:
            return "boards"
        own = sum(1 for board in self._boards if board.officer == officer)
        return "boards_an_officer" if own >= self._limits.boards_an_officer else None

    def close(self) -> None:
        """End all streams, so that the server can stop. Call on the event loop."""
        self.closing.set()
        for board in self._boards:
            board.give(b"")
        self._threads.shutdown(wait=False)
        if self._beats is not None:
            self._beats.close()

    def opened(self) -> int:
        """How many boards are open."""
        return len(self._boards)

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def applied(self, applied: Applied) -> None:
        """Called on the boards' thread."""
        if self._loop is not None and self._boards:
            # read here, if it changed, what the event loop would have to ask a database for
            with contextlib.suppress(StoreError):
                self._tree.look_again()
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
            try:
                if board.watched not in made:
                    made[board.watched] = self._message(gathered, board.watched)
                message = made[board.watched]
                if message is not None:
                    board.give(message)
            except Exception:  # one board's trouble is not the others'
                log.error("board-failed", exc_info=True)
                board.lose()
                board.give(b"")

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
        return event("change", body, cursor_of(self._vector()))

    def _inside(self, row: Row, roots: tuple[UUID, ...]) -> bool:
        area = row.get("area")
        return area is None or self._tree.inside(UUID(area), roots)

    async def stream(self, system: System, board: Board, seen: str) -> AsyncIterator[bytes]:
        """The messages of one board until it goes away, or the officer may not watch any more.

        What asks a database does so in a thread: while one is away, everybody else is answered,
        and this board gets nothing whose authority could not be looked at.
        """
        if self.full_for(board.officer) is not None:  # others came between its request and now
            return
        self._boards.add(board)
        clock = asyncio.get_running_loop().time
        beat_at, look_at = clock() + BEAT_SECONDS, clock() + AUTHORITY_SECONDS
        try:
            if seen and seen != cursor_of(system.boards.vector()):
                yield reset(system)
            yield await self._in_thread(lambda: beat(system))
            while not self.closing.is_set():
                try:
                    if clock() >= look_at:
                        if await self._in_thread(board.allowed) != board.watched:
                            return
                        look_at = clock() + AUTHORITY_SECONDS
                    if clock() >= beat_at:
                        message = await self._shared_beat(system)
                        beat_at = clock() + BEAT_SECONDS
                        yield message
                        continue  # a slow reader may have kept us: look at the authority first
                except (
                    StoreError,
                    *DATABASE_ERRORS,
                ):  # told by its silence: the page says so itself
                    beat_at = clock() + BEAT_SECONDS
                    await asyncio.sleep(TROUBLE_SECONDS)
                    continue
                try:
                    async with asyncio.timeout_at(min(beat_at, look_at)):
                        message = await board.messages.get()
                except TimeoutError:
                    continue
                if board.lost:
                    board.lost = False
                    yield reset(system)
                elif message:
                    yield message
        finally:
            self._boards.discard(board)

    def _in_thread(self, ask: Callable[[], T]) -> "asyncio.Future[T]":
        return asyncio.get_running_loop().run_in_executor(self._threads, ask)

    async def _shared_beat(self, system: System) -> bytes:
        """A beat, made together with those of other boards that are due about now."""
        if self._beats is None:
            self._beats = AskedTogether(lambda: beat(system), "beat")
        return await self._beats()


def event(kind: str, body: dict[str, Any], id: str) -> bytes:
    data = msgspec.json.encode(body, enc_hook=str)
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (id.encode(), kind.encode(), data)


def reset(system: System) -> bytes:
    """What was missed is not told again: the board asks afresh."""
    position = system.boards.position
    return event("reset", {"position": position}, cursor_of(system.boards.vector()))


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
    return event("beat", body, cursor_of(system.boards.vector()))


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
        full = hub.full_for(caller.id)
        if full is not None:
            limit_reached(full)
            raise too_many_boards()
        board = Board(watched, _allowed(request, live, names, area), caller.id)
        request.scope["lasting"] = True  # the server's limit of seconds is for other requests
        body = hub.stream(caller.system, board, seen)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(body, media_type="text/event-stream", headers=headers)

    return router


def too_many_boards() -> ApiProblem:
    return ApiProblem(
        429,
        "too-many-boards",
        "同时打开的实时看板过多，请关闭一些页面后再试",
        "Too many live boards are open. Close some pages and try again.",
        headers={"Retry-After": "5"},
    )


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
    429: {"description": "Too many boards are open"},
}
