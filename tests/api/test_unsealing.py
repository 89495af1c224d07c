"""Unsealing takes a reason: the first answer shows the texts, and nothing keeps them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from domain.base import Event
from domain.household import Household
from domain.incident import Incident
from domain.village_list import VillageList
from domain.world import Role
from eventstore.vault import destroy
from tests.api.edge import Edge
from tests.api.seed import id_of
from tests.api.test_writes import code, post

REASON = {"reason": "核对发放对象"}
NAME, ACCOUNT, ADDRESS = "张玄机", "6217000012345678", "源潭路 99 号"


@pytest.fixture
def county(own_edge: Edge) -> Iterator[httpx.Client]:
    with own_edge.client(Role.COUNTY_APPROVER, "county") as client:
        yield client


@pytest.fixture
def household(county: httpx.Client) -> str:
    """Registered with a card; since then it has moved within the village and has a phone."""
    id = str(uuid4())
    path = f"/v1/households/{id}"
    village = str(id_of("yuantan_1"))
    bodies: dict[str, dict[str, Any]] = {
        "/v1/households": {
            "id": id,
            "village": village,
            "category": "hardship",
            "address": "源潭路 1 号",
            "members": [{"name": NAME, "relation": "head"}],
            "card": {"number": "6217 0000 1234 5678"},
        },
        f"{path}/moves": {
            "village": village,
            "on": "2018-07-01",
            "address": ADDRESS,
            "reason": "搬家",
        },
        f"{path}/contacts": {"phone": "13800000000", "reason": "留电话"},
    }
    for address, body in bodies.items():
        answer = post(county, address, body)
        assert answer.status_code == 200, answer.text
    return id


def test_the_texts_are_shown_once_and_kept_nowhere(
    own_edge: Edge, county: httpx.Client, household: str
) -> None:
    path, key = f"/v1/households/{household}/unsealings", uuid4()
    answer = post(county, path, REASON, key)
    assert answer.headers["cache-control"] == "no-store"
    shown = answer.json()["shown"]
    assert [(one["name"], one["id_number"]) for one in shown["members"]] == [(NAME, None)]
    assert shown["card"]["number"] == ACCOUNT
    assert (shown["phone"], shown["address"]) == ("13800000000", ADDRESS)
    last = own_edge.system.store.history(UUID(household))[-1].event
    assert isinstance(last, Household.Revealed)
    assert own_edge.system.store.texts.opened([last.reason]) == [REASON["reason"]]
    again = post(county, path, REASON, key)
    assert again.headers["idempotent-replay"] == "true"
    assert "shown" not in again.json(), "looking twice takes two reasons"
    for file in Path(own_edge.system.store.log.source).parent.glob("log.sqlite*"):
        stored = file.read_bytes()
        assert not any(text.encode() in stored for text in (NAME, ACCOUNT, ADDRESS))


def test_without_a_reason_or_the_right_nothing_is_opened(
    own_edge: Edge, county: httpx.Client, household: str
) -> None:
    path = f"/v1/households/{household}/unsealings"
    assert code(post(county, path, {"reason": " "})) == "malformed"
    for role, area, status in (
        (Role.STOREKEEPER, "county", 403),
        (Role.ADMINISTRATOR, "county", 403),
        (Role.COUNTY_APPROVER, "foreign_county", 404),
    ):
        with own_edge.client(role, area) as client:
            answer = post(client, path, REASON)
            assert answer.status_code == status
            assert "shown" not in answer.json()
    facts = own_edge.system.store.history(UUID(household))
    assert not any(isinstance(one.event, Household.Revealed) for one in facts)


def test_of_who_has_been_erased_there_is_nothing_to_show(
    own_edge: Edge, county: httpx.Client, household: str
) -> None:
    person = post(county, f"/v1/households/{household}/unsealings", REASON).json()["shown"][
        "members"
    ][0]["person"]
    gone = {"person": person, "on": "2018-07-02", "reason": "病故"}
    assert post(county, f"/v1/households/{household}/deaths", gone).status_code == 200
    erase = {"reason": "应急响应结束", "document_no": "潜民〔2018〕60号"}
    answer = post(county, f"/v1/persons/{person}/erasures", erase)
    assert answer.status_code == 200, answer.text
    shown = post(county, f"/v1/households/{household}/unsealings", REASON).json()["shown"]
    assert shown["members"] == [] and shown["card"] is None
    assert shown["phone"] is None and shown["address"] is None


def destroyed(edge: Edge, person: UUID) -> None:
    """Their key is gone, as after an erasure."""
    vault = edge.system.store.vault
    with vault.aside() as db:
        destroy(db, [person])


def fact_of(edge: Edge, stream: str, kind: type[Event]) -> Any:
    """The last fact of that kind."""
    history = edge.system.store.history(UUID(stream))
    return [one.event for one in history if isinstance(one.event, kind)][-1]


def test_the_number_of_who_called_is_shown_for_a_reason_and_kept_nowhere(edge: Edge) -> None:
    id, phone, reason = str(uuid4()), "13955512345", {"reason": "回电核实地点"}
    path = f"/v1/incidents/{id}/unsealings"
    body = {
        "incident": id,
        "area": str(id_of("yuantan_1")),
        "place": "老屋组",
        "kind": "trapped",
        "severity": "severe",
        "occurred_at": "2018-07-04T15:00:00+08:00",
        "reporter_phone": phone,
    }
    with edge.client(Role.DISPATCHER, "county") as desk:
        assert post(desk, "/v1/incidents", body).status_code == 200
        assert code(post(desk, path, {"reason": " "})) == "malformed"
        key = uuid4()
        answer = post(desk, path, reason, key)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json()["shown"] == {"phone": phone, "erased": False}
        assert "shown" not in post(desk, path, reason, key).json(), "twice takes two reasons"
        seen = fact_of(edge, id, Incident.CallerRevealed)
        assert edge.system.store.texts.opened([seen.reason]) == [reason["reason"]]
        assert seen.meta.role == Role.DISPATCHER
        assert phone not in desk.get(f"/v1/incidents/{id}").text
        for file in Path(edge.system.store.log.source).parent.glob("*.sqlite*"):
            assert phone.encode() not in file.read_bytes(), file.name
        destroyed(edge, fact_of(edge, id, Incident.Opened).reporter_phone.person)
        assert post(desk, path, reason).json()["shown"] == {"phone": None, "erased": True}
        unknown = f"/v1/incidents/{id_of('incident/yuantan_1')}/unsealings"
        assert code(post(desk, unknown, reason)) == "no-caller-known"


def test_the_text_of_an_objection_is_shown_to_who_settles_it(edge: Edge) -> None:
    place, text, reason = edge.seeded.places["yuantan_2"], "为何没有我家？", {"reason": "核实异议"}
    list, objection = str(place.ids["village_list"]), str(place.ids["objection"])
    path = f"/v1/village-lists/{list}/objections/{objection}/unsealings"
    with edge.client(Role.VILLAGE_REPORTER, "yuantan_2") as village:
        assert post(village, path, reason).status_code == 403, "it may be against the village"
    with edge.client(Role.TOWNSHIP_REVIEWER, "yuantan") as township:
        shown = post(township, path, reason).json()["shown"]
        assert (shown["text"], shown["erased"]) == (text, False)
        assert (shown["objection"], shown["kind"]) == (objection, "against")
        seen = fact_of(edge, list, VillageList.ObjectionRevealed)
        assert str(seen.objection) == objection
        assert code(post(township, path, {"reason": ""})) == "malformed"
        other = path.replace(objection, str(uuid4()))
        assert code(post(township, other, reason)) == "no-such-objection"
        destroyed(edge, fact_of(edge, list, VillageList.ObjectionRaised).text.person)
        shown = post(township, path, reason).json()["shown"]
        assert (shown["text"], shown["erased"]) == (None, True)
