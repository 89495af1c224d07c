"""`relief demo`: built once, finished if it was killed, with a log-in for every role."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from cli.demo_command import PASSWORD
from demo import driver
from demo.households import Outcome
from demo.list_steps import Object, PayList, PaymentFailed, ReturnList
from demo.naming import Names
from demo.plan import DemoPlan, build_plan
from demo.report_steps import ReturnReport
from domain.catalog import AGGREGATES
from domain.officer import Officer
from domain.world import Role
from eventstore.accounts import Accounts
from eventstore.patience import LoginRefused
from eventstore.store import Store
from projections.areas import by_code
from projections.asking.deadlines_at import deadlines
from projections.asking.ledger_sums import ledger_totals
from projections.asking.scope import EVERYTHING
from projections.catalog import VIEWS
from projections.dispatch import incidents
from projections.folding.engine import ViewsDatabase
from projections.folding.reader import ViewsReader
from projections.folding.rebuild import check
from projections.reviews import review_queue

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 180
CLI = "from cli.main import main; main()"
HALFWAY = ("in-transaction:2", "between-vault-and-log:2", "after-commit:2")


def relief(
    folder: Path, *args: str, kill_at: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the `relief` command on a data folder."""
    env = {**os.environ, "RELIEF_DATA": str(folder), "PYTHONPATH": str(ROOT)}
    env.pop("RELIEF_KILL_AT", None)
    if kill_at is not None:
        env["RELIEF_KILL_AT"] = kill_at
    return subprocess.run(
        [sys.executable, "-c", CLI, *args],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def asked(folder: Path, *args: str) -> dict[str, Any]:
    """What a command answers as JSON."""
    done = relief(folder, *args, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def stats(folder: Path) -> dict[str, Any]:
    """Head, streams and facts by topic; bytes may differ by the random noise of sealed texts."""
    store = Store.at(folder, AGGREGATES)
    found = store.stats()
    store.close()
    found.pop("bytes")
    return found


def totals(folder: Path) -> dict[str, Any]:
    """What the boards say of the season."""
    reader = ViewsReader(folder / "views.sqlite")
    with reader() as db:
        found = ledger_totals(db, EVERYTHING, county=by_code(db, "340882"), year=2017)
    reader.close()
    assert found is not None
    return found


@lru_cache(maxsize=1)
def plan() -> DemoPlan:
    return build_plan(small=True)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small demo, built by the command on an empty folder. For reading only."""
    folder = tmp_path_factory.mktemp("demo") / "data"
    done = relief(folder, "demo", "--small")
    assert done.returncode == 0, done.stderr
    assert PASSWORD in done.stdout
    assert "虚构" in done.stdout, "it says that the people are made up"
    return folder


def test_the_totals_are_those_of_the_plan(built: Path) -> None:
    found = asked(built, "ledger", "totals", "--county", "340882", "--season", "2017")
    granted = plan().granted
    wanted = {
        "households": granted.households,
        "persons": granted.persons,
        "cash_fen": granted.cash_yuan * 100,
        "goods": {"coat": granted.coats, "quilt": granted.quilts},
    }
    assert found["granted"] == wanted
    assert found["paid_or_signed"] == wanted
    assert found["county"] == "340882"
    assert found["season"] == 2017
    assert found["position"] == stats(built)["head"]


def test_a_second_start_loads_nothing_again(built: Path) -> None:
    before = stats(built)
    again = relief(built, "demo")  # and a small one stays small
    assert again.returncode == 0, again.stderr
    assert PASSWORD in again.stdout, "it prints the log-ins again"
    assert stats(built) == before


@pytest.mark.parametrize("kill_at", HALFWAY)
def test_a_half_built_store_is_finished_by_the_next_start(
    built: Path, tmp_path: Path, kill_at: str
) -> None:
    folder = tmp_path / "data"
    killed = relief(folder, "demo", "--small", kill_at=kill_at)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    half = stats(folder)
    assert half["events"] < stats(built)["events"]
    done = relief(folder, "demo", "--small")
    assert done.returncode == 0, done.stderr
    assert stats(folder) == stats(built)
    assert totals(folder) == totals(built)
    views = ViewsDatabase(folder / "views.sqlite", VIEWS)
    assert check(folder / "log.sqlite", views, workers=1).equal
    views.close()


def test_the_demo_is_not_loaded_into_a_store_of_real_facts(built: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(built, tmp_path / "data"))
    store = Store.at(folder, AGGREGATES)
    with store.log.transaction() as db:
        db.execute("DELETE FROM marks WHERE key IN ('demo', 'demo-done')")
    store.close()
    before = stats(folder)
    refused = relief(folder, "demo", "--small")
    assert refused.returncode == 2
    assert "empty data folder" in " ".join(refused.stderr.split())
    assert stats(folder) == before


def test_every_setback_of_the_plan_happened(built: Path) -> None:
    topics = stats(built)["by_topic"]
    steps = plan().steps
    kinds = Counter(type(step) for step in steps)
    outcomes = Counter(one.outcome for one in plan().households.values())
    bounced = sum(len(step.failing) for step in steps if isinstance(step, PayList))
    assert topics["ReliefCase.Refused"] == outcomes.total() - outcomes[Outcome.GRANTED]
    assert topics["ReliefCase.PaymentFailed"] == bounced + kinds[PaymentFailed] > 0
    assert topics["SituationReport.Returned"] == kinds[ReturnReport] > 0
    assert topics["VillageList.Returned"] == kinds[ReturnList] > 0
    assert topics["VillageList.ObjectionRaised"] == kinds[Object] > 0
    assert topics["VillageList.ObjectionSettled"] == kinds[Object]
    assert topics["Person.Contested"] == 2, "the duplicate, and the household entered twice"
    assert topics["Consignment.Shipped/2"] - topics["Consignment.Arrived"] == 2, "on the road"


def test_only_one_thing_is_overdue_when_the_demo_ends(built: Path) -> None:
    reader = ViewsReader(built / "views.sqlite")
    with reader() as db:
        late = deadlines(db, EVERYTHING, at=plan().steps[-1].at, overdue_only=True).items
        open_ones = deadlines(db, EVERYTHING, at=plan().steps[-1].at).items
    reader.close()
    found = [(one["kind"], one["area_name"]) for one in late]
    assert found == [("forward_report", "安庆市")], "the flood's 核报, not passed on"
    assert {one["kind"] for one in open_ones} >= {"follow_up", "goods_arrival"}


@pytest.mark.parametrize(
    ("role", "area", "step"),
    [
        (Role.VILLAGE_REPORTER, "双峰居委会", "correct"),
        (Role.TOWNSHIP_REVIEWER, "斗塘村委会", "review"),
        (Role.COUNTY_APPROVER, "源潭镇", "review"),
        (Role.COUNTY_APPROVER, "源潭镇", "order"),
        (Role.CITY_REVIEWER, "潜山市", "review"),
        (Role.PROVINCE_REVIEWER, "安庆市", "review"),
        (Role.STOREKEEPER, "源潭镇", "receive"),
    ],
)
def test_something_waits_for_each_desk_when_the_demo_ends(
    built: Path, role: Role, area: str, step: str
) -> None:
    reader = ViewsReader(built / "views.sqlite")
    with reader() as db:
        waiting = review_queue(db, EVERYTHING, role=str(role)).items
    reader.close()
    assert (area, step) in [(one["area_name"], one["step"]) for one in waiting]


def test_a_unit_is_on_its_way_and_a_call_not_yet_judged_when_the_demo_ends(built: Path) -> None:
    reader = ViewsReader(built / "views.sqlite")
    with reader() as db:
        found = incidents(db, EVERYTHING, open=True).items
    reader.close()
    assert sorted(one["status"] for one in found) == ["en_route", "open"]


def test_every_role_can_log_in(built: Path) -> None:
    store = Store.at(built, AGGREGATES)
    try:
        accounts = Accounts(store.vault)
        shown = driver.logins(plan(), Names(plan(), store.vault.person_for))
        assert {login.role for login in shown} == set(Role) - {Role.SYSTEM}
        for login in shown:
            _, session = accounts.log_in(login.login, PASSWORD)
            assert session.officer == login.officer
            officer = store.load(login.officer)
            assert isinstance(officer, Officer) and officer.suspended is None
        with pytest.raises(LoginRefused):
            accounts.log_in(shown[0].login, "another password")
        assert store.simulated, "marked so from birth"
    finally:
        store.close()
