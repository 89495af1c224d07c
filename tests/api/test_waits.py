"""The guard of `tests.waits` finds what it is there for, and nothing that a test does."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest
from starlette.requests import Request

from api.auth import session_of
from api.begun import not_set_up
from api.problems import ApiProblem
from tests.api.edge import Edge
from tests.waits import Waits


def views(edge: Edge) -> None:
    with edge.system.reader():
        pass


def log(edge: Edge) -> None:
    not_set_up(edge.system.store.log)


def vault(edge: Edge) -> None:
    headers = [(b"authorization", b"Bearer nobody's")]
    with suppress(ApiProblem):
        session_of(Request({"type": "http", "app": edge.app, "headers": headers}), writing=False)


ASKED = pytest.mark.parametrize("asked", [views, log, vault])


@ASKED
def test_what_is_read_on_a_loop_is_found(
    edge: Edge, waits: Waits, asked: Callable[[Edge], None]
) -> None:
    async def on_it() -> None:
        asked(edge)

    asyncio.run(on_it())
    found = waits.taken()
    assert len(found) > 0
    assert all(asked.__name__ in one and "api/" in one for one in found)


@ASKED
def test_what_is_read_beside_a_loop_is_not(
    edge: Edge, waits: Waits, asked: Callable[[Edge], None]
) -> None:
    asyncio.run(asyncio.to_thread(asked, edge))
    asked(edge)
    assert waits.taken() == []


def test_what_a_test_reads_on_its_own_loop_is_not(edge: Edge, waits: Waits) -> None:
    async def on_it() -> int:
        return edge.system.store.head()

    assert asyncio.run(on_it()) > 0
    assert waits.taken() == []


def test_a_second_connection_to_the_views_in_one_thread_is_found(edge: Edge, waits: Waits) -> None:
    with edge.system.reader():
        assert waits.taken() == []
        with edge.system.reader():
            pass
    assert len(waits.taken()) == 1
