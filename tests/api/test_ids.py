"""Which ids the edge takes: a client's own are random, references are of any version."""

import json
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid1, uuid4, uuid5

import httpx
import pytest

from api.examples import example_of
from api.made_ids import new_things, wrongly_made
from api.problems import ApiProblem
from api.routes import WRITES
from api.writes import Write
from demo import driver
from demo.naming import Names
from demo.plan import build_plan
from domain.commands.incidents import OpenIncident
from domain.commands.seasons import OpenSeason
from domain.ids import client_made
from domain.incident import IncidentKind, Severity
from domain.season import Season
from domain.world import Command, Role
from eventstore.outcomes import Envelope, Refused
from tests.api.edge import Edge, write_headers
from tests.api.seed import id_of, officer_of
from tests.api.test_writes import REPORTS, code, report
from tests.domain.scenario import Scenario


def parsed(write: Write) -> Command:
    command: Command = write.adapter.validate_python(example_of(write.command))
    return command


BEGIN_SOMETHING = [write for write in WRITES if any(new_things(parsed(write)))]
WRONG = (uuid5(NAMESPACE_OID, "derived"), uuid1(), UUID(int=0))


@pytest.mark.parametrize("key", WRONG, ids=["version 5", "version 1", "nil"])
def test_a_command_id_is_random(village: httpx.Client, key: UUID) -> None:
    answer = village.post(REPORTS, json=report(), headers=write_headers(key))
    assert (answer.status_code, code(answer)) == (400, "idempotency-key-malformed")


def test_the_ids_of_what_begins_are_known_of_every_command() -> None:
    assert len(BEGIN_SOMETHING) >= 18
    assert {"FileInitialReport", "RegisterHouseholds", "OpenIncident", "EstablishAreas"} <= {
        write.command.__name__ for write in BEGIN_SOMETHING
    }


@pytest.mark.parametrize("write", BEGIN_SOMETHING, ids=lambda write: write.command.__name__)
def test_no_command_begins_something_under_an_id_that_is_not_random(write: Write) -> None:
    fine = parsed(write)
    assert wrongly_made(fine) == []
    for thing in new_things(fine):
        for wrong in WRONG:
            values, inside = {**example_of(write.command)}, thing.field.split(".")
            part: Any = values
            for step in inside[:-1]:
                part = part[int(step)] if step.isdigit() else part[step]
            part[inside[-1]] = str(wrong)
            path = {name: values.pop(name) for name in write.in_path}
            with pytest.raises(ApiProblem) as refused:
                write.parse(json.dumps(values).encode(), path)
            assert refused.value.problem.status == 422
            assert [one["field"] for one in refused.value.errors or []] == [thing.field]


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.command.__name__)
def test_what_is_put_in_the_place_of_an_id_is_answered_without_the_word_uuid(write: Write) -> None:
    """Somebody changed a list of a Chinese page by hand, or made the id of what begins."""
    values = example_of(write.command)
    path = {name: str(_forged(values.pop(name))) for name in write.in_path}
    with pytest.raises(ApiProblem) as refused:
        write.parse(json.dumps(_forged(values)).encode(), path)
    said = refused.value.errors or []
    assert said and not any("UUID" in one["zh"] or "UUID" in one["name_zh"] for one in said)


def _forged(value: Any) -> Any:
    """The same with something else where an id stood."""
    if isinstance(value, dict):
        return {name: _forged(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_forged(one) for one in value]
    try:
        UUID(str(value))
    except ValueError:
        return value
    return "潜山市"


def test_references_may_be_of_any_version(edge: Edge) -> None:
    """Stores of earlier programs are full of version 5."""
    old = uuid5(NAMESPACE_OID, "an old disaster")
    with edge.client(Role.VILLAGE_REPORTER, "yuantan_1") as village:
        answer = village.post(REPORTS, json=report(disaster=str(old)), headers=write_headers())
    assert answer.status_code == 200, answer.text


def test_a_season_cannot_be_closed_for_ever_by_taking_its_id(edge: Edge) -> None:
    area = id_of("county")
    season = Season.id_of(area, "winter_spring", 2018, None, exercise=False)
    command = OpenIncident(
        incident=season,
        area=area,
        place="村口",
        kind=IncidentKind.TRAPPED,
        severity=Severity.SEVERE,
        occurred_at=edge.system.store.clock.now(),
    )
    attack = {
        "incident": str(season),
        "area": str(area),
        "place": "村口",
        "kind": command.kind,
        "severity": command.severity,
        "occurred_at": command.occurred_at.isoformat(),
    }
    with edge.client(Role.DISPATCHER, "county") as dispatcher:
        answer = dispatcher.post("/v1/incidents", json=attack, headers=write_headers())
    assert (answer.status_code, code(answer)) == (422, "malformed"), answer.text
    assert [one["field"] for one in answer.json()["errors"]] == ["incident"]
    by = officer_of(Role.DISPATCHER, "county")
    with pytest.raises(Refused) as refused:  # nor in process: an import, the demo
        edge.system.store.run(Envelope(id=uuid4(), officer=by, command=command))
    assert refused.value.problem.code == "id-not-fresh"
    opened = OpenSeason(area=area, programme="winter_spring", year=2018)
    approver = officer_of(Role.COUNTY_APPROVER, "county")
    edge.system.store.run(Envelope(id=uuid4(), officer=approver, command=opened))
    assert isinstance(edge.system.store.load(season), Season)


def test_every_stream_a_client_begins_is_marked_in_its_command() -> None:
    """The small demo begins nothing under an id that its command does not mark as new."""
    plan, scenario = build_plan(small=True), Scenario()
    for deed in driver.deeds(plan, Names(plan, scenario.vault.person_for)):
        scenario.now = deed.at
        before = len(scenario.facts)
        scenario.run(deed.command, deed.officer)
        marked = {thing.id for thing in new_things(deed.command)}
        for fact in scenario.facts[before:]:
            begun = scenario.load(object, fact.originator_id) if fact.originator_version == 1 else 0
            if begun and begun.derived_id() is None and type(begun).__name__ != "Person":
                assert fact.originator_id in marked, (type(deed.command), type(begun))


def test_a_load_that_an_earlier_program_began_is_finished_with_its_ids() -> None:
    plan = build_plan(small=True)
    names = lambda: Names(plan, Scenario().vault.person_for)  # noqa: E731
    yesterday = list(driver.deeds(plan, names(), stored=lambda _: True))
    half = {deed.command_id for deed in yesterday[: len(yesterday) // 2]}
    continued = list(driver.deeds(plan, names(), stored=half.__contains__))
    assert len(continued) == len(yesterday)
    for old, new in zip(yesterday, continued, strict=True):
        assert (old.command_id == new.command_id) == (old.command_id in half)
        if old.command_id not in half:
            assert client_made(new.command_id) and not wrongly_made(new.command)
    assert {deed.command_id for deed in driver.deeds(plan, names())}.isdisjoint(half)
