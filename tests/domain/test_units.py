"""Units: registered, on duty or off, one open assignment at a time."""

from typing import Any

import pytest

from domain.commands.incidents import AssignUnit, TriageIncident
from domain.commands.units import PutUnitOffDuty, PutUnitOnDuty, RegisterUnit
from domain.exercise import ExerciseMixed
from domain.refusal import AlreadyExists, Malformed, NotFound, NotYourRole
from domain.unit import UnitBusy, UnitKind, UnitOffDuty, UnitOnDuty
from tests.domain.county import make_county
from tests.domain.scenario import Scenario
from tests.domain.test_incidents import open_incident


@pytest.fixture
def county() -> Scenario:
    return make_county()


def register(scenario: Scenario, name: str = "消防一中队", **changed: Any) -> RegisterUnit:
    fields: dict[str, Any] = {
        "unit": scenario.id(name),
        "area": scenario.id("county"),
        "name": name,
        "kind": UnitKind.FIRE_RESCUE,
        "size": 12,
    }
    return RegisterUnit(**(fields | changed))


def off_duty(scenario: Scenario, reason: str = "轮休") -> PutUnitOffDuty:
    return PutUnitOffDuty(unit=scenario.id("消防一中队"), reason=reason)


def on_duty(scenario: Scenario) -> PutUnitOnDuty:
    return PutUnitOnDuty(unit=scenario.id("消防一中队"))


def assign(scenario: Scenario, incident: str = "incident") -> AssignUnit:
    return AssignUnit(incident=scenario.id(incident), unit=scenario.id("消防一中队"))


def triaged(scenario: Scenario, incident: str = "incident", **changed: Any) -> None:
    scenario.given(
        open_incident(scenario, incident, **changed),
        TriageIncident(incident=scenario.id(incident), priority=1),
        by="dispatcher",
    )


def test_a_unit_is_registered_by_a_dispatcher_of_its_area(county: Scenario) -> None:
    county.when(register(county), by="county").then(NotYourRole)
    county.when(register(county), by="foreign_dispatcher").then(NotFound)
    county.when(register(county), by="dispatcher").then("Unit.Registered")
    county.when(register(county), by="dispatcher").then(AlreadyExists)


@pytest.mark.parametrize(("field", "value"), [("name", ""), ("size", 0)])
def test_a_unit_has_a_name_and_people(county: Scenario, field: str, value: Any) -> None:
    wrong = register(county, **{field: value})
    assert county.when(wrong, by="dispatcher").then(Malformed).field == field


def test_a_unit_off_duty_is_not_sent(county: Scenario) -> None:
    county.given(register(county), by="dispatcher")
    triaged(county)
    county.when(off_duty(county, ""), by="dispatcher").then(Malformed)
    county.when(off_duty(county), by="dispatcher").then("Unit.WentOffDuty")
    county.when(off_duty(county), by="dispatcher").then(UnitOffDuty)
    county.when(assign(county), by="dispatcher").then(UnitOffDuty)
    county.when(on_duty(county), by="dispatcher").then("Unit.CameOnDuty")
    county.when(on_duty(county), by="dispatcher").then(UnitOnDuty)
    county.when(assign(county), by="dispatcher").then("Incident.Assigned", "Unit.Assigned")


def test_a_unit_has_one_open_assignment(county: Scenario) -> None:
    county.given(register(county), by="dispatcher")
    triaged(county)
    triaged(county, "other")
    county.given(assign(county), by="dispatcher")
    refusal = county.when(assign(county, "other"), by="dispatcher").then(UnitBusy)
    assert refusal.incident == county.id("incident")
    county.when(off_duty(county), by="dispatcher").then(UnitBusy)


def test_a_real_unit_is_not_sent_to_an_exercise(county: Scenario) -> None:
    county.given(register(county), by="dispatcher")
    triaged(county, exercise=True)
    county.when(assign(county), by="dispatcher").then(ExerciseMixed)


def test_a_unit_of_another_county_is_sent_by_the_city_above_both(county: Scenario) -> None:
    foreign = register(county, area=county.id("foreign_county"))
    county.given(foreign, by="foreign_dispatcher")
    triaged(county)
    county.when(assign(county), by="dispatcher").then(NotFound)
    facts = county.when(assign(county), by="city_dispatcher").then(
        "Incident.Assigned", "Unit.Assigned"
    )
    assert [fact.meta.division for fact in facts] == [
        county.id("county"),
        county.id("foreign_county"),
    ]
