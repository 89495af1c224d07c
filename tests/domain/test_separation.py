"""Separation of duties: one person, one step of a matter; substitutes and successors count."""

from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar
from uuid import UUID

import pytest

from domain.commands.officers import (
    EndAppointment,
    GrantDispensation,
    HandOver,
    NameSubstitute,
)
from domain.dispensation import Dispensation, NotSuperior, OwnDispensation
from domain.refusal import AlreadyExists, Malformed, NotFound, NotYourRole
from domain.separation import SamePersonTwice, separate
from domain.world import Command, Result, Role, World
from tests.domain.county import appointment, make_county
from tests.domain.scenario import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class DoStep(Command):
    """Do one step of a matter after the steps in ``done``."""

    roles: ClassVar[frozenset[Role]] = frozenset(Role) - {Role.ADMINISTRATOR}
    matter: UUID
    area: UUID
    step: str
    done: dict[str, tuple[UUID, ...]] = field(default_factory=dict)

    def scope(self, world: World) -> UUID:
        return self.area

    def decide(self, world: World) -> Result | None:
        return {"hands": separate(world, self.matter, self.done, self.step)}


class Matter:
    """Steps of one matter in yuantan_1, done by officers with readable names."""

    def __init__(self, county: Scenario) -> None:
        self.county = county
        self.id = county.id("matter")
        self.done: dict[str, tuple[UUID, ...]] = {}

    def command(self, step: str) -> DoStep:
        area = self.county.id("yuantan_1")
        return DoStep(matter=self.id, area=area, step=step, done=self.done)

    def step(self, step: str, by: str | None) -> tuple[UUID, ...]:
        self.county.run(self.command(step), by)
        self.done[step] = self.county.result["hands"]
        return self.done[step]

    def refused(self, step: str, by: str) -> SamePersonTwice:
        refusal = self.county.when(self.command(step), by).then(SamePersonTwice)
        assert isinstance(refusal, SamePersonTwice)
        return refusal


@pytest.fixture
def county() -> Scenario:
    return make_county()


@pytest.fixture
def matter(county: Scenario) -> Matter:
    return Matter(county)


def stand_in(county: Scenario, substitute: str, absent: str) -> None:
    command = NameSubstitute(
        id=county.id(f"{substitute} for {absent}"),
        officer=county.officers[absent],
        appointment=county.id(f"appointment/{absent}"),
        substitute=county.officers[substitute],
        starts_on=date(2018, 7, 1),
        ends_on=date(2018, 7, 31),
    )
    county.given(command)


def hand_over(county: Scenario, officer: str, successor: str) -> None:
    command = HandOver(
        officer=county.officers[officer], successor=county.officers[successor], reason="调离"
    )
    county.given(command)


def grant(
    county: Scenario, officer: str, step: str = "reviewed", **other: str
) -> GrantDispensation:
    values = {"document_no": "测试〔2018〕9号", "reason": "全乡只有一人在岗"} | other
    return GrantDispensation(
        matter=county.id("matter"), officer=county.officers[officer], step=step, **values
    )


def test_four_persons_do_the_four_steps(matter: Matter) -> None:
    for step, by in (
        ("reported", "village"),
        ("reviewed", "township"),
        ("approved", "county"),
        ("paid", "payer"),
    ):
        assert matter.step(step, by) == (matter.county.id(f"person/{by}"),)


@pytest.mark.parametrize("other", ["reported", "reviewed", "approved", "paid"])
@pytest.mark.parametrize("step", ["reported", "reviewed", "approved", "paid"])
def test_no_person_does_two_steps(matter: Matter, other: str, step: str) -> None:
    matter.step(other, "township")
    if step == other:
        assert matter.step(step, "township"), "repeating one's own step is no offence"
        return
    refusal = matter.refused(step, "township")
    assert (refusal.matter, refusal.officer) == (matter.id, matter.county.officers["township"])
    assert (refusal.step, refusal.other) == (step, other)


def test_another_account_or_post_of_the_person_is_the_person(matter: Matter) -> None:
    county = matter.county
    county.given(appointment(county, "township", Role.VILLAGE_REPORTER, "yuantan_1", nth="2"))
    matter.step("reported", "township")
    matter.refused("reviewed", "township")


def test_a_substitute_counts_as_both(matter: Matter) -> None:
    county = matter.county
    stand_in(county, "township2", "township")
    hands = matter.step("reviewed", "township2")
    assert hands == (county.id("person/township2"), county.id("person/township"))
    assert matter.refused("approved", "township").other == "reviewed"


