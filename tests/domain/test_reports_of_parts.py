"""What is told above beside what the parts had accepted; scribes; reports that are withdrawn."""

from decimal import Decimal
from typing import Any

import pytest

from domain.commands.disasters import DeclareDisaster, StartResponse
from domain.commands.filing import RawFigures
from domain.commands.officers import GrantDispensation, HandOver
from domain.commands.reports import (
    FileInitialReport,
    FileVerifiedReport,
    MakeUpReport,
    WithdrawReport,
)
from domain.commands.reviews import AdjudicateReport, SetPartsAside, StrikeReport
from domain.commands.rosters import RecordCasualty, RecordHouseDamage
from domain.disaster import Disaster, NoGroundForResponse
from domain.refusal import ChangedMeanwhile, NotFound, NotYourRole
from domain.report_filing import Review
from domain.report_refusals import (
    AcceptedNotWithdrawn,
    NothingToSetAside,
    PartsSayMore,
    ReportWithdrawn,
    RostersHold,
    VerifiedReportHasErrors,
)
from domain.separation import SamePersonTwice
from domain.world import Role
from tests.domain.county import appointment, make_county, register
from tests.domain.reporting import (
    START,
    accept,
    follow_up,
    initial,
    loaded,
    phoned,
    send_back,
    stabilize,
    zero,
)
from tests.domain.scenario import Scenario


@pytest.fixture
def county() -> Scenario:
    """A flood; the township of 源潭 has one dead accepted, as of half past three."""
    scenario = make_county()
    declare = DeclareDisaster(
        disaster=scenario.id("flood"),
        name="7·4暴雨洪涝",
        hazard="flood",
        occurred_at=START,
        area=scenario.id("county"),
    )
    scenario.given(declare, by="county")
    scenario.given(told(scenario, "yuantan", {"affected": 500, "dead": 1}), by="township")
    return scenario.given(accept(scenario, area="yuantan"), by="county").wait(minutes=30)


def told(county: Scenario, area: str, figures: RawFigures, **change: Any) -> FileInitialReport:
    values: dict[str, Any] = {"figures": figures, "disaster": county.id("flood")}
    return initial(county, area, **(values | change))


def shares(county: Scenario, yuantan: RawFigures, **more: RawFigures) -> dict[str, RawFigures]:
    named = {"yuantan": yuantan} | more
    return {str(county.id(name)): figures for name, figures in named.items()}


def rules_of(county: Scenario, area: str = "county") -> list[str]:
    return [flag.rule for flag in loaded(county, area).current.flags]


# -- shares and sums ------------------------------------------------------------------------


def test_a_share_without_the_accepted_death_of_its_township_is_flagged_when_filed(
    county: Scenario,
) -> None:
    hidden: RawFigures = {"affected": 500, "dead": 0, "missing": 0}
    county.when(told(county, "county", hidden, split=shares(county, hidden)), by="county")
    assert {"below-parts-dead", "part-dead"} <= set(rules_of(county)), "and it is kept"
    (share,) = (one for one in county.result["flags"] if one["rule"] == "part-dead")
    assert "源潭镇" in share["zh"] and "07-04 15:00" in share["zh"], "China time"
    assert share["severity"] == "error"


def test_the_same_is_said_when_it_is_accepted(county: Scenario) -> None:
    county.given(told(county, "county", {"affected": 500}, split={}), by="county")
    county.when(accept(county, area="county"), by="city").then("SituationReport.Accepted")
    assert [flag["rule"] for flag in county.result["flags"]] == ["below-parts-dead"]


def test_a_death_accepted_after_the_filing_is_found_at_the_acceptance(county: Scenario) -> None:
    right: RawFigures = {"affected": 500, "dead": 1}
    county.given(told(county, "county", right, split=shares(county, right)), by="county")
    assert rules_of(county) == []
    county.given(follow_up(county, area="yuantan", figures={"dead": 2}), by="township")
    county.given(accept(county, 2, "yuantan"), by="county2")
    county.given(accept(county, area="county"), by="city")
    assert {flag["rule"] for flag in county.result["flags"]} == {"below-parts-dead", "part-dead"}


def test_a_smaller_share_is_a_question_and_a_larger_newer_one_is_none(county: Scenario) -> None:
    less: RawFigures = {"affected": 80, "dead": 1}
    county.given(
        told(county, "county", less, split=shares(county, less), as_of=county.now), by="county"
    )
    assert [(f.rule, f.severity) for f in loaded(county, "county").current.flags] == [
        ("part-affected", "warning")
    ]
    more: RawFigures = {"affected": 900, "dead": 2}
    county.given(
        follow_up(county, area="county", figures=more, split=shares(county, more)), by="county"
    )
    assert [rule for rule in rules_of(county) if rule.startswith("part")] == []


