"""What a winter has not: days, ten days, milestones, and rows of rosters that are named."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.commands.notices import PostNotice, PostSecondNotice
from domain.commands.payments import GrantInput, PayList
from domain.commands.relief_cases import NeedInput
from domain.commands.seasons import ChangeSeasonStandard, OpenSeason
from domain.commands.village_lists import (
    AppraiseList,
    ApproveList,
    CloseList,
    ReviewList,
    VerdictInput,
)
from domain.grants import (
    NoSuchPart,
    OffGuide,
    OverStandard,
    PartGranted,
    PartNotNext,
    PartsLeft,
)
from domain.need import (
    NotTenDays,
    TooManyDays,
)
from domain.notice import NoticeNotWanted
from domain.refusal import Malformed
from domain.rules.parts import part_fen, parts_of
from domain.rules.standards import Basis, Milestone, Rate, Standards, amount_fen
from domain.season import OtherHazard, OtherParts
from tests.domain.ledger import Ledger, application
from tests.domain.rule_files import rule
from tests.domain.test_programmes import applied, ledger_of
from tests.domain.test_seasons import adopt


def approved(programme: str, **need: Any) -> Ledger:
    """A list of three households, up to the county's decision."""
    ledger = ledger_of(programme)
    county = applied(ledger, **need)
    county.given(ledger.appraisal(), by="village")
    if programme not in ("emergency", "condolence"):
        county.given(PostNotice(village_list=ledger.list), by="village").wait(days=7)
    county.given(ReviewList(village_list=ledger.list), by="township")
    return _decided(ledger)


def _decided(ledger: Ledger) -> Ledger:
    ledger.scenario.given(ApproveList(village_list=ledger.list, document_no="县定1号"), by="county")
    return ledger


def paid(ledger: Ledger) -> None:
    county = ledger.scenario
    county.given(PostSecondNotice(village_list=ledger.list), by="village").wait(days=7)
    county.given(PayList(village_list=ledger.list, document_no="支1号"), by="payer")


def grant(ledger: Ledger, cash_fen: int, name: str = "a", **more: Any) -> Any:
    return ledger.allocation(GrantInput(case=ledger.case(name), cash_fen=cash_fen, **more))


def test_a_stay_elsewhere_is_paid_month_by_month_each_month_once_and_in_order() -> None:
    ledger = approved("transitional", days=75)
    county = ledger.scenario
    month = 2_000 * 3 * 30
    skipped = county.when(grant(ledger, month, part=2), by="county").then(PartNotNext)
    assert (skipped.part, skipped.next) == (2, 1)
    assert county.when(grant(ledger, month, part=4), by="county").then(NoSuchPart).parts == 3
    county.given(grant(ledger, month), by="county")
    again = county.when(grant(ledger, month, part=1), by="county").then(PartGranted)
    assert again.part == 1
    county.given(grant(ledger, month), by="county")
    rest = county.when(grant(ledger, month), by="county").then(OverStandard)
    assert rest.ceiling_fen == 3_000 * 3 * 15, "fifteen days are left"
    county.given(grant(ledger, 2_000 * 3 * 15), by="county")
    assert county.when(grant(ledger, 1), by="county").then(PartGranted).part == 3
    assert [one.part for one in ledger.load_case("a").grants.values()] == [1, 2, 3]


def test_a_part_over_its_own_ceiling_takes_a_reason_though_the_whole_would_bear_it() -> None:
    ledger = approved("transitional", days=90)
    over = 3_000 * 3 * 30 + 1
    refusal = ledger.scenario.when(grant(ledger, over), by="county").then(OverStandard)
    assert refusal.ceiling_fen == over - 1
    ledger.scenario.given(grant(ledger, over, reason="取暖期"), by="county")


def test_a_part_made_void_is_to_come_again() -> None:
    ledger = approved("drought", days=20)
    county = ledger.scenario
    county.given(grant(ledger, 18_000), by="county")
    county.given(ledger.correction("a", cash_fen=0), by="county")
    county.given(grant(ledger, 18_000, part=1), by="county")
    county.when(grant(ledger, 18_000, part=1), by="county").then(PartGranted)


