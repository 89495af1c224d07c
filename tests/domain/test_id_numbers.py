"""Posts that four eyes count on take an ID number, by whichever way one comes to them."""

from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest

from domain.commands.appointing import ExcusedByYou, IdNumberNeeded
from domain.commands.engaging import EngageOfficer, LoginOfUnnumbered
from domain.commands.id_numbers import (
    ExcusedFromAbove,
    ExcuseIdNumber,
    GiveIdNumber,
    IdNumberKnown,
    NumberOfAnother,
)
from domain.commands.officers import (
    AppointOfficer,
    HandOver,
    NameSubstitute,
    OpenAccount,
    RegisterOfficer,
)
from domain.commands.store import RecordStore
from domain.identity import check_character
from domain.officer import NumberExcusedAlready, Officer
from domain.posts import OwnPosts
from domain.refusal import AlreadyExists, Malformed, NotFound, NotYourRole, Refusal
from domain.world import Role
from tests.domain.county import appointment, make_county, register
from tests.domain.scenario import BORN, Scenario

TODAY = date(2018, 7, 4)
REPORTER = Role.VILLAGE_REPORTER


@pytest.fixture
def county() -> Scenario:
    """With ``bare``, who is employed in a village and registered without an ID number."""
    made = make_county()
    register(made, "bare", "yuantan_1", numbered=False)
    register(made, "admin2", "county")
    made.given(appointment(made, "admin2", Role.ADMINISTRATOR, "county"))
    return made


def post(county: Scenario, role: Role = REPORTER, area: str = "yuantan_2") -> AppointOfficer:
    return appointment(county, "bare", role, area)


def excuse(
    county: Scenario, name: str = "bare", reason: str = "户口未迁入，派出所已出具证明"
) -> ExcuseIdNumber:
    return ExcuseIdNumber(officer=county.officers[name], reason=reason)


def test_a5_an_appointment_takes_an_id_number_too(county: Scenario) -> None:
    refused = county.when(post(county), by="admin").then(IdNumberNeeded)
    assert "村（社区）灾害信息员" in refused.sentence("zh") and "上级" in refused.sentence("zh")
    county.when(post(county, Role.DISPATCHER, "yuantan"), by="admin").then("Officer.Appointed")
    numbered = appointment(county, "village2", REPORTER, "yuantan_1", nth="+")
    county.when(numbered, by="admin").then("Officer.Appointed")


def test_a_hand_over_and_a_substitute_are_no_way_around_it(county: Scenario) -> None:
    bare = county.officers["bare"]
    handed = HandOver(officer=county.officers["village"], successor=bare, reason="调离")
    county.when(handed, by="admin").then(IdNumberNeeded)
    stands_in = NameSubstitute(
        id=uuid4(),
        officer=county.officers["township"],
        appointment=county.id("appointment/township"),
        substitute=bare,
        starts_on=TODAY,
        ends_on=TODAY,
    )
    county.when(stands_in, by="admin").then(IdNumberNeeded)
    county.given(excuse(county), by="city_admin")
    assert not isinstance(county.when(stands_in, by="admin").outcome, Refusal)
    assert not isinstance(county.when(handed, by="admin").outcome, Refusal)


def test_two_administrators_bring_somebody_without_a_number_into_post(county: Scenario) -> None:
    (fact,) = county.when(excuse(county), by="admin").then("Officer.NumberExcused")
    assert fact.by == (county.id("person/admin"),) and fact.reason.startswith("户口")
    county.when(post(county), by="admin").then(ExcusedByYou)
    county.when(post(county), by="admin2").then("Officer.Appointed")
    county.when(excuse(county), by="admin2").then(NumberExcusedAlready)


def test_one_administrator_does_not_pass_an_excuse_on(county: Scenario) -> None:
    """It was said of one person by two administrators, not of whoever comes after them."""
    county.given(excuse(county), by="admin")
    county.given(post(county), by="admin2")
    register(county, "heir", "yuantan_1", numbered=False)
    heir, bare = county.officers["heir"], county.officers["bare"]
    handed = HandOver(officer=bare, successor=heir, reason="调离")
    county.when(handed, by="admin").then(IdNumberNeeded)
    county.given(excuse(county, "heir"), by="admin2")
    county.when(handed, by="admin2").then(ExcusedByYou)
    assert not isinstance(county.when(handed, by="admin").outcome, Refusal)


def test_it_is_said_from_above_and_with_a_reason(county: Scenario) -> None:
    county.when(excuse(county), by="county").then(NotYourRole)
    county.when(excuse(county), by="foreign_admin").then(NotFound)
    county.when(excuse(county, reason=" "), by="city_admin").then(Malformed)
    county.when(excuse(county, "village"), by="city_admin").then(IdNumberKnown)
    register(county, "office", "county", numbered=False)
    county.when(excuse(county, "office"), by="admin").then(ExcusedFromAbove)
    county.when(excuse(county, "office"), by="city_admin").then("Officer.NumberExcused")


