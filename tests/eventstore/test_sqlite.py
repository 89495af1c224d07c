"""The contract of the event store, on SQLite."""

from pathlib import Path

import pytest

from tests.eventstore.contract import LogContract, Open
from tests.eventstore.contract_processes import ProcessContract
from tests.eventstore.support import open_store


class TestSQLite(LogContract, ProcessContract):
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return tmp_path / "store"

    @pytest.fixture
    def open(self, folder: Path) -> Open:
        return lambda: open_store(folder)
