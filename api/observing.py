"""What surrounds every request: its correlation id, and the count of its answer.

``X-Correlation-ID`` is taken over when it is a UUID (anything else could be a name or a line
break), else the command's id, else made; it is in every log line of the request, in the facts it
makes, and in the answer.
"""

import time
from uuid import UUID, uuid4

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import count_answer

HEADER = "X-Correlation-ID"
_KEYS = (HEADER.lower().encode(), b"idempotency-key")
KEPT = "correlation"
"""Its name in the request's scope and in log lines."""


def correlation_of(request: Request) -> UUID:
    """The id that ties together what came of this request."""
    found: UUID = request.scope[KEPT]
    return found


def _given(scope: Scope) -> UUID:
    given = dict(reversed(scope["headers"]))
    for key in _KEYS:
        try:
            return UUID(given[key].decode("ascii"))
        except (KeyError, ValueError):
            continue
    return uuid4()


class Observed:
    """Middleware: outside of all others, so that it sees every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.monotonic()
        correlation = scope[KEPT] = _given(scope)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(**{KEPT: str(correlation)})
        told = (HEADER.lower().encode(), str(correlation).encode())

        async def observed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], told]
                seconds = time.monotonic() - began
                count_answer(route_of(scope), scope["method"], message["status"], seconds)
            await send(message)

        await self._app(scope, receive, observed)


def route_of(scope: Scope) -> str:
    """The template of the route that answered. Files and unknown addresses have none."""
    return getattr(scope.get("route"), "path", None) or "other"
