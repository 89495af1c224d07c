"""Rebuilding all views of the demo county from its log, on all cores.

Against the library's plain way: the first facts of the same log in the library's own encoding,
decoded by its mapper, folded into one view (the newest fact of each stream) by its tracking
recorder, one transaction a fact. And against reading all rows of the log raw, undecoded.
"""

import os
import sqlite3
import tempfile
import time
from pathlib import Path
from uuid import UUID

from eventsourcing.persistence import Mapper, StoredEvent, Tracking
from eventsourcing.sqlite import SQLiteDatastore, SQLiteTrackingRecorder

from bench import demo_store, library
from bench.base import REPETITIONS, Reach, Result, machine, median, pairs, ratio
from domain.catalog import AGGREGATES
from eventstore.mapper import TypedMapper
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase
from projections.folding.rebuild import rebuild

PLAIN_FACTS = 3000


class PlainView(SQLiteTrackingRecorder):
    """One view as the library's documents write it."""

    def construct_create_table_statements(self) -> list[str]:
        table = (
            "CREATE TABLE IF NOT EXISTS newest (stream TEXT PRIMARY KEY, version INTEGER,"
            " topic TEXT, recorded_at TEXT)"
        )
        return [*super().construct_create_table_statements(), table]

    def newest(self, event: object, tracking: Tracking) -> None:
        """Fold one fact and its position, in one transaction."""
        fact: dict[str, object] = vars(event)
        row = (
            str(fact["originator_id"]),
            fact["originator_version"],
            type(event).__qualname__,
            fact["meta"].recorded_at.isoformat(),  # type: ignore[attr-defined]
        )
        with self.datastore.transaction(commit=True) as cursor:
            cursor.execute("INSERT OR REPLACE INTO newest VALUES (?,?,?,?)", row)
            self._insert_tracking(cursor, tracking)


def library_rows(log: Path, wanted: int) -> list[StoredEvent]:
    """Facts from the middle of the log, as the library would have stored them."""
    ours = TypedMapper(AGGREGATES)
    theirs: Mapper[UUID] = Mapper(library.transcoder())
    db = sqlite3.connect(log)
    rows = db.execute(
        "SELECT topic, state FROM events WHERE position > (SELECT max(position) / 2 FROM events)"
        " ORDER BY position LIMIT ?",
        (wanted,),
    ).fetchall()
    db.close()
    return [theirs.to_stored_event(ours.decode(*row)) for row in rows]


def plain(rows: list[StoredEvent], folder: Path, n: int) -> float:
    """Facts a second, the library's plain way."""
    view = PlainView(SQLiteDatastore(str(folder / f"plain{n}.sqlite")))
    view.create_table()
    mapper: Mapper[UUID] = Mapper(library.transcoder())
    began = time.perf_counter()
    for position, row in enumerate(rows, start=1):
        view.newest(mapper.to_domain_event(row), Tracking("bench", position))
    took = time.perf_counter() - began
    view.datastore.close()
    return len(rows) / took


def raw(log: Path) -> float:
    """Rows a second, fetched and dropped."""
    db = sqlite3.connect(log)
    began = time.perf_counter()
    count = 0
    cursor = db.execute(
        "SELECT position, stream, version, topic, state FROM events ORDER BY position"
    )
    while rows := cursor.fetchmany(4096):
        count += len(rows)
    took = time.perf_counter() - began
    db.close()
    return count / took


def rebuilt(log: Path, folder: Path, n: int) -> float:
    """Facts a second until all views have been switched."""
    views = ViewsDatabase(folder / f"views{n}.sqlite", VIEWS)
    try:
        done = rebuild(log, views, workers=os.cpu_count() or 1)
    finally:
        views.close()
    return done.events / done.seconds


def run(*, tiny: bool = False) -> Result:
    about = machine()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        scratch = Path(name)
        log = demo_store.existing_or_built(scratch, small=tiny) / "log.sqlite"
        rows = library_rows(log, 50 if tiny else PLAIN_FACTS)
        repetitions = 1 if tiny else REPETITIONS
        raws: list[float] = []

        def one(n: int) -> float:
            raws.append(raw(log))
            return rebuilt(log, scratch, n)

        mine, other = pairs(one, lambda n: plain(rows, scratch, n), repetitions)
        db = sqlite3.connect(log)
        events = db.execute("SELECT count(*) FROM events").fetchone()[0]
        db.close()
    return Result(
        "rebuild",
        {
            "events": events,
            "views": len(VIEWS),
            "processes": os.cpu_count() or 1,
            "rebuild_events_per_second": round(median(mine)),
            "plain_events_per_second": round(median(other)),
            "raw_rows_per_second": round(median(raws)),
        },
        {"rebuild_over_plain": ratio(mine, other), "rebuild_over_raw_read": ratio(mine, raws)},
        about,
        {
            "rebuild_over_plain": Reach(at_least=20),
            "rebuild_over_raw_read": Reach(at_least=0.08),
        },
    )
