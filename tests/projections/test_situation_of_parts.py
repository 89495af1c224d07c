"""Deaths and missing are never hidden by aggregation: at county, city and province."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.commands.disasters import AttachReport, DeclareDisaster, MergeDisaster
from domain.commands.reviews import SetPartsAside, StrikeReport
from projections import disasters, officers, situation
from projections.asking.report_queries import situation_report, situation_reports
from projections.asking.scope import EVERYTHING
from projections.asking.situation_board import situation_board, situation_disasters
from tests.domain.county import make_county
from tests.domain.scenario import Scenario
from tests.projections.relief import fold, over
from tests.projections.reporting import START, accept, follow_up, initial, send_back

VIEWS = (officers.VIEW, disasters.VIEW, situation.VIEW)
UPWARD = ("源潭镇", "潜山市", "安庆市", "安徽省")


@pytest.fixture
def county() -> Scenario:
    """源潭 has one dead accepted; half an hour later the county reports, and says 0 of it."""
    county = make_county()
    county.given(initial(county, "yuantan", {"affected": 500, "dead": 1}), by="township")
    county.given(accept(county, "yuantan"), by="county").wait(minutes=30)
    share = {str(county.id("yuantan")): {"affected": 500, "dead": 0}}
    own = initial(county, "county", {"affected": 500, "dead": 0}, split=share, as_of=county.now)
    county.given(own, by="county")
    return county.given(accept(county, "county"), by="city")


def board(path: Path, county: Scenario) -> dict[str, dict[str, Any]]:
    folded = fold(path, county, VIEWS, batch=10_000 + len(list(path.iterdir())))
    with folded.reading() as db:
        rows = {row["name"]: row for row in situation_board(db, EVERYTHING).items}
    folded.close()
    return rows


def aside(county: Scenario, dead: int = 1) -> SetPartsAside:
    return SetPartsAside(
        report=county.id("report/county"),
        version=1,
        parts={"dead": dead},
        document_no="宜减办〔2018〕12号",
        reason="经公安核实为病故",
    )


def test_an_accepted_death_of_a_township_is_official_at_every_level(
    tmp_path: Path, county: Scenario
) -> None:
    rows = board(tmp_path, county)
    for name in UPWARD:
        assert rows[name]["official"]["figures"]["dead"] == "1", name
        assert rows[name]["reported"]["figures"]["dead"] == "1", name
    assert rows["潜山市"]["official"]["source"] == "own"
    assert rows["潜山市"]["official"]["raised"] == ["dead"]
    assert rows["潜山市"]["official"]["larger"] == {"dead": "1"}


def test_a_death_that_waits_for_its_review_is_reported_at_every_level(
    tmp_path: Path, county: Scenario
) -> None:
    county.given(follow_up(county, "yuantan", {"affected": 500, "dead": 3}), by="township")
    rows = board(tmp_path, county)
    for name in UPWARD:
        assert rows[name]["reported"]["figures"]["dead"] == "3", name
        assert rows[name]["official"]["figures"]["dead"] == "1", name
    county.given(send_back(county, "yuantan", 2), by="county2")
    rows = board(tmp_path, county)
    assert rows["潜山市"]["reported"]["figures"]["dead"] == "1", "what was sent back does not stand"


def test_a_death_of_a_village_is_seen_past_two_reports_above(
    tmp_path: Path, county: Scenario
) -> None:
    county.given(initial(county, "yuantan_1", {"missing": 2, "dead": 4}), by="village")
    county.given(accept(county, "yuantan_1"), by="township_b")
    rows = board(tmp_path, county)
    for name in UPWARD:
        assert rows[name]["official"]["figures"]["dead"] == "4", name
        assert rows[name]["official"]["figures"]["missing"] == "2", name


def test_a_county_row_says_that_its_townships_are_newer_and_larger(tmp_path: Path) -> None:
    county = make_county()
    county.given(initial(county, "county", {"affected": 700}), by="county")
    county.given(accept(county, "county"), by="city").wait(minutes=30)
    newer = initial(county, "yuantan", {"affected": 5000}, as_of=county.now)
    county.given(newer, by="township").given(accept(county, "yuantan"), by="county")
    official = board(tmp_path, county)["潜山市"]["official"]
    assert official["figures"]["affected"] == "700", "the own report stays the headline"
    assert official["larger"] == {"affected": "4300"}
    assert official["newer"] is not None
    assert official["raised"] == []


def test_a_named_decision_lets_the_own_figure_stand_until_more_is_accepted_below(
    tmp_path: Path, county: Scenario
) -> None:
    county.given(aside(county), by="city")
    rows = board(tmp_path, county)
    for name in UPWARD[1:]:
        assert rows[name]["official"]["figures"]["dead"] == "0", name
    assert rows["源潭镇"]["official"]["figures"]["dead"] == "1", "what the township said stays"
    assert rows["潜山市"]["official"]["decided"] == ["dead"]
    county.given(follow_up(county, "yuantan", {"affected": 500, "dead": 2}), by="township")
    county.given(accept(county, "yuantan", 2), by="county2")
    rows = board(tmp_path, county)
    assert rows["安徽省"]["official"]["figures"]["dead"] == "2"


def test_the_page_of_a_report_shows_its_shares_beside_what_the_parts_said(
    tmp_path: Path, county: Scenario
) -> None:
    county.given(aside(county), by="city")
    folded = fold(tmp_path, county, VIEWS)
    with folded.reading() as db:
        found = situation_report(db, EVERYTHING, report=county.id("report/county"))
        leaf = situation_report(db, EVERYTHING, report=county.id("report/yuantan"))
    assert found is not None and leaf is not None
    (part,) = found["parts"]
    assert (part["name"], part["accepted"]["dead"], part["share"]["dead"]) == ("源潭镇", "1", "0")
    assert part["less"] == ["dead"]
    assert (found["sums"], found["hidden"]) == ({"dead": "1"}, ["dead"])
    assert found["set_aside"]["dead"]["reason"] == "经公安核实为病故"
    assert leaf["parts"] == []


def test_open_questions_are_counted_up_the_tree_until_they_are_answered(tmp_path: Path) -> None:
    county = make_county()
    broken = {"relocated_cumulative": 90, "relocated_current": 95}
    county.given(initial(county, "yuantan_1", broken), by="village")
    county.given(accept(county, "yuantan_1"), by="township")
    rows = board(tmp_path, county)
    assert rows["源潭居委会"]["questions"] == rows["安徽省"]["questions"] == 1
    folded = fold(tmp_path, county, VIEWS, batch=77)
    with folded.reading() as db:
        (report,) = situation_reports(db, EVERYTHING).items
    assert [one["rule"] for one in report["accepted_questions"]] == ["pair-relocated_current"]


def test_a_withdrawn_report_counts_nowhere_and_can_still_be_read(tmp_path: Path) -> None:
    county = make_county()
    county.given(initial(county, "yuantan_1", {"affected": 10}), by="village")
    county.given(accept(county, "yuantan_1"), by="township")
    strike = StrikeReport(report=county.id("report/yuantan_1"), version=1, reason="重复")
    county.given(strike, by="township")
    assert board(tmp_path, county) == {}
    folded = fold(tmp_path, county, VIEWS, batch=78)
    with folded.reading() as db:
        assert situation_reports(db, EVERYTHING).items == []
        (gone,) = situation_reports(db, EVERYTHING, review="withdrawn").items
        found = situation_report(db, EVERYTHING, report=county.id("report/yuantan_1"))
    assert gone["withdrawn"]["reason"] == "重复"
    assert found is not None and len(found["versions"]) == 1


def test_an_areas_own_reports_are_found_however_many_lie_below(tmp_path: Path) -> None:
    county = make_county()
    county.given(initial(county, "yuantan", {"affected": 1}), by="township")
    for number in range(4):
        report = county.id(f"many/{number}")
        county.wait(minutes=1)
        later = initial(
            county, "yuantan_1", {}, report=report, occurred_at=county.now, as_of=county.now
        )
        county.given(later, by="village")
    folded = fold(tmp_path, county, VIEWS)
    with folded.reading() as db:
        own = situation_reports(db, EVERYTHING, itself=county.id("yuantan"), limit=2)
    assert [row["area_name"] for row in own.items] == ["源潭镇"]


def test_a_city_and_its_county_that_tell_one_flood_on_two_disasters_are_told_of_it(
    tmp_path: Path,
) -> None:
    """A city's report can join no disaster of its county: until the two are one, both count, and
    the year's sum had the harm twice without a word."""
    county = make_county()
    county.given(initial(county, "city", {"affected": 70}), by="city")
    flood = {"hazard": "flood", "occurred_at": START}
    of_county = DeclareDisaster(
        disaster=county.id("flood"), name="潜山洪涝", area=county.id("county"), **flood
    )
    told = initial(county, "county", {"affected": 60}, disaster=county.id("flood"))
    county.given(of_county, told, by="county")
    dry = initial(county, "yuantan", {"affected": 9}, hazard="drought", report=county.id("dry"))
    county.given(dry, by="township")
    long_before = START - timedelta(days=40)
    old = initial(county, "shuihou", {"affected": 5}, occurred_at=long_before, as_of=long_before)
    county.given(old, by="township2")
    both = {str(county.id("flood")): ["flood/2018"], "flood/2018": [str(county.id("flood"))]}
    assert maybe_same(tmp_path / "loose", county) == {**both, "drought/2018": []}
    assert maybe_same(tmp_path / "below", county, "yuantan") == {"drought/2018": []}

    of_city = DeclareDisaster(
        disaster=county.id("all"), name="安庆洪涝", area=county.id("city"), **flood
    )
    joined = AttachReport(report=county.id("report/city"), disaster=county.id("all"))
    county.given(of_city, joined, by="city")
    found = maybe_same(tmp_path / "declared", county)
    assert found[str(county.id("all"))] == [str(county.id("flood"))]
    assert found["flood/2018"] == [], "a flood of a month before is another one"

    one = MergeDisaster(disaster=county.id("flood"), into=county.id("all"), reason="同一过程")
    county.given(one, by="city")
    assert not any(maybe_same(tmp_path / "merged", county).values())


def test_two_disasters_that_one_office_declared_it_has_told_apart_itself(tmp_path: Path) -> None:
    county = make_county()
    for name, area, by in (("first", "county", "county"), ("second", "yuantan", "township")):
        declared = DeclareDisaster(
            disaster=county.id(name),
            name=name,
            hazard="flood",
            occurred_at=START,
            area=county.id("county"),
        )
        county.given(declared, by="county")
        told = initial(county, area, {"affected": 60}, disaster=county.id(name))
        county.given(told, by=by)
    assert not any(maybe_same(tmp_path, county).values())


def maybe_same(path: Path, county: Scenario, area: str = "city") -> dict[str, list[str]]:
    """Of each disaster those that may be the same one, as somebody of that area sees it."""
    with fold(path, county, VIEWS).reading() as db:
        rows = situation_disasters(db, over(county, area)).items
    return {row["subject"]: row["maybe_same"] for row in rows}
