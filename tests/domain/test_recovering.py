"""Nobody is left who could appoint: whoever keeps the machine makes an administrator again."""

from dataclasses import replace
from uuid import uuid4

import pytest

from domain.commands.officers import OpenAccount, SuspendOfficer
from domain.commands.recovering import NotAnAdministrator, RecoverAdministrator
from domain.officer import Officer, SuspendedOfficerChosen
from domain.refusal import Malformed, NotYourRole
from domain.world import Role
from tests.domain.county import make_county
from tests.domain.scenario import Scenario


@pytest.fixture
def county() -> Scenario:
    made = make_county()
    made.given(OpenAccount(officer=made.officers["admin"], login="boss"))
    return made.given(OpenAccount(officer=made.officers["village"], login="wang"))


def recovery(county: Scenario, login: str = "boss", name: str = "") -> RecoverAdministrator:
    return RecoverAdministrator(
        person=uuid4(),
        id=uuid4(),
        login=login,
        area=county.id("county"),
        reason="唯一的管理员忘记密码",
        operator="县信息中心值班员",
        full_name=name,
    )


def test_the_administrator_is_invited_again_and_the_fact_says_by_whom(county: Scenario) -> None:
    fact, _ = county.when(recovery(county, "BOSS")).then("LoginName.Recovered", "LoginName.Invited")
    assert (fact.login, fact.operator) == ("boss", "县信息中心值班员")


def test_the_keeper_types_the_name_as_a_keyboard_for_chinese_does(county: Scenario) -> None:
    fact, _ = county.when(recovery(county, " ｂｏｓｓ ")).then(
        "LoginName.Recovered", "LoginName.Invited"
    )
    assert fact.login == "boss"


def test_a_new_one_is_registered_appointed_and_invited_in_one_step(county: Scenario) -> None:
    county.when(recovery(county, "newboss", "王新")).then(
        "Officer.Registered",
        "Officer.Appointed",
        "Officer.AccountOpened",
        "LoginName.Taken",
        "LoginName.Recovered",
        "LoginName.Invited",
    )
    made = county.load(Officer, county.result["officer"])
    assert [post.role for post in made.appointments.values()] == [Role.ADMINISTRATOR]


def test_only_the_machine_does_it_with_reason_and_name_and_for_an_administrator(
    county: Scenario,
) -> None:
    for by in ("admin", "city_admin", "county"):
        county.when(recovery(county, "newboss", "王新"), by=by).then(NotYourRole)
    county.when(recovery(county, "wang")).then(NotAnAdministrator)
    county.when(recovery(county, "newboss")).then(Malformed)
    county.when(replace(recovery(county), operator=" ")).then(Malformed)
    county.when(replace(recovery(county), reason=" ")).then(Malformed)
    county.given(SuspendOfficer(officer=county.officers["admin"], reason="停职检查"))
    county.when(recovery(county)).then(SuspendedOfficerChosen)
