"""The engine on PostgreSQL: frames in any order, twice, to two owners; the rows are the same."""

import json
import random
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import lru_cache

import psycopg
import pytest

from domain.catalog import AGGREGATES
from eventstore.log import Row
from eventstore.mapper import TypedMapper
from eventstore.postgres import connect
from eventstore.sqlite import SQLiteLog
from projections.catalog import VIEWS
from projections.folding.databases import CHANNEL
from projections.folding.engine import Applied, Gap, ViewsDatabase
from projections.folding.errors import PartitionsDiffer, ViewsNewer, ViewsOfAnotherVersion
from projections.folding.partitions import partition_of
from tests.everything import everything, opened
from tests.oracles import tables_of
from tests.projections.rebuilding import altered
from tests.servers import Database

FRAME = 60
SECONDS = 60


@dataclass(frozen=True)
class Frame:
    partition: int
    previous: int
    last: int
    rows: tuple[Row, ...]


@lru_cache(maxsize=1)
def log_rows() -> list[Row]:
    with closing(SQLiteLog(everything() / "log.sqlite")) as log:
        return log.rows(0, 10**9)


@lru_cache(maxsize=1)
def expected() -> dict[str, str]:
    """The tables as the follower of the embedded store made them, on SQLite."""
    with opened(everything()) as (_, views):
        return tables_of(views)


def spread(rows: Sequence[Row], partitions: int) -> list[list[Row]]:
    """The rows by partition; the county has most of them."""
    mapper = TypedMapper(AGGREGATES)
    dealt: list[list[Row]] = [[] for _ in range(partitions)]
    for row in rows:
        dealt[partition_of(mapper.decode(row[3], row[4]).meta.division, partitions)].append(row)
    return dealt


def frames(rows: Sequence[Row], partition: int, head: int, size: int = FRAME) -> list[Frame]:
    """Frames of random sizes, with watermarks between some of them; the last goes to the head."""
    dice = random.Random(partition)
    made: list[Frame] = []
    previous = 0
    while rows:
        n = dice.randint(1, size)
        some, rows = rows[:n], rows[n:]
        made.append(Frame(partition, previous, some[-1][0], tuple(some)))
        previous = some[-1][0]
        if dice.random() < 0.2:
            mark = rows[0][0] - 1 if rows else head
            made.append(Frame(partition, previous, mark, ()))
            previous = mark
    made.append(Frame(partition, previous, head, ()))
    return made


def give(views: ViewsDatabase, frame: Frame, log: Sequence[Row]) -> Applied:
    """What a worker does with a frame: a gap is fetched from the log first."""
    done = views.apply_frame(frame.partition, frame.previous, frame.last, frame.rows)
    while isinstance(done, Gap):
        missing = [row for row in log if done.after < row[0] <= done.upto]
        views.apply_frame(frame.partition, done.after, done.upto, missing)
        done = views.apply_frame(frame.partition, frame.previous, frame.last, frame.rows)
    return done


@contextmanager
def on(database: Database, partitions: int = 1) -> Iterator[ViewsDatabase]:
    with closing(ViewsDatabase(database.url(), VIEWS, partitions)) as views:
        yield views


@pytest.fixture
def database(postgres_database: Database) -> Database:
    with psycopg.connect(postgres_database.url()) as db:
        db.execute("CREATE SCHEMA views")
    return postgres_database


def test_one_partition_in_order_gives_the_rows_of_the_follower(database: Database) -> None:
    rows = log_rows()
    with on(database) as views:
        for frame in frames(rows, 0, len(rows)):
            give(views, frame, ())
        assert views.position() == len(rows)
        assert tables_of(views) == expected()
        assert not views.parked()


def test_a_gap_is_named_and_nothing_is_written(database: Database) -> None:
    rows = log_rows()
    with on(database) as views:
        views.apply_frame(0, 0, 40, rows[:40])
        before = tables_of(views)
        assert views.apply_frame(0, 100, 140, rows[100:140]) == Gap(0, 40, 100)
        assert tables_of(views) == before
        assert views.position() == 40
        assert views.apply_frame(0, 0, 30, rows[:30]) == Applied(40, {}, 0)
        assert isinstance(views.apply_frame(0, 20, 120, rows[20:120]), Applied)
        assert views.position() == 120


def test_a_watermark_moves_its_partition_alone(database: Database) -> None:
    with on(database, 3) as views:
        views.apply_frame(1, 0, 500, ())
        assert views.position(1) == 500
        assert views.position(0) == views.position() == 0
        assert views.positions()["stock"] == {0: 0, 1: 500, 2: 0}


@pytest.mark.parametrize("seed", range(2))
def test_two_owners_at_once_with_frames_lost_repeated_and_shuffled(
    database: Database, seed: int
) -> None:
    """Two connections fold all partitions at the same time, each in an order of its own."""
    rows, partitions = log_rows(), 4
    dealt = spread(rows, partitions)
    problems: list[BaseException] = []

    def own(number: int) -> None:
        dice = random.Random(f"{seed}/{number}")
        try:
            with on(database, partitions) as views:
                waiting = [f for p in range(partitions) for f in frames(dealt[p], p, len(rows))]
                waiting = [f for f in waiting if not f.rows or dice.random() < 0.9]
                order = [n + dice.uniform(0, 12) for n in range(len(waiting))]
                shuffled = [f for _, f in sorted(zip(order, waiting, strict=True), key=_first)]
                dice.shuffle(shuffled[::7])
                for frame in shuffled:
                    for _ in range(dice.randint(1, 3)):
                        give(views, frame, dealt[frame.partition])
        except BaseException as problem:
            problems.append(problem)

    owners = [threading.Thread(target=own, args=(n,)) for n in range(2)]
    for owner in owners:
        owner.start()
    for owner in owners:
        owner.join(SECONDS)
    assert not problems, problems
    with on(database, partitions) as views:
        assert {at for by in views.positions().values() for at in by.values()} == {len(rows)}
        assert tables_of(views) == expected()


