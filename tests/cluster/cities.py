"""A generated city of eight counties on PostgreSQL: built once, copied for each test.

It is a whole store: facts, answers, vault, officers with log-ins. Its views are empty, for those
are made by workers.
"""

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from argon2 import PasswordHasher

from cli.trial.postgres import PostgresServer
from domain.catalog import AGGREGATES
from eventstore.accounts import Accounts
from eventstore.copying import Place, copy
from eventstore.founding import Urls
from eventstore.postgres import PostgresLog
from eventstore.store import Store
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase
from streams.embedded import Follower
from tests.city import City, build_city
from tests.clients import Clients, members_wishes, units_wishes
from tests.clusters import template as founded_template
from tests.clusters import urls_in
from tests.eventstore.support import Cluster
from tests.oracles import tables_of
from tests.servers import fresh_database

COUNTIES = 8
TEMPLATE = "city_template"
KEY = "vault.key"
PASSWORD = "correct horse"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass(frozen=True)
class Embedded:
    """The city in a folder, made by commands and followed as `relief serve` follows it."""

    folder: Path
    city: City
    tables: dict[str, str]
    """SHA-256 of each table that the embedded follower made."""


@lru_cache(maxsize=1)
def embedded() -> Embedded:
    """The city's folder, built once a run. For reading only."""
    folder = Path(tempfile.mkdtemp(prefix="city-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    store = Store.at(folder, AGGREGATES)
    views = ViewsDatabase(folder / "views.sqlite", VIEWS)
    try:
        city = build_city(store, COUNTIES)
        follower = Follower(store, views)
        while follower.step():
            pass
        assert views.position() == store.head()
        assert views.parked() == [], "every view can fold every fact"
        return Embedded(folder, city, tables_of(views))
    finally:
        views.close()
        store.close()


@lru_cache
def template(server: PostgresServer) -> dict[str, str]:
    """Copy the city to a database that nobody uses; the bearer tokens of its officers."""
    made = embedded()
    urls = founded_template(server, TEMPLATE)
    with tempfile.TemporaryDirectory() as folder:
        key = Path(folder) / KEY
        copy(Place.folder(made.folder), Place(urls.database, urls.vault, key))
        store = Cluster(urls.database, urls.vault, Path(folder)).open()
        try:
            accounts = Accounts(store.vault, CHEAP)
            for name in logins(made.city):
                accounts.set_password(name, made.city.officer(name), PASSWORD)
            return logged_in(store, made.city)
        finally:
            store.close()


def logged_in(store: Store, city: City) -> dict[str, str]:
    """Bearer tokens of the city's officers. Backups carry passwords, and no sessions."""
    accounts = Accounts(store.vault, CHEAP)
    return {name: accounts.log_in(name, PASSWORD, "token")[0] for name in logins(city)}


def logins(city: City) -> list[str]:
    """The officers that tests act as: a dispatcher and a reporter a county, and the city's."""
    names = [name for one in city.counties for name in (one.dispatcher, one.villages[0].reporter)]
    return [*names, "city-reviewer"]


@dataclass(frozen=True)
class CityPlace:
    """A city of one's own on PostgreSQL."""

    city: City
    urls: Urls
    place: Cluster
    tokens: dict[str, str]
    admin: str

    def env(self, **more: str) -> dict[str, str]:
        """Settings of a process on it."""
        return {
            "RELIEF_DATABASE_URL": self.urls.database,
            "RELIEF_VAULT_URL": self.urls.vault,
            "RELIEF_VIEWS_URL": self.urls.views,
            "RELIEF_READ_URL": self.urls.read,
            "RELIEF_DATA": str(self.place.folder),
        } | more

    @contextmanager
    def log(self) -> Iterator[PostgresLog]:
        log = PostgresLog(self.urls.database)
        try:
            yield log
        finally:
            log.close()

    def clients(self, count: int = COUNTIES, turn: str = "") -> Clients:
        """One a county, in turn: the dispatcher's units, the reporter's households.

        Clients of another ``turn`` act on other units.
        """
        found = Clients()
        for n in range(count):
            county = self.city.counties[n % COUNTIES]
            if n % 2:
                home = self.household(n)
                wishes = members_wishes(f"{turn}{n}", home)
                found.add(self.tokens[county.villages[0].reporter], wishes)
            else:
                area = self.city.area(county.key)
                found.add(self.tokens[county.dispatcher], units_wishes(f"{turn}{n}", area))
        return found

    def household(self, n: int) -> UUID:
        """Of the first village of a county."""
        return self.city.household(self.city.counties[n % COUNTIES].villages[0].household(2))


@contextmanager
def city_on(server: PostgresServer, folder: Path) -> Iterator[CityPlace]:
    """A fresh copy of the city; ``folder`` gets the vault's key."""
    tokens = template(server)
    made = embedded()
    with fresh_database(server, TEMPLATE) as database:
        shutil.copy(made.folder / KEY, folder / KEY)
        urls = urls_in(database, founded_template(server, TEMPLATE))
        place = Cluster(urls.database, urls.vault, folder)
        yield CityPlace(made.city, urls, place, tokens, database.url())
