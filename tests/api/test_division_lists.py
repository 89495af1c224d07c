"""`POST /v1/division-lists`: differences first, then done once; rows with limits and a shape."""

from typing import Any

import httpx

from api.limits import DEFAULT_LIMITS
from domain.world import Role
from tests.api.edge import Edge, write_headers
from tests.api.seed import AREAS

OFFICE = (Role.ADMINISTRATOR, "county")


def send(edge: Edge, listed: list[Any], **said: Any) -> httpx.Response:
    body = {"divisions": listed, "document_no": "民〔2026〕1号", **said}
    with edge.client(*OFFICE) as admin:
        return admin.post("/v1/division-lists", json=body, headers=write_headers())


def test_a_new_village_is_told_then_brought_about_once(edge: Edge) -> None:
    township = AREAS["yuantan"][0]
    listed = [
        {"code": township[:9] + "950", "name": "开发区社区"},
        {"code": township[:9] + "777", "name": "某村"},
    ]
    dry = send(edge, listed, dry_run=True)
    assert dry.status_code == 200, dry.text
    told = dry.json()
    assert [one["name"] for one in told["new"]] == ["开发区社区"] and "done" not in told
    assert [(one["place"], one["rule"]) for one in told["refused"]] == [(1, "division-code-part")]
    assert send(edge, listed).json()["done"]["new"] == 1
    again = send(edge, listed).json()
    assert (again["new"], again["same"], again["done"]["new"]) == ([], 1, 0)
    with edge.client(*OFFICE) as admin:
        found = admin.get("/v1/areas", params={"q": "kaifaqu"}).json()["items"]
    assert [one["code"] for one in found] == [township[:9] + "950"]


def test_rows_have_a_limit_and_a_shape_and_a_keeper(edge: Edge) -> None:
    row = {"code": "340882101951", "name": "某村"}
    assert send(edge, []).status_code == 422
    assert send(edge, [row] * (DEFAULT_LIMITS.rows + 1)).status_code == 413
    assert send(edge, [{**row, "level": "village"}]).status_code == 422
    assert send(edge, [{**row, "name": "某\x00村"}]).status_code == 422
    with edge.client(Role.COUNTY_APPROVER, "county") as approver:
        body = {"divisions": [row], "document_no": "民1号"}
        answer = approver.post("/v1/division-lists", json=body, headers=write_headers())
    assert answer.status_code == 403
