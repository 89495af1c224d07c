"""An API process knows how far the workers' views are, and hears what changed."""

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Boolean, Integer

from cli.trial.postgres import PostgresServer
from eventstore.sql import begun
from eventstore.store import Store
from projections.catalog import VIEWS
from projections.folding.base import ANYWHERE, Row, Rows
from projections.folding.databases import CHANNEL
from projections.folding.engine import Applied, ViewsDatabase
from projections.folding.partitions import partition_of
from projections.reviews import WAITING
from streams.embedded import Follower
from streams.following import Boards
from streams.frames import PARTITIONS, Frame, Framer, Router
from streams.notes import notify
from streams.watching import ViewsWatch
from tests.cluster.relaying import log_of, urls, wait_for
from tests.cluster.workers import city
from tests.servers import Database, fresh_database

TABLES = {table.name for view in VIEWS for table in view.tables}


@pytest.fixture
def there(postgres_database: Database) -> Iterator[SimpleNamespace]:
    """Views that somebody keeps, and a watch on them that has not been started."""
    made = urls(postgres_database)
    views = ViewsDatabase(made.views, VIEWS, PARTITIONS)
    watch = ViewsWatch(made.views, VIEWS, PARTITIONS)
    heard: list[Applied] = []
    watch.listen(heard.append)
    try:
        yield SimpleNamespace(views=views, watch=watch, heard=heard, made=made)
    finally:
        watch.stop()
        views.close()


def mark(views: ViewsDatabase, upto: int, partitions: range = range(PARTITIONS)) -> None:
    for n in partitions:
        views.apply_frame(n, 0, upto, [])


def boards_of(store: Store, views: ViewsDatabase, watch: ViewsWatch) -> tuple[Boards, Boards]:
    """Both are `Boards`: what proves it is the type checker."""
    return Follower(store, views), watch


def listening(watch: ViewsWatch) -> None:
    watch.start()
    wait_for(watch.hears, 20)


def test_the_position_is_the_lowest_and_the_vector_has_them_all(there: SimpleNamespace) -> None:
    mark(there.views, 7)
    mark(there.views, 9, range(3))
    assert there.watch.step()
    assert there.watch.position == 7
    assert there.watch.vector() == {n: 9 if n < 3 else 7 for n in range(PARTITIONS)}
    assert not there.watch.step()


def test_it_waits_only_for_the_divisions_that_are_asked_for(there: SimpleNamespace) -> None:
    some = UUID(int=1)
    at = partition_of(some, PARTITIONS)
    there.watch.start()
    mark(there.views, 5, range(at, at + 1))
    assert there.watch.wait_for(5, 20, [some])
    assert not there.watch.wait_for(5, 0.1)
    assert not there.watch.wait_for(6, 0.1, [some])


def test_a_waiter_is_woken_when_the_last_partition_arrives(there: SimpleNamespace) -> None:
    there.watch.start()
    mark(there.views, 5, range(PARTITIONS - 1))
    found: list[bool] = []
    waiter = threading.Thread(target=lambda: found.append(there.watch.wait_for(5, 30)))
    waiter.start()
    mark(there.views, 5, range(PARTITIONS - 1, PARTITIONS))
    waiter.join(30)
    assert found == [True]


def test_a_waiter_is_let_go_when_it_stops(there: SimpleNamespace) -> None:
    there.watch.start()
    found: list[bool] = []
    waiter = threading.Thread(target=lambda: found.append(there.watch.wait_for(5, 60)))
    waiter.start()
    there.watch.stop()
    waiter.join(10)
    assert found == [False]


def some_frame(there: SimpleNamespace) -> Frame:
    """The first facts of one of the city's partitions."""
    with log_of(there.made) as log:
        return Framer(Router(log, PARTITIONS), {}).cut(city()[0][:40])[0]


def test_listeners_hear_the_tables_and_areas_after_the_position_has_moved(
    there: SimpleNamespace,
) -> None:
    listening(there.watch)
    frame = some_frame(there)
    at: list[int] = []
    there.watch.listen(lambda _: at.append(there.watch.vector()[frame.partition]))
    there.views.apply_frame(frame.partition, 0, frame.last, frame.rows)
    wait_for(lambda: there.heard, 20)
    (applied,) = there.heard
    assert applied.partition == frame.partition
    assert set(applied.changed) <= TABLES and "timeline" in applied.changed
    assert all(set(row) == {"area"} for rows in applied.changed.values() for row in rows)
    assert at == [frame.last]


def test_a_watermark_moves_the_position_and_wakes_no_board(there: SimpleNamespace) -> None:
    listening(there.watch)
    mark(there.views, 5)
    assert there.watch.wait_for(5, 20)
    assert there.heard == []


def test_a_note_that_says_nothing_readable_concerns_every_table(there: SimpleNamespace) -> None:
    listening(there.watch)
    notify(there.made.views, CHANNEL, "?")
    wait_for(lambda: there.heard, 20)
    assert set(there.heard[0].changed) == TABLES


def test_a_change_of_unknown_areas_concerns_every_board_whatever_else_changes(
    there: SimpleNamespace,
) -> None:
    """It was an empty list, which the areas of the next note made into theirs alone."""
    listening(there.watch)
    notify(there.made.views, CHANNEL, '{"partition":0,"position":1,"tables":{"stock":null}}')
    wait_for(lambda: there.heard, 20)
    assert there.heard[0].changed == {"stock": [ANYWHERE]}


def test_a_row_that_is_gone_and_one_appended_are_told_with_those_that_changed(
    there: SimpleNamespace,
) -> None:
    """A review done in one county was not told to it when another county filed one just then."""
    views, areas = there.views, [str(UUID(int=n)) for n in range(3)]

    def waiting(n: int) -> Row:
        blank = {c.name: 0 if isinstance(c.type, Integer | Boolean) else "" for c in WAITING.c}
        return {**blank, "subject": str(UUID(int=n)), "step": "review", "area": areas[n]}

    rows = Rows(views.db, views.writers({live.view: live.generation for live in views.live()}))
    for n in (1, 2):
        rows.put(WAITING, waiting(n))
    rows.delete(WAITING, *[waiting(2)[key] for key in ("subject", "step")])
    rows.delete(WAITING, str(UUID(int=3)), "review")
    with begun(views.db):
        changed = rows.write()
    told = {row["area"] for row in changed[WAITING.name]}
    assert told == {areas[1], areas[2], None}


def test_a_restarted_database_is_found_again_and_every_board_told(tmp_path: Path) -> None:
    with PostgresServer(tmp_path, fsync=False) as server, fresh_database(server) as database:
        made = urls(database)
        views = ViewsDatabase(made.views, VIEWS, PARTITIONS)
        watch = ViewsWatch(made.views, VIEWS, PARTITIONS)
        heard: list[Applied] = []
        watch.listen(heard.append)
        try:
            listening(watch)
            mark(views, 3)
            assert watch.wait_for(3, 20)
            server.stop()
            wait_for(lambda: watch.trouble is not None, 20)
            assert watch.position == 3
            server.start()
            wait_for(lambda: watch.trouble is None, 20)
            wait_for(lambda: heard, 20)
            assert set(heard[-1].changed) == TABLES
            with psycopg.connect(made.views) as session:
                session.execute("UPDATE views.positions SET position = 8")
            assert watch.wait_for(8, 20)
        finally:
            watch.stop()
            views.close()
