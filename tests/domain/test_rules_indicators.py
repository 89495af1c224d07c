"""Figures: read, checked all at once, compared."""

import json
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.rules.figures import FiguresMalformed, parse_figures
from domain.rules.indicators import Figures, Finding, Indicators
from tests.domain.rule_files import rule

RULES = rule(Indicators)
OLDER = rule(Indicators, version="2016")
COUNTS = st.one_of(st.none(), st.integers(0, 500).map(Decimal))


def figures(**values: int | str | None) -> Figures:
    return {key: None if value is None else Decimal(value) for key, value in values.items()}


def broken(found: tuple[Finding, ...]) -> set[str]:
    assert all(finding.zh and finding.en for finding in found)
    return {finding.rule for finding in found}


CONSISTENT = figures(
    affected=1200,
    dead=1,
    missing=0,
    injured=4,
    severely_injured=1,
    relocated_cumulative=300,
    relocated_current=120,
    relocated_central_cumulative=200,
    relocated_central_current=100,
    relocated_dispersed_cumulative=100,
    relocated_dispersed_current=20,
    emergency_relief_needed_cumulative=150,
    emergency_relief_needed_current=150,
    collapsed_rooms=12,
    collapsed_dwelling_rooms=8,
    collapsed_households=3,
    crops_affected="310.50",
    crops_damaged="120.25",
    crops_lost="40",
    grain_affected="200",
    loss_total="560.00",
    loss_homes="100",
    loss_farming="300",
    loss_industry="0",
    loss_infrastructure="160",
    loss_public_services="0",
    loss_other="0",
)


def test_consistent_figures_break_no_rule() -> None:
    assert RULES.check(CONSISTENT) == ()
    assert RULES.check({}) == ()


def test_unknown_is_not_zero() -> None:
    split = figures(relocated_cumulative=300, relocated_central_cumulative=200)
    assert RULES.check(split | {"relocated_dispersed_cumulative": None}) == ()
    zero = RULES.check(split | figures(relocated_dispersed_cumulative=0))
    assert broken(zero) == {"relocated-split-cumulative"}


def test_known_parts_above_their_whole_are_broken_whatever_is_missing() -> None:
    found = RULES.check(figures(relocated_cumulative=100, relocated_central_cumulative=101))
    assert broken(found) == {"relocated-split-cumulative"}


# one broken figure for each rule of §1.6, and the rule it must name
BREAKS = [
    ({"relocated_central_cumulative": 199}, "relocated-split-cumulative"),
    ({"relocated_dispersed_current": 21}, "relocated-split-current"),
    ({"dead": 1201}, "within-affected"),
    ({"missing": 1201}, "within-affected"),
    ({"injured": 1201}, "within-affected"),
    ({"affected": 299}, "within-affected"),
    ({"emergency_relief_needed_cumulative": 1201}, "within-affected"),
    ({"drought_water_needed_cumulative": 1201}, "within-affected"),
    ({"severely_injured": 5}, "severely-injured-within-injured"),
    ({"crops_damaged": "310.51"}, "crops-damaged-within-affected"),
    ({"crops_lost": "120.26"}, "crops-lost-within-damaged"),
    ({"grain_affected": "310.51"}, "grain-within-crops-affected"),
    ({"grain_damaged": "200.01"}, "grain-damaged-within-affected"),
    ({"grain_damaged": 10, "grain_lost": 11}, "grain-lost-within-damaged"),
    ({"grain_damaged": 121}, "grain-within-crops-damaged"),
    ({"grain_lost": 41}, "grain-within-crops-lost"),
    ({"collapsed_dwelling_rooms": 13}, "collapsed-dwellings-within-rooms"),
    (
        {"severely_damaged_rooms": 1, "severely_damaged_dwelling_rooms": 2},
        "severely-damaged-dwellings-within-rooms",
    ),
    (
        {"slightly_damaged_rooms": 1, "slightly_damaged_dwelling_rooms": 2},
        "slightly-damaged-dwellings-within-rooms",
    ),
    (
        {"drought_relief_needed_cumulative": 1, "drought_water_needed_cumulative": 2},
        "drought-water-within-relief-cumulative",
    ),
    (
        {"drought_relief_needed_current": 1, "drought_water_needed_current": 2},
        "drought-water-within-relief-current",
    ),
    (
        {"livestock_dead": 3, "large_livestock_dead": 1, "small_livestock_dead": 1},
        "livestock-dead-split",
    ),
    (
        {"livestock_thirsty": 3, "large_livestock_thirsty": 3, "small_livestock_thirsty": 1},
        "livestock-thirsty-split",
    ),
    ({"loss_farming": "299.99"}, "loss-parts"),
    ({"relocated_current": 301}, "pair-relocated_current"),
    ({"shelters_cumulative": 2, "shelters_current": 3}, "pair-shelters_current"),
    ({"emergency_relief_needed_current": 151}, "pair-emergency_relief_needed_current"),
    ({"transitional_relief_needed": 151}, "transitional-within-emergency"),
    (
        {"transitional_relief_needed": 5, "transitional_women": 6},
        "groups-within-transitional",
    ),
    ({"collapsed_households": 9}, "collapsed-households-within-rooms"),
]


