"""A rebuild from a log on PostgreSQL, beside workers and readers, gives the rows that they made."""

import json
import os
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from psycopg import errors as pg
from sqlalchemy import text

from domain.household import Household
from eventstore.errors import StoreFull, StoreUnreachable
from eventstore.founding import Urls
from eventstore.log import Row
from eventstore.postgres import PostgresLog, connect
from projections.catalog import VIEWS
from projections.folding import part_files, parts, takeover
from projections.folding.databases import CHANNEL
from projections.folding.engine import Applied, ViewsDatabase
from projections.folding.errors import AnotherRebuild, CannotFold, ScratchUnsafe
from projections.folding.part_files import writing
from projections.folding.reader import ViewsReader
from projections.folding.rebuild import check, rebuild
from projections.folding.takeover import next_generation, strictly
from tests.cluster.relaying import urls
from tests.oracles import tables_of
from tests.projections.rebuilding import altered, rebuilt_hashes, run_python
from tests.projections.test_engine_postgres import expected, frames, give, log_rows, spread
from tests.servers import Database

PARTITIONS = 4
HOUSEHOLDS = next(view for view in VIEWS if view.name == "households")


@dataclass
class Place:
    urls: Urls
    log: PostgresLog

    def views(self, views: tuple[object, ...] = VIEWS) -> ViewsDatabase:
        return ViewsDatabase(self.urls.views, views, PARTITIONS)  # type: ignore[arg-type]

    def add(self, rows: list[Row]) -> None:
        with self.log.transaction() as db:
            self.log.append(db, rows)


@pytest.fixture
def place(postgres_database: Database) -> Iterator[Place]:
    """A log with the facts of the store in which everything happens; no views yet."""
    made = urls(postgres_database)
    with closing(PostgresLog(made.database)) as log:
        found = Place(made, log)
        found.add(log_rows())
        yield found


def fold(views: ViewsDatabase, upto: int, *, but: int | None = None) -> None:
    """What workers do with the log's frames up to a position; one partition's may stay away."""
    rows = [row for row in log_rows() if row[0] <= upto]
    for partition, dealt in enumerate(spread(rows, PARTITIONS)):
        if partition != but:
            for frame in frames(dealt, partition, upto):
                give(views, frame, dealt)


