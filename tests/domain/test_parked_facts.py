"""Dropping a parked fact: only the system's, once, with a reason and a name."""

from typing import Any

import pytest

from domain.commands.parked_facts import DropParkedFact
from domain.parked_facts import AlreadyDropped, ParkedFacts
from domain.refusal import Malformed, NotFound, NotYourRole
from tests.domain.county import make_county
from tests.domain.scenario import Scenario


@pytest.fixture
def county() -> Scenario:
    return make_county()


def drop(county: Scenario, position: int = 7, **other: Any) -> DropParkedFact:
    values: dict[str, Any] = {
        "area": county.id("nation"),
        "view": "stock",
        "reason": "录入程序的错误",
        "operator": "keeper",
    }
    return DropParkedFact(position=position, **(values | other))


def test_the_first_drop_opens_the_list_of_its_view(county: Scenario) -> None:
    county.when(drop(county)).then("ParkedFacts.Opened", "ParkedFacts.Dropped")
    county.when(drop(county, 9)).then("ParkedFacts.Dropped")
    assert county.load(ParkedFacts, ParkedFacts.id_of("stock")).dropped == {7, 9}


def test_each_view_has_its_own(county: Scenario) -> None:
    county.given(drop(county))
    county.when(drop(county, view="funds")).then("ParkedFacts.Opened", "ParkedFacts.Dropped")


def test_a_fact_is_dropped_once(county: Scenario) -> None:
    county.given(drop(county))
    county.when(drop(county, reason="again")).then(AlreadyDropped)


@pytest.mark.parametrize(
    "wrong", [{"reason": "  "}, {"operator": ""}, {"view": ""}, {"position": 0}]
)
def test_it_needs_a_reason_a_name_and_a_position(county: Scenario, wrong: dict[str, Any]) -> None:
    county.when(drop(county, **wrong)).then(Malformed)


def test_no_post_may_do_it(county: Scenario) -> None:
    for officer in ("admin", "county"):
        county.when(drop(county, area=county.id("county")), by=officer).then(NotYourRole)


def test_it_names_an_area_that_exists(county: Scenario) -> None:
    elsewhere = county.id("no such area")
    county.when(drop(county, area=elsewhere)).then(NotFound)
