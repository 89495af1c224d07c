"""Databases of ours on the tests' servers: founded once a server, then copied for each test."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

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
    def admin(self) -> str:
        return self.database.url()


@lru_cache
def template(server: PostgresServer) -> str:
    """The name of a founded database that nobody uses."""
    found(server.url(), TEMPLATE, PASSWORDS)
    return TEMPLATE


@contextmanager
def founded(server: PostgresServer, folder: Path) -> Iterator[Founded]:
    """A fresh database with roles and tables; ``folder`` is for the vault's key."""
    with fresh_database(server, template(server)) as database:
        urls = Urls(*(database.url(role, PASSWORDS[role]) for role in LOGINS))
        yield Founded(database, urls, Cluster(urls.database, urls.vault, folder))


@pytest.fixture
def cluster(postgres: PostgresServer, tmp_path: Path) -> Iterator[Founded]:
    """A founded database on the shared PostgreSQL 18."""
    with founded(postgres, tmp_path) as made:
        yield made
