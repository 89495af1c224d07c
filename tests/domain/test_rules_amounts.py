"""Response thresholds and relief standards."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.rules.notices import Notices
from domain.rules.standards import (
    PROGRAMMES,
    Programme,
    Rate,
    Standards,
    amount_fen,
    ceiling_fen,
    minimum_fen,
    units,
)
from domain.rules.thresholds import Thresholds
from domain.rules.working_days import WorkingDays
from tests.domain.rule_files import rule

NATION = rule(Thresholds)
COUNTY = rule(Thresholds, "340882")
ANHUI = rule(Thresholds, "340000")
STANDARDS = rule(Standards, "340882")


def programme(key: str) -> Programme:
    found = STANDARDS.programme(key)
    assert found is not None
    return found


def rate(of: str, key: str = "") -> Rate:
    found = programme(of).rate(key)
    assert found is not None
    return found


# 国办函〔2024〕11号, each of the four conditions at its edge
EDGES = [
    ({"dead": 150, "missing": 50}, 1, "dead_and_missing"),
    ({"dead": 199}, 2, "dead_and_missing"),
    ({"missing": 50}, 3, "dead_and_missing"),
    (
        {"relocated_cumulative": 1_500_000, "emergency_relief_needed_cumulative": 500_000},
        1,
        "relocated_and_in_need",
    ),
    ({"relocated_cumulative": 1_999_999}, 2, "relocated_and_in_need"),
    ({"collapsed_rooms": 200_000, "severely_damaged_rooms": 100_000}, 1, "rooms"),
    ({"collapsed_rooms": 100_000}, 3, "rooms"),
    ({"collapsed_households": 70_000}, 2, "households"),
    ({"drought_relief_needed_cumulative": 4_000_000}, 1, "drought_persons"),
]


@pytest.mark.parametrize(("values", "level", "metric"), EDGES)
def test_the_threshold_itself_is_reached(values: dict[str, int], level: int, metric: str) -> None:
    figures = {key: Decimal(value) for key, value in values.items()}
    found = {reached.condition: reached for reached in NATION.reached(figures)}
    assert found[metric].level == level
    assert found[metric].value == sum(values.values())
    assert found[metric].value >= found[metric].threshold
    assert found[metric].zh and found[metric].en


def test_one_below_the_lowest_threshold_reaches_nothing() -> None:
    assert NATION.reached({"dead": Decimal(49)}) == ()
    assert NATION.reached({"dead": None, "missing": None}) == ()
    assert NATION.reached({}) == ()


def test_a_drought_is_also_measured_by_its_share_of_the_farming_population() -> None:
    figures = {"drought_relief_needed_cumulative": Decimal(300_000)}
    (share,) = NATION.reached(figures, farming_population=1_000_000)
    assert (share.level, share.condition, share.value) == (1, "drought_share", Decimal(30))
    (share,) = NATION.reached(figures, farming_population=1_000_001)
    assert share.level == 2, "just under 30 %"
    assert NATION.reached(figures) == (), "without the population the share is not known"


def test_the_wording_of_2016_took_the_larger_of_two_figures() -> None:
    metric = NATION.metrics[1]
    older = msgspec.structs.replace(
        NATION, metrics=(msgspec.structs.replace(metric, by="largest"),)
    )
    figures = {
        "relocated_cumulative": Decimal(600_000),
        "emergency_relief_needed_cumulative": Decimal(900_000),
    }
    assert [(r.level, r.value) for r in older.reached(figures)] == [(3, Decimal(900_000))]
    assert NATION.reached(figures)[0].value == Decimal(1_500_000)


def test_the_gravest_condition_comes_first_and_any_one_suffices() -> None:
    figures = {"dead": Decimal(5), "collapsed_rooms": Decimal(100)}
    found = COUNTY.reached(figures)
    assert [(r.level, r.condition) for r in found] == [(2, "dead_and_missing"), (4, "rooms")]


def test_values_to_be_verified_are_only_in_the_example() -> None:
    twenty = {"dead": Decimal(20)}
    assert NATION.reached(twenty) == ()
    assert [r.level for r in ANHUI.reached(twenty)] == [4]
    assert (NATION.measured_over, COUNTY.measured_over) == ("province", "county")


@given(st.integers(0, 3000), st.integers(0, 3000))
@settings(max_examples=60)
def test_more_suffering_never_reaches_a_milder_level(dead: int, more: int) -> None:
    def gravest(count: int) -> int:
        found = COUNTY.reached({"dead": Decimal(count)})
        return found[0].level if found else 5

    assert gravest(dead + more) <= gravest(dead)


def test_the_six_programmes_are_there_and_marked_as_example() -> None:
    assert {found.key for found in STANDARDS.programmes} == set(PROGRAMMES)
    assert all(found.example for found in STANDARDS.programmes)
    assert STANDARDS.programme("lottery") is None


def test_winter_relief_allows_the_published_average_and_asks_above_three_hundred_yuan() -> None:
    living = rate("winter_spring")
    average = Decimal(374_000_000) / 27_808  # fen a person: the published totals of 潜山
    assert living.minimum_fen < average < living.ceiling_fen == 30_000
    assert ceiling_fen(living, persons=3) == 90_000
    assert minimum_fen(living, persons=3) == 6_000
    assert amount_fen(living, persons=2) == 26_000


def test_winter_relief_runs_from_december_to_may_through_all_six_steps() -> None:
    winter = programme("winter_spring")
    assert winter.window_from and winter.window_to and winter.assess_by
    assert winter.window_from.in_year(2017) == date(2017, 12, 1)
    assert winter.window_to.in_year(2018) == date(2018, 5, 31)
    assert winter.assess_by.in_year(2017) == date(2017, 10, 31)
    assert len(winter.steps) == 6 and winter.pay_before_spring_festival
    assert (winter.first_notice_days, winter.second_notice_days) == (7, 7)
    assert winter.is_for("ordinary") and not winter.needs_disaster


def test_emergency_relief_is_not_held_up_by_notices() -> None:
    urgent = programme("emergency")
    assert not urgent.requires("first_notice") and not urgent.requires("appraisal")
    assert urgent.requires("township_review") and urgent.requires("county_approval")
    assert urgent.first_notice_days == urgent.second_notice_days == 0


def test_units_follow_the_basis() -> None:
    daily = rate("transitional")
    assert units(daily, persons=3, days=30) == 90
    assert ceiling_fen(daily, persons=1, days=200) == ceiling_fen(daily, persons=1, days=90)
    assert amount_fen(rate("housing"), persons=5) == 2_000_000, "a home, however many live in it"
    assert amount_fen(rate("housing", "slight"), persons=5) == 200_000
    assert amount_fen(rate("condolence"), persons=4, count=2) == 2_000_000
    assert programme("housing").rate("palace") is None


def test_only_goods_of_the_programme_may_be_given() -> None:
    quilts = programme("winter_spring").allowance("quilt")
    assert quilts is not None and quilts.per_person == 2
    assert programme("winter_spring").allowance("tent_12") is None


@given(st.sampled_from(PROGRAMMES), st.integers(1, 12), st.integers(1, 120), st.integers(1, 5))
@settings(max_examples=80)
def test_minimum_guide_and_ceiling_keep_their_order(
    key: str, persons: int, days: int, count: int
) -> None:
    for one in programme(key).rates:
        low = minimum_fen(one, persons, days, count)
        assert (
            low <= amount_fen(one, persons, days, count) <= ceiling_fen(one, persons, days, count)
        )


def test_a_notice_hangs_at_least_its_days_and_is_withdrawn_later() -> None:
    notices = rule(Notices, "340882")
    posted = datetime(2017, 11, 1, 8, tzinfo=UTC)
    assert notices.ends_at(posted, 3) == posted + timedelta(days=7), "the floor"
    assert notices.ends_at(posted, 10) == posted + timedelta(days=10)
    assert notices.withdraw_at(posted) == posted + timedelta(days=30)
    assert not set(notices.shown) & set(notices.never_shown)


def test_money_must_reach_people_before_the_spring_festival_of_the_season() -> None:
    assert rule(WorkingDays).spring_festival(2018) == date(2018, 2, 16)
