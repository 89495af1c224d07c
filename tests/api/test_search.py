"""Searching people by name: within one's jurisdiction, to the last of them, or said not to."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest

from domain.commands.households import RegisterHousehold
from domain.commands.sealing import MemberInput
from domain.household_members import Relation
from domain.world import Role
from eventstore.outcomes import Envelope, Receipt
from tests.api.edge import Edge
from tests.api.seed import id_of, officer_of

HEADS = 130
"""More than a page, in two villages of one county, and as many in another county."""


def registration(name: str, village: str) -> Envelope:
    command = RegisterHousehold(
        id=uuid4(),
        village=id_of(village),
        members=(MemberInput(name=name, relation=Relation.HEAD),),
        category="ordinary",
    )
    return Envelope(id=uuid4(), officer=officer_of(Role.VILLAGE_REPORTER, village), command=command)


@pytest.fixture
def crowded(own_edge: Edge) -> Edge:
    wishes = []
    for n in range(HEADS):
        for village in ("yuantan_1", "yuantan_2", "sister_village"):
            wishes.append(registration(f"欧阳{chr(0x4E00 + n)}", village))
    for village in ("yuantan_1", "sister_village"):
        wishes.append(registration("阿依古丽·买买提", village))
        wishes.append(registration("张　三丰", village))
    answers = own_edge.system.store.run_many(wishes)
    assert all(isinstance(answer, Receipt) for answer in answers), answers[0]
    return own_edge


@contextmanager
def asking(edge: Edge, role: Role, area: str) -> Iterator[httpx.Client]:
    with edge.client(role, area) as client:
        yield client


def every(client: httpx.Client, edge: Edge, search: str, limit: int = 50) -> list[dict[str, Any]]:
    """All pages."""
    rows: list[dict[str, Any]] = []
    cursor = None
    while True:
        params: dict[str, Any] = {
            "search": search,
            "limit": limit,
            "after": edge.system.store.head(),
        }
        answer = client.get(
            "/v1/households", params=params | ({"cursor": cursor} if cursor else {})
        )
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= limit
        rows += page["items"]
        cursor = page["next"]
        if cursor is None:
            return rows


@pytest.mark.parametrize(
    ("role", "area", "villages"),
    [
        (Role.VILLAGE_REPORTER, "yuantan_1", 1),
        (Role.COUNTY_APPROVER, "county", 2),
        (Role.PROVINCE_REVIEWER, "province", 3),
    ],
)
def test_everybody_of_a_name_is_found_within_the_jurisdiction_and_nobody_else(
    crowded: Edge, role: Role, area: str, villages: int
) -> None:
    """Cut at 200 over the whole store, a village found 14 of its 50 heads, and nothing said so."""
    with asking(crowded, role, area) as client:
        found = every(client, crowded, "欧阳")
        assert len({row["id"] for row in found}) == len(found) == HEADS * villages
        assert len({row["area"] for row in found}) == villages
        assert [row["id"] for row in every(client, crowded, "ouyang", 1000)] == [
            row["id"] for row in found
        ]


@pytest.mark.parametrize(
    "typed",
    [
        "阿依古丽买买提",
        "阿依古丽•买买提",
        "阿依古丽．买买提",
        "古丽 买买",
        "maimaiti",
        "张三丰",
        "张　三",
        "zsf",
    ],
)
def test_names_are_found_however_they_are_typed(crowded: Edge, typed: str) -> None:
    with asking(crowded, Role.VILLAGE_REPORTER, "yuantan_1") as client:
        (row,) = every(client, crowded, typed)
        assert row["area"] == str(id_of("yuantan_1"))


def test_a_name_registered_just_now_is_found(crowded: Edge) -> None:
    store = crowded.system.store
    store.run(registration("诸葛孔明", "yuantan_1"))
    with asking(crowded, Role.VILLAGE_REPORTER, "yuantan_1") as client:
        assert len(every(client, crowded, "zhuge")) == 1


def test_before_the_index_is_built_the_answer_is_that_and_never_nobody(
    crowded: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    effects = crowded.system.store.effects
    monkeypatch.setattr(effects, "position", lambda _: 0)
    with asking(crowded, Role.VILLAGE_REPORTER, "yuantan_1") as client:
        answer = client.get("/v1/households", params={"search": "欧阳"})
    assert answer.status_code == 503 and answer.headers["Retry-After"]
    assert answer.json()["type"].endswith("index-behind") and "索引" in answer.json()["zh"]
