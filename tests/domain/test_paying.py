"""One question before anything goes out: which paths ask it, and what holds a grant back."""

from datetime import date

import pytest

from domain.commands.contests import MergeHouseholds
from domain.commands.grant_corrections import RecordPaymentFailure, RetryPayment
from domain.commands.held_grants import ReducedInput
from domain.commands.households import RemoveMember
from domain.commands.notices import PostSecondNotice, WithdrawNotice
from domain.commands.payments import GoodsInput, GrantInput, NothingToFail
from domain.commands.relief_cases import ReopenCase
from domain.grants import (
    GrantsOpen,
    GrantStatus,
    HoldDecision,
    NothingDue,
    NothingHeld,
    OverStandard,
)
from domain.household import HouseholdMerged
from domain.notice import NoticeNotPosted, NoticeRunning, ObjectionKind, ObjectionsOpen
from domain.paying import HeldAfterLoss, MemberContested
from domain.refusal import Malformed, NotYourRole
from domain.roster import WrongListStage
from domain.stockpile import Stockpile
from domain.world import Command
from tests.domain.ledger import Ledger, confirming, contest, deciding, dying, objection, paying
from tests.id_numbers import id_number

REDUCED, WITHDRAWN = HoldDecision.REDUCED, HoldDecision.WITHDRAWN


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def retry(ledger: Ledger, name: str = "b") -> RetryPayment:
    return RetryPayment(case=ledger.case(name), number=1, document_no="支2号")


def bounce(ledger: Ledger, name: str = "b") -> RecordPaymentFailure:
    return RecordPaymentFailure(case=ledger.case(name), number=1, reason="户名不符")


def quilts(ledger: Ledger, name: str, units: int) -> GrantInput:
    return GrantInput(case=ledger.case(name), goods=(GoodsInput(item="quilt", units=units),))


def with_quilts(ledger: Ledger) -> Ledger:
    """Household a (3 persons) is to get 405 yuan and a quilt each, and may have them now."""
    ledger.until("approved")
    given = GrantInput(
        case=ledger.case("a"), cash_fen=40_500, goods=(GoodsInput(item="quilt", units=3),)
    )
    ledger.scenario.given(ledger.allocation(given), by="county")
    ledger._posted_again()
    ledger._payable()
    return ledger


def test_a_bounced_grant_that_was_raised_waits_for_its_new_notice(ledger: Ledger) -> None:
    """D1: the notice was asked for only where a grant had not failed before."""
    county = ledger.until("payable").scenario
    county.given(paying(ledger, "b"), by="payer")
    county.given(ledger.correction("b", cash_fen=30_000), by="county")
    county.when(retry(ledger), by="payer").then(NoticeNotPosted)
    county.given(PostSecondNotice(village_list=ledger.list), by="village")
    county.when(retry(ledger), by="payer").then(NoticeRunning)
    county.wait(days=7).given(retry(ledger), by="payer")
    assert ledger.load_case("b").status[1] is GrantStatus.PAID


def test_a_bounced_grant_waits_for_an_objection_and_for_a_notice_taken_down_early(
    ledger: Ledger,
) -> None:
    county = ledger.until("paid").scenario
    county.given(bounce(ledger), by="payer")
    county.given(objection(ledger, kind=ObjectionKind.AMOUNT), by="village")
    county.when(retry(ledger), by="payer").then(ObjectionsOpen)


def test_a_notice_taken_down_early_stops_retries_too(ledger: Ledger) -> None:
    county = ledger.until("posted_again").scenario
    county.given(WithdrawNotice(village_list=ledger.list, reason="有误"), by="village")
    county.wait(days=7).when(paying(ledger), by="payer").then(NoticeNotPosted)
    county.when(retry(ledger), by="payer").then(NoticeNotPosted)
    county.when(ledger.signing("a"), by="storekeeper").then(NoticeNotPosted)


def test_what_bounced_after_the_list_was_closed_is_paid_again_but_not_raised(
    ledger: Ledger,
) -> None:
    county = ledger.until("closed").scenario
    county.given(bounce(ledger), by="payer")
    county.when(ledger.correction("b", cash_fen=30_000), by="county").then(WrongListStage)
    reopen = ReopenCase(case=ledger.case("b"), reason="再评")
    county.when(reopen, by="township").then(GrantsOpen)
    county.given(retry(ledger), by="payer")
    assert ledger.load_case("b").status[1] is GrantStatus.PAID


