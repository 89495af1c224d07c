"""Money by document: appropriated, passed down, committed, paid, bounced, given back."""

from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from domain.commands.funds import PassDownFund, ReturnFund
from domain.exercise import ExerciseMixed
from domain.fund import Fund
from domain.money import (
    AlreadyCommitted,
    AlreadyPaid,
    CommitmentExhausted,
    EarmarkViolated,
    FundEmpty,
    FundOverdrawn,
    HolderNotBelow,
    MatchingShareExceeded,
    MatchingShareKept,
    MatchingShareNotFromThere,
    MatchingShareOverSum,
    NotPassedDownFrom,
    PaymentExceeded,
    Source,
)
from domain.refusal import Malformed, NotFound, NotYourRole
from tests.domain.county import make_county
from tests.domain.goods import WINTER, appropriate
from tests.domain.scenario import Scenario

CITY_NO, COUNTY_NO = "宜财社〔2018〕9号", "潜财社〔2018〕5号"


@pytest.fixture
def county() -> Scenario:
    return make_county()


def city_fund(scenario: Scenario) -> UUID:
    return Fund.id_of(CITY_NO, scenario.id("city"), False)


def county_fund(scenario: Scenario) -> UUID:
    return Fund.id_of(COUNTY_NO, scenario.id("county"), False)


def load(scenario: Scenario, id: UUID) -> Fund:
    found: Fund = scenario.load(Fund, id)
    return found


def pass_down(scenario: Scenario, **changed: Any) -> PassDownFund:
    fields: dict[str, Any] = {
        "fund": city_fund(scenario),
        "to": scenario.id("county"),
        "document_no": COUNTY_NO,
        "amount_fen": 60_000,
    }
    return PassDownFund(**(fields | changed))


def give_back(scenario: Scenario, **changed: Any) -> ReturnFund:
    fields: dict[str, Any] = {
        "fund": county_fund(scenario),
        "to_fund": city_fund(scenario),
        "amount_fen": 10_000,
        "document_no": "潜财社〔2018〕30号",
        "reason": "结余",
    }
    return ReturnFund(**(fields | changed))


def a_fund(amount_fen: int = 1_000, *, exercise: bool = False) -> Fund:
    fund = Fund(id=uuid4(), document_no="财1", holder=uuid4(), earmark=WINTER, exercise=exercise)
    fund.appropriate(
        amount_fen, source=Source.COUNTY, matching_fen=amount_fen, source_document_no="财0"
    )
    return fund


def committed(fund: Fund, amount_fen: int) -> UUID:
    name = uuid4()
    fund.commit(name, amount_fen, programme="winter_spring", subject=name, exercise=fund.exercise)
    return name


def test_a_document_opens_a_fund_and_may_bring_money_twice(county: Scenario) -> None:
    county.when(appropriate(county), by="city").then("Fund.Opened", "Fund.Appropriated")
    more = appropriate(county, source=Source.CITY, amount_fen=5_000, matching_fen=5_000)
    county.when(more, by="city").then("Fund.Appropriated")
    assert county.result == {"fund": city_fund(county), "available_fen": 105_000}
    assert load(county, city_fund(county)).matching_fen == 5_000


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount_fen", 0),
        ("document_no", ""),
        ("source_document_no", " "),
        ("earmark", ()),
        ("earmark", ("",)),
    ],
)
def test_an_appropriation_with_an_impossible_value_is_refused(
    county: Scenario, field: str, value: Any
) -> None:
    wrong = appropriate(county, **{field: value})
    assert county.when(wrong, by="city").then(Malformed).field == field


def test_the_matching_share_is_a_part_of_the_sum(county: Scenario) -> None:
    wrong = appropriate(county, matching_fen=100_001)
    refusal = county.when(wrong, by="city").then(MatchingShareOverSum)
    assert (refusal.wanted_fen, refusal.amount_fen) == (100_001, 100_000)
    assert "本次金额 1,000.00 元，其中配套列了 1,000.01 元：配套不能多于金额" in refusal.sentence(
        "zh"
    )
    county.when(appropriate(county, matching_fen=-1), by="city").then(Malformed)


def test_a_fund_keeps_the_earmark_it_was_opened_with(county: Scenario) -> None:
    county.given(appropriate(county), by="city")
    county.when(appropriate(county, earmark=("drought",)), by="city").then(Malformed)


def test_only_who_allots_money_appropriates_it(county: Scenario) -> None:
    county.when(appropriate(county), by="county").then(NotFound)
    county.when(appropriate(county, "county"), by="payer").then(NotYourRole)
    county.when(appropriate(county, "county"), by="foreign_county").then(NotFound)
    county.when(appropriate(county, "county"), by="county").then("Fund.Opened", "Fund.Appropriated")


