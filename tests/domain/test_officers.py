"""Officers: registration, posts, substitutes, hand-over, suspension; and a toy model of it all."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.area import AreaAbolished
from domain.commands.areas import AbolishArea
from domain.commands.officers import (
    AppointOfficer,
    EndAppointment,
    EndSubstitution,
    HandOver,
    NameSubstitute,
    RegisterOfficer,
    ReinstateOfficer,
    SuspendOfficer,
)
from domain.officer import AlreadySuspended, NotSuspended, Officer, SuspendedOfficerChosen
from domain.posts import (
    AdministratorHasNoBusiness,
    AlreadyAppointed,
    EndsOnlyShorten,
    NobodyStandsIn,
    NothingToHandOver,
    OwnPosts,
    Post,
    RoleDoesNotFit,
    StandsInForOneself,
)
from domain.refusal import AlreadyExists, Malformed, NotFound, NotYourRole
from domain.world import Role
from tests.domain.county import appointment, make_county, register
from tests.domain.scenario import Scenario

TODAY = date(2018, 7, 4)
REPORTER = Role.VILLAGE_REPORTER


@pytest.fixture
def county() -> Scenario:
    made = make_county()
    register(made, "new", "yuantan")
    return made


def officer(county: Scenario, name: str) -> Officer:
    found = county.load(Officer, county.officers[name])
    assert isinstance(found, Officer)
    return found


def registration(county: Scenario, **other: Any) -> RegisterOfficer:
    values: dict[str, Any] = {
        "person": county.id("person/li"),
        "full_name": "李小四",
        "phone": "13800000000",
    }
    return RegisterOfficer(area=county.id("yuantan"), **(values | other))


def appoint(county: Scenario, name: str = "new", **other: Any) -> AppointOfficer:
    return replace(appointment(county, name, REPORTER, "yuantan_1", Post.A, nth="+"), **other)


def test_an_officer_is_rung_at_night_so_the_number_is_one(county: Scenario) -> None:
    short = registration(county, phone="12")
    assert county.when(short, by="admin").then(Malformed).field == "phone"


def substitute(county: Scenario, absent: str, by: str, **other: Any) -> NameSubstitute:
    values: dict[str, Any] = {
        "id": county.id(f"{by} for {absent}"),
        "appointment": county.id(f"appointment/{absent}"),
        "starts_on": TODAY,
        "ends_on": date(2018, 7, 31),
    }
    names = {"officer": county.officers[absent], "substitute": county.officers[by]}
    return NameSubstitute(**(values | names | other))


def hand_over(county: Scenario, name: str, successor: str, reason: str = "调离") -> HandOver:
    return HandOver(
        officer=county.officers[name], successor=county.officers[successor], reason=reason
    )


def suspend(county: Scenario, name: str, reason: str = "调查") -> SuspendOfficer:
    return SuspendOfficer(officer=county.officers[name], reason=reason)


def end(county: Scenario, name: str, ends_on: date, reason: str = "任满") -> EndAppointment:
    return EndAppointment(
        officer=county.officers[name],
        appointment=county.id(f"appointment/{name}"),
        ends_on=ends_on,
        reason=reason,
    )


# -- registration and accounts -----------------------------------------------------------


def test_an_administrator_registers_an_officer_with_name_and_phone_sealed(
    county: Scenario,
) -> None:
    (fact,) = county.when(registration(county), by="admin").then("Officer.Registered")
    id = Officer.id_of(county.id("person/li"))
    assert county.result == {"officer": id, "person": county.id("person/li")}
    assert fact.masked_name == "李*四"
    assert county.vault.unseal(fact.name, id, "name") == "李小四"
    assert county.vault.unseal(fact.phone, id, "phone") == "13800000000"
    assert "李小四".encode() not in county.streams[id][0][1]


def test_a_phone_is_not_required_and_a_name_is(county: Scenario) -> None:
    (fact,) = county.when(registration(county, phone=None)).then("Officer.Registered")
    assert fact.phone is None
    assert county.when(registration(county, full_name=" ")).then(Malformed).field == "full_name"


def test_the_id_number_finds_the_person_and_one_person_is_one_officer(county: Scenario) -> None:
    number = "11010519491231002X"
    known = county.vault.person_for(number)
    spaced = registration(county, id_number="110105 19491231 002x")
    county.when(spaced, by="admin").then("Officer.Registered")
    assert county.result["person"] == known
    again = registration(county, id_number=number, person=uuid4())
    county.when(again, by="city_admin").then(AlreadyExists)


def test_an_impossible_id_number_is_refused_masked(county: Scenario) -> None:
    refusal = county.when(registration(county, id_number="110105194912310021")).then(Malformed)
    assert refusal.field == "id_number"
    assert "19491231" not in refusal.value


def test_registration_is_an_administrators_at_or_above(county: Scenario) -> None:
    county.when(registration(county), by="county").then(NotYourRole)
    county.when(registration(county), by="foreign_admin").then(NotFound)
    day = date(2018, 7, 1)
    county.given(AbolishArea(area=county.id("yuantan_2"), effective_on=day, document_no="测试"))
    gone = replace(registration(county), area=county.id("yuantan_2"))
    county.when(gone).then(AreaAbolished)


def test_the_last_day_of_a_post_is_set_earlier_and_never_later(county: Scenario) -> None:
    """A5: a second end with a later day revived a post that was over, an administrator's too."""
    county.given(end(county, "village2", TODAY), by="admin")
    for days in (0, 1, 365):
        later = end(county, "village2", TODAY + timedelta(days=days))
        county.when(later, by="admin").then(EndsOnlyShorten)
    county.given(end(county, "village2", TODAY - timedelta(days=1)), by="admin")
    officer = county.load(Officer, county.officers["village2"])
    (post,) = officer.appointments.values()
    assert post.ends_on == TODAY - timedelta(days=1)


