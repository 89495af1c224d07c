"""What tests of the store begin with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from eventstore.store import Store
from tests.clusters import Founded
from tests.eventstore.support import Place, found_town, new_unit, open_store, send


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where a store may be made, on each of the two databases."""
    if request.param == "SQLite":
        return tmp_path / "store"
    made: Founded = request.getfixturevalue("cluster")
    return made.place


@pytest.fixture
def town(place: Place) -> Iterator[Store]:
    """A store with a few facts after the ones that begin it."""
    store = found_town(open_store(place))
    for n in range(3):
        send(store, new_unit(f"{n}队"), "dispatcher")
    yield store
    store.close()
