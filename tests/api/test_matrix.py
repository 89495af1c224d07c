"""Every route × every role × every relation: foreign = 404, own but not the role = 403."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple
from uuid import uuid4

import msgspec
import pytest
from fastapi.routing import APIRoute
from starlette.routing import Route

from tests.api.cells import POSTED, Cell, body_of, cells_of, path_of
from tests.api.edge import Answer, Edge, serving
from tests.api.matrix import MATRIX, Row
from tests.api.seed import id_of, lineage

pytestmark = pytest.mark.timeout(
    1_200
)  # tens of thousands of requests, on a machine that may be slow

AT_ONCE = 64
UUIDS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
NOT_LET_IN = (401, 403, 404)


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    with serving(tmp_path_factory.mktemp("matrix")) as found:
        yield found


def routes_of(edge: Edge) -> set[str]:
    found = set()
    for route in edge.app.routes:
        assert isinstance(route, APIRoute | Route), f"{route} is not in the matrix"
        methods = (route.methods or set()) - {"HEAD", "OPTIONS"}
        found |= {f"{method} {route.path}" for method in methods}
    return found


def test_every_route_has_a_row_and_every_row_a_route(edge: Edge) -> None:
    routes = routes_of(edge)
    stated = Counter(row.route for row in MATRIX)
    missing, gone = sorted(routes - stated.keys()), sorted(stated.keys() - routes)
    assert not missing, "routes without a row in tests/api/matrix.py:\n" + "\n".join(missing)
    assert not gone, "rows without a route:\n" + "\n".join(gone)
    assert max(stated.values()) == 1


def request_of(cell: Cell) -> tuple[str, dict[str, str], bytes]:
    """Address, headers and body of the cell's request, without who asks."""
    if cell.row.method == "GET":
        return path_of(cell.row, cell.place), {}, b""
    body = msgspec.json.encode(body_of(cell.row, cell.place))
    headers = {"Idempotency-Key": str(uuid4()), "Content-Type": "application/json"}
    return path_of(cell.row, cell.place), headers, body


class Told(NamedTuple):
    """What a cell's request, whose address and body are ``asked``, was answered."""

    cell: Cell
    asked: str
    answer: Answer


async def ask_all(edge: Edge, cells: list[Cell]) -> list[Told]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(cell: Cell) -> Told:
        async with gate:
            path, headers, body = request_of(cell)
            headers |= edge.headers(cell.role, POSTED[cell.role])
            answer = await edge.ask(cell.row.method, path, headers=headers, body=body)
            return Told(cell, path + body.decode(), answer)

    return await asyncio.gather(*[one(cell) for cell in cells])


def said(cell: Cell, answer: Answer) -> str:
    who = f"{cell.role.value}@{POSTED[cell.role]}"
    return (
        f"{cell.row.route}: {who} → {cell.relation} {cell.place.name}: "
        f"expected {cell.expected}, got {answer.status} {answer.body[:220].decode()}"
    )


SCOPED: list[Row] = [row for row in MATRIX if row.kind not in ("-", "board")]


@pytest.fixture(scope="module")
def kept_out(spoiled: Edge) -> list[Told]:
    """What everybody hears who is not let in. Asked once, for it is most of the matrix."""
    places = spoiled.seeded.places
    cells = [c for row in SCOPED for c in cells_of(row, places) if c.expected != "allowed"]
    assert len(cells) > 20 * len(SCOPED)
    head = spoiled.system.store.head()
    found = asyncio.run(ask_all(spoiled, cells))
    assert spoiled.system.store.head() == head, "none of it leaves a fact"
    return found


def test_nobody_is_let_in_where_the_matrix_says_no(kept_out: list[Told]) -> None:
    wrong = [
        said(cell, answer) for cell, _, answer in kept_out if str(answer.status) != cell.expected
    ]
    assert not wrong, f"{len(wrong)} of {len(kept_out)} cells\n" + "\n".join(wrong[:40])


def test_nobody_hears_of_what_is_foreign(spoiled: Edge, kept_out: list[Told]) -> None:
    """A 404 for a foreign thing reads like one for a thing that does not exist."""
    places = spoiled.seeded.places
    ids = {str(i) for place in places.values() for i in (place.area, *place.ids.values())}
    foreign = [told for told in kept_out if told.cell.expected == "404"]
    assert foreign
    for cell, asked, answer in foreign:
        own = {str(id_of(step)) for step in lineage(POSTED[cell.role])}
        named = {i for i in UUIDS.findall(answer.body.decode()) if i in ids - own}
        assert not {i for i in named if i not in asked}, said(cell, answer)


def test_without_a_log_in_everything_but_health_is_401(edge: Edge) -> None:
    async def ask() -> None:
        for row in MATRIX:
            if row.roles == frozenset() or row.kind == "board":
                continue
            place = edge.seeded.places["yuantan_1"]
            headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid4())}
            for token in ({}, {"Authorization": "Bearer wrong"}):
                answer = await edge.ask(row.method, path_of(row, place), headers=headers | token)
                assert answer.status == 401, f"{row.route}: {answer.status}"

    asyncio.run(ask())


def test_everybody_is_let_in_where_the_matrix_says_so(spoiled: Edge) -> None:
    """Last, for it spoils the store: a rule may refuse (409, 422), the choke point may not."""
    places = spoiled.seeded.places
    wrong = []
    good = 0
    for row in SCOPED:
        cells = [c for c in cells_of(row, places) if c.expected == "allowed"]
        assert cells, f"nobody may do {row.route}"
        for cell, _, answer in asyncio.run(ask_all(spoiled, cells)):
            good += answer.status == 200
            if answer.status in NOT_LET_IN or answer.status >= 500:
                wrong.append(said(cell, answer))
    assert not wrong, f"{len(wrong)}\n" + "\n".join(wrong[:40])
    assert good > len(SCOPED) // 3
