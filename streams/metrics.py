"""Metrics of relay, workers and views. Values that somebody keeps anyway are read at the scrape."""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from prometheus_client import Counter, Histogram
from prometheus_client.metrics_core import Metric

from eventstore.errors import StoreDamaged, StoreError, UnknownTopic
from eventstore.metrics import REGISTRY, Asked, Family
from eventstore.postgres import time_of
from eventstore.sql import DATABASE_ERRORS
from eventstore.store import Store
from projections.folding.databases import PostgresDatabase
from projections.folding.engine import ViewsDatabase
from streams.following import Boards

if TYPE_CHECKING:  # a worker needs neither its module nor kafka-python
    from streams.publishing import Publisher
    from streams.relay import Relay

FOLDED = Counter(
    "relief_facts_folded", "Facts that this process has folded into the views", registry=REGISTRY
)
FOLD_SECONDS = Histogram(
    "relief_fold_seconds",
    "One transaction that folds facts: a frame of a worker, or a batch of the follower",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=REGISTRY,
)
GAPS = Counter(
    "relief_worker_gaps", "Gaps between frames that were fetched from the log", registry=REGISTRY
)
FETCHED = Counter(
    "relief_worker_fetched_facts",
    "Facts read from the log because no frame had brought them",
    registry=REGISTRY,
)
UNDECODABLE = Counter(
    "relief_worker_undecodable_frames",
    "Messages that were no frame of this log as it is; their facts are fetched from the log",
    registry=REGISTRY,
)

DATABASE_UP = Family("relief_database_up", "1 when log and views answered this scrape, else 0")
LOG_HEAD = Family("relief_log_head", "Position of the newest fact in the log")
VIEW_POSITION = Family(
    "relief_view_position", "How far a view has come in a partition", ("view", "partition")
)
VIEW_LAG_FACTS = Family(
    "relief_view_lag_facts",
    "Positions of the log that a view has not reached in a partition",
    ("view", "partition"),
)
VIEW_LAG_SECONDS = Family(
    "relief_view_lag_seconds",
    "Age of the oldest fact that a view has not reached in a partition; 0 when there is none",
    ("view", "partition"),
)
PARKED = Family(
    "relief_parked_facts", "Facts that a view could not fold and keeps aside", ("view",)
)
BOARDS_TROUBLE = Family(
    "relief_boards_trouble", "1 while the boards of this process cannot follow the views, else 0"
)
TIMEKEEPER = Family("relief_timekeeper_leading", "1 in the process whose timekeeper acts, else 0")
CLOCK_SKEW = Family(
    "relief_clock_skew_seconds", "Clock of PostgreSQL less the clock of this process"
)
RELAY_LEADING = Family("relief_relay_leading", "1 in the relay that leads, 0 in one on stand-by")
RELAY_POSITION = Family("relief_relay_position", "All facts up to here are on Kafka")
RELAY_TROUBLE = Family(
    "relief_relay_trouble_seconds",
    "How long the relay has been waiting for the broker; 0: it is not",
)
RELAY_FACTS = Family("relief_relay_facts", "Facts sent to Kafka", counter=True)
RELAY_FRAMES = Family("relief_relay_frames", "Frames with facts sent to Kafka", counter=True)
RELAY_MARKS = Family("relief_relay_watermarks", "Watermarks sent to Kafka", counter=True)
RELAY_FAILURES = Family(
    "relief_relay_failures", "Times that sending failed and was begun again", counter=True
)
RELAY_AGAIN = Family(
    "relief_relay_resends",
    "Times that the broker was found to have lost its frames, and all were sent again",
    counter=True,
)
EVENTS_POSITION = Family(
    "relief_events_position", "All facts up to here are on relief.events; of the relay that leads"
)
EVENTS_LAG = Family("relief_events_lag_facts", "Facts of the log that are not on relief.events yet")
EVENTS_TROUBLE = Family(
    "relief_events_trouble_seconds",
    "How long relief.events has been waiting for broker or log; 0: it is not",
)
EVENTS_FAILURES = Family(
    "relief_events_failures",
    "Times that sending to relief.events failed and was begun again",
    counter=True,
)
EVENTS_AGAIN = Family(
    "relief_events_resends",
    "Times that the broker was found to have lost events, and they were sent again",
    counter=True,
)
WORKER_PARTITIONS = Family("relief_worker_partitions", "Partitions assigned to this worker")
WORKER_REBALANCING = Family("relief_worker_rebalancing", "1 while the group shares out, else 0")
WORKER_WAITING = Family("relief_worker_frames_waiting", "Frames received and not applied yet")
WORKER_TROUBLE = Family("relief_worker_trouble", "1 while this worker waits for a database, else 0")
WORKER_POSITION = Family(
    "relief_worker_position", "How far this worker has brought a partition", ("partition",)
)