# -- appointments ------------------------------------------------------------------------


def test_an_administrator_there_or_above_appoints(county: Scenario) -> None:
    (fact,) = county.when(appoint(county), by="admin").then("Officer.Appointed")
    assert (fact.role, fact.area, fact.post) == (REPORTER, county.id("yuantan_1"), Post.A)
    assert fact.certificate == "证-new"
    assert fact.meta.actor == county.officers["admin"]
    county.when(appoint(county, id=county.id("x")), by="county").then(NotYourRole)
    higher = appoint(county, role=Role.CITY_REVIEWER, area=county.id("city"), id=county.id("y"))
    county.when(higher, by="admin").then(NotFound)
    county.when(higher, by="city_admin").then("Officer.Appointed")


def test_a_foreign_officer_or_area_is_not_found(county: Scenario) -> None:
    foreign = appoint(county, "foreign_village")
    refusal = county.when(foreign, by="admin").then(NotFound)
    assert (refusal.kind, refusal.id) == ("Officer", county.officers["foreign_village"])
    area = county.id("foreign_village")
    refusal = county.when(appoint(county, area=area), by="admin").then(NotFound)
    assert (refusal.kind, refusal.id) == ("Area", area)
    county.when(appoint(county, area=area), by="city_admin").then("Officer.Appointed")


def test_nobody_appoints_themselves_nor_whom_they_stand_in_for(county: Scenario) -> None:
    own = appoint(county, "admin", role=Role.AUDITOR, area=county.id("county"))
    assert county.when(own, by="admin").then(OwnPosts).officer == county.officers["admin"]
    county.given(appoint(county, role=Role.ADMINISTRATOR, area=county.id("yuantan")))
    county.given(substitute(county, "admin", "new"))
    county.given(end(county, "admin", date(2018, 12, 31)))
    for_absent = appoint(
        county, "admin", role=Role.ADMINISTRATOR, area=county.id("shuihou"), id=county.id("z")
    )
    county.when(for_absent, by="new").then(OwnPosts)


