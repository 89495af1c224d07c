"""Facts that a view could not fold: kept with their bytes and the reason, for somebody to look at.

Later facts of the same stream park behind the first, so that the view never folds a stream with
a hole in it. Other streams and other views go on. Rows that the handler had changed before it
failed are rolled back. An operator may give a fact up for a view, or disown a row that somebody has
put into the log by hand: that is a fact of the log itself (`domain.parked_facts`, `domain.store`),
and what was given up is left out wherever facts are folded.
"""

from collections.abc import Container, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from domain.parked_facts import ParkedFacts
from domain.store import Store
from eventstore.mapper import TypedMapper
from eventstore.source import open_source
from eventstore.sql import Sql
from projections.folding.base import View
from projections.folding.facts import Dropped, Fact

BEHIND = "behind"
"""The reason of a fact that is parked only because an earlier one of its stream is."""
LONGEST_REASON = 500

_giving_up = TypedMapper([ParkedFacts, Store])

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


COLUMNS = "view, partition, position, stream, topic, state, reason, at"


def park(db: Sql, unfolded: Sequence[Unfolded]) -> None:
    """Keep what could not be folded, for somebody to look at."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    rows = [
        (view, f.partition, f.position, f.stream, f.topic, f.state, _kept(reason), at)
        for view, f, reason in unfolded
    ]
    if rows:
        insert = f"INSERT INTO parked ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?)"  # noqa: S608
        db.executemany(f"{insert} ON CONFLICT (view, position) DO NOTHING", rows)


def _kept(reason: str) -> str:
    return reason[:LONGEST_REASON].replace("\0", "\\0")


def parked_streams(db: Sql, view: str, partition: int) -> set[bytes]:
    sql = "SELECT DISTINCT stream FROM parked WHERE view = ? AND partition = ?"
    return {bytes(stream) for (stream,) in db.execute(sql, (view, partition))}


def all_parked(db: Sql) -> list[Parked]:
    """Everything parked, in the order of views and positions."""
    found = db.execute(f"SELECT {COLUMNS} FROM parked ORDER BY view, position")  # noqa: S608
    return [
        Parked(
            view,
            n,
            at,
            UUID(bytes=bytes(stream)),
            topic,
            bytes(state),
            why,
            datetime.fromisoformat(since),
        )
        for view, n, at, stream, topic, state, why, since in found
    ]


def left_out(forged: Iterable[int], views: Sequence[View]) -> Dropped:
    """Facts that somebody else than the program has put into the log, as views leave them out."""
    return frozenset((view.name, position) for position in forged for view in views)


def dropped_in(source: str | Path, views: Sequence[View], forged: Container[int] = ()) -> Dropped:
    """The views and positions that are left out, from a log's address (`Log.source`): what was
    given up for a view, and for all of them what was disowned. Whatever is said at positions that
    are ``forged`` was said by nobody.

    It is enough to ask when a process starts, and when a view is rebuilt or replayed: what is
    dropped while a process runs was parked by it or has stopped it, so that it is not folded.
    """
    names = {ParkedFacts.id_of(view.name).bytes: view.name for view in views}
    with closing(open_source(source)) as db:
        born = db.execute("SELECT value FROM marks WHERE key = 'born'").fetchone()
        ledger = Store.id_of(born[0] if born else "").bytes
        streams = (*names, ledger)
        sql = (
            "SELECT position, stream, topic, state FROM events"  # noqa: S608
            f" WHERE stream IN ({','.join('?' * len(streams))}) AND topic IN (?, ?)"
        )
        said = (ParkedFacts.Dropped.topic(), Store.RowDisowned.topic())
        rows = db.execute(sql, (*streams, *said)).fetchall()
    found: set[tuple[str, int]] = set()
    for position, stream, topic, state in rows:
        if position in forged:
            continue
        match _giving_up.decode(topic, state):
            case ParkedFacts.Dropped(position=at) if bytes(stream) in names:
                found.add((names[bytes(stream)], at))
            case Store.RowDisowned(row=row) if bytes(stream) == ledger:
                found |= left_out([row.position], views)
    return frozenset(found)
