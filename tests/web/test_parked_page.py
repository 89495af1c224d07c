"""The page of parked facts: for auditors and administrators, of their own areas, and what to do."""

from collections.abc import Iterator
from uuid import UUID

import msgspec
import pytest
from fastapi.testclient import TestClient

from eventstore.sql import begun
from projections.folding.parking import BEHIND, park
from tests.projections.folding import unread
from tests.web.relief_desk import RunningDemo
from tests.web.test_relief_pages import enter


@pytest.fixture
def server(demo: RunningDemo) -> Iterator[TestClient]:
    with TestClient(demo.app()) as client:
        yield client
    with demo.system.views.lock, begun(demo.system.views.db):
        demo.system.views.db.execute("DELETE FROM parked")


def put_aside(demo: RunningDemo, *reasons: str) -> list[int]:
    """Park the first facts of households, as a cluster's worker does."""
    rows = demo.system.store.log.rows(0, 10**6)
    some = [row for row in rows if row[3].startswith("Household.Registered")][: len(reasons)]
    facts = [("households", unread(row), reason) for row, reason in zip(some, reasons, strict=True)]
    with demo.system.views.lock, begun(demo.system.views.db):
        park(demo.system.views.db, facts)
    return [row[0] for row in some]


def test_when_nothing_is_parked_the_page_says_so(server: TestClient) -> None:
    enter(server, "auditor")
    page = server.get("/parked").text
    assert "没有搁置的记录" in page and "其他事项照常更新" in page
    assert "Nothing is parked" in server.get("/parked?lang=en").text


def test_what_is_parked_is_listed_with_its_reason_and_what_to_do(
    demo: RunningDemo, server: TestClient
) -> None:
    first, second = put_aside(demo, "ZeroDivisionError: <b>", BEHIND)
    enter(server, "auditor")
    page = server.get("/parked?lang=zh").text
    assert "ZeroDivisionError: &lt;b&gt;" in page
    assert f'id="parked-households-{first}"' in page
    assert f'id="parked-households-{second}"' in page
    assert "排在同一事项前面搁置的记录之后" in page
    assert "relief parked replay" in page
    assert 'href="/parked"' in server.get("/?lang=zh").text


def test_a_fact_of_another_county_is_only_counted(demo: RunningDemo, server: TestClient) -> None:
    (position,) = put_aside(demo, "KeyError: a bug")
    row = demo.system.store.log.rows(position - 1, 1)[0]
    body = msgspec.json.decode(row[4])
    county = UUID(body["meta"]["division"])
    elsewhere = next(
        area for area in demo.system.tree.parents() if county not in demo.system.tree.lineage(area)
    )
    body["meta"]["division"] = str(elsewhere)
    with demo.system.views.lock, begun(demo.system.views.db):
        demo.system.views.db.execute("UPDATE parked SET state = ?", (msgspec.json.encode(body),))
    enter(server, "auditor")
    page = server.get("/parked?lang=zh").text
    assert "KeyError" not in page
    assert "另有 1 条属于您辖区以外" in page


@pytest.mark.parametrize("login", ["county-approver", "dispatcher", "yuantan-shuangfeng-a"])
def test_nobody_else_sees_it(server: TestClient, login: str) -> None:
    enter(server, login)
    assert server.get("/parked").status_code == 403
    assert 'href="/parked"' not in server.get("/").text


def test_a_stranger_is_sent_to_log_in(server: TestClient) -> None:
    server.cookies.clear()
    assert server.get("/parked", follow_redirects=False).status_code == 303