@pytest.mark.parametrize(("change", "expected"), BREAKS, ids=[f"{c}" for c, _ in BREAKS])
def test_each_rule_of_the_form_notices_its_break(
    change: dict[str, int | str], expected: str
) -> None:
    found = RULES.check(CONSISTENT | figures(**change))
    assert expected in broken(found)
    named = next(finding for finding in found if finding.rule == expected)
    assert set(change) & set(named.keys)


def test_every_rule_of_the_file_has_a_break_in_this_test() -> None:
    tried = {expected for _, expected in BREAKS}
    written = {r.id for r in RULES.sums} | {r.id for r in RULES.at_most}
    unlike = {
        "severely-damaged-households-within-rooms",
        "slightly-damaged-households-within-rooms",
    }
    assert written - tried == unlike, "these two differ from a tried one in the grade only"


def test_all_broken_rules_are_reported_at_once_errors_first() -> None:
    found = RULES.check(
        figures(affected=10, dead=11, injured=1, severely_injured=2, transitional_women=1)
        | figures(transitional_relief_needed=0)
    )
    assert broken(found) == {
        "within-affected",
        "severely-injured-within-injured",
        "groups-within-transitional",
    }
    assert [finding.severity for finding in found] == ["error", "error", "warning"]


def test_what_is_one_reading_or_to_be_verified_only_warns() -> None:
    for change in ({"transitional_relief_needed": 151}, {"collapsed_households": 9}):
        found = RULES.check(CONSISTENT | figures(**change))
        assert {finding.severity for finding in found} == {"warning"}


def test_a_cumulative_figure_may_not_fall_but_a_current_one_may() -> None:
    fell = CONSISTENT | figures(emergency_relief_needed_cumulative=140)
    fell = fell | figures(emergency_relief_needed_current=140)
    found = RULES.check(fell, previous=CONSISTENT)
    assert broken(found) == {"falling-emergency_relief_needed_cumulative"}
    assert RULES.check(fell) == (), "a verified report is checked without the previous one"
    vanished = CONSISTENT | {"shelters_cumulative": None}
    before = CONSISTENT | figures(shelters_cumulative=2)
    assert broken(RULES.check(vanished, previous=before)) == {"falling-shelters_cumulative"}


def test_a_county_carries_the_split_by_township() -> None:
    parts = [figures(affected=7, dead=1), figures(affected=5, dead=0)]
    assert RULES.check(figures(affected=12, dead=1), children=parts) == ()
    assert broken(RULES.check(figures(affected=13, dead=1), children=parts)) == {"split-affected"}
    assert broken(RULES.check(figures(affected=12), children=())) == {"split-affected"}
    assert RULES.check(figures(affected=0), children=()) == ()
    waiting = [figures(affected=7), figures(affected=None)]
    assert RULES.check(figures(affected=12), children=waiting) == ()
    assert broken(RULES.check(figures(affected=6), children=waiting)) == {"split-affected"}
    (unknown,) = RULES.check(figures(affected=None), children=waiting)
    assert (unknown.rule, unknown.severity) == ("split-affected", "warning")


def test_a_figure_that_does_not_add_up_over_areas_is_not_summed() -> None:
    others = tuple(one for one in RULES.indicators if one.key != "shelters_cumulative")
    one = RULES.find("shelters_cumulative")
    assert one is not None
    apart = msgspec.structs.replace(one, additive=False)
    rules = msgspec.structs.replace(RULES, indicators=(*others, apart))
    parts = [figures(shelters_cumulative=1)]
    assert rules.check(figures(shelters_cumulative=2), children=parts) == ()
    assert RULES.check(figures(shelters_cumulative=2), children=parts) != ()


def test_at_the_verified_report_rosters_and_figures_agree() -> None:
    counted = {"dead": 1, "missing": 0, "collapsed_households": 3}
    assert RULES.check(CONSISTENT, rosters=counted) == ()
    off = RULES.check(CONSISTENT, rosters=counted | {"dead": 2, "collapsed_households": 2})
    assert broken(off) == {"roster-dead", "roster-collapsed-households"}
    unknown = CONSISTENT | {"missing": None}
    assert RULES.check(unknown, rosters=counted) == ()
    assert broken(RULES.check(unknown, rosters=counted | {"missing": 1})) == {"roster-missing"}


