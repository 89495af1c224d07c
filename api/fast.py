"""Finding the route of a request by its path's segments, not by trying all routes in turn.

With some two hundred routes the search in turn costs more than validating the body. Commands are
answered right here, past the layers that only help endpoints with dependencies; everything else
is handed to its route. Whatever is not found goes the ordinary way, to its 404 or 405.
"""

from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ANY = ("any",)  # no text, so that no segment can be it
HERE = ("here",)
OPENAPI = "/v1/openapi.json"

Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


class Index:
    """Routes of one method by the segments of their paths; a parameter fits any segment."""

    def __init__(self, routes: Iterable[BaseRoute], method: str) -> None:
        self._root: dict[Any, Any] = {}
        for route in routes:
            if isinstance(route, Route) and method in (route.methods or ()):
                self._add(route)

    def _add(self, route: Route) -> None:
        segments = route.path.split("/")
        if any("{" in s and not (s[0] == "{" and s[-1] == "}" and ":" not in s) for s in segments):
            return  # part of a segment, or a converter: the ordinary way
        node = self._root
        for segment in segments:
            node = node.setdefault(ANY if segment.startswith("{") else segment, {})
        names = [s[1:-1] for s in segments if s.startswith("{")]
        node.setdefault(HERE, (route, names))

    def find(self, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route and its path parameters. None: it has none, or look for it in turn."""
        node = self._root
        values = []
        for segment in path.split("/"):
            step = node.get(segment)
            if step is None:
                step = node.get(ANY) if segment else None
                if step is None:
                    return None
                values.append(segment)
            node = step
        found = node.get(HERE)
        return None if found is None else (found[0], dict(zip(found[1], values, strict=True)))


class Commands:
    """Middleware: hardens every answer, and runs the endpoints of commands itself.

    Outside of FastAPI's own layers, whose cost for each command nothing gains from.
    """

    def __init__(self, app: ASGIApp, api: FastAPI, commands: Iterable[BaseRoute]) -> None:
        self._app = app
        self._api = api
        self._index = Index(commands, "POST")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        # answers to officers hold personal data: no cache on the way or on the disk may keep them
        private = scope["path"].startswith("/v1/") and scope["path"] != OPENAPI

        async def hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-content-type-options", b"nosniff")]
                if private and not any(name == b"cache-control" for name, _ in message["headers"]):
                    message["headers"].append((b"cache-control", b"no-store"))
            await send(message)

        found = self._index.find(scope["path"]) if scope["method"] == "POST" else None
        if found is None:
            await self._app(scope, receive, hardened)
            return
        route, scope["path_params"] = found
        scope["route"] = route
        scope["app"] = self._api
        request = Request(scope, receive, send)
        try:
            response = await self._answer(route.endpoint, request)
        except Exception as problem:  # the last resort, and the server's log
            last: Any = self._api.exception_handlers[Exception]
            await (await last(request, problem))(scope, receive, hardened)
            raise
        await response(scope, receive, hardened)

    async def _answer(self, endpoint: Endpoint, request: Request) -> Response:
        try:
            return await endpoint(request)
        except Exception as problem:
            for kind in type(problem).__mro__:
                handler = self._api.exception_handlers.get(kind)
                if handler is not None and kind is not Exception:
                    response: Response = await handler(request, problem)  # type: ignore[misc]
                    return response
            raise


class Routed:
    """In place of a router's search: the route by its segments, else the search in turn."""

    def __init__(self, api: FastAPI) -> None:
        self._api = api
        self._search = api.router.middleware_stack
        self._routes = 0
        self._index = Index((), "GET")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        routes = self._api.router.routes
        if len(routes) != self._routes:  # pages are mounted after the API
            self._index, self._routes = Index(routes, "GET"), len(routes)
        if scope["type"] == "http" and scope["method"] == "GET":
            found = self._index.find(scope["path"])
            if found is not None:
                match, child = found[0].matches(scope)
                if match is Match.FULL:
                    scope.update(child)
                    scope.setdefault("router", self._api.router)
                    await found[0].handle(scope, receive, send)
                    return
        await self._search(scope, receive, send)
