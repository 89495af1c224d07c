"""Metrics of the event store, and the registry that all rooms' metrics are in.

Labels are names from the code (a command's type, a rule's code), never of persons, places or
things. What is only a number somewhere else is read when somebody asks, by `Asked`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as CONTENT_TYPE
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from eventstore.outcomes import Envelope, Receipt, Refused

disable_created_metrics()  # type: ignore[no-untyped-call]
REGISTRY = CollectorRegistry(auto_describe=True)
ProcessCollector(registry=REGISTRY)

COMMANDS = Counter(
    "relief_commands",
    "Commands by type and outcome: accepted, repeated (answered from the log), refused (by a"
    " rule), failed (store or program)",
    ["command", "outcome"],
    registry=REGISTRY,
)
REFUSALS = Counter(
    "relief_refusals", "Commands that a rule refused, by the rule", ["rule"], registry=REGISTRY
)
BATCH_COMMANDS = Histogram(
    "relief_batch_commands",
    "Commands that were decided and committed together",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
    registry=REGISTRY,
)
COMMIT_SECONDS = Histogram(
    "relief_commit_seconds",
    "From taking a batch to knowing that it is durable, lock and repetitions included",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
LIMITS_REACHED = Counter(
    "relief_limits_reached",
    "Requests and connections that were refused because a limit was reached, by its setting",
    ["limit"],
    registry=REGISTRY,
)
LIMIT_LAST_REACHED = Gauge(
    "relief_limit_last_reached_timestamp_seconds",
    "When this process last refused something because of a limit, in seconds since 1970, by its"
    " setting",
    ["limit"],
    registry=REGISTRY,
)
FACTS = Counter("relief_facts_written", "Facts that this process has committed", registry=REGISTRY)

_children: dict[tuple[str, str], Counter] = {}


def count_batch(
    envelopes: Sequence[Envelope], answers: Sequence[Receipt | BaseException], seconds: float
) -> None:
    """What became of one batch of commands."""
    BATCH_COMMANDS.observe(len(envelopes))
    COMMIT_SECONDS.observe(seconds)
    facts = 0
    for envelope, answer in zip(envelopes, answers, strict=True):
        if isinstance(answer, Receipt):
            outcome = "repeated" if answer.repeated else "accepted"
            facts += 0 if answer.repeated else answer.facts
        elif isinstance(answer, Refused):
            outcome = "refused"
            REFUSALS.labels(answer.problem.code).inc()
        else:
            outcome = "failed"
        key = type(envelope.command).__name__, outcome
        child = _children.get(key)
        if child is None:
            child = _children[key] = COMMANDS.labels(*key)
        child.inc()
    FACTS.inc(facts)


@dataclass(frozen=True)
class Family:
    """A metric whose values somebody else keeps."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    counter: bool = False

    def __call__(self, *samples: tuple[*tuple[str, ...], float]) -> Metric:
        """The metric with these samples: label values, then the value."""
        kind = CounterMetricFamily if self.counter else GaugeMetricFamily
        found = kind(self.name, self.help, labels=self.labels)
        for *labels, value in samples:
            found.add_metric([str(label) for label in labels], float(value))
        return found


class Asked(Collector):
    """Metrics whose values are asked for at each scrape, of whoever runs in this process."""

    def __init__(self, families: Sequence[Family]) -> None:
        self.families = tuple(families)
        self._sources: list[Callable[[], Iterable[Metric]]] = []
        REGISTRY.register(self)

    def add(self, source: Callable[[], Iterable[Metric]]) -> Callable[[], None]:
        """Ask this one too; the answer ends that."""
        self._sources.append(source)
        return lambda: self._sources.remove(source)

    def describe(self) -> Iterable[Metric]:
        return [family() for family in self.families]

    def collect(self) -> Iterable[Metric]:
        found: dict[str, Metric] = {}
        for source in list(self._sources):
            for metric in source():
                known = found.setdefault(metric.name, metric)
                if known is not metric:
                    known.samples += metric.samples
        return found.values()


def page() -> tuple[int, str, bytes]:
    """What ``/metrics`` answers: status, content type, body."""
    return 200, CONTENT_TYPE, generate_latest(REGISTRY)
