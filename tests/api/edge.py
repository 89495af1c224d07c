"""A running edge for tests: the real application over a seeded store, on a port or in place."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
from argon2 import PasswordHasher
from fastapi import FastAPI

from api.app import create_app
from api.system import System
from cli.compose import http_limits, running
from cli.serving import Server, bind, config_of
from cli.settings import Settings
from domain.world import Role
from eventstore.accounts import TOKEN_SECONDS, Accounts
from tests.api.seed import NOW, Seeder, name_of, officer_of, seed

PASSWORD = "correct horse battery"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass
class Answer:
    """What the application answered in place."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return msgspec.json.decode(self.body)


@dataclass
class Edge:
    """The application, what is in its store, and ways to ask it."""

    system: System
    app: FastAPI
    seeded: Seeder
    base: str = ""
    shared: bool = False
    _tokens: dict[str, str] = field(default_factory=dict)
    _since: dict[str, float] = field(default_factory=dict)

    def token(self, role: Role, area: str) -> str:
        """A bearer token of the officer of that role there. The account is opened on demand, and
        logged in anew in time: a whole run on a slow machine takes longer than a token lasts."""
        name = name_of(role, area)
        accounts, now = self.system.accounts, time.monotonic()
        if name not in self._tokens:
            accounts.set_password(name, officer_of(role, area), PASSWORD)
            self._since.pop(name, None)
        if name not in self._since or now - self._since[name] > TOKEN_SECONDS / 2:
            self._tokens[name] = accounts.log_in(name, PASSWORD, "token")[0]
            self._since[name] = now
        return self._tokens[name]

    def logged_out(self) -> list[str]:
        """Who was given a token that is no longer good. Asks the vault, and remembers nothing:
        a test may count who asks."""
        accounts = self.system.accounts
        ended = []
        for name, token in self._tokens.items():
            officer = accounts.officer_of(name)
            open_ones = accounts.sessions_of(officer, token) if officer is not None else []
            if not any(one.current for one in open_ones):
                ended.append(name)
        return ended

    def headers(self, role: Role, area: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(role, area)}"}

    def client(self, role: Role | None = None, area: str = "", **more: Any) -> httpx.Client:
        """An HTTP client of the running server, logged in with a token if a role is given."""
        headers = self.headers(role, area) if role is not None else {}
        return httpx.Client(base_url=self.base, headers=headers, timeout=120, verify=False, **more)

    async def ask(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        """One request to the application in place, without a socket."""
        pure, _, query = path.partition("?")
        raw = [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": pure,
            "raw_path": pure.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": raw,
            "client": ("127.0.0.1", 1),
            "server": ("test", 80),
            "state": {},
        }
        found = Answer(0, {}, b"")
        sent = False

        async def receive() -> dict[str, Any]:
            nonlocal sent
            if sent:
                await asyncio.sleep(3600)
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                found.status = message["status"]
                found.headers = {k.decode(): v.decode() for k, v in message["headers"]}
            else:
                found.body += message.get("body", b"")

        await self.app(scope, receive, send)
        return found


def write_headers(key: UUID | None = None, **more: str) -> dict[str, str]:
    return {"Idempotency-Key": str(key or uuid4()), "Content-Type": "application/json", **more}


@contextmanager
def seeded_system(folder: Path, **set_: Any) -> Iterator[tuple[System, Seeder]]:
    """The system of a fresh store on a simulated clock that stands still, with everything in it."""
    with running(Settings(**{"data": folder, "after_wait_seconds": 0.3, **set_})) as system:
        system.store.begin_simulated(NOW)
        system.accounts = Accounts(system.store.vault, CHEAP)
        yield system, seed(system.store)


@contextmanager
def serving(folder: Path, **set_: Any) -> Iterator[Edge]:
    """A real server on a free port, stopped cleanly at the end. ``set_``: other settings."""
    with seeded_system(folder, **set_) as (system, seeded):
        app = create_app(system)
        assert system.boards.wait_for(system.store.head(), 20)
        sock, _ = bind("127.0.0.1", 0)
        limits = http_limits(Settings(data=folder, **set_))
        server = Server(config_of(app, limits, log_level="error", grace=3))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, name="server")
        thread.start()
        deadline = time.monotonic() + 20
        while not server.started:
            assert thread.is_alive() and time.monotonic() < deadline, "the server did not start"
            time.sleep(0.01)
        try:
            yield Edge(system, app, seeded, f"http://127.0.0.1:{sock.getsockname()[1]}")
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive(), "the server did not stop"
