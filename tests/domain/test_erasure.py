from uuid import UUID

import pytest

from domain.commands.erasure import ErasePerson
from domain.commands.households import RecordDeath, RegisterHousehold, RemoveMember
from domain.commands.officers import RegisterOfficer
from domain.household import Household, Relation
from domain.person import AlreadyErased, HoldsOffice, Person, StillCounted
from domain.refusal import Malformed, NotFound, NotYourRole
from tests.domain.county import make_county
from tests.domain.ledger import family, id_number, member
from tests.domain.scenario import Scenario
from tests.domain.test_households import DAY


@pytest.fixture
def county() -> Scenario:
    """Household a of yuantan_1, from which person 2 has gone away."""
    county = make_county()
    county.given(family(county, "a", 1, 2), by="village")
    left = RemoveMember(household=county.id("a"), person=who(county, 2), on=DAY, reason="外迁")
    return county.given(left, by="village")


def who(county: Scenario, serial: int) -> UUID:
    return county.vault.tokens[id_number(serial)]


def erasing(county: Scenario, serial: int = 2, **more: str) -> ErasePerson:
    values = {"reason": "应急响应结束", "document_no": "潜民〔2018〕60号"} | more
    return ErasePerson(person=who(county, serial), **values)


def sealed_texts(county: Scenario, person: UUID) -> list[str | None]:
    """What the facts of household a still tell of a person's name and ID number."""
    registered = next(f for f in county.facts if isinstance(f, Household.Registered))
    found = next(one for one in registered.members if one.person == person)
    boxes = ((found.name, "name"), (found.id_number, "id_number"))
    return [county.vault.unseal(box, county.id("a"), field) for box, field in boxes if box]


def test_who_is_erased_is_noise_in_the_log_and_nobody_s_to_be_found(county: Scenario) -> None:
    person = who(county, 2)
    assert None not in sealed_texts(county, person)
    (fact,) = county.when(erasing(county), by="county").then("Person.Erased")
    assert (fact.person, fact.document_no) == (person, "潜民〔2018〕60号")
    assert sealed_texts(county, person) == [None, None]
    assert person not in county.vault.names
    assert None not in sealed_texts(county, who(county, 1)), "the others are untouched"


def test_who_counts_in_a_household_is_not_erased(county: Scenario) -> None:
    refusal = county.when(erasing(county, 1), by="county").then(StillCounted)
    assert refusal.households == 1
    assert county.vault.erased == set(), "a refused command destroys nothing"
    county.given(
        RecordDeath(household=county.id("a"), person=who(county, 1), on=DAY, reason="病故"),
        by="village",
    )
    county.when(erasing(county, 1), by="county").then("Person.Erased")


def test_who_holds_office_stays_answerable_by_name(county: Scenario) -> None:
    person = who(county, 2)
    register = RegisterOfficer(person=person, full_name="张小一", area=county.id("yuantan_1"))
    county.given(register, by="admin")
    county.when(erasing(county), by="county").then(HoldsOffice)
    assert county.vault.erased == set()


@pytest.mark.parametrize("other", ["village", "township", "payer", "auditor", "admin"])
def test_only_the_agency_that_decides_destroys(county: Scenario, other: str) -> None:
    refusal = county.when(erasing(county), by=other).outcome
    assert isinstance(refusal, NotYourRole | NotFound)
    county.when(erasing(county), by="foreign_county").then(NotFound)


def test_it_takes_a_reason_and_a_document_and_happens_once(county: Scenario) -> None:
    county.when(erasing(county, reason=" "), by="county").then(Malformed)
    county.when(erasing(county, document_no=""), by="county").then(Malformed)
    county.given(erasing(county), by="county")
    county.when(erasing(county), by="county").then(AlreadyErased)
    unknown = ErasePerson(person=county.id("nobody"), reason="误", document_no="1号")
    county.when(unknown, by="county").then(NotFound)


def test_a_drill_s_claim_keeps_the_person_too(county: Scenario) -> None:
    drill: RegisterHousehold = family(
        county, "drill", 20, members=(member(20), member(2, Relation.CHILD)), exercise=True
    )
    county.given(drill, by="village")
    county.when(erasing(county), by="county").then(StillCounted)
    person = who(county, 2)
    left = RemoveMember(household=county.id("drill"), person=person, on=DAY, reason="演练结束")
    county.given(left, by="village")
    county.when(erasing(county), by="county").then("Person.Erased", "Person.Erased")
    assert county.load(Person, person).erased