def test_money_passed_down_is_recorded_in_both_divisions(county: Scenario) -> None:
    county.given(appropriate(county, matching_fen=20_000), by="city")
    facts = county.when(pass_down(county, matching_fen=15_000), by="city").then(
        "Fund.PassedDown", "Fund.Opened", "Fund.Received"
    )
    assert [fact.meta.division for fact in facts] == [
        county.id("city"),
        county.id("county"),
        county.id("county"),
    ]
    assert county.result == {
        "fund": county_fund(county),
        "available_fen": 60_000,
        "left_fen": 40_000,
    }
    assert load(county, city_fund(county)).matching_fen == 5_000
    assert load(county, county_fund(county)).matching_fen == 15_000
    county.when(pass_down(county, amount_fen=1), by="city").then("Fund.PassedDown", "Fund.Received")


def test_no_fund_passes_down_more_than_it_has(county: Scenario) -> None:
    county.given(appropriate(county), by="city")
    refusal = county.when(pass_down(county, amount_fen=100_001), by="city").then(FundOverdrawn)
    assert (refusal.wanted_fen, refusal.available_fen) == (100_001, 100_000)
    county.when(pass_down(county, amount_fen=-1), by="city").then(Malformed)
    county.when(pass_down(county, matching_fen=1), by="city").then(MatchingShareExceeded)


def test_money_goes_down_only_to_a_division_below(county: Scenario) -> None:
    county.given(appropriate(county, "county", document_no=COUNTY_NO), by="county")
    for place in ("county", "foreign_county", "city"):
        wrong = pass_down(county, fund=county_fund(county), to=county.id(place))
        refusal = county.when(wrong, by="county").then(HolderNotBelow)
        assert refusal.to == county.id(place)


def test_the_earmark_may_become_narrower_but_never_wider(county: Scenario) -> None:
    county.given(appropriate(county, earmark=("winter_spring", "drought")), by="city")
    county.given(pass_down(county, earmark=("drought",)), by="city")
    assert load(county, county_fund(county)).earmark == ("drought",)
    wider = pass_down(county, document_no="潜财社〔2018〕6号", earmark=("housing",))
    assert county.when(wider, by="city").then(EarmarkViolated).programme == "housing"


def test_what_is_left_goes_back_to_where_it_came_from(county: Scenario) -> None:
    county.given(appropriate(county), pass_down(county), by="city")
    county.when(give_back(county), by="county").then("Fund.Returned", "Fund.GotBack")
    assert county.result == {"available_fen": 50_000, "matching_fen": 0}
    assert load(county, city_fund(county)).available_fen == 50_000
    refusal = county.when(give_back(county, amount_fen=50_001), by="county").then(NotPassedDownFrom)
    assert refusal.net_fen == 50_000
    county.when(give_back(county, document_no=""), by="county").then(Malformed)
    county.when(give_back(county, reason=""), by="county").then(Malformed)
    county.when(give_back(county, amount_fen=0), by="county").then(Malformed)
    county.when(give_back(county, to_fund=uuid4()), by="county").then(NotPassedDownFrom)
    county.when(give_back(county), by="payer").then(NotYourRole)


def test_what_is_committed_does_not_go_back(county: Scenario) -> None:
    fund, above = a_fund(1), a_fund(1_000)
    above.pass_down(fund, 500, matching_fen=0)
    committed(fund, 501)
    with pytest.raises(FundEmpty):
        fund.return_up(above, 1, document_no="退1", reason="结余")


def test_exercise_money_never_meets_real_money() -> None:
    with pytest.raises(ExerciseMixed):
        a_fund().pass_down(a_fund(exercise=True), 1, matching_fen=0)
    with pytest.raises(ExerciseMixed):
        a_fund().commit(uuid4(), 1, programme="winter_spring", subject=uuid4(), exercise=True)


def test_money_is_committed_once_and_only_for_its_programme() -> None:
    fund = a_fund()
    name = committed(fund, 600)
    assert (fund.available_fen, fund.committed_fen) == (400, 600)
    with pytest.raises(AlreadyCommitted):
        fund.commit(name, 1, programme="winter_spring", subject=name, exercise=False)
    with pytest.raises(EarmarkViolated) as violated:
        fund.commit(uuid4(), 1, programme="drought", subject=name, exercise=False)
    assert violated.value.earmark == "winter_spring"
    with pytest.raises(FundOverdrawn):
        committed(fund, 401)
    with pytest.raises(Malformed):
        committed(fund, 0)


def test_a_batch_is_paid_once_and_within_its_commitment() -> None:
    fund = a_fund()
    name, batch = committed(fund, 600), uuid4()
    fund.pay(name, batch, 500, payments=4)
    assert (fund.committed_fen, fund.paid_fen) == (100, 500)
    with pytest.raises(AlreadyPaid):
        fund.pay(name, batch, 100, payments=1)
    with pytest.raises(CommitmentExhausted) as refused:
        fund.pay(name, uuid4(), 101, payments=1)
    assert (refused.value.wanted_fen, refused.value.committed_fen) == (101, 100)
    with pytest.raises(CommitmentExhausted):
        fund.pay(uuid4(), uuid4(), 1, payments=1)
    with pytest.raises(Malformed):
        fund.pay(name, uuid4(), 1, payments=0)


