"""Findings about reports: what a county says of a township is what the township said itself."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.commands.reports import WithdrawReport
from domain.commands.reviews import SetPartsAside
from projections import findings, households, ledger, lists, officers, seasons, situation
from projections.findings import finding_counts
from projections.findings import findings as findings_page
from projections.scope import EVERYTHING, Scope
from tests.domain.county import make_county
from tests.domain.scenario import Scenario
from tests.projections.relief import fold, over
from tests.projections.reporting import accept, adjudicate, follow_up, initial

VIEWS = (
    households.VIEW,
    seasons.VIEW,
    ledger.VIEW,
    lists.VIEW,
    findings.VIEW,
    officers.VIEW,
    situation.VIEW,
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
