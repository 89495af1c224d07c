"""Nobody is late by a clock that was held: one rule for all that is owed, sent or waited for.

While a machine's clock is held nobody knows the time. What was stamped then was not late; what has
not come yet is late by what had passed up to the last good moment, and no more (decision 0044).
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.commands.consignments import ArriveConsignment
from domain.commands.seasons import CloseSeason
from domain.lateness import counted_until, late_by, whole_minutes
from projections import deadlines as view
from projections import disasters, dispatch, officers, situation, stock
from projections.asking.deadlines_at import deadlines
from projections.asking.scope import EVERYTHING
from projections.dispatch import dispatch_board
from projections.findings import finding_counts
from projections.sections.consignments import consignment, consignments
from tests.domain import goods
from tests.domain.county import make_county
from tests.domain.ledger import Ledger
from tests.domain.scenario import Scenario
from tests.projections.relief import fold
from tests.projections.reporting import accept, flood, initial
from tests.projections.test_dispatch import opened
from tests.projections.test_findings import VIEWS as LEDGER

VIEWS = (officers.VIEW, disasters.VIEW, situation.VIEW, view.VIEW)
YEAR = timedelta(days=400)
MINUTE = timedelta(minutes=1)
OF_FINDINGS = (*LEDGER, situation.VIEW, disasters.VIEW)


def states(path: Path, county: Scenario, at: datetime, **more: Any) -> dict[str, tuple[str, int]]:
    """State and minutes late of what was asked for, by kind."""
    path.mkdir(exist_ok=True)
    with fold(path, county, VIEWS).reading() as db:
        rows = deadlines(db, EVERYTHING, at=at, done=True, **more).items
    return {row["kind"]: (row["state"], row["late_minutes"]) for row in rows}


def test_the_rule() -> None:
    due = datetime(2018, 7, 4, tzinfo=UTC)
    assert late_by(due, due) == late_by(due, due - YEAR) == timedelta(0)
    assert late_by(due, due + YEAR) == YEAR
    assert late_by(due, due + YEAR, clock_held=True) == timedelta(0)
    assert whole_minutes(timedelta(seconds=61)) == 2
    assert counted_until(due + YEAR, None) == due + YEAR
    assert counted_until(due + YEAR, due) == counted_until(due, due + YEAR) == due


def accepted_below() -> Scenario:
    """The county must pass on within hours what it has accepted."""
    county = flood()
    own = initial(county, "yuantan", {"affected": 500}, disaster=county.id("flood"))
    return county.given(own, by="township")


def pass_on(county: Scenario) -> None:
    up = initial(county, "county", {"affected": 900}, disaster=county.id("flood"))
    county.given(up, by="county")


def test_a_report_passed_on_while_the_clock_was_held_was_not_late(tmp_path: Path) -> None:
    county = accepted_below()
    county.given(accept(county, "yuantan", 1), by="county")
    county.now += YEAR
    late = states(tmp_path / "before", county, county.now)["forward_report"]
    assert late[0] == "overdue" and late[1] > 500_000, "by a good clock it is late"
    county.clock_held = True
    pass_on(county)
    county.clock_held = False
    assert states(tmp_path, county, county.now)["forward_report"] == ("done", 0)


def test_what_is_due_by_a_held_clock_makes_nobody_late(tmp_path: Path) -> None:
    county = accepted_below()
    county.clock_held = True
    county.given(accept(county, "yuantan", 1), by="county")
    county.clock_held = False
    county.now += YEAR
    asked = {"kind": "forward_report"}
    assert states(tmp_path / "open", county, county.now, **asked)["forward_report"] == ("open", 0)
    assert states(tmp_path / "only", county, county.now, overdue_only=True, **asked) == {}
    pass_on(county)
    assert states(tmp_path, county, county.now, **asked)["forward_report"] == ("done", 0)


def sent() -> Scenario:
    county = make_county()
    county.given(goods.receive(county), by="storekeeper")
    needed = goods.request(county, needed_by=(county.now + timedelta(days=2)).date())
    county.given(needed, by="township").given(goods.order(county), by="county")
    ship = goods.ship(county, eta=county.now + timedelta(hours=6))
    return county.given(ship, by="storekeeper")


def test_goods_that_came_while_the_clock_was_held_were_not_late(tmp_path: Path) -> None:
    county = sent().wait(days=400)
    county.clock_held = True
    counts = (goods.came(county, 40),)
    load = county.id("load")
    came = ArriveConsignment(consignment=load, counts=counts, remark="", arrived_at=county.now)
    county.given(came, by="township_storekeeper")
    county.clock_held = False
    found = states(tmp_path, county, county.now)
    assert found == {"goods_arrival": ("done", 0), "goods_needed": ("done", 0)}


def test_a_load_is_overdue_by_what_had_passed_when_the_clock_was_good(tmp_path: Path) -> None:
    county = sent()
    good = county.now + timedelta(hours=7)
    at = county.now + YEAR
    with fold(tmp_path, county, (stock.VIEW, dispatch.VIEW)).reading() as db:

        def overdue(good_until: datetime | None) -> set[bool]:
            told: dict[str, Any] = {"at": at, "good_until": good_until}
            one = consignment(db, EVERYTHING, consignment=county.id("load"), **told)
            assert one is not None
            board = dispatch_board(db, EVERYTHING, **told)["consignments"]
            rows = [one, *board, *consignments(db, EVERYTHING, **told).items]
            assert len(rows) == 3
            return {row["overdue"] for row in rows}

        assert overdue(None) == overdue(good) == {True}
        assert overdue(county.now) == {False}
    told = states(tmp_path / "due", county, at, good_until=good)
    assert told["goods_arrival"] == ("overdue", 60)
    assert told["goods_needed"] == ("open", 0)


def test_a_season_closed_while_the_clock_was_held_was_not_late(tmp_path: Path) -> None:
    story = Ledger().until("closed")
    county = story.scenario.wait(days=400)
    county.clock_held = True
    county.given(CloseSeason(season=story.season, reason="办结"), by="county")
    county.clock_held = False
    found = states(tmp_path, county, county.now)
    assert {kind: found[kind] for kind in found if kind.startswith("season")} == {
        "season_assessment": ("done", 0),
        "season_delivery": ("done", 0),
    }


def test_what_a_list_owes_is_not_overdue_by_a_held_clock(tmp_path: Path) -> None:
    story = Ledger().until("allocated")
    county = story.scenario
    at = county.now + YEAR
    found = states(tmp_path / "good", county, at)
    assert {found[kind][0] for kind in found if kind.endswith("_delivery")} == {"overdue"}
    found = states(tmp_path / "held", county, at, good_until=county.now)
    assert {found[kind] for kind in found if kind.endswith("_delivery")} == {("open", 0)}
    with fold(tmp_path, county, OF_FINDINGS).reading() as db:
        late = finding_counts(db, EVERYTHING, at=at)["counts"]
        held = finding_counts(db, EVERYTHING, at=at, good_until=county.now)["counts"]
    assert late["delivery_overdue"] == 4 and "delivery_overdue" not in held


@pytest.mark.parametrize("stamped_held", [False, True])
def test_a_call_for_help_has_not_waited_by_a_held_clock(tmp_path: Path, stamped_held: bool) -> None:
    county = make_county()
    county.clock_held = stamped_held
    county.given(opened(county, "call"), by="village")
    with fold(tmp_path, county, (stock.VIEW, dispatch.VIEW)).reading() as db:

        def unattended(at: datetime, good_until: datetime | None = None) -> bool:
            board = dispatch_board(db, EVERYTHING, at=at, good_until=good_until)
            (one,) = board["incidents"]
            return bool(one["unattended"])

        assert not unattended(county.now + 15 * MINUTE)
        assert unattended(county.now + 16 * MINUTE) is not stamped_held
        assert not unattended(county.now + YEAR, good_until=county.now)
