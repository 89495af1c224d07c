"""A server process to measure: the whole system, or an endpoint that validates and does nothing.

``python -m bench.server_child FOLDER`` serves the store of that folder as `relief serve` does;
``python -m bench.server_child -`` the bare endpoint, ``plain`` the same behind uvicorn's own HTTP
instead of ours with its limits. Prints its port once it listens.
"""

import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict

from api.app import create_app
from cli.compose import http_limits, running
from cli.serving import bind, serve
from cli.settings import Settings
from domain.incident import IncidentKind, Severity
from web.app import mount_pages

UNLIMITED: dict[str, Any] = {
    "boards": 10_000,
    "boards_an_officer": 10_000,
    "reports_an_hour": 10**9,
    "streams_an_hour": 10**9,
    "connections": 10_000,
    "connections_an_address": 10_000,
}
"""One officer and one address send what a whole county would."""


class Incident(BaseModel):
    """The same body as `OpenIncident`, validated as strictly."""

    model_config = ConfigDict(extra="forbid")
    incident: UUID
    area: UUID
    place: str
    kind: IncidentKind
    severity: Severity
    occurred_at: datetime
    details: str = ""
    latitude: float | None = None
    longitude: float | None = None
    reporter_phone: str = ""
    exercise: bool = False


class Silent:
    """Stands where the live hub stands when the server stops."""

    def close(self) -> None:
        """Nothing is open."""


def bare_app() -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None)
    app.state.hub = Silent()

    @app.post("/v1/incidents")
    async def accept(body: Incident) -> dict[str, str]:
        return {"status": "ok"}

    return app


def serve_plainly(app: FastAPI, sock: socket.socket, started: Callable[[], None]) -> None:
    """As `cli.serving.serve`, without limits."""

    class Plain(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            started()

    config = uvicorn.Config(
        app, http="httptools", ws="none", log_config=None, access_log=False, server_header=False
    )
    with suppress(KeyboardInterrupt):
        Plain(config).run(sockets=[sock])


def main(folder: str) -> None:
    sock, _ = bind("127.0.0.1", 0)

    def started() -> None:
        print(sock.getsockname()[1], flush=True)

    if folder == "-":
        serve(bare_app(), sock, log_level="error", started=started)
        return
    if folder == "plain":
        serve_plainly(bare_app(), sock, started)
        return
    settings = Settings(data=Path(folder), **UNLIMITED)
    with running(settings, apart=settings.follower == "process") as system:
        app = create_app(system, mount=mount_pages)
        system.boards.wait_for(system.store.head(), 60)
        serve(app, sock, http_limits(settings), log_level="error", started=started)


if __name__ == "__main__":
    main(sys.argv[1])
