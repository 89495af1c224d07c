"""Databases of ours on the tests' servers: founded once a server, then copied for each test."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cli.trial.postgres import PostgresServer
from eventstore.founding import LOGINS, Urls, found
from tests.eventstore.support import Cluster
from tests.servers import Database, fresh_database

PASSWORDS = {role: f"{role} of the tests" for role in LOGINS}
TEMPLATE = "relief_template"


@dataclass(frozen=True)
class Founded:
    """A database as `relief db init` makes it, and the place of its store."""

    database: Database
    urls: Urls
    place: Cluster

    @property
    def settings(self) -> dict[str, str]:
        """Where log, vault and views are, by the names of the settings."""
        urls = self.urls
        return {
            "database_url": urls.database,
            "vault_url": urls.vault,
            "views_url": urls.views,
        }

    @property
    def admin(self) -> str:
        return self.database.url()


@lru_cache
def template(server: PostgresServer, name: str = TEMPLATE) -> Urls:
    """A founded database that nobody uses: its addresses."""
    return found(server.url(), name, PASSWORDS)


def urls_in(database: Database, made: Urls) -> Urls:
    """The addresses of a database that was copied from this one: roles are copied along, and a
    second founded database on a server has roles with names of its own."""
    return Urls(*(urlsplit(url)._replace(path=f"/{database.name}").geturl() for url in made))


@contextmanager
def founded(server: PostgresServer, folder: Path) -> Iterator[Founded]:
    """A fresh database with roles and tables; ``folder`` is for the vault's key."""
    made = template(server)
    with fresh_database(server, TEMPLATE) as database:
        urls = urls_in(database, made)
        yield Founded(database, urls, Cluster(urls.database, urls.vault, folder))


@pytest.fixture
def cluster(postgres: PostgresServer, tmp_path: Path) -> Iterator[Founded]:
    """A founded database on the shared PostgreSQL 18."""
    with founded(postgres, tmp_path) as made:
        yield made
