"""Rulebooks: versions with validity, the nearest area wins, typed once."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest

from domain.area import AreaAbolished
from domain.commands.areas import AbolishArea
from domain.commands.rulebooks import AdoptRulebook, ConfirmRulebook
from domain.refusal import Malformed, NotFound, NotYourRole
from domain.rulebook import Rulebook, VersionAdopted
from domain.rules.loading import RulebookInvalid, parse_rulebook
from domain.rules.notices import Notices
from domain.rules.standards import Standards
from domain.rules.thresholds import Thresholds
from domain.world import InForce, RuleRef
from eventstore.deciding import DecisionWorld
from tests.domain.county import make_county
from tests.domain.scenario import Scenario

IN_2030 = datetime(2030, 6, 1, tzinfo=UTC)


@pytest.fixture
def county() -> Scenario:
    """The county with a national book for 2028 to 2032 and nothing nearer that reaches there."""
    return make_county().given(adopt(make_county(), "nation", "national"))


def adopt(county: Scenario, area: str, version: str, **other: Any) -> AdoptRulebook:
    values: dict[str, Any] = {
        "kind": "notices",
        "document_no": f"测试〔2029〕{version}号",
        "valid_from": date(2029, 1, 1),
        "content": {"minimum_days": 7, "withdraw_after_days": 30, "shown": ["name_masked"]},
    }
    return AdoptRulebook(area=county.id(area), version=version, **(values | other))


def rules(county: Scenario, area: str, at: datetime = IN_2030) -> InForce[Notices]:
    world = DecisionWorld(county.load, county.vault, county.now, uuid4())
    return world.rules(Notices, county.id(area), at)


def test_a_rulebook_opens_with_its_first_version(county: Scenario) -> None:
    county.when(adopt(county, "yuantan", "1"), by="admin").then(
        "Rulebook.Opened", "Rulebook.Adopted"
    )
    county.when(adopt(county, "yuantan", "2"), by="admin").then("Rulebook.Adopted")
    assert county.load(Rulebook, county.result["rulebook"]).home == county.id("yuantan")


def test_only_an_administrator_there_or_above_adopts(county: Scenario) -> None:
    county.when(adopt(county, "county", "local"), by="county").then(NotYourRole)
    county.when(adopt(county, "county", "local"), by="foreign_admin").then(NotFound)
    county.when(adopt(county, "nation", "local"), by="city_admin").then(NotFound)


def test_a_decision_gets_typed_content_and_its_reference(county: Scenario) -> None:
    found = rules(county, "nation")
    assert isinstance(found.rule, Notices)
    assert found.rule.minimum_days == 7
    assert found.ref == RuleRef("notices", "national", "测试〔2029〕national号")


def test_a_township_overrides_the_areas_above_for_itself_and_below(county: Scenario) -> None:
    county.given(adopt(county, "city", "city"))
    county.given(adopt(county, "yuantan", "local"), by="admin")
    confirmed = ConfirmRulebook(
        rulebook=county.result["rulebook"], version="local", document_no="潜应急〔2029〕1号"
    )
    county.given(confirmed, by="county")
    assert rules(county, "yuantan_1").ref.version == "local"
    assert rules(county, "yuantan").ref.version == "local"
    assert rules(county, "foreign_village").ref.version == "city"
    assert rules(county, "province").ref.version == "national"


def test_outside_its_validity_a_local_book_gives_way(county: Scenario) -> None:
    short = adopt(county, "yuantan", "short", valid_to=date(2029, 12, 31))
    county.given(short)
    last = datetime(2029, 12, 31, 15, 59, tzinfo=UTC)
    assert rules(county, "yuantan", last).ref.version == "short", "23:59 in China"
    over = datetime(2029, 12, 31, 16, 0, tzinfo=UTC)
    assert rules(county, "yuantan", over).ref.version != "short", "midnight in China"


def test_of_two_versions_in_force_the_one_adopted_last_wins(county: Scenario) -> None:
    later = adopt(county, "yuantan", "1", valid_from=date(2030, 1, 1))
    county.given(later, adopt(county, "yuantan", "2"))
    assert rules(county, "yuantan").ref.version == "2"


def test_an_old_decision_finds_the_version_of_its_day(county: Scenario) -> None:
    county.given(
        adopt(county, "yuantan", "1"), adopt(county, "yuantan", "2", valid_from=date(2030, 5, 1))
    )
    assert rules(county, "yuantan", datetime(2030, 4, 30, 15, tzinfo=UTC)).ref.version == "1"
    assert rules(county, "yuantan", datetime(2030, 4, 30, 16, tzinfo=UTC)).ref.version == "2"


def test_before_every_version_the_nearest_counts_and_says_so(county: Scenario) -> None:
    found = rules(county, "nation", datetime(1990, 1, 1, tzinfo=UTC))
    assert found.nearest
    assert not rules(county, "nation", county.now).nearest


@pytest.mark.parametrize("kind", [Standards, Thresholds])
def test_money_and_response_levels_are_never_guessed(county: Scenario, kind: type) -> None:
    world = DecisionWorld(county.load, county.vault, county.now, uuid4())
    with pytest.raises(NotFound):
        world.rules(kind, county.id("nation"), datetime(1990, 1, 1, tzinfo=UTC))


def test_content_is_typed_once(county: Scenario) -> None:
    book = county.load(Rulebook, Rulebook.id_of(county.id("nation"), "notices"))
    first = book.in_force(Notices, IN_2030)
    assert first is not None
    assert book.in_force(Notices, IN_2030) is first
    again = county.load(Rulebook, book.id).in_force(Notices, IN_2030)
    assert again.rule is first.rule, "a replay of the same stream types nothing again"


def test_a_version_is_adopted_once(county: Scenario) -> None:
    refusal = county.when(adopt(county, "nation", "national")).then(VersionAdopted)
    assert (refusal.kind, refusal.version) == ("notices", "national")


def test_content_that_does_not_fit_its_kind_is_refused_with_its_key(county: Scenario) -> None:
    good = adopt(county, "county", "bad")
    bad = replace(good, content=good.content | {"minimum_days": "seven"})
    assert county.when(bad, by="admin").then(RulebookInvalid).key == "minimum_days"
    unknown = replace(good, kind="weather")
    assert county.when(unknown, by="admin").then(RulebookInvalid).key == "kind"


@pytest.mark.parametrize("field", ["version", "document_no"])
def test_a_version_has_a_name_and_a_document(county: Scenario, field: str) -> None:
    blank: Any = {field: " "}
    command = replace(adopt(county, "county", "1"), **blank)
    assert county.when(command).then(Malformed).field == field


def test_a_validity_does_not_end_before_it_begins(county: Scenario) -> None:
    backwards = adopt(county, "county", "back", valid_to=date(2028, 12, 31))
    assert county.when(backwards).then(Malformed).field == "valid_to"


def test_an_abolished_area_adopts_nothing(county: Scenario) -> None:
    day = date(2018, 7, 1)
    county.given(AbolishArea(area=county.id("shuihou"), effective_on=day, document_no="测试"))
    county.when(adopt(county, "shuihou", "1")).then(AreaAbolished)
    county.when(adopt(county, "nowhere", "1")).then(NotFound)


@pytest.mark.parametrize(
    "value",
    ["[" * 2_000, "{a=" * 2_000, "9" * 5_000, "{" + "a." * 50 + "a=1}", "1\n[" + "'a' . " * 50],
)
def test_what_the_reader_of_toml_cannot_take_is_a_mistake_of_the_text(value: str) -> None:
    with pytest.raises(RulebookInvalid) as refused:
        parse_rulebook("text", f"x = {value}")
    assert "嵌套过深" in refused.value.sentence("zh")
