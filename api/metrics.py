"""Metrics of the edge. A route is its template, never the address that was asked."""

from collections.abc import Callable

from prometheus_client import Counter, Histogram

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
ASKED = Asked([BOARDS_OPEN])

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
