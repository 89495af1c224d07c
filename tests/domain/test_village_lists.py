from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from domain.case_checks import NoReasonGiven, OnAnotherList, Stage, WrongStage
from domain.commands.notices import PostNotice, PostSecondNotice, WithdrawNotice
from domain.commands.relief_cases import ApplyForRelief, NeedInput
from domain.commands.village_lists import (
    AppraiseList,
    ApproveList,
    CloseList,
    MinutesInput,
    OpenVillageList,
    ReturnList,
    ReviewList,
    StrikeInput,
    VerdictInput,
)
from domain.grants import GrantsOpen, NothingGranted
from domain.notice import (
    NoObjectionOpen,
    NoSuchObjection,
    Notice,
    NoticeNotPosted,
    NoticeRunning,
    NoticeStands,
    ObjectionKind,
    ObjectionRepeated,
    ObjectionsOpen,
)
from domain.refusal import AlreadyExists, Malformed, NotFound, NotYourRole
from domain.roster import EmptyList, ListStage, MinutesMissing, NotOnList, WrongListStage
from domain.separation import SamePersonTwice
from domain.village_list import VillageList
from domain.world import Role
from tests.domain.county import appointment
from tests.domain.ledger import (
    HASH,
    Ledger,
    family,
    late_applicant,
    objection,
    settling,
)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def test_a_list_is_opened_once_a_round_in_a_village(ledger: Ledger) -> None:
    county = ledger.scenario
    first = OpenVillageList(season=ledger.season, village=county.id("yuantan_1"))
    county.when(first, by="village").then("Season.ListOpened", "VillageList.Opened")
    county.when(first, by="village").then(AlreadyExists)
    county.when(first, by="village2").then(NotFound)
    town = OpenVillageList(season=ledger.season, village=county.id("yuantan"))
    county.when(town, by="township").then(Malformed)
    zero = OpenVillageList(season=ledger.season, village=county.id("yuantan_1"), round=0)
    county.when(zero, by="village").then(Malformed)


def test_the_appraisal_lists_some_and_refuses_others_with_a_reason(ledger: Ledger) -> None:
    county = ledger.until("applied").scenario
    county.when(ledger.appraisal(a=True, b=False), by="village").then(
        "VillageList.MinutesRecorded",
        "VillageList.CasesListed",
        "ReliefCase.Appraised",
        "ReliefCase.Listed",
        "ReliefCase.Refused",
    )
    assert list(ledger.load_list().cases) == [ledger.case("a")]
    assert ledger.load_case("b").stage is Stage.REFUSED
    silent = AppraiseList(
        village_list=ledger.list,
        verdicts=(VerdictInput(case=ledger.case("c"), accepted=False),),
    )
    refused = county.when(silent, by="village").then(NoReasonGiven)
    assert refused.household == ledger.load_case("c").household


def test_no_list_without_the_minutes_of_a_meeting(ledger: Ledger) -> None:
    county = ledger.until("applied").scenario
    verdicts = (VerdictInput(case=ledger.case("a")),)
    without = AppraiseList(village_list=ledger.list, verdicts=verdicts)
    county.when(without, by="village").then(MinutesMissing)
    for field, change in (
        ("minutes.held_on", {"held_on": date(2017, 12, 1)}),
        ("minutes.attendees", {"attendees": 0}),
        ("minutes.document_sha256", {"document_sha256": "paper"}),
    ):
        good: dict[str, Any] = {
            "held_on": date(2017, 11, 1),
            "attendees": 9,
            "document_sha256": HASH,
        }
        minutes = MinutesInput(**(good | change))
        bad = AppraiseList(village_list=ledger.list, verdicts=verdicts, minutes=minutes)
        refusal = county.when(bad, by="village").then(Malformed)
        assert refusal.field.endswith(field.split(".")[1]) or refusal.field == field


