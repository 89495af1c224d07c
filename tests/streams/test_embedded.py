"""An embedded store treats a fact that a view cannot fold as a cluster does: the boards go on."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from cli import working
from cli.settings import Settings
from cli.up.programs import RESTING
from domain.base import Event
from domain.catalog import AGGREGATES
from domain.household import Household
from domain.plurals import counted
from eventstore.store import Store
from projections.catalog import VIEWS
from projections.folding.base import Rows, View
from projections.folding.engine import ViewsDatabase
from projections.folding.errors import TooManyParked, ViewsNewer
from projections.folding.parking import BEHIND
from projections.folding.rebuild import check
from streams.embedded import Follower
from tests.everything import copy_of_everything
from tests.oracles import tables_of
from tests.projections.rebuilding import altered, run_python
from tests.projections.test_engine_postgres import expected, log_rows
from tests.projections.test_parking import clean, first_of, stream_of, type_of
from tests.typed import type_command

CLI = "from cli.main import main; main()"
VIEW = next(view for view in VIEWS if view.name == "households")
SECONDS = 60.0


def types(folder: Path, *arguments: str) -> Any:
    """What an operator types beside the running store; what is printed, from JSON if it is."""
    done = type_command(*arguments, cwd=folder, env=os.environ | {"RELIEF_DATA": str(folder)})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout


class Fault:
    """A handler of households that fails for some facts, until it is repaired."""

    def __init__(self, kind: type[Event], fails: Callable[[int], bool]) -> None:
        self.kind, self.fails, self.repaired = kind, fails, False

    def views(self) -> tuple[View, ...]:
        handler: Any = VIEW.routes[self.kind]

        def failing(rows: Rows, at: int, fact: Event) -> None:
            if self.fails(at) and not self.repaired:
                raise ZeroDivisionError("a bug")
            handler(rows, at, fact)

        return altered("households", routes={**VIEW.routes, self.kind: failing})


def views_of(folder: Path, fault: Fault) -> ViewsDatabase:
    return ViewsDatabase(folder / "views.sqlite", fault.views())


@contextmanager
def following(folder: Path, fault: Fault) -> Iterator[tuple[Store, ViewsDatabase, Follower]]:
    """The store of the folder with views that begin anew, and a follower that is not started."""
    for left in folder.glob("views.sqlite*"):
        left.unlink()
    with closing(Store.at(folder, AGGREGATES)) as store, closing(views_of(folder, fault)) as views:
        follower = Follower(store, views)
        try:
            yield store, views, follower
        finally:
            follower.stop()


def until(condition: Callable[[], bool]) -> None:
    looked = threading.Event()
    for _ in range(int(SECONDS / 0.05)):
        if condition():
            return
        looked.wait(0.05)
    raise AssertionError("did not happen in time")


def test_a_fact_that_one_view_cannot_fold_is_parked_and_every_board_goes_on(
    tmp_path: Path,
) -> None:
    """It once stopped all boards of a county, while a city's went on."""
    folder = copy_of_everything(tmp_path)
    index = first_of("Household.CardRecorded", 1)
    bad = log_rows()[index][0]
    held = [at for at in stream_of(index) if type_of(at) in VIEW.routes]
    with following(folder, Fault(Household.CardRecorded, lambda at: at == bad)) as (
        store,
        views,
        follower,
    ):
        follower.start()
        assert follower.wait_for(store.head(), SECONDS), follower.failure
        parked = views.parked()
        assert [(one.view, one.position) for one in parked] == [("households", at) for at in held]
        assert parked[0].reason == "ZeroDivisionError: a bug"
        assert {one.reason for one in parked[1:]} <= {BEHIND}
        found, left_out = tables_of(views), clean(VIEWS, tmp_path, set(held))
        own = {table.name for table in VIEW.tables}
        assert found == {
            name: left_out[name] if name in own else expected()[name] for name in found
        }
        assert check(store.log.source, views, workers=1).equal

        listed = types(folder, "parked", "list", "--json")["parked"]
        assert [one["position"] for one in listed] == held
        shown = types(folder, "parked", "show", "households", str(bad))
        assert shown["topic"] == "Household.CardRecorded" and "fact" in shown
        doctor = types_whatever(folder, "doctor")
        assert counted(len(held), "fact is|facts are") + " parked" in doctor

        replayed = types(folder, "parked", "replay", "--json")["views"]
        assert [(one["view"], one["parked"]) for one in replayed] == [("households", 0)]
        assert tables_of(views) == expected()


