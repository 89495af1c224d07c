"""`audit/check_grants.py` finds nothing wrong in the demo, and finds what was tampered with."""

import ast
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from demo.plan import DemoPlan
from domain.catalog import AGGREGATES
from eventstore.store import Store
from tests.everything import everything, run_demo

ROOT = Path(__file__).resolve().parents[2]
OF_THE_PROGRAM = {
    "domain",
    "eventstore",
    "projections",
    "streams",
    "intake",
    "api",
    "web",
    "demo",
    "cli",
    "tests",
}
Body = dict[str, Any]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DemoPlan]:
    """The small demo's log, and its plan."""
    folder = tmp_path_factory.mktemp("demo")
    store = Store.at(folder, AGGREGATES)
    plan = run_demo(store)
    store.close()
    return folder, plan


def recheck(folder: Path, *args: object) -> tuple[int, str]:
    """Exit code and report."""
    done = subprocess.run(
        [sys.executable, "-m", "audit.check_grants", str(folder), *map(str, args)],
        cwd=ROOT,
        env={},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


def published(plan: DemoPlan, path: Path) -> Path:
    """The plan's own totals, in the form of the published ones."""
    totals = {
        "households": plan.granted.households,
        "persons": plan.granted.persons,
        "cash_yuan": plan.granted.cash_yuan,
        "quilts": plan.granted.quilts,
        "coats": plan.granted.coats,
    }
    path.write_text(json.dumps({"winter_relief_2017_2018": totals}), encoding="utf-8")
    return path


def test_the_script_imports_nothing_of_the_program() -> None:
    for path in (ROOT / "audit").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.partition(".")[0] for name in names} & OF_THE_PROGRAM, path


def test_every_grant_of_the_demo_stands(demo: tuple[Path, DemoPlan], tmp_path: Path) -> None:
    folder, plan = demo
    code, report = recheck(folder, "--published", published(plan, tmp_path / "published.json"))
    assert code == 0, report
    assert "no violation, equal to the published totals" in report
    assert f"households {plan.granted.households}" in report


def test_corrections_and_refunds_are_no_violation() -> None:
    code, report = recheck(everything())
    assert code == 0, report


def test_other_totals_than_published_are_a_violation(
    demo: tuple[Path, DemoPlan], tmp_path: Path
) -> None:
    folder, plan = demo
    path = published(plan, tmp_path / "published.json")
    path.write_text(path.read_text().replace('"quilts": 6', '"quilts": 7'))
    code, report = recheck(folder, "--published", path)
    assert code == 1
    assert "6 quilts, published 7" in report


@dataclass(frozen=True)
class Tampering:
    """How a fact of a topic is altered (the ``nth`` one, from 0), and what the script says."""

    topic: str
    change: Callable[[Body], object]
    says: str
    nth: int = 0
    here: bool = True  # the violation is reported at this very fact


def reviewed_by_the_reporter(body: Body) -> None:
    body["hands"] = [*body["hands"], *REPORTER]


def a_day_too_early(body: Body) -> None:
    body["ends_at"] = body["posted_at"]


def too_much(body: Body) -> None:
    body["grant"]["cash_fen"] += 5_000_00


def half(body: Body) -> None:
    body["amount_fen"] //= 2


def fewer(body: Body) -> None:
    body["lots"][0]["quantity"] = 1


def nobody(body: Body) -> None:
    body["hands"] = []


def one_more(body: Body) -> None:
    body["picks"][0]["quantity"] += 1


def stricter(body: Body) -> None:
    for programme in body["content"]["programmes"]:
        programme["rates"][0]["ceiling_fen"] = 1_00


