"""A rebuild gives the very rows that the live views have, and takes their place without a gap."""

import json
import signal
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import text

from domain.household import Household
from projections.catalog import VIEWS
from projections.folding import part_files, parts
from projections.folding import rebuild as rebuilding
from projections.folding.base import Rows
from projections.folding.engine import ViewsDatabase
from projections.folding.facts import Fact
from projections.folding.fold import Folding
from projections.folding.reader import ViewsReader
from projections.folding.rebuild import check, rebuild
from streams.embedded import Follower
from tests.everything import copy_of_everything, everything, opened
from tests.oracles import tables_of
from tests.projections.rebuilding import (
    altered,
    forgetting,
    physical_tables,
    rebuilt_hashes,
    run_python,
)

LIVE = everything  # folded by the follower, a few commands at a time
HOUSEHOLDS = next(view for view in VIEWS if view.name == "households")

CHECK = """
import json, sys
from pathlib import Path
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase
from projections.folding.rebuild import check
folder = Path(sys.argv[1])
views = ViewsDatabase(folder / "views.sqlite", VIEWS)
found = check(folder / "log.sqlite", views, workers=1, batch=int(sys.argv[2]))
print(json.dumps({view.name: view.sha256 for view in found.views}))
"""

KILLED_WHILE_FOLDING = """
import os, signal, sys
from pathlib import Path
from domain.village_list import VillageList
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase
from projections.folding.rebuild import rebuild
for view in VIEWS:
    if view.name == "timeline":
        view.routes[VillageList.Closed] = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
folder = Path(sys.argv[1])
rebuild(folder / "log.sqlite", ViewsDatabase(folder / "views.sqlite", VIEWS), workers=1)
"""

KILLED_WHILE_SWITCHING = """
import os, signal, sys
from pathlib import Path
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase
from projections.folding.rebuild import rebuild
folder = Path(sys.argv[1])
views = ViewsDatabase(folder / "views.sqlite", VIEWS)
switch, done = views.switch, []
def killed(view, generation, position):
    switch(view, generation, position)
    done.append(view)
    if len(done) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
views.switch = killed
rebuild(folder / "log.sqlite", views, workers=1)
"""

CLI = "from cli.main import main; main()"


