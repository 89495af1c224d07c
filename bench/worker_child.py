"""A Faust worker to measure: ``python -m bench.worker_child one|all HEAD``, with its settings.

The real worker, its fold and its tables, on the topic ``relief.frames``: with one view that counts
facts by county, or with all views. It ends when the views have come to HEAD in all partitions, and
writes ``{"seconds": …}`` to the file BENCH_ANSWER, timed from the first frame. What it would read
from the log while it stands still in a rebalance is left to Kafka here.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from sqlalchemy import BigInteger, Column, Table, Text

from bench.cluster import peak_mb
from cli.settings import Settings
from cli.working import THREADS
from domain.base import Event
from domain.catalog import AGGREGATES
from eventstore.mapper import TypedMapper
from eventstore.postgres import PostgresLog
from projections.catalog import VIEWS
from projections.folding.base import LOGICAL, Rows, View
from projections.folding.engine import ViewsDatabase
from streams.applying import Applying, Message
from streams.collecting import collect_seldom
from streams.frames import Router, partitions_of
from streams.health import Heart
from streams.worker import Worker, WorkerOptions

COUNTIES = Table(
    "bench_counties",
    LOGICAL,
    Column("area", Text, primary_key=True),
    Column("facts", BigInteger, nullable=False),
)


def _count(rows: Rows, at: int, e: Event) -> None:
    del at
    county = str(e.meta.division)
    known = rows.get(COUNTIES, county)
    rows.put(COUNTIES, {"area": county, "facts": 1 + (known["facts"] if known else 0)})


ONE = View(
    "bench_counties",
    1,
    (COUNTIES,),
    dict.fromkeys(TypedMapper(AGGREGATES).classes.values(), _count),
)


class Timed:
    """What a worker applies frames with; it tells when it began and when all was done."""

    def __init__(self, applier: Applying, partitions: int, head: int) -> None:
        self.applier, self.partitions, self.head = applier, partitions, head
        self.began = self.ended = self.cpu = 0.0
        self.done = asyncio.Event()
        self.loop = asyncio.get_running_loop()

    def apply(self, partition: int, messages: Sequence[Message]) -> None:
        if not self.began:
            self.began, self.cpu = time.perf_counter(), time.process_time()
        self.applier.apply(partition, messages)
        at = self.applier.positions
        if len(at) == self.partitions and min(at.values()) >= self.head and not self.ended:
            self.ended, self.cpu = time.perf_counter(), time.process_time() - self.cpu
            self.loop.call_soon_threadsafe(self.done.set)

    def catch_up(self, partitions: Sequence[int]) -> None:
        """Nothing: what is measured comes by Kafka."""

    def give_up(self) -> None:
        self.applier.give_up()


async def measured(settings: Settings, views: Sequence[View], head: int) -> Timed:
    assert settings.log_url and settings.views_url and settings.kafka
    log = PostgresLog(settings.log_url)
    partitions = partitions_of(log)
    database = ViewsDatabase(settings.views_url, views, partitions)
    beside = [database.beside() for _ in range(THREADS - 1)]
    applier = Applying(log, database, Router(log, partitions), beside)
    timed = Timed(applier, partitions, head)
    run = settings.data / "run"
    heart = Heart(run / "bench.alive")
    group = os.environ["BENCH_GROUP"]
    options = WorkerOptions(
        "bench", settings.kafka, run / "bench.faust", group=group, threads=THREADS
    )
    worker = Worker(options, timed, heart)
    running = asyncio.create_task(worker.run())
    done = asyncio.create_task(timed.done.wait())
    await asyncio.wait([running, done], return_when=asyncio.FIRST_COMPLETED)
    worker.stop()
    with suppress(asyncio.CancelledError):
        await running
    heart.stop()
    for one in (database, *beside):
        one.close()
    log.close()
    return timed


def main(which: str, head: int) -> None:
    collect_seldom()
    timed = asyncio.run(measured(Settings(), [ONE] if which == "one" else VIEWS, head))
    said = {
        "seconds": timed.ended - timed.began,
        "cpu_seconds": timed.cpu,
        "peak_mb": peak_mb(),
    }
    Path(os.environ["BENCH_ANSWER"]).write_text(json.dumps(said))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
