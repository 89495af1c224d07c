"""Rows of the log that somebody has put there by hand, and that an operator has disowned.

Such a row stays where it is: its leaf is part of the tree over the log. It is no fact, and whoever
reads facts passes it over.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from domain.store import ForgedRow
from domain.store import Store as Ledger
from eventstore.log import Log, Row
from eventstore.mapper import TypedMapper
from eventstore.merkle import NO_LEAF, leaf_of

DISOWNS: Final = Ledger.RowDisowned.topic()

_disowning = TypedMapper([Ledger])


class Disowned(msgspec.Struct, frozen=True):
    """A row that somebody put into the log by hand, and that is known to be none of ours: who said
    so, when, and at which position that stands."""

    row: ForgedRow
    said_at: int
    operator: str
    at: datetime


def disowned_by(row: Row) -> Disowned | None:
    """What a fact of the ledger about itself disowns; None if it says something else."""
    position, _, _, topic, state = row
    fact = _disowning.decode(topic, bytes(state)) if topic == DISOWNS else None
    if not isinstance(fact, Ledger.RowDisowned):
        return None
    return Disowned(fact.row, position, fact.operator, fact.meta.recorded_at)


def still(log: Log, row: ForgedRow) -> bool:
    """Whether this very row stands in the log."""
    at = row.position
    return any(row_told(one) == row for one in log.rows(at - 1, 1, at))


def said_in(log: Log, upto: int | None = None) -> list[Disowned]:
    """What the ledger's own stream disowns, of what still stands in the log. Whether the program
    has written that is not looked at."""
    ledger = Ledger.id_of(log.mark("born") or "")
    rows = log.stream_rows(ledger, upto_position=upto)
    found = [one for row in rows if (one := disowned_by(row)) is not None]
    return [one for one in found if still(log, one.row)]


def row_told(row: Row) -> ForgedRow | None:
    """A row of the log by its place and its hash; None of one that has something else in them."""
    position, stream, version, topic, _ = row
    try:
        leaf = leaf_of(row).hex()
        return ForgedRow(position, UUID(bytes=bytes(stream)), int(version), topic, leaf)
    except (*NO_LEAF, ValueError):
        return None
