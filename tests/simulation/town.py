"""The town of every world, built once by commands and copied ever after."""

import atexit
import shutil
import sqlite3
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from domain.catalog import AGGREGATES
from eventstore.store import Store
from projections.folding.engine import ViewsDatabase
from streams.frames import PARTITIONS_MARK
from streams.sealing import seal_frames
from tests.city import dispatch, flood, places, supply
from tests.city.base import City, make_county
from tests.simulation.memory import MemoryViews, copied
from tests.simulation.tally import SEEN

COUNTIES = 3
PARTITIONS = 4
QUILTS = 60

RELAY = """
CREATE TABLE relay (
    topic TEXT PRIMARY KEY, topic_id TEXT NOT NULL, epoch INTEGER NOT NULL,
    position INTEGER NOT NULL, sent TEXT NOT NULL
);
"""


@dataclass(frozen=True)
class Template:
    """A prepared log and vault; the views of a cluster that has not started yet."""

    log: sqlite3.Connection
    vault: sqlite3.Connection
    views: sqlite3.Connection
    key: Path
    city: City
    """For names: officers, areas, funds. Its store is closed."""
    head: int
    now: datetime


@lru_cache(maxsize=1)
def template() -> Template:
    """Three counties under a city, with officers, units, money, and few quilts for many."""
    folder = Path(tempfile.mkdtemp(prefix="simulation-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    store = Store.at(folder, AGGREGATES)
    city = City(store, tuple(make_county(n, 1) for n in range(COUNTIES)), 1, 1)
    store.begin_simulated(city.now)
    store.log.set_mark(PARTITIONS_MARK, str(PARTITIONS))
    seal_frames(store)
    places.begin(city)
    city.day(2018, 6, 6)
    supply.money(city)
    supply.receive(city, "city", "quilt", QUILTS, "city-storekeeper")
    for county in city.counties:
        supply.receive(city, county.key, "coat", 50, county.storekeeper)
    dispatch.teams(city)
    city.day(2018, 7, 4, 7)
    flood.declare(city, flood.FLOOD, "7·4暴雨洪涝（演示）", "city", "city-reviewer")
    city.day(2018, 7, 4, 12)
    city.send()
    head = store.head()
    store.close()
    log = copied(sqlite3.connect(folder / "log.sqlite"))
    log.executescript(RELAY)
    vault = copied(sqlite3.connect(folder / "vault.sqlite"))
    place = MemoryViews.empty()
    ViewsDatabase(place, SEEN, PARTITIONS)
    now = city.now.astimezone(UTC)
    return Template(log, vault, place.connection, folder / "vault.key", city, head, now)