@pytest.mark.parametrize("workers", [1, 3])
def test_a_rebuild_equals_the_live_views_table_by_table(
    monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setattr(parts, "WORTH_A_PROCESS", 400)
    monkeypatch.setattr(parts, "HEAD_START", 400)
    with opened(LIVE()) as (store, views):
        assert len(parts.deal(store.log.source, VIEWS, workers)) == workers
        found = check(Path(store.log.source), views, workers=workers)
        assert found.equal, [view.name for view in found.views if not view.equal]
        assert rebuilt_hashes(found) == tables_of(views)
        assert {view.name for view in found.views} == {
            table.name for view in VIEWS for table in view.tables
        }
        assert found.events == store.head()


@pytest.mark.parametrize("batch", [1, 13, 100_000])
def test_the_size_of_a_batch_changes_nothing(batch: int) -> None:
    with opened(LIVE()) as (store, views):
        found = check(Path(store.log.source), views, workers=1, batch=batch)
        assert found.equal, [view.name for view in found.views if not view.equal]


def test_time_zone_hash_seed_and_locale_change_nothing(tmp_path: Path) -> None:
    folder = copy_of_everything(tmp_path)
    with opened(folder) as (_, views):
        expected = tables_of(views)
    strange = (
        {"TZ": "America/Lima", "PYTHONHASHSEED": "7", "LC_ALL": "C"},
        {"TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "4242", "LC_ALL": "POSIX"},
    )
    for batch, env in zip((29, 500), strange, strict=True):
        done = run_python(CHECK, folder, batch, env=env)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == expected


def test_one_altered_handler_turns_the_check_red() -> None:
    routes = forgetting(HOUSEHOLDS, Household.CardRecorded)
    with opened(LIVE()) as (store, _):
        views = ViewsDatabase(LIVE() / "views.sqlite", altered("households", routes=routes))
        found = check(Path(store.log.source), views, workers=1)
        views.close()
    wrong = {view.name for view in found.views if not view.equal}
    assert not found.equal
    assert wrong and wrong <= {table.name for table in HOUSEHOLDS.tables}


def test_one_altered_row_turns_the_check_red(tmp_path: Path) -> None:
    with opened(copy_of_everything(tmp_path)) as (store, views):
        views.db.execute("UPDATE timeline__g1 SET at = at WHERE 1")
        assert check(Path(store.log.source), views, workers=1).equal
        views.db.execute("UPDATE areas__g1 SET name = '别处' WHERE code = '340882'")
        found = check(Path(store.log.source), views, workers=1)
        assert [view.name for view in found.views if not view.equal] == ["areas"]


def test_readers_get_answers_while_a_rebuild_switches(tmp_path: Path) -> None:
    with opened(copy_of_everything(tmp_path)) as (store, views):
        before, tables = tables_of(views), physical_tables(views)
        reader = ViewsReader(views.path)
        stop, answers, problems = threading.Event(), set[int](), list[BaseException]()

        def ask() -> None:
            try:
                while not stop.is_set():
                    with reader() as db:
                        count = db.execute(text("SELECT count(*) FROM timeline")).scalar_one()
                        again = db.execute(text("SELECT count(*) FROM timeline")).scalar_one()
                        answers.update((count, again))
            except BaseException as problem:
                problems.append(problem)

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            rebuild(Path(store.log.source), views, workers=1)
            rebuild(Path(store.log.source), views, workers=2)
        finally:
            stop.set()
            asking.join()
            reader.close()
        assert not problems
        assert len(answers) == 1, "never empty, never half"
        assert tables_of(views) == before
        assert {live.generation for live in views.live()} == {3}
        assert not physical_tables(views) & tables, "the old ones are gone"
        assert {name.rpartition("__")[2] for name in physical_tables(views)} == {"g3"}
        assert views.position() == store.head()


def test_facts_that_come_during_a_rebuild_are_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(copy_of_everything(tmp_path)) as (store, views):
        before = tables_of(views)
        monkeypatch.setattr(rebuilding, "head_of", lambda _: store.head() - 40)
        rebuild(Path(store.log.source), views, workers=1)
        assert views.position() == store.head()
        assert tables_of(views) == before


@pytest.mark.parametrize("program", [KILLED_WHILE_FOLDING, KILLED_WHILE_SWITCHING])
def test_a_killed_rebuild_leaves_the_live_views_alone(tmp_path: Path, program: str) -> None:
    folder = copy_of_everything(tmp_path)
    with opened(folder) as (_, views):
        before, live = tables_of(views), views.live()
    killed = run_python(program, folder)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with opened(folder) as (store, views):
        assert views.live() == live
        assert tables_of(views) == before
        rebuild(Path(store.log.source), views, workers=1)
        assert tables_of(views) == before
        assert not list(folder.glob("rebuild-*")), "what it left behind is swept up"


def test_a_view_of_a_new_version_starts_empty_and_is_caught_up(tmp_path: Path) -> None:
    folder = copy_of_everything(tmp_path)
    with opened(folder) as (store, views):
        before = tables_of(views)
        newer = ViewsDatabase(
            folder / "views.sqlite", altered("households", version=HOUSEHOLDS.version + 1)
        )
        live = {entry.view: entry for entry in newer.live()}
        assert live["households"].position == 0
        assert live["households"].generation == 2
        assert live["timeline"].position == store.head()
        table = HOUSEHOLDS.tables[0].name
        assert newer.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0
        follower = Follower(store, newer)
        while follower.step():
            pass
        assert {entry.position for entry in newer.live()} == {store.head()}
        assert tables_of(newer) == before
        newer.close()


def test_the_memory_of_a_rebuild_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    limit, batch = 60, 16
    seen: list[int] = []
    run = Folding.run

    def watched(folding: Folding, rows: Rows, facts: Sequence[Fact]) -> None:
        seen.append(rows.held())  # what is appended is written after every batch
        run(folding, rows, facts)

    monkeypatch.setattr(part_files, "HELD_ROWS", limit)
    monkeypatch.setattr(Folding, "run", watched)
    with opened(LIVE()) as (store, views):
        found = check(Path(store.log.source), views, workers=1, batch=batch)
    assert found.equal, [view.name for view in found.views if not view.equal]
    assert len(seen) > found.events / batch / 2
    assert max(seen) <= limit, "after every batch at most so many rows are kept"


def test_the_command_says_equal_and_fails_when_it_is_not(tmp_path: Path) -> None:
    folder = copy_of_everything(tmp_path)
    args = ("views", "rebuild", "--check", "--json")
    done = run_python(CLI, *args, env={"RELIEF_DATA": str(folder)})
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["equal"] is True
    assert {"events", "seconds", "events_per_second", "views", "equal"} == set(report)
    assert {"name", "rows", "sha256", "equal"} == set(report["views"][0])
    with opened(folder) as (_, views):
        views.db.execute("UPDATE areas__g1 SET name = '别处' WHERE code = '340882'")
    done = run_python(CLI, *args, "--workers", 1, env={"RELIEF_DATA": str(folder)})
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    assert report["equal"] is False
    assert [view["name"] for view in report["views"] if not view["equal"]] == ["areas"]


def test_the_streams_of_a_log_just_worth_a_second_process_are_dealt_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite3.connect(tmp_path / "log.sqlite")) as db, db:
        db.execute("CREATE TABLE events (topic TEXT)")
        db.executemany("INSERT INTO events VALUES (?)", [("Unit.Registered",)] * 20)
    for worth in (10, 20):
        monkeypatch.setattr(parts, "WORTH_A_PROCESS", worth)
        shares = parts.deal(tmp_path / "log.sqlite", VIEWS, 3)
        assert len(shares) == 1 + 20 // worth
        edges = [(share.low, share.high) for share in shares]
        assert edges[0][0] == 0 and edges[-1][1] == 256
        assert all(low < high for low, high in edges), edges
        assert all(one[1] == two[0] for one, two in pairwise(edges))
