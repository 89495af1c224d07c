"""Households as they are: who counts, named or not, and who has been erased."""

from datetime import date
from pathlib import Path
from typing import Any

from domain.commands.erasure import ErasePerson
from domain.commands.households import AddMember, RemoveMember
from domain.household import Household
from domain.household_members import Relation
from projections import households
from projections.asking.members import members_of
from projections.asking.scope import EVERYTHING
from projections.households import ERASED_MASK
from projections.households import households as households_page
from tests.domain.county import make_county
from tests.domain.ledger import family, member
from tests.domain.scenario import Scenario
from tests.projections.relief import fold


def forget(scenario: Scenario, name: str) -> None:
    """The last member of a household goes away and is erased."""
    found = scenario.load(Household, scenario.id(name))
    person = list(found.members)[-1]
    left = RemoveMember(household=found.id, person=person, on=date(2017, 11, 1), reason="外迁")
    scenario.given(left, by="village")
    erase = ErasePerson(person=person, reason="响应结束", document_no="1号")
    scenario.given(erase, by="county")


def shown(tmp_path: Path, scenario: Scenario) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The one household and its members, as the view has them."""
    folded = fold(tmp_path, scenario, (households.VIEW,))
    with folded.reading() as db:
        (row,) = households_page(db, EVERYTHING).items
        members = members_of(db, EVERYTHING, row["id"])
    folded.close()
    return row, members


def test_whom_a_list_only_counts_belong_to_the_size(tmp_path: Path) -> None:
    county = make_county()
    county.given(family(county, "a", 1, 1, unnamed=3), by="village")
    row, _ = shown(tmp_path, county)
    assert (row["size"], row["unnamed"]) == (4, 3)
    named = AddMember(
        household=county.id("a"), member=member(2, Relation.CHILD), counted=True, reason="补登记"
    )
    county.given(named, by="village")
    row, _ = shown(tmp_path / "later", county)
    assert (row["size"], row["unnamed"]) == (4, 2), "one more has a name; they are as many"
    assert row["size"] == county.load(Household, county.id("a")).size


def test_not_even_the_mask_of_an_erased_person_is_shown(tmp_path: Path) -> None:
    county = make_county()
    county.given(family(county, "a", 1, 2), by="village")
    forget(county, "a")
    row, members = shown(tmp_path, county)
    assert [one["masked"] for one in members] == ["张*三", ERASED_MASK]
    assert (row["size"], row["head_masked"]) == (1, "张*三")
