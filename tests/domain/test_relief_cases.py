from dataclasses import replace
from datetime import date

import pytest

from domain.case_checks import OnlyLess, Stage, WrongStage
from domain.commands.contests import MergeHouseholds
from domain.commands.households import RecordDeath
from domain.commands.logins import InviteOfficer, RecordPassword
from domain.commands.notices import PostNotice
from domain.commands.officers import OpenAccount, ReinstateOfficer, SuspendOfficer
from domain.commands.payments import GrantInput, PayList
from domain.commands.relief_cases import (
    ApplyOnBehalf,
    ApplyVillage,
    CorrectApplication,
    NeedInput,
    ReopenCase,
    VillageInPost,
)
from domain.commands.seasons import ChangeSeasonStandard
from domain.commands.village_lists import (
    AppraiseList,
    MinutesInput,
    OpenVillageList,
    ReturnList,
    ReviewList,
    VerdictInput,
)
from domain.grants import (
    GrantStatus,
    OverStandard,
)
from domain.household import HouseholdMerged
from domain.login_name import PasswordWay
from domain.need import (
    DuplicateApplication,
    NotForThisKind,
    PersonsExceedHousehold,
)
from domain.refusal import Malformed, NotFound, NotYourRole, Refusal
from domain.relief_case import ReliefCase
from domain.separation import SamePersonTwice
from domain.village_list import VillageList
from domain.world import Role
from tests.domain.county import appointment
from tests.domain.ledger import HASH, Ledger, application, family
from tests.domain.test_seasons import adopt
from tests.id_numbers import id_number


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def test_a_household_applies_with_its_need(ledger: Ledger) -> None:
    county = ledger.scenario
    (applied,) = county.when(
        application(ledger, "a", note="老人患病", nominated=True), by="village"
    ).then("ReliefCase.Applied")
    assert applied.need.persons == 1 and applied.need.rate == "living"
    assert applied.hands
    logged = county.streams[ledger.case("a")][0][1].decode()
    assert "患病" not in logged
    case = ledger.load_case("a")
    assert case.home == county.id("yuantan_1") and case.stage is Stage.APPLIED


def test_a_household_applies_once_a_season(ledger: Ledger) -> None:
    county = ledger.scenario
    county.given(application(ledger, "a"), by="village")
    again = county.when(application(ledger, "a"), by="village_b").then(DuplicateApplication)
    assert again.case == ledger.case("a")
    county.when(application(ledger, "b"), by="township").then(NotYourRole)
    county.when(application(ledger, "b"), by="village2").then(NotFound)


def test_no_more_persons_than_there_are_and_the_dead_do_not_count(ledger: Ledger) -> None:
    county = ledger.scenario
    four = application(ledger, "a", need=NeedInput(persons=4))
    assert county.when(four, by="village").then(PersonsExceedHousehold).size == 3
    die = RecordDeath(
        household=county.id("a"),
        person=county.vault.tokens[id_number(2)],
        on=date(2017, 11, 1),
        reason="病故",
    )
    county.given(die, by="village")
    three = application(ledger, "a", need=NeedInput(persons=3))
    assert county.when(three, by="village").then(PersonsExceedHousehold).size == 2


@pytest.mark.parametrize(
    ("field", "need"),
    [
        ("persons", NeedInput(persons=0)),
        ("days", NeedInput(persons=1, days=0)),
        ("count", NeedInput(persons=1, count=-1)),
        ("rate", NeedInput(persons=1, rate="golden")),
    ],
)
def test_an_impossible_need_is_refused(ledger: Ledger, field: str, need: NeedInput) -> None:
    refusal = ledger.scenario.when(application(ledger, "a", need=need), by="village")
    assert refusal.then(Malformed).field == field


def test_an_application_from_the_future_is_refused(ledger: Ledger) -> None:
    future = application(ledger, "a", applied_on=date(2018, 1, 1))
    assert ledger.scenario.when(future, by="village").then(Malformed).field == "applied_on"


def test_a_merged_household_applies_no_more(ledger: Ledger) -> None:
    county = ledger.scenario
    county.given(
        MergeHouseholds(household=county.id("b"), into=county.id("a"), reason="重复"),
        by="township",
    )
    county.when(application(ledger, "b"), by="village").then(HouseholdMerged)


def test_a_programme_may_be_for_certain_kinds_of_household_only(ledger: Ledger) -> None:
    county = ledger.scenario
    county.given(adopt(county, {"kinds": ["disabled"]}))
    county.given(ChangeSeasonStandard(season=ledger.season, reason="新标准"), by="county")
    refusal = county.when(application(ledger, "a"), by="village").then(NotForThisKind)
    assert refusal.category == "hardship"