ASKED = Asked(
    [
        DATABASE_UP,
        LOG_HEAD,
        VIEW_POSITION,
        VIEW_LAG_FACTS,
        VIEW_LAG_SECONDS,
        PARKED,
        BOARDS_TROUBLE,
        TIMEKEEPER,
        CLOCK_SKEW,
        RELAY_LEADING,
        RELAY_POSITION,
        RELAY_TROUBLE,
        RELAY_FACTS,
        RELAY_FRAMES,
        RELAY_MARKS,
        RELAY_FAILURES,
        RELAY_AGAIN,
        EVENTS_POSITION,
        EVENTS_LAG,
        EVENTS_TROUBLE,
        EVENTS_FAILURES,
        EVENTS_AGAIN,
        WORKER_PARTITIONS,
        WORKER_REBALANCING,
        WORKER_WAITING,
        WORKER_TROUBLE,
        WORKER_POSITION,
    ]
)


def waiting_seconds(store: Store, positions: Iterable[int], head: int) -> dict[int, float]:
    """For each position below the head: how long the first fact beyond it has been waiting.

    Positions before a fact that cannot be read are left out.
    """
    found: dict[int, float] = {}
    now = store.clock.now()  # the clock that stamped them: the machine's may have leapt
    for at in set(positions):
        if at < head:
            with suppress(StoreDamaged, UnknownTopic):
                for recorded in store.read(at, 1):
                    waited = (now - recorded.event.meta.recorded_at).total_seconds()
                    found[at] = round(max(0.0, waited), 3)
    return found


def tell_of_views(
    store: Store, views: ViewsDatabase, boards: Boards, leads: Callable[[], bool]
) -> Callable[[], None]:
    """Metrics of an API process about log, views and itself; the answer ends them."""

    def told() -> Iterable[Metric]:
        try:
            found = list(_of_views(store, views))
        except (StoreError, *DATABASE_ERRORS):
            found = []
        trouble = boards.failure is not None or boards.trouble is not None
        return [
            *found,
            DATABASE_UP((bool(found),)),
            BOARDS_TROUBLE((trouble,)),
            TIMEKEEPER((leads(),)),
        ]

    return ASKED.add(told)


def _of_views(store: Store, views: ViewsDatabase) -> Iterable[Metric]:
    head = store.head()
    positions = [
        (name, str(partition), at)
        for name, places in views.positions().items()
        for partition, at in places.items()
    ]
    late = waiting_seconds(store, (at for *_, at in positions), head)
    yield LOG_HEAD((head,))
    yield VIEW_POSITION(*positions)
    yield VIEW_LAG_FACTS(*((name, part, max(0, head - at)) for name, part, at in positions))
    yield VIEW_LAG_SECONDS(*((name, part, late.get(at, 0.0)) for name, part, at in positions))
    with views.lock:
        parked = dict(
            views.db.execute("SELECT view, count(*) FROM parked GROUP BY view").fetchall()
        )
        if isinstance(views.place, PostgresDatabase):
            began = time.time()
            there = time_of(views.db).timestamp()
            yield CLOCK_SKEW((there - (began + time.time()) / 2,))
    yield PARKED(*((view.name, parked.get(view.name, 0)) for view in views.views))


def tell_of_relay(relay: "Relay") -> Callable[[], None]:
    """Metrics of a relay; the answer ends them."""

    def told() -> Iterable[Metric]:
        return [
            RELAY_LEADING((relay.leading,)),
            RELAY_POSITION((relay.position,)),
            RELAY_TROUBLE((relay.waiting_seconds(),)),
            RELAY_FACTS((relay.events,)),
            RELAY_FRAMES((relay.frames,)),
            RELAY_MARKS((relay.watermarks,)),
            RELAY_FAILURES((relay.failures,)),
            RELAY_AGAIN((relay.resent_from_lowest,)),
        ]

    return ASKED.add(told)


def tell_of_publisher(publisher: "Publisher") -> Callable[[], None]:
    """Metrics of what publishes on relief.events; the answer ends them. How far that is says the
    relay that leads: one on stand-by does not know."""

    def told() -> Iterable[Metric]:
        yield EVENTS_TROUBLE((publisher.waiting_seconds(),))
        yield EVENTS_FAILURES((publisher.failures,))
        yield EVENTS_AGAIN((publisher.resent,))
        if publisher.in_charge:
            yield EVENTS_POSITION((publisher.position,))
            with suppress(StoreError):
                yield EVENTS_LAG((publisher.behind(),))

    return ASKED.add(told)


class Works(Protocol):
    """What is asked of a `streams.worker.Worker`."""

    assigned: frozenset[int]
    rebalancing: bool

    @property
    def frames_waiting(self) -> int: ...


class Applies(Protocol):
    """What is asked of a `streams.applying.Applying`."""

    positions: dict[int, int]

    @property
    def trouble(self) -> Any: ...


def tell_of_worker(worker: Works, applier: Applies) -> Callable[[], None]:
    """Metrics of a worker; the answer ends them."""

    def told() -> Iterable[Metric]:
        at = {n: applier.positions[n] for n in sorted(worker.assigned) if n in applier.positions}
        return [
            WORKER_PARTITIONS((len(worker.assigned),)),
            WORKER_REBALANCING((worker.rebalancing,)),
            WORKER_WAITING((worker.frames_waiting,)),
            WORKER_TROUBLE((applier.trouble is not None,)),
            WORKER_POSITION(*((str(partition), position) for partition, position in at.items())),
        ]

    return ASKED.add(told)
