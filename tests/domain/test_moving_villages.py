"""Merged villages and moves between counties: what moves, who reaches it, and where it stays."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.commands.areas import Merge, RearrangeVillages
from domain.commands.consignments import (
    ArriveConsignment,
    GoodsLine,
    LotArrival,
    TurnBackConsignment,
)
from domain.commands.following import FollowMerger, NotMerged, PostInput
from domain.commands.grant_corrections import CorrectGrant, RecordPaymentFailure, RefundGrant
from domain.commands.household_moves import (
    AcceptHouseholdMove,
    DeclineHouseholdMove,
    OfferHouseholdMove,
    WithdrawHouseholdMove,
)
from domain.commands.households import ChangeContact, MoveHousehold
from domain.commands.notices import PostNotice
from domain.commands.relief_cases import ApplyForRelief, NeedInput
from domain.commands.reports import FileVerifiedReport
from domain.commands.village_lists import AppraiseList, OpenVillageList
from domain.household_move import (
    MoveAlreadyOffered,
    MoveOfferExpired,
    NoMoveOffered,
    OpenCasesLeftOut,
    SameCounty,
)
from domain.lateness import HeldSpan, HeldTime
from domain.officer import Officer
from domain.refusal import NotFound, NotYourRole
from domain.stockpile import Stockpile
from domain.village_list import VillageList
from tests.domain.county import make_county
from tests.domain.goods import order, receive, request, ship, stockpile
from tests.domain.ledger import Ledger, application, paying
from tests.domain.reporting import START, follow_up, initial, loaded, stabilize, zero
from tests.domain.reporting import accept as accept_report

TODAY = date(2017, 11, 6)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def merge(ledger: Ledger, origin: str = "yuantan_1", into: str = "yuantan_2") -> None:
    s = ledger.scenario
    merges = (Merge(area=s.id(origin), into=s.id(into)),)
    s.given(
        RearrangeVillages(merges=merges, effective_on=TODAY, document_no="皖民〔2017〕1号"),
        by="admin",
    )


def following(ledger: Ledger, **what: Any) -> FollowMerger:
    values = {"area": ledger.scenario.id("yuantan_1"), "document_no": "皖民〔2017〕1号"}
    return FollowMerger(**(values | what))


def contact(ledger: Ledger, name: str = "a") -> ChangeContact:
    return ChangeContact(household=ledger.scenario.id(name), reason="换号", phone="15400007777")


def test_the_successor_s_reporter_reaches_the_households_at_once(ledger: Ledger) -> None:
    """C3: they stayed under the abolished village, and the successor's reporter got 404."""
    county = ledger.scenario
    county.when(contact(ledger), by="village2").then(NotFound)
    merge(ledger)
    county.given(contact(ledger), by="village2")
    county.when(contact(ledger), by="township2").then(NotFound)


def test_households_cases_and_open_lists_move_and_go_on(ledger: Ledger) -> None:
    county = ledger.until("payable").scenario
    merge(ledger)
    names = ("a", "b", "c")
    move = following(
        ledger,
        households=tuple(county.id(name) for name in names),
        cases=tuple(ledger.case(name) for name in names),
        village_lists=(ledger.list,),
    )
    county.when(move, by="county").then(NotYourRole)
    county.given(move, by="admin")
    assert county.result["households"] == 3 and county.result["cases"] == 3
    assert ledger.household("a").village == county.id("yuantan_2")
    assert ledger.load_list().village == county.id("yuantan_2")
    assert {fact.meta.division for fact in county.facts[-7:]} == {county.id("county")}
    assert county.run(move, by="admin") == [], "what has moved is not moved again"
    county.given(paying(ledger), by="payer").given(ledger.signing("a"), by="storekeeper")


def village_lot(ledger: Ledger, quantity: int = 7) -> UUID:
    """Quilts in the depot of the village that will go; answers their stockpile."""
    s = ledger.scenario
    receipt = receive(
        s,
        "village",
        warehouse=s.id("yuantan_1"),
        quantity=quantity,
        received_on=date(2017, 10, 1),
    )
    s.given(receipt, by="township_storekeeper")
    return Stockpile.id_of(s.id("yuantan_1"), "quilt", False)