def _first(pair: tuple[float, Frame]) -> float:
    return pair[0]


def test_processes_that_start_together_make_the_tables_once(database: Database) -> None:
    problems: list[BaseException] = []
    ready = threading.Barrier(6)

    def start() -> None:
        try:
            ready.wait()
            with on(database, 4) as views:
                assert len(views.live()) == len(VIEWS)
        except BaseException as problem:
            problems.append(problem)

    starting = [threading.Thread(target=start) for _ in range(6)]
    for one in starting:
        one.start()
    for one in starting:
        one.join(SECONDS)
    assert not problems, problems
    with on(database, 4) as views:
        assert {live.generation for live in views.live()} == {1}


def test_another_number_of_partitions_is_refused(database: Database) -> None:
    with on(database, 4):
        pass
    for wrong in (1, 5):
        with pytest.raises(PartitionsDiffer), on(database, wrong):
            pass


def test_a_view_of_a_new_version_starts_empty_and_is_fetched(database: Database) -> None:
    rows = log_rows()
    with on(database) as views:
        for frame in frames(rows, 0, len(rows)):
            give(views, frame, ())
    newer = ViewsDatabase(database.url(), altered("households", version=99), 1)
    with closing(newer):
        assert newer.positions()["households"] == {0: 0}
        assert newer.positions()["timeline"] == {0: len(rows)}
        found = newer.apply_frame(0, len(rows), len(rows) + 1, ())
        assert found == Gap(0, 0, len(rows))
        for frame in frames(rows, 0, len(rows)):
            give(newer, frame, ())
        assert newer.position() == len(rows)
        assert tables_of(newer) == expected()


def test_what_a_frame_changed_is_announced_when_it_commits(database: Database) -> None:
    rows = log_rows()
    with on(database) as views, connect(database.url(), "views") as listening:
        listening.execute(f"LISTEN {CHANNEL}".encode())
        changed: dict[str, set[str]] = {}
        for frame in frames(rows[:600], 0, 600):
            for name, some in give(views, frame, ()).changed.items():
                changed.setdefault(name, set()).update(r["area"] for r in some if r.get("area"))
        told: dict[str, set[str]] = {}
        for note in listening.notifies(timeout=2):
            body = json.loads(note.payload)
            assert len(note.payload.encode()) < 8000
            for name, areas in body.get("tables", {}).items():
                told.setdefault(name, set()).update(areas or ())
            if body["position"] == 600:
                break
        assert body["partition"] == 0 and body["position"] == 600
        assert told == changed


def test_a_process_of_another_version_of_a_view_applies_nothing(database: Database) -> None:
    """It once folded with the old code into the new tables, in a cluster upgraded bit by bit."""
    rows = log_rows()
    with on(database) as old:
        old.apply_frame(0, 0, 40, rows[:40])
        newer = altered("stock", version=99)
        with closing(ViewsDatabase(database.url(), newer, 1)) as new:
            assert new.positions()["stock"] == {0: 0}
            with pytest.raises(ViewsOfAnotherVersion):
                old.apply_frame(0, 40, 80, rows[40:80])
            assert new.positions()["stock"] == {0: 0}


def test_a_process_that_does_not_know_a_view_leaves_its_position(database: Database) -> None:
    """An older program once moved a new view past facts that it had never folded for it."""
    rows = log_rows()
    with (
        on(database) as new,
        closing(ViewsDatabase(database.url(), VIEWS[:-1], 1)) as old,
    ):
        old.apply_frame(0, 0, 40, rows[:40])
        assert new.positions()[VIEWS[-1].name] == {0: 0}
        assert new.apply_frame(0, 40, 60, rows[40:60]) == Gap(0, 0, 40)
        give(new, Frame(0, 40, len(rows), tuple(rows[40:])), rows)
        assert tables_of(new) == expected()


def test_an_older_program_never_replaces_what_a_newer_one_has_built(database: Database) -> None:
    """One old worker that was started by mistake once made a generation anew: the boards fell to
    0, and all new workers stopped."""
    rows = log_rows()
    newer = altered("stock", version=99)
    with closing(ViewsDatabase(database.url(), newer, 1)) as new:
        for frame in frames(rows, 0, len(rows)):
            give(new, frame, rows)
        before = new.live(), tables_of(new)
        for _ in range(2):
            with pytest.raises(ViewsNewer) as refused, on(database):
                pass
        assert "较新版本" in refused.value.zh and refused.value.retry_after is None
        assert (new.live(), tables_of(new)) == before
        later = new.apply_frame(0, len(rows), len(rows) + 1, ())
        assert later == Applied(len(rows) + 1, {}, 0), "the newer program goes on"


def test_a_rebuild_of_an_older_program_does_not_go_live_over_a_newer_one(
    database: Database,
) -> None:
    with (
        on(database) as old,
        closing(ViewsDatabase(database.url(), altered("stock", version=99), 1)),
    ):
        stock = next(view for view in VIEWS if view.name == "stock")
        with pytest.raises(ViewsNewer), old.place.switching():
            old.switch(stock, 7, {0: 0})
