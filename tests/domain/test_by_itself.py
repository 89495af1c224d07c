"""What happens by itself: notices come down, incidents nobody answers go to the area above."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.commands.incidents import (
    AcknowledgeAssignment,
    AssignUnit,
    EscalateIncident,
    EscalateIncidentWhenDue,
    MarkDuplicateIncident,
    OpenIncident,
    RecallUnit,
    TriageIncident,
    UndoDuplicateIncident,
)
from domain.commands.notices import PostNotice, WithdrawNotice, WithdrawNoticeWhenDue
from domain.commands.rulebooks import AdoptRulebook
from domain.commands.units import RegisterUnit
from domain.due import NotDueYet, NothingDue
from domain.incident import Incident, IncidentKind, Severity
from domain.notice import Notice
from domain.refusal import NotYourRole
from domain.rulebook import Rulebook
from domain.rules.loading import RulebookInvalid, check_content
from domain.unit import UnitKind
from tests.domain.county import make_county
from tests.domain.ledger import Ledger, objection
from tests.domain.scenario import Scenario

LIMITS = {
    "acknowledge": [{"priority": 1, "minutes": 10}, {"priority": 2, "minutes": 30}],
    "untriaged_minutes": 20,
    "up_to": "city",
}


def adoption(scenario: Scenario, area: str, **changed: Any) -> AdoptRulebook:
    return AdoptRulebook(
        area=scenario.id(area),
        kind="dispatch",
        version=f"{area}-1",
        document_no="潜应急〔2018〕1号",
        valid_from=date(2018, 1, 1),
        content=LIMITS | changed,
    )


@pytest.fixture
def county() -> Scenario:
    scenario = make_county()
    scenario.given(adoption(scenario, "county"), by="admin")
    unit = RegisterUnit(
        unit=scenario.id("fire"),
        area=scenario.id("county"),
        name="fire",
        kind=UnitKind.FIRE_RESCUE,
        size=8,
    )
    return scenario.given(unit, by="dispatcher")


def opened(scenario: Scenario, area: str = "yuantan_1") -> OpenIncident:
    return OpenIncident(
        incident=scenario.id("incident"),
        area=scenario.id(area),
        place="老屋组河边",
        kind=IncidentKind.TRAPPED,
        severity=Severity.SEVERE,
        occurred_at=scenario.now,
    )


def triaged(scenario: Scenario, priority: int) -> TriageIncident:
    return TriageIncident(incident=scenario.id("incident"), priority=priority)


def escalation(scenario: Scenario, due_at: datetime) -> EscalateIncidentWhenDue:
    return EscalateIncidentWhenDue(incident=scenario.id("incident"), due_at=due_at)


def awaited(scenario: Scenario) -> datetime | None:
    found: datetime | None = scenario.load(Incident, scenario.id("incident")).acknowledge_by
    return found


def in_charge(scenario: Scenario) -> UUID:
    found: UUID = scenario.load(Incident, scenario.id("incident")).in_charge
    return found


def taking_down(ledger: Ledger, due_at: datetime) -> WithdrawNoticeWhenDue:
    return WithdrawNoticeWhenDue(village_list=ledger.list, notice=Notice.FIRST, due_at=due_at)


def test_a_notice_says_when_it_comes_down_and_comes_down_then() -> None:
    ledger = Ledger().until("listed")
    s = ledger.scenario
    (posted,) = s.when(PostNotice(village_list=ledger.list), by="village").then(
        "VillageList.Posted"
    )
    assert posted.withdraw_at - posted.ends_at == timedelta(days=30), "the county's rulebook"
    command = taking_down(ledger, posted.withdraw_at)
    s.when(command, by="township").then(NotYourRole)
    assert s.wait(days=36).when(command).then(NotDueYet).due_at == posted.withdraw_at
    (down,) = s.wait(days=1).when(command).then("VillageList.Withdrawn")
    assert not down.early and down.meta.role == "system"
    s.when(command).then(NothingDue)
    assert Notice.FIRST in ledger.load_list().notices, "it has counted"


def test_views_keep_milliseconds_and_mean_the_same_posting() -> None:
    ledger = Ledger().until("listed")
    s = ledger.scenario.wait(microseconds=7)
    (posted,) = s.when(PostNotice(village_list=ledger.list), by="village").then(
        "VillageList.Posted"
    )
    command = taking_down(ledger, posted.withdraw_at.replace(microsecond=0))
    s.wait(days=37, microseconds=-1).when(command).then(NotDueYet)
    s.wait(microseconds=1).when(command).then("VillageList.Withdrawn")


def test_a_notice_posted_again_is_not_taken_down_for_the_first_posting() -> None:
    ledger = Ledger().until("listed")
    s = ledger.scenario
    s.given(PostNotice(village_list=ledger.list), by="village")
    first = ledger.load_list().withdraw_at
    s.wait(days=1).given(WithdrawNotice(village_list=ledger.list, reason="破损"), by="village")
    s.given(PostNotice(village_list=ledger.list), by="village").wait(days=36)
    s.when(taking_down(ledger, first)).then(NothingDue)
    s.given(objection(ledger), by="village")


def test_nothing_is_awaited_where_no_limit_is_adopted(county: Scenario) -> None:
    plain = make_county()
    plain.when(opened(plain), by="village").then("Incident.Opened")
    del plain.streams[Rulebook.id_of(plain.id("nation"), "dispatch")]
    plain.when(triaged(plain, 1), by="dispatcher").then("Incident.Triaged")
    county.given(opened(county), by="village")
    county.when(triaged(county, 4), by="dispatcher").then("Incident.Triaged")
    assert awaited(county) is None, "a priority without a limit may wait"


def test_an_incident_waits_by_its_priority(county: Scenario) -> None:
    _, due = county.when(opened(county), by="village").then(
        "Incident.Opened", "Incident.AcknowledgementDue"
    )
    assert due.due_at == county.now + timedelta(minutes=20) and due.rules.version == "county-1"
    county.wait(minutes=19).given(triaged(county, 2), by="dispatcher")
    assert awaited(county) == county.now + timedelta(minutes=30)
    county.when(escalation(county, due.due_at)).then(NothingDue)
    county.given(triaged(county, 1), by="dispatcher")
    assert awaited(county) == county.now + timedelta(minutes=10)


def test_an_incident_nobody_answers_goes_up_step_by_step_and_stops(county: Scenario) -> None:
    county.given(opened(county, "county"), by="dispatcher").given(
        triaged(county, 1), by="dispatcher"
    )
    county.given(adoption(county, "city", untriaged_minutes=None), by="city_admin")
    due_at = awaited(county)
    assert due_at is not None
    command = escalation(county, due_at)
    county.when(command, by="dispatcher").then(NotYourRole)
    county.wait(minutes=9, seconds=59).when(command).then(NotDueYet)
    missed, up, again = (
        county.wait(minutes=5)
        .when(command)
        .then("Incident.AcknowledgementMissed", "Incident.Escalated", "Incident.AcknowledgementDue")
    )
    assert (missed.due_at, up.to) == (due_at, county.id("city"))
    assert missed.meta.recorded_at == county.now > due_at, "late work says so"
    assert again.due_at == county.now + timedelta(minutes=10)
    assert again.rules.version == "city-1", "the rules of the area now in charge"
    county.when(command).then(NothingDue)
    last = county.wait(minutes=10).when(escalation(county, again.due_at))
    last.then("Incident.AcknowledgementMissed")
    assert in_charge(county) == county.id("city"), "no further by itself"
    assert awaited(county) is None


def test_a_unit_that_acknowledged_in_time_stops_the_clock(county: Scenario) -> None:
    incident, fire = county.id("incident"), county.id("fire")
    county.given(opened(county), by="village")
    county.given(triaged(county, 1), AssignUnit(incident=incident, unit=fire), by="dispatcher")
    due_at = awaited(county)
    assert due_at is not None, "a unit that was sent has not answered yet"
    told = AcknowledgeAssignment(incident=incident, unit=fire, occurred_at=county.now)
    county.given(told, by="dispatcher").wait(minutes=30)
    county.when(escalation(county, due_at)).then(NothingDue)
    county.when(RecallUnit(incident=incident, unit=fire, reason="断路"), by="dispatcher").then(
        "Incident.Recalled", "Incident.AcknowledgementDue", "Unit.Released"
    )
    assert awaited(county) == county.now + timedelta(minutes=10), "it waits again"


def test_a_person_s_escalation_starts_the_clock_of_the_area_above(county: Scenario) -> None:
    county.given(opened(county), by="village").wait(minutes=15)
    up = EscalateIncident(
        incident=county.id("incident"), to=county.id("yuantan"), reason="力量不足"
    )
    county.when(up, by="dispatcher").then("Incident.Escalated", "Incident.AcknowledgementDue")
    assert awaited(county) == county.now + timedelta(minutes=20)


def test_a_priority_has_one_limit() -> None:
    twice = {"acknowledge": [{"priority": 1, "minutes": 5}] * 2, "up_to": "county"}
    with pytest.raises(RulebookInvalid) as refused:
        check_content("dispatch", "dispatch", twice)
    assert refused.value.key == "acknowledge"


def test_facts_from_before_come_down_at_their_end() -> None:
    from domain.catalog import AGGREGATES
    from eventstore.mapper import TypedMapper
    from tests.golden.files import file_of, read

    stored = read(file_of("VillageList.Posted"))[-1]
    fact: Any = TypedMapper(AGGREGATES).decode(stored.topic, bytes(stored.state))
    assert fact.withdraw_at == fact.ends_at
    assert fact.withdraw_at.tzinfo in (UTC, fact.ends_at.tzinfo)


def test_the_clock_of_an_incident_that_is_no_duplicate_begins_anew(county: Scenario) -> None:
    first = replace(opened(county), incident=county.id("first"))
    county.given(opened(county), first, by="village")
    county.given(triaged(county, 2), by="dispatcher")
    found = MarkDuplicateIncident(incident=county.id("incident"), original=first.incident)
    county.given(found, by="dispatcher")
    county.wait(hours=3)
    undo = UndoDuplicateIncident(incident=county.id("incident"), reason="是另一户")
    _, due = county.when(undo, by="dispatcher").then(
        "Incident.DuplicateUndone", "Incident.AcknowledgementDue"
    )
    assert due.due_at == awaited(county) == county.now + timedelta(minutes=30)
