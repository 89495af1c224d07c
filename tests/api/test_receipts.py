"""What became of a command whose answer was lost, asked by its key."""

from uuid import uuid4

import httpx

from domain.world import Role
from tests.api.edge import Edge
from tests.api.test_writes import REPORTS, code, post, report


def test_who_sent_a_command_learns_that_it_was_booked(village: httpx.Client) -> None:
    key = uuid4()
    booked = post(village, REPORTS, report(), key).json()
    found = village.get(f"/v1/receipts/{key}")
    assert found.status_code == 200
    assert found.json() == {"command": str(key), "position": booked["position"]}


def test_a_refused_and_an_unknown_command_have_no_receipt(village: httpx.Client) -> None:
    body, refused = report(), uuid4()
    post(village, REPORTS, body)
    assert post(village, REPORTS, body, refused).status_code == 409
    for key in (refused, uuid4()):
        answer = village.get(f"/v1/receipts/{key}")
        assert (answer.status_code, code(answer)) == (404, "not-found")
        assert "回执" in answer.json()["zh"]


def test_somebody_elses_receipt_reads_like_none(village: httpx.Client, edge: Edge) -> None:
    key = uuid4()
    post(village, REPORTS, report(), key)
    with edge.client(Role.COUNTY_APPROVER, "county") as county:
        foreign, none = county.get(f"/v1/receipts/{key}"), county.get(f"/v1/receipts/{uuid4()}")
    assert foreign.status_code == none.status_code == 404
    assert foreign.json()["zh"] == none.json()["zh"]
