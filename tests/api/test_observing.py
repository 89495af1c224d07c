"""A correlation id ties a request to its answer, its log lines and its facts."""

import asyncio
import json
from uuid import UUID, uuid4

import pytest

from domain.unit import Unit
from domain.world import Role
from tests.api.edge import Answer, Edge, write_headers

HEADER = "x-correlation-id"


def register(edge: Edge, key: UUID, **headers: str) -> tuple[UUID, Answer]:
    """A new unit, and the answer to the command."""
    unit = uuid4()
    area = edge.seeded.places["yuantan_1"].area
    body = {
        "unit": str(unit),
        "area": str(area),
        "name": "一中队",
        "kind": "fire_rescue",
        "size": 8,
    }
    given = {**edge.headers(Role.DISPATCHER, "county"), **write_headers(key), **headers}
    asked = edge.ask("POST", "/v1/units", headers=given, body=json.dumps(body).encode())
    return unit, asyncio.run(asked)


def correlation_in_log(edge: Edge, unit: UUID) -> UUID:
    (recorded,) = edge.system.store.history(unit)
    assert isinstance(recorded.event, Unit.Registered)
    return recorded.event.meta.correlation


def test_an_id_that_is_given_is_answered_and_kept_with_the_facts(edge: Edge) -> None:
    given = uuid4()
    unit, answer = register(edge, uuid4(), **{HEADER: str(given).upper()})
    assert answer.status == 200
    assert answer.headers[HEADER] == str(given)
    assert correlation_in_log(edge, unit) == given


def test_without_one_it_is_the_commands_own_id(edge: Edge) -> None:
    key = uuid4()
    unit, answer = register(edge, key)
    assert answer.headers[HEADER] == str(key)
    assert correlation_in_log(edge, unit) == key


@pytest.mark.parametrize("given", ["340824196104042716", "a b", "", "x" * 5000, "é"])
def test_what_is_no_uuid_is_not_taken_over(edge: Edge, given: str) -> None:
    first = asyncio.run(edge.ask("GET", "/health", headers={HEADER: given}))
    again = asyncio.run(edge.ask("GET", "/health", headers={HEADER: given}))
    made = [UUID(answer.headers[HEADER]) for answer in (first, again)]
    assert made[0] != made[1]


@pytest.mark.parametrize("path", ["/v1/nowhere", "/v1/households", "/v1/openapi.json"])
def test_every_answer_has_one(edge: Edge, path: str) -> None:
    given = str(uuid4())
    answer = asyncio.run(edge.ask("GET", path, headers={HEADER: given}))
    assert answer.headers[HEADER] == given