def test_a_case_stands_on_one_list_only(ledger: Ledger) -> None:
    county = ledger.until("listed").scenario
    county.given(
        OpenVillageList(season=ledger.season, village=county.id("yuantan_1"), round=2),
        by="village",
    )
    second = VillageList.id_of(ledger.season, county.id("yuantan_1"), 2)
    minutes = MinutesInput(held_on=date(2017, 11, 2), attendees=9, document_sha256=HASH)
    again = AppraiseList(
        village_list=second,
        verdicts=(VerdictInput(case=ledger.case("a")),),
        minutes=minutes,
    )
    assert county.when(again, by="village").then(OnAnotherList).village_list == ledger.list


def test_a_case_of_another_village_is_not_found_on_this_list(ledger: Ledger) -> None:
    county = ledger.until("applied").scenario
    village2 = county.id("yuantan_2")
    county.given(OpenVillageList(season=ledger.season, village=village2), by="village2")
    other = AppraiseList(
        village_list=VillageList.id_of(ledger.season, village2, 1),
        verdicts=(VerdictInput(case=ledger.case("a")),),
    )
    county.when(other, by="village2").then(NotFound)


def test_the_first_notice_runs_its_days_by_the_server_s_clock(ledger: Ledger) -> None:
    county = ledger.until("listed").scenario
    (posted,) = county.when(
        PostNotice(village_list=ledger.list, photo_sha256=HASH), by="village"
    ).then("VillageList.Posted")
    assert (posted.ends_at - posted.posted_at).days == 7
    review = ReviewList(village_list=ledger.list)
    county.wait(days=6, hours=23)
    assert county.when(review, by="township").then(NoticeRunning).ends_at == posted.ends_at
    county.wait(hours=1)
    county.when(review, by="township").then("VillageList.Reviewed", *["ReliefCase.Reviewed"] * 3)


def test_a_notice_does_not_end_by_a_clock_that_is_held(ledger: Ledger) -> None:
    """F3: seven days are seven days that counted."""
    county = ledger.until("listed").scenario
    post = PostNotice(village_list=ledger.list, photo_sha256=HASH)
    county.given(post, by="village").wait(days=6)
    review = ReviewList(village_list=ledger.list)
    county.leap(days=400).when(review, by="township").then(NoticeRunning)
    county.wait(hours=23).when(review, by="township").then(NoticeRunning)
    county.clock_held = True
    county.wait(days=400).when(review, by="township").then(NoticeRunning)
    county.clock_held = False
    county.when(review, by="township").then("VillageList.Reviewed", *["ReliefCase.Reviewed"] * 3)


def test_an_unposted_or_empty_list_goes_nowhere(ledger: Ledger) -> None:
    county = ledger.until("applied").scenario
    county.when(PostNotice(village_list=ledger.list), by="village").then(EmptyList)
    county.when(ReviewList(village_list=ledger.list), by="township").then(EmptyList)
    county.given(ledger.appraisal(), by="village")
    county.when(ReviewList(village_list=ledger.list), by="township").then(NoticeNotPosted)
    bad = PostNotice(village_list=ledger.list, photo_sha256="photo")
    county.when(bad, by="village").then(Malformed)


def test_a_changed_list_must_be_posted_again(ledger: Ledger) -> None:
    county = ledger.until("posted").scenario
    strike = AppraiseList(
        village_list=ledger.list,
        verdicts=(VerdictInput(case=ledger.case("c"), accepted=False, reason="已迁出"),),
    )
    county.given(strike, by="village")
    county.when(ReviewList(village_list=ledger.list), by="township").then(NoticeNotPosted)


def test_an_appraisal_that_changes_nothing_leaves_a_notice_as_it_is(ledger: Ledger) -> None:
    """One press on day 6 of 7, with everything ticked as it stood, threw the notice away."""
    county = ledger.until("listed").scenario
    county.given(PostNotice(village_list=ledger.list), by="village").wait(days=6)
    for verdicts in (ledger.appraisal().verdicts, ledger.appraisal(a=True).verdicts):
        same = AppraiseList(village_list=ledger.list, verdicts=verdicts)
        refusal = county.when(same, by="village").then(NoticeStands)
        assert "没有增减" in refusal.sentence("zh") and "stands" in refusal.sentence("en")
    county.when(ledger.appraisal(), by="village").then(NoticeStands)
    assert Notice.FIRST in ledger.load_list().notices
    county.given(WithdrawNotice(village_list=ledger.list, reason="更正"), by="village")
    county.given(ledger.appraisal(), by="village")


