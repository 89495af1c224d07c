"""Real servers for the tests, one of each for the whole run, and a fresh database for each test."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from cli.trial.broker import Broker
from cli.trial.postgres import SUPERUSER, PostgresServer
from cli.trial.server import KafkaServer
from scripts import apache_kafka as kafka_script
from scripts.from_maven import Unavailable
from scripts.need_postgres import MAJORS, postgres_bin


@contextmanager
def skipped_if_unavailable() -> Iterator[None]:
    """A server that cannot be had skips the test loudly, and fails it where CI=true."""
    try:
        yield
    except Unavailable as why:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(why))


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


@pytest.fixture(scope="session", params=MAJORS, ids=lambda major: f"postgres{major}")
def postgres_versions(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PostgresServer]:
    """PostgreSQL 15, 16, 17 and 18 in turn, fast and not durable: the test runs on each."""
    with skipped_if_unavailable():
        programs = postgres_bin(request.param)
    folder = tmp_path_factory.mktemp(f"postgres{request.param}")
    with PostgresServer(folder, programs, fsync=False) as server:
        yield server


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A Tansu broker for the whole run: use topics and groups of your own. Do not stop, kill or
    pause it: start your own ``Broker(tmp_path)`` for that."""
    with Broker(tmp_path_factory.mktemp("broker")) as server:
        yield server


class ApacheKafka(KafkaServer):
    """The server of ``scripts/apache-kafka`` in a folder, as a child of this process.

    Unlike Tansu it keeps what it stored over `stop`, `kill` and `start`.
    """

    name = "Apache Kafka"
    log_name = "kafka.log"
    start_seconds = 120

    def _prepared(self) -> list[str]:
        java, *rest = kafka_script.prepare(self.folder, self.port)
        return [java, kafka_script.QUICK, *rest]

    def _answers(self) -> bool:
        return kafka_script.answers(self.port)


def need_apache_kafka() -> None:
    """Have its jars; without them the test is skipped loudly, and fails where CI=true."""
    with skipped_if_unavailable():
        kafka_script.jars()


@pytest.fixture(scope="session")
def apache_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApacheKafka]:
    """Apache Kafka for the whole run: use topics and groups of your own, do not stop it."""
    need_apache_kafka()
    with ApacheKafka(tmp_path_factory.mktemp("apache-kafka")) as server:
        yield server