def test_free_goods_go_by_a_consignment(ledger: Ledger) -> None:
    pile = village_lot(ledger)
    s = ledger.scenario
    merge(ledger)
    s.given(following(ledger, stockpiles=(pile,)), by="admin")
    assert s.result["units"] == 7
    there = stockpile(s, "yuantan_2")
    assert there.free == 7 and stockpile(s, "yuantan_1").on_hand == 0
    assert s.run(following(ledger, stockpiles=(pile,)), by="admin") == []


def test_goods_reserved_for_a_list_move_with_it_and_are_handed_out_there(ledger: Ledger) -> None:
    """C3: they stayed in a depot that is no more until they were used up."""
    pile = village_lot(ledger)
    s = ledger.until("approved").scenario
    s.given(ledger.allocation(warehouse=s.id("yuantan_1")), by="county")
    ledger._posted_again()
    ledger._payable()
    old = stockpile(s, "yuantan_1")
    assert (old.free, old.on_hand) == (6, 7)
    (kept,) = old.reservations
    merge(ledger)
    s.given(following(ledger, stockpiles=(pile,), village_lists=(ledger.list,)), by="admin")
    there = stockpile(s, "yuantan_2")
    assert (there.free, there.reservations) == (6, (kept,))
    assert stockpile(s, "yuantan_1").on_hand == 0
    s.given(paying(ledger), by="payer").given(ledger.signing("a"), by="storekeeper")
    assert stockpile(s, "yuantan_2").on_hand == 6
    refund = RefundGrant(
        case=ledger.case("a"), number=2, units=1, reason="被子有破损", document_no="退1号"
    )
    s.given(refund, by="payer")
    assert stockpile(s, "yuantan_2").free == 7


def test_what_a_grant_no_longer_needs_is_set_free_where_it_is_now(ledger: Ledger) -> None:
    pile = village_lot(ledger)
    s = ledger.until("approved").scenario
    s.given(ledger.allocation(warehouse=s.id("yuantan_1")), by="county")
    merge(ledger)
    s.given(following(ledger, stockpiles=(pile,)), by="admin")
    none = CorrectGrant(case=ledger.case("a"), number=2, units=0, reason="自愿放弃")
    s.given(none, by="county")
    assert stockpile(s, "yuantan_2").free == 7 and stockpile(s, "yuantan_1").on_hand == 0


def test_goods_reserved_for_an_order_are_shipped_from_where_they_are_now(ledger: Ledger) -> None:
    pile = village_lot(ledger)
    s = ledger.scenario
    lines = (GoodsLine(item="quilt", quantity=4),)
    s.given(request(s, lines=lines), by="township")
    s.given(order(s, source=s.id("yuantan_1")), by="county")
    merge(ledger)
    s.given(following(ledger, stockpiles=(pile,)), by="admin")
    assert (stockpile(s, "yuantan_2").free, stockpile(s, "yuantan_2").on_hand) == (3, 7)
    s.given(ship(s), by="township_storekeeper")
    assert stockpile(s, "yuantan_2").on_hand == 3
    back = TurnBackConsignment(
        consignment=s.id("load"),
        counts=(LotArrival(lot=s.id("lot/village"), good=4),),
        arrived_at=s.now,
        remark="道路中断",
    )
    s.given(back, by="storekeeper")
    assert stockpile(s, "yuantan_2").free == 7


def test_a_load_on_its_way_to_the_old_village_arrives_at_the_successor_s(ledger: Ledger) -> None:
    """Its depot was never opened: nobody could have received it any more."""
    s = ledger.scenario
    s.given(request(s, destination=s.id("yuantan_1")), by="township")
    s.given(order(s), by="county").given(ship(s), by="storekeeper")
    merge(ledger)
    arrival = ArriveConsignment(
        consignment=s.id("load"),
        counts=(LotArrival(lot=s.id("lot"), good=40),),
        arrived_at=s.now,
    )
    s.given(arrival, by="village2")
    assert stockpile(s, "yuantan_2").free == 40


def test_the_successor_answers_for_what_a_report_still_owes() -> None:
    """C3: the duty to report daily stayed with a village that is no more."""
    county = make_county()
    county.given(initial(county), by="village")
    merges = (Merge(area=county.id("yuantan_1"), into=county.id("yuantan_2")),)
    county.given(
        RearrangeVillages(merges=merges, effective_on=START.date(), document_no="1号"), by="admin"
    )
    report = county.id("report/yuantan_1")
    move = FollowMerger(area=county.id("yuantan_1"), document_no="1号", reports=(report,))
    (fact,) = county.run(move, by="admin")
    assert fact.topic() == "SituationReport.DutiesPassedOn"
    assert county.result["reports"] == 1
    assert county.run(move, by="admin") == [], "what was passed on is not passed on again"
    county.given(zero(county), by="village2")
    county.given(stabilize(county), by="county")
    county.given(follow_up(county, FileVerifiedReport), by="village2")
    county.given(accept_report(county, version=3), by="township")
    assert county.run(move, by="admin") == [], "nothing more is owed"
    assert loaded(county).area == county.id("yuantan_1"), "it stays what its own village told"


