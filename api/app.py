"""The HTTP application: routes, problems, headers, health. Pages are mounted by `web`."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, Literal

from fastapi import APIRouter, FastAPI, Response
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from api import (
    actions,
    changes,
    changes_equal,
    division_lists,
    imports,
    invitation_lists,
    invitations,
    live,
    logged_in,
    login,
    officer_lists,
    problems,
    proofs,
    provider,
    provider_routes,
    reads,
    receipts,
    renewal_lists,
    rulebook_comparisons,
    rulebook_reads,
    sealing_keys,
    searching,
    second_factor,
    setup_routes,
    telling,
    upkeep,
    work,
    writes,
)
from api.begun import not_set_up
from api.beside import AskedTogether
from api.compressing import Compressed
from api.described import document_of
from api.fast import OPENAPI, Commands, Routed
from api.importing import Importing
from api.known_at import KnownAt
from api.metrics import tell_of_boards, tell_of_watch
from api.noticing import Notice, notices_of
from api.observing import Observed
from api.routes import LIVE, READS, WRITES
from api.setup import Setup
from api.system import System
from eventstore.errors import StoreUnreachable
from streams.metrics import waiting_seconds

MAX_LAG = 10_000
"""Facts the views may be behind while their answers still pass for the present."""
MAX_WAIT_SECONDS = 60.0
"""For so long may the first of these facts have waited."""
READY_SECONDS = 3.0
"""How long the log may take to say where its head is."""

Status = Literal["ready", "catching-up", "stopped", "not-set-up"]


class Readiness(BaseModel):
    """How far the views have come: positions in the log, and facts still to be folded.

    ``waiting_seconds``: since when the first of these waits, 0 when there is none.
    """

    status: Status
    head: int
    position: int
    lag: int
    waiting_seconds: float
    exercise: bool = False
    notices: list[Notice] = []


def create_app(system: System, *, mount: Callable[[FastAPI], None] | None = None) -> FastAPI:
    """The application over a running system. ``mount`` adds the pages."""
    hub = live.Hub(system.tree, system.boards.vector, system.limits)
    setup = Setup(system)
    importing = Importing(system)
    ready = AskedTogether(lambda: readiness(system), "ready")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        hub.attach(asyncio.get_running_loop())
        system.boards.listen(system.tree.applied)
        system.boards.listen(hub.applied)
        system.waiting.attach(asyncio.get_running_loop())
        importing.start()
        ended = (tell_of_boards(hub.opened), tell_of_watch(system.house.data))
        yield
        await run_in_threadpool(importing.close)
        for end in ended:
            end()
        hub.close()
        setup.close()
        ready.close()

    app = FastAPI(
        title="Relief Ledger 救灾一本账",
        version="1",
        description="Commands answer with a log position; queries take `after=<position>`.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=OPENAPI,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # ours are in `Observed`
    )
    app.state.system = system
    app.state.hub = hub
    app.state.setup = setup
    app.state.importing = importing
    app.state.log_ins = login.LogIns(system.accounts, system.limits.log_ins_waiting)
    provider.install(app, system)
    problems.install(app)
    telling.install(app)
    routers = _routers(system)
    for router in routers:  # flat, so that a walk over `app.routes` sees every one
        app.router.routes.extend(router.routes)
    _health(app, ready)
    app.router.middleware_stack = Routed(app)
    build = app.build_middleware_stack
    commands = routers[0].routes
    app.build_middleware_stack = lambda: Observed(  # type: ignore[method-assign]
        Compressed(KnownAt(Commands(build(), app, commands)))
    )
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    if mount is not None:
        mount(app)
    return app


@cache
def _tables() -> tuple[APIRouter, APIRouter, APIRouter]:
    """Commands, queries and live boards: the same routes in every application of a process, which
    find their system by the request. Describing them takes longer than all else of `create_app`."""
    return writes.router_of(WRITES), reads.router_of(READS), live.router_of(LIVE)


def _routers(system: System) -> tuple[APIRouter, ...]:
    commands, queries, boards = _tables()
    return (
        commands,
        queries,
        actions.router,
        boards,
        login.router,
        invitations.router,
        officer_lists.router,
        division_lists.router,
        imports.router,
        renewal_lists.router,
        invitation_lists.router,
        receipts.router,
        proofs.router,
        rulebook_comparisons.router,
        rulebook_reads.router,
        searching.router,
        changes.router,
        changes_equal.router,
        work.router,
        sealing_keys.router,
        second_factor.router,
        setup_routes.router,
        upkeep.router,
        *((provider_routes.router,) if system.provider is not None else ()),
        logged_in.router,
    )


def _health(app: FastAPI, ask: AskedTogether["Readiness"]) -> None:
    @app.get("/health", tags=["health"], summary="Is the process alive?")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get(
        "/ready",
        tags=["health"],
        summary="Is the log readable, and are the views near its head? Commands go on if not.",
        description=(
            "`status` is `ready`; with 503 it is `catching-up` (a view has folded nothing yet, the "
            f"views are more than {MAX_LAG:,} facts behind the log, a fact has waited for more "
            f"than {MAX_WAIT_SECONDS:.0f} seconds, or the views cannot be written just now; it "
            "passes), `stopped` (ten streams in a row could not be folded; somebody has to "
            "look) or `not-set-up` (nobody can log in yet: relief init, or /setup). "
            "`lag` is how many facts behind, `waiting_seconds` since when. "
            "`exercise`: this is a training store, nothing in it is real. "
            "`notices` are what everybody must know: a clock that is held, views that are remade."
        ),
        responses={503: {"model": Readiness, "description": "Not ready"}},
    )
    async def ready(response: Response) -> Readiness:
        try:
            async with asyncio.timeout(READY_SECONDS):
                found = await ask()
        except TimeoutError as problem:
            raise StoreUnreachable("the log does not answer") from problem
        response.status_code = 200 if found.status == "ready" else 503
        return found


def readiness(system: System) -> Readiness:
    """How far the views have come. Raises a `StoreError` when the log cannot be read."""
    head, boards = system.store.head(), system.boards
    position = boards.position
    waiting = waiting_seconds(system.store, (position,), head).get(position, 0.0)
    begins = position == 0 < head
    far = head - position > MAX_LAG or waiting > MAX_WAIT_SECONDS
    status: Status = "ready"
    if boards.failure is not None:
        status = "stopped"
    elif begins or far or position > head or boards.trouble is not None:
        status = "catching-up"
    elif not_set_up(system.store.log):
        status = "not-set-up"
    return Readiness(
        status=status,
        head=head,
        position=position,
        lag=head - position,
        waiting_seconds=waiting,
        exercise=system.store.training,
        notices=notices_of(system),
    )


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        app.openapi_schema = document_of(app, WRITES)
    return app.openapi_schema
