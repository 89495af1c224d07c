"""Log-in names: who invites whom, and what becomes a fact of a password and a lost phone."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from domain.commands.logins import (
    INVITATION_HOURS,
    EndOfficerSessions,
    InvitationOutgrown,
    InviteOfficer,
    NobodysFactor,
    PostsBeyondReach,
    RecordFactorEnded,
    RecordPassword,
    RecordSecondFactor,
    RecordSessionsEnded,
    ResetSecondFactor,
)
from domain.commands.officers import AppointOfficer, NameSubstitute, OpenAccount, SuspendOfficer
from domain.login_name import (
    FactorWay,
    LoginName,
    NoLoginYet,
    NoSecondFactor,
    NotTheirLogin,
    PasswordWay,
)
from domain.officer import Officer, SuspendedOfficerChosen
from domain.posts import OwnPosts
from domain.refusal import Malformed, NotFound, NotYourRole
from domain.rules.base import china_day
from domain.world import Role
from tests.domain.county import make_county
from tests.domain.scenario import Scenario


@pytest.fixture
def county() -> Scenario:
    made = make_county()
    made.given(OpenAccount(officer=made.officers["village"], login="wang"), by="admin")
    return made


def invitation(county: Scenario) -> InviteOfficer:
    return InviteOfficer(officer=county.officers["village"], login="wang")


def test_an_administrator_invites_and_the_fact_says_until_when(county: Scenario) -> None:
    (invited,) = county.when(invitation(county), by="admin").then("LoginName.Invited")
    assert isinstance(invited, LoginName.Invited)
    assert invited.expires_at - invited.meta.recorded_at == timedelta(hours=INVITATION_HOURS)
    assert invited.officer == county.officers["village"] and invited.login == "wang"


def test_only_administrators_above_invite_and_nobody_themselves(county: Scenario) -> None:
    county.when(invitation(county), by="county").then(NotYourRole)
    county.when(invitation(county), by="foreign_admin").then(NotFound)
    county.given(OpenAccount(officer=county.officers["admin"], login="boss"))
    own = InviteOfficer(officer=county.officers["admin"], login="boss")
    county.when(own, by="admin").then(OwnPosts)


def test_nobody_invites_into_posts_that_lie_above_them(county: Scenario) -> None:
    """Whoever has the code acts as the officer: also where only an administrator above appoints."""
    officer, today = county.officers["county"], china_day(county.now)
    county.given(OpenAccount(officer=officer, login="li"), by="admin")
    invite = InviteOfficer(officer=officer, login="li")
    county.when(invite, by="admin").then("LoginName.Invited")
    higher = AppointOfficer(
        id=uuid4(),
        officer=officer,
        role=Role.CITY_REVIEWER,
        area=county.id("city"),
        starts_on=today,
    )
    county.given(higher, by="city_admin")
    county.when(invite, by="admin").then(PostsBeyondReach)
    county.when(invite, by="city_admin").then("LoginName.Invited")


def test_nobody_invites_into_a_higher_post_that_is_held_for_another(county: Scenario) -> None:
    today = china_day(county.now)
    (post,) = county.load(Officer, county.officers["city"]).posts_from(today)
    standing_in = NameSubstitute(
        id=uuid4(),
        officer=county.officers["city"],
        appointment=post.id,
        substitute=county.officers["village"],
        starts_on=today + timedelta(days=1),
        ends_on=today + timedelta(days=5),
    )
    county.given(standing_in, by="city_admin")
    county.when(invitation(county), by="admin").then(PostsBeyondReach)


def test_only_a_login_of_the_officer_s_own_is_invited(county: Scenario) -> None:
    county.when(replace(invitation(county), login="zhao"), by="admin").then(NotTheirLogin)
    others = replace(invitation(county), officer=county.officers["village_b"])
    county.when(others, by="admin").then(NoLoginYet)
    county.given(OpenAccount(officer=county.officers["village_b"], login="bai"))
    county.when(others, by="admin").then(NotTheirLogin)


def test_a_suspended_officer_is_not_invited_and_sets_no_password(county: Scenario) -> None:
    officer = county.officers["village"]
    county.given(invitation(county), by="admin")
    county.given(SuspendOfficer(officer=officer, reason="停职检查"), by="admin")
    county.when(invitation(county), by="admin").then(SuspendedOfficerChosen)
    record = RecordPassword(officer=officer, login="wang", way=PasswordWay.INVITATION)
    county.when(record).then(SuspendedOfficerChosen)


def test_passwords_and_ended_sessions_are_facts_that_only_the_program_writes(
    county: Scenario,
) -> None:
    officer = county.officers["village"]
    record = RecordPassword(officer=officer, login="wang", way=PasswordWay.OWN)
    ended = RecordSessionsEnded(officer=officer, login="wang", sessions=2)
    for command in (record, ended):
        county.when(command, by="admin").then(NotYourRole)
    county.when(record).then("LoginName.PasswordSet")
    county.when(ended).then("LoginName.SessionsEnded")
    name = county.load(LoginName, LoginName.id_of("wang"))
    assert name is not None and name.entered


def test_a_name_of_a_store_made_before_names_had_streams_begins_its_stream(
    county: Scenario,
) -> None:
    """Accounts that the demo or the tests opened in the vault alone are no exception."""
    officer = county.officers["village_b"]
    record = RecordPassword(officer=officer, login="old", way=PasswordWay.KEEPER)
    county.when(record).then("LoginName.Taken", "LoginName.PasswordSet")
    other = replace(record, officer=county.officers["village"])
    county.when(other).then(NotTheirLogin)


def test_an_administrator_logs_an_officer_out_everywhere_and_says_why(county: Scenario) -> None:
    lost = EndOfficerSessions(officer=county.officers["village"], reason="手机丢失")
    (ended,) = county.when(lost, by="admin").then("LoginName.LoggedOut")
    assert isinstance(ended, LoginName.LoggedOut)
    assert ended.login == "wang"
    county.when(replace(lost, reason=" "), by="admin").then(Malformed)
    county.when(lost, by="county").then(NotYourRole)
    county.when(lost, by="foreign_admin").then(NotFound)
    county.given(OpenAccount(officer=county.officers["admin"], login="boss"))
    county.when(replace(lost, officer=county.officers["admin"]), by="admin").then(OwnPosts)


def test_a_second_factor_is_set_once_and_reset_by_an_administrator_alone(county: Scenario) -> None:
    officer = county.officers["village"]
    reset = ResetSecondFactor(officer=officer, login="wang", reason="更换手机")
    county.when(reset, by="admin").then(NobodysFactor)
    county.when(RecordFactorEnded(officer=officer, login="wang")).then(NoSecondFactor)
    given = RecordSecondFactor(officer=officer, login="wang", factor=uuid4())
    county.when(given, by="admin").then(NotYourRole)
    (fact,) = county.when(given).then("LoginName.SecondFactorSet")
    assert isinstance(fact, LoginName.SecondFactorSet) and fact.factor == given.factor
    county.when(given).then()  # it was sent twice
    county.when(reset, by="county").then(NotYourRole)
    county.when(replace(reset, reason=""), by="admin").then(Malformed)
    (gone,) = county.when(reset, by="admin").then("LoginName.SecondFactorRemoved")
    assert isinstance(gone, LoginName.SecondFactorRemoved)
    assert (gone.factor, gone.way) == (given.factor, FactorWay.ADMINISTRATOR)
    again = replace(given, factor=uuid4())
    county.when(again).then("LoginName.SecondFactorSet")
    own = RecordFactorEnded(officer=officer, login="wang")
    (gone,) = county.when(own).then("LoginName.SecondFactorRemoved")
    assert isinstance(gone, LoginName.SecondFactorRemoved)
    assert (gone.way, gone.reason) == (FactorWay.OWN, None)
    county.given(again)
    county.when(replace(reset, reason="机器管理员")).then("LoginName.SecondFactorRemoved")


def invited(county: Scenario) -> RecordPassword:
    """``village`` has an open code; the answer is what whoever brings it asks the program for."""
    county.given(invitation(county), by="admin")
    way = PasswordWay.INVITATION
    return RecordPassword(officer=county.officers["village"], login="wang", way=way)


def further(county: Scenario, role: Role, area: str) -> AppointOfficer:
    return AppointOfficer(
        id=uuid4(),
        officer=county.officers["village"],
        role=role,
        area=county.id(area),
        starts_on=china_day(county.now),
    )


def test_a_code_opens_no_higher_post_that_its_officer_comes_to_afterwards(
    county: Scenario,
) -> None:
    """Whoever holds the slip of a village would act for the county."""
    by_code = invited(county)
    county.when(further(county, Role.COUNTY_APPROVER, "county"), by="admin").then(
        "Officer.Appointed"
    )
    assert county.result == {"void_invitations": ["wang"]}, "the administrator is told"
    refused = county.when(by_code).then(InvitationOutgrown)
    assert "县级审定员" in refused.sentence("zh") and refused.status == 410
    county.given(invitation(county), by="admin")
    county.when(by_code).then("LoginName.PasswordSet")


def test_nor_one_that_is_held_for_another(county: Scenario) -> None:
    by_code = invited(county)
    stands_in = NameSubstitute(
        id=uuid4(),
        officer=county.officers["township"],
        appointment=county.id("appointment/township"),
        substitute=county.officers["village"],
        starts_on=china_day(county.now) + timedelta(days=3),
        ends_on=china_day(county.now) + timedelta(days=9),
    )
    county.given(stands_in, by="admin")
    assert county.result == {"void_invitations": ["wang"]}
    county.when(by_code).then(InvitationOutgrown)


def test_a_further_post_where_one_was_in_office_leaves_the_code_alone(county: Scenario) -> None:
    by_code = invited(county)
    county.given(further(county, Role.STOREKEEPER, "yuantan_1"), by="admin")
    assert county.result == {}
    county.when(by_code).then("LoginName.PasswordSet")


def test_an_invitation_of_before_opens_what_it_always_did() -> None:
    upcast = LoginName.Invited.upcast_v1_v2  # type: ignore[attr-defined]
    fact = {"login": "wang"}
    upcast(fact)
    assert fact["areas"] is None


def test_names_are_taken_as_typed_on_any_keyboard(county: Scenario) -> None:
    """A blank around it, letters of full width, rare Chinese characters of names."""
    officer = county.officers["village_b"]
    for typed, opened in ((" li.si ", "li.si"), ("ｗａｎｇ２", "wang2"), ("㛃𫖯〇", "㛃𫖯〇")):
        county.given(OpenAccount(officer=officer, login=typed), by="admin")
        name = county.load(LoginName, LoginName.id_of(opened))
        assert name is not None and name.login == opened
    inner = OpenAccount(officer=officer, login="li si")
    county.when(inner, by="admin").then(Malformed)
    typed_other = InviteOfficer(officer=officer, login="LI.Si")
    county.when(typed_other, by="admin").then("LoginName.Invited")
