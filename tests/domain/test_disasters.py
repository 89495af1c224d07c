"""Disasters: declared, reports attached, responses, the end, merging."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.commands.disasters import (
    AttachReport,
    ChangeResponse,
    CloseDisaster,
    DeclareDisaster,
    DetachReport,
    EndResponse,
    MergeDisaster,
    ReopenDisaster,
    SplitDisaster,
    StabilizeDisaster,
    StartResponse,
)
from domain.commands.filing import RawFigures
from domain.commands.reports import FileInitialReport, FileVerifiedReport
from domain.commands.reviews import AcceptReport, StabilizeReport
from domain.disaster import (
    Disaster,
    DisasterNotOpen,
    MergeDoublesAreas,
    NoGroundForResponse,
    NoResponseRuns,
    NotAttachedHere,
    NotMergedInto,
    OutsideDisaster,
    ReportsNotVerified,
    ResponseRuns,
    SameLevel,
    SecondReportOfArea,
)
from domain.exercise import ExerciseMixed
from domain.refusal import AlreadyExists, Malformed, NotFound, NotYourRole
from domain.report_refusals import AlreadyAttached, NotAttached
from domain.situation_report import SituationReport
from tests.domain.county import make_county
from tests.domain.scenario import Scenario

START = datetime(2018, 7, 4, 7, tzinfo=UTC)


@pytest.fixture
def county() -> Scenario:
    scenario = make_county()
    return scenario.given(declare(scenario), by="county")


def declare(county: Scenario, key: str = "flood", **change: Any) -> DeclareDisaster:
    values: dict[str, Any] = {
        "disaster": county.id(key),
        "name": "7·4暴雨洪涝",
        "hazard": "flood",
        "occurred_at": START,
        "area": county.id("county"),
    }
    return DeclareDisaster(**(values | change))


def report(county: Scenario, area: str = "yuantan_1", **change: Any) -> FileInitialReport:
    values: dict[str, Any] = {
        "report": county.id(f"report/{area}"),
        "area": county.id(area),
        "occurred_at": START,
        "as_of": START,
        "hazard": "flood",
        "figures": {"dead": 2, "missing": 1},
    }
    return FileInitialReport(**(values | change))


def attach(county: Scenario, area: str = "yuantan_1", to: str = "flood", why: str = "") -> Any:
    return AttachReport(report=county.id(f"report/{area}"), disaster=county.id(to), reason=why)


def detach(county: Scenario, area: str = "yuantan_1", why: str = "误挂") -> DetachReport:
    return DetachReport(report=county.id(f"report/{area}"), reason=why)


def start(county: Scenario, level: int = 3, **change: Any) -> StartResponse:
    values: dict[str, Any] = {
        "disaster": county.id("flood"),
        "area": county.id("county"),
        "level": level,
        "document_no": "潜减〔2018〕3号",
    }
    return StartResponse(**(values | change))


def change_level(county: Scenario, level: int, **change: Any) -> ChangeResponse:
    values: dict[str, Any] = {
        "disaster": county.id("flood"),
        "area": county.id("county"),
        "level": level,
        "document_no": "潜减〔2018〕4号",
    }
    return ChangeResponse(**(values | change))


def end(county: Scenario, name: str = "flood") -> EndResponse:
    return EndResponse(
        disaster=county.id(name),
        area=county.id("county"),
        document_no="潜减〔2018〕5号",
        reason="救灾工作结束",
    )


def stabilize(county: Scenario, name: str = "flood", **change: Any) -> StabilizeDisaster:
    values: dict[str, Any] = {
        "disaster": county.id(name),
        "stable_at": county.now,
        "reason": "雨停水退",
    }
    return StabilizeDisaster(**(values | change))


def close(county: Scenario) -> CloseDisaster:
    return CloseDisaster(disaster=county.id("flood"), reason="核报完成")


def merge(county: Scenario, name: str = "storm", into: str = "flood") -> MergeDisaster:
    return MergeDisaster(disaster=county.id(name), into=county.id(into), reason="同一过程")


def split(county: Scenario, name: str = "storm") -> SplitDisaster:
    return SplitDisaster(disaster=county.id(name), reason="成因不同")


def loaded(county: Scenario, name: str = "flood") -> Disaster:
    found = county.load(Disaster, county.id(name))
    assert isinstance(found, Disaster)
    return found


def accepted(county: Scenario) -> Scenario:
    """A township's report with three dead and missing, attached and accepted."""
    county.given(report(county, "yuantan", disaster=county.id("flood")), by="township")
    accept = AcceptReport(report=county.id("report/yuantan"), version=1)
    return county.given(accept, by="county")


