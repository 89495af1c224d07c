"""What the seat of the store issues is official, waits for its second person, and is sent up."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.commands.consignments import GoodsLine, RequestConsignment
from domain.commands.issuing import IssueReport, RecordSentUpward
from domain.commands.store import RecordStore
from domain.world import Role
from projections import deadlines as due_view
from projections import disasters, households, ledger, lists, officers, reviews, seasons, situation
from projections import findings as findings_view
from projections.asking.deadlines_at import deadlines
from projections.asking.report_findings import REPORT_FINDINGS
from projections.asking.report_queries import situation_report, situation_reports
from projections.asking.report_sums import ReportSums
from projections.asking.scope import EVERYTHING
from projections.asking.situation_board import situation_board
from projections.findings import findings
from projections.reviews import review_counts, review_queue
from tests.domain.county import appoint, make_county
from tests.domain.scenario import BORN, Scenario
from tests.projections.folding import Folded
from tests.projections.relief import fold, over
from tests.projections.reporting import START, accept, follow_up, initial

VIEWS = (officers.VIEW, disasters.VIEW, situation.VIEW, due_view.VIEW, reviews.VIEW)
LEDGER_VIEWS = (households.VIEW, seasons.VIEW, ledger.VIEW, lists.VIEW, findings_view.VIEW)
ONE_DEAD = {"affected": 10, "dead": 1, "missing": 0}


def seated(seat: str = "county") -> Scenario:
    county = make_county()
    return county.given(RecordStore(born=BORN, seat=county.id(seat)))


def issue(county: Scenario, area: str = "county", version: int = 1) -> IssueReport:
    return IssueReport(report=county.id(f"report/{area}"), version=version)


def story() -> Scenario:
    """A village's death, accepted by the township, in the county's own summary: not issued yet."""
    county = seated()
    county.given(initial(county, "yuantan_1", ONE_DEAD), by="village")
    county.given(accept(county, "yuantan_1"), by="township")
    return county.given(initial(county, "county", ONE_DEAD), by="county")


def folded(path: Path, county: Scenario, batch: int = 10_000) -> Folded:
    return fold(path, county, VIEWS, batch + len(list(path.iterdir())))


def official(path: Path, county: Scenario, area: str = "county") -> dict[str, Any]:
    views = folded(path, county)
    with views.reading() as db:
        rows = situation_board(db, over(county, area)).items
    views.close()
    found: dict[str, Any] = next(row for row in rows if row["area"] == str(county.id(area)))
    return found["official"]


def waiting(path: Path, county: Scenario, **more: Any) -> list[tuple[str, str, str]]:
    views = folded(path, county)
    with views.reading() as db:
        rows = review_queue(db, EVERYTHING, **more).items
        counts = review_counts(db, EVERYTHING)["counts"]
    views.close()
    if not more:
        assert sum(one["count"] for one in counts) == len(rows)
        assert {one["step"] for one in counts} == {row["step"] for row in rows}
    return [(row["area_name"], row["step"], row["role"]) for row in rows]


def due(path: Path, county: Scenario, at: datetime, **more: Any) -> list[tuple[str, str, str]]:
    views = folded(path, county)
    with views.reading() as db:
        rows = deadlines(db, EVERYTHING, at=at, **more).items
    views.close()
    return [(row["area_name"], row["kind"], row["state"]) for row in rows]


def test_the_seats_report_waits_for_its_own_second_person(tmp_path: Path) -> None:
    county = story()
    assert waiting(tmp_path, county) == [("潜山市", "issue", "county_approver")]
    assert waiting(tmp_path, county, role="city_reviewer") == []
    assert waiting(tmp_path, county, step="issue") == [("潜山市", "issue", "county_approver")]
    assert waiting(tmp_path, county, step="review") == []
    county.given(issue(county), by="county2")
    assert waiting(tmp_path, county) == []


def test_goods_that_the_seat_asks_for_wait_for_itself_and_others_for_the_level_above(
    tmp_path: Path,
) -> None:
    """Nobody above the seat is in the store; of a township the county orders, in any store."""
    for seat, who in (("county", "county_approver"), ("city", "city_reviewer")):
        county = seated(seat)
        for place, by in (("county", "county"), ("yuantan", "township")):
            asked = RequestConsignment(
                consignment=county.id(f"load/{place}"),
                destination=county.id(place),
                lines=(GoodsLine(item="quilt", quantity=300),),
                reason="转移安置",
            )
            county.given(asked, by=by)
        assert set(waiting(tmp_path, county, step="order")) == {
            ("潜山市", "order", who),
            ("源潭镇", "order", "county_approver"),
        }


def test_what_the_seat_has_issued_is_official(tmp_path: Path) -> None:
    county = story()
    assert official(tmp_path, county)["source"] == "children"
    county.given(initial(county, "shuihou_1", ONE_DEAD | {"dead": 0}), by="village3")
    county.wait(minutes=5).given(issue(county), by="county2")
    found = official(tmp_path, county)
    assert found["source"] == "own" and found["figures"]["dead"] == "1"
    views = folded(tmp_path, county)
    with views.reading() as db:
        row = situation_report(db, EVERYTHING, report=county.id("report/county"))
        listed = situation_reports(db, EVERYTHING, review="issued").items
    views.close()
    assert row is not None
    assert (row["review"], row["accepted_how"], row["at_seat"]) == ("issued", "issued", True)
    assert row["accepted_by"] == str(county.officers["county2"])
    assert row["accepted"]["reviewed_at"] == county.now.isoformat(timespec="milliseconds")
    assert [one["report"] for one in listed] == [row["report"]]


def test_figures_of_the_next_version_are_told_beside_what_was_issued(tmp_path: Path) -> None:
    county = story().given(issue(make_county()), by="county2")
    county.given(follow_up(county, "county", ONE_DEAD | {"affected": 90}), by="county2")
    assert official(tmp_path, county)["figures"]["affected"] == "10"
    views = folded(tmp_path, county)
    with views.reading() as db:
        row = situation_report(db, EVERYTHING, report=county.id("report/county"))
    views.close()
    assert row is not None and set(row["versions"][-1]["against_accepted"]) == {"affected"}


def test_an_issued_report_that_hides_a_death_below_is_a_finding(tmp_path: Path) -> None:
    county = seated()
    county.given(initial(county, "county", ONE_DEAD | {"dead": 0}), by="county")
    county.given(issue(county), by="county2")
    county.given(initial(county, "yuantan", ONE_DEAD), by="township")
    county.given(accept(county, "yuantan"), by="county")
    assert official(tmp_path, county)["figures"]["dead"] == "1"
    views = folded(tmp_path, county)
    told = ReportSums(EVERYTHING)
    with views.reading() as db:
        kinds = {row.kind for one in REPORT_FINDINGS.values() for row in db.execute(one(told))}
    views.close()
    assert "casualties_hidden" in kinds


def test_the_seats_duty_ends_with_the_receipt_and_nobody_above_owes(tmp_path: Path) -> None:
    county = story()
    late = START + timedelta(hours=5)
    assert due(tmp_path, county, late, kind="send_upward") == []
    county.given(issue(county), by="county2")
    kinds = due(tmp_path, county, late, kind="send_upward")
    assert kinds == [("潜山市", "send_upward", "overdue")]
    areas = {area for area, _, _ in due(tmp_path, county, late, done=True)}
    assert areas.isdisjoint({"安庆市", "安徽省"})
    sent = RecordSentUpward(
        report=county.id("report/county"), version=1, sent_at=county.now, receipt_no="17"
    )
    county.given(sent, by="county")
    assert due(tmp_path, county, late, kind="send_upward") == []
    assert due(tmp_path, county, late, kind="send_upward", done=True) == [
        ("潜山市", "send_upward", "done")
    ]


def test_what_was_issued_and_is_not_noted_as_sent_upward_is_a_finding(tmp_path: Path) -> None:
    county = story()
    county.given(issue(county), by="county2")

    def unsent(hours: float) -> list[dict[str, Any]]:
        views = fold(
            tmp_path, county, (*VIEWS, *LEDGER_VIEWS), 10_000 + len(list(tmp_path.iterdir()))
        )
        with views.reading() as db:
            at = county.now + timedelta(hours=hours)
            rows = findings(db, EVERYTHING, at=at, kind="never_sent_upward").items
        views.close()
        return rows

    assert not unsent(0), "it is not due yet"
    (row,) = unsent(100)
    assert [one["report"] for one in row["reports"]] == [str(county.id("report/county"))]
    sent = RecordSentUpward(
        report=county.id("report/county"), version=1, sent_at=county.now, receipt_no="收17号"
    )
    county.given(sent, by="county")
    assert not unsent(100)


def test_a_later_version_that_was_sent_up_tells_what_the_first_told(tmp_path: Path) -> None:
    county = story().given(issue(make_county()), by="county2")
    county.wait(hours=20)
    county.given(follow_up(county, "county", ONE_DEAD), by="county2")
    county.given(issue(county, version=2), by="county")
    sent = RecordSentUpward(
        report=county.id("report/county"), version=2, sent_at=county.now, receipt_no="18"
    )
    county.given(sent, by="county")
    states = due(tmp_path, county, county.now, kind="send_upward", done=True)
    assert {state for _, _, state in states} <= {"done", "done_late"} and states
    views = folded(tmp_path, county)
    with views.reading() as db:
        row = situation_report(db, EVERYTHING, report=county.id("report/county"))
    views.close()
    assert row is not None
    assert (row["sent_number"], row["receipt_no"]) == (2, "18")


def test_a_city_as_seat_accepts_two_counties_and_issues_their_sum(tmp_path: Path) -> None:
    city = seated("city")
    appoint(city, "city2", Role.CITY_REVIEWER, "city")
    for area, by in (("county", "county"), ("foreign_county", "foreign_county")):
        city.given(initial(city, area, ONE_DEAD), by=by)
    steps = waiting(tmp_path, city)
    assert steps == [(name, "review", "city_reviewer") for name in ("潜山市", "太湖县")]
    for area in ("county", "foreign_county"):
        city.given(accept(city, area), by="city")
    city.given(initial(city, "city", ONE_DEAD | {"dead": 2, "affected": 20}), by="city")
    assert waiting(tmp_path, city) == [("安庆市", "issue", "city_reviewer")]
    city.given(issue(city, "city"), by="city2")
    found = official(tmp_path, city, "city")
    assert found["source"] == "own" and found["figures"]["dead"] == "2"


@pytest.mark.parametrize("seat", [None, "province"])
def test_where_the_city_has_people_in_post_nothing_changes(
    tmp_path: Path, seat: str | None
) -> None:
    county = make_county()
    if seat is not None:
        county.given(RecordStore(born=BORN, seat=county.id(seat)))
    county.given(initial(county, "county", ONE_DEAD), by="county")
    assert waiting(tmp_path, county) == [("潜山市", "review", "city_reviewer")]


def test_batches_of_any_size_give_the_same_rows(tmp_path: Path) -> None:
    county = story().given(issue(make_county()), by="county2")
    sent = RecordSentUpward(
        report=county.id("report/county"), version=1, sent_at=county.now, receipt_no="17"
    )
    county.given(sent, by="county")
    county.given(RecordStore(born=BORN, seat=county.id("city")))
    hashes = []
    for batch in (1, 7, 10_000):
        views = fold(tmp_path, county, VIEWS, batch)
        hashes.append(views.hashes())
        views.close()
    assert hashes[0] == hashes[1] == hashes[2]
    assert hashes[0]["areas_seat"][0] == 1
