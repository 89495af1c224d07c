from datetime import date
from typing import Any

import pytest

from domain.commands.contests import MergeHouseholds, ResolveContest
from domain.commands.grant_corrections import RecordPaymentFailure, RefundGrant, RetryPayment
from domain.commands.households import RecordCard, RecordDeath
from domain.commands.payments import (
    AllocateList,
    FailureInput,
    GoodsInput,
    GrantInput,
    PayList,
    SignatureInput,
    SignGoods,
)
from domain.commands.relief_cases import (
    ApplyForRelief,
    ApplyVillage,
    CorrectApplication,
    NeedInput,
    ReopenCase,
)
from domain.commands.seasons import ChangeSeasonStandard
from domain.commands.stock import ReceiveGoods
from domain.commands.village_lists import (
    AppraiseList,
    MinutesInput,
    OpenVillageList,
    PostSecondNotice,
    VerdictInput,
)
from domain.goods import StockExhausted
from domain.grants import (
    GrantsOpen,
    GrantStatus,
    ItemNotInProgramme,
    NoSuchGrant,
    NothingToGrant,
    OverAllowance,
    OverStandard,
    RefundExceeds,
    UnderStandard,
    WrongGrantStatus,
    grant_id,
)
from domain.household import HouseholdMerged, Relation
from domain.money import FundOverdrawn
from domain.need import (
    Cause,
    DuplicateApplication,
    NeedKind,
    NotForThisKind,
    PersonsExceedHousehold,
)
from domain.notice import NoticeNotPosted, NoticeRunning, ObjectionKind, ObjectionsOpen
from domain.refusal import Malformed, NotFound, NotYourRole
from domain.relief_case import MemberContested, NoCard, Stage, WrongStage
from domain.roster import NotOnList, WrongListStage
from domain.separation import SamePersonTwice
from domain.stockpile import Stockpile
from domain.village_list import VillageList
from domain.world import Role
from tests.domain.county import appointment
from tests.domain.ledger import HASH, Ledger, family, id_number, member
from tests.domain.test_seasons import adopt
from tests.domain.test_village_lists import objection, settling


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def application(ledger: Ledger, name: str, **more: Any) -> ApplyForRelief:
    values: dict[str, Any] = {
        "season": ledger.season,
        "household": ledger.scenario.id(name),
        "need": NeedInput(persons=1, kinds=(NeedKind.FOOD,), cause=Cause.CROP_LOSS),
        "applied_on": date(2017, 10, 9),
    }
    return ApplyForRelief(**(values | more))


def paying(ledger: Ledger, *failed: str) -> PayList:
    failures = tuple(FailureInput(case=ledger.case(name), reason="账号已销户") for name in failed)
    return PayList(village_list=ledger.list, document_no="支1号", failures=failures)


def contest(ledger: Ledger, serial: int = 11) -> None:
    """A household of another village claims the head of household b too."""
    command = family(
        ledger.scenario,
        "other",
        90,
        village="yuantan_2",
        members=(member(90), member(serial, Relation.OTHER)),
    )
    ledger.scenario.given(command, by="village2")


# Applications


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


# Amounts


def test_a_list_s_amounts_commit_one_fund_and_reserve_one_stockpile(ledger: Ledger) -> None:
    county = ledger.until("approved").scenario
    facts = county.run(ledger.allocation(), by="county")
    topics = sorted(fact.topic() for fact in facts)
    assert topics == [
        "Fund.Committed",
        *["ReliefCase.Granted"] * 4,
        "Stockpile.Reserved",
        "VillageList.Allocated",
    ]
    case = ledger.load_case("a")
    assert [grant.value_fen for grant in case.grants.values()] == [40_500, 12_000]
    assert case.grants[2].item == "quilt" and case.grants[2].units == 1


def test_above_the_standard_takes_a_written_reason(ledger: Ledger) -> None:
    county = ledger.until("approved").scenario
    much = GrantInput(case=ledger.case("c"), cash_fen=30_001)
    refusal = county.when(ledger.allocation(much), by="county").then(OverStandard)
    assert (refusal.total_fen, refusal.ceiling_fen) == (30_001, 30_000)
    goods = (GoodsInput(item="quilt", units=1),)
    counted = GrantInput(case=ledger.case("c"), cash_fen=20_000, goods=goods)
    refusal = county.when(ledger.allocation(counted), by="county").then(OverStandard)
    assert refusal.total_fen == 32_000, "goods count at their value"
    reasoned = GrantInput(case=ledger.case("c"), cash_fen=30_001, reason="房屋全部倒塌")
    county.when(ledger.allocation(reasoned), by="county")
    assert ledger.load_case("c").grants[1].cash_fen == 30_001