def test_a_split_that_leaves_out_a_reporting_township_is_flagged(county: Scenario) -> None:
    county.given(told(county, "shuihou", {"affected": 7}), by="township2")
    part: RawFigures = {"affected": 500, "dead": 1}
    county.given(told(county, "county", part, split=shares(county, part)), by="county")
    (flag,) = loaded(county, "county").current.flags
    assert (flag.rule, flag.severity) == ("parts-left-out", "warning")
    assert "水吼镇" in flag.zh


def test_a_township_that_tells_less_dead_than_its_villages_is_flagged_too(
    county: Scenario,
) -> None:
    county.given(told(county, "yuantan_1", {"dead": 2, "missing": 1}), by="village")
    county.given(accept(county), by="township")
    county.given(follow_up(county, area="yuantan", figures={"dead": 1}), by="township")
    assert rules_of(county, "yuantan") == ["below-parts-dead", "below-parts-missing"]


def test_a_verified_report_with_fewer_dead_than_its_parts_is_not_accepted(
    county: Scenario,
) -> None:
    hidden: RawFigures = {"affected": 500, "dead": 0, "missing": 0}
    split = shares(county, hidden)
    county.given(told(county, "county", hidden, split=split), by="county")
    county.given(stabilize(county, "county"), by="city")
    county.given(
        follow_up(county, FileVerifiedReport, "county", figures=hidden, split=split), by="county"
    )
    refusal = county.when(accept(county, 2, "county"), by="city").then(VerifiedReportHasErrors)
    assert set(refusal.rules) == {"below-parts-dead", "part-dead"}
    county.given(aside(county, 2), by="city")
    county.when(accept(county, 2, "county"), by="city").then("SituationReport.Accepted")


# -- what a named person decides ------------------------------------------------------------


def aside(county: Scenario, version: int = 1, **change: Any) -> SetPartsAside:
    values: dict[str, Any] = {
        "report": county.id("report/county"),
        "version": version,
        "parts": {"dead": 1},
        "document_no": "宜减办〔2018〕12号",
        "reason": "源潭所报一人经公安核实为病故",
    }
    return SetPartsAside(**(values | change))


def test_the_level_above_decides_in_writing_that_fewer_dead_count(county: Scenario) -> None:
    county.given(told(county, "county", {"dead": 0}), by="county")
    county.when(aside(county), by="county").then(NotFound)
    county.when(aside(county), by="foreign_county").then(NotFound)
    county.when(aside(county, 2), by="city").then(ChangedMeanwhile)
    (fact,) = county.when(aside(county), by="city").then("SituationReport.PartsSetAside")
    assert fact.decided["dead"].kept == Decimal(0) and fact.decided["dead"].parts == Decimal(1)
    assert fact.reason and fact.document_no


def test_nothing_is_set_aside_that_is_not_larger_or_not_seen(county: Scenario) -> None:
    county.given(told(county, "county", {"dead": 1}), by="county")
    county.when(aside(county), by="city").then(NothingToSetAside)
    county.given(follow_up(county, area="county", figures={"dead": 0}), by="county")
    county.given(told(county, "shuihou", {"dead": 2}), by="township2")
    county.given(accept(county, area="shuihou"), by="county")
    refusal = county.when(aside(county, 2), by="city").then(PartsSayMore)
    assert (refusal.seen, refusal.parts) == (1, 3)
    assert "因灾死亡人口" in refusal.sentence("zh")


# -- response levels ------------------------------------------------------------------------


def respond(county: Scenario, level: int) -> StartResponse:
    return StartResponse(
        disaster=county.id("flood"),
        area=county.id("county"),
        level=level,
        document_no="潜减〔2018〕3号",
    )


def test_a_level_that_only_the_townships_reach_is_reached_and_named(county: Scenario) -> None:
    county.given(told(county, "county", {"affected": 700, "dead": 0}), by="county")
    county.given(accept(county, area="county"), by="city")
    county.when(respond(county, 3), by="county").then(NoGroundForResponse)
    (fact,) = county.when(respond(county, 4), by="county").then("Disaster.ResponseStarted")
    assert [one.condition for one in fact.grounds] == ["dead_and_missing"]
    assert fact.grounds[0].zh.startswith("下级已审定合计：")


def test_an_old_own_figure_does_not_refuse_what_newer_children_reach(county: Scenario) -> None:
    county.given(told(county, "county", {"relocated_cumulative": 5}), by="county")
    county.given(accept(county, area="county"), by="city")
    county.given(
        follow_up(county, area="yuantan", figures={"relocated_cumulative": 700, "dead": 1}),
        by="township",
    )
    county.given(accept(county, 2, "yuantan"), by="county2")
    (fact,) = county.when(respond(county, 3), by="county").then("Disaster.ResponseStarted")
    assert {(one.condition, one.level) for one in fact.grounds} >= {("relocated_and_in_need", 3)}


