"""The views of the simulation: those of stock, money, figures, units and reviews, and a tally.

The tally adds up instead of writing down: a fact that is folded twice, or not at all, shows in it
even where the real views would write the same row again.
"""

from typing import Any

from sqlalchemy import Column, Integer, MetaData, Table, Text

from domain.base import Event
from domain.catalog import AGGREGATES
from projections import areas, deadlines, disasters, dispatch, funds, reviews, situation, stock
from projections.folding.base import Rows, View

TALLY = Table(
    "tally",
    MetaData(),
    Column("stream", Text, primary_key=True),
    Column("facts", Integer, nullable=False),
    Column("positions", Integer, nullable=False),
)
"""How many facts of a stream were folded, and the sum of their positions."""


def _count(rows: Rows, at: int, fact: Event) -> None:
    stream = str(fact.originator_id)
    row = rows.get(TALLY, stream)
    if row is None:
        rows.put(TALLY, {"stream": stream, "facts": 1, "positions": at})
    else:
        rows.change(TALLY, stream, facts=row["facts"] + 1, positions=row["positions"] + at)


def _everything() -> dict[type[Event], Any]:
    return {kind: _count for aggregate in AGGREGATES for kind in aggregate.event_classes()}


COUNTED = View("tally", 1, (TALLY,), _everything())
SEEN: tuple[View, ...] = (
    areas.VIEW,
    disasters.VIEW,
    situation.VIEW,
    deadlines.VIEW,
    reviews.VIEW,
    stock.VIEW,
    dispatch.VIEW,
    funds.VIEW,
    COUNTED,
)
