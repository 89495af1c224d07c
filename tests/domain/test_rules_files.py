"""The rulebook files hold together, and a bad one is told everything at once."""

import json
from decimal import Decimal

import msgspec
import pytest

from domain.rules.hazards import Hazards
from domain.rules.household_kinds import HouseholdKinds
from domain.rules.indicators import Indicators
from domain.rules.items import Items
from domain.rules.loading import (
    TYPES,
    RulebookInvalid,
    check_content,
    check_together,
    parse_rulebook,
)
from domain.rules.standards import Standards
from domain.rules.thresholds import Thresholds
from tests.domain.rule_files import all_files, rule

HEADER = """
version = "1"
document_no = "例〔2018〕1号"
area = "340882"
valid_from = 2018-01-01
"""


def keys(name: str, text: str) -> set[str]:
    with pytest.raises(RulebookInvalid) as refused:
        parse_rulebook(name, text)
    assert refused.value.file == name
    assert json.dumps(refused.value.facts(), ensure_ascii=False)
    assert name in refused.value.sentence("zh") and name in refused.value.sentence("en")
    assert all(problem.key in refused.value.problem_en for problem in refused.value.problems)
    return {problem.key for problem in refused.value.problems}


def test_every_file_parses_and_every_kind_is_there() -> None:
    assert {book.kind for book in all_files()} == set(TYPES)
    assert {book.area_code for book in all_files()} == {"nation", "340000", "340882", "example"}
    assert check_together(list(all_files())) == []


def test_content_comes_back_from_the_log_as_it_was_adopted() -> None:
    for book in all_files():
        logged = msgspec.json.decode(msgspec.json.encode(book.content))
        assert msgspec.convert(logged, TYPES[book.kind]) == book.typed
        assert check_content(book.name, book.kind, logged) == book.typed


def test_the_rules_of_the_demo_are_valid_from_2016_on() -> None:
    for book in all_files():
        if book.area_code == "example":
            continue
        if book.area_code != "340882" and (book.kind, book.version) in (
            ("indicators", "2020"),
            ("thresholds", "2024"),
            ("thresholds", "example-2024"),
        ):
            continue
        assert book.valid_from.year == 2016, book.name


def test_what_is_an_example_says_so_and_lies_in_a_folder_of_examples() -> None:
    for book in all_files():
        regional = book.name.startswith(("rules/regional/", "rules/examples/"))
        assert regional == (book.area_code != "nation")
        assert regional == ("示例" in book.document_no)


def test_all_problems_of_a_file_are_named_at_once() -> None:
    text = f"""kind = "deadlines"{HEADER}
surprise = 1
drought_every_days = 0
verified = [ {{ level = "county", working_days = "two" }} ]
initial = [
  {{ level = "parish", start = "occurrence", minutes = 120 }},
  {{ level = "county", start = "occurrence", minutes = -1, hours = 2 }},
]
"""
    assert keys("bad.toml", text) == {
        "surprise",
        "drought_every_days",
        "verified[0].working_days",
        "initial[0].level",
        "initial[1].minutes",
        "initial[1].hours",
        "follow_up",
    }


def test_a_bad_header_is_named_with_the_rest() -> None:
    text = 'kind = "notices"\nversion = ""\narea = "nation"\nvalid_from = "soon"\nshown = [1]\n'
    assert keys("bad.toml", text) == {
        "version",
        "document_no",
        "valid_from",
        "minimum_days",
        "withdraw_after_days",
        "shown[0]",
    }
    assert keys("bad.toml", f'kind = "horoscopes"{HEADER}') == {"kind"}
    assert keys("bad.toml", "kind = [") == {""}
    early = f'kind = "hazards"{HEADER}valid_to = 2017-12-31\nhazards = []\n'
    assert keys("bad.toml", early) == {"valid_to"}


def test_content_of_a_command_is_checked_like_a_file() -> None:
    for kind, content, key in (
        ("horoscopes", {}, "kind"),
        ("hazards", {"hazards": [], "extra": 1}, "extra"),
        ("notices", {"minimum_days": 7, "withdraw_after_days": 1, "shown": ["goods"]}, "shown"),
    ):
        with pytest.raises(RulebookInvalid) as refused:
            check_content("adopted", kind, content)
        assert refused.value.key == key


def problem_keys(typed: Hazards | Indicators | Items | Standards | Thresholds) -> set[str]:
    return {problem.key for problem in typed.problems()}


def test_indicator_rules_name_only_indicators_of_their_file() -> None:
    rules = rule(Indicators)
    fewer = tuple(one for one in rules.indicators if one.key != "relocated_cumulative")
    assert problem_keys(msgspec.structs.replace(rules, indicators=fewer)) == {
        "sums.relocated-split-cumulative",
        "at_most.within-affected",
        "jumps[2]",
        "indicators.relocated_current.pair",
    }
    dead = rules.find("dead")
    assert dead is not None
    lonely = msgspec.structs.replace(dead, clock="current")
    others = tuple(one for one in rules.indicators if one.key != "dead")
    broken = msgspec.structs.replace(rules, indicators=(lonely, *others, others[0]))
    assert problem_keys(broken) == {"indicators.dead.pair", "indicators"}