def test_a_village_applies_in_one_commit_or_not_at_all(ledger: Ledger) -> None:
    county = ledger.scenario
    twice = ApplyVillage(
        season=ledger.season,
        village=county.id("yuantan_1"),
        applications=(ledger.application("a"), ledger.application("a")),
    )
    county.when(twice, by="village").then(DuplicateApplication)
    elsewhere = ApplyVillage(
        season=ledger.season,
        village=county.id("yuantan_2"),
        applications=(ledger.application("a"),),
    )
    county.when(elsewhere, by="village2").then(NotFound)


def test_an_application_is_corrected_with_a_reason_and_later_only_downwards(
    ledger: Ledger,
) -> None:
    county = ledger.until("listed").scenario

    def correction(persons: int, reason: str = "核实") -> CorrectApplication:
        need = NeedInput(persons=persons)
        return CorrectApplication(case=ledger.case("a"), need=need, reason=reason)

    county.when(correction(2, reason=""), by="village").then(Malformed)
    county.when(correction(9), by="village").then(PersonsExceedHousehold)
    county.when(correction(2), by="village").then("ReliefCase.Corrected")
    ledger._posted()
    ledger._reviewed()
    county.when(correction(3), by="village").then(OnlyLess)
    county.when(correction(1), by="township").then("ReliefCase.Corrected")
    assert ledger.load_case("a").need.persons == 1


@pytest.mark.parametrize("stage", ["reviewed", "approved"])
@pytest.mark.parametrize("more", [{"days": 3}, {"count": 3}])
def test_after_the_review_neither_days_nor_rooms_or_deaths_grow(
    ledger: Ledger, stage: str, more: dict[str, int]
) -> None:
    """They set the amount as persons do: an approved application was raised by them."""
    county = ledger.until("listed").scenario

    def correction(**values: int) -> CorrectApplication:
        need = NeedInput(persons=1, **values)
        return CorrectApplication(case=ledger.case("a"), need=need, reason="核实")

    county.given(correction(days=2, count=2), by="village")
    ledger._posted()
    ledger._reviewed()
    if stage == "approved":
        ledger._approved()
    refused = county.when(correction(**({"days": 2, "count": 2} | more)), by="village")
    told = refused.then(OnlyLess)
    assert (told.days, told.count) == (2, 2)
    county.when(correction(days=1, count=1), by="village").then("ReliefCase.Corrected")


def test_a_reviewer_does_not_correct_as_the_village(ledger: Ledger) -> None:
    county = ledger.until("reviewed").scenario
    county.given(appointment(county, "township", Role.VILLAGE_REPORTER, "yuantan_1", nth="/v"))
    need = NeedInput(persons=1)
    correct = CorrectApplication(case=ledger.case("a"), need=need, reason="核实")
    county.when(correct, by="township").then(SamePersonTwice)


def test_who_acted_on_one_case_alone_takes_no_other_step_for_its_list(ledger: Ledger) -> None:
    county = ledger.apply().scenario
    county.given(family(county, "d", 70, 1), by="village")
    county.given(application(ledger, "d"), by="village_b")
    county.given(ledger.appraisal(a=True, b=True, c=True, d=True), by="village")
    ledger._posted()
    county.given(
        appointment(county, "village_b", Role.TOWNSHIP_REVIEWER, "yuantan", nth="/t"),
        appointment(county, "village_b", Role.COUNTY_PAYER, "county", nth="/p"),
    )
    review = ReviewList(village_list=ledger.list)
    refusal = county.when(review, by="village_b").then(SamePersonTwice)
    assert (refusal.matter, refusal.other) == (ledger.case("d"), "report")
    ledger._reviewed()
    ledger._approved()
    ledger._allocated()
    ledger._posted_again()
    ledger._payable()
    pay = PayList(village_list=ledger.list, document_no="支1号")
    county.when(pay, by="village_b").then(SamePersonTwice)
    county.when(pay, by="payer")
    assert county.result["payments"] == 3, "household d was granted nothing"


