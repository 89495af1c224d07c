"""Who is suspended, whose post has ended, and who never had one: on every route of the table."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from domain.commands.officers import EndAppointment, RegisterOfficer, SuspendOfficer
from domain.officer import Officer
from domain.world import Command, Role
from eventstore.outcomes import Envelope
from tests.api.cells import COMMANDS, body_of, path_of
from tests.api.edge import PASSWORD, Answer, Edge
from tests.api.matrix import MATRIX, Row
from tests.api.seed import NOW, id_of, name_of, officer_of

OWN = ("GET /v1/me", "GET /v1/me/sessions", "GET /v1/me/second-factor")
"""What somebody out of office may still read: who they are, and why they can do nothing."""
OWN_ACCOUNT = {
    "POST /v1/me/password": {"current": PASSWORD, "password": "another horse 7"},
    "POST /v1/me/second-factor": {"password": PASSWORD},
    "POST /v1/me/second-factor/confirmations": {"code": "123456"},
    "POST /v1/me/second-factor/ends": {"code": "123456"},
}
"""One's own account: refused to who is suspended, open to who only has no post."""
NOT_TRIED = ("DELETE /v1/sessions/current", "DELETE /v1/me/sessions/{session}")
"""The way out, which is open to everybody."""
WHY = "因举报停职调查"


async def ask_all(edge: Edge, token: str, *, also_account: bool) -> list[tuple[Row, Answer]]:
    """Every route that takes a log-in, about things of the officer's own village and county."""
    found = []
    for row in MATRIX:
        if row.roles == frozenset() or row.route in NOT_TRIED:
            continue
        if row.route in OWN_ACCOUNT and not also_account:
            continue
        for name in ("yuantan_1", "county"):
            place = edge.seeded.places[name]
            if row.kind not in ("-", "board", "area", "village", *place.ids):
                continue
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            path = path_of(row, place) + ("?boards=situation" if row.kind == "board" else "")
            headers["Idempotency-Key"] = str(uuid4())
            if row.route in OWN_ACCOUNT:
                body = msgspec.json.encode(OWN_ACCOUNT[row.route])
            else:
                known = row.path in COMMANDS  # of others an empty body does: who asks comes first
                body = msgspec.json.encode(body_of(row, place)) if known else b"{}"
            answer = await edge.ask(row.method, path, headers=headers, body=body)
            found.append((row, answer))
    return found


def run(edge: Edge, command: Command) -> None:
    edge.system.store.run(Envelope(id=uuid4(), officer=None, command=command))


def suspended(edge: Edge) -> UUID:
    officer = officer_of(Role.COUNTY_APPROVER, "county")
    run(edge, SuspendOfficer(officer=officer, reason=WHY))
    return officer


def ended(edge: Edge) -> UUID:
    officer = officer_of(Role.COUNTY_APPROVER, "county")
    held = edge.system.store.load(officer)
    assert isinstance(held, Officer)
    yesterday = (NOW - timedelta(days=1)).date()
    for appointment in held.appointments:
        run(
            edge,
            EndAppointment(
                officer=officer, appointment=appointment, ends_on=yesterday, reason="任期届满"
            ),
        )
    return officer


def never_appointed(edge: Edge) -> UUID:
    person = uuid4()
    run(edge, RegisterOfficer(person=person, full_name="张新来", area=id_of("county")))
    return Officer.id_of(person)


@pytest.mark.parametrize("out", [suspended, ended, never_appointed], ids=lambda one: one.__name__)
def test_who_is_out_of_office_gets_nothing_on_any_route(own_edge: Edge, out: object) -> None:
    """A session that was open before, or a fresh one where a log-in is possible."""
    edge = own_edge
    assert callable(out)
    before = edge.token(Role.COUNTY_APPROVER, "county")
    officer = out(edge)
    assert edge.system.boards.wait_for(edge.system.store.head(), 20)
    accounts = edge.system.accounts
    login = name_of(Role.COUNTY_APPROVER, "county") if out is not never_appointed else "outsider"
    if login == "outsider":
        accounts.set_password(login, officer, PASSWORD)
    with edge.client() as client:
        answers = [
            client.post(path, json={"login": login, "password": PASSWORD})
            for path in ("/v1/sessions", "/v1/tokens")
        ]
    if out is suspended:
        for answer in answers:
            assert answer.status_code == 403, answer.text
            assert answer.json()["type"] == "/problems/officer-suspended"
            assert WHY in answer.json()["zh"] and "set-cookie" not in answer.headers
        token = before
    else:
        assert [answer.status_code for answer in answers] == [200, 200]
        token = answers[1].json()["token"]
    head = edge.system.store.head()
    wrong = [
        f"{row.route}: {answer.status} {answer.body[:160].decode(errors='replace')}"
        for row, answer in asyncio.run(ask_all(edge, token, also_account=out is suspended))
        if (answer.status != 200 if row.route in OWN else answer.status not in (403, 404))
    ]
    assert not wrong, "\n".join(wrong)
    assert edge.system.store.head() == head, "no fact"
    with edge.client() as client:
        me = client.get("/v1/me", headers={"Authorization": f"Bearer {token}"}).json()
    assert me["posts"] == [] and me.get("suspended") == (WHY if out is suspended else None)


def test_a_wrong_password_does_not_tell_that_somebody_is_suspended(own_edge: Edge) -> None:
    officer = suspended(own_edge)
    own_edge.system.accounts.set_password("outsider", officer, PASSWORD)
    with own_edge.client() as client:
        answer = client.post("/v1/tokens", json={"login": "outsider", "password": "wrong one"})
    assert answer.status_code == 401 and WHY not in answer.text
