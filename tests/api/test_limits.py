"""Each limit of the edge at its edge: one below passes, one above is refused with words."""

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import structlog

from api import writes
from api.bodies import SMALL_BODY
from api.limits import EdgeLimits, Quotas
from api.routes import WRITES
from domain.commands.households import HouseholdInput, RegisterHouseholds
from domain.world import Role
from eventstore.clock import machine_now
from eventstore.limiter import LimitReached
from eventstore.limits_reached import lately_reached
from eventstore.outcomes import Envelope
from tests.api.edge import Edge, serving, write_headers
from tests.api.seed import id_of
from tests.api.test_writes import REPORTS, code, report
from tests.cluster.relaying import wait_for
from tests.id_numbers import id_number

LISTS = "/v1/household-lists"


def household(**change: Any) -> dict[str, Any]:
    """A household without a name or number of anybody."""
    member = {"relation": "head", "name": "张三"}
    return {"id": str(uuid4()), "category": "hardship", "members": [member]} | change


def households(number: int) -> dict[str, Any]:
    return {"village": str(id_of("yuantan_1")), "households": [household() for _ in range(number)]}


def post(client: httpx.Client, path: str, body: Any, **headers: str) -> httpx.Response:
    return client.post(path, json=body, headers=write_headers(**headers))


def refused(answer: httpx.Response, status: int, name: str) -> None:
    """Refused by a limit, with words in both languages."""
    assert (answer.status_code, code(answer)) == (status, name), answer.text
    if status == 429:
        assert int(answer.headers["retry-after"]) >= 1


def told(tmp_path: Path) -> dict[str, int]:
    """What `relief doctor` of this data folder would tell once the server has stopped."""
    lately = lately_reached(tmp_path / "run", machine_now().timestamp())
    return {limit: count for limit, (count, _) in lately.items()}


def test_rows_of_a_command(tmp_path: Path) -> None:
    with serving(tmp_path, rows=3) as edge, edge.client(Role.VILLAGE_REPORTER, "yuantan_1") as us:
        assert post(us, LISTS, households(3)).status_code == 200
        refused(post(us, LISTS, households(4)), 413, "too-many-rows")
    assert told(tmp_path) == {"rows": 1}


def test_facts_of_a_command(tmp_path: Path) -> None:
    with serving(tmp_path) as edge, edge.client(Role.VILLAGE_REPORTER, "yuantan_1") as us:
        head, store = edge.system.store.head(), edge.system.store
        assert post(us, LISTS, households(2)).status_code == 200
        store.writer.facts_a_command = made = store.head() - head
        assert post(us, LISTS, households(2)).status_code == 200
        head = store.head()
        refused(post(us, LISTS, households(3)), 413, "too-many-facts")
        assert store.head() == head and post(us, LISTS, households(2)).json()["facts"] == made
    assert told(tmp_path) == {"facts_a_command": 1}


def test_rows_of_a_batch(tmp_path: Path) -> None:
    with serving(tmp_path) as edge:
        writer = edge.system.store.writer
        writer.rows_a_batch = 3
        command = RegisterHouseholds(village=id_of("yuantan_1"), households=(None, None))  # type: ignore[arg-type]
        item = Envelope(id=uuid4(), officer=None, command=command), lambda _: None
        for _ in range(3):
            writer._queue.put(item)
        assert len(writer._waiting()[0]) == 2, "the second brings it beyond the limit"
        assert len(writer._waiting()[0]) == 1


def test_bytes_of_a_body(tmp_path: Path) -> None:
    with (
        serving(tmp_path, body_bytes=4096, bulk_body_bytes=8192) as edge,
        edge.client(Role.VILLAGE_REPORTER, "yuantan_1") as us,
    ):
        for path, most in ((REPORTS, 4096), (LISTS, 8192)):
            for size in (most, most + 1):
                body = b"{" + b" " * (size - 2) + b"}"
                for content in (body, iter([body])):  # with and without a Content-Length
                    answer = us.post(path, content=content, headers=write_headers())
                    if size == most:
                        assert answer.status_code == 422
                    else:
                        refused(answer, 413, "too-large")
    assert told(tmp_path) == {"body_bytes": 2, "bulk_body_bytes": 2}


