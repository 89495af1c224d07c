"""Superiors see, administrators decide, and nobody acts on their own post: on every route."""

from typing import Any
from uuid import uuid4

import pytest

from domain.posts import Post
from domain.world import Role
from tests.api.edge import Edge
from tests.api.seed import id_of, name_of, officer_of

DAY = "2018-07-20"
REASON = {"reason": "岗位调整，另行安排"}
OWN_POSTS = "任何人不得办理自己的任免、代理或停复职"


def acts(edge: Edge, officer: Any, post: Any) -> dict[str, dict[str, Any]]:
    """Every act on an officer's posts: what follows the officer's address, and its body."""
    other = str(edge.seeded.places["yuantan"].ids["other_officer"])
    spell = {"starts_on": DAY, "ends_on": DAY}
    area = str(id_of("county"))
    return {
        "number-excuses": REASON,
        "suspensions": REASON,
        "reinstatements": REASON,
        "handovers": {"successor": other, **REASON},
        f"appointments/{post}/ends": {"ends_on": DAY, **REASON},
        "invitations": {"login": "somebody"},
        "appointments": {
            "id": str(uuid4()),
            "role": "auditor",
            "area": area,
            "post": Post.NONE,
            "starts_on": DAY,
        },
        "substitutions": {
            "id": str(uuid4()),
            "appointment": str(post),
            "substitute": other,
            **spell,
        },
    }


def refused(edge: Edge, role: Role, area: str, address: str, body: dict[str, Any]) -> Any:
    with edge.client(role, area) as client:
        answer = client.post(address, json=body, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status_code >= 400, f"{address}: {answer.text}"
    return answer.status_code, answer.json()


@pytest.mark.parametrize("role", [Role.COUNTY_APPROVER, Role.CITY_REVIEWER])
def test_superiors_see_officers_and_decide_nothing(edge: Edge, role: Role) -> None:
    at = {Role.COUNTY_APPROVER: "county", Role.CITY_REVIEWER: "city"}[role]
    place = edge.seeded.places["yuantan"].ids
    address = f"/v1/officers/{place['officer']}"
    with edge.client(role, at) as client:
        assert client.get(address).status_code == 200
        assert client.get("/v1/officers").status_code == 200
    for act, body in acts(edge, place["officer"], place["appointment"]).items():
        status, told = refused(edge, role, at, f"{address}/{act}", body)
        assert status == 403, act
        assert "系统管理员" in told["zh"] and "dministrator" in told["en"], act


def test_nobody_acts_on_their_own_post(edge: Edge) -> None:
    own = officer_of(Role.ADMINISTRATOR, "county")
    post = id_of(f"appointment/{name_of(Role.ADMINISTRATOR, 'county')}/administrator")
    elsewhere = {"handovers"}  # who hands over gives: the successor is who may not be oneself
    for act, body in acts(edge, own, post).items():
        if act in elsewhere:
            continue
        told_to = "substitute" if act == "substitutions" else None
        address = f"/v1/officers/{own}/{act}"
        if told_to:
            given = edge.seeded.places["county"].ids
            body = body | {"substitute": str(own), "appointment": str(given["appointment"])}
            address = f"/v1/officers/{given['officer']}/{act}"
        status, told = refused(edge, Role.ADMINISTRATOR, "county", address, body)
        assert (status, told["zh"]) == (409, OWN_POSTS), act
        assert told["en"] == "Nobody decides about their own posts.", act
    given = edge.seeded.places["county"].ids["officer"]
    taking = {"successor": str(own), **REASON}
    address = f"/v1/officers/{given}/handovers"
    status, told = refused(edge, Role.ADMINISTRATOR, "county", address, taking)
    assert (status, told["zh"]) == (409, OWN_POSTS)