def test_a_big_jump_needs_a_reason_and_a_small_one_does_not() -> None:
    before = figures(dead=1, affected=1000)
    assert broken(RULES.big_jumps(before, figures(dead=4, affected=1400))) == {"jump-dead"}
    assert broken(RULES.big_jumps(before, figures(affected=5000))) == {"jump-affected"}
    assert broken(RULES.big_jumps(before, figures(affected=200))) == {"jump-affected"}
    assert RULES.big_jumps(before, figures(dead=3, affected=1499)) == ()
    assert RULES.big_jumps(figures(dead=None), figures(dead=40)) == ()
    assert broken(RULES.big_jumps(figures(dead=0), figures(dead=3))) == {"jump-dead"}


@given(st.lists(st.tuples(COUNTS, COUNTS), min_size=1, max_size=5))
@settings(max_examples=80)
def test_a_whole_made_of_its_parts_is_never_broken(parts: list[tuple[Decimal, Decimal]]) -> None:
    children: list[Figures] = []
    for central, dispersed in parts:
        known = central is not None and dispersed is not None
        children.append(
            {
                "relocated_central_cumulative": central,
                "relocated_dispersed_cumulative": dispersed,
                "relocated_cumulative": central + dispersed if known else None,
            }
        )
    for child in children:
        assert RULES.check(child) == ()
    whole: Figures = {}
    for key in children[0]:
        values = [child[key] for child in children]
        known_values = [value for value in values if value is not None]
        whole[key] = sum(known_values, Decimal(0)) if None not in values else None
    errors = [f for f in RULES.check(whole, children=children) if f.severity == "error"]
    assert errors == []


@given(st.integers(0, 10**9), st.integers(0, 10**9))
@settings(max_examples=60)
def test_at_most_means_at_most(dead: int, affected: int) -> None:
    found = RULES.check({"dead": Decimal(dead), "affected": Decimal(affected)})
    assert (broken(found) == {"within-affected"}) == (dead > affected)


def test_the_older_set_has_its_own_figures_and_sums() -> None:
    assert OLDER.schema_version == "2016" and OLDER.find("trapped") and not OLDER.find("evacuated")
    within = figures(loss_total=10, loss_farming=4, loss_homes=5)
    older = within | figures(loss_industry=0, loss_infrastructure=0, loss_public_services=0)
    assert OLDER.check(older) == (), "the older set lists no other losses: whole >= parts"
    assert broken(OLDER.check(older | figures(loss_homes=7))) == {"loss-parts"}
    rooms = figures(collapsed_rooms=1, collapsed_farmhouse_rooms=2)
    assert broken(OLDER.check(rooms)) == {"collapsed-farmhouses-within-rooms"}


def test_figures_are_read_from_numbers_and_text_in_one_form() -> None:
    read = parse_figures(
        RULES,
        {"affected": "１２００", "dead": 1, "missing": None, "injured": " ", "crops_lost": 40.5},
    )
    assert read == {
        "affected": Decimal(1200),
        "dead": Decimal(1),
        "missing": None,
        "injured": None,
        "crops_lost": Decimal("40.50"),
    }
    assert msgspec.json.encode(parse_figures(RULES, {"dead": "1e3"})) == b'{"dead":"1000"}'
    assert str(parse_figures(RULES, {"dead": "-0"})["dead"]) == "0"


def test_all_values_that_cannot_be_figures_are_named_at_once() -> None:
    raw: dict[str, int | float | str | Decimal | None] = {
        "affected": "many",
        "dead": -1,
        "missing": "1.5",
        "crops_lost": "0.125",
        "injured": 10**12 + 1,
        "no_such": 1,
        "evacuated": True,
        "shelters_current": float("nan"),
        "loss_total": "1e999999",
        "trapped": 0,
    }
    with pytest.raises(FiguresMalformed) as refused:
        parse_figures(RULES, raw)
    assert {problem.key for problem in refused.value.problems} == set(raw)
    assert refused.value.count == len(raw)
    assert json.dumps(refused.value.facts())
    named = [(RULES.find(key), key) for key in raw]
    said = refused.value.sentence("zh")
    assert all((found.zh if found is not None else key) in said for found, key in named)


@given(st.dictionaries(st.sampled_from(["dead", "affected"]), COUNTS))
@settings(max_examples=40)
def test_figures_survive_the_log(read: Figures) -> None:
    assert msgspec.json.decode(msgspec.json.encode(read), type=Figures) == read
    again = parse_figures(RULES, read)
    assert msgspec.json.encode(again) == msgspec.json.encode(parse_figures(RULES, again))


@pytest.mark.parametrize(
    "typed", ["10²", "①", "½", "3 4", "12\t30", "1,5", "1_000", "١٢", "12.5.1"]
)
def test_c6_a_text_that_can_be_read_two_ways_is_no_figure(typed: str) -> None:
    with pytest.raises(FiguresMalformed):
        parse_figures(RULES, {"affected": typed})


def test_c6_a_figure_in_full_width_digits_is_one() -> None:
    assert parse_figures(RULES, {"affected": " １２０ "})["affected"] == 120
