"""Real servers for the tests, one of each for the whole run, and a fresh database for each test."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from cli.trial.broker import Broker
from cli.trial.postgres import SUPERUSER, PostgresServer


@dataclass(frozen=True)
class Database:
    """One database of a server; it is dropped with all its sessions when the test ends."""

    server: PostgresServer
    name: str

    def url(self, user: str = SUPERUSER, password: str | None = None) -> str:
        return self.server.url(self.name, user, password)


@contextmanager
def fresh_database(server: PostgresServer, template: str = "template0") -> Iterator[Database]:
    """A new database, empty or a copy of ``template`` (to which nobody may be connected).

    Roles belong to the server, not to the database: make them only if they are missing.
    """
    name = f"test_{secrets.token_hex(6)}"
    server.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield Database(server, name)
    finally:
        if server.running:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """PostgreSQL 18 for the whole run, fast and not durable. Do not stop or kill it: start your
    own ``PostgresServer(tmp_path)`` for that."""
    with PostgresServer(tmp_path_factory.mktemp("postgres"), fsync=False) as server:
        yield server


@pytest.fixture
def postgres_database(postgres: PostgresServer) -> Iterator[Database]:
    """A fresh, empty database of the shared server."""
    with fresh_database(postgres) as database:
        yield database


@pytest.fixture(scope="module")
def postgres_module_database(postgres: PostgresServer) -> Iterator[Database]:
    """One database for all tests of a file."""
    with fresh_database(postgres) as database:
        yield database


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A Tansu broker for the whole run: use topics and groups of your own. Do not stop, kill or
    pause it: start your own ``Broker(tmp_path)`` for that."""
    with Broker(tmp_path_factory.mktemp("broker")) as server:
        yield server