def test_at_the_seat_where_nobody_is_above_another_administrator_says_it(county: Scenario) -> None:
    register(county, "office", "county", numbered=False)
    county.given(RecordStore(born=BORN, seat=county.id("county")))
    county.when(excuse(county, "office"), by="admin").then("Officer.NumberExcused")
    approver = appointment(county, "office", Role.COUNTY_APPROVER, "county")
    county.when(approver, by="admin").then(ExcusedByYou)
    county.when(replace(approver, id=uuid4()), by="admin2").then("Officer.Appointed")


def test_nobody_says_it_of_themselves(county: Scenario) -> None:
    register(county, "boss", "county", numbered=False)
    county.given(RecordStore(born=BORN, seat=county.id("county")))
    county.given(appointment(county, "boss", Role.ADMINISTRATOR, "county"))
    county.when(excuse(county, "boss"), by="boss").then(OwnPosts)
    county.when(excuse(county, "boss"), by="admin").then("Officer.NumberExcused")


def give(county: Scenario, number: str, name: str = "bare") -> GiveIdNumber:
    return GiveIdNumber(officer=county.officers[name], id_number=number)


def fresh_number() -> str:
    return "34082419810304001" + check_character("34082419810304001")


def test_a_number_that_came_later_opens_every_post_and_finds_the_same_officer(
    county: Scenario,
) -> None:
    number, bare = fresh_number(), county.officers["bare"]
    county.given(excuse(county), by="admin")
    (given, _) = county.when(give(county, number), by="admin").then(
        "Officer.NumberGiven", "LateNumber.Given"
    )
    county.when(post(county), by="admin").then("Officer.Appointed")
    officer = county.load(Officer, bare)
    assert officer.persons == (county.id("person/bare"), given.person)
    again = EngageOfficer(
        person=uuid4(),
        id=uuid4(),
        full_name="张三",
        login="bare",
        role=REPORTER,
        area=county.id("shuihou_1"),
        id_number=number,
    )
    county.when(again, by="admin").then(
        "Officer.Appointed", "Officer.AccountOpened", "LoginName.Taken", "LoginName.Invited"
    )
    assert county.result["officer"] == bare
    twice = RegisterOfficer(
        person=uuid4(), full_name="张三", area=county.id("yuantan_1"), id_number=number
    )
    county.when(twice, by="admin").then(AlreadyExists)
    county.when(give(county, number), by="admin").then(IdNumberKnown)


def test_a_number_of_another_officer_is_refused_and_of_oneself_too(county: Scenario) -> None:
    village = county.id("person/village")
    taken = next(no for no, person in county.vault.tokens.items() if person == village)
    refused = county.when(give(county, taken), by="admin").then(NumberOfAnother)
    assert "张" in refused.name and taken not in refused.sentence("zh")
    county.when(give(county, "340824198103040012"), by="admin").then(Malformed)
    county.when(give(county, fresh_number()), by="county").then(NotYourRole)
    county.when(give(county, fresh_number()), by="foreign_admin").then(NotFound)
    register(county, "boss", "county", numbered=False)
    county.given(appointment(county, "boss", Role.ADMINISTRATOR, "county"))
    county.when(give(county, fresh_number(), "boss"), by="boss").then(OwnPosts)
    county.given(give(county, fresh_number(), "boss"), by="admin")
    second = give(county, fresh_number())
    county.when(second, by="admin").then(NumberOfAnother)


def test_who_stands_in_counts_as_the_person_whose_number_came(county: Scenario) -> None:
    bare = county.officers["bare"]
    county.given(excuse(county), by="admin")
    county.given(post(county), by="admin2")
    stands_in = NameSubstitute(
        id=uuid4(),
        officer=bare,
        appointment=post(county).id,
        substitute=county.officers["village"],
        starts_on=TODAY,
        ends_on=TODAY,
    )
    county.given(stands_in, by="admin")
    facts = county.when(give(county, fresh_number()), by="admin").then(
        "Officer.NumberGiven", "LateNumber.Given", "Officer.BecameSubstitute"
    )
    assert facts[0].person in facts[2].persons


def test_a_list_with_the_missing_number_is_told_whose_log_in_name_it_is(county: Scenario) -> None:
    account = OpenAccount(officer=county.officers["bare"], login="zhangbare")
    county.given(account, by="admin")
    row = EngageOfficer(
        person=uuid4(),
        id=uuid4(),
        full_name="张bare",
        login="zhangbare",
        role=REPORTER,
        area=county.id("yuantan_2"),
        id_number=fresh_number(),
    )
    refused = county.when(row, by="admin").then(LoginOfUnnumbered)
    assert refused.officer == county.officers["bare"] and "补登" in refused.sentence("zh")
    other = replace(row, login="village")
    assert not isinstance(county.when(other, by="admin").outcome, LoginOfUnnumbered)
