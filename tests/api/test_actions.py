"""What may be done with a thing, as the API tells it."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from api.actions import READERS, actions_of
from api.auth import Caller
from domain.commands.officers import HandOver
from domain.commands.proposing import DeclineProposal, ProposeEnd, TakeProposal
from domain.commands.subjects import SUBJECTS
from domain.rules.base import china_day
from domain.telling import STATES
from domain.world import Role
from eventstore.accounts import Session
from tests.api.edge import Edge
from tests.web.desk import living_county


def test_steps_are_told_in_the_order_of_its_life_with_what_takes_them_back(edge: Edge) -> None:
    one = edge.seeded.places["county"].ids["incident"]
    told = edge.client(Role.DISPATCHER, "county").get(f"/v1/actions/incidents/{one}").json()
    subject = told["subject"]
    assert (subject["kind"], subject["id"]) == ("incidents", str(one))
    assert (subject["zh"], subject["en"]) == STATES[subject["state"]]
    assert told["position"] > 0
    names = [action["command"] for action in told["actions"]]
    assert names[:2] == ["TriageIncident", "AssignUnit"]
    by_name = {action["command"]: action for action in told["actions"]}
    assert "EscalateIncidentWhenDue" not in by_name, "it is the program's"
    first = by_name["TriageIncident"]
    assert first["open"] and first["why"] is None
    assert first["path"] == f"/v1/incidents/{one}/triages"
    assert by_name["AcknowledgeAssignment"]["undo"]["command"] == "RecallUnit"
    assert by_name["ResolveIncident"]["undo"]["command"] is None
    assert by_name["ResolveIncident"]["undo"]["zh"]


def test_why_not_is_said_with_names_and_states(edge: Edge) -> None:
    one = edge.seeded.places["county"].ids["incident"]
    client = edge.client(Role.DISPATCHER, "county")
    told = client.get(f"/v1/actions/incidents/{one}").json()["actions"]
    closed = next(action for action in told if action["command"] == "ResolveIncident")
    assert not closed["open"]
    why = closed["why"]
    assert why["type"] == "/problems/incident-not-there" and why["until"] is None
    assert why["first"] == [{"command": "ReportOnScene", "roles": ["dispatcher"]}]
    assert not why["over"]
    answer = client.post(
        f"/v1/incidents/{one}/resolutions",
        json={"outcome": "", "occurred_at": "2018-07-01T10:00:00+08:00"},
        headers={"Idempotency-Key": str(uuid4())},
    )
    assert answer.status_code == 409
    assert answer.json()["zh"] == why["zh"] and answer.json()["en"] == why["en"]
    assert str(one) not in why["zh"] + why["en"]


def test_a_step_of_one_version_names_the_latest(edge: Edge) -> None:
    one = edge.seeded.places["yuantan_1"].ids["report"]
    reviewer = edge.client(Role.TOWNSHIP_REVIEWER, "yuantan")
    told = reviewer.get(f"/v1/actions/situation-reports/{one}").json()
    paths = {action["command"]: action["path"] for action in told["actions"]}
    version = reviewer.get(f"/v1/situation-reports/{one}").json()["version"]
    assert paths["AcceptReport"] == (f"/v1/situation-reports/{one}/versions/{version}/acceptances")
    assert "FileFollowUp" not in paths, "that is the village's own"


def test_who_has_no_step_there_is_told_none(edge: Edge) -> None:
    one = edge.seeded.places["county"].ids["incident"]
    for role in (Role.COUNTY_PAYER, Role.STOREKEEPER):
        answer = edge.client(role, "county").get(f"/v1/actions/incidents/{one}")
        assert answer.status_code == 200 and answer.json()["actions"] == []


def test_who_may_not_read_a_thing_is_not_told_how_it_stands(edge: Edge) -> None:
    """Not whether a colleague is suspended, nor to an administrator whether a household moves."""
    ids = edge.seeded.places["county"].ids
    for role, kind, id in (
        (Role.STOREKEEPER, "officers", ids["officer"]),
        (Role.DISPATCHER, "post-proposals", ids["proposal"]),
        (Role.ADMINISTRATOR, "incidents", ids["incident"]),
        (
            Role.ADMINISTRATOR,
            "households",
            edge.seeded.places["yuantan_1"].ids["household"],
        ),
    ):
        answer = edge.client(role, "county").get(f"/v1/actions/{kind}/{id}")
        assert answer.status_code == 403, (role, kind)
        assert "subject" not in answer.json()
    assert set(READERS) >= set(SUBJECTS)


def test_a_foreign_thing_is_not_there(edge: Edge) -> None:
    foreign = edge.seeded.places["far_county"].ids["incident"]
    client = edge.client(Role.DISPATCHER, "county")
    answers = [client.get(f"/v1/actions/incidents/{id}") for id in (foreign, uuid4())]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json()["zh"] == answers[1].json()["zh"]
    assert client.get(f"/v1/actions/stars/{foreign}").status_code == 404


def test_a_proposal_about_a_post_that_was_handed_over_can_still_be_declined(
    tmp_path: Path,
) -> None:
    """Nothing at all was told of it: the post that it would end could not be found."""
    with living_county(tmp_path / "handed-over") as county:
        officer, appointment = county.officers["village"], county.id("appointment/village")
        proposal = county.id("proposal")
        ends_on = china_day(county.now) + timedelta(days=20)
        proposed = ProposeEnd(
            id=proposal,
            officer=officer,
            appointment=appointment,
            ends_on=ends_on,
            reason="另有任用",
        )
        county.run(proposed, by="county")
        successor = county.officers["village_b"]
        county.run(HandOver(officer=officer, successor=successor, reason="离任"), by="admin")
        admin = county.system.officer(county.officers["admin"])
        assert admin is not None
        session = Session(admin.id, "", "token", "", 0.0)
        found = actions_of(Caller(county.system, session, admin), "post-proposals", proposal)
    assert found.of(TakeProposal) is None
    declining = found.of(DeclineProposal)
    assert declining is not None and declining.open