def test_a_disaster_is_declared_in_an_area(county: Scenario) -> None:
    county.when(declare(county, "storm"), by="dispatcher").then("Disaster.Declared")
    county.when(declare(county, "storm"), by="county").then(AlreadyExists)
    county.when(declare(county, "x"), by="township").then(NotFound)
    county.when(declare(county, "x"), by="auditor").then(NotYourRole)
    county.when(declare(county, "x", name=" "), by="county").then(Malformed)
    county.when(declare(county, "x", hazard="dragons"), by="county").then(Malformed)
    later = county.now + timedelta(hours=1)
    county.when(declare(county, "x", occurred_at=later), by="county").then(Malformed)


# -- reports --------------------------------------------------------------------------------


def test_a_report_is_attached_as_it_is_filed(county: Scenario) -> None:
    county.when(report(county, disaster=county.id("flood")), by="village")
    county.then(
        "SituationReport.InitialReported",
        "SituationReport.FollowUpDutyStarted",
        "SituationReport.Attached",
        "Disaster.ReportAttached",
    )
    assert county.result["not_attached"] is None


def test_a_report_is_kept_although_its_disaster_refuses_it(county: Scenario) -> None:
    county.given(report(county, disaster=county.id("flood")), by="village")
    second = report(county, report=county.id("second"), disaster=county.id("flood"))
    county.when(second, by="village_b")
    county.then("SituationReport.InitialReported", "SituationReport.FollowUpDutyStarted")
    assert county.result["not_attached"] == "second-report-of-area"


def test_a_report_that_came_first_is_attached_later_and_once(county: Scenario) -> None:
    county.given(report(county), by="village")
    county.when(attach(county), by="village").then(NotYourRole)
    county.when(attach(county), by="county")
    county.then("SituationReport.Attached", "Disaster.ReportAttached")
    county.when(attach(county), by="county").then(AlreadyAttached)


def test_a_disaster_refuses_a_second_current_report_of_one_area(county: Scenario) -> None:
    county.given(report(county, disaster=county.id("flood")), by="village")
    county.given(report(county, report=county.id("report/again")), by="village")
    refusal = county.when(attach(county, "again"), by="county").then(SecondReportOfArea)
    assert refusal.current == county.id("report/yuantan_1")
    county.given(detach(county), attach(county, "again"), by="county")


def test_a_report_moves_to_another_disaster_in_one_commit(county: Scenario) -> None:
    county.given(report(county, disaster=county.id("flood")), by="village")
    county.given(declare(county, "storm"), by="county")
    county.when(attach(county, to="storm"), by="county").then(Malformed)
    county.when(attach(county, to="storm", why="属风雹"), by="county")
    county.then(
        "SituationReport.Detached",
        "SituationReport.Attached",
        "Disaster.ReportAttached",
        "Disaster.ReportDetached",
    )


def test_what_is_not_attached_cannot_be_detached(county: Scenario) -> None:
    county.given(report(county), by="village")
    county.when(detach(county), by="county").then(NotAttached)
    disaster, held = loaded(county), county.id("report/yuantan_1")
    with pytest.raises(NotAttachedHere):
        disaster.detach(held, county.id("yuantan_1"), "误挂")
    found = county.load(SituationReport, held)
    found.attach(county.id("flood"))
    with pytest.raises(AlreadyAttached):
        found.attach(county.id("flood"))


def test_a_report_from_elsewhere_does_not_belong_to_the_disaster(county: Scenario) -> None:
    county.given(declare(county, "local", area=county.id("shuihou")), by="county")
    county.given(report(county), by="village")
    county.when(attach(county, to="local"), by="county").then(OutsideDisaster)


def test_a_disaster_of_another_county_is_not_found(county: Scenario) -> None:
    foreign = declare(county, "foreign", area=county.id("foreign_county"))
    county.given(foreign, by="foreign_county")
    county.when(report(county, disaster=county.id("foreign")), by="village")
    assert county.result["not_attached"] == "not-found"
    county.when(attach(county, to="foreign"), by="county").then(NotFound)
    county.when(start(county, disaster=county.id("foreign")), by="county").then(NotFound)


