"""A list that gives only a head and a number of people: the others are counted, then named."""

import pytest

from domain.commands.contests import MergeHouseholds
from domain.commands.households import AddMember, RecordDeath
from domain.household import Household
from domain.household_members import Relation
from domain.refusal import Malformed
from tests.domain.county import make_county
from tests.domain.ledger import family, member
from tests.domain.scenario import Scenario


@pytest.fixture
def county() -> Scenario:
    return make_county()


def household(county: Scenario, name: str) -> Household:
    found = county.load(Household, county.id(name))
    assert isinstance(found, Household)
    return found


def test_members_whom_a_list_only_counts_belong_to_the_household(county: Scenario) -> None:
    county.given(family(county, "h1", 1, size=1, unnamed=3), by="village")
    assert household(county, "h1").size == 4


def test_naming_a_counted_member_does_not_make_the_household_larger(county: Scenario) -> None:
    county.given(family(county, "h1", 1, size=1, unnamed=1), by="village")
    named = AddMember(
        household=county.id("h1"), reason="补登姓名", member=member(2, Relation.CHILD), counted=True
    )
    county.when(named, by="village").then(Household.MemberAdded, "Person.Claimed")
    assert household(county, "h1").size == 2
    again = AddMember(
        household=county.id("h1"), reason="补登姓名", member=member(3, Relation.CHILD), counted=True
    )
    county.when(again, by="village").then(Malformed)


def test_a_count_out_of_range_is_refused(county: Scenario) -> None:
    county.when(family(county, "h1", 1, size=1, unnamed=-1), by="village").then(Malformed)


def test_counted_members_move_with_a_merger(county: Scenario) -> None:
    county.given(family(county, "h1", 1, size=1, unnamed=2), by="village")
    county.given(family(county, "h2", 2, size=1), by="village")
    county.given(
        MergeHouseholds(household=county.id("h1"), into=county.id("h2"), reason="并户"),
        by="township",
    )
    assert household(county, "h2").size == 4
    assert household(county, "h1").size == 0


def test_a_head_with_only_counted_members_left_may_die(county: Scenario) -> None:
    county.given(family(county, "h1", 1, size=1, unnamed=2), by="village")
    head = household(county, "h1").head
    assert head is not None
    death = RecordDeath(
        household=county.id("h1"), reason="死亡证明", person=head, on=county.now.date()
    )
    county.when(death, by="village").then(Household.MemberDied)
    assert household(county, "h1").size == 2
