"""Which of these things a reader may open: a row of theirs may name one that lies elsewhere.

A household that moved away, a fund that money came from: the row stays with whom it concerns, the
thing's own page is for those where it is now.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Table, select

from projections.asking.scope import Scope
from projections.funds import FUNDS
from projections.households import HOUSEHOLDS

KINDS: dict[str, Table] = {"households": HOUSEHOLDS, "funds": FUNDS}


def within_reach(db: Connection, scope: Scope, things: str, ids: Iterable[Any]) -> frozenset[str]:
    """Those of the ids whose thing (a key of `KINDS`) lies in the scope."""
    columns: Any = KINDS[things].c
    wanted = sorted({str(id) for id in ids})
    found = select(columns.id).where(columns.id.in_(wanted), scope.covers(columns.area))
    return frozenset(db.execute(found).scalars()) if wanted else frozenset()
