"""`known_at`: what may be said, who may ask, and that answers are those of that moment."""

import random
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi.testclient import TestClient

from api.known_at import COOKIE, HEADER, moment_of
from api.problems import ApiProblem
from domain.access import posts_at
from domain.household import Household
from domain.posts import post_of
from domain.rules.base import CHINA
from eventstore.log import recorded_at
from eventstore.moments import position_at
from tests.web.conftest import demo
from tests.web.relief_desk import PASSWORD, RunningDemo, running_demo
from tests.web.test_relief_pages import enter

__all__ = ["demo"]

PATIENCE_SECONDS = 120.0


@pytest.fixture(scope="module")
def server(demo: RunningDemo) -> Iterator[TestClient]:
    with TestClient(demo.app()) as client:
        enter(client, "county-approver")
        asked(client, "/v1/seasons", demo.system.store.head())
        yield client


@pytest.fixture(autouse=True)
def somebody(server: TestClient) -> None:
    enter(server, "county-approver")


def asked(server: TestClient, path: str, known_at: object, **more: Any) -> httpx.Response:
    """The answer of the past, once it is kept."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        answer = server.get(path, params={"known_at": str(known_at), **more})
        if answer.status_code != 503:
            return answer
        assert "past-being-prepared" in answer.json()["type"]
        assert time.monotonic() < deadline
        time.sleep(0.1)


def times(demo: RunningDemo) -> list[datetime]:
    """When each fact was recorded; the first is that of position 1."""
    rows = demo.system.store.log.rows(0, 100_000)
    return [recorded_at(bytes(row[4])) for row in rows]


def registered(demo: RunningDemo) -> dict[int, str]:
    """Positions at which households of the caller's county were registered, and their ids."""
    county = demo.system.officer(demo.officers["county-approver"])
    assert county is not None
    (area,) = {post_of(one).area for one in posts_at(county, demo.now)}
    facts = demo.system.store.read(0, demo.system.store.head())
    return {
        fact.position: str(fact.event.originator_id)
        for fact in facts
        if isinstance(fact.event, Household.Registered) and fact.event.meta.division == area
    }


def test_the_position_of_a_time_is_that_of_the_last_fact_recorded_by_then(
    demo: RunningDemo,
) -> None:
    of, log = times(demo), demo.system.store.log
    assert of == sorted(of)
    chance = random.Random(7)
    some = [chance.choice(of) + timedelta(seconds=chance.choice((-1, 0, 1))) for _ in range(60)]
    for moment in [of[0] - timedelta(days=1), of[0], of[-1], of[-1] + timedelta(days=1), *some]:
        assert position_at(log, moment) == sum(at <= moment for at in of), moment


