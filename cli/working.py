"""The wiring of one worker process: log, views, health, and a Faust worker between them."""

import asyncio
import os
import secrets
import signal
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import Any

import structlog
from kafka.errors import KafkaError

from cli.bus_settings import kafka_of
from cli.saying import complain
from cli.settings import Settings
from cli.up.programs import LEFT_OUT, RESTING
from eventstore import metrics
from eventstore.errors import StoreNotMade
from eventstore.postgres import PostgresLog
from eventstore.postgres_session import called
from eventstore.sieve import Sieve
from projections.catalog import VIEWS
from projections.folding.base import View
from projections.folding.engine import ViewsDatabase
from projections.folding.errors import TooManyParked, ViewsOfAnotherVersion
from projections.folding.parking import dropped_in
from streams.applying import Applying
from streams.collecting import collect_seldom
from streams.frames import Router, partitions_of
from streams.health import HealthServer, Heart, Watchdog
from streams.kafka import FRAMES, BusTrouble, quiet
from streams.metrics import tell_of_worker
from streams.notes import Notes, notify
from streams.topics import Topic, keep
from streams.worker import LEAVING, Worker, WorkerOptions

STUCK_SECONDS = 30.0
THREADS = 2
"""That apply: one at a time runs Python, the other waits for PostgreSQL."""
BUS_PAUSE_SECONDS = 0.5

log = structlog.get_logger("worker")


def run(
    settings: Settings,
    name: str,
    views: Sequence[View] = VIEWS,
    *,
    stuck_seconds: float = STUCK_SECONDS,
) -> int:
    """One worker process until a signal; its exit code."""
    collect_seldom()
    given = (settings.log_url, settings.views_url, settings.kafka)
    if not all(given):
        raise StoreNotMade("A worker needs RELIEF_READ_URL, RELIEF_VIEWS_URL and RELIEF_KAFKA.")
    try:
        with ExitStack() as stack:
            Process(settings, name, views, stuck_seconds, stack).run()
    except (TooManyParked, ViewsOfAnotherVersion) as problem:
        complain(problem.zh, str(problem))
        return RESTING
    except BusTrouble as problem:
        complain(problem.zh, str(problem))
        return LEFT_OUT
    return 0


class Process:
    """Log, views, health and the worker of one process, wired."""

    def __init__(
        self,
        settings: Settings,
        name: str,
        views: Sequence[View],
        stuck_seconds: float,
        stack: ExitStack,
    ) -> None:
        assert settings.log_url and settings.views_url and settings.kafka
        self.name, self.views_url = name, settings.views_url
        self.token = secrets.token_hex(8)
        allow = settings.i_know_the_role_can_rewrite_the_log
        self.log = PostgresLog(called(settings.log_url, "worker"), allow_power=allow)
        stack.callback(self.log.close)
        self.partitions = partitions = partitions_of(self.log)
        quiet()
        self.kafka = kafka_of(settings)
        self.bus_trouble: BusTrouble | None = None
        self.views = ViewsDatabase(self.views_url, views, partitions)
        stack.callback(self.views.close)
        self.views.dropped = dropped_in(self.log.source, views)
        beside = [self.views.beside() for _ in range(THREADS - 1)]
        for other in beside:
            stack.callback(other.close)
        self.sieve = Sieve(self.log, settings.data)
        router = Router(self.log, partitions)
        self.applier = Applying(self.log, self.views, router, beside, sieve=self.sieve)
        folder = settings.data / "run"
        self.heart = Heart(folder / f"{name}.alive", kind="worker")
        stack.callback(self.heart.stop)
        options = WorkerOptions(
            name,
            self.kafka.servers,
            folder / f"{self.heart.name}.faust",
            threads=THREADS,
            security=self.kafka.security,
        )
        self.worker = Worker(
            options, self.applier, self.heart, leaving=self._say_leaving, first=self._make_topic
        )
        self.stuck_seconds = stuck_seconds
        self.stack = stack
        stack.callback(tell_of_worker(self.worker, self.applier))
        self.health = HealthServer(
            self.report,
            host=settings.health_host,
            port=settings.health_port,
            pages={"/metrics": metrics.page},
        )

    def run(self) -> None:
        self.health.start()
        self.stack.callback(self.health.stop)
        notes = Notes(self.views_url, [LEAVING], self._others_leave)
        notes.start()
        self.stack.callback(notes.stop)
        dog = Watchdog([self._loop_stuck, self._frames_stuck], self.stuck_seconds)
        dog.start()
        self.stack.callback(dog.stop)
        asyncio.run(self._main())

    async def _main(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.worker.stop)
        await self.worker.run()

    def _make_topic(self) -> None:
        """The topic must have all partitions before the group deals them out. One that is there
        otherwise is waited for: the relay mends it."""
        while True:
            try:
                admin = self.kafka.admin()
                try:
                    keep(admin, Topic.of(self.kafka, FRAMES, self.partitions), mend=False)
                finally:
                    admin.close()
            except (BusTrouble, KafkaError, OSError) as problem:
                if self.bus_trouble is None:
                    log.warning("worker.waits", why=str(problem))
                self.bus_trouble = (
                    problem if isinstance(problem, BusTrouble) else BusTrouble(repr(problem))
                )
            else:
                self.bus_trouble = None
                return
            if self.applier.gave_up_within(BUS_PAUSE_SECONDS):
                return

    # -- among workers ------------------------------------------------------------------------

    def _say_leaving(self, partitions: Sequence[int]) -> None:
        notify(self.views_url, LEAVING, f"{self.token} {','.join(map(str, partitions))}")

    def _others_leave(self, _channel: str, payload: str) -> None:
        token, _, partitions = payload.partition(" ")
        if token != self.token:
            with suppress(ValueError):
                self.worker.adopt([int(n) for n in partitions.split(",")])

    # -- health -------------------------------------------------------------------------------

    def _loop_stuck(self) -> tuple[str, float]:
        return "event loop", self.heart.silent_seconds()

    def _frames_stuck(self) -> tuple[str, float]:
        return f"{self.worker.frames_waiting + 1} frames", self.applier.stuck_seconds()

    def report(self) -> Mapping[str, Any]:
        """What ``/health`` answers; from any thread, and without asking a database."""
        stuck = max(self._loop_stuck()[1], self._frames_stuck()[1])
        trouble = self.applier.trouble or self.bus_trouble
        status = "stuck" if stuck > self.stuck_seconds / 2 else "waiting" if trouble else "ok"
        assigned = sorted(self.worker.assigned)
        positions = {n: at for n, at in self.applier.positions.items() if n in assigned}
        head = self.applier.head
        lowest = min(positions.values(), default=head)
        return {
            "name": self.name,
            "role": "worker",
            "pid": os.getpid(),
            "status": status,
            "assigned": assigned,
            "rebalancing": self.worker.rebalancing,
            "positions": positions,
            "head": head,
            "lag": max(0, head - lowest),
            **self.sieve.told(),
            "trouble": None if trouble is None else str(trouble),
            "trouble_zh": None if trouble is None else trouble.zh,
        }
