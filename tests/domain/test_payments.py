from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from domain.case_checks import Stage
from domain.commands.contests import MergeHouseholds, ResolveContest
from domain.commands.grant_corrections import RecordPaymentFailure, RefundGrant, RetryPayment
from domain.commands.handing_out import SignatureInput, SignGoods
from domain.commands.households import RecordCard, RecordDeath
from domain.commands.notices import PostSecondNotice
from domain.commands.payments import FailureInput, GoodsInput, GrantInput, PayList
from domain.commands.stock import ReceiveGoods
from domain.grants import (
    GrantsOpen,
    GrantStatus,
    NoCashThere,
    NoGrantThere,
    NoSuchGrant,
    NothingDue,
    NothingToGrant,
    OverStandard,
    RefundExceeds,
    WrongGrantStatus,
    grant_id,
)
from domain.notice import (
    NothingToShow,
    NoticeNotPosted,
    NoticeRunning,
    ObjectionKind,
    ObjectionsOpen,
)
from domain.paying import MemberContested, NoCard
from domain.refusal import Malformed, NotYourRole
from domain.roster import NotOnList
from domain.rules.base import china_day
from domain.separation import SamePersonTwice
from domain.stockpile import Stockpile
from domain.world import Role
from tests.domain.county import appointment
from tests.domain.ledger import HASH, Ledger, confirming, contest, objection, paying, settling
from tests.id_numbers import id_number


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


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
    county.when(paying(ledger), by="payer").then(NothingDue)


def test_the_day_is_that_of_the_bank_and_of_the_paper(ledger: Ledger) -> None:
    county = ledger.until("payable").scenario
    today, applied = china_day(county.now), ledger.load_case("a").applied_on
    tomorrow, too_early = today + timedelta(days=1), applied - timedelta(days=1)
    for day in (tomorrow, too_early):
        county.when(replace(paying(ledger), value_date=day), by="payer").then(Malformed)
    facts = county.run(replace(paying(ledger), value_date=applied), by="payer")
    paid = [fact for fact in facts if fact.topic() == "ReliefCase.Paid"]
    assert {fact.value_date for fact in paid} == {applied}
    for day in (tomorrow, too_early):
        county.when(replace(ledger.signing("a"), signed_on=day), by="storekeeper").then(Malformed)
    facts = county.run(replace(ledger.signing("a"), signed_on=today), by="storekeeper")
    (signed,) = [fact for fact in facts if fact.topic() == "ReliefCase.GoodsSigned"]
    assert signed.signed_on == today
    bounce = RecordPaymentFailure(case=ledger.case("b"), number=1, reason="账号错误")
    county.given(bounce, by="payer")
    retry = RetryPayment(case=ledger.case("b"), number=1, document_no="支2号", value_date=tomorrow)
    county.when(retry, by="payer").then(Malformed)
    (paid_again,) = [
        fact
        for fact in county.run(replace(retry, value_date=today), by="payer")
        if fact.topic() == "ReliefCase.Paid"
    ]
    assert paid_again.value_date == today


def test_new_amounts_need_a_new_second_notice(ledger: Ledger) -> None:
    county = ledger.until("payable").scenario
    more = ledger.allocation(GrantInput(case=ledger.case("c"), cash_fen=1_000))
    county.given(more, by="county")
    county.when(paying(ledger), by="payer").then(NoticeNotPosted)


def test_nothing_is_posted_over_a_list_of_which_all_has_gone_out(ledger: Ledger) -> None:
    """A paid list was offered its second notice once more, for nobody (decision 0070)."""
    county = ledger.until("payable").scenario
    again = PostSecondNotice(village_list=ledger.list)
    county.given(paying(ledger), by="payer")
    assert county.closed(again, by="village") is None, "goods are still to be signed for"
    county.given(ledger.signing("a"), by="storekeeper")
    assert isinstance(county.closed(again, by="village"), NothingToShow)
    county.when(again, by="village").then(NothingToShow)
    bounced = RecordPaymentFailure(case=ledger.case("a"), number=1, reason="账号已注销")
    county.given(bounced, by="payer")
    assert county.closed(again, by="village") is None, "this one is to be paid again"


def test_who_approved_does_not_pay(ledger: Ledger) -> None:
    county = ledger.until("payable").scenario
    county.given(appointment(county, "county", Role.COUNTY_PAYER, "county", nth="/p"))
    refusal = county.when(paying(ledger), by="county").then(SamePersonTwice)
    assert (refusal.other, refusal.step) == ("approve", "pay")


def test_failures_known_at_once_stay_under_their_commitment_and_are_retried(
    ledger: Ledger,
) -> None:
    county = ledger.until("payable").scenario
    strange = FailureInput(case=county.id("x"), reason="试填")
    bad = PayList(village_list=ledger.list, document_no="支3号", failures=(strange,))
    county.when(bad, by="payer").then(NotOnList)
    county.given(paying(ledger, "b"), by="payer")
    assert county.result["failed"] == 1
    assert ledger.load_case("b").status[1] is GrantStatus.FAILED
    assert ledger.load_fund().committed_fen == 27_000
    retry = RetryPayment(case=ledger.case("b"), number=1, document_no="支2号")
    county.given(retry, by="payer")
    assert ledger.load_case("b").status[1] is GrantStatus.PAID
    county.when(retry, by="payer").then(NoCashThere)
    county.when(paying(ledger), by="payer").then(NothingDue)


def test_a_payment_that_bounces_later_is_failed_and_retried(ledger: Ledger) -> None:
    county = ledger.until("paid").scenario
    bounce = RecordPaymentFailure(case=ledger.case("a"), number=1, reason="户名不符")
    topics = {fact.topic() for fact in county.run(bounce, by="payer")}
    assert topics == {"ReliefCase.PaymentFailed", "Fund.Failed"}
    assert ledger.load_fund().committed_fen == 40_500
    county.when(bounce, by="payer").then(NoCashThere)
    in_kind = RetryPayment(case=ledger.case("a"), number=2, document_no="支2号")
    county.when(in_kind, by="payer").then(Malformed)
    county.given(RetryPayment(case=ledger.case("a"), number=1, document_no="支2号"), by="payer2")
    assert ledger.load_fund().paid_fen == 81_000
    goods = RecordPaymentFailure(case=ledger.case("a"), number=2, reason="试填")
    county.when(goods, by="payer").then(WrongGrantStatus)
    missing = RefundGrant(
        case=ledger.case("a"), number=9, reason="退回", document_no="退1号", amount_fen=1
    )
    county.when(missing, by="payer").then(NoSuchGrant)


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
    county.given(die, by="village").given(confirming(ledger, "b"), by="county")
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
    two = GrantInput(case=ledger.case("b"), goods=(GoodsInput(item="quilt", units=2),))
    county.given(ledger.allocation(big, two), by="county")
    county.given(ledger.correction("b", units=1), by="county")
    ledger._posted_again()
    ledger._payable()
    county.given(ledger.signing("b", "a"), by="storekeeper")
    assert [pick.quantity for pick in ledger.load_case("a").grants[1].picks] == [98, 1]
    stock = county.load(Stockpile, Stockpile.id_of(county.id("county"), "quilt", False))
    assert stock.on_hand == 200 - 100


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
    county.when(ledger.correction("a", cash_fen=5_000), by="county").then(NoGrantThere)


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
