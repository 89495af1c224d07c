"""One running server for the tests that only look, and clients of its officers."""

from collections.abc import Iterator

import httpx
import pytest

from domain.world import Role
from tests.api.edge import Edge, serving
from tests.waits import nobody_waits_where_nobody_may, waits

__all__ = ["nobody_waits_where_nobody_may", "waits"]


@pytest.fixture(scope="session")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """Shared: tests may add to it, but must not end, move or suspend what others use."""
    with serving(tmp_path_factory.mktemp("edge")) as found:
        found.shared = True
        yield found


@pytest.fixture(autouse=True)
def nobody_else_is_logged_out(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whoever ends a session that others use is told, and not whoever comes after."""
    yield
    if "edge" in request.fixturenames:
        edge: Edge = request.getfixturevalue("edge")
        assert not edge.shared or not edge.logged_out(), "use an edge of one's own for this"


@pytest.fixture
def own_edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """A server of one's own, to spoil."""
    with serving(tmp_path_factory.mktemp("own")) as found:
        yield found


@pytest.fixture
def village(edge: Edge) -> Iterator[httpx.Client]:
    with edge.client(Role.VILLAGE_REPORTER, "yuantan_1") as client:
        yield client


@pytest.fixture
def county(edge: Edge) -> Iterator[httpx.Client]:
    with edge.client(Role.COUNTY_APPROVER, "county") as client:
        yield client


@pytest.fixture
def anonymous(edge: Edge) -> Iterator[httpx.Client]:
    with edge.client() as client:
        yield client
