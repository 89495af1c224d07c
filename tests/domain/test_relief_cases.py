from datetime import date

import pytest

from domain.commands.contests import MergeHouseholds
from domain.commands.households import RecordDeath
from domain.commands.payments import GrantInput, PayList
from domain.commands.relief_cases import (
    ApplyVillage,
    CorrectApplication,
    NeedInput,
    ReopenCase,
)
from domain.commands.seasons import ChangeSeasonStandard
from domain.commands.village_lists import (
    AppraiseList,
    MinutesInput,
    OpenVillageList,
    ReviewList,
    VerdictInput,
)
from domain.grants import (
    GrantStatus,
    OverStandard,
)
from domain.household import HouseholdMerged
from domain.need import (
    DuplicateApplication,
    NotForThisKind,
    PersonsExceedHousehold,
)
from domain.refusal import Malformed, NotFound, NotYourRole
from domain.relief_case import Stage, WrongStage
from domain.separation import SamePersonTwice
from domain.village_list import VillageList
from domain.world import Role
from tests.domain.county import appointment
from tests.domain.ledger import (
    HASH,
    Ledger,
    application,
    family,
    id_number,
)
from tests.domain.test_seasons import adopt


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
    county.when(correction(3), by="village").then(WrongStage)
    county.when(correction(1), by="township").then("ReliefCase.Corrected")
    assert ledger.load_case("a").need.persons == 1


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
