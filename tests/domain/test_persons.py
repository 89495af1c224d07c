from uuid import UUID

import pytest

from domain.commands.contests import MergeHouseholds, ResolveContest
from domain.commands.households import AddMember, RemoveMember
from domain.household import Household
from domain.household_members import Relation
from domain.person import NotAClaimant, NotContested, Person
from domain.refusal import NotFound, NotYourRole
from tests.domain.county import make_county
from tests.domain.ledger import family, member
from tests.domain.scenario import Scenario
from tests.domain.test_households import DAY
from tests.id_numbers import id_number


@pytest.fixture
def county() -> Scenario:
    """Household a of yuantan_1 with persons 1 and 2; b of yuantan_2 claims person 2 too."""
    county = make_county()
    county.given(family(county, "a", 1, 2), by="village")
    command = family(
        county, "b", 20, village="yuantan_2", members=(member(20), member(2, Relation.CHILD))
    )
    county.when(command, by="village2")
    return county


def shared(county: Scenario) -> UUID:
    return county.vault.tokens[id_number(2)]


def contested(county: Scenario, name: str) -> set[UUID]:
    found = county.load(Household, county.id(name))
    assert isinstance(found, Household)
    return found.contested


def decision(county: Scenario, keep: str | None, person: UUID | None = None) -> ResolveContest:
    return ResolveContest(
        person=person or shared(county),
        keep=county.id(keep) if keep else None,
        reason="已查户口簿",
        document_no="潜民〔2018〕3号",
    )


def test_a_second_claim_is_accepted_as_contested(county: Scenario) -> None:
    county.then(
        "Household.Registered",
        "Household.MemberContested",
        "Person.Claimed",
        "Person.Contested",
        "Household.MemberContested",
    )
    assert contested(county, "a") == contested(county, "b") == {shared(county)}
    assert county.result["contested"] == [shared(county)]


def test_neither_side_sees_the_other_s_household(county: Scenario) -> None:
    for side, other in (("a", "b"), ("b", "a")):
        logged = b"".join(body for _, body in county.streams[county.id(side)]).decode()
        assert str(county.id(other)) not in logged
    assert str(county.id("a")) not in str(county.result)
    told = b"".join(body for _, body in county.streams[shared(county)]).decode()
    assert str(county.id("a")) in told and str(county.id("b")) in told


def test_somebody_above_both_decides(county: Scenario) -> None:
    for one in ("village", "village2", "foreign_county"):
        county.when(decision(county, "a"), by=one).then(NotFound)
    county.when(decision(county, "a"), by="township").then(NotYourRole)
    county.when(decision(county, "a"), by="county").then(
        "Person.Resolved", "Household.ContestSettled", "Household.ContestSettled"
    )
    a, b = (county.load(Household, county.id(name)) for name in "ab")
    assert (a.size, b.size) == (2, 1)
    assert a.contested == b.contested == set()


def test_neither_may_keep_the_person(county: Scenario) -> None:
    county.given(decision(county, None), by="county")
    assert [county.load(Household, county.id(name)).size for name in "ab"] == [1, 1]
    person = county.load(Person, shared(county))
    assert person.claims == []


def test_only_a_contest_is_decided_and_only_for_a_claimant(county: Scenario) -> None:
    county.when(decision(county, "x"), by="county").then(NotAClaimant)
    alone = county.vault.tokens[id_number(1)]
    county.when(decision(county, "a", alone), by="county").then(NotContested)


def test_a_contest_ends_when_one_side_gives_up(county: Scenario) -> None:
    leave = RemoveMember(household=county.id("b"), person=shared(county), on=DAY, reason="登记有误")
    county.when(leave, by="village2").then(
        "Household.MemberLeft", "Person.Released", "Household.ContestSettled"
    )
    assert contested(county, "a") == set()


def test_a_person_who_left_may_be_claimed_without_contest(county: Scenario) -> None:
    for name, officer in (("b", "village2"), ("a", "village")):
        leave = RemoveMember(
            household=county.id(name), person=shared(county), on=DAY, reason="外迁"
        )
        county.given(leave, by=officer)
    join = AddMember(household=county.id("b"), member=member(2, Relation.CHILD), reason="迁入")
    county.when(join, by="village2").then("Household.MemberAdded", "Person.ClaimedAgain")
    assert contested(county, "b") == set()


def test_a_head_lost_to_another_claim_leaves_the_household_without_head(county: Scenario) -> None:
    command = family(county, "c", 30, members=(member(1),))
    county.given(command, by="village")
    county.given(decision(county, "c", county.vault.tokens[id_number(1)]), by="county")
    household = county.load(Household, county.id("a"))
    assert household.head is None and household.card is None


def test_a_third_claim_keeps_the_contest_open_after_a_merger(county: Scenario) -> None:
    command = family(county, "c", 30, members=(member(30), member(2, Relation.CHILD)))
    county.given(command, by="village")
    merge = MergeHouseholds(household=county.id("c"), into=county.id("a"), reason="重复登记")
    county.given(merge, by="township")
    assert contested(county, "a") == contested(county, "b") == {shared(county)}
    county.given(decision(county, "b"), by="county")
    assert contested(county, "a") == contested(county, "b") == set()


def test_a_merger_may_bring_the_contest_along(county: Scenario) -> None:
    county.given(family(county, "c", 30, 1), by="village")
    merge = MergeHouseholds(household=county.id("a"), into=county.id("c"), reason="重复登记")
    county.given(merge, by="township")
    assert contested(county, "c") == contested(county, "b") == {shared(county)}
    assert set(county.load(Person, shared(county)).claims) == {county.id("c"), county.id("b")}
