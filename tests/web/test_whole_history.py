"""The whole history of a thing on one paper: from its first fact to its last, in order."""

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.web.conftest import demo
from tests.web.test_relief_pages import enter

__all__ = ["demo"]

ROW = re.compile(r'<tr><th scope="row" class="num">([\d,]+)</th>')
THINGS = {
    "household": ("/v1/households", "id", "county-approver"),
    "fund": ("/v1/funds", "id", "county-approver"),
    "stock": ("/v1/stockpiles", "stockpile", "county-storekeeper"),
    "officer": ("/v1/officers", "id", "county-approver"),
}


def positions_of(server: TestClient, subject: str) -> list[int]:
    """Of all its facts, by the list that the API pages through, the latest first."""
    found: list[int] = []
    cursor: str | None = None
    while True:
        asked: dict[str, Any] = {"limit": 7} | ({"cursor": cursor} if cursor else {})
        page = server.get(f"/v1/timeline/{subject}", params=asked).json()
        found += [one["position"] for one in page["items"]]
        if (cursor := page["next"]) is None:
            return found


@pytest.mark.parametrize("kind", THINGS)
def test_it_has_every_fact_in_order(
    server: TestClient, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.pages.timeline.WHOLE", 3)  # several questions
    path, name, login = THINGS[kind]
    enter(server, login)
    subject = server.get(path).json()["items"][0][name]
    facts = positions_of(server, subject)
    assert facts == sorted(facts, reverse=True) and len(facts) > 1
    page = server.get(f"/timeline/{subject}/whole")
    assert page.status_code == 200
    shown = [int(one.replace(",", "")) for one in ROW.findall(page.text)]
    assert shown == facts[::-1]
    assert f'href="/timeline/{subject}/whole"' in server.get(f"/timeline/{subject}").text


def test_a_history_outside_the_jurisdiction_is_not_there(server: TestClient) -> None:
    enter(server, "county-approver")
    household = server.get("/v1/households").json()["items"][0]["id"]
    enter(server, "taihu-approver")
    assert server.get(f"/timeline/{household}/whole").status_code == 404
