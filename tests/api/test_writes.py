"""Commands over HTTP: idempotency, If-Match, what is malformed, what an answer carries."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from api.plain_json import MAX_FEN, MAX_LINE, MOST, ONE_LINE
from api.problems import ApiProblem
from api.routes import WRITES
from api.writes import Write
from domain.world import Role
from tests.api.edge import Edge, write_headers
from tests.api.seed import id_of

MOMENT = "2018-07-04T15:00:00+08:00"
REPORTS = "/v1/situation-reports"
DAY = re.compile(r"\d{4}-\d\d-\d\d(T|$)")


def report(**change: Any) -> dict[str, Any]:
    """A 初报 of yuantan_1 with an id of its own."""
    body = {
        "report": str(uuid4()),
        "area": str(id_of("yuantan_1")),
        "occurred_at": MOMENT,
        "as_of": MOMENT,
        "hazard": "flood",
        "figures": {"affected": 10, "injured": 1},
    }
    return body | change


def code(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["zh"] and body["en"] and body["status"] == answer.status_code
    return str(body["type"]).removeprefix("/problems/")


def post(client: httpx.Client, path: str, body: Any, key: UUID | None = None, **more: str) -> Any:
    return client.post(path, json=body, headers=write_headers(key, **more))


def test_an_accepted_command_answers_with_its_position(village: httpx.Client) -> None:
    answer = post(village, REPORTS, body := report())
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["position"] > 0 and found["facts"] >= 1
    assert found["result"]["report"] == body["report"]
    assert answer.headers["relief-position"] == str(found["position"])
    assert "idempotent-replay" not in answer.headers


def test_the_same_key_and_body_get_the_first_answer_again(village: httpx.Client) -> None:
    key, body = uuid4(), report()
    first, again = post(village, REPORTS, body, key), post(village, REPORTS, body, key)
    assert again.headers["idempotent-replay"] == "true"
    assert (again.status_code, again.json()) == (first.status_code, first.json())


def test_the_same_key_with_another_body_is_refused(village: httpx.Client) -> None:
    key = uuid4()
    assert post(village, REPORTS, report(), key).status_code == 200
    other = post(village, REPORTS, report(), key)
    assert (other.status_code, code(other)) == (409, "command-id-reused")


def test_the_same_key_of_another_officer_is_refused(edge: Edge, village: httpx.Client) -> None:
    key, body = uuid4(), report()
    assert post(village, REPORTS, body, key).status_code == 200
    with edge.client(Role.VILLAGE_REPORTER, "yuantan_2") as other:
        answer = post(other, REPORTS, body, key)
    assert (answer.status_code, code(answer)) == (409, "command-id-reused")


def test_a_repeated_refusal_says_the_same(village: httpx.Client) -> None:
    body = report()
    assert post(village, REPORTS, body).status_code == 200
    key = uuid4()
    first, again = post(village, REPORTS, body, key), post(village, REPORTS, body, key)
    assert first.status_code == 409 and code(first) == "already-exists"
    once, twice = first.json(), again.json()
    for said in ("title", "zh", "en"):  # the report's place may have become known meanwhile
        assert once.pop(said).partition("：")[0].split(":")[0] in twice.pop(said)
    assert twice == once


def test_fifty_parallel_posts_of_one_key_have_one_effect(edge: Edge) -> None:
    key, body = uuid4(), report()
    answers: list[httpx.Response] = []

    def send() -> None:
        with edge.client(Role.VILLAGE_REPORTER, "yuantan_1") as client:
            answers.append(post(client, REPORTS, body, key))

    threads = [threading.Thread(target=send) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {a.status_code for a in answers} == {200} and len(answers) == 50
    assert len({a.json()["position"] for a in answers}) == 1
    assert sum("idempotent-replay" not in a.headers for a in answers) == 1


@pytest.mark.parametrize(
    ("headers", "status", "problem"),
    [
        ({"Content-Type": "application/json"}, 400, "idempotency-key-missing"),
        (
            {"Content-Type": "application/json", "Idempotency-Key": "1"},
            400,
            "idempotency-key-malformed",
        ),
        ({"Content-Type": "text/plain", "Idempotency-Key": str(uuid4())}, 415, "not-json"),
        ({"Idempotency-Key": str(uuid4())}, 415, "not-json"),
    ],
)
def test_a_write_needs_its_headers(
    village: httpx.Client, headers: dict[str, str], status: int, problem: str
) -> None:
    answer = village.post(REPORTS, content=b"{}", headers=headers)
    assert (answer.status_code, code(answer)) == (status, problem)


def test_all_wrong_fields_are_named_at_once(village: httpx.Client) -> None:
    body = report(area="?", approved_by="me", occurred_at="yesterday")
    del body["hazard"]
    answer = post(village, REPORTS, body)
    assert answer.status_code == 422
    assert {e["field"] for e in answer.json()["errors"]} == {
        "area",
        "approved_by",
        "occurred_at",
        "hazard",
    }
    assert all(e["zh"] and e["en"] for e in answer.json()["errors"])


def test_what_was_left_empty_is_said_to_be_missing_and_a_wrong_time_to_be_one(
    village: httpx.Client,
) -> None:
    """A form sends null for a field that nobody filled in, whatever its kind."""
    for value, zh, en in (
        (None, "缺少此项", "This field is required."),
        ("昨天", "应为日期和时间", "This should be a date and a time."),
    ):
        answer = post(village, REPORTS, report(occurred_at=value))
        assert answer.status_code == 422, answer.text
        (found,) = answer.json()["errors"]
        assert (found["field"], found["zh"], found["en"]) == ("occurred_at", zh, en)


def test_a_time_without_a_zone_is_refused(village: httpx.Client) -> None:
    answer = post(village, REPORTS, report(occurred_at="2018-07-04T15:00:00"))
    assert answer.status_code == 422, answer.text


def test_what_the_path_names_is_not_taken_from_the_body(edge: Edge, village: httpx.Client) -> None:
    mine = edge.seeded.places["yuantan_1"].ids["report"]
    body = {"report": str(uuid4()), "as_of": MOMENT}
    answer = post(village, f"{REPORTS}/{mine}/zero-reports", body)
    assert answer.status_code == 422
    assert [e["field"] for e in answer.json()["errors"]] == ["report"]


def test_a_stale_if_match_is_412_and_the_right_one_passes(village: httpx.Client) -> None:
    filed = report()
    assert post(village, REPORTS, filed).status_code == 200
    path = f"{REPORTS}/{filed['report']}/follow-ups"
    body = {"as_of": "2018-07-05T08:00:00+08:00", "figures": {"affected": 12, "injured": 1}}
    stale = post(village, path, body, **{"If-Match": '"7"'})
    assert (stale.status_code, code(stale)) == (412, "changed-meanwhile")
    assert post(village, path, body, **{"If-Match": '"1"'}).status_code == 200
    assert post(village, path, body, **{"If-Match": "*&"}).status_code == 422


@pytest.mark.parametrize("version", ["1", "0"])
def test_phoned_and_made_up_versions_are_checked_against_what_was_seen(
    edge: Edge, village: httpx.Client, version: str
) -> None:
    """Whoever takes down a call edits the figures on the page as every other reporter does."""
    phoned = report(called_at=MOMENT)
    township = edge.client(Role.TOWNSHIP_REVIEWER, "yuantan")
    assert post(township, "/v1/phoned-reports", phoned).status_code == 200
    path = f"{REPORTS}/{phoned['report']}"
    told = {"as_of": MOMENT, "figures": {"affected": 11}}
    stale = version != "1"
    made = post(village, f"{path}/make-ups", told, **{"If-Match": version})
    assert made.status_code == (412 if stale else 200), made.text
    seen = "1" if stale else "2"
    wanted = "0" if stale else seen
    called = {**told, "called_at": MOMENT}
    again = post(township, f"{path}/phoned-follow-ups", called, **{"If-Match": wanted})
    assert again.status_code == (412 if stale else 200), again.text


def test_line_breaks_of_a_word_processor_are_line_breaks(edge: Edge, village: httpx.Client) -> None:
    """Shift+Enter of a word processor is U+000B: it once refused a whole 初报."""
    body = report(narrative="一组进水\x0b二组断路\x0c三组\u2028四组\u2029五组\x85六组\n七组")
    assert post(village, REPORTS, body).status_code == 200
    told = edge.system.store.history(UUID(body["report"]))[0].event.filed.narrative  # type: ignore[attr-defined]
    (told,) = edge.system.store.texts.opened([told])
    assert told.splitlines() == ["一组进水", "二组断路", "三组", "四组", "五组", "六组", "七组"]
    assert set(told) & set("\x0b\x0c\x85\u2028\u2029") == set()
    assert code(post(village, REPORTS, report(narrative="\x07"))) == "malformed"


def test_a_body_that_is_too_large_is_refused(village: httpx.Client) -> None:
    answer = post(village, REPORTS, {"narrative": "x" * (1024 * 1024)})
    assert (answer.status_code, code(answer)) == (413, "too-large")


BOMBS = {
    "nested": b'{"figures":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "nested objects": b'{"figures":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"}",
    "1e400": b'{"figures":{"affected":1e400}}',
    "NaN": b'{"figures":{"affected":NaN}}',
    "Infinity": b'{"figures":{"affected":-Infinity}}',
    "huge int": b'{"figures":{"affected":' + b"9" * 5000 + b"}}",
    "2**64": b'{"figures":{"affected":18446744073709551616}}',
    "lone surrogate": b'{"narrative":"\\ud800"}',
    "surrogate key": b'{"figures":{"\\udfff":1}}',
    "duplicate keys": b'{"reason":"a","reason":"b"}',
    "NUL": b'{"narrative":"a\\u0000b"}',
    "not UTF-8": b'{"narrative":"\xff\xfe"}',
    "array": b"[]",
    "null": b"null",
    "nothing": b"",
    "cut off": b'{"figures":{"affected":1',
    "two values": b"{}{}",
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_json_bombs_are_refused_in_few_words(village: httpx.Client, bomb: bytes) -> None:
    answer = village.post(REPORTS, content=bomb, headers=write_headers())
    assert 400 <= answer.status_code < 500, answer.text
    assert len(answer.content) < 20_000


def test_duplicate_keys_are_named(village: httpx.Client) -> None:
    """Two values for one field: which of them was meant cannot be known."""
    answer = village.post(REPORTS, content=b'{"reason":"a","reason":"b"}', headers=write_headers())
    assert answer.status_code == 422 and "duplicate" in answer.text


@pytest.fixture
def suspended(own_edge: Edge) -> Iterator[httpx.Client]:
    from domain.commands.officers import SuspendOfficer
    from eventstore.outcomes import Envelope
    from tests.api.seed import officer_of

    with own_edge.client(Role.VILLAGE_REPORTER, "yuantan_1") as client:
        assert client.get("/v1/me").status_code == 200
        villager = officer_of(Role.VILLAGE_REPORTER, "yuantan_1")
        command = SuspendOfficer(officer=villager, reason="核查中")
        own_edge.system.store.run(Envelope(id=uuid4(), officer=None, command=command))
        yield client


def test_a_suspension_takes_effect_at_the_next_call(suspended: httpx.Client) -> None:
    answer = post(suspended, REPORTS, report())
    assert (answer.status_code, code(answer)) == (403, "officer-suspended")


def test_a_report_filed_twice_is_kept_and_asked_about(village: httpx.Client) -> None:
    """Browser Back, and submitted again: nothing that saves lives is refused."""
    other_day = {"occurred_at": "2018-07-02T15:00:00+08:00", "as_of": MOMENT}
    first, second = report(**other_day), report(**other_day | {"figures": {"dead": 1}})
    assert post(village, REPORTS, first).json()["likely_same"] == []
    key = uuid4()
    answer = post(village, REPORTS, second, key)
    assert answer.status_code == 200
    (twin,) = answer.json()["likely_same"]
    assert (twin["report"], twin["review"]) == (first["report"], "pending")
    again = post(village, REPORTS, second, key)
    assert [one["report"] for one in again.json()["likely_same"]] == [first["report"]]
    found = village.get(f"{REPORTS}/{second['report']}").json()
    assert [one["report"] for one in found["likely_same"]] == [first["report"]]
    gone = post(village, f"{REPORTS}/{first['report']}/withdrawals", {"reason": "重复填报"})
    assert gone.status_code == 200
    after = village.get(f"{REPORTS}/{second['report']}", params={"after": gone.json()["position"]})
    assert after.json()["likely_same"] == []


def test_a_corrected_hour_is_asked_about_too(village: httpx.Client) -> None:
    day = {"as_of": MOMENT}
    early = report(**day, occurred_at="2018-07-01T08:00:00+08:00")
    late = report(**day, occurred_at="2018-07-01T15:00:00+08:00")
    assert post(village, REPORTS, early).json()["likely_same"] == []
    assert post(village, REPORTS, late).json()["likely_same"] == []
    right = {"occurred_at": "2018-07-01T08:59:00+08:00", "hazard": "flood", "reason": "写错"}
    answer = post(village, f"{REPORTS}/{late['report']}/occurrence-corrections", right)
    assert [one["report"] for one in answer.json()["likely_same"]] == [early["report"]]


def test_a_report_on_no_disaster_is_compared_with_its_parts_as_it_is_filed(edge: Edge) -> None:
    """A desk knows the parts of a disaster only; the boards know those of loose reports."""
    day = {"occurred_at": "2018-06-20T15:00:00+08:00", "as_of": MOMENT, "hazard": "flood"}
    dead = report(area=str(id_of("yuantan")), figures={"affected": 9, "dead": 2}, **day)
    share = {str(id_of("yuantan")): {"affected": 4, "dead": 0}}
    hides = report(
        area=str(id_of("county")), figures={"affected": 4, "dead": 0}, split=share, **day
    )
    with edge.client(Role.TOWNSHIP_REVIEWER, "yuantan") as township:
        assert post(township, REPORTS, dead).json()["parts"] == {"hidden": {}, "less": {}}
    with edge.client(Role.COUNTY_APPROVER, "county") as county:
        taken = post(county, f"{REPORTS}/{dead['report']}/versions/1/acceptances", {})
        assert taken.status_code == 200, taken.text
        told = post(county, REPORTS, hides).json()["parts"]
    assert told["hidden"]["dead"]["own"] == "0" and int(told["hidden"]["dead"]["parts"]) >= 2
    assert [sorted(keys) for keys in told["less"].values()] == [["affected", "dead"]]
    with edge.client(Role.CITY_REVIEWER, "city") as city:
        path = f"{REPORTS}/{hides['report']}/versions/1/acceptances"
        assert post(city, path, {}).json()["parts"] == told


@pytest.mark.parametrize(
    "moment",
    ["0001-01-01T00:00:00+09:00", "0218-07-04T15:00:00+08:00", "9999-12-31T23:59:59-08:00"],
)
def test_a_day_that_no_calendar_in_use_has_is_refused_by_name(
    village: httpx.Client, moment: str
) -> None:
    """The first and the last days that there are have no moment in China: the program failed."""
    answer = post(village, REPORTS, report(occurred_at=moment, as_of=moment))
    assert (answer.status_code, code(answer)) == (422, "malformed")
    wrong = {one["field"]: one["zh"] for one in answer.json()["errors"]}
    assert wrong.keys() == {"occurred_at", "as_of"} and "请核对年份" in wrong["as_of"]


DATED = [one for one in WRITES if "date" in json.dumps(one.body_schema())]


@pytest.mark.parametrize("write", DATED, ids=lambda one: one.command.__name__)
def test_every_command_refuses_such_a_day_in_each_of_its_fields(write: Write) -> None:
    """Also in the rows of its tables: a year of three digits, or of five cut off, is a slip."""
    counts = {"version", "number"}
    path = {name: "1" if name in counts else str(uuid4()) for name in write.in_path}
    for name in _days_in(write.body_example()):
        body = json.loads(json.dumps(write.body_example()))
        inside, last = body, name[-1]
        for step in name[:-1]:
            inside = inside[step]
        inside[last] = f"0218{inside[last][4:]}"
        with pytest.raises(ApiProblem) as refused:
            write.parse(json.dumps(body).encode(), path)
        named = [one["field"] for one in refused.value.errors]
        assert ".".join(map(str, name)) in named, named


@pytest.mark.parametrize("write", WRITES, ids=lambda one: one.command.__name__)
def test_every_name_and_number_of_a_paper_is_one_line(write: Write) -> None:
    """The name of a disaster was kept with 20,000 characters, and stood on every page."""
    counts = {"version", "number"}
    path = {name: "1" if name in counts else str(uuid4()) for name in write.in_path}
    for name in _texts_in(write.body_example()):
        body = json.loads(json.dumps(write.body_example()))
        inside = body
        for step in name[:-1]:
            inside = inside[step]
        inside[name[-1]] = "长" * (MAX_LINE + 1)
        with pytest.raises(ApiProblem) as refused:
            write.parse(json.dumps(body).encode(), path)
        wrong = {one["field"]: one["zh"] for one in refused.value.errors}
        assert f"最多 {MAX_LINE} 个字" in wrong[".".join(map(str, name))]


@pytest.mark.parametrize("write", WRITES, ids=lambda one: one.command.__name__)
def test_every_sum_of_money_and_quantity_has_a_largest_one(write: Write) -> None:
    """Quilts of 2 to the 53rd were received, each worth as much: their product is no number that a
    database keeps, and a fund of ninety million million yuan stood on the boards."""
    counts = {"version", "number"}
    path = {name: "1" if name in counts else str(uuid4()) for name in write.in_path}
    for name in _sums_in(write.body_example()):
        most = MOST.get(name[-1], MAX_FEN)
        body = json.loads(json.dumps(write.body_example()))
        inside = body
        for step in name[:-1]:
            inside = inside[step]
        inside[name[-1]] = most + 1
        with pytest.raises(ApiProblem) as refused:
            write.parse(json.dumps(body).encode(), path)
        wrong = {one["field"]: one["zh"] for one in refused.value.errors}
        said = wrong[".".join(map(str, name))]
        assert "过大" in said and ("元" in said) == name[-1].endswith("_fen")


def _sums_in(value: Any) -> Iterator[tuple[Any, ...]]:
    """Where in a body money and quantities stand."""
    return _places(value, lambda name, one: isinstance(one, int) and _is_sum(name))


def _is_sum(name: str) -> bool:
    return name.endswith("_fen") or name in MOST


def test_the_longest_line_is_kept(village: httpx.Client) -> None:
    longest = "长" * MAX_LINE
    body = {
        "id": str(uuid4()),
        "village": str(id_of("yuantan_1")),
        "members": [{"name": "张" * 50, "relation": "head"}],
        "category": "ordinary",
        "address": longest,
    }
    assert post(village, "/v1/households", body).status_code == 200
    over = body | {"id": str(uuid4()), "address": longest + "长"}
    assert post(village, "/v1/households", over).status_code == 422


def _texts_in(value: Any) -> Iterator[tuple[Any, ...]]:
    """Where in a body the texts of one line stand."""
    return _places(value, lambda name, one: isinstance(one, str) and name in ONE_LINE)


def _days_in(value: Any) -> Iterator[tuple[Any, ...]]:
    """Where in a body days and moments stand."""
    return _places(value, lambda _, one: isinstance(one, str) and DAY.match(one) is not None)


def _places(
    value: Any, fits: Callable[[str, Any], bool], at: tuple[Any, ...] = ()
) -> Iterator[tuple[Any, ...]]:
    """The ways into a body to all values that fit, by the name of their field."""
    named = [step for step in at if isinstance(step, str)]
    if named and fits(named[-1], value):
        yield at
    steps: Any = ()
    if isinstance(value, dict):
        steps = value.items()
    elif isinstance(value, list | tuple):
        steps = enumerate(value)
    for step, one in steps:
        yield from _places(one, fits, (*at, step))
