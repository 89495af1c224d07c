"""A running `relief up --trial` of the small demo, how to ask it, and clients that insist."""

import json
import os
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psutil

from cli.demo_command import PASSWORD
from tests.cluster.older import FILE, RELIEF
from tests.eventstore.support import ROOT
from tests.faults import PATIENCE_SECONDS


class Up:
    """A running `relief up`, and how to ask it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "trial"
        self.log = folder / "up.log"
        self.older = folder / "older"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                [*RELIEF, "up", "--trial", "--small", "--port", str(self.port)],
                cwd=ROOT,
                env={**os.environ, "RELIEF_DATA": str(folder), FILE: str(self.older)},
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
        with urllib.request.urlopen(request, data, timeout=120) as answer:
            return json.loads(answer.read())

    def log_in(self, login: str) -> str:
        token: str = self.ask("/v1/tokens", {"login": login, "password": PASSWORD})["token"]
        return token

    @property
    def urls(self) -> dict[str, str]:
        """The addresses that are written down, by what they lead to."""
        return {
            path.name: path.read_text().strip() for path in (self.data / "secrets").glob("*_url")
        }

    def types(self, *args: str) -> subprocess.CompletedProcess[str]:
        """A `relief` command on the same store."""
        env = {f"RELIEF_{name.upper()}": url for name, url in self.urls.items()}
        return subprocess.run(
            [*RELIEF, *args],
            cwd=ROOT,
            env={**os.environ, **env, "RELIEF_DATA": str(self.data), FILE: str(self.older)},
            capture_output=True,
            text=True,
        )

    def beside(self, *args: str) -> subprocess.CompletedProcess[str]:
        """A `relief` command typed in the folder of `relief up`, with nothing set."""
        return subprocess.run(
            [*RELIEF, *args],
            cwd=ROOT,
            env={**os.environ, "RELIEF_DATA": str(self.folder), FILE: str(self.older)},
            capture_output=True,
            text=True,
        )

    def relief(self, *args: str) -> Any:
        """What a `relief … --json` command answers."""
        done = self.types(*args, "--json")
        assert done.returncode == 0, done.stderr + done.stdout
        return json.loads(done.stdout)

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.relief("status")
        return found

    def pids(self) -> dict[str, int]:
        found = {name: one["pid"] for name, one in self.processes().items() if one["pid"]}
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
        deadline = time.monotonic() + max(seconds, PATIENCE_SECONDS)
        while True:
            with suppress(OSError, AssertionError, KeyError, ValueError):
                found = what()
                if found:
                    return found
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, f"{why}\n{self.said()[-4000:]}"
            time.sleep(0.2)

    def processes(self) -> dict[str, dict[str, Any]]:
        """What the supervisor knows of each, by name."""
        kept = json.loads((self.data / "run" / "processes.json").read_bytes())
        return {one["name"]: one for one in kept["processes"]}

    def settled(self) -> bool:
        """Every view has come to the head in every partition, and every process runs."""
        status = self.status()
        return all(view["lag_events"] == 0 for view in status["views"]) and all(
            one["state"] == "running" for one in status["processes"]
        )

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def end(self) -> None:
        """Stop it, or kill all that it started."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            for child in psutil.Process(self.process.pid).children(recursive=True):
                child.kill()
            self.process.kill()
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