def test_a_notice_taken_down_early_does_not_count(ledger: Ledger) -> None:
    county = ledger.until("listed").scenario
    withdraw = WithdrawNotice(village_list=ledger.list, reason="暴雨损毁")
    county.when(withdraw, by="village").then(NoticeNotPosted)
    county.given(PostNotice(village_list=ledger.list), by="village").wait(days=3)
    (fact,) = county.when(withdraw, by="village").then("VillageList.Withdrawn")
    assert fact.early
    county.wait(days=9).when(ReviewList(village_list=ledger.list), by="township")
    county.then(NoticeNotPosted)
    county.given(PostNotice(village_list=ledger.list), by="village").wait(days=8)
    county.when(withdraw).then(NotYourRole)
    (fact,) = county.when(withdraw, by="township").then("VillageList.Withdrawn")
    assert not fact.early
    county.given(ReviewList(village_list=ledger.list), by="township")


def test_nothing_goes_on_over_an_open_objection(ledger: Ledger) -> None:
    county = ledger.until("posted").scenario
    county.when(objection(ledger), by="village").then("VillageList.ObjectionRaised")
    logged = county.streams[ledger.list][-1][1].decode()
    assert "小汽车" not in logged, "an objection's text is sealed"
    county.when(objection(ledger), by="village").then(ObjectionRepeated)
    county.when(ReviewList(village_list=ledger.list), by="township").then(ObjectionsOpen)
    county.when(settling(ledger), by="village").then(NotYourRole)
    other = replace(settling(ledger), objection=county.id("another"))
    county.when(other, by="township").then(NoSuchObjection)
    county.when(settling(ledger), by="township").then("VillageList.ObjectionSettled")
    county.when(settling(ledger), by="township").then(NoObjectionOpen)
    county.given(ReviewList(village_list=ledger.list), by="township")


def test_an_objection_before_the_county_decides_stops_the_county_too(ledger: Ledger) -> None:
    county = ledger.until("reviewed").scenario
    county.given(objection(ledger), by="auditor")
    approve = ApproveList(village_list=ledger.list, document_no="县定1号")
    assert county.when(approve, by="county").then(ObjectionsOpen).count == 1


def test_an_objection_needs_a_notice_to_object_to(ledger: Ledger) -> None:
    county = ledger.until("listed").scenario
    county.when(objection(ledger), by="village").then(NoticeNotPosted)
    county.given(PostNotice(village_list=ledger.list), by="village")
    assert county.when(objection(ledger, text=" "), by="village").then(Malformed).field == "text"


def test_an_upheld_objection_strikes_a_household(ledger: Ledger) -> None:
    county = ledger.until("posted").scenario
    county.given(objection(ledger), by="village")
    not_so = settling(ledger, strike=ledger.case("b"))
    county.when(not_so, by="township").then(Malformed)
    upheld = settling(ledger, upheld=True, strike=ledger.case("b"), reason="有车属实")
    county.when(upheld, by="township").then("VillageList.ObjectionSettled", "ReliefCase.Refused")
    assert ledger.case("b") not in ledger.load_list().cases
    county.given(ReviewList(village_list=ledger.list), by="township")


def test_why_am_i_not_on_it_adds_a_household_and_a_new_notice(ledger: Ledger) -> None:
    county = ledger.until("posted").scenario
    case = late_applicant(ledger)
    omitted = objection(ledger, kind=ObjectionKind.OMITTED, household=county.id("d"))
    county.given(omitted, by="village")
    upheld = settling(ledger, upheld=True, add=case, reason="漏评属实")
    county.when(upheld, by="township").then(
        "VillageList.ObjectionSettled", "ReliefCase.Appraised", "ReliefCase.Listed"
    )
    county.when(ReviewList(village_list=ledger.list), by="township").then(NoticeNotPosted)
    county.given(PostNotice(village_list=ledger.list), by="village").wait(days=7)
    county.given(ReviewList(village_list=ledger.list), by="township")
    assert ledger.load_case("d").stage is Stage.REVIEWED