def types_whatever(folder: Path, *arguments: str) -> str:
    """The same, for a command that fails when something is not well."""
    done = type_command(
        *arguments, cwd=folder, env=os.environ | {"RELIEF_DATA": str(folder), "COLUMNS": "200"}
    )
    return done.stdout + done.stderr


def test_ten_streams_in_a_row_stop_the_boards_until_an_operator_lets_them_go_on(
    tmp_path: Path,
) -> None:
    folder = copy_of_everything(tmp_path)
    fault = Fault(Household.Registered, lambda _: True)
    tenth = log_rows()[first_of("Household.Registered", 9)][0]
    with following(folder, fault) as (store, views, follower):
        follower.start()
        until(lambda: follower.failure is not None)
        assert isinstance(follower.failure, TooManyParked)
        assert not follower.wait_for(store.head(), 0.1), "who waits is told at once"
        assert views.position() == tenth - 1
        assert len({one.stream for one in views.parked()}) == 9
        told = types(folder, "status", "--json")
        assert told["stopped"] == ["households"] and told["parked"] == len(views.parked())
        assert "households" in types_whatever(folder, "doctor")

        again = types(folder, "resume")  # nobody has repaired it: it stops at the same fact
        assert "households may go on" in again
        until(lambda: views.stopped() == ["households"])
        assert views.position() == tenth - 1 and len({p.stream for p in views.parked()}) == 9

        fault.repaired = True
        assert "households may go on" in types(folder, "resume")
        assert follower.wait_for(store.head(), SECONDS) or follower.failure is not None
        until(lambda: follower.failure is None and follower.position == store.head())
        assert views.stopped() == [] and "nothing rests" in types(folder, "resume")
        types(folder, "parked", "replay")
        assert views.parked() == []
        assert tables_of(views) == expected()


def test_a_drop_beside_the_running_store_lets_the_boards_go_on(tmp_path: Path) -> None:
    """What stops the views is given up for this view; the rest of them does not need a resume."""
    folder = copy_of_everything(tmp_path)
    registered = [row[0] for row in log_rows() if row[3].startswith("Household.Registered")][:10]
    fault = Fault(Household.Registered, lambda at: at in registered)
    with following(folder, fault) as (store, views, follower):
        follower.start()
        until(lambda: follower.failure is not None)
        types(folder, "parked", "drop", "households", str(registered[9]), "--reason", "录错了")
        until(lambda: follower.failure is None and follower.position == store.head())
        assert ("households", registered[9]) in views.dropped
        fault.repaired = True
        assert check(store.log.source, views, workers=1).equal


def test_an_older_program_is_turned_away_with_words_and_leaves_the_boards(tmp_path: Path) -> None:
    folder = copy_of_everything(tmp_path)
    newer = altered("stock", version=99)
    with closing(ViewsDatabase(folder / "views.sqlite", newer)) as views:
        before = views.live(), tables_of(views)
        done = run_python(CLI, "status", "--json", env={"RELIEF_DATA": str(folder)})
        assert done.returncode == RESTING
        assert "较新版本的程序" in done.stderr and "A newer version of the program" in done.stderr
        assert (views.live(), tables_of(views)) == before


def test_an_older_worker_rests_and_is_not_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*_: object) -> None:
        raise ViewsNewer("stock: 99 > 6")

    monkeypatch.setattr(working, "Process", refused)
    settings = Settings(data=tmp_path, database_url="x", views_url="x", kafka="x")
    assert working.run(settings, "worker.1") == RESTING
    assert "较新版本的程序" in capsys.readouterr().err
