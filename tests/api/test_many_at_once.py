"""More commands at once than the views have connections: each is answered by its rules."""

import asyncio
from collections import Counter

import pytest

from projections.folding.reader import MOST_BEYOND, POOLED
from tests.api import test_matrix
from tests.api.cells import cells_of
from tests.api.edge import Edge
from tests.api.matrix import MATRIX
from tests.api.test_matrix import ask_all

CONNECTIONS = POOLED + MOST_BEYOND
TOLD_BEFORE_DECIDED = (
    "POST /v1/situation-reports/{report}/verified-reports-on-behalf",
    "POST /v1/village-lists/{village_list}/appraisals-on-behalf",
)
"""Commands that are told something of the views first (`api.cases`)."""


@pytest.mark.parametrize("route", TOLD_BEFORE_DECIDED)
def test_whoever_waits_for_a_thread_holds_no_connection(
    edge: Edge, route: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = next(row for row in MATRIX if row.route == route)
    foreign = [c for c in cells_of(row, edge.seeded.places) if c.expected == "404"]
    monkeypatch.setattr(test_matrix, "AT_ONCE", 3 * CONNECTIONS)
    many = (foreign * (3 * CONNECTIONS))[: 3 * CONNECTIONS]
    answers = asyncio.run(ask_all(edge, many))
    assert Counter(told.answer.status for told in answers) == {404: len(many)}
