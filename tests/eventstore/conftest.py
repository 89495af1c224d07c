"""What tests of the store begin with."""

from pathlib import Path

import pytest

from tests.clusters import Founded
from tests.eventstore.support import Place


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where a store may be made, on each of the two databases."""
    if request.param == "SQLite":
        return tmp_path / "store"
    made: Founded = request.getfixturevalue("cluster")
    return made.place