def test_the_township_may_strike_single_cases(ledger: Ledger) -> None:
    county = ledger.until("posted").scenario
    struck = (StrikeInput(case=ledger.case("b"), reason="不在本村居住"),)
    review = ReviewList(village_list=ledger.list, struck=struck)
    county.when(review, by="township").then(
        "VillageList.Reviewed",
        "ReliefCase.Reviewed",
        "ReliefCase.Refused",
        "ReliefCase.Reviewed",
    )
    assert county.result == {"reviewed": 2, "struck": 1}


def test_a_case_is_struck_with_its_reason_and_the_household_without_one_is_named(
    ledger: Ledger,
) -> None:
    county = ledger.until("posted").scenario
    struck = (
        StrikeInput(case=ledger.case("a"), reason="不在本村居住"),
        StrikeInput(case=ledger.case("b"), reason=" "),
    )
    review = ReviewList(village_list=ledger.list, struck=struck)
    refused = county.when(review, by="township").then(NoReasonGiven)
    assert refused.household == ledger.load_case("b").household


def test_the_county_strikes_only_what_the_township_has_let_pass(ledger: Ledger) -> None:
    county = ledger.until("posted").scenario
    struck = (StrikeInput(case=ledger.case("b"), reason="不在本村居住"),)
    county.given(ReviewList(village_list=ledger.list, struck=struck), by="township")
    struck = (StrikeInput(case=ledger.case("b"), reason="试填"),)
    approve = ApproveList(village_list=ledger.list, document_no="县定1号", struck=struck)
    county.when(approve, by="county").then(NotOnList)


def test_a_returned_list_is_appraised_and_posted_again(ledger: Ledger) -> None:
    county = ledger.until("reviewed").scenario
    county.when(ReturnList(village_list=ledger.list, reason=""), by="county").then(Malformed)
    back = ReturnList(village_list=ledger.list, reason="佐证材料不齐")
    county.when(back, by="county").then("VillageList.Returned")
    county.when(ApproveList(village_list=ledger.list, document_no="1"), by="county").then(
        WrongListStage
    )
    ledger._listed()
    ledger._posted()
    ledger._reviewed()
    ledger._approved()
    assert ledger.load_list().stage is ListStage.APPROVED
    county.when(back, by="county").then(WrongListStage)


def test_the_county_decides_by_document_after_the_township(ledger: Ledger) -> None:
    county = ledger.until("posted").scenario
    approve = ApproveList(village_list=ledger.list, document_no="县定1号")
    county.when(approve, by="county").then(WrongListStage)
    ledger._reviewed()
    county.when(approve, by="township").then(NotYourRole)
    nameless = ApproveList(village_list=ledger.list, document_no=" ")
    county.when(nameless, by="county").then(Malformed)
    county.when(approve, by="county").then("VillageList.Approved", *["ReliefCase.Approved"] * 3)


@pytest.fixture
def everybody(ledger: Ledger) -> Iterator[Ledger]:
    """The reporter of the village also holds all the other posts. Bad practice, and legal."""
    county = ledger.scenario
    posts = (
        (Role.TOWNSHIP_REVIEWER, "yuantan", ("village",)),
        (Role.COUNTY_APPROVER, "county", ("village", "township")),
        (Role.COUNTY_PAYER, "county", ("village", "township", "county")),
    )
    for role, area, names in posts:
        for name in names:
            county.given(appointment(county, name, role, area, nth=f"/{role}"))
    yield ledger