def test_what_is_paid_at_once_names_no_part() -> None:
    ledger = approved("emergency")
    county = ledger.scenario
    county.when(grant(ledger, 90_000, part=1), by="county").then(NoSuchPart)
    assert county.when(grant(ledger, 90_000, part=0), by="county").then(Malformed).field == "part"
    county.given(grant(ledger, 90_000), by="county")


def test_a_list_closes_over_parts_not_granted_only_for_a_reason() -> None:
    ledger = approved("housing")
    county = ledger.scenario
    milestones = [600_000] * 3
    grants = [
        GrantInput(case=ledger.case(name), cash_fen=fen)
        for name, fen in zip("abc", milestones, strict=True)
    ]
    county.given(ledger.allocation(*grants), by="county")
    paid(ledger)
    assert county.when(CloseList(village_list=ledger.list), by="county").then(PartsLeft).count == 3
    county.given(CloseList(village_list=ledger.list, reason="均改为进城购房"), by="county")


def test_less_than_the_standard_takes_a_reason_where_it_is_no_range() -> None:
    ledger = approved("housing")
    county = ledger.scenario
    refusal = county.when(grant(ledger, 420_000), by="county").then(OffGuide)
    assert (refusal.total_fen, refusal.guide_fen) == (420_000, 600_000)
    assert "4,200.00 元" in refusal.sentence("zh") and "6,000.00 元" in refusal.sentence("zh")
    county.given(grant(ledger, 420_000, reason="另有保险赔付"), by="county")


def with_rate(ledger: Ledger, version: str, rate: dict[str, Any]) -> None:
    """The county adopts standards in which transitional relief has this rate."""
    change = {"rates": [rate]}
    ledger.scenario.given(adopt(ledger.scenario, change, version, "transitional"))


DAILY = {"key": "daily", "zh": "生活补助", "en": "daily", "basis": "person_day", "max_days": 90}


def test_a_running_list_keeps_its_months_though_the_standard_pays_by_ten_days() -> None:
    ledger = approved("transitional", days=75)
    county = ledger.scenario
    county.given(grant(ledger, 180_000), by="county")
    change = ChangeSeasonStandard(season=ledger.season, reason="新标准")
    amounts = {"amount_fen": 2_500, "ceiling_fen": 3_000}
    with_rate(ledger, "2019-1", {**DAILY, **amounts, "pay_every_days": 10})
    refusal = county.when(change, by="county").then(OtherParts)
    assert refusal.count == 1 and "生活补助" in refusal.sentence("zh")
    with_rate(ledger, "2019-2", {**DAILY, **amounts, "pay_every_days": 30})
    county.given(change, by="county")
    more = county.when(grant(ledger, 180_000), by="county").then(OffGuide)
    assert more.guide_fen == 2_500 * 3 * 30, "the second month goes by the new amount"


def test_a_list_whose_rate_is_gone_from_the_standard_can_be_closed() -> None:
    ledger = approved("transitional", days=75)
    county = ledger.scenario
    grants = [
        GrantInput(case=ledger.case(name), cash_fen=2_000 * size * 30)
        for name, size in ledger.SIZES.items()
    ]
    county.given(ledger.allocation(*grants), by="county")
    paid(ledger)
    amounts = {"amount_fen": 2_500, "ceiling_fen": 3_000}
    with_rate(ledger, "2019", {**DAILY, **amounts, "key": "another"})
    county.given(ChangeSeasonStandard(season=ledger.season, reason="新标准"), by="county")
    county.given(CloseList(village_list=ledger.list), by="county")


RATES = st.builds(
    Rate,
    key=st.just("r"),
    zh=st.just("档"),
    en=st.just("rate"),
    basis=st.sampled_from(["person_day", "person_ten_days"]),
    amount_fen=st.integers(1, 10**6),
    ceiling_fen=st.just(10**6),
    max_days=st.integers(1, 36).map(lambda tens: tens * 10),
    pay_every_days=st.integers(1, 9).map(lambda tens: tens * 10),
)


