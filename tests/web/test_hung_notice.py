"""A notice that has come down is shown as it hung, not as the ledger is today."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from domain.commands.households import ChangeHead
from projections.asking.ledger_books import ledger
from projections.asking.scope import EVERYTHING
from projections.households import MEMBERS
from projections.lists import village_lists
from projections.notices import notice
from tests.web.relief_desk import RunningDemo
from tests.web.test_relief_pages import enter


@pytest.fixture(scope="module")
def server(demo: RunningDemo) -> Iterator[TestClient]:
    with TestClient(demo.app()) as client:
        enter(client, "county-approver")
        yield client


def lists(demo: RunningDemo) -> list[dict[str, Any]]:
    with demo.system.reader() as db:
        return village_lists(db, EVERYTHING, limit=1000).items


def hung(demo: RunningDemo, one: dict[str, Any], kind: str, at: datetime) -> dict[str, Any]:
    with demo.system.reader() as db:
        found = notice(db, EVERYTHING, village_list=UUID(one["id"]), notice=kind, at=at)
    assert found is not None
    return found


def names(page: str) -> list[str]:
    return re.findall(r'<tr><td class="num">\d+</td><td>([^<]*)</td>', page)


def test_every_notice_of_every_list_opens(demo: RunningDemo, server: TestClient) -> None:
    """It once answered 500 as soon as the notice was down."""
    answers = {(kind, state): 0 for kind in ("first", "second") for state in (200, 404)}
    for one in lists(demo):
        for kind in ("first", "second"):
            page = server.get(f"/lists/{one['id']}/notice/{kind}")
            posted = one[f"{kind}_posted_at"] is not None
            assert page.status_code == (200 if posted else 404), (one["id"], kind)
            answers[kind, page.status_code] += 1
    assert answers["first", 200] > 3 and answers["second", 200] > 3


def test_a_notice_of_one_villagers_group_is_hung_up_there(
    demo: RunningDemo, server: TestClient
) -> None:
    """自然灾害救助条例, art. 20: posted in the village and its groups."""
    posted = next(one for one in lists(demo) if one["first_posted_at"])
    path = f"/lists/{posted['id']}/notice/first"
    whole = server.get(path).text
    groups = set(re.findall(r"notice/first\?group=([^\"]+)", whole))
    assert len(groups) > 1 and "按小组查看" in whole
    parts = []
    for group in groups:
        page = server.get(f"{path}?group={group}").text
        assert f"{unquote(group)} 公示" in page and f"{len(names(page))} 户公示如下" in page
        parts += names(page)
    assert sorted(parts) == sorted(names(whole))
    assert names(server.get(f"{path}?group=无此组").text) == names(whole)


def test_there_is_no_third_notice(demo: RunningDemo, server: TestClient) -> None:
    assert server.get(f"/lists/{lists(demo)[0]['id']}/notice/third").status_code == 404


@pytest.mark.parametrize("kind", ["first", "second"])
def test_its_lines_are_those_of_the_days_it_hung(
    demo: RunningDemo, server: TestClient, kind: str
) -> None:
    told = 0
    for one in lists(demo):
        if not one[f"{kind}_posted_at"] or one["showing"] == kind:
            continue
        at = datetime.fromisoformat(one[f"{kind}_posted_at"]) + timedelta(seconds=1)
        then = hung(demo, one, kind, at)
        if not then["hanging"]:  # made void since: the view tells nothing of it
            continue
        page = server.get(f"/lists/{one['id']}/notice/{kind}").text
        assert "已于" in page and "撤下" in page
        # Who was struck off at the review stood on it all the same: the ledger lacks them, and
        # it names the head of today where one died since.
        assert len(names(page)) == then["households"] >= len(then["lines"])
        today = Counter(line["head_masked"] for line in then["lines"])
        assert len(names(page)) - (today & Counter(names(page))).total() <= 3
        assert f"救助对象 {then['households']} 户" in page
        if kind == "second":
            sums = re.findall(r'<td class="num">([\d,.]+)\s元</td>', page)
            fen = sum(int(re.sub(r"\D", "", text)) for text in sums)
            assert fen >= sum(line["cash_fen"] for line in then["lines"]) > 0
        told += 1
    assert told > 3


def test_a_new_head_does_not_change_an_old_notice(demo: RunningDemo, server: TestClient) -> None:
    down = [one for one in lists(demo) if one["first_posted_at"] and one["showing"] is None]
    for one in down:
        with demo.system.reader() as db:
            rows = ledger(db, EVERYTHING, village_list=UUID(one["id"])).items
            members = [dict(row) for row in db.execute(MEMBERS.select()).mappings()]
        for row in rows:
            others = [
                member
                for member in members
                if member["household"] == row["household"]
                and member["status"] == "present"
                and member["masked"] != row["head_masked"]
                and member["relation"] != "head"
            ]
            if others:
                break
        else:
            continue
        address = f"/lists/{one['id']}/notice/first"
        before = names(server.get(address).text)
        demo.run(
            ChangeHead(
                household=UUID(row["household"]), head=UUID(others[0]["person"]), reason="外出"
            ),
            by=reporter(demo, one),
        )
        assert names(server.get(address).text) == before
        assert row["head_masked"] in before
        return
    raise AssertionError("the demo has no household with two members on a list that is down")


def reporter(demo: RunningDemo, one: dict[str, Any]) -> str:
    """Somebody of that village or township who keeps its households."""
    for login, officer in demo.officers.items():
        found = demo.system.officer(officer)
        assert found is not None
        for post in found.appointments.values():
            if str(post.area) == one["area"] and post.role == "village_reporter":
                return login
    raise AssertionError(one["village_name"])
