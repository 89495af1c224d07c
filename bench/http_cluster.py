"""Durable commands over HTTP on PostgreSQL 18, two API processes on one socket, three programs.

Lives of incidents (opened, triaged, closed) over 64 connections from a process of its own. Ours is
`relief serve` as `relief up` starts it. ``each`` is the same API with the same checks, every
command saved by the library's own application and recorder in its own transaction. ``mutable`` is
`bench.peers.mutable`, which changes rows. All three are answered when the commit is durable; no
worker runs, so no views are folded meanwhile. The incidents' callers give no number: sealing one
is a second commit, in the vault, which only ours would make. What that costs, and what a running
relay and worker cost, is told beside.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

from bench import county
from bench.base import REPETITIONS, Reach, Result, machine, median, pairs, ratio
from bench.cluster import (
    ROOT,
    Group,
    Place,
    children,
    place,
    postgres,
    relief,
    shared_socket,
    tansu,
)
from bench.peers import mutable
from domain.world import Role

API = 2
CONNECTIONS = 64
LIVES = 1000
STEPS = 3
Said = dict[str, Any]


def lives(count: int, phone: str = "") -> list[list[tuple[str, Said]]]:
    """Paths and bodies of so many incidents."""
    at = county.an_hour_ago().isoformat()
    made: list[list[tuple[str, Said]]] = []
    for n in range(count):
        incident = str(uuid4())
        opened: Said = {
            "incident": incident,
            "area": str(county.village(n)),
            "place": f"{n % 9 + 1}组",
            "kind": "trapped",
            "severity": "severe",
            "occurred_at": at,
            "details": "水进屋，老人被困",
            "latitude": 30.6312,
            "longitude": 116.5815,
            "reporter_phone": phone and f"{phone}{n:08d}",
        }
        one = f"/v1/incidents/{incident}"
        made.append(
            [
                ("/v1/incidents", opened),
                (f"{one}/triages", {"priority": n % 4 + 1, "note": "先派冲锋舟"}),
                (f"{one}/closures", {"reason": "已转移"}),
            ]
        )
    return made


class Side:
    """One of the programs: what it answers a second, how soon, and what that costs it."""

    def __init__(self, group: Group, token: str, phone: str = "") -> None:
        self.group, self.token, self.phone = group, token, phone
        self.per_second: list[float] = []
        self.cpu_us: list[float] = []
        self.p99_ms: list[float] = []

    def measure(self, count: int, *, poll: bool = False) -> float:
        """Commands a second."""
        before = self.group.cpu_seconds()
        said = load(self.group.port, self.token, lives(count, self.phone), poll=poll)
        self.cpu_us.append((self.group.cpu_seconds() - before) / said["served"] * 1e6)
        self.p99_ms.append(said["p99_ms"])
        self.per_second.append(said["served"] / said["seconds"])
        return self.per_second[-1]

    def forget(self) -> None:
        for kept in (self.per_second, self.cpu_us, self.p99_ms):
            kept.clear()

    def figures(self, name: str) -> dict[str, Any]:
        return {
            f"{name}_per_second": round(median(self.per_second)),
            f"{name}_p99_ms": round(median(self.p99_ms), 1),
            f"{name}_cpu_us_per_command": round(median(self.cpu_us)),
        }


def load(port: int, token: str, requests: list[list[tuple[str, Said]]], *, poll: bool) -> Said:
    """What `bench.load_child` says."""
    given = {
        "port": port,
        "token": token,
        "connections": CONNECTIONS,
        "lives": requests,
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
    said: Said = json.loads(done.stdout)
    if said["failed"]:
        raise RuntimeError(f"{said['failed']} requests failed: {said['said']}")
    return said


def peers(stack: ExitStack, here: Place, token: str) -> tuple[Side, Side]:
    """Two processes of each of the others, on databases of their own on the same server."""
    sides = []
    for kind in ("each", "mutable"):
        here.server.execute(f"CREATE DATABASE {kind}")
        url = here.server.url(kind)
        if kind == "mutable":
            areas = [county.village(n) for n in range(county.VILLAGES)]
            officer = county.officer_of(Role.DISPATCHER)
            mutable.make(url, areas, county.id_of("county"), officer, token)
        sock = stack.enter_context(shared_socket())
        command = ["bench.peer_child", kind, url]
        group = stack.enter_context(children([command] * API, sock, **here.env()))
        sides.append(Side(group, token))
    return sides[0], sides[1]


def prepared(server: Any, folder: Path) -> tuple[Place, str]:
    """A place with the small county, and the dispatcher's token."""
    here = place(server, folder)
    store = here.store()
    county.build(store)
    token = county.token(store, Role.DISPATCHER)
    store.close()
    return here, token


def run(*, tiny: bool = False) -> Result:
    about = machine()
    count, repetitions = (20, 1) if tiny else (LIVES, REPETITIONS)
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        server = stack.enter_context(postgres(scratch))
        here, token = prepared(server, scratch)
        ours = Side(stack.enter_context(relief(here.env(), api=API))["api"], token)
        each, rows = peers(stack, here, token)
        for side in (ours, each, rows):
            side.measure(20)
            side.forget()

        def rate(side: Side, share: float = 1.0) -> Callable[[int], float]:
            return lambda _: side.measure(max(1, int(count * share)))

        over_each = ratio(*pairs(rate(ours), rate(each, 0.2), repetitions))
        over_rows = ratio(*pairs(rate(ours), rate(rows), repetitions))
        sealing = Side(ours.group, token, "139")
        sealing.measure(count)
        following = 0.0 if tiny else with_views(here, token, count)
    figures = {"connections": CONNECTIONS, "api_processes": API, "commands_a_run": count * STEPS}
    for name, side in (("ours", ours), ("each", each), ("mutable", rows)):
        figures |= side.figures(name)
    figures["ours_with_sealed_numbers_per_second"] = round(sealing.per_second[0])
    figures["ours_with_views_at_the_head_per_second"] = round(following)
    return Result(
        "http-cluster",
        figures,
        {"ours_over_each_by_itself": over_each, "ours_over_mutable_rows": over_rows},
        about,
        {
            "ours_over_each_by_itself": Reach(at_least=8),
            "ours_over_mutable_rows": Reach(at_least=1.5),
        },
    )


def with_views(here: Place, token: str, count: int) -> float:
    """Commands a second until the views have them, with a relay and a worker beside."""
    with (
        tansu(here.folder) as broker,
        relief(here.env(broker), api=API, workers=1, relay=True) as groups,
    ):
        side = Side(groups["api"], token)
        side.measure(5, poll=True)
        return side.measure(count, poll=True)
