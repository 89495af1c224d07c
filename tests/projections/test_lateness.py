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
from domain.lateness import NEVER_HELD, Counting, HeldSpan, HeldTime, joined, whole_minutes
from projections import deadlines as view
from projections import disasters, dispatch, officers, situation, stock
from projections.asking.belongings import household_moves
from projections.asking.deadlines_at import deadlines
from projections.asking.scope import EVERYTHING
from projections.dispatch import dispatch_board
from projections.findings import finding_counts
from projections.sections.consignments import consignment, consignments
from tests.domain import goods
from tests.domain.county import make_county
from tests.domain.ledger import Ledger
from tests.domain.scenario import Scenario
from tests.domain.test_moving_villages import offer
from tests.projections.relief import fold
from tests.projections.reporting import accept, flood, initial
from tests.projections.test_belongings import VIEWS as BELONGINGS
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
    never = NEVER_HELD
    assert never.late_by(due, due) == never.late_by(due, due - YEAR) == timedelta(0)
    assert never.late_by(due, due + YEAR) == YEAR
    assert whole_minutes(timedelta(seconds=61)) == 2
    held = HeldTime(due - MINUTE)
    assert held.left(due, due + YEAR) == MINUTE, "nothing runs out while it is held"
    assert HeldTime(due + MINUTE).late_by(due, due + YEAR) == MINUTE
    was = HeldTime(None, (HeldSpan(due - MINUTE, due + YEAR),))
    assert was.left(due, due) == MINUTE, "asked about a moment of that time"
    assert was.left(due, due + YEAR) == MINUTE, "as long to go as at the last good moment"
    assert was.late_by(due - 2 * MINUTE, due + YEAR) == MINUTE, "late by what counted"
    assert was.left(due + YEAR + MINUTE, due + YEAR) == MINUTE, "what ends later stands"
    assert Counting(due + YEAR, was).left(due) == MINUTE


def test_holds_of_several_machines_count_once() -> None:
    at = datetime(2018, 7, 4, tzinfo=UTC)
    one, two = HeldSpan(at, at + 2 * MINUTE), HeldSpan(at + MINUTE, at + 3 * MINUTE)
    other = HeldSpan(at + 5 * MINUTE, at + 6 * MINUTE)
    assert joined([other, two, one]) == (HeldSpan(at, at + 3 * MINUTE), other)
    assert joined([HeldSpan(at, at)]) == ()


def test_queries_count_as_commands_do() -> None:
    """`over` says in parts, for SQL, of which due times `left` leaves nothing."""
    began = datetime(2018, 7, 4, tzinfo=UTC)
    spans = (HeldSpan(began + 3 * MINUTE, began + 9 * MINUTE),)
    spans += (HeldSpan(began + 12 * MINUTE, began + 14 * MINUTE),)
    minutes = [began + n * MINUTE for n in range(30)]

    def says(held: HeldTime, due: datetime, at: datetime) -> bool:
        return any(
            due < part.before
            and (part.after is None or due > part.after)
            and (part.through is None or due <= part.through)
            for part in held.over(at)
        )

    for held in (NEVER_HELD, HeldTime(None, spans), HeldTime(began + 20 * MINUTE, spans)):
        for at in minutes:
            for due in minutes:
                assert says(held, due, at) == (held.left(due, at) < timedelta(0)), (due, at)


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
    with fold(tmp_path, county, (stock.VIEW, dispatch.VIEW, officers.VIEW)).reading() as db:

        def overdue(held: HeldTime) -> set[bool]:
            told: dict[str, Any] = {"at": at, "held": held}
            one = consignment(db, EVERYTHING, consignment=county.id("load"), **told)
            assert one is not None
            board = dispatch_board(db, EVERYTHING, **told)["consignments"]
            rows = [one, *board, *consignments(db, EVERYTHING, **told).items]
            assert len(rows) == 3
            return {row["overdue"] for row in rows}

        assert overdue(NEVER_HELD) == overdue(HeldTime(good)) == {True}
        assert overdue(HeldTime(county.now)) == {False}
        was = HeldTime(None, (HeldSpan(county.now, at),))
        assert overdue(was) == {False}, "it has as long to go as it had"
    told = states(tmp_path / "due", county, at, held=HeldTime(good))
    assert told["goods_arrival"] == ("overdue", 60)
    assert told["goods_needed"] == ("open", 0)