def test_new_things_of_an_officer_in_an_hour(tmp_path: Path) -> None:
    with (
        serving(tmp_path, streams_an_hour=3) as edge,
        edge.client(Role.VILLAGE_REPORTER, "yuantan_1") as us,
        edge.client(Role.VILLAGE_REPORTER, "yuantan_2") as other,
    ):
        first, key = households(2), uuid4()
        answers = [us.post(LISTS, json=first, headers=write_headers(key)) for _ in range(3)]
        assert {answer.status_code for answer in answers} == {200}, "a repeat takes nothing"
        refused(post(us, LISTS, households(2)), 429, "limit-reached")
        assert post(us, LISTS, households(1)).status_code == 200
        refused(post(us, LISTS, households(1)), 429, "limit-reached")
        theirs = households(1) | {"village": str(id_of("yuantan_2"))}
        assert post(other, LISTS, theirs).status_code == 200, "each officer has a quota"
        assert post(us, REPORTS, report()).status_code == 200, "reports are never stopped by it"
    assert told(tmp_path) == {"streams_an_hour": 2}


def claiming(village: str, *numbers: str) -> dict[str, Any]:
    """A list of the village with one household for each of these ID numbers."""
    body: dict[str, Any] = households(len(numbers)) | {"village": str(id_of(village))}
    for one, number in zip(body["households"], numbers, strict=True):
        one["members"][0]["id_number"] = number
    return body


def test_c4_people_claimed_of_others_in_an_hour(tmp_path: Path) -> None:
    """A stranger asked 400 ID numbers a request whether they are registered for relief."""
    known = [id_number(800 + n) for n in range(4)]
    fresh = [id_number(850 + n) for n in range(3)]
    with (
        serving(tmp_path, contests_an_hour=2) as edge,
        edge.client(Role.VILLAGE_REPORTER, "yuantan_1") as us,
        edge.client(Role.VILLAGE_REPORTER, "foreign_village") as stranger,
    ):
        assert post(us, LISTS, claiming("yuantan_1", *known)).status_code == 200

        def ask(*numbers: str) -> httpx.Response:
            return post(stranger, LISTS, claiming("foreign_village", *numbers))

        assert ask(fresh[0]).status_code == 200, "who is nobody's costs nothing"
        assert ask(known[0]).json()["result"]["contested"]
        body, key = claiming("foreign_village", known[1]), uuid4()
        for _ in range(2):
            answer = stranger.post(LISTS, json=body, headers=write_headers(key))
            assert answer.status_code == 200, "the second is within the limit; a repeat is free"
        refused(ask(known[2]), 429, "limit-reached")
        refused(ask(fresh[1]), 429, "limit-reached")
        path = f"/v1/households/{body['households'][0]['id']}/members"
        member = {"name": "李四", "relation": "other", "id_number": known[3]}
        refused(post(stranger, path, {"member": member, "reason": "补登"}), 429, "limit-reached")
        assert stranger.get("/v1/households").status_code == 200
        mine = claiming("yuantan_1", fresh[2])
        assert post(us, LISTS, mine).status_code == 200, "each officer has a quota"
    assert told(tmp_path) == {"contests_an_hour": 3}


def test_c4_a_list_that_claims_too_many_of_others_counts_though_it_is_refused(
    tmp_path: Path,
) -> None:
    known = [id_number(700 + n) for n in range(21)]
    with (
        serving(tmp_path, contests_an_hour=20) as edge,
        edge.client(Role.VILLAGE_REPORTER, "yuantan_1") as us,
        edge.client(Role.VILLAGE_REPORTER, "foreign_village") as stranger,
    ):
        assert post(us, LISTS, claiming("yuantan_1", *known)).status_code == 200
        asked = claiming("foreign_village", *known)
        assert code(post(stranger, LISTS, asked)) == "too-many-contested"
        one = claiming("foreign_village", id_number(990))
        refused(post(stranger, LISTS, one), 429, "limit-reached")


