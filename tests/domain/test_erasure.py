from uuid import UUID, uuid4

import pytest

from domain.commands.erasure import ErasePerson
from domain.commands.households import AddMember, RecordDeath, RegisterHousehold, RemoveMember
from domain.commands.officers import RegisterOfficer
from domain.household_members import Relation
from domain.person import AlreadyErased, HoldsOffice, Person, StillCounted
from domain.refusal import Malformed, NotFound, NotYourRole
from tests.domain.county import make_county
from tests.domain.ledger import family, member
from tests.domain.scenario import Scenario
from tests.domain.test_households import DAY
from tests.id_numbers import id_number


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


def test_an_erasure_is_a_fact_and_destroys_nothing_by_itself(county: Scenario) -> None:
    """What it destroys is destroyed after it is durable: `eventstore.effects`."""
    person = who(county, 2)
    (fact,) = county.when(erasing(county), by="county").then("Person.Erased")
    assert (fact.person, fact.document_no) == (person, "潜民〔2018〕60号")
    assert county.load(Person, person).erased and not county.load(Person, who(county, 1)).erased


def test_who_comes_back_after_an_erasure_is_somebody_new(county: Scenario) -> None:
    """The vault may still know the number: the fact says that this person is nobody any more."""
    person = who(county, 2)
    county.given(erasing(county), by="county")
    back = AddMember(household=county.id("a"), member=member(2, Relation.CHILD), reason="迁回")
    county.when(back, by="village").then("Household.MemberAdded", "Person.Claimed")
    assert who(county, 2) != person and not county.load(Person, who(county, 2)).erased
    assert county.load(Person, person).claims == []


def test_who_counts_in_a_household_is_not_erased(county: Scenario) -> None:
    refusal = county.when(erasing(county, 1), by="county").then(StillCounted)
    assert refusal.households == 1
    county.given(
        RecordDeath(household=county.id("a"), person=who(county, 1), on=DAY, reason="病故"),
        by="village",
    )
    county.when(erasing(county, 1), by="county").then("Person.Erased")


def test_who_holds_office_stays_answerable_by_name(county: Scenario) -> None:
    register = RegisterOfficer(
        person=uuid4(), full_name="张小一", area=county.id("yuantan_1"), id_number=id_number(2)
    )
    county.given(register, by="admin")
    county.when(erasing(county), by="county").then(HoldsOffice)


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
    unknown = ErasePerson(person=county.id("nobody"), reason="误录", document_no="1号")
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