def test_a_second_allocation_counts_what_was_granted_before(ledger: Ledger) -> None:
    county = ledger.until("allocated").scenario
    more = ledger.allocation(GrantInput(case=ledger.case("c"), cash_fen=16_501))
    assert county.when(more, by="county").then(OverStandard).total_fen == 30_001
    more = ledger.allocation(GrantInput(case=ledger.case("c"), cash_fen=16_500))
    county.given(more, by="county")
    assert list(ledger.load_case("c").grants) == [1, 2]


def test_below_the_minimum_no_cash_is_granted_but_goods_may_come_first(ledger: Ledger) -> None:
    county = ledger.until("approved").scenario
    little = GrantInput(case=ledger.case("c"), cash_fen=1_999)
    assert county.when(ledger.allocation(little), by="county").then(UnderStandard).minimum_fen
    quilt = GrantInput(case=ledger.case("c"), goods=(GoodsInput(item="quilt", units=1),))
    county.given(ledger.allocation(quilt, fund=None), by="county")
    assert ledger.load_case("c").grants[1].item == "quilt"


def test_items_are_those_of_the_programme_up_to_their_allowance(ledger: Ledger) -> None:
    county = ledger.until("approved").scenario
    three = GrantInput(
        case=ledger.case("c"), goods=(GoodsInput(item="quilt", units=3),), reason=None
    )
    county.given(adopt(county, {"goods_count": False}))
    county.given(ChangeSeasonStandard(season=ledger.season, reason="新标准"), by="county")
    refusal = county.when(ledger.allocation(three), by="county").then(OverAllowance)
    assert (refusal.units, refusal.allowed) == (3, 2)
    tent = ReceiveGoods(
        warehouse=county.id("county"),
        item="tent_12",
        lot=county.id("tents"),
        document_no="入2号",
        owner="潜山市",
        received_on=date(2017, 10, 1),
        quantity=5,
        unit_value_fen=100,
    )
    county.given(tent, by="storekeeper")
    goods = (GoodsInput(item="tent_12", units=1),)
    strange = ledger.allocation(GrantInput(case=ledger.case("c"), goods=goods))
    assert county.when(strange, by="county").then(ItemNotInProgramme).item == "tent_12"


def test_neither_fund_nor_stock_can_be_overdrawn_by_a_list(ledger: Ledger) -> None:
    county = ledger.until("approved").scenario
    rich = GrantInput(case=ledger.case("a"), cash_fen=99_999_999_999, reason="?")
    county.when(ledger.allocation(rich), by="county").then(FundOverdrawn)
    goods = (GoodsInput(item="quilt", units=101),)
    warm = GrantInput(case=ledger.case("a"), goods=goods, reason="?")
    county.when(ledger.allocation(warm), by="county").then(StockExhausted)


def test_an_allocation_names_what_it_needs(ledger: Ledger) -> None:
    county = ledger.until("approved").scenario
    county.when(ledger.allocation(fund=None), by="county").then(Malformed)
    county.when(ledger.allocation(warehouse=None), by="county").then(Malformed)
    county.when(ledger.allocation(document_no=""), by="county").then(Malformed)
    one = GrantInput(case=ledger.case("c"), cash_fen=13_500)
    county.when(ledger.allocation(one, one), by="county").then(Malformed)
    nothing = GrantInput(case=ledger.case("c"))
    county.when(ledger.allocation(nothing), by="county").then(NothingToGrant)
    negative = GrantInput(case=ledger.case("c"), cash_fen=-1)
    county.when(ledger.allocation(negative), by="county").then(Malformed)


def test_nothing_is_granted_to_who_is_not_approved_or_not_on_the_list(ledger: Ledger) -> None:
    county = ledger.until("reviewed").scenario
    county.when(ledger.allocation(), by="county").then(WrongListStage)
    ledger._approved()
    county.given(family(county, "d", 70, 1), by="village")
    county.given(application(ledger, "d"), by="village")
    stranger = GrantInput(case=ledger.case("d"), cash_fen=13_500)
    county.when(ledger.allocation(stranger), by="county").then(NotOnList)