def test_a_response_goes_by_what_was_adjudicated_until_more_is_accepted(county: Scenario) -> None:
    county.given(told(county, "county", {"affected": 700, "dead": 0}), by="county")
    county.given(accept(county, area="county"), by="city")
    decided = AdjudicateReport(
        report=county.id("report/yuantan"),
        version=1,
        figures={"dead": 0},
        document_no="潜减办〔2018〕7号",
        reason="公安核实为病故",
    )
    county.given(decided, by="county2")
    county.when(respond(county, 4), by="county").then(NoGroundForResponse)
    later = follow_up(county, area="yuantan", figures={"affected": 500, "dead": 1})
    county.given(later, by="township").given(accept(county, 2, "yuantan"), by="county")
    county.when(respond(county, 4), by="county").then("Disaster.ResponseStarted")


def test_an_adjudicated_figure_that_the_parts_exceed_can_be_set_aside_too(
    county: Scenario,
) -> None:
    county.given(told(county, "county", {"affected": 700, "dead": 1}), by="county")
    county.given(accept(county, area="county"), by="city")
    register(county, "city2", "city")
    county.given(appointment(county, "city2", Role.CITY_REVIEWER, "city"), by="city_admin")
    report, document = county.id("report/county"), "宜减办〔2018〕12号"
    aside = SetPartsAside(
        report=report, version=1, parts={"dead": 1}, document_no=document, reason="复核"
    )
    county.when(aside, by="city").then(NothingToSetAside)
    decided = AdjudicateReport(
        report=report, version=1, figures={"dead": 0}, document_no=document, reason="核实为病故"
    )
    county.given(decided, by="city2")
    (fact,) = county.when(aside, by="city").then("SituationReport.PartsSetAside")
    assert fact.decided["dead"].kept == 0


# -- who wrote down a call ------------------------------------------------------------------


def test_who_wrote_down_a_call_reviews_it_once_the_village_has_made_it_up() -> None:
    county = make_county()
    county.given(phoned(county, caller=None), by="township")
    refusal = county.when(accept(county), by="township").then(SamePersonTwice)
    for way_out in ("同级其他人员", "书面批准例外", "补报"):
        assert way_out in refusal.sentence("zh")
    county.given(follow_up(county, MakeUpReport), by="village")
    county.when(accept(county, 2), by="township").then("SituationReport.Accepted")


def test_the_successor_of_who_wrote_it_down_reviews_it_too() -> None:
    county = make_county()
    county.given(phoned(county), by="township")
    handed = HandOver(
        officer=county.officers["township"],
        successor=county.officers["township_b"],
        reason="调离",
    )
    county.given(handed, by="admin")
    county.when(accept(county), by="township_b").then(SamePersonTwice)
    county.given(follow_up(county, MakeUpReport), by="village")
    county.when(accept(county, 2), by="township_b").then("SituationReport.Accepted")


def test_who_rang_or_made_it_up_stays_the_reporter() -> None:
    county = make_county()
    call = phoned(county, caller=county.officers["township_b"])
    county.given(call, by="dispatcher").given(follow_up(county, MakeUpReport), by="village")
    county.when(accept(county, 2), by="township_b").then(SamePersonTwice)
    county.when(accept(county, 2), by="township").then("SituationReport.Accepted")


def village_hands_over_and_reviews_above(county: Scenario) -> None:
    """`village` handed over to `village_b` and reviews in the township; `village_c` is new."""
    handed = HandOver(
        officer=county.officers["village"], successor=county.officers["village_b"], reason="调离"
    )
    county.given(handed, by="admin")
    now_above = appointment(county, "village", Role.TOWNSHIP_REVIEWER, "yuantan", nth="+")
    county.given(now_above, by="admin")
    register(county, "village_c", "yuantan_1")
    reporter = appointment(county, "village_c", Role.VILLAGE_REPORTER, "yuantan_1")
    county.given(reporter, by="admin")


def test_whose_post_the_caller_took_over_stays_a_reporter_too() -> None:
    county = make_county()
    village_hands_over_and_reviews_above(county)
    call = phoned(county, caller=county.officers["village_b"])
    county.given(call, by="dispatcher").given(follow_up(county, MakeUpReport), by="village_c")
    county.when(accept(county, 2), by="village").then(SamePersonTwice)
    county.when(accept(county, 2), by="township").then("SituationReport.Accepted")


def test_a_predecessor_of_the_caller_is_no_mere_scribe_of_the_call() -> None:
    county = make_county()
    village_hands_over_and_reviews_above(county)
    call = phoned(county, caller=county.officers["village_b"])
    county.given(call, by="village").given(follow_up(county, MakeUpReport), by="village_c")
    county.when(accept(county, 2), by="village").then(SamePersonTwice)
    county.when(accept(county, 2), by="township").then("SituationReport.Accepted")


