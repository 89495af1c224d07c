"""All routes as data: commands, queries, live boards. A test holds each against the matrix."""

from collections.abc import Callable
from functools import cache
from typing import Any

from api import routes_relief, routes_reports
from api.reads import Read
from api.routes_writes import WRITES
from domain.world import Role

READS: tuple[Read, ...] = (*routes_reports.READS, *routes_relief.READS)

LIVE: dict[str, tuple[frozenset[str], frozenset[Role]]] = {
    **routes_reports.LIVE,
    **routes_relief.LIVE,
}

__all__ = ["LIVE", "READS", "WRITES", "read_of"]


@cache
def read_of(query: Callable[..., Any]) -> Read:
    """The route of a query: its roles decide who may ask. LookupError if it has none."""
    for read in READS:
        if read.query is query:
            return read
    raise LookupError(f"{query.__name__} has no route")
