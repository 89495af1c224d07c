"""What operators have given up, as the log says it."""

from collections.abc import Sequence
from pathlib import Path

from domain.parked_facts import ParkedFacts
from eventstore.mapper import TypedMapper
from eventstore.source import open_source
from projections.folding.base import View
from projections.folding.facts import Dropped


def dropped_in(source: str | Path, views: Sequence[View]) -> Dropped:
    """The views and positions that are left out, from a log's address (`Log.source`).

    It is enough to ask when a process starts, and when a view is rebuilt or replayed: what is
    dropped while a process runs was parked by it or has stopped it, so that it is not folded.
    """
    names = {ParkedFacts.id_of(view.name).bytes: view.name for view in views}
    marks = ",".join("?" * len(names))
    sql = f"SELECT stream, topic, state FROM events WHERE stream IN ({marks})"  # noqa: S608
    mapper = TypedMapper([ParkedFacts])
    db = open_source(source)
    try:
        found = [
            (names[bytes(stream)], mapper.decode(topic, state))
            for stream, topic, state in db.execute(sql, tuple(names)).fetchall()
            if mapper.class_of(topic) is ParkedFacts.Dropped
        ]
    finally:
        db.close()
    return frozenset(
        (view, fact.position) for view, fact in found if isinstance(fact, ParkedFacts.Dropped)
    )