def test_exercise_and_reality_never_meet(county: Scenario) -> None:
    county.given(report(county, exercise=True), by="village")
    county.when(attach(county), by="county").then(ExerciseMixed)
    county.given(declare(county, "drill", exercise=True), by="county")
    county.given(attach(county, to="drill"), by="county")
    county.when(merge(county, "drill"), by="county").then(ExerciseMixed)


# -- responses ------------------------------------------------------------------------------


def test_a_response_starts_on_accepted_figures_and_names_the_condition(county: Scenario) -> None:
    county.when(start(county), by="county").then(NoGroundForResponse)
    accepted(county)
    county.when(start(county, level=2), by="county").then(NoGroundForResponse)
    county.when(start(county), by="county")
    (fact,) = county.then("Disaster.ResponseStarted")
    assert [(one.level, one.condition) for one in fact.grounds] == [(3, "dead_and_missing")]
    assert fact.rule.kind == "thresholds"
    county.when(start(county), by="county").then(ResponseRuns)


def test_an_areas_own_accepted_report_counts_else_those_below_never_both(county: Scenario) -> None:
    accepted(county)
    village = report(county, disaster=county.id("flood"), figures={"dead": 2})
    county.given(village, by="village")
    county.given(AcceptReport(report=village.report, version=1), by="township")
    county.when(start(county), by="county")
    (fact,) = county.then("Disaster.ResponseStarted")
    assert int(fact.grounds[0].value) == 3


def test_a_forecast_in_writing_is_ground_enough(county: Scenario) -> None:
    county.when(start(county, forecast="会商研判：今夜仍有大暴雨"), by="county")
    county.then("Disaster.ResponseStarted")


def test_a_response_without_a_table_of_thresholds_needs_a_forecast(county: Scenario) -> None:
    city = declare(county, "wide", area=county.id("city"))
    county.given(city, by="city")
    wide = start(county, disaster=county.id("wide"), area=county.id("city"))
    county.when(wide, by="city").then(NoGroundForResponse)
    wide = start(county, disaster=county.id("wide"), area=county.id("city"), forecast="研判")
    (fact,) = county.when(wide, by="city").then("Disaster.ResponseStarted")
    assert fact.rule is None


def test_a_response_has_a_level_a_document_and_a_place(county: Scenario) -> None:
    county.when(start(county, level=5), by="county").then(Malformed)
    county.when(start(county, document_no=""), by="county").then(Malformed)
    above = start(county, area=county.id("city"), forecast="研判")
    county.when(above, by="city").then(OutsideDisaster)


def test_a_response_is_raised_on_a_ground_lowered_freely_and_ended(county: Scenario) -> None:
    county.when(change_level(county, 2), by="county").then(NoResponseRuns)
    accepted(county).given(start(county), by="county")
    county.when(change_level(county, 3), by="county").then(SameLevel)
    county.when(change_level(county, 1), by="county").then(NoGroundForResponse)
    county.when(change_level(county, 1, reason="研判将加重"), by="county")
    (fact,) = county.then("Disaster.ResponseChanged")
    assert (fact.level_before, fact.level) == (3, 1)
    county.given(change_level(county, 4), by="county")
    county.when(end(county), by="county").then("Disaster.ResponseEnded")
    county.when(end(county), by="county").then(NoResponseRuns)


# -- the end --------------------------------------------------------------------------------


def test_a_disaster_closes_on_verified_reports_only(county: Scenario) -> None:
    figures: RawFigures = {"affected": 5, "dead": 0, "missing": 0}
    county.given(report(county, disaster=county.id("flood"), figures=figures), by="village")
    county.when(close(county), by="county").then(DisasterNotOpen)
    county.given(stabilize(county), by="county")
    refusal = county.when(close(county), by="county").then(ReportsNotVerified)
    assert refusal.reports == (county.id("report/yuantan_1"),)
    one = county.id("report/yuantan_1")
    county.given(StabilizeReport(report=one, stable_at=county.now), by="county")
    filed = FileVerifiedReport(report=one, as_of=county.now, figures=figures)
    county.given(filed, by="village").given(AcceptReport(report=one, version=2), by="township")
    county.when(close(county), by="county").then("Disaster.Closed")
    county.given(report(county, "yuantan_2"), by="village2")
    county.when(attach(county, "yuantan_2"), by="county").then(DisasterNotOpen)
    reopen = ReopenDisaster(disaster=county.id("flood"), reason="新发现灾情")
    county.when(reopen, by="county").then("Disaster.Reopened")
    county.when(reopen, by="county").then(DisasterNotOpen)


