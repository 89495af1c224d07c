"""The contract of the event store, on SQLite."""

from pathlib import Path

import pytest

from tests.eventstore.contract import LogContract, Open
from tests.eventstore.contract_processes import ProcessContract
from tests.eventstore.support import open_store


class TestSQLite(LogContract, ProcessContract):
    @pytest.fixture
    def place(self, tmp_path: Path) -> Path:
        return tmp_path / "store"

    @pytest.fixture
    def open(self, place: Path) -> Open:
        return lambda: open_store(place)
