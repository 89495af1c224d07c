"""Situation reports: review, stability, the verified report, adjudication."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.commands.officers import SuspendOfficer
from domain.commands.relief_cases import VillageInPost
from domain.commands.reports import (
    ExplainJump,
    FileVerifiedOnBehalf,
    FileVerifiedReport,
    PhoneInFollowUp,
    ResubmitReport,
)
from domain.commands.reviews import (
    AdjudicateReport,
    ResumeFollowUps,
    ReturnReport,
)
from domain.commands.rosters import RecordCasualty
from domain.refusal import ChangedMeanwhile, Malformed, NotFound, NotYourRole
from domain.report_filing import Review
from domain.report_refusals import (
    AdjudicationBreaksRules,
    AlreadyReviewed,
    AlreadyStable,
    CorrectionNeedsReason,
    DutyRuns,
    JumpNeedsReason,
    NothingReturned,
    NotStableYet,
    ReturnedFiguresRepeated,
    RosterMismatch,
    VerifiedReportHasErrors,
)
from domain.separation import SamePersonTwice
from domain.world import Role
from tests.domain.county import appointment, make_county
from tests.domain.reporting import (
    BROKEN,
    RIGHT,
    accept,
    follow_up,
    initial,
    loaded,
    phoned,
    send_back,
    stabilize,
    verified,
    zero,
)
from tests.domain.scenario import Scenario


@pytest.fixture
def county() -> Scenario:
    return make_county()


# -- review ---------------------------------------------------------------------------------


def test_acceptance_starts_the_clock_of_the_level_above(county: Scenario) -> None:
    county.given(initial(county, "county"), by="county").wait(hours=3)
    county.when(accept(county, area="county"), by="city")
    (fact,) = county.then("SituationReport.Accepted")
    assert fact.forward_due_at == county.now + timedelta(hours=2)
    assert loaded(county, "county").review is Review.ACCEPTED
    county.given(follow_up(county, area="county"), by="county")
    county.when(accept(county, 2, "county"), by="city")
    (fact,) = county.then("SituationReport.Accepted")
    assert fact.forward_due_at is None


def test_a_township_passes_a_report_on_by_accepting_it(county: Scenario) -> None:
    county.given(initial(county), by="village")
    (fact,) = county.when(accept(county), by="township").then("SituationReport.Accepted")
    assert fact.forward_due_at is None
    county.given(initial(county, "yuantan"), by="township")
    county.when(accept(county, area="yuantan"), by="county")
    (fact,) = county.then("SituationReport.Accepted")
    assert fact.forward_due_at is not None, "a county reports upwards"


def test_a_version_is_reviewed_once(county: Scenario) -> None:
    county.given(initial(county), by="village").given(accept(county), by="township")
    county.when(accept(county), by="township").then(AlreadyReviewed)
    county.when(send_back(county), by="township").then(AlreadyReviewed)


def test_only_the_version_that_was_seen_is_reviewed(county: Scenario) -> None:
    county.given(initial(county), follow_up(county), by="village")
    assert county.when(accept(county), by="township").then(ChangedMeanwhile).version == 2
    county.when(send_back(county), by="township").then(ChangedMeanwhile)


def test_only_the_level_directly_above_reviews(county: Scenario) -> None:
    county.given(initial(county), by="village")
    county.given(initial(county, "yuantan"), by="township")
    county.given(initial(county, "county"), by="county")
    county.given(initial(county, "city"), by="city")
    county.when(accept(county), by="county").then(NotYourRole)
    county.when(accept(county), by="village2").then(NotFound)
    county.when(accept(county), by="township2").then(NotFound)
    county.when(accept(county, area="yuantan"), by="township").then(NotFound)
    county.when(accept(county, area="yuantan"), by="county").then("SituationReport.Accepted")
    county.when(accept(county, area="county"), by="county2").then(NotFound)
    county.when(accept(county, area="city"), by="province").then("SituationReport.Accepted")


def test_nobody_reviews_their_own_report(county: Scenario) -> None:
    county.given(phoned(county, caller=None), by="township")
    county.when(accept(county), by="township").then(SamePersonTwice)
    county.when(send_back(county), by="township").then(SamePersonTwice)
    county.when(accept(county), by="township_b").then("SituationReport.Accepted")


def test_whoever_reviewed_can_still_phone_in_deaths(county: Scenario) -> None:
    county.given(initial(county, "yuantan"), by="township")
    county.given(accept(county, area="yuantan"), by="county")
    call = follow_up(
        county, PhoneInFollowUp, area="yuantan", called_at=county.now, figures={"dead": 2}
    )
    county.when(call, by="county").then("SituationReport.FollowedUp")
    county.when(accept(county, 2, "yuantan"), by="county").then(SamePersonTwice)


def test_whoever_reviewed_does_not_file_the_verified_report(county: Scenario) -> None:
    county.given(initial(county, "yuantan"), by="township")
    county.given(accept(county, area="yuantan"), stabilize(county, "yuantan"), by="county")
    county.given(appointment(county, "county", Role.TOWNSHIP_REVIEWER, "yuantan", nth="2"))
    command = follow_up(county, FileVerifiedReport, area="yuantan")
    county.when(command, by="county").then(SamePersonTwice)
    county.when(command, by="township").then("SituationReport.Verified")


def test_a_returned_version_is_corrected_and_sent_again(county: Scenario) -> None:
    county.given(initial(county, figures=BROKEN), by="village")
    county.when(follow_up(county, ResubmitReport), by="village").then(NothingReturned)
    county.when(send_back(county), by="township").then("SituationReport.Returned")
    county.when(zero(county), by="village").then(ReturnedFiguresRepeated)
    county.when(follow_up(county, ResubmitReport), by="village")
    (fact,) = county.then("SituationReport.Resubmitted")
    assert (fact.filed.number, fact.filed.kind, fact.filed.flags) == (2, "initial", ())
    county.when(accept(county, 2), by="township").then("SituationReport.Accepted")


def test_a_returned_typing_error_is_no_jump(county: Scenario) -> None:
    county.given(initial(county, figures={"affected": 90000}), by="village")
    county.given(send_back(county), by="township")
    county.given(follow_up(county, ResubmitReport, figures={"affected": 90}), by="village")
    assert county.result["needs_reason"] == []


def test_a_returned_zero_report_comes_again_as_a_follow_up(county: Scenario) -> None:
    county.given(initial(county), zero(county), by="village")
    county.given(send_back(county, 2), by="township")
    county.given(follow_up(county, ResubmitReport), by="village")
    assert loaded(county).current.kind == "follow_up"


def test_a_return_needs_a_reason(county: Scenario) -> None:
    county.given(initial(county), by="village")
    command = ReturnReport(report=county.id("report/yuantan_1"), version=1, reason=" ")
    county.when(command, by="township").then(Malformed)


# -- stable, verified -----------------------------------------------------------------------


def test_stability_ends_the_duty_and_starts_the_clock_of_the_verified_report(
    county: Scenario,
) -> None:
    county.given(initial(county), by="village")
    county.when(follow_up(county, FileVerifiedReport), by="village").then(NotStableYet)
    county.when(stabilize(county), by="township").then(NotYourRole)
    county.when(stabilize(county), by="county")
    (fact,) = county.then("SituationReport.FollowUpDutyEnded")
    assert fact.verified_due_at == datetime(2018, 7, 6, 16, tzinfo=UTC)  # two working days
    county.when(stabilize(county), by="county").then(AlreadyStable)
    county.wait(days=4)
    county.given(follow_up(county, FileVerifiedReport), by="village")
    assert loaded(county).current.late_minutes > 0


def test_a_situation_that_was_not_stable_after_all_is_followed_up_again(county: Scenario) -> None:
    county.given(initial(county), by="village")
    resume = ResumeFollowUps(report=county.id("report/yuantan_1"))
    county.when(resume, by="county").then(DutyRuns)
    county.given(stabilize(county), by="county")
    county.when(resume, by="county").then("SituationReport.FollowUpDutyStarted")
    county.when(follow_up(county, FileVerifiedReport), by="village").then(NotStableYet)


def test_a_verified_report_with_an_error_is_filed_but_not_accepted(county: Scenario) -> None:
    figures = BROKEN | {"relocated_current": 9, "relocated_cumulative": 4}
    verified(county, figures=figures)
    refusal = county.when(accept(county, 2), by="township").then(VerifiedReportHasErrors)
    assert len(refusal.rules) >= 2
    county.given(send_back(county, 2), by="township")
    county.given(follow_up(county, ResubmitReport), by="village")
    county.when(accept(county, 3), by="township").then("SituationReport.Accepted")
    assert loaded(county).is_verified


def test_a_verified_report_that_jumped_needs_the_reason_first(county: Scenario) -> None:
    verified(county, figures=RIGHT | {"affected": 5000})
    refusal = county.when(accept(county, 2), by="township").then(JumpNeedsReason)
    assert refusal.indicators == ("affected",)
    explain = ExplainJump(report=county.id("report/yuantan_1"), version=2, reason="逐户核查")
    county.given(explain, by="village")
    county.when(accept(county, 2), by="township").then("SituationReport.Accepted")


def test_a_verified_report_must_equal_its_rosters(county: Scenario) -> None:
    verified(county, figures=RIGHT | {"dead": 1})
    refusal = county.when(accept(county, 2), by="township").then(RosterMismatch)
    assert refusal.indicators == ("dead",)
    casualty = RecordCasualty(
        record=county.id("casualty"),
        report=county.id("report/yuantan_1"),
        area=county.id("yuantan_1"),
        fate="dead",
        full_name="王小明",
    )
    county.given(casualty, by="village")
    county.when(accept(county, 2), by="township").then("SituationReport.Accepted")


def test_an_accepted_verified_report_is_corrected_only_with_a_reason(county: Scenario) -> None:
    verified(county).given(accept(county, 2), by="township")
    again = follow_up(county, FileVerifiedReport)
    county.when(again, by="village").then(CorrectionNeedsReason)
    again = follow_up(county, FileVerifiedReport, reason="复核发现重复统计")
    county.when(again, by="village").then("SituationReport.Verified")


def test_a_follow_up_after_the_verified_report_opens_it_again(county: Scenario) -> None:
    verified(county).given(accept(county, 2), by="township")
    county.when(follow_up(county, figures={"dead": 1}), by="village")
    fact, _ = county.then("SituationReport.FollowedUp", "SituationReport.FollowUpDutyStarted")
    assert fact.filed.after_verified
    assert not loaded(county).is_verified


def test_new_harm_after_follow_ups_were_resumed_is_never_refused(county: Scenario) -> None:
    verified(county).given(accept(county, 2), by="township")
    county.given(ResumeFollowUps(report=county.id("report/yuantan_1")), by="county")
    county.when(follow_up(county, figures={"dead": 1}), by="village")
    county.then("SituationReport.FollowedUp")
    assert loaded(county).duty is not None


# -- adjudication ---------------------------------------------------------------------------


def adjudicate(county: Scenario, **change: Any) -> AdjudicateReport:
    values: dict[str, Any] = {
        "report": county.id("report/yuantan_1"),
        "version": 1,
        "figures": {"affected": 8},
        "document_no": "潜减办〔2018〕7号",
        "reason": "会商核定",
    }
    return AdjudicateReport(**(values | change))


def test_adjudicated_figures_are_a_fact_of_their_own(county: Scenario) -> None:
    county.given(initial(county), by="village")
    county.when(adjudicate(county), by="township")
    (fact,) = county.then("SituationReport.Adjudicated")
    assert fact.figures == {"affected": Decimal(8)}
    assert loaded(county).current.figures["affected"] == Decimal(10)


def test_adjudication_is_done_by_somebody_else_above_and_adds_up(county: Scenario) -> None:
    county.given(initial(county), by="village").given(accept(county), by="township")
    county.when(adjudicate(county), by="township").then(SamePersonTwice)
    county.when(adjudicate(county), by="county").then(NotYourRole)
    broken = adjudicate(county, figures={"severely_injured": 7})
    county.when(broken, by="township_b").then(AdjudicationBreaksRules)
    county.when(adjudicate(county, figures={}), by="township_b").then(Malformed)
    county.when(adjudicate(county, document_no=""), by="township_b").then(Malformed)
    county.when(adjudicate(county, version=3), by="township_b").then(ChangedMeanwhile)
    county.when(adjudicate(county), by="township_b").then("SituationReport.Adjudicated")


def test_the_township_files_the_verified_report_where_nobody_is_in_post_and_another_reviews(
    county: Scenario,
) -> None:
    """Whose reporters had both gone owed a verified report that nobody could file."""
    county.given(initial(county), by="village").given(stabilize(county), by="county")
    village = county.id("yuantan_1")
    own = follow_up(county, FileVerifiedReport)
    taken = FileVerifiedOnBehalf(
        report=own.report, village=village, as_of=own.as_of, figures=own.figures
    )
    assert county.when(taken, by="township").then(VillageInPost).village == village
    for name in ("village", "village_b"):
        gone = SuspendOfficer(officer=county.officers[name], reason="停职检查")
        county.given(gone, by="admin")
    county.when(own, by="township").then(NotYourRole)
    elsewhere = replace(taken, village=county.id("yuantan_2"))
    county.when(elsewhere, by="township").then(NotFound)
    county.when(taken, by="township2").then(NotFound)
    county.when(taken, by="county").then(NotYourRole)
    stale = replace(taken, expected_version=7)
    county.when(stale, by="township").then(ChangedMeanwhile)
    county.given(taken, by="township")
    accept_it = accept(county, version=2)
    county.when(accept_it, by="township").then(SamePersonTwice)
    county.given(accept_it, by="township_b")
