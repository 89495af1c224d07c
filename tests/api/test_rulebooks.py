"""What is in force on a day, from where, and what waits; divisions by name, code and pinyin."""

from typing import Any

import httpx
import pytest

from domain.rulebook import Rulebook
from domain.world import Role
from tests.api.edge import Edge, write_headers
from tests.api.seed import AREAS, id_of

CONTENT = {"minimum_days": 5, "withdraw_after_days": 30, "shown": ["name_masked"]}


def adoption(**more: Any) -> dict[str, Any]:
    values = {
        "area": str(id_of("county")),
        "kind": "notices",
        "version": "ours-1",
        "document_no": "潜应急〔2018〕7号",
        "valid_from": "2018-01-01",
        "content": CONTENT,
    }
    return values | more


def books(client: httpx.Client, **asked: Any) -> dict[str, dict[str, Any]]:
    answer = client.get("/v1/rulebooks", params=asked)
    assert answer.status_code == 200, answer.text
    return {one["kind"]: one for one in answer.json()["items"]}


def post(client: httpx.Client, path: str, body: dict[str, Any]) -> httpx.Response:
    return client.post(path, json=body, headers=write_headers())


def test_what_is_in_force_says_where_from_and_what_waits(own_edge: Edge) -> None:
    with own_edge.client(Role.ADMINISTRATOR, "county") as admin:
        before = books(admin, area=id_of("county"))
        assert {"deadlines", "indicators", "notices"} <= before.keys()
        adopted = post(admin, "/v1/rulebooks", adoption())
        assert adopted.status_code in (200, 201), adopted.text
        waiting = books(admin, area=id_of("county"))["notices"]
    assert [one["version"] for one in waiting["waiting"]] == ["ours-1"]
    assert waiting["version"] == before["notices"]["version"], "one person alone changes none"
    id = Rulebook.id_of(id_of("county"), "notices")
    assert waiting["own"] == str(id)
    with own_edge.client(Role.COUNTY_APPROVER, "county") as approver:
        path, body = f"/v1/rulebooks/{id}/confirmations", {"version": "ours-1"}
        done = post(approver, path, body | {"document_no": "潜应急〔2018〕8号"})
        assert done.status_code in (200, 201), done.text
        now = books(approver, kind="notices")["notices"]
        below = books(approver, kind="notices", area=id_of("yuantan"))["notices"]
        past = books(approver, kind="notices", on="2017-06-01")["notices"]
        versions = approver.get(f"/v1/rulebooks/{id}").json()["versions"]
    assert (now["version"], now["origin"], now["confirmed"]) == ("ours-1", "own", True)
    assert now["confirmation"]["document_no"] == "潜应急〔2018〕8号"
    assert now["confirmation"]["name"] and now["confirmation"]["at"]
    assert now["content"] == CONTENT | {"never_shown": []} or now["content"] == CONTENT
    assert (below["origin"], below["area_name"]) == ("county", AREAS["county"][1])
    assert past["version"] != "ours-1"
    assert versions[0]["version"] == "ours-1" and versions[0]["confirmed"]


def test_what_comes_with_the_program_says_so(own_edge: Edge) -> None:
    with own_edge.client(Role.COUNTY_APPROVER, "county") as county:
        adopted = books(county)["working_days"]
        assert (adopted["origin"], adopted["area_name"]) == ("nation", AREAS["nation"][1])
        before = books(county, on="2015-06-01")["working_days"]
    assert (before["origin"], before["id"], before["area"]) == ("national", None, None) or (
        before["nearest"] is True
    )
    assert adopted["confirmed"] is True and adopted["confirmation"] is None


def test_an_unknown_kind_and_a_foreign_area_are_told_apart(county: httpx.Client) -> None:
    assert county.get("/v1/rulebooks", params={"kind": "weather"}).status_code == 422
    assert county.get("/v1/rulebooks", params={"on": "soon"}).status_code == 422
    foreign = county.get("/v1/rulebooks", params={"area": str(id_of("far_county"))})
    nowhere = county.get("/v1/rulebooks", params={"area": str(id_of("nowhere"))})
    assert foreign.status_code == nowhere.status_code == 404
    assert foreign.json()["type"] == nowhere.json()["type"]
    known = Rulebook.id_of(id_of("far_county"), "dispatch")
    unknown = Rulebook.id_of(id_of("nowhere"), "dispatch")
    told = [county.get(f"/v1/rulebooks/{one}") for one in (known, unknown)]
    assert [one.status_code for one in told] == [404, 404]
    assert told[0].json()["type"] == told[1].json()["type"]


def names(client: httpx.Client, **asked: Any) -> list[str]:
    answer = client.get("/v1/areas", params=asked)
    assert answer.status_code == 200, answer.text
    return [one["name"] for one in answer.json()["items"]]


@pytest.mark.parametrize("how", ["name", "code", "pinyin"])
def test_divisions_are_found(county: httpx.Client, how: str) -> None:
    code, name, *_ = AREAS["yuantan"]
    asked = {"name": name[:2], "code": code[:9], "pinyin": "yuantan"}[how]
    assert name in names(county, q=asked)
    assert names(county, q="没有这个地方") == []


def test_divisions_of_a_parent_page_by_page(county: httpx.Client) -> None:
    below = names(county, parent=id_of("yuantan"))
    assert below and AREAS["yuantan"][1] not in below
    first = county.get("/v1/areas", params={"limit": 1}).json()
    assert len(first["items"]) == 1 and first["next"]
    one = first["items"][0]
    assert {"id", "code", "name", "level", "parent"} <= one.keys()
    second = county.get("/v1/areas", params={"limit": 1, "cursor": first["next"]}).json()
    assert second["items"][0]["id"] != one["id"]
    assert names(county, on="1990-01-01") == []


def test_divisions_of_others_are_not_told(county: httpx.Client) -> None:
    assert AREAS["far_county"][1] not in names(county, limit=1000)
    assert names(county, q=AREAS["far_county"][0]) == []
    foreign = county.get("/v1/areas", params={"parent": str(id_of("far_county"))})
    unknown = county.get("/v1/areas", params={"parent": str(id_of("nowhere"))})
    assert foreign.status_code == unknown.status_code


def test_an_old_code_is_understood(own_edge: Edge) -> None:
    code, name, *_ = AREAS["yuantan_1"]
    changes = {
        "changes": [{"area": str(id_of("yuantan_1")), "code": "340882999001"}],
        "effective_on": "2018-06-01",
        "document_no": "民函〔2018〕1号",
    }
    with own_edge.client(Role.ADMINISTRATOR, "county") as admin:
        done = post(admin, "/v1/area-code-changes", changes)
        assert done.status_code in (200, 201), done.text
        found = admin.get("/v1/areas", params={"q": code, "after": done.json()["position"]})
    (one,) = found.json()["items"]
    assert (one["name"], one["code"], one["former_codes"]) == (name, "340882999001", [code])