def test_posts_move_with_their_letter_and_end_where_they_were(ledger: Ledger) -> None:
    s = ledger.scenario
    merge(ledger)
    posts = tuple(
        PostInput(officer=s.officers[name], appointment=s.id(f"appointment/{name}"))
        for name in ("village", "village_b")
    )
    s.given(following(ledger, posts=posts), by="admin")
    assert s.result["posts"] == 2
    officer = s.load(Officer, s.officers["village_b"])
    old, new = officer.appointments.values()
    assert old.ends_on == TODAY - timedelta(days=1)
    assert (new.area, new.post, new.starts_on) == (s.id("yuantan_2"), "B", TODAY)
    s.given(contact(ledger), by="village_b")
    assert s.run(following(ledger, posts=posts), by="admin") == []


def test_nothing_follows_a_village_that_was_not_merged(ledger: Ledger) -> None:
    s = ledger.scenario
    s.when(following(ledger, households=(s.id("a"),)), by="admin").then(NotMerged)


def test_a_village_merged_twice_leads_to_the_one_that_lives(ledger: Ledger) -> None:
    s = ledger.scenario
    merge(ledger)
    merge(ledger, "yuantan_2", "shuihou_1")
    s.given(following(ledger, households=(s.id("a"),)), by="admin")
    assert ledger.household("a").village == s.id("shuihou_1")
    s.given(contact(ledger, "b"), by="village3")


def test_a_case_on_no_list_follows_its_household(ledger: Ledger) -> None:
    """The case stayed in the old village, and a second application was a duplicate."""
    s = ledger.scenario
    s.given(application(ledger, "a"), by="village")
    move = MoveHousehold(household=s.id("a"), village=s.id("yuantan_2"), on=TODAY, reason="迁居")
    s.given(move, by="township")
    s.given(OpenVillageList(season=ledger.season, village=s.id("yuantan_2")), by="village2")
    there = VillageList.id_of(ledger.season, s.id("yuantan_2"), 1)
    appraise = ledger.appraisal(a=True)
    s.given(
        AppraiseList(village_list=there, verdicts=appraise.verdicts, minutes=appraise.minutes),
        by="village2",
    )
    assert ledger.load_case("a").village == s.id("yuantan_2")
    s.given(PostNotice(village_list=there), by="village2")


# -- between counties --------------------------------------------------------------------


def offer(ledger: Ledger, name: str = "a", **more: Any) -> OfferHouseholdMove:
    values: dict[str, Any] = {
        "household": ledger.scenario.id(name),
        "village": ledger.scenario.id("foreign_village"),
        "reason": "随子女迁居",
        "address": "东关12号",
    }
    return OfferHouseholdMove(**(values | more))


def accept(ledger: Ledger, name: str = "a") -> AcceptHouseholdMove:
    on = (ledger.scenario.now).date()
    return AcceptHouseholdMove(household=ledger.scenario.id(name), on=on, reason="已落户")


def test_a_household_moves_to_another_county_when_both_have_said_so(ledger: Ledger) -> None:
    s = ledger.until("allocated").scenario
    s.when(accept(ledger), by="foreign_county").then(NotFound)
    s.when(offer(ledger), by="township").then(NotYourRole)
    s.when(offer(ledger), by="foreign_county").then(NotFound)
    (offered,) = s.run(offer(ledger, cases=(ledger.case("a"),)), by="county")
    (case,) = offered.offer.cases
    assert (case.cash_fen, case.goods, case.stage) == (40_500, {"quilt": 1}, "approved")
    assert offered.offer.card.endswith("5678")
    assert offered.offer.due_at == s.now + timedelta(days=14)
    s.when(accept(ledger), by="county").then(NotFound)
    s.when(offer(ledger, cases=(ledger.case("a"),)), by="county").then(MoveAlreadyOffered)
    facts = s.run(accept(ledger), by="foreign_township")
    assert [fact.topic() for fact in facts] == ["Household.MoveAccepted", "Household.Moved"]
    assert {fact.meta.division for fact in facts} == {s.id("county")}, "the stream stays"
    s.given(contact(ledger), by="foreign_village")
    s.when(contact(ledger), by="village").then(NotFound)
    ledger._posted_again()
    ledger._payable()
    s.given(paying(ledger), by="payer")
    assert s.result["payments"] == 3, "what is open is paid by the county that granted it"


