"""The past is exact: at each position it holds what a fold of the log up to there makes."""

import hashlib
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import select

from eventstore.log import Row
from eventstore.source import open_source, pages
from projections.catalog import VIEWS
from projections.folding.base import LOGICAL
from projections.folding.engine import ViewsDatabase
from projections.folding.past import KNOWN_AT, PastReader, PastViews
from projections.folding.reader import ViewsReader
from tests.everything import everything
from tests.projections.asking import Asking, queries
from tests.projections.test_both_databases import answer

FRAME = 97
POSITIONS = 12
COLUMNS = "position, stream, version, topic, state"


def facts() -> list[Row]:
    db = open_source(everything() / "log.sqlite")
    try:
        return [row for page in pages(db, 0, 2**53, 5_000, columns=COLUMNS) for row in page]
    finally:
        db.close()


def fold(views: ViewsDatabase, rows: Sequence[Row], size: int = FRAME) -> None:
    at = views.position()
    for start in range(0, len(rows), size):
        some = rows[start : start + size]
        views.apply_frame(0, at, some[-1][0], some)
        at = some[-1][0]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return facts()


@pytest.fixture(scope="module")
def past(rows: list[Row], tmp_path_factory: pytest.TempPathFactory) -> Iterator[PastReader]:
    path = tmp_path_factory.mktemp("past") / "past.sqlite"
    views = PastViews(path, VIEWS)
    fold(views, rows)
    assert views.parked() == []
    views.close()
    reader = PastReader(path)
    yield reader
    reader.close()


def test_every_table_and_question_at_any_position_is_as_if_the_log_ended_there(
    past: PastReader, rows: list[Row], tmp_path: Path
) -> None:
    """Every table at a dozen positions, and the plain question of every query at three of them."""
    chance = random.Random(20180105)
    chosen = sorted({1, len(rows), *chance.sample(range(2, len(rows)), POSITIONS)})
    asked_at = {chosen[len(chosen) // 2], chosen[-2], chosen[-1]}
    ended = ViewsDatabase(tmp_path / "ended.sqlite", VIEWS)
    reader = ViewsReader(tmp_path / "ended.sqlite")
    now = ViewsReader(everything() / "views.sqlite")
    compared = answered = 0
    with now() as db:  # so that things are asked about which are not there yet, too
        asking = Asking(db)
        questions = dict(next(asking.questions(query), ("", None)) for query in queries())
        for position in chosen:
            fold(ended, rows[ended.position() : position])
            KNOWN_AT.set(position)
            with past() as then, reader() as there:
                for table in LOGICAL.sorted_tables:
                    every = select(table).order_by(*table.primary_key.columns)
                    found, wanted = then.execute(every).all(), there.execute(every).all()
                    assert found == wanted, f"{table.name} at {position}"
                    compared += len(found)
                if position in asked_at:
                    for what, question in questions.items():
                        if question is not None:
                            found, wanted = answer(question, then), answer(question, there)
                            assert found == wanted, f"{what} at {position}"
                            answered += len(found) > len("[]")
    assert compared > 10 * len(rows) and answered > 2 * len(questions)
    for closing in (now, reader, ended):
        closing.close()


def dumped(path: Path) -> str:
    """All row versions of all tables, with their bounds."""
    views, digest = PastViews(path, VIEWS), hashlib.sha256()
    for writer in views.writers({one.view: one.generation for one in views.live()}).values():
        key = f"SELECT * FROM {writer.name} ORDER BY {writer.key_names}, from_position"
        digest.update(repr([writer.key, views.db.execute(key).fetchall()]).encode())
    views.close()
    return digest.hexdigest()


def test_frames_of_any_size_and_a_new_beginning_make_the_same_versions(
    rows: list[Row], tmp_path: Path
) -> None:
    made = []
    for size in (1, 7, len(rows)):
        path = tmp_path / f"{size}.sqlite"
        views = PastViews(path, VIEWS)
        fold(views, rows, size)
        if size == 7:
            views.forget()
            assert views.position() == 0
            fold(views, rows, size)
        views.close()
        made.append(dumped(path))
    assert made[0] == made[1] == made[2]


def test_what_cannot_be_folded_is_parked_as_in_the_live_views(
    rows: list[Row], tmp_path: Path
) -> None:
    """Also at positions behind it: what its stream did later waits, everything else goes on."""
    broken = next(n for n, row in enumerate(rows) if row[3].startswith("Household.") and n > 300)
    bad = [*rows[:broken], (*rows[broken][:4], b'{"nothing":1}'), *rows[broken + 1 :]]
    live = ViewsDatabase(tmp_path / "live.sqlite", VIEWS)
    views = PastViews(tmp_path / "past.sqlite", VIEWS)
    for one in (live, views):
        fold(one, bad)
    assert len(live.parked()) > 1

    def told(of: ViewsDatabase) -> list[tuple[str, int, str]]:
        return [(one.view, one.position, one.reason) for one in of.parked()]

    assert told(views) == told(live)
    reader, past = ViewsReader(tmp_path / "live.sqlite"), PastReader(tmp_path / "past.sqlite")
    KNOWN_AT.set(len(rows))
    with past() as then, reader() as there:
        for table in LOGICAL.sorted_tables:
            every = select(table).order_by(*table.primary_key.columns)
            assert then.execute(every).all() == there.execute(every).all(), table.name
    for closing in (reader, past, live, views):
        closing.close()
