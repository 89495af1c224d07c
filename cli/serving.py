"""Serving: a free port, a server that stops cleanly, and what it prints."""

import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import uvicorn
from fastapi import FastAPI

from streams.health import Heart

PORTS_TRIED = 50


def bind(host: str, port: int) -> tuple[socket.socket, bool]:
    """A listening socket on this port or the next free one; whether it is another one."""
    for candidate in [port, *range(port + 1, port + PORTS_TRIED)] if port else [0]:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        found = socket.socket(family, socket.SOCK_STREAM)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((host, candidate))
            found.listen(512)
        except OSError:
            found.close()
            continue
        return found, candidate != port
    raise OSError(f"no free port among {port}…{port + PORTS_TRIED - 1}")


class Server(uvicorn.Server):
    """uvicorn, ending the live boards first, so that a stop need not wait for them.

    ``heart`` beats as long as the event loop turns.
    """

    heart: Heart | None = None

    async def on_tick(self, counter: int) -> bool:
        if self.heart is not None:
            self.heart.beat()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        app: Any = self.config.app
        app.state.hub.close()
        await super().shutdown(sockets)


def serve(
    app: FastAPI,
    sock: socket.socket,
    *,
    log_level: str,
    started: Callable[[], None],
    heart: Heart | None = None,
) -> None:
    """Serve until Ctrl-C or SIGTERM. What uvicorn logs goes where all logs go."""
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level=log_level.lower(),
        access_log=False,
        timeout_graceful_shutdown=5,
        server_header=False,
        h11_max_incomplete_event_size=64 * 1024,
    )
    server = Server(config)
    server.heart = heart
    started()
    # uvicorn raises the signal again once it has stopped: it must not cut short what comes after
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        with suppress(KeyboardInterrupt):
            server.run(sockets=[sock])
    finally:
        signal.signal(signal.SIGTERM, before)
