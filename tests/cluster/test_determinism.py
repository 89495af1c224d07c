"""A rebuild from PostgreSQL makes the same rows wherever and whenever it runs (A16)."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.trial.postgres import PostgresServer
from eventstore.postgres import PostgresLog
from tests.cluster.cities import CityPlace, city_on, embedded
from tests.faults import TIMEOUT, Told
from tests.projections.rebuilding import run_python

REBUILD = """
import json, os, sys
from datetime import datetime
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase
from projections.folding.rebuild import rebuild
from streams.frames import PARTITIONS
from tests.oracles import tables_of
log, url, workers, cores, batch = sys.argv[1:]
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:int(cores)])
views = ViewsDatabase(url, VIEWS, PARTITIONS)
done = rebuild(log, views, workers=int(workers), batch=int(batch))
print(json.dumps([done.events, datetime.now().year, hash("relief"), tables_of(views)]))
"""
NEXT_YEAR = """
from datetime import UTC, datetime, timedelta
import time_machine
time_machine.travel(datetime.now(UTC) + timedelta(days=366), tick=True).start()
"""
"""As `sitecustomize`, in every process of the rebuild."""
WAYS = (
    {"TZ": "America/Lima", "PYTHONHASHSEED": "7", "LC_ALL": "C"},
    {"TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "4242", "LC_ALL": "POSIX"},
    {"TZ": "Asia/Shanghai", "PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"},
)
"""Of workers and cores there are 1, 2 and 3; the last one runs a year later."""


@pytest.fixture
def city(postgres: PostgresServer, tmp_path: Path) -> Iterator[CityPlace]:
    with city_on(postgres, tmp_path) as found:
        yield found


@pytest.mark.timeout(TIMEOUT)
def test_a_rebuild_makes_the_same_tables_on_other_machines_and_next_year(
    city: CityPlace, tmp_path: Path, record_property: Told
) -> None:
    later = tmp_path / "later"
    later.mkdir()
    (later / "sitecustomize.py").write_text(NEXT_YEAR)
    root = str(Path(__file__).parents[2])
    years, hashes = list[int](), set[int]()
    for n, way in enumerate(WAYS, start=1):
        path = os.pathsep.join([str(later), root] if n == len(WAYS) else [root])
        given = (city.urls.database, city.urls.views, n, n, 211 * n)
        done = run_python(REBUILD, *given, env=way | {"PYTHONPATH": path})
        assert done.returncode == 0, done.stderr
        events, year, seen, tables = json.loads(done.stdout.splitlines()[-1])
        assert tables == embedded().tables, [
            name for name in tables if tables[name] != embedded().tables[name]
        ]
        years.append(year)
        hashes.add(seen)
    log = PostgresLog(city.urls.database)
    try:
        assert events == log.head()
    finally:
        log.close()
    assert years[-1] == years[0] + 1 and len(hashes) == len(WAYS), "the ways were different"
    record_property(
        "A16",
        f"{len(WAYS)} rebuilds of {events} facts: hash seed, time zone, locale, cores, workers and "
        f"batches differ, the last a year later; one hash for each of {len(tables)} tables, that "
        "of the embedded follower",
    )
