"""Every step of an incident and of a unit by a rendered page and its form, sent over HTTP."""

import re
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from domain.commands import incidents as i
from domain.commands import units as u
from tests.web.pressing import Desk, Page, uuid_in


@pytest.fixture
def desk(server: TestClient) -> Desk:
    return Desk(server, "dispatcher")


def opened(desk: Desk, place: str) -> tuple[UUID, Page]:
    """An incident opened from home, two links away; and its page."""
    home = desk.open("/")
    assert "/dispatch" in home.links
    board = desk.open("/dispatch")
    assert "/dispatch/new" in board.links
    form = desk.open("/dispatch/new").form(i.OpenIncident)
    board = form.press(place=place, kind="人员失联", severity="严重")
    found = re.search(rf'href="(/dispatch/incidents/[^"#]+)">[^<]* · {place}</a>', board.text)
    assert found is not None
    return uuid_in(found[1]), desk.open(found[1])


def registered(desk: Desk, name: str) -> UUID:
    form = desk.open("/dispatch/units").form(u.RegisterUnit)
    page = form.press(name=name, kind="民兵", size=12, area="潜山市")
    return uuid_in(page.text[: page.text.index(f"<b>{name}</b>")].rsplit('id="unit-', 1)[1])


def test_an_incident_s_whole_life_by_its_pages(desk: Desk) -> None:
    for name in ("一号民兵队", "二号民兵队"):
        registered(desk, name)
    incident, page = opened(desk, "大河湾渡口")
    assert page.state == "open"
    assert page.offers(incident)[0] == "TriageIncident", "the next step stands first"
    assert page.closed.get("AssignUnit")

    page = page.form(i.TriageIncident).press(note="水还在涨", priority="1 特急")
    assert page.state == "triaged" and page.offers(incident)[0] == "AssignUnit"
    assert "assigned_at" in page.form(i.AssignUnit).names(), "for what is keyed later"
    page = page.form(i.AssignUnit).press(unit="一号民兵队")
    assert page.state == "assigned"
    page = page.form(i.ReassignIncident).press(
        from_unit="一号民兵队", to_unit="二号民兵队", reason="一号队的船坏了，过不了河"
    )
    assert page.form(i.AcknowledgeAssignment).options("unit") == ["二号民兵队"]
    page = page.form(i.AcknowledgeAssignment).press(unit="二号民兵队")
    page = page.form(i.ReportEnRoute).press(unit="二号民兵队", eta_minutes="20")
    assert page.state == "en_route" and re.search(r"途中\s*· 预计 .*\d\d:\d\d", page.text)
    page = page.form(i.EscalateIncident).press(to="安庆市", reason="需要市里的冲锋舟队支援")
    page = page.form(i.ReportOnScene).press(unit="二号民兵队")
    assert page.offers(incident)[0] == "ResolveIncident"
    page = page.form(i.ResolveIncident).press(outcome="三人已安全转移到村部")
    assert page.state == "resolved" and page.offers(incident)[0] == "CloseIncident"
    facts = page.text[page.text.index("处置力量") :].split("</dd>")[0]
    assert "二号民兵队" in facts and "一号民兵队" not in facts, "who was there, and nobody else"
    page = page.form(i.CloseIncident).press(reason="处置完毕，人员都已安置")
    assert page.state == "closed" and page.offers(incident) == []
    assert set(page.closed) >= {"TriageIncident", "AssignUnit", "ResolveIncident"}


def test_a_unit_that_is_not_there_when_it_said_is_marked(desk: Desk) -> None:
    """ "About 20 minutes" stood there unchanged the day after."""
    registered(desk, "四号民兵队")
    incident, page = opened(desk, "水库泄洪道")
    page = page.form(i.TriageIncident).press(priority="2")
    page = page.form(i.AssignUnit).press(unit="四号民兵队")
    form = page.form(i.AcknowledgeAssignment)
    (at,) = [one.value for one in form.inputs if one.name == "occurred_at"]
    left = datetime.fromisoformat(at) - timedelta(minutes=4)
    typed = {"unit": "四号民兵队", "occurred_at": left.isoformat()[:16]}
    page = form.press(**typed)
    page = page.form(i.ReportEnRoute).press(**typed, eta_minutes="1")
    due = (left + timedelta(minutes=1)).strftime("%H:%M")
    board = desk.open("/dispatch").text
    row = board[board.index(f'id="incident-{incident}"') :]
    for text in (page.text, row[: row.index("</li>")]):
        assert due in text and "chip-overdue" in text


def test_a_false_alarm_a_duplicate_and_a_recall(desk: Desk) -> None:
    unit = registered(desk, "三号民兵队")
    first, page = opened(desk, "石门水库坝脚")
    page = page.form(i.TriageIncident).press(priority="2")
    page = page.form(i.AssignUnit).press(unit="三号民兵队")
    page = page.form(i.RecallUnit).press(unit="三号民兵队", reason="改由水库管理所的人先看")
    assert page.state == "triaged" and "RecallUnit" in page.closed
    _, again = opened(desk, "石门水库坝下")
    again = again.form(i.MarkDuplicateIncident).press(original="人员失联 · 石门水库坝脚")
    assert again.state == "duplicate"
    assert "act-next" not in again.text, "nothing waits to be done about it"
    again = again.form(i.UndoDuplicateIncident).press(reason="坝脚和坝下是两处，各有一人失联")
    assert again.state in ("open", "triaged")
    page = (
        desk.open(f"/dispatch/incidents/{first}")
        .form(i.CloseIncident)
        .press(reason="虚惊一场，没有人失联")
    )
    assert page.state == "closed"
    units = desk.open("/dispatch/units")
    assert units.offers(unit) == ["PutUnitOffDuty"]
    units = units.form(u.PutUnitOffDuty, unit).press(reason="全队轮休两天")
    assert units.offers(unit) == ["PutUnitOnDuty"]
    assert desk.open("/dispatch/units").form(u.PutUnitOnDuty, unit).press().offers(unit) == [
        "PutUnitOffDuty"
    ]


def test_what_cannot_be_read_from_a_form_is_said_at_its_field(desk: Desk) -> None:
    _, page = opened(desk, "黄泥岗")
    answer = page.form(i.TriageIncident).send()
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == ["priority"]


def test_who_may_only_watch_is_offered_nothing(server: TestClient) -> None:
    desk = Desk(server, "dispatcher")
    incident, _ = opened(desk, "观音洞口")
    page = Desk(server, "county-approver").open(f"/dispatch/incidents/{incident}")
    assert page.offers() == [] and page.closed == {}
    units = page.desk.open("/dispatch/units")
    assert units.offers() == [] and "县医疗救护队" in units.text
