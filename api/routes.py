"""All routes as data: commands, queries, live boards. A test holds each against the matrix."""

from api import routes_reports
from api.reads import Read
from api.routes_writes import WRITES
from domain.world import Role

READS: tuple[Read, ...] = (*routes_reports.READS,)

LIVE: dict[str, tuple[frozenset[str], frozenset[Role]]] = {**routes_reports.LIVE}

__all__ = ["LIVE", "READS", "WRITES"]
