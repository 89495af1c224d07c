"""More asked at once than the views have connections: each is answered by its rules."""

import asyncio
from collections import Counter

import pytest

from domain.world import Role
from projections.folding.reader import MOST_BEYOND, POOLED
from tests.api import test_matrix
from tests.api.cells import Cell, cells_of
from tests.api.edge import Answer, Edge
from tests.api.matrix import MATRIX
from tests.api.test_matrix import ask_all, said

CONNECTIONS = POOLED + MOST_BEYOND
MANY = 3 * CONNECTIONS
TOLD_BEFORE_DECIDED = (
    "POST /v1/situation-reports/{report}/verified-reports-on-behalf",
    "POST /v1/village-lists/{village_list}/appraisals-on-behalf",
)
"""Commands that are told something of the views first (`api.cases`)."""


def told_first(edge: Edge, route: str) -> list[Cell]:
    """Many commands that are refused once they are decided: none of them leaves a fact."""
    row = next(row for row in MATRIX if row.route == route)
    foreign = [c for c in cells_of(row, edge.seeded.places) if c.expected == "404"]
    return (foreign * MANY)[:MANY]


def questions(edge: Edge) -> list[Cell]:
    """Many questions by somebody who may ask them: of each route that reads, again and again."""
    rows = [row for row in MATRIX if row.method == "GET" and row.kind not in ("-", "board")]
    cells = [cells_of(row, edge.seeded.places) for row in rows]
    each = [next(c for c in some if c.expected == "allowed") for some in cells]
    assert len(each) > CONNECTIONS
    return (each * MANY)[:MANY]


@pytest.mark.parametrize("route", TOLD_BEFORE_DECIDED)
def test_whoever_waits_for_a_thread_holds_no_connection(
    edge: Edge, route: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(test_matrix, "AT_ONCE", MANY)
    many = told_first(edge, route)
    answers = asyncio.run(ask_all(edge, many))
    assert Counter(told.answer.status for told in answers) == {404: len(many)}


def test_all_kinds_of_questions_at_once_are_answered(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(test_matrix, "AT_ONCE", MANY)
    answers = asyncio.run(ask_all(edge, questions(edge)))
    wrong = [said(told.cell, told.answer) for told in answers if told.answer.status >= 400]
    assert not wrong, "\n".join(wrong)


def test_who_finds_all_connections_busy_is_told_so(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It said once that another process holds the log file."""
    engine = edge.system.views_reader._engine
    headers = edge.headers(Role.COUNTY_APPROVER, "county")

    async def ask() -> Answer:
        return await edge.ask("GET", "/v1/stockpiles", headers=headers)

    assert asyncio.run(ask()).status == 200
    monkeypatch.setattr(engine.pool, "_timeout", 0.05)
    held = [engine.connect() for _ in range(CONNECTIONS)]
    try:
        found = asyncio.run(ask())
    finally:
        for one in held:
            one.close()
    problem = found.json()
    assert (found.status, found.headers["retry-after"]) == (503, "2")
    assert problem["type"] == "/problems/readers-busy"
    assert "读取数据的连接都在使用" in problem["zh"] and "账本文件" not in problem["zh"]
    assert "all connections for reading are busy" in problem["en"]
    assert asyncio.run(ask()).status == 200