@pytest.mark.parametrize("workers", [1, 3])
def test_a_rebuild_equals_the_follower_of_an_embedded_store(
    place: Place, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setattr(parts, "WORTH_A_PROCESS", 400)
    monkeypatch.setattr(parts, "HEAD_START", 400)
    assert len(parts.deal(place.log.source, VIEWS, workers)) == workers
    with closing(place.views()) as views:
        done = rebuild(place.log.source, views, workers=workers)
        assert done.events == len(log_rows())
        assert tables_of(views) == expected()
        assert views.positions()["stock"] == dict.fromkeys(range(PARTITIONS), len(log_rows()))
        found = check(place.log.source, views, workers=workers, batch=100)
        assert found.equal, [view.name for view in found.views if not view.equal]
        assert rebuilt_hashes(found) == expected()


def test_a_check_stops_where_each_partition_stands(place: Place) -> None:
    with closing(place.views()) as views:
        fold(views, 900)
        fold(views, 1300, but=3)
        assert {views.position(n) for n in range(PARTITIONS)} == {900, 1300}
        found = check(place.log.source, views, workers=2)
        assert found.equal, [view.name for view in found.views if not view.equal]
        assert rebuilt_hashes(found) == tables_of(views) != expected()
        views.db.execute("UPDATE areas SET name = '别处' WHERE id = (SELECT min(id) FROM areas)")
        found = check(place.log.source, views, workers=1)
        assert [view.name for view in found.views if not view.equal] == ["areas"]


def test_workers_and_readers_go_on_while_the_views_are_rebuilt(place: Place) -> None:
    stop, problems = threading.Event(), list[BaseException]()
    counts: list[tuple[int, int]] = []

    def guarded(work: object) -> threading.Thread:
        def run() -> None:
            try:
                work()  # type: ignore[operator]
            except BaseException as problem:
                problems.append(problem)

        return threading.Thread(target=run)

    def read() -> None:
        with closing(ViewsReader(place.urls.views)) as reader:
            while not stop.is_set():
                with reader() as db:
                    at = db.execute(text("SELECT min(position) FROM positions")).scalar_one()
                    rows = db.execute(text("SELECT count(*) FROM timeline")).scalar_one()
                    counts.append((at, rows))

    def work() -> None:
        dice = random.Random(1)
        with closing(place.views()) as views:
            dealt = spread(log_rows(), PARTITIONS)
            for row in log_rows()[900:]:
                for n in range(PARTITIONS):
                    at = views.position(n)
                    some = [r for r in dealt[n] if at < r[0] <= row[0]]
                    give_on(views, n, at, row[0], some)
                time.sleep(dice.uniform(0, 0.004))
                if stop.is_set():
                    return

    with closing(place.views()) as views:
        fold(views, 900)
        threads = [guarded(read), guarded(work)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(2):
                rebuild(place.log.source, views, workers=1)
        finally:
            stop.set()
            for thread in threads:
                thread.join(30)
        assert not problems, problems
        assert {live.generation for live in views.live()} == {3}
        assert counts == sorted(counts) and counts[0][1] > 0, "never empty, never back"
        assert all(rows >= 0 and at <= rows for at, rows in counts), "rows as far as it says"
        fold(views, len(log_rows()))
        assert tables_of(views) == expected()
        names = {
            name
            for (name,) in views.db.execute(
                "SELECT tablename FROM pg_tables"
                " WHERE schemaname = 'views' AND tablename LIKE '%\\_\\_g%'"
            )
        }
        assert {name.rpartition("__")[2] for name in names} == {"g3"}, "the old ones are gone"


def give_on(views: ViewsDatabase, n: int, at: int, last: int, some: list[Row]) -> None:
    done = views.apply_frame(n, at, last, some)
    assert isinstance(done, Applied)


def test_facts_that_come_during_a_rebuild_are_not_lost(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = len(log_rows())
    monkeypatch.setattr("projections.folding.rebuild.head_of", lambda _: head - 400)
    monkeypatch.setattr(takeover, "SMALL_GAP", 100)
    with closing(place.views()) as views, connect(place.urls.views, "views") as listening:
        listening.execute(f"LISTEN {CHANNEL}".encode())
        rebuild(place.log.source, views, workers=1)
        assert views.position() == head
        assert tables_of(views) == expected()
        told = [json.loads(n.payload) for n in listening.notifies(timeout=2, stop_after=4)]
        assert [(note["partition"], note["position"]) for note in told] == [
            (n, head) for n in range(PARTITIONS)
        ]


def test_a_reader_that_stays_long_delays_the_switch_and_is_not_harmed(place: Place) -> None:
    with closing(place.views()) as views, closing(ViewsReader(place.urls.views)) as reader:
        fold(views, 600)
        with reader() as db:
            before = db.execute(text("SELECT count(*) FROM timeline")).scalar_one()
            rebuilding = threading.Thread(target=rebuild, args=(place.log.source, views))
            rebuilding.start()
            rebuilding.join(6)
            assert rebuilding.is_alive()
            assert db.execute(text("SELECT count(*) FROM timeline")).scalar_one() == before
            db.execute(text("SELECT count(*) FROM ledger"))
        rebuilding.join(60)
        assert tables_of(views) == expected()


def test_replaying_is_a_rebuild_and_a_drop_is_honored(place: Place) -> None:
    head = len(log_rows())
    bad = next(row for row in log_rows() if row[3] == "Household.CardRecorded")

    def raising(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    broken = altered("households", routes={**HOUSEHOLDS.routes, Household.CardRecorded: raising})
    with closing(place.views(broken)) as views:
        fold(views, head)
        parked = {(one.view, one.position) for one in views.parked()}
        assert ("households", bad[0]) in parked
        found = check(place.log.source, views, workers=1)
        assert found.equal, "what is parked is left out"
        with pytest.raises(CannotFold, match=r"CardRecorded at .*a bug"):
            rebuild(place.log.source, views, workers=1)
        assert {live.generation for live in views.live()} == {1}
        views.dropped = frozenset(parked)
        rebuild(place.log.source, views, workers=1)
        assert views.parked() == []
        assert rebuilt_hashes(found) == tables_of(views) != expected()
    with closing(place.views()) as views:
        rebuild(place.log.source, views, workers=1)
        assert tables_of(views) == expected(), "repaired, replayed"


def test_an_unknown_type_stops_a_rebuild_until_it_is_dropped(place: Place) -> None:
    head, last = len(log_rows()), log_rows()[-1]
    place.add([(head + 1, last[1], last[2] + 1, "Household.Beamed", b"{}")])
    with closing(place.views()) as views:
        with pytest.raises(CannotFold, match=f"Household.Beamed at {head + 1}"):
            rebuild(place.log.source, views, workers=1)
        views.dropped = frozenset((view.name, head + 1) for view in VIEWS)
        rebuild(place.log.source, views, workers=2)
        assert tables_of(views) == expected()


@pytest.mark.parametrize("what", ["open", "a link", "a file"])
def test_a_folder_that_others_may_enter_is_not_used(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Whoever can put a part file into ``/tmp`` before us would write rows of the views."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder, other = tmp_path / f"relief-rebuilds-{os.getuid()}", tmp_path / "other"
    other.mkdir(mode=0o700)
    if what == "open":
        folder.mkdir()
        folder.chmod(0o770)
    elif what == "a link":
        folder.symlink_to(other)
    else:
        folder.touch(mode=0o600)
    with closing(place.views()) as views, pytest.raises(ScratchUnsafe, match=folder.name):
        rebuild(place.urls.database, views, workers=1)
    assert not list(other.iterdir())
    if what == "open":
        folder.rmdir()
        with closing(place.views()) as views:
            rebuild(place.urls.database, views, workers=1)
            assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(("held", "batch"), [(60, 16), (10**6, 100)])
def test_rows_that_cannot_all_be_held_arrive_too(
    place: Place, monkeypatch: pytest.MonkeyPatch, held: int, batch: int
) -> None:
    monkeypatch.setattr(part_files, "HELD_ROWS", held)
    with closing(place.views()) as views:
        rebuild(place.log.source, views, workers=1, batch=batch)
        assert tables_of(views) == expected()


def test_a_process_of_a_dead_rebuild_does_not_write_into_its_successor(
    place: Place, tmp_path: Path
) -> None:
    with closing(place.views()) as views:
        with next_generation(views, 1, strictly(place.log.source, views)) as dead:
            assert dead.target is not None
            with pytest.raises(AnotherRebuild) as told:
                rebuild(place.log.source, views, workers=1)
            assert "重建看板" in told.value.zh, "it was once told that the log file is held"
        with next_generation(views, 1, strictly(place.log.source, views)) as living:
            assert living.target is not None
            assert living.target.oids.keys() == dead.target.oids.keys(), "the same names"
            with writing(views.db, living.target.oids):
                pass
            part = part_files.PartFile(tmp_path / "part0.sqlite", VIEWS)
            with closing(part), pytest.raises(AnotherRebuild, match="has replaced"):
                part.finish(dead.target)


def test_a_rebuild_whose_session_was_lost_goes_no_further(place: Place) -> None:
    """PostgreSQL may have been away, and what it had taken with it; and another may be at work."""
    source = place.log.source
    with closing(place.views()) as views, ExitStack() as successor:
        with (
            pytest.raises(StoreUnreachable, match="session of the rebuild"),
            next_generation(views, 1, strictly(source, views)) as lost,
        ):
            with connect(place.urls.views, "views") as db:
                ended = "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE objid = %s"
                assert db.execute(ended, (takeover.REBUILD_LOCK,)).fetchall() == [(True,)]
            coming = successor.enter_context(next_generation(views, 1, strictly(source, views)))
            lost.take_over({}, 0)
        assert coming.target is not None and None not in coming.target.oids.values()
        assert part_files.oids_of(views.db, list(coming.target.oids)) == coming.target.oids


def test_a_full_disk_is_not_taken_for_a_fact_that_cannot_be_folded(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise pg.DiskFull("could not extend file")

    monkeypatch.setattr(part_files.PartFile, "finish", full)
    with closing(place.views()) as views, pytest.raises(StoreFull, match="could not extend"):
        rebuild(place.log.source, views, workers=1)


KILLED_WHILE_FILLED = """
import os, signal, sys
from projections.folding import part_files, parts, takeover
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase
from projections.folding.rebuild import rebuild
from tests.projections.test_rebuild_postgres import PARTITIONS
source, target = sys.stdin.read().split()
views = ViewsDatabase(target, VIEWS, PARTITIONS)
if sys.argv[1] == "filled":
    takeover._add_keys = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
else:
    views_switch = ViewsDatabase.switch
    def killed(self, view, *rest):
        views_switch(self, view, *rest)
        if view.name == VIEWS[3].name:
            os.kill(os.getpid(), signal.SIGKILL)
    ViewsDatabase.switch = killed
rebuild(source, views, workers=1)
"""


def tables_in(place: Place) -> set[str]:
    with connect(place.urls.views, "views") as db:
        return {
            name.rpartition("__")[2]
            for (name,) in db.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'views'"
                " AND tablename LIKE '%\\_\\_g%'"
            )
        }


@pytest.mark.parametrize("when", ["filled", "switching"])
def test_a_killed_rebuild_leaves_the_live_views_alone(place: Place, when: str) -> None:
    given = f"{place.urls.database} {place.urls.views}"
    with closing(place.views()) as views:
        fold(views, 900)
        before, live = tables_of(views), views.live()
        killed = run_python(KILLED_WHILE_FILLED, when, given=given)
        assert killed.returncode == -9, killed.stderr
        assert (tables_of(views), views.live()) == (before, live)
        assert tables_in(place) == {"g1", "g2"}
        rebuild(place.log.source, views, workers=1)
        assert tables_of(views) == expected()
        assert tables_in(place) == {"g2"}, "what it left behind is dropped"


KILLED = """
import sys
from contextlib import closing
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase
from eventstore.postgres import PostgresLog
from tests.projections.test_rebuild_postgres import PARTITIONS
from tests.projections.test_engine_postgres import frames, give, spread
source, target = sys.stdin.read().split()
with closing(PostgresLog(source)) as log, closing(ViewsDatabase(target, VIEWS, PARTITIONS)) as v:
    rows = log.rows(0, 10**9)
    for n, dealt in enumerate(spread(rows, PARTITIONS)):
        for frame in frames(dealt, n, len(rows)):
            give(v, frame, dealt)
print("done")
"""
"""A worker that begins anew, as one does whose broker repeats everything."""


def test_kills_before_the_commit_change_nothing(place: Place) -> None:
    given = f"{place.urls.database} {place.urls.views}"
    for nth in (3, 17, 29):
        run = run_python(KILLED, env={"RELIEF_KILL_AT": f"in-view:{nth}"}, given=given)
        assert run.returncode == -9, run.stderr
    run = run_python(KILLED, given=given)
    assert run.stdout == "done\n", run.stderr
    with closing(place.views()) as views:
        assert views.position() == len(log_rows())
        assert tables_of(views) == expected()
