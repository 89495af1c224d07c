"""`relief up --trial` as a newcomer starts it: boards work, and whatever is killed comes back."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psutil
import pytest

from cli.demo_command import PASSWORD
from tests.eventstore.support import ROOT

RELIEF = [sys.executable, "-m", "cli.main"]
CLIENTS = 3
START_SECONDS = 120.0
BACK_SECONDS = 60.0


class Up:
    """A running `relief up`, and how to ask it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "trial"
        self.log = folder / "up.log"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                [*RELIEF, "up", "--trial", "--small", "--port", str(self.port)],
                cwd=ROOT,
                env={**os.environ, "RELIEF_DATA": str(folder)},
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def ask(
        self, path: str, body: Any = None, token: str | None = None, key: UUID | None = None
    ) -> Any:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}")
        request.add_header("content-type", "application/json")
        if token:
            request.add_header("authorization", f"Bearer {token}")
        if key:
            request.add_header("idempotency-key", str(key))
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(request, data, timeout=20) as answer:
            return json.loads(answer.read())

    def log_in(self, login: str) -> str:
        token: str = self.ask("/v1/tokens", {"login": login, "password": PASSWORD})["token"]
        return token

    def relief(self, *args: str) -> Any:
        """A `relief … --json` command on the same store, with the addresses written down."""
        secrets = self.data / "secrets"
        env = {
            f"RELIEF_{name.upper()}_FILE": str(secrets / name)
            for name in ("database_url", "vault_url", "views_url")
        }
        done = subprocess.run(
            [*RELIEF, *args, "--json"],
            cwd=ROOT,
            env={**os.environ, **env, "RELIEF_DATA": str(self.data)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.relief("status")
        return found

    def pids(self) -> dict[str, int]:
        kept = json.loads((self.data / "run" / "processes.json").read_bytes())
        found = {one["name"]: one["pid"] for one in kept["processes"] if one["pid"]}
        for child in psutil.Process(self.process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                command = " ".join(child.cmdline())
                if " broker " in command and "listener-url" in command:
                    found["broker"] = child.pid
                elif command.endswith(f"{self.data / 'postgres' / 'data'}") or (
                    "/postgres -D" in command
                ):
                    found["postgres"] = child.pid
        return found

    def until(self, what: Callable[[], Any], seconds: float, why: str) -> Any:
        deadline = time.monotonic() + seconds
        while True:
            with suppress(OSError, AssertionError, KeyError, ValueError):
                found = what()
                if found:
                    return found
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, f"{why}\n{self.said()[-4000:]}"
            time.sleep(0.2)

    def settled(self) -> bool:
        """Every view has come to the head in every partition, and every process runs."""
        status = self.status()
        return all(view["lag_events"] == 0 for view in status["views"]) and all(
            one["state"] == "running" for one in status["processes"]
        )

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    started = Up(tmp_path_factory.mktemp("up"))
    try:
        started.until(
            lambda: started.ask("/ready")["status"] == "ready", START_SECONDS, "it does not start"
        )
        yield started
    finally:
        started.process.send_signal(signal.SIGTERM)
        try:
            started.process.wait(60)
        except subprocess.TimeoutExpired:
            for child in psutil.Process(started.process.pid).children(recursive=True):
                child.kill()
            started.process.kill()
            raise


class Client(threading.Thread):
    """Registers units one after another, each until it is answered, with the same id."""

    def __init__(self, up: Up, number: int, token: str, area: str) -> None:
        super().__init__(daemon=True)
        self.up, self.number, self.token, self.area = up, number, token, area
        self.stopping = threading.Event()
        self.units: list[str] = []
        self.problem: BaseException | None = None

    def run(self) -> None:
        try:
            while not self.stopping.is_set():
                self._register()
                time.sleep(0.05)
        except BaseException as problem:
            self.problem = problem

    def _register(self) -> None:
        unit, key = str(uuid4()), uuid4()
        name = f"{self.number}号队{len(self.units)}"
        body = {"unit": unit, "area": self.area, "name": name, "kind": "militia", "size": 5}
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                self.up.ask("/v1/units", body, self.token, key)
            except urllib.error.HTTPError as refused:
                assert refused.code in (502, 503), refused.read()
            except (OSError, ValueError):
                pass
            else:
                self.units.append(unit)
                return
            time.sleep(0.2)
        raise AssertionError(f"never answered: {name}")


def test_the_boards_work_as_in_the_embedded_way(up: Up) -> None:
    token = up.log_in("county-approver")
    totals = up.ask("/v1/ledger-totals?year=2017", token=token)
    assert totals
    status = up.until(lambda: up.settled() and up.status(), BACK_SECONDS, "it never settles")
    assert {one["name"] for one in status["processes"]} == {
        "relay", "worker.1", "worker.2", "api.1", "api.2",
    }  # fmt: skip
    assert {view["partition"] for view in status["views"]} == set(range(12))
    assert set(status["views"][0]) == {
        "name", "partition", "position", "lag_events", "lag_seconds",
    }  # fmt: skip
    assert status["head"] > 0 and status["parked"] == 0


def test_own_writes_are_read_through_kafka(up: Up) -> None:
    token = up.log_in("dispatcher")
    area = up.ask("/v1/me", token=token)["posts"][0]["area"]
    body = {"unit": str(uuid4()), "area": area, "name": "先写后读", "kind": "militia", "size": 4}
    answer = up.ask("/v1/units", body, token, uuid4())
    seen = up.ask(f"/v1/units?after={answer['position']}&limit=500", token=token)
    assert body["name"] in {unit["name"] for unit in seen["items"]}


def test_a_second_start_on_the_same_folder_is_refused(up: Up) -> None:
    done = subprocess.run(
        [*RELIEF, "up", "--trial"], cwd=ROOT, env={**os.environ, "RELIEF_DATA": str(up.folder)},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1 and "relief up" in done.stderr


def test_whatever_is_killed_comes_back_and_the_totals_stay_right(up: Up) -> None:
    """Every process once, the database and the broker too, under clients that never give up."""
    token = up.log_in("dispatcher")
    area = up.ask("/v1/me", token=token)["posts"][0]["area"]
    clients = [Client(up, n, token, area) for n in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        for name in ("worker.1", "api.1", "relay", "broker", "postgres", "worker.2", "api.2"):
            before = up.until(lambda name=name: up.pids().get(name), BACK_SECONDS, f"no {name}")
            os.kill(before, signal.SIGKILL)
            up.until(
                lambda name=name, before=before: up.pids().get(name, before) != before,
                BACK_SECONDS, f"{name} does not come back",
            )  # fmt: skip
            time.sleep(1.0)
    finally:
        for client in clients:
            client.stopping.set()
        for client in clients:
            client.join(150)
    assert [client.problem for client in clients] == [None] * CLIENTS
    up.until(up.settled, BACK_SECONDS, "the boards do not catch up")
    registered = [unit for client in clients for unit in client.units]
    assert len(registered) > 20 * CLIENTS
    facts = up.relief("log", "stats")["by_topic"]
    shown = [unit["id"] for unit in _all(up, "/v1/units", up.log_in("dispatcher"))]
    assert sorted(set(shown)) == sorted(shown), "nothing is there twice"
    assert set(registered) <= set(shown), "nothing acknowledged is lost"
    assert len(shown) == facts["Unit.Registered"]
    report = up.relief("views", "rebuild", "--check")
    assert report["equal"], [view for view in report["views"] if not view["equal"]]


def _all(up: Up, path: str, token: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = up.ask(f"{path}?limit=500{cursor}", token=token)
        found += page["items"]
        if not page.get("next"):
            return found
        cursor = f"&cursor={page['next']}"


def test_a_stop_ends_every_process_in_order(up: Up) -> None:
    """Last in this file: the module's cluster is gone afterwards."""
    children = psutil.Process(up.process.pid).children(recursive=True)
    assert up.stop() == 0, up.said()[-2000:]
    assert "nothing lost" in up.said()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive, alive