def test_an_officer_holds_several_posts_but_not_the_same_twice(county: Scenario) -> None:
    county.given(appoint(county))
    other = appoint(county, id=county.id("2"), area=county.id("yuantan_2"))
    county.when(other, by="admin").then("Officer.Appointed")
    same = appoint(county, id=county.id("3"))
    refusal = county.when(same, by="admin").then(AlreadyAppointed)
    assert refusal.appointment == appoint(county).id
    county.when(replace(other, role=Role.STOREKEEPER), by="admin").then(AlreadyExists)


def test_the_same_post_may_come_again_after_its_end(county: Scenario) -> None:
    county.given(appoint(county, ends_on=date(2018, 12, 31)))
    early = appoint(county, id=county.id("2"), starts_on=date(2018, 12, 31))
    county.when(early).then(AlreadyAppointed)
    county.when(replace(early, starts_on=date(2019, 1, 1))).then("Officer.Appointed")
    before = appoint(
        county, id=county.id("3"), starts_on=date(2015, 1, 1), ends_on=date(2015, 12, 31)
    )
    county.when(before).then("Officer.Appointed")


@pytest.mark.parametrize(
    ("role", "area"),
    [
        (Role.VILLAGE_REPORTER, "county"),
        (Role.TOWNSHIP_REVIEWER, "county"),
        (Role.COUNTY_APPROVER, "yuantan"),
        (Role.COUNTY_PAYER, "city"),
        (Role.CITY_REVIEWER, "county"),
        (Role.PROVINCE_REVIEWER, "city"),
        (Role.AUDITOR, "yuantan"),
        (Role.DISPATCHER, "yuantan_1"),
        (Role.ADMINISTRATOR, "yuantan_1"),
        (Role.SYSTEM, "county"),
    ],
)
def test_a_role_fits_the_level_of_its_area(county: Scenario, role: Role, area: str) -> None:
    refusal = county.when(appoint(county, role=role, area=county.id(area))).then(RoleDoesNotFit)
    assert (refusal.role, refusal.area) == (role, county.id(area))


def test_an_administrator_holds_no_business_post_by_any_way(county: Scenario) -> None:
    business = appoint(county, "admin", role=Role.COUNTY_PAYER, area=county.id("county"))
    county.when(business, by="city_admin").then(AdministratorHasNoBusiness)
    reverse = appoint(county, "payer", role=Role.ADMINISTRATOR, area=county.id("county"))
    county.when(reverse, by="city_admin").then(AdministratorHasNoBusiness)
    county.when(substitute(county, "payer", "admin")).then(AdministratorHasNoBusiness)
    county.when(hand_over(county, "payer", "admin")).then(AdministratorHasNoBusiness)
    county.when(hand_over(county, "admin", "payer")).then(AdministratorHasNoBusiness)
    county.given(substitute(county, "payer", "new"))
    standing_in = appoint(county, role=Role.ADMINISTRATOR, area=county.id("yuantan"))
    county.when(standing_in).then(AdministratorHasNoBusiness)
    after = replace(standing_in, starts_on=date(2018, 8, 1))
    county.when(after).then("Officer.Appointed")


def test_a_post_does_not_end_before_it_begins_nor_lie_in_an_abolished_area(
    county: Scenario,
) -> None:
    backwards = appoint(county, ends_on=date(2015, 12, 31))
    assert county.when(backwards).then(Malformed).field == "ends_on"
    day = date(2018, 7, 1)
    county.given(AbolishArea(area=county.id("yuantan_2"), effective_on=day, document_no="测试"))
    county.when(appoint(county, area=county.id("yuantan_2"))).then(AreaAbolished)


def test_the_last_day_of_a_post_is_set_with_a_reason(county: Scenario) -> None:
    county.when(end(county, "village", date(2018, 7, 3)), by="admin").then(
        "Officer.AppointmentEnded"
    )
    probe = suspend(county, "village")
    county.when(probe, by="village").then(NotFound)
    county.when(end(county, "village2", TODAY, reason=" ")).then(Malformed)
    missing = replace(end(county, "village2", TODAY), appointment=county.id("other"))
    assert county.when(missing).then(NotFound).kind == "Appointment"
    county.when(end(county, "village2", TODAY), by="foreign_admin").then(NotFound)
    county.when(end(county, "admin", TODAY), by="admin").then(OwnPosts)


