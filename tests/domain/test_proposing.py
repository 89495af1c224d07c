"""Superiors propose about posts below them, administrators decide, nobody acts on their own."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import pytest

from domain.commands.appointing import IdNumberNeeded
from domain.commands.officers import EndAppointment, SuspendOfficer
from domain.commands.proposing import (
    DeclineProposal,
    EngageProposed,
    ProposeAppointment,
    ProposeEnd,
    ProposeEngagement,
    ProposeSuspension,
    TakeProposal,
)
from domain.commands.store import RecordStore
from domain.officer import AlreadySuspended, Officer
from domain.post_proposal import (
    PROPOSAL_DAYS,
    OwnProposal,
    PostProposal,
    ProposalDecided,
    ProposalLapsed,
    ProposedFromAbove,
    TakenOtherwise,
)
from domain.posts import AlreadyAppointed, EndsOnlyShorten, OwnPosts, RoleDoesNotFit
from domain.refusal import Malformed, NotFound, NotYourRole
from domain.world import Role
from tests.domain.county import appointment, make_county, number_of, register
from tests.domain.scenario import BORN, Scenario

TODAY = date(2018, 7, 4)
WHY = "防汛期间值守多次脱岗，村民有反映"


@pytest.fixture
def county() -> Scenario:
    return make_county()


def suspension(county: Scenario, name: str = "village") -> ProposeSuspension:
    return ProposeSuspension(id=uuid4(), officer=county.officers[name], reason=WHY)


def newcomer(county: Scenario, area: str = "yuantan_2") -> ProposeEngagement:
    return ProposeEngagement(
        id=uuid4(),
        full_name=" 韩梅梅 ",
        role=Role.VILLAGE_REPORTER,
        area=county.id(area),
        starts_on=TODAY,
        reason="原灾害信息员外出务工",
    )


def engaged(
    county: Scenario, proposal: ProposeEngagement, *, numbered: bool = True
) -> EngageProposed:
    return EngageProposed(
        proposal=proposal.id,
        person=uuid4(),
        id=uuid4(),
        full_name="韩梅梅",
        login="hanmei",
        id_number=number_of(county, uuid4()) if numbered else None,
    )


def test_a_suspension_is_proposed_by_the_township_and_done_by_the_administrator(
    county: Scenario,
) -> None:
    proposal = suspension(county)
    (fact,) = county.when(proposal, by="township").then("PostProposal.Proposed")
    assert fact.proposers == (county.id("person/township"),)
    assert county.load(Officer, proposal.officer).suspended is None, "a proposal changes no post"
    take = TakeProposal(proposal=proposal.id)
    (_, suspended) = county.when(take, by="admin").then("PostProposal.Taken", "Officer.Suspended")
    assert suspended.reason == WHY
    county.when(take, by="admin").then(ProposalDecided)
    declined = DeclineProposal(proposal=proposal.id, reason="已处理")
    county.when(declined, by="admin").then(ProposalDecided)


def test_a_post_is_proposed_and_given_and_its_end_as_well(county: Scenario) -> None:
    wanted = ProposeAppointment(
        id=uuid4(),
        officer=county.officers["village"],
        role=Role.VILLAGE_REPORTER,
        area=county.id("yuantan_2"),
        starts_on=TODAY,
        reason="邻村岗位空缺",
    )
    county.given(wanted, by="township")
    (taken, given) = county.when(TakeProposal(proposal=wanted.id), by="admin").then(
        "PostProposal.Taken", "Officer.Appointed"
    )
    assert (given.area, given.starts_on) == (wanted.area, TODAY)
    assert (taken.officer, taken.appointment) == (wanted.officer, given.appointment)
    again = replace(wanted, id=uuid4())
    county.when(again, by="township").then(AlreadyAppointed)
    misplaced = replace(again, role=Role.COUNTY_PAYER)
    county.when(misplaced, by="county").then(RoleDoesNotFit)
    end = ProposeEnd(
        id=uuid4(),
        officer=wanted.officer,
        appointment=given.appointment,
        ends_on=TODAY,
        reason="邻村已有人接任",
    )
    county.given(end, by="county")
    (_, ended) = county.when(TakeProposal(proposal=end.id), by="admin").then(
        "PostProposal.Taken", "Officer.AppointmentEnded"
    )
    assert (ended.appointment, ended.ends_on) == (given.appointment, TODAY)
    county.when(replace(end, id=uuid4()), by="county").then(EndsOnlyShorten)


def test_somebody_new_is_proposed_and_engaged_with_what_an_officer_needs(county: Scenario) -> None:
    proposal = newcomer(county)
    (fact,) = county.when(proposal, by="township").then("PostProposal.Proposed")
    assert fact.whom == "韩梅梅"
    county.when(engaged(county, proposal, numbered=False), by="admin").then(IdNumberNeeded)
    county.when(TakeProposal(proposal=proposal.id), by="admin").then(TakenOtherwise)
    facts = county.when(engaged(county, proposal), by="admin").then(
        "PostProposal.Taken",
        "Officer.Registered",
        "Officer.Appointed",
        "Officer.AccountOpened",
        "LoginName.Taken",
        "LoginName.Invited",
    )
    assert facts[2].role == Role.VILLAGE_REPORTER and facts[2].area == proposal.area
    other = suspension(county)
    county.given(other, by="township")
    wrong = replace(engaged(county, proposal), proposal=other.id)
    county.when(wrong, by="admin").then(TakenOtherwise)
    blank = replace(newcomer(county), full_name=" ")
    county.when(blank, by="township").then(Malformed)


def test_proposals_come_from_above(county: Scenario) -> None:
    county.when(suspension(county), by="township2").then(NotFound)
    county.when(suspension(county), by="village_b").then(NotYourRole)
    county.when(suspension(county, "township_b"), by="township").then(ProposedFromAbove)
    county.when(suspension(county, "township_b"), by="county").then("PostProposal.Proposed")
    county.when(suspension(county, "payer"), by="county").then(ProposedFromAbove)
    county.when(suspension(county, "payer"), by="city").then("PostProposal.Proposed")
    county.given(RecordStore(born=BORN, seat=county.id("county")))
    county.when(suspension(county, "payer"), by="county").then("PostProposal.Proposed")
    county.when(suspension(county, "county"), by="county").then(OwnPosts)


def test_nobody_decides_about_their_own_post_or_their_own_proposal(county: Scenario) -> None:
    about = suspension(county, "admin")
    county.given(about, by="city")
    county.when(TakeProposal(proposal=about.id), by="admin").then(OwnPosts)
    county.when(DeclineProposal(proposal=about.id, reason="并无此事"), by="admin").then(OwnPosts)
    county.when(TakeProposal(proposal=about.id), by="foreign_admin").then(NotFound)
    county.when(TakeProposal(proposal=about.id), by="county").then(NotYourRole)
    own = suspension(county)
    county.given(own, by="county2")
    post = EndAppointment(
        officer=county.officers["county2"],
        appointment=county.id("appointment/county2"),
        ends_on=date(2018, 7, 3),
        reason="改任管理员",
    )
    county.given(post, by="admin")
    keeper = appointment(county, "county2", Role.ADMINISTRATOR, "county", nth="+")
    county.given(replace(keeper, starts_on=TODAY), by="admin")
    county.when(TakeProposal(proposal=own.id), by="county2").then(OwnProposal)
    county.when(TakeProposal(proposal=about.id), by="city_admin").then(
        "PostProposal.Taken", "Officer.Suspended"
    )


def test_who_is_engaged_by_a_proposal_is_not_the_one_who_engages(county: Scenario) -> None:
    proposal = newcomer(county)
    county.given(proposal, by="township")
    me = county.id("person/admin")
    number = next(no for no, person in county.vault.tokens.items() if person == me)
    mine = replace(engaged(county, proposal), id_number=number)
    county.when(mine, by="admin").then(OwnPosts)


def test_a_proposal_is_declined_with_a_reason_and_lapses_by_time(county: Scenario) -> None:
    proposal = suspension(county)
    county.given(proposal, by="township")
    decline = DeclineProposal(proposal=proposal.id, reason="")
    county.when(decline, by="admin").then(Malformed)
    (fact,) = county.when(replace(decline, reason="已谈话教育，留任观察"), by="admin").then(
        "PostProposal.Declined"
    )
    assert fact.reason.startswith("已谈话")
    late = suspension(county)
    county.given(late, by="township")
    assert county.result["lapses_at"] == county.now + timedelta(days=PROPOSAL_DAYS)
    county.wait(days=PROPOSAL_DAYS, minutes=1)
    county.when(TakeProposal(proposal=late.id), by="admin").then(ProposalLapsed)
    assert not county.load(PostProposal, late.id).decided


def test_what_was_outgrown_is_refused_as_without_a_proposal(county: Scenario) -> None:
    first, second = suspension(county), suspension(county)
    county.given(first, by="township")
    county.given(second, by="county")
    county.given(SuspendOfficer(officer=first.officer, reason="另案处理"), by="admin")
    county.when(TakeProposal(proposal=first.id), by="admin").then(AlreadySuspended)
    county.when(suspension(county), by="county").then(AlreadySuspended)
    decline = DeclineProposal(proposal=second.id, reason="已由县里停职")
    county.when(decline, by="admin").then("PostProposal.Declined")


def test_an_officer_above_is_out_of_reach_of_a_proposal(county: Scenario) -> None:
    register(county, "wide", "yuantan_1")
    county.given(appointment(county, "wide", Role.DISPATCHER, "county"), by="admin")
    county.when(suspension(county, "wide"), by="township").then(NotFound)


def test_a_post_below_of_somebody_who_is_in_office_above_is_not_proposed(county: Scenario) -> None:
    """Employed in a village, approver of the county: the township proposed them village posts."""
    register(county, "wide", "yuantan_1")
    for nth, role, area in (
        ("", Role.COUNTY_APPROVER, "county"),
        ("+", Role.VILLAGE_REPORTER, "yuantan_1"),
    ):
        county.given(appointment(county, "wide", role, area, nth=nth), by="admin")
    wanted = ProposeAppointment(
        id=uuid4(),
        officer=county.officers["wide"],
        role=Role.VILLAGE_REPORTER,
        area=county.id("yuantan_2"),
        starts_on=TODAY,
        reason="邻村岗位空缺",
    )
    county.when(wanted, by="township").then(ProposedFromAbove)
    end = ProposeEnd(
        id=uuid4(),
        officer=wanted.officer,
        appointment=county.id("appointment/wide+"),
        ends_on=TODAY,
        reason="邻村已有人接任",
    )
    county.when(end, by="township").then(ProposedFromAbove)
    county.when(end, by="city").then("PostProposal.Proposed")
