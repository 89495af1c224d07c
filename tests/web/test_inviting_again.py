"""Officers without a code that opens are found, counted, and invited again at once with slips."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from domain.commands.officers import AppointOfficer, SuspendOfficer
from domain.rules.base import china_day
from domain.world import Role
from projections.asking.officer_lists import officer_counts, officers
from projections.asking.scope import EVERYTHING
from tests.web.desk import PASSWORD, LivingCounty, living_county
from tests.web.officer_forms import ask, engage, enter, hidden_in, token_in


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingCounty]:
    with living_county(tmp_path_factory.mktemp("again")) as made:
        yield made


@pytest.fixture
def browser(county: LivingCounty) -> Iterator[TestClient]:
    with TestClient(county.app(), base_url="http://test", follow_redirects=False) as client:
        yield client


def test_who_has_no_code_that_opens_is_found_and_invited_again_at_once(
    county: LivingCounty, browser: TestClient
) -> None:
    engage(county, "waits", "韩梅梅", 51)
    moved = engage(county, "moved", "李雷", 52)
    halted = engage(county, "halted", "李停", 53)
    elsewhere = AppointOfficer(
        id=uuid4(),
        officer=moved,
        role=Role.VILLAGE_REPORTER,
        area=county.id("shuihou_1"),
        starts_on=china_day(county.now),
    )
    county.run(elsewhere, by="admin")
    county.run(SuspendOfficer(officer=halted, reason="核查"), by="admin")

    def found(state: str, **later: int) -> set[str]:
        at = county.now + timedelta(**later)
        with county.system.reader() as db:
            rows = officers(db, EVERYTHING, state=state, at=at).items
            counts = officer_counts(db, EVERYTHING, at=at)
        assert counts.get(state, len(rows)) == len(rows)
        return {login["login"] for row in rows for login in row["logins"]}

    assert found("never") == {"waits", "moved", "halted"}
    assert found("void") == found("no_code") == {"moved"}
    assert found("invited") == {"waits", "halted"}
    assert found("expired", hours=73) == {"waits", "moved", "halted"}
    assert found("no_code", hours=73) == {"waits", "moved"}, "nobody invites who is suspended"

    enter(browser, "admin")
    assert "/officers?state=no_code" in browser.get("/?lang=zh").text
    assert 'name="invite"' not in ask(browser)
    assert f'value="{moved} moved"' in ask(browser, state="no_code")
    page = ask(browser, state="never")
    boxes = re.findall(r'name="invite" value="([^"]+)"[^>]*?( checked)?>', page)
    assert {(value.split()[1], bool(on)) for value, on in boxes} == {
        ("waits", False),
        ("moved", True),
    }
    form = {
        "csrf_token": token_in(page),
        "key": hidden_in(page, "key"),
        "invite": [value for value, _ in boxes],
    }
    slips = browser.post("/officers/invitations", data=form)
    assert slips.status_code == 200 and slips.headers["cache-control"] == "no-store"
    codes = re.findall(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}", slips.text)
    assert len(set(codes)) == 2 and "李*" in slips.text and "李雷" not in slips.text
    again = browser.post("/officers/invitations", data=form)
    assert not re.findall(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}", again.text)
    assert "moved" in again.text, "sent twice, it is told as done"
    county.system.boards.wait_for(county.system.store.head(), 10)
    assert found("no_code") == set()
    none = browser.post("/officers/invitations", data={**form, "invite": []})
    assert none.status_code == 303


def test_who_only_looks_invites_nobody(county: LivingCounty, browser: TestClient) -> None:
    enter(browser, "county")
    page = ask(browser, state="never")
    assert 'name="invite"' not in page
    form = {"csrf_token": token_in(page), "key": str(uuid4()), "invite": "x y"}
    assert browser.post("/officers/invitations", data=form).status_code == 403


def test_a_name_typed_otherwise_is_the_same_name_and_its_older_code_is_over(
    county: LivingCounty, browser: TestClient
) -> None:
    """Two slips of one log-in name opened it: the older code was kept under what was typed."""
    wang = engage(county, "Wang.Wu", "王五", 61)
    token = county.system.accounts.log_in("admin", PASSWORD, "token")[0]

    def invite(*typed: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4())}
        rows = [{"officer": str(wang), "login": login} for login in typed]
        answer = browser.post("/v1/invitation-lists", json={"officers": rows}, headers=headers)
        return dict(answer.json())

    (older,) = invite("Wang.Wu")["invitations"]
    told = invite(" WANG.WU ", "wang.wu")
    (newer,) = told["invitations"]
    assert newer["login"] == "Wang.Wu" and [one["row"] for one in told["known"]] == [1]
    new = {"password": "青山不改 2026"}
    assert browser.post(f"/v1{older['path']}/acceptances", json=new).status_code == 404
    assert browser.post(f"/v1{newer['path']}/acceptances", json=new).status_code == 200
