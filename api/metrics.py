"""Metrics of the edge. A route is its template, never the address that was asked."""

from collections.abc import Callable
from pathlib import Path

from prometheus_client import Counter, Histogram
from prometheus_client.metrics_core import Metric

from api.watched import watched
from eventstore.metrics import REGISTRY, Asked, Family

REQUESTS = Counter(
    "relief_http_requests",
    "Answers by route (its template; `other` for an address that is none), method and status",
    ["route", "method", "status"],
    registry=REGISTRY,
)
SECONDS = Histogram(
    "relief_http_seconds",
    "From a request's arrival to the first byte of its answer",
    ["route", "method"],
    buckets=(0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
BOARDS_OPEN = Family("relief_boards_open", "Live boards (server-sent events) that are open")
LOG_CHANGED = Family(
    "relief_log_changed",
    "1 while the watch finds that the log was changed by somebody else than the program, else 0",
)
VERIFIED_AT = Family(
    "relief_log_verified_timestamp_seconds",
    "When the whole log was last read again and found whole, in seconds since 1970",
)
CHECKPOINT_AT = Family(
    "relief_checkpoint_timestamp_seconds",
    "When the watch last signed a checkpoint of the log, in seconds since 1970",
)
COSIGNED_AT = Family(
    "relief_checkpoint_cosigned_timestamp_seconds",
    "When a witness signed the newest checkpoint that came back from one, in seconds since 1970",
)
ASKED = Asked([BOARDS_OPEN, LOG_CHANGED, VERIFIED_AT, CHECKPOINT_AT, COSIGNED_AT])

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}


def count_answer(route: str, method: str, status: int, seconds: float) -> None:
    key = route, method, status
    children = _children.get(key)
    if children is None:
        shown = method if method in METHODS else "other"
        children = REQUESTS.labels(route, shown, str(status)), SECONDS.labels(route, shown)
        if shown is method:
            _children[key] = children
    children[0].inc()
    children[1].observe(seconds)


def tell_of_boards(opened: Callable[[], int]) -> Callable[[], None]:
    """Metrics of the live boards; the answer ends them."""
    return ASKED.add(lambda: [BOARDS_OPEN((opened(),))])


def tell_of_watch(data: Path) -> Callable[[], None]:
    """Metrics of what the watch has written beside these data; the answer ends them."""

    def told() -> list[Metric]:
        known = watched(data)
        since = ((VERIFIED_AT, known.looked), (CHECKPOINT_AT, known.checkpoint))
        found = [LOG_CHANGED((float(known.alarm is not None),))]
        found += [family((one.at.timestamp(),)) for family, one in since if one is not None]
        if known.cosigned is not None:
            found.append(COSIGNED_AT((known.cosigned.at.timestamp(),)))
        return found

    return ASKED.add(told)
