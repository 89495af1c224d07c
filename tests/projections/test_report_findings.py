"""Findings about reports: what a county says of a township is what the township said itself."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.commands.disasters import DeclareDisaster, MergeDisaster
from domain.commands.reports import WithdrawReport
from domain.commands.reviews import AcceptReport, SetPartsAside
from projections import disasters, findings, households, ledger, lists, officers, seasons, situation
from projections.asking.scope import EVERYTHING, Scope
from projections.findings import finding_counts
from projections.findings import findings as findings_page
from tests.domain.county import make_county
from tests.domain.scenario import Scenario
from tests.projections.relief import fold, over
from tests.projections.reporting import START, accept, adjudicate, follow_up, initial

VIEWS = (
    households.VIEW,
    seasons.VIEW,
    ledger.VIEW,
    lists.VIEW,
    findings.VIEW,
    officers.VIEW,
    situation.VIEW,
    disasters.VIEW,
)
OWN: dict[str, Any] = {"affected": 500, "injured": 3}


def split_findings(
    path: Path, county: Scenario, scope: Scope = EVERYTHING, kind: str = "split_differs"
) -> list[dict[str, Any]]:
    folded = fold(path, county, VIEWS, batch=10_000 + len(list(path.iterdir())))
    with folded.reading() as db:
        rows = findings_page(db, scope, at=county.now, kind=kind).items
        counts = finding_counts(db, scope, at=county.now)["counts"]
    folded.close()
    assert counts.get(kind, 0) == len(rows)
    return rows


@pytest.fixture
def county() -> Scenario:
    """The township of 源潭 has reported, and the county has accepted it."""
    county = make_county()
    county.given(initial(county, "yuantan", OWN), by="township")
    return county.given(accept(county, "yuantan"), by="county")


def tell(county: Scenario, share: dict[str, Any], **change: Any) -> None:
    """The county reports, says that of 源潭, and the city accepts it."""
    split = {str(county.id("yuantan")): share}
    county.given(initial(county, "county", share, split=split, **change), by="county")
    county.given(accept(county, "county"), by="city")


def test_the_same_figures_are_no_finding(tmp_path: Path, county: Scenario) -> None:
    tell(county, {"affected": 500, "injured": 3, "dead": 0})
    assert split_findings(tmp_path, county) == []


def test_other_figures_than_the_child_reported_are_one(tmp_path: Path, county: Scenario) -> None:
    tell(county, {"affected": 5000, "injured": 3})
    (row,) = split_findings(tmp_path, county)
    assert (row["area"], row["number"], row["reason"]) == (str(county.id("county")), 1, "affected")
    assert split_findings(tmp_path, county, over(county, "yuantan")) == [], "the parent's matter"
    assert len(split_findings(tmp_path, county, over(county, "county"))) == 1


def test_another_as_of_time_is_another_question(tmp_path: Path, county: Scenario) -> None:
    tell(county, {"affected": 5000}, as_of=county.now - timedelta(minutes=1))
    assert split_findings(tmp_path, county) == []


def test_what_was_adjudicated_counts_for_what_was_reported(
    tmp_path: Path, county: Scenario
) -> None:
    county.given(adjudicate(county, "yuantan", 1, {"affected": 480}), by="county2")
    tell(county, OWN)
    assert split_findings(tmp_path, county)[0]["reason"] == "affected"
    tell_again = make_county()
    tell_again.given(initial(tell_again, "yuantan", OWN), by="township")
    tell_again.given(accept(tell_again, "yuantan"), by="county")
    tell_again.given(adjudicate(tell_again, "yuantan", 1, {"affected": 480}), by="county2")
    tell(tell_again, OWN | {"affected": 480})
    assert split_findings(tmp_path, tell_again) == []


def test_a_smaller_share_is_one_at_any_time(tmp_path: Path, county: Scenario) -> None:
    tell(county, {"affected": 400, "injured": 3}, as_of=county.now)
    (row,) = split_findings(tmp_path, county)
    assert row["reason"] == "affected"


def test_fewer_dead_than_the_parts_accepted_is_one_until_it_is_decided(
    tmp_path: Path, county: Scenario
) -> None:
    county.given(follow_up(county, "yuantan", OWN | {"dead": 2}), by="township")
    county.given(accept(county, "yuantan", 2), by="county2")
    county.given(initial(county, "county", {"dead": 0}, as_of=county.now), by="county")
    county.given(accept(county, "county"), by="city")
    (row,) = split_findings(tmp_path, county, kind="casualties_hidden")
    assert (row["area"], row["number"], row["reason"]) == (str(county.id("county")), 2, "dead")
    decided = SetPartsAside(
        report=county.id("report/county"),
        version=1,
        parts={"dead": 2},
        document_no="宜减办〔2018〕12号",
        reason="经公安核实为病故",
    )
    county.given(decided, by="city")
    assert split_findings(tmp_path, county, kind="casualties_hidden") == []


def test_newer_and_larger_parts_are_one(tmp_path: Path, county: Scenario) -> None:
    county.given(initial(county, "county", {"affected": 70}), by="county")
    county.given(accept(county, "county"), by="city")
    (row,) = split_findings(tmp_path, county, kind="parts_larger")
    assert (row["number"], row["reason"]) == (2, "affected,injured")


def test_a_split_that_leaves_out_a_reporting_township_is_one(
    tmp_path: Path, county: Scenario
) -> None:
    county.given(initial(county, "shuihou", {"affected": 1}), by="township2")
    tell(county, OWN)
    (row,) = split_findings(tmp_path, county, kind="split_leaves_out")
    assert (row["number"], row["reason"]) == (1, "水吼镇")


def test_two_reports_of_one_village_hazard_and_hour_are_one(
    tmp_path: Path, county: Scenario
) -> None:
    county.given(initial(county, "yuantan_1", {"affected": 1}), by="village")
    twin = initial(county, "yuantan_1", {}, report=county.id("twin"))
    county.given(twin, by="village")
    (row,) = split_findings(tmp_path, county, kind="likely_same")
    assert row["area"] == str(county.id("yuantan_1"))
    withdraw = WithdrawReport(report=county.id("twin"), reason="重复填报")
    county.given(withdraw, by="village")
    assert split_findings(tmp_path, county, kind="likely_same") == []


def told_by(row: dict[str, Any]) -> tuple[list[str], list[str]]:
    """The areas whose reports a finding names: of the area itself, and of its parts."""
    return [one["area_name"] for one in row["reports"]], [one["area_name"] for one in row["parts"]]


def test_a_finding_says_which_figures_and_by_which_reports(
    tmp_path: Path, county: Scenario
) -> None:
    tell(county, {"affected": 400, "injured": 2, "dead": 0}, as_of=county.now)
    (row,) = split_findings(tmp_path, county)
    assert row["figures"] == [
        {"key": "affected", "own": "400", "parts": "500"},
        {"key": "injured", "own": "2", "parts": "3"},
    ]
    assert told_by(row) == (["潜山市"], ["源潭镇"])
    assert [one["report"] for one in row["parts"]] == [str(county.id("report/yuantan"))]


def test_a_death_below_a_silent_township_is_one_of_the_county(tmp_path: Path) -> None:
    county = make_county()
    county.given(initial(county, "yuantan_1", {"dead": 2}), by="village")
    county.given(accept(county, "yuantan_1"), by="township")
    county.given(initial(county, "county", {"dead": 0}, as_of=county.now), by="county")
    county.given(accept(county, "county"), by="city")
    (row,) = split_findings(tmp_path, county, kind="casualties_hidden")
    assert row["figures"] == [{"key": "dead", "own": "0", "parts": "2"}]
    assert told_by(row) == (["潜山市"], ["源潭居委会"])


def test_a_township_that_tells_its_villages_stands_for_them(
    tmp_path: Path, county: Scenario
) -> None:
    """The nearest below is compared: what a village says is in what its township says."""
    county.given(initial(county, "yuantan_1", {"affected": 500}), by="village")
    county.given(accept(county, "yuantan_1"), by="township_b")
    county.given(initial(county, "county", OWN, as_of=county.now), by="county")
    county.given(accept(county, "county"), by="city")
    assert split_findings(tmp_path, county, kind="parts_larger") == []


def test_the_reports_of_a_merged_disaster_are_compared_with_those_it_was_merged_into(
    tmp_path: Path,
) -> None:
    county = make_county()
    for name in ("flood", "brook"):
        declare = DeclareDisaster(
            disaster=county.id(name),
            name=name,
            hazard="flood",
            occurred_at=START,
            area=county.id("county"),
        )
        county.given(declare, by="county")
    brook, storm = {"disaster": county.id("brook")}, {"disaster": county.id("flood")}
    county.given(initial(county, "yuantan", {"dead": 1}, **brook), by="township")
    county.given(accept(county, "yuantan"), by="county")
    county.given(initial(county, "county", {"dead": 0}, as_of=county.now, **storm), by="county")
    county.given(accept(county, "county"), by="city")
    assert split_findings(tmp_path, county, kind="casualties_hidden") == []
    merge = MergeDisaster(disaster=county.id("brook"), into=county.id("flood"), reason="同一过程")
    county.given(merge, by="county")
    (row,) = split_findings(tmp_path, county, kind="casualties_hidden")
    assert told_by(row) == (["潜山市"], ["源潭镇"])


def test_reports_on_no_disaster_are_compared_within_a_year_whatever_the_minute(
    tmp_path: Path, county: Scenario
) -> None:
    """A county writes another minute than its township; a flood of another year is another."""
    before = initial(
        county, "shuihou", {"dead": 9}, occurred_at=START - timedelta(days=365), as_of=county.now
    )
    county.given(before, by="township2").given(accept(county, "shuihou"), by="county")
    minutes = START - timedelta(minutes=7)
    tell(county, {"affected": 400, "dead": 0, "injured": 3}, occurred_at=minutes, as_of=county.now)
    (row,) = split_findings(tmp_path, county)
    assert row["reason"] == "affected"
    assert split_findings(tmp_path, county, kind="casualties_hidden") == []


def test_two_floods_of_a_year_are_added_up_on_both_sides(tmp_path: Path, county: Scenario) -> None:
    """The county's second report says what its township's second does, not what both do."""
    tell(county, OWN)
    county.wait(days=20)
    again: dict[str, Any] = {"occurred_at": county.now, "as_of": county.now}
    second = initial(county, "yuantan", {"affected": 40}, report=county.id("second"), **again)
    county.given(second, by="township")
    county.given(AcceptReport(report=county.id("second"), version=1), by="county")
    share = {str(county.id("yuantan")): {"affected": 40}}
    up = initial(county, "county", {"affected": 40}, report=county.id("up"), split=share, **again)
    county.given(up, by="county")
    county.given(AcceptReport(report=county.id("up"), version=1), by="city")
    for kind in ("split_differs", "parts_larger", "casualties_hidden"):
        assert split_findings(tmp_path, county, kind=kind) == [], kind


def members(row: dict[str, Any]) -> set[str]:
    assert row["number"] == len(row["reports"]) and row["parts"] == []
    return {one["report"] for one in row["reports"]}


def test_twins_on_both_sides_of_an_hour_are_one(tmp_path: Path, county: Scenario) -> None:
    """The second and the third are more than an hour apart: the first stands between them."""
    for name, minutes in (("first", 31), ("second", 29), ("third", 89 + 2)):
        at = START - timedelta(minutes=minutes)
        told = initial(county, "yuantan_1", {}, report=county.id(name), occurred_at=at)
        county.given(told, by="village")
    (row,) = split_findings(tmp_path, county, kind="likely_same")
    assert members(row) == {str(county.id(name)) for name in ("first", "second", "third")}


def test_many_reports_of_one_kind_are_one_finding_and_not_one_a_pair(
    tmp_path: Path, county: Scenario
) -> None:
    """C4: n of them made n(n-1)/2 findings."""
    groups = {"early": START - timedelta(hours=5), "late": START - timedelta(minutes=50)}
    for group, begun in groups.items():
        for n in range(8):
            at = begun + timedelta(minutes=5 * n)
            told = initial(county, "yuantan_1", {}, report=county.id(f"{group}{n}"), occurred_at=at)
            county.given(told, by="village")
    apart = initial(county, "yuantan_1", {}, hazard="drought", report=county.id("drought"))
    county.given(apart, by="village")
    rows = split_findings(tmp_path, county, kind="likely_same")
    assert sorted(len(members(row)) for row in rows) == [8, 8]
    for row in rows:
        group = "early" if str(county.id("early0")) in members(row) else "late"
        assert members(row) == {str(county.id(f"{group}{n}")) for n in range(8)}
    with fold(tmp_path / "counts", county, VIEWS).reading() as db:
        counts = finding_counts(db, EVERYTHING, figures=True, at=county.now)["counts"]
    assert counts["likely_same"] == 2


def test_sums_of_fractions_that_are_equal_are_no_finding(tmp_path: Path) -> None:
    """0.07 + 0.08 is 0.15, whatever the floating point of a database adds up."""
    county = make_county()
    for village, by, lost in (("yuantan_1", "village", "0.07"), ("yuantan_2", "village2", "0.08")):
        county.given(initial(county, village, {"loss_total": lost}), by=by)
        county.given(accept(county, village), by="township_b")
    own = initial(county, "yuantan", {"loss_total": "0.15"})
    county.given(own, by="township").given(accept(county, "yuantan"), by="county")
    assert split_findings(tmp_path, county, kind="parts_larger") == []


def test_findings_about_figures_are_counted_by_themselves(tmp_path: Path, county: Scenario) -> None:
    tell(county, {"affected": 400, "injured": 3})
    with fold(tmp_path, county, VIEWS).reading() as db:
        whole = finding_counts(db, EVERYTHING, figures=True, at=county.now)["counts"]
        assert whole == {"split_differs": 1, "parts_larger": 1}
        below = finding_counts(db, over(county, "yuantan"), figures=True, at=county.now)
        assert below["counts"] == {}, "it hid nothing"