# -- substitutes -------------------------------------------------------------------------


def test_naming_a_substitute_is_one_commit_on_both_streams(county: Scenario) -> None:
    facts = county.when(substitute(county, "village", "new"), by="admin").outcome
    assert isinstance(facts, list)
    assert {fact.topic() for fact in facts} == {
        "Officer.SubstituteNamed",
        "Officer.BecameSubstitute",
    }
    assert {f.originator_id for f in facts} == {
        county.officers["village"],
        county.officers["new"],
    }
    assert len({fact.meta.command for fact in facts}) == 1


def test_a_substitute_is_another_available_person_of_the_jurisdiction(county: Scenario) -> None:
    county.when(substitute(county, "village", "village")).then(StandsInForOneself)
    county.when(substitute(county, "village", "foreign_village"), by="admin").then(NotFound)
    county.when(substitute(county, "village", "new"), by="county").then(NotYourRole)
    county.given(suspend(county, "new"))
    refusal = county.when(substitute(county, "village", "new")).then(SuspendedOfficerChosen)
    assert (refusal.officer, refusal.reason) == (county.officers["new"], "调查")


def test_an_administrator_is_not_made_anyones_substitute_by_own_hand(county: Scenario) -> None:
    county.given(appoint(county, role=Role.ADMINISTRATOR, area=county.id("yuantan")))
    county.when(substitute(county, "new", "admin", appointment=appoint(county).id), "admin").then(
        OwnPosts
    )


def test_a_substitution_names_a_post_and_days_once(county: Scenario) -> None:
    command = substitute(county, "village", "new")
    county.when(replace(command, ends_on=date(2018, 7, 3))).then(Malformed)
    county.when(replace(command, appointment=county.id("other"))).then(NotFound)
    county.given(command)
    county.when(command).then(AlreadyExists)


def test_a_substitution_ends_for_both_at_once(county: Scenario) -> None:
    county.given(substitute(county, "village", "new"))
    command = EndSubstitution(
        officer=county.officers["village"], substitution=county.id("new for village")
    )
    county.when(command, by="village").then(NotYourRole)
    county.when(command, by="foreign_admin").then(NotFound)
    facts = county.when(command, by="admin").outcome
    assert isinstance(facts, list)
    assert sorted(fact.topic() for fact in facts) == [
        "Officer.StoppedSubstituting",
        "Officer.SubstitutionEnded",
    ]
    assert not officer(county, "new").stand_ins
    county.when(command, by="admin").then(NobodyStandsIn)
    county.given(substitute(county, "village", "village2"))
    assert county.when(command, by="admin").then(NotFound).kind == "Substitution"


def test_the_end_of_a_post_ends_it_for_the_substitute_too(county: Scenario) -> None:
    county.given(substitute(county, "village", "new"))
    county.given(end(county, "village", date(2018, 7, 5)), by="admin")
    (held,) = officer(county, "new").stand_ins.values()
    assert held.covers(date(2018, 7, 5))
    assert not held.covers(date(2018, 7, 6))


def test_a_suspended_officers_substitute_goes_on(county: Scenario) -> None:
    county.given(substitute(county, "village", "new"), suspend(county, "village"))
    (held,) = officer(county, "new").stand_ins.values()
    assert held.covers(TODAY)


# -- hand-over ---------------------------------------------------------------------------


def test_a_hand_over_moves_every_post_in_one_commit(county: Scenario) -> None:
    county.given(appoint(county, "village", area=county.id("yuantan_2")))
    facts = county.when(hand_over(county, "village", "new"), by="admin").outcome
    assert isinstance(facts, list)
    assert sorted(fact.topic() for fact in facts) == ["Officer.HandedOver", "Officer.TookOver"]
    assert not officer(county, "village").appointments
    taken = officer(county, "new")
    assert {post.area for post in taken.appointments.values()} == {
        county.id("yuantan_1"),
        county.id("yuantan_2"),
    }
    assert {post.starts_on for post in taken.appointments.values()} == {TODAY}
    assert taken.persons == (county.id("person/new"), county.id("person/village"))