def test_an_offer_runs_out_after_the_days_of_the_rulebook(ledger: Ledger) -> None:
    s = ledger.scenario
    s.given(offer(ledger), by="county").wait(days=14, seconds=1)
    s.when(accept(ledger), by="foreign_county").then(MoveOfferExpired)
    s.given(offer(ledger), by="county").given(accept(ledger), by="foreign_county")


def test_an_offer_does_not_run_out_by_a_clock_that_was_held(ledger: Ledger) -> None:
    """F3: its days are those that counted."""
    s = ledger.scenario
    s.given(offer(ledger), by="county").wait(days=13)
    s.held, began = HeldTime(s.now), s.now
    s.wait(days=400)
    s.when(offer(ledger), by="county").then(MoveAlreadyOffered)
    s.held = HeldTime(None, (HeldSpan(began, s.now),))
    s.wait(hours=23)
    s.when(offer(ledger), by="county").then(MoveAlreadyOffered)
    s.given(accept(ledger), by="foreign_county")


def test_days_that_did_not_count_are_added_to_an_offer_and_no_more(ledger: Ledger) -> None:
    s = ledger.scenario
    s.given(offer(ledger), by="county").wait(days=13).leap(days=400).wait(days=1, seconds=1)
    s.when(accept(ledger), by="foreign_county").then(MoveOfferExpired)


def test_an_offer_is_declined_or_withdrawn_with_a_reason(ledger: Ledger) -> None:
    s = ledger.scenario
    house = s.id("a")
    s.given(offer(ledger), by="county")
    s.when(DeclineHouseholdMove(household=house, reason="查无此户"), by="county").then(NotFound)
    s.given(DeclineHouseholdMove(household=house, reason="查无此户"), by="foreign_county")
    withdraw = WithdrawHouseholdMove(household=house, reason="改变主意")
    s.when(withdraw, by="county").then(NoMoveOffered)
    s.given(offer(ledger), withdraw, by="county")
    assert ledger.household("a").offer is None


def test_an_open_case_left_out_of_an_offer_is_refused_whoever_sends_it(ledger: Ledger) -> None:
    """C3: only the HTTP edge knew the rule."""
    s = ledger.until("applied").scenario
    s.when(offer(ledger), by="county").then(OpenCasesLeftOut)
    left = s.outcome
    assert isinstance(left, OpenCasesLeftOut) and left.cases == (ledger.case("a"),)
    s.when(offer(ledger), by="foreign_county").then(NotFound)
    s.given(offer(ledger, cases=(ledger.case("a"),)), by="county")


def test_money_that_bounced_after_a_case_was_closed_is_not_left_out_of_an_offer(
    ledger: Ledger,
) -> None:
    """The old county still owes it: a closed case counts as open as long as a grant of it does."""
    s = ledger.until("closed").scenario
    s.given(RecordPaymentFailure(case=ledger.case("b"), number=1, reason="户名不符"), by="payer")
    s.when(offer(ledger, "b"), by="county").then(OpenCasesLeftOut)
    s.given(offer(ledger), by="county")
    (offered,) = s.run(offer(ledger, "b", cases=(ledger.case("b"),)), by="county")
    assert offered.offer.cases[0].cash_fen > 0


def test_an_offer_names_the_household_s_own_open_cases_only(ledger: Ledger) -> None:
    s = ledger.until("applied").scenario
    s.when(offer(ledger, cases=(ledger.case("b"),)), by="county").then(NotFound)
    s.when(offer(ledger, village=s.id("shuihou_1")), by="county").then(SameCounty)


def test_a_household_that_moved_applies_where_it_lives(ledger: Ledger) -> None:
    s = ledger.scenario
    s.given(offer(ledger), by="county").given(accept(ledger), by="foreign_county")
    apply = ApplyForRelief(
        season=ledger.season,
        household=s.id("a"),
        need=NeedInput(persons=1),
        applied_on=date(2017, 11, 1),
    )
    s.when(apply, by="village").then(NotFound)