@pytest.mark.parametrize("path", ["list", "retry", "signature"])
def test_nothing_goes_out_after_a_death_until_the_county_has_decided(
    ledger: Ledger, path: str
) -> None:
    """D2: the list paid for all three, and the one who was left signed for all quilts."""
    county = with_quilts(ledger).scenario
    if path == "retry":
        county.given(paying(ledger), by="payer").given(bounce(ledger, "a"), by="payer")
    commands: dict[str, tuple[Command, str]] = {
        "list": (paying(ledger), "payer"),
        "retry": (retry(ledger, "a"), "payer"),
        "signature": (ledger.signing("a"), "storekeeper"),
    }
    command, by = commands[path]
    county.given(dying(ledger, "a", 2), by="village")
    held = county.when(command, by=by).then(HeldAfterLoss)
    assert (held.died, held.gone, held.head) == (1, 0, "张*三")
    county.when(confirming(ledger, "a"), by="payer").then(NotYourRole)
    county.given(confirming(ledger, "a"), by="county").given(command, by=by)
    county.when(confirming(ledger, "a"), by="county").then(NothingHeld)


def test_a_death_holds_although_fewer_were_in_need_than_the_household_has(ledger: Ledger) -> None:
    ledger.apply(persons=1)
    for step in ("listed", "posted", "reviewed", "approved"):
        getattr(ledger, f"_{step}")()
    county = ledger.scenario
    given = GrantInput(case=ledger.case("a"), cash_fen=13_500)
    county.given(ledger.allocation(given), by="county")
    ledger._posted_again()
    ledger._payable()
    county.given(dying(ledger, "a", 2), by="village")
    county.when(paying(ledger), by="payer").then(HeldAfterLoss)


def test_a_death_known_when_the_amounts_were_set_holds_nothing(ledger: Ledger) -> None:
    ledger.apply(persons=1)
    ledger.scenario.given(dying(ledger, "a", 2, on=date(2017, 11, 1)), by="village")
    for step in ("listed", "posted", "reviewed", "approved"):
        getattr(ledger, f"_{step}")()
    county = ledger.scenario
    county.given(ledger.allocation(GrantInput(case=ledger.case("a"), cash_fen=13_500)), by="county")
    ledger._posted_again()
    ledger._payable()
    county.given(paying(ledger), by="payer")
    assert county.result["payments"] == 1


def test_who_leaves_holds_the_grants_only_if_fewer_are_left_than_they_are_for(
    ledger: Ledger,
) -> None:
    county = with_quilts(ledger).scenario
    leave = RemoveMember(
        household=county.id("a"),
        person=county.vault.tokens[id_number(3)],
        on=date(2017, 11, 20),
        reason="出嫁",
    )
    county.given(leave, by="village")
    held = county.when(paying(ledger), by="payer").then(HeldAfterLoss)
    assert (held.died, held.gone) == (0, 1)


def test_held_grants_are_reduced_and_money_and_goods_are_free_again(ledger: Ledger) -> None:
    county = with_quilts(ledger).scenario
    county.given(dying(ledger, "a", 2), by="village")
    less = (ReducedInput(number=1, cash_fen=27_000), ReducedInput(number=2, units=2))
    facts = county.run(deciding(ledger, "a", REDUCED, reduced=less), by="county")
    assert {fact.topic() for fact in facts} == {
        "ReliefCase.Corrected",
        "ReliefCase.GrantCorrected",
        "ReliefCase.HoldDecided",
        "Fund.Released",
        "Stockpile.Released",
    }
    assert ledger.load_case("a").need.persons == 2
    assert ledger.load_fund().committed_fen == 27_000
    county.given(paying(ledger), by="payer").given(ledger.signing("a"), by="storekeeper")
    stock = county.load(Stockpile, Stockpile.id_of(county.id("county"), "quilt", False))
    assert stock.on_hand == 98 and not any(stock.reserved.values())


def test_a_reduction_is_a_reduction_and_keeps_within_the_standard(ledger: Ledger) -> None:
    county = with_quilts(ledger).scenario
    county.given(dying(ledger, "a", 2), by="village")
    for less in (
        (),
        (ReducedInput(number=1, cash_fen=40_500),),
        (ReducedInput(number=2, units=-1),),
        (ReducedInput(number=2, units=1), ReducedInput(number=2, units=2)),
    ):
        county.when(deciding(ledger, "a", REDUCED, reduced=less), by="county").then(Malformed)
    quilt = (ReducedInput(number=2, units=2),)
    for persons in (0, 3):
        command = deciding(ledger, "a", REDUCED, reduced=quilt, persons=persons)
        county.when(command, by="county").then(Malformed)
    county.when(deciding(ledger, "a", WITHDRAWN, reduced=quilt), by="county").then(Malformed)
    one = deciding(ledger, "a", REDUCED, reduced=quilt, persons=1)
    county.when(one, by="county").then(OverStandard)