def test_nothing_is_granted_for_a_member_who_died_since(ledger: Ledger) -> None:
    county = ledger.until("approved").scenario
    die = RecordDeath(
        household=county.id("b"),
        person=county.vault.tokens[id_number(12)],
        on=date(2017, 11, 10),
        reason="病故",
    )
    county.given(die, by="village")
    county.when(ledger.allocation(), by="county").then(PersonsExceedHousehold)


def test_another_county_s_fund_or_depot_is_no_fund_and_no_depot(ledger: Ledger) -> None:
    county = ledger.until("approved").scenario
    foreign = ledger.allocation(warehouse=county.id("foreign_county"))
    county.when(foreign, by="county").then(NotFound)
    county.when(ledger.allocation(fund=county.id("nothing")), by="county").then(NotFound)


# Payment


def test_payment_waits_for_the_second_notice_and_its_objections(ledger: Ledger) -> None:
    county = ledger.until("allocated").scenario
    county.when(paying(ledger), by="payer").then(NoticeNotPosted)
    ledger._posted_again()
    county.when(paying(ledger), by="payer").then(NoticeRunning)
    county.when(ledger.signing("a"), by="storekeeper").then(NoticeRunning)
    ledger._payable()
    amount = objection(ledger, kind=ObjectionKind.AMOUNT)
    county.given(amount, by="village")
    county.when(paying(ledger), by="payer").then(ObjectionsOpen)
    county.given(settling(ledger), by="township")
    county.when(paying(ledger), by="payer")
    assert county.result["payments"] == 3


def test_a_list_is_paid_as_one_batch_of_the_fund(ledger: Ledger) -> None:
    county = ledger.until("payable").scenario
    county.when(paying(ledger), by="county").then(NotYourRole)
    county.when(paying(ledger), by="payer").then(
        "VillageList.PaymentMade", *["ReliefCase.Paid"] * 3, "Fund.Paid"
    )
    assert county.result == {"paid_fen": 81_000, "payments": 3, "failed": 0, "held": {}}
    fund = ledger.load_fund()
    assert fund.balanced() and fund.committed_fen == 0
    county.when(paying(ledger), by="payer").then(NothingToGrant)


def test_who_approved_does_not_pay(ledger: Ledger) -> None:
    county = ledger.until("payable").scenario
    county.given(appointment(county, "county", Role.COUNTY_PAYER, "county", nth="/p"))
    refusal = county.when(paying(ledger), by="county").then(SamePersonTwice)
    assert (refusal.other, refusal.step) == ("approve", "pay")


def test_failures_known_at_once_stay_under_their_commitment_and_are_retried(
    ledger: Ledger,
) -> None:
    county = ledger.until("payable").scenario
    county.given(paying(ledger, "b"), by="payer")
    assert county.result["failed"] == 1
    assert ledger.load_case("b").status[1] is GrantStatus.FAILED
    assert ledger.load_fund().committed_fen == 27_000
    retry = RetryPayment(case=ledger.case("b"), number=1, document_no="支2号")
    county.given(retry, by="payer")
    assert ledger.load_case("b").status[1] is GrantStatus.PAID
    county.when(retry, by="payer").then(WrongGrantStatus)
    stranger = paying(ledger)
    strange = FailureInput(case=county.id("x"), reason="?")
    bad = PayList(village_list=ledger.list, document_no="支3号", failures=(strange,))
    county.when(bad, by="payer").then(NotOnList)
    county.when(stranger, by="payer").then(NothingToGrant)


def test_a_payment_that_bounces_later_is_failed_and_retried(ledger: Ledger) -> None:
    county = ledger.until("paid").scenario
    bounce = RecordPaymentFailure(case=ledger.case("a"), number=1, reason="户名不符")
    topics = {fact.topic() for fact in county.run(bounce, by="payer")}
    assert topics == {"ReliefCase.PaymentFailed", "Fund.Failed"}
    assert ledger.load_fund().committed_fen == 40_500
    county.when(bounce, by="payer").then(WrongGrantStatus)
    county.given(RetryPayment(case=ledger.case("a"), number=1, document_no="支2号"), by="payer2")
    assert ledger.load_fund().paid_fen == 81_000
    goods = RecordPaymentFailure(case=ledger.case("a"), number=2, reason="?")
    county.when(goods, by="payer").then(WrongGrantStatus)
    missing = RetryPayment(case=ledger.case("a"), number=9, document_no="支2号")
    county.when(missing, by="payer").then(NoSuchGrant)
    in_kind = RetryPayment(case=ledger.case("a"), number=2, document_no="支2号")
    county.when(in_kind, by="payer").then(Malformed)


