"""Rebuilding all views of a city's log on PostgreSQL, against reading its rows raw.

Rebuilt until the new tables are switched, on all cores, processes started included. Raw: one
session fetches all rows by a cursor, thousands at a time, and drops them undecoded.
"""

import os
import tempfile
import time
from pathlib import Path

import psycopg

from bench.base import REPETITIONS, Reach, Result, machine, median, pairs, ratio
from bench.cluster import Place, place, postgres
from bench.copies import Template, append
from eventstore.postgres import PostgresLog
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase
from projections.folding.rebuild import rebuild
from streams.frames import PARTITIONS

FACTS = 100_000
FETCHED = 4096


def filled(here: Place, template: Template, facts: int) -> int:
    """So many facts in its log, and PostgreSQL's statistics of them."""
    log = PostgresLog(here.urls.database)
    written = append(log, iter(template.first(facts)))
    log.close()
    here.server.execute("VACUUM ANALYZE log.events", here.name)
    return written


def raw(here: Place) -> float:
    """Rows a second."""
    with psycopg.connect(here.urls.database) as db, db.cursor("raw", binary=True) as cursor:
        cursor.itersize = FETCHED
        began = time.perf_counter()
        cursor.execute(
            "SELECT position, stream, version, topic, state FROM log.events ORDER BY position"
        )
        count = 0
        while rows := cursor.fetchmany(FETCHED):
            count += len(rows)
        return count / (time.perf_counter() - began)


def rebuilt(here: Place) -> float:
    """Facts a second until all views are switched."""
    views = ViewsDatabase(here.urls.views, VIEWS, PARTITIONS)
    try:
        done = rebuild(here.urls.database, views, workers=os.cpu_count() or 1)
    finally:
        views.close()
    return done.events / done.seconds


def run(*, tiny: bool = False) -> Result:
    about = machine()
    facts = 3_000 if tiny else FACTS
    with tempfile.TemporaryDirectory(prefix="bench-") as name, postgres(Path(name)) as server:
        here = place(server, Path(name))
        written = filled(here, Template(1 if tiny else 4), facts)
        raw(here)
        mine, raws = pairs(lambda _: rebuilt(here), lambda _: raw(here), 1 if tiny else REPETITIONS)
    return Result(
        "rebuild-postgres",
        {
            "facts": written,
            "views": len(VIEWS),
            "processes": os.cpu_count() or 1,
            "rebuild_facts_per_second": round(median(mine)),
            "raw_rows_per_second": round(median(raws)),
        },
        {"rebuild_over_raw_read": ratio(mine, raws)},
        about,
        {"rebuild_over_raw_read": Reach(at_least=0.06)},
    )