def test_a_substitute_cannot_do_for_the_absent_officer_what_that_one_may_not(
    matter: Matter,
) -> None:
    matter.step("reviewed", "county")
    stand_in(matter.county, "township2", "county")
    matter.refused("approved", "township2")


def test_a_substitute_does_not_use_the_post_against_own_steps(matter: Matter) -> None:
    matter.step("reported", "village")
    stand_in(matter.county, "village", "county")
    assert matter.county.when(matter.command("approved"), "village").then(SamePersonTwice)


def test_a_successor_counts_as_the_predecessor_too(matter: Matter) -> None:
    matter.step("reported", "village")
    hand_over(matter.county, "village", "village3")
    matter.refused("reviewed", "village3")
    hand_over(matter.county, "village3", "village4")
    matter.refused("reviewed", "village4")


def test_whoever_stands_in_for_a_successor_counts_as_all_three(matter: Matter) -> None:
    county = matter.county
    matter.step("reported", "village")
    stand_in(county, "payer2", "county2")
    hand_over(county, "village", "county2")
    only_the_stand_in = EndAppointment(
        officer=county.officers["payer2"],
        appointment=county.id("appointment/payer2"),
        ends_on=date(2018, 7, 1),
        reason="只剩代理岗位",
    )
    county.given(only_the_stand_in)
    matter.refused("approved", "payer2")


def test_the_system_is_no_person(matter: Matter) -> None:
    matter.step("reported", "village")
    assert matter.step("withdrawn", None) == ()
    assert matter.step("reviewed", "township")


def test_a_superior_dispenses_in_writing_for_one_step_of_one_matter(matter: Matter) -> None:
    county = matter.county
    matter.step("reported", "township")
    county.when(grant(county, "township"), by="county").then("Dispensation.Granted")
    kept = county.load(Dispensation, county.result["dispensation"])
    assert (kept.matter, kept.step) == (matter.id, "reviewed")
    assert kept.home == county.id("yuantan")
    matter.refused("approved", "township")
    assert matter.step("reviewed", "township") == (county.id("person/township"),)
    other = Matter(county)
    other.id = county.id("other matter")
    other.step("reported", "township")
    other.refused("reviewed", "township")


def test_a_dispensation_is_for_one_officer(matter: Matter) -> None:
    county = matter.county
    matter.step("reported", "village")
    county.given(grant(county, "township"), by="county")
    matter.refused("reviewed", "village")


def test_a_dispensation_is_granted_once_and_says_why(county: Scenario) -> None:
    county.given(grant(county, "township"), by="county")
    county.when(grant(county, "township"), by="county2").then(AlreadyExists)
    for name in ("document_no", "reason"):
        refusal = county.when(grant(county, "township", **{name: " "}), by="county").then(Malformed)
        assert refusal.field == name
    county.when(grant(county, "township", step=""), by="county").then(Malformed)


def test_only_a_superior_dispenses(county: Scenario) -> None:
    county.when(grant(county, "village"), by="township").then(NotYourRole)
    county.when(grant(county, "village"), by="admin").then(NotYourRole)
    county.when(grant(county, "village")).then(NotYourRole)
    county.when(grant(county, "village"), by="foreign_county").then(NotFound)
    refusal = county.when(grant(county, "payer"), by="county").then(NotSuperior)
    assert (refusal.officer, refusal.area) == (county.officers["payer"], county.id("county"))
    county.when(grant(county, "payer"), by="city").then("Dispensation.Granted")
    county.when(grant(county, "city"), by="province").then("Dispensation.Granted")


def test_a_superior_stands_above_every_post_of_the_officer(county: Scenario) -> None:
    county.given(appointment(county, "township", Role.STOREKEEPER, "county", nth="2"))
    county.when(grant(county, "township"), by="county").then(NotSuperior)
    county.when(grant(county, "township"), by="city").then("Dispensation.Granted")


def test_nobody_dispenses_for_themselves(county: Scenario) -> None:
    stand_in(county, "township", "county")
    county.when(grant(county, "township"), by="township").then(OwnDispensation)
    stand_in(county, "township2", "county2")
    hand_over(county, "village", "township2")
    county.given(appointment(county, "village", Role.VILLAGE_REPORTER, "yuantan_1", nth="2"))
    county.when(grant(county, "village"), by="township2").then(OwnDispensation)
