"""Incidents: from the call to the file, with units on the way."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.commands.incidents import (
    AcknowledgeAssignment,
    AssignUnit,
    CloseIncident,
    EscalateIncident,
    MarkDuplicateIncident,
    OpenIncident,
    ReassignIncident,
    RecallUnit,
    ReportEnRoute,
    ReportOnScene,
    ResolveIncident,
    TriageIncident,
    UndoDuplicateIncident,
)
from domain.commands.units import RegisterUnit
from domain.exercise import ExerciseMixed
from domain.incident import Incident, IncidentKind, Severity, Spot, Stage
from domain.incident_refusals import (
    DuplicateOfClosed,
    DuplicateOfItself,
    IncidentNotThere,
    NotAbove,
    NoUnitThere,
    UnitNotAssigned,
    UnitsStillOut,
)
from domain.refusal import AlreadyExists, Malformed, MovedOn, NotFound, NotYourRole
from domain.unit import Unit, UnitBusy, UnitKind
from tests.domain.county import make_county
from tests.domain.goods import NOW
from tests.domain.scenario import Scenario


@pytest.fixture
def county() -> Scenario:
    scenario = make_county()
    with_units(scenario)
    return scenario


def with_units(scenario: Scenario) -> "Desk":
    """The county's fire brigade and boats, and the desk that sends them."""
    for name in ("fire", "boats"):
        unit = RegisterUnit(
            unit=scenario.id(name),
            area=scenario.id("county"),
            name=name,
            kind=UnitKind.FIRE_RESCUE,
            size=8,
        )
        scenario.given(unit, by="dispatcher")
    return Desk(scenario)


def open_incident(scenario: Scenario, name: str = "incident", **changed: Any) -> OpenIncident:
    fields: dict[str, Any] = {
        "incident": scenario.id(name),
        "area": scenario.id("yuantan_1"),
        "place": "老屋组河边",
        "kind": IncidentKind.TRAPPED,
        "severity": Severity.SEVERE,
        "occurred_at": NOW - timedelta(minutes=10),
    }
    return OpenIncident(**(fields | changed))


