"""Durable commands over HTTP, one server process, against an endpoint that does nothing.

Every request is an incident reported by phone: logged in by a bearer token, authorized in its
village, the caller's number sealed, committed with ``synchronous=FULL``, followed by all views;
the clock stops when the views have reached the head. The other side is FastAPI validating the
same body into a pydantic model and answering. Same client process, 64 connections, same bodies.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from uuid import uuid4

from bench import county
from bench.base import REPETITIONS, Reach, Result, machine, median, pairs, ratio
from bench.serving import ROOT, Served, server
from domain.catalog import AGGREGATES
from domain.world import Role
from eventstore.store import Store

CONNECTIONS = 64
REQUESTS = 4000
FEWEST = 1000
"""In a tiny run: the processor time of a server is told in hundredths of a second."""


def bodies(count: int) -> list[dict[str, Any]]:
    """Incidents as a dispatcher types them."""
    at = county.an_hour_ago().isoformat()
    return [
        {
            "incident": str(uuid4()),
            "area": str(county.village(n)),
            "place": f"{n % 9 + 1}组",
            "kind": "trapped",
            "severity": "severe",
            "occurred_at": at,
            "details": "水进屋，老人被困",
            "latitude": 30.6312,
            "longitude": 116.5815,
            "reporter_phone": f"139{n:08d}",
        }
        for n in range(count)
    ]


class Side:
    """One of the two servers, and what its requests cost it in processor time."""

    def __init__(self, served: Served, token: str, *, poll: bool) -> None:
        self.served = served
        self.token = token
        self.poll = poll
        self.cpu_us: list[float] = []

    def measure(self, count: int) -> float:
        """Requests a second."""
        before = self.served.cpu_seconds()
        found = load(self.served.port, self.token, count, poll=self.poll)
        self.cpu_us.append((self.served.cpu_seconds() - before) / count * 1e6)
        return found


def load(port: int, token: str, count: int, *, poll: bool) -> float:
    """Requests a second."""
    given = {
        "port": port,
        "token": token,
        "connections": CONNECTIONS,
        "bodies": bodies(count),
        "poll": poll,
    }
    done = subprocess.run(
        [sys.executable, "-m", "bench.load_child"],
        cwd=ROOT,
        check=True,
        text=True,
        input=json.dumps(given),
        stdout=subprocess.PIPE,
    )
    said = json.loads(done.stdout)
    if said["failed"]:
        raise RuntimeError(f"{said['failed']} requests failed: {said['said']}")
    return float(said["served"] / said["seconds"])


def run(*, tiny: bool = False) -> Result:
    about = machine()
    count = FEWEST if tiny else REQUESTS
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name) / "store"
        store = Store.at(folder, AGGREGATES)
        county.build(store)
        token = county.token(store, Role.DISPATCHER)
        store.close()
        with server(str(folder)) as store_server, server("-") as bare_server:
            ours = Side(store_server, token, poll=True)
            bare = Side(bare_server, token, poll=False)
            for side in (ours, bare):
                side.measure(CONNECTIONS)
                side.cpu_us.clear()
            mine, other = pairs(
                lambda _: ours.measure(count),
                lambda _: bare.measure(count),
                1 if tiny else REPETITIONS,
            )
    return Result(
        "http",
        {
            "connections": CONNECTIONS,
            "requests_a_run": count,
            "commands_per_second": round(median(mine)),
            "bare_endpoint_per_second": round(median(other)),
            "cpu_us_per_command": round(median(ours.cpu_us)),
            "bare_cpu_us_per_request": round(median(bare.cpu_us)),
        },
        {"commands_over_bare_endpoint": ratio(mine, other)},
        about,
        {"commands_over_bare_endpoint": Reach(at_least=0.5)},
    )