def test_a_bounced_payment_stands_under_its_commitment_and_is_paid_again() -> None:
    fund = a_fund()
    name, batch = committed(fund, 600), uuid4()
    fund.pay(name, batch, 600, payments=4)
    fund.fail(batch, 150, payments=1, reason="账号不符")
    assert (fund.committed_fen, fund.paid_fen) == (150, 450)
    fund.pay(name, uuid4(), 150, payments=1)
    with pytest.raises(PaymentExceeded) as refused:
        fund.fail(batch, 451, payments=3, reason="账号不符")
    assert refused.value.paid_fen == 450
    with pytest.raises(PaymentExceeded):
        fund.fail(uuid4(), 1, payments=1, reason="没有此批")
    assert fund.balanced()


def test_a_refund_is_free_again() -> None:
    fund = a_fund()
    name, batch = committed(fund, 600), uuid4()
    fund.pay(name, batch, 600, payments=4)
    fund.refund(batch, 100, subject=uuid4(), reason="重复发放")
    assert (fund.available_fen, fund.committed_fen) == (500, 0)
    with pytest.raises(PaymentExceeded):
        fund.refund(batch, 501, subject=uuid4(), reason="重复发放")
    assert fund.balanced()


def test_what_a_commitment_no_longer_needs_is_free_again() -> None:
    fund = a_fund()
    name = committed(fund, 600)
    assert fund.release(name, 100, reason="一户死亡") == 100
    assert fund.release(name, reason="全部取消") == 500
    assert fund.release(name, reason="再来一次") == 0
    assert fund.available_fen == 1_000
    with pytest.raises(CommitmentExhausted):
        fund.release(name, 1, reason="没有了")


def test_money_given_back_takes_its_matching_share_along(county: Scenario) -> None:
    """D3: the share was lost on the way back, and passing down again was refused."""
    county.given(appropriate(county, matching_fen=20_000), by="city")
    county.given(pass_down(county, matching_fen=20_000), by="city")
    county.when(give_back(county, amount_fen=60_000), by="county").then(
        "Fund.Returned", "Fund.GotBack"
    )
    assert county.result == {"available_fen": 0, "matching_fen": 20_000}
    assert load(county, city_fund(county)).matching_fen == 20_000
    assert load(county, county_fund(county)).matching_fen == 0
    county.given(pass_down(county, matching_fen=20_000), by="city")
    assert load(county, county_fund(county)).matching_fen == 20_000


def test_a_part_given_back_takes_its_part_of_the_share(county: Scenario) -> None:
    county.given(appropriate(county, matching_fen=20_000), by="city")
    county.given(pass_down(county, matching_fen=20_000), by="city")
    county.given(give_back(county, amount_fen=30_000), by="county")
    assert load(county, city_fund(county)).matching_fen == 10_000
    too_much = give_back(county, amount_fen=20_000, matching_fen=10_001)
    county.when(too_much, by="county").then(MatchingShareNotFromThere)
    over = give_back(county, amount_fen=5_000, matching_fen=5_001)
    county.when(over, by="county").then(MatchingShareOverSum)
    kept = give_back(county, amount_fen=25_000, matching_fen=4_999)
    refusal = county.when(kept, by="county").then(MatchingShareKept)
    assert (refusal.matching_fen, refusal.least_fen) == (4_999, 5_000)
    county.given(give_back(county, amount_fen=25_000, matching_fen=5_000), by="county")
    assert load(county, county_fund(county)).matching_fen == 5_000


def test_facts_that_did_not_name_the_share_are_read_as_in_proportion(county: Scenario) -> None:
    county.given(appropriate(county, matching_fen=20_000), by="city")
    county.given(pass_down(county, matching_fen=20_000), by="city")
    (returned, got_back) = county.run(give_back(county, amount_fen=45_000), by="county")
    for fact in (returned, got_back):
        vars(fact)["matching_fen"] = None
        stream = county.streams[fact.originator_id]
        stream[-1] = (type(fact), msgspec.json.encode(fact))
    assert load(county, city_fund(county)).matching_fen == 15_000
    assert load(county, county_fund(county)).matching_fen == 5_000


def test_a_refused_share_says_what_was_asked_what_is_there_and_why(county: Scenario) -> None:
    """D3: "配套部分只有 400.00 元" said of whichever of three figures was the smallest."""
    county.given(appropriate(county, matching_fen=40_000), by="city")
    more = pass_down(county, matching_fen=40_001)
    refusal = county.when(more, by="city").then(MatchingShareExceeded)
    zh, en = refusal.sentence("zh"), refusal.sentence("en")
    assert "本次列配套 400.01 元" in zh and "现有 400.00 元" in zh and "配套不够" in zh
    assert "400.01" in en and "holds" in en and "400.00" in en
    county.given(pass_down(county, matching_fen=30_000), by="city")
    back = give_back(county, amount_fen=40_000, matching_fen=30_001)
    refusal = county.when(back, by="county").then(MatchingShareNotFromThere)
    assert "该上级下达的配套尚未退回 300.00 元：不能多退" in refusal.sentence("zh")