REPORTER: list[str] = []
ALTERED = {
    "reviewed by the reporter": Tampering(
        "VillageList.Reviewed", reviewed_by_the_reporter, "one person did report and review"
    ),
    "notice too short": Tampering(
        "VillageList.Posted/2", a_day_too_early, "notice is shorter than 7 days"
    ),
    "over the standard": Tampering("ReliefCase.Granted", too_much, "over the ceiling", nth=3),
    "commitment too small": Tampering("Fund.Committed", half, "fen committed, ", here=False),
    "paid another amount": Tampering("ReliefCase.Paid", half, "fen of another grant", nth=5),
    "goods from nowhere": Tampering("Stockpile.Received", fewer, "more of lot", nth=0, here=False),
    "nobody approved": Tampering("VillageList.Approved", nobody, "does not name everybody"),
    "signed for more": Tampering(
        "ReliefCase.GoodsSigned", one_more, "signed for another number of units"
    ),
    "passed down and lost": Tampering("Fund.Received", half, "did not reach", here=False),
}
DELETED = {
    "objection never settled": ("VillageList.ObjectionSettled", 0, "over an open objection"),
    "no second notice": ("VillageList.Posted/2", -1, "notice was over"),
    "never reviewed": ("VillageList.Reviewed", 0, "approved and not reviewed"),
    "no minutes": ("VillageList.MinutesRecorded", -1, "no minutes"),
    "given out, not signed for": ("ReliefCase.GoodsSigned", 0, "did not arrive"),
}


def tampered(folder: Path, target: Path) -> sqlite3.Connection:
    shutil.copytree(folder, target)
    return sqlite3.connect(target / "log.sqlite")


def nth(db: sqlite3.Connection, topic: str, number: int) -> tuple[int, Body]:
    """A fact of the topic, counted from 0, or from -1 at the end."""
    sql = "SELECT position, state FROM events WHERE topic=? OR topic LIKE ? ORDER BY position"
    position, state = db.execute(sql, (topic, f"{topic}/%")).fetchall()[number]
    return position, json.loads(state)


@pytest.mark.parametrize("name", ALTERED)
def test_an_altered_fact_is_found(demo: tuple[Path, DemoPlan], tmp_path: Path, name: str) -> None:
    one = ALTERED[name]
    db = tampered(demo[0], tmp_path / "copy")
    _, listed = nth(db, "VillageList.CasesListed", 0)
    REPORTER[:] = listed["hands"]
    position, body = nth(db, one.topic, one.nth)
    one.change(body)
    db.execute("UPDATE events SET state=? WHERE position=?", (json.dumps(body), position))
    db.commit()
    db.close()
    code, report = recheck(tmp_path / "copy")
    assert code == 1, report
    assert one.says in report
    if one.here:
        assert f"  {position}: " in report


@pytest.mark.parametrize("name", DELETED)
def test_a_deleted_fact_is_found_even_if_the_gap_was_closed(
    demo: tuple[Path, DemoPlan], tmp_path: Path, name: str
) -> None:
    topic, number, says = DELETED[name]
    db = tampered(demo[0], tmp_path / "copy")
    position, _ = nth(db, topic, number)
    (stream,) = db.execute("SELECT stream FROM events WHERE position=?", (position,)).fetchone()
    db.execute("DELETE FROM events WHERE position=?", (position,))
    rows = db.execute(
        "SELECT position, stream, version, state FROM events WHERE position>? ORDER BY position",
        (position,),
    ).fetchall()
    for at, owner, version, state in rows:
        if owner == stream:
            body = json.loads(state) | {"originator_version": version - 1}
            db.execute(
                "UPDATE events SET version=?, state=? WHERE position=?",
                (version - 1, json.dumps(body), at),
            )
        db.execute("UPDATE events SET position=? WHERE position=?", (at - 1, at))
    db.commit()
    db.close()
    code, report = recheck(tmp_path / "copy")
    assert code == 1, report
    assert "gap" not in report
    assert says in report


def test_a_stricter_standard_makes_every_grant_a_violation(
    demo: tuple[Path, DemoPlan], tmp_path: Path
) -> None:
    db = tampered(demo[0], tmp_path / "copy")
    sql = "SELECT count(*) FROM events WHERE topic LIKE 'Rulebook.Adopted%'"
    count = db.execute(sql).fetchone()[0]
    assert count
    for number in range(count):
        position, body = nth(db, "Rulebook.Adopted", number)
        if "programmes" in body["content"]:
            stricter(body)
            db.execute("UPDATE events SET state=? WHERE position=?", (json.dumps(body), position))
    db.commit()
    db.close()
    code, report = recheck(tmp_path / "copy")
    assert code == 1
    assert "ceilings are not those of the rulebook" in report