def test_what_a_rule_refuses_takes_nothing(tmp_path: Path) -> None:
    with (
        serving(tmp_path, streams_an_hour=2) as edge,
        edge.client(Role.VILLAGE_REPORTER, "yuantan_1") as us,
    ):
        elsewhere = households(1) | {"village": str(id_of("yuantan_2"))}
        for _ in range(5):
            assert post(us, LISTS, elsewhere).status_code == 404
        assert post(us, LISTS, households(2)).status_code == 200


def test_openings_of_personal_data_in_an_hour(tmp_path: Path) -> None:
    with (
        serving(tmp_path, unsealings_an_hour=2) as edge,
        edge.client(Role.VILLAGE_REPORTER, "yuantan_1") as us,
    ):
        body = households(1)
        assert post(us, LISTS, body).status_code == 200
        path = f"/v1/households/{body['households'][0]['id']}/unsealings"
        reason = {"reason": "核对银行卡号是否有误"}
        answers = [post(us, path, reason) for _ in range(3)]
        assert [answer.status_code for answer in answers[:2]] == [200, 200], answers[0].text
        refused(answers[2], 429, "limit-reached")
        assert "shown" not in answers[2].text
        with edge.client(Role.DISPATCHER, "county") as desk:
            call = {
                "incident": str(uuid4()),
                "area": str(id_of("yuantan_1")),
                "place": "老屋组",
                "kind": "trapped",
                "severity": "severe",
                "occurred_at": "2018-07-04T15:00:00+08:00",
                "reporter_phone": "13900000000",
            }
            assert post(desk, "/v1/incidents", call).status_code == 200
            path = f"/v1/incidents/{call['incident']}/unsealings"
            answers = [post(desk, path, {"reason": "回电核实"}) for _ in range(3)]
            assert [answer.status_code for answer in answers[:2]] == [200, 200], answers[0].text
            refused(answers[2], 429, "limit-reached")
    assert told(tmp_path) == {"unsealings_an_hour": 2}


def test_searches_by_name_in_a_minute(tmp_path: Path) -> None:
    with (
        serving(tmp_path, searches_a_minute=2) as edge,
        edge.client(Role.VILLAGE_REPORTER, "yuantan_1") as us,
    ):
        answers = [us.get("/v1/households", params={"search": "张三"}) for _ in range(3)]
        assert [answer.status_code for answer in answers[:2]] == [200, 200], answers[0].text
        refused(answers[2], 429, "limit-reached")
        assert us.get("/v1/households").status_code == 200, "lists are no searches"


def test_reports_have_a_quota_of_their_own_that_is_never_nothing(tmp_path: Path) -> None:
    from pydantic import ValidationError

    from cli.settings import Settings

    with pytest.raises(ValidationError):
        Settings(data=tmp_path, reports_an_hour=0)
    saving = {write.path for write in WRITES if write.saves_lives}
    assert {REPORTS, "/v1/phoned-reports", "/v1/incidents"} <= saving
    with (
        serving(tmp_path, reports_an_hour=1_000, streams_an_hour=1) as edge,
        edge.client(Role.VILLAGE_REPORTER, "yuantan_1") as us,
    ):
        officer = us.get("/v1/me").json()["officer"]
        from uuid import UUID

        edge.system.quotas.reports.take(UUID(officer), 999)
        assert post(us, REPORTS, report()).status_code == 200
        refused(post(us, REPORTS, report()), 429, "limit-reached")


def test_how_far_after_may_lie_ahead(tmp_path: Path) -> None:
    with (
        serving(tmp_path, after_ahead=5) as edge,
        edge.client(Role.COUNTY_APPROVER, "county") as us,
    ):
        head = edge.system.store.head()
        refused(us.get(REPORTS, params={"after": head + 6}), 422, "position-beyond-head")
        refused(us.get(REPORTS, params={"after": head + 5}), 503, "views-behind")
        assert us.get(REPORTS, params={"after": head}).status_code == 200
    assert told(tmp_path) == {"after_ahead": 1}


