"""`/health`, `/ready` and `/metrics` of an API process, on a port that the public never sees."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import msgspec

from api.app import readiness
from api.system import System
from cli.settings import Settings
from eventstore import metrics
from eventstore.errors import StoreError
from streams.health import HealthServer, Heart, Watchdog

LATE_SECONDS = 10.0
"""After so long without a turn of its event loop a process says that it is stuck."""
STUCK_SECONDS = 60.0


@contextmanager
def telling(settings: Settings, system: System) -> Iterator[Heart]:
    """Answer on the health port, if one is set, while the API is served; the heart to beat."""
    name = settings.process or ("api" if settings.database_url is not None else "")
    with ExitStack() as stack:
        file = settings.data / "run" / f"{name}.alive" if name else None
        heart = Heart(file, kind="api")
        stack.callback(heart.stop)
        if settings.health_port:
            pages = {"/metrics": metrics.page, "/ready": lambda: _ready(system)}
            server = HealthServer(
                _report(name or "api", system, heart),
                host=settings.health_host,
                port=settings.health_port,
                pages=pages,
            )
            server.start()
            stack.callback(server.stop)
            dog = Watchdog([lambda: ("event loop", heart.silent_seconds())], STUCK_SECONDS)
            dog.start()
            stack.callback(dog.stop)
        yield heart


def _report(name: str, system: System, heart: Heart) -> Callable[[], dict[str, Any]]:
    """Liveness: whether the event loop turns. What the databases do is no reason for a restart."""

    def report() -> dict[str, Any]:
        stuck = heart.silent_seconds() > LATE_SECONDS
        trouble = system.boards.trouble or system.boards.failure
        return {
            "name": name,
            "role": "api",
            "pid": os.getpid(),
            "status": "stuck" if stuck else "waiting" if trouble is not None else "ok",
            "position": system.boards.position,
            "trouble": None if trouble is None else str(trouble),
        }

    return report


def _ready(system: System) -> tuple[int, str, bytes]:
    try:
        found = readiness(system)
    except StoreError as problem:
        body = msgspec.json.encode({"status": "stopped", "trouble": str(problem)})
        return 503, "application/json", body
    status = 200 if found.status == "ready" else 503
    return status, "application/json", found.model_dump_json().encode()
