"""One size of `bench.scale`, in a process of its own so that its memory can be told.

Reads ``{"log", "vault", "views", "key", "officer", "village", "lives"}`` from standard
input; prints what it measured.
"""

import asyncio
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from bench import county
from bench.cluster import peak_mb
from bench.commands import AT_ONCE, STEPS, life
from domain.catalog import AGGREGATES
from eventstore.outcomes import Envelope
from eventstore.postgres import PostgresLog, PostgresVault
from eventstore.store import Store
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase
from projections.folding.rebuild import rebuild
from streams.applying import Applying
from streams.frames import PARTITIONS, Router


async def commands(store: Store, officer: UUID, village: UUID, lives: int) -> float:
    """Durable commands a second, 64 at once, from this process alone."""
    todo = iter(range(lives))
    run, at = uuid4(), county.an_hour_ago()

    async def client() -> None:
        for n in todo:
            for command in life(run, n, at, village):
                await store.arun(Envelope(id=uuid4(), officer=officer, command=command))

    began = time.perf_counter()
    await asyncio.gather(*[client() for _ in range(AT_ONCE)])
    return lives * STEPS / (time.perf_counter() - began)


def main(given: dict[str, Any]) -> dict[str, Any]:
    views = ViewsDatabase(given["views"], VIEWS, PARTITIONS)
    done = rebuild(given["log"], views, workers=os.cpu_count() or 1)
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    rebuilding = max(peak_mb(), children)
    log = PostgresLog(given["log"])
    store = Store(log, PostgresVault(given["vault"], Path(given["key"])), AGGREGATES)
    officer, village = UUID(given["officer"]), UUID(given["village"])
    asyncio.run(commands(store, officer, village, AT_ONCE))
    rate = asyncio.run(commands(store, officer, village, given["lives"]))
    before = views.position()
    applier = Applying(log, views, Router(log, PARTITIONS))
    began = time.perf_counter()
    applier.catch_up(range(PARTITIONS))
    took = time.perf_counter() - began
    behind = store.head() - before
    views.close()
    store.close()
    return {
        "rebuild_facts_per_second": round(done.events / done.seconds),
        "rebuild_peak_mb": round(rebuilding),
        "commands_per_second": round(rate),
        "folded_per_second": round(behind / took),
    }


if __name__ == "__main__":
    print(json.dumps(main(json.load(sys.stdin))))
