"""A province's year: 50,000 officers and 1,000,000 cases, by the bus into the views.

One city's year is decided by real commands (`tests.city`); the other cities' facts are copies of
it, written past the rules (`bench.copies`): deciding all of them would take a day. From the log on
everything is real: the relay, Apache Kafka, two workers, all views on PostgreSQL. ``--scale`` is
the share of a province, 0.05 unless given: a sample of a twentieth, in minutes.

``BENCH_PROVINCE=FOLDER`` keeps the database there. A log of that size in it is used again, and its
views are made anew. ``--scale 1`` takes 12 GB for the log, as much for frames, 20 GB for views.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from bench.base import Reach, Result, machine
from bench.cluster import Place, kafka, place, postgres, relief, tansu
from bench.copies import Template, append
from bench.questions import asked
from cli.trial.postgres import PostgresServer
from eventstore.postgres import PostgresLog
from projections.catalog import VIEWS

OFFICERS, CASES = 50_000, 1_000_000
SAMPLE = 0.05
CITY_SCALE = 16
LONGEST_SECONDS = 6 * 3600.0
LOOK_SECONDS = 0.2


def sizes(here: Place) -> dict[str, float]:
    """GB on the disk, indexes and all."""
    sql = (
        "SELECT n.nspname, sum(pg_total_relation_size(c.oid)) / 1e9 FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind = 'r' AND n.nspname IN ('log', 'views') GROUP BY 1"
    )
    with psycopg.connect(here.server.url(here.name)) as db:
        return {name: round(float(size), 3) for name, size in db.execute(sql).fetchall()}


def lowest(db: psycopg.Connection[Any]) -> int:
    found = db.execute("SELECT coalesce(min(position), 0) FROM views.positions").fetchone()
    assert found is not None
    return int(found[0])


def folded(here: Place, broker: str, head: int, workers: int) -> tuple[float, float]:
    """Seconds until every view has come to the head, and the most memory of a worker in MB."""
    with (
        psycopg.connect(here.server.url(here.name), autocommit=True) as db,
        relief(here.env(broker), workers=workers) as groups,
    ):
        began = time.perf_counter()
        with relief(here.env(broker), relay=True):
            while lowest(db) < head:
                if time.perf_counter() - began > LONGEST_SECONDS:
                    raise TimeoutError(f"at {lowest(db)} of {head}")
                time.sleep(LOOK_SECONDS)
            return time.perf_counter() - began, groups["worker"].peak_mb()


class Filled(NamedTuple):
    here: Place
    facts: int
    per_second: float | None
    """How fast the log was written, if it was."""


@contextmanager
def folder() -> Iterator[Path]:
    """``BENCH_PROVINCE``, or one for this run alone."""
    if kept := os.environ.get("BENCH_PROVINCE"):
        Path(kept).mkdir(parents=True, exist_ok=True)
        yield Path(kept)
        return
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        yield Path(name)


def filled(server: PostgresServer, scratch: Path, template: Template, cities: int) -> Filled:
    """A place with the log of so many cities: written now, or found there, its views forgotten."""
    here = place(server, scratch)
    log = PostgresLog(here.urls.database)
    began, facts, head = time.perf_counter(), template.count(cities), log.head()
    if not head:
        append(log, template.rows_of(cities))
    log.close()
    if head not in (0, facts):
        raise ValueError(f"{scratch} holds a log of {head} facts, not of {facts}")
    if head:
        server.execute("DROP SCHEMA views CASCADE", here.name)
        return Filled(place(server, scratch), facts, None)
    return Filled(here, facts, facts / (time.perf_counter() - began))


def run(*, tiny: bool = False, scale: float = SAMPLE) -> Result:
    about = machine()
    template = Template(1 if tiny else CITY_SCALE)
    officers = sum(row[2] == 1 and row[3].startswith("Officer.") for row in template.rows)
    cases = sum(row[3] == "ReliefCase.Applied" for row in template.rows)
    cities = max(OFFICERS / officers, CASES / cases)
    copies = 2 if tiny else max(1, ceil(cities * scale))
    with ExitStack() as stack:
        scratch = stack.enter_context(folder())
        server = stack.enter_context(postgres(scratch))
        here, facts, rate = filled(server, scratch, template, copies)
        broker = stack.enter_context((tansu if tiny else kafka)(scratch))
        seconds, memory = folded(here, broker, facts, workers=2)
        server.execute("VACUUM ANALYZE", here.name)
        gigabytes = sizes(here)
        county = asked(here.urls.views, template.id_of(template.city.area("c0")))
        province = asked(here.urls.views, template.id_of(template.city.area("province")))
    figures: dict[str, Any] = {
        "share_of_a_province": round(copies / cities, 4),
        "cities": copies,
        "officers": officers * copies,
        "cases": cases * copies,
        "facts": facts,
        "views": len(VIEWS),
        "written_to_the_log_per_second": rate and round(rate),
        "folded_seconds": round(seconds, 1),
        "folded_per_second": round(facts / seconds),
        "worker_peak_mb": round(memory),
        "log_gb": gigabytes["log"],
        "views_gb": gigabytes["views"],
        "whole_year_hours_at_this_rate": round(seconds * cities / copies / 3600, 2),
    }
    figures |= {f"county_{name}_ms": ms for name, ms in county.items()}
    figures |= {f"province_{name}_ms": ms for name, ms in province.items()}
    slowest = max(county.values())
    return Result(
        "province",
        figures,
        {"slowest_question_of_a_county_ms": slowest},
        about,
        {"slowest_question_of_a_county_ms": Reach(at_most=500, unit="ms")},
    )
