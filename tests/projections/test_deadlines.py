"""Deadlines asked for at an explicit time: open, overdue, missing, done, done late."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from domain.commands.consignments import ArriveConsignment
from domain.commands.reports import FileZeroReport
from domain.commands.reviews import StrikeReport
from domain.commands.village_lists import ReviewList
from domain.rules.deadlines import Deadlines
from domain.rules.working_days import WorkingDays
from projections import deadlines as view
from projections import disasters, officers, situation
from projections.asking.deadlines_at import deadlines
from projections.asking.scope import EVERYTHING, Scope
from projections.sections.duties import MARKS
from tests.domain import goods
from tests.domain.county import make_county
from tests.domain.ledger import Ledger
from tests.domain.rule_files import rule
from tests.domain.scenario import Scenario
from tests.domain.test_confirming_rulebooks import adopt
from tests.projections.relief import fold, over
from tests.projections.reporting import (
    accept,
    flood,
    initial,
    send_back,
    stabilize,
    whole_flood,
)

VIEWS = (officers.VIEW, disasters.VIEW, situation.VIEW, view.VIEW)


def asked(
    path: Path, county: Scenario, at: datetime, scope: Scope = EVERYTHING, **more: Any
) -> list[tuple[str, int, str]]:
    """Kind, number and state of what is asked for, in the order of the due times."""
    folded = fold(path, county, VIEWS, batch=10_000 + len(list(path.iterdir())))
    with folded.reading() as db:
        found = deadlines(db, scope, at=at, **more).items
    folded.close()
    return [(row["kind"], row["number"], row["state"]) for row in found]


def china(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2018, 7, day, hour, minute, tzinfo=UTC) - timedelta(hours=8)


def zero(county: Scenario) -> FileZeroReport:
    return FileZeroReport(report=county.id("report/yuantan"), as_of=county.now)


def expected_goods() -> Scenario:
    county = make_county()
    county.given(goods.receive(county), by="storekeeper")
    needed = goods.request(county, needed_by=(county.now + timedelta(days=2)).date())
    county.given(needed, by="township").given(goods.order(county), by="county")
    ship = goods.ship(county, eta=county.now + timedelta(hours=6))
    county.given(ship, by="storekeeper").wait(hours=7)
    came = ArriveConsignment(
        consignment=county.id("load"),
        counts=(goods.came(county, 40),),
        remark="",
        arrived_at=county.now,
    )
    return county.given(came, by="township_storekeeper")


def test_batches_of_any_size_give_the_same_rows(tmp_path: Path) -> None:
    for name, story in (
        ("reports", whole_flood()),
        ("goods", expected_goods()),
        ("list", Ledger().until("closed").scenario),
    ):
        hashes = []
        (tmp_path / name).mkdir()
        for batch in (1, 7, 10_000):
            folded = fold(tmp_path / name, story, (view.VIEW,), batch)
            hashes.append(folded.hashes())
            folded.close()
        assert hashes[0] == hashes[1] == hashes[2]
        assert hashes[0]["deadlines"][0] > 0


def test_a_daily_report_that_nobody_sent_is_overdue_although_it_left_no_fact(
    tmp_path: Path,
) -> None:
    county = make_county()
    county.given(initial(county, "yuantan", {"affected": 1}), by="township")
    before = asked(tmp_path, county, china(5, 7), kind="follow_up")
    assert before == [("follow_up", 1, "open")]
    after = asked(tmp_path, county, china(6, 7), kind="follow_up")
    assert after == [("follow_up", 1, "overdue"), ("follow_up", 2, "open")]
    assert asked(tmp_path, county, china(6, 7), overdue_only=True) == [("follow_up", 1, "overdue")]


def test_a_zero_report_answers_the_duty_and_a_skipped_day_stays_missing(tmp_path: Path) -> None:
    county = make_county()
    county.given(initial(county, "yuantan", {"affected": 1}), by="township")
    county.now = china(6, 7)
    county.given(zero(county), by="township")
    found = asked(tmp_path, county, china(6, 9), kind="follow_up", done=True)
    assert found == [
        ("follow_up", 1, "missing"),
        ("follow_up", 2, "done"),
        ("follow_up", 3, "open"),
    ]


def test_a_late_report_was_late_and_at_an_earlier_time_still_overdue(tmp_path: Path) -> None:
    county = make_county()
    county.given(initial(county, "yuantan", {"affected": 1}), by="township")
    county.now = china(5, 10)
    county.given(zero(county), by="township")
    late = asked(tmp_path, county, china(5, 11), kind="follow_up", done=True)
    assert late[0] == ("follow_up", 1, "done_late")
    then = asked(tmp_path, county, china(5, 9), kind="follow_up")
    assert then[0] == ("follow_up", 1, "overdue")


def test_nobody_was_late_by_a_clock_that_was_held(tmp_path: Path) -> None:
    """While nobody knew the time, a report is not late, whatever its stamp says afterwards."""
    county = make_county()
    county.clock_held = True
    first = initial(county, "yuantan", {"affected": 1})
    county.now += timedelta(days=1)
    county.given(first, by="township")
    county.now += timedelta(days=1)
    county.given(zero(county), by="township")
    county.clock_held = False
    found = asked(tmp_path, county, county.now, done=True)
    stamped = [state for kind, _, state in found if kind in ("initial_report", "follow_up")]
    assert stamped.count("done") == 2 and "done_late" not in stamped, found
    (tmp_path / "again").mkdir()
    with fold(tmp_path / "again", county, VIEWS).reading() as db:
        rows = deadlines(db, EVERYTHING, at=county.now, done=True).items
    assert {row["late_minutes"] for row in rows if row["state"] == "done"} == {0}


def test_the_duty_ends_when_it_is_stable_and_the_verified_report_falls_due(tmp_path: Path) -> None:
    county = make_county()
    county.given(initial(county, "yuantan_1", {"affected": 1}), by="village")
    county.given(stabilize(county, "yuantan_1"), by="county")
    assert asked(tmp_path, county, china(7, 0)) == [("verified_report", 0, "open")]
    assert asked(tmp_path, county, china(30, 0)) == [("verified_report", 0, "overdue")]


def test_a_time_says_by_what_rules_it_was_set(tmp_path: Path) -> None:
    """Unconfirmed ones, and working days of a year that has no calendar."""
    county = make_county()
    county.given(initial(county, "yuantan_1", {"affected": 1}), by="village")
    county.given(stabilize(county, "yuantan_1"), by="county")
    assert marks(tmp_path, county) == {}, "all is confirmed, and 2018 has its calendar"
    bare = make_county()
    empty = WorkingDays(years={}, spring_festivals={})
    for content in (empty, rule(Deadlines, "340882")):
        bare.given(adopt(bare, content, "own", "county"), by="admin")
    bare.given(initial(bare, "yuantan", {"affected": 1}), by="township")
    assert marks(tmp_path, bare)["initial_report"] == {"unconfirmed": True}
    assert marks(tmp_path, bare)["follow_up"] == {"unconfirmed": True}
    bare.given(stabilize(bare, "yuantan"), by="county")
    told = marks(tmp_path, bare)["verified_report"]
    assert told == {"unconfirmed": True, "plain_weekends": True}


def marks(path: Path, county: Scenario) -> dict[str, dict[str, bool]]:
    """What is said beside each kind of time."""
    folded = fold(path, county, VIEWS, batch=10_000 + len(list(path.iterdir())))
    with folded.reading() as db:
        rows = deadlines(db, EVERYTHING, at=county.now + timedelta(days=1), done=True).items
    folded.close()
    told = {row["kind"]: {n: v for n, v in row["detail"].items() if n in MARKS} for row in rows}
    return {kind: said for kind, said in told.items() if said}


def test_what_was_not_sent_before_it_was_stable_is_missing(tmp_path: Path) -> None:
    """Nobody can send it any more: it is not overdue for ever."""
    county = make_county()
    county.given(initial(county, "yuantan", {"affected": 1}), by="township")
    county.now = china(7, 10)
    county.given(stabilize(county, "yuantan"), by="county")
    found = asked(tmp_path, county, china(7, 11), kind="follow_up")
    assert {state for _, _, state in found} == {"missing"} and len(found) == 3
    assert {one[2] for one in asked(tmp_path, county, china(7, 9), kind="follow_up")} == {"overdue"}


def test_a_returned_verified_report_is_owed_again(tmp_path: Path) -> None:
    county = whole_flood()
    done = asked(tmp_path, county, county.now, kind="verified_report", done=True)
    assert done == [("verified_report", 0, "done")]
    county.given(send_back(county, "yuantan_1", 3), by="township")
    assert asked(tmp_path, county, county.now, kind="verified_report") == [
        ("verified_report", 0, "open")
    ]


def test_an_accepted_initial_report_is_passed_on_by_the_area_above(tmp_path: Path) -> None:
    county = flood()
    here = over(county, "county")
    assert asked(tmp_path, county, county.now, kind="forward_report", done=True) == []
    own = initial(county, "yuantan", {"affected": 500}, disaster=county.id("flood"))
    county.given(own, by="township").given(accept(county, "yuantan", 1), by="county")
    later = county.now + timedelta(hours=5)
    assert asked(tmp_path, county, later, here, kind="forward_report") == [
        ("forward_report", 1, "overdue")
    ]
    up = initial(county, "county", {"affected": 900}, disaster=county.id("flood"))
    county.given(up, by="county")
    done = asked(tmp_path, county, later, here, kind="forward_report", done=True)
    assert done == [("forward_report", 1, "done")]


def test_notices_season_days_and_goods_fall_due(tmp_path: Path) -> None:
    ledger = Ledger().until("posted")
    posted = asked(tmp_path, ledger.scenario, ledger.scenario.now - timedelta(days=1))
    assert ("notice_end", 1, "open") in posted
    assert any(kind == "season_delivery" for kind, *_ in posted)
    ended = asked(tmp_path, ledger.scenario, ledger.scenario.now + timedelta(days=1))
    assert ("notice_end", 1, "ended") in ended
    ledger.scenario.given(ReviewList(village_list=ledger.list), by="township")
    reviewed = asked(tmp_path, ledger.scenario, ledger.scenario.now, done=True)
    assert ("notice_end", 1, "done") in reviewed


def test_goods_are_needed_and_expected_until_they_arrive(tmp_path: Path) -> None:
    county = expected_goods()
    asked_before = asked(tmp_path, county, county.now - timedelta(minutes=30))
    assert asked_before == [("goods_arrival", 0, "overdue"), ("goods_needed", 0, "open")]
    arrived = asked(tmp_path, county, county.now, done=True)
    assert arrived == [("goods_arrival", 0, "done_late"), ("goods_needed", 0, "done")]


def test_only_ones_own_areas_are_asked_about_and_pages_follow(tmp_path: Path) -> None:
    county = flood()
    county.given(accept(county, "yuantan_2"), by="township")
    folded = fold(tmp_path, county, VIEWS)
    at = county.now + timedelta(days=3)
    with folded.reading() as db:
        assert deadlines(db, over(county, "foreign_county"), at=at, done=True).items == []
        own = deadlines(db, over(county, "shuihou"), at=at, done=True).items
        assert {row["area_name"] for row in own} == {"水吼村"}
        whole = deadlines(db, EVERYTHING, at=at, done=True).items
        found, cursor = [], None
        while True:
            part = deadlines(db, EVERYTHING, at=at, done=True, cursor=cursor, limit=3)
            found += part.items
            if (cursor := part.next) is None:
                break
    assert found == whole


def test_a_village_owes_no_follow_up_that_its_rulebook_does_not_name(tmp_path: Path) -> None:
    county = make_county()
    county.given(initial(county, "yuantan_1", {"affected": 1}), by="village")
    assert asked(tmp_path, county, china(8, 7), kind="follow_up", done=True) == []


def test_what_the_area_above_has_answered_for_is_closed(tmp_path: Path) -> None:
    county = make_county()
    county.given(initial(county, "yuantan", {"affected": 1}), by="township")
    county.given(initial(county, "county", {"affected": 1}), by="county")
    here = over(county, "yuantan")
    assert asked(tmp_path, county, china(5, 9), here, kind="follow_up")[0][2] == "overdue"
    county.now = china(5, 8, 30)
    up = FileZeroReport(report=county.id("report/county"), as_of=china(5, 0))
    county.given(up, by="county")
    assert asked(tmp_path, county, china(5, 8, 10), here, kind="follow_up")[0][2] == "overdue"
    assert asked(tmp_path, county, china(5, 9), here, kind="follow_up") == [
        ("follow_up", 2, "open")
    ]
    told = asked(tmp_path, county, china(5, 9), here, kind="follow_up", done=True)
    assert told[0] == ("follow_up", 1, "closed")


def test_only_what_a_disasters_own_reports_owe_is_asked_for_it(tmp_path: Path) -> None:
    county = flood()
    county.given(initial(county, "yuantan", {"affected": 1}), by="township")
    drought = initial(county, "shuihou", {}, hazard="drought", disaster=county.id("flood"))
    county.given(drought, by="township2")
    folded = fold(tmp_path, county, VIEWS)
    with folded.reading() as db:
        at = county.now + timedelta(days=30)
        every = deadlines(db, EVERYTHING, at=at, kind="follow_up").items
        one = deadlines(db, EVERYTHING, at=at, kind="follow_up", disaster=county.id("flood")).items
    assert {row["hazard"] for row in every} == {"flood", "drought"}
    assert {(row["area_name"], row["hazard"]) for row in one} == {("水吼镇", "drought")}


def test_nothing_is_asked_of_a_withdrawn_report(tmp_path: Path) -> None:
    county = make_county()
    county.given(initial(county, "yuantan", {"affected": 1}), by="township")
    county.given(accept(county, "yuantan"), by="county")
    struck = StrikeReport(report=county.id("report/yuantan"), version=1, reason="重复")
    county.given(struck, by="county")
    assert asked(tmp_path, county, china(8, 7), done=True) == []