@given(RATES, st.integers(1, 9), st.integers(1, 40).map(lambda tens: tens * 10))
def test_all_parts_by_days_are_what_the_rate_gives_at_once(
    rate: Rate, persons: int, days: int
) -> None:
    parts = parts_of(rate, days)
    gave = sum(part_fen(rate, rate.amount_fen, part, persons, days) for part in parts)
    assert gave == amount_fen(rate, persons, days)


@given(st.integers(1, 10**7), st.lists(st.integers(1, 30), min_size=1, max_size=3))
def test_all_milestones_are_the_whole_amount_to_the_last_fen(fen: int, first: list[int]) -> None:
    percents = [*first, 100 - sum(first)]
    rate = Rate(
        key="r",
        zh="档",
        en="rate",
        basis="household",
        amount_fen=fen,
        ceiling_fen=fen,
        milestones=tuple(
            Milestone(key=f"m{n}", zh="节点", en="stage", percent=percent)
            for n, percent in enumerate(percents)
        ),
    )
    assert sum(part_fen(rate, fen, part, 4) for part in parts_of(rate, 1)) == fen


@pytest.mark.parametrize(
    ("basis", "more", "wrong"),
    [
        ("person_ten_days", {"max_days": 95}, "max_days"),
        ("person_ten_days", {"max_days": 90, "pay_every_days": 15}, "pay_every_days"),
        ("person", {"pay_every_days": 30}, "pay_every_days"),
        ("household", {"milestones": [("a", 60), ("b", 30)]}, "milestones"),
        ("household", {"milestones": [("a", 50), ("a", 50)]}, "milestones"),
        ("person_day", {"milestones": [("a", 100)]}, "milestones"),
    ],
)
def test_parts_that_do_not_add_up_are_no_rules(
    basis: Basis, more: dict[str, Any], wrong: str
) -> None:
    milestones = tuple(
        Milestone(key=key, zh="节点", en="stage", percent=percent)
        for key, percent in more.pop("milestones", ())
    )
    rate = Rate(
        key="r",
        zh="档",
        en="rate",
        basis=basis,
        amount_fen=1,
        ceiling_fen=1,
        milestones=milestones,
        **more,
    )
    whole = rule(Standards, "340882")
    programmes = (_with_rate(whole, rate),)
    found = [one.key for one in Standards(programmes=programmes).problems()]
    assert found and all(wrong in key for key in found), found


def _with_rate(whole: Standards, rate: Rate) -> Any:
    programme = whole.programme("emergency")
    assert programme is not None
    return msgspec.structs.replace(programme, rates=(rate,))


def test_no_more_days_than_the_rate_gives_and_a_drought_goes_by_tens() -> None:
    ledger = ledger_of("transitional")
    long = application(ledger, "a", need=NeedInput(persons=3, days=91))
    refusal = ledger.scenario.when(long, by="village").then(TooManyDays)
    assert (refusal.days, refusal.most) == (91, 90)
    ledger.scenario.given(
        application(ledger, "a", need=NeedInput(persons=3, days=90)), by="village"
    )

    ledger = ledger_of("drought")
    odd = application(ledger, "a", need=NeedInput(persons=3, days=25))
    assert ledger.scenario.when(odd, by="village").then(NotTenDays).days == 25


def test_drought_relief_is_run_for_a_drought() -> None:
    county = ledger_of("emergency").scenario
    season = OpenSeason(
        area=county.id("county"), programme="drought", year=2017, disaster=county.id("flood")
    )
    county.when(season, by="county").then(OtherHazard)


def test_an_emergency_hangs_no_notice() -> None:
    ledger = approved("emergency")
    county = ledger.scenario
    county.given(ledger.allocation(), by="county")
    county.when(PostSecondNotice(village_list=ledger.list), by="village").then(NoticeNotWanted)
    fresh = ledger_of("emergency")
    fresh.apply().scenario.given(
        AppraiseList(village_list=fresh.list, verdicts=(VerdictInput(case=fresh.case("a")),)),
        by="village",
    )
    fresh.scenario.when(PostNotice(village_list=fresh.list), by="village").then(NoticeNotWanted)
