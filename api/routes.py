"""All routes as data: commands, queries, live boards. A test holds each against the matrix."""

from api import routes_relief, routes_reports
from api.reads import Read
from api.routes_writes import WRITES
from domain.world import Role

READS: tuple[Read, ...] = (*routes_reports.READS, *routes_relief.READS)

LIVE: dict[str, tuple[frozenset[str], frozenset[Role]]] = {
    **routes_reports.LIVE,
    **routes_relief.LIVE,
}

__all__ = ["LIVE", "READS", "WRITES"]
