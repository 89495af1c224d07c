"""Facts that a view could not fold: kept with their bytes and the reason, for somebody to look at.

Later facts of the same stream park behind the first, so that the view never folds a stream with
a hole in it. Other streams and other views go on. What a parked fact had begun is not kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from eventstore.sql import Sql
from projections.folding.facts import Fact

BEHIND = "behind"
"""The reason of a fact that is parked only because an earlier one of its stream is."""
LONGEST_REASON = 500

Unfolded = tuple[str, Fact, str]
"""A view, a fact that it could not fold or that waits behind such a one, and the reason."""


@dataclass(frozen=True, slots=True)
class Parked:
    view: str
    partition: int
    position: int
    stream: UUID
    topic: str
    state: bytes
    reason: str
    at: datetime


def park(db: Sql, unfolded: Sequence[Unfolded]) -> None:
    """Keep what could not be folded, for somebody to look at."""
    if not unfolded:
        return
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    db.executemany(
        "INSERT INTO parked (view, partition, position, stream, topic, state, reason, at)"
        " VALUES (?,?,?,?,?,?,?,?) ON CONFLICT (view, position) DO NOTHING",
        [
            (
                view,
                f.partition,
                f.position,
                f.stream,
                f.topic,
                f.state,
                reason[:LONGEST_REASON].replace("\0", "\\0"),
                at,
            )
            for view, f, reason in unfolded
        ],
    )


def parked_streams(db: Sql, view: str, partition: int) -> set[bytes]:
    sql = "SELECT DISTINCT stream FROM parked WHERE view = ? AND partition = ?"
    return {bytes(stream) for (stream,) in db.execute(sql, (view, partition))}


def all_parked(db: Sql) -> list[Parked]:
    """Everything parked, in the order of views and positions."""
    sql = (
        "SELECT view, partition, position, stream, topic, state, reason, at FROM parked"
        " ORDER BY view, position"
    )
    return [
        Parked(
            view,
            partition,
            position,
            UUID(bytes=bytes(stream)),
            topic,
            bytes(state),
            reason,
            datetime.fromisoformat(at),
        )
        for view, partition, position, stream, topic, state, reason, at in db.execute(sql)
    ]
