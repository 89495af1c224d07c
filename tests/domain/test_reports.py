"""Situation reports: filing, follow-ups, reports by telephone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.area import Area
from domain.commands.filing import RawFigures
from domain.commands.reports import (
    CorrectOccurrence,
    ExplainJump,
    MakeUpReport,
    PhoneInFollowUp,
)
from domain.refusal import (
    AlreadyExists,
    ChangedMeanwhile,
    Malformed,
    MovedOn,
    NotFound,
    NotYourRole,
)
from domain.report_refusals import (
    AsOfGoesBack,
    HappenedAfterReport,
    NoDutyRuns,
    NoJumpToExplain,
    NothingToMakeUp,
)
from domain.rules.figures import FiguresMalformed
from domain.separation import SamePersonTwice
from tests.domain.county import make_county
from tests.domain.reporting import (
    BEGUN,
    BROKEN,
    START,
    accept,
    follow_up,
    initial,
    loaded,
    phoned,
    stabilize,
    zero,
)
from tests.domain.scenario import Scenario


@pytest.fixture
def county() -> Scenario:
    return make_county()


# -- filing ---------------------------------------------------------------------------------


def test_an_initial_report_keeps_its_times_code_and_rulebooks(county: Scenario) -> None:
    county.when(initial(county, sub_hazard="flash_flood"), by="village")
    first, duty = county.then(*BEGUN)
    assert first.area_code == "340882101001"
    assert (first.occurred_at, first.filed.as_of, first.filed.reported_at) == (
        START,
        START,
        county.now,
    )
    assert first.filed.schema_version == "2016"
    assert [rule.kind for rule in first.filed.rules] == ["indicators", "deadlines", "hazards"]
    assert first.filed.hands == (county.id("person/village"),)
    assert duty.duty.every_days == 1


def test_a_report_in_time_is_not_late_and_one_after_the_hour_is(county: Scenario) -> None:
    county.when(initial(county), by="village")
    assert county.result["late_minutes"] == 0
    assert county.result["due_at"] == (START + timedelta(hours=1)).isoformat()
    county.wait(minutes=30)
    county.when(initial(county, "yuantan_2"), by="village2")
    assert county.result["late_minutes"] == 30


def test_nobody_is_told_to_be_late_by_a_held_clock(county: Scenario) -> None:
    """F3: reports were once 575,943 minutes late by a clock that had leapt."""
    county.wait(hours=5)
    county.clock_held = True
    county.when(initial(county), by="village")
    assert county.result["late_minutes"] == 0
    county.clock_held = False
    county.when(initial(county, "yuantan_2"), by="village2")
    assert county.result["late_minutes"] == 300


def test_lateness_counts_whole_minutes_from_the_first_second(county: Scenario) -> None:
    county.now = START + timedelta(hours=1)
    county.when(initial(county), by="village")
    assert county.result["late_minutes"] == 0, "on the stroke of the hour is in time"
    county.wait(seconds=1)
    county.when(initial(county, "yuantan_2"), by="village2")
    assert county.result["late_minutes"] == 1


def test_broken_arithmetic_in_an_initial_report_is_flagged_and_never_refused(
    county: Scenario,
) -> None:
    county.when(initial(county, figures=BROKEN), by="village")
    first, _ = county.then(*BEGUN)
    assert [flag.severity for flag in first.filed.flags] == ["error"]
    assert county.result["flags"]


def test_null_is_not_zero(county: Scenario) -> None:
    county.given(initial(county, figures={"dead": None, "missing": 0}), by="village")
    assert loaded(county).current.figures == {"dead": None, "missing": Decimal(0)}


def test_every_unreadable_figure_is_named_at_once(county: Scenario) -> None:
    figures: RawFigures = {"dead": -1, "ghosts": 3, "missing": "1.5", "injured": 1}
    split: dict[str, RawFigures] = {
        str(county.id("yuantan")): {"dead": -2},
        str(county.id("foreign_township")): {"dead": 1},
        "nowhere": {},
    }
    command = initial(county, "county", figures=figures, split=split)
    refusal = county.when(command, by="county").then(FiguresMalformed)
    names = [problem.key for problem in refusal.problems]
    assert names[:3] == ["dead", "ghosts", "missing"]
    assert names.count("split") == 2
    assert f"split.{county.id('yuantan')}.dead" in names


def test_unreadable_figures_are_said_by_their_names_and_places(county: Scenario) -> None:
    """No id and no key of the program in the sentences: they stand in the fields."""
    split: dict[str, RawFigures] = {
        str(county.id("yuantan")): {"dead": -2},
        str(county.id("foreign_township")): {"dead": 1},
    }
    command = initial(county, "county", figures={"missing": "1.5"}, split=split)
    refusal = county.when(command, by="county").then(FiguresMalformed)
    place = county.load(Area, county.id("yuantan")).name
    zh, en = refusal.sentence("zh"), refusal.sentence("en")
    assert "“因灾失踪人口”1.5：必须是整数" in zh
    assert f"{place}“因灾死亡人口”-2：不能为负数" in zh
    assert f"{place}: people dead = -2" in en
    assert not any(str(county.id(area)) in zh + en for area in ("yuantan", "foreign_township"))


@pytest.mark.parametrize(
    "change",
    [
        {"hazard": "dragons"},
        {"sub_hazard": "dragons"},
        {"occurred_at": START + timedelta(days=2)},
        {"as_of": START - timedelta(hours=1)},
        {"as_of": datetime(2018, 7, 4, 7)},
        {"received_at": START - timedelta(hours=1)},
    ],
)
def test_an_unknown_hazard_or_an_impossible_time_is_malformed(
    county: Scenario, change: dict[str, Any]
) -> None:
    county.when(initial(county, **change), by="village").then(Malformed)


def test_a_report_id_is_used_once(county: Scenario) -> None:
    county.given(initial(county), by="village")
    county.when(initial(county), by="village").then(AlreadyExists)


def test_who_files_belongs_to_the_level_of_the_area(county: Scenario) -> None:
    county.when(initial(county), by="township").then(NotYourRole)
    county.when(initial(county), by="dispatcher").then(NotYourRole)
    county.when(initial(county), by="village2").then(NotFound)
    county.given(initial(county, "yuantan"), by="township")
    county.given(initial(county, "county"), by="county")
    county.given(initial(county, "city", received_at=county.now), by="city")
    county.given(initial(county, "province"), by="province")


def test_a_county_without_the_split_of_its_townships_is_flagged(county: Scenario) -> None:
    county.given(initial(county, "county", figures={"affected": 30}), by="county")
    assert [f.rule for f in loaded(county, "county").current.flags] == ["split-affected"]


def test_a_county_whose_townships_do_not_add_up_is_flagged(county: Scenario) -> None:
    split: dict[str, RawFigures] = {
        str(county.id("yuantan")): {"affected": 10},
        str(county.id("shuihou")): {"affected": 15},
    }
    county.given(initial(county, "county", figures={"affected": 30}, split=split), by="county")
    assert [f.rule for f in loaded(county, "county").current.flags] == ["split-affected"]
    command = follow_up(
        county, area="county", figures={"affected": 25}, split=split, expected_version=1
    )
    county.given(command, by="county")
    assert loaded(county, "county").current.flags == ()


def test_any_death_in_a_county_goes_to_the_province_at_the_same_time(county: Scenario) -> None:
    county.given(initial(county, "county", figures={"dead": 1}), by="county")
    assert county.result["also_to"] == ["province"]
    county.given(follow_up(county, area="county", figures={"dead": 10}), by="county")
    assert county.result["also_to"] == ["province", "nation"]


# -- follow-ups, zero reports ---------------------------------------------------------------


def test_the_morning_report_answers_the_duty_of_the_day(county: Scenario) -> None:
    county.given(initial(county, "yuantan"), by="township")
    midnight = datetime(2018, 7, 4, 16, tzinfo=UTC)
    county.now = datetime(2018, 7, 5, 0, 30, tzinfo=UTC)
    morning = zero(county, as_of=midnight, report=county.id("report/yuantan"))
    county.when(morning, by="township")
    (fact,) = county.then("SituationReport.ZeroReported")
    assert fact.filed.due_at == datetime(2018, 7, 5, 0, tzinfo=UTC)
    assert (fact.filed.late_minutes, fact.filed.duty_number) == (30, 1)
    county.given(follow_up(county, area="yuantan"), by="township")
    assert loaded(county, "yuantan").current.due_at is None  # the day's duty is done


def test_a_level_that_the_rulebook_does_not_name_owes_no_follow_up(county: Scenario) -> None:
    county.given(initial(county), by="village")
    county.now = datetime(2018, 7, 5, 0, 30, tzinfo=UTC)
    county.when(zero(county), by="village")
    (fact,) = county.then("SituationReport.ZeroReported")
    assert (fact.filed.due_at, fact.filed.duty_number, fact.filed.late_minutes) == (None, None, 0)


def test_a_zero_report_repeats_all_figures(county: Scenario) -> None:
    county.given(initial(county), by="village")
    before = loaded(county).current.figures
    county.given(zero(county), by="village")
    assert loaded(county).current.figures == before
    assert loaded(county).current.kind == "zero"


def test_nobody_asks_for_a_zero_report_once_it_is_stable(county: Scenario) -> None:
    county.given(initial(county), by="village").given(stabilize(county), by="county")
    county.when(zero(county), by="village").then(NoDutyRuns)


def test_a_drought_is_followed_up_every_ten_days(county: Scenario) -> None:
    county.given(initial(county, hazard="drought"), by="village")
    duty = loaded(county).duty
    assert duty is not None
    assert duty.every_days == 10


def test_a_falling_cumulative_figure_is_a_warning(county: Scenario) -> None:
    county.given(initial(county, figures={"relocated_cumulative": 20}), by="village")
    county.given(follow_up(county, figures={"relocated_cumulative": 12}), by="village")
    assert [f.severity for f in loaded(county).current.flags] == ["warning"]


def test_words_that_explain_nothing_stop_no_report_and_the_reason_is_still_owed(
    county: Scenario,
) -> None:
    """A death must not wait for a better reason than "x"."""
    county.given(initial(county, figures={"affected": 10}), by="village")
    told = {"figures": {"affected": 2000, "dead": 1}, "reason": "x", "narrative": "暴雨"}
    county.given(follow_up(county, **told), by="village")
    assert county.result["needs_reason"] == ["affected"]
    assert loaded(county).current.figures["dead"] == 1
    assert loaded(county).current.narrative == "暴雨\nx"


def test_an_unexplained_jump_is_asked_about_and_can_be_explained_later(county: Scenario) -> None:
    county.given(initial(county, figures={"affected": 10}), by="village")
    county.given(follow_up(county, figures={"affected": 2000}), by="village")
    assert county.result["needs_reason"] == ["affected"]
    explain = ExplainJump(report=county.id("report/yuantan_1"), version=2, reason="山洪入村")
    county.when(explain, by="village").then("SituationReport.JumpExplained")
    assert loaded(county).current.wants_reason == ()
    county.when(explain, by="village").then(NoJumpToExplain)


def test_an_explanation_is_for_the_version_that_was_seen(county: Scenario) -> None:
    county.given(initial(county, figures={"affected": 10}), by="village")
    county.given(follow_up(county, figures={"affected": 2000}), by="village")
    explain = ExplainJump(report=county.id("report/yuantan_1"), version=1, reason="山洪入村")
    county.when(explain, by="village").then(ChangedMeanwhile)


def test_an_older_as_of_never_replaces_a_newer_one(county: Scenario) -> None:
    county.given(initial(county, as_of=county.now), by="village")
    county.when(follow_up(county, as_of=START), by="village").then(AsOfGoesBack)
    county.when(zero(county, as_of=START), by="village").then(AsOfGoesBack)


def test_the_same_minute_is_not_before_itself(county: Scenario) -> None:
    """A form says 18:35 where a program had said 18:35:20: it was refused as older."""
    county.given(initial(county, as_of=START.replace(second=20)), by="village")
    county.given(follow_up(county, as_of=START), by="village")
    assert loaded(county).current.number == 2


def test_two_officers_do_not_overwrite_each_other_unseen(county: Scenario) -> None:
    county.given(initial(county), follow_up(county, expected_version=1), by="village")
    county.when(follow_up(county, expected_version=1), by="village_b").then(ChangedMeanwhile)
    county.when(zero(county, expected_version=1), by="village_b").then(ChangedMeanwhile)


# -- by telephone ---------------------------------------------------------------------------


def test_a_dispatcher_takes_a_report_down_by_telephone(county: Scenario) -> None:
    county.when(phoned(county), by="dispatcher")
    first, _ = county.then("SituationReport.PhonedIn", BEGUN[1])
    assert first.filed.reported_at == START + timedelta(minutes=20)
    assert first.filed.hands == (county.id("person/dispatcher"), county.id("person/village"))
    assert loaded(county).to_make_up
    county.when(phoned(county, report=county.id("x"), caller=county.id("nobody")), by="dispatcher")
    county.then(NotFound)


def test_a_phoned_in_report_is_made_up_once(county: Scenario) -> None:
    county.given(phoned(county), by="dispatcher")
    county.when(follow_up(county, MakeUpReport), by="village").then("SituationReport.MadeUp")
    assert not loaded(county).to_make_up
    assert loaded(county).current.kind == "initial"
    county.when(follow_up(county, MakeUpReport), by="village").then(NothingToMakeUp)


def test_a_follow_up_can_be_phoned_in_too(county: Scenario) -> None:
    county.given(initial(county), by="village")
    call = follow_up(county, PhoneInFollowUp, called_at=county.now)
    county.when(call, by="township").then("SituationReport.FollowedUp")
    assert loaded(county).to_make_up
    county.given(follow_up(county, MakeUpReport), by="village")
    assert loaded(county).current.kind == "follow_up"


def test_the_officer_who_rang_counts_as_reporter(county: Scenario) -> None:
    county.given(phoned(county, caller=county.officers["township"]), by="dispatcher")
    county.when(accept(county), by="township").then(SamePersonTwice)
    county.when(accept(county), by="township_b").then("SituationReport.Accepted")


# -- correction -----------------------------------------------------------------------------


def test_a_wrong_kind_or_time_is_corrected_by_a_fact_with_its_reason(county: Scenario) -> None:
    county.given(initial(county), by="village")
    values: dict[str, Any] = {
        "report": county.id("report/yuantan_1"),
        "occurred_at": START - timedelta(minutes=30),
        "hazard": "landslide",
        "reason": "现场核实为滑坡",
    }
    county.when(CorrectOccurrence(**values), by="village")
    county.then("SituationReport.OccurrenceCorrected")
    assert loaded(county).hazard == "landslide"
    county.when(CorrectOccurrence(**values), by="township").then(NotYourRole)
    late = values | {"occurred_at": START + timedelta(minutes=30)}
    county.when(CorrectOccurrence(**late), by="village").then(HappenedAfterReport)
    county.when(CorrectOccurrence(**values | {"hazard": "x"}), by="village").then(Malformed)


def test_a_sub_kind_of_another_kind_is_refused_at_its_own_field(county: Scenario) -> None:
    county.given(initial(county), by="village")
    other = CorrectOccurrence(
        report=county.id("report/yuantan_1"),
        occurred_at=START - timedelta(minutes=30),
        hazard="landslide",
        sub_hazard="flash_flood",
        reason="现场核实",
    )
    refusal = county.when(other, by="village").then(Malformed)
    assert refusal.field == "sub_hazard" and "亚灾种" in refusal.sentence("zh")


def test_of_two_corrections_at_once_the_second_does_not_undo_the_first(county: Scenario) -> None:
    """It files no version, so that the number alone does not tell that somebody corrected it."""
    county.given(initial(county), by="village")
    seen = loaded(county)
    told = {"seen_occurred_at": seen.occurred_at, "seen_hazard": seen.hazard}
    one = CorrectOccurrence(
        report=seen.id,
        occurred_at=seen.occurred_at,
        hazard="landslide",
        reason="现场核实为滑坡",
        expected_version=1,
        **told,
    )
    earlier = seen.occurred_at - timedelta(minutes=30)
    other = replace(one, hazard=seen.hazard, occurred_at=earlier, reason="时间记错")
    county.when(replace(one, expected_version=2), by="village").then(ChangedMeanwhile)
    county.given(one, by="village")
    assert county.when(other, by="village").then(MovedOn).status == 412
    county.given(replace(other, hazard="landslide", seen_hazard="landslide"), by="village")
    assert (loaded(county).hazard, loaded(county).occurred_at) == ("landslide", earlier)
