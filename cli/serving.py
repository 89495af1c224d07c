"""Serving: a free port, a server that stops cleanly, and what it prints."""

import resource
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import uvicorn
from fastapi import FastAPI

from cli.bounded import DEFAULT_HTTP_LIMITS, HttpLimits, bounded
from cli.saying import failed
from streams.health import Heart

PORTS_TRIED = 50
FILES_BESIDE = 500
"""Descriptors for databases, logs and files beside the connections."""


def bind(host: str, port: int, *, others: bool = True) -> tuple[socket.socket, bool]:
    """A listening socket on this port or the next free one; whether it is another one.

    ``others`` False: on this one or none. Raises `OSError`.
    """
    wanted = [port, *range(port + 1, port + PORTS_TRIED)] if port and others else [port]
    for candidate in wanted:
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
    raise OSError(f"no free port among {wanted[0]}…{wanted[-1]}")


def listening(host: str, port: int, *, others: bool) -> tuple[socket.socket, bool]:
    """`bind`, or the end of the program with a sentence that says what to do.

    ``others`` False in a cluster: a proxy looks for exactly this port, and never finds another.
    """
    try:
        return bind(host, port, others=others)
    except OSError as problem:
        raise failed(
            f"端口 {port} 已被占用：请等原进程退出，或另设 RELIEF_PORT",
            f"Port {port} is taken. Wait for the old process to end, or set RELIEF_PORT.",
        ) from problem


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


def config_of(
    app: FastAPI, limits: HttpLimits, *, log_level: str, grace: int = 5
) -> uvicorn.Config:
    """How uvicorn runs here, in production and in tests. What it logs goes where all logs go.

    ``limits`` hold in `Bounded`, because httptools has none. Web sockets are not spoken. Whom a
    request comes from is what the connection says, unless the connection is a trusted proxy's.
    """
    return uvicorn.Config(
        app,
        http=bounded(limits),
        ws="none",
        log_config=None,
        log_level=log_level,
        access_log=False,
        timeout_graceful_shutdown=grace,
        server_header=False,
        proxy_headers=bool(limits.trusted_proxies),
        forwarded_allow_ips=limits.trusted_proxies,
        limit_concurrency=None,
    )


def allow_connections(connections: int) -> None:
    """Raise this process's limit of open files, where it may, to what its connections need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + FILES_BESIDE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def serve(
    app: FastAPI,
    sock: socket.socket,
    limits: HttpLimits = DEFAULT_HTTP_LIMITS,
    *,
    log_level: str,
    started: Callable[[], None],
    heart: Heart | None = None,
) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    allow_connections(limits.connections)
    server = Server(config_of(app, limits, log_level=log_level.lower()))
    server.heart = heart

    def end(*_: object) -> None:
        """For a signal before uvicorn listens to signals itself. It raises its own again once it
        has stopped: that must not cut short what comes after."""
        server.should_exit = True

    before = signal.signal(signal.SIGTERM, end)
    try:
        started()
        with suppress(KeyboardInterrupt):
            server.run(sockets=[sock])
    finally:
        signal.signal(signal.SIGTERM, before)
