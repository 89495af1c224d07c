"""All routes as data: commands, queries, live boards. A test holds each against the matrix."""

from api.reads import Read
from api.routes_writes import WRITES
from domain.world import Role

READS: tuple[Read, ...] = ()

LIVE: dict[str, tuple[frozenset[str], frozenset[Role]]] = {}

__all__ = ["LIVE", "READS", "WRITES"]