def test_a_season_closed_while_the_clock_was_held_was_not_late(tmp_path: Path) -> None:
    story = Ledger().until("closed")
    county = story.scenario.wait(days=400)
    county.clock_held = True
    county.given(
        CloseSeason(season=story.season, reason="办结", without_list_reason="各村摸排后无需救助"),
        by="county",
    )
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
    found = states(tmp_path / "held", county, at, held=HeldTime(county.now))
    assert {found[kind] for kind in found if kind.endswith("_delivery")} == {("open", 0)}
    with fold(tmp_path, county, OF_FINDINGS).reading() as db:
        late = finding_counts(db, EVERYTHING, at=at)["counts"]
        held = finding_counts(db, EVERYTHING, at=at, held=HeldTime(county.now))["counts"]
    assert late["delivery_overdue"] == 4 and "delivery_overdue" not in held


@pytest.mark.parametrize("stamped_held", [False, True])
def test_a_call_for_help_has_not_waited_by_a_held_clock(tmp_path: Path, stamped_held: bool) -> None:
    county = make_county()
    county.clock_held = stamped_held
    county.given(opened(county, "call"), by="village")
    with fold(tmp_path, county, (stock.VIEW, dispatch.VIEW)).reading() as db:

        def unattended(at: datetime, held: HeldTime = NEVER_HELD) -> bool:
            board = dispatch_board(db, EVERYTHING, at=at, held=held)
            (one,) = board["incidents"]
            return bool(one["unattended"])

        assert not unattended(county.now + 15 * MINUTE)
        assert unattended(county.now + 16 * MINUTE) is not stamped_held
        assert not unattended(county.now + YEAR, HeldTime(county.now))
        was = HeldTime(None, (HeldSpan(county.now, county.now + YEAR),))
        assert not unattended(county.now + YEAR + 15 * MINUTE, was)
        assert unattended(county.now + YEAR + 16 * MINUTE, was) is not stamped_held


def test_no_daily_report_is_asked_for_of_days_that_did_not_count(tmp_path: Path) -> None:
    """A duty that began while the clock was held asked, after 400 days, for 400 missing reports."""
    for name, before in (("good", timedelta(0)), ("held", timedelta(hours=1))):
        county = flood()
        good = county.now
        county.now += before
        county.held = HeldTime(good) if before else NEVER_HELD
        own = initial(county, "yuantan", {"affected": 500}, disaster=county.id("flood"))
        county.given(own, by="township")
        during, after = HeldTime(good), good + YEAR
        asked = {"kind": "follow_up", "limit": 1000}
        path = tmp_path / name
        path.mkdir()
        with fold(path, county, VIEWS).reading() as db:

            def of(at: datetime, held: HeldTime, asked: Any = asked, db: Any = db) -> list[str]:
                rows = deadlines(db, EVERYTHING, at=at, held=held, done=True, **asked).items
                assert {row["late_minutes"] for row in rows if row["state"] == "open"} <= {0}
                return [row["state"] for row in rows]

            assert of(good + timedelta(days=3), during) == ["open"] * 4
            was = HeldTime(None, (HeldSpan(good, after),))
            assert of(after, was) == ["open"], "the next one, and none of the days before"
            assert of(after + timedelta(days=2), was) == ["overdue", "overdue", "open"]


def test_an_offered_move_does_not_run_out_by_a_held_clock(tmp_path: Path) -> None:
    ledger = Ledger().until("allocated")
    s = ledger.scenario
    s.given(offer(ledger, cases=(ledger.case("a"),)), by="county").wait(days=13)
    with fold(tmp_path, s, BELONGINGS).reading() as db:

        def status(at: datetime, held: HeldTime) -> str:
            (row,) = household_moves(db, EVERYTHING, at=at, held=held).items
            return str(row["status"])

        at = s.now + YEAR
        assert status(at, NEVER_HELD) == "expired"
        assert status(at, HeldTime(s.now)) == "offered"
        was = HeldTime(None, (HeldSpan(s.now, at),))
        day = timedelta(days=1)
        assert status(at + day, was) == "offered", "one day was left"
        assert status(at + day + MINUTE, was) == "expired"
