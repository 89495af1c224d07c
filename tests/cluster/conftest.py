"""What tests of the cluster begin with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.trial.broker import Broker
from eventstore.founding import Urls
from tests.cluster.relaying import urls
from tests.servers import Database


@pytest.fixture
def made(postgres_database: Database) -> Urls:
    """The addresses of a founded database."""
    return urls(postgres_database)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Broker]:
    """A broker of the test's own, to stop, kill and start."""
    with Broker(tmp_path) as broker:
        yield broker
