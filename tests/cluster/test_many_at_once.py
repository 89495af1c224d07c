"""On PostgreSQL a process has twelve sessions for its queries, and forty threads that may ask."""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.app import create_app
from projections.folding.reader import POSTGRES_SESSIONS
from streams.applying import Applying
from streams.frames import PARTITIONS, Router
from tests.api import test_matrix
from tests.api.edge import Edge, seeded_system
from tests.api.test_many_at_once import MANY, TOLD_BEFORE_DECIDED, questions, told_first
from tests.api.test_matrix import ask_all, said
from tests.clusters import Founded
from tests.faults import PATIENCE_SECONDS
from tests.waits import nobody_waits_where_nobody_may, waits

__all__ = ["nobody_waits_where_nobody_may", "waits"]


@pytest.fixture
def edge(cluster: Founded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Edge]:
    """The API over a seeded store on PostgreSQL, whose views follow: the timekeeper writes on."""
    monkeypatch.setattr(test_matrix, "AT_ONCE", MANY)
    with seeded_system(tmp_path, **cluster.settings) as (system, seeded):
        applying = Applying(system.store.log, system.views, Router(system.store.log, PARTITIONS))
        ended = threading.Event()

        def follow() -> None:
            while not ended.wait(0.05):
                applying.catch_up(range(PARTITIONS))

        follower = threading.Thread(target=follow, name="follower")
        follower.start()
        try:
            assert system.boards.wait_for(system.store.head(), PATIENCE_SECONDS)
            yield Edge(system, create_app(system), seeded)
        finally:
            ended.set()
            follower.join()


def test_more_at_once_than_sessions_are_all_answered(edge: Edge) -> None:
    assert MANY > 8 * POSTGRES_SESSIONS
    answers = asyncio.run(ask_all(edge, questions(edge)))
    wrong = [said(told.cell, told.answer) for told in answers if told.answer.status >= 400]
    assert not wrong, "\n".join(wrong)
    for route in TOLD_BEFORE_DECIDED:
        answers = asyncio.run(ask_all(edge, told_first(edge, route)))
        assert Counter(told.answer.status for told in answers) == {404: MANY}
