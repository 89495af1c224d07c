"""Posts that four eyes count on take an ID number, by whichever way one comes to them."""

from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest

from domain.commands.appointing import ExcusedByYou, IdNumberNeeded
from domain.commands.id_numbers import ExcusedFromAbove, ExcuseIdNumber, IdNumberKnown
from domain.commands.officers import AppointOfficer, HandOver, NameSubstitute
from domain.commands.store import RecordStore
from domain.officer import NumberExcusedAlready, OwnPosts
from domain.refusal import Malformed, NotFound, NotYourRole, Refusal
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