def test_a_hand_over_and_back_keeps_both_as_one(county: Scenario) -> None:
    county.given(hand_over(county, "village", "new"), hand_over(county, "new", "village"))
    assert set(officer(county, "village").persons) == set(officer(county, "new").persons)


def test_a_hand_over_ends_the_substitutions_round_the_post(county: Scenario) -> None:
    county.given(substitute(county, "village", "new"), substitute(county, "village2", "village"))
    county.given(hand_over(county, "village", "village_b"))
    assert not officer(county, "new").stand_ins
    assert not officer(county, "village").stand_ins
    assert not officer(county, "village2").substitutes
    assert not officer(county, "village").substitutes


def test_a_suspended_officers_matters_can_be_handed_over_but_not_to_one(county: Scenario) -> None:
    county.given(suspend(county, "village"))
    county.when(hand_over(county, "village2", "village")).then(SuspendedOfficerChosen)
    county.given(hand_over(county, "village", "new"))


def test_a_hand_over_needs_posts_a_reason_and_another_person(county: Scenario) -> None:
    refusal = county.when(hand_over(county, "new", "village")).then(NothingToHandOver)
    assert refusal.officer == county.officers["new"]
    county.when(hand_over(county, "village", "village")).then(StandsInForOneself)
    county.when(hand_over(county, "village", "new", reason="")).then(Malformed)
    county.given(end(county, "village2", date(2018, 7, 3)))
    county.when(hand_over(county, "village2", "new")).then(NothingToHandOver)


def test_a_hand_over_is_decided_above_everything_that_moves(county: Scenario) -> None:
    county.when(hand_over(county, "village", "new"), by="county").then(NotYourRole)
    county.when(hand_over(county, "village", "foreign_village"), by="admin").then(NotFound)
    county.when(hand_over(county, "city_admin", "admin"), by="admin").then(NotFound)
    county.given(appoint(county, role=Role.ADMINISTRATOR, area=county.id("yuantan")))
    county.when(hand_over(county, "new", "admin"), by="admin").then(OwnPosts)


# -- suspension --------------------------------------------------------------------------


def test_a_suspended_officer_comes_back_by_reinstatement(county: Scenario) -> None:
    county.when(suspend(county, "village"), by="admin").then("Officer.Suspended")
    county.when(suspend(county, "village"), by="admin").then(AlreadySuspended)
    county.when(appoint(county, "village", area=county.id("yuantan_2"))).then(
        SuspendedOfficerChosen
    )
    back = ReinstateOfficer(officer=county.officers["village"], reason="查无问题")
    county.when(replace(back, reason="")).then(Malformed)
    county.when(back, by="admin").then("Officer.Reinstated")
    assert county.when(back, by="admin").then(NotSuspended).officer == county.officers["village"]
    county.when(suspend(county, "village", reason=" ")).then(Malformed)


def test_suspension_is_decided_above_all_posts_by_somebody_else(county: Scenario) -> None:
    county.when(suspend(county, "admin"), by="admin").then(OwnPosts)
    county.when(suspend(county, "village"), by="foreign_admin").then(NotFound)
    county.given(appoint(county, "village", role=Role.STOREKEEPER, area=county.id("city")))
    county.when(suspend(county, "village"), by="admin").then(NotFound)
    county.when(suspend(county, "village"), by="city_admin").then("Officer.Suspended")
    back = ReinstateOfficer(officer=county.officers["village"], reason="查无问题")
    county.when(back, by="admin").then(NotFound)


def test_an_officer_is_not_the_stream_of_the_natural_person() -> None:
    person = UUID(int=7)
    assert Officer.id_of(person) != person
