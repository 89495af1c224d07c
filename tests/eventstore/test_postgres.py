"""The contract of the event store, on PostgreSQL 15, 16, 17 and 18."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.trial.postgres import PostgresServer
from tests.clusters import founded
from tests.eventstore.contract import LogContract, Open
from tests.eventstore.contract_processes import ProcessContract
from tests.eventstore.support import Cluster, open_store


class TestPostgres(LogContract, ProcessContract):
    @pytest.fixture
    def place(self, postgres_versions: PostgresServer, tmp_path: Path) -> Iterator[Cluster]:
        with founded(postgres_versions, tmp_path) as made:
            yield made.place

    @pytest.fixture
    def open(self, place: Cluster) -> Open:
        return lambda: open_store(place)
