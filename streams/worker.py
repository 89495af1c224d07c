"""A worker of the cluster: frames from Kafka in, views out, on faust-streaming.

The event loop only receives and hands over: other threads apply, so that heartbeats go on during a
long fetch. Frames of one partition are applied by one thread at a time. A frame is acknowledged
after its transaction. What of faust-streaming 0.15.3 decided the shape:

- An exception in an agent acknowledges its message: so the agent only hands over, and what cannot
  be applied ends the process instead.
- When partitions are revoked, their waiting messages are dropped: they come again from the
  committed offset, and acknowledging them after a rebalance would do nothing.
- Assignment is eager: in each rebalance all members stand still, for up to a heartbeat on Apache
  Kafka and half the session timeout on Tansu. As a frame is only a copy of the log, partitions are
  then brought on from the log itself: those held before, and those of a worker that says it leaves.
  The same is done for a partition from which nothing was heard though watermarks are due.
- No tables, no leader topic, no web server: only its consumer, its group and its commits are used.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import faust
import structlog
from aiokafka import client as kafka_client  # type: ignore[import-untyped]
from faust.types import TP, EventT
from faust.types.auth import CredentialsT

from streams.applying import GivenUp, Message
from streams.health import Heart
from streams.kafka import BusTrouble
from streams.security import Security

log = structlog.get_logger("worker")

TOPIC = "relief.frames"
GROUP = "relief-views"
LEAVING = "relief_workers"
"""The channel on which a worker names the partitions that it leaves."""

MOST_FRAMES = 128
MOST_TOGETHER = 32
"""Frames waiting in this process, and frames of one partition folded in one transaction."""
SILENT_SECONDS = 2.5
"""A watermark comes each second: after this time the log is asked instead."""
LOOK_SECONDS = 0.2
ADOPTED_SECONDS = 10.0
METADATA_SECONDS = 3
"""How soon a topic that was made anew is found."""
BEAT_SECONDS = 0.25
STOP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """How a worker joins its group. ``folder`` is for Faust, which insists on one; it stays empty.

    Faust's own default leaves a killed worker's partitions alone for a minute.
    """

    name: str
    kafka: str
    folder: Path
    topic: str = TOPIC
    group: str = GROUP
    session_seconds: float = 6.0
    heartbeat_seconds: float = 2.0
    commit_seconds: float = 1.0
    join_seconds: float = 45.0
    """A worker that its group has not taken in for so long ends, and begins anew: a coordinator
    may have forgotten that it was asked. Seen of Tansu, when all members left at once."""
    threads: int = 1
    """That apply: while one waits for the database, another decodes and folds."""
    security: Security = field(default_factory=Security)


class Applier(Protocol):
    """What applies frames to the views. A call returns when they have them, and raises only what
    waiting cannot mend.

    Calls come from several threads, those of one partition one after the other.
    """

    def apply(self, partition: int, messages: Sequence[Message]) -> None: ...
    def catch_up(self, partitions: Sequence[int]) -> None: ...
    def give_up(self) -> None: ...


def never_make_topics() -> None:
    """aiokafka makes a topic by asking for it, with the broker's number of partitions, not ours.

    Tansu cannot add partitions later. There is no setting for it, neither in Faust.
    """
    asked = kafka_client.MetadataRequest
    if not isinstance(asked, partial):
        kafka_client.MetadataRequest = partial(asked, allow_auto_topic_creation=False)


def credentials(security: Security) -> CredentialsT | None:
    """How Faust shows the broker who it is. Raises `OSError` when a file cannot be used."""
    context = security.context()
    if security.sasl:
        return faust.SASLCredentials(
            username=security.username,
            password=security.password,
            mechanism=security.mechanism,
            ssl_context=context,
        )
    return faust.SSLCredentials(context) if context is not None else None


def make_app(options: WorkerOptions, loop: asyncio.AbstractEventLoop) -> faust.App:
    """The Faust application, without an agent yet."""
    never_make_topics()
    return faust.App(
        options.group,
        loop=loop,
        broker=[f"kafka://{address.strip()}" for address in options.kafka.split(",")],
        broker_credentials=credentials(options.security),
        datadir=str(options.folder),
        store="memory://",
        autodiscover=False,
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        consumer_metadata_max_age_ms=METADATA_SECONDS * 1000,
        broker_session_timeout=options.session_seconds,
        broker_heartbeat_interval=options.heartbeat_seconds,
        broker_request_timeout=max(20.0, options.session_seconds),
        broker_commit_interval=options.commit_seconds,
        broker_commit_livelock_soft_timeout=60.0,
        stream_wait_empty=False,
        stream_buffer_maxsize=MOST_FRAMES,
        worker_redirect_stdouts=False,
    )


class Waiting:
    """Frames that wait to be applied, by partition; partitions take turns.

    A partition that was taken is not given to another thread before it is `done`.
    """

    def __init__(self, most: int = MOST_FRAMES) -> None:
        self._most = most
        self._by_partition: dict[int, deque[EventT[Any]]] = {}
        self._taken: set[int] = set()
        self._changed = asyncio.Condition()
        self.count = 0

    async def put(self, event: EventT[Any]) -> None:
        """Add a frame; waits while there are enough."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.count < self._most)
            self._by_partition.setdefault(event.message.partition, deque()).append(event)
            self.count += 1
            self._changed.notify_all()

    async def take(self, most: int = MOST_TOGETHER) -> tuple[int, list[EventT[Any]]]:
        """The partition that waits longest, and its frames; more than one only if they are here."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._next() is not None)
            partition = self._next()
            assert partition is not None
            self._taken.add(partition)
            waiting = self._by_partition.pop(partition)
            taken = [waiting.popleft() for _ in range(min(most, len(waiting)))]
            if waiting:
                self._by_partition[partition] = waiting  # behind the others
            self.count -= len(taken)
            self._changed.notify_all()
            return partition, taken

    def _next(self) -> int | None:
        return next((p for p in self._by_partition if p not in self._taken), None)

    def busy(self) -> set[int]:
        """Partitions that are taken, or have frames here."""
        return self._taken | self._by_partition.keys()

    async def done(self, partition: int) -> None:
        async with self._changed:
            self._taken.discard(partition)
            self._changed.notify_all()

    async def clear(self) -> None:
        async with self._changed:
            self._by_partition.clear()
            self.count = 0
            self._changed.notify_all()


class Worker:
    """One member of the group. `run` returns when `stop` was called; raises what ended it."""

    def __init__(
        self,
        options: WorkerOptions,
        applier: Applier,
        heart: Heart,
        *,
        leaving: Callable[[Sequence[int]], None] = lambda _: None,
        first: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``leaving`` tells the other workers, who then call `adopt`. ``first`` runs in a thread
        before the group is joined, and must end soon after ``applier.give_up``."""
        self._options = options
        self._applier = applier
        self._heart = heart
        self._leaving = leaving
        self._first = first
        self._clock = clock
        self._joining = False
        self._asked: float | None = None
        """When the group was asked to take this worker in, until it has."""
        self._threads = ThreadPoolExecutor(options.threads, thread_name_prefix="apply")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: Waiting
        self._done: asyncio.Event
        self._stopping = False
        self._problem: BaseException | None = None
        self.assigned: frozenset[int] = frozenset()
        self.rebalancing = True
        self._heard: dict[int, float] = {}
        self._adopted: dict[int, float] = {}

    # -- for the outside ----------------------------------------------------------------------

    @property
    def frames_waiting(self) -> int:
        return self._waiting.count if self._loop else 0

    def stop(self) -> None:
        """Hand the partitions over and end. Call on the event loop."""
        self._stopping = True
        self._done.set()

    def adopt(self, partitions: Iterable[int]) -> None:
        """Another worker leaves these: bring them on from the log until the group has decided."""
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._adopt, tuple(partitions))

    def _adopt(self, partitions: Sequence[int]) -> None:
        until = self._clock() + ADOPTED_SECONDS
        self._adopted |= {p: until for p in partitions if p not in self.assigned}

    # -- life ---------------------------------------------------------------------------------

    async def run(self, started: Callable[[], None] = lambda: None) -> None:
        """Until `stop`. Raises what ended it: `BusTrouble` when the group does not take it in."""
        self._loop = asyncio.get_running_loop()
        self._waiting, self._done = Waiting(), asyncio.Event()
        app = self._joined(make_app(self._options, self._loop))
        tasks = [
            self._loop.create_task(work(), name=work.__name__)
            for work in (*[self._apply] * self._options.threads, self._look, self._beat)
        ]
        for task in tasks:
            task.add_done_callback(self._ended)
        starting = self._loop.create_task(self._start(app, started), name="start")
        starting.add_done_callback(self._ended)
        await self._done.wait()
        self._stopping = True
        await self._leave(app, [starting, *tasks])
        if self._problem is not None:
            raise self._problem

    async def _start(self, app: faust.App, started: Callable[[], None]) -> None:
        await asyncio.to_thread(self._first)
        if self._stopping:
            return
        self._joining, self._asked = True, self._clock()
        await app.start()
        started()
        await app.wait_until_stopped()
        if app.crash_reason is not None:
            raise app.crash_reason

    def _ended(self, task: "asyncio.Task[None]") -> None:
        problem = None if task.cancelled() else task.exception()
        if self._problem is None and not isinstance(problem, GivenUp):  # raised because we stop
            self._problem = problem
        self._done.set()

    async def _leave(self, app: faust.App, tasks: Sequence["asyncio.Task[None]"]) -> None:
        """Leave the group first, so that others take over; then end what runs here."""
        assert self._loop is not None
        left = sorted(self.assigned)
        if left and self._problem is None:
            self._loop.run_in_executor(None, self._leaving, left)
        self._applier.give_up()
        if self._joining:
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await app.stop()
        for task in tasks[:-1]:  # the last one, `_beat`, goes on until all others have ended
            task.cancel()
        await asyncio.to_thread(self._threads.shutdown)
        tasks[-1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        log.info("worker.left", partitions=left)

    def _joined(self, app: faust.App) -> faust.App:
        """The application with our agent, which only hands frames over, and with what is told of
        partitions that are assigned and revoked."""
        topic = app.topic(
            self._options.topic,
            key_type=bytes,
            value_type=bytes,
            key_serializer="raw",
            value_serializer="raw",
        )

        @app.agent(topic)
        async def frames(stream: Any) -> None:
            async for event in stream.noack().events():
                await self._waiting.put(event)

        @app.on_partitions_revoked.connect(weak=False)
        async def revoked(_app: faust.App, _revoked: set[TP], **_: Any) -> None:
            self.rebalancing = True
            await self._waiting.clear()

        @app.on_partitions_assigned.connect(weak=False)
        async def assigned(_app: faust.App, found: set[TP], **_: Any) -> None:
            now = self._clock()
            self._asked = None
            self.assigned = frozenset(tp.partition for tp in found)
            self._heard = dict.fromkeys(self.assigned, now)
            self._adopted.clear()
            self.rebalancing = False
            log.info("worker.assigned", partitions=sorted(self.assigned))

        return app

    # -- the work -----------------------------------------------------------------------------

    async def _in_thread(self, work: Callable[..., None], *given: Any) -> None:
        assert self._loop is not None
        await self._loop.run_in_executor(self._threads, work, *given)

    async def _apply(self) -> None:
        while not self._stopping:
            partition, events = await self._waiting.take()
            try:
                messages = [message_of(event) for event in events]
                await self._in_thread(self._applier.apply, partition, messages)
                if partition in self.assigned:
                    self._heard[partition] = self._clock()
                    for event in events:
                        event.ack()
            finally:
                await self._waiting.done(partition)

    async def _look(self) -> None:
        """Fetch from the log what belongs to partitions of which no frames come."""
        while not self._stopping:
            await asyncio.sleep(LOOK_SECONDS)
            now = self._clock()
            if self._asked is not None and now - self._asked > self._options.join_seconds:
                raise BusTrouble("the group has not taken this worker in")
            unheard = {p for p, until in self._adopted.items() if until > now}
            if self.rebalancing:
                unheard |= self.assigned
            else:
                unheard |= {p for p, at in self._heard.items() if now - at > SILENT_SECONDS}
            unheard -= self._waiting.busy()
            if unheard:
                await self._in_thread(self._applier.catch_up, sorted(unheard))

    async def _beat(self) -> None:
        while True:
            self._heart.beat()
            await asyncio.sleep(BEAT_SECONDS)


def message_of(event: EventT[Any]) -> Message:
    headers: Any = event.message.headers or ()
    return Message(event.message.value or b"", tuple(dict(headers).items()))
