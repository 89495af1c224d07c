"""Findings about reports: what a county says of a township is what the township said itself."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from projections import findings, households, ledger, lists, seasons, situation
from projections.findings import finding_counts
from projections.findings import findings as findings_page
from projections.scope import EVERYTHING, Scope
from tests.domain.county import make_county
from tests.domain.scenario import Scenario
from tests.projections.relief import fold, over
from tests.projections.reporting import accept, adjudicate, initial

VIEWS = (
    households.VIEW,
    seasons.VIEW,
    ledger.VIEW,
    lists.VIEW,
    findings.VIEW,
    situation.VIEW,
)
OWN: dict[str, Any] = {"affected": 500, "injured": 3}


def split_findings(path: Path, county: Scenario, scope: Scope = EVERYTHING) -> list[dict[str, Any]]:
    folded = fold(path, county, VIEWS, batch=10_000 + len(list(path.iterdir())))
    with folded.reading() as db:
        rows = findings_page(db, scope, at=county.now, kind="split_differs").items
        counts = finding_counts(db, scope, at=county.now)["counts"]
    folded.close()
    assert counts.get("split_differs", 0) == len(rows)
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
