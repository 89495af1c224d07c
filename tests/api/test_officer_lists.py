"""Many officers at once: each row by itself, codes once, a broken-off list goes on."""

from typing import Any
from uuid import UUID, uuid4

import httpx

from api.limits import DEFAULT_LIMITS
from domain.world import Role
from tests.api.edge import Edge, write_headers
from tests.api.seed import id_of
from tests.id_numbers import id_number

OFFICE = (Role.ADMINISTRATOR, "county")
BORN = "19810101"


def rows(count: int, tag: str) -> list[dict[str, Any]]:
    """Reporters of one village; ``tag``: two digits by which the rows of one test are their own."""
    return [
        {
            "login": f"reporter-{tag}-{n}",
            "name": "赵小三",
            "role": "village_reporter",
            "area": str(id_of("yuantan_1")),
            "post": "A" if n % 2 else "B",
            "id_number": id_number(int(tag) * 10 + n, born=BORN),
        }
        for n in range(count)
    ]


def send(edge: Edge, listed: list[dict[str, Any]], key: UUID | None = None) -> httpx.Response:
    with edge.client(*OFFICE) as admin:
        return admin.post(
            "/v1/officer-lists", json={"officers": listed}, headers=write_headers(key)
        )


def test_a_list_is_engaged_and_every_code_opens_a_log_in(edge: Edge) -> None:
    listed = rows(5, "11")
    answer = send(edge, listed)
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert [one["login"] for one in told["invitations"]] == [one["login"] for one in listed]
    assert not told["known"] and not told["refused"]
    with edge.client() as anybody:
        for one in told["invitations"]:
            path = f"/v1/invitations/{one['code']}/acceptances"
            assert anybody.post(path, json={"password": "grey heron 27"}).status_code == 200


def test_a_bad_row_is_told_and_stops_no_other(edge: Edge) -> None:
    listed = rows(4, "12")
    listed[1]["id_number"] = id_number(7, born=BORN)[:-1] + "A"
    listed[2].pop("id_number")
    told = send(edge, listed).json()
    assert [one["row"] for one in told["invitations"]] == [0, 3]
    assert [(one["row"], one["rule"]) for one in told["refused"]] == [
        (1, "malformed"),
        (2, "id-number-needed"),
    ]
    assert "村（社区）灾害信息员" in told["refused"][1]["zh"]
    assert id_number(7, born=BORN)[:-1] not in repr(told)


def test_a_list_sent_again_under_its_key_does_nothing_twice_and_shows_no_code(edge: Edge) -> None:
    listed, key = rows(3, "13"), uuid4()
    first = send(edge, listed, key).json()
    again = send(edge, listed, key).json()
    assert len(first["invitations"]) == 3
    assert not again["invitations"] and [one["row"] for one in again["known"]] == [0, 1, 2]
    changed = send(edge, [{**one, "name": "钱某"} for one in listed], key)
    assert changed.status_code == 409


def test_a_row_changed_under_the_key_of_its_list_costs_no_other_row_its_code(edge: Edge) -> None:
    listed, key = rows(3, "16"), uuid4()
    send(edge, listed[:2], key)
    changed = [listed[0], {**listed[1], "name": "钱某"}, listed[2]]
    told = send(edge, changed, key).json()
    assert [one["row"] for one in told["known"]] == [0]
    assert [(one["row"], one["rule"]) for one in told["refused"]] == [(1, "command-id-reused")]
    assert [one["login"] for one in told["invitations"]] == ["reporter-16-2"]


def test_rows_have_a_limit_and_a_shape(edge: Edge) -> None:
    assert send(edge, []).status_code == 422
    too_many = rows(1, "14") * (DEFAULT_LIMITS.rows + 1)
    assert send(edge, too_many).status_code == 413
    strange = [{**rows(1, "14")[0], "password": "x"}]
    refused = send(edge, strange)
    assert refused.status_code == 422 and "officers.0.password" in refused.text


def test_who_may_not_engage_sends_no_list(edge: Edge) -> None:
    with edge.client(Role.COUNTY_APPROVER, "county") as approver:
        body = {"officers": rows(1, "15")}
        answer = approver.post("/v1/officer-lists", json=body, headers=write_headers())
        assert answer.status_code == 403
    foreign = [{**rows(1, "15")[0], "area": str(id_of("far_village"))}]
    told = send(edge, foreign).json()
    assert told["refused"][0]["rule"] == "not-found"