def test_a_time_is_said_as_people_write_it(demo: RunningDemo) -> None:
    store, of = demo.system.store, times(demo)
    day = of[len(of) // 2].astimezone(CHINA).date()
    end = datetime.combine(day, datetime.min.time(), CHINA) + timedelta(days=1)
    assert moment_of(store, day.isoformat()).position == sum(at <= end for at in of), "its 24:00"
    nine = datetime.combine(day, datetime.min.time(), CHINA) + timedelta(hours=9)
    wanted = sum(at <= nine for at in of)
    plain, utc = f"{day}T09:00", nine.astimezone(UTC).isoformat()
    for text in (plain, f" {day} 09:00 ", f"{day}T09:00:00+08:00", utc):
        found = moment_of(store, text)
        assert (found.position, found.at) == (wanted, nine), text
        assert found.recorded_at == of[wanted - 1]
    assert moment_of(store, "1").position == 1
    assert moment_of(store, str(store.head())).recorded_at == of[-1]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "moment"),
        ("yesterday", "moment"),
        ("2018-13-01", "moment"),
        ("2018-01-05T09:00" + " " * 40, None),
        ("2018-01-05T09:00" + "0" * 40, "moment"),
        ("9999-12-31", "moment"),
        ("2018-01-05时09:00", "moment"),
        ("2018-01-05\n09:00", "moment"),
        ("2018-01-05T09:00\x00", "moment"),
        ("2018-01-05T09", "moment"),
        ("2018-W01-5", "moment"),
        ("20180105T09", "moment"),
        ("0001-01-01T00:00:00+14:00", "moment"),
        ("-1", "moment"),
        ("1e3", "moment"),
        ("²", "moment"),
        ("١٢", "moment"),
        ("0", "before"),
        ("1990-01-01", "before"),
        ("999999999999999", "future"),
        ("9999999999999999", "moment"),
        ("2090-01-01", "future"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_rule(
    demo: RunningDemo, text: str, rule: str | None
) -> None:
    if rule is None:
        assert moment_of(demo.system.store, text).position
        return
    with pytest.raises(ApiProblem) as refused:
        moment_of(demo.system.store, text)
    assert refused.value.problem.status == 422
    assert refused.value.errors and refused.value.errors[0]["rule"] == rule
    assert refused.value.errors[0]["zh"] and refused.value.errors[0]["en"]


def test_today_is_not_over_yet(demo: RunningDemo) -> None:
    today = demo.now.astimezone(CHINA).date()
    with pytest.raises(ApiProblem):
        moment_of(demo.system.store, today.isoformat())


def test_an_answer_says_which_moment_it_is_about(demo: RunningDemo, server: TestClient) -> None:
    middle = sorted(registered(demo))[3]
    now, then = server.get("/v1/households").json(), asked(server, "/v1/households", middle)
    body = then.json()
    assert then.headers[HEADER] == str(middle) and HEADER not in server.get("/v1/seasons").headers
    assert body["position"] == middle and body["known_at"]["position"] == middle
    at = datetime.fromisoformat(body["known_at"]["recorded_at"])
    assert at == times(demo)[middle - 1]
    assert {one["id"] for one in body["items"]} < {one["id"] for one in now["items"]}


def test_each_household_of_the_past_is_as_of_then(demo: RunningDemo, server: TestClient) -> None:
    """Who is found at a position is who was registered by then: told by the log itself."""
    begun = registered(demo)
    for position in (min(begun) - 1, min(begun), max(begun) - 1, max(begun)):
        items = asked(server, "/v1/households", position, limit=1000).json()["items"]
        found = {one["id"] for one in items}
        assert found <= {id for at, id in begun.items() if at <= position}, position
        assert (begun.get(position) in found) == (position in begun), "from that fact on"


def test_a_list_of_the_past_is_read_to_its_end_and_its_cursor_is_of_that_moment(
    demo: RunningDemo, server: TestClient
) -> None:
    position = demo.system.store.head() - 5
    whole = asked(server, "/v1/households", position, limit=1000).json()["items"]
    found, cursor = [], None
    while True:
        more = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        page = asked(server, "/v1/households", position, **more).json()
        found += page["items"]
        if (cursor := page["next"]) is None:
            break
        last = cursor
    assert found == whole
    assert server.get("/v1/households", params={"limit": 3, "cursor": last}).status_code == 400
    other = asked(server, "/v1/households", position - 1, limit=3, cursor=last)
    assert other.status_code == 400


def test_a_sheet_is_of_the_past_too(demo: RunningDemo, server: TestClient) -> None:
    position = demo.system.store.head() // 2
    listed = asked(server, "/v1/households", position, limit=1000).json()["items"]
    answer = server.get(
        "/v1/households", params={"known_at": position}, headers={"Accept": "text/csv"}
    )
    assert answer.status_code == 200 and answer.headers[HEADER] == str(position)
    assert len(answer.text.strip().splitlines()) == 1 + len(listed)


def test_a_question_of_the_past_is_whole_or_refused(server: TestClient) -> None:
    for params in (
        {"known_at": "5", "after": "3"},
        [("known_at", "5"), ("known_at", "6")],
        {"known_at": "tomorrow"},
    ):
        answer = server.get("/v1/seasons", params=params)  # type: ignore[arg-type]
        assert answer.status_code == 422, params
    for name in ("known%5Fat", "known_a%74"):
        answer = server.get(f"/v1/seasons?{name}=tomorrow")
        assert answer.status_code == 422, "a name may be written so, and is read so"
    for path in ("/v1/live/situation", "/v1/me"):
        assert server.get(path, params={"known_at": "5"}).status_code in (404, 422), path


def test_todays_posts_decide_who_may_ask(demo: RunningDemo, server: TestClient) -> None:
    head = demo.system.store.head()
    household = server.get("/v1/households").json()["items"][0]["id"]
    assert asked(server, f"/v1/households/{household}", head).status_code == 200
    enter(server, "taihu-approver")
    assert asked(server, f"/v1/households/{household}", head).status_code == 404
    server.cookies.clear()
    for text in (head, "nonsense", "2090-01-01"):
        answer = server.get("/v1/households", params={"known_at": text})
        assert answer.status_code == 401, "who is nobody learns nothing about the log"


def test_steps_work_names_and_receipts_are_those_of_then(
    demo: RunningDemo, server: TestClient
) -> None:
    """Routes of their own, which are no lists of a view."""
    begun = registered(demo)
    listed = {one["id"] for one in server.get("/v1/households").json()["items"]}
    at, household = max(one for one in begun.items() if one[1] in listed)
    actions = f"/v1/actions/households/{household}"
    assert asked(server, actions, at - 1).status_code == 404, "not registered yet"
    then = asked(server, actions, at)
    assert then.json()["actions"] == [] and then.json()["position"] == at
    assert server.get(actions).json()["actions"], "today there is something to do"

    work, now = asked(server, "/v1/work", min(begun)), server.get("/v1/work").json()
    assert work.json()["position"] == min(begun) and work.json()["total"] != now["total"]

    season = server.get("/v1/seasons").json()["items"][0]
    opened = next(
        fact.position
        for fact in demo.system.store.read(0, demo.system.store.head())
        if str(fact.event.originator_id) == season["id"]
    )
    text = str(season["standards_document_no"])
    for position, there in ((opened - 1, False), (opened, True)):
        found = asked(server, "/v1/search", position, q=text).json()["items"]
        assert (season["id"] in {one["id"] for one in found}) is there, position
    for answer in (then, work, asked(server, "/v1/search", opened, q="x")):
        assert answer.headers[HEADER] == str(answer.json()["known_at"]["position"])


def test_a_receipt_is_known_from_its_position_on(demo: RunningDemo, server: TestClient) -> None:
    officer = demo.officers["county-approver"].bytes
    log, head = demo.system.store.log, demo.system.store.head()
    commands = {fact.event.meta.command for fact in demo.system.store.read(0, head)}
    mine = [UUID(bytes=id) for id, actor, _, _ in log.outcomes(list(commands)) if actor == officer]
    path = f"/v1/receipts/{mine[-1]}"
    position = server.get(path).json()["position"]
    assert asked(server, path, position).json()["position"] == position
    assert asked(server, path, position - 1).status_code == 404


def test_nothing_is_done_in_the_past(demo: RunningDemo, server: TestClient) -> None:
    head = demo.system.store.head()
    page = server.get("/").text
    token = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert token is not None
    headers = {"X-CSRF-Token": token[1], "Idempotency-Key": str(uuid4())}
    for how in ({"params": {"known_at": "5"}}, {"cookies": {COOKIE: "5"}}):
        server.cookies.update(how.get("cookies", {}))
        answer = server.post("/v1/units", json={}, headers=headers, params=how.get("params", {}))
        assert answer.status_code == 409, answer.text
        assert answer.json()["type"].endswith("past-is-read-only")
        server.cookies.delete(COOKIE) if "cookies" in how else None
    assert demo.system.store.head() == head


def test_a_cookie_that_means_nothing_any_more_is_as_if_there_were_none(
    server: TestClient,
) -> None:
    """It may be older than the store: nobody could take it back."""
    server.cookies.set(COOKIE, "999999999")
    answer = server.get("/v1/seasons")
    assert answer.status_code == 200 and HEADER not in answer.headers
    server.cookies.set(COOKIE, "5")
    assert asked_by_cookie(server).headers[HEADER] == "5"
    server.cookies.delete(COOKIE)


def asked_by_cookie(server: TestClient) -> httpx.Response:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (answer := server.get("/v1/seasons")).status_code == 503:
        assert time.monotonic() < deadline
    return answer


def test_while_the_past_is_being_prepared_its_progress_is_told(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.past.WAIT_SECONDS", 0.0)  # its process has only just begun
    with running_demo(tmp_path_factory.mktemp("new")) as demo, TestClient(demo.app()) as server:
        server.post("/v1/sessions", json={"login": "county-approver", "password": PASSWORD})
        head = demo.system.store.head()
        first = server.get("/v1/seasons", params={"known_at": str(head)})
        assert first.status_code == 503 and first.headers["Retry-After"]
        assert f"{head:,}" in first.json()["zh"] and f"{head:,}" in first.json()["en"]
        server.cookies.set(COOKIE, str(head))
        page = server.get("/seasons")
        assert page.status_code in (200, 503)
        if page.status_code == 503:
            assert "/known-at/now" in page.text and page.headers["Refresh"]
        assert asked(server, "/v1/seasons", head).status_code == 200


def test_changes_name_facts_and_who_made_them(demo: RunningDemo, server: TestClient) -> None:
    first, at = registered(demo).popitem()[0] - 40, demo.system.store.head()
    said = {"from": str(first), "to": str(at), "view": "households"}
    answer = server.get("/v1/changes", params=said)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["from"]["position"], body["to"]["position"]) == (first, at)
    assert body["items"]
    facts = {fact.position: fact.event.meta for fact in demo.system.store.read(0, at)}
    for one in body["items"]:
        assert one["view"] == "households" and one["before"] != one["now"]
        by = {(str(facts[p].actor), facts[p].role) for p in one["positions"]}
        assert {(who["officer"], who["role"]) for who in one["actors"]} == by
        assert all(first < p <= at for p in one["positions"])


def test_changes_are_read_to_their_end_and_within_the_jurisdiction(
    demo: RunningDemo, server: TestClient
) -> None:
    said = {"from": "1", "to": str(demo.system.store.head()), "view": "ledger"}

    def all_of(limit: int) -> list[Any]:
        found, cursor = [], None
        while True:
            more = {"limit": str(limit), **({"cursor": cursor} if cursor else {})}
            page = server.get("/v1/changes", params={**said, **more}).json()
            found += page["items"]
            if (cursor := page["next"]) is None:
                return found

    whole = all_of(200)
    assert whole and all_of(3) == whole
    enter(server, "taihu-approver")
    assert {one["area"] for one in all_of(200)}.isdisjoint(one["area"] for one in whole)
    county = whole[0]["area"]
    assert server.get("/v1/changes", params={**said, "area": county}).status_code == 404


def test_changes_that_cannot_be_asked_are_refused(demo: RunningDemo, server: TestClient) -> None:
    head = demo.system.store.head()
    good = {"from": "1", "to": str(head), "view": "ledger"}
    other = server.get("/v1/changes", params={**good, "from": "2", "limit": "1"}).json()["next"]
    assert other, "a cursor of other moments is of another list"
    wrong: list[tuple[dict[str, str], int]] = [
        ({"view": "weather"}, 422),
        ({"from": str(head), "to": "1"}, 422),
        ({"to": str(head + 1)}, 422),
        ({"from": ""}, 422),
        ({"limit": "0"}, 422),
        ({"limit": "201"}, 422),
        ({"cursor": "zz"}, 400),
        ({"cursor": b"[9,1]".hex()}, 400),
        ({"cursor": b'[0,"a","b","c"]'.hex()}, 400),
        ({"cursor": b"[-1,1]".hex()}, 400),
        ({"cursor": b"{}".hex()}, 400),
        ({"cursor": other}, 400),
    ]
    for more, status in wrong:
        answer = server.get("/v1/changes", params={**good, **more})
        assert answer.status_code == status, (more, answer.text)
    server.cookies.clear()
    assert server.get("/v1/changes", params=good).status_code == 401