def test_a_successor_of_the_caller_is_no_mere_scribe_of_the_call() -> None:
    county = make_county()
    handed = HandOver(
        officer=county.officers["village2"], successor=county.officers["township"], reason="调离"
    )
    county.given(handed, by="admin")
    call = phoned(county, caller=county.officers["village2"])
    county.given(call, by="township").given(follow_up(county, MakeUpReport), by="village")
    reporters = {county.id(f"person/{name}") for name in ("village", "village2", "township")}
    assert set(loaded(county).steps["report"]) == reporters
    county.when(accept(county, 2), by="township").then(SamePersonTwice)


def test_a_dispensation_lets_the_only_reviewer_accept_a_call() -> None:
    county = make_county()
    county.given(phoned(county, caller=None), by="township")
    granted = GrantDispensation(
        matter=county.id("report/yuantan_1"),
        officer=county.officers["township"],
        step="review",
        document_no="测试〔2018〕9号",
        reason="全镇只有一人在岗",
    )
    county.given(granted, by="county")
    county.when(accept(county), by="township").then("SituationReport.Accepted")


# -- withdrawn ------------------------------------------------------------------------------


def withdraw(county: Scenario, area: str = "yuantan_1", **change: Any) -> WithdrawReport:
    values: dict[str, Any] = {"report": county.id(f"report/{area}"), "reason": "重复填报"}
    return WithdrawReport(**(values | change))


def strike(county: Scenario, area: str = "yuantan_1", version: int = 1) -> StrikeReport:
    return StrikeReport(
        report=county.id(f"report/{area}"), version=version, reason="与另一份报告重复"
    )


def test_a_reporter_withdraws_what_nobody_accepted_and_nothing_follows(county: Scenario) -> None:
    county.given(told(county, "yuantan_1", {"affected": 3}), by="village")
    county.when(withdraw(county, expected_version=2), by="village").then(ChangedMeanwhile)
    county.when(withdraw(county), by="village2").then(NotFound)
    county.when(withdraw(county), by="village")
    county.then("SituationReport.Detached", "SituationReport.Withdrawn", "Disaster.ReportDetached")
    report = loaded(county)
    assert report.review is Review.WITHDRAWN and report.duty is None
    verified = follow_up(county, kind=FileVerifiedReport)
    for command, by in (
        (follow_up(county), "village"),
        (zero(county), "village"),  # and not: "the situation is stable"
        (verified, "village"),
        (accept(county), "township"),  # and not: "reviewed already"
        (send_back(county), "township"),
        (stabilize(county), "county"),
        (withdraw(county), "village"),
        (strike(county), "township"),
    ):
        county.when(command, by=by).then(ReportWithdrawn)


def test_the_area_is_free_for_another_report_in_the_disaster(county: Scenario) -> None:
    county.given(told(county, "yuantan_1", {"affected": 3}), by="village")
    county.given(withdraw(county), by="village")
    again = told(county, "yuantan_1", {"affected": 4}, report=county.id("again"))
    county.given(again, by="village")
    assert county.result["not_attached"] is None
    disaster = county.load(Disaster, county.id("flood"))
    assert disaster.reports[county.id("yuantan_1")] == county.id("again")


def test_what_is_accepted_is_struck_by_the_level_above_only(county: Scenario) -> None:
    county.given(told(county, "yuantan_1", {"affected": 3}), by="village")
    county.given(accept(county), by="township")
    county.when(withdraw(county), by="village").then(AcceptedNotWithdrawn)
    county.when(strike(county), by="county").then(NotYourRole)
    county.when(strike(county), by="township")
    county.then("SituationReport.Detached", "SituationReport.Withdrawn", "Disaster.ReportDetached")
    assert loaded(county).accepted is None


def test_a_report_with_people_on_its_rosters_is_not_void(county: Scenario) -> None:
    county.given(told(county, "yuantan_1", {"dead": 1}), by="village")
    casualty = RecordCasualty(
        record=county.id("casualty"),
        report=county.id("report/yuantan_1"),
        area=county.id("yuantan_1"),
        fate="dead",
        full_name="王小明",
    )
    county.given(casualty, by="village")
    home = RecordHouseDamage(
        record=county.id("home"),
        report=county.id("report/yuantan_1"),
        area=county.id("yuantan_1"),
        grade="collapsed",
        rooms=6,
        owner_name="王小明",
    )
    county.given(home, by="village")
    refused = county.when(withdraw(county), by="village").then(RostersHold)
    assert "还有 2 条记录" in refused.sentence("zh"), "six rooms of one home are one row"