def test_held_grants_are_withdrawn(ledger: Ledger) -> None:
    county = with_quilts(ledger).scenario
    county.given(dying(ledger, "a", 2), by="village")
    county.given(deciding(ledger, "a", WITHDRAWN), by="county")
    assert set(ledger.load_case("a").status.values()) == {GrantStatus.VOID}
    assert ledger.load_fund().committed_fen == 0
    county.when(paying(ledger), by="payer").then(NothingDue)


def test_a_further_death_holds_again_and_new_amounts_do_not_hide_it(ledger: Ledger) -> None:
    county = with_quilts(ledger).scenario
    county.given(dying(ledger, "a", 2), by="village").given(confirming(ledger, "a"), by="county")
    county.given(dying(ledger, "a", 3), by="village")
    county.when(paying(ledger), by="payer").then(HeldAfterLoss)
    county.when(ledger.allocation(quilts(ledger, "a", 1)), by="county").then(HeldAfterLoss)


def test_goods_wait_for_a_contest_and_for_a_merged_household_as_money_does(ledger: Ledger) -> None:
    ledger.until("approved")
    county = ledger.scenario
    county.given(ledger.allocation(quilts(ledger, "a", 1), quilts(ledger, "b", 1)), by="county")
    ledger._posted_again()
    ledger._payable()
    contest(ledger)
    county.when(ledger.signing("b"), by="storekeeper").then(MemberContested)
    merge = MergeHouseholds(household=county.id("b"), into=county.id("a"), reason="重复")
    county.given(merge, by="township_b")
    county.when(ledger.signing("b"), by="storekeeper").then(HouseholdMerged)


def test_goods_need_no_card(ledger: Ledger) -> None:
    county = with_quilts(ledger).scenario
    head = county.vault.tokens[id_number(1)]
    county.given(
        dying(ledger, "a", 1, new_head=county.vault.tokens[id_number(2)]), by="village"
    ).given(confirming(ledger, "a"), by="county")
    assert ledger.household("a").card is None and head not in ledger.household("a").members
    county.given(ledger.signing("a"), by="storekeeper")


def test_a_bank_failure_of_a_household_that_must_wait_is_kept(ledger: Ledger) -> None:
    """D4: `failed: 0`, and no fact of it."""
    county = ledger.until("payable").scenario
    contest(ledger)
    facts = county.run(paying(ledger, "b"), by="payer")
    assert county.result["failed"] == 1 and county.result["payments"] == 2
    assert county.result["held"] == {str(ledger.case("b")): "member-contested"}
    (kept,) = [fact for fact in facts if fact.topic() == "ReliefCase.PaymentFailed"]
    assert (kept.originator_id, kept.reason) == (ledger.case("b"), "账号已销户")
    made = next(fact for fact in facts if fact.topic() == "VillageList.PaymentMade")
    assert (made.failed, made.held) == (1, 1)
    fund = ledger.load_fund()
    assert fund.balanced() and fund.committed_fen == 27_000
    assert ledger.load_case("b").status[1] is GrantStatus.FAILED


def test_a_bank_failure_is_kept_although_all_others_are_paid(ledger: Ledger) -> None:
    county = ledger.until("payable").scenario
    contest(ledger)
    county.given(paying(ledger), by="payer")
    county.given(paying(ledger, "b"), by="payer")
    assert county.result == {
        "paid_fen": 0,
        "payments": 0,
        "failed": 1,
        "held": {str(ledger.case("b")): "member-contested"},
    }


def test_a_bank_failure_for_which_nothing_was_due_is_said_and_not_dropped(ledger: Ledger) -> None:
    county = ledger.until("payable").scenario
    county.when(paying(ledger, "a", "a"), by="payer").then(NothingToFail)
    county.given(paying(ledger, "b"), by="payer")
    refused = county.when(paying(ledger, "a"), by="payer").then(NothingDue)
    assert "退票" in refused.sentence("zh"), "it says where that is recorded"
