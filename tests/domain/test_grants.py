from datetime import date

import pytest

from domain.commands.funds import AppropriateFund
from domain.commands.households import RecordDeath
from domain.commands.payments import (
    AllocateList,
    GoodsInput,
    GrantInput,
)
from domain.commands.seasons import ChangeSeasonStandard
from domain.commands.stock import ReceiveGoods
from domain.fund import Fund
from domain.grants import (
    ItemNotInProgramme,
    NothingToGrant,
    OverAllowance,
    OverStandard,
    UnderStandard,
)
from domain.money import Source
from domain.need import (
    PersonsExceedHousehold,
)
from domain.not_enough import NotEnough
from domain.refusal import Malformed, NotFound, NotYourRole
from domain.roster import NotOnList, WrongListStage
from domain.world import Role
from tests.domain.ledger import Ledger, application, family
from tests.domain.test_seasons import adopt
from tests.id_numbers import id_number


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


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
    allocated = next(fact for fact in facts if fact.topic() == "VillageList.Allocated")
    assert allocated.deliver_by == date(2017, 12, 4), "15 working days from 13 November"
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


def test_a_refusal_about_the_standard_says_what_is_money_and_what_the_goods_are_worth(
    ledger: Ledger,
) -> None:
    """It said ¥320.00 where the officer had typed 200.00: the quilt's worth was in it unsaid."""
    county = ledger.until("approved").scenario
    goods = (GoodsInput(item="quilt", units=1),)
    counted = GrantInput(case=ledger.case("c"), cash_fen=20_000, goods=goods)
    refusal = county.when(ledger.allocation(counted), by="county").then(OverStandard)
    told = refusal.sentence("zh")
    assert "320.00 元（现金 200.00 元，物资折款 120.00 元），超过标准上限 300.00 元" in told
    told = refusal.sentence("en")
    assert "¥320.00 (¥200.00 in cash and goods worth ¥120.00)" in told and "¥300.00" in told
    money = GrantInput(case=ledger.case("c"), cash_fen=30_001)
    alone = county.when(ledger.allocation(money), by="county").then(OverStandard)
    assert "物资" not in alone.sentence("zh"), "no goods, nothing of them"


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
    rich = GrantInput(case=ledger.case("a"), cash_fen=99_999_999_999, reason="试填")
    county.when(ledger.allocation(rich), by="county").then(NotEnough)
    goods = (GoodsInput(item="quilt", units=101),)
    warm = GrantInput(case=ledger.case("a"), goods=goods, reason="试填")
    county.when(ledger.allocation(warm), by="county").then(NotEnough)


def test_an_allocation_that_lacks_money_and_goods_is_told_both_at_once(ledger: Ledger) -> None:
    county = ledger.until("approved").scenario

    def gets(name: str, cash_fen: int, **goods: int) -> GrantInput:
        given = tuple(GoodsInput(item=item, units=units) for item, units in goods.items())
        return GrantInput(case=ledger.case(name), cash_fen=cash_fen, goods=given, reason="试填")

    both = ledger.allocation(
        gets("a", 400_000_000, quilt=60),
        gets("b", 700_000_000, quilt=20),
        gets("c", 100, quilt=25, coat=2),
    )
    refusal = county.when(both, by="county").then(NotEnough)
    assert refusal.field == "grants[1].cash_fen"
    assert refusal.sentence("zh") == (
        "余额或库存不够：资金（潜财〔2017〕88号）可用 10,000,000.00 元，本次要用 11,000,001.00 元，"
        "差 1,000,001.00 元，从第 2 行起不够；棉被可用 100 床，本次要用 105 床，差 5 床，"
        "从第 3 行起不够；棉衣可用 0 件，本次要用 2 件，差 2 件，从第 3 行起不够"
    )
    assert refusal.sentence("en") == (
        "There is not enough: fund 潜财〔2017〕88号: ¥10,000,000.00 free, "
        "¥11,000,001.00 asked for, ¥1,000,001.00 short from row 2 on; "
        "quilt: 100 free, 105 asked for, 5 short from row 3 on; "
        "padded coat: 0 free, 2 asked for, 2 short from row 3 on."
    )
    exact = ledger.allocation(gets("a", 1_000_000_000, quilt=100))
    county.given(exact, by="county")


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
    there = county.id("foreign_county")
    county.given(
        AppropriateFund(
            holder=there,
            document_no="太财1号",
            amount_fen=1_000_000,
            source=Source.COUNTY,
            source_document_no="太财1号",
            earmark=("winter_spring",),
        ),
        by="foreign_county",
    )
    county.given(
        ReceiveGoods(
            warehouse=there,
            item="quilt",
            lot=county.id("foreign_lot"),
            document_no="入1号",
            owner="太湖县",
            received_on=date(2017, 10, 1),
            quantity=9,
            unit_value_fen=12_000,
        ),
        by="foreign_storekeeper",
    )
    county.when(ledger.allocation(warehouse=there), by="county").then(NotFound)
    fund = Fund.id_of("太财1号", there, False)
    county.when(ledger.allocation(fund=fund), by="county").then(NotFound)
    county.when(ledger.allocation(fund=county.id("nothing")), by="county").then(NotFound)


def test_the_allocation_is_the_county_s(ledger: Ledger) -> None:
    county = ledger.until("approved").scenario
    assert AllocateList.roles == {Role.COUNTY_APPROVER}
    county.when(ledger.allocation(), by="township").then(NotYourRole)