def test_a_contested_member_holds_payment_up_and_nothing_else(ledger: Ledger) -> None:
    county = ledger.until("payable").scenario
    contest(ledger)
    county.given(paying(ledger), by="payer")
    assert county.result["payments"] == 2
    assert county.result["held"] == {str(ledger.case("b")): "member-contested"}
    retry = RetryPayment(case=ledger.case("b"), number=1, document_no="支2号")
    assert county.when(retry, by="payer").then(MemberContested).contested == 1
    county.when(paying(ledger), by="payer").then(MemberContested)
    decide = ResolveContest(
        person=county.vault.tokens[id_number(11)],
        keep=county.id("b"),
        reason="户口簿",
        document_no="1",
    )
    county.given(decide, by="county2")
    county.given(retry, by="payer")
    assert ledger.load_case("b").status[1] is GrantStatus.PAID


def test_no_money_without_a_card_of_the_household(ledger: Ledger) -> None:
    county = ledger.until("payable").scenario
    head = county.vault.tokens[id_number(11)]
    heir = county.vault.tokens[id_number(12)]
    die = RecordDeath(
        household=county.id("b"), person=head, on=date(2017, 11, 20), reason="病故", new_head=heir
    )
    county.given(die, by="village")
    county.given(paying(ledger), by="payer")
    assert county.result["held"] == {str(ledger.case("b")): "no-card"}
    retry = RetryPayment(case=ledger.case("b"), number=1, document_no="支2号")
    county.when(retry, by="payer").then(NoCard)
    card = RecordCard(
        household=county.id("b"), holder=heir, number="6217000012345670", reason="新户主"
    )
    county.given(card, by="village")
    (paid,) = [f for f in county.run(retry, by="payer") if f.topic() == "ReliefCase.Paid"]
    assert paid.holder == heir


def test_a_household_merged_away_is_not_paid(ledger: Ledger) -> None:
    county = ledger.until("payable").scenario
    merge = MergeHouseholds(household=county.id("b"), into=county.id("a"), reason="重复")
    county.given(merge, by="township_b")
    county.given(paying(ledger), by="payer")
    assert county.result["held"] == {str(ledger.case("b")): "household-merged"}


# Goods


def test_goods_are_signed_for_and_leave_the_stockpile(ledger: Ledger) -> None:
    county = ledger.until("paid").scenario
    facts = county.run(ledger.signing("a"), by="storekeeper")
    signed = next(fact for fact in facts if fact.topic() == "ReliefCase.GoodsSigned")
    assert signed.signed_by == "张*三" and signed.photo_sha256 == HASH
    given = next(fact for fact in facts if fact.topic() == "Stockpile.Given")
    assert given.grant == grant_id(ledger.case("a"), 2)
    stock = county.load(Stockpile, Stockpile.id_of(county.id("county"), "quilt", False))
    assert stock.on_hand == 99
    county.when(ledger.signing("a"), by="storekeeper").then(NothingToGrant)
    county.when(ledger.signing("b"), by="storekeeper").then(NothingToGrant)


def test_a_signature_has_a_name_and_a_real_hash(ledger: Ledger) -> None:
    county = ledger.until("payable").scenario
    for change in ({"signed_by": " "}, {"signed_by": "张三", "photo_sha256": "jpg"}):
        values: dict[str, Any] = {"case": ledger.case("a")} | change
        sign = SignGoods(village_list=ledger.list, signatures=(SignatureInput(**values),))
        county.when(sign, by="storekeeper").then(Malformed)
    stranger = SignatureInput(case=ledger.case("a"), signed_by="张三")
    sign = SignGoods(village_list=ledger.list, signatures=(stranger,))
    county.when(sign, by="village").then(NotYourRole)