def test_who_reported_does_not_review_who_reviewed_does_not_approve_nor_pay(
    everybody: Ledger,
) -> None:
    county = everybody.until("posted").scenario
    review = ReviewList(village_list=everybody.list)
    refusal = county.when(review, by="village").then(SamePersonTwice)
    assert (refusal.other, refusal.step) == ("report", "review")
    everybody._reviewed()
    approve = ApproveList(village_list=everybody.list, document_no="县定1号")
    for one in ("village", "township"):
        county.when(approve, by=one).then(SamePersonTwice)
    everybody._approved()
    for one in ("village", "township"):
        county.when(everybody.allocation(), by=one).then(SamePersonTwice)


def test_who_reported_one_case_alone_does_not_review_its_list(everybody: Ledger) -> None:
    county = everybody.scenario
    county.given(appointment(county, "township", Role.VILLAGE_REPORTER, "yuantan_1", nth="/v"))
    everybody.until("applied")
    county.given(family(county, "d", 70, 1), by="village")
    apply = ApplyForRelief(
        season=everybody.season,
        household=county.id("d"),
        need=NeedInput(persons=1),
        applied_on=date(2017, 11, 1),
    )
    county.given(apply, by="township")
    county.given(everybody.appraisal(a=True, d=True), by="village")
    everybody._posted()
    review = ReviewList(village_list=everybody.list)
    refusal = county.when(review, by="township").then(SamePersonTwice)
    assert refusal.matter == everybody.case("d")
    county.given(review, by="township_b")


def test_a_list_closes_when_all_is_delivered(ledger: Ledger) -> None:
    county = ledger.until("paid").scenario
    close = CloseList(village_list=ledger.list)
    waiting = county.when(close, by="county").then(GrantsOpen)
    assert (waiting.subject, waiting.count) == (ledger.list, 1)
    assert not waiting.cash and not waiting.unposted, "goods wait for a signature"
    ledger._signed()
    county.when(close, by="county").then(
        "VillageList.Closed", "Season.ListClosed", *["ReliefCase.Closed"] * 3
    )
    county.when(close, by="county").then(WrongListStage)


def test_what_waits_on_a_list_is_counted_over_all_its_households(ledger: Ledger) -> None:
    """It named the first household's alone: "1 grant" where three were waiting."""
    county = ledger.until("allocated").scenario
    close = CloseList(village_list=ledger.list)
    waiting = county.when(close, by="county").then(GrantsOpen)
    assert (waiting.subject, waiting.count) == (ledger.list, 4)
    assert waiting.cash == 3 and waiting.unposted, "the second notice is to be posted first"


def test_who_was_approved_and_granted_nothing_is_left_out_only_for_a_reason(ledger: Ledger) -> None:
    """One press closed an approved list for ever, before anything was allocated."""
    county = ledger.until("approved").scenario
    close = CloseList(village_list=ledger.list)
    assert county.when(close, by="county").then(NothingGranted).count == 3
    said = CloseList(village_list=ledger.list, reason="改由慈善救助")
    county.when(said, by="county").then(
        "VillageList.Closed", "Season.ListClosed", *["ReliefCase.Closed"] * 3
    )


def test_a_list_nobody_is_on_may_be_closed(ledger: Ledger) -> None:
    county = ledger.until("applied").scenario
    close = CloseList(village_list=ledger.list, reason="无需救助")
    county.when(close, by="county").then("VillageList.Closed", "Season.ListClosed")


def test_the_second_notice_comes_after_the_amounts(ledger: Ledger) -> None:
    county = ledger.until("approved").scenario
    second = PostSecondNotice(village_list=ledger.list)
    county.when(second, by="village").then(WrongListStage)
    ledger._allocated()
    (posted,) = county.when(second, by="village").then("VillageList.Posted")
    assert posted.notice is Notice.SECOND
    late = PostNotice(village_list=ledger.list)
    county.when(late, by="village").then(WrongListStage)


def test_a_case_that_was_refused_cannot_be_appraised_until_reopened(ledger: Ledger) -> None:
    county = ledger.until("applied").scenario
    county.given(ledger.appraisal(a=False, b=True), by="village")
    county.when(ledger.appraisal(a=True), by="village").then(WrongStage)