def test_a_closed_case_is_reopened_for_a_further_round(ledger: Ledger) -> None:
    county = ledger.until("closed").scenario
    reopen = ReopenCase(case=ledger.case("c"), reason="春荒仍有困难")
    county.when(ReopenCase(case=ledger.case("c"), reason=""), by="township").then(Malformed)
    county.when(reopen, by="township").then("ReliefCase.Reopened")
    county.when(reopen, by="township").then(WrongStage)
    county.given(
        OpenVillageList(season=ledger.season, village=county.id("yuantan_1"), round=2),
        by="village",
    )
    minutes = MinutesInput(held_on=date(2017, 11, 2), attendees=9, document_sha256=HASH)
    ledger.list = VillageList.id_of(ledger.season, county.id("yuantan_1"), 2)
    draw = AppraiseList(
        village_list=ledger.list,
        verdicts=(VerdictInput(case=ledger.case("c")),),
        minutes=minutes,
    )
    county.given(draw, by="village")
    ledger._posted()
    ledger._reviewed()
    ledger._approved()
    over = ledger.allocation(GrantInput(case=ledger.case("c"), cash_fen=16_501))
    county.when(over, by="county").then(OverStandard)
    more = ledger.allocation(GrantInput(case=ledger.case("c"), cash_fen=16_500))
    county.given(more, by="county")
    ledger._posted_again()
    ledger._payable()
    ledger._paid()
    ledger._closed()
    case = ledger.load_case("c")
    assert case.stage is Stage.CLOSED
    assert list(case.status.values()) == [GrantStatus.PAID, GrantStatus.PAID]


def test_the_township_takes_applications_where_nobody_is_in_post_and_then_another_reviews() -> None:
    """A village whose reporters had both gone could apply for nobody."""
    ledger = Ledger()
    s = ledger.scenario
    applications = tuple(ledger.application(name) for name in ledger.SIZES)
    taken = ApplyOnBehalf(
        season=ledger.season, village=s.id("yuantan_1"), applications=applications
    )
    refused = s.when(taken, by="township").then(VillageInPost)
    assert refused.officer in (s.officers["village"], s.officers["village_b"])
    away = {"reason": "停职检查"}
    s.given(SuspendOfficer(officer=s.officers["village"], **away), by="admin")
    assert s.when(taken, by="township").then(VillageInPost).officer == s.officers["village_b"]
    s.given(SuspendOfficer(officer=s.officers["village_b"], **away), by="admin")
    s.when(taken, by="village2").then(NotFound)
    s.when(taken, by="township2").then(NotFound)
    s.when(taken, by="county").then(NotYourRole)
    facts = s.when(taken, by="township").then(*["ReliefCase.Applied"] * 3)
    assert all(fact.on_behalf and fact.village == s.id("yuantan_1") for fact in facts)
    assert {fact.meta.actor for fact in facts} == {s.officers["township"]}

    back = ReinstateOfficer(officer=s.officers["village"], reason="复职")
    s.given(back, by="admin")
    opened = OpenVillageList(season=ledger.season, village=s.id("yuantan_1"))
    s.given(opened, ledger.appraisal(), PostNotice(village_list=ledger.list), by="village")
    s.wait(days=8)
    review = ReviewList(village_list=ledger.list)
    back_to_village = ReturnList(village_list=ledger.list, reason="重新评议")
    for step in (review, back_to_village):
        closed = s.closed(step, by="township")
        assert isinstance(closed, SamePersonTwice), "told before the button is pressed"
        assert s.closed(step, by="township_b") is None
        twice = s.when(step, by="township").then(SamePersonTwice)
        assert (twice.other, twice.step) == (closed.other, closed.step) == ("report", "review")
    s.when(review, by="township_b")
    assert not isinstance(s.outcome, Refusal), s.outcome


def test_who_was_invited_and_never_came_reports_for_no_village() -> None:
    """A reporter who had never logged in barred the township, and the village applied for nobody
    (decision 0076)."""
    ledger = Ledger()
    s = ledger.scenario
    taken = ApplyOnBehalf(
        season=ledger.season,
        village=s.id("yuantan_1"),
        applications=(ledger.application("a"),),
    )
    gone = SuspendOfficer(officer=s.officers["village_b"], reason="停职检查")
    s.given(gone, by="admin")
    officer, login = s.officers["village"], "yuantan-1"
    s.given(OpenAccount(officer=officer, login=login), by="admin")
    assert s.when(taken, by="township").then(VillageInPost).officer == officer
    s.given(InviteOfficer(officer=officer, login=login), by="admin")
    s.wait(days=30)  # the code of the invitation is over too
    other = replace(taken, applications=(ledger.application("b"),))
    s.when(taken, by="township").then("ReliefCase.Applied")
    came = RecordPassword(officer=officer, login=login, way=PasswordWay.KEEPER)
    s.given(came)
    assert s.when(other, by="township").then(VillageInPost).officer == officer


def test_applications_of_the_village_itself_say_so() -> None:
    ledger = Ledger().apply()
    applied = [one for one in ledger.scenario.facts if isinstance(one, ReliefCase.Applied)]
    assert applied and not any(one.on_behalf for one in applied)
