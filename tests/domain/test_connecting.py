"""Accounts at an identity provider: to which log-in name they come, by whom, and how they leave."""

from dataclasses import replace

import pytest

from domain.commands.connecting import (
    BindProvider,
    NobodysProvider,
    RecordProvider,
    RecordProviderEnded,
    UnbindProvider,
)
from domain.commands.logins import PostsBeyondReach, RecordPassword
from domain.commands.officers import AppointOfficer, OpenAccount, SuspendOfficer
from domain.login_name import (
    LoginName,
    NoProvider,
    NotTheirLogin,
    PasswordWay,
    ProviderThere,
    ProviderWay,
)
from domain.officer import SuspendedOfficerChosen
from domain.posts import OwnPosts
from domain.provider_identity import IdentityTaken, ProviderIdentity
from domain.refusal import Malformed, NotFound, NotYourRole
from domain.rules.base import china_day
from domain.world import Role
from tests.domain.county import make_county
from tests.domain.scenario import Scenario

CITY = "https://id.city.gov.cn"
WANG = "aa" * 32


@pytest.fixture
def county() -> Scenario:
    made = make_county()
    made.given(OpenAccount(officer=made.officers["village"], login="wang"), by="admin")
    made.given(OpenAccount(officer=made.officers["township"], login="li"), by="admin")
    return made


def recorded(county: Scenario, subject: str = WANG) -> RecordProvider:
    return RecordProvider(
        officer=county.officers["village"],
        login="wang",
        subject=subject,
        provider=CITY,
        way=ProviderWay.OWN,
    )


def bound(county: Scenario) -> BindProvider:
    return BindProvider(
        officer=county.officers["village"], login=" WANG", subject=WANG, provider=CITY
    )


def unbound(county: Scenario) -> UnbindProvider:
    return UnbindProvider(officer=county.officers["village"], login="wang", reason="账号停用")


def test_one_account_is_one_log_in_names_and_leaves_it_for_another(county: Scenario) -> None:
    first, second = county.when(recorded(county)).then(
        "LoginName.ProviderBound", "ProviderIdentity.Bound"
    )
    assert isinstance(first, LoginName.ProviderBound)
    assert first.identity == second.originator_id == ProviderIdentity.id_of(WANG)
    county.when(recorded(county)).then()  # said twice, it is one fact
    other = replace(recorded(county), officer=county.officers["township"], login="li")
    county.when(other).then(IdentityTaken)
    county.when(recorded(county, "bb" * 32)).then(ProviderThere)
    county.when(unbound(county), by="admin").then(
        "LoginName.ProviderUnbound", "ProviderIdentity.Released"
    )
    county.when(unbound(county), by="admin").then(NobodysProvider)
    ended = RecordProviderEnded(officer=county.officers["village"], login="wang")
    county.when(ended).then(NoProvider)
    county.when(other).then("LoginName.ProviderBound", "ProviderIdentity.BoundAgain")


def test_another_provider_replaces_the_one_before(county: Scenario) -> None:
    county.given(recorded(county))
    moved = replace(recorded(county, "cc" * 32), provider="https://id.province.gov.cn")
    gone, *_ = county.when(moved).then(
        "LoginName.ProviderUnbound",
        "LoginName.ProviderBound",
        "ProviderIdentity.Released",
        "ProviderIdentity.Bound",
    )
    assert isinstance(gone, LoginName.ProviderUnbound) and gone.way is ProviderWay.REPLACED


def test_only_who_could_invite_names_an_account_and_nobody_their_own(county: Scenario) -> None:
    county.when(bound(county), by="county").then(NotYourRole)
    county.when(bound(county), by="foreign_admin").then(NotFound)
    county.given(OpenAccount(officer=county.officers["admin"], login="boss"))
    own = replace(bound(county), officer=county.officers["admin"], login="boss")
    county.when(own, by="admin").then(OwnPosts)
    county.when(replace(unbound(county), officer=own.officer), by="admin").then(OwnPosts)
    county.when(replace(bound(county), login="li"), by="admin").then(NotTheirLogin)
    fact, _ = county.when(bound(county), by="admin").then(
        "LoginName.ProviderBound", "ProviderIdentity.Bound"
    )
    assert isinstance(fact, LoginName.ProviderBound) and fact.way is ProviderWay.ADMINISTRATOR
    county.when(replace(unbound(county), reason=" "), by="admin").then(Malformed)
    keeper, _ = county.when(unbound(county)).then(
        "LoginName.ProviderUnbound", "ProviderIdentity.Released"
    )
    assert isinstance(keeper, LoginName.ProviderUnbound) and keeper.way is ProviderWay.KEEPER


def test_who_is_suspended_or_posted_higher_gets_no_account(county: Scenario) -> None:
    officer = county.officers["village"]
    city = AppointOfficer(
        id=county.id("city post"),
        officer=officer,
        role=Role.AUDITOR,
        area=county.id("city"),
        starts_on=china_day(county.now),
    )
    county.given(city)
    county.when(bound(county), by="admin").then(PostsBeyondReach)
    county.given(SuspendOfficer(officer=officer, reason="停职调查"))
    county.when(recorded(county)).then(SuspendedOfficerChosen)


def test_an_officer_ends_it_and_the_password_is_no_matter_of_it(county: Scenario) -> None:
    officer = county.officers["village"]
    own = RecordProviderEnded(officer=officer, login="wang")
    county.when(own).then(NoProvider)
    county.given(recorded(county))
    county.given(RecordPassword(officer=officer, login="wang", way=PasswordWay.INVITATION))
    gone, _ = county.when(own).then("LoginName.ProviderUnbound", "ProviderIdentity.Released")
    assert isinstance(gone, LoginName.ProviderUnbound) and gone.way is ProviderWay.OWN