def test_waiting_for_a_position_takes_no_thread(tmp_path: Path) -> None:
    """80 requests that waited once held every thread that reads use."""
    with (
        serving(tmp_path, after_ahead=10_000, after_wait_seconds=5) as edge,
        edge.client(Role.COUNTY_APPROVER, "county") as us,
        ThreadPoolExecutor(81) as many,
    ):
        params = {"after": edge.system.store.head() + 1}
        waiting = [many.submit(us.get, REPORTS, params=params) for _ in range(80)]
        assert us.get("/v1/disasters").status_code == 200
        assert not any(one.done() for one in waiting)
        with edge.client(Role.VILLAGE_REPORTER, "yuantan_1") as village:
            assert post(village, REPORTS, report()).status_code == 200
        assert {one.result().status_code for one in waiting} == {200}


def posting(path: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """The scope of a POST as an HTTP server gives it, for bodies that no client would send."""
    return {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(k.lower().encode(), v.encode()) for k, v in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("test", 80),
        "scheme": "http",
        "http_version": "1.1",
        "root_path": "",
        "asgi": {"version": "3.0"},
        "state": {},
    }


def test_a_large_body_is_not_read_for_who_may_not_send_it(edge: Edge) -> None:
    """16 MB were once read and parsed on the event loop before anybody asked who sent them."""
    read = 0

    async def ask(headers: dict[str, str], path: str) -> int:
        nonlocal read
        told: list[int] = []

        async def receive() -> dict[str, Any]:
            nonlocal read
            read += 60_000
            return {"type": "http.request", "body": b"[" * 60_000, "more_body": True}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                told.append(message["status"])

        await edge.app(posting(path, headers), receive, send)
        return told[0]

    auditor = edge.headers(Role.AUDITOR, "county") | write_headers()
    assert asyncio.run(ask(auditor, LISTS)) == 403
    assert read <= 2 * SMALL_BODY
    foreign = edge.headers(Role.VILLAGE_REPORTER, "foreign_village") | write_headers()
    lists = edge.seeded.places["yuantan_1"].ids["village_list"]
    read = 0
    assert asyncio.run(ask(foreign, f"/v1/village-lists/{lists}/appraisals")) == 404
    assert read <= 2 * SMALL_BODY
    assert asyncio.run(ask(write_headers(), LISTS)) == 401


def test_what_is_wrong_with_a_body_is_told_to_whoever_may_send_it(edge: Edge) -> None:
    with edge.client(Role.AUDITOR, "county") as auditor:
        assert post(auditor, LISTS, {"no": "such field"}).status_code == 403
    with edge.client(Role.VILLAGE_REPORTER, "yuantan_1") as village:
        assert post(village, LISTS, {"no": "such field"}).status_code == 422


def test_a_large_body_is_parsed_beside_the_event_loop(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = []
    real = writes.object_of

    def object_of(body: bytes) -> dict[str, Any]:
        names.append((len(body), threading.current_thread().name))
        return real(body)

    monkeypatch.setattr(writes, "object_of", object_of)
    with edge.client(Role.VILLAGE_REPORTER, "yuantan_1") as village:
        padded = json.dumps(households(1)).encode() + b" " * SMALL_BODY
        assert village.post(LISTS, content=padded, headers=write_headers()).status_code == 200
    ((size, thread),) = names
    assert size > SMALL_BODY and thread.startswith("parsing")


def test_a_client_that_goes_away_is_no_error(edge: Edge) -> None:
    headers = edge.headers(Role.VILLAGE_REPORTER, "yuantan_1") | write_headers()

    async def ask(path: str) -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            del message

        await edge.app(posting(path, headers), receive, send)

    with structlog.testing.capture_logs() as logs:
        for path in (REPORTS, "/v1/tokens", "/v1/sessions"):
            asyncio.run(ask(path))
    assert not [entry for entry in logs if entry["log_level"] in ("error", "critical")]


def test_new_things_of_a_role_in_an_hour(tmp_path: Path) -> None:
    """A village begins less in an hour than a township: it cannot fill a county's ledger."""
    set_: dict[str, Any] = {
        "streams_an_hour": 5,
        "streams_an_hour_of_role": {Role.VILLAGE_REPORTER: 3},
    }
    with (
        serving(tmp_path, **set_) as edge,
        edge.client(Role.VILLAGE_REPORTER, "yuantan_1") as village,
        edge.client(Role.TOWNSHIP_REVIEWER, "yuantan") as township,
    ):
        assert post(village, LISTS, households(3)).status_code == 200
        refused(post(village, LISTS, households(1)), 429, "limit-reached")
        assert post(township, LISTS, households(5)).status_code == 200
        refused(post(township, LISTS, households(1)), 429, "limit-reached")
        assert post(village, REPORTS, report()).status_code == 200, "reports are never stopped"
    assert told(tmp_path) == {"streams_an_hour_of_role": 1, "streams_an_hour": 1}


def test_what_one_limit_refuses_takes_nothing_of_the_other() -> None:
    limits = EdgeLimits(streams_an_hour=4, streams_an_hour_of_role={Role.VILLAGE_REPORTER: 2})
    quotas, officer = Quotas(limits), uuid4()
    rows = tuple(HouseholdInput(id=uuid4(), category="hardship", members=()) for _ in range(3))
    command = RegisterHouseholds(village=uuid4(), households=rows)
    for _ in range(3):
        with pytest.raises(LimitReached):
            quotas.take(officer, command, {Role.VILLAGE_REPORTER}, saves_lives=False)
    both = {Role.VILLAGE_REPORTER, Role.TOWNSHIP_REVIEWER}
    taken = quotas.take(officer, command, both, saves_lives=False)
    taken.give_back()
    limiters = [quotas.streams, *quotas.streams_of_role.values()]
    assert len(limiters) == 2 and not any(limiter._used for limiter in limiters)


def test_bytes_of_bodies_in_hand(tmp_path: Path) -> None:
    """Large bodies of all officers together; what is small passes, and what was held comes back."""
    most = 256 * 1024
    large = json.dumps(households(2) | {"padding": "x" * (most // 2)}).encode()
    with (
        serving(tmp_path, held_body_bytes=most) as edge,
        edge.client(Role.VILLAGE_REPORTER, "yuantan_1") as us,
        ThreadPoolExecutor(2) as beside,
    ):
        begun, go_on = threading.Semaphore(0), threading.Event()

        def slowly() -> Iterator[bytes]:
            yield large[:-1]
            begun.release()
            go_on.wait(20)
            yield large[-1:]

        def send() -> httpx.Response:
            with edge.client(Role.VILLAGE_REPORTER, "yuantan_1") as other:
                return other.post(LISTS, content=slowly(), headers=write_headers())

        first = beside.submit(send)
        assert begun.acquire(timeout=20)
        wait_for(lambda: edge.system.bodies.now >= len(large) - 1)
        answer = us.post(LISTS, content=large, headers=write_headers())
        assert (answer.status_code, code(answer)) == (503, "too-many-bodies"), answer.text
        assert int(answer.headers["retry-after"]) >= 1
        assert post(us, REPORTS, report()).status_code == 200, "a report is small"
        go_on.set()
        assert first.result().status_code == 422, "there is no such field, which is told at the end"
        wait_for(lambda: edge.system.bodies.now == 0)
        assert us.post(LISTS, content=large, headers=write_headers()).status_code == 422
        exactly = b"{" + b" " * (most - 2) + b"}"
        assert us.post(LISTS, content=exactly, headers=write_headers()).status_code == 422
        beyond = b"{" + b" " * (most - 1) + b"}"
        assert us.post(LISTS, content=beyond, headers=write_headers()).status_code == 503
    assert told(tmp_path) == {"held_body_bytes": 2}
