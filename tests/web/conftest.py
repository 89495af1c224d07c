"""What tests of the pages begin with."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from tests.waits import nobody_waits_where_nobody_may, waits
from tests.web.relief_desk import RunningDemo, running_demo

__all__ = ["nobody_waits_where_nobody_may", "waits"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    """The small demo county, made once for the tests of a file."""
    with running_demo(tmp_path_factory.mktemp("demo")) as one:
        yield one


@pytest.fixture(scope="module")
def server(demo: RunningDemo) -> Iterator[TestClient]:
    """Its pages, for who has not logged in."""
    with TestClient(demo.app()) as client:
        yield client
