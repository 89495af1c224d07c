"""Clients that never give up: each sends a command with the same id until it is answered."""

import http.client
import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

from tests.eventstore.support import ROOT, named

PATIENCE_SECONDS = 90.0
PAUSE_SECONDS = 0.02
ANSWER_SECONDS = 15.0

Wish = tuple[str, dict[str, Any]]
"""A path and a body."""
Wishes = Callable[[int], Wish]
"""What a client wants first, second, and so on."""


class Client(threading.Thread):
    """Sends commands one after another; each again and again until it is answered."""

    def __init__(self, number: int, token: str, wishes: Wishes, clients: "Clients") -> None:
        super().__init__(name=f"client-{number}", daemon=True)
        self.number, self.token, self.wishes, self.clients = number, token, wishes, clients
        self.acknowledged: dict[UUID, int] = {}
        self.seconds: list[float] = []
        """How long each command took from its first sending to its answer."""
        self.resent = 0
        self.unavailable = 0
        self.given_up = False
        self.problem: BaseException | None = None
        self._line: http.client.HTTPConnection | None = None
        self._port = 0

    def run(self) -> None:
        try:
            for n in itertools.count():
                if self.clients.stop.is_set():
                    return
                self._until_answered(*self.wishes(n))
        except BaseException as problem:
            self.problem = problem

    def _until_answered(self, path: str, body: dict[str, Any]) -> None:
        key = uuid4()
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Idempotency-Key": str(key),
            "Content-Type": "application/json",
        }
        began = time.monotonic()
        while True:
            if self.given_up:
                return
            assert time.monotonic() - began < PATIENCE_SECONDS, f"never answered: {path}"
            try:
                status, answer = self._send(path, body, headers)
            except (OSError, http.client.HTTPException):
                self._line = None
                self.resent += 1
                self.clients.not_at(self._port)
                time.sleep(PAUSE_SECONDS)
                continue
            if status == 503:
                self.unavailable += 1
                time.sleep(PAUSE_SECONDS)
                continue
            assert status == 200, (status, answer)
            self.clients.first_answers.setdefault(self._port, time.monotonic())
            self.acknowledged[key] = json.loads(answer)["facts"]
            self.seconds.append(time.monotonic() - began)
            return

    def give_up(self) -> None:
        """End now; what was asked last stays unanswered."""
        self.given_up = True
        self.join(ANSWER_SECONDS)

    def _send(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> tuple[int, bytes]:
        port = self.clients.port_for(self.number)
        if self._line is None or self._port != port:
            self._line = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
            self._port = port
        self._line.request("POST", path, json.dumps(body), headers)
        answer = self._line.getresponse()
        return answer.status, answer.read()


class Clients:
    """All clients, and the ports at which servers are now."""

    def __init__(self) -> None:
        self.all: list[Client] = []
        self.stop = threading.Event()
        self.first_answers: dict[int, float] = {}
        """When a server at this port first did what it was asked."""
        self._ports: list[int] = []
        self._up = threading.Event()

    def add(self, token: str, wishes: Wishes) -> Client:
        self.all.append(Client(len(self.all), token, wishes, self))
        return self.all[-1]

    def start(self) -> None:
        for client in self.all:
            client.start()

    def serve_at(self, *ports: int) -> None:
        """Where servers are from now on; nowhere, if there are none."""
        self._ports = list(ports)
        if ports:
            self._up.set()
        else:
            self._up.clear()

    def port_for(self, number: int) -> int:
        self._up.wait(PATIENCE_SECONDS)
        ports = self._ports
        return ports[number % len(ports)] if ports else 0

    def not_at(self, port: int) -> None:
        """Nobody answers there: ask the others, if there are any."""
        self._ports = [one for one in self._ports if one != port] or self._ports

    def finish(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Stop when each has the answer to what it asked last."""
        self.stop.set()
        for client in self.all:
            client.join(seconds)
            assert not client.is_alive(), client.name
        self.check()

    def check(self) -> None:
        for client in self.all:
            if client.problem is not None:
                raise client.problem

    @property
    def acknowledged(self) -> dict[UUID, int]:
        """The facts of every answered command."""
        return {key: n for client in self.all for key, n in dict(client.acknowledged).items()}

    @property
    def resent(self) -> int:
        return sum(client.resent for client in self.all)

    @property
    def seconds(self) -> list[float]:
        return sorted(took for client in self.all for took in client.seconds)


def units_wishes(name: str, area: UUID) -> Wishes:
    """Registers a unit, puts it off duty and on again, and then the next one."""

    def wish(n: int) -> Wish:
        unit = named(f"unit/{name}/{n // 3}")
        if n % 3 == 0:
            body = {"unit": str(unit), "area": str(area), "name": f"{name}{n}队", "size": 4}
            return "/v1/units", body | {"kind": "militia"}
        if n % 3 == 1:
            return f"/v1/units/{unit}/absences", {"reason": "轮休"}
        return f"/v1/units/{unit}/returns", {}

    return wish


def members_wishes(name: str, household: UUID) -> Wishes:
    """Adds one child after the other to a household; their names go through the vault."""

    def wish(n: int) -> Wish:
        member = {"name": f"孩子{name}-{n}", "relation": "child", "sex": "female"}
        return f"/v1/households/{household}/members", {"reason": "出生", "member": member}

    return wish


class Served:
    """A server process (`tests.eventstore.served`) on a port of its own choice."""

    def __init__(self, env: Mapping[str, str], kill_at: str | None = None) -> None:
        own = {k: v for k, v in os.environ.items() if not k.startswith("RELIEF_")}
        own |= env
        if kill_at is not None:
            own["RELIEF_KILL_AT"] = kill_at
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.eventstore.served"],
            cwd=ROOT,
            env=own,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._port: int | None = None

    @property
    def port(self) -> int:
        """Waits until it serves; 0 when it ended before that."""
        if self._port is None:
            assert self.process.stdout is not None
            self._port = int(self.process.stdout.readline().strip() or 0)
        return self._port

    @property
    def ended(self) -> int | None:
        return self.process.poll()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@contextmanager
def served(env: Mapping[str, str], kill_at: str | None = None) -> Iterator[Served]:
    server = Served(env, kill_at)
    try:
        yield server
    finally:
        server.kill()


def quantile(sorted_seconds: Sequence[float], part: float) -> float:
    return sorted_seconds[min(len(sorted_seconds) - 1, int(part * len(sorted_seconds)))]