def test_thresholds_grow_with_the_gravity_and_name_known_metrics() -> None:
    rules = rule(Thresholds)
    first = msgspec.structs.replace(rules.conditions[0], at_least=1)
    strange = msgspec.structs.replace(rules.conditions[0], metric="luck")
    changed = msgspec.structs.replace(rules, conditions=(first, *rules.conditions[1:], strange))
    assert problem_keys(changed) == {"conditions", f"conditions[{len(rules.conditions)}].metric"}


@pytest.mark.parametrize("said", ["NaN", "sNaN", "Infinity", "-1", "1E+400000"])
def test_a_threshold_that_is_no_number_of_people_or_rooms_is_refused(said: str) -> None:
    """NaN can be compared with nothing: every question about a response would fail."""
    rules = rule(Thresholds)
    wrong = msgspec.structs.replace(rules.conditions[0], at_least=Decimal(said))
    for conditions in ((wrong,), (wrong, *rules.conditions[1:])):
        changed = msgspec.structs.replace(rules, conditions=conditions)
        assert problem_keys(changed) == {"conditions[0].at_least"}


def test_two_levels_with_one_threshold_are_refused() -> None:
    rules = rule(Thresholds)
    equal = tuple(msgspec.structs.replace(c, at_least=7) for c in rules.conditions)
    assert problem_keys(msgspec.structs.replace(rules, conditions=equal)) == {"conditions"}


def test_a_programme_whose_amounts_or_steps_disagree_is_refused() -> None:
    rules = rule(Standards, "340882")
    winter = rules.programmes[0]
    low = msgspec.structs.replace(winter.rates[0], ceiling_fen=1)
    steps = tuple(s for s in winter.steps if s not in ("second_notice", "county_approval"))
    changed = msgspec.structs.replace(winter, rates=(low,), steps=steps)
    assert problem_keys(Standards(programmes=(changed, changed))) == {
        "programmes",
        "programmes.winter_spring.rates.living",
        "programmes.winter_spring.second_notice_days",
        "programmes.winter_spring.steps",
    }


def test_catalogues_refuse_a_name_that_means_two_things() -> None:
    items = rule(Items)
    clash = msgspec.structs.replace(items.items[0], key="other", aliases=())
    assert problem_keys(msgspec.structs.replace(items, items=(*items.items, clash))) == {"items"}
    hazards = rule(Hazards)
    twice = msgspec.structs.replace(hazards, hazards=(*hazards.hazards, hazards.hazards[0]))
    assert problem_keys(twice) == {"hazards"}


def test_overlapping_versions_of_one_kind_and_area_are_noticed() -> None:
    books = [book for book in all_files() if book.kind == "indicators"]
    endless = [msgspec.structs.replace(book, valid_to=None) for book in books]
    (problem,) = check_together(endless)
    same_day = [
        msgspec.structs.replace(book, valid_to=book.valid_to and books[1].valid_from)
        for book in books
    ]
    assert len(check_together(same_day)) == 1, "valid_to is the last day of validity"
    assert "indicators-2016" in problem.key and "indicators-2020" in problem.en


def test_hazards_are_labelled_as_official_exports_write_them() -> None:
    hazards = rule(Hazards, "340882")
    assert hazards.label("flood") == "洪涝灾害-其他"
    assert hazards.label("flood", "flash_flood") == "洪涝灾害-山洪"
    assert hazards.label("flood", "flash_flood", "en") == "flood - flash flood"
    assert hazards.knows("flood", "flash_flood") and not hazards.knows("flood", "hail")
    assert not rule(Hazards).knows("flood", "flash_flood"), "sub-kinds are adopted locally"
    assert hazards.is_drought("drought") and not hazards.is_drought("flood")
    assert not hazards.knows("locusts")


def test_lists_call_household_kinds_and_items_by_many_names() -> None:
    kinds = rule(HouseholdKinds, "340882")
    for name in ("五保户", " 特困 ", "extreme_poverty"):
        found = kinds.by_name(name)
        assert found is not None and (found.key, found.tier) == ("extreme_poverty", "priority")
    assert kinds.by_name("富裕户") is None and not kinds.knows("rich")
    items = rule(Items, "340882")
    for name in ("棉被", "被子", "quilt"):
        found_item = items.by_name(name)
        assert found_item is not None and (found_item.key, found_item.unit_zh) == ("quilt", "床")
    assert items.by_name("黄金") is None
    assert items.find("quilt").unit_value_fen > 0  # type: ignore[union-attr]
    assert rule(Items).find("quilt").unit_value_fen == 0  # type: ignore[union-attr]
