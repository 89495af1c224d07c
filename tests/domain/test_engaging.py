"""Engaging an officer in one step: whole or refused, two pairs of eyes are two persons."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.commands.appointing import IdNumberNeeded
from domain.commands.engaging import EngageOfficer, OfficerElsewhere
from domain.commands.logins import PostsBeyondReach, RecordPassword
from domain.commands.officers import AppointOfficer
from domain.login_name import LoginTaken, PasswordWay
from domain.posts import AdministratorHasNoBusiness, AlreadyAppointed, RoleDoesNotFit
from domain.refusal import Malformed, NotFound, NotYourRole
from domain.rules.base import china_day
from domain.world import Role
from tests.domain.county import make_county
from tests.domain.scenario import Scenario
from tests.id_numbers import id_number

NEW = ("Officer.Registered", "Officer.Appointed", "Officer.AccountOpened")
NAMED = ("LoginName.Taken", "LoginName.Invited")


@pytest.fixture
def county() -> Scenario:
    return make_county()


def row(county: Scenario, **other: Any) -> EngageOfficer:
    given: dict[str, Any] = {
        "person": uuid4(),
        "id": uuid4(),
        "full_name": "王小明",
        "login": "wangxm",
        "role": Role.VILLAGE_REPORTER,
        "area": county.id("yuantan_1"),
        "id_number": id_number(101),
    }
    return EngageOfficer(**{**given, **other})


def test_one_step_registers_appoints_opens_and_invites(county: Scenario) -> None:
    facts = county.when(row(county), by="admin").then(*NEW, *NAMED)
    assert county.result["invited"] and facts[-1].login == "wangxm"
    assert "王小明" not in repr(facts) and id_number(101) not in repr(facts)


def test_only_administrators_there_and_above_engage(county: Scenario) -> None:
    county.when(row(county), by="county").then(NotYourRole)
    county.when(row(county), by="foreign_admin").then(NotFound)
    county.when(row(county), by="city_admin").then(*NEW, *NAMED)


def test_a_known_person_gets_a_further_post_and_keeps_the_log_in(county: Scenario) -> None:
    county.given(row(county), by="admin")
    further = row(county, role=Role.STOREKEEPER)
    county.when(further, by="admin").then("Officer.Appointed")
    assert county.result["invited"] is False
    county.when(row(county), by="admin").then(AlreadyAppointed)


def test_the_second_row_of_one_person_keeps_the_slip_of_the_first(county: Scenario) -> None:
    """One post in either of two villages: the list prints one slip, which opens both."""
    county.given(row(county), by="admin")
    further = row(county, area=county.id("yuantan_2"), login=" WANGXM")
    county.when(further, by="admin").then("Officer.Appointed", "LoginName.Invited")
    assert county.result["login"] == "wangxm" and county.result["invited"] is False
    way = PasswordWay.INVITATION
    record = RecordPassword(officer=county.result["officer"], login="wangxm", way=way)
    county.when(record).then("LoginName.PasswordSet")


def test_who_is_in_office_elsewhere_is_for_an_administrator_above(county: Scenario) -> None:
    county.given(row(county), by="admin")
    there = row(county, area=county.id("foreign_village"), login="other")
    county.when(there, by="foreign_admin").then(OfficerElsewhere)
    county.when(there).then("Officer.Appointed", "Officer.AccountOpened", *NAMED)


@pytest.mark.parametrize("role", [r for r in Role if r is not Role.SYSTEM])
def test_a5_posts_that_four_eyes_count_on_take_an_id_number(county: Scenario, role: Role) -> None:
    """Two officers without an ID number may be one person: files and accepts."""
    free = {Role.DISPATCHER, Role.AUDITOR, Role.ADMINISTRATOR}
    refused = county.when(row(county, role=role, id_number=None), by="admin").outcome
    assert isinstance(refused, IdNumberNeeded) is (role not in free)
    assert isinstance(refused, Exception) or role in free | {Role.STOREKEEPER}


def test_what_is_wrong_with_a_row_refuses_the_whole_of_it(county: Scenario) -> None:
    county.given(row(county), by="admin")
    other = row(county, id_number=id_number(103), login="WANGXM")
    county.when(other, by="admin").then(LoginTaken)
    wrong = replace(other, login="li", id_number=id_number(103)[:-1] + "A")
    county.when(wrong, by="admin").then(Malformed)
    county.when(replace(other, login="li", full_name=" "), by="admin").then(Malformed)
    misplaced = replace(other, login="li", role=Role.COUNTY_APPROVER)
    county.when(misplaced, by="admin").then(RoleDoesNotFit)
    both = row(county, role=Role.ADMINISTRATOR, area=county.id("county"))
    county.when(both, by="city_admin").then(AdministratorHasNoBusiness)
    county.when(replace(other, login="li"), by="admin").then(*NEW, *NAMED)


def test_no_new_log_in_for_who_holds_a_post_above_the_administrator(county: Scenario) -> None:
    """A code opens all posts: an administrator of the county would act as the city's reviewer."""
    county.given(row(county, role=Role.COUNTY_APPROVER, area=county.id("county")), by="admin")
    above = AppointOfficer(
        id=uuid4(),
        officer=county.result["officer"],
        role=Role.CITY_REVIEWER,
        area=county.id("city"),
        starts_on=china_day(county.now) + timedelta(days=3),
    )
    county.given(above, by="city_admin")
    other = row(county, role=Role.COUNTY_PAYER, area=county.id("county"), login="second")
    county.when(other, by="admin").then(PostsBeyondReach)
    county.when(replace(other, login="wangxm"), by="admin").then("Officer.Appointed")
    again = replace(other, id=uuid4(), role=Role.STOREKEEPER)
    county.when(again, by="city_admin").then("Officer.Appointed", "Officer.AccountOpened", *NAMED)
