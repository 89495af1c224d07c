"""The short way to a route leads to the same route as the search in turn, or nowhere."""

import re
from uuid import uuid4

import pytest
from starlette.routing import Match

from api.fast import Index
from api.routes import WRITES
from api.writes import Write, router_of
from tests.api.edge import Edge

ROUTES = router_of(WRITES).routes
INDEX = Index(ROUTES, "POST")


def filled(write: Write) -> tuple[str, dict[str, str]]:
    values = {name: str(uuid4()) for name in write.in_path}
    return re.sub(r"{(\w+)}", lambda m: values[m.group(1)], write.path), values


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.path)
def test_every_command_is_found_as_the_search_finds_it(write: Write) -> None:
    path, values = filled(write)
    found = INDEX.find(path)
    assert found is not None
    scope = {"type": "http", "method": "POST", "path": path, "root_path": ""}
    searched = next(route for route in ROUTES if route.matches(scope)[0] is Match.FULL)
    assert found[0] is searched
    assert found[1] == values == searched.matches(scope)[1]["path_params"]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "*",
        "/v1",
        "/v1/",
        "/v1/households/",
        "/v1/households//members",
        "/v1/households/x/members/",
        "/v1/households/x/y/members",
        "/v1/Households",
        "//v1/households",
    ],
)
def test_what_is_no_command_is_not_found(path: str) -> None:
    assert INDEX.find(path) is None


@pytest.mark.parametrize("odd", ["*", "any", "here", "{household}", "members", "%", "a b", "é"])
def test_odd_segments_are_parameters_like_others(odd: str) -> None:
    found = INDEX.find(f"/v1/households/{odd}/members")
    assert found is not None and found[1] == {"household": odd}


def test_a_route_added_later_is_found(own_edge: Edge) -> None:
    async def late() -> dict[str, str]:
        return {"status": "late"}

    own_edge.app.add_api_route("/late/{name}", late)
    with own_edge.client() as client:
        assert client.get("/late/x").json() == {"status": "late"}
        assert client.get("/late/x/y").status_code == 404
        assert client.post("/late/x").status_code == 405
        assert client.head("/health").status_code == 405