class Desk:
    """The dispatcher at work on one incident."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.incident = scenario.id("incident")

    def triage(self, priority: int = 1) -> TriageIncident:
        return TriageIncident(incident=self.incident, priority=priority)

    def assign(self, unit: str = "fire") -> AssignUnit:
        return AssignUnit(incident=self.incident, unit=self.scenario.id(unit))

    def acknowledge(self, unit: str = "fire", late: int = 0) -> AcknowledgeAssignment:
        return AcknowledgeAssignment(
            incident=self.incident,
            unit=self.scenario.id(unit),
            occurred_at=NOW + timedelta(minutes=late),
        )

    def depart(self, unit: str = "fire", late: int = 0) -> ReportEnRoute:
        return ReportEnRoute(
            incident=self.incident,
            unit=self.scenario.id(unit),
            occurred_at=NOW + timedelta(minutes=late),
            eta_minutes=25,
        )

    def reach(self, unit: str = "fire", late: int = 0) -> ReportOnScene:
        return ReportOnScene(
            incident=self.incident,
            unit=self.scenario.id(unit),
            occurred_at=NOW + timedelta(minutes=late),
        )

    def recall(self, unit: str = "fire", reason: str = "道路不通") -> RecallUnit:
        return RecallUnit(incident=self.incident, unit=self.scenario.id(unit), reason=reason)

    def reassign(self, reason: str = "改用船艇") -> ReassignIncident:
        return ReassignIncident(
            incident=self.incident,
            from_unit=self.scenario.id("fire"),
            to_unit=self.scenario.id("boats"),
            reason=reason,
        )

    def resolve(self, outcome: str = "3 人安全转移", late: int = 0) -> ResolveIncident:
        return ResolveIncident(
            incident=self.incident, outcome=outcome, occurred_at=NOW + timedelta(minutes=late)
        )

    def close(self, reason: str = "归档") -> CloseIncident:
        return CloseIncident(incident=self.incident, reason=reason)

    def escalate(self, to: str, reason: str = "力量不足") -> EscalateIncident:
        return EscalateIncident(incident=self.incident, to=self.scenario.id(to), reason=reason)

    def duplicate(self, original: str) -> MarkDuplicateIncident:
        return MarkDuplicateIncident(incident=self.incident, original=self.scenario.id(original))

    def given_assigned(self, *units: str) -> None:
        """Opened by the village, triaged, and these units sent."""
        self.scenario.given(open_incident(self.scenario), by="village")
        self.scenario.given(self.triage(), *map(self.assign, units), by="dispatcher")

    def given_on_scene(self, *units: str) -> None:
        self.given_assigned(*units)
        for unit in units:
            steps = (self.acknowledge(unit), self.depart(unit), self.reach(unit))
            self.scenario.given(*steps, by="dispatcher")

    def stage(self) -> Stage:
        return self.state.stage

    @property
    def state(self) -> Incident:
        found: Incident = self.scenario.load(Incident, self.incident)
        return found

    def unit(self, name: str) -> Unit:
        found: Unit = self.scenario.load(Unit, self.scenario.id(name))
        return found


@pytest.fixture
def desk(county: Scenario) -> Desk:
    return Desk(county)


def test_an_incident_goes_from_the_call_to_the_file(county: Scenario, desk: Desk) -> None:
    county.when(open_incident(county), by="village").then("Incident.Opened")
    county.when(desk.triage(), by="dispatcher").then("Incident.Triaged")
    county.when(desk.assign(), by="dispatcher").then("Incident.Assigned", "Unit.Assigned")
    county.when(desk.acknowledge(), by="dispatcher").then("Incident.Acknowledged")
    county.when(desk.depart(), by="dispatcher").then("Incident.EnRoute")
    county.when(desk.reach(), by="dispatcher").then("Incident.OnScene")
    county.when(desk.resolve(), by="dispatcher").then("Incident.Resolved", "Unit.Released")
    assert desk.unit("fire").incident is None
    county.when(desk.close(), by="dispatcher").then("Incident.Closed")
    assert desk.stage() is Stage.CLOSED


def test_the_caller_s_phone_is_sealed_and_the_spot_is_exact(county: Scenario) -> None:
    call = open_incident(
        county, reporter_phone="13900000000", latitude=30.6312345, longitude=116.58
    )
    (opened,) = county.when(call, by="township").then("Incident.Opened")
    assert opened.spot == Spot(30_631_234, 116_580_000)
    assert "13900000000" not in repr(opened)
    phone = county.vault.unseal(opened.reporter_phone, county.id("incident"), "reporter_phone")
    assert phone == "13900000000"


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("place", {"place": ""}),
        ("reporter_phone", {"reporter_phone": "12"}),
        ("occurred_at", {"occurred_at": NOW + timedelta(hours=1)}),
        ("occurred_at", {"occurred_at": NOW.replace(tzinfo=None)}),
        ("latitude", {"latitude": 91.0, "longitude": 1.0}),
        ("latitude", {"latitude": float("nan"), "longitude": 1.0}),
        ("longitude", {"latitude": 1.0}),
    ],
)
def test_an_impossible_call_is_refused(
    county: Scenario, field: str, changed: dict[str, Any]
) -> None:
    wrong = open_incident(county, **changed)
    assert county.when(wrong, by="village").then(Malformed).field == field


def test_who_may_open_and_who_may_dispatch(county: Scenario, desk: Desk) -> None:
    county.when(open_incident(county), by="storekeeper").then(NotYourRole)
    county.when(open_incident(county), by="village2").then(NotFound)
    county.given(open_incident(county), by="village")
    county.when(open_incident(county), by="village").then(AlreadyExists)
    county.when(desk.triage(), by="village").then(NotYourRole)
    county.when(desk.triage(), by="foreign_dispatcher").then(NotFound)


def test_a_priority_is_one_to_four_and_may_change(county: Scenario, desk: Desk) -> None:
    county.given(open_incident(county), by="village")
    county.when(desk.triage(0), by="dispatcher").then(Malformed)
    county.when(desk.triage(5), by="dispatcher").then(Malformed)
    county.given(desk.triage(3), desk.triage(1), by="dispatcher")
    assert desk.state.priority == 1


def test_a_priority_that_a_colleague_gave_meanwhile_is_not_overwritten(
    county: Scenario, desk: Desk
) -> None:
    county.given(open_incident(county), by="village")
    fresh, stale = (replace(desk.triage(one), seen_priority=0) for one in (2, 4))
    county.when(fresh, by="dispatcher").then("Incident.Triaged")
    county.when(stale, by="dispatcher").then(MovedOn)
    county.when(replace(stale, seen_priority=2), by="dispatcher").then("Incident.Triaged")
    assert desk.state.priority == 4


def test_no_unit_is_sent_before_triage(county: Scenario, desk: Desk) -> None:
    county.given(open_incident(county), by="village")
    refusal = county.when(desk.assign(), by="dispatcher").then(IncidentNotThere)
    assert refusal.stage == "open"


def test_a_unit_s_steps_have_their_order(county: Scenario, desk: Desk) -> None:
    desk.given_assigned("fire")
    county.when(desk.assign(), by="dispatcher").then(UnitNotAssigned)
    county.when(desk.depart(), by="dispatcher").then(NoUnitThere)
    county.when(desk.reach(), by="dispatcher").then(NoUnitThere)
    refusal = county.when(desk.acknowledge("boats"), by="dispatcher").then(UnitNotAssigned)
    assert refusal.stage == "unassigned"
    county.given(desk.acknowledge(), by="dispatcher")
    county.when(desk.acknowledge(), by="dispatcher").then(NoUnitThere)


def test_no_step_lies_in_the_future(county: Scenario, desk: Desk) -> None:
    desk.given_assigned("fire")
    late = 6
    for step in (desk.acknowledge, desk.depart, desk.reach):
        county.when(step(late=late), by="dispatcher").then(Malformed)
        county.given(step(), by="dispatcher")
    county.when(desk.resolve(late=late), by="dispatcher").then(Malformed)
    county.when(desk.resolve(late=4), by="dispatcher").then("Incident.Resolved", "Unit.Released")


def test_several_units_work_on_one_incident_and_the_foremost_gives_its_stage(
    county: Scenario, desk: Desk
) -> None:
    desk.given_assigned("fire", "boats")
    county.given(desk.acknowledge("boats"), desk.depart("boats"), by="dispatcher")
    assert desk.stage() is Stage.EN_ROUTE
    county.when(desk.recall("boats"), by="dispatcher").then("Incident.Recalled", "Unit.Released")
    assert desk.stage() is Stage.ASSIGNED
    county.given(desk.recall(), by="dispatcher")
    assert desk.stage() is Stage.TRIAGED
    county.when(desk.recall(), by="dispatcher").then(NoUnitThere)
    county.when(desk.recall(reason=""), by="dispatcher").then(NoUnitThere)


def test_resolving_frees_every_unit(county: Scenario, desk: Desk) -> None:
    desk.given_on_scene("fire", "boats")
    county.when(desk.resolve(""), by="dispatcher").then(Malformed)
    county.when(desk.resolve(), by="dispatcher").then(
        "Incident.Resolved", "Unit.Released", "Unit.Released"
    )


def test_an_incident_is_resolved_only_by_a_unit_on_scene(county: Scenario, desk: Desk) -> None:
    desk.given_assigned("fire")
    refusal = county.when(desk.resolve(), by="dispatcher").then(IncidentNotThere)
    assert refusal.needed == "on_scene"


def test_another_unit_takes_over(county: Scenario, desk: Desk) -> None:
    desk.given_assigned("fire")
    county.when(desk.reassign(""), by="dispatcher").then(Malformed)
    county.when(desk.reassign(), by="dispatcher").then(
        "Incident.Recalled", "Incident.Assigned", "Unit.Assigned", "Unit.Released"
    )
    assert (desk.unit("fire").incident, desk.unit("boats").incident) == (None, desk.incident)
    county.when(desk.reassign(), by="dispatcher").then(UnitNotAssigned)


def test_a_busy_unit_does_not_take_over(county: Scenario, desk: Desk) -> None:
    desk.given_assigned("fire")
    other = TriageIncident(incident=county.id("other"), priority=2)
    away = AssignUnit(incident=county.id("other"), unit=county.id("boats"))
    county.given(open_incident(county, "other"), other, away, by="dispatcher")
    county.when(desk.reassign(), by="dispatcher").then(UnitBusy)
    assert desk.unit("fire").incident == desk.incident


def test_an_incident_ends_only_when_nobody_is_out(county: Scenario, desk: Desk) -> None:
    desk.given_assigned("fire")
    assert county.when(desk.close(), by="dispatcher").then(UnitsStillOut).units == 1
    county.given(desk.recall(), by="dispatcher")
    county.when(desk.close(""), by="dispatcher").then(Malformed)
    county.when(desk.close("误报"), by="dispatcher").then("Incident.Closed")
    county.when(desk.triage(), by="dispatcher").then(IncidentNotThere)


def test_an_incident_is_escalated_upwards_only(county: Scenario, desk: Desk) -> None:
    desk.given_assigned("fire")
    county.when(desk.escalate("city", ""), by="dispatcher").then(Malformed)
    county.when(desk.escalate("county"), by="dispatcher").then("Incident.Escalated")
    county.when(desk.escalate("yuantan"), by="dispatcher").then(NotAbove)
    county.when(desk.escalate("foreign_county"), by="dispatcher").then(NotAbove)
    county.when(desk.escalate("city"), by="dispatcher").then("Incident.Escalated")
    assert desk.state.in_charge == county.id("city")


def test_the_same_thing_called_in_twice_is_one_incident(county: Scenario, desk: Desk) -> None:
    county.given(open_incident(county), by="village")
    county.given(open_incident(county, "first"), by="township")
    county.when(desk.duplicate("incident"), by="dispatcher").then(DuplicateOfItself)
    county.when(desk.duplicate("first"), by="dispatcher").then("Incident.DuplicateFound")
    back = MarkDuplicateIncident(incident=county.id("first"), original=desk.incident)
    county.when(back, by="dispatcher").then(DuplicateOfItself)
    county.when(desk.triage(), by="dispatcher").then(IncidentNotThere)


def test_a_call_is_no_duplicate_of_an_incident_that_is_closed(county: Scenario, desk: Desk) -> None:
    """Nobody works on that one any more: the second caller would have waited for ever."""
    county.given(open_incident(county), by="village")
    county.given(open_incident(county, "first"), by="township")
    first = county.id("first")
    triaged = replace(desk.triage(2), incident=first)
    county.given(triaged, replace(desk.close(), incident=first), by="dispatcher")
    county.when(desk.duplicate("first"), by="dispatcher").then(DuplicateOfClosed)
    assert desk.stage() is Stage.OPEN


def test_what_was_taken_for_a_duplicate_stands_again_where_it_stood(
    county: Scenario, desk: Desk
) -> None:
    county.given(open_incident(county), open_incident(county, "first"), by="township")
    undo = UndoDuplicateIncident(incident=desk.incident, reason="是另一户")
    county.when(undo, by="dispatcher").then(IncidentNotThere)
    county.given(desk.duplicate("first"), by="dispatcher")
    county.when(replace(undo, reason=" "), by="dispatcher").then(Malformed)
    county.when(undo, by="village").then(NotYourRole)
    (fact,) = county.when(undo, by="dispatcher").then("Incident.DuplicateUndone")
    assert (fact.original, fact.reason) == (county.id("first"), "是另一户")
    assert desk.stage() is Stage.OPEN and desk.state.duplicate_of is None

    county.given(desk.triage(2), desk.duplicate("first"), by="dispatcher")
    county.when(undo, by="dispatcher").then("Incident.DuplicateUndone")
    assert desk.stage() is Stage.TRIAGED
    county.when(desk.assign(), by="dispatcher").then("Incident.Assigned", "Unit.Assigned")


def test_a_real_incident_is_no_duplicate_of_an_exercise(county: Scenario, desk: Desk) -> None:
    county.given(open_incident(county), by="village")
    county.given(open_incident(county, "drill", exercise=True), by="village")
    county.when(desk.duplicate("drill"), by="dispatcher").then(ExerciseMixed)


def test_a_duplicate_elsewhere_is_for_who_sees_both(county: Scenario, desk: Desk) -> None:
    county.given(open_incident(county), by="village")
    there = open_incident(county, "there", area=county.id("foreign_village"))
    county.given(there, by="foreign_village")
    county.when(desk.duplicate("there"), by="dispatcher").then(NotFound)
    county.when(desk.duplicate("there"), by="city_dispatcher").then("Incident.DuplicateFound")
    undo = UndoDuplicateIncident(incident=desk.incident, reason="是另一户")
    county.when(undo, by="dispatcher").then(NotFound)
    county.when(undo, by="city_dispatcher").then("Incident.DuplicateUndone")
