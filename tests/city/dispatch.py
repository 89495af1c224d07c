"""Incidents of the flood and the units that were sent, some from another county."""

from typing import Any

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
)
from domain.commands.units import PutUnitOffDuty, PutUnitOnDuty, RegisterUnit
from domain.incident import IncidentKind, Severity
from domain.unit import UnitKind
from tests.city.base import Act, City, County, Village


def teams(city: City) -> None:
    """Two in every county, one of the city."""
    register(city, "city-boats", "city", "city-dispatcher", UnitKind.BOAT_TEAM)
    for county in city.counties:
        register(city, f"{county.key}-fire", county.key, county.dispatcher, UnitKind.FIRE_RESCUE)
        register(city, f"{county.key}-road", county.key, county.dispatcher, UnitKind.ROAD_CREW)


def register(
    city: City, key: str, area: str, by: str, kind: UnitKind, *, exercise: bool = False
) -> None:
    unit = RegisterUnit(
        unit=city.id("unit", key),
        area=city.area(area),
        name=f"{key}（演示）队",
        kind=kind,
        size=12,
        exercise=exercise,
    )
    city.do(unit, by)


def open_incident(city: City, key: str, village: Village, *, exercise: bool = False) -> None:
    incident = OpenIncident(
        incident=city.id("incident", key),
        area=city.area(village.key),
        place="村口桥头",
        kind=IncidentKind.TRAPPED,
        severity=Severity.SEVERE,
        occurred_at=city.now,
        latitude=30.5,
        longitude=116.5,
        exercise=exercise,
    )
    city.do(incident, village.reporter)


def rescued(city: City, key: str, unit: str, dispatcher: str, sender: str) -> Act:
    """From the priority to the filed incident; ``sender`` is above incident and unit."""
    told: dict[str, Any] = {"incident": city.id("incident", key), "unit": city.id("unit", unit)}
    city.do(TriageIncident(incident=told["incident"], priority=1), dispatcher)
    yield
    city.do(AssignUnit(**told), sender)
    yield
    city.do(AcknowledgeAssignment(**told, occurred_at=city.now), dispatcher)
    yield
    city.do(ReportEnRoute(**told, occurred_at=city.now, eta_minutes=20), dispatcher)
    yield
    city.do(ReportOnScene(**told, occurred_at=city.now), dispatcher)
    yield
    resolve = ResolveIncident(incident=told["incident"], outcome="已转移", occurred_at=city.now)
    city.do(resolve, dispatcher)
    yield
    city.do(CloseIncident(incident=told["incident"], reason="处置完毕"), dispatcher)


def told_twice(city: City, county: County, village: Village) -> Act:
    """While help is on its way somebody else calls for the same."""
    again = f"twice-{county.key}"
    open_incident(city, again, village)
    yield
    same = MarkDuplicateIncident(
        incident=city.id("incident", again), original=city.id("incident", village.key)
    )
    city.do(same, county.dispatcher)
    yield


def rescues(city: City, county: County) -> Act:
    """One for every village, one told twice, one in the city's hands with a neighbor's unit."""
    fire = f"{county.key}-fire"
    first, second = county.villages[:2]
    for village in county.villages:
        open_incident(city, village.key, village)
        yield
        if village is first:
            yield from told_twice(city, county, first)
        yield from rescued(city, village.key, fire, county.dispatcher, county.dispatcher)
        yield
    grave = f"grave-{county.key}"
    open_incident(city, grave, second)
    yield
    incident = city.id("incident", grave)
    city.do(TriageIncident(incident=incident, priority=1), county.dispatcher)
    yield
    up = EscalateIncident(incident=incident, to=city.area("city"), reason="力量不足")
    city.do(up, county.dispatcher)
    yield
    city.do(AssignUnit(incident=incident, unit=city.id("unit", fire)), county.dispatcher)
    yield
    neighbor = city.counties[(county.number + 1) % len(city.counties)]
    instead = ReassignIncident(
        incident=incident,
        from_unit=city.id("unit", fire),
        to_unit=city.id("unit", f"{neighbor.key}-road"),
        reason="道路抢通优先",
    )
    city.do(instead, "city-dispatcher")
    yield
    if county.number % 2:
        recall = RecallUnit(
            incident=incident, unit=city.id("unit", f"{neighbor.key}-road"), reason="另有任务"
        )
        city.do(recall, "city-dispatcher")
        yield
    city.do(PutUnitOffDuty(unit=city.id("unit", fire), reason="检修"), county.dispatcher)
    yield
    city.do(PutUnitOnDuty(unit=city.id("unit", fire)), county.dispatcher)