def test_a_disaster_does_not_close_while_a_response_runs(county: Scenario) -> None:
    county.given(start(county, forecast="研判"), stabilize(county), by="county")
    county.when(close(county), by="county").then(ResponseRuns)
    county.given(end(county), close(county), by="county")


def test_a_disaster_is_stabilized_once_and_not_before_it_happened(county: Scenario) -> None:
    early = stabilize(county, stable_at=START - timedelta(hours=1))
    county.when(early, by="county").then(Malformed)
    county.when(stabilize(county), by="county").then("Disaster.Stabilized")
    county.when(stabilize(county), by="county").then(DisasterNotOpen)


# -- merging --------------------------------------------------------------------------------


@pytest.fixture
def two(county: Scenario) -> Scenario:
    """The flood holds yuantan_1; the storm holds shuihou_1."""
    county.given(declare(county, "storm"), by="county")
    county.given(report(county, disaster=county.id("flood")), by="village")
    other = report(county, "shuihou_1", disaster=county.id("storm"))
    return county.given(other, by="village3")


def test_a_merger_is_a_fact_of_both_and_can_be_undone(two: Scenario) -> None:
    two.when(merge(two), by="county").then("Disaster.MergedInto", "Disaster.Absorbed")
    assert set(loaded(two).all_reports()) == {two.id("yuantan_1"), two.id("shuihou_1")}
    two.given(report(two, "shuihou_2"), by="village4")
    two.when(attach(two, "shuihou_2", to="storm"), by="county").then(DisasterNotOpen)
    two.when(merge(two), by="county").then(DisasterNotOpen)
    two.when(split(two), by="county").then("Disaster.SplitBack", "Disaster.Released")
    assert set(loaded(two).all_reports()) == {two.id("yuantan_1")}
    two.when(attach(two, "shuihou_2", to="storm"), by="county")
    two.when(split(two), by="county").then(NotMergedInto)


def test_splitting_back_is_closed_while_the_one_it_was_merged_into_does_not_go_on(
    two: Scenario,
) -> None:
    """It was told as open, whatever had become of the other disaster."""
    two.given(merge(two), declare(two, "third"), by="county")
    assert two.closed(split(two), by="county") is None
    two.given(merge(two, "flood", "third"), by="county")
    refusal = two.when(split(two), by="county").then(DisasterNotOpen)
    said = two.closed(split(two), by="county")
    assert isinstance(said, DisasterNotOpen)
    assert (said.disaster, said.stage) == (refusal.disaster, refusal.stage)
    assert said.disaster == two.id("flood")


def test_a_merger_never_counts_an_area_twice(two: Scenario) -> None:
    again = report(two, report=two.id("report/again"), disaster=two.id("storm"))
    two.given(again, by="village")
    refusal = two.when(merge(two), by="county").then(MergeDoublesAreas)
    assert refusal.areas == (two.id("yuantan_1"),)


def test_a_disaster_does_not_merge_into_itself_or_while_it_responds(two: Scenario) -> None:
    two.when(merge(two, "storm", "storm"), by="county").then(Malformed)
    two.given(start(two, disaster=two.id("storm"), forecast="研判"), by="county")
    two.when(merge(two), by="county").then(ResponseRuns)


def test_a_report_of_an_absorbed_disaster_leaves_both(two: Scenario) -> None:
    two.given(merge(two), by="county")
    two.when(detach(two, "shuihou_1"), by="county")
    two.then("SituationReport.Detached", "Disaster.ReportDetached", "Disaster.ReportDetached")
    assert set(loaded(two).all_reports()) == {two.id("yuantan_1")}


def test_merging_takes_somebody_above_both(two: Scenario) -> None:
    foreign = declare(two, "foreign", area=two.id("foreign_county"))
    two.given(foreign, by="foreign_county")
    two.when(merge(two, "storm", "foreign"), by="county").then(NotFound)
    two.when(merge(two, "storm", "foreign"), by="city")
    two.then("Disaster.MergedInto", "Disaster.Absorbed")
    two.when(split(two), by="county").then(NotFound)
