"""One stockpile at the height of a disaster: 16 writers in two processes take units from it.

Ours decides in turn under the order lock, on the cached aggregate, many commands a transaction.
The other side is the library's default on the same PostgreSQL: load, decide, save, and again until
nobody was faster. Who waits longest is what is compared; both must end with every unit accounted
for.
"""

import json
import os
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

from bench import county
from bench.base import REPETITIONS, Reach, Result, machine, median, pairs, percentile, ratio
from bench.cluster import ROOT, Place, place, postgres
from bench.peers.each import EachByItself, application
from bench.stock_child import ITEM, LOT, STOCKPILE
from domain.commands.stock import ReceiveGoods
from domain.stockpile import Stockpile
from domain.world import Role
from eventstore.outcomes import Envelope

PROCESSES = 2
WRITERS = 16
SECONDS = 8.0
UNITS = 10_000_000


def delivery() -> Envelope:
    command = ReceiveGoods(
        warehouse=county.id_of("county"),
        item=ITEM,
        lot=LOT,
        document_no="测〔2018〕2号",
        owner="县应急局",
        received_on=date(2018, 6, 1),
        quantity=UNITS,
        unit_value_fen=100_00,
    )
    return Envelope(id=uuid4(), officer=county.officer_of(Role.STOREKEEPER), command=command)


class Side:
    """One of the two ways; the seconds that each command waited, of all runs."""

    def __init__(self, kind: str, here: Place, seconds: float) -> None:
        self.kind, self.here, self.seconds = kind, here, seconds
        self.took: list[float] = []
        self.saved = self.retries = 0
        self.p99_ms: list[float] = []
        self.per_second: list[float] = []

    def measure(self, _: int) -> float:
        """The 99th percentile of one run, in ms."""
        command = [
            sys.executable,
            "-m",
            "bench.stock_child",
            self.kind,
            str(WRITERS // PROCESSES),
            str(self.seconds),
        ]
        env = {**os.environ, **self.here.env(), "BENCH_PEER": self.here.server.url("each")}
        started = [
            subprocess.Popen(
                command, cwd=ROOT, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            for _ in range(PROCESSES)
        ]
        for child in started:
            assert child.stdout is not None
            child.stdout.readline()
        for child in started:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        said = [json.loads(child.communicate()[0]) for child in started]
        took = sorted(seconds for one in said for seconds in one["took"])
        saved = sum(one["saved"] for one in said)
        self.saved += saved
        self.retries += sum(one["retries"] for one in said)
        self.took += took
        self.per_second.append(saved / self.seconds)
        self.p99_ms.append(1000 * percentile(took, 0.99))
        return self.p99_ms[-1]

    def figures(self) -> dict[str, Any]:
        took = sorted(self.took)
        return {
            f"{self.kind}_p50_ms": round(1000 * percentile(took, 0.5), 1),
            f"{self.kind}_p99_ms": round(median(self.p99_ms), 1),
            f"{self.kind}_worst_ms": round(1000 * took[-1], 1),
            f"{self.kind}_per_second": round(median(self.per_second)),
            f"{self.kind}_retries": self.retries,
        }


def run(*, tiny: bool = False) -> Result:
    about = machine()
    seconds, repetitions = (1.0, 1) if tiny else (SECONDS, REPETITIONS)
    with tempfile.TemporaryDirectory(prefix="bench-") as name, postgres(Path(name)) as server:
        here = place(server, Path(name))
        server.execute("CREATE DATABASE each")
        store = here.store()
        county.build(store)
        store.run(delivery())
        app = application(server.url("each"))
        EachByItself(store, app, (Stockpile,)).run(delivery())
        ours, each = Side("ours", here, seconds), Side("each", here, seconds)
        mine, theirs = pairs(ours.measure, each.measure, repetitions)
        on_hand: dict[str, Any] = {
            "ours": store.load(STOCKPILE),
            "each": app.repository.get(STOCKPILE),
        }
        for side in (ours, each):
            left = on_hand[side.kind].on_hand
            if left != UNITS - side.saved:
                raise RuntimeError(f"{side.kind}: {left} left of {UNITS} after {side.saved}")
        app.close()
        store.close()
    return Result(
        "hot-stock",
        {"writers": WRITERS, "processes": PROCESSES, **ours.figures(), **each.figures()},
        {"ours_p99_over_retry_p99": ratio(mine, theirs)},
        about,
        {"ours_p99_over_retry_p99": Reach(at_most=0.1)},
    )
