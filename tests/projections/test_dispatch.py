"""The dispatch board: incidents with their units and times, units, what is on its way."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from domain.commands.incidents import (
    AcknowledgeAssignment,
    AssignUnit,
    CloseIncident,
    EscalateIncident,
    MarkDuplicateIncident,
    OpenIncident,
    RecallUnit,
    ReportEnRoute,
    ReportOnScene,
    ResolveIncident,
    TriageIncident,
    UndoDuplicateIncident,
)
from domain.commands.units import PutUnitOffDuty, PutUnitOnDuty, RegisterUnit
from domain.incident import IncidentKind, Severity
from domain.unit import UnitKind
from projections import dispatch, stock
from projections.dispatch import dispatch_board, incident, incidents, units
from projections.folding.base import when
from tests.domain import goods
from tests.domain.county import make_county
from tests.domain.goods import NOW
from tests.domain.scenario import Scenario
from tests.projections.folding import Folded
from tests.projections.relief import fold, over, same_for_all_batches


def opened(s: Scenario, name: str, area: str = "yuantan_1") -> OpenIncident:
    return OpenIncident(
        incident=s.id(name),
        area=s.id(area),
        place="老屋组河边",
        kind=IncidentKind.TRAPPED,
        severity=Severity.SEVERE,
        occurred_at=NOW - timedelta(minutes=10),
        latitude=30.6,
        longitude=116.5,
    )


@pytest.fixture(scope="module")
def story() -> Scenario:
    """Trapped: fire on scene, boats recalled. Fallen: over. Twice: duplicate. New: no duplicate."""
    s = goods.on_the_road(make_county())
    for name in ("fire", "boats", "medics"):
        made = RegisterUnit(
            unit=s.id(name), area=s.id("county"), name=name, kind=UnitKind.FIRE_RESCUE, size=8
        )
        s.given(made, by="dispatcher")
    s.given(*[opened(s, name) for name in ("trapped", "fallen", "twice")], by="village")
    s.given(opened(s, "new", "yuantan_2"), by="village2")
    t, fire, boats = s.id("trapped"), s.id("fire"), s.id("boats")
    s.given(
        TriageIncident(incident=t, priority=1),
        AssignUnit(incident=t, unit=fire),
        AssignUnit(incident=t, unit=boats),
        AcknowledgeAssignment(incident=t, unit=fire, occurred_at=NOW),
        ReportEnRoute(incident=t, unit=fire, occurred_at=NOW, eta_minutes=25),
        RecallUnit(incident=t, unit=boats, reason="道路不通"),
        ReportOnScene(incident=t, unit=fire, occurred_at=NOW + timedelta(minutes=3)),
        EscalateIncident(incident=t, to=s.id("county"), reason="力量不足"),
        TriageIncident(incident=s.id("fallen"), priority=2),
        AssignUnit(incident=s.id("fallen"), unit=boats, assigned_at=NOW - timedelta(minutes=5)),
        AcknowledgeAssignment(incident=s.id("fallen"), unit=boats, occurred_at=NOW),
        ReportEnRoute(incident=s.id("fallen"), unit=boats, occurred_at=NOW),
        ReportOnScene(incident=s.id("fallen"), unit=boats, occurred_at=NOW),
        ResolveIncident(incident=s.id("fallen"), outcome="救出两人", occurred_at=NOW),
        CloseIncident(incident=s.id("fallen"), reason="归档"),
        MarkDuplicateIncident(incident=s.id("twice"), original=t),
        MarkDuplicateIncident(incident=s.id("new"), original=t),
        UndoDuplicateIncident(incident=s.id("new"), reason="是另一户"),
        PutUnitOffDuty(unit=boats, reason="检修"),
        PutUnitOffDuty(unit=s.id("medics"), reason="轮休"),
        PutUnitOnDuty(unit=s.id("medics")),
        by="dispatcher",
    )
    return s


@pytest.fixture(scope="module")
def folded(story: Scenario, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folded]:
    views = (stock.VIEW, dispatch.VIEW)
    found = fold(tmp_path_factory.mktemp("dispatch"), story, views)
    yield found
    found.close()


def test_the_rows_do_not_depend_on_the_batch(story: Scenario, tmp_path: Path) -> None:
    same_for_all_batches(tmp_path, story, (dispatch.VIEW,))


def test_the_board_shows_what_is_open_the_gravest_first(story: Scenario, folded: Folded) -> None:
    with folded.reading() as db:
        board = dispatch_board(db, over(story, "county"), at=story.now)
    assert [one["id"] for one in board["incidents"]] == [
        str(story.id(n)) for n in ("trapped", "new")
    ]
    back = board["incidents"][1]
    assert (back["status"], back["duplicate_of"], back["ended_at"]) == ("open", None, None)
    status = {one["name"]: one["status"] for one in board["units"]}
    assert status == {"fire": "assigned", "boats": "off_duty", "medics": "free"}
    assert [one["id"] for one in board["consignments"]] == [str(story.id("load"))]
    assert board["more"] == []


def test_an_incident_carries_its_units_and_the_time_of_every_step(
    story: Scenario, folded: Folded
) -> None:
    with folded.reading() as db:
        found = incident(db, over(story, "yuantan"), incident=story.id("trapped"))
    assert found is not None
    assert (found["status"], found["in_charge_name"]) == ("on_scene", "潜山市")
    (unit,) = found["units"]
    assert (unit["name"], unit["stage"], unit["eta_minutes"]) == ("fire", "on_scene", 25)
    assert found["on_scene_at"] > found["en_route_at"] >= found["occurred_at"]
    assert found["latitude_e6"] == 30_600_000


def test_what_is_over_is_asked_for_by_name(story: Scenario, folded: Folded) -> None:
    with folded.reading() as db:
        over_now = incidents(db, over(story, "county"), open=False).items
        mine = units(db, over(story, "county"), status="free").items
        foreign = incidents(db, over(story, "foreign_county")).items
    ends = {one["status"]: one for one in over_now}
    assert ends["closed"]["outcome"] == "救出两人"
    told = when(NOW - timedelta(minutes=5))
    assert ends["closed"]["assigned_at"] == told, "when it was told, not when it was keyed"
    assert ends["duplicate"]["duplicate_of"] == str(story.id("trapped"))
    assert [one["name"] for one in mine] == ["medics"] and foreign == []


def test_an_untriaged_call_for_life_stands_right_below_the_first_priority(tmp_path: Path) -> None:
    """A missing person nobody had triaged once stood below an older power cut of priority 4, and
    then below an older one that its caller had called extreme."""
    s = make_county()
    calls = {
        "cut": (IncidentKind.POWER_CUT, Severity.MINOR),
        "road": (IncidentKind.ROAD_CUT, Severity.UNKNOWN),
        "urgent": (IncidentKind.FLOODING, Severity.MODERATE),
        "wires": (IncidentKind.POWER_CUT, Severity.EXTREME),
        "missing": (IncidentKind.MISSING, Severity.UNKNOWN),
    }
    for name, (kind, severity) in calls.items():
        s.given(replace(opened(s, name), kind=kind, severity=severity), by="village")
    s.given(TriageIncident(incident=s.id("cut"), priority=4), by="dispatcher")
    s.given(TriageIncident(incident=s.id("urgent"), priority=1), by="dispatcher")
    folded = fold(tmp_path, s, (stock.VIEW, dispatch.VIEW))
    with folded.reading() as db:
        board = dispatch_board(db, over(s, "county"), at=NOW)
    folded.close()
    names = {str(s.id(name)): name for name in calls}
    order = [names[one["id"]] for one in board["incidents"]]
    assert order == ["urgent", "missing", "wires", "road", "cut"]