def test_goods_of_two_lots_are_signed_for_after_a_correction(ledger: Ledger) -> None:
    county = ledger.until("approved").scenario
    newer = ReceiveGoods(
        warehouse=county.id("county"),
        item="quilt",
        lot=county.id("lot2"),
        document_no="入2号",
        owner="潜山市",
        received_on=date(2017, 10, 20),
        quantity=100,
        unit_value_fen=13_000,
    )
    county.given(newer, by="storekeeper")
    big = GrantInput(
        case=ledger.case("a"), goods=(GoodsInput(item="quilt", units=99),), reason="安置点"
    )
    two = GrantInput(
        case=ledger.case("b"), goods=(GoodsInput(item="quilt", units=2),), reason="两床"
    )
    county.given(ledger.allocation(big, two), by="county")
    county.given(ledger.correction("a", units=50, over_standard="安置点"), by="county")
    ledger._posted_again()
    ledger._payable()
    county.given(ledger.signing("a", "b"), by="storekeeper")
    stock = county.load(Stockpile, Stockpile.id_of(county.id("county"), "quilt", False))
    assert stock.on_hand == 200 - 52


# Corrections


def test_a_smaller_amount_frees_money_and_a_larger_one_needs_a_new_notice(
    ledger: Ledger,
) -> None:
    county = ledger.until("payable").scenario
    county.given(ledger.correction("b", cash_fen=20_000), by="county")
    assert ledger.load_fund().committed_fen == 74_000
    county.when(ledger.correction("b", cash_fen=60_001), by="county").then(OverStandard)
    county.given(ledger.correction("b", cash_fen=30_000), by="county")
    assert ledger.load_fund().committed_fen == 84_000
    county.when(paying(ledger), by="payer").then(NoticeNotPosted)
    county.given(PostSecondNotice(village_list=ledger.list), by="village").wait(days=7)
    county.given(paying(ledger), by="payer")
    assert ledger.load_fund().paid_fen == 84_000


def test_a_grant_corrected_to_nothing_is_void_and_the_case_may_be_refused(
    ledger: Ledger,
) -> None:
    county = ledger.until("allocated").scenario
    strike = settling(ledger, upheld=True, strike=ledger.case("b"))
    ledger._posted_again()
    county.given(objection(ledger), by="village")
    county.when(strike, by="township").then(GrantsOpen)
    county.given(ledger.correction("b", cash_fen=0), by="county")
    assert ledger.load_case("b").status[1] is GrantStatus.VOID
    county.given(strike, by="township")
    assert ledger.load_case("b").stage is Stage.REFUSED
    assert ledger.load_fund().committed_fen == 54_000


def test_what_went_out_is_not_corrected_and_goods_are_not_increased(ledger: Ledger) -> None:
    county = ledger.until("payable").scenario
    county.when(ledger.correction("a"), by="county").then(Malformed)
    county.when(ledger.correction("a", 2), by="county").then(Malformed)
    county.when(ledger.correction("a", 2, units=2), by="county").then(Malformed)
    county.when(ledger.correction("a", cash_fen=-1), by="county").then(Malformed)
    county.when(ledger.correction("a", 2, units=0), by="payer").then(NotYourRole)
    county.given(ledger.correction("a", 2, units=0), by="county")
    county.given(paying(ledger), by="payer")
    county.when(ledger.correction("a", cash_fen=5_000), by="county").then(WrongGrantStatus)


def test_money_and_goods_that_come_back_are_booked_back(ledger: Ledger) -> None:
    county = ledger.until("signed").scenario

    def refund(number: int, **more: Any) -> RefundGrant:
        return RefundGrant(
            case=ledger.case("a"), number=number, reason="骗取", document_no="退1号", **more
        )

    county.when(refund(1), by="payer").then(Malformed)
    county.when(refund(1, amount_fen=40_501), by="payer").then(RefundExceeds)
    county.given(refund(1, amount_fen=500), by="payer")
    assert ledger.load_case("a").status[1] is GrantStatus.PAID
    county.when(refund(1, amount_fen=40_001), by="payer").then(RefundExceeds)
    county.given(refund(1, amount_fen=40_000), by="payer")
    assert ledger.load_case("a").status[1] is GrantStatus.REFUNDED
    county.given(refund(2, units=1), by="payer")
    assert ledger.load_case("a").status[2] is GrantStatus.REFUNDED
    fund = ledger.load_fund()
    assert fund.refunded_fen == 40_500 and fund.balanced()
    stock = county.load(Stockpile, Stockpile.id_of(county.id("county"), "quilt", False))
    assert stock.on_hand == 100


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


def test_the_allocation_is_the_county_s(ledger: Ledger) -> None:
    county = ledger.until("approved").scenario
    assert AllocateList.roles == {Role.COUNTY_APPROVER}
    county.when(ledger.allocation(), by="township").then(NotYourRole)
